//! What is not drawn: a list of nodes with their cables, and the table of a full mesh.

use std::collections::BTreeSet;

use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::topology::LinkId;

use super::canvas::Charset;
use super::{View, WIDTH, length};

/// One line for each end of each cable, the node's name and router IDs before its first ones.
pub(super) fn list(view: &View<'_>, charset: Charset) -> String {
    let topology = view.topology;
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let names = widest(&mut topology.nodes().iter().map(|node| length(node.as_str())));
    let labels = widest(&mut view.annotations.nodes.values().flatten().map(|label| length(label)));
    let ends = topology.links().iter().flat_map(|link| [&link.a, &link.b]).chain(topology.switch());
    let ports = widest(&mut ends.filter_map(|place| place.port.as_ref()).map(|port| length(port.as_str())));
    // With a blank after it, or nothing at all where no port is known.
    let port = if ports == 0 { 0 } else { ports + 1 };
    let ends = names + port;

    let mut text = String::new();
    for node in topology.nodes() {
        let labels_of = view.annotations.nodes.get(node).map_or(&[][..], Vec::as_slice);
        let mut cables: Vec<String> = topology
            .links_of(node)
            .into_iter()
            .map(|(id, other)| {
                let cable = view.cable(id, node);
                let colon = if cable.far.is_empty() { "" } else { ":" };
                let far = format!("{other}{colon}{}", cable.far);
                format!("{:port$}── {far:ends$}  {}", cable.near, cable.note)
            })
            .collect();
        cables.extend(topology.switch().iter().filter(|place| place.node == *node).map(|place| {
            format!("{:port$}── switch", place.port.as_ref().map(ToString::to_string).unwrap_or_default())
        }));
        if cables.is_empty() {
            cables.push("no cable".to_owned());
        }
        for row in 0..cables.len().max(labels_of.len()) {
            let name = if row == 0 { node.as_str() } else { "" };
            let label = labels_of.get(row).map_or("", String::as_str);
            let cable = cables.get(row).map_or("", String::as_str);
            let gap = if labels == 0 { "" } else { "  " };
            let line = format!("{name:names$}{gap}{label:labels$}  {cable}");
            text.push_str(&charset.apply(line.trim_end()));
            text.push('\n');
        }
    }
    text
}

/// Which port of the node on the left leads to the node above; `None` if it does not fit, or if
/// notes differ from cable to cable.
pub(super) fn matrix(view: &View<'_>, charset: Charset) -> Option<String> {
    let topology = view.topology;
    let note = common_note(view)?;
    let names = topology.nodes().iter().map(|node| length(node.as_str())).max()?;
    let labels = view.annotations.nodes.values().flatten().map(|label| length(label)).max().unwrap_or(0);
    let one_label = view.annotations.nodes.values().all(|labels| labels.len() < 2);
    let ports = topology.links().iter().flat_map(|link| [&link.a, &link.b]);
    let cell = ports.filter_map(|place| place.port.as_ref()).map(|port| length(port.as_str())).max();
    let cell = cell.unwrap_or(1).max(names) + 2;
    if !one_label || names + 2 + labels + topology.nodes().len() * cell > WIDTH {
        return None;
    }
    let head: String = topology.nodes().iter().map(|node| format!("{node:>cell$}")).collect();
    let mut lines = vec![format!("{:names$}  {:labels$}{head}", "", "")];
    for node in topology.nodes() {
        let label = view.annotations.nodes.get(node).and_then(|labels| labels.first());
        let cells = topology.nodes().iter().map(|other| match topology.links_between(node, other).first() {
            Some(&id) => format!("{:>cell$}", port(view, id, node)),
            None => format!("{:>cell$}", "·"),
        });
        let label = label.map_or("", String::as_str);
        lines.push(format!("{node:names$}  {label:labels$}{}", cells.collect::<String>()));
    }
    if !note.is_empty() {
        lines.push(format!("each cable: {note}"));
    }
    Some(lines.iter().map(|line| charset.apply(line.trim_end()) + "\n").collect())
}

fn port(view: &View<'_>, id: LinkId, node: &NodeName) -> String {
    let near = view.cable(id, node).near;
    if near.is_empty() { "+".to_owned() } else { near }
}

/// The note at every cable, empty if there is none; `None` if they differ.
fn common_note(view: &View<'_>) -> Option<String> {
    let note_of = |link| view.annotations.links.get(link).cloned().unwrap_or_default();
    let notes: BTreeSet<String> = view.topology.links().iter().map(note_of).into_set();
    (notes.len() <= 1).then(|| notes.into_iter().next().unwrap_or_default())
}
