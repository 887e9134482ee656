//! A spec as text: what `read` makes the same spec of. Keys with their default are left out.
//!
//! Used by everything that writes a spec for people: `init`, `import`, the lab.

use std::fmt::Write as _;

use super::ceph::default_min_size;
use super::{Ceph, Fabric, Keeping, Node, OsdMemory, Osds, Pool, PublicNetwork, Routing, Spec, Transport};
use super::{disk, fabric, pool, storage};
use crate::name::NodeName;

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
    write_ceph(&mut text, spec);
    for link in &spec.links {
        let ends = link.ends.each_ref().map(|e| match &e.port {
            Some(port) => format!("{}:{port}", e.node),
            None => e.node.to_string(),
        });
        text.push_str("\n[[link]]\n");
        line(&mut text, "ends", &list(ends.iter().map(String::as_str)));
    }
    for interface in &spec.interfaces {
        text.push_str("\n[[interface]]\n");
        line(&mut text, "node", &quoted(interface.node.as_str()));
        line(&mut text, "name", &quoted(&interface.name));
        if let Some(ports) = &interface.bridge_ports {
            line(&mut text, "bridge_ports", &list(ports.iter().map(String::as_str)));
        }
        if let Some(mtu) = interface.mtu {
            line(&mut text, "mtu", &mtu.to_string());
        }
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
    write_osd_options(text, node);
}

fn write_osd_options(text: &mut String, node: &Node) {
    let o = &node.osd;
    if !o.wipe.is_empty() {
        line(text, "wipe", &list(o.wipe.iter().map(String::as_str)));
    }
    for (name, value) in [("db", &o.db), ("wal", &o.wal), ("class", &o.class)] {
        if let Some(value) = value {
            line(text, name, &quoted(value));
        }
    }
    if o.per_device != 0 {
        line(text, "osds_per_device", &o.per_device.to_string());
    }
    if o.encrypted {
        line(text, "encrypted", "true");
    }
}

fn write_ceph(text: &mut String, spec: &Spec) {
    let Some(ceph) = &spec.ceph else { return };
    let nodes: Vec<NodeName> = spec.nodes.iter().map(|n| n.name.clone()).collect();
    let mut lines = String::new();
    ceph_lines(&mut lines, ceph, &Ceph::defaults(&nodes));
    if !lines.is_empty() {
        text.push_str("\n[ceph]\n");
        text.push_str(&lines);
    }
    if spec.pools != [Pool::standard()] {
        for pool in &spec.pools {
            write_pool(text, pool);
        }
    }
    for filesystem in &spec.filesystems {
        text.push_str("\n[[filesystem]]\n");
        line(text, "name", &quoted(&filesystem.name));
        if let Some(groups) = filesystem.pg_num {
            line(text, "pg_num", &groups.to_string());
        }
        if !filesystem.storage {
            line(text, "storage", "false");
        }
    }
}

fn ceph_lines(text: &mut String, c: &Ceph, default: &Ceph) {
    let mut word = |name, value: Option<&str>, default: bool| {
        if let Some(value) = value.filter(|_| !default) {
            line(text, name, &quoted(value));
        }
    };
    let repository = storage::REPOSITORIES.iter().find(|(_, r)| *r == c.repository).map(|(w, _)| *w);
    word("repository", repository, c.repository == default.repository);
    let release = storage::RELEASES.iter().find(|(_, r)| *r == c.version).map(|(w, _)| *w);
    word("version", release, c.version == default.version);
    let public = match &c.public {
        PublicNetwork::Mesh => None,
        PublicNetwork::Lan => Some("lan".to_owned()),
        PublicNetwork::Prefix(prefix) => Some(prefix.to_string()),
    };
    word("public", public.as_deref(), false);
    let profile = storage::PROFILES.iter().find(|(_, p)| *p == c.mclock).map(|(w, _)| *w);
    word("mclock", profile, c.mclock == default.mclock);
    match c.memory {
        OsdMemory::Reserve(None) => {}
        OsdMemory::Reserve(Some(bytes)) => word("guest_memory", Some(&disk::write_size(bytes)), false),
        OsdMemory::Fixed(bytes) => word("osd_memory", Some(&disk::write_size(bytes)), false),
    }
    let scrub = c.scrub.map(|(from, to)| format!("{from}-{to}"));
    word("scrub", scrub.as_deref(), false);
    // Managers follow the monitors unless told otherwise.
    let names = |list: &[NodeName]| self::list(list.iter().map(NodeName::as_str));
    if c.monitors != default.monitors {
        line(text, "monitors", &names(&c.monitors));
    }
    if c.managers != c.monitors {
        line(text, "managers", &names(&c.managers));
    }
    if !c.tuning {
        line(text, "tuning", "false");
    }
    if c.migration {
        line(text, "migration", "true");
    }
}

fn write_pool(text: &mut String, p: &Pool) {
    text.push_str("\n[[pool]]\n");
    line(text, "name", &quoted(&p.name));
    match p.keeping {
        Keeping::Copies { size, min_size } => {
            if size != 3 {
                line(text, "size", &size.to_string());
            }
            if min_size != default_min_size(size) {
                line(text, "min_size", &min_size.to_string());
            }
        }
        Keeping::Erasure { k, m } => line(text, "erasure", &quoted(&format!("{k}+{m}"))),
    }
    if let Some(groups) = p.pg_num {
        line(text, "pg_num", &groups.to_string());
    }
    if let Some(share) = p.target_share {
        line(text, "target_share", &(share / 10).to_string());
    }
    if let Some(compression) = &p.compression {
        line(text, "compression", &quoted(&compression.algorithm));
        if compression.mode != pool::DEFAULT_MODE {
            line(text, "compression_mode", &quoted(&compression.mode));
        }
    }
    if let Some(class) = &p.class {
        line(text, "class", &quoted(class));
    }
    if !p.storage {
        line(text, "storage", "false");
    }
    if p.accept_data_loss {
        line(text, "i_accept_data_loss", "true");
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
