//! Something about nodes that a person must know or settle first: with its code, what was seen, and the cure.
//!
//! For what is wrong in the spec's text see `diagnostic`.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::name::NodeName;

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
