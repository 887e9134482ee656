//! `/etc/frr/frr.conf` of one node, as Proxmox generates it for OpenFabric.
//!
//! Used by the node reload and the dry run. OSPF fabrics get nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::model::{Config, Fabric, Node, Protocol};

/// The whole file.
///
/// `custom` are the blocks of `frr.conf.local` (see [`super::frr_local`]);
/// they are printed before the fabric blocks.
#[must_use]
pub fn config(fabrics: &Config, node: &str, version: &str, custom: &[String]) -> String {
    let mut text = format!(
        "frr version {version}\nfrr defaults datacenter\nhostname {node}\nlog syslog informational\nservice integrated-vtysh-config\n!\n"
    );
    for line in custom {
        text.push_str(line);
        text.push('\n');
    }
    let members: Vec<(&Fabric, &Node)> = fabrics
        .fabrics
        .values()
        .filter(|fabric| fabric.protocol == Protocol::Openfabric)
        .filter_map(|fabric| Some((fabric, fabric.nodes.get(node)?)))
        .collect();
    routers(&mut text, &members);
    interfaces(&mut text, &members);
    let maps = RouteMaps::of(&members);
    maps.print(&mut text, !members.is_empty());
    text.push_str("line vty\n!\n");
    text
}

fn routers(text: &mut String, members: &[(&Fabric, &Node)]) {
    // All fabrics of a node use the NET of the first.
    let Some(net) = members.iter().find_map(|(_, node)| net(node)) else {
        return;
    };
    for (fabric, _) in members {
        let _ = write!(text, "router openfabric {}\n net {net}\nexit\n!\n", fabric.id);
    }
}

/// The network entity title: `49.0001.` and twelve digits of the address.
fn net(node: &Node) -> Option<String> {
    if let Some(ip) = node.ip {
        let digits: String = ip.octets().iter().map(|o| format!("{o:03}")).collect();
        return Some(format!("49.0001.{}.{}.{}.00", &digits[0..4], &digits[4..8], &digits[8..12]));
    }
    let groups = node.ip6?.segments();
    Some(format!("49.0001.{:04x}.{:04x}.{:04x}.00", groups[5], groups[6], groups[7]))
}

fn interfaces(text: &mut String, members: &[(&Fabric, &Node)]) {
    let mut blocks: BTreeMap<String, String> = BTreeMap::new();
    for (fabric, node) in members {
        let mut families = String::new();
        if node.ip.is_some() {
            let _ = writeln!(families, " ip router openfabric {}", fabric.id);
        }
        if node.ip6.is_some() {
            let _ = writeln!(families, " ipv6 router openfabric {}", fabric.id);
        }
        blocks.insert(format!("dummy_{}", fabric.id), format!("{families} openfabric passive\n"));
        for port in &node.interfaces {
            let mut lines = families.clone();
            if let Some(seconds) = fabric.hello_interval {
                let _ = writeln!(lines, " openfabric hello-interval {seconds}");
            }
            if let Some(seconds) = fabric.csnp_interval {
                let _ = writeln!(lines, " openfabric csnp-interval {seconds}");
            }
            if let Some(multiplier) = port.hello_multiplier {
                let _ = writeln!(lines, " openfabric hello-multiplier {multiplier}");
            }
            blocks.insert(port.name.clone(), lines);
        }
    }
    for (name, lines) in blocks {
        let _ = write!(text, "interface {name}\n{lines}exit\n!\n");
    }
}

/// Access lists and route maps that make routes carry the router address.
#[derive(Default)]
struct RouteMaps {
    lists: BTreeMap<String, String>,
    v4: Vec<(u32, String, Ipv4Addr)>,
    v6: Vec<(u32, String, Ipv6Addr)>,
}

impl RouteMaps {
    fn of(members: &[(&Fabric, &Node)]) -> Self {
        let mut maps = Self::default();
        let mut sequence = 100;
        for (fabric, node) in members {
            if let (Some(prefix), Some(ip)) = (fabric.ip_prefix, node.ip) {
                let list = format!("pve_openfabric_{}_ips", fabric.id);
                maps.lists.insert(list.clone(), format!("access-list {list} permit {prefix}"));
                maps.v4.push((sequence, list, ip));
                sequence += 10;
            }
            if let (Some(prefix), Some(ip)) = (fabric.ip6_prefix, node.ip6) {
                let list = format!("pve_openfabric_{}_ip6s", fabric.id);
                maps.lists.insert(list.clone(), format!("ipv6 access-list {list} permit {prefix}"));
                maps.v6.push((sequence, list, ip));
                sequence += 10;
            }
        }
        maps
    }

    fn print(&self, text: &mut String, any: bool) {
        for line in self.lists.values() {
            let _ = write!(text, "{line}\n!\n");
        }
        for (sequence, list, ip) in &self.v4 {
            let _ = write!(
                text,
                "route-map pve_openfabric permit {sequence}\n match ip address {list}\n set src {ip}\nexit\n!\n"
            );
        }
        for (sequence, list, ip) in &self.v6 {
            let _ = write!(
                text,
                "route-map pve_openfabric6 permit {sequence}\n match ipv6 address {list}\n set src {ip}\nexit\n!\n"
            );
        }
        if !self.v4.is_empty() {
            text.push_str("ip protocol openfabric route-map pve_openfabric\n!\n");
        } else if any {
            // The template prints the separator of the missing IPv4 line as well.
            text.push_str("!\n");
        }
        if !self.v6.is_empty() {
            text.push_str("ipv6 protocol openfabric route-map pve_openfabric6\n!\n");
        }
    }
}
