//! Resources: one thing on a node that ringbolt keeps as desired. One file a kind.
//!
//! Each kind knows its desired form, how to read its actual form from facts, and the steps from one
//! to the other. The same floor plan is in `agent/act/`, which carries the steps out.

use std::fmt::{Arguments, Write};
use std::sync::Arc;

use serde::Serialize;

use crate::action::Action;
use crate::check::Check;
use crate::digest::Content;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::step::{FileChange, Phase, Risk, Step, Undo};

pub mod address;
pub(crate) mod ceph;
pub mod fabric;
pub mod file;
pub mod frr_conf;
pub mod frr_daemons;
pub mod frr_local;
pub mod initramfs;
pub mod interfaces;
pub mod module;
pub mod owed;
pub mod package;
pub mod port;
pub mod reload;
pub mod sysctl;
pub mod unit;

/// Anything ringbolt keeps on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Resource {
    /// Packages that must be installed.
    Packages(package::Packages),
    /// A file that is wholly ours.
    File(file::File),
    /// A loaded kernel module.
    Module(module::Module),
    /// Live kernel settings from a file of ours.
    Sysctl(sysctl::Sysctl),
    /// Thunderbolt `.link` files inside the initramfs.
    Initramfs(initramfs::Initramfs),
    /// Stanzas and the `source` line in `/etc/network/interfaces`.
    Interfaces(interfaces::Interfaces),
    /// `bfdd=yes` in `/etc/frr/daemons`.
    FrrDaemons(frr_daemons::FrrDaemons),
    /// `/etc/frr/frr.conf`, wholly in force.
    FrrConf(frr_conf::FrrConf),
    /// Our block in `/etc/frr/frr.conf.local`.
    FrrLocal(frr_local::FrrLocal),
    /// A port with its name, its MTU, up.
    Port(port::Port),
    /// Addresses and routes that must be live.
    Addresses(address::Addresses),
    /// What Proxmox VE generates on a node for the fabric.
    Generated(reload::Generated),
    /// A unit that is enabled and runs.
    Unit(unit::Unit),
}

/// What one resource asks of one node.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Steps to take; none when the resource is as desired.
    pub steps: Vec<Step>,
    /// What is in the way.
    pub obstacles: Vec<Obstacle>,
    /// What cannot be known before earlier steps are done.
    pub waiting: Option<String>,
}

impl Outcome {
    fn step(step: Step) -> Self {
        Self { steps: vec![step], ..Self::default() }
    }

    fn obstacle(obstacle: Obstacle) -> Self {
        Self { obstacles: vec![obstacle], ..Self::default() }
    }

    fn waiting(why: impl Into<String>) -> Self {
        Self { waiting: Some(why.into()), ..Self::default() }
    }

    /// Whether the resource is as desired.
    pub fn satisfied(&self) -> bool {
        self.steps.is_empty() && self.obstacles.is_empty() && self.waiting.is_none()
    }
}

impl Resource {
    /// Compares with the facts and says what is to be done.
    pub fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        match self {
            Self::Packages(r) => r.compare(node, facts),
            Self::File(r) => r.compare(node, facts),
            Self::Module(r) => r.compare(node, facts),
            Self::Sysctl(r) => r.compare(node, facts),
            Self::Initramfs(r) => r.compare(node, facts),
            Self::Interfaces(r) => r.compare(node, facts),
            Self::FrrDaemons(r) => r.compare(node, facts),
            Self::FrrConf(r) => r.compare(node, facts),
            Self::FrrLocal(r) => r.compare(node, facts),
            Self::Port(r) => r.compare(node, facts),
            Self::Addresses(r) => r.compare(node, facts),
            Self::Generated(r) => r.compare(node, facts),
            Self::Unit(r) => r.compare(node, facts),
        }
    }

    /// What must hold for the resource to be there again after a reboot; shown by `verify`.
    pub fn promises(&self) -> Vec<Check> {
        match self {
            Self::Packages(r) => r.promises(),
            Self::File(r) => r.promises(),
            Self::Module(r) => r.promises(),
            Self::Sysctl(r) => r.promises(),
            Self::Interfaces(r) => r.promises(),
            Self::FrrDaemons(r) => r.promises(),
            Self::FrrConf(r) => r.promises(),
            Self::FrrLocal(r) => r.promises(),
            Self::Generated(r) => r.promises(),
            Self::Unit(r) => r.promises(),
            Self::Addresses(r) => r.promises(),
            Self::Initramfs(_) | Self::Port(_) => Vec::new(),
        }
    }

    /// The part of a run it belongs to.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Packages(_)
            | Self::Module(_)
            | Self::Sysctl(_)
            | Self::Initramfs(_)
            | Self::FrrDaemons(_)
            | Self::FrrLocal(_) => Phase::Prepare,
            Self::File(f) => f.phase,
            Self::Interfaces(_) | Self::Port(_) => Phase::Ports,
            Self::Addresses(_) | Self::Generated(_) | Self::Unit(_) => Phase::Fabric,
            Self::FrrConf(_) => Phase::Converge,
        }
    }
}

