//! Texts of the files that are wholly ours. Each begins with a line that says whose it is.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::bind::{BoundPort, THUNDERBOLT_DRIVER};
use crate::resource::file::{File, Reader};
use crate::resource::reload;
use crate::spec::{Fabric, Routing, Transport};
use crate::step::Phase;
use crate::tune::SYSCTL_FILE;

/// Folder of `.link` files; `/etc` wins over what Proxmox VE's pinning puts under `/usr/local/lib`.
pub const LINK_FOLDER: &str = "/etc/systemd/network";
/// Modules loaded at boot.
const MODULES_FILE: &str = "/etc/modules-load.d/ringbolt.conf";
const RULES_FILE: &str = "/etc/udev/rules.d/90-ringbolt.rules";
const UNIT_FILE: &str = "/etc/systemd/system/ringbolt-port@.service";

const MESH_UNIT: &str = "/etc/systemd/system/ringbolt-mesh.service";

const HEAD: &str = "# Kept by ringbolt from its spec: edits here are lost.\n";

/// The `.link` file of a port: its name and MTU from the moment the interface appears.
///
/// Matched by PCI path and driver, never by MAC: Thunderbolt's MAC addresses change. The lowest
/// file name over all folders wins, so `00-ringbolt-…` beats `50-pmx-…` (systemd.link(5)).
pub fn link_file(port: &BoundPort, mtu: u32) -> Option<File> {
    let pci = port.pci.as_ref()?;
    Some(File {
        path: format!("{LINK_FOLDER}/00-ringbolt-{}.link", port.name).into(),
        content: format!(
            "{HEAD}[Match]\nPath=pci-{pci}\nDriver={THUNDERBOLT_DRIVER}\n\n[Link]\nName={}\nMTUBytes={mtu}\n",
            port.name
        )
        .into(),
        why: format!("the port at {pci} is always {}, with its MTU from birth", port.name).into(),
        reader: Reader::Udev,
        phase: Phase::Prepare,
    })
}

/// Both Thunderbolt modules at boot: after a cold start of all nodes nobody else loads them.
pub(super) fn modules() -> File {
    File {
        path: MODULES_FILE.into(),
        content: format!("{HEAD}thunderbolt\nthunderbolt_net\n").into(),
        why: "when all nodes boot together no link appears unless each one loads the driver by itself".into(),
        reader: Reader::Nobody,
        phase: Phase::Prepare,
    }
}

/// Kernel settings, by key.
pub(super) fn sysctl_values(fabric: &Fabric) -> Vec<(&'static str, &'static str)> {
    let mut values = Vec::new();
    if fabric.transport == Transport::Switch {
        return values;
    }
    let fixed = fabric.routing == Routing::Static;
    if fabric.prefix.is_some() {
        values.push(("net.ipv4.ip_forward", "1"));
        if fixed {
            values.push(("net.ipv4.conf.all.ignore_routes_with_linkdown", "1"));
        }
    }
    if fabric.prefix6.is_some() {
        values.push(("net.ipv6.conf.all.forwarding", "1"));
        if fixed {
            values.push(("net.ipv6.conf.all.ignore_routes_with_linkdown", "1"));
            values.push(("net.ipv6.conf.default.ignore_routes_with_linkdown", "1"));
        }
    }
    values
}

/// The file with these settings.
pub(super) fn sysctl(values: &[(&str, &str)]) -> File {
    let lines: String = values.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    File {
        path: SYSCTL_FILE.into(),
        content: format!("{HEAD}{lines}").into(),
        why: "a node in the middle forwards for its neighbours, after a reboot as well".into(),
        reader: Reader::Nobody,
        phase: Phase::Prepare,
    }
}

/// The hot-plug unit: what gives a port its address when its cable comes (back).
///
/// `ifup` is the truth and takes a second to start; the address and the link are put up before it, so
/// that FRR's first hello goes out at once.
pub(super) fn unit(ids: &[IpAddr]) -> File {
    let early: String = ids
        .iter()
        .map(|id| {
            let length = if id.is_ipv4() { 32 } else { 128 };
            format!("ExecStartPre=-/usr/sbin/ip address replace {id}/{length} dev %i\n")
        })
        .collect();
    File {
        path: UNIT_FILE.into(),
        content: format!(
            "{HEAD}# Started by udev whenever the port appears. ifupdown2 allows one run at a time, hence the retries.\n\
             [Unit]\nDescription=Address of mesh port %i\nAfter=networking.service\nStartLimitIntervalSec=60\nStartLimitBurst=40\n\n\
             [Service]\nType=oneshot\n{early}ExecStartPre=-/usr/sbin/ip link set dev %i up\nExecStart=/usr/sbin/ifup %i\nRestart=on-failure\nRestartSec=300ms\n"
        )
        .into(),
        why: "a Thunderbolt port that appears late or again has no address until somebody runs ifup".into(),
        reader: Reader::Systemd,
        phase: Phase::Prepare,
    }
}

