//! `ringbolt history` and `ringbolt replay RUN`: past runs, from their journals.

use std::io::Write;

use clap::Args;
use ringbolt_control::apply::Sink;
use ringbolt_control::run::{RunRecord, Runs};
use ringbolt_core::event::Outcome;

use crate::exit::Exit;
use crate::global::Global;
use crate::progress::Progress;
use crate::render::table::Table;
use crate::render::text::hang;
use crate::render::{Style, count, write_json};
use crate::session::Trouble;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Write the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Which run: its id, the beginning of it, or its last four characters
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Write its events as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

fn trouble(error: &ringbolt_control::run::RunError) -> Trouble {
    Trouble::usage(error.to_string(), "`ringbolt history` lists the runs")
}

/// Lists past runs, the oldest first.
pub(crate) fn list(args: &HistoryArgs, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
    let records = Runs::own().list().map_err(|e| trouble(&e))?;
    if args.json {
        write_json(out, &records)?;
        return Ok(Exit::Done);
    }
    if records.is_empty() {
        writeln!(out, "no runs yet")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["run", "cluster", "began", "steps", "done", "failed", "took", "outcome"]);
    for run in &records {
        table.row(vec![
            run.id.clone(),
            place(run),
            began(run),
            run.steps.to_string(),
            run.done.to_string(),
            run.failed.to_string(),
            format!("{:.1} s", seconds(run)),
            outcome(run, style),
        ]);
    }
    // The name of a run tells when it began.
    write!(out, "{}", table.within(style.width, &[2, 6, 3]))?;
    Ok(Exit::Done)
}

/// Whose nodes it was about: a lab, or a cluster by its name.
fn place(run: &RunRecord) -> String {
    match &run.lab {
        Some(lab) => format!("lab {lab}"),
        None if run.cluster.is_empty() => "–".to_owned(),
        None => run.cluster.clone(),
    }
}

fn outcome(run: &RunRecord, style: Style) -> String {
    match run.outcome {
        Some(Outcome::Done) => style.green("done"),
        Some(Outcome::Failed) if run.healed => style.yellow("failed, undone"),
        Some(Outcome::Failed) => style.red("failed"),
        Some(Outcome::Stopped) => style.yellow("stopped"),
        None => style.red("broken off"),
    }
}

/// When it began, by this machine's clock and zone.
fn began(run: &RunRecord) -> String {
    run.started.parse::<jiff::Timestamp>().map_or_else(
        |_| "–".to_owned(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

fn seconds(run: &RunRecord) -> f64 {
    std::time::Duration::from_millis(run.took_ms).as_secs_f64()
}

/// Shows a past run again, from its journal.
pub(crate) fn replay(
    args: &ReplayArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let past = Runs::own().load(&args.run).map_err(|e| trouble(&e))?;
    let record = &past.record;
    if !args.json {
        writeln!(out, "run {} on {}, {}\n", style.bold(&record.id), place(record), began(record))?;
        out.flush()?;
    }
    let mut screen = Progress::new(&past.plan, false, global.quiet, args.json, style);
    screen.record(&past.events)?;
    screen.end();
    if !args.json {
        let sum = format!(
            "{} done, {} failed, {} not begun, in {:.1} s",
            count(record.done as usize, "step"),
            record.failed,
            record.skipped,
            seconds(record)
        );
        writeln!(out, "\n{}: {sum}", outcome(record, style))?;
        if !record.in_flight.is_empty() {
            write!(out, "{}", hang("no end is known of: ", &record.in_flight.join(", "), style.width))?;
        }
    }
    Ok(Exit::Done)
}
