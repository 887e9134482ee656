//! What a topology survives, as data and as one sentence for people.
//!
//! Shown by `plan`, `discover` and `verify`; the sentence is the one line under the drawing.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Link, LinkId, Loss, Shape, Topology};
use crate::name::NodeName;

/// How many splits are told in full; the rest are counted only, so that a line of thousands of
/// nodes stays cheap.
pub const DETAIL_LIMIT: usize = 16;

/// How many splits a sentence names before it only counts.
const NAMED_LIMIT: usize = 3;

/// How many nodes of a group are named before they are only counted.
const GROUP_LIMIT: usize = 6;

/// A cable whose loss separates nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CableSplit {
    /// The cable.
    pub link: Link,
    /// What it holds together, the smaller part first.
    pub parts: Vec<Vec<NodeName>>,
}

/// A node whose loss separates others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeSplit {
    /// The node.
    pub node: NodeName,
    /// What it holds together, the smaller parts first.
    pub parts: Vec<Vec<NodeName>>,
}

/// What a topology survives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survival {
    /// Whether all nodes are connected now.
    pub connected: bool,
    /// Whether any one cable may fail and all nodes stay connected.
    pub any_cable: bool,
    /// Whether any one node may fail and all others stay connected.
    pub any_node: bool,
    /// Whether a switch holds nodes together that nothing else joins.
    pub switch_splits: bool,
    /// How many cables from node to node split the mesh.
    pub splitting_cables: usize,
    /// How many nodes split the mesh.
    pub splitting_nodes: usize,
    /// Those cables and whom they separate; at most [`DETAIL_LIMIT`].
    pub cables: Vec<CableSplit>,
    /// Those nodes and whom they separate; at most [`DETAIL_LIMIT`].
    pub nodes: Vec<NodeSplit>,
    /// All of this for people: one line, no full stop.
    pub sentence: String,
}

impl Topology {
    /// What the topology survives.
    pub fn survives(&self) -> Survival {
        let shape = self.shape();
        let bridges = self.bridges();
        let cut_nodes = self.articulation_points();
        let connected = !matches!(shape, Shape::Pieces { .. });
        let hanging = self.hanging_on_switch();
        let cables: Vec<_> = bridges.iter().take(DETAIL_LIMIT).map(|&id| self.cable_split(id)).collect();
        let nodes: Vec<_> = cut_nodes.iter().take(DETAIL_LIMIT).map(|node| self.node_split(node)).collect();
        let mut survival = Survival {
            connected,
            any_cable: connected && bridges.is_empty() && hanging.is_empty(),
            any_node: connected && cut_nodes.is_empty(),
            switch_splits: !self.loss_of_switch().is_nothing(),
            splitting_cables: bridges.len(),
            splitting_nodes: cut_nodes.len(),
            cables,
            nodes,
            sentence: String::new(),
        };
        survival.sentence = self.sentence(&shape, &survival);
        survival
    }

    /// What it is, in a few words: `ring of 5 nodes, 5 cables`, or
    /// `line of 3 nodes, 2 cables, a ring with one cable missing (n2–n4)`.
    pub fn headline(&self) -> String {
        let nodes = self.nodes().len();
        let cables = count(self.cable_count(), "cable");
        let mut line = match self.shape() {
            Shape::Single => return count(nodes, "node"),
            Shape::Pair => format!("pair of nodes, {cables}"),
            Shape::Star { centre } => format!("star of {nodes} nodes around {centre}, {cables}"),
            Shape::Switch => format!("{nodes} nodes on one switch"),
            Shape::Custom => format!("{nodes} nodes, {cables}"),
            Shape::Pieces { pieces } => {
                format!("{nodes} nodes in {} pieces, {cables}", pieces.len())
            }
            shape @ (Shape::Line | Shape::Ring | Shape::FullMesh) => {
                format!("{shape} of {nodes} nodes, {cables}")
            }
        };
        if let Some(near) = self.near() {
            let _ = write!(line, ", a {near}");
        }
        line
    }

    fn cable_split(&self, id: LinkId) -> CableSplit {
        CableSplit { link: self.link(id).clone(), parts: smallest_first(self.loss_of_link(id)) }
    }

    fn node_split(&self, node: &NodeName) -> NodeSplit {
        NodeSplit { node: node.clone(), parts: smallest_first(self.loss_of_node(node)) }
    }

