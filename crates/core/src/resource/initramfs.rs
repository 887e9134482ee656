//! The `.link` files inside the initramfs: where the Thunderbolt driver is loaded that early, udev
//! there must give the same names. A stamp file tells which content the last refresh took in.

use serde::Serialize;

use super::{Outcome, remove_file, step, write_file};
use crate::action::Action;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step, Undo};

/// Where the stamp is kept.
pub const STAMP: &str = "/var/lib/ringbolt/initramfs.stamp";

/// A refresh that has taken in certain files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Initramfs {
    /// Digest over the files that go in.
    pub content: String,
}

/// The steps after the last of our `.link` files is gone: the refresh without it, and the stamp.
pub(crate) fn retire(node: &NodeName, facts: &Facts) -> Vec<Step> {
    if !facts.state.files.contains_key(STAMP) {
        return Vec::new();
    }
    let why = "the names of the ports are nobody's business any more";
    let refresh = Step {
        title: "refresh the initramfs".into(),
        why: why.into(),
        ..step(node, format_args!("initramfs"), Phase::Prepare, Action::UpdateInitramfs)
    };
    vec![refresh, remove_file(node, facts, Phase::Prepare, STAMP, why)]
}

impl Initramfs {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let stamp = format!("{}\n", self.content);
        if !facts.has_package("initramfs-tools") || facts.text(STAMP) == Some(stamp.as_str()) {
            return Outcome::default();
        }
        let refresh = Step {
            title: "refresh the initramfs".into(),
            why: "the names of the ports must be the same from the first moment of a boot".into(),
            undo: Undo::Action(Box::new(Action::UpdateInitramfs)),
            ..step(node, format_args!("initramfs"), Phase::Prepare, Action::UpdateInitramfs)
        };
        let note = Step {
            why: "so that the next run knows the initramfs is up to date".into(),
            ..write_file(node, facts, Phase::Prepare, STAMP, stamp.into(), 0o644)
        };
        Outcome { steps: vec![refresh, note], ..Outcome::default() }
    }
}
