//! Asks Ceph whether OSDs may stop: its own judgement knows rules, placement and what is degraded.

use ringbolt_core::wire::{Failure, FailureKind};
use serde_json::json;

use super::{Outcome, Scene};
use crate::read::ceph::session::{Command, ask};

/// Fails when a placement group would not be served without these OSDs. Right after a change the managers
/// may know too little yet, so it may be asked again.
pub(super) fn may(scene: &Scene<'_>, osds: &[u32]) -> Outcome {
    if osds.is_empty() {
        return Ok("there is none".to_owned());
    }
    let ids: Vec<String> = osds.iter().map(ToString::to_string).collect();
    let words = json!({"prefix": "osd ok-to-stop", "ids": ids, "format": "json"});
    let answers = ask(scene.root, &[Command::monitor(words)])?;
    let Some(answer) = answers.first() else { return Err(Failure::broken("Ceph gave no answer")) };
    if answer.code == 0 {
        return Ok(format!("osd.{} may stop", ids.join(", osd.")));
    }
    let failure = Failure::broken(format!("Ceph says no: {}", answer.said.trim()))
        .hint("`ceph osd ok-to-stop` with these numbers says more; wait until `ceph -s` is clean");
    Err(Failure { kind: FailureKind::Transient, ..failure })
}
