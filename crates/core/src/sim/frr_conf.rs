//! `frr.conf`: what Proxmox VE writes for OpenFabric with `frr.conf.local` merged in, and what FRR
//! understands of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::Net;

/// One fabric on one node, as its sections in Proxmox VE's configuration give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) fabric: String,
    pub(super) keys: BTreeMap<String, Vec<String>>,
    pub(super) ip: Option<Ipv4Addr>,
    pub(super) ip6: Option<Ipv6Addr>,
    /// Name and hello multiplier of each port.
    pub(super) ports: Vec<(String, Option<String>)>,
}

/// The whole file.
pub(super) fn render(host: &str, members: &[Member], local: &str) -> String {
    let mut text = format!(
        "frr version 10.4.1\nfrr defaults datacenter\nhostname {host}\nlog syslog informational\nservice integrated-vtysh-config\n!\n"
    );
    for line in merged(local) {
        let _ = writeln!(text, "{line}");
    }
    for member in members {
        let net = member.ip.map(Net::of_v4).or_else(|| member.ip6.map(Net::of_v6));
        let net = net.map(|n| n.to_string()).unwrap_or_default();
        let _ = write!(text, "router openfabric {}\n net {net}\nexit\n!\n", member.fabric);
    }
    for member in members {
        let mut families = String::new();
        if member.ip.is_some() {
            let _ = writeln!(families, " ip router openfabric {}", member.fabric);
        }
        if member.ip6.is_some() {
            let _ = writeln!(families, " ipv6 router openfabric {}", member.fabric);
        }
        let _ = write!(text, "interface dummy_{}\n{families} openfabric passive\nexit\n!\n", member.fabric);
        for (port, multiplier) in &member.ports {
            let _ = write!(text, "interface {port}\n{families}");
            for (key, word) in [("hello_interval", "hello-interval"), ("csnp_interval", "csnp-interval")] {
                if let Some(value) = member.keys.get(key).and_then(|v| v.first()) {
                    let _ = writeln!(text, " openfabric {word} {value}");
                }
            }
            if let Some(multiplier) = multiplier {
                let _ = writeln!(text, " openfabric hello-multiplier {multiplier}");
            }
            text.push_str("exit\n!\n");
        }
    }
    text + &sources(members) + "line vty\n!\n"
}

/// What gives routes of a fabric the node's own address in it as their source.
fn sources(members: &[Member]) -> String {
    let (mut lists, mut maps) = (BTreeMap::new(), [String::new(), String::new()]);
    let mut sequence = 100;
    for member in members {
        let one = |key: &str| member.keys.get(key).and_then(|v| v.first());
        let own = [member.ip.map(|a| a.to_string()), member.ip6.map(|a| a.to_string())];
        for (family, own) in own.into_iter().enumerate() {
            let (key, short, ip, map) =
                [("ip_prefix", "ips", "ip", ""), ("ip6_prefix", "ip6s", "ipv6", "6")][family];
            let (Some(prefix), Some(own)) = (one(key), own) else { continue };
            let list = format!("pve_openfabric_{}_{short}", member.fabric);
            let head = if family == 0 { "" } else { "ipv6 " };
            lists.insert(list.clone(), format!("{head}access-list {list} permit {prefix}\n!\n"));
            let _ = write!(
                maps[family],
                "route-map pve_openfabric{map} permit {sequence}\n match {ip} address {list}\n set src {own}\nexit\n!\n"
            );
            sequence += 10;
        }
    }
    let mut text: String = lists.into_values().chain(maps.iter().cloned()).collect();
    if !maps[0].is_empty() {
        text += "ip protocol openfabric route-map pve_openfabric\n!\n";
    } else if !members.is_empty() {
        text += "!\n";
    }
    if !maps[1].is_empty() {
        text += "ipv6 protocol openfabric route-map pve_openfabric6\n!\n";
    }
    text
}

/// Blocks of `frr.conf.local` that the merge takes over: interfaces and routers, `!` left out.
fn merged(local: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut inside = false;
    for line in local.lines().filter(|l| !l.contains('!') && !l.trim().is_empty()) {
        if line.starts_with("interface ") || line.starts_with("router ") {
            inside = true;
            out.push(line.to_owned());
        } else if line.starts_with("exit") {
            if inside {
                out.extend(["exit".to_owned(), "!".to_owned()]);
            }
            inside = false;
        } else if inside {
            out.push(line.to_owned());
        }
    }
    out
}

/// What FRR has understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conf {
    /// Fabrics with a `net`.
    pub(super) routers: BTreeSet<String>,
    /// Interfaces in a fabric.
    pub(super) interfaces: BTreeMap<String, Circuit>,
}

/// One interface in a fabric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Circuit {
    pub(super) fabric: String,
    pub(super) v4: bool,
    pub(super) v6: bool,
    pub(super) passive: bool,
    pub(super) bfd: bool,
}

/// Reads a file; a line counts only where FRR would take it: `openfabric bfd` needs the interface
/// to be in a fabric already.
pub(super) fn read(text: &str) -> Conf {
    let mut conf = Conf::default();
    let mut router = None;
    let mut interface = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["router", "openfabric", id] => (router, interface) = (Some((*id).to_owned()), None),
            ["interface", name] => (router, interface) = (None, Some((*name).to_owned())),
            ["exit"] => (router, interface) = (None, None),
            ["net", _] => conf.routers.extend(router.clone()),
            [family @ ("ip" | "ipv6"), "router", "openfabric", id] => {
                let Some(name) = &interface else { continue };
                let circuit = conf.interfaces.entry(name.clone()).or_default();
                (*id).clone_into(&mut circuit.fabric);
                circuit.v4 |= *family == "ip";
                circuit.v6 |= *family == "ipv6";
            }
            ["openfabric", word @ ("bfd" | "passive")] => {
                if let Some(circuit) = interface.as_ref().and_then(|name| conf.interfaces.get_mut(name)) {
                    circuit.bfd |= *word == "bfd";
                    circuit.passive |= *word == "passive";
                }
            }
            _ => {}
        }
    }
    conf
}
