//! What Ceph is on a node, and what the cluster says of itself.
//!
//! The node's part is read without starting a program: folders below `/var/lib/ceph`, and the
//! daemons' admin sockets. The cluster's part comes from one node, which asks the monitors for all of
//! it in one session of `ceph`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod cluster;
pub mod daemon;
pub mod value;

/// Ceph on one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CephNode {
    /// Monitors with a folder on this node, by id.
    pub monitors: Vec<Daemon>,
    /// Managers with a folder on this node, by id.
    pub managers: Vec<Daemon>,
    /// Metadata servers with a folder on this node, by id.
    pub metadata: Vec<Daemon>,
    /// OSDs with a folder on this node, by number.
    pub osds: Vec<LocalOsd>,
    /// What the monitor here says of the quorum.
    pub quorum: Option<Quorum>,
    /// `MemTotal` in bytes.
    pub memory: u64,
    /// Whether Proxmox's install task has left its flag (`/run/pve-ceph-install-flag`).
    pub installing: bool,
}

/// One daemon that has a folder on the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    /// Its id: `n2`.
    pub id: String,
    /// Whether it answers on its admin socket.
    pub runs: bool,
}

/// One OSD of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LocalOsd {
    /// Number.
    pub id: u32,
    /// Its own UUID.
    pub fsid: String,
    /// The cluster it belongs to.
    pub cluster: String,
    /// Kernel names of the disks below its block device (and DB and WAL).
    pub disks: Vec<String>,
    /// What is below it and is no disk; empty for an OSD as it should be.
    #[serde(default)]
    pub ground: Vec<Ground>,
    /// What it says of itself on its admin socket: `active`, `booting`, `preboot`, …; empty when it
    /// does not answer.
    pub state: String,
    /// Version of the running daemon: `18.2.7`.
    pub version: String,
    /// Options that differ from their defaults, asked for only by an audit.
    #[serde(default)]
    pub options: Vec<RunningOption>,
}

/// Something an OSD stands on that is no disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Kernel name of the device: `loop7`, `zram0`; empty where a file is in the place of one.
    pub device: String,
    /// The file behind it; empty where there is none.
    pub file: String,
    /// Whether what is written stays in memory; none where that could not be found out.
    pub memory: Option<bool>,
}

/// An option of a running daemon that differs from its default (`config diff`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningOption {
    /// Name.
    pub name: String,
    /// The default.
    pub default: String,
    /// The value in force.
    pub value: String,
    /// Where it comes from: `file`, `mon`, `override`, `cmdline`, …
    pub source: String,
}

/// What a monitor says of the quorum (`mon_status`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// `leader`, `peon`, `probing`, `electing`, `synchronizing`.
    pub state: String,
    /// The cluster's id.
    pub fsid: String,
    /// Names of those in quorum.
    pub members: Vec<String>,
    /// All monitors of the map: name and address without port.
    pub monitors: BTreeMap<String, String>,
}

/// What the cluster says of itself, told by one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CephCluster {
    /// Its id.
    pub fsid: String,
    /// `HEALTH_OK`, `HEALTH_WARN`, `HEALTH_ERR`.
    pub health: String,
    /// What is behind that.
    pub complaints: Vec<Complaint>,
    /// Name of the leading monitor.
    pub leader: String,
    /// Names of the monitors in quorum.
    pub quorum: Vec<String>,
    /// All monitors of the map: name and address without port.
    pub monitors: BTreeMap<String, String>,
    /// Name of the active manager.
    pub active_manager: Option<String>,
    /// Names of those standing by.
    pub standby_managers: Vec<String>,
    /// All OSDs, by number.
    pub osds: Vec<OsdFact>,
    /// Flags of the OSD map: `noout`, …
    pub flags: Vec<String>,
    /// Flags of buckets of the CRUSH tree, by their name: `n2` has `noout`.
    #[serde(default)]
    pub bucket_flags: BTreeMap<String, Vec<String>>,
    /// All pools.
    pub pools: Vec<PoolFact>,
    /// Names of the CRUSH rules.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Number of placement groups by state: `active+clean`.
    pub placement_groups: BTreeMap<String, u64>,
    /// The configuration database (`config dump`).
    pub config: Vec<ConfigEntry>,
    /// File systems: name, metadata pool, data pools.
    pub filesystems: Vec<FilesystemFact>,
    /// Release that every daemon runs at least: `reef`.
    pub require_release: String,
    /// Number of running daemons by version text.
    pub versions: BTreeMap<String, u32>,
    /// Fraction of the raw space in use, 0..=1.
    pub used: f64,
    /// Raw bytes in all.
    pub bytes: u64,
    /// What clients do at this moment.
    #[serde(default)]
    pub client: ClientLoad,
    /// What this Ceph says of the options in the configuration database, by name; asked for only by an audit.
    #[serde(default)]
    pub help: BTreeMap<String, OptionHelp>,
}

