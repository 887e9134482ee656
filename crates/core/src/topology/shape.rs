//! Which shape a topology has, in what order a ring or a line runs, and what is missing to one.
//!
//! Judged by who is joined to whom; a second cable between the same two nodes changes no shape.

use serde::Serialize;

use super::Topology;
use crate::name::NodeName;

/// The shape of a topology.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shape")]
pub enum Shape {
    /// One node (or none) and nothing to join.
    Single,
    /// Two nodes, joined.
    Pair,
    /// Three nodes or more in a row.
    Line,
    /// Three nodes or more, each joined to two, in one loop. Three nodes that are all joined are a
    /// ring, not a full mesh.
    Ring,
    /// Four nodes or more, each joined to every other.
    FullMesh,
    /// Four nodes or more, all joined to one of them and to nothing else.
    Star {
        /// The one in the middle.
        centre: NodeName,
    },
    /// All nodes on one switch, and no cables besides.
    Switch,
    /// Connected, and none of the above.
    Custom,
    /// Not connected.
    Pieces {
        /// What hangs together: the biggest piece first, then by name.
        pieces: Vec<Vec<NodeName>>,
    },
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Single => "single node",
            Self::Pair => "pair",
            Self::Line => "line",
            Self::Ring => "ring",
            Self::FullMesh => "full mesh",
            Self::Star { .. } => "star",
            Self::Switch => "switch",
            Self::Custom => "custom shape",
            Self::Pieces { .. } => "disconnected mesh",
        })
    }
}

/// The shapes a topology can be close to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NearShape {
    /// A ring.
    Ring,
    /// A full mesh.
    FullMesh,
}

impl std::fmt::Display for NearShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ring => "ring",
            Self::FullMesh => "full mesh",
        })
    }
}

/// A shape that a few more cables would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    /// Which shape.
    pub shape: NearShape,
    /// The pairs still to be cabled; never empty. For a ring with more than one cable missing
    /// this is one way of several.
    pub missing: Vec<(NodeName, NodeName)>,
}

impl std::fmt::Display for Near {
    /// `ring with one cable missing (n2–n4)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cables: Vec<String> = self.missing.iter().map(|(a, b)| format!("{a}–{b}")).collect();
        let count = match cables.len() {
            1 => "one cable".to_owned(),
            many => format!("{many} cables"),
        };
        write!(f, "{} with {count} missing ({})", self.shape, cables.join(", "))
    }
}

impl Topology {
    /// The shape.
    pub fn shape(&self) -> Shape {
        let nodes = self.names.len();
        if nodes < 2 {
            return Shape::Single;
        }
        let pieces = self.pieces();
        if pieces.len() > 1 {
            return Shape::Pieces { pieces };
        }
        if !self.switch.is_empty() {
            return if self.links.is_empty() { Shape::Switch } else { Shape::Custom };
        }
        let pairs = self.pair_count();
        let degrees: Vec<usize> = (0..nodes).map(|at| self.neighbours(at).len()).collect();
        let widest = degrees.iter().copied().max().unwrap_or_default();
        if nodes == 2 {
            Shape::Pair
        } else if widest <= 2 {
            if pairs == nodes { Shape::Ring } else { Shape::Line }
        } else if pairs == nodes * (nodes - 1) / 2 {
            Shape::FullMesh
        } else if let Some(centre) =
            degrees.iter().position(|&degree| degree == nodes - 1).filter(|_| pairs == nodes - 1)
        {
            Shape::Star { centre: self.names[centre].clone() }
        } else {
            Shape::Custom
        }
    }

    /// The nodes of a pair, line or ring in the order the cables run; `None` for other shapes.
    ///
    /// A line starts at its end with the smaller name. A ring starts at the smallest name and goes
    /// on to the smaller of its two neighbours.
    pub fn walk(&self) -> Option<Vec<NodeName>> {
        let start = match self.shape() {
            Shape::Ring => 0,
            Shape::Pair | Shape::Line => (0..self.names.len()).find(|&at| self.neighbours(at).len() == 1)?,
            _ => return None,
        };
        Some(self.chain(start).into_iter().map(|at| self.names[at].clone()).collect())
    }

