//! What OSDs stand on that is no disk: loop devices and the files behind them, memory, or a plain file.
//!
//! Used for what benchmarks are worth. Read from sysfs alone; it starts no program. A disk that a lab stands in for
//! counts as one.

use std::path::Path;

use ringbolt_core::facts::ceph::Ground;
use ringbolt_core::facts::disk::reading::Reading;
use rustix::fs::statfs;

use super::blocks::{end, entries, number};
use super::osds::{DEVICES, FOLDER};
use crate::root::Root;

/// How many devices may be built on each other.
const DEEPEST: u32 = 8;

/// File systems that are in memory, by the number `statfs` gives: tmpfs, ramfs, hugetlbfs.
const IN_MEMORY: [u32; 3] = [0x0102_1994, 0x8584_58f6, 0x9584_58f6];

/// What is below an OSD and is none of these disks.
pub(super) fn of(root: &Root, reading: &Reading, disks: &[String], osd: u32) -> Vec<Ground> {
    let mut found = Vec::new();
    for link in DEVICES {
        let path = format!("{FOLDER}/ceph-{osd}/{link}");
        let Some(place) = end(root, &path).filter(|place| root.at(place).exists()) else { continue };
        if root.at(&place).is_file() {
            let file = place.to_string_lossy().into_owned();
            found.push(Ground { device: String::new(), memory: in_memory(root, &file), file });
        } else if let Some(dev) = number(root, &path)
            && !reading.name(&dev).is_some_and(|name| disks.iter().any(|disk| disk == name))
        {
            below(root, &format!("/sys/dev/block/{dev}"), DEEPEST, &mut found);
        }
    }
    found.dedup();
    found
}

/// Goes down from a device to those it is made of.
fn below(root: &Root, device: &str, left: u32, found: &mut Vec<Ground>) {
    let Ok(folder) = std::fs::canonicalize(root.at(device)) else { return };
    // A partition is a folder within that of its device.
    let whole = if folder.join("partition").exists() { folder.parent().unwrap_or(&folder) } else { &folder };
    let slaves = entries(&folder.join("slaves")).unwrap_or_default();
    for slave in slaves.iter().filter(|_| left > 0) {
        below(root, &format!("/sys/class/block/{slave}"), left - 1, found);
    }
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    found.extend(slaves.is_empty().then(|| strange(root, whole, name)).flatten());
}

/// A device that is no disk.
fn strange(root: &Root, folder: &Path, name: &str) -> Option<Ground> {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let ground = |file: String, memory| Some(Ground { device: name.to_owned(), file, memory });
    match kind {
        "loop" => {
            let file = std::fs::read_to_string(folder.join("loop/backing_file")).unwrap_or_default();
            let file = file.trim_end_matches('\n').to_owned();
            let memory = in_memory(root, &file);
            ground(file, memory)
        }
        "ram" | "zram" => ground(String::new(), Some(true)),
        "nbd" => ground(String::new(), None),
        _ => None,
    }
}

/// Whether a file is in memory; none where it cannot be looked at.
fn in_memory(root: &Root, file: &str) -> Option<bool> {
    let about = statfs(root.at(Path::new(file))).ok().filter(|_| !file.is_empty())?;
    // The number has 32 bits, whatever the kernel's type for it.
    let kind = u32::try_from(about.f_type & 0xffff_ffff).ok()?;
    Some(IN_MEMORY.contains(&kind))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree with one OSD whose `block` is a link to this.
    fn node(top: &Path, block: &str) -> Root {
        std::fs::create_dir_all(top.join("var/lib/ceph/osd/ceph-3")).unwrap();
        symlink(block, top.join("var/lib/ceph/osd/ceph-3/block")).unwrap();
        Root::open(top, None)
    }

    fn ground(root: &Root) -> Vec<Ground> {
        of(root, &Reading::default(), &[], 3)
    }

    #[test]
    fn a_file_is_in_memory_or_not_by_its_file_system() {
        for (place, memory) in [("/dev/shm", true), (env!("CARGO_MANIFEST_DIR"), false)] {
            let folder = tempfile::tempdir_in(place).unwrap();
            let root = node(folder.path(), "../../../../../osd.img");
            assert_eq!(ground(&root), []);
            std::fs::write(folder.path().join("osd.img"), "").unwrap();
            let [found] = &ground(&root)[..] else { panic!("one") };
            assert!(found.file.ends_with("osd.img") && found.device.is_empty(), "{found:?}");
            assert_eq!(found.memory, Some(memory), "{place}");
        }
    }

    #[test]
    fn volumes_and_partitions_are_followed_down_and_disks_are_no_finding() {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let top = folder.path();
        let root = node(top, "/dev/none");
        let loop7 = top.join("sys/devices/virtual/block/loop7");
        let volume = top.join("sys/devices/virtual/block/dm-3");
        for made in [loop7.join("loop7p1/slaves"), loop7.join("loop"), volume.join("slaves")] {
            std::fs::create_dir_all(made).unwrap();
        }
        std::fs::create_dir_all(top.join("sys/devices/pci/nvme0n1")).unwrap();
        std::fs::create_dir_all(top.join("sys/class/block")).unwrap();
        for (name, at) in [("dm-3", &volume), ("loop7p1", &loop7.join("loop7p1"))] {
            symlink(at, top.join("sys/class/block").join(name)).unwrap();
        }
        symlink(top.join("sys/devices/pci/nvme0n1"), top.join("sys/class/block/nvme0n1")).unwrap();
        for (file, text) in [("loop7p1/partition", "1\n"), ("loop/backing_file", "/osd.img\n")] {
            std::fs::write(loop7.join(file), text).unwrap();
        }
        for slave in ["loop7p1", "nvme0n1"] {
            std::fs::write(volume.join("slaves").join(slave), "").unwrap();
        }
        std::fs::write(top.join("osd.img"), "").unwrap();
        let seen = |device: &str| {
            let mut found = Vec::new();
            below(&root, &format!("/sys/class/block/{device}"), DEEPEST, &mut found);
            found
        };
        let loop7 = Ground { device: "loop7".into(), file: "/osd.img".into(), memory: Some(true) };
        assert_eq!(seen("dm-3"), [loop7]);
        assert_eq!(seen("nvme0n1"), []);
        std::fs::remove_file(top.join("osd.img")).unwrap();
        assert_eq!(seen("loop7p1")[0].memory, None);
    }
}
