//! Static routes with backups: what `routing = "static"` writes on a node.
//!
//! A backup is a loop-free alternate by the inequality of RFC 5286, section 3.1: a neighbour N may
//! stand in for the way from S to D if dist(N, D) < dist(N, S) + dist(S, D), so that N does not
//! send the packet back. It covers the loss of the cable; when D itself is dead, packets to it may
//! bounce between two backups until their hop limit ends them. Rings of four or more nodes have no
//! such alternate for every destination: a route without a backup says so by having none.

use serde::Serialize;

use super::distance::UNREACHED;
use super::{Topology, Via};
use crate::name::NodeName;

/// One route of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StaticRoute {
    /// The node the route leads to.
    pub to: NodeName,
    /// Whether this route is for when the better ones are gone.
    pub backup: bool,
    /// Hops along this route.
    pub hops: u32,
    /// The neighbour that forwards, or `to` itself.
    pub next_node: NodeName,
    /// What the packet leaves through.
    pub via: Via,
}

impl Topology {
    /// The routes of a node, sorted by destination: for each exactly one that is no backup, then
    /// its backups, the shortest first. Costs (neighbours + 1) × links.
    pub fn static_routes(&self, from: &NodeName) -> Vec<StaticRoute> {
        let Some(start) = self.position(from) else { return Vec::new() };
        let ways = self.ways_out(start);
        let own = self.distances_from(start);
        let mut near: Vec<usize> = ways.iter().map(|&(next, _)| next).collect();
        near.dedup();
        let from_near: Vec<Vec<u32>> = near.iter().map(|&next| self.distances_from(next)).collect();
        let of = |next: usize| &from_near[near.partition_point(|&other| other < next)];

        let mut routes = Vec::new();
        for to in (0..own.len()).filter(|&to| to != start && own[to] != UNREACHED) {
            // dist(N, S) is 1 for every neighbour.
            let mut usable: Vec<(u32, usize, Via)> = ways
                .iter()
                .map(|&(next, via)| (of(next)[to], next, via))
                .filter(|&(rest, _, _)| rest != UNREACHED && rest < 1 + own[to])
                .collect();
            usable.sort_unstable();
            let Some(&(_, _, best)) = usable.first() else { continue };
            // What shares the best way's port fails with it.
            let alternates = usable.iter().skip(1).filter(|&&(_, _, via)| via != best);
            for (index, &(rest, next, via)) in usable.first().into_iter().chain(alternates).enumerate() {
                routes.push(StaticRoute {
                    to: self.names[to].clone(),
                    backup: index > 0,
                    hops: rest + 1,
                    next_node: self.names[next].clone(),
                    via,
                });
            }
        }
        routes
    }

    /// Every neighbour with every way to it, sorted.
    fn ways_out(&self, start: usize) -> Vec<(usize, Via)> {
        let mut ways: Vec<(usize, Via)> =
            self.adjacent[start].iter().map(|&(near, id)| (near, Via::Link(id))).collect();
        if self.members.binary_search(&start).is_ok() {
            let others = self.members.iter().filter(|&&member| member != start);
            ways.extend(others.map(|&member| (member, Via::Switch)));
        }
        ways.sort_unstable();
        ways
    }
}
