//! What happens during a run: the only thing a run produces. The journal, the progress lines and
//! the JSON output are readings of it.

use serde::{Deserialize, Serialize};

use crate::name::{NodeName, StepId};
use crate::wire::Failure;

/// One event, with when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The run begins.
    RunStarted {
        /// Run id.
        run: String,
        /// Digest of the plan.
        plan: String,
        /// Steps in the plan, gates not counted.
        steps: u32,
        /// Wall clock, RFC 3339.
        time: String,
    },
    /// A step begins.
    StepStarted {
        /// Which.
        step: StepId,
        /// Where.
        node: Option<NodeName>,
    },
    /// A tool or the agent says something worth showing.
    StepProgress {
        /// Which.
        step: StepId,
        /// In words.
        text: String,
    },
    /// The deed is done; its proof is awaited.
    StepProving {
        /// Which.
        step: StepId,
    },
    /// Done and proven.
    StepDone {
        /// Which.
        step: StepId,
        /// Milliseconds it took, proof included.
        took_ms: u64,
    },
    /// Failed.
    StepFailed {
        /// Which.
        step: StepId,
        /// Why.
        failure: Failure,
    },
    /// Not begun, because something before it failed or the run was stopped.
    StepSkipped {
        /// Which.
        step: StepId,
    },
    /// The checkpoint of a step, on one node.
    Checkpoint {
        /// Which step.
        step: StepId,
        /// Which node.
        node: NodeName,
        /// Where it is.
        is: Guard,
        /// In words; may be empty.
        text: String,
    },
    /// The user asked to stop; steps under way are finished, no new ones begun.
    Stopping,
    /// The run ends.
    RunFinished {
        /// How.
        outcome: Outcome,
        /// Steps done.
        done: u32,
        /// Steps failed.
        failed: u32,
        /// Steps not begun.
        skipped: u32,
    },
}

/// Where the checkpoint of a step is on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// The node undoes the step by itself unless told otherwise.
    Armed,
    /// Over a new connection the node was told that all is well.
    Confirmed,
    /// The node has undone the step by itself.
    Fired,
    /// Whether it has is not known: it did not answer in time.
    Silent,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything done.
    Done,
    /// Something failed; the rest was finished or not begun.
    Failed,
    /// Stopped by the user between steps.
    Stopped,
}
