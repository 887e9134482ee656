//! The fabric part of `/etc/network/interfaces.d/sdn` of one node.
//!
//! Used by the node reload and the dry run. There is no MTU in it, ever:
//! Proxmox writes none.

use std::fmt::Write as _;

use super::model::{Config, Fabric, Node, Protocol};
use super::port::Port;

/// How links without an address of their own are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// With the node's address (libpve-rs-perl 0.11 and later).
    Numbered,
    /// Without any address (before 0.11).
    Bare,
}

/// The stanzas of `node`; each begins with a blank line. Empty for a node
/// that is in no fabric.
#[must_use]
pub fn stanzas(config: &Config, node: &str, links: Links) -> String {
    let mut text = String::new();
    for fabric in config.fabrics.values() {
        if fabric.protocol == Protocol::Openfabric
            && let Some(member) = fabric.nodes.get(node)
        {
            fabric_stanzas(&mut text, fabric, member, links);
        }
    }
    text
}

fn fabric_stanzas(text: &mut String, fabric: &Fabric, node: &Node, links: Links) {
    let dummy = format!("dummy_{}", fabric.id);
    if let Some(ip) = node.ip {
        stanza(text, &dummy, Some(&format!("{ip}/32")), false, true);
    }
    if let Some(ip6) = node.ip6 {
        stanza(text, &dummy, Some(&format!("{ip6}/128")), true, true);
    }
    for port in &node.interfaces {
        port_stanzas(text, node, port, links);
    }
}

fn port_stanzas(text: &mut String, node: &Node, port: &Port, links: Links) {
    if port.ip.is_some() || port.ip6.is_some() {
        if let Some(ip) = port.ip {
            stanza(text, &port.name, Some(&ip.to_string()), false, false);
        }
        if let Some(ip6) = port.ip6 {
            stanza(text, &port.name, Some(&ip6.to_string()), true, false);
        }
        return;
    }
    match (links, node.ip, node.ip6) {
        (Links::Numbered, Some(ip), _) => {
            stanza(text, &port.name, Some(&format!("{ip}/32")), false, false);
        }
        (Links::Numbered, None, Some(ip6)) => {
            stanza(text, &port.name, Some(&format!("{ip6}/128")), true, false);
        }
        _ => stanza(text, &port.name, None, false, false),
    }
}

fn stanza(text: &mut String, name: &str, address: Option<&str>, v6: bool, dummy: bool) {
    let _ = write!(text, "\nauto {name}\niface {name}");
    if let Some(address) = address {
        let family = if v6 { "inet6" } else { "inet" };
        let _ = write!(text, " {family} static\n\taddress {address}");
    }
    text.push('\n');
    if dummy {
        text.push_str("\tlink-type dummy\n");
    }
    text.push_str("\tip-forward 1\n");
}
