//! What `lab disk --make` puts on a disk: real programs where the node has them, and the real on-disk labels,
//! byte for byte, of those that need a kernel or a program it lacks (ZFS, Linux RAID, BlueStore).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::state::uuid;

/// What is to be on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Nothing: all zeros.
    Blank,
    /// An ext4 file system.
    Ext4,
    /// An XFS file system.
    Xfs,
    /// A partition table with two partitions.
    Gpt,
    /// An LVM physical volume.
    Lvm,
    /// A member of a ZFS pool.
    Zfs,
    /// A member of a Linux RAID array.
    Mdraid,
    /// An OSD of another Ceph cluster.
    Bluestore,
    /// Swap space.
    Swap,
    /// An ext4 file system, mounted.
    Mounted,
}

impl Content {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 10] = [
        ("blank", Self::Blank),
        ("ext4", Self::Ext4),
        ("xfs", Self::Xfs),
        ("gpt", Self::Gpt),
        ("lvm", Self::Lvm),
        ("zfs", Self::Zfs),
        ("mdraid", Self::Mdraid),
        ("bluestore", Self::Bluestore),
        ("swap", Self::Swap),
        ("mounted", Self::Mounted),
    ];
}

impl std::str::FromStr for Content {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        let names = || Self::ALL.map(|(name, _)| name).join(", ");
        found.map(|(_, content)| content).ok_or_else(|| format!("no content `{text}`: {}", names()))
    }
}

/// The programs to run in the node, one after the other.
pub(super) fn programs(content: Content, disk: &str) -> Vec<Vec<String>> {
    let device = format!("/dev/{disk}");
    let folder = format!("/mnt/{disk}");
    let lines: Vec<Vec<&str>> = match content {
        Content::Ext4 => vec![vec!["mkfs.ext4", "-q", "-F", &device]],
        Content::Xfs => vec![vec!["mkfs.xfs", "-q", "-f", &device]],
        Content::Gpt => vec![vec!["sgdisk", "-n1:0:+1G", "-n2:0:0", &device]],
        Content::Lvm => vec![vec!["pvcreate", "-q", "-y", &device]],
        Content::Swap => vec![vec!["mkswap", "-q", &device]],
        Content::Mounted => vec![
            vec!["mkfs.ext4", "-q", "-F", &device],
            vec!["mkdir", "-p", &folder],
            vec!["mount", &device, &folder],
        ],
        Content::Blank | Content::Zfs | Content::Mdraid | Content::Bluestore => Vec::new(),
    };
    lines.into_iter().map(|line| line.into_iter().map(str::to_owned).collect()).collect()
}

/// Bytes to be written at a place.
pub(super) struct Patch {
    at: u64,
    bytes: Vec<u8>,
}

/// The labels of what no program here makes.
pub(super) fn patches(content: Content, size: u64, seed: &str) -> Option<Vec<Patch>> {
    match content {
        Content::Zfs => Some(zfs(size, seed)),
        Content::Mdraid => Some(vec![Patch { at: 4096, bytes: mdraid(size, seed) }]),
        Content::Bluestore => Some(vec![Patch { at: 0, bytes: bluestore(size, seed) }]),
        _ => None,
    }
}

/// Writes them, so that a reader of the device sees them at once.
pub(super) fn write(device: &Path, patches: &[Patch]) -> io::Result<()> {
    let file = File::options().write(true).open(device)?;
    for patch in patches {
        file.write_all_at(&patch.bytes, patch.at)?;
    }
    file.sync_all()
}

fn identity(seed: &str) -> [u8; 16] {
    let hex = uuid(seed).replace('-', "");
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap_or(0);
    }
    bytes
}

/// Four labels of 256 KiB, two at each end: a list of names and values at 16 KiB, uberblocks from 128 KiB.
fn zfs(size: u64, seed: &str) -> Vec<Patch> {
    const LABEL: u64 = 256 << 10;
    const MAGIC: u64 = 0x00ba_b10c;
    let guid = u64::from_le_bytes(identity(seed).first_chunk::<8>().copied().unwrap_or_default());
    let mut list: Vec<u8> = vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    pair(&mut list, "version", 8, &5000_u64.to_be_bytes());
    pair(&mut list, "name", 9, &text(b"tank"));
    pair(&mut list, "state", 8, &0_u64.to_be_bytes());
    pair(&mut list, "txg", 8, &11_u64.to_be_bytes());
    pair(&mut list, "pool_guid", 8, &guid.to_be_bytes());
    pair(&mut list, "errata", 8, &0_u64.to_be_bytes());
    pair(&mut list, "hostname", 9, &text(b"elsewhere"));
    pair(&mut list, "top_guid", 8, &(guid ^ 1).to_be_bytes());
    pair(&mut list, "guid", 8, &(guid ^ 1).to_be_bytes());
    pair(&mut list, "vdev_children", 8, &1_u64.to_be_bytes());
    list.extend([0; 8]);
    let mut uberblocks = vec![0_u8; 8 << 10];
    for (txg, block) in (4_u64..).zip(uberblocks.chunks_mut(1 << 10)) {
        for (at, value) in [(0, MAGIC), (8, 5000), (16, txg), (24, guid), (32, 1_700_000_000)] {
            block[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
        }
    }
    let end = size / LABEL * LABEL;
    [0, LABEL, end - 2 * LABEL, end - LABEL]
        .into_iter()
        .flat_map(|at| {
            [
                Patch { at: at + (16 << 10), bytes: list.clone() },
                Patch { at: at + (128 << 10), bytes: uberblocks.clone() },
            ]
        })
        .collect()
}

/// A text of the list: length, bytes, filled up to four.
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes().to_vec();
    all.extend(bytes);
    all.resize(all.len().next_multiple_of(4), 0);
    all
}

