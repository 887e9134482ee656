//! OSDs: one disk after the other on a node; a used disk is erased only where the spec names it.

use super::{Scene, on, step};
use crate::action::{CephDeed, OsdDeed};
use crate::arrange::Arrange;
use crate::bind::disks::{Chosen, DiskChoice, Fate};
use crate::check::CephCheck;
use crate::facts::Disk;
use crate::name::NodeName;
use crate::spec::OsdOptions;
use crate::step::{Risk, Step, Undo};

/// A disk as a person tells it from others: `/dev/nvme1n1 (Samsung SSD 990 PRO 2TB, serial S7KHNU0X, 2.0 TB)`.
fn called(disk: &Disk) -> String {
    format!("{} ({})", disk.path, disk.described())
}

/// The steps of each node: erasing first, then OSD after OSD.
pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Vec<Step>> {
    let mut all = Vec::new();
    for node in &scene.spec.nodes {
        let Some(choice) = scene.wish.disks.get(&node.name) else { continue };
        // Where anything about the disks is in doubt, none of them is touched.
        if !choice.refused.is_empty() || scene.node(&node.name).is_none() {
            continue;
        }
        all.push(of_node(&node.name, &node.osd, choice));
    }
    all.arrange_by(|a, b| a.first().map(|s| &s.node).cmp(&b.first().map(|s| &s.node)));
    all
}

fn of_node(node: &NodeName, options: &OsdOptions, choice: &DiskChoice) -> Vec<Step> {
    let new: Vec<&Chosen> = choice.chosen.iter().filter(|c| !matches!(c.fate, Fate::Already(_))).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let aside = [&choice.db, &choice.wal].into_iter().flatten();
    let mut steps: Vec<Step> = aside.chain(new.iter().copied()).filter_map(|c| wipe(node, c)).collect();
    steps.dedup_by(|a, b| a.id == b.id);
    for chosen in new {
        steps.push(create(node, options, choice, chosen));
    }
    steps
}

fn wipe(node: &NodeName, chosen: &Chosen) -> Option<Step> {
    let Fate::Wipe(dies) = &chosen.fate else { return None };
    let disk = &chosen.disk;
    Some(Step {
        title: format!("erase {}", called(disk)).into(),
        why: format!("the spec names it in `wipe`; on it: {}", dies.join(", ")).into(),
        undo: Undo::Impossible("what was on the disk is gone".into()),
        proof: vec![on(node, CephCheck::Free { path: disk.path.clone() })],
        risk: Risk::Destructive,
        interrupts: format!("everything on the disk is lost: {}", dies.join(", ")).into(),
        ..step(
            node,
            format_args!("wipe:{}", disk.name),
            CephDeed::Wipe { node: node.clone(), path: disk.path.clone(), serial: disk.serial.clone() },
        )
    })
}

fn create(node: &NodeName, options: &OsdOptions, choice: &DiskChoice, chosen: &Chosen) -> Step {
    let disk = &chosen.disk;
    let count = options.per_device.max(1);
    let aside = |other: &Option<Chosen>| {
        let other = other.as_ref()?;
        Some((other.disk.path.clone(), choice.share(other).max(1)))
    };
    let (db, wal) = (aside(&choice.db), aside(&choice.wal));
    let what = if count == 1 { "OSD".to_owned() } else { format!("{count} OSDs") };
    let mut with: Vec<String> = Vec::new();
    with.extend(db.as_ref().map(|(path, size)| format!("database of {size} GiB on {path}")));
    with.extend(wal.as_ref().map(|(path, size)| format!("write-ahead log of {size} GiB on {path}")));
    with.extend(options.encrypted.then(|| "encrypted".to_owned()));
    with.extend(options.class.as_ref().map(|class| format!("device class {class}")));
    let why = if chosen.asked == "filter" {
        "the disk fits the filter".into()
    } else {
        format!("the spec names {}", chosen.asked)
    };
    let with = if with.is_empty() { String::new() } else { format!("; {}", with.join(", ")) };
    Step {
        title: format!("create {what} on {}", called(disk)).into(),
        why: format!("{why}{with}").into(),
        undo: Undo::Impossible(
            "the disk is written anew; an OSD is taken away by `pveceph osd destroy` once its data is elsewhere".into(),
        ),
        proof: vec![on(node, CephCheck::Disk { disk: disk.name.clone(), count })],
        patience: 90,
        ..step(
            node,
            format_args!("osd:{}", disk.name),
            CephDeed::Osd(Box::new(OsdDeed {
                path: disk.path.clone(),
                serial: disk.serial.clone(),
                size: disk.size,
                db,
                wal,
                class: options.class.clone(),
                encrypted: options.encrypted,
                per_device: count,
            })),
        )
    }
}
