//! What both kinds of nodes say, without what can never be the same: names by chance, versions, free bytes, what is
//! only of the lab. Changes nothing that a deed is there for.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use ringbolt_core::bind::THUNDERBOLT_DRIVER;
use ringbolt_core::facts::disk::Use;
use ringbolt_core::facts::{self, CephCluster, Facts, Known, ceph_conf, ha};
use ringbolt_core::name::NodeName;
use ringbolt_core::sim::{self, compare};

/// Options in which what an OSD can do is kept.
const CAPACITY: &str = "osd_mclock_max_capacity_iops_";

/// Facts of all nodes without what cannot be the same.
pub(crate) fn plain(fleet: facts::Fleet) -> BTreeMap<NodeName, Facts> {
    let names = names(&fleet);
    let one = |facts: Facts| alike(compare::lasting(renamed(&facts, &names)));
    fleet.nodes.into_iter().map(|(name, facts)| (name, one(facts))).collect()
}

/// Ids made by chance, and what they are called instead.
fn names(fleet: &facts::Fleet) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for (node, facts) in &fleet.nodes {
        let osds = facts.state.ceph.yes().map(|ceph| ceph.osds.as_slice()).unwrap_or_default();
        names.extend(osds.iter().map(|o| (o.fsid.clone(), format!("{node}/{}", o.disks.join("+")))));
        let cluster = facts.text(ceph_conf::PATH).and_then(ceph_conf::fsid_of);
        names.extend(cluster.map(|id| (id.to_owned(), "the cluster".to_owned())));
    }
    names.retain(|(id, _)| !id.is_empty());
    names
}

fn renamed(facts: &Facts, names: &[(String, String)]) -> Facts {
    let text = serde_json::to_string(facts).unwrap();
    let text = names.iter().fold(text, |text, (id, name)| text.replace(id, name));
    serde_json::from_str(&text).unwrap()
}

/// One node's: no mark of being simulated, no versions and free bytes, nothing the kernel makes of a random MAC address, no signs of life.
fn alike(mut facts: Facts) -> Facts {
    facts.realm.stand_ins.retain(|s| s != sim::MARK);
    facts.state.root_free = 0;
    facts.inventory.packages.values_mut().for_each(String::clear);
    for interface in facts.inventory.interfaces.values_mut() {
        interface.addresses.retain(|a| !is_local(a.addr()));
        // The kernel of a lab has no dummy interfaces; another kind stands in for them.
        if interface.kind.as_deref().is_some_and(|kind| ["dummy", "ifb"].contains(&kind)) {
            (interface.kind, interface.driver, interface.mac) = (Some("dummy".into()), None, None);
        }
        // Nor has it Thunderbolt: one end of a pair of virtual interfaces is what appears there.
        if interface.driver.as_deref() == Some(THUNDERBOLT_DRIVER) {
            (interface.kind, interface.mac, interface.max_mtu) = (None, None, None);
        }
    }
    facts.state.routes.retain(|r| !is_local(r.to.addr()));
    for hop in facts.state.routes.iter_mut().flat_map(|r| &mut r.via) {
        hop.gateway = hop.gateway.filter(|g| !is_local(*g));
    }
    if let Known::Yes(frr) = &mut facts.state.frr {
        frr.bfd.iter_mut().filter(|b| is_local(b.peer)).for_each(|b| b.peer = Ipv6Addr::UNSPECIFIED.into());
        frr.bfd.sort_by(|a, b| (&a.interface, a.peer).cmp(&(&b.interface, b.peer)));
        frr.neighbors.sort_by(|a, b| a.interface.cmp(&b.interface));
        frr.routes.sort_by_key(|r| r.to);
    }
    for (path, file) in &mut facts.state.files {
        if path == ha::STATUS {
            file.text = file.text.as_deref().map(|text| format!("{:?}", ha::status(text)));
        }
    }
    if let Known::Yes(bus) = &mut facts.inventory.thunderbolt {
        bus.peers.sort_by(|a, b| a.pci.cmp(&b.pci));
    }
    // Nodes of a lab have the clock of the machine below, and nothing that sets it.
    facts.state.units.remove("chrony.service");
    stores(&mut facts);
    facts
}

/// Disks and Ceph.
fn stores(facts: &mut Facts) {
    if let Known::Yes(disks) = &mut facts.inventory.disks {
        for disk in disks.iter_mut().filter(|d| d.uses.iter().any(is_ceph)) {
            // Without device-mapper a lab gives an OSD the bare disk, where Proxmox VE makes a volume.
            disk.uses.retain(is_ceph);
            disk.volumes = 0;
        }
    }
    if let Known::Yes(node) = &mut facts.state.ceph {
        for osd in &mut node.osds {
            osd.version.clear();
            // Disks of a lab are files.
            osd.ground.clear();
        }
    }
    match &mut facts.state.ceph_cluster {
        Known::Yes(told) => cluster(told),
        Known::No(why) => why.clear(),
    }
}

const fn is_ceph(found: &Use) -> bool {
    matches!(found, Use::Ceph { .. })
}

/// What the monitors say.
fn cluster(told: &mut CephCluster) {
    told.versions.clear();
    told.require_release.clear();
    (told.used, told.bytes) = (0.0, 0);
    told.client = Default::default();
    for pool in &mut told.pools {
        pool.stored = 0;
        // The autoscaler may find it too small before it is told to leave it alone.
        if pool.options.contains_key("pg_autoscale_bias") {
            pool.pg_num = 0;
        }
    }
    for osd in &mut told.osds {
        // A database takes a whole disk in the lab, and a volume of whole GiB from Proxmox VE.
        osd.weight = (osd.weight * 100.0).round();
    }
    // An OSD measures itself at its first start, and keeps that or not.
    told.config.retain(|e| !(e.section == "osd.N" && e.name.starts_with(CAPACITY)));
    for entry in &mut told.config {
        entry.value = entry.value.parse::<f64>().map_or(entry.value.clone(), |number| number.to_string());
    }
    let clean = |state: &String| if state.starts_with("active+clean") { "clean" } else { "not yet" };
    told.placement_groups = told.placement_groups.keys().map(|state| (clean(state).to_owned(), 1)).collect();
}

fn is_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.is_unicast_link_local())
}
