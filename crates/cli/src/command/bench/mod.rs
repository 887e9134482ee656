//! `ringbolt bench`: honest measurements, stored, compared with earlier ones and with what guides promise.
//!
//! One file per subcommand. What they share is here: tools that are missing, machines, keeping the result.

mod ceph;
mod mesh;
mod report;

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringbolt_control::bench::machines;
use ringbolt_control::hold::Hold;
use ringbolt_control::run::RunLock;
use ringbolt_core::action::Action;
use ringbolt_core::bench::Run;
use ringbolt_core::bench::compare::{Comparison, Target, compare, previous, targets};
use ringbolt_core::bench::machine::Machine;
use ringbolt_core::bench::verdict::{Level, lacking};
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Ask, Deed, Failure};
use serde::Serialize;

use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::render::Style;
use crate::session::{Session, Trouble};

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[command(subcommand)]
    pub(crate) what: What,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Every link: round trips, packets of every size, throughput in both directions
    Mesh(mesh::MeshArgs),
    /// A pool of Ceph: `rados bench`, and `fio` on an image of its own; both are removed again
    ///
    /// At a time 1 GiB at most is kept in the pool, and no more than 5 % of what is free; in all it writes 14 times
    /// that at most, each byte in as many copies as the pool keeps. Both figures are shown before it begins.
    Ceph(ceph::CephArgs),
    /// One page of HTML with all kept benchmarks, their plots and what changed from run to run
    Report(report::ReportArgs),
}

/// Measures, or shows what was measured.
pub(crate) fn run(
    args: &BenchArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    match &args.what {
        What::Mesh(args) => mesh::run(args, global, out, style),
        What::Report(args) => report::run(args, global, out, style),
        What::Ceph(args) => ceph::run(args, global, out, style),
    }
}

/// A result with what it is compared with, as `--json` gives it.
#[derive(Serialize)]
struct Report<'a> {
    run: &'a Run,
    comparison: Option<Comparison>,
    targets: Vec<Target>,
}

impl<'a> Report<'a> {
    fn new(run: &'a Run, earlier: &[Run]) -> Self {
        let comparison = previous(run, earlier).map(|before| compare(run, before));
        Self { run, comparison, targets: targets(run) }
    }
}

/// Nobody else may apply or measure meanwhile.
async fn lock(session: &Session, wish: Wish) -> Result<(Hold, Option<RunLock>), Trouble> {
    let here = hold::here(session, wish)?;
    Ok((hold::hold(session, wish, None).await?, here))
}

/// What the nodes are, with these tools on each of them; missing ones are installed when that is wanted.
async fn equipped(
    session: &Session,
    interfaces: &BTreeMap<NodeName, Vec<String>>,
    tools: &[&str],
    install: bool,
) -> Result<BTreeMap<NodeName, Machine>, Trouble> {
    let found = looked_at(session, interfaces).await?;
    let mut missing: BTreeMap<NodeName, Vec<String>> = BTreeMap::new();
    for tool in tools {
        for node in lacking(&found, tool) {
            missing.entry(node.clone()).or_default().push((*tool).to_owned());
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let list: Vec<String> =
        missing.iter().map(|(node, tools)| format!("{} on {node}", tools.join(" and "))).collect();
    match install.then_some(true).or_else(|| agreed(&format!("install {}?", list.join(", ")))) {
        Some(true) => {}
        Some(false) => return Err(Trouble::declined()),
        None => {
            return Err(Trouble::usage(
                format!("RB0901: not installed: {}", list.join(", ")),
                "`--install` installs it from the nodes' own package sources",
            ));
        }
    }
    put_on(session, missing).await?;
    looked_at(session, interfaces).await
}

async fn looked_at(
    session: &Session,
    interfaces: &BTreeMap<NodeName, Vec<String>>,
) -> Result<BTreeMap<NodeName, Machine>, Trouble> {
    let (found, silent) = machines(&session.fleet, interfaces).await;
    match silent.into_iter().next() {
        None => Ok(found),
        Some((node, failure)) => Err(failed(&node, failure, Exit::Unreachable)),
    }
}

fn failed(node: &NodeName, failure: Failure, exit: Exit) -> Trouble {
    Trouble { message: format!("{node}: {}", failure.message), hint: failure.hint, exit }
}

async fn put_on(session: &Session, missing: BTreeMap<NodeName, Vec<String>>) -> Result<(), Trouble> {
    let mut under_way = Vec::new();
    for (node, names) in missing {
        let deed = Deed {
            run: "bench".into(),
            step: format!("{node}/packages").into(),
            action: Action::InstallPackages { names },
            expect: None,
        };
        under_way.push((session.fleet.start(&node, Ask::Do(deed)), node));
    }
    for (pending, node) in under_way {
        let answer = match pending {
            Ok(mut pending) => pending.wait(|_| ()).await,
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| failed(&node, failure, Exit::Failed))?;
    }
    Ok(())
}

/// Asks a person; `None` where there is nobody to ask.
fn agreed(question: &str) -> Option<bool> {
    let mut err = std::io::stderr();
    if !(std::io::stdin().is_terminal() && err.is_terminal()) {
        return None;
    }
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    Some(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"))
}

/// One line on the terminal that says what is measured just now.
struct Doing(ProgressBar);

impl Doing {
    fn new(shown: bool) -> Self {
        let moving = shown && std::io::stderr().is_terminal();
        let target =
            if moving { ProgressDrawTarget::stderr_with_hz(12) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {bar:16} {msg}") {
            bar.set_style(style.progress_chars("━━─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    fn at(&self, done: usize, total: usize, words: &str) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        self.0.set_message(words.to_owned());
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Keeps a result among the runs; where.
fn kept(session: &Session, run: &mut Run) -> Result<std::path::PathBuf, Trouble> {
    session.runs.keep_bench(run).map_err(|e| Trouble {
        message: e.to_string(),
        hint: Some("the result could not be kept".into()),
        exit: Exit::Bug,
    })
}

/// How the program ends after a benchmark: faults are no success, findings only where that is asked for.
fn ending(run: &Run, strict: bool) -> Exit {
    match run.worst() {
        Level::Fault => Exit::NotVerified,
        Level::Finding if strict => Exit::NotVerified,
        _ => Exit::Done,
    }
}
