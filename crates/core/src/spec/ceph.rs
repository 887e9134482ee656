//! `[ceph]`, `[[pool]]` and `[[filesystem]]`: the storage cluster on the mesh, and its defaults. Read by `storage` and
//! `pool`.
//!
//! Ceph is there when a node has `osds`; a file with `[ceph]`, `[[pool]]` or `[[filesystem]]` and no `osds` is a fault.

use ipnet::IpNet;
use serde::Serialize;

use crate::name::NodeName;

/// `[ceph]`: there when a node has OSDs or the file has the section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ceph {
    /// Where the packages come from; default no-subscription.
    pub repository: Repository,
    /// Which Ceph; default the newest stable that Proxmox VE offers.
    pub version: Release,
    /// Network of clients and monitors; default the mesh.
    pub public: PublicNetwork,
    /// Nodes with a monitor; default the first three, five from seven nodes on, in the order of the file.
    pub monitors: Vec<NodeName>,
    /// Nodes with a manager; default those with a monitor.
    pub managers: Vec<NodeName>,
    /// Memory of each OSD.
    pub memory: OsdMemory,
    /// Whether our tuning profile is kept; default yes.
    pub tuning: bool,
    /// How mClock shares the disks between clients and recovery; default balanced.
    pub mclock: Mclock,
    /// Hours of the day in which scrubs begin (from, to), 0..=23; `None`: at any time.
    pub scrub: Option<(u8, u8)>,
    /// Whether migration and replication of guests use the mesh; default no: it is a setting of the whole
    /// datacenter.
    pub migration: bool,
}

/// Which of Proxmox's Ceph repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repository {
    /// Needs a subscription on every node.
    Enterprise,
    /// For everyone.
    NoSubscription,
    /// Ahead of the others.
    Test,
}

/// Which release of Ceph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// 19.2.
    Squid,
    /// 20.2.
    Tentacle,
}

/// Which network clients and monitors use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicNetwork {
    /// The fabric's prefix.
    Mesh,
    /// The network of the management addresses, as the nodes have it.
    Lan,
    /// This one.
    Prefix(IpNet),
}

/// How much memory an OSD aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OsdMemory {
    /// What is left of the node's memory when this many bytes are kept for guests; `None`: half of it.
    Reserve(Option<u64>),
    /// This many bytes.
    Fixed(u64),
}

/// mClock's profile (`osd_mclock_profile`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mclock {
    /// Clients and recovery alike; Ceph's default.
    Balanced,
    /// Clients first.
    HighClientOps,
    /// Recovery first.
    HighRecoveryOps,
}

/// `[[pool]]`: one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Name; also the id of its storage in Proxmox VE.
    pub name: String,
    /// How its data is kept.
    pub keeping: Keeping,
    /// Placement groups, a power of two; `None`: computed from the OSDs.
    pub pg_num: Option<u32>,
    /// Share of the cluster it will take in thousandths, all pools together up to 1000; `None`: an equal
    /// share.
    pub target_share: Option<u32>,
    /// Compression, where asked for.
    pub compression: Option<Compression>,
    /// Device class its data stays on; `None`: any.
    pub class: Option<String>,
    /// Whether Proxmox VE gets a storage entry for it; default yes.
    pub storage: bool,
    /// Whether data loss was accepted in so many words; needed below three copies.
    pub accept_data_loss: bool,
}

/// How a pool keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeping {
    /// Whole copies.
    Copies {
        /// How many.
        size: u32,
        /// Fewest with which writes go on.
        min_size: u32,
    },
    /// Erasure coded: k pieces of data, m of redundancy.
    Erasure {
        /// Pieces of data.
        k: u32,
        /// Pieces of redundancy.
        m: u32,
    },
}

/// BlueStore's compression of one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compression {
    /// `lz4`, `snappy`, `zstd` or `zlib`.
    pub algorithm: String,
    /// `passive`, `aggressive` or `force`.
    pub mode: String,
}

