//! Reaches many nodes: lines to agents, the loop that carries a plan out, the folder a run leaves behind.
//!
//! Used by the command line. It decides nothing about the cluster: what is to be done comes as a plan from
//! `ringbolt-core`, what happens leaves as events.

pub mod apply;
pub mod bench;
mod clock;
pub mod drill;
pub mod fleet;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod hold;
mod look;
mod nonce;
mod question;
pub mod run;
pub mod setup;
pub mod stop;
pub mod transport;
pub mod verify;

pub use fleet::{Fleet, Missing, Survey};
pub use look::{clocks, conditions, look, look_by};
pub use question::question_for;
pub use transport::{ConnectError, SshOptions};

#[cfg(test)]
mod fixture;
