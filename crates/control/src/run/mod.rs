//! What runs leave on the controller: `runs/<id>/{spec.toml,facts.json,plan.json,journal.jsonl}` in the state folder,
//! and `lab`, the name of the lab, where it was one; or `runs/<id>/bench.json` for a benchmark.
//!
//! Used by `apply`, `history`, `replay` and `bench`. The folder is history; what is true is always read from the nodes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ringbolt_core::arrange::Arrange;
use ringbolt_core::bench::Run as Bench;
use ringbolt_core::event::{Event, Guard, Outcome, What};
use ringbolt_core::facts::Fleet;
use ringbolt_core::json;
use ringbolt_core::name::StepId;
use ringbolt_core::plan::Plan;
use serde::Serialize;
use serde::de::DeserializeOwned;

mod journal;
mod lock;

pub use journal::{Journal, parse};
pub use lock::{LockError, RunLock};

use crate::nonce::nonce;

/// The file that names the run of the same call before this one.
const CONTINUES: &str = "continues";

/// The file that says that nothing was left to do after a run that was broken off.
const SETTLED: &str = "settled";

/// Folders looked at for the last run of a cluster.
const LOOKED_AT: usize = 100;

/// Of these, the last is found by its clock.
const NEWEST: usize = 3;

/// The file that lists the runs a run takes back, one a line.
const UNDOES: &str = "undoes";

/// The file that says what a run is for, where it is no apply: `reboot`, `maintain`.
const PURPOSE: &str = "purpose";

/// File of a benchmark in its folder.
const BENCH: &str = "bench.json";

/// The state folder: `$RINGBOLT_STATE`, else `$XDG_STATE_HOME/ringbolt`, else `~/.local/state/ringbolt`.
pub fn state_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("RINGBOLT_STATE")
        .or_else(|| set("XDG_STATE_HOME").map(|base| base.join("ringbolt")))
        .or_else(|| set("HOME").map(|home| home.join(".local/state/ringbolt")))
        .unwrap_or_else(|| "/var/lib/ringbolt/state".into())
}

/// The runs in a state folder.
#[derive(Clone, Debug)]
pub struct Runs {
    state: PathBuf,
}

/// A run's folder as it is made.
#[derive(Debug)]
pub struct NewRun {
    /// The id.
    pub id: String,
    /// The folder.
    pub folder: PathBuf,
    /// The journal, open.
    pub journal: Journal,
}

/// What is kept of a run.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// In short.
    pub record: RunRecord,
    /// The spec's text.
    pub spec: String,
    /// What the nodes said before it.
    pub facts: Fleet,
    /// What was to be done.
    pub plan: Plan,
    /// What happened.
    pub events: Vec<Event>,
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Id.
    pub id: String,
    /// Name of the cluster in its spec; empty where that cannot be read.
    pub cluster: String,
    /// Name of the lab, where its nodes were a lab's.
    pub lab: Option<String>,
    /// Runs it takes back; empty for an apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<String>,
    /// What it was for, where it was no apply and there is nothing in it to take back: `reboot`, `maintain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Wall clock at its beginning, RFC 3339; empty when it never began.
    pub started: String,
    /// How it ended; `None` when it was cut off, or is under way.
    pub outcome: Option<Outcome>,
    /// Steps in the plan, gates not counted.
    pub steps: u32,
    /// Steps done.
    pub done: u32,
    /// Steps failed.
    pub failed: u32,
    /// Steps not begun.
    pub skipped: u32,
    /// Failed, and every node its failed steps could have cut off has undone them by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
    /// Milliseconds from its beginning to the last thing that happened.
    pub took_ms: u64,
    /// Steps that had begun and of which no end is known.
    pub in_flight: Vec<StepId>,
}

/// Why a run's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path} cannot be understood: {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No run has an id that begins so.
    #[error("no run begins with {0:?}")]
    Unknown(String),
    /// Several have.
    #[error("{prefix:?} is the beginning of several runs: {}", .found.join(", "))]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// The ids.
        found: Vec<String>,
    },
}

impl Runs {
    /// The runs of the user's own state folder.
    pub fn own() -> Self {
        Self::in_folder(&state_folder())
    }

