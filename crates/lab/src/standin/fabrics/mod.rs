//! The fabric configuration as Proxmox keeps it: `fabrics.cfg`, its checks and
//! the texts generated from it.
//!
//! Used by the stand-in's handlers and by its tests. Nothing here touches a
//! file; nothing is shared with ringbolt's own reader of the same format.

pub mod check;
pub mod frr;
pub mod frr_local;
pub mod interfaces;
pub mod json;
pub mod model;
pub mod pending;
pub mod port;
pub mod section;

pub use model::{Config, Fabric, Node, Protocol};

/// Why a fabric configuration is refused, in the words Proxmox uses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FabricError {
    /// The text of `fabrics.cfg` does not parse.
    #[error("parsing \"fabrics.cfg\" failed: line {line} - {what}")]
    Parse {
        /// Line number, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// A rule over the whole configuration is broken.
    #[error("{0}")]
    Rule(String),
}

impl FabricError {
    pub(crate) fn rule(text: impl Into<String>) -> Self {
        Self::Rule(text.into())
    }
}
