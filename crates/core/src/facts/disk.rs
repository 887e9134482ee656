//! Disks of a node: what they are, and everything that stands on them.
//!
//! A disk may become an OSD only when `uses` is empty. What could not be found out counts as a use
//! ([`Use::Unknown`]), so a gap in the facts never makes a plan bolder.

use serde::{Deserialize, Serialize};

use super::Known;

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
}