/// Waits at boot until the node has its address in the mesh and a way to another, a minute at most:
/// without it daemons start before there is anybody to talk to, and a monitor may find no address.
pub(super) fn mesh_unit(id: IpAddr, prefix: IpNet) -> File {
    let (tool, length) = if id.is_ipv4() { ("ip", 32) } else { ("ip -6", 128) };
    File {
        path: MESH_UNIT.into(),
        content: format!(
            "{HEAD}# Ceph's daemons wait for this. It always ends well: after a minute they start all the same.\n\
             [Unit]\nDescription=Wait for the mesh\nWants=network-online.target\nAfter=network-online.target networking.service frr.service\n\n\
             [Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=90\n\
             ExecStart=-/usr/bin/timeout 60 /bin/sh -c 'until {tool} -o address show to {id}/{length} | grep -q . && {tool} -o route show root {prefix} | grep -q .; do sleep 0.2; done'\n"
        )
        .into(),
        why: "Ceph's daemons start when the mesh is there, or after a minute".into(),
        reader: Reader::Systemd,
        phase: Phase::Prepare,
    }
}

/// Drop-ins that make Ceph's daemons wait for the mesh at boot.
pub(super) fn ceph_units() -> impl Iterator<Item = File> {
    ["mon", "mgr", "mds", "osd"].into_iter().map(|kind| File {
        path: format!("/etc/systemd/system/ceph-{kind}@.service.d/ringbolt.conf").into(),
        content: format!("{HEAD}[Unit]\nWants=ringbolt-mesh.service\nAfter=ringbolt-mesh.service\n").into(),
        why: "after a cold start of all nodes together Ceph comes back by itself".into(),
        reader: Reader::Systemd,
        phase: Phase::Prepare,
    })
}

/// A second look of FRR at its configuration at every start: in the first one its sessions may undo each
/// other's work (see [`lost`](crate::facts::frr::lost)), and then no route of the fabric is in the kernel.
pub(super) fn frr_unit() -> File {
    File {
        path: "/etc/systemd/system/frr.service.d/ringbolt.conf".into(),
        content: format!(
            "{HEAD}# FRR reads its file with several sessions at once, which may lose lines; the second time is one session.\n\
             [Service]\nExecStartPost=-/usr/bin/vtysh -d mgmtd -f {}\n",
            reload::FRR_CONF
        )
        .into(),
        why: "FRR may lose a line of its configuration at its start, and with it all routes of the mesh".into(),
        reader: Reader::Systemd,
        phase: Phase::Prepare,
    }
}

/// Which cables the ports had, for `verify`.
pub(super) fn cabling(ports: &[BoundPort]) -> File {
    File {
        path: crate::bind::memory::PATH.into(),
        content: crate::bind::memory::content(ports).into(),
        why: "so that `verify` can tell a pulled cable from a port that never had one".into(),
        reader: Reader::Nobody,
        phase: Phase::Ports,
    }
}

/// The udev rule that starts the hot-plug unit. `restart`, so that a port that goes and comes while
/// the unit runs gets another run; `RUN` and not `SYSTEMD_WANTS`, which does nothing where systemd
/// started before udev without a devtmpfs (sd-device's monitor is off then).
///
/// The dummy interface is in it because ifupdown2 has been seen to make it at boot and miss its
/// address; a second `ifup` gives it.
pub(super) fn rules(ports: &[BoundPort], dummy: Option<String>) -> File {
    let names: Vec<String> = ports.iter().map(|p| p.name.to_string()).chain(dummy).collect();
    File {
        path: RULES_FILE.into(),
        content: format!(
            "{HEAD}ACTION==\"add|move\", SUBSYSTEM==\"net\", KERNEL==\"{}\", RUN+=\"/usr/bin/systemctl --no-block restart ringbolt-port@$name.service\"\n",
            names.join("|")
        )
        .into(),
        why: "udev starts the unit when the port appears or is renamed".into(),
        reader: Reader::Udev,
        phase: Phase::Ports,
    }
}
