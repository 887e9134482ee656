//! The rehearsal lab: real Debian nodes in namespaces on one machine, joined by virtual cables.
//!
//! Used by the `ringbolt lab` command and by tests. It hands out an ssh config and a spec and knows nothing of
//! the controller: ringbolt reaches a lab node over ssh, as it would reach a real one. What cannot be real here
//! (Proxmox's own commands, the Thunderbolt hardware) is stood in for and says so.
//!
//! It never puts an address or an interface into the network of the machine it runs on, and it removes only what
//! its own record names.

pub mod access;
pub mod cable;
mod cgroup;
pub mod disk;
pub mod fault;
pub mod hardware;
pub mod image;
pub mod keeper;
mod lab;
pub mod layer;
mod netns;
pub mod node;
pub mod probe;
mod program;
mod proxy;
pub mod prune;
mod rootfs;
#[cfg(test)]
mod sample;
pub mod shape;
mod specfile;
pub mod standin;
pub mod state;
pub mod status;
mod up;

pub use disk::Content;
pub use keeper::keep;
pub use lab::{Lab, LabError, list, open, parent};
pub use probe::{Features, ProbeError};
pub use program::{ProgramError, missing_packages};
pub use proxy::{ProxyError, proxy};
pub use shape::{Shape, shape};
pub use state::{Fault, PveRelease, Transport};
pub use up::{CableWish, NodeWish, Progress, UpRequest, up};
