//! What every node is asked for, in one exchange, so that binding, planning and verifying need no
//! second one.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Disks, Fleet, Question, ceph_conf, ha, pve};
use crate::into_map::IntoMap;
use crate::name::NodeName;
use crate::resource::ceph::install;
use crate::resource::{frr_daemons, frr_local, initramfs, owed, reload};
use crate::spec::Spec;

/// What each node of a spec is asked: the mesh, and with Ceph in the spec the node's disks and daemons.
/// One node, that of the first monitor, is asked about the cluster as well.
pub fn of(spec: &Spec, disks: Disks) -> BTreeMap<NodeName, Question> {
    let mesh = mesh();
    let Some(ceph) = &spec.ceph else {
        return spec.nodes.iter().map(|n| (n.name.clone(), mesh.clone())).into_map();
    };
    let teller = ceph.monitors.first();
    let one = |node: &crate::spec::Node| {
        let mut question = mesh.clone();
        stores(&mut question, &node.name);
        question.disks = if node.osds.is_empty() { Disks::No } else { disks };
        question.ceph_cluster = teller == Some(&node.name);
        (node.name.clone(), question)
    };
    spec.nodes.iter().map(one).into_map()
}

/// Files that tell about Ceph on a node.
pub(crate) const STORE_FILES: [&str; 9] = [
    ceph_conf::PATH,
    pve::path::STORAGE,
    pve::path::DATACENTER,
    install::SOURCES,
    install::OLD_SOURCES,
    "/etc/systemd/system/ceph-mon@.service.d/*",
    "/etc/systemd/system/ceph-mgr@.service.d/*",
    "/etc/systemd/system/ceph-mds@.service.d/*",
    "/etc/systemd/system/ceph-osd@.service.d/*",
];

/// What is asked before nodes are taken out of service: all of the above but disks, and guests, votes,
/// services of high availability.
pub fn roll(spec: &Spec) -> BTreeMap<NodeName, Question> {
    let mut questions = of(spec, Disks::No);
    for question in questions.values_mut() {
        question.guests = true;
        question.files.extend(ha::FILES.map(str::to_owned));
    }
    questions
}

/// What is asked about Ceph on one node.
fn stores(question: &mut Question, node: &NodeName) {
    question.ceph = true;
    question.packages.extend(install::PACKAGES.map(str::to_owned));
    question.files.extend(STORE_FILES.map(str::to_owned));
    question.units.extend(["chrony.service", "systemd-timesyncd.service"].map(str::to_owned));
    question.units.extend(["mon", "mgr"].map(|kind| format!("ceph-{kind}@{node}.service")));
}

/// The next node to be asked about the Ceph cluster, where there is one and nobody has told yet: the
/// first of the spec's monitors that answered and was not asked before.
pub fn teller(spec: &Spec, fleet: &Fleet, asked: &BTreeSet<NodeName>) -> Option<NodeName> {
    use crate::wish::founded;
    if fleet.cluster().is_some() || !founded(fleet) {
        return None;
    }
    let monitors = &spec.ceph.as_ref()?.monitors;
    monitors.iter().find(|n| fleet.nodes.contains_key(*n) && !asked.contains(*n)).cloned()
}

/// The question that covers everything ringbolt plans and verifies about the mesh.
pub fn mesh() -> Question {
    let set = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    Question {
        packages: set(&[
            "frr",
            "frr-pythontools",
            "ifupdown2",
            "initramfs-tools",
            "libpve-network-perl",
            "libpve-rs-perl",
            "pve-manager",
        ]),
        files: set(&[
            crate::facts::network::INTERFACES,
            "/etc/network/interfaces.d/*",
            pve::path::INTERFACES_NEW,
            "/etc/systemd/network/*.link",
            "/usr/local/lib/systemd/network/*.link",
            "/etc/udev/rules.d/90-ringbolt*",
            "/etc/systemd/system/ringbolt-*",
            "/etc/systemd/system/frr.service.d/*",
            "/etc/modules-load.d/*",
            "/etc/sysctl.d/*",
            "/etc/modules",
            frr_daemons::PATH,
            frr_local::PATH,
            reload::FRR_CONF,
            initramfs::STAMP,
            owed::SYSTEMD,
            owed::UDEV,
            owed::SDN_LOCK,
            crate::bind::memory::PATH,
            crate::checkpoint::ARMED,
            crate::checkpoint::FIRED,
            ceph_conf::PATH,
            pve::path::MEMBERS,
            pve::path::FABRICS,
            pve::path::RUNNING,
            pve::path::LOCK,
            ha::STATUS,
        ]),
        units: set(&["frr.service", "networking.service", "systemd-networkd.service"]),
        sysctl: set(&[
            "net.ipv4.ip_forward",
            "net.ipv4.conf.all.ignore_routes_with_linkdown",
            "net.ipv6.conf.all.forwarding",
            "net.ipv6.conf.all.ignore_routes_with_linkdown",
            "net.ipv6.conf.default.ignore_routes_with_linkdown",
        ]),
        modules: set(&["thunderbolt", "thunderbolt_net"]),
        ..Question::default()
    }
}
