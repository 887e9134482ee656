//! What each OSD can do, for mClock: measured where Ceph has kept no figure of its own.

use super::{Scene, on, step};
use crate::action::{Action, CephDeed};
use crate::check::CephCheck;
use crate::step::{Step, Undo};

pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let Some(cluster) = scene.cluster.filter(|_| scene.ceph.tuning) else { return Vec::new() };
    let mut steps = Vec::new();
    for (node, _) in scene.nodes() {
        let osds: Vec<u32> = cluster
            .osds
            .iter()
            .filter(|o| o.host == node.as_str() && o.up && scene.wish.disks.contains_key(node))
            .map(|o| o.id)
            .filter(|id| !measured(cluster, *id))
            .collect();
        if osds.is_empty() {
            continue;
        }
        let names: Vec<String> = osds.iter().map(|id| format!("osd.{id}")).collect();
        let remove = osds.iter().flat_map(|id| {
            ["hdd", "ssd"].map(|kind| (format!("osd.{id}"), format!("{}{kind}", crate::check::CAPACITY)))
        });
        let undo = CephDeed::Config { set: Vec::new(), remove: remove.collect() };
        steps.push(Step {
            title: format!("measure what {} can do", names.join(", ")).into(),
            why: "mClock shares a disk by its capacity, and none is kept: it would go by a guess".into(),
            undo: Undo::Action(Box::new(Action::Ceph(undo))),
            proof: osds.iter().map(|osd| on(scene.speaker, CephCheck::Measured { osd: *osd })).collect(),
            patience: 30,
            ..step(node, format_args!("measure"), CephDeed::MeasureOsds { osds })
        });
    }
    steps
}

fn measured(cluster: &crate::facts::CephCluster, osd: u32) -> bool {
    let section = format!("osd.{osd}");
    cluster.config.iter().any(|e| e.section == section && e.name.starts_with(crate::check::CAPACITY))
}
