//! The mesh as it was found: the drawing, and one line on what it survives.

use ringbolt_core::survey::Survey;
use ringbolt_core::topology::{Link, Place};

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
    let survival = survey.topology.survives();
    let good = survival.any_cable && survival.any_node;
    // Painted word by word, as a line may break between any two.
    let paint = |word: &str| if good { style.green(word) } else { style.yellow(word) };
    let sentence: Vec<String> = survival.sentence.split(' ').map(paint).collect();
    let text = format!("{}: {}", style.bold(&survey.topology.headline()), sentence.join(" "));
    format!(
        "{}\n{}",
        indent(&draw(&survey.topology, &annotations, charset), "  "),
        hang("", &text, style.width)
    )
}
