//! The resources of one node, in the order they are put in place.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{files, routes};
use crate::address::{Addresses, NodeAddress};
use crate::bind::BoundPort;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::resource::{
    Resource, address, frr_daemons, frr_local, initramfs, interfaces, module, package, port, reload, sysctl,
    unit,
};
use crate::spec::{Routing, Spec, Transport};
use crate::topology::Topology;

/// What the resources of one node are made from.
pub(super) struct Wish<'a> {
    pub(super) spec: &'a Spec,
    pub(super) name: &'a NodeName,
    pub(super) facts: &'a Facts,
    pub(super) ports: &'a [BoundPort],
    pub(super) address: &'a NodeAddress,
    pub(super) addresses: &'a Addresses,
    pub(super) topology: &'a Topology,
}

pub(super) fn resources(wish: &Wish<'_>) -> Vec<Resource> {
    let fabric = &wish.spec.fabric;
    let mut list: Vec<Resource> = packages(wish.spec).into_iter().collect();
    if fabric.transport == Transport::Thunderbolt {
        thunderbolt(wish, &mut list);
    }
    if hot_plug(fabric) {
        list.push(Resource::File(files::unit(&port_ids(wish))));
    }
    let values = files::sysctl_values(fabric);
    if !values.is_empty() {
        let file = files::sysctl(&values);
        let values: BTreeMap<String, String> =
            values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let path = file.path.clone();
        list.push(Resource::File(file));
        list.push(Resource::Sysctl(sysctl::Sysctl { path, values }));
    }
    if fabric.routing == Routing::Openfabric {
        if fabric.bfd {
            list.push(Resource::FrrDaemons(frr_daemons::FrrDaemons { daemon: "bfdd".into() }));
        }
        list.push(Resource::FrrLocal(local(wish)));
    }
    ports(wish, &mut list);
    match fabric.routing {
        Routing::Openfabric => {
            list.push(Resource::Generated(generated(wish)));
            list.push(Resource::Unit(unit::Unit { name: "frr.service".into() }));
            list.push(Resource::Addresses(live(wish, &fabric.id.dummy(), false)));
        }
        Routing::Static => list.push(Resource::Addresses(live(wish, "lo", true))),
    }
    list
}

fn packages(spec: &Spec) -> Option<Resource> {
    (spec.fabric.routing == Routing::Openfabric).then(|| {
        Resource::Packages(package::Packages {
            names: vec!["frr".into(), "frr-pythontools".into()],
            why: "without FRR, Proxmox VE's SDN apply succeeds and routes nothing".into(),
        })
    })
}

/// What a node gets whose Thunderbolt driver is not loaded: enough to see its ports.
pub(super) fn awake(spec: &Spec, facts: &Facts) -> Vec<Resource> {
    packages(spec).into_iter().chain(modules(facts)).collect()
}

fn modules(facts: &Facts) -> Vec<Resource> {
    let mut list = vec![Resource::File(files::modules())];
    if !super::stands_in(facts) {
        list.extend(["thunderbolt", "thunderbolt_net"].map(|name| {
            Resource::Module(module::Module {
                name: name.into(),
                why: "no link appears unless both ends have it".into(),
            })
        }));
    }
    list
}

fn thunderbolt(wish: &Wish<'_>, list: &mut Vec<Resource>) {
    list.extend(modules(wish.facts));
    let mut links = String::new();
    for port in wish.ports {
        if let Some(file) = files::link_file(port, wish.spec.fabric.mtu) {
            links += &file.content;
            list.push(Resource::File(file));
        }
    }
    list.push(Resource::Initramfs(initramfs::Initramfs { content: crate::digest::of(&links) }));
}

/// The router IDs a port holds. Proxmox VE gives the ports of a dual-stack fabric the IPv4 one alone.
fn port_ids(wish: &Wish<'_>) -> Vec<IpAddr> {
    let fixed = wish.spec.fabric.routing == Routing::Static;
    wish.address.ids().filter(|id| fixed || id.is_ipv4() || wish.address.v4.is_none()).collect()
}

