//! The closed list of deeds a step may ask of a node. No free shell text, ever: each variant is
//! carried out by one file in `agent/act/` with an argument vector of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{FabricId, NodeName, PortName};

/// One deed on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Install packages with apt, without recommended ones, never asking.
    InstallPackages {
        /// Package names.
        names: Vec<String>,
    },
    /// Load a kernel module.
    LoadModule {
        /// Module name, with underscores.
        name: String,
    },
    /// Put a file in place atomically. Owner and mode of an existing file are kept unless `mode`
    /// differs; the previous content is kept for undo.
    WriteFile {
        /// Absolute path.
        path: Arc<str>,
        /// The whole new content.
        content: Arc<str>,
        /// Permission bits.
        mode: u32,
    },
    /// Remove a file; the previous content is kept for undo.
    RemoveFile {
        /// Absolute path.
        path: Arc<str>,
    },
    /// `systemctl daemon-reload`.
    ReloadSystemd,
    /// `udevadm control --reload`, so that new `.link` files and rules count.
    ReloadUdev,
    /// `sysctl --load=FILE`.
    LoadSysctl {
        /// Absolute path of the file.
        path: String,
    },
    /// `systemctl enable [--now]`.
    EnableUnit {
        /// Unit name.
        unit: String,
        /// Start it as well.
        now: bool,
    },
    /// `systemctl disable --now`.
    DisableUnit {
        /// Unit name.
        unit: String,
    },
    /// `systemctl restart`.
    RestartUnit {
        /// Unit name.
        unit: String,
    },
    /// Give a Thunderbolt interface its port name and MTU now, as its `.link` file will at every
    /// later appearance. Found by controller, so that it does not matter what it is called now.
    AdoptPort {
        /// PCI address of the controller.
        pci: String,
        /// Name it shall have.
        name: PortName,
        /// MTU in bytes.
        mtu: u32,
    },
    /// `ifup PORT`: addresses and MTU of one interface from the files.
    BringUp {
        /// Interface name.
        interface: String,
    },
    /// `ifreload -a`: make every interface what the files say.
    ReloadInterfaces,
    /// `ip route flush exact TO proto boot`: static routes of an earlier run, which no reload of the
    /// interfaces takes away.
    DropRoutes {
        /// Destinations.
        to: Vec<ipnet::IpNet>,
    },
    /// `update-initramfs -u -k all`.
    UpdateInitramfs,
    /// `vtysh -d mgmtd -f /etc/frr/frr.conf`: what FRR has missed of its configuration at its start.
    LoadFrr {},
    /// Change Proxmox VE's fabrics under its SDN lock, apply, and wait for every node's task.
    ApplySdn(Box<SdnChange>),
    /// Make one node regenerate its part of SDN: `pvesh set /nodes/NODE/network --regenerate-frr 1`.
    ReloadNode {
        /// The node itself.
        node: NodeName,
    },
    /// Let a public key log in as root: one more line in root's `authorized_keys`, wherever that leads.
    AuthorizeKey {
        /// The line as a `.pub` file has it: type, key, comment.
        line: String,
    },
    /// Set a port down for a while, then up again with its addresses: a drill on real cables. The
    /// node mends it by a timer of its own even when the agent is gone.
    HoldDown {
        /// Port.
        port: PortName,
        /// How long, at most a minute.
        milliseconds: u32,
    },
    /// Put back what the agent has kept of a step of an earlier run: a file, packages, a unit, kernel
    /// settings, the name of a port.
    TakeBack {
        /// The run.
        run: String,
        /// The step.
        step: crate::name::StepId,
    },
    /// Something of Ceph, through Proxmox VE's own tools where they do it.
    Ceph(CephDeed),
    /// `ha-manager crm-command node-maintenance enable|disable NODE`: high availability moves its
    /// services away from a node, or may use it again. It only queues the wish.
    Maintenance {
        /// Which node; any node of the cluster can be told.
        node: NodeName,
        /// Into maintenance, rather than out of it.
        on: bool,
    },
    /// Reboot the node.
    Reboot,
}

