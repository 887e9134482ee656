//! What becomes of one disk, or why it cannot be had. Used by `choose` only; it never looks at more than the disk, its
//! neighbours' serial numbers, `wipe` and the id of the cluster.

use super::{Fate, Ours, Sight};
use crate::arrange::Arrange;
use crate::diagnostic::Code;
use crate::explain::disks as code;
use crate::facts::disk::{Disk, Use};
use crate::obstacle::Obstacle;

/// What a disk holds of Ceph, seen from one cluster.
#[derive(Debug, Default)]
struct Ceph {
    /// OSDs of this cluster, by number.
    own: Vec<u32>,
    /// OSDs that were of this cluster, and are destroyed.
    gone: Vec<u32>,
    /// Whether there is anything else: another cluster's, an unknown one's, or without a number.
    other: bool,
}

fn ceph(disk: &Disk, ours: Ours<'_>) -> Ceph {
    let mut found = Ceph::default();
    for part in &disk.uses {
        let Use::Ceph { osd, cluster, fsid } = part else { continue };
        match (osd, cluster, ours) {
            (Some(number), Some(cluster), Ours::Is { id, .. }) if cluster == id => {
                let lacks = ours.lacks(*number, fsid.as_deref());
                if lacks { &mut found.gone } else { &mut found.own }.push(*number);
            }
            _ => found.other = true,
        }
    }
    for list in [&mut found.own, &mut found.gone] {
        list.arrange();
        list.dedup();
    }
    found
}

/// The OSDs of this cluster on a disk, by number; empty unless they are all there is of Ceph on it.
pub fn own_osds(disk: &Disk, ours: Ours<'_>) -> Vec<u32> {
    let ceph = ceph(disk, ours);
    if ceph.other { Vec::new() } else { ceph.own }
}

