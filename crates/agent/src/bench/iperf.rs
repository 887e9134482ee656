//! `iperf3`: a server for exactly one client, and the client.
//!
//! The server is bound to one address and one interface, ends after its client, after some seconds without one (by
//! itself, even when the agent is gone), or when stopped.

use std::time::{Duration, Instant};

use ringbolt_core::bench::ask::{Measured, Send, Serve};
use ringbolt_core::bench::iperf::parse;
use ringbolt_core::wire::Failure;

use super::interrupts::Watch;
use crate::exec::{Call, ExecError, call};
use crate::root::Root;
use crate::stop::Stop;

/// Seconds a server waits for its client.
const IDLE: u32 = 8;

/// How long it may take to listen.
const LISTENS: Duration = Duration::from_secs(5);

/// Milliseconds between attempts to see it listen.
const LOOK: Duration = Duration::from_millis(10);

/// Serves one client.
pub(super) fn serve(
    root: &Root,
    asked: &Serve,
    stop: &Stop,
    say: &dyn Fn(String),
) -> Result<Measured, Failure> {
    let call = server(asked);
    let started = call.start().map_err(missing)?;
    let begun = Instant::now();
    while !started.said("Server listening") && begun.elapsed() < LISTENS && !started.is_over() {
        if stop.sleep(LOOK) {
            break;
        }
    }
    let watch = Watch::begin(root, asked.interface.as_deref());
    if started.said("Server listening") {
        say("listening".to_owned());
    }
    let output = started.finish(Some(stop))?;
    if !stop.is_set() {
        output.checked(&call)?;
    }
    Ok(Measured::Served { interrupts: watch.end() })
}

/// Sends to a server.
pub(super) fn send(root: &Root, asked: &Send, stop: &Stop) -> Result<Measured, Failure> {
    let call = client(asked);
    let watch = Watch::begin(root, asked.interface.as_deref());
    let output = call.start().map_err(missing)?.finish(Some(stop))?;
    let interrupts = watch.end();
    if stop.is_set() {
        return Err(Failure::refused("cancelled"));
    }
    // It says what went wrong in its report, whatever its status.
    let stream = parse(&output.out).map_err(|e| Failure::broken(e.to_string()))?;
    Ok(Measured::Sent { stream, interrupts })
}

fn missing(error: ExecError) -> Failure {
    match error {
        ExecError::Missing(_) => {
            Failure::from(error).hint("`ringbolt bench mesh --install` puts iperf3 on the nodes that lack it")
        }
        other => other.into(),
    }
}

fn server(asked: &Serve) -> Call {
    let mut words: Vec<String> = ["--server", "--one-off", "--forceflush", "--bind"].map(String::from).into();
    words.extend([asked.at.to_string(), "--port".into(), asked.port.to_string()]);
    words.extend(["--idle-timeout".into(), IDLE.to_string()]);
    bind_to(&mut words, asked.interface.as_ref());
    call("iperf3", words).limit(u64::from(asked.seconds + IDLE) + 10)
}

fn client(asked: &Send) -> Call {
    let mut words: Vec<String> = vec!["--client".into(), asked.to.to_string()];
    words.extend(["--port".into(), asked.port.to_string(), "--bind".into(), asked.from.to_string()]);
    words.extend([
        "--time".into(),
        asked.seconds.to_string(),
        "--parallel".into(),
        asked.streams.to_string(),
    ]);
    words.extend(["--interval", "0.25", "--connect-timeout", "3000", "--json"].map(String::from));
    if asked.both {
        words.push("--bidir".into());
    }
    bind_to(&mut words, asked.interface.as_ref());
    call("iperf3", words).limit(u64::from(asked.seconds) + 15)
}

fn bind_to(words: &mut Vec<String>, interface: Option<&String>) {
    if let Some(interface) = interface {
        words.extend(["--bind-dev".into(), interface.clone()]);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::mpsc::channel;

    use super::*;

    const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_command_lines() {
        let interface = Some("en05".to_owned());
        let serve = Serve { at: HERE, port: 15_201, interface: interface.clone(), seconds: 3 };
        assert_eq!(
            server(&serve).line(),
            "iperf3 --server --one-off --forceflush --bind 127.0.0.1 --port 15201 --idle-timeout 8 --bind-dev en05"
        );
        let send = Send { to: HERE, port: 15_201, from: HERE, interface, seconds: 3, streams: 4, both: true };
        assert_eq!(
            client(&send).line(),
            "iperf3 --client 127.0.0.1 --port 15201 --bind 127.0.0.1 --time 3 --parallel 4 --interval 0.25 \
             --connect-timeout 3000 --json --bidir --bind-dev en05"
        );
    }

    #[test]
    fn a_real_run_on_this_machine_and_a_server_that_is_stopped() {
        if crate::exec::find("iperf3").is_none() {
            return;
        }
        let root = Root::open(std::path::Path::new("/"), None);
        let serve_on = |port, stop: &Stop, say: &dyn Fn(String)| {
            serve(&root, &Serve { at: HERE, port, interface: None, seconds: 1 }, stop, say)
        };
        let (ready, listens) = channel();
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let ready = ready;
                serve_on(15_987, &Stop::default(), &move |_| ready.send(()).unwrap())
            });
            listens.recv_timeout(LISTENS).unwrap();
            let to = HERE;
            let asked =
                Send { to, port: 15_987, from: HERE, interface: None, seconds: 1, streams: 1, both: false };
            let Measured::Sent { stream, .. } = send(&root, &asked, &Stop::default()).unwrap() else {
                panic!()
            };
            assert!(stream.forth.gbits > 0.0 && stream.back.is_none());
            assert!(matches!(server.join().unwrap(), Ok(Measured::Served { .. })));
        });
        let stop = Stop::default();
        let begun = Instant::now();
        serve_on(15_988, &stop, &|_| stop.set()).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
