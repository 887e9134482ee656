//! What one node reports about itself, and what it is asked for.
//!
//! The agent fills these types (one file per area in `agent/read/`, one parser per area here);
//! binding and planning read them. Inventory is hardware and software that changes slowly; state is
//! configuration and live condition.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub mod ceph;
pub mod ceph_conf;
pub mod disk;
mod fleet;
pub mod frr;
pub mod ha;
pub mod network;
pub mod packages;
pub mod pve;
pub mod thunderbolt;
pub mod units;

pub use ceph::{CephCluster, CephNode};
pub use disk::Disk;
pub use fleet::Fleet;
pub use frr::Frr;
pub use ha::Guest;
pub use network::{Interface, KernelRoute};
pub use thunderbolt::Thunderbolt;

/// Everything one node said in one exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// `uname -n`, as the node tells it.
    pub hostname: String,
    /// Real machine, or a lab node with stand-ins.
    pub realm: Realm,
    /// Hardware and software.
    pub inventory: Inventory,
    /// Configuration and live condition.
    pub state: State,
}

/// Where a node lives, and which of its parts are not the real thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    /// The lab's name; `None` on a real machine.
    pub lab: Option<String>,
    /// Programs and hardware that are stood in for, by name.
    #[serde(default)]
    pub stand_ins: Vec<String>,
}

/// A part of the facts that may be missing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known<T> {
    /// The part, read.
    Yes(T),
    /// Why it could not be read, in words for people.
    No(String),
}

impl<T> Known<T> {
    /// The part, if it could be read.
    pub fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }
}

/// Hardware and software of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub arch: String,
    /// `/proc/sys/kernel/random/boot_id`: another value after each boot.
    pub boot_id: String,
    /// Installed versions of the packages asked for; absent ones are not in the map.
    pub packages: BTreeMap<String, String>,
    /// Controllers and connected hosts.
    pub thunderbolt: Known<Thunderbolt>,
    /// Network interfaces of the node's own network namespace, by name.
    pub interfaces: BTreeMap<String, Interface>,
    /// Whole disks, by kernel name; `No` when they were not asked for.
    #[serde(default = "not_asked")]
    pub disks: Known<Vec<Disk>>,
}

/// Configuration and live condition of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Files that exist, of those asked for, by absolute path.
    pub files: BTreeMap<String, FileFact>,
    /// Units asked for.
    pub units: BTreeMap<String, UnitFact>,
    /// Live values of the sysctls asked for (dots in the key), those that exist.
    pub sysctl: BTreeMap<String, String>,
    /// Modules loaded or built in, of those asked for (underscores in the name).
    pub modules: BTreeSet<String>,
    /// Routes of the main table, both families.
    pub routes: Vec<KernelRoute>,
    /// What FRR says; `No` when it is not installed or not running.
    pub frr: Known<Frr>,
    /// Free bytes of the file system of `/`.
    pub root_free: u64,
    /// Whether `/etc/pve` is mounted writable; `None` when it is not there.
    pub pve_writable: Option<bool>,
    /// Ceph on this node; `No` when it was not asked for or could not be read. A node without Ceph has
    /// empty lists in it, and its memory.
    #[serde(default = "not_asked")]
    pub ceph: Known<CephNode>,
    /// The Ceph cluster as this node hears of it; `No` when it was not asked for, there is none, or it does
    /// not answer.
    #[serde(default = "not_asked")]
    pub ceph_cluster: Known<CephCluster>,
    /// Guests of this node; `No` when they were not asked for.
    #[serde(default = "not_asked")]
    pub guests: Known<Vec<Guest>>,
    /// How its clock goes, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
}

/// The clock of a node against that of the machine it was asked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Microseconds it is ahead; behind when negative.
    pub ahead: i64,
    /// Microseconds this may be wrong by: half of the way there and back.
    pub within: u64,
}