fn pair(list: &mut Vec<u8>, name: &str, kind: u32, value: &[u8]) {
    let name = text(name.as_bytes());
    let length = u32::try_from(8 + name.len() + 8 + value.len()).unwrap_or(0);
    list.extend(length.to_be_bytes());
    list.extend((length + 12).to_be_bytes());
    list.extend(name);
    list.extend(kind.to_be_bytes());
    list.extend(1_u32.to_be_bytes());
    list.extend(value);
}

/// A superblock of version 1.2, of one of two mirrors.
fn mdraid(size: u64, seed: &str) -> Vec<u8> {
    const DEVICES: usize = 128;
    let mut block = vec![0_u8; 256 + 2 * DEVICES];
    let sectors = size / 512 - 2048;
    block[16..32].copy_from_slice(&identity(&format!("{seed}/array")));
    block[32..38].copy_from_slice(b"lab:md");
    for (at, value) in [(64, 1_700_000_000), (80, sectors), (128, 2048), (136, sectors), (144, 8)] {
        block[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
    }
    for (at, value) in [(0, 0xa92b_4efc), (4, 1), (72, 1), (92, 2), (220, 128)] {
        block[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    block[168..184].copy_from_slice(&identity(&format!("{seed}/device")));
    for (role, slot) in (0_u16..).zip(block[256..].chunks_mut(2)) {
        slot.copy_from_slice(&if role < 2 { role } else { 0xffff }.to_le_bytes());
    }
    let words = block.chunks(4).map(|word| word.iter().rev().fold(0_u64, |sum, b| sum << 8 | u64::from(*b)));
    let sum: u64 = words.sum();
    let folded = (sum & 0xffff_ffff) + (sum >> 32);
    block[216..220].copy_from_slice(&folded.to_le_bytes()[..4]);
    block
}

/// The label of an OSD with number 7 of a cluster nobody knows.
fn bluestore(size: u64, seed: &str) -> Vec<u8> {
    let osd = uuid(&format!("{seed}/osd"));
    let mut label = format!("bluestore block device\n{osd}\n").into_bytes();
    let mut body = identity(&format!("{seed}/osd")).to_vec();
    body.extend(size.to_le_bytes());
    body.extend([0; 8]);
    let word = |body: &mut Vec<u8>, text: &str| {
        body.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        body.extend(text.as_bytes());
    };
    word(&mut body, "main");
    let fsid = uuid(&format!("{seed}/cluster"));
    let meta = [
        ("ceph_fsid", fsid.as_str()),
        ("magic", "ceph osd volume v026"),
        ("ready", "ready"),
        ("whoami", "7"),
    ];
    body.extend(u32::try_from(meta.len()).unwrap_or(0).to_le_bytes());
    for (key, value) in meta {
        word(&mut body, key);
        word(&mut body, value);
    }
    label.extend([2, 1]);
    label.extend(u32::try_from(body.len()).unwrap_or(0).to_le_bytes());
    label.extend(body);
    let sum = crc32c(&label);
    label.extend(sum.to_le_bytes());
    label.resize(4096, 0);
    label
}

/// The sum Ceph closes its labels with: Castagnoli's polynomial from all ones, not turned over at the end.
fn crc32c(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn contents_have_names() {
        for (name, content) in Content::ALL {
            assert_eq!(name.parse::<Content>().unwrap(), content);
        }
        assert!("fat".parse::<Content>().unwrap_err().contains("ext4"));
    }

    #[test]
    fn labels_have_their_sums() {
        assert_eq!(!crc32c(b"123456789"), 0xe306_9283);
        let block = mdraid(10 << 30, "x");
        assert_eq!(block[..4], [0xfc, 0x4e, 0x2b, 0xa9]);
        assert_eq!(bluestore(10 << 30, "x").len(), 4096);
        assert!(zfs(10 << 30, "x").iter().all(|patch| patch.at < 10 << 30));
    }
}
