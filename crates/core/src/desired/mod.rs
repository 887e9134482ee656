//! All resources of all nodes, from the spec and the binding. Holds no choices: what is not here is
//! not done.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::address::Addresses;
use crate::bind::Binding;
use crate::facts::{Facts, Fleet, ceph_conf, pve};
use crate::into_map::IntoMap;
use crate::name::{FabricId, NodeName, PortName};
use crate::resource::Resource;
use crate::resource::fabric::{Fabric, Member};
use crate::spec::{Routing, Spec, Transport};
use crate::topology::{Place, Topology};

mod files;
mod node;
pub mod question;
mod routes;

pub use files::{LINK_FOLDER, link_file};

/// The whole wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Desired {
    /// Resources by node, in the order they are put in place.
    pub nodes: BTreeMap<NodeName, Vec<Resource>>,
    /// The fabric in Proxmox VE's SDN; none with static routing.
    pub fabric: Option<Fabric>,
    /// The fabric of ours that is there and that the spec asks for no more.
    pub withdrawn: Option<FabricId>,
    /// Files of ours that no resource asks for any more, by node.
    pub stale: BTreeMap<NodeName, Vec<String>>,
    /// Nodes on which nothing of ours in FRR's files is asked for.
    pub retired: BTreeSet<NodeName>,
    /// What must be seen once all is in place.
    pub goal: BTreeMap<NodeName, Goal>,
    /// Ceph, where the spec has it.
    pub ceph: Option<crate::wish::CephWish>,
}

/// What a node must see of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// Ports with a cable, and who is at the far end where known.
    pub neighbors: Vec<(PortName, Option<NodeName>)>,
    /// Router IDs of the nodes it can reach, with the hops to each.
    pub routes: Vec<(std::net::IpAddr, NodeName, u32)>,
}

/// Everything of ours has a name that begins like one of these.
pub const OWN_FILES: [&str; 12] = [
    "/etc/systemd/network/00-ringbolt-",
    "/etc/udev/rules.d/90-ringbolt",
    "/etc/systemd/system/ringbolt-",
    "/etc/modules-load.d/ringbolt",
    "/etc/sysctl.d/90-ringbolt",
    "/etc/network/interfaces.d/ringbolt",
    "/etc/systemd/system/frr.service.d/ringbolt",
    "/etc/systemd/system/ceph-mon@.service.d/ringbolt",
    "/etc/systemd/system/ceph-mgr@.service.d/ringbolt",
    "/etc/systemd/system/ceph-mds@.service.d/ringbolt",
    "/etc/systemd/system/ceph-osd@.service.d/ringbolt",
    crate::bind::memory::PATH,
];

/// The topology as bound: cables where cabling is known, the switch where there is one.
pub fn topology(spec: &Spec, binding: &Binding) -> Topology {
    let place = |(node, port): &(NodeName, PortName)| Place { node: node.clone(), port: Some(port.clone()) };
    if spec.fabric.transport == Transport::Switch {
        return Topology::declared(spec).unwrap_or_else(|| Topology::on_switch([]));
    }
    Topology::new(
        spec.nodes.iter().map(|n| n.name.clone()),
        binding.cables.iter().map(|c| (place(&c.a), place(&c.b))),
    )
}

