//! Monitors, managers and metadata servers: made where they are missing, started where they stand still.

use std::collections::BTreeSet;

use super::{Scene, on, step};
use crate::action::{Action, CephDeed};
use crate::check::{CephCheck, Check};
use crate::facts::ceph::Daemon;
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::step::{Phase, Step, Undo};

/// What a daemon's list on a node says of the one we keep there.
enum There {
    Runs,
    Stands,
    Missing,
}

fn there(list: Option<&[Daemon]>, node: &NodeName) -> There {
    match list.unwrap_or_default().iter().find(|d| d.id == node.as_str()) {
        Some(daemon) if daemon.runs => There::Runs,
        Some(_) => There::Stands,
        None => There::Missing,
    }
}

/// Starts a daemon that has its folder and does not run.
fn start(node: &NodeName, kind: &str, proof: (NodeName, Check)) -> Step {
    let unit = format!("ceph-{kind}@{node}.service");
    let unit_name = unit.clone();
    Step {
        title: format!("start {unit}").into(),
        why: "it is there and does not run".into(),
        undo: Undo::None,
        proof: vec![proof],
        patience: 60,
        action: Some(Action::EnableUnit { unit, now: true }),
        ..super::super::step(
            node,
            format_args!("ceph:start-{kind}"),
            Phase::Ceph,
            Action::RestartUnit { unit: unit_name },
        )
    }
}

/// Monitors, in the order of the spec: each waits until the one before is in quorum.
pub(crate) fn monitors(scene: &Scene<'_>) -> Vec<Step> {
    let mut quorum: BTreeSet<String> = scene
        .wish
        .monitors
        .iter()
        .map(|(node, _)| node)
        .filter(|node| matches!(there(scene.node(node).map(|n| n.monitors.as_slice()), node), There::Runs))
        .map(ToString::to_string)
        .into_set();
    let mut steps = Vec::new();
    for (node, address) in &scene.wish.monitors {
        let here = there(scene.node(node).map(|n| n.monitors.as_slice()), node);
        let id = node.to_string();
        match here {
            There::Runs => {}
            There::Stands => {
                quorum.insert(id.clone());
                steps.push(start(node, "mon", on(node, CephCheck::Monitor { id })));
            }
            There::Missing => {
                let first = quorum.is_empty();
                quorum.insert(id);
                let why = if first {
                    "the first monitor; Proxmox VE makes a manager beside it"
                } else {
                    "it joins when the one before it is in quorum"
                };
                steps.push(Step {
                    title: format!("monitor {node} at {address}").into(),
                    why: why.into(),
                    undo: Undo::Impossible(format!(
                        "`pveceph mon destroy {node}` takes it away while others keep the quorum"
                    )),
                    proof: vec![on(node, CephCheck::Quorum { ids: quorum.clone() })],
                    patience: 60,
                    ..step(node, format_args!("mon"), CephDeed::Monitor { address: *address })
                });
            }
        }
    }
    steps
}

/// Managers; the one beside the first monitor comes with it.
pub(crate) fn managers(scene: &Scene<'_>) -> Vec<Step> {
    let founding = scene.conf.monitors().is_empty();
    let mut steps = Vec::new();
    for node in scene.wish.managers.iter().filter(|n| scene.node(n).is_some()) {
        let proof = on(node, CephCheck::Manager { id: node.to_string() });
        match there(scene.node(node).map(|n| n.managers.as_slice()), node) {
            There::Missing if !(founding && node == scene.speaker) => steps.push(Step {
                title: format!("manager {node}").into(),
                why: "one is active, the others stand by".into(),
                undo: Undo::Impossible(format!("`pveceph mgr destroy {node}` takes it away")),
                proof: vec![proof],
                patience: 30,
                ..step(node, format_args!("mgr"), CephDeed::Manager)
            }),
            There::Stands => steps.push(start(node, "mgr", proof)),
            _ => {}
        }
    }
    steps
}

/// Metadata servers, where there is a file system.
pub(crate) fn metadata(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for node in scene.wish.metadata.iter().filter(|n| scene.node(n).is_some()) {
        let proof = on(node, CephCheck::Metadata { id: node.to_string() });
        match there(scene.node(node).map(|n| n.metadata.as_slice()), node) {
            There::Missing => steps.push(Step {
                title: format!("metadata server {node}").into(),
                why: "a file system needs one, and a second to take over".into(),
                undo: Undo::Impossible(format!("`pveceph mds destroy --name {node}` takes it away")),
                proof: vec![proof],
                patience: 30,
                ..step(node, format_args!("mds"), CephDeed::Metadata)
            }),
            There::Stands => steps.push(start(node, "mds", proof)),
            There::Runs => {}
        }
    }
    steps
}
