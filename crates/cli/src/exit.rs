//! How the program ends: one number per kind of outcome, the same for every command.
//!
//! Returned by every command, turned into the process status by `main` only.

/// The exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// A broken invariant of ringbolt itself.
    Bug = 1,
    /// The command line or the spec is not usable, or something is in the way of the plan.
    Usage = 2,
    /// `plan --detect`: the nodes differ from the spec.
    Pending = 3,
    /// A node cannot be reached.
    Unreachable = 4,
    /// An apply failed and was rolled back.
    RolledBack = 5,
    /// An apply failed and was not rolled back.
    Failed = 6,
    /// A promise does not hold.
    NotVerified = 7,
    /// `tune audit` found something harmful or risky, or `tune undo` left something.
    Findings = 8,
    /// Another run has the lock of the cluster, or took it away.
    Held = 9,
    /// A question was answered by no: nothing was done.
    Declined = 10,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