/// All resources for the nodes that were heard of.
pub fn desired(
    spec: &Spec,
    binding: &Binding,
    addresses: &Addresses,
    topology: &Topology,
    fleet: &Fleet,
) -> Desired {
    let mut wish = Desired {
        nodes: BTreeMap::new(),
        fabric: fabric(spec, binding, addresses, fleet),
        withdrawn: withdrawn(spec, fleet),
        stale: BTreeMap::new(),
        retired: BTreeSet::new(),
        goal: BTreeMap::new(),
        ceph: crate::wish::wish(spec, addresses, fleet),
    };
    for (name, facts) in &fleet.nodes {
        let resources = match (addresses.get(name), binding.ports.get(name)) {
            (Some(address), Some(ports)) => {
                wish.goal.insert(name.clone(), goal_of(spec, name, ports, topology, addresses, fleet));
                node::resources(&node::Wish { spec, name, facts, ports, address, addresses, topology })
            }
            (Some(_), None) if sleeping(spec, facts) => {
                // Its ports show once the driver runs; until then nothing of it is stale.
                wish.nodes.insert(name.clone(), node::awake(spec, facts));
                continue;
            }
            // Heard of, but its hardware was not: what it has stays.
            (Some(_), None) => continue,
            // It has left the spec.
            (None, _) => Vec::new(),
        };
        if spec.fabric.routing == Routing::Static || resources.is_empty() {
            wish.retired.insert(name.clone());
        }
        let left = stale_files(facts, &resources);
        if !left.is_empty() {
            wish.stale.insert(name.clone(), left);
        }
        wish.nodes.insert(name.clone(), resources);
    }
    wish
}

/// Whether a node's Thunderbolt controllers are out of sight because the driver is not loaded.
fn sleeping(spec: &Spec, facts: &Facts) -> bool {
    spec.fabric.transport == Transport::Thunderbolt
        && !facts.state.modules.contains("thunderbolt")
        && !stands_in(facts)
        && facts.inventory.thunderbolt.yes().is_none_or(|t| t.controllers.is_empty())
}

/// Whether Thunderbolt is stood in for: no modules, the links are made by the lab.
fn stands_in(facts: &Facts) -> bool {
    facts.realm.stand_ins.iter().any(|s| s == "thunderbolt")
}

/// A fabric with the spec's id and prefixes that static routing has no use for.
fn withdrawn(spec: &Spec, fleet: &Fleet) -> Option<FabricId> {
    if spec.fabric.routing != Routing::Static {
        return None;
    }
    let (_, facts) = crate::resource::owed::speaker(fleet)?;
    let staged = pve::sections(facts.text(pve::path::FABRICS).unwrap_or("")).unwrap_or_default();
    let running = pve::running_fabrics(facts.text(pve::path::RUNNING).unwrap_or("{}")).unwrap_or_default();
    let text = |prefix: Option<String>| prefix.unwrap_or_default();
    let prefixes = [
        ("ip_prefix", text(spec.fabric.prefix.map(|p| p.trunc().to_string()))),
        ("ip6_prefix", text(spec.fabric.prefix6.map(|p| p.trunc().to_string()))),
    ];
    let ours = |section: &pve::Section| {
        section.kind == "openfabric_fabric"
            && section.id == spec.fabric.id.as_str()
            && prefixes
                .iter()
                .all(|(key, want)| section.keys.get(*key).map(|v| v.concat()).unwrap_or_default() == *want)
    };
    staged.iter().chain(&running).any(ours).then(|| spec.fabric.id.clone())
}

/// Above this many nodes each node's goal is its neighbours only: all pairs would be too many.
const ALL_ROUTES_UP_TO: usize = 64;

fn goal_of(
    spec: &Spec,
    name: &NodeName,
    ports: &[crate::bind::BoundPort],
    topology: &Topology,
    addresses: &Addresses,
    fleet: &Fleet,
) -> Goal {
    let open = spec.fabric.transport == Transport::Ethernet && spec.links.is_empty();
    let neighbors = ports
        .iter()
        .filter(|p| p.peer.is_some() || open)
        .map(|p| (p.name.clone(), p.peer.as_ref().map(|(node, _)| node.clone())))
        .collect();
    let mut goal = Goal { neighbors, routes: Vec::new() };
    if spec.nodes.len() > ALL_ROUTES_UP_TO {
        return goal;
    }
    let hops = topology.hops_from(name);
    for (node, address) in
        addresses.iter().filter(|(node, _)| *node != name && fleet.nodes.contains_key(*node))
    {
        let Some(hops) = hops.get(node) else { continue };
        for id in address.ids() {
            goal.routes.push((id, node.clone(), *hops));
        }
    }
    goal
}

