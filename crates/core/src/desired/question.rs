//! What every node is asked for, in one exchange, so that binding, planning and verifying need no
//! second one.

use crate::facts::{Question, pve};
use crate::resource::{frr_daemons, frr_local, initramfs, interfaces, reload};

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
            interfaces::PATH,
            "/etc/network/interfaces.d/*",
            pve::path::INTERFACES_NEW,
            "/etc/systemd/network/*.link",
            "/usr/local/lib/systemd/network/*.link",
            "/etc/udev/rules.d/90-ringbolt*",
            "/etc/systemd/system/ringbolt-*",
            "/etc/modules-load.d/*",
            "/etc/sysctl.d/*",
            "/etc/modules",
            frr_daemons::PATH,
            frr_local::PATH,
            reload::FRR_CONF,
            initramfs::STAMP,
            crate::bind::memory::PATH,
            pve::path::MEMBERS,
            pve::path::FABRICS,
            pve::path::RUNNING,
            pve::path::LOCK,
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
