//! Bare nodes as Proxmox VE 9.2's installer leaves them, joined to a cluster, with cables in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use super::node::ethernet;
use super::{Cluster, Node, Socket, file};
use crate::facts::pve::path;
use crate::facts::thunderbolt::{Controller, Peer};
use crate::facts::{
    CephCluster, CephNode, Facts, Interface, Inventory, Known, Realm, State, Thunderbolt, UnitFact, not_asked,
};
use crate::into_set::IntoSet;
use crate::name::{FabricId, NodeName, PortName};
use crate::resource::interfaces;
use crate::spec::{self, Routing, Spec, Transport};
use crate::topology::{Place, Topology};
use crate::wire::Failure;

/// How the nodes are when they are fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether FRR is there.
    pub frr: Frr,
    /// Modules that are loaded on Thunderbolt nodes.
    pub modules: BTreeSet<String>,
    /// The name in Proxmox VE's cluster.
    pub cluster: String,
    /// Goes into UUIDs, MAC addresses and boot ids.
    pub seed: u32,
    /// Free disks of each node beside the one with the system on it; with none, nothing is known of disks
    /// and Ceph.
    pub disks: u32,
}

/// FRR on a fresh node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frr {
    /// Not installed.
    Absent,
    /// Installed and never started, as Proxmox VE's package comes.
    Installed,
    /// Running with nothing configured.
    Running,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            frr: Frr::Absent,
            modules: ["thunderbolt", "thunderbolt_net"].map(str::to_owned).into(),
            cluster: "home".into(),
            seed: 0,
            disks: 0,
        }
    }
}

/// A spec for a topology: every node with a management address of its own, ports and links as the
/// transport wants them, everything else as by default.
#[expect(clippy::expect_used, reason = "a literal that is a fabric id")]
pub fn spec(topology: &Topology, transport: Transport) -> Spec {
    let plain = transport == Transport::Thunderbolt;
    let nodes = topology.nodes().iter().enumerate().map(|(at, name)| spec::Node {
        name: name.clone(),
        address: management(at),
        router_id: None,
        router_id6: None,
        ports: (!plain).then(|| ports(topology, name)),
        host_key: None,
        osds: spec::Osds::default(),
        osd: spec::OsdOptions::default(),
    });
    let end = |place: &Place| spec::End { node: place.node.clone(), port: place.port.clone() };
    let links = topology.links().iter().map(|l| spec::Link { ends: [end(&l.a), end(&l.b)] });
    let small = topology.nodes().len() < 250;
    Spec {
        cluster: spec::Cluster { name: "tb4".into(), networks: Vec::new() },
        ssh: spec::Ssh::default(),
        fabric: spec::Fabric {
            id: FabricId::new("tb4").expect("a fabric id"),
            prefix: if small { "10.100.0.0/24" } else { "10.128.0.0/9" }.parse().ok(),
            prefix6: None,
            transport,
            routing: if transport == Transport::Switch { Routing::Static } else { Routing::Openfabric },
            mtu: if plain { 65520 } else { 9000 },
            hello_interval: 1,
            hello_multiplier: 3,
            csnp_interval: None,
            lsp_gen_interval: 1,
            bfd: true,
        },
        nodes: nodes.collect(),
        links: if plain { Vec::new() } else { links.collect() },
        interfaces: Vec::new(),
        ceph: None,
        pools: Vec::new(),
        filesystems: Vec::new(),
    }
}

/// Bare nodes for a topology, cabled as it says.
pub fn fresh(topology: &Topology, transport: Transport, options: &Options) -> Cluster {
    let thunderbolt = transport == Transport::Thunderbolt;
    let mut sockets: BTreeMap<&Place, Socket> = BTreeMap::new();
    let mut names: BTreeMap<&NodeName, Vec<PortName>> = BTreeMap::new();
    for name in topology.nodes() {
        names.insert(name, ports(topology, name));
    }
    for place in topology.links().iter().flat_map(|l| [&l.a, &l.b]) {
        let index = names[&place.node].iter().position(|p| Some(p) == place.port.as_ref()).unwrap_or(0);
        let at = if thunderbolt { pci(index) } else { names[&place.node][index].to_string() };
        sockets.insert(place, Socket { node: place.node.clone(), place: at });
    }
    let members = members(topology, &options.cluster);
    let nodes = topology.nodes().iter().enumerate().map(|(at, name)| {
        let host = Host { at, name, ports: &names[name], options, thunderbolt };
        (name.clone(), Node::new(host.facts(&members)).managed(Some(management(at))))
    });
    let mut cluster = Cluster {
        nodes: nodes.collect(),
        cables: topology.links().iter().map(|l| (sockets[&l.a].clone(), sockets[&l.b].clone())).collect(),
        sockets: sockets.values().cloned().collect(),
        thunderbolt,
        off: BTreeSet::new(),
        ceph: CephCluster::default(),
        clock: 0,
        long: BTreeMap::new(),
    };
    cluster.plug_all();
    cluster
}

