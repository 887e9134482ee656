//! The mesh as it was found: the drawing, and one line on what it survives.

use ringbolt_core::survey::Survey;
use ringbolt_core::topology::{Link, Place};

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
    let sentence = if survival.any_cable && survival.any_node {
        style.green(&survival.sentence)
    } else {
        style.yellow(&survival.sentence)
    };
    format!(
        "{}\n{}: {sentence}\n",
        indent(&draw(&survey.topology, &annotations, charset), "  "),
        style.bold(&survey.topology.headline())
    )
}
