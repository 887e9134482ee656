//! Nodes as values: a fleet of simulated Proxmox VE 9.2 nodes that answers facts and carries out
//! actions, all in memory.
//!
//! Used by tests of the planner, by benches and by rehearsals; `fresh` makes bare nodes. A node is
//! its facts plus the little the facts do not show (what FRR has loaded, what ifupdown2 has
//! configured, what was kept for undo). An action changes them the way a real node would; then the
//! live part (carrier, adjacencies, routes) is worked out anew from nodes and cables. What takes time
//! and what goes wrong is decided here (`duration`, `chance`) and happens where requests are answered:
//! in the transport. Adjacencies come up at once: convergence takes no time here.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Action;
use crate::facts::{Facts, FileFact, Fleet};
use crate::name::{NodeName, StepId};
use crate::plan::Plan;
use crate::step::Step;
use crate::wire::Failure;

mod answer;
mod boot;
mod cable;
mod captured;
pub mod case;
mod ceph;
mod ceph_files;
pub mod chance;
mod checkpoint;
pub mod compare;
pub mod duration;
mod fresh;
mod frr;
mod frr_conf;
mod ha;
mod kept;
mod live;
mod node;
mod power;
mod pve;
mod stanza;

/// How facts of a simulated node name what stands in for the machine.
pub const MARK: &str = "simulated node";

pub use cable::Cables;
pub use captured::captured;
pub use case::Case;
pub use chance::{Dice, Fate, Faults};
pub use fresh::{Frr, Options, fresh, spec};

/// One simulated node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it reports. Tests edit this to bring a node into a condition.
    pub facts: Facts,
    /// The `frr.conf` FRR has in memory; empty before its first start.
    loaded: String,
    /// Interfaces ifupdown2 has configured, with what it set.
    configured: BTreeMap<String, Vec<ipnet::IpNet>>,
    /// The next interface index.
    next_index: u32,
    /// What it was before the steps of runs.
    kept: kept::Kept,
    /// What goes back when nobody confirms.
    checkpoint: checkpoint::Checkpoint,
    /// The address it is managed at, where it has it.
    home: Option<std::net::IpAddr>,
    /// How often it has booted.
    boots: u32,
}

/// Where a cable ends: a node, and the PCI address of its controller (Thunderbolt) or the name of
/// its interface (Ethernet).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Socket {
    /// Which node.
    pub node: NodeName,
    /// Which place on it.
    pub place: String,
}

/// Simulated nodes, the cables between them and what they share.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The nodes by name.
    pub nodes: BTreeMap<NodeName, Node>,
    /// Cables from node to node.
    pub cables: Cables,
    /// Where a cable is or was: an Ethernet port without one is dark.
    sockets: BTreeSet<Socket>,
    /// Nodes without power.
    pub off: BTreeSet<NodeName>,
    /// Whether the cables are Thunderbolt.
    pub thunderbolt: bool,
    /// What the monitors know, once there are some. Tests edit this and call [`Cluster::tell_ceph`].
    pub ceph: crate::facts::CephCluster,
    /// The time on all nodes, seconds since the epoch; whoever lets them answer sets it.
    pub clock: u64,
    /// Files below `/etc/pve` that are too long for facts, by path.
    long: BTreeMap<String, String>,
}

/// A step whose proof does not hold after it was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The node refused or failed.
    #[error("{step}: {failure}")]
    Failed {
        /// Which step.
        step: StepId,
        /// What the node said.
        failure: Failure,
    },
    /// It was done, and something it promised is not so.
    #[error("{step}: not proven on {node}: {what}")]
    Unproven {
        /// Which step.
        step: StepId,
        /// Where.
        node: NodeName,
        /// The check and what was seen.
        what: String,
    },
}

impl Cluster {
    /// What all nodes report.
    pub fn fleet(&self) -> Fleet {
        let on = self.nodes.iter().filter(|(name, _)| !self.off.contains(*name));
        Fleet { nodes: on.map(|(name, node)| (name.clone(), node.facts.clone())).collect() }
    }

