//! `ringbolt lab …`: the rehearsal lab, real nodes in namespaces of this machine.
//!
//! A thin layer over the lab crate: arguments in, a few lines out. It never talks to a node itself.

mod show;
mod wish;

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use ringbolt_lab::status::Power;
use ringbolt_lab::{Fault, Lab, LabError};

use crate::exit::Exit;
use crate::global::Global;
use crate::render::Style;
use crate::session::Trouble;

/// How long a node may take to answer after power came back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of `lab`.
#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// What to do with the lab
    #[command(subcommand)]
    verb: Verb,
}

/// What to do with the lab.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a lab: boot nodes, plug cables, write its spec
    Up(UpArgs),
    /// Nodes, cables, what is stood in for and what is reduced on this machine
    Status {
        /// Write it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a program in a node
    Exec {
        /// The node
        node: String,
        /// Program and arguments
        #[arg(last = true, required = true)]
        argv: Vec<String>,
    },
    /// A shell in a node
    Shell {
        /// The node
        node: String,
    },
    /// Cut the cable between two nodes: no carrier, unless told otherwise
    Cut(CutArgs),
    /// Mend the cable between two nodes
    Mend {
        /// One node
        a: String,
        /// The other, or `switch`
        b: String,
    },
    /// Cut and mend a cable several times in a row
    Flap {
        /// One node
        a: String,
        /// The other, or `switch`
        b: String,
        /// How often
        #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        times: u32,
    },
    /// Change a disk of a running node: what is on it, or whether it is there
    Disk(DiskArgs),
    /// Pull the plug of nodes
    PowerOff {
        /// The nodes; `all` for every one
        #[arg(required = true)]
        nodes: Vec<String>,
        /// Shut down in order instead
        #[arg(long)]
        orderly: bool,
    },
    /// Give nodes power and wait until they answer
    PowerOn(Nodes),
    /// Stop everything in nodes in mid-air; their cables stay lit
    Freeze(Nodes),
    /// Let frozen nodes go on
    Thaw(Nodes),
    /// Remove the lab and everything it made
    Down {
        /// Every lab
        #[arg(long)]
        all: bool,
    },
    /// Images and layers kept for the next lab
    Images {
        /// Remove those no lab uses and this program would not take again
        #[arg(long)]
        prune: bool,
    },
    /// Connect ssh to a node
    #[command(hide = true)]
    Proxy {
        /// The lab
        name: String,
        /// Address of the node
        host: IpAddr,
        /// Port
        port: u16,
    },
    /// Boot a node and keep it
    #[command(hide = true)]
    Keep {
        /// Folder of the lab
        dir: PathBuf,
        /// The node
        node: String,
        /// Which boot
        boot: u32,
    },
}

/// Nodes of the lab.
#[derive(Debug, Args)]
struct Nodes {
    /// The nodes; `all` for every one
    #[arg(required = true)]
    nodes: Vec<String>,
}

/// Arguments of `lab up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// A spec whose nodes and links are to be made; without one, --nodes and --shape say what
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How many nodes
    #[arg(long, default_value_t = 3, value_name = "N", conflicts_with = "file", value_parser = clap::value_parser!(u8).range(2..=64))]
    nodes: u8,
    /// How they are cabled; a spec's own links come first
    #[arg(long, value_enum)]
    shape: Option<ShapeName>,
    /// What the cables are
    #[arg(long, value_enum, conflicts_with = "file")]
    transport: Option<TransportName>,
    /// The release of Proxmox VE the nodes pretend to be
    #[arg(long, default_value = "9.2", value_name = "9.0|9.1|9.2")]
    pve: ringbolt_lab::PveRelease,
    /// Name of the lab
    #[arg(long)]
    name: Option<String>,
    /// Leave out: `frr` for nodes without it, `key` for nodes that know no key of ours
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = ["frr", "key"])]
    without: Vec<String>,
    /// Name the free disks as OSDs in the spec that is written: `apply` goes on to a Ceph cluster
    #[arg(long, conflicts_with = "file")]
    ceph: bool,
    /// How many free disks each node has
    #[arg(long, default_value_t = 2, value_name = "N")]
    disks: u32,
    /// How large each of them is; it takes room on this machine only as it is written to
    #[arg(long, default_value = "10G", value_name = "SIZE", value_parser = size)]
    disk_size: u64,
}