    /// The runs of any state folder.
    pub fn in_folder(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Keeps other runs of this cluster away; see [`RunLock::take`].
    ///
    /// # Errors
    /// Somebody holds the lock.
    pub fn lock(&self, cluster: &str, lab: Option<&str>, purpose: &str) -> Result<RunLock, LockError> {
        RunLock::take(&self.state, cluster, lab, purpose)
    }

    /// Makes the folder of a new run with everything that is known before it.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn create(
        &self,
        spec: &str,
        lab: Option<&str>,
        facts: &Fleet,
        plan: &Plan,
    ) -> Result<NewRun, RunError> {
        let runs = self.folder();
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |source| RunError::File { path, source }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&runs).map_err(fault(&runs))?;
        let (id, folder) = fresh_folder(&runs).map_err(fault(&runs))?;
        write(&folder.join("spec.toml"), |f| f.write_all(spec.as_bytes()))?;
        if let Some(lab) = lab {
            write(&folder.join("lab"), |f| f.write_all(lab.as_bytes()))?;
        }
        write(&folder.join("facts.json"), |f| json(f, facts))?;
        write(&folder.join("plan.json"), |f| json(f, plan))?;
        let path = folder.join("journal.jsonl");
        let journal = Journal::create(&path).map_err(fault(&path))?;
        for made in [&folder, &runs] {
            File::open(made).and_then(|f| f.sync_all()).map_err(fault(made))?;
        }
        Ok(NewRun { id, folder, journal })
    }

    /// Notes that a run goes on with what another began: both belong to one call.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn continues(&self, run: &NewRun, before: &str) -> Result<(), RunError> {
        write(&run.folder.join(CONTINUES), |f| f.write_all(before.as_bytes()))
    }

    /// Notes that a run takes others back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn undoes(&self, run: &NewRun, others: &[String]) -> Result<(), RunError> {
        write(&run.folder.join(UNDOES), |f| f.write_all(others.join("\n").as_bytes()))
    }

    /// Notes that a run takes nodes out of service, and why: there is nothing in it to take back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn maintains(&self, run: &NewRun, purpose: &str) -> Result<(), RunError> {
        write(&run.folder.join(PURPOSE), |f| f.write_all(purpose.as_bytes()))
    }

    /// The run and those of the same call that came before and after it, the oldest first.
    ///
    /// # Errors
    /// The folder of runs cannot be read, or there is no such run.
    pub fn call_of(&self, prefix: &str) -> Result<Vec<String>, RunError> {
        let all = self.ids()?;
        let before = |id: &str| fs::read_to_string(self.folder().join(id).join(CONTINUES)).ok();
        let mut call = vec![self.find(prefix)?];
        // Each id stands at most once, so both walks end.
        while let Some(earlier) = before(&call[0]).filter(|id| all.contains(id) && !call.contains(id)) {
            call.insert(0, earlier);
        }
        while let Some(later) = all.iter().find(|id| !call.contains(id) && before(id).as_ref() == call.last())
        {
            call.push(later.clone());
        }
        Ok(call)
    }

    /// All runs in short, the oldest first. A folder that cannot be understood is left out.
    ///
    /// # Errors
    /// The folder of runs cannot be read; that there is none yet is no error.
    pub fn list(&self) -> Result<Vec<RunRecord>, RunError> {
        let ids = self.ids()?;
        let mut records: Vec<RunRecord> =
            ids.into_iter().filter_map(|id| self.events(&id).ok().map(|e| self.record(&id, &e))).collect();
        // Ids carry local time; at the end of summer time they are not in order.
        records.arrange_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
        Ok(records)
    }

    /// The last run of a cluster, when it was broken off: it has no end, or ended with steps under way, and nobody has
    /// found since that nothing is left to do.
    ///
    /// # Errors
    /// A file of it cannot be read.
    pub fn broken_off(&self, cluster: &str, lab: Option<&str>) -> Result<Option<PastRun>, RunError> {
        let ids = self.ids()?.into_iter().rev().take(LOOKED_AT);
        // Whose a run is stands in small files: journals of other clusters are not read.
        let ours = ids
            .filter(|id| self.text(id, "lab").as_deref() == lab && self.cluster(id) == cluster)
            .filter_map(|id| Some(self.record(&id, &self.events(&id).ok()?)))
            .filter(|record| !record.started.is_empty());
        // Ids of one second are in no order: the clock decides among the newest.
        let last = ours.take(NEWEST).max_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
        match last {
            Some(last) if last.outcome.is_none() || !last.in_flight.is_empty() => {
                let settled = self.folder().join(&last.id).join(SETTLED).exists();
                if settled { Ok(None) } else { self.load(&last.id).map(Some) }
            }
            _ => Ok(None),
        }
    }

    /// Notes that nothing is left to do after a run that was broken off.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn settle(&self, id: &str) -> Result<(), RunError> {
        write(&self.folder().join(id).join(SETTLED), |_| Ok(()))
    }

    /// The run whose id is, or alone begins with, `prefix`.
    ///
    /// # Errors
    /// None or several, or its files cannot be read.
    pub fn load(&self, prefix: &str) -> Result<PastRun, RunError> {
        let id = self.find(prefix)?;
        let folder = self.folder().join(&id);
        let events = self.events(&id)?;
        let spec = folder.join("spec.toml");
        Ok(PastRun {
            record: self.record(&id, &events),
            spec: fs::read_to_string(&spec).map_err(|source| RunError::File { path: spec, source })?,
            facts: read_json(&folder.join("facts.json"))?,
            plan: read_json(&folder.join("plan.json"))?,
            events,
        })
    }

    /// Keeps a benchmark in a folder of its own; gives it its id, which is that of the folder.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn keep_bench(&self, bench: &mut Bench) -> Result<PathBuf, RunError> {
        let runs = self.folder();
        let fault = |source| RunError::File { path: runs.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&runs).map_err(fault)?;
        let (id, folder) = fresh_folder(&runs).map_err(fault)?;
        bench.id = id;
        let path = folder.join(BENCH);
        write(&path, |f| json(f, bench))?;
        Ok(path)
    }

    /// All benchmarks of a cluster, the oldest first. What cannot be understood is left out.
    ///
    /// # Errors
    /// The folder of runs cannot be read; that there is none yet is no error.
    pub fn benches(&self, cluster: &str, lab: Option<&str>) -> Result<Vec<Bench>, RunError> {
        let files = self.folders()?.into_iter().map(|id| self.folder().join(id).join(BENCH));
        let mut benches: Vec<Bench> =
            files.filter(|f| f.exists()).filter_map(|f| read_json(&f).ok()).collect();
        benches.retain(|b| b.cluster == cluster && b.lab.as_deref() == lab);
        benches.arrange_by(|a, b| (&a.began, &a.id).cmp(&(&b.began, &b.id)));
        Ok(benches)
    }

    fn find(&self, prefix: &str) -> Result<String, RunError> {
        let mut found = self.ids()?;
        if let Some(exact) = found.iter().position(|id| id == prefix) {
            return Ok(found.swap_remove(exact));
        }
        // The random end alone is handy as well.
        found.retain(|id| {
            !prefix.is_empty() && (id.starts_with(prefix) || id.ends_with(&format!("-{prefix}")))
        });
        match found.len() {
            0 => Err(RunError::Unknown(prefix.into())),
            1 => Ok(found.swap_remove(0)),
            _ => Err(RunError::Ambiguous { prefix: prefix.into(), found }),
        }
    }

    /// Runs with a journal: benchmarks have none.
    fn ids(&self) -> Result<Vec<String>, RunError> {
        let mut ids = self.folders()?;
        ids.retain(|id| !self.folder().join(id).join(BENCH).exists());
        Ok(ids)
    }

    fn folders(&self) -> Result<Vec<String>, RunError> {
        let folder = self.folder();
        let fault = |source| RunError::File { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            ids.extend(entry.map_err(fault)?.file_name().into_string());
        }
        ids.arrange();
        Ok(ids)
    }

    fn events(&self, id: &str) -> Result<Vec<Event>, RunError> {
        let path = self.folder().join(id).join("journal.jsonl");
        let text = fs::read(&path).map_err(|source| RunError::File { path: path.clone(), source })?;
        parse(&text)
            .map_err(|(line, error)| RunError::Content { path, what: format!("line {line}: {error}") })
    }

    fn record(&self, id: &str, events: &[Event]) -> RunRecord {
        let text = |name| self.text(id, name);
        let undoes = text(UNDOES).unwrap_or_default().lines().map(str::to_owned).collect();
        let cluster = self.cluster(id);
        RunRecord { cluster, lab: text("lab"), undoes, purpose: text(PURPOSE), ..RunRecord::of(id, events) }
    }

    /// The name of the cluster in the spec of a run; empty where none can be read.
    fn cluster(&self, id: &str) -> String {
        let spec = ringbolt_core::spec::read(&self.text(id, "spec.toml").unwrap_or_default()).spec;
        spec.map(|spec| spec.cluster.name).unwrap_or_default()
    }

    /// A small file of a run.
    fn text(&self, id: &str, name: &str) -> Option<String> {
        fs::read_to_string(self.folder().join(id).join(name)).ok()
    }

    fn folder(&self) -> PathBuf {
        self.state.join("runs")
    }
}

