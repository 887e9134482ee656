//! What to do: a graph of small steps, each with a reason, a precondition, an undo, a proof and a
//! risk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::check::Check;
use crate::checkpoint::Checkpoint;
use crate::name::NodeName;

mod build;
mod ceph;
mod cluster;
mod lint;
mod narrow;
mod order;
mod preflight;
mod undo;

pub use build::{Policy, plan};
pub(crate) use build::{goal_checks, tidy};
pub(crate) use cluster::speaker;
pub use lint::lint;
pub(crate) use order::wall_after;
pub use preflight::preflight;
pub use undo::{Past, undo};

/// Content-built name of a step: `n2/file:/etc/frr/daemons`, `gate:ports`.
pub type StepId = Arc<str>;

/// What to do, what is already right, and what stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Steps in an order that respects `after`: running them one by one from the top works.
    pub steps: Vec<Step>,
    /// How many resources are as they should be already.
    pub satisfied: u32,
    /// What cannot be planned before these steps are done; non-empty means another plan follows.
    #[serde(default)]
    pub waiting: Vec<String>,
    /// What keeps the plan from being carried out; non-empty means nothing will be done.
    pub obstacles: Vec<Obstacle>,
    /// What a person should know, without being in the way.
    pub notes: Vec<Obstacle>,
}

/// One step. Rarely used and large parts are boxed: a plan for thousands of nodes has hundreds of thousands of steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// Part of the run it belongs to.
    pub phase: Phase,
    /// Where it happens; `None` for a gate.
    pub node: Option<NodeName>,
    /// What it does, for people: `install frr, frr-pythontools`.
    pub title: Cow<'static, str>,
    /// Why, for people.
    pub why: Cow<'static, str>,
    /// The deed; a gate has none and only waits for what it comes after.
    pub action: Option<Action>,
    /// Digest of what must still be there (see `wire::Deed::expect`).
    pub expect: Option<String>,
    /// How to take it back.
    pub undo: Undo,
    /// What must hold afterwards, and on which node.
    pub proof: Vec<(NodeName, Check)>,
    /// Seconds to wait for the proof.
    pub patience: u32,
    /// How dangerous it is.
    pub risk: Risk,
    /// Steps that must be done before: sorted, each once.
    pub after: Vec<StepId>,
    /// The change of a file, for the plan's diff.
    pub change: Option<Box<FileChange>>,
    /// What is interrupted and for how long, in words; empty when nothing is.
    pub interrupts: Cow<'static, str>,
    /// What goes back by itself when nobody confirms the step; `None` where it cannot cut anything off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Box<Checkpoint>>,
}

/// The parts of a run, in order. `apply --only PHASE` runs up to and including nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Packages, modules, files, units: nothing that carries traffic changes.
    Prepare,
    /// Ports get their names, MTU and stanzas.
    Ports,
    /// The fabric itself.
    Fabric,
    /// Waiting until every node reaches every other.
    Converge,
    /// Ceph: packages, monitors, managers, OSDs, pools, storage, settings.
    Ceph,
    /// Nodes taken out of service one at a time: reboots, maintenance. No part of an apply.
    Maintain,
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Nothing to take back.
    None,
    /// The agent puts back what it kept.
    Restore,
    /// This action takes it back.
    Action(Box<Action>),
    /// It cannot be taken back, and why.
    Impossible(String),
}

/// How dangerous a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing in use is touched.
    Safe,
    /// Traffic of the mesh may stop for a moment.
    Disruptive,
    /// Data or configuration of others is lost.
    Destructive,
}

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Absolute path.
    pub path: Arc<str>,
    /// Content now; `None` when absent.
    pub before: Option<String>,
    /// Content afterwards; `None` when it is removed.
    pub after: Option<Arc<str>>,
}

/// Something about nodes that a person must know or settle first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Code for `ringbolt explain`.
    pub code: String,
    /// Which node, if one.
    pub node: Option<NodeName>,
    /// What is so, in one line.
    pub message: String,
    /// What was seen: lines of a file, a diff, a tool's words. May be empty.
    pub evidence: String,
    /// What to do about it.
    pub cure: String,
}

impl Obstacle {
    /// One with all its parts; evidence may be empty.
    pub(crate) fn about(
        code: impl Display,
        node: Option<&NodeName>,
        message: impl Into<String>,
        evidence: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_string(),
            node: node.cloned(),
            message: message.into(),
            evidence: evidence.into(),
            cure: cure.into(),
        }
    }
}

/// The nodes and what they said; a node without facts could not be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Facts by the node's name in the spec.
    pub nodes: BTreeMap<NodeName, crate::facts::Facts>,
}

impl Plan {
    /// Steps that do something; gates and mere waiting are left out.
    pub fn deeds(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.action.is_some())
    }

    /// SHA-256 over the plan: two plans with the same digest are the same plan.
    pub fn digest(&self) -> String {
        crate::digest::of(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Phase {
    /// All phases of an apply, in order.
    pub const ALL: [Self; 5] = [Self::Prepare, Self::Ports, Self::Fabric, Self::Converge, Self::Ceph];

    /// The word in the UI.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Ports => "ports",
            Self::Fabric => "fabric",
            Self::Converge => "converge",
            Self::Ceph => "ceph",
            Self::Maintain => "maintain",
        }
    }
}
