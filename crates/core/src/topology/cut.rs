//! What falls apart when a link or a node goes: pieces, bridges, cut nodes, losses.
//!
//! Used by the shape, the survival report, the drill and the planner's rolling order.

use std::collections::BTreeMap;

use petgraph::algo::articulation_points::articulation_points;
use petgraph::algo::bridges;
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use serde::Serialize;

use super::{LinkId, Topology};
use crate::name::NodeName;

/// What a failure separates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The pieces the nodes that were connected before fall into: the biggest first, then by name.
    /// Empty when the rest stays connected. A node that failed is in none of them.
    pub separated: Vec<Vec<NodeName>>,
}

impl Loss {
    /// Whether the rest stays connected.
    pub fn is_nothing(&self) -> bool {
        self.separated.is_empty()
    }
}

impl Topology {
    /// The connected pieces: the biggest first, then by name; one piece when all is well.
    pub fn pieces(&self) -> Vec<Vec<NodeName>> {
        self.named(self.pieces_without(&[], None))
    }

    /// The links whose loss separates some nodes, sorted.
    ///
    /// Cables between a node and the switch are not links; see [`Topology::hanging_on_switch`].
    pub fn bridges(&self) -> Vec<LinkId> {
        let mut found: Vec<LinkId> = self
            .bridge_pairs()
            .filter_map(|(a, b)| {
                let list = self.adjacent.get(a)?;
                list.iter().find(|&&(near, _)| near == b).map(|&(_, id)| id)
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// The nodes whose only way to some others is their one cable to the switch, sorted.
    pub fn hanging_on_switch(&self) -> Vec<NodeName> {
        let hub = self.names.len();
        let mut found: Vec<NodeName> = self
            .bridge_pairs()
            .filter_map(|(a, b)| if b == hub { self.names.get(a) } else { None })
            .cloned()
            .collect();
        found.sort_unstable();
        found
    }

    /// Pairs joined by a single cable that is a bridge, the smaller position first.
    fn bridge_pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        bridges(&self.graph).filter(|edge| *edge.weight() == 1).map(|edge| {
            let (a, b) = (edge.source().index(), edge.target().index());
            (a.min(b), a.max(b))
        })
    }

    /// The nodes whose loss separates some of the others, sorted.
    pub fn articulation_points(&self) -> Vec<NodeName> {
        let mut found: Vec<NodeName> = articulation_points(&self.graph)
            .into_iter()
            .filter_map(|vertex| self.names.get(vertex.index()).cloned())
            .collect();
        found.sort_unstable();
        found
    }

    /// What is lost when a link goes.
    pub fn loss_of_link(&self, id: LinkId) -> Loss {
        let (a, _) = self.ends[id.0];
        self.loss(&[], Some(id), &[a])
    }

    /// What is lost when a node goes; nothing if there is no such node.
    pub fn loss_of_node(&self, node: &NodeName) -> Loss {
        self.position(node).map_or_else(Loss::default, |at| self.loss(&[at], None, &[at]))
    }

    /// What is lost when the shared switch goes.
    pub fn loss_of_switch(&self) -> Loss {
        self.loss(&[self.names.len()], None, &self.members)
    }

    /// Whether the rest falls apart when all of these nodes are away at once. What was apart
    /// before does not count. Linear in nodes and links.
    pub fn joint_loss_cuts(&self, nodes: &[NodeName]) -> bool {
        let mut gone: Vec<usize> = nodes.iter().filter_map(|node| self.position(node)).collect();
        gone.sort_unstable();
        gone.dedup();
        let before = self.labels_without(&[], None);
        let after = self.labels_without(&gone, None);
        // Each piece of before may live on in one piece of after only.
        let mut heir: BTreeMap<usize, usize> = BTreeMap::new();
        (0..self.names.len())
            .filter(|vertex| gone.binary_search(vertex).is_err())
            .any(|vertex| *heir.entry(before[vertex]).or_insert(after[vertex]) != after[vertex])
    }

    /// The pieces left of what hung together with one of `around`, if more than one.
    fn loss(&self, gone: &[usize], cut: Option<LinkId>, around: &[usize]) -> Loss {
        let before = self.labels_without(&[], None);
        let Some(label) = around.first().map(|&vertex| before[vertex]) else { return Loss::default() };
        let mut pieces = self.pieces_without(gone, cut);
        pieces.retain(|piece| piece.first().is_some_and(|&vertex| before[vertex] == label));
        if pieces.len() < 2 {
            pieces.clear();
        }
        Loss { separated: self.named(pieces) }
    }

    /// For every vertex the label of its piece, with some vertices and at most one link away.
    fn labels_without(&self, gone: &[usize], cut: Option<LinkId>) -> Vec<usize> {
        let mut away = vec![false; self.names.len() + 1];
        for &vertex in gone {
            away[vertex] = true;
        }
        let mut sets: UnionFind<usize> = UnionFind::new(self.names.len() + 1);
        for (index, &(a, b)) in self.ends.iter().enumerate() {
            if !away[a] && !away[b] && cut != Some(LinkId(index)) {
                sets.union(a, b);
            }
        }
        let hub = self.names.len();
        for &member in &self.members {
            if !away[member] && !away[hub] {
                sets.union(member, hub);
            }
        }
        sets.into_labeling()
    }

    pub(super) fn pieces_without(&self, gone: &[usize], cut: Option<LinkId>) -> Vec<Vec<usize>> {
        let labels = self.labels_without(gone, cut);
        let mut by_label: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for vertex in (0..self.names.len()).filter(|vertex| !gone.contains(vertex)) {
            by_label.entry(labels[vertex]).or_default().push(vertex);
        }
        let mut pieces: Vec<_> = by_label.into_values().collect();
        pieces.sort_by(|x, y| y.len().cmp(&x.len()).then_with(|| x.cmp(y)));
        pieces
    }

    fn named(&self, pieces: Vec<Vec<usize>>) -> Vec<Vec<NodeName>> {
        let name = |vertex: usize| self.names[vertex].clone();
        pieces.into_iter().map(|piece| piece.into_iter().map(name).collect()).collect()
    }
}