/// A deed on Ceph. What Proxmox VE has a command for goes through it (`pveceph`, `pvesm`, `pvesh`);
/// the configuration database is Ceph's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CephDeed {
    /// `pveceph install --repository R --version V`, its questions answered.
    Install {
        /// `enterprise`, `no-subscription` or `test`.
        repository: String,
        /// `squid` or `tentacle`.
        version: String,
    },
    /// `pveceph init`.
    Init {
        /// Network clients and monitors use.
        network: ipnet::IpNet,
        /// Network of replication, always said: without it Proxmox VE takes the other one.
        cluster_network: ipnet::IpNet,
        /// Default replicas of new pools.
        size: u32,
        /// Default fewest replicas of new pools.
        min_size: u32,
    },
    /// `pveceph mon create --mon-address A`, then waiting until it is in quorum.
    Monitor {
        /// Its address.
        address: std::net::IpAddr,
    },
    /// `pveceph mgr create`.
    Manager,
    /// `pveceph mds create`.
    Metadata,
    /// `pveceph osd create`; refused unless the disk at the path has this serial number and is free.
    Osd(Box<OsdDeed>),
    /// `pvesh set /nodes/N/disks/wipedisk`: everything on the disk is lost. Refused unless the disk
    /// at the path has this serial number, is not the system's, and nothing on it is in use.
    Wipe {
        /// The node itself.
        node: NodeName,
        /// Device node.
        path: String,
        /// Serial number it must have.
        serial: String,
    },
    /// `pveceph pool create` or `pveceph pool set`; judged by the pool that is there afterwards.
    Pool {
        /// Create it, rather than change it.
        create: bool,
        /// Name.
        name: String,
        /// Options in order, without dashes.
        options: Vec<(String, String)>,
    },
    /// `ceph osd crush rule create-replicated NAME default host CLASS`: copies on disks of one class, for
    /// pools. Done already where the rule is there.
    Rule {
        /// Name.
        name: String,
        /// Device class.
        class: String,
    },
    /// Options of a pool that Proxmox VE has no flag for: `ceph osd pool set NAME KEY VALUE`.
    PoolOptions {
        /// Name.
        name: String,
        /// Keys and values in order.
        options: Vec<(String, String)>,
    },
    /// `pveceph fs create`.
    Filesystem {
        /// Name.
        name: String,
        /// Options in order, without dashes.
        options: Vec<(String, String)>,
    },
    /// `pvesm add TYPE ID`.
    Storage {
        /// `rbd` or `cephfs`.
        kind: String,
        /// Storage id.
        id: String,
        /// Options in order, without dashes.
        options: Vec<(String, String)>,
    },
    /// Entries of the configuration database: put, then removed.
    Config {
        /// Section, option, value.
        set: Vec<(String, String, String)>,
        /// Section, option.
        remove: Vec<(String, String)>,
    },
    /// `ceph osd ok-to-stop`: asks whether every placement group stays served without these OSDs, and
    /// fails when not.
    MayStop {
        /// Numbers.
        osds: Vec<u32>,
    },
    /// `ceph osd set-group` / `unset-group` of `noout` for the OSDs of one host.
    HoldOut {
        /// The host, as in the CRUSH tree.
        host: NodeName,
        /// Set it, rather than take it away.
        hold: bool,
    },
    /// `pvesh set /cluster/options`: `migration` and `replication` network of the datacenter.
    Datacenter {
        /// Options in order, without dashes.
        options: Vec<(String, String)>,
    },
    /// Measures what each OSD of this node can do (`ceph tell osd.N bench`, small writes) and keeps it
    /// for mClock in the configuration database.
    MeasureOsds {
        /// Numbers.
        osds: Vec<u32>,
    },
}

/// One disk that becomes OSDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsdDeed {
    /// Device node.
    pub path: String,
    /// Serial number it must have; empty where the disk tells none.
    pub serial: String,
    /// Bytes it must have.
    pub size: u64,
    /// Device for the database: path and GiB.
    pub db: Option<(String, u64)>,
    /// Device for the write-ahead log: path and GiB.
    pub wal: Option<(String, u64)>,
    /// CRUSH device class, where not Ceph's own choice.
    pub class: Option<String>,
    /// Encrypt it.
    pub encrypted: bool,
    /// OSDs on this one disk.
    pub per_device: u32,
}

/// A change of SDN objects, as one transaction: lock, stage, look at the dry run where the version
/// has one, apply, wait for every node's own task, release; roll back what was staged on failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SdnChange {
    /// The fabric it is about.
    pub fabric: FabricId,
    /// Deletions, done before the lock is taken: Proxmox VE cannot delete under a lock.
    pub deletes: Vec<PveCall>,
    /// Creations and updates, under the lock.
    pub calls: Vec<PveCall>,
    /// Nodes whose reload task must succeed.
    pub nodes: Vec<NodeName>,
    /// SHA-256 of `fabrics.cfg` the change was planned against; empty for an absent file.
    pub expect: String,
    /// Whether `libpve-network-perl` on this node has a dry run (1.3.0 and later).
    pub dry_run: bool,
}

/// One `pvesh` call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PveCall {
    /// `create`, `set` or `delete`.
    pub verb: Verb,
    /// API path.
    pub path: String,
    /// Options in order; a name may repeat.
    pub options: Vec<(String, String)>,
}

/// What `pvesh` is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// POST.
    Create,
    /// PUT.
    Set,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Set => "set",
            Self::Delete => "delete",
        }
    }
}