    fn sentence(&self, shape: &Shape, survival: &Survival) -> String {
        match shape {
            Shape::Single => "one node alone: there is nothing to keep connected".to_owned(),
            Shape::Pieces { pieces } => {
                let shown: Vec<String> = pieces.iter().take(NAMED_LIMIT).map(|piece| group(piece)).collect();
                let more = more(pieces.len(), "piece");
                format!("no cable joins {}{more}", and(&shown))
            }
            Shape::Pair => self.pair_sentence(),
            Shape::Line => {
                let mut text = "each cable and each inner node is a single point of failure".to_owned();
                if let Some((a, b)) = self.missing_for_ring().and_then(|pairs| pairs.into_iter().next()) {
                    let _ = write!(text, "; a cable {a}–{b} would close the ring");
                }
                text
            }
            Shape::Star { centre } => format!(
                "each cable is the only one of its outer node, and if {centre} fails, no node \
                 reaches another"
            ),
            Shape::Switch => "any one node may fail; if a cable fails, its node is alone, and if the switch \
                              fails, all are"
                .to_owned(),
            Shape::FullMesh => {
                let spare = self.nodes().len() - 2;
                format!("any {spare} cables or nodes may fail; the rest stays connected")
            }
            Shape::Ring | Shape::Custom => self.general_sentence(shape, survival),
        }
    }

    fn pair_sentence(&self) -> String {
        let [one, other] = self.nodes() else { return String::new() };
        match self.links().len() {
            1 => format!("if {one}–{other} fails, the two nodes lose each other"),
            cables => {
                format!("{cables} cables join {one} and {other}: the nodes lose each other only if all fail")
            }
        }
    }

    fn general_sentence(&self, shape: &Shape, survival: &Survival) -> String {
        let mut text = match (survival.any_cable, survival.any_node) {
            (true, true) => "any one cable or node may fail; the rest stays connected".to_owned(),
            (true, false) => "any one cable may fail; ".to_owned(),
            (false, true) => "any one node may fail; ".to_owned(),
            (false, false) => String::new(),
        };
        let mut faults: Vec<String> = Vec::new();
        if survival.splitting_cables + survival.splitting_nodes <= NAMED_LIMIT {
            faults.extend(survival.cables.iter().map(cable_sentence));
            faults.extend(survival.nodes.iter().map(node_sentence));
        } else {
            faults.push(single_points(survival));
        }
        if survival.switch_splits {
            faults.push("if the switch fails, the mesh falls apart".to_owned());
        }
        text.push_str(&faults.join("; "));
        if *shape == Shape::Ring && self.nodes().len() > 3 {
            let (mean, most) = ring_hops(self.nodes().len());
            let _ = write!(text, "; {mean:.1} hops on average, {most} at most");
        }
        text
    }
}

/// The parts of a loss, equal ones by name.
fn smallest_first(loss: Loss) -> Vec<Vec<NodeName>> {
    let mut parts = loss.separated;
    parts.sort_by_key(Vec::len);
    parts
}

fn cable_sentence(split: &CableSplit) -> String {
    let link = &split.link;
    let (a, b) = (&link.a.node, &link.b.node);
    let [small, big] = &split.parts[..] else { return format!("if {link} fails, the mesh falls apart") };
    let verb = if small.len() == 1 { "loses" } else { "lose" };
    format!("one cable holds {a} and {b} together: if {link} fails, {} {verb} {}", group(small), group(big))
}

fn node_sentence(split: &NodeSplit) -> String {
    let parts: Vec<String> = split.parts.iter().take(NAMED_LIMIT).map(|part| group(part)).collect();
    let rest = more(split.parts.len(), "piece");
    format!("if node {} fails, {}{rest} lose each other", split.node, and(&parts))
}

/// `7 cables (n1–n4, n2–n5, …) and 1 node (n1) are single points of failure`
fn single_points(survival: &Survival) -> String {
    let list = |number: usize, what: &str, mut names: Vec<String>| {
        if number > names.len() {
            names.push("…".to_owned());
        }
        (number > 0).then(|| format!("{} ({})", count(number, what), names.join(", ")))
    };
    let cables = survival.cables.iter().take(NAMED_LIMIT).map(|split| split.link.to_string());
    let nodes = survival.nodes.iter().take(NAMED_LIMIT).map(|split| split.node.to_string());
    let points: Vec<String> = list(survival.splitting_cables, "cable", cables.collect())
        .into_iter()
        .chain(list(survival.splitting_nodes, "node", nodes.collect()))
        .collect();
    format!("{} are single points of failure", and(&points))
}

/// `n2`, `{n2, n3}`, or `{n01, n02, … 8 more}` when long.
fn group(nodes: &[NodeName]) -> String {
    if let [alone] = nodes {
        return alone.to_string();
    }
    let mut shown: Vec<&str> = nodes.iter().take(GROUP_LIMIT).map(NodeName::as_str).collect();
    let rest = format!("… {} more", nodes.len().saturating_sub(GROUP_LIMIT));
    if nodes.len() > GROUP_LIMIT {
        shown.push(&rest);
    }
    format!("{{{}}}", shown.join(", "))
}

fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn more(total: usize, what: &str) -> String {
    match total.saturating_sub(NAMED_LIMIT) {
        0 => String::new(),
        rest => format!(" (and {})", count(rest, &format!("more {what}"))),
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// Mean and greatest path length of a ring.
fn ring_hops(nodes: usize) -> (f64, usize) {
    let sum: usize = (1..nodes).map(|at| at.min(nodes - at)).sum();
    (sum as f64 / (nodes - 1) as f64, nodes / 2)
}
