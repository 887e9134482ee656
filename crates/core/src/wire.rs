//! The frames between controller and agent: JSON objects, one a line, at most 16 MiB, on the
//! agent's standard input and output. Both ends are the same build, so there is one version.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::bench::ask::{Measure, Measured};
use crate::check::{Check, Finding};
use crate::facts::{Facts, Question};
use crate::lock::{Claim, Recalled, Standing};
use crate::name::StepId;
use crate::ping::{Ping, Pinged};

/// Longest frame in bytes, line end included.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// Seconds of silence after which the line is dead. A working agent sends `Alive` at least every
/// five seconds while a request is under way.
pub const SILENCE_SECONDS: u64 = 15;

/// A request from the controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Number chosen by the controller; answers carry it back.
    pub id: u64,
    /// What is asked.
    pub body: Ask,
}

/// What the controller may ask. This is the whole vocabulary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ask {
    /// Report facts.
    Facts {
        /// Which.
        question: Question,
    },
    /// Take the lock of this node for a call of ringbolt, or say that it is still there. Answered at once.
    Hold(Claim),
    /// Let the lock go.
    Release,
    /// What became of these steps of an earlier run, and who has the lock.
    Recall {
        /// The run.
        run: String,
        /// The steps.
        steps: Vec<StepId>,
    },
    /// Carry out an action. Refused unless this line holds the lock of the node.
    Do(Deed),
    /// Re-read facts until all checks hold or patience ends.
    Await {
        /// What must hold.
        checks: Vec<Check>,
        /// What to read for it.
        question: Question,
        /// Milliseconds to keep trying; 0 looks once.
        patience_ms: u64,
    },
    /// Tell the time; answered at once.
    Clock,
    /// Send echo requests and report each reply.
    Ping(Ping),
    /// Measure something with one of the field's tools.
    Measure(Measure),
    /// Arm, confirm or undo a checkpoint.
    Checkpoint(crate::checkpoint::Order),
    /// Stop a request under way; it answers with what it has.
    Cancel {
        /// Id of that request.
        request: u64,
    },
    /// End the agent.
    Bye,
}

/// An action with what protects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Run it belongs to; names the folder undo copies are kept in.
    pub run: String,
    /// Id of the step.
    pub step: StepId,
    /// The deed.
    pub action: Action,
    /// For file actions: SHA-256 of the content that must still be there, empty for "no file";
    /// `None`: whatever is there.
    pub expect: Option<String>,
}

/// An answer from the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Id of the request; 0 for the greeting.
    pub id: u64,
    /// What is said.
    pub body: Say,
}

/// What the agent may say. Every request ends with exactly one of the bodies that are not
/// `Alive` or `Progress`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Say {
    /// First frame, unasked.
    Hello(Hello),
    /// Facts.
    Facts(Box<Facts>),
    /// The outcome of `Hold`.
    Standing(Box<Standing>),
    /// The outcome of `Recall`.
    Recalled(Recalled),
    /// The action is done.
    Done {
        /// A word for the log, e.g. what a tool printed last; may be empty.
        note: String,
    },
    /// The outcome of `Await`.
    Looked {
        /// One finding per check, in order.
        findings: Vec<Finding>,
    },
    /// The outcome of `Clock`.
    Clock {
        /// Microseconds since the epoch.
        micros: i64,
    },
    /// The outcome of `Ping`.
    Pinged(Pinged),
    /// The outcome of `Measure`.
    Measured(Box<Measured>),
    /// It could not be done.
    Failed(Failure),
    /// Still at work.
    Alive,
    /// Something worth showing while at work.
    Progress {
        /// In words.
        text: String,
    },
}

/// The agent's greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the build; both ends must be the same.
    pub version: String,
    /// SHA-256 of the agent's executable in hex.
    pub build: String,
    /// `uname -m`.
    pub arch: String,
}

/// An error that crosses the wire. Behaviour follows `kind`, never the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What may be done about it by the program.
    pub kind: FailureKind,
    /// What went wrong, outermost first, causes joined by `: `.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// For a file that is not what the plan saw: the difference, as a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What a failure means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// May work if tried again.
    Transient,
    /// The precondition is gone: look again and plan anew.
    Refused,
    /// A tool said no: this branch stops.
    Broken,
    /// No answer: the node's condition is unknown.
    Lost,
    /// The run does not hold the cluster's lock here: it begins nothing more, anywhere.
    Ousted,
}

impl Failure {
    /// A tool or the system said no.
    pub fn broken(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Broken, message: message.into(), hint: None, diff: None }
    }

    /// What was there when the plan was made is there no more.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused, ..Self::broken(message) }
    }

    /// The line to the node is gone.
    pub fn lost(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Lost, ..Self::broken(message) }
    }

    /// The run does not hold the cluster's lock.
    pub fn ousted(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Ousted, ..Self::broken(message) }
    }

    /// The same, with what a person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
