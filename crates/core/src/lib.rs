//! What a ringbolt cluster is and should be, and what to do about the difference.
//!
//! Everything here is a pure function over plain data: no files, processes, sockets, clocks or
//! randomness. `crates/core/clippy.toml` bans them. The flow is
//! spec → topology → desired → plan; facts enter from the nodes, events leave for the screens.

pub mod action;
pub mod address;
pub mod arrange;
pub mod bench;
pub mod bind;
pub mod check;
pub mod checkpoint;
mod course;
pub mod desired;
pub mod diagnostic;
pub mod digest;
pub mod drill;
pub mod event;
pub mod explain;
pub mod facts;
pub mod into_map;
pub mod into_set;
pub mod json;
pub mod lock;
pub mod measure;
pub mod name;
pub mod obstacle;
pub mod paths;
pub mod ping;
pub mod plan;
pub mod resource;
pub mod roll;
#[cfg(feature = "sim")]
pub mod sim;
pub mod spec;
pub mod step;
pub mod survey;
pub mod topology;
pub mod tune;
pub mod verify;
pub mod wire;
pub mod wish;