/// A size with M, G or T, in bytes.
fn size(text: &str) -> Result<u64, String> {
    let unit = ["M", "G", "T"].into_iter().zip([20, 30, 40]).find(|(unit, _)| text.ends_with(unit));
    let (unit, bits) = unit.ok_or("a number with M, G or T, as 10G")?;
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| "a number with M, G or T, as 10G")?;
    number.checked_mul(1 << bits).ok_or_else(|| "too large".to_owned())
}

/// Arguments of `lab disk`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("deed").required(true).args(["make", "vanish", "return_"])))]
struct DiskArgs {
    /// The node
    node: String,
    /// The disk, as `nvme1n1`
    disk: String,
    /// Put this on it, with real signatures; what was on it is gone:
    /// blank, ext4, xfs, gpt, lvm, zfs, mdraid, bluestore, swap or mounted
    #[arg(long, value_name = "CONTENT")]
    make: Option<ringbolt_lab::Content>,
    /// Pull it out
    #[arg(long)]
    vanish: bool,
    /// Plug it in again
    #[arg(long = "return")]
    return_: bool,
}

impl DiskArgs {
    fn run(&self, lab: &Lab) -> Result<String, LabError> {
        let place = format!("{} of {}", self.disk, self.node);
        if let Some(content) = self.make {
            lab.make_disk(&self.node, &self.disk, content)?;
            return Ok(format!("{place}: made anew"));
        }
        lab.plug_disk(&self.node, &self.disk, self.return_)?;
        Ok(format!("{place}: {}", if self.return_ { "is back" } else { "pulled out" }))
    }
}

/// How nodes are cabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShapeName {
    /// Each with two neighbours.
    Ring,
    /// A ring with one cable missing.
    Line,
    /// Everyone with everyone.
    Mesh,
    /// Everyone with the first.
    Star,
    /// One cable each to a switch.
    Switch,
}

/// What cables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TransportName {
    /// Thunderbolt, node to node.
    Thunderbolt,
    /// Ethernet, node to node.
    Ethernet,
}

/// Arguments of `lab cut`.
#[derive(Debug, Args)]
struct CutArgs {
    /// One node
    a: String,
    /// The other, or `switch`
    b: String,
    /// Both ends look alive, nothing passes
    #[arg(long, group = "kind")]
    silent: bool,
    /// What the first node sends is lost
    #[arg(long, group = "kind")]
    one_way: bool,
    /// Pull it: on Thunderbolt the interfaces vanish
    #[arg(long, group = "kind")]
    unplug: bool,
}

impl CutArgs {
    fn fault(&self) -> (Fault, &'static str) {
        if self.silent {
            (Fault::Silent, "looks alive, nothing passes")
        } else if self.one_way {
            (Fault::OneWay(self.a.clone()), "nothing passes from the first to the second")
        } else if self.unplug {
            (Fault::Unplugged, "pulled")
        } else {
            (
                Fault::Carrier(self.b.clone()),
                "no carrier: the second's end is set down, and an apply sets it up",
            )
        }
    }
}

