//! The Ceph cluster as it should be: what the spec wants, put on the nodes' addresses and disks.
//!
//! Used by the planner and by `verify`. What cannot be decided from the facts is an obstacle here, never
//! a guess.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::address::{Addresses, NodeAddress};
use crate::bind::disks::{self, Chosen, DiskChoice, Fate, Ours};
use crate::facts::ceph::CephCluster;
use crate::facts::disk::Medium;
use crate::facts::{Facts, Fleet, ceph_conf};
use crate::into_map::IntoMap;
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::spec::{Ceph, Node, PublicNetwork, Spec};

mod groups;
mod pools;

pub(crate) use pools::rule;
pub use pools::{FilesystemWish, PoolWish, StorageWish};

/// The whole wish about Ceph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CephWish {
    /// Network of clients and monitors.
    pub public: IpNet,
    /// Network of replication: the mesh.
    pub cluster: IpNet,
    /// Nodes with a monitor and its address, in the order of the spec.
    pub monitors: Vec<(NodeName, IpAddr)>,
    /// Nodes with a manager, in the order of the spec.
    pub managers: Vec<NodeName>,
    /// Nodes with a metadata server; none without a file system.
    pub metadata: Vec<NodeName>,
    /// Disks of the nodes that are to have OSDs.
    pub disks: BTreeMap<NodeName, DiskChoice>,
    /// Pools by the name Ceph knows them by.
    pub pools: Vec<PoolWish>,
    /// File systems.
    pub filesystems: Vec<FilesystemWish>,
    /// Storage entries in Proxmox VE.
    pub storage: Vec<StorageWish>,
    /// What is in the way of having it at all.
    pub obstacles: Vec<Obstacle>,
}

/// The wish, where the spec has Ceph and the fabric's addresses allow one.
pub fn wish(spec: &Spec, addresses: &Addresses, fleet: &Fleet) -> Option<CephWish> {
    let ceph = spec.ceph.as_ref()?;
    let cluster = mesh(spec)?;
    let ours = Ours::of(fleet);
    let disks: BTreeMap<NodeName, DiskChoice> = spec
        .nodes
        .iter()
        .filter(|n| !n.osds.is_empty())
        .filter_map(|n| Some((n.name.clone(), disks::choose(n, fleet.nodes.get(&n.name)?, ours))))
        .into_map();
    let mut obstacles = Vec::new();
    let public = public(ceph, spec, cluster, fleet, &mut obstacles);
    let monitors = ceph
        .monitors
        .iter()
        .filter_map(|name| {
            Some((name.clone(), monitor(name, public, cluster, addresses, fleet, &mut obstacles)?))
        })
        .collect();
    let metadata: Vec<NodeName> = if spec.filesystems.is_empty() {
        Vec::new()
    } else {
        ceph.managers.iter().take(2).cloned().collect()
    };
    let mut wish = CephWish {
        public,
        cluster,
        monitors,
        managers: ceph.managers.clone(),
        metadata,
        disks,
        pools: Vec::new(),
        filesystems: Vec::new(),
        storage: Vec::new(),
        obstacles,
    };
    pools::fill(&mut wish, spec, fleet.cluster());
    Some(wish)
}

/// The fabric's prefix: IPv4 where it has one.
pub(super) fn mesh(spec: &Spec) -> Option<IpNet> {
    let four = spec.fabric.prefix.map(|p| IpNet::V4(p.trunc()));
    four.or(spec.fabric.prefix6.map(|p| IpNet::V6(p.trunc())))
}

fn public(ceph: &Ceph, spec: &Spec, mesh: IpNet, fleet: &Fleet, obstacles: &mut Vec<Obstacle>) -> IpNet {
    match ceph.public {
        PublicNetwork::Mesh => mesh,
        PublicNetwork::Prefix(prefix) => prefix.trunc(),
        PublicNetwork::Lan => {
            let networks: BTreeSet<IpNet> =
                spec.nodes.iter().filter_map(|n| network_of(fleet.nodes.get(&n.name)?, n.address)).into_set();
            if let (1, Some(network)) = (networks.len(), networks.first()) {
                return *network;
            }
            if fleet.nodes.is_empty() {
                // That nobody answers is told elsewhere.
                return mesh;
            }
            let list: Vec<String> = networks.iter().map(ToString::to_string).collect();
            obstacles.push(Obstacle {
                code: crate::explain::storage::PUBLIC_NETWORK.to_string(),
                node: None,
                message: "`public = \"lan\"` does not name one network".into(),
                evidence: match list.as_slice() {
                    [] => "no node shows an interface with its management address".into(),
                    several => format!("the management addresses are in {}", several.join(", ")),
                },
                cure: "write the network itself: public = \"192.0.2.0/24\"".into(),
            });
            mesh
        }
    }
}

/// The network an address of the node is in, as the node has it.
fn network_of(facts: &Facts, address: IpAddr) -> Option<IpNet> {
    let all = facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
    all.into_iter().find(|a| a.addr() == address).map(IpNet::trunc)
}

