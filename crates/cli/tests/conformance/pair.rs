//! The same nodes twice: in a lab, over ssh, and as values made from what those of the lab say. Whatever is done is
//! done to both by the controller's own loop.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringbolt_control::apply::{self, Sink};
use ringbolt_control::fleet::Fleet;
use ringbolt_control::hold::{claim, hold};
use ringbolt_control::look_by;
use ringbolt_control::stop;
use ringbolt_control::transport::sim::SimTransport;
use ringbolt_control::transport::{Executable, SshOptions};
use ringbolt_core::action::Action;
use ringbolt_core::desired::question;
use ringbolt_core::event::{Event, Outcome, What};
use ringbolt_core::facts::{self, Disk, Disks, Facts, Question};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{Plan, Policy};
use ringbolt_core::sim::captured;
use ringbolt_core::spec::Spec;
use ringbolt_core::step::Step;
use ringbolt_core::survey::Survey;
use similar::TextDiff;
use tokio::runtime::{Builder, Runtime};

use crate::alike::plain;
use crate::deeds;
use crate::rig::Rig;

/// The run all deeds belong to.
pub(crate) const RUN: &str = "conformance";

/// How long nodes of the lab may take to be what simulated ones are at once: FRR has to find its neighbours.
const PATIENCE: Duration = Duration::from_secs(60);

/// One kind of nodes.
struct Side {
    runtime: Runtime,
    fleet: Arc<Fleet>,
}

/// Both.
pub(crate) struct Pair {
    pub(crate) spec: Spec,
    lab: Side,
    sim: Side,
    /// Deeds done on both.
    pub(crate) done: BTreeSet<&'static str>,
    /// What was different after a deed.
    pub(crate) found: Vec<String>,
}

/// Keeps what failed.
#[derive(Default)]
struct Failed(Vec<String>);

impl Sink for Failed {
    fn record(&mut self, events: &[Event]) -> std::io::Result<()> {
        self.0.extend(events.iter().filter_map(|event| match &event.what {
            What::StepFailed { step, failure } => Some(format!("{step}: {failure}")),
            _ => None,
        }));
        Ok(())
    }
}

impl Side {
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn look(&self, spec: &Spec) -> facts::Fleet {
        let mut questions = question::roll(spec);
        for (node, question) in question::of(spec, Disks::Uses) {
            let mine: &mut Question = questions.entry(node).or_default();
            mine.disks = question.disks;
        }
        let seen = self.run(look_by(&self.fleet, spec, questions));
        assert!(seen.missing.is_empty(), "{:?}", seen.missing);
        seen.fleet
    }

    /// Carries one step out; what failed.
    fn carry_out(&self, step: &Step) -> Result<(), String> {
        let step = Step { after: Vec::new(), ..step.clone() };
        let plan = Arc::new(Plan { steps: vec![step], ..Plan::default() });
        self.run(async {
            let lock = hold(&self.fleet, claim("conformance", false), None, |_| ()).await;
            let _lock = lock.map_err(|e| e.to_string())?;
            let (_button, stop) = stop::stop();
            let mut failed = Failed::default();
            let report = apply::run(RUN, plan, Arc::clone(&self.fleet), &mut failed, stop).await;
            match report.map_err(|e| e.to_string())?.outcome {
                Outcome::Done => Ok(()),
                _ => Err(failed.0.join("; ")),
            }
        })
    }
}

fn simulated(spec: &Spec, seen: &facts::Fleet) -> Side {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let transport = SimTransport::new(captured(spec, seen));
    let names: Vec<NodeName> = spec.nodes.iter().map(|n| n.name.clone()).collect();
    let fleet = runtime.block_on(async { Arc::new(Fleet::over(names, Arc::new(transport))) });
    Side { runtime, fleet }
}

impl Pair {
    /// The nodes of a lab, and their doubles.
    pub(crate) fn new(rig: &Rig) -> Self {
        let text = std::fs::read_to_string(rig.spec()).unwrap();
        let spec = ringbolt_core::spec::read(&text).spec.unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let path = Path::new(env!("CARGO_BIN_EXE_ringbolt")).to_owned();
        let digest = ringbolt_core::digest::of(std::fs::read(&path).unwrap());
        let base = rig.spec().parent().unwrap().to_owned();
        let options = SshOptions { config: None, base, executable: Executable { path, digest } };
        let fleet = runtime.block_on(async { Arc::new(Fleet::connect(&spec, &options).unwrap()) });
        let lab = Side { runtime, fleet };
        let sim = simulated(&spec, &lab.look(&spec));
        Self { spec, lab, sim, done: BTreeSet::new(), found: Vec::new() }
    }

