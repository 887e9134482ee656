//! One file per command; each has its `…Args` and a `run` that writes to `out` and says how it ended.

pub(crate) mod check;
pub(crate) mod explain;