/// Does what the arguments ask for.
pub(crate) fn run(
    args: &LabArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let start = Instant::now();
    if !matches!(args.verb, Verb::Proxy { .. } | Verb::Keep { .. }) && !rustix::process::geteuid().is_root() {
        return Err(Trouble::usage(
            "the lab needs root: it boots nodes in namespaces",
            "run the same by sudo; other commands need root for nodes of a lab only",
        ));
    }
    let done = match &args.verb {
        Verb::Up(args) => return wish::up(args, global, out, style),
        Verb::Status { json } => return show::status(global.lab.as_deref(), *json, out, style),
        Verb::Exec { node, argv } => return passing(out, opened(global)?.exec(node, argv)),
        Verb::Shell { node } => return passing(out, opened(global)?.shell(node)),
        Verb::Proxy { name, host, port } => return proxy(name, *host, *port),
        Verb::Keep { dir, node, boot } => {
            ringbolt_lab::keep(dir, node, *boot)?;
            return Ok(Exit::Done);
        }
        Verb::Cut(cut) => {
            let (fault, words) = cut.fault();
            cable(global, (&cut.a, &cut.b), &fault, words)?
        }
        Verb::Disk(args) => Done::Now(args.run(&opened(global)?)?),
        Verb::Mend { a, b } => cable(global, (a, b), &Fault::None, "mended")?,
        Verb::Flap { a, b, times } => {
            opened(global)?.flap(a, b, *times)?;
            let often = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
            Done::Now(format!("cable {a} – {b}: cut and mended {often}"))
        }
        Verb::PowerOff { nodes, orderly } => {
            let how = if *orderly { "shut down" } else { "lost power" };
            let off = |lab: &Lab, node: &str| lab.power_off(node, *orderly);
            each(global, nodes, how, (Power::Off, "off"), off)?
        }
        Verb::PowerOn(Nodes { nodes }) => power_on(global, nodes)?,
        Verb::Freeze(Nodes { nodes }) => {
            each(global, nodes, "frozen", (Power::Frozen, "frozen"), Lab::freeze)?
        }
        Verb::Thaw(Nodes { nodes }) => each(global, nodes, "thawed", (Power::On, "running"), Lab::thaw)?,
        Verb::Down { all } => down(global, *all)?,
        Verb::Images { prune } => return show::images(*prune, global.quiet, out, style),
    };
    if !global.quiet {
        match done {
            Done::Now(line) => writeln!(out, "{line} ({:.1} s)", start.elapsed().as_secs_f64())?,
            Done::Already(line) => writeln!(out, "{line}")?,
        }
    }
    Ok(Exit::Done)
}

/// What a verb has to tell.
enum Done {
    /// It did this.
    Now(String),
    /// It had nothing to do, because of this.
    Already(String),
}

