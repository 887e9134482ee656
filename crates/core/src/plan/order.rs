//! Order: within a node one step after the other, across nodes by gates between phases, and what
//! disturbs traffic one node after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Phase, Policy, Risk, Step, StepId};
use crate::name::NodeName;

/// Puts the steps of all nodes in order. `steps` holds each node's steps in their own order.
pub(super) fn order(steps: Vec<Step>, policy: &Policy) -> Vec<Step> {
    let mut phases: BTreeMap<Phase, Vec<Step>> = BTreeMap::new();
    for step in steps {
        phases.entry(step.phase).or_default().push(step);
    }
    let mut ordered = Vec::new();
    let mut gate: Option<StepId> = None;
    let count = phases.len();
    for (index, (phase, mut list)) in phases.into_iter().enumerate() {
        list.sort_by(|a, b| a.node.cmp(&b.node));
        chain(&mut list, gate.as_ref());
        roll(&mut list, policy);
        let list = by_dependence(list);
        let last = index + 1 == count;
        let ends: BTreeSet<StepId> = list.iter().map(|s| s.id.clone()).collect();
        ordered.extend(list);
        if !last {
            let id = format!("gate:{}", phase.word());
            ordered.push(Step {
                id: id.clone(),
                phase,
                node: None,
                title: format!("every node is done with \"{}\"", phase.word()),
                why: "the next part needs it on all nodes".into(),
                action: None,
                expect: None,
                undo: super::Undo::None,
                proof: Vec::new(),
                patience: 0,
                risk: Risk::Safe,
                after: ends,
                change: None,
                interrupts: String::new(),
            });
            gate = Some(id);
        }
    }
    ordered
}

/// Each step after the one before it on the same node; the first after the gate.
fn chain(list: &mut [Step], gate: Option<&StepId>) {
    let mut last: BTreeMap<Option<NodeName>, StepId> = BTreeMap::new();
    for step in list {
        match last.insert(step.node.clone(), step.id.clone()) {
            Some(before) => drop(step.after.insert(before)),
            None => step.after.extend(gate.cloned()),
        }
    }
}

/// Disruptive steps of one node wait for those of the nodes before it, `max_unavailable` at a time.
fn roll(list: &mut [Step], policy: &Policy) {
    let mut rolled: Vec<(NodeName, StepId, StepId)> = Vec::new();
    let mut first: BTreeMap<NodeName, (StepId, StepId)> = BTreeMap::new();
    for step in list.iter().filter(|s| s.risk >= Risk::Disruptive) {
        let Some(node) = &step.node else { continue };
        first
            .entry(node.clone())
            .and_modify(|(_, last)| *last = step.id.clone())
            .or_insert_with(|| (step.id.clone(), step.id.clone()));
    }
    for (node, (from, to)) in first {
        rolled.push((node, from, to));
    }
    let width = policy.max_unavailable.max(1);
    let mut extra: BTreeMap<StepId, StepId> = BTreeMap::new();
    for pair in width..rolled.len() {
        extra.insert(rolled[pair].1.clone(), rolled[pair - width].2.clone());
    }
    for step in list {
        step.after.extend(extra.get(&step.id).cloned());
    }
}

/// A stable topological order: always the first step whose predecessors are out.
fn by_dependence(list: Vec<Step>) -> Vec<Step> {
    let index: BTreeMap<StepId, usize> = list.iter().enumerate().map(|(i, s)| (s.id.clone(), i)).collect();
    let mut waits: Vec<usize> = vec![0; list.len()];
    let mut leads: Vec<Vec<usize>> = vec![Vec::new(); list.len()];
    for (at, step) in list.iter().enumerate() {
        for before in step.after.iter().filter_map(|id| index.get(id)) {
            waits[at] += 1;
            leads[*before].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..list.len()).filter(|at| waits[*at] == 0).collect();
    let mut slots: Vec<Option<Step>> = list.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(slots.len());
    while let Some(at) = ready.pop_first() {
        out.extend(slots[at].take());
        for next in &leads[at] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    // A cycle would be a bug; `lint` names it. Nothing is lost meanwhile.
    out.extend(slots.into_iter().flatten());
    out
}
