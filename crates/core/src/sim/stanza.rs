//! ifupdown2 on one simulated node: stanzas of all files merged, `ifup` and `ifreload -a`.
//!
//! What matters of its habits is here: only `auto` interfaces are reloaded; addresses are set to
//! those of the stanzas, but an interface whose stanzas give none keeps what it has; an interface
//! without any stanza left is taken down, a dummy deleted.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::Node;
use super::node::ethernet;
use crate::facts::network::{KernelRoute, Nexthop};

/// What the files say about one interface, all stanzas together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    addresses: Vec<IpNet>,
    mtu: Option<u32>,
    dummy: bool,
    /// Ports of a bridge.
    ports: Option<Vec<String>>,
    post_up: Vec<String>,
}

/// All files that count.
#[derive(Debug, Default)]
struct Files {
    auto: BTreeSet<String>,
    wanted: BTreeMap<String, Wanted>,
}

/// `ifup NAME`.
pub(super) fn ifup(node: &mut Node, name: &str) {
    let files = read(node);
    if let Some(wanted) = files.wanted.get(name) {
        bring_up(node, name, wanted);
    }
}

/// `ifreload -a`.
pub(super) fn ifreload(node: &mut Node) {
    let files = read(node);
    let gone: Vec<String> =
        node.configured.keys().filter(|name| !files.wanted.contains_key(*name)).cloned().collect();
    for name in gone {
        take_down(node, &name);
    }
    for (name, wanted) in files.wanted.iter().filter(|(name, _)| files.auto.contains(*name)) {
        bring_up(node, name, wanted);
    }
}

fn read(node: &Node) -> Files {
    let mut files = Files::default();
    let main = node.facts.text(crate::facts::network::INTERFACES).unwrap_or("");
    parse(main, &mut files);
    for line in main.lines() {
        let Some(pattern) = line.trim().strip_prefix("source ") else { continue };
        for (path, file) in &node.facts.state.files {
            let fits = match pattern.strip_suffix('*') {
                Some(folder) => path.strip_prefix(folder).is_some_and(|name| !name.contains('/')),
                None => path == pattern,
            };
            if fits && path != crate::facts::network::INTERFACES {
                parse(file.text.as_deref().unwrap_or(""), &mut files);
            }
        }
    }
    files
}

fn parse(text: &str, files: &mut Files) {
    let mut current: Option<String> = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["auto", names @ ..] => {
                files.auto.extend(names.iter().map(|n| (*n).to_owned()));
                current = None;
            }
            ["iface", name, ..] => {
                files.wanted.entry((*name).to_owned()).or_default();
                current = Some((*name).to_owned());
            }
            ["source", ..] => current = None,
            [key, value @ ..] => {
                let Some(wanted) = current.as_ref().and_then(|name| files.wanted.get_mut(name)) else {
                    continue;
                };
                match *key {
                    "address" => wanted.addresses.extend(value.first().and_then(|a| address(a))),
                    "mtu" => wanted.mtu = value.first().and_then(|m| m.parse().ok()),
                    "bridge-ports" => {
                        let names = value.iter().filter(|n| **n != "none");
                        wanted.ports = Some(names.map(|n| (*n).to_owned()).collect());
                    }
                    "link-type" => wanted.dummy = value == ["dummy"],
                    "post-up" => wanted.post_up.push(value.join(" ")),
                    _ => {}
                }
            }
            [] => {}
        }
    }
}

fn address(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

fn bring_up(node: &mut Node, name: &str, wanted: &Wanted) {
    if wanted.dummy && !node.facts.inventory.interfaces.contains_key(name) {
        let dummy = crate::facts::Interface { kind: Some("dummy".into()), ..ethernet(node.next_index) };
        node.next_index += 1;
        node.facts.inventory.interfaces.insert(name.to_owned(), dummy);
    }
    let before = node.configured.get(name).cloned().unwrap_or_default();
    // "interface not recognized": a warning, and on to the next one.
    let Some(interface) = node.facts.inventory.interfaces.get_mut(name) else { return };
    interface.up = true;
    if let Some(mtu) = wanted.mtu {
        interface.mtu = interface.max_mtu.map_or(mtu, |max| mtu.min(max));
    }
    if let Some(ports) = &wanted.ports {
        for (port, other) in &mut node.facts.inventory.interfaces {
            if ports.contains(port) {
                other.master = Some(name.to_owned());
            } else if other.master.as_deref() == Some(name) {
                other.master = None;
            }
        }
    }
    let Some(interface) = node.facts.inventory.interfaces.get_mut(name) else { return };
    if name == "lo" {
        interface.addresses.retain(|a| !before.contains(a) || wanted.addresses.contains(a));
    } else if !wanted.addresses.is_empty() {
        interface.addresses.retain(|a| link_local(a) || wanted.addresses.contains(a));
    }
    for address in &wanted.addresses {
        if !interface.addresses.contains(address) {
            interface.addresses.push(*address);
        }
    }
    node.configured.insert(name.to_owned(), wanted.addresses.clone());
    for command in &wanted.post_up {
        if let Some(route) = route(command) {
            let same = |r: &KernelRoute| r.to == route.to && r.metric == route.metric;
            node.facts.state.routes.retain(|r| !same(r));
            node.facts.state.routes.push(route);
        }
    }
}

fn take_down(node: &mut Node, name: &str) {
    let own = node.configured.remove(name).unwrap_or_default();
    let Some(interface) = node.facts.inventory.interfaces.get_mut(name) else { return };
    if interface.kind.as_deref() == Some("dummy") {
        node.forget(name);
        return;
    }
    interface.addresses.retain(|a| !own.contains(a));
    if name != "lo" {
        interface.up = false;
        node.drop_routes(name);
    }
}

/// Whether it is an address the kernel gives by itself.
pub(super) fn link_local(address: &IpNet) -> bool {
    matches!(address.addr(), std::net::IpAddr::V6(a) if a.is_unicast_link_local())
}

/// `ip [-6] route replace TO [via GATEWAY] dev PORT [onlink] src OWN metric N`.
fn route(command: &str) -> Option<KernelRoute> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let at = words.iter().position(|w| *w == "replace")?;
    let after = |key: &str| words.iter().position(|w| *w == key).and_then(|i| words.get(i + 1));
    Some(KernelRoute {
        to: words.get(at + 1)?.parse().ok()?,
        via: vec![Nexthop {
            gateway: after("via").and_then(|g| g.parse().ok()),
            interface: (*after("dev")?).to_owned(),
            dead: false,
        }],
        protocol: "boot".into(),
        metric: after("metric").and_then(|m| m.parse().ok()).unwrap_or(0),
        source: after("src").and_then(|s| s.parse().ok()),
    })
}

/// Takes what is there for what ifupdown2 has configured: for nodes whose facts were captured.
pub(super) fn assume(node: &mut Node) {
    let there = |name: &String| node.facts.inventory.interfaces.get(name).is_some_and(|i| i.up);
    let files = read(node);
    let configured = files.wanted.into_iter().filter(|(name, _)| there(name));
    node.configured = configured.map(|(name, wanted)| (name, wanted.addresses)).collect();
}
