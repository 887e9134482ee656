//! Drawings of any small graph: nodes one below the other, cables as arcs on their right.
//!
//! Where two lines cross (`┼`) they do not join: every cable ends in a corner.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;
use ringbolt_core::topology::LinkId;

use super::canvas::Canvas;
use super::{View, length};

/// More cables than this become a list.
const CABLES: usize = 12;

/// The drawing; `None` if there are too many cables.
pub(super) fn draw(view: &View<'_>) -> Option<Canvas> {
    let topology = view.topology;
    if topology.links().len() > CABLES || !topology.switch().is_empty() {
        return None;
    }
    let width = view.card_size().0;
    let port_width = topology
        .links()
        .iter()
        .flat_map(|link| [&link.a, &link.b])
        .filter_map(|place| place.port.as_ref())
        .map(|port| length(port.as_str()))
        .max();
    let ports_end = port_width.map_or(width + 1, |port| width + port + 4);
    let note_width = view.annotations.links.values().map(|note| length(note)).max();
    let tracks_start = note_width.map_or(ports_end + 1, |note| ports_end + note + 4);

    let mut canvas = Canvas::default();
    let mut ends: BTreeMap<LinkId, Vec<usize>> = BTreeMap::new();
    let mut top = 0;
    for node in topology.nodes() {
        let card = view.card(node);
        let sockets = sockets(view, node);
        let height = card.len().max(sockets.len()) + 2;
        canvas.card(0, top, (width, height), &card);
        for (at, &id) in sockets.iter().enumerate() {
            ends.entry(id).or_default().push(top + 1 + at);
        }
        top += height;
    }

    let rows: BTreeMap<LinkId, (usize, usize)> =
        ends.iter().filter_map(|(&id, rows)| Some((id, (*rows.first()?, *rows.last()?)))).into_map();
    for (&id, &(from, to)) in &rows {
        let track = tracks_start + 3 * track_of(id, &rows);
        canvas.level(width - 1, track, from);
        canvas.level(width - 1, track, to);
        canvas.upright(track, from, to);
    }
    for (&id, &(from, to)) in &rows {
        let cable = view.cable(id, &topology.link(id).a.node);
        for (row, text, column) in
            [(from, &cable.near, width + 1), (to, &cable.far, width + 1), (from, &cable.note, ports_end + 1)]
        {
            if !text.is_empty() {
                canvas.write(column, row, &format!(" {text} "));
            }
        }
    }
    Some(canvas)
}

/// The cables of a node from top to bottom, in the order that crosses least: up to the nearest,
/// up to farther ones, down to the farthest, down to the nearest.
fn sockets(view: &View<'_>, node: &NodeName) -> Vec<LinkId> {
    let links = view.topology.links_of(node);
    let (mut up, down): (Vec<_>, Vec<_>) = links.into_iter().partition(|&(_, other)| other < node);
    up.arrange_by_key(|&(id, other)| (Reverse(other), id));
    up.into_iter().chain(down.into_iter().rev()).map(|(id, _)| id).collect()
}

/// The column of a cable: short arcs inside, long ones outside, no two over each other.
fn track_of(wanted: LinkId, rows: &BTreeMap<LinkId, (usize, usize)>) -> usize {
    let mut by_length: Vec<_> = rows.iter().map(|(&id, &(from, to))| (to - from, from, to, id)).collect();
    by_length.arrange();
    let mut tracks: Vec<Vec<(usize, usize)>> = Vec::new();
    for (_, from, to, id) in by_length {
        let free = |track: &Vec<(usize, usize)>| track.iter().all(|&(top, end)| to < top || from > end);
        let at = tracks.iter().position(free).unwrap_or(tracks.len());
        if id == wanted {
            return at;
        }
        if at == tracks.len() {
            tracks.push(Vec::new());
        }
        tracks[at].push((from, to));
    }
    tracks.len()
}
