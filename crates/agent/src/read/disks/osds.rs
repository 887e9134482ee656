//! OSDs of this node by their folders below `/var/lib/ceph/osd`.
//!
//! Used for what stands on a disk and for what Ceph is on the node. It starts no program.

use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::disk::reading::{OsdFolder, Reading};

use super::blocks::device;
use crate::root::Root;

/// Folder of all OSDs.
pub(super) const FOLDER: &str = "/var/lib/ceph/osd";

/// Links to the devices of an OSD.
pub(super) const DEVICES: [&str; 3] = ["block", "block.db", "block.wal"];

/// The OSDs that have a folder, by number.
pub(crate) fn folders(root: &Root, reading: &Reading) -> Vec<OsdFolder> {
    let entries = std::fs::read_dir(root.at(FOLDER)).into_iter().flatten().flatten();
    let numbers =
        entries.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("ceph-")?.parse::<u32>().ok());
    let mut found: Vec<OsdFolder> = numbers.map(|id| folder(root, reading, id)).collect();
    found.arrange_by_key(|osd| osd.id);
    found
}

fn folder(root: &Root, reading: &Reading, id: u32) -> OsdFolder {
    let own = format!("{FOLDER}/ceph-{id}");
    let line = |file: &str| root.line(&format!("{own}/{file}")).unwrap_or_default();
    let lead = |link: &&str| device(root, reading, &format!("{own}/{link}"));
    let devices = DEVICES.iter().filter_map(lead).collect();
    OsdFolder { id, fsid: line("fsid"), cluster: line("ceph_fsid"), devices }
}