/// The lab meant: `--lab`, else the only one there is.
fn name(global: &Global) -> Result<String, Trouble> {
    match (&global.lab, ringbolt_lab::list().as_slice()) {
        (Some(name), _) => Ok(name.clone()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Ok("lab".to_owned()),
        (None, several) => Err(Trouble::usage(
            format!("several labs are up: {}", several.join(", ")),
            "say which by --lab NAME",
        )),
    }
}

fn opened(global: &Global) -> Result<Lab, Trouble> {
    Ok(ringbolt_lab::open(&name(global)?)?)
}

/// With what to do about it.
impl From<LabError> for Trouble {
    fn from(error: LabError) -> Self {
        let (hint, exit) = match &error {
            LabError::NoLab { .. } => {
                let names = ringbolt_lab::list();
                let hint = if names.is_empty() {
                    "make one: `ringbolt lab up --nodes 3`".to_owned()
                } else {
                    format!("say which by --lab NAME; there are {}", names.join(", "))
                };
                (Some(hint), Exit::Usage)
            }
            LabError::Exists(name) => {
                (Some(format!("`ringbolt lab down --lab {name}`, or --lab OTHER")), Exit::Usage)
            }
            LabError::NoNode { .. } | LabError::NoCable(..) | LabError::NoDisk { .. } => {
                (Some("`ringbolt lab status` shows nodes, cables and disks".into()), Exit::Usage)
            }
            LabError::Off(node) => (Some(format!("`ringbolt lab power-on {node}`")), Exit::Unreachable),
            LabError::Late { .. } => (Some("look into the console named above".into()), Exit::Unreachable),
            LabError::Wish(_) | LabError::Probe(_) => (None, Exit::Usage),
            _ => (Some("`ringbolt lab down` removes what was made so far".into()), Exit::Failed),
        };
        Self { message: error.to_string(), hint, exit }
    }
}

/// Brings a cable into a condition, unless it is in it.
fn cable(global: &Global, (a, b): (&str, &str), fault: &Fault, words: &str) -> Result<Done, Trouble> {
    let lab = opened(global)?;
    let cables = lab.record()?.cables;
    let mut between = cables.iter().filter(|cable| cable.joins(a, b)).peekable();
    if between.peek().is_some() && between.all(|cable| cable.fault == *fault) {
        let state = if *fault == Fault::None { "whole" } else { "cut in that way" };
        return Ok(Done::Already(format!("cable {a} – {b} is {state} already")));
    }
    lab.cut(a, b, fault)?;
    Ok(Done::Now(format!("cable {a} – {b}: {words}")))
}

/// Does one thing to each node that is not as it should become, and says so in a line.
fn each(
    global: &Global,
    wishes: &[String],
    how: &str,
    (wanted, word): (Power, &str),
    deed: impl Fn(&Lab, &str) -> Result<(), LabError>,
) -> Result<Done, Trouble> {
    let lab = opened(global)?;
    let status = lab.status()?;
    let is = |node: &String| status.nodes.iter().any(|n| n.name == *node && n.power == wanted);
    let (already, due): (Vec<String>, Vec<String>) = lab.nodes(wishes)?.into_iter().partition(is);
    due.iter().try_for_each(|node| deed(&lab, node))?;
    let are = if already.len() == 1 { "is" } else { "are" };
    let rest = format!("{} {are} {word} already", already.join(", "));
    let now = format!("{}: {how}", due.join(", "));
    Ok(match (due.is_empty(), already.is_empty()) {
        (true, _) => Done::Already(rest),
        (false, true) => Done::Now(now),
        (false, false) => Done::Now(format!("{now}; {rest}")),
    })
}

/// Gives power to all before waiting for any.
fn power_on(global: &Global, wishes: &[String]) -> Result<Done, Trouble> {
    let lab = opened(global)?;
    let chosen = lab.nodes(wishes)?;
    let frozen =
        lab.status()?.nodes.into_iter().find(|n| n.power == Power::Frozen && chosen.contains(&n.name));
    if let Some(node) = frozen {
        let name = node.name;
        return Err(Trouble::usage(
            format!("{name} has power and is frozen"),
            format!("`ringbolt lab thaw {name}` lets it go on"),
        ));
    }
    let done = each(global, wishes, "power is back, ssh answers", (Power::On, "running"), Lab::power_on)?;
    chosen.iter().try_for_each(|node| lab.wait_ready(node, PATIENCE).map(drop))?;
    Ok(done)
}

/// What is gone already is as it was wanted, and ends well; it is said, and what labs there are.
fn down(global: &Global, all: bool) -> Result<Done, Trouble> {
    let names = if all { ringbolt_lab::list() } else { vec![name(global)?] };
    if all && names.is_empty() {
        return Ok(Done::Already("there is no lab".to_owned()));
    }
    for name in &names {
        match ringbolt_lab::open(name) {
            Ok(lab) => lab.down()?,
            Err(LabError::NoLab { .. }) => {
                let others = ringbolt_lab::list().join(", ");
                let others = if others.is_empty() { String::new() } else { format!("; there are: {others}") };
                return Ok(Done::Already(format!(
                    "there is no lab called {name}, nothing to take down{others}"
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Done::Now(format!("lab {} is gone", names.join(", "))))
}

/// Ends with the exit code of a program in a node.
fn passing(out: &mut dyn Write, code: Result<i32, LabError>) -> Result<Exit, Trouble> {
    let code = code?;
    out.flush()?;
    if code == 0 { Ok(Exit::Done) } else { std::process::exit(code) }
}

fn proxy(name: &str, host: IpAddr, port: u16) -> Result<Exit, Trouble> {
    ringbolt_lab::proxy(name, host, port).map_err(|error| Trouble {
        message: error.to_string(),
        hint: None,
        exit: Exit::Unreachable,
    })?;
    Ok(Exit::Done)
}
