//! From what was read of a node's block devices to what stands on each disk.
//!
//! Pure: the agent fills [`Reading`], `uses` follows partitions and holders upward and names all it
//! finds. What could not be read is a use as well, so that a gap never makes a disk look free.

use std::collections::{BTreeMap, BTreeSet};

use super::Use;
use super::mounts::Mount;
use super::signatures::{Label, Signature};

use crate::into_set::IntoSet;

/// Signatures that belong to an OSD when nothing else stands on them.
const CARRIERS: [&str; 3] = ["ceph_bluestore", "LVM2_member", "crypto_LUKS"];

/// Everything read about the block devices of a node. Devices go by kernel name.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// All devices: disks, partitions and what is built on them.
    pub blocks: BTreeMap<String, Block>,
    /// Mounts, in order.
    pub mounts: Vec<Mount>,
    /// Devices swapped to.
    pub swaps: BTreeSet<String>,
    /// What wipefs found.
    pub signatures: BTreeMap<String, Vec<Signature>>,
    /// Labels of OSDs at the beginning of devices.
    pub labels: BTreeMap<String, Label>,
    /// OSDs of this node.
    pub osds: Vec<OsdFolder>,
    /// What could not be read of a device; under the empty name what concerns all.
    pub faults: BTreeMap<String, Vec<String>>,
}

/// One block device.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Device number: `259:0`.
    pub dev: String,
    /// Its own name besides the kernel's: of device-mapper (`pve-root`).
    pub own_name: String,
    /// Its partitions.
    pub partitions: Vec<String>,
    /// Devices built on it.
    pub holders: Vec<String>,
    /// Device a mount names as its source, where it is this one.
    pub sources: Vec<String>,
}

/// An OSD of this node, from its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsdFolder {
    /// Number.
    pub id: u32,
    /// Its own UUID.
    pub fsid: String,
    /// The cluster it belongs to.
    pub cluster: String,
    /// Devices its `block`, `block.db` and `block.wal` lead to.
    pub devices: Vec<String>,
}

/// One OSD found on a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    osd: Option<u32>,
    fsid: Option<String>,
    cluster: Option<String>,
}

impl Reading {
    /// Everything that stands on a disk; empty for a free one.
    pub fn uses(&self, disk: &str) -> Vec<Use> {
        let above = self.above(disk);
        let mut uses = Vec::new();
        if above.iter().any(|name| self.is_system(name)) {
            uses.push(Use::System);
        }
        let ceph = self.ceph(&above);
        for name in &above {
            self.uses_of(disk, name, &ceph, &mut uses);
        }
        let osds = self.osds_on(&above).into_iter();
        uses.extend(osds.map(|f| Use::Ceph { osd: f.osd, fsid: f.fsid, cluster: f.cluster }));
        let of_all = self.faults.get("").into_iter();
        let faults = of_all.chain(above.iter().filter_map(|name| self.faults.get(name)));
        uses.extend(faults.flatten().map(|why| Use::Unknown(why.clone())));
        uses
    }

