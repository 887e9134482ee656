//! What must hold for every plan: over random specs, shapes, fresh and half-done nodes, each plan is
//! carried out on simulated nodes and looked at again.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use ringbolt_core::action::{Action, CephDeed};
use ringbolt_core::check::Check;
use ringbolt_core::facts::{Facts, Fleet, Known};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{Plan, Policy, lint};
use ringbolt_core::sim::case::{shape, store, wished};
use ringbolt_core::sim::{self, Cluster, Frr, Options};
use ringbolt_core::spec::{Spec, Transport};
use ringbolt_core::step::Risk;
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::{Topology, generate};

/// Cases each property is tried on.
const CASES: u32 = 96;

#[derive(Clone)]
struct Case {
    topology: Topology,
    spec: Spec,
    options: Options,
    /// An earlier run for another wish that was stopped part of the way, in per mille.
    earlier: Option<(Spec, usize)>,
}

/// A failing case in a few lines.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let links: Vec<String> = self.topology.links().iter().map(ToString::to_string).collect();
        writeln!(f, "{} {}: {}", self.spec.nodes.len(), self.topology.shape(), links.join(" "))?;
        writeln!(f, "{:?}", self.spec.fabric)?;
        writeln!(f, "{:?}", self.options)?;
        match &self.earlier {
            Some((spec, part)) => writeln!(f, "after {part} per mille of {:?}", spec.fabric),
            None => Ok(()),
        }
    }
}

/// A wish as drawn: transport, static routing, family, BFD, MTU lowered, hello interval.
type Wish = (u8, bool, u8, bool, bool, u16);

fn wish() -> impl Strategy<Value = Wish> {
    (0..8_u8, proptest::bool::weighted(0.25), 0..3_u8, any::<bool>(), any::<bool>(), 1..4_u16)
}

fn spec(topology: &Topology, transport: Transport, wish: Wish) -> Spec {
    let (_, fixed, family, bfd, small, hello) = wish;
    wished(topology, transport, sim::case::Wish { fixed, family, bfd, small, hello })
}

fn case() -> impl Strategy<Value = Case> {
    let frr = prop_oneof![Just(Frr::Absent), Just(Frr::Installed), Just(Frr::Running)];
    let pairs = proptest::collection::vec((0..12_usize, 0..12_usize), 1..16);
    let earlier = proptest::option::of((wish(), 0..=1000_usize));
    let options = (frr, 0..3_u8, any::<u32>(), any::<u8>());
    (2..=12_usize, 0..7_usize, pairs, wish(), options, earlier).prop_map(
        |(nodes, kind, pairs, wish, (frr, modules, seed, drawn), earlier)| {
            let transport = match wish.0 {
                0 => Transport::Switch,
                1..=3 => Transport::Ethernet,
                _ => Transport::Thunderbolt,
            };
            let topology = if transport == Transport::Switch {
                generate::switch(nodes)
            } else {
                shape(kind, nodes, &pairs)
            };
            let names = ["thunderbolt", "thunderbolt_net"].into_iter().take(2 - usize::from(modules.min(2)));
            let options = Options {
                frr,
                modules: names.map(str::to_owned).collect(),
                seed,
                disks: 2,
                ..Options::default()
            };
            let mut now = spec(&topology, transport, wish);
            // Ceph on pieces of a mesh has no quorum, and no plan waits for one.
            if topology.pieces().len() == 1 {
                store(&mut now, drawn);
            }
            let earlier = earlier.map(|(wish, part)| {
                let mut before = spec(&topology, transport, wish);
                // Renumbering a live fabric is an obstacle by design, not a step.
                (before.fabric.prefix, before.fabric.prefix6) = (now.fabric.prefix, now.fabric.prefix6);
                (before, part)
            });
            Case { topology, spec: now, options, earlier }
        },
    )
}

fn start(case: &Case) -> Result<Cluster, TestCaseError> {
    let mut cluster = sim::fresh(&case.topology, case.spec.fabric.transport, &case.options);
    if let Some((before, part)) = &case.earlier {
        for _ in 0..3 {
            let plan = look(before, &cluster)?;
            let count = plan.steps.len() * part / 1000;
            run(&mut cluster, &plan, count)?;
        }
    }
    Ok(cluster)
}

fn survey(spec: &Spec, fleet: Fleet) -> Survey {
    Survey::new(spec.clone(), fleet, Vec::new()).expect("addresses for all")
}

/// The plan for what is there, looked at from all sides.
fn look(spec: &Spec, cluster: &Cluster) -> Result<Plan, TestCaseError> {
    let plan = survey(spec, cluster.fleet()).plan(&Policy::default());
    prop_assert_eq!(lint(&plan), Vec::<String>::new());
    prop_assert!(plan.obstacles.is_empty(), "{:?}", plan.obstacles);
    one_at_a_time(&plan)?;
    Ok(plan)
}

fn run(cluster: &mut Cluster, plan: &Plan, count: usize) -> Result<(), TestCaseError> {
    cluster.run(plan, count).map_err(|fault| TestCaseError::fail(fault.to_string()))
}

