//! A small command over the lab for its own tests: makes, breaks and removes labs, and serves as the executable
//! a lab needs for its proxy and keepers. People use `ringbolt lab`.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ringbolt_lab::{CableWish, Fault, NodeWish, Shape, Transport, UpRequest};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let Some(code) = ringbolt_lab::standin::dispatch(&args[0], &args[1..]) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    // `labctl lab proxy …` and `labctl proxy …` are the same.
    let skip = if args.get(1).is_some_and(|arg| arg == "lab") { 2 } else { 1 };
    match run(&args[skip..]) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command of its own")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn run(args: &[String]) -> Result<i32, Box<dyn Error>> {
    let name = std::env::var("LAB").unwrap_or_else(|_| "lab".to_owned());
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let start = Instant::now();
    match words[..] {
        ["proxy", lab, host, port] => ringbolt_lab::proxy(lab, host.parse()?, port.parse()?)?,
        ["keep", dir, node, boot] => ringbolt_lab::keep(Path::new(dir), node, boot.parse()?)?,
        ["up", count, shape, transport, pve, ref without @ ..] => {
            up(&name, count.parse()?, shape.parse()?, transport, pve, without)?;
        }
        ["status"] => say(&serde_json::to_string_pretty(&ringbolt_lab::open(&name)?.status()?)?),
        ["list"] => say(&ringbolt_lab::list().join("\n")),
        ["exec", node, "--", ..] => return Ok(ringbolt_lab::open(&name)?.exec(node, &args[3..])?),
        ["cut", a, b, kind] => {
            let fault = match kind {
                "silent" => Fault::Silent,
                "one-way" => Fault::OneWay(a.to_owned()),
                "unplug" => Fault::Unplugged,
                _ => Fault::Carrier(b.to_owned()),
            };
            ringbolt_lab::open(&name)?.cut(a, b, &fault)?;
        }
        ["mend", a, b] => ringbolt_lab::open(&name)?.mend(a, b)?,
        ["flap", a, b, times] => ringbolt_lab::open(&name)?.flap(a, b, times.parse()?)?,
        ["power-off", node] => ringbolt_lab::open(&name)?.power_off(node, false)?,
        ["shut-down", node] => ringbolt_lab::open(&name)?.power_off(node, true)?,
        ["power-on", node] => {
            let lab = ringbolt_lab::open(&name)?;
            lab.power_on(node)?;
            lab.wait_ready(node, Duration::from_secs(60))?;
        }
        ["freeze", node] => ringbolt_lab::open(&name)?.freeze(node)?,
        ["thaw", node] => ringbolt_lab::open(&name)?.thaw(node)?,
        ["disk", node, disk, "vanish"] => ringbolt_lab::open(&name)?.plug_disk(node, disk, false)?,
        ["disk", node, disk, "return"] => ringbolt_lab::open(&name)?.plug_disk(node, disk, true)?,
        ["disk", node, disk, content] => {
            ringbolt_lab::open(&name)?.make_disk(node, disk, content.parse()?)?;
        }
        ["down"] => ringbolt_lab::open(&name)?.down()?,
        _ => return Err(format!("no such command: {words:?}").into()),
    }
    if words[0] != "proxy" && words[0] != "keep" {
        say(&format!("{} {:.2} s", words[0], start.elapsed().as_secs_f64()));
    }
    Ok(0)
}

fn up(
    name: &str,
    count: usize,
    shape: Shape,
    transport: &str,
    pve: &str,
    without: &[&str],
) -> Result<(), Box<dyn Error>> {
    let nodes: Vec<NodeWish> = (1..=count)
        .map(|id| -> Result<NodeWish, Box<dyn Error>> {
            let address = Ipv4Addr::new(10, 11, 12, 10 + u8::try_from(id)?);
            Ok(NodeWish { name: format!("n{id}"), address, ports: Vec::new() })
        })
        .collect::<Result<_, _>>()?;
    let at = |(node, port): (usize, u32)| (nodes[node].name.clone(), port);
    let cables = ringbolt_lab::shape(shape, count)
        .into_iter()
        .map(|(a, b)| CableWish { a: at(a), b: at(b) })
        .collect();
    let transport = match (shape, transport) {
        (Shape::Switch, _) => Transport::Switch,
        (_, "ethernet") => Transport::Ethernet,
        _ => Transport::Thunderbolt,
    };
    let request = UpRequest {
        name: name.to_owned(),
        cables,
        transport,
        pve: pve.parse()?,
        binary: std::env::current_exe()?,
        spec_text: None,
        without: without.iter().map(|part| (*part).to_owned()).collect(),
        disks: 2,
        disk_size: 10 << 30,
        ceph: false,
        nodes,
    };
    ringbolt_lab::up(&request, &mut |progress| {
        say(&format!("{:6.2} s  {}", progress.took.as_secs_f64(), progress.what));
    })?;
    Ok(())
}
