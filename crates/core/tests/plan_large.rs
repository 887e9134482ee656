//! Plans for up to two thousand nodes: what is not near-linear makes this test visibly slow.
//! `examples/plan_10000.rs` measures the same with ten thousand.

use ringbolt_core::plan::{Plan, Policy, lint};
use ringbolt_core::sim::{self, Frr, Options};
use ringbolt_core::spec::Transport;
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::{Topology, generate};

fn plan(topology: &Topology) -> Plan {
    let options = Options { frr: Frr::Installed, ..Options::default() };
    let cluster = sim::fresh(topology, Transport::Thunderbolt, &options);
    let spec = sim::spec(topology, Transport::Thunderbolt);
    let survey = Survey::new(spec, cluster.fleet(), Vec::new()).expect("addresses for all");
    let plan = survey.plan(&Policy::default());
    assert_eq!((lint(&plan), plan.obstacles.len(), plan.waiting.len()), (Vec::new(), 0, 0));
    plan
}

#[test]
fn ring() {
    let plan = plan(&generate::ring(2_000));
    assert_eq!(plan.steps.iter().filter(|s| s.id.ends_with("/sdn")).count(), 1);
    let edges: usize = plan.steps.iter().map(|s| s.after.len()).sum();
    assert!(edges < 2 * plan.steps.len(), "gates keep the graph small: {edges} for {}", plan.steps.len());
}

#[test]
fn grid() {
    assert!(plan(&generate::grid(25, 20)).deeds().count() > 8_000);
}

#[test]
fn fat_tree() {
    assert!(plan(&generate::fat_tree(10)).deeds().count() > 6_000);
}