/// The address of the monitor on a node.
fn monitor(
    name: &NodeName,
    public: IpNet,
    mesh: IpNet,
    addresses: &Addresses,
    fleet: &Fleet,
    obstacles: &mut Vec<Obstacle>,
) -> Option<IpAddr> {
    if public == mesh {
        return addresses.get(name)?.ids().find(|id| public.contains(id));
    }
    let facts = fleet.nodes.get(name)?;
    let found: BTreeSet<IpAddr> = facts
        .inventory
        .interfaces
        .values()
        .flat_map(|i| &i.addresses)
        .map(IpNet::addr)
        .filter(|a| public.contains(a))
        .into_set();
    if let (1, Some(address)) = (found.len(), found.first()) {
        return Some(*address);
    }
    let list: Vec<String> = found.iter().map(ToString::to_string).collect();
    obstacles.push(Obstacle {
        code: crate::explain::storage::MONITOR_ADDRESS.to_string(),
        node: Some(name.clone()),
        message: format!(
            "has {} in {public}, where its monitor is to be",
            match list.len() {
                0 => "no address",
                _ => "several addresses",
            }
        ),
        evidence: list.join(", "),
        cure: "give the node one address there, or choose another network by `public` in [ceph]".into(),
    });
    None
}

impl CephWish {
    /// The node that is asked about the cluster and told what concerns all of it.
    pub fn speaker(&self) -> Option<&NodeName> {
        self.monitors.first().map(|(node, _)| node)
    }

    /// Nodes whose clocks are to be measured: those of all monitors, when one of them is about to be made.
    pub fn clocks_due(&self, fleet: &Fleet) -> BTreeSet<NodeName> {
        let has = |node: &NodeName| {
            let ceph = fleet.nodes.get(node).and_then(|f| f.state.ceph.yes());
            ceph.is_some_and(|c| c.monitors.iter().any(|m| m.id == node.as_str()))
        };
        let nodes = || self.monitors.iter().map(|(node, _)| node).filter(|n| fleet.nodes.contains_key(*n));
        if nodes().all(has) { BTreeSet::new() } else { nodes().cloned().collect() }
    }

    /// OSDs the cluster has and gets, on disks of one class or of any.
    pub fn osds(&self, spec: &Spec, cluster: Option<&CephCluster>, class: Option<&str>) -> u32 {
        let there = cluster.map_or(0, |c| c.osds.iter().filter(|o| is_of(class, &o.class)).count());
        let mut coming = 0;
        for node in &spec.nodes {
            let Some(choice) = self.disks.get(&node.name) else { continue };
            let new = choice.chosen.iter().filter(|c| !matches!(c.fate, Fate::Already(_)));
            let new = new.filter(|c| will_be_of(class, node, c));
            coming += new.count() * node.osd.per_device.max(1) as usize;
        }
        u32::try_from(there + coming).unwrap_or(u32::MAX)
    }

    /// Hosts that have such OSDs, or get them.
    pub fn hosts<'a>(
        &'a self,
        spec: &'a Spec,
        cluster: Option<&'a CephCluster>,
        class: Option<&str>,
    ) -> BTreeSet<&'a str> {
        let there = cluster.into_iter().flat_map(|c| &c.osds).filter(|o| is_of(class, &o.class));
        let mut hosts: BTreeSet<&str> = there.map(|o| o.host.as_str()).into_set();
        let gets = |node: &&'a Node| {
            let chosen = self.disks.get(&node.name).map(|c| c.chosen.as_slice()).unwrap_or_default();
            // Those that are there are told by the cluster, where it answers.
            let new = |c: &&Chosen| cluster.is_none() || !matches!(c.fate, Fate::Already(_));
            chosen.iter().filter(new).any(|c| will_be_of(class, node, c))
        };
        hosts.extend(spec.nodes.iter().filter(gets).map(|node| node.name.as_str()));
        hosts
    }
}

/// Whether an OSD of a class is one of those wanted. Ceph calls flash `ssd` or `nvme`, by how it is attached.
fn is_of(wanted: Option<&str>, have: &str) -> bool {
    wanted.is_none_or(|want| want == have || (want != "hdd" && have != "hdd"))
}

/// The same for a disk that is about to become one.
fn will_be_of(wanted: Option<&str>, node: &Node, chosen: &Chosen) -> bool {
    let medium = if chosen.disk.medium == Medium::Hdd { "hdd" } else { "ssd" };
    match node.osd.class.as_deref() {
        Some(own) => wanted.is_none_or(|want| want == own),
        None => is_of(wanted, medium),
    }
}

/// Whether a cluster is there as far as `ceph.conf` tells: it names monitors.
pub fn founded(fleet: &Fleet) -> bool {
    fleet.shared(ceph_conf::PATH).is_some_and(|text| !ceph_conf::read(text).monitors().is_empty())
}

/// The address of a node in the mesh, of the family the mesh has.
pub fn home(address: &NodeAddress, mesh: IpNet) -> Option<IpAddr> {
    address.ids().find(|id| mesh.contains(id))
}
