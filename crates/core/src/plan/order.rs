//! Order: within a node one step after the other, across nodes by gates between phases, and what
//! disturbs traffic one node after the other.

use std::collections::BTreeMap;

use super::Policy;
use crate::name::{NodeName, StepId};
use crate::step::{Phase, Risk, Step};

/// The steps of all nodes by phase, in the order of [`Phase::ALL`]; in each, one node after the other
/// by name.
#[derive(Default)]
pub(super) struct Phases([Vec<Step>; Phase::ALL.len()]);

impl Phases {
    /// Takes in the steps of a node, in their own order. Nodes come by name.
    pub(super) fn extend(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            self.0[step.phase as usize].push(step);
        }
    }

    /// Makes room for `more` times what is there: lists of a big fleet are not moved while they grow.
    pub(super) fn make_room(&mut self, more: usize) {
        // In the end all steps are put behind those of the first phase.
        let all = self.iter().count();
        self.0[0].reserve_exact(all * more);
        for list in &mut self.0[1..] {
            list.reserve_exact(list.len() * more);
        }
    }

    /// Drops the steps of a phase.
    pub(super) fn clear(&mut self, phase: Phase) {
        self.0[phase as usize] = Vec::new();
    }

    /// Drops the steps of all other phases.
    pub(super) fn only(&mut self, phase: Phase) {
        for other in Phase::ALL.into_iter().filter(|other| *other != phase) {
            self.clear(other);
        }
    }

    /// All steps, in order, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.0.iter_mut().flatten()
    }

    /// All steps, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().flatten()
    }
}

/// Puts the steps of all nodes in order.
///
/// By phase and node, the list is in the order of its dependences already: a step waits for the one
/// before it on its node, for a node earlier by name, or for a gate.
pub(super) fn order(phases: Phases, policy: &Policy) -> Vec<Step> {
    let count = phases.iter().count() + Phase::ALL.len();
    let mut ordered: Vec<Step> = Vec::new();
    let last = phases.0.iter().rposition(|list| !list.is_empty());
    for (at, mut list) in phases.0.into_iter().enumerate().filter(|(_, list)| !list.is_empty()) {
        let gate = ordered.last().map(|gate| &gate.id);
        if Phase::ALL[at] == Phase::Ceph {
            // Its steps come with their own order, across nodes.
            list.iter_mut().filter(|s| s.after.is_empty()).for_each(|s| s.after.extend(gate.cloned()));
        } else {
            chain(&mut list, gate);
        }
        roll(&mut list, policy);
        let wall = (Some(at) != last).then(|| wall(Phase::ALL[at], &list));
        if ordered.is_empty() {
            // The first phase is the largest by far: it is not moved.
            ordered = list;
            ordered.reserve(count - ordered.len());
        } else {
            ordered.append(&mut list);
        }
        ordered.extend(wall);
    }
    ordered
}

/// The gate after a phase: it waits for the last step of every node, which waits for those before.
fn wall(phase: Phase, list: &[Step]) -> Step {
    let ends = list.iter().zip(list.iter().skip(1)).filter(|(s, next)| s.node != next.node).map(|(s, _)| s);
    let mut after: Vec<StepId> = ends.chain(list.last()).map(|s| s.id.clone()).collect();
    after.sort_unstable();
    after.dedup();
    wall_after(format!("gate:{}", phase.word()), phase.word(), phase, after)
}

/// A gate that waits for these steps, which are all of what is called `name`.
pub(crate) fn wall_after(id: String, name: &str, phase: Phase, after: Vec<StepId>) -> Step {
    Step {
        id: id.into(),
        phase,
        node: None,
        title: format!("every node is done with \"{name}\"").into(),
        why: "the next part needs it on all nodes".into(),
        action: None,
        expect: None,
        undo: crate::step::Undo::None,
        proof: Vec::new(),
        patience: 0,
        risk: Risk::Safe,
        after,
        change: None,
        interrupts: "".into(),
        checkpoint: None,
    }
}

/// Each step after the one before it on the same node; the first after the gate.
fn chain(list: &mut [Step], gate: Option<&StepId>) {
    for at in 0..list.len() {
        let before = at.checked_sub(1).map(|i| &list[i]).filter(|s| s.node == list[at].node);
        let before = before.map(|s| &s.id).or(gate).cloned();
        list[at].after = before.into_iter().collect();
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
    for step in list.iter_mut().filter(|_| !extra.is_empty()) {
        if let Some(other) = extra.get(&step.id)
            && let Err(at) = step.after.binary_search(other)
        {
            step.after.insert(at, other.clone());
        }
    }
}