    /// The pairs to cable to make a ring of all nodes: empty if it is one, `None` if adding cables
    /// alone cannot (fewer than three nodes, a node with three neighbours, a smaller ring inside, a
    /// switch).
    pub fn missing_for_ring(&self) -> Option<Vec<(NodeName, NodeName)>> {
        let nodes = self.names.len();
        let narrow = (0..nodes).all(|at| self.neighbours(at).len() <= 2);
        if nodes < 3 || !narrow || !self.switch.is_empty() {
            return None;
        }
        let pieces = self.pieces_without(&[], None);
        if self.pair_count() == nodes {
            return (pieces.len() == 1).then(Vec::new);
        }
        // A piece without an end is a ring of its own.
        let chains = pieces
            .iter()
            .map(|piece| {
                let end = piece.iter().find(|&&at| self.neighbours(at).len() < 2)?;
                let chain = self.chain(*end);
                Some((*chain.first()?, *chain.last()?))
            })
            .collect::<Option<Vec<_>>>()?;
        let next = chains.iter().cycle().skip(1);
        Some(chains.iter().zip(next).map(|(&(_, end), &(start, _))| self.pair(end, start)).collect())
    }

    /// The pairs to cable to make a full mesh: empty if it is one (of two nodes or more), `None`
    /// if more pairs are missing than there are nodes, or nodes hang on a switch.
    pub fn missing_for_full_mesh(&self) -> Option<Vec<(NodeName, NodeName)>> {
        let nodes = self.names.len();
        if nodes < 2 || !self.switch.is_empty() {
            return None;
        }
        let missing = nodes * (nodes - 1) / 2 - self.pair_count();
        if missing > nodes {
            return None;
        }
        let mut found = Vec::with_capacity(missing);
        for a in 0..nodes {
            let near = self.neighbours(a);
            let apart = (a + 1..nodes).filter(|b| near.binary_search(b).is_err());
            found.extend(apart.map(|b| self.pair(a, b)));
        }
        Some(found)
    }

    /// The shape that one cable more (or few, on many nodes) would give; `None` if it has that
    /// shape already or is far from it.
    pub fn near(&self) -> Option<Near> {
        let nodes = self.names.len();
        if let Some(missing) = self.missing_for_ring() {
            // Cables must outnumber the gaps by far, or "ring" is a guess.
            let close = missing.len() == 1 || missing.len() * 3 <= nodes;
            return (!missing.is_empty() && close).then_some(Near { shape: NearShape::Ring, missing });
        }
        let missing = self.missing_for_full_mesh()?;
        let close = nodes >= 4 && !missing.is_empty() && missing.len() * 3 <= nodes;
        close.then_some(Near { shape: NearShape::FullMesh, missing })
    }

    /// The positions joined to one by cables, sorted, each once.
    fn neighbours(&self, at: usize) -> Vec<usize> {
        let mut near: Vec<usize> = self.adjacent[at].iter().map(|&(near, _)| near).collect();
        near.dedup();
        near
    }

    /// How many pairs of nodes are joined by cables.
    fn pair_count(&self) -> usize {
        self.graph.edge_count() - self.members.len()
    }

    /// The nodes along the cables from one with at most two neighbours, until an end or the start.
    fn chain(&self, start: usize) -> Vec<usize> {
        let (mut chain, mut before, mut at) = (vec![start], None, start);
        while chain.len() < self.names.len() {
            let next = self.neighbours(at).into_iter().find(|&near| Some(near) != before && near != start);
            let Some(next) = next else { break };
            chain.push(next);
            (before, at) = (Some(at), next);
        }
        chain
    }

    fn pair(&self, one: usize, other: usize) -> (NodeName, NodeName) {
        (self.names[one.min(other)].clone(), self.names[one.max(other)].clone())
    }
}