impl RunRecord {
    /// The short form of a run's events; they do not name the cluster.
    pub fn of(id: &str, events: &[Event]) -> Self {
        let mut record = Self {
            id: id.into(),
            cluster: String::new(),
            lab: None,
            undoes: Vec::new(),
            purpose: None,
            started: String::new(),
            outcome: None,
            steps: 0,
            done: 0,
            failed: 0,
            skipped: 0,
            healed: healed(events),
            took_ms: events.last().map_or(0, |e| e.at_ms),
            in_flight: Vec::new(),
        };
        for event in events {
            record.take(&event.what);
        }
        record
    }

    fn take(&mut self, what: &What) {
        match what {
            What::RunStarted { steps, time, .. } => {
                self.steps = *steps;
                self.started.clone_from(time);
            }
            What::StepStarted { step, .. } => self.in_flight.push(step.clone()),
            What::StepDone { step, .. } => {
                // A gate without a proof is done without having begun.
                let before = self.in_flight.len();
                self.in_flight.retain(|s| s != step);
                self.done += u32::from(self.in_flight.len() < before);
            }
            What::StepFailed { step, .. } => {
                self.in_flight.retain(|s| s != step);
                self.failed += 1;
            }
            What::StepSkipped { .. } => self.skipped += 1,
            What::RunFinished { outcome, done, failed, skipped } => {
                self.outcome = Some(*outcome);
                (self.done, self.failed, self.skipped) = (*done, *failed, *skipped);
            }
            What::StepProgress { .. }
            | What::StepProving { .. }
            | What::Checkpoint { .. }
            | What::Stopping => {}
        }
    }
}

