//! Touches one node: reads facts, carries out actions, keeps what undoes them.
//!
//! Started by `ringbolt agent` on the node, at the far end of ssh. It holds no plan and knows no
//! other node; it does what it is asked, one action at a time, and refuses what it does not know.

mod act;
mod bench;
mod beside;
mod checkpoint;
mod disk;
mod exec;
mod frame;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod install;
mod lock;
mod log;
mod look;
mod orphans;
mod owed;
mod ping;
mod read;
mod root;
mod serve;
mod stop;
mod undo;

pub use serve::{Options, heal, serve};
