//! `ringbolt agent`: the node's end, started over ssh by the controller; not for people.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use ringbolt_agent::{Options, heal, serve};

/// Arguments of `agent`.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Runs from an upload: put yourself in place first
    #[arg(long)]
    pub(crate) install: bool,
    /// Compute the digest of the running file even when its name tells it
    #[arg(long)]
    pub(crate) verify_self: bool,
    /// Read the Thunderbolt part of sysfs below this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sysfs: Option<PathBuf>,
    /// What to do instead of serving
    #[command(subcommand)]
    pub(crate) deed: Option<AgentDeed>,
}

/// What the agent does besides serving.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentDeed {
    /// Undo the step of the armed checkpoint, if there is one; started by systemd
    Heal {
        /// Files only: the network comes up later, from them
        #[arg(long)]
        boot: bool,
    },
}

/// Serves frames on standard input and output until the other end is done, or does the one deed.
pub(crate) fn run(args: &AgentArgs) -> ExitCode {
    let options = Options {
        sysfs: args.sysfs.clone(),
        verify_self: args.verify_self,
        install: args.install,
        ..Options::default()
    };
    ExitCode::from(match args.deed {
        Some(AgentDeed::Heal { boot }) => heal(&options, boot),
        None => serve(&options),
    })
}