impl Clock {
    /// From one question and its answer, all in microseconds since the epoch: `sent` and `heard` by the clock of who
    /// asks, `told` by that of the node.
    pub fn between(sent: i64, told: i64, heard: i64) -> Self {
        let way = heard.saturating_sub(sent).max(0);
        Self {
            ahead: told.saturating_sub(sent.saturating_add(way / 2)),
            within: way.unsigned_abs().div_ceil(2),
        }
    }

    /// Microseconds two clocks are apart at least, whatever the measurements are wrong by.
    pub fn apart(&self, other: &Self) -> u64 {
        self.ahead.abs_diff(other.ahead).saturating_sub(self.within.saturating_add(other.within))
    }
}

/// The reason of a part that nobody asked for.
pub const NOT_ASKED: &str = "not asked for";

/// A part that nobody asked for.
pub fn not_asked<T>() -> Known<T> {
    Known::No(NOT_ASKED.into())
}

/// One regular file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFact {
    /// SHA-256 of the content, lower-case hex.
    pub digest: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The text; `None` for what is over 256 KiB or not UTF-8.
    pub text: Option<String>,
}

/// Properties of a unit as `systemctl show` gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFact {
    /// LoadState: loaded, not-found, masked, …
    pub load: String,
    /// ActiveState: active, inactive, failed, …
    pub active: String,
    /// UnitFileState: enabled, disabled, static, … (empty when there is no file).
    pub enabled: String,
}

/// What a node is asked for. Everything not named here is read always (interfaces, routes,
/// Thunderbolt, FRR).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Package names.
    pub packages: BTreeSet<String>,
    /// Files: an absolute path, or a folder and a file name pattern with one `*`
    /// (`/etc/systemd/network/*.link`).
    pub files: BTreeSet<String>,
    /// Unit names.
    pub units: BTreeSet<String>,
    /// Keys, with dots.
    pub sysctl: BTreeSet<String>,
    /// Module names, with underscores.
    pub modules: BTreeSet<String>,
    /// Which disks are there and what stands on them.
    #[serde(default)]
    pub disks: Disks,
    /// Ceph on the node.
    #[serde(default)]
    pub ceph: bool,
    /// The Ceph cluster; asked of one node.
    #[serde(default)]
    pub ceph_cluster: bool,
    /// Options of the running daemons that differ from their defaults; with `ceph`.
    #[serde(default)]
    pub ceph_options: bool,
    /// Guests of the node, and which of them run.
    #[serde(default)]
    pub guests: bool,
}

/// How closely disks are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disks {
    /// Not at all.
    #[default]
    No,
    /// What they are and what stands on them: files of the kernel and one call of `wipefs`.
    Uses,
    /// Their own monitoring as well: one call of `smartctl` a disk.
    Health,
}

impl Facts {
    /// The text of a file, where it exists and is text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.state.files.get(path).and_then(|f| f.text.as_deref())
    }

    /// Whether a package is installed in at least this version (its leading numbers).
    pub fn at_least(&self, package: &str, floor: &[u32]) -> bool {
        let Some(version) = self.inventory.packages.get(package) else { return false };
        let numbers = version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
        let have: Vec<u32> = numbers.take(floor.len()).collect();
        have.as_slice() >= floor
    }

    /// Whether a package is installed.
    pub fn has_package(&self, name: &str) -> bool {
        self.inventory.packages.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_the_middle_of_the_way() {
        // Ten milliseconds there and back: the node is 100 ms ahead, give or take five.
        let ahead = Clock::between(1_000_000, 1_105_000, 1_010_000);
        assert_eq!(ahead, Clock { ahead: 100_000, within: 5_000 });
        let behind = Clock::between(1_000_000, 995_000, 1_010_000);
        assert_eq!(behind, Clock { ahead: -10_000, within: 5_000 });
        assert_eq!((ahead.apart(&behind), behind.apart(&ahead)), (100_000, 100_000));
        // A slow line proves nothing, and a clock here that was set back meanwhile does no harm.
        let vague = Clock::between(1_000_000, 1_300_000, 2_000_000);
        assert_eq!(ahead.apart(&vague), 0);
        assert_eq!(Clock::between(10, 20, 5), Clock { ahead: 10, within: 0 });
    }
}