fn ports(topology: &Topology, node: &NodeName) -> Vec<PortName> {
    let cabled =
        topology.links_of(node).into_iter().filter_map(|(id, _)| topology.link(id).at(node)?.port.clone());
    let plugged = topology.switch();
    let from = plugged.partition_point(|p| p.node < *node);
    let plugged = plugged[from..].iter().take_while(|p| p.node == *node).filter_map(|p| p.port.clone());
    let list: BTreeSet<PortName> = cabled.chain(plugged).into_set();
    list.into_iter().collect()
}

/// PCI address of the controller of a port; ascending with its position.
fn pci(index: usize) -> String {
    if index < 2 { format!("0000:00:0d.{}", index + 2) } else { format!("0000:{index:02x}:00.0") }
}

fn management(at: usize) -> IpAddr {
    let host = u32::try_from(at).unwrap_or(0) + 1;
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 11, 0, 0)) + host).into()
}

fn members(topology: &Topology, cluster: &str) -> String {
    let count = topology.nodes().len();
    if count > 2_000 {
        return String::new();
    }
    let list: serde_json::Map<String, serde_json::Value> = topology
        .nodes()
        .iter()
        .enumerate()
        .map(|(at, n)| {
            (n.to_string(), json!({ "id": at + 1, "online": 1, "ip": management(at).to_string() }))
        })
        .collect();
    json!({
        "nodename": "", "version": 4,
        "cluster": { "name": cluster, "version": 3, "nodes": count, "quorate": 1 },
        "nodelist": list,
    })
    .to_string()
}

struct Host<'a> {
    at: usize,
    name: &'a NodeName,
    ports: &'a [PortName],
    options: &'a Options,
    thunderbolt: bool,
}

impl Host<'_> {
    fn facts(&self, members: &str) -> Facts {
        let seed = self.options.seed;
        let mut facts = Facts {
            hostname: self.name.to_string(),
            realm: Realm::default(),
            inventory: Inventory {
                kernel: "6.17.4-1-pve".into(),
                arch: "x86_64".into(),
                boot_id: format!("{seed:08x}-0000-4000-8000-{:012x}", self.at),
                packages: packages(),
                thunderbolt: self.controllers(),
                interfaces: self.interfaces(),
                disks: match self.options.disks {
                    0 => not_asked(),
                    count => Known::Yes(super::ceph::disks(self.at, count)),
                },
            },
            state: State {
                files: self.files(members),
                units: units(),
                sysctl: sysctls(),
                modules: if self.thunderbolt { self.options.modules.clone() } else { BTreeSet::new() },
                routes: Vec::new(),
                frr: Known::No("FRR is not installed".into()),
                root_free: 80 << 30,
                pve_writable: Some(true),
                ceph: match self.options.disks {
                    0 => not_asked(),
                    _ => Known::Yes(CephNode { memory: 64 << 30, ..CephNode::default() }),
                },
                ceph_cluster: not_asked(),
                guests: Known::Yes(Vec::new()),
                clock: None,
            },
        };
        if self.options.frr != Frr::Absent {
            let installed: Result<Facts, Failure> = with_frr(facts.clone(), self.options.frr);
            facts = installed.unwrap_or(facts);
        }
        facts
    }

    fn controllers(&self) -> Known<Thunderbolt> {
        if !self.thunderbolt {
            return Known::No("/sys/bus/thunderbolt is not there".into());
        }
        let controllers = (0..self.ports.len().max(2)).map(|index| Controller {
            pci: pci(index),
            domain: u32::try_from(index).unwrap_or(0),
            uuid: uuid(self.options.seed, self.at, index),
            generation: Some(4),
            security: Some("user".into()),
            iommu: Some(true),
        });
        Known::Yes(Thunderbolt { controllers: controllers.collect(), peers: Vec::new() })
    }

    fn interfaces(&self) -> BTreeMap<String, Interface> {
        let mac = |index: u32| {
            Some(format!(
                "02:00:{:02x}:{:02x}:{:02x}:{index:02x}",
                self.at >> 16,
                (self.at >> 8) & 255,
                self.at & 255
            ))
        };
        let mut list = BTreeMap::new();
        let lo = Interface {
            link_type: "loopback".into(),
            mtu: 65536,
            up: true,
            carrier: true,
            addresses: ["127.0.0.1/8", "::1/128"].iter().filter_map(|a| a.parse().ok()).collect(),
            ..ethernet(1)
        };
        list.insert("lo".to_owned(), lo);
        let nic = Interface {
            driver: Some("igc".into()),
            path: Some("pci-0000:56:00.0".into()),
            mac: mac(2),
            max_mtu: Some(9216),
            up: true,
            carrier: true,
            master: Some("vmbr0".into()),
            ..ethernet(2)
        };
        list.insert("nic0".to_owned(), nic);
        let bridge = Interface {
            kind: Some("bridge".into()),
            mac: mac(2),
            up: true,
            carrier: true,
            addresses: ipnet::IpNet::new(management(self.at), 9).into_iter().collect(),
            ..ethernet(3)
        };
        list.insert("vmbr0".to_owned(), bridge);
        for (index, port) in self.ports.iter().enumerate().filter(|_| !self.thunderbolt) {
            let index = u32::try_from(index).unwrap_or(0);
            let card = Interface {
                driver: Some("mlx5_core".into()),
                path: Some(format!("pci-0000:{:02x}:00.0", index + 1)),
                mac: mac(4 + index),
                max_mtu: Some(9978),
                ..ethernet(4 + index)
            };
            list.insert(port.to_string(), card);
        }
        list
    }

    fn files(&self, members: &str) -> BTreeMap<String, crate::facts::FileFact> {
        let mut text = "auto lo\niface lo inet loopback\n\niface nic0 inet manual\n\n".to_owned();
        for port in self.ports.iter().filter(|_| !self.thunderbolt) {
            text += &format!("iface {port} inet manual\n\n");
        }
        text += &format!(
            "auto vmbr0\niface vmbr0 inet static\n\taddress {}/9\n\tgateway 10.0.0.1\n\tbridge-ports nic0\n\tbridge-stp off\n\tbridge-fd 0\n\n{}\n",
            management(self.at),
            interfaces::SOURCE
        );
        let members = members.replacen("\"nodename\":\"\"", &format!("\"nodename\":\"{}\"", self.name), 1);
        // What is over 256 KiB is not read: see `FileFact`.
        let long = crate::facts::FileFact { text: None, ..file("", 0o440) };
        let members = if members.is_empty() { long } else { file(&members, 0o440) };
        [(crate::facts::network::INTERFACES, file(&text, 0o644)), (path::MEMBERS, members)]
            .map(|(path, file)| (path.to_owned(), file))
            .into()
    }
}

