//! A topology as a text drawing: nodes as boxes, cables as lines with port names at their ends.
//!
//! Used by `plan`, `discover`, `status` and the lab. Up to eight nodes of a known shape are drawn;
//! what is larger becomes a list. Never wider than a terminal of 80 columns as long as names and
//! addresses are of usual length.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::address::Addresses;
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::topology::{Link, LinkId, Place, Shape, Topology};

mod arcs;
mod canvas;
mod chain;
mod hub;
mod table;
#[cfg(test)]
mod tests;

use canvas::Canvas;
pub(crate) use canvas::Charset;

/// The greatest width of a drawing in columns: 80, less the two that reports indent it by.
const WIDTH: usize = 78;

/// The greatest number of nodes that is drawn.
const DRAWN: usize = 8;

/// What is written beside nodes and cables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    /// Lines under the name of a node: its router IDs.
    pub(crate) nodes: BTreeMap<NodeName, Vec<String>>,
    /// A few words at a cable: its speed and lanes.
    pub(crate) links: BTreeMap<Link, String>,
}

impl Annotations {
    /// The router IDs under the names, nothing at the cables.
    pub(crate) fn router_ids(addresses: &Addresses) -> Self {
        let lines = |ids: &mut dyn Iterator<Item = std::net::IpAddr>| ids.map(|id| id.to_string()).collect();
        let nodes = addresses.iter().map(|(node, own)| (node.clone(), lines(&mut own.ids()))).into_map();
        Self { nodes, links: BTreeMap::new() }
    }
}

/// Draws a topology; every line ends with a newline.
pub(crate) fn draw(topology: &Topology, annotations: &Annotations, charset: Charset) -> String {
    let view = View { topology, annotations };
    let shape = topology.shape();
    if topology.nodes().len() > DRAWN {
        return match shape {
            Shape::FullMesh => table::matrix(&view, charset),
            _ => None,
        }
        .unwrap_or_else(|| table::list(&view, charset));
    }
    let pieces = match shape {
        Shape::Pieces { pieces } => pieces,
        _ => vec![topology.nodes().to_vec()],
    };
    let drawings: Vec<String> = pieces
        .iter()
        .map(|piece| {
            let part = topology.restricted(piece);
            connected(&View { topology: &part, annotations }, charset)
        })
        .collect();
    drawings.join("\n")
}

/// Draws at most [`DRAWN`] nodes that are connected.
fn connected(view: &View<'_>, charset: Charset) -> String {
    let links = view.topology.links();
    let pairs: BTreeSet<_> = links.iter().map(|link| (&link.a.node, &link.b.node)).into_set();
    let doubled = pairs.len() < links.len();
    let order = view.topology.walk().unwrap_or_default();
    let drawn = match view.topology.shape() {
        _ if doubled => arcs::draw(view),
        Shape::Single => Some(hub::single(view)),
        Shape::Pair | Shape::Line => chain::line(view, &order),
        Shape::Ring => chain::ring(view, &order),
        Shape::Star { centre } => hub::star(view, &centre),
        Shape::Switch => hub::switch(view),
        Shape::FullMesh if view.topology.nodes().len() > 5 => {
            return table::matrix(view, charset).unwrap_or_else(|| table::list(view, charset));
        }
        Shape::FullMesh | Shape::Custom => arcs::draw(view),
        Shape::Pieces { .. } => None,
    };
    match drawn.filter(|canvas| canvas.width() <= WIDTH) {
        Some(canvas) => canvas.text(charset),
        None => table::list(view, charset),
    }
}

/// A topology with what is written at it.
struct View<'a> {
    topology: &'a Topology,
    annotations: &'a Annotations,
}

/// What is written at a cable, seen from one of its ends.
struct Cable {
    near: String,
    far: String,
    note: String,
}

impl View<'_> {
    /// The lines in the box of a node.
    fn card(&self, node: &NodeName) -> Vec<String> {
        let more = self.annotations.nodes.get(node).into_iter().flatten().cloned();
        std::iter::once(node.to_string()).chain(more).collect()
    }

    /// Outer width and height that the boxes of all nodes fit in.
    fn card_size(&self) -> (usize, usize) {
        let cards: Vec<Vec<String>> = self.topology.nodes().iter().map(|node| self.card(node)).collect();
        let width = cards.iter().flatten().map(|line| length(line)).max().unwrap_or_default();
        let height = cards.iter().map(Vec::len).max().unwrap_or_default();
        // An odd width has a middle for upright cables; two lines inside leave a level cable room
        // for its ports above and its note below.
        ((width + 4) | 1, height.max(2) + 2)
    }

    fn cable(&self, id: LinkId, from: &NodeName) -> Cable {
        let link = self.topology.link(id);
        let port = |place: Option<&Place>| {
            place.and_then(|place| place.port.as_ref()).map(ToString::to_string).unwrap_or_default()
        };
        Cable {
            near: port(link.at(from)),
            far: port(link.opposite(from)),
            note: self.annotations.links.get(link).cloned().unwrap_or_default(),
        }
    }

    fn cable_between(&self, from: &NodeName, to: &NodeName) -> Cable {
        match self.topology.links_between(from, to).first() {
            Some(&id) => self.cable(id, from),
            None => Cable { near: String::new(), far: String::new(), note: String::new() },
        }
    }
}

impl Cable {
    /// Columns between two boxes that hold the text of a level cable.
    fn level_width(&self) -> usize {
        let ports = length(&self.near) + length(&self.far) + 4;
        ports.max(length(&self.note) + 2).max(6)
    }

    /// The longest text at an upright cable.
    fn upright_width(&self) -> usize {
        [&self.near, &self.far, &self.note].into_iter().map(|text| length(text)).max().unwrap_or_default()
    }

    /// Draws a level cable from `left` to `right`, the borders of two boxes: ports above, the note
    /// below.
    fn draw_level(&self, canvas: &mut Canvas, left: usize, right: usize, y: usize) {
        canvas.level(left, right, y);
        canvas.write(left + 2, y - 1, &self.near);
        canvas.write(right.saturating_sub(length(&self.far) + 1), y - 1, &self.far);
        canvas.write(left + (right - left + 1).saturating_sub(length(&self.note)) / 2, y + 1, &self.note);
    }
}

/// Columns a text takes; names, addresses and notes hold no wide characters.
fn length(text: &str) -> usize {
    text.chars().count()
}
