//! Obstacles and notes: what stands in the way on the nodes, with evidence and cure.

use ringbolt_core::name::NodeName;
use ringbolt_core::obstacle::Obstacle;

use super::text::hang;
use super::{Style, indent, nodes};

/// Obstacles as errors.
pub(crate) fn obstacles(list: &[Obstacle], style: Style) -> String {
    all(list, &style.red("error"), style)
}

/// Notes.
pub(crate) fn notes(list: &[Obstacle], style: Style) -> String {
    all(list, &style.yellow("note"), style)
}

/// What is the same on several nodes is said once.
fn all(list: &[Obstacle], word: &str, style: Style) -> String {
    let mut groups: Vec<(&Obstacle, Vec<&str>)> = Vec::new();
    for obstacle in list {
        let same = |o: &Obstacle| {
            (&o.code, &o.message, &o.evidence, &o.cure)
                == (&obstacle.code, &obstacle.message, &obstacle.evidence, &obstacle.cure)
        };
        let name = obstacle.node.as_ref().map(NodeName::as_str);
        match groups.iter_mut().find(|(first, names)| same(first) && !names.is_empty() && name.is_some()) {
            Some((_, names)) => names.extend(name),
            None => groups.push((obstacle, name.into_iter().collect())),
        }
    }
    groups.iter().map(|(obstacle, names)| one(obstacle, names, word, style)).collect()
}

fn one(obstacle: &Obstacle, names: &[&str], word: &str, style: Style) -> String {
    // Messages are sentences about one node: `has no quorum`.
    let who = match names {
        [] => String::new(),
        [only] => format!("{} ", style.bold(only)),
        several => format!("each of {} ", style.bold(&nodes(several, 0))),
    };
    let mut text =
        hang(&format!("{word}[{}]: ", obstacle.code), &format!("{who}{}", obstacle.message), style.width);
    if !obstacle.evidence.trim().is_empty() {
        text += &indent(obstacle.evidence.trim_end(), "  | ");
    }
    if !obstacle.cure.is_empty() {
        text += &hang(&format!("  {} ", style.bold("cure:")), &style.paste(&obstacle.cure), style.width);
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn about(node: &str, message: &str) -> Obstacle {
        Obstacle {
            code: "RB0523".into(),
            node: Some(NodeName::new(node).unwrap()),
            message: message.into(),
            evidence: String::new(),
            cure: "turn it off".into(),
        }
    }

    #[test]
    fn the_same_on_several_nodes_is_said_once() {
        let list = [about("n1", "has it"), about("n2", "has it"), about("n3", "has another")];
        let said = notes(&list, Style::plain(80));
        let wanted = "note[RB0523]: each of n1 n2 has it\n  cure: turn it off\n\
                      note[RB0523]: n3 has another\n  cure: turn it off\n";
        assert_eq!(said, wanted);
    }
}