fn with_frr(facts: Facts, frr: Frr) -> Result<Facts, Failure> {
    let mut node = Node::new(facts);
    let names = ["frr", "frr-pythontools"].map(str::to_owned).to_vec();
    node.perform(&crate::action::Action::InstallPackages { names }, None)?;
    node.facts.state.frr = Known::No("FRR is not running".into());
    if frr == Frr::Running {
        node.enable("frr.service", true)?;
    }
    Ok(node.facts)
}

impl Cluster {
    /// Both hosts of every Thunderbolt cable learn of each other.
    pub(super) fn introduce(&mut self) {
        let known = |cluster: &Self, end: &Socket| {
            if cluster.off.contains(&end.node) {
                return None;
            }
            let node = cluster.nodes.get(&end.node)?;
            let controllers = &node.facts.inventory.thunderbolt.yes()?.controllers;
            let own = controllers.iter().find(|c| c.pci == end.place)?;
            Some((own.clone(), node.facts.hostname.clone()))
        };
        let cables: Vec<_> = self.cables.iter().cloned().collect();
        for (near, far) in cables.iter().flat_map(|(a, b)| [(a, b), (b, a)]) {
            let (Some((own, _)), Some((other, host))) = (known(self, near), known(self, far)) else {
                continue;
            };
            let peer = Peer {
                pci: own.pci,
                domain: own.domain,
                route: 1,
                uuid: other.uuid,
                device_name: host,
                vendor_name: "Intel Corp.".into(),
                rx_gbps: Some(20),
                tx_gbps: Some(20),
                rx_lanes: Some(2),
                tx_lanes: Some(2),
                network: true,
            };
            if let Some(Known::Yes(bus)) =
                self.nodes.get_mut(&near.node).map(|n| &mut n.facts.inventory.thunderbolt)
                && !bus.peers.iter().any(|p| p.pci == peer.pci && p.uuid == peer.uuid)
            {
                bus.peers.push(peer);
            }
        }
    }
}

fn uuid(seed: u32, node: usize, index: usize) -> String {
    format!("{seed:08x}-{:04x}-8780-ffff-{:012x}", index + 1, node + 1)
}

fn packages() -> BTreeMap<String, String> {
    [
        ("ifupdown2", "3.3.0-1+pmx11"),
        ("initramfs-tools", "0.148.3"),
        ("libpve-network-perl", "1.6.6"),
        ("libpve-rs-perl", "0.15.3"),
        ("pve-manager", "9.2.11"),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .into()
}

fn units() -> BTreeMap<String, UnitFact> {
    let unit = |load: &str, active: &str, enabled: &str| UnitFact {
        load: load.into(),
        active: active.into(),
        enabled: enabled.into(),
    };
    [
        ("frr.service", unit("not-found", "inactive", "")),
        ("networking.service", unit("loaded", "active", "enabled")),
        ("systemd-networkd.service", unit("loaded", "inactive", "disabled")),
    ]
    .map(|(n, u)| (n.to_owned(), u))
    .into()
}

fn sysctls() -> BTreeMap<String, String> {
    let keys = crate::desired::question::mesh().sysctl;
    keys.into_iter().map(|key| (key, "0".to_owned())).collect()
}
