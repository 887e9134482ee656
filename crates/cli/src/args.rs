//! The command line: clap types only, no behaviour.
//!
//! Read by `main`. Each command's own arguments live beside the command.

use clap::{Parser, Subcommand};

use crate::command::agent::AgentArgs;
use crate::command::apply::ApplyArgs;
use crate::command::bench::BenchArgs;
use crate::command::check::CheckArgs;
use crate::command::discover::DiscoverArgs;
use crate::command::drill::DrillArgs;
use crate::command::explain::ExplainArgs;
use crate::command::history::{HistoryArgs, ReplayArgs};
use crate::command::lab::LabArgs;
use crate::command::plan::PlanArgs;
use crate::command::roll::{MaintainArgs, RebootArgs};
use crate::command::rollback::RollbackArgs;
use crate::command::sim::SimArgs;
use crate::command::ssh::SshArgs;
use crate::command::tune::TuneArgs;
use crate::command::verify::VerifyArgs;
use crate::global::Global;

/// Proxmox VE nodes and cables to a verified OpenFabric mesh, and Ceph on it.
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
    /// Break cables, or lose a node of a lab, on purpose and measure recovery
    Drill(DrillArgs),
    /// Every tuning option: a verdict, the reason, the way back
    Tune(TuneArgs),
    /// Measure links and Ceph pools honestly, keep the results, compare them
    Bench(BenchArgs),
    /// The rehearsal lab: real nodes in namespaces of this machine
    Lab(LabArgs),
    /// Rehearse a change on simulated nodes, from captured facts or bare ones
    Sim(SimArgs),
    /// List past runs
    History(HistoryArgs),
    /// Show a past run again
    Replay(ReplayArgs),
    /// Take back what an apply has changed
    Rollback(RollbackArgs),
    /// Reboot nodes, one at a time, each proven before the next
    Reboot(RebootArgs),
    /// Take a node out of service for work on it, or put it back
    Maintain(MaintainArgs),
    /// Explain codes such as RB0103, keys of the spec, words
    Explain(ExplainArgs),
    /// Serve a controller on standard input and output
    #[command(hide = true)]
    Agent(AgentArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Arguments under the wrong heading, of a command and those below it.
    fn misplaced(command: &clap::Command, wrong: &mut Vec<String>) {
        for arg in command.get_arguments() {
            if arg.is_global_set() != (arg.get_help_heading() == Some("Everywhere")) {
                wrong.push(format!("{} {}", command.get_name(), arg.get_id()));
            }
        }
        command.get_subcommands().for_each(|command| misplaced(command, wrong));
    }

    #[test]
    fn options_of_every_command_have_a_heading_of_their_own() {
        let mut command = Cli::command();
        command.build();
        let mut wrong = Vec::new();
        misplaced(&command, &mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
        assert!(command.render_long_help().to_string().contains("\nEverywhere:\n  -c, --config <FILE>"));
    }
}