/// A step on a node with the defaults most steps have: safe, nothing to undo, ten seconds for the
/// proof, no order yet.
pub(crate) fn step(node: &NodeName, what: Arguments<'_>, phase: Phase, action: Action) -> Step {
    // Most fit: a text that grows as it is written costs as much as the rest of the step.
    let mut id = String::with_capacity(64);
    let _ = write!(id, "{node}/{what}");
    Step {
        id: id.into(),
        phase,
        node: Some(node.clone()),
        title: "".into(),
        why: "".into(),
        action: Some(action),
        expect: None,
        undo: Undo::None,
        proof: Vec::new(),
        patience: 10,
        risk: Risk::Safe,
        after: Vec::new(),
        change: None,
        interrupts: "".into(),
        checkpoint: None,
    }
}

/// Whether the fabric may carry traffic on a node: an adjacency is up, or FRR runs and does not tell.
pub(crate) fn carries_traffic(facts: &Facts) -> bool {
    match facts.state.frr.yes() {
        Some(frr) => frr.neighbors.iter().any(|n| n.state == "Up"),
        None => facts.state.units.get("frr.service").is_some_and(|u| u.active == "active"),
    }
}

/// A step that removes a file of ours.
pub(crate) fn remove_file(
    node: &NodeName,
    facts: &Facts,
    phase: Phase,
    path: &str,
    why: &'static str,
) -> Step {
    let fact = facts.state.files.get(path);
    let path: Arc<str> = path.into();
    Step {
        title: format!("remove {path}").into(),
        why: why.into(),
        expect: fact.map(|f| f.digest.clone()),
        undo: Undo::Restore,
        proof: vec![(node.clone(), Check::NoFile { path: Arc::clone(&path) })],
        change: Some(Box::new(FileChange {
            path: Arc::clone(&path),
            before: fact.and_then(|f| f.text.clone()),
            after: None,
        })),
        ..step(node, format_args!("remove:{path}"), phase, Action::RemoveFile { path: Arc::clone(&path) })
    }
}

/// A step that puts a file in place, with diff, precondition, undo and proof.
pub(crate) fn write_file(
    node: &NodeName,
    facts: &Facts,
    phase: Phase,
    path: impl Into<Arc<str>>,
    content: Content,
    mode: u32,
) -> Step {
    let path = path.into();
    let Content { text, digest } = content;
    let present = facts.state.files.get(&*path);
    let change = FileChange {
        path: Arc::clone(&path),
        before: present.map(|f| f.text.clone().unwrap_or_else(|| format!("(binary, sha256 {})\n", f.digest))),
        after: Some(Arc::clone(&text)),
    };
    Step {
        title: format!("{} {path}", if present.is_some() { "update" } else { "write" }).into(),
        expect: Some(present.map_or_else(String::new, |f| f.digest.clone())),
        undo: Undo::Restore,
        proof: vec![(node.clone(), Check::File { path: Arc::clone(&path), digest })],
        change: Some(Box::new(change)),
        ..step(
            node,
            format_args!("file:{path}"),
            phase,
            Action::WriteFile { path: Arc::clone(&path), content: text, mode },
        )
    }
}