    /// What the nodes of the lab say.
    pub(crate) fn look(&self) -> facts::Fleet {
        self.lab.look(&self.spec)
    }

    /// The spec, and what the nodes of the lab say.
    pub(crate) fn survey(&self) -> Survey {
        Survey::new(self.spec.clone(), self.look(), Vec::new()).unwrap()
    }

    /// What one node of the lab says.
    fn one(&self, node: &str) -> Facts {
        let mut nodes = self.look().nodes.into_iter();
        nodes.find(|(name, _)| name.as_str() == node).unwrap().1
    }

    /// Numbers of the OSDs on a node of the lab.
    pub(crate) fn osds(&self, node: &str) -> Vec<u32> {
        self.one(node).state.ceph.yes().unwrap().osds.iter().map(|o| o.id).collect()
    }

    /// A disk of a node of the lab.
    pub(crate) fn disk(&self, node: &str, name: &str) -> Disk {
        let facts = self.one(node);
        facts.inventory.disks.yes().unwrap().iter().find(|d| d.name == name).unwrap().clone()
    }

    /// What is to be done on the nodes of the lab.
    pub(crate) fn plan(&self) -> Plan {
        let plan = self.survey().plan(&Policy::default());
        assert!(plan.obstacles.is_empty(), "{:?}", plan.obstacles);
        plan
    }

    /// Makes the doubles anew, after the lab was changed behind their back.
    pub(crate) fn double(&mut self) {
        self.sim = simulated(&self.spec, &self.look());
    }

    /// Installs packages on both. Debian's FRR runs from then on, Proxmox VE's does not, and the lab has Debian's: what
    /// is installed is compared, and the doubles are made anew.
    pub(crate) fn install(&mut self, step: &Step) {
        assert_eq!((self.sim.carry_out(step), self.lab.carry_out(step)), (Ok(()), Ok(())));
        let names = |fleet: facts::Fleet| -> Vec<Vec<String>> {
            fleet.nodes.into_values().map(|f| f.inventory.packages.into_keys().collect()).collect()
        };
        assert_eq!(names(self.sim.look(&self.spec)), names(self.look()), "{}", step.id);
        self.done.extend(step.action.as_ref().map(deeds::name));
        self.double();
    }

    /// Does one step on both, and compares what they say then. What is done to Ceph is done twice, once of each kind:
    /// a run that goes on after a broken one may do so as well.
    pub(crate) fn step(&mut self, step: &Step) {
        let Some(action) = &step.action else { return };
        let name = deeds::name(action);
        let first = !self.done.contains(name);
        self.both(step, name);
        if first && matches!(action, Action::Ceph(_)) {
            self.both(step, name);
        }
    }

    /// Where they differ it is noted, and the doubles are made anew.
    fn both(&mut self, step: &Step, name: &'static str) {
        let began = Instant::now();
        let (here, there) = (self.sim.carry_out(step), self.lab.carry_out(step));
        self.done.insert(name);
        let differs = match (&here, &there) {
            (Ok(()), Ok(())) | (Err(_), Err(_)) => self.differs(),
            _ => Some(format!("simulated: {here:?}\nlab: {there:?}")),
        };
        let verdict = if differs.is_some() { "DIFFERS" } else { "same" };
        eprintln!("{verdict:8} {:5.1} s  {name}: {}", began.elapsed().as_secs_f64(), step.id);
        if let Some(difference) = differs {
            eprintln!("{difference}");
            self.found.push(format!("{name} ({}):\n{difference}", step.id));
            self.double();
        }
    }

    /// Where both differ, once they have had time to become the same.
    fn differs(&self) -> Option<String> {
        let wanted = plain(self.sim.look(&self.spec));
        let began = Instant::now();
        loop {
            let have = plain(self.look());
            if wanted == have {
                return None;
            }
            if began.elapsed() > PATIENCE {
                return Some(difference(&wanted, &have));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

fn difference(wanted: &BTreeMap<NodeName, Facts>, have: &BTreeMap<NodeName, Facts>) -> String {
    let mut text = String::new();
    for (node, wanted) in wanted {
        let lines = |facts: Option<&Facts>| serde_json::to_string_pretty(&facts).unwrap();
        let (wanted, have) = (lines(Some(wanted)), lines(have.get(node)));
        let diff = TextDiff::from_lines(&wanted, &have);
        let names = (format!("{node} simulated"), format!("{node} in the lab"));
        text += &diff.unified_diff().context_radius(4).header(&names.0, &names.1).to_string();
    }
    text
}
