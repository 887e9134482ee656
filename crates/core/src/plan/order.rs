//! Order: within a node one step after the other, across nodes by gates between phases, and what
//! disturbs traffic one node after the other.

use std::collections::BTreeMap;

use super::{Phase, Policy, Risk, Step, StepId};
use crate::name::NodeName;

/// Puts the steps of all nodes in order. `steps` holds each node's steps in their own order.
///
/// Sorted by phase and node, the list is in the order of its dependences already: a step waits for
/// the one before it on its node, for a node earlier by name, or for a gate.
pub(super) fn order(steps: Vec<Step>, policy: &Policy) -> Vec<Step> {
    let mut places: Vec<usize> = (0..steps.len()).collect();
    places.sort_by_key(|at| (steps[*at].phase, &steps[*at].node, *at));
    let mut slots: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let mut ordered: Vec<Step> = Vec::with_capacity(slots.len() + Phase::ALL.len());
    let mut sorted = places.into_iter().filter_map(|at| slots[at].take()).peekable();
    let mut gate: Option<StepId> = None;
    while let Some(phase) = sorted.peek().map(|s| s.phase) {
        let begin = ordered.len();
        while let Some(step) = sorted.next_if(|s| s.phase == phase) {
            ordered.push(step);
        }
        let list = &mut ordered[begin..];
        chain(list, gate.as_ref());
        roll(list, policy);
        if sorted.peek().is_some() {
            let wall = wall(phase, list);
            gate = Some(wall.id.clone());
            ordered.push(wall);
        }
    }
    ordered
}

/// The gate after a phase: it waits for the last step of every node, which waits for those before.
fn wall(phase: Phase, list: &[Step]) -> Step {
    let ends = list.iter().zip(list.iter().skip(1)).filter(|(s, next)| s.node != next.node).map(|(s, _)| s);
    Step {
        id: format!("gate:{}", phase.word()),
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
        after: ends.chain(list.last()).map(|s| s.id.clone()).collect(),
        change: None,
        interrupts: String::new(),
    }
}

/// Each step after the one before it on the same node; the first after the gate.
fn chain(list: &mut [Step], gate: Option<&StepId>) {
    for at in 0..list.len() {
        let before = at.checked_sub(1).map(|i| &list[i]).filter(|s| s.node == list[at].node);
        let before = before.map(|s| &s.id).or(gate).cloned();
        list[at].after.extend(before);
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