    /// Names of the disks among `disks` that a device stands on.
    pub fn below<'a>(&self, device: &str, disks: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let stands = |disk: &&String| self.above(disk).iter().any(|name| name == device);
        disks.into_iter().filter(stands).cloned().collect()
    }

    /// Ceph's volumes that no OSD of this node leads to and whose own label names none, by kernel name.
    pub fn untold(&self) -> Vec<String> {
        let led = |name: &String| {
            let upper = self.built_on(name, false);
            self.osds.iter().any(|osd| osd.devices.iter().any(|device| upper.contains(device)))
        };
        let labelled = |name: &String| self.labels.get(name).is_some_and(|label| label.osd.is_some());
        let volumes = self.blocks.iter().filter(|(_, block)| ceph_volume(&block.own_name).is_some());
        let untold = volumes.map(|(name, _)| name).filter(|name| !led(name) && !labelled(name));
        untold.cloned().collect()
    }

    /// The kernel name of a device number.
    pub fn name(&self, dev: &str) -> Option<&str> {
        self.blocks.iter().find(|(_, block)| block.dev == dev).map(|(name, _)| name.as_str())
    }

    /// The disk, its partitions and all that is built on them, each once, lower before upper.
    fn above(&self, disk: &str) -> Vec<String> {
        self.built_on(disk, true)
    }

    /// A device and all that is built on it, with or without the partitions in it.
    fn built_on(&self, device: &str, partitions: bool) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut left = vec![device.to_owned()];
        while let Some(name) = left.pop() {
            if found.contains(&name) {
                continue;
            }
            if let Some(block) = self.blocks.get(&name) {
                let inside = if partitions { block.partitions.as_slice() } else { &[] };
                left.extend(inside.iter().chain(&block.holders).rev().cloned());
            }
            found.push(name);
        }
        found
    }

    /// What stands on one device of a disk, without what is known only of the whole.
    fn uses_of(&self, disk: &str, name: &str, ceph: &BTreeSet<String>, uses: &mut Vec<Use>) {
        let upper = self.built_on(name, false);
        let carries = upper.len() > 1 && upper[1..].iter().all(|upper| ceph.contains(upper));
        let folds = |kind: &str| (carries || ceph.contains(name)) && CARRIERS.contains(&kind);
        if name != disk {
            if self.blocks.get(disk).is_some_and(|block| block.partitions.iter().any(|p| p == name)) {
                uses.push(Use::Partition(name.to_owned()));
            } else if !ceph.contains(name) {
                uses.push(Use::Holder(self.full_name(name)));
            }
        }
        for signature in self.signatures.get(name).into_iter().flatten() {
            if signature.is_table() {
                uses.push(Use::Table(signature.kind.clone()));
            } else if !folds(&signature.kind) {
                uses.push(Use::Signature(signature.kind.clone()));
            }
        }
        let mounts = self.mounts.iter().filter(|mount| self.is_on(mount, name));
        uses.extend(mounts.map(|mount| Use::Mounted(mount.place.clone())));
        if self.swaps.contains(name) {
            uses.push(Use::Swap);
        }
    }

    fn full_name(&self, name: &str) -> String {
        match self.blocks.get(name) {
            Some(block) if !block.own_name.is_empty() => format!("{name} ({})", block.own_name),
            _ => name.to_owned(),
        }
    }

    fn is_on(&self, mount: &Mount, name: &str) -> bool {
        self.blocks.get(name).is_some_and(|block| {
            !block.dev.is_empty() && block.dev == mount.dev || block.sources.contains(&mount.source)
        })
    }

    /// Whether the operating system stands directly on a device.
    fn is_system(&self, name: &str) -> bool {
        let roots = || self.mounts.iter().filter(|mount| mount.is_system());
        if self.swaps.contains(name) || roots().any(|mount| self.is_on(mount, name)) {
            return true;
        }
        let signatures = self.signatures.get(name).into_iter().flatten();
        let mut pools = roots().filter_map(Mount::zfs_pool);
        signatures.into_iter().any(|signature| match signature.kind.as_str() {
            "zfs_member" => pools.any(|pool| signature.label.is_empty() || signature.label == pool),
            // All members of a btrfs have one id; only one of them is named by the mount.
            "btrfs" => self.is_system_btrfs(&signature.uuid),
            _ => false,
        })
    }

    fn is_system_btrfs(&self, uuid: &str) -> bool {
        let roots = || self.mounts.iter().filter(|mount| mount.is_system() && mount.kind == "btrfs");
        let named = |name: &String| roots().any(|mount| self.is_on(mount, name));
        let mut members = self.signatures.iter().filter(|(name, _)| named(name));
        members.any(|(_, found)| found.iter().any(|s| s.kind == "btrfs" && s.uuid == uuid))
    }

    /// Devices that are a volume of Ceph, and what is built on those (an encrypted one's inside).
    fn ceph(&self, devices: &[String]) -> BTreeSet<String> {
        let direct = devices.iter().filter(|name| self.found(name).next().is_some());
        direct.flat_map(|name| self.built_on(name, false)).into_set()
    }

    /// What a device itself says of an OSD on it.
    fn found(&self, name: &str) -> impl Iterator<Item = Found> {
        let folders = self.osds.iter().filter(move |osd| osd.devices.iter().any(|device| device == name));
        let folders = folders.map(|osd| Found {
            osd: Some(osd.id),
            fsid: Some(osd.fsid.clone()).filter(|id| !id.is_empty()),
            cluster: Some(osd.cluster.clone()).filter(|id| !id.is_empty()),
        });
        let label = self.labels.get(name).map(|label| Found {
            osd: label.osd,
            fsid: Some(label.fsid.clone()),
            cluster: label.cluster.clone(),
        });
        let volume = self.blocks.get(name).and_then(|block| ceph_volume(&block.own_name));
        let volume = volume.map(|fsid| Found { fsid, ..Found::default() });
        let signatures = self.signatures.get(name).into_iter().flatten();
        let signature = signatures.filter(|s| s.kind == "ceph_bluestore").map(|_| Found::default());
        folders.chain(label).chain(volume).chain(signature)
    }

    /// The OSDs on these devices, each once with all that is known of it.
    fn osds_on(&self, devices: &[String]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for new in devices.iter().flat_map(|name| self.found(name)) {
            match found.iter_mut().find(|have| have.fsid.is_some() && have.fsid == new.fsid) {
                Some(have) => {
                    have.osd = have.osd.or(new.osd);
                    have.cluster = have.cluster.take().or(new.cluster);
                }
                None => found.push(new),
            }
        }
        // What says nothing is another sight of what says something.
        if found.iter().any(|f| *f != Found::default()) {
            found.retain(|f| *f != Found::default());
        }
        found.dedup();
        found
    }
}

/// Whether a device-mapper name is that of a volume Ceph's tools made (`ceph--…-osd--block--ID`), and
/// the OSD's id where the name holds it.
fn ceph_volume(name: &str) -> Option<Option<String>> {
    // Device-mapper doubles the dashes of both names and joins them by a single one.
    let plain = name.replace("--", "\0");
    let (group, volume) = plain.split_once('-')?;
    let (group, volume) = (group.replace('\0', "-"), volume.replace('\0', "-"));
    let rest = volume.strip_prefix("osd-").filter(|_| group.starts_with("ceph-"))?;
    Some(rest.strip_prefix("block-").filter(|id| id.len() == 36).map(str::to_owned))
}

#[cfg(test)]
#[path = "reading_test.rs"]
mod tests;
