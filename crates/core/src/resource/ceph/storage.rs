//! Storage entries in Proxmox VE: how guests get at pools and file systems.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::{CephCheck, Check};
use crate::step::{Step, Undo};

pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for entry in &scene.wish.storage {
        let check =
            CephCheck::Storage { kind: entry.kind.clone(), id: entry.id.clone(), of: entry.of.clone() };
        let wanted = Check::Ceph(check.clone());
        if scene.fleet.nodes.values().any(|facts| wanted.look(facts).holds) {
            continue;
        }
        let what = if entry.kind == "rbd" { "disks of guests" } else { "backups, templates and ISO images" };
        steps.push(Step {
            title: format!("storage {} in Proxmox VE for {what}", entry.id).into(),
            why: format!("guests see {} by it", entry.of).into(),
            undo: Undo::Impossible(format!(
                "`pvesm remove {}` takes the entry away; the data stays",
                entry.id
            )),
            proof: vec![on(scene.speaker, check)],
            ..step(
                scene.speaker,
                format_args!("storage:{}", entry.id),
                CephDeed::Storage {
                    kind: entry.kind.clone(),
                    id: entry.id.clone(),
                    options: entry.options.clone(),
                },
            )
        });
    }
    steps
}
