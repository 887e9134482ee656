//! Options of every command: clap types only.
//!
//! Read by `main`, the session and the commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The heading of these options in every help.
const EVERYWHERE: &str = "Everywhere";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The spec; without it `ringbolt.toml` here, else that of the one lab that is up
    #[arg(short, long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "RINGBOLT_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Work on this lab, by its own spec
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "NAME")]
    pub(crate) lab: Option<String>,
    /// An ssh configuration file, as `ssh -F` takes it
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub(crate) ssh_config: Option<PathBuf>,
    /// Only this node; may be given several times
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "NODE")]
    pub(crate) node: Vec<String>,
    /// When to use colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN", value_enum, default_value_t = When::Auto, hide_possible_values = true)]
    pub(crate) color: When,
    /// Say more; twice for every command run on a node
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what went wrong or needs a decision; the exit status tells the rest
    #[arg(short, long, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
