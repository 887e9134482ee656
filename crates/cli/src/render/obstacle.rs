//! Obstacles and notes: what stands in the way on the nodes, with evidence and cure.

use ringbolt_core::plan::Obstacle;

use super::{Style, indent};

/// Obstacles as errors.
pub(crate) fn obstacles(list: &[Obstacle], style: Style) -> String {
    list.iter().map(|o| one(o, &style.red("error"), style)).collect()
}

/// Notes.
pub(crate) fn notes(list: &[Obstacle], style: Style) -> String {
    list.iter().map(|o| one(o, &style.yellow("note"), style)).collect()
}

fn one(obstacle: &Obstacle, word: &str, style: Style) -> String {
    let node = obstacle.node.as_ref().map(|n| format!("{n} ")).unwrap_or_default();
    let mut text = format!("{word}[{}]: {}{}\n", obstacle.code, style.bold(&node), obstacle.message);
    if !obstacle.evidence.trim().is_empty() {
        text += &indent(obstacle.evidence.trim_end(), "  | ");
    }
    if !obstacle.cure.is_empty() {
        text += &format!("  {} {}\n", style.bold("cure:"), obstacle.cure);
    }
    text
}
