//! Drawings of what runs in one row of cables: pairs, lines and rings.
//!
//! A ring of three is a triangle, a larger one runs round the edge of a grid; a line runs to and
//! fro through it.

use ringbolt_core::name::NodeName;

use super::canvas::Canvas;
use super::{Cable, View, WIDTH, length};

/// A column and a row of the grid.
type Spot = (usize, usize);

/// A line (or pair) in the given order; `None` if it does not fit.
pub(super) fn line(view: &View<'_>, order: &[NodeName]) -> Option<Canvas> {
    let nodes = order.len();
    (2..=nodes.min(4)).rev().find_map(|widest| {
        // As few rows as the width allows, then as even as can be.
        let columns = nodes.div_ceil(nodes.div_ceil(widest));
        let spots: Vec<Spot> = (0..nodes)
            .map(|at| {
                let (row, column) = (at / columns, at % columns);
                (if row % 2 == 0 { column } else { columns - 1 - column }, row)
            })
            .collect();
        grid(view, order, &spots, false)
    })
}

/// A ring in the given order; `None` if it does not fit.
pub(super) fn ring(view: &View<'_>, order: &[NodeName]) -> Option<Canvas> {
    match order {
        [one, two, three] => triangle(view, [one, two, three]),
        _ => [3, 2]
            .into_iter()
            .filter(|columns| order.len() >= columns + 2)
            .find_map(|columns| grid(view, order, &around(order.len(), columns), true)),
    }
}

/// Spots clockwise round a grid, from the top left corner.
fn around(nodes: usize, columns: usize) -> Vec<Spot> {
    let below = columns.min(nodes - columns);
    let sides = nodes - columns - below;
    let (right, left) = (sides.div_ceil(2), sides / 2);
    let bottom = right + 1;
    let mut spots: Vec<Spot> = (0..columns).map(|column| (column, 0)).collect();
    spots.extend((1..=right).map(|row| (columns - 1, row)));
    // With fewer below than above, the ones below keep to the corners.
    spots.extend((1..below).map(|at| (columns - at, bottom)));
    spots.push((0, bottom));
    spots.extend((1..=left).rev().map(|row| (0, row)));
    spots
}

struct Strand {
    from: Spot,
    to: Spot,
    cable: Cable,
}

/// The cables between one node and the next, each from left to right or from top to bottom.
fn strands(view: &View<'_>, order: &[NodeName], spots: &[Spot], closed: bool) -> Vec<Strand> {
    let next = (1..order.len()).chain(closed.then_some(0));
    (0..order.len())
        .zip(next)
        .map(|(one, other)| {
            let swap = spots[other] < spots[one];
            let (one, other) = if swap { (other, one) } else { (one, other) };
            let cable = view.cable_between(&order[one], &order[other]);
            Strand { from: spots[one], to: spots[other], cable }
        })
        .collect()
}

fn grid(view: &View<'_>, order: &[NodeName], spots: &[Spot], closed: bool) -> Option<Canvas> {
    let (width, height) = view.card_size();
    let strands = strands(view, order, spots, closed);
    let columns = spots.iter().map(|&(column, _)| column + 1).max()?;
    let (level, upright): (Vec<_>, Vec<_>) = strands.iter().partition(|strand| strand.from.1 == strand.to.1);

    // Wide enough for the text at every level cable, and between two upright ones.
    let level_gap = level.iter().map(|strand| {
        let span = strand.to.0 - strand.from.0;
        strand.cable.level_width().saturating_sub((span - 1) * width).div_ceil(span)
    });
    let widest = upright.iter().map(|strand| strand.cable.upright_width()).max().unwrap_or_default();
    let spans = columns.max(2) - 1;
    let upright_gap = (2 * widest + 6).div_ceil(spans).saturating_sub(width);
    let gap = level_gap.max().unwrap_or_default().max(upright_gap);
    if columns * width + (columns - 1) * gap > WIDTH {
        return None;
    }
    let noted = upright.iter().any(|strand| !strand.cable.note.is_empty());
    let drop = if noted { 3 } else { 2 };
    let corner = |(column, row): Spot| (column * (width + gap), row * (height + drop));

    let mut canvas = Canvas::default();
    for (node, &spot) in order.iter().zip(spots) {
        let (x, y) = corner(spot);
        canvas.card(x, y, (width, height), &view.card(node));
    }
    for strand in level {
        let ((left, y), (right, _)) = (corner(strand.from), corner(strand.to));
        strand.cable.draw_level(&mut canvas, left + width - 1, right, y + 1);
    }
    for strand in upright {
        let ((x, above), (_, below)) = (corner(strand.from), corner(strand.to));
        let inward = columns > 1 && strand.from.0 == columns - 1;
        draw_upright(&mut canvas, &strand.cable, x + width / 2, (above + height - 1, below), inward);
    }
    Some(canvas)
}

/// An upright cable between two borders with its text on the right, or on the left.
fn draw_upright(
    canvas: &mut Canvas,
    cable: &Cable,
    x: usize,
    (top, bottom): (usize, usize),
    on_the_left: bool,
) {
    canvas.upright(x, top, bottom);
    let mut write = |y: usize, text: &str| {
        let start = if on_the_left { (x - 1).saturating_sub(length(text)) } else { x + 2 };
        canvas.write(start, y, text);
    };
    write(top + 1, &cable.near);
    write(bottom - 1, &cable.far);
    write(usize::midpoint(top, bottom), &cable.note);
}

/// Two nodes above, the third below between them.
fn triangle(view: &View<'_>, [left, right, below]: [&NodeName; 3]) -> Option<Canvas> {
    let size @ (width, height) = view.card_size();
    let across = view.cable_between(left, right);
    let down = [view.cable_between(left, below), view.cable_between(right, below)];
    let text: usize = down.iter().map(Cable::upright_width).sum();
    let far = down.iter().map(|cable| length(&cable.far)).max().unwrap_or_default();
    let needs = [across.level_width(), (text + 8).saturating_sub(width), 2 * far + 6, 12];
    let mut gap = needs.into_iter().max()?;
    // The lower box stands in the very middle.
    gap += (width + gap) % 2;
    let total = 2 * width + gap;
    let low = height + 2;
    let middle = (total - width) / 2;

    let mut canvas = Canvas::default();
    canvas.card(0, 0, size, &view.card(left));
    canvas.card(width + gap, 0, size, &view.card(right));
    canvas.card(middle, low, size, &view.card(below));
    across.draw_level(&mut canvas, width - 1, width + gap, 1);
    let [one, other] = &down;
    let (x, y) = (width / 2, low + 1);
    canvas.upright(x, height - 1, y);
    canvas.level(x, middle, y);
    canvas.write(x + 2, height, &one.near);
    canvas.write(x + 2, height + 1, &one.note);
    canvas.write(middle - 1 - length(&one.far), y - 1, &one.far);
    let x = total - 1 - width / 2;
    canvas.upright(x, height - 1, y);
    canvas.level(middle + width - 1, x, y);
    canvas.write(x - 1 - length(&other.near), height, &other.near);
    canvas.write(x - 1 - length(&other.note), height + 1, &other.note);
    canvas.write(middle + width + 1, y - 1, &other.far);
    (total <= WIDTH).then_some(canvas)
}
