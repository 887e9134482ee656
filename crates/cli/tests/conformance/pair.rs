//! The same nodes twice: in a lab, over ssh, and as values made from what those of the lab say. Whatever is done is
//! done to both by the controller's own loop.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringbolt_control::apply::{self, Sink};
use ringbolt_control::fleet::Fleet;
use ringbolt_control::hold::{claim, hold};
use ringbolt_control::look_by;
use ringbolt_control::transport::sim::SimTransport;
use ringbolt_control::transport::{Executable, SshOptions};
use ringbolt_core::bind::THUNDERBOLT_DRIVER;
use ringbolt_core::desired::question;
use ringbolt_core::event::{Event, Outcome, What};
use ringbolt_core::facts::{Disks, Facts, Known, Question, ha};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{self, Plan, Policy, Step};
use ringbolt_core::sim::{captured, compare};
use ringbolt_core::spec::Spec;
use ringbolt_core::survey::Survey;
use similar::TextDiff;
use tokio::runtime::{Builder, Runtime};

use crate::deeds;
use crate::rig::Rig;

/// The run all deeds belong to.
pub(crate) const RUN: &str = "conformance";

/// How long nodes of the lab may take to be what simulated ones are at once: FRR has to find its neighbours.
const PATIENCE: Duration = Duration::from_secs(45);

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

    fn look(&self, spec: &Spec) -> plan::Fleet {
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
            let (_button, stop) = apply::stop();
            let mut failed = Failed::default();
            let report = apply::run(RUN, plan, Arc::clone(&self.fleet), &mut failed, stop).await;
            match report.map_err(|e| e.to_string())?.outcome {
                Outcome::Done => Ok(()),
                _ => Err(failed.0.join("; ")),
            }
        })
    }
}

fn simulated(spec: &Spec, seen: &plan::Fleet) -> Side {
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
    pub(crate) fn look(&self) -> plan::Fleet {
        self.lab.look(&self.spec)
    }

    /// What is to be done on the nodes of the lab.
    pub(crate) fn plan(&self) -> Plan {
        let survey = Survey::new(self.spec.clone(), self.look(), Vec::new()).unwrap();
        let plan = survey.plan(&Policy::default());
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
        let names = |fleet: plan::Fleet| -> Vec<Vec<String>> {
            fleet.nodes.into_values().map(|f| f.inventory.packages.into_keys().collect()).collect()
        };
        assert_eq!(names(self.sim.look(&self.spec)), names(self.look()), "{}", step.id);
        self.done.extend(step.action.as_ref().map(deeds::name));
        self.double();
    }

    /// Does one step on both, and compares what they say then. Where they differ it is noted, and the doubles are
    /// made anew.
    pub(crate) fn step(&mut self, step: &Step) {
        let Some(action) = &step.action else { return };
        let name = deeds::name(action);
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

/// Facts without what cannot be the same.
fn plain(fleet: plan::Fleet) -> BTreeMap<NodeName, Facts> {
    fleet.nodes.into_iter().map(|(name, facts)| (name, alike(compare::lasting(facts)))).collect()
}

/// One node's: no versions and free bytes, nothing the kernel makes of a random MAC address, no signs of life.
fn alike(mut facts: Facts) -> Facts {
    facts.state.root_free = 0;
    facts.inventory.packages.values_mut().for_each(String::clear);
    for interface in facts.inventory.interfaces.values_mut() {
        interface.addresses.retain(|a| !is_local(a.addr()));
        // The kernel of a lab has no dummy interfaces; another kind stands in for them.
        if interface.kind.as_deref().is_some_and(|kind| ["dummy", "ifb"].contains(&kind)) {
            (interface.kind, interface.driver, interface.mac) = (Some("dummy".into()), None, None);
        }
        // Nor has it Thunderbolt: one end of a pair of virtual interfaces is what appears there.
        if interface.driver.as_deref() == Some(THUNDERBOLT_DRIVER) {
            (interface.kind, interface.mac, interface.max_mtu) = (None, None, None);
        }
    }
    facts.state.routes.retain(|r| !is_local(r.to.addr()));
    for hop in facts.state.routes.iter_mut().flat_map(|r| &mut r.via) {
        hop.gateway = hop.gateway.filter(|g| !is_local(*g));
    }
    if let Known::Yes(frr) = &mut facts.state.frr {
        frr.bfd.iter_mut().filter(|b| is_local(b.peer)).for_each(|b| b.peer = Ipv6Addr::UNSPECIFIED.into());
        frr.bfd.sort_by(|a, b| (&a.interface, a.peer).cmp(&(&b.interface, b.peer)));
        frr.neighbors.sort_by(|a, b| a.interface.cmp(&b.interface));
        frr.routes.sort_by_key(|r| r.to);
    }
    for (path, file) in &mut facts.state.files {
        if path == ha::STATUS {
            file.text = file.text.as_deref().map(|text| format!("{:?}", ha::status(text)));
        }
    }
    facts
}

fn is_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.is_unicast_link_local())
}
