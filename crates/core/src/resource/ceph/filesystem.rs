//! CephFS: the file systems of the spec, with their two pools.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::CephCheck;
use crate::step::{Step, Undo};

pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for fs in &scene.wish.filesystems {
        let there = scene.cluster.is_some_and(|c| c.filesystems.iter().any(|f| f.name == fs.name));
        if there {
            continue;
        }
        let options = vec![("pg_num".to_owned(), fs.pg_num.to_string())];
        steps.push(Step {
            title: format!("file system {}: {} placement groups for its data", fs.name, fs.pg_num).into(),
            why: "the spec has it; its pools are made with it".into(),
            undo: Undo::Impossible(format!(
                "`pveceph fs destroy {}` takes it away, with all data in it",
                fs.name
            )),
            proof: vec![on(scene.speaker, CephCheck::Filesystem { name: fs.name.clone() })],
            patience: 60,
            ..step(
                scene.speaker,
                format_args!("fs:{}", fs.name),
                CephDeed::Filesystem { name: fs.name.clone(), options },
            )
        });
        steps.extend(super::pool::settle(scene, &fs.name));
    }
    steps
}
