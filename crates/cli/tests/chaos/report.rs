//! What is told on the way and at the end, and what is kept for a look afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::target::{KINDS, Kind, Target};

/// Counts of the whole run.
pub(crate) struct Report {
    seed: u64,
    folder: PathBuf,
    began: Instant,
    pub(crate) rounds: usize,
    struck: BTreeMap<Kind, usize>,
    stumbles: usize,
    stranded: usize,
    converged: usize,
    differing: BTreeSet<String>,
}

impl Report {
    pub(crate) fn new(seed: u64, folder: &Path) -> Self {
        Self {
            seed,
            folder: folder.to_owned(),
            began: Instant::now(),
            rounds: 0,
            struck: BTreeMap::new(),
            stumbles: 0,
            stranded: 0,
            converged: 0,
            differing: BTreeSet::new(),
        }
    }

    pub(crate) fn kills(&self) -> usize {
        self.struck.values().sum()
    }

    /// Whether all is as it should be.
    pub(crate) fn good(&self) -> bool {
        self.stranded == 0 && self.differing.is_empty() && self.stumbles == 0
    }

    /// A blow as it is told.
    pub(crate) fn label(&self, target: &Target, key: &str) -> String {
        format!("round {}, {}, {key}, {:?}", self.rounds, target.kind, target.moment)
    }

    pub(crate) fn struck(&mut self, kind: Kind, at: &str, note: &str) {
        *self.struck.entry(kind).or_default() += 1;
        eprintln!("{:>4}  {at}: {note}", self.kills());
    }

    pub(crate) fn note(&self, at: &str, what: &str) {
        eprintln!("   -  {at}: {what}");
    }

    /// An apply that was not struck and failed: the next one must do, but it should not have come to that.
    pub(crate) fn stumbled(&mut self, at: &str, status: i32, said: &str) {
        self.stumbles += 1;
        self.keep(&format!("stumble-{}.txt", self.stumbles), &format!("{at}\n\n{said}"));
        eprintln!("STUMBLED  {at}: apply ended with {status}: {}", last(said));
    }

    pub(crate) fn stranded(&mut self, at: &str, why: &str) {
        self.stranded += 1;
        self.keep(&format!("stranded-{}.txt", self.stranded), &format!("{at}\n\n{why}"));
        eprintln!("STRANDED  {at}: {}", last(why));
    }

    /// The end of a round, compared.
    pub(crate) fn differing(&mut self, at: &str, found: &[(String, String)]) {
        self.converged += 1;
        eprintln!(
            "      {at}: {} as without disturbance, {} s",
            if found.is_empty() { "all" } else { "not" },
            self.began.elapsed().as_secs()
        );
        for (name, diff) in found {
            self.differing.insert(format!("{at}: {name}"));
            eprintln!("DIFFERS  {at}: {name}\n{diff}");
        }
        if !found.is_empty() {
            let text: String = found.iter().map(|(name, diff)| format!("{name}\n{diff}\n")).collect();
            self.keep(&format!("differing-{}.txt", self.rounds), &text);
        }
    }

    fn keep(&self, name: &str, text: &str) {
        let _ = std::fs::create_dir_all(&self.folder);
        let _ = std::fs::write(self.folder.join(name), text);
    }

    /// The table at the end.
    pub(crate) fn table(&self, covered: usize, boundaries: usize) -> String {
        let mut text = String::new();
        let mut row = |what: &str, value: String| {
            let _ = writeln!(text, "{what:<34} {value:>8}");
        };
        row("seed", self.seed.to_string());
        row("kills", self.kills().to_string());
        for kind in KINDS {
            row(&format!("  {kind}"), self.struck.get(&kind).copied().unwrap_or(0).to_string());
        }
        row("boundaries of steps struck", format!("{covered}/{boundaries}"));
        row("rounds from fresh nodes", self.rounds.to_string());
        row("  converged", self.converged.to_string());
        row("  stranded", self.stranded.to_string());
        row("applies that failed unharmed", self.stumbles.to_string());
        row("differing files and states", self.differing.len().to_string());
        row("seconds", self.began.elapsed().as_secs().to_string());
        text
    }
}

/// The lines a person would look at first.
fn last(said: &str) -> String {
    let telling: Vec<&str> =
        said.lines().filter(|l| ["error", "✗", "failed", "RB05"].iter().any(|w| l.contains(w))).collect();
    let lines = if telling.is_empty() { said.lines().rev().take(2).collect() } else { telling };
    lines.into_iter().take(4).map(str::trim).collect::<Vec<_>>().join(" | ")
}
