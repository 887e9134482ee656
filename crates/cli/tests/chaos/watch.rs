//! What a running apply writes to its journals, read as it is written. Used to strike at a boundary of steps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The journals of runs that begin after this was made.
pub(crate) struct Watch {
    runs: PathBuf,
    old: BTreeSet<PathBuf>,
    /// How far each journal has been read.
    read: BTreeMap<PathBuf, u64>,
}

impl Watch {
    pub(crate) fn new(state: &Path) -> Self {
        let runs = state.join("runs");
        let old = folders(&runs).collect();
        Self { runs, old, read: BTreeMap::new() }
    }

    /// Events written since the last call.
    pub(crate) fn news(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        let new: Vec<PathBuf> = folders(&self.runs).filter(|f| !self.old.contains(f)).collect();
        for folder in new {
            let at = self.read.entry(folder.clone()).or_default();
            let text = rest(&folder.join("journal.jsonl"), *at).unwrap_or_default();
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            *at += whole as u64;
            events.extend(text[..whole].lines().filter_map(|line| serde_json::from_str(line).ok()));
        }
        events
    }
}

fn folders(runs: &Path) -> impl Iterator<Item = PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(runs).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all.into_iter()
}

fn rest(path: &Path, at: u64) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// All events of all runs in a state folder, in order.
pub(crate) fn history(state: &Path) -> Vec<Value> {
    Watch { runs: state.join("runs"), old: BTreeSet::new(), read: BTreeMap::new() }.news()
}

/// Ids of the steps of a run that has begun.
pub(crate) fn planned(state: &Path, started: &Value) -> Vec<String> {
    let run = started["run"].as_str().unwrap_or_default();
    let text = fs::read_to_string(state.join("runs").join(run).join("plan.json")).unwrap_or_default();
    let plan: Value = serde_json::from_str(&text).unwrap_or_default();
    let steps = plan["steps"].as_array().map_or(&[][..], Vec::as_slice);
    steps.iter().filter_map(|step| Some(step["id"].as_str()?.to_owned())).collect()
}

/// The step of an event and the node it is on, in two parts: `n1`, `file:/etc/x`.
pub(crate) fn step(event: &Value) -> Option<(&str, &str)> {
    event["step"].as_str()?.split_once('/')
}