    /// Carries out an action on one node, and what follows from it on others. `expect` protects
    /// files as [`crate::wire::Deed::expect`] says.
    pub fn perform(&mut self, name: &NodeName, action: &Action, expect: Option<&str>) -> Result<(), Failure> {
        if !self.nodes.contains_key(name) || self.off.contains(name) {
            return Err(Failure::lost(format!("{name} does not answer")));
        }
        match action {
            Action::ApplySdn(change) => self.apply_sdn(name, change, self.nodes.len())?,
            Action::ReloadNode { node } => {
                let running = self.running(node);
                self.reload_node(node, &running)?;
            }
            Action::Ceph(deed) => self.ceph_deed(name, deed)?,
            Action::Reboot => self.reboot(std::slice::from_ref(name)),
            Action::Maintenance { node, on } => self.maintenance(node, *on),
            Action::EnableUnit { unit, now: true } if unit.starts_with("ceph-") => {
                self.node(name)?.perform(action, expect)?;
                self.start_daemon(name, unit)?;
            }
            Action::LoadModule { .. } => {
                self.node(name)?.perform(action, expect)?;
                self.plug_all();
            }
            _ => self.node(name)?.perform(action, expect)?,
        }
        match action {
            Action::ApplySdn(_) | Action::Reboot | Action::LoadModule { .. } => self.settle(),
            _ if moves_traffic(action) => self.settle_near(name),
            _ => {}
        }
        Ok(())
    }

    /// Does one step of a plan and looks at its proof.
    pub fn step(&mut self, step: &Step) -> Result<(), Fault> {
        if let (Some(node), Some(action)) = (&step.node, &step.action) {
            self.perform(node, action, step.expect.as_deref())
                .map_err(|failure| Fault::Failed { step: step.id.clone(), failure })?;
        }
        for (node, check) in &step.proof {
            let Some(there) = self.nodes.get(node) else { continue };
            let finding = check.look(&there.facts);
            if !finding.holds {
                let what = format!("{check:?}: {}", finding.evidence);
                return Err(Fault::Unproven { step: step.id.clone(), node: node.clone(), what });
            }
        }
        Ok(())
    }

    /// Does the first `count` steps of a plan in its order.
    pub fn run(&mut self, plan: &Plan, count: usize) -> Result<(), Fault> {
        plan.steps.iter().take(count).try_for_each(|step| self.step(step))
    }

    /// Pulls a cable out: Thunderbolt interfaces go away on both sides, Ethernet loses carrier.
    pub fn unplug(&mut self, cable: &(Socket, Socket)) {
        if !self.cables.remove(cable) {
            return;
        }
        for end in [&cable.0, &cable.1].into_iter().filter(|_| self.thunderbolt) {
            if let Some(node) = self.nodes.get_mut(&end.node) {
                node.unplug(&end.place);
            }
        }
        self.settle();
    }

    /// Plugs a cable in.
    pub fn plug(&mut self, cable: &(Socket, Socket)) {
        self.cables.insert(cable);
        self.plug_all();
        self.settle();
    }

    fn node(&mut self, name: &NodeName) -> Result<&mut Node, Failure> {
        self.nodes.get_mut(name).ok_or_else(|| Failure::lost(format!("{name} does not answer")))
    }
}

/// Whether an action may change what is live on any node.
fn moves_traffic(action: &Action) -> bool {
    !matches!(
        action,
        Action::WriteFile { .. }
            | Action::RemoveFile { .. }
            | Action::ReloadSystemd
            | Action::ReloadUdev
            | Action::LoadSysctl { .. }
            | Action::UpdateInitramfs
            | Action::AuthorizeKey { .. }
            | Action::Maintenance { .. }
            | Action::Ceph(_)
    )
}

/// A file as a node reports it.
pub fn file(text: &str, mode: u32) -> FileFact {
    FileFact { digest: crate::digest::of(text), mode, uid: 0, gid: 0, text: Some(text.to_owned()) }
}
