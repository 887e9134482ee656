//! The spec: the user's file, checked and with defaults filled in.
//!
//! `text → spanned tree → Spec`, collecting every diagnostic. The types here are what the rest of
//! the program works from; nothing in them is left to choose but what only the nodes can tell.

mod address;
mod ceph;
mod check_addresses;
mod check_cabling;
mod check_ceph;
mod cluster;
mod disk;
mod fabric;
mod host_key;
mod interface;
pub mod key;
mod link;
pub mod near;
mod node;
mod osd;
mod pool;
mod read;
mod secret;
mod storage;
mod syntax;
mod tree;
mod write;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::name::{FabricId, NodeName, PortName};

pub use ceph::{
    Ceph, Compression, Filesystem, Keeping, Mclock, OsdMemory, OsdOptions, Pool, PublicNetwork, Release,
    Repository,
};
pub use disk::{DiskFilter, Osds};
pub use read::{Outcome, read};
pub use write::to_toml;

/// Everything the user asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spec {
    /// `[cluster]`.
    pub cluster: Cluster,
    /// `[ssh]`.
    pub ssh: Ssh,
    /// `[fabric]`.
    pub fabric: Fabric,
    /// `[[node]]`, in the order of the file; at least two.
    pub nodes: Vec<Node>,
    /// `[[link]]`, in the order of the file; empty when cabling is to be discovered.
    pub links: Vec<Link>,
    /// `[[interface]]`, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// `[ceph]`; `None` for a mesh without Ceph.
    pub ceph: Option<Ceph>,
    /// `[[pool]]`, in the order of the file; with Ceph and without one in the file, the pool `vm`.
    pub pools: Vec<Pool>,
    /// `[[filesystem]]`, in the order of the file.
    pub filesystems: Vec<Filesystem>,
}

/// `[cluster]`: what the cluster is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Name shown in reports; the default of the fabric id.
    pub name: String,
    /// Networks in use elsewhere, which the fabric's prefixes do not overlap.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
}

/// `[ssh]`: how the nodes are reached. All of it has defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ssh {
    /// Login user; default `root`, the only one Proxmox VE's tools work for.
    pub user: Option<String>,
    /// Port, default that of the user's ssh configuration.
    pub port: Option<u16>,
    /// An ssh configuration file (`ssh -F`), relative to the spec file.
    pub config: Option<String>,
    /// An identity file (`ssh -i`), relative to the spec file.
    pub identity: Option<String>,
}

/// What the links of the fabric are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Thunderbolt 3/4 or USB4 cables from node to node; cabling is discovered.
    Thunderbolt,
    /// Ethernet cables from node to node.
    Ethernet,
    /// Every node has one port in the same Ethernet switch.
    Switch,
}

/// Who computes the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Routing {
    /// FRR's fabricd through Proxmox VE's SDN fabrics.
    Openfabric,
    /// Static routes in `/etc/network/interfaces.d/ringbolt`; no FRR.
    Static,
}

/// `[fabric]`: the routed network over the links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fabric {
    /// Id in Proxmox VE's SDN; default the cluster name where that is a valid id, else `mesh`.
    pub id: FabricId,
    /// IPv4 prefix the router IDs come from. At least one of the two prefixes is there.
    pub prefix: Option<Ipv4Net>,
    /// IPv6 prefix the router IDs come from.
    pub prefix6: Option<Ipv6Net>,
    /// What the links are made of; default Thunderbolt.
    pub transport: Transport,
    /// Who computes the routes; default OpenFabric (static on a switch, where every node is one hop away).
    pub routing: Routing,
    /// MTU of every port in bytes, 1280..=65520; default 65520 on Thunderbolt, 9000 on Ethernet.
    pub mtu: u32,
    /// Seconds between hellos, 1..=600; default 1.
    pub hello_interval: u16,
    /// Hellos missed before a neighbour is down, 2..=100; default 3.
    pub hello_multiplier: u16,
    /// Seconds between sequence number packets, 1..=600; `None` leaves FRR's default of 10.
    pub csnp_interval: Option<u16>,
    /// Seconds between two link-state packets of one node, 1..=120; default 1 (FRR: 30).
    pub lsp_gen_interval: u16,
    /// Bidirectional forwarding detection on every port; default on.
    pub bfd: bool,
}

/// `[[node]]`: one Proxmox VE machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Host name.
    pub name: NodeName,
    /// Management address ssh goes to.
    pub address: IpAddr,
    /// Fixed IPv4 router ID, where the user gave one.
    pub router_id: Option<Ipv4Addr>,
    /// Fixed IPv6 router ID, where the user gave one.
    pub router_id6: Option<Ipv6Addr>,
    /// Ports that join the fabric. Thunderbolt: the names the ports get, in PCI order (default
    /// en05, en06, …). Ethernet: existing interfaces.
    pub ports: Option<Vec<PortName>>,
    /// Pinned ssh host key (`ssh-ed25519 AAAA…`), where the user gave one.
    pub host_key: Option<String>,
    /// Disks that become OSDs; empty for a mesh without Ceph.
    pub osds: Osds,
    /// How they become OSDs.
    pub osd: OsdOptions,
}

/// `[[interface]]`: options of an interface that has a stanza in `/etc/network/interfaces` already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// On which node.
    pub node: NodeName,
    /// Its name.
    pub name: String,
    /// MTU in bytes; `None` leaves it.
    pub mtu: Option<u32>,
    /// Ports of a bridge; `None` leaves them.
    pub bridge_ports: Option<Vec<String>>,
}

/// `[[link]]`: one cable, declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The two ends.
    pub ends: [End; 2],
}

/// One end of a link: `node:port`, or just `node` on Thunderbolt where the port may be left open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct End {
    /// Which node.
    pub node: NodeName,
    /// Which of its ports; `None`: whichever carries the cable.
    pub port: Option<PortName>,
}

impl Spec {
    /// The cluster in one line: `3 nodes, Thunderbolt, OpenFabric tb4 on 10.100.0.0/24`.
    pub fn summary(&self) -> String {
        let f = &self.fabric;
        let transport = match f.transport {
            Transport::Thunderbolt => "Thunderbolt",
            Transport::Ethernet => "Ethernet",
            Transport::Switch => "Ethernet switch",
        };
        let routing = match f.routing {
            Routing::Openfabric => format!("OpenFabric {}", f.id),
            Routing::Static => "static routes".to_owned(),
        };
        let prefixes: Vec<String> = [f.prefix.map(|p| p.to_string()), f.prefix6.map(|p| p.to_string())]
            .into_iter()
            .flatten()
            .collect();
        format!("{} nodes, {transport}, {routing} on {}", self.nodes.len(), prefixes.join(" and "))
    }
}
