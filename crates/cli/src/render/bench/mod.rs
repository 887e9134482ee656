//! The outcome of `bench` as tables with small plots, what it is compared with, and the verdict.

mod ceph;
mod mesh;
mod page;

pub(crate) use page::page;

use ringbolt_core::bench::compare::{Change, Comparison, Sense, Target};
use ringbolt_core::bench::verdict::{Level, Verdict};
use ringbolt_core::bench::{Effect, Run, What};

use super::Style;
use super::table::Table;
use super::text::hang;
use super::topology::Charset;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Colour and width.
    pub(crate) style: Style,
    /// Which characters plots are made of.
    pub(crate) charset: Charset,
}

impl Screen {
    /// A run beside an earlier one and beside the guide.
    pub(crate) fn beside(self, comparison: Option<&Comparison>, targets: &[Target]) -> String {
        let mut text = String::new();
        match comparison {
            None => text += "earlier   no run of the same shape yet\n",
            Some(comparison) => text += &self.comparison(comparison),
        }
        let mut told = "";
        for (n, target) in targets.iter().enumerate() {
            let head = if n == 0 { "promised  " } else { "          " };
            // What holds for several is told once.
            let terms = if target.terms == told { "" } else { target.terms.as_str() };
            told = &target.terms;
            text += &hang(head, &self.target(target, terms), self.style.width);
        }
        text
    }

    fn target(self, target: &Target, terms: &str) -> String {
        let word = match target.kept {
            Some(true) => self.style.green("kept"),
            Some(false) => self.style.yellow("missed"),
            None => self.style.dim("not comparable"),
        };
        let terms = if terms.is_empty() { String::new() } else { self.style.dim(&format!(" ({terms})")) };
        let Target { name, measured, promise, .. } = target;
        format!("{name}: {measured}; promised: {promise}: {word}{terms}")
    }

    fn comparison(self, comparison: &Comparison) -> String {
        let head = "earlier   ";
        let with = format!("{} of {}", comparison.with, at(&comparison.began));
        if !comparison.differences.is_empty() {
            let why = comparison.differences.join("; ");
            return hang(head, &format!("not on equal terms with {with}: {why}"), self.style.width);
        }
        let moved: Vec<&Change> = comparison.changes.iter().filter(|c| c.sense != Sense::Same).collect();
        if moved.is_empty() {
            let count = comparison.changes.len();
            return hang(
                head,
                &format!("{count} figures as in {with}, within what they scatter"),
                self.style.width,
            );
        }
        let same = comparison.changes.len() - moved.len();
        let mut text = hang(head, &format!("beside {with}; {same} figures are the same:"), self.style.width);
        let mut table = Table::new(&["", "then", "now", "", ""]);
        for change in moved {
            let percent = (change.ratio - 1.0) * 100.0;
            let word = if change.sense == Sense::Better {
                self.style.green("better")
            } else {
                self.style.red("worse")
            };
            table.row(vec![
                change.name.clone(),
                number(change.before),
                format!("{} {}", number(change.now), change.unit),
                format!("{percent:+.0} %"),
                word,
            ]);
        }
        text += &table.inset(10, self.style.width, &[]);
        text
    }

    /// Circumstances, judgements, and the whole in a line.
    pub(crate) fn closing(self, run: &Run) -> String {
        let style = self.style;
        let mut text = String::new();
        for mark in &run.marks {
            let word = match mark.effect {
                Effect::Note => style.dim("note"),
                effect => style.yellow(effect.word()),
            };
            text += &hang(&format!("{word}: "), &mark.text, style.width);
        }
        let bad: Vec<&Verdict> = run.verdicts.iter().filter(|v| v.level != Level::Good).collect();
        for verdict in &bad {
            let code = verdict.code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default();
            let head = format!("{} {}: ", self.level(verdict.level), verdict.about);
            text += &hang(&head, &format!("{}{code}", verdict.text), style.width);
            if !verdict.cure.is_empty() {
                text += &hang("         ", &verdict.cure, style.width);
            }
        }
        text += &hang(&format!("{} ", self.verdict(run)), &summary(run, bad.len()), style.width);
        text
    }

    fn level(self, level: Level) -> String {
        match level {
            Level::Good => self.style.green("good"),
            Level::Note => self.style.dim("note"),
            Level::Finding => self.style.yellow("finding"),
            Level::Fault => self.style.red("fault"),
        }
    }

    fn verdict(self, run: &Run) -> String {
        let (style, word) = (self.style, verdict_word(run));
        match run.worst() {
            Level::Fault => style.red(word),
            Level::Finding => style.yellow(word),
            _ if is_void(run) => style.bold(word),
            _ => style.green(word),
        }
    }
}

/// The first of these tables that fits, by the columns there are for plots over time; else the last.
fn fitting(width: usize, columns: &[usize], make: impl Fn(usize) -> Table) -> String {
    let fit = |columns: &&usize| make(**columns).fits(width);
    let chosen = columns.iter().find(fit).or(columns.last());
    chosen.map(|columns| make(*columns).within(width, &[])).unwrap_or_default()
}

/// Whether its figures prove nothing about hardware.
fn is_void(run: &Run) -> bool {
    run.marks.iter().any(|m| m.effect == Effect::Void)
}

/// The first word of the whole.
fn verdict_word(run: &Run) -> &'static str {
    match run.worst() {
        Level::Fault => "broken:",
        Level::Finding => "slower than it should be:",
        _ if is_void(run) => "measured:",
        _ => "good:",
    }
}

fn summary(run: &Run, bad: usize) -> String {
    let took = format!("in {:.0} s", run.took);
    let void = is_void(run);
    let what = match &run.what {
        What::Mesh { links, .. } => mesh::summary(links),
        What::Ceph { setup, result } => ceph::summary(setup, result),
    };
    match (bad, void) {
        (0, true) => format!("{what}, {took}; the tools work and nothing went wrong, no more is proven here"),
        (0, false) => format!("{what}, {took}"),
        (n, _) => format!("{what}, {took}; {n} to look at"),
    }
}

/// A figure with as many digits as it is worth.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A time of the journal by this machine's clock.
fn at(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(
        |_| time.to_owned(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
