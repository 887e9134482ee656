//! A spec as text: what `read` makes the same spec of. Keys with their default are left out.
//!
//! Used by everything that writes a spec for people: `init`, `import`, the lab.

use std::fmt::Write as _;

use super::{Fabric, Node, Osds, Routing, Spec, Transport, disk, fabric};

/// The spec as TOML.
pub fn to_toml(spec: &Spec) -> String {
    let mut text = String::new();
    text.push_str("[cluster]\n");
    line(&mut text, "name", &quoted(&spec.cluster.name));
    if !spec.cluster.networks.is_empty() {
        let networks: Vec<String> = spec.cluster.networks.iter().map(ToString::to_string).collect();
        line(&mut text, "networks", &list(networks.iter().map(String::as_str)));
    }
    write_fabric(&mut text, &spec.fabric, &spec.cluster.name);
    write_ssh(&mut text, spec);
    for node in &spec.nodes {
        write_node(&mut text, node);
    }
    for link in &spec.links {
        let ends = link.ends.each_ref().map(|e| match &e.port {
            Some(port) => format!("{}:{port}", e.node),
            None => e.node.to_string(),
        });
        text.push_str("\n[[link]]\n");
        line(&mut text, "ends", &list(ends.iter().map(String::as_str)));
    }
    text
}

fn write_fabric(text: &mut String, f: &Fabric, cluster: &str) {
    text.push_str("\n[fabric]\n");
    if fabric::default_id(cluster).as_ref() != Some(&f.id) {
        line(text, "id", &quoted(f.id.as_str()));
    }
    if let Some(prefix) = f.prefix {
        line(text, "prefix", &quoted(&prefix.to_string()));
    }
    if let Some(prefix) = f.prefix6 {
        line(text, "prefix6", &quoted(&prefix.to_string()));
    }
    match f.transport {
        Transport::Thunderbolt => {}
        Transport::Ethernet => line(text, "transport", "\"ethernet\""),
        Transport::Switch => line(text, "transport", "\"switch\""),
    }
    match (f.routing, f.transport) {
        (Routing::Openfabric, Transport::Switch) => line(text, "routing", "\"openfabric\""),
        (Routing::Static, Transport::Thunderbolt | Transport::Ethernet) => {
            line(text, "routing", "\"static\"");
        }
        _ => {}
    }
    let numbers = [
        ("mtu", f.mtu, fabric::default_mtu(f.transport)),
        ("hello_interval", f.hello_interval.into(), 1),
        ("hello_multiplier", f.hello_multiplier.into(), 3),
        ("csnp_interval", f.csnp_interval.unwrap_or_default().into(), 0),
        ("lsp_gen_interval", f.lsp_gen_interval.into(), 1),
    ];
    for (name, value, default) in numbers {
        if value != default {
            line(text, name, &value.to_string());
        }
    }
    if !f.bfd {
        line(text, "bfd", "false");
    }
}

fn write_ssh(text: &mut String, spec: &Spec) {
    let s = &spec.ssh;
    if *s == super::Ssh::default() {
        return;
    }
    text.push_str("\n[ssh]\n");
    for (name, value) in [("user", &s.user), ("config", &s.config), ("identity", &s.identity)] {
        if let Some(value) = value {
            line(text, name, &quoted(value));
        }
    }
    if let Some(port) = s.port {
        line(text, "port", &port.to_string());
    }
}

fn write_node(text: &mut String, node: &Node) {
    text.push_str("\n[[node]]\n");
    line(text, "name", &quoted(node.name.as_str()));
    line(text, "address", &quoted(&node.address.to_string()));
    if let Some(id) = node.router_id {
        line(text, "router_id", &quoted(&id.to_string()));
    }
    if let Some(id) = node.router_id6 {
        line(text, "router_id6", &quoted(&id.to_string()));
    }
    if let Some(ports) = &node.ports {
        line(text, "ports", &list(ports.iter().map(crate::name::PortName::as_str)));
    }
    if let Some(key) = &node.host_key {
        line(text, "host_key", &quoted(key));
    }
    match &node.osds {
        osds if osds.is_empty() => {}
        Osds::Paths(paths) => line(text, "osds", &list(paths.iter().map(String::as_str))),
        Osds::Filter(filter) => {
            let mut keys = Vec::new();
            if let Some(model) = &filter.model {
                keys.push(format!("model = {}", quoted(model)));
            }
            if !filter.serial.is_empty() {
                keys.push(format!("serial = {}", list(filter.serial.iter().map(String::as_str))));
            }
            for (name, size) in [("min_size", filter.min_size), ("max_size", filter.max_size)] {
                if let Some(size) = size {
                    keys.push(format!("{name} = {}", quoted(&disk::write_size(size))));
                }
            }
            let medium = disk::MEDIA.iter().find(|(_, medium)| filter.medium == Some(*medium));
            if let Some((word, _)) = medium {
                keys.push(format!("type = {}", quoted(word)));
            }
            if let Some(count) = filter.count {
                keys.push(format!("count = {count}"));
            }
            line(text, "osds", &format!("{{ {} }}", keys.join(", ")));
        }
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name} = {value}");
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
}

/// The text in double quotes, as TOML wants it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