/// Plans and carries out until nothing is left; the number of rounds.
fn converge(spec: &Spec, cluster: &mut Cluster) -> Result<usize, TestCaseError> {
    for round in 0..5 {
        let plan = look(spec, cluster)?;
        if plan.deeds().next().is_none() {
            prop_assert!(plan.waiting.is_empty(), "waits without doing anything: {:?}", plan.waiting);
            return Ok(round);
        }
        let count = plan.steps.len();
        run(cluster, &plan, count)?;
    }
    let left = look(spec, cluster)?;
    let ids: Vec<String> = left.deeds().map(|s| format!("{} ({})", s.id, s.why)).collect();
    Err(TestCaseError::fail(format!("never done: {ids:#?}")))
}

/// Of two disruptive steps on different nodes one must wait for the other.
fn one_at_a_time(plan: &Plan) -> Result<(), TestCaseError> {
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut risky: Vec<(&str, &NodeName)> = Vec::new();
    if plan.steps.iter().filter(|s| s.risk >= Risk::Disruptive).count() < 2 {
        return Ok(());
    }
    for step in &plan.steps {
        let mut all: BTreeSet<&str> = BTreeSet::new();
        for id in &step.after {
            all.insert(id);
            all.extend(before.get(&**id).into_iter().flatten());
        }
        if let (true, Some(node)) = (step.risk >= Risk::Disruptive, &step.node) {
            for (other, at) in risky.iter().filter(|(_, at)| *at != node) {
                prop_assert!(all.contains(other), "{} may run beside {other} on {at}", step.id);
            }
            risky.push((&step.id, node));
        }
        before.insert(&step.id, all);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "how many cases were tried is part of the result")]
fn check(name: &str, cases: u32, test: impl Fn(Case, u32, u32) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let result = runner.run(&(case(), any::<u32>(), any::<u32>()), |(case, a, b)| test(case, a, b));
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
    println!("{name}: {cases} cases");
}

#[test]
fn a_plan_carried_out_leaves_nothing_to_do_and_survives_a_power_cut() {
    check("converges", CASES, |case, _, _| {
        let mut cluster = start(&case)?;
        converge(&case.spec, &mut cluster)?;
        let survey = survey(&case.spec, cluster.fleet());
        for (node, resources) in &survey.desired.nodes {
            for check in resources.iter().flat_map(ringbolt_core::resource::Resource::promises) {
                let finding = check.look(&cluster.nodes[node].facts);
                prop_assert!(finding.holds, "{node} does not keep {check:?}: {}", finding.evidence);
            }
        }
        let names: Vec<NodeName> = cluster.nodes.keys().cloned().collect();
        cluster.reboot(&names);
        let plan = look(&case.spec, &cluster)?;
        let due: Vec<String> = plan.deeds().map(|s| format!("{}: {}", s.id, s.why)).collect();
        prop_assert!(due.is_empty(), "after all nodes rebooted: {due:#?}");
        for (node, goal) in &survey.desired.goal {
            for (to, _, _) in &goal.routes {
                let finding = Check::Route { to: *to, hops: None }.look(&cluster.nodes[node].facts);
                prop_assert!(finding.holds, "{node} has no route to {to} after the reboot");
            }
        }
        Ok(())
    });
}

#[test]
fn stopped_anywhere_it_goes_on_to_the_same_end() {
    check("resumes", CASES, |case, at, again| {
        let mut whole = start(&case)?;
        let mut part = whole.clone();
        converge(&case.spec, &mut whole)?;
        for cut in [at, again] {
            let plan = look(&case.spec, &part)?;
            let count = cut as usize % (plan.steps.len() + 1);
            run(&mut part, &plan, count)?;
        }
        converge(&case.spec, &mut part)?;
        let differ = sim::compare::differences(&whole.lasting(), &part.lasting(), 8);
        prop_assert!(differ.is_empty(), "the ends differ: {differ:#?}");
        Ok(())
    });
}

#[test]
fn the_same_input_gives_the_same_bytes_in_any_order_of_the_file() {
    check("deterministic", CASES, |case, turn, swap| {
        let cluster = start(&case)?;
        let mut other = case.spec.clone();
        let by = turn as usize % other.nodes.len();
        other.nodes.rotate_left(by);
        if swap % 2 == 0 {
            other.nodes.reverse();
        }
        other.links.reverse();
        for link in &mut other.links {
            link.ends.reverse();
        }
        let bytes = |spec: &Spec| {
            serde_json::to_string(&look(spec, &cluster)?).map_err(|e| TestCaseError::fail(e.to_string()))
        };
        prop_assert_eq!(bytes(&case.spec)?, bytes(&case.spec)?);
        prop_assert_eq!(bytes(&case.spec)?, bytes(&other)?);
        Ok(())
    });
}

