//! A run as it happens: each finished step in a line, below it what every node is at just now.
//!
//! Reads events; decides nothing. Colour and moving parts only on a terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringbolt_control::apply::Sink;
use ringbolt_core::event::{Event, Outcome, What};
use ringbolt_core::plan::{Plan, Step};

use crate::render::Style;

/// More lines than this are not kept moving.
const LINES: usize = 12;

/// The screen of one run.
pub(crate) struct Progress {
    steps: BTreeMap<String, Step>,
    bars: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
    moving: bool,
    quiet: bool,
    json: bool,
    style: Style,
}

impl Progress {
    /// A screen for a plan.
    pub(crate) fn new(plan: &Plan, moving: bool, quiet: bool, json: bool, style: Style) -> Self {
        let bars = MultiProgress::with_draw_target(if moving && !json && !quiet {
            ProgressDrawTarget::stderr_with_hz(12)
        } else {
            ProgressDrawTarget::hidden()
        });
        let steps = plan.steps.iter().map(|s| (s.id.clone(), s.clone())).collect();
        Self { steps, bars, lines: BTreeMap::new(), moving: moving && !json, quiet, json, style }
    }

    fn say(&self, line: &str) {
        if self.json || self.quiet {
            return;
        }
        if self.moving {
            let _ = self.bars.println(line);
        } else {
            print_line(line);
        }
    }

    fn line(&mut self, node: &str) -> Option<&ProgressBar> {
        if !self.lines.contains_key(node) {
            if !self.moving || self.lines.len() >= LINES {
                return None;
            }
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix:8} {wide_msg}") {
                bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
            }
            bar.set_prefix(node.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            self.lines.insert(node.to_owned(), bar);
        }
        self.lines.get(node)
    }

    fn at(&mut self, step: &str, text: Option<&str>) {
        let Some(step) = self.steps.get(step) else { return };
        let (Some(node), title) = (step.node.clone(), step.title.clone()) else { return };
        let words = text.map_or(title.clone(), |t| format!("{title}: {t}"));
        if let Some(bar) = self.line(node.as_str()) {
            bar.set_message(words);
        }
    }

    fn done(&mut self, step: &str, took_ms: u64) {
        let Some(step) = self.steps.get(step).cloned() else { return };
        let Some(node) = &step.node else { return };
        if let Some(bar) = self.lines.get(node.as_str()) {
            bar.set_message("");
        }
        let took = self.style.dim(&format!("{:.1} s", took_ms_to_s(took_ms)));
        self.say(&format!("  {} {:8} {}  {took}", self.style.green("✓"), node.as_str(), step.title));
    }

    fn failed(&mut self, step: &str, failure: &ringbolt_core::wire::Failure) {
        let Some(step) = self.steps.get(step).cloned() else { return };
        let node = step.node.as_ref().map_or(String::new(), ToString::to_string);
        self.say(&format!("  {} {node:8} {}", self.style.red("✗"), step.title));
        for line in failure.message.lines() {
            self.say(&format!("             {line}"));
        }
        if let Some(hint) = &failure.hint {
            self.say(&format!("             {} {hint}", self.style.bold("hint:")));
        }
    }

    fn show(&mut self, event: &Event) {
        match &event.what {
            What::StepStarted { step, .. } => self.at(step, None),
            What::StepProgress { step, text } => self.at(step, Some(text)),
            What::StepProving { step } => self.at(step, Some("proving")),
            What::StepDone { step, took_ms } => self.done(step, *took_ms),
            What::StepFailed { step, failure } => self.failed(step, failure),
            What::Stopping => {
                self.say("  stopping: steps under way are finished, no new ones begun (again: at once)")
            }
            What::RunFinished { outcome, done, failed, skipped } => {
                for bar in self.lines.values() {
                    bar.finish_and_clear();
                }
                if *outcome != Outcome::Done {
                    self.say(&format!("  {done} done, {failed} failed, {skipped} not begun"));
                }
            }
            What::RunStarted { .. } | What::StepSkipped { .. } => {}
        }
    }
}

impl Sink for Progress {
    fn record(&mut self, events: &[Event]) -> std::io::Result<()> {
        for event in events {
            if self.json {
                print_line(&serde_json::to_string(event)?);
            }
            self.show(event);
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^52")]
fn took_ms_to_s(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Standard output is the run's own stream of lines; nobody is left to tell when it is gone.
fn print_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
