//! Path lengths: hops between nodes, first hops of the shortest paths, diameter and mean.
//!
//! Every link counts one hop, and so does a way through the switch, as in OpenFabric with equal
//! metrics. Used by `verify` (expected path lengths), static routes and the survival report.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::{Topology, Via};
use crate::into_map::IntoMap;
use crate::name::NodeName;

/// Above this many nodes, all-pairs figures are not computed.
pub const ALL_PAIRS_LIMIT: usize = 512;

/// "No way there" in a list of distances.
pub(super) const UNREACHED: u32 = u32::MAX;

/// Path lengths over all pairs of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distances {
    /// Hops between the two nodes farthest apart.
    pub diameter: u32,
    /// Mean hops over all pairs of different nodes.
    pub mean: f64,
}

/// The first step of a shortest path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FirstHop {
    /// What the packet leaves through.
    pub via: Via,
    /// The node it meets first.
    pub next: NodeName,
}

impl Topology {
    /// Hops between two nodes; `None` where no path or no such node is.
    pub fn hops(&self, from: &NodeName, to: &NodeName) -> Option<u32> {
        let (from, to) = (self.position(from)?, self.position(to)?);
        Some(self.distances_from(from)[to]).filter(|&hops| hops != UNREACHED)
    }

    /// Hops from one node to every other one it reaches.
    pub fn hops_from(&self, from: &NodeName) -> BTreeMap<NodeName, u32> {
        let Some(from) = self.position(from) else { return BTreeMap::new() };
        let hops = self.distances_from(from);
        let reached = (0..hops.len()).filter(|&at| at != from && hops[at] != UNREACHED);
        reached.map(|at| (self.names[at].clone(), hops[at])).into_map()
    }

    /// Diameter and mean hops; `None` when disconnected, of one node only, or beyond
    /// [`ALL_PAIRS_LIMIT`] nodes. Costs nodes × links.
    pub fn distances(&self) -> Option<Distances> {
        let nodes = self.names.len();
        if !(2..=ALL_PAIRS_LIMIT).contains(&nodes) {
            return None;
        }
        let (mut diameter, mut sum) = (0, 0_u64);
        for from in 0..nodes {
            for hops in self.distances_from(from) {
                if hops == UNREACHED {
                    return None;
                }
                diameter = diameter.max(hops);
                sum += u64::from(hops);
            }
        }
        let pairs = (nodes * (nodes - 1)) as f64;
        Some(Distances { diameter, mean: sum as f64 / pairs })
    }

    /// For every node reached from one, all first hops of its shortest paths, sorted.
    pub fn paths(&self, from: &NodeName) -> BTreeMap<NodeName, Vec<FirstHop>> {
        let Some(start) = self.position(from) else { return BTreeMap::new() };
        let hops = self.distances_from(start);
        let mut order: Vec<usize> =
            (0..hops.len()).filter(|&at| at != start && hops[at] != UNREACHED).collect();
        order.sort_by_key(|&at| hops[at]);
        let mut first: Vec<Vec<(Via, usize)>> = vec![Vec::new(); hops.len()];
        let mut through_switch: BTreeMap<u32, Vec<(Via, usize)>> = BTreeMap::new();
        for &at in &order {
            let mut found = Vec::new();
            for &(near, id) in &self.adjacent[at] {
                if near == start {
                    found.push((Via::Link(id), at));
                } else if hops[near] != UNREACHED && hops[near] + 1 == hops[at] {
                    found.extend_from_slice(&first[near]);
                }
            }
            if self.members.binary_search(&at).is_ok() {
                let before = hops[at] - 1;
                if before == 0 && self.members.binary_search(&start).is_ok() {
                    found.push((Via::Switch, at));
                } else {
                    // The same for all members at this distance: gathered once.
                    let shared = through_switch.entry(before).or_insert_with(|| {
                        let inner = self.members.iter().filter(|&&member| hops[member] == before);
                        inner.flat_map(|&member| first[member].clone()).collect()
                    });
                    found.extend_from_slice(shared);
                }
            }
            found.sort_unstable();
            found.dedup();
            first[at] = found;
        }
        let named = |(via, next): (Via, usize)| FirstHop { via, next: self.names[next].clone() };
        order
            .into_iter()
            .map(|at| {
                (self.names[at].clone(), std::mem::take(&mut first[at]).into_iter().map(named).collect())
            })
            .collect()
    }

    /// Hops from one node to all, by position; [`UNREACHED`] where there is no path.
    pub(super) fn distances_from(&self, from: usize) -> Vec<u32> {
        let mut hops = vec![UNREACHED; self.names.len()];
        let mut queue = VecDeque::from([from]);
        let mut switch_used = false;
        hops[from] = 0;
        while let Some(at) = queue.pop_front() {
            let next = hops[at] + 1;
            let mut reach = |near: usize| {
                if hops[near] == UNREACHED {
                    hops[near] = next;
                    queue.push_back(near);
                }
            };
            for &(near, _) in &self.adjacent[at] {
                reach(near);
            }
            if !switch_used && self.members.binary_search(&at).is_ok() {
                switch_used = true;
                for &near in &self.members {
                    reach(near);
                }
            }
        }
        hops
    }
}