/// `[[filesystem]]`: one CephFS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filesystem {
    /// Name; also the id of its storage in Proxmox VE.
    pub name: String,
    /// Placement groups of the data pool; `None`: computed.
    pub pg_num: Option<u32>,
    /// Whether Proxmox VE gets a storage entry for it; default yes.
    pub storage: bool,
}

/// How the disks of one node become OSDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OsdOptions {
    /// Serial numbers of used disks that may be wiped.
    pub wipe: Vec<String>,
    /// Disk for the databases of all OSDs of the node, by path.
    pub db: Option<String>,
    /// Disk for the write-ahead logs of all OSDs of the node, by path.
    pub wal: Option<String>,
    /// OSDs on each disk; 0 stands for one.
    pub per_device: u32,
    /// Whether they are encrypted.
    pub encrypted: bool,
    /// CRUSH device class, where not Ceph's own choice.
    pub class: Option<String>,
}

/// Most monitors Proxmox VE and common sense have use for.
pub(super) const MOST_MONITORS: usize = 7;

impl Ceph {
    /// What holds for a cluster of these nodes when the file says nothing.
    ///
    /// * Repository: the one for everyone; the others are asked for by name.
    /// * Release: the newest stable; Proxmox VE's own default depends on its version, so it is always said.
    /// * Public network: the mesh. Clients are guests on the same nodes; over the LAN they would have its speed.
    /// * Monitors: see [`default_monitors`].
    /// * Memory: computed from what the node has; guests keep half.
    pub fn defaults(nodes: &[NodeName]) -> Self {
        let monitors = default_monitors(nodes);
        Self {
            repository: Repository::NoSubscription,
            version: Release::Tentacle,
            public: PublicNetwork::Mesh,
            managers: monitors.clone(),
            monitors,
            memory: OsdMemory::Reserve(None),
            tuning: true,
            mclock: Mclock::Balanced,
            scrub: None,
            migration: false,
        }
    }
}

/// The first three nodes, five from seven nodes on: three survive one failure, five two, and more only talk more.
/// Of two nodes only the first: two monitors need each other, so that either one's failure would stop the cluster.
fn default_monitors(nodes: &[NodeName]) -> Vec<NodeName> {
    let count = match nodes.len() {
        0..=2 => 1,
        3..=6 => 3,
        _ => 5,
    };
    nodes.iter().take(count).cloned().collect()
}

impl Pool {
    /// The pool of a file without `[[pool]]`: `vm`, three copies, writes go on with two.
    pub fn standard() -> Self {
        Self {
            name: "vm".to_owned(),
            keeping: Keeping::Copies { size: 3, min_size: default_min_size(3) },
            pg_num: None,
            target_share: None,
            compression: None,
            class: None,
            storage: true,
            accept_data_loss: false,
        }
    }
}

/// Fewest copies with which writes go on: half of them rounded up, never less than two where there are two. One copy
/// that took writes alone is lost with its disk.
pub(super) fn default_min_size(size: u32) -> u32 {
    size.div_ceil(2).max(2).min(size)
}

impl Keeping {
    /// How many nodes with OSDs it takes for each piece to have its own.
    pub fn hosts(self) -> u32 {
        match self {
            Self::Copies { size, .. } => size,
            Self::Erasure { k, m } => k + m,
        }
    }

    /// Whether one disk more than planned for may take data with it: fewer than three copies, writes that go on
    /// with one, or one piece of redundancy.
    pub fn is_risky(self) -> bool {
        match self {
            Self::Copies { size, min_size } => size < 3 || min_size < 2,
            Self::Erasure { m, .. } => m < 2,
        }
    }
}

impl super::Spec {
    /// The prefix of the mesh that Ceph uses: IPv4 where there is one, else IPv6. Its messenger runs on one family; with
    /// IPv6 it needs `ms_bind_ipv6`.
    pub fn ceph_prefix(&self) -> Option<IpNet> {
        self.fabric.prefix.map(IpNet::V4).or(self.fabric.prefix6.map(IpNet::V6))
    }
}
