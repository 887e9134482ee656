//! One file per command; each has its `…Args` and a `run` that writes to `out` and says how it ended.

pub(crate) mod agent;
pub(crate) mod apply;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod discover;
pub(crate) mod drill;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod lab;
pub(crate) mod plan;
pub(crate) mod roll;
pub(crate) mod rollback;
pub(crate) mod sim;
pub(crate) mod ssh;
pub(crate) mod tune;
pub(crate) mod verify;
