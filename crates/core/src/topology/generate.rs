//! Topologies of known shape and any size, for tests, benches and the lab.
//!
//! Nodes are `n1`, `n2`, … with leading zeros so that they sort; the ports of a node are `en05`,
//! `en06`, … in the order its cables are made.

use super::{Place, Topology};
use crate::name::{NodeName, PortName};

/// Nodes in a row.
pub fn line(nodes: usize) -> Topology {
    cabled(nodes, (1..nodes).map(|at| (at - 1, at)))
}

/// Nodes in a loop; fewer than three make a line.
pub fn ring(nodes: usize) -> Topology {
    let closing = (nodes > 2).then(|| (nodes - 1, 0));
    cabled(nodes, (1..nodes).map(|at| (at - 1, at)).chain(closing))
}

/// Each node joined to every other.
pub fn mesh(nodes: usize) -> Topology {
    cabled(nodes, (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))))
}

/// All nodes joined to the first.
pub fn star(nodes: usize) -> Topology {
    cabled(nodes, (1..nodes).map(|at| (0, at)))
}

/// Every node with one port in one switch.
pub fn switch(nodes: usize) -> Topology {
    Topology::on_switch((0..nodes).map(|at| Place { node: node(at, nodes), port: Some(port(0)) }))
}

/// A grid, each node joined to the next in its row and in its column.
pub fn grid(width: usize, height: usize) -> Topology {
    let right = (0..width * height).filter(move |at| at % width + 1 < width).map(|at| (at, at + 1));
    let down = (width..width * height).map(|at| (at - width, at));
    cabled(width * height, right.chain(down))
}

/// A fat tree of switches with `ports` ports each (an even number), all of them nodes, down to the
/// hosts: ports³/4 hosts, ports² in the pods, ports²/4 in the core.
pub fn fat_tree(ports: usize) -> Topology {
    let half = ports / 2;
    let core = half * half;
    let aggregation = |pod: usize, at: usize| core + pod * half + at;
    let edge = |pod: usize, at: usize| core + ports * half + pod * half + at;
    let host = |pod: usize, at: usize, slot: usize| core + 2 * ports * half + (pod * half + at) * half + slot;
    let mut pairs = Vec::new();
    for pod in 0..ports {
        for at in 0..half {
            for slot in 0..half {
                pairs.push((at * half + slot, aggregation(pod, at)));
                pairs.push((aggregation(pod, slot), edge(pod, at)));
                pairs.push((edge(pod, at), host(pod, at, slot)));
            }
        }
    }
    cabled(core + 2 * ports * half + ports * half * half, pairs)
}

/// Any graph, by pairs of positions below `nodes`.
pub fn cabled(nodes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Topology {
    let mut used = vec![0; nodes];
    let mut place = |at: usize| {
        used[at] += 1;
        Place { node: node(at, nodes), port: Some(port(used[at] - 1)) }
    };
    let cables: Vec<_> = pairs.into_iter().map(|(a, b)| (place(a), place(b))).collect();
    Topology::new((0..nodes).map(|at| node(at, nodes)), cables)
}

/// The name of a generated node, by position.
#[expect(clippy::expect_used, reason = "`n` and digits is a node name")]
pub fn node(at: usize, nodes: usize) -> NodeName {
    let width = nodes.to_string().len();
    NodeName::new(&format!("n{:0width$}", at + 1)).expect("a valid name")
}

/// The name of a generated port, by position on its node.
#[expect(clippy::expect_used, reason = "`en` and digits is a port name")]
fn port(at: usize) -> PortName {
    PortName::new(&format!("en{:02}", at + 5)).expect("a valid name")
}
