//! Drawings with one thing in the middle: stars, switches, and a node alone.

use ringbolt_core::name::NodeName;

use super::canvas::Canvas;
use super::{Cable, View, length};

/// Leaves up to this number stand on the right only.
const ONE_SIDE: usize = 3;

/// A node alone.
pub(super) fn single(view: &View<'_>) -> Canvas {
    let mut canvas = Canvas::default();
    for node in view.topology.nodes().iter().take(1) {
        let card = view.card(node);
        canvas.card(0, 0, (view.card_size().0, card.len() + 2), &card);
    }
    canvas
}

/// A star; `None` if it does not fit.
pub(super) fn star(view: &View<'_>, centre: &NodeName) -> Option<Canvas> {
    let outer = view.topology.nodes().iter().filter(|node| *node != centre);
    let leaves = outer.map(|node| (view.card(node), view.cable_between(centre, node))).collect();
    hub(view, &view.card(centre), leaves)
}

/// Nodes on a switch; `None` if they do not fit.
pub(super) fn switch(view: &View<'_>) -> Option<Canvas> {
    let leaves = view.topology.switch().iter().map(|place| {
        let port = place.port.as_ref().map(ToString::to_string).unwrap_or_default();
        (view.card(&place.node), Cable { near: String::new(), far: port, note: String::new() })
    });
    hub(view, &["switch".to_owned()], leaves.collect())
}

/// A tall box with leaves on its right, or on both sides; the cables are seen from the middle.
fn hub(view: &View<'_>, centre: &[String], leaves: Vec<(Vec<String>, Cable)>) -> Option<Canvas> {
    let size @ (width, height) = view.card_size();
    let gap = leaves.iter().map(|(_, cable)| cable.level_width()).max()?;
    let on_left = if leaves.len() > ONE_SIDE { leaves.len() / 2 } else { 0 };
    let rows = on_left.max(leaves.len() - on_left);
    let middle = if on_left == 0 { 0 } else { width + gap };
    let middle_width = centre.iter().map(|line| length(line) + 4).max()?.max(12);

    let mut canvas = Canvas::default();
    canvas.card(middle, 0, (middle_width, rows * height), centre);
    for (at, (card, mut cable)) in leaves.into_iter().enumerate() {
        if at < on_left {
            let y = at * height;
            canvas.card(0, y, size, &card);
            std::mem::swap(&mut cable.near, &mut cable.far);
            cable.draw_level(&mut canvas, width - 1, middle, y + 1);
        } else {
            let (x, y) = (middle + middle_width + gap, (at - on_left) * height);
            canvas.card(x, y, size, &card);
            cable.draw_level(&mut canvas, middle + middle_width - 1, x, y + 1);
        }
    }
    Some(canvas)
}
