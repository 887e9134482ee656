//! What is done and not shown yet: steps of the same title and reason become one line.
//!
//! Used by `progress`. It knows nothing of terminals.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::name::StepId;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::Phase;

use crate::render::nodes;

/// A line about finished steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The nodes, as they are shown.
    pub(super) nodes: String,
    /// What was done.
    pub(super) title: String,
    /// Milliseconds the slowest of them took.
    pub(super) slowest_ms: u64,
}

/// Steps that are the same but for the node.
#[derive(Debug)]
struct Group {
    title: String,
    /// The nodes, in the order of the plan.
    nodes: Vec<String>,
    /// Places in `nodes` of those that are done and not shown.
    done: BTreeSet<usize>,
    /// Steps without an end.
    left: usize,
    slowest_ms: u64,
}

/// All groups of a plan.
#[derive(Debug)]
pub(super) struct Board {
    groups: Vec<Group>,
    /// Group and place in it, by the step's id.
    of: BTreeMap<StepId, (usize, usize)>,
    /// Nodes, and how many steps of each have no end yet.
    names: BTreeMap<String, usize>,
}

impl Board {
    /// The board of a plan with nothing done.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut board = Self { groups: Vec::new(), of: BTreeMap::new(), names: BTreeMap::new() };
        let mut index = BTreeMap::new();
        for step in &plan.steps {
            let Some(node) = &step.node else { continue };
            // Nodes that take turns have a line of their own each.
            let own = (step.phase == Phase::Maintain).then_some(node);
            let at = *index.entry((step.phase, &step.title, &step.why, own)).or_insert(board.groups.len());
            if at == board.groups.len() {
                board.groups.push(Group {
                    title: step.title.to_string(),
                    nodes: Vec::new(),
                    done: BTreeSet::new(),
                    left: 0,
                    slowest_ms: 0,
                });
            }
            let group = &mut board.groups[at];
            board.of.insert(step.id.clone(), (at, group.nodes.len()));
            group.nodes.push(node.to_string());
            group.left += 1;
            *board.names.entry(node.to_string()).or_default() += 1;
        }
        board
    }

    /// How many nodes the plan is about.
    pub(super) fn nodes(&self) -> usize {
        self.names.len()
    }

    /// Columns of the longest name of a node.
    pub(super) fn longest_name(&self) -> usize {
        self.names.keys().map(|n| n.chars().count()).max().unwrap_or(0)
    }

    /// Columns of the longest list of nodes.
    pub(super) fn longest_list(&self) -> usize {
        let list = |group: &Group| {
            let names: Vec<&str> = group.nodes.iter().map(String::as_str).collect();
            nodes(&names, self.names.len()).chars().count()
        };
        self.groups.iter().map(list).max().unwrap_or(0)
    }

    /// Whether a node has nothing more to do.
    pub(super) fn is_through(&self, node: &str) -> bool {
        self.names.get(node).is_none_or(|left| *left == 0)
    }

    /// A step is done; its group's line, when it was the last one.
    pub(super) fn done(&mut self, step: &str, took_ms: u64) -> Option<Line> {
        let &(at, place) = self.of.get(step)?;
        let group = &mut self.groups[at];
        group.done.insert(place);
        group.slowest_ms = group.slowest_ms.max(took_ms);
        self.ended(at, place)
    }

    /// A step will not be done; its group's line, when it was the last one and others are done.
    pub(super) fn dropped(&mut self, step: &str) -> Option<Line> {
        let &(at, place) = self.of.get(step)?;
        self.ended(at, place)
    }

    fn ended(&mut self, at: usize, place: usize) -> Option<Line> {
        let group = &mut self.groups[at];
        if let Some(left) = self.names.get_mut(&group.nodes[place]) {
            *left = left.saturating_sub(1);
        }
        group.left = group.left.saturating_sub(1);
        if group.left == 0 { self.take(at) } else { None }
    }

    /// Lines of everything done and not shown, in the order of the plan.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        (0..self.groups.len()).filter_map(|at| self.take(at)).collect()
    }

    fn take(&mut self, at: usize) -> Option<Line> {
        let all = self.names.len();
        let group = &mut self.groups[at];
        let done = std::mem::take(&mut group.done);
        if done.is_empty() {
            return None;
        }
        let names: Vec<&str> = done.iter().map(|place| group.nodes[*place].as_str()).collect();
        let slowest_ms = std::mem::take(&mut group.slowest_ms);
        Some(Line { nodes: nodes(&names, all), title: group.title.clone(), slowest_ms })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use ringbolt_core::name::NodeName;
    use ringbolt_core::step::{Phase, Risk, Step, Undo};

    use super::*;

    fn plan(nodes: usize, titles: &[&str]) -> Plan {
        let step = |node: usize, title: &str| Step {
            id: format!("n{node}/{title}").into(),
            phase: Phase::Prepare,
            node: Some(NodeName::new(&format!("n{node}")).unwrap()),
            title: title.to_owned().into(),
            why: "because".into(),
            action: None,
            expect: None,
            undo: Undo::None,
            proof: Vec::new(),
            patience: 0,
            risk: Risk::Safe,
            after: Vec::new(),
            change: None,
            interrupts: "".into(),
            checkpoint: None,
        };
        let steps = (1..=nodes).flat_map(|n| titles.iter().map(move |t| step(n, t))).collect();
        Plan { steps, ..Plan::default() }
    }

    fn line(nodes: &str, title: &str, slowest_ms: u64) -> Line {
        Line { nodes: nodes.into(), title: title.into(), slowest_ms }
    }

    #[test]
    fn the_last_node_brings_the_line_with_the_slowest_time() {
        let mut board = Board::new(&plan(3, &["a", "b"]));
        assert_eq!(board.done("n3/a", 900), None);
        assert_eq!(board.done("n1/a", 20), None);
        assert_eq!(board.done("n1/b", 20), None);
        assert_eq!(board.done("n2/a", 10), Some(line("n1 n2 n3", "a", 900)));
        assert!(board.is_through("n1") && !board.is_through("n2"));
        assert_eq!(board.rest(), [line("n1", "b", 20)]);
        assert_eq!(board.rest(), []);
    }

    #[test]
    fn a_group_with_a_failure_tells_who_is_done() {
        let mut board = Board::new(&plan(3, &["a"]));
        board.done("n1/a", 5);
        assert_eq!(board.rest(), [line("n1", "a", 5)]);
        assert_eq!(board.dropped("n2/a"), None);
        assert_eq!(board.done("n3/a", 7), Some(line("n3", "a", 7)));
        assert_eq!(board.done("n9/a", 7), None);
    }

    #[test]
    fn many_nodes_are_counted() {
        let mut board = Board::new(&plan(16, &["a"]));
        for n in 1..=9 {
            assert_eq!(board.done(&format!("n{n}/a"), 1), None);
        }
        assert_eq!(board.rest(), [line("9 of 16 nodes", "a", 1)]);
        assert_eq!(board.longest_list(), "16 nodes".len());
    }
}
