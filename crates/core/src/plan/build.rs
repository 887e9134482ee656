//! The planner: compare, expand, settle the cluster's part, order. Pure and total: it cannot fail,
//! it can only say what it cannot yet do.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fleet, Obstacle, Phase, Plan, Step, Undo, cluster, order};
use crate::action::Action;
use crate::check::Check;
use crate::desired::{Desired, Goal};
use crate::name::NodeName;
use crate::resource::step;
use crate::spec::{Routing, Spec};

/// How careful to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many nodes may be in doubt at once.
    pub max_unavailable: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_unavailable: 1 }
    }
}

/// Seconds the mesh gets to converge: an adjacency needs a few hellos, a route one LSP more.
const CONVERGE_PATIENCE: u32 = 45;

/// What is to be done so that the nodes become as desired.
///
/// The same input gives the same bytes; the order of nodes in the spec does not matter.
pub fn plan(spec: &Spec, desired: &Desired, fleet: &Fleet, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    let mut by_node: BTreeMap<&NodeName, Vec<Step>> = BTreeMap::new();
    for (node, resources) in &desired.nodes {
        let Some(facts) = fleet.nodes.get(node) else { continue };
        let steps = by_node.entry(node).or_default();
        for resource in resources {
            let outcome = resource.compare(node, facts);
            plan.satisfied += u32::from(outcome.satisfied());
            steps.extend(outcome.steps);
            plan.obstacles.extend(outcome.obstacles);
            plan.waiting.extend(outcome.waiting.map(|why| format!("{node}: {why}")));
        }
        for path in desired.stale.get(node).into_iter().flatten() {
            steps.push(remove(node, path, facts));
        }
        merge_reloads(steps);
    }
    let mut steps: Vec<Step> = by_node.into_values().flatten().collect();
    if plan.waiting.is_empty() {
        let cluster = cluster::settle(desired, fleet, &mut plan);
        if let Some(apply) = cluster {
            // The apply makes every node generate its files and reload: what was seen before it is moot.
            steps.retain(|s| s.phase != Phase::Fabric);
            steps.push(apply);
        }
        if steps.iter().any(|s| s.phase >= Phase::Ports) {
            steps.extend(converge(spec, desired));
        }
    } else {
        steps.retain(|s| s.phase == Phase::Prepare);
        plan.waiting.sort();
        plan.waiting.dedup();
    }
    plan.steps = order::order(steps, policy);
    plan
}

/// A file that carries our name and that nothing asks for any more.
fn remove(node: &NodeName, path: &str, facts: &crate::facts::Facts) -> Step {
    let fact = facts.state.files.get(path);
    Step {
        title: format!("remove {path}"),
        why: "it is ours, and the spec asks for it no more".into(),
        expect: fact.map(|f| f.digest.clone()),
        undo: Undo::Restore,
        proof: vec![(node.clone(), Check::NoFile { path: path.to_owned() })],
        change: Some(super::FileChange {
            path: path.to_owned(),
            before: fact.and_then(|f| f.text.clone()),
            after: None,
        }),
        ..step(node, &format!("remove:{path}"), Phase::Prepare, Action::RemoveFile { path: path.to_owned() })
    }
}

/// Several files of one phase may ask for the same reload: it is done once, after the last of them.
fn merge_reloads(steps: &mut Vec<Step>) {
    let mut reloads: BTreeMap<(Phase, String), Step> = BTreeMap::new();
    let mut merged: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps.drain(..) {
        if matches!(step.action, Some(Action::ReloadSystemd | Action::ReloadUdev)) {
            let entry = reloads.entry((step.phase, step.id.clone()));
            entry.and_modify(|first| first.why = format!("{}; {}", first.why, step.why)).or_insert(step);
        } else {
            merged.push(step);
        }
    }
    for ((phase, _), mut reload) in reloads {
        // The same reload may be due in two phases: its id says which.
        if phase != Phase::Prepare {
            reload.id = format!("{}:{}", reload.id, phase.word());
        }
        let last_file = merged
            .iter()
            .rposition(|s| {
                s.phase == phase
                    && matches!(s.action, Some(Action::WriteFile { .. } | Action::RemoveFile { .. }))
            })
            .map_or(merged.len(), |at| at + 1);
        merged.insert(last_file, reload);
    }
    *steps = merged;
}

/// Waiting, node by node, until the mesh is what it should be.
fn converge(spec: &Spec, desired: &Desired) -> Vec<Step> {
    desired
        .goal
        .iter()
        .map(|(node, goal)| (node, goal_checks(spec, goal)))
        .filter(|(_, checks)| !checks.is_empty())
        .map(|(node, checks)| Step {
            title: "wait until the node sees all neighbours and routes".into(),
            why: "a step is done when it is proven".into(),
            action: None,
            proof: checks.into_iter().map(|c| (node.clone(), c)).collect(),
            patience: CONVERGE_PATIENCE,
            ..step(node, "converge", Phase::Converge, Action::ReloadUdev)
        })
        .collect()
}

/// The checks of a goal: adjacency and BFD per port, a route of the right length per node.
pub(crate) fn goal_checks(spec: &Spec, goal: &Goal) -> Vec<Check> {
    let mut checks = Vec::new();
    let openfabric = spec.fabric.routing == Routing::Openfabric;
    for (port, host) in goal.neighbors.iter().filter(|_| openfabric) {
        checks.push(Check::Neighbor { port: port.clone(), host: host.as_ref().map(ToString::to_string) });
        if spec.fabric.bfd {
            checks.push(Check::Bfd { port: port.clone() });
        }
    }
    for (to, _, hops) in &goal.routes {
        checks.push(Check::Route { to: *to, hops: openfabric.then_some(*hops) });
    }
    checks
}

/// Sorts obstacles so that the same facts give the same bytes.
pub(super) fn tidy(list: &mut Vec<Obstacle>) {
    list.sort_by(|a, b| (&a.code, &a.node, &a.message).cmp(&(&b.code, &b.node, &b.message)));
    let mut seen = BTreeSet::new();
    list.retain(|o| seen.insert((o.code.clone(), o.node.clone(), o.message.clone())));
}