fn fabric(spec: &Spec, binding: &Binding, addresses: &Addresses, fleet: &Fleet) -> Option<Fabric> {
    if spec.fabric.routing != Routing::Openfabric {
        return None;
    }
    let mut keys = BTreeMap::new();
    let mut put = |key: &str, value: String| drop(keys.insert(key.to_owned(), value));
    if let Some(prefix) = spec.fabric.prefix {
        put("ip_prefix", prefix.trunc().to_string());
    }
    if let Some(prefix6) = spec.fabric.prefix6 {
        put("ip6_prefix", prefix6.trunc().to_string());
    }
    put("hello_interval", spec.fabric.hello_interval.to_string());
    if let Some(csnp) = spec.fabric.csnp_interval {
        put("csnp_interval", csnp.to_string());
    }
    // Every node generates its files from the shared objects, so the oldest one decides.
    let old = |facts: &crate::facts::Facts| {
        facts.has_package("libpve-rs-perl") && !facts.at_least("libpve-rs-perl", &[0, 11])
    };
    let numbered = fleet.nodes.values().any(old);
    let nodes = binding
        .ports
        .iter()
        .filter_map(|(name, ports)| {
            let address = addresses.get(name)?;
            let member = Member {
                ip: address.v4,
                ip6: address.v6,
                ports: ports.iter().map(|p| p.name.clone()).collect(),
                hello_multiplier: spec.fabric.hello_multiplier,
                numbered,
            };
            Some((name.clone(), member))
        })
        .into_map();
    let unheard = spec.nodes.iter().map(|n| &n.name).filter(|n| !binding.ports.contains_key(*n));
    Some(Fabric { id: spec.fabric.id.clone(), keys, nodes, keep: unheard.cloned().collect() })
}

/// Files that carry our names and that nothing asks for any more.
fn stale_files(facts: &crate::facts::Facts, resources: &[Resource]) -> Vec<String> {
    let wanted: Vec<&str> = resources
        .iter()
        .filter_map(|r| match r {
            Resource::File(f) => Some(&*f.path),
            _ => None,
        })
        .collect();
    facts
        .state
        .files
        .keys()
        .filter(|path| OWN_FILES.iter().any(|own| path.starts_with(own)))
        .filter(|path| !wanted.contains(&path.as_str()))
        // The agent's own, and its to remove.
        .filter(|path| !path.starts_with("/etc/systemd/system/ringbolt-checkpoint"))
        .filter(|path| !(guards_ceph(path) && facts.state.files.contains_key(ceph_conf::PATH)))
        .cloned()
        .collect()
}

/// Whether a file makes Ceph's daemons wait for the mesh: it stays as long as there are any, whatever
/// the spec says.
fn guards_ceph(path: &str) -> bool {
    path.starts_with("/etc/systemd/system/ringbolt-mesh") || path.starts_with("/etc/systemd/system/ceph-")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::facts::FileFact;

    #[test]
    fn what_ceph_waits_by_stays_while_there_is_ceph() {
        let topology = crate::topology::generate::ring(3);
        let cluster = crate::sim::fresh(&topology, Transport::Thunderbolt, &crate::sim::Options::default());
        let mut facts = cluster.nodes.values().next().unwrap().facts.clone();
        let file = FileFact { digest: "x".into(), mode: 0o644, uid: 0, gid: 0, text: None };
        for path in ["/etc/systemd/system/ringbolt-mesh.service", "/etc/sysctl.d/90-ringbolt.conf"] {
            facts.state.files.insert(path.into(), file.clone());
        }
        assert_eq!(stale_files(&facts, &[]).len(), 2);
        facts.state.files.insert(ceph_conf::PATH.into(), file);
        assert_eq!(stale_files(&facts, &[]), ["/etc/sysctl.d/90-ringbolt.conf"]);
    }
}