impl Sight<'_> {
    pub(super) fn fate(&self, disk: &Disk) -> Result<Fate, Obstacle> {
        if disk.is_system() {
            return Err(self.refusal(
                code::SYSTEM_DISK,
                disk,
                "carries the operating system",
                "take it out of the spec: no option overrides this",
            ));
        }
        let own = own_osds(disk, self.ours);
        if !own.is_empty() {
            return Ok(Fate::Already(own));
        }
        let twin = |d: &&&Disk| !d.serial.is_empty() && d.serial == disk.serial && d.path != disk.path;
        if let Some(twin) = self.disks.iter().find(twin) {
            return Err(self.alike(disk, twin, "both tell the same serial number"));
        }
        self.fit(disk)?;
        let fate = self.free_or_wiped(disk)?;
        if disk.health.yes().and_then(|h| h.passed) == Some(false) {
            let cure = "replace the disk, or take it out of the spec";
            return Err(self.refusal(code::DISK_FAILED, disk, "calls itself failed", cure));
        }
        Ok(fate)
    }

    fn fit(&self, disk: &Disk) -> Result<(), Obstacle> {
        let why = match disk {
            d if d.size == 0 => "has no size",
            d if d.removable => "can be taken out",
            d if d.read_only => "refuses writes",
            _ => return Ok(()),
        };
        Err(self.refusal(code::DISK_UNFIT, disk, why, "name another disk"))
    }

    fn free_or_wiped(&self, disk: &Disk) -> Result<Fate, Obstacle> {
        if disk.uses.is_empty() {
            return Ok(Fate::Create);
        }
        let ceph = ceph(disk, self.ours);
        let named = self.wipe_names(disk);
        let active = disk.uses.iter().any(Use::is_active);
        if ceph.other && (!named || self.ours == Ours::Unknown || !ceph.own.is_empty()) {
            let cure = match self.ours {
                Ours::Unknown => {
                    "bring the cluster's monitors back first: whose OSD this is cannot be told without"
                }
                _ if !ceph.own.is_empty() => "settle it by hand: OSDs of this cluster are on it as well",
                _ => "if it may be lost: deactivate it, and add its serial number to `wipe` of this node",
            };
            let message = "holds an OSD that is not known to be of this cluster";
            return Err(self.refusal(code::FOREIGN_OSD, disk, message, cure));
        }
        match (named, active) {
            (true, false) => Ok(Fate::Wipe(words(disk))),
            (true, true) => Err(self.refusal(
                code::DISK_ACTIVE,
                disk,
                "is to be wiped, but in use",
                "release it by hand (umount, swapoff, vgchange -an, mdadm --stop, zpool export), then run again",
            )),
            (false, _) => {
                let cure = match (active, disk.serial.is_empty()) {
                    (true, _) => "name another disk; or release it by hand first".to_owned(),
                    (false, true) => "name another disk; or erase it by hand with `wipefs --all`: it tells no \
                                      serial number by which the spec could name it"
                        .to_owned(),
                    (false, false) => format!(
                        "name another disk; or, if all of this may be lost, add to the node: wipe = [\"{}\"]",
                        disk.serial
                    ),
                };
                let gone: Vec<String> = ceph.gone.iter().map(|n| format!("OSD {n}")).collect();
                let what = match gone.as_slice() {
                    [] => "is not free".to_owned(),
                    some => format!("holds {}, which the cluster has no more", some.join(" and ")),
                };
                Err(self.refusal(code::DISK_USED, disk, &what, &cure))
            }
        }
    }

    /// Whether `wipe` names this very disk.
    pub(super) fn wipe_names(&self, disk: &Disk) -> bool {
        !disk.serial.is_empty() && self.node.osd.wipe.contains(&disk.serial)
    }

    /// Whether a filter may not simply pass over a disk that it cannot have.
    pub(super) fn must_be_settled(&self, disk: &Disk, refusal: &Obstacle) -> bool {
        let codes = [code::DISK_FAILED, code::SAME_SERIAL];
        self.wipe_names(disk) || codes.iter().any(|c| c.0 == refusal.code)
    }

    pub(super) fn refusal(&self, code: Code, disk: &Disk, what: &str, cure: &str) -> Obstacle {
        Obstacle {
            code: code.to_string(),
            node: Some(self.name.clone()),
            message: format!("{} ({}) {what}", disk.path, disk.described()),
            evidence: words(disk).join("\n"),
            cure: cure.to_owned(),
        }
    }

    /// Refuses new OSDs for which `db` or `wal` has no room beside those that are there.
    pub(super) fn room_aside(&mut self) {
        let choice = &self.choice;
        if choice.chosen.iter().all(|c| matches!(c.fate, Fate::Already(_))) {
            return;
        }
        let aside = choice.db.iter().chain(&choice.wal).filter(|a| matches!(a.fate, Fate::Already(_)));
        let refusal = |a: &super::Chosen| {
            let what = "has less than 1 GiB left for each new OSD beside those that share it";
            let cure = "take the new disks out of `osds`, or `db` and `wal` out of the node";
            self.refusal(code::ASIDE_FULL, &a.disk, what, cure)
        };
        let full: Vec<Obstacle> = aside.filter(|a| choice.share(a) == 0).map(refusal).collect();
        self.choice.refused.extend(full);
    }

    pub(super) fn missing(&self, message: &str, key: &str) -> Obstacle {
        let seen: Vec<String> =
            self.disks.iter().map(|d| format!("{} ({})", d.path, d.described())).collect();
        Obstacle {
            code: code::NO_DISK.to_string(),
            node: Some(self.name.clone()),
            message: message.to_owned(),
            evidence: if seen.is_empty() { "no disk at all".to_owned() } else { seen.join("\n") },
            cure: format!("correct `{key}` of this node"),
        }
    }

    pub(super) fn unlike(&self, disk: &Disk) -> Obstacle {
        let cure = "correct the filter in `osds`";
        Obstacle {
            evidence: String::new(),
            ..self.refusal(
                code::DISK_COUNT,
                disk,
                "has the serial number, but does not fit the other keys",
                cure,
            )
        }
    }

    pub(super) fn count(&self, message: &str) -> Obstacle {
        let line = |d: &&Disk| format!("{} ({}): {}", d.path, d.described(), in_a_line(d));
        Obstacle {
            code: code::DISK_COUNT.to_string(),
            node: Some(self.name.clone()),
            message: message.to_owned(),
            evidence: self.disks.iter().map(line).collect::<Vec<_>>().join("\n"),
            cure: "make the filter narrower or wider, or correct `count`".to_owned(),
        }
    }

    pub(super) fn alike(&self, one: &Disk, other: &Disk, why: &str) -> Obstacle {
        let (a, b) = if one.path <= other.path { (one, other) } else { (other, one) };
        Obstacle {
            code: code::SAME_SERIAL.to_string(),
            node: Some(self.name.clone()),
            message: format!("{} and {} cannot be told apart: {why}", a.path, b.path),
            evidence: format!("{}: {}\n{}: {}", a.path, a.described(), b.path, b.described()),
            cure: "connect the disk over one path, or take both out of the spec".to_owned(),
        }
    }

    pub(super) fn twice(&self, disk: &Disk, first: &str, second: &str) -> Obstacle {
        let cure = "remove one of the two from the spec";
        Obstacle {
            evidence: format!("{first}\n{second}"),
            ..self.refusal(code::ASKED_TWICE, disk, "is asked for twice", cure)
        }
    }
}

/// Everything on a disk, each in words.
pub(super) fn words(disk: &Disk) -> Vec<String> {
    disk.uses.iter().map(ToString::to_string).collect()
}

/// Everything on a disk in one line.
pub(super) fn in_a_line(disk: &Disk) -> String {
    if disk.uses.is_empty() { "free".to_owned() } else { words(disk).join(", ") }
}
