//! The command line: clap types only, no behaviour.
//!
//! Read by `main`. Each command's own arguments live beside the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command::agent::AgentArgs;
use crate::command::apply::ApplyArgs;
use crate::command::check::CheckArgs;
use crate::command::discover::DiscoverArgs;
use crate::command::drill::DrillArgs;
use crate::command::explain::ExplainArgs;
use crate::command::history::{HistoryArgs, ReplayArgs};
use crate::command::lab::LabArgs;
use crate::command::plan::PlanArgs;
use crate::command::ssh::SshArgs;
use crate::command::verify::VerifyArgs;

/// Proxmox VE nodes and cables to a verified OpenFabric mesh.
#[derive(Debug, Parser)]
#[command(name = "ringbolt", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The spec; without it `ringbolt.toml` here, else that of the one lab that is up
    #[arg(short, long, global = true, value_name = "FILE", env = "RINGBOLT_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Work on this lab
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "config")]
    pub(crate) lab: Option<String>,
    /// An ssh configuration file, as `ssh -F` takes it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ssh_config: Option<PathBuf>,
    /// Only this node; may be given several times
    #[arg(long, global = true, value_name = "NODE")]
    pub(crate) node: Vec<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Say more; twice for every command run on a node
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
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

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check specs, offline; every fault at once
    Check(CheckArgs),
    /// First contact: host keys looked at, our key put on the nodes
    Ssh(SshArgs),
    /// Show nodes, ports and cables as they are
    Discover(DiscoverArgs),
    /// Show what would change, why, with diffs; touches nothing
    Plan(PlanArgs),
    /// Carry the plan out
    Apply(ApplyArgs),
    /// Check every promise on the running cluster
    Verify(VerifyArgs),
    /// Break cables on purpose and measure recovery
    Drill(DrillArgs),
    /// The rehearsal lab: real nodes in namespaces of this machine
    Lab(LabArgs),
    /// List past runs
    History(HistoryArgs),
    /// Show a past run again
    Replay(ReplayArgs),
    /// Explain a code such as RB0103, or a key of the spec
    Explain(ExplainArgs),
    /// Serve a controller on standard input and output
    #[command(hide = true)]
    Agent(AgentArgs),
}