/// Brings a node off its course in one of several ways.
fn disturb(cluster: &mut Cluster, node: &NodeName, how: u32) {
    let Some(node) = cluster.nodes.get_mut(node) else { return };
    match how % 4 {
        0 => {
            let fabric = node.facts.inventory.interfaces.iter_mut().filter(|(n, _)| n.starts_with("en"));
            fabric.for_each(|(_, i)| i.mtu = 1400);
        }
        1 => {
            if let Known::Yes(frr) = &mut node.facts.state.frr {
                frr.daemons.retain(|d| d != "bfdd");
            }
        }
        2 => {
            if let Some(file) = node.facts.state.files.get_mut("/etc/frr/frr.conf") {
                file.text = file.text.as_ref().map(|t| t.replace("openfabric hello-interval", "! "));
            }
        }
        _ => node.facts.inventory.interfaces.values_mut().for_each(|i| i.addresses.clear()),
    }
}

#[test]
fn a_disturbed_mesh_is_mended_one_node_at_a_time() {
    check("mends", CASES, |case, how, who| {
        let mut cluster = start(&case)?;
        converge(&case.spec, &mut cluster)?;
        let names: Vec<NodeName> = cluster.nodes.keys().cloned().collect();
        for (at, name) in names.iter().enumerate().filter(|(at, _)| who >> (at % 32) & 1 == 1) {
            disturb(&mut cluster, name, how >> (at % 16));
        }
        cluster.settle();
        converge(&case.spec, &mut cluster)?;
        Ok(())
    });
}

/// Takes away a part of what is known of one disk.
fn forget_of_a_disk(facts: &mut Facts, pick: usize) -> String {
    let Known::Yes(disks) = &mut facts.inventory.disks else { return "nothing".into() };
    let at = pick % disks.len();
    match (pick / 8) % 3 {
        0 => drop(disks.remove(at)),
        1 => disks[at].serial.clear(),
        _ => disks[at].links.clear(),
    }
    format!("part of disk {at}")
}

/// Deeds after which data may be gone, or a place taken that is in use: what makes a plan bold.
fn bold(plan: &Plan) -> BTreeSet<String> {
    let takes = |step: &&ringbolt_core::step::Step| {
        step.risk == Risk::Destructive
            || matches!(
                step.action,
                Some(Action::Ceph(CephDeed::Osd(_) | CephDeed::Wipe { .. } | CephDeed::Init { .. }))
            )
    };
    plan.steps.iter().filter(takes).map(|s| s.id.to_string()).collect()
}

/// Takes one fact away.
fn forget(fleet: &mut Fleet, which: u32) -> String {
    let names: Vec<NodeName> = fleet.nodes.keys().cloned().collect();
    let name = &names[which as usize % names.len()];
    let pick = (which >> 8) as usize;
    let Some(facts) = fleet.nodes.get_mut(name) else { return String::new() };
    let what = match (which >> 4) % 16 {
        0 => "silent".to_owned(),
        1 => {
            facts.state.frr = Known::No("vtysh does not answer".into());
            "frr".into()
        }
        2 => {
            facts.inventory.thunderbolt = Known::No("not readable".into());
            "thunderbolt".into()
        }
        3 => {
            facts.state.units.clear();
            "units".into()
        }
        4 => {
            facts.state.modules.clear();
            "modules".into()
        }
        5 => {
            facts.inventory.interfaces.clear();
            "interfaces".into()
        }
        6 => {
            facts.state.pve_writable = None;
            "pve_writable".into()
        }
        7 => {
            facts.inventory.disks = Known::No("not readable".into());
            "disks".into()
        }
        8 => {
            facts.state.ceph = Known::No("the folders are not readable".into());
            "ceph".into()
        }
        9 => {
            // Who was asked about the cluster and who would be asked next: nobody tells.
            for facts in fleet.nodes.values_mut() {
                facts.state.ceph_cluster = Known::No("the monitors do not answer".into());
            }
            "cluster".into()
        }
        10 => forget_of_a_disk(facts, pick),
        _ => {
            let paths: Vec<String> = facts.state.files.keys().cloned().collect();
            let path = &paths[pick % paths.len()];
            facts.state.files.remove(path);
            path.clone()
        }
    };
    if what == "silent" {
        fleet.nodes.remove(name);
    }
    format!("{what} of {name}")
}

#[test]
fn knowing_less_never_makes_a_plan_bolder() {
    check("timid", CASES * 2, |case, part, which| {
        let mut cluster = start(&case)?;
        let plan = look(&case.spec, &cluster)?;
        let count = plan.steps.len() * (part as usize % 1001) / 1000;
        run(&mut cluster, &plan, count)?;
        let whole = survey(&case.spec, cluster.fleet()).plan(&Policy::default());
        let mut fleet = cluster.fleet();
        let what = forget(&mut fleet, which);
        let less = survey(&case.spec, fleet).plan(&Policy::default());
        prop_assert_eq!(lint(&less), Vec::<String>::new());
        one_at_a_time(&less)?;
        // With something in the way nothing is carried out.
        if less.obstacles.is_empty() {
            let (dared, dares) = (bold(&whole), bold(&less));
            let more: Vec<&String> = dares.difference(&dared).collect();
            prop_assert!(more.is_empty(), "without {what} it dares {more:?}");
        }
        Ok(())
    });
}
