//! The resources of one node, in the order they are put in place.

use std::net::IpAddr;
use std::sync::Arc;

use super::{files, routes};
use crate::address::{Addresses, NodeAddress};
use crate::bind::BoundPort;
use crate::facts::Facts;
use crate::into_map::IntoMap;
use crate::name::NodeName;
use crate::resource::{
    Resource, address, frr_conf, frr_daemons, frr_local, initramfs, interfaces, module, package, port,
    reload, sysctl, unit,
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
    if wish.spec.ceph.is_some()
        && let Some(mesh) = crate::wish::mesh(wish.spec)
        && let Some(id) = crate::wish::home(wish.address, mesh)
    {
        list.push(Resource::File(files::mesh_unit(id, mesh)));
        list.extend(files::ceph_units().map(Resource::File));
    }
    let values = files::sysctl_values(fabric);
    if !values.is_empty() {
        let file = files::sysctl(&values);
        let values = values.into_iter().map(|(k, v)| (k.into(), v.into())).into_map();
        list.push(Resource::File(file));
        list.push(Resource::Sysctl(sysctl::Sysctl { path: crate::tune::SYSCTL_FILE.into(), values }));
    }
    if fabric.routing == Routing::Openfabric {
        if fabric.bfd {
            list.push(Resource::FrrDaemons(frr_daemons::FrrDaemons { daemon: "bfdd".into() }));
        }
        list.push(Resource::FrrLocal(local(wish)));
        list.push(Resource::File(files::frr_unit()));
    }
    ports(wish, &mut list);
    match fabric.routing {
        Routing::Openfabric => {
            list.push(Resource::Generated(generated(wish)));
            list.push(Resource::Unit(unit::Unit { name: "frr.service".into() }));
            list.push(Resource::FrrConf(frr_conf::FrrConf {}));
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
            links += &file.content.text;
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
        controllers: wish.ports.iter().filter_map(|p| p.pci.clone()).collect(),
        mtu: fabric.mtu,
        sdn_only: fabric.routing == Routing::Openfabric,
        options: options(wish),
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

/// What `[[interface]]` says of the node.
fn options(wish: &Wish<'_>) -> Vec<interfaces::options::Options> {
    let own = wish.spec.interfaces.iter().filter(|i| i.node == *wish.name);
    own.map(|i| interfaces::options::Options {
        name: i.name.clone(),
        mtu: i.mtu,
        bridge_ports: i.bridge_ports.clone(),
    })
    .collect()
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
    let local = local(wish);
    let shared = |lines: Vec<String>| lines.into_iter().map(Arc::<str>::from).collect::<Vec<_>>();
    let mut router_lines = shared(local.router_lines());
    router_lines.insert(0, format!("net {}", wish.address.net).into());
    let mut port_lines = vec![
        format!("openfabric hello-interval {}", fabric.hello_interval).into(),
        format!("openfabric hello-multiplier {}", fabric.hello_multiplier).into(),
    ];
    port_lines.extend(shared(local.interface_lines()));
    let v4 = wish.address.v4.map(|id| Arc::<str>::from(format!("address {id}/32")));
    let v6 = wish.address.v6.map(|id| Arc::<str>::from(format!("address {id}/128")));

    let under = |header: String, lines: &[Arc<str>], list: &mut Vec<(Arc<str>, Arc<str>)>| {
        let header = Arc::<str>::from(header);
        list.extend(lines.iter().map(|line| (Arc::clone(&header), Arc::clone(line))));
    };
    let (mut frr, mut interfaces) = (Vec::new(), Vec::new());
    under(format!("router openfabric {}", fabric.id), &router_lines, &mut frr);
    let dummy = fabric.id.dummy();
    under(format!("iface {dummy} inet static"), v4.as_slice(), &mut interfaces);
    under(format!("iface {dummy} inet6 static"), v6.as_slice(), &mut interfaces);
    for port in wish.ports {
        under(format!("interface {}", port.name), &port_lines, &mut frr);
        under(format!("iface {} inet static", port.name), v4.as_slice(), &mut interfaces);
    }
    reload::Generated { interfaces, frr }
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
