//! Nodes, ports and links as a graph, before any hardware is known.
//!
//! Built from declared links or from discovered ones; used by the plan (addresses, static routes,
//! the order of disruptive steps), by `verify` and `drill` (expected path lengths, what a cut
//! separates) and by the drawing. It never reads a node and knows no speeds.
//!
//! All of it is linear or n·log n in nodes and links unless a function says otherwise, and nothing
//! recurses: 10,000 nodes are the tested size.

use std::collections::BTreeMap;

use petgraph::graph::{NodeIndex, UnGraph};
use serde::{Deserialize, Serialize};

use crate::name::{NodeName, PortName};
use crate::spec::{End, Spec, Transport};

mod cut;
mod distance;
#[cfg(feature = "sim")]
pub mod generate;
mod route;
mod shape;
mod survival;

pub use cut::Loss;
pub use distance::{ALL_PAIRS_LIMIT, Distances, FirstHop};
pub use route::StaticRoute;
pub use shape::{Near, NearShape, Shape};
pub use survival::{CableSplit, DETAIL_LIMIT, NodeSplit, Survival};

/// Where a cable ends: a port of a node, or just the node where the port is not known (yet).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Which node.
    pub node: NodeName,
    /// Which of its ports; `None`: whichever carries the cable.
    pub port: Option<PortName>,
}

impl From<&End> for Place {
    fn from(end: &End) -> Self {
        Self { node: end.node.clone(), port: end.port.clone() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}:{port}", self.node),
            None => write!(f, "{}", self.node),
        }
    }
}

/// Two places joined by a cable; `a` is always the smaller one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The smaller end.
    pub a: Place,
    /// The greater end.
    pub b: Place,
}

impl Link {
    /// The link between two places, in canonical order.
    pub fn new(one: Place, other: Place) -> Self {
        if one <= other { Self { a: one, b: other } } else { Self { a: other, b: one } }
    }

    /// The place of this link at a node, if the node is one of its ends.
    pub fn at(&self, node: &NodeName) -> Option<&Place> {
        [&self.a, &self.b].into_iter().find(|place| place.node == *node)
    }

    /// The place at the other end, seen from a node, if the node is one of its ends.
    pub fn opposite(&self, node: &NodeName) -> Option<&Place> {
        if self.a.node == *node {
            Some(&self.b)
        } else if self.b.node == *node {
            Some(&self.a)
        } else {
            None
        }
    }
}

impl std::fmt::Display for Link {
    /// `n2–n3`: the nodes alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}–{}", self.a.node, self.b.node)
    }
}

/// A link by its position in [`Topology::links`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(usize);

impl LinkId {
    /// The position in [`Topology::links`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// What a packet leaves a node through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// A cable from node to node.
    Link(LinkId),
    /// The switch all nodes share.
    Switch,
}

/// Nodes and the links between them, or the switch they share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub struct Topology {
    names: Vec<NodeName>,
    links: Vec<Link>,
    switch: Vec<Place>,
    /// Ends of each link as positions in `names`.
    ends: Vec<(usize, usize)>,
    /// For each node its neighbours over links, sorted by neighbour, then link.
    adjacent: Vec<Vec<(usize, LinkId)>>,
    /// Positions of the nodes on the switch, sorted, each once; empty without a switch.
    members: Vec<usize>,
    /// Who is joined to whom, each pair once, with the number of cables. The switch is one more
    /// vertex after the nodes.
    graph: UnGraph<(), u32, usize>,
}

/// The topology as it is stored and shown as JSON.
#[derive(Clone, Serialize, Deserialize)]
struct Parts {
    nodes: Vec<NodeName>,
    links: Vec<Link>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    switch: Vec<Place>,
}

impl From<Parts> for Topology {
    fn from(parts: Parts) -> Self {
        let cables = parts.links.into_iter().map(|link| (link.a, link.b));
        Self::build(parts.nodes, cables, parts.switch)
    }
}

impl From<Topology> for Parts {
    fn from(topology: Topology) -> Self {
        Self { nodes: topology.names, links: topology.links, switch: topology.switch }
    }
}

impl PartialEq for Topology {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names && self.links == other.links && self.switch == other.switch
    }
}

impl Eq for Topology {}

impl Topology {
    /// The topology of nodes joined by cables.
    ///
    /// The order of neither list matters. Nodes named by a cable alone are taken in. A cable given
    /// twice (seen from both ends) counts once; two cables of one pair count twice if their ports
    /// are given and differ. A cable from a node to itself joins nothing and is left out.
    pub fn new(
        nodes: impl IntoIterator<Item = NodeName>,
        cables: impl IntoIterator<Item = (Place, Place)>,
    ) -> Self {
        Self::build(nodes, cables, Vec::new())
    }

    /// The topology of nodes on one switch, by the ports that are plugged into it.
    pub fn on_switch(ports: impl IntoIterator<Item = Place>) -> Self {
        Self::build([], [], ports)
    }