/// What the running Ceph says of one of its options (`config help`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionHelp {
    /// Whether it has such an option.
    pub known: bool,
    /// The default.
    pub default: String,
    /// Whether a change counts at once.
    pub runtime: bool,
    /// What it does, in Ceph's words.
    pub what: String,
}

/// What clients do, each a second, as the managers have seen it last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLoad {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
}

impl CephCluster {
    /// Hosts whose OSDs are kept in while they are away (`noout`), by name.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        let noout = |flags: &Vec<String>| flags.iter().any(|f| f == "noout");
        self.bucket_flags.iter().filter(move |(_, flags)| noout(flags)).map(|(host, _)| host.as_str())
    }
}

impl ClientLoad {
    /// Operations a second.
    pub const fn operations(self) -> u64 {
        self.reads + self.writes
    }

    /// Bytes a second.
    pub const fn bytes(self) -> u64 {
        self.read_bytes + self.written_bytes
    }
}

/// One entry of the health report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Its code: `OSD_DOWN`.
    pub code: String,
    /// `HEALTH_WARN` or `HEALTH_ERR`.
    pub severity: String,
    /// In words.
    pub summary: String,
    /// Whether somebody has muted it.
    pub muted: bool,
}

/// One OSD as the cluster sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OsdFact {
    /// Number.
    pub id: u32,
    /// Its own UUID.
    pub uuid: String,
    /// Host it stands below in the CRUSH tree; empty when below none.
    pub host: String,
    /// Device class.
    pub class: String,
    /// Whether it is up.
    pub up: bool,
    /// Whether it takes part in placement.
    pub within: bool,
    /// Weight of placement, 0..=1.
    pub reweight: f64,
    /// CRUSH weight: TiB.
    pub weight: f64,
    /// Address clients use, without port.
    pub public_address: String,
    /// Address of replication, without port.
    pub cluster_address: String,
}

/// One pool as the cluster sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolFact {
    /// Number.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Replicas, or k+m.
    pub size: u32,
    /// Fewest copies with which writes go on.
    pub min_size: u32,
    /// Placement groups it has or is on its way to (`pg_num_target`).
    pub pg_num: u32,
    /// `on`, `off`, `warn`.
    pub autoscale: String,
    /// Application tags.
    pub applications: Vec<String>,
    /// `replicated` or `erasure`.
    pub kind: String,
    /// Name of its CRUSH rule.
    pub rule: String,
    /// Options such as `compression_mode`, `target_size_ratio`, `bulk`, as text.
    pub options: BTreeMap<String, String>,
    /// Bytes stored, before replication.
    pub stored: u64,
}

/// One file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesystemFact {
    /// Name.
    pub name: String,
    /// Metadata pool.
    pub metadata_pool: String,
    /// Data pools.
    pub data_pools: Vec<String>,
}

/// One entry of the configuration database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConfigEntry {
    /// `global`, `mon`, `osd`, `osd.3`, …
    pub section: String,
    /// Option.
    pub name: String,
    /// Value as text.
    pub value: String,
    /// Mask such as `class:ssd` or `host:n2`; mostly empty.
    pub mask: String,
}

impl ConfigEntry {
    /// Whom it is for, as `ceph config set` takes it: section and mask.
    pub fn who(&self) -> String {
        if self.mask.is_empty() { self.section.clone() } else { format!("{}/{}", self.section, self.mask) }
    }
}