/// Whether interfaces may come (back) without their address: Thunderbolt ports, and the dummy.
fn hot_plug(fabric: &crate::spec::Fabric) -> bool {
    fabric.transport == Transport::Thunderbolt || fabric.routing == Routing::Openfabric
}

fn ports(wish: &Wish<'_>, list: &mut Vec<Resource>) {
    let fabric = &wish.spec.fabric;
    list.push(Resource::Interfaces(interfaces::Interfaces {
        ports: wish.ports.iter().map(|p| p.name.clone()).collect(),
        mtu: fabric.mtu,
        sdn_only: fabric.routing == Routing::Openfabric,
    }));
    if fabric.routing == Routing::Static {
        list.push(Resource::File(routes::file(wish)));
    }
    for bound in wish.ports {
        list.push(Resource::Port(port::Port {
            name: bound.name.clone(),
            pci: bound.pci.clone(),
            mtu: fabric.mtu,
        }));
    }
    if hot_plug(fabric) {
        let dummy = (fabric.routing == Routing::Openfabric).then(|| fabric.id.dummy());
        list.push(Resource::File(files::rules(wish.ports, dummy)));
    }
    if fabric.transport == Transport::Thunderbolt {
        list.push(Resource::File(files::cabling(wish.ports)));
    }
}

fn local(wish: &Wish<'_>) -> frr_local::FrrLocal {
    let fabric = &wish.spec.fabric;
    frr_local::FrrLocal {
        fabric: fabric.id.clone(),
        ports: wish.ports.iter().map(|p| p.name.clone()).collect(),
        ipv4: fabric.prefix.is_some(),
        ipv6: fabric.prefix6.is_some(),
        bfd: fabric.bfd,
        lsp_gen_interval: fabric.lsp_gen_interval,
    }
}

fn generated(wish: &Wish<'_>) -> reload::Generated {
    let fabric = &wish.spec.fabric;
    let router = format!("router openfabric {}", fabric.id);
    let local = local(wish);
    let mut frr = vec![(router.clone(), format!("net {}", wish.address.net))];
    frr.extend(local.router_lines().into_iter().map(|line| (router.clone(), line)));
    let mut stanzas = Vec::new();
    let dummy = fabric.id.dummy();
    if let Some(id) = wish.address.v4 {
        stanzas.push((format!("iface {dummy} inet static"), format!("address {id}/32")));
    }
    if let Some(id) = wish.address.v6 {
        stanzas.push((format!("iface {dummy} inet6 static"), format!("address {id}/128")));
    }
    for port in wish.ports {
        let header = format!("interface {}", port.name);
        frr.push((header.clone(), format!("openfabric hello-interval {}", fabric.hello_interval)));
        frr.push((header.clone(), format!("openfabric hello-multiplier {}", fabric.hello_multiplier)));
        frr.extend(local.interface_lines().into_iter().map(|line| (header.clone(), line)));
        if let Some(id) = wish.address.v4 {
            stanzas.push((format!("iface {} inet static", port.name), format!("address {id}/32")));
        }
    }
    reload::Generated { interfaces: stanzas, frr }
}

fn live(wish: &Wish<'_>, home: &str, fixed: bool) -> address::Addresses {
    let switched = wish.spec.fabric.transport == Transport::Switch;
    let mut addresses: Vec<(String, IpAddr)> = Vec::new();
    for id in wish.address.ids() {
        if !switched {
            addresses.push((home.to_owned(), id));
        }
        // Proxmox VE gives the ports of a dual-stack fabric the IPv4 address alone.
        if fixed || id.is_ipv4() || wish.address.v4.is_none() {
            addresses.extend(wish.ports.iter().map(|p| (p.name.to_string(), id)));
        }
    }
    let routes = if fixed && !switched {
        let reach = wish.topology.hops_from(wish.name);
        let others =
            wish.addresses.iter().filter(|(node, _)| *node != wish.name && reach.contains_key(*node));
        others.flat_map(|(_, address)| address.ids()).collect()
    } else {
        Vec::new()
    };
    address::Addresses { addresses, routes, reload: fixed }
}