/// Whether something failed, and all that failed was undone by each node that had armed its checkpoint.
fn healed(events: &[Event]) -> bool {
    let failed = |e: &Event| matches!(e.what, What::StepFailed { .. });
    let undone = |failed: &StepId| {
        let mut last = BTreeMap::new();
        for event in events {
            if let What::Checkpoint { step, node, is, .. } = &event.what
                && step == failed
            {
                last.insert(node, *is);
            }
        }
        !last.is_empty() && last.values().all(|is| *is == Guard::Fired)
    };
    events.iter().any(failed)
        && events.iter().all(|e| match &e.what {
            What::StepFailed { step, .. } => undone(step),
            _ => true,
        })
}

fn fresh_folder(runs: &Path) -> io::Result<(String, PathBuf)> {
    let mut last = io::Error::other("no free id");
    for _ in 0..8 {
        let id = format!("{}-{}", jiff::Zoned::now().strftime("%Y%m%d-%H%M%S"), nonce(4));
        let folder = runs.join(&id);
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok((id, folder)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), RunError> {
    let make = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        fill(&mut file)?;
        file.sync_all()
    };
    make().map_err(|source| RunError::File { path: path.to_owned(), source })
}

fn json(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    file.write_all(&serde_json::to_vec(value)?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = fs::read(path).map_err(|source| RunError::File { path: path.to_owned(), source })?;
    json::read(&text).map_err(|e| RunError::Content { path: path.to_owned(), what: e.to_string() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::apply::Sink;

    fn began(at_ms: u64) -> Event {
        let what = What::RunStarted {
            run: "x".into(),
            plan: "d".into(),
            steps: 2,
            time: "2026-11-20T23:15:01Z".into(),
        };
        Event { at_ms, what }
    }

    #[test]
    fn a_run_is_found_by_the_beginning_and_by_the_end_of_its_id() {
        let state = tempfile::tempdir().unwrap();
        let runs = Runs::in_folder(state.path());
        assert!(runs.list().unwrap().is_empty());
        let mut run = runs.create("[cluster]\n", Some("l"), &Fleet::default(), &Plan::default()).unwrap();
        run.journal.record(&[began(0)]).unwrap();
        let other = runs.create("[cluster]\n", Some("l"), &Fleet::default(), &Plan::default()).unwrap();

        assert_eq!(runs.load(&run.id).unwrap().record.steps, 2);
        let end = run.id.rsplit_once('-').unwrap().1;
        assert_eq!(runs.load(end).unwrap().spec, "[cluster]\n");
        assert!(matches!(runs.load("20"), Err(RunError::Ambiguous { found, .. }) if found.len() == 2));
        assert!(matches!(runs.load(""), Err(RunError::Unknown(_))));
        assert!(matches!(runs.load("1999"), Err(RunError::Unknown(_))));
        assert!(runs.list().unwrap().iter().any(|r| r.id == other.id && r.started.is_empty()));
    }

    #[test]
    fn a_run_is_healed_when_every_node_undid_all_that_failed() {
        let node = |name: &str| ringbolt_core::name::NodeName::new(name).unwrap();
        let guard = |step: &str, name: &str, is| What::Checkpoint {
            step: step.into(),
            node: node(name),
            is,
            text: String::new(),
        };
        let failed = |step: &str| What::StepFailed {
            step: step.into(),
            failure: ringbolt_core::wire::Failure::broken("x"),
        };
        let healed = |what: &[What]| {
            let events: Vec<Event> = what.iter().map(|w| Event { at_ms: 1, what: w.clone() }).collect();
            RunRecord::of("x", &events).healed
        };
        let (armed, fired) = (guard("a", "n1", Guard::Armed), guard("a", "n1", Guard::Fired));
        assert!(healed(&[armed.clone(), fired.clone(), failed("a")]));
        assert!(!healed(&[armed.clone(), fired.clone()]), "nothing failed");
        assert!(!healed(&[armed.clone(), failed("a")]), "not known to have fired");
        assert!(!healed(&[armed, guard("a", "n2", Guard::Armed), fired.clone(), failed("a")]), "n2 did not");
        assert!(!healed(&[fired, failed("a"), failed("b")]), "b was not undone");
    }

    #[test]
    fn runs_of_one_call_are_found_from_any_of_them() {
        let state = tempfile::tempdir().unwrap();
        let runs = Runs::in_folder(state.path());
        let make = || runs.create("", None, &Fleet::default(), &Plan::default()).unwrap();
        let (one, two, three, other) = (make(), make(), make(), make());
        runs.continues(&two, &one.id).unwrap();
        runs.continues(&three, &two.id).unwrap();
        let ids = vec![one.id, two.id.clone(), three.id];
        for id in &ids {
            assert_eq!(runs.call_of(id).unwrap(), ids);
        }
        assert_eq!(runs.call_of(&other.id).unwrap(), [other.id]);
    }

    #[test]
    fn only_the_last_run_of_a_cluster_counts_as_broken_off_until_it_is_settled() {
        let state = tempfile::tempdir().unwrap();
        let runs = Runs::in_folder(state.path());
        let spec = "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n\
            [[node]]\nname = \"n1\"\naddress = \"10.11.12.1\"\n\
            [[node]]\nname = \"n2\"\naddress = \"10.11.12.2\"\n";
        let mut clock = 10;
        let mut make = |lab: Option<&str>, what: Vec<What>| {
            let mut run = runs.create(spec, lab, &Fleet::default(), &Plan::default()).unwrap();
            clock += 1;
            let time = format!("2026-11-20T23:15:{clock}Z");
            let begun = What::RunStarted { run: "x".into(), plan: "d".into(), steps: 2, time };
            let events: Vec<Event> =
                [vec![begun], what].concat().into_iter().map(|what| Event { at_ms: 1, what }).collect();
            run.journal.record(&events).unwrap();
            run.id
        };
        let end = || What::RunFinished { outcome: Outcome::Stopped, done: 0, failed: 0, skipped: 0 };
        let found = |lab| runs.broken_off("tb4", lab).unwrap().map(|past| past.record.id);
        assert_eq!(found(None), None);
        let one = make(None, vec![]);
        assert_eq!((found(None), found(Some("l"))), (Some(one.clone()), None));
        assert!(runs.broken_off("tb5", None).unwrap().is_none());
        runs.settle(&one).unwrap();
        assert_eq!(found(None), None);
        let two = make(None, vec![What::StepStarted { step: "n1/x".into(), node: None }, end()]);
        assert_eq!(found(None), Some(two));
        make(None, vec![end()]);
        assert_eq!(found(None), None);
    }

    #[test]
    fn a_run_that_was_cut_off_names_what_was_under_way() {
        let started = |step: &str| What::StepStarted { step: step.into(), node: None };
        let events: Vec<Event> = [
            started("a"),
            started("b"),
            What::StepDone { step: "a".into(), took_ms: 1 },
            What::StepDone { step: "gate:ports".into(), took_ms: 0 },
        ]
        .into_iter()
        .map(|what| Event { at_ms: 9, what })
        .collect();
        let record = RunRecord::of("x", &events);
        assert_eq!((record.outcome, record.done, record.took_ms), (None, 1, 9));
        assert_eq!(record.in_flight, ["b".into()]);
    }
}