    /// The topology a spec declares; `None` where cabling is to be discovered.
    pub fn declared(spec: &Spec) -> Option<Self> {
        let nodes = spec.nodes.iter().map(|node| node.name.clone());
        if spec.fabric.transport == Transport::Switch {
            return Some(Self::on_switch(spec.nodes.iter().map(|node| Place {
                node: node.name.clone(),
                port: node.ports.as_ref().and_then(|ports| ports.first().cloned()),
            })));
        }
        if spec.links.is_empty() {
            return None;
        }
        let cables = spec.links.iter().map(|link| {
            let [one, other] = &link.ends;
            (Place::from(one), Place::from(other))
        });
        Some(Self::new(nodes, cables))
    }

    fn build(
        nodes: impl IntoIterator<Item = NodeName>,
        cables: impl IntoIterator<Item = (Place, Place)>,
        switch: impl IntoIterator<Item = Place>,
    ) -> Self {
        let mut links: Vec<Link> = cables
            .into_iter()
            .filter(|(one, other)| one.node != other.node)
            .map(|(one, other)| Link::new(one, other))
            .collect();
        links.sort_unstable();
        links.dedup();
        let mut switch: Vec<Place> = switch.into_iter().collect();
        switch.sort_unstable();
        switch.dedup();
        let mut names: Vec<NodeName> = nodes.into_iter().collect();
        names.extend(links.iter().flat_map(|link| [link.a.node.clone(), link.b.node.clone()]));
        names.extend(switch.iter().map(|place| place.node.clone()));
        names.sort_unstable();
        names.dedup();

        let position = |name: &NodeName| names.partition_point(|other| other < name);
        let ends: Vec<_> =
            links.iter().map(|link| (position(&link.a.node), position(&link.b.node))).collect();
        let mut adjacent = vec![Vec::new(); names.len()];
        for (index, &(a, b)) in ends.iter().enumerate() {
            adjacent[a].push((b, LinkId(index)));
            adjacent[b].push((a, LinkId(index)));
        }
        for list in &mut adjacent {
            list.sort_unstable();
        }
        let plugs: Vec<_> = switch.iter().map(|place| position(&place.node)).collect();
        let mut members = plugs.clone();
        members.dedup();
        let graph = graph(names.len(), &ends, &plugs);
        Self { names, links, switch, ends, adjacent, members, graph }
    }

    /// All nodes, sorted.
    pub fn nodes(&self) -> &[NodeName] {
        &self.names
    }

    /// All links, sorted; a [`LinkId`] is a position here.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// All links with their ids.
    pub fn link_ids(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.links.iter().enumerate().map(|(index, link)| (LinkId(index), link))
    }

    /// The ports plugged into the shared switch, sorted; empty without one.
    pub fn switch(&self) -> &[Place] {
        &self.switch
    }

    /// One link. Ids of another topology may name a different link or panic.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id.0]
    }

    /// The links between two nodes.
    pub fn links_between(&self, one: &NodeName, other: &NodeName) -> Vec<LinkId> {
        let (Some(one), Some(other)) = (self.position(one), self.position(other)) else { return Vec::new() };
        let list = &self.adjacent[one];
        let from = list.partition_point(|&(near, _)| near < other);
        list[from..].iter().take_while(|&&(near, _)| near == other).map(|&(_, id)| id).collect()
    }

    /// The links of a node, with the node at the other end; sorted by that node.
    pub fn links_of(&self, node: &NodeName) -> Vec<(LinkId, &NodeName)> {
        self.position(node).map_or_else(Vec::new, |at| {
            self.adjacent[at].iter().map(|&(near, id)| (id, &self.names[near])).collect()
        })
    }

    /// The port a node uses for a way out, where it is known.
    pub fn port(&self, node: &NodeName, via: Via) -> Option<&PortName> {
        let place = match via {
            Via::Link(id) => self.link(id).at(node),
            Via::Switch => self.switch.iter().find(|place| place.node == *node),
        };
        place.and_then(|place| place.port.as_ref())
    }

    /// The part of this topology that lies among the given nodes.
    #[must_use]
    pub fn restricted(&self, nodes: &[NodeName]) -> Self {
        let mut keep = nodes.to_vec();
        keep.sort_unstable();
        let kept = |place: &Place| keep.binary_search(&place.node).is_ok();
        let links = self.links.iter().filter(|link| kept(&link.a) && kept(&link.b));
        let cables: Vec<_> = links.map(|link| (link.a.clone(), link.b.clone())).collect();
        let switch: Vec<_> = self.switch.iter().filter(|place| kept(place)).cloned().collect();
        Self::build(keep, cables, switch)
    }

    fn position(&self, name: &NodeName) -> Option<usize> {
        self.names.binary_search(name).ok()
    }

    /// How many cables join the nodes or a node and the switch.
    fn cable_count(&self) -> usize {
        self.links.len() + self.switch.len()
    }
}

fn graph(nodes: usize, ends: &[(usize, usize)], plugs: &[usize]) -> UnGraph<(), u32, usize> {
    let mut pairs: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for &(a, b) in ends {
        *pairs.entry((a.min(b), a.max(b))).or_default() += 1;
    }
    for &member in plugs {
        *pairs.entry((member, nodes)).or_default() += 1;
    }
    let vertices = nodes + usize::from(!plugs.is_empty());
    let mut graph = UnGraph::with_capacity(vertices, pairs.len());
    for _ in 0..vertices {
        graph.add_node(());
    }
    for ((a, b), cables) in pairs {
        graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), cables);
    }
    graph
}
