//! Disks of a node: what they are, and everything that stands on them.
//!
//! A disk may become an OSD only when `uses` is empty. What could not be found out counts as a use
//! ([`Use::Unknown`]), so a gap in the facts never makes a plan bolder.

use serde::{Deserialize, Serialize};

use super::Known;

pub mod mounts;
pub mod reading;
pub mod signatures;
pub mod smart;
pub mod volumes;

/// One whole disk (no partition, no loop, no device-mapper volume).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Kernel name: `nvme1n1`.
    pub name: String,
    /// Device node: `/dev/nvme1n1`.
    pub path: String,
    /// Links below `/dev/disk/by-id` and `/dev/disk/by-path`, sorted.
    pub links: Vec<String>,
    /// Model as the disk tells it, without blanks around it; may be empty.
    pub model: String,
    /// Serial number, without blanks around it; may be empty.
    pub serial: String,
    /// Bytes.
    pub size: u64,
    /// What it is made of.
    pub medium: Medium,
    /// Whether it can be taken out (a USB stick, a card).
    pub removable: bool,
    /// Whether it refuses writes.
    pub read_only: bool,
    /// Everything found on it, in the order it was found; empty for a free disk.
    pub uses: Vec<Use>,
    /// What its own monitoring says (SMART, NVMe health log).
    pub health: Known<Health>,
    /// Requests a queue may hold (`queue/nr_requests`).
    pub nr_requests: Option<u32>,
    /// Bytes of the volumes built on it (device-mapper).
    #[serde(default)]
    pub volumes: u64,
}

/// What a disk is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// Flash on PCIe.
    Nvme,
    /// Flash behind SATA, SAS or USB.
    Ssd,
    /// Rotating.
    Hdd,
}

/// One thing that stands on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// It carries `/`, `/boot`, the EFI partition, or what those rest on (a ZFS or LVM root).
    System,
    /// A partition, by kernel name; what is on it follows as uses of its own.
    Partition(String),
    /// A partition table, by type (`gpt`, `dos`), with or without partitions.
    Table(String),
    /// Mounted at this place.
    Mounted(String),
    /// Swap that is in use.
    Swap,
    /// A file system or other signature, by libblkid's name: `ext4`, `LVM2_member`, `zfs_member`,
    /// `linux_raid_member`, `crypto_LUKS`, `swap`, …
    Signature(String),
    /// A device built on top, by kernel name (`dm-3`, `md0`) with its own name where it has one.
    Holder(String),
    /// A volume of Ceph: the OSD's number and id where they are known.
    Ceph {
        /// Number of the OSD.
        osd: Option<u32>,
        /// The OSD's own UUID.
        fsid: Option<String>,
        /// The cluster it belongs to.
        cluster: Option<String>,
    },
    /// Opened by a program for itself, seen as `EBUSY` on an exclusive open.
    Busy,
    /// This could not be found out, and why.
    Unknown(String),
}

/// What a disk says about its own condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Its own overall verdict.
    pub passed: Option<bool>,
    /// Degrees Celsius.
    pub temperature: Option<i32>,
    /// Percent of its rated life used; over 100 is possible.
    pub wear: Option<u32>,
    /// Hours powered on.
    pub hours: Option<u64>,
}

impl Disk {
    /// The OSD on it, if it has exactly one that is known by number.
    pub fn osd(&self) -> Option<u32> {
        let mut found = self.uses.iter().filter_map(|u| match u {
            Use::Ceph { osd, .. } => *osd,
            _ => None,
        });
        found.next()
    }

    /// Whether the operating system stands on it.
    pub fn is_system(&self) -> bool {
        self.uses.contains(&Use::System)
    }

    /// Whether it answers to this path: its device node or one of its links.
    pub fn answers_to(&self, path: &str) -> bool {
        self.path == path || self.links.iter().any(|l| l == path)
    }

    /// Model, serial number and size for people: `Samsung SSD 990 PRO 1TB, serial S7K1, 1.0 TB`.
    pub fn described(&self) -> String {
        let model = if self.model.is_empty() { "unknown model" } else { &self.model };
        let serial = if self.serial.is_empty() {
            "no serial number".to_owned()
        } else {
            format!("serial {}", self.serial)
        };
        format!("{model}, {serial}, {}", size_text(self.size))
    }
}

/// Bytes as makers of disks count them: `1.0 TB`, `512 GB`, `17 MB`.
pub fn size_text(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        1_000_000_000_000.. => format!("{} TB", tenths(1_000_000_000_000)),
        10_000_000_000.. => format!("{} GB", bytes / 1_000_000_000),
        1_000_000_000.. => format!("{} GB", tenths(1_000_000_000)),
        1_000_000.. => format!("{} MB", bytes / 1_000_000),
        _ => format!("{bytes} bytes"),
    }
}

impl Use {
    /// Whether somebody works with it at this moment, or that could not be found out: such a use is never wiped.
    pub fn is_active(&self) -> bool {
        match self {
            Self::System
            | Self::Mounted(_)
            | Self::Swap
            | Self::Holder(_)
            | Self::Busy
            | Self::Unknown(_) => true,
            Self::Partition(_) | Self::Table(_) | Self::Signature(_) | Self::Ceph { .. } => false,
        }
    }
}

/// In words: `partition nvme1n1p1`, `mounted at /data`, `OSD 3 of the Ceph cluster 5f0c…`.
impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("the operating system"),
            Self::Partition(name) => write!(f, "partition {name}"),
            Self::Table(kind) => write!(f, "partition table ({kind})"),
            Self::Mounted(place) => write!(f, "mounted at {place}"),
            Self::Swap => f.write_str("swap in use"),
            Self::Signature(kind) => match kind.as_str() {
                "LVM2_member" => f.write_str("LVM physical volume"),
                "zfs_member" => f.write_str("member of a ZFS pool"),
                "linux_raid_member" => f.write_str("member of a RAID"),
                "crypto_LUKS" => f.write_str("LUKS encryption"),
                "swap" => f.write_str("swap space"),
                "ceph_bluestore" => f.write_str("Ceph BlueStore"),
                "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "vfat" | "exfat" | "ntfs" | "f2fs" => {
                    write!(f, "file system {kind}")
                }
                _ => write!(f, "signature {kind}"),
            },
            Self::Holder(name) => write!(f, "in use by {name}"),
            Self::Ceph { osd, cluster, .. } => {
                match osd {
                    Some(number) => write!(f, "OSD {number}")?,
                    None => f.write_str("an OSD without a number")?,
                }
                match cluster {
                    Some(cluster) => write!(f, " of the Ceph cluster {cluster}"),
                    None => f.write_str(" of an unknown Ceph cluster"),
                }
            }
            Self::Busy => f.write_str("opened by a program for itself"),
            Self::Unknown(why) => write!(f, "could not be found out: {why}"),
        }
    }
}
