//! What must hold for every plan: over random specs, shapes, fresh and half-done nodes, each plan is
//! carried out on simulated nodes and looked at again.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use ringbolt_core::check::Check;
use ringbolt_core::facts::{Facts, Known};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{Fleet, Plan, Policy, Risk, lint};
use ringbolt_core::sim::{self, Cluster, Frr, Options};
use ringbolt_core::spec::{
    Ceph, Filesystem, Keeping, Mclock, OsdMemory, Osds, Pool, PublicNetwork, Release, Repository, Routing,
    Spec, Transport,
};
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

/// Ceph on the nodes of a spec, as drawn: two disks a node; a file system, an erasure-coded pool, a class.
fn store(spec: &mut Spec, drawn: u8) {
    if drawn.is_multiple_of(3) || spec.nodes.len() < 3 || spec.fabric.transport == Transport::Switch {
        return;
    }
    let count = if spec.nodes.len() < 7 { 3 } else { 5 };
    let monitors: Vec<NodeName> = spec.nodes.iter().take(count).map(|n| n.name.clone()).collect();
    spec.ceph = Some(Ceph {
        repository: Repository::NoSubscription,
        version: Release::Tentacle,
        public: PublicNetwork::Mesh,
        managers: monitors.clone(),
        monitors,
        memory: OsdMemory::Reserve(None),
        tuning: drawn & 8 == 0,
        mclock: Mclock::Balanced,
        scrub: None,
        migration: drawn & 16 != 0,
    });
    for node in &mut spec.nodes {
        node.osds = Osds::Paths(vec!["/dev/nvme1n1".into(), "/dev/nvme2n1".into()]);
    }
    let pool = |name: &str, keeping: Keeping| Pool {
        name: name.into(),
        keeping,
        pg_num: None,
        target_share: None,
        compression: None,
        class: (drawn & 32 != 0).then(|| "ssd".to_owned()),
        storage: true,
        accept_data_loss: false,
    };
    spec.pools.push(pool("vm", Keeping::Copies { size: 3, min_size: 2 }));
    if drawn & 64 != 0 {
        spec.pools.push(pool("cold", Keeping::Erasure { k: 2, m: 1 }));
    }
    if drawn & 128 != 0 {
        spec.filesystems.push(Filesystem { name: "share".into(), pg_num: None, storage: true });
    }
}

/// A wish as drawn: transport, static routing, family, BFD, MTU lowered, hello interval.
type Wish = (u8, bool, u8, bool, bool, u16);

fn wish() -> impl Strategy<Value = Wish> {
    (0..8_u8, proptest::bool::weighted(0.25), 0..3_u8, any::<bool>(), any::<bool>(), 1..4_u16)
}

fn spec(topology: &Topology, transport: Transport, wish: Wish) -> Spec {
    let (_, fixed, family, bfd, small, hello) = wish;
    let mut spec = sim::spec(topology, transport);
    if fixed || transport == Transport::Switch {
        spec.fabric.routing = Routing::Static;
    }
    if family > 0 {
        spec.fabric.prefix6 = "fd00:64::/64".parse().ok();
    }
    if family == 2 {
        spec.fabric.prefix = None;
    }
    spec.fabric.bfd = bfd;
    spec.fabric.hello_interval = hello;
    if small {
        spec.fabric.mtu = 1500;
    }
    spec
}

fn shape(kind: u8, nodes: usize, pairs: &[(usize, usize)]) -> Topology {
    match kind {
        0 => generate::line(nodes),
        1 | 2 => generate::ring(nodes),
        3 => generate::star(nodes),
        4 => generate::mesh(nodes),
        _ => {
            let pairs = pairs.iter().map(|(a, b)| (a % nodes, b % nodes)).filter(|(a, b)| a != b);
            let pairs: BTreeSet<(usize, usize)> = pairs.map(|(a, b)| (a.min(b), a.max(b))).collect();
            generate::cabled(nodes, pairs)
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let frr = prop_oneof![Just(Frr::Absent), Just(Frr::Installed), Just(Frr::Running)];
    let pairs = proptest::collection::vec((0..12_usize, 0..12_usize), 1..16);
    let earlier = proptest::option::of((wish(), 0..=1000_usize));
    let options = (frr, 0..3_u8, any::<u32>(), any::<u8>());
    (2..=12_usize, 0..7_u8, pairs, wish(), options, earlier).prop_map(
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

/// Facts without what counts up with every change.
fn lasting(cluster: &Cluster) -> Vec<(NodeName, Facts)> {
    let mut all = Vec::new();
    for (name, node) in &cluster.nodes {
        let mut facts = node.facts.clone();
        for file in facts.state.files.values_mut() {
            if let Some(text) = &mut file.text {
                if let Some(rest) = text.strip_prefix("#version:") {
                    *text = rest.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
                }
                if let Some((head, _)) = text.split_once("\"version\":") {
                    *text = head.to_owned();
                }
            }
            file.digest.clear();
        }
        for interface in facts.inventory.interfaces.values_mut() {
            interface.index = 0;
            interface.addresses.sort();
        }
        facts.state.routes.sort_by_key(|r| format!("{r:?}"));
        all.push((name.clone(), facts));
    }
    all
}

fn lines(facts: &(NodeName, Facts)) -> Vec<String> {
    serde_json::to_string_pretty(facts).unwrap_or_default().lines().map(str::to_owned).collect()
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
        for (one, other) in lasting(&whole).into_iter().zip(lasting(&part)) {
            let (one, other) = (lines(&one), lines(&other));
            let differ: Vec<_> = one.iter().zip(&other).filter(|(a, b)| a != b).take(5).collect();
            prop_assert!(differ.is_empty() && one.len() == other.len(), "the ends differ: {differ:#?}");
        }
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

/// Takes one fact away.
fn forget(fleet: &mut Fleet, which: u32) -> String {
    let names: Vec<NodeName> = fleet.nodes.keys().cloned().collect();
    let name = &names[which as usize % names.len()];
    let pick = (which >> 8) as usize;
    let Some(facts) = fleet.nodes.get_mut(name) else { return String::new() };
    let what = match (which >> 4) % 10 {
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
        let lost = |plan: &Plan| plan.steps.iter().any(|s| s.risk == Risk::Destructive);
        prop_assert!(lost(&whole) || !lost(&less), "without {what} something is destroyed");
        Ok(())
    });
}
