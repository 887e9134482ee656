//! Shapes: which ports are joined when only a number of nodes and a word are given. Pure; used by `lab up`.

use std::str::FromStr;

/// A port of a node: the node's place in the list, and the port's number on it.
pub type PortAt = (usize, u32);

/// How nodes are cabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each with its two neighbours; two nodes share one cable.
    Ring,
    /// As a ring with one cable missing.
    Line,
    /// Everyone with everyone.
    Mesh,
    /// Everyone with the first.
    Star,
    /// One cable each to a switch.
    Switch,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "ring" => Self::Ring,
            "line" => Self::Line,
            "mesh" => Self::Mesh,
            "star" => Self::Star,
            "switch" => Self::Switch,
            other => return Err(format!("no shape `{other}`: ring, line, mesh, star or switch")),
        })
    }
}

/// The cables of a shape over `nodes` nodes, as pairs of ports. A switch has none between nodes: every node's
/// port 0 goes to it. Ports are taken in order of appearance, except in a ring, where port 0 looks forward and
/// port 1 back.
#[must_use]
pub fn shape(kind: Shape, nodes: usize) -> Vec<(PortAt, PortAt)> {
    let pairs: Vec<(usize, usize)> = match kind {
        Shape::Switch => Vec::new(),
        Shape::Ring if nodes > 2 => {
            return (0..nodes).map(|i| ((i, 0), ((i + 1) % nodes, 1))).collect();
        }
        Shape::Ring | Shape::Line => (1..nodes).map(|i| (i - 1, i)).collect(),
        Shape::Star => (1..nodes).map(|i| (0, i)).collect(),
        Shape::Mesh => (0..nodes).flat_map(|i| (i + 1..nodes).map(move |j| (i, j))).collect(),
    };
    let mut free = vec![0; nodes];
    let mut take = |node: usize| {
        free[node] += 1;
        (node, free[node] - 1)
    };
    pairs.into_iter().map(|(a, b)| (take(a), take(b))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ring_of_three_uses_two_ports_each() {
        assert_eq!(shape(Shape::Ring, 3), [((0, 0), (1, 1)), ((1, 0), (2, 1)), ((2, 0), (0, 1))]);
    }

    #[test]
    fn two_nodes_share_one_cable() {
        for kind in [Shape::Ring, Shape::Line, Shape::Mesh, Shape::Star] {
            assert_eq!(shape(kind, 2), [((0, 0), (1, 0))], "{kind:?}");
        }
    }

    #[test]
    fn cable_counts_and_no_port_twice() {
        let expected =
            [(Shape::Ring, 5), (Shape::Line, 4), (Shape::Mesh, 10), (Shape::Star, 4), (Shape::Switch, 0)];
        for (kind, count) in expected {
            let cables = shape(kind, 5);
            assert_eq!(cables.len(), count, "{kind:?}");
            let ports: BTreeSet<PortAt> = cables.iter().flat_map(|(a, b)| [*a, *b]).collect();
            assert_eq!(ports.len(), 2 * count, "{kind:?}");
        }
    }

    #[test]
    fn one_node_has_no_cable() {
        for kind in [Shape::Ring, Shape::Line, Shape::Mesh, Shape::Star] {
            assert!(shape(kind, 1).is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn words() {
        assert_eq!("mesh".parse(), Ok(Shape::Mesh));
        assert!("torus".parse::<Shape>().expect_err("no such shape").contains("torus"));
    }
}
