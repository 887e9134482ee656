//! `pveceph osd create` on a disk that was looked at once more right before.

use std::collections::BTreeSet;

use ringbolt_core::action::OsdDeed;
use ringbolt_core::facts::disk::Disk;
use ringbolt_core::facts::{Disks, Known};
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, plain_name, run, tool};
use crate::read::{ceph, disks};

/// Longest time it may take, in seconds.
const LIMIT: u64 = 900;

/// Makes the OSDs of one disk.
pub(super) fn create(scene: &Scene<'_>, deed: &OsdDeed) -> Outcome {
    let all = all(scene)?;
    let disk = find(&all, &deed.path, &deed.serial)?;
    if deed.size != 0 && disk.size != deed.size {
        let message = format!("{} has {} bytes, the plan saw {}", deed.path, disk.size, deed.size);
        return Err(Failure::refused(message).hint("look again: `ringbolt plan`"));
    }
    let before = ceph::osds(scene.root, false);
    let on_disk = |osds: &[ringbolt_core::facts::ceph::LocalOsd]| -> BTreeSet<u32> {
        osds.iter().filter(|osd| osd.disks.contains(&disk.name)).map(|osd| osd.id).collect()
    };
    let there = on_disk(&before);
    if !there.is_empty() && there.len() >= deed.per_device as usize {
        return Ok(format!("{} already", names(&there)));
    }
    if !disk.uses.is_empty() {
        return Err(used(disk));
    }
    if disk.read_only {
        return Err(Failure::refused(format!("{} takes no writes", deed.path)));
    }
    for (path, _) in deed.db.iter().chain(&deed.wal) {
        let other = all.iter().find(|other| other.answers_to(path) || path.starts_with(&other.path));
        match other {
            None => return Err(Failure::refused(format!("there is no {path}"))),
            Some(other) if other.is_system() => return Err(used(other)),
            Some(_) => {}
        }
    }
    let words = words(deed)?;
    if there.is_empty() {
        super::synced::tell(scene, disk);
    }
    let call = tool("pveceph", words, LIMIT);
    let output = run(scene, &call)?;
    let after = on_disk(&ceph::osds(scene.root, false));
    let made: BTreeSet<u32> = after.difference(&there).copied().into_set();
    if made.len() >= deed.per_device as usize {
        return Ok(format!("{} on {}", names(&made), deed.path));
    }
    let wanted = match deed.per_device {
        0 | 1 => "an OSD".to_owned(),
        many => format!("{many} OSDs"),
    };
    Err(failure(&format!("{} did not become {wanted}", deed.path), &output))
}

fn words(deed: &OsdDeed) -> Result<Vec<String>, Failure> {
    let mut words = vec!["osd".to_owned(), "create".to_owned(), deed.path.clone()];
    for (kind, device) in [("db", &deed.db), ("wal", &deed.wal)] {
        if let Some((path, gib)) = device {
            words.extend([
                format!("--{kind}_dev"),
                path.clone(),
                format!("--{kind}_dev_size"),
                gib.to_string(),
            ]);
        }
    }
    if let Some(class) = &deed.class {
        plain_name(class, "a device class")?;
        words.extend(["--crush-device-class".to_owned(), class.clone()]);
    }
    if deed.encrypted {
        words.extend(["--encrypted".to_owned(), "1".to_owned()]);
    }
    if deed.per_device > 1 {
        words.extend(["--osds-per-device".to_owned(), deed.per_device.to_string()]);
    }
    Ok(words)
}

fn names(osds: &BTreeSet<u32>) -> String {
    osds.iter().map(|id| format!("osd.{id}")).collect::<Vec<_>>().join(", ")
}

/// All disks, looked at now.
pub(super) fn all(scene: &Scene<'_>) -> Result<Vec<Disk>, Failure> {
    match disks::disks(scene.root, Disks::Uses) {
        Known::Yes(disks) => Ok(disks),
        Known::No(why) => Err(Failure::broken(format!("the disks cannot be looked at: {why}"))),
    }
}

/// The disk at a path, if it is the one that was planned with.
pub(super) fn find<'d>(disks: &'d [Disk], path: &str, serial: &str) -> Result<&'d Disk, Failure> {
    if !path.starts_with("/dev/") {
        return Err(Failure::refused(format!("`{path}` is no device")));
    }
    let mut found = disks.iter().filter(|disk| disk.answers_to(path));
    let Some(disk) = found.next() else {
        return Err(Failure::refused(format!("there is no disk {path} any more"))
            .hint("was it taken out? look again: `ringbolt plan`"));
    };
    if disk.serial != serial {
        let message = format!("{path} has the serial number `{}`, the plan saw `{serial}`", disk.serial);
        return Err(Failure::refused(message)
            .hint("disks change their names between boots: name it by /dev/disk/by-id, and look again"));
    }
    Ok(disk)
}

/// Says what stands on a disk that was to be free.
pub(super) fn used(disk: &Disk) -> Failure {
    let uses: Vec<String> = disk.uses.iter().map(ToString::to_string).collect();
    Failure::refused(format!("{} is not free: {}", disk.path, uses.join(", ")))
        .hint("look again: `ringbolt plan`")
}

#[cfg(test)]
#[path = "osd_test.rs"]
mod tests;
