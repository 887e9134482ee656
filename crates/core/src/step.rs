//! One step of a plan: a deed with a reason, a precondition, an undo, a proof and a risk.
//!
//! Resources make steps, the planner puts them in order, the run on the controller carries them out. Plain data.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::check::Check;
use crate::checkpoint::Checkpoint;
use crate::name::{NodeName, StepId};

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
