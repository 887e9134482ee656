//! A run as it happens: what several nodes do in one line when the last of them is done, below it what
//! every node is at just now.
//!
//! Reads events; decides nothing. Colour and moving parts only on a terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringbolt_control::apply::Sink;
use ringbolt_core::event::{Event, Guard, What};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::StepId;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::Step;
use ringbolt_core::wire::Failure;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use crate::render::plan::paint;
use crate::render::text::hang;
use crate::render::{Style, indent};

mod board;

use board::{Board, Line};

/// More lines than this are not kept moving.
const LINES: usize = 12;

/// The screen of one run.
pub(crate) struct Progress {
    steps: BTreeMap<StepId, Step>,
    board: Board,
    /// What steps under way found out, to be shown when they are done.
    found: BTreeMap<String, String>,
    bars: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
    moving: bool,
    quiet: bool,
    json: bool,
    style: Style,
    /// Held, not read.
    _echo: Option<NoEcho>,
}

impl Progress {
    /// A screen for a plan.
    pub(crate) fn new(plan: &Plan, moving: bool, quiet: bool, json: bool, style: Style) -> Self {
        let moving = moving && !json && !quiet;
        let target =
            if moving { ProgressDrawTarget::stderr_with_hz(12) } else { ProgressDrawTarget::hidden() };
        Self {
            steps: plan.steps.iter().map(|s| (s.id.clone(), s.clone())).into_map(),
            board: Board::new(plan),
            found: BTreeMap::new(),
            bars: MultiProgress::with_draw_target(target),
            lines: BTreeMap::new(),
            moving,
            quiet,
            json,
            style,
            _echo: if moving { NoEcho::begin() } else { None },
        }
    }

