//! The mesh as it was found: the drawing, and one line on what it survives.

use ringbolt_core::survey::Survey;
use ringbolt_core::topology::{Link, Place, Topology};

use super::text::hang;
use super::topology::{Annotations, Charset, draw};
use super::{Style, indent};

/// Drawing, headline and sentence.
pub(crate) fn mesh(survey: &Survey, style: Style, charset: Charset) -> String {
    let mut annotations = Annotations::router_ids(&survey.addresses);
    for cable in &survey.binding.cables {
        let speed = survey.binding.port(&cable.a.0, &cable.a.1).and_then(|p| p.speed.clone());
        let place = |end: &(_, _)| Place { node: Clone::clone(&end.0), port: Some(Clone::clone(&end.1)) };
        if let Some(speed) = speed {
            annotations.links.insert(Link::new(place(&cable.a), place(&cable.b)), speed);
        }
    }
    let drawing = indent(&draw(&survey.topology, &annotations, charset), "  ");
    if !survey.silent.is_empty() {
        let silent: Vec<&str> = survey.silent.iter().map(|s| s.node.as_str()).collect();
        let word = if silent.len() == 1 { "does not answer" } else { "do not answer" };
        let text = format!("{} {word}: what is cabled there is not known.", silent.join(", "));
        return format!("{drawing}\n{}", hang("", &style.yellow(&text), style.width));
    }
    let mut text = verdict(&survey.topology, style);
    let live = survey.live_topology();
    if !survey.untouched() && live.links().len() < survey.topology.links().len() {
        let dead: Vec<String> = survey
            .topology
            .links()
            .iter()
            .filter(|l| !live.links().contains(l))
            .map(ToString::to_string)
            .collect();
        text += &format!(
            "\n{} {}",
            style.red(&format!("now without {}:", dead.join(", "))),
            verdict(&live, style)
        );
    }
    let lines: String = text.lines().map(|line| hang("", line, style.width)).collect();
    format!("{drawing}\n{lines}")
}

/// What a topology is and survives, in one line.
fn verdict(topology: &Topology, style: Style) -> String {
    let survival = topology.survives();
    let good = survival.any_cable && survival.any_node;
    // Painted word by word, as a line may break between any two.
    let paint = |word: &str| if good { style.green(word) } else { style.yellow(word) };
    let sentence: Vec<String> = survival.sentence.split(' ').map(paint).collect();
    format!("{}: {}", style.bold(&topology.headline()), sentence.join(" "))
}