    /// Nothing more will come: what waits to be shown is shown, what moves is taken away.
    pub(crate) fn end(&mut self) {
        self.flush();
        for (_, bar) in std::mem::take(&mut self.lines) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        self._echo = None;
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.say_aloud(text);
        }
    }

    /// The same, also where only what went wrong is said.
    fn say_aloud(&self, text: &str) {
        if self.json {
            return;
        }
        for line in text.lines() {
            if self.moving {
                let _ = self.bars.println(line);
            } else {
                print_line(line);
            }
        }
    }

    fn flush(&mut self) {
        for line in self.board.rest() {
            self.show_done(&line);
        }
    }

    fn line(&mut self, node: &str) -> Option<&ProgressBar> {
        if !self.lines.contains_key(node) {
            if !self.moving || self.lines.len() >= LINES {
                return None;
            }
            let bar = self.bars.add(ProgressBar::new_spinner());
            let template = format!("  {{spinner}} {{prefix:{}}}  {{msg}}", self.board.longest_name());
            if let Ok(style) = ProgressStyle::with_template(&template) {
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
        let words = text.map_or(title.to_string(), |t| format!("{title}: {t}"));
        // The last columns stay free: a `^C` there would move the lines.
        let room = self.style.width.saturating_sub(self.board.longest_name() + 12);
        let words: String = words.replace('\n', " ").chars().take(room).collect();
        if let Some(bar) = self.line(node.as_str()) {
            bar.set_message(words);
        }
    }

    /// The node of a step is at nothing; with more nodes than lines, another one gets its line.
    fn idle(&mut self, step: &str) {
        let Some(node) = self.steps.get(step).and_then(|s| s.node.as_ref()) else { return };
        if self.board.nodes() <= LINES {
            if let Some(bar) = self.lines.get(node.as_str()) {
                bar.set_message(if self.board.is_through(node.as_str()) { "done" } else { "waits" });
            }
        } else if let Some(bar) = self.lines.remove(node.as_str()) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }

    fn done(&mut self, step: &str, took_ms: u64) {
        let line = self.board.done(step, took_ms);
        self.idle(step);
        if let Some(line) = line {
            self.show_done(&line);
        }
        self.found(step);
    }

    /// What a step found out about a disk is shown below its line.
    fn found(&mut self, step: &str) {
        if let Some(text) = self.found.remove(step) {
            self.say(&hang("      ", &self.style.dim(&text), self.style.width));
        }
    }

    fn show_done(&self, line: &Line) {
        let seconds = Duration::from_millis(line.slowest_ms).as_secs_f64();
        // What took no time needs no figure.
        let took = if seconds < 0.05 { String::new() } else { self.style.dim(&format!("  {seconds:.1} s")) };
        let width = self.board.longest_list();
        let head = format!("  {} {:width$}  ", self.style.green("✓"), line.nodes);
        self.say(&hang(&head, &format!("{}{took}", line.title), self.style.width));
    }

    fn failed(&mut self, step: &str, failure: &Failure) {
        // What came before is shown before.
        self.flush();
        self.board.dropped(step);
        self.idle(step);
        let Some(step) = self.steps.get(step) else { return };
        let node = step.node.as_ref().map_or("", |n| n.as_str());
        let width = self.board.longest_list();
        let head = format!("  {} {node:width$}  ", self.style.red("✗"));
        let mut text = hang(&head, &step.title, self.style.width);
        text += &hang("      ", &failure.message, self.style.width);
        if let Some(diff) = &failure.diff {
            text += &indent(&paint(diff, self.style), "      ");
        }
        if let Some(hint) = &failure.hint {
            text += &hang(
                &format!("      {} ", self.style.bold("hint:")),
                &self.style.paste(hint),
                self.style.width,
            );
        }
        self.say_aloud(&text);
    }

    /// What a node undid by itself is told, armed and confirmed only where lines move.
    fn checkpoint(&mut self, step: &str, node: &str, is: Guard, text: &str) {
        match is {
            Guard::Armed => self.at(step, Some("checkpoint armed")),
            Guard::Confirmed => self.at(step, Some("confirmed")),
            Guard::Fired | Guard::Silent => {
                self.flush();
                let sign = if is == Guard::Fired { self.style.yellow("↩") } else { self.style.red("?") };
                let width = self.board.longest_list();
                let said =
                    if is == Guard::Fired { "by itself: " } else { "is not known to have gone back: " };
                let head = format!("  {sign} {node:width$}  ");
                self.say_aloud(&hang(&head, &format!("{said}{text}"), self.style.width));
            }
        }
    }

    fn show(&mut self, event: &Event) {
        match &event.what {
            What::StepStarted { step, .. } => self.at(step, None),
            What::StepProgress { step, text } => {
                if text.starts_with(ringbolt_core::bind::disks::SYNCED) {
                    self.found.insert(step.to_string(), text.clone());
                }
                self.at(step, Some(text));
            }
            What::StepProving { step } => self.at(step, Some("proving")),
            What::StepDone { step, took_ms } => self.done(step, *took_ms),
            What::StepFailed { step, failure } => self.failed(step, failure),
            What::StepSkipped { step } => {
                if let Some(line) = self.board.dropped(step) {
                    self.show_done(&line);
                }
            }
            What::Checkpoint { step, node, is, text } => self.checkpoint(step, node.as_str(), *is, text),
            What::Stopping => {
                self.flush();
                let text = "stopping: steps under way are finished, no new ones begun (again: at once)";
                self.say(&hang("  ", &self.style.yellow(text), self.style.width));
            }
            What::RunFinished { .. } => self.end(),
            What::RunStarted { .. } => {}
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

/// The terminal shows no `^C` while lines move: the cursor stands at its edge, and two more characters push the
/// lines down by one. Dropped, it is as before.
struct NoEcho(Termios);

impl NoEcho {
    /// Nothing in the background: a terminal stops whoever touches it from there.
    fn begin() -> Option<Self> {
        let stdin = std::io::stdin();
        if tcgetpgrp(&stdin).ok()? != rustix::process::getpgrp() {
            return None;
        }
        let was = tcgetattr(&stdin).ok()?;
        let mut now = was.clone();
        now.local_modes.remove(LocalModes::ECHOCTL);
        tcsetattr(&stdin, OptionalActions::Now, &now).ok()?;
        Some(Self(was))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Standard output is the run's own stream of lines; nobody is left to tell when it is gone.
fn print_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
