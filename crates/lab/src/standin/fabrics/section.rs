//! `fabrics.cfg`: section-config text to [`Config`] and back.
//!
//! Used by the handlers. Writing sorts: fabrics by id, each followed by its
//! nodes, keys in alphabetical order, one blank line between sections.

use std::fmt::Write as _;

use super::model::{Config, Fabric, Node, Protocol};
use super::port::{PATTERN, Port, in_range};
use super::{FabricError, check};

/// Reads and checks the text of `fabrics.cfg`.
///
/// # Errors
/// Proxmox's own text for the first fault.
pub fn parse(text: &str) -> Result<Config, FabricError> {
    let config = build(&sections(text)?)?;
    check::all(&config)?;
    Ok(config)
}

struct Section<'a> {
    line: usize,
    protocol: Protocol,
    is_node: bool,
    id: &'a str,
    properties: Vec<(usize, &'a str, &'a str)>,
}

fn sections(text: &str) -> Result<Vec<Section<'_>>, FabricError> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let line = index + 1;
        let trimmed = raw.trim();
        if trimmed.is_empty() || raw.starts_with('#') {
            continue;
        }
        if raw.starts_with([' ', '\t']) {
            let Some(section) = found.last_mut() else {
                return Err(at(line, "property outside of a section"));
            };
            let (key, value) = trimmed.split_once([' ', '\t']).unwrap_or((trimmed, ""));
            if !known(section.protocol, section.is_node, key) {
                return Err(at(line, &format!("unknown property '{key}'")));
            }
            section.properties.push((line, key, value.trim()));
        } else {
            found.push(header(line, trimmed)?);
        }
    }
    Ok(found)
}

fn header(line: usize, text: &str) -> Result<Section<'_>, FabricError> {
    let Some((kind, id)) = text.split_once(':') else {
        return Err(at(line, "syntax error: expected a section header"));
    };
    let (protocol, is_node) = match kind {
        "openfabric_fabric" => (Protocol::Openfabric, false),
        "openfabric_node" => (Protocol::Openfabric, true),
        "ospf_fabric" => (Protocol::Ospf, false),
        "ospf_node" => (Protocol::Ospf, true),
        other => return Err(at(line, &format!("unknown section type '{other}'"))),
    };
    let id = id.trim();
    let valid = if is_node {
        id.split_once('_').is_some_and(|(fabric, node)| is_fabric_id(fabric) && is_node_name(node))
    } else {
        is_fabric_id(id)
    };
    if !valid {
        return Err(at(line, &format!("syntax error in section identifier: {PATTERN}")));
    }
    Ok(Section { line, protocol, is_node, id, properties: Vec::new() })
}

fn known(protocol: Protocol, is_node: bool, key: &str) -> bool {
    match (protocol, is_node) {
        (Protocol::Openfabric, false) => {
            matches!(key, "csnp_interval" | "hello_interval" | "ip6_prefix" | "ip_prefix")
        }
        (Protocol::Openfabric, true) => matches!(key, "interfaces" | "ip" | "ip6"),
        (Protocol::Ospf, false) => matches!(key, "area" | "ip_prefix"),
        (Protocol::Ospf, true) => matches!(key, "interfaces" | "ip"),
    }
}

/// The file's rule for a fabric id; the API's is stricter by one.
pub(crate) fn is_fabric_id(text: &str) -> bool {
    (1..=8).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A node name: a DNS label.
pub(crate) fn is_node_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn build(sections: &[Section<'_>]) -> Result<Config, FabricError> {
    let mut config = Config::default();
    for section in sections.iter().filter(|s| !s.is_node) {
        // Of two sections with one id the later wins, silently.
        config.fabrics.insert(section.id.to_owned(), fabric(section)?);
    }
    let mut nodes = Vec::new();
    for section in sections.iter().filter(|s| s.is_node) {
        nodes.push((section, node(section)?));
    }
    for (section, node) in nodes {
        let (fabric_id, node_id) = section.id.split_once('_').unwrap_or((section.id, ""));
        let fabric = config.fabric_mut(fabric_id)?;
        if fabric.protocol != section.protocol {
            return Err(FabricError::rule("node has a different protocol than the referenced fabric"));
        }
        fabric.nodes.insert(node_id.to_owned(), node);
    }
    Ok(config)
}

fn fabric(section: &Section<'_>) -> Result<Fabric, FabricError> {
    let mut fabric = Fabric::new(section.id, section.protocol);
    for &(line, key, value) in &section.properties {
        let wrong = |what: &str| at(line, &format!("property '{key}': {what}"));
        match key {
            "ip_prefix" => fabric.ip_prefix = Some(prefix(value).ok_or_else(|| wrong(PATTERN))?),
            "ip6_prefix" => fabric.ip6_prefix = Some(prefix(value).ok_or_else(|| wrong(PATTERN))?),
            "hello_interval" => fabric.hello_interval = Some(interval(value).map_err(|e| wrong(&e))?),
            "csnp_interval" => fabric.csnp_interval = Some(interval(value).map_err(|e| wrong(&e))?),
            _ => fabric.area = Some(value.to_owned()),
        }
    }
    Ok(fabric)
}

fn node(section: &Section<'_>) -> Result<Node, FabricError> {
    let mut node = Node::default();
    for &(line, key, value) in &section.properties {
        let wrong = |what: &str| at(line, &format!("property '{key}': {what}"));
        match key {
            "ip" => node.ip = Some(value.parse().map_err(|_| wrong(PATTERN))?),
            "ip6" => node.ip6 = Some(value.parse().map_err(|_| wrong(PATTERN))?),
            _ => node.interfaces.push(Port::parse(value).map_err(|e| wrong(&e))?),
        }
    }
    let _ = section.line;
    Ok(node)
}

fn prefix<T: std::str::FromStr>(value: &str) -> Option<T> {
    if value.contains('/') { value.parse().ok() } else { None }
}

fn interval(value: &str) -> Result<u16, String> {
    let number: i64 = value.parse().map_err(|_| "type mismatch: expected an integer".to_owned())?;
    in_range(number, 1, 600)
}

fn at(line: usize, what: &str) -> FabricError {
    FabricError::Parse { line, what: what.to_owned() }
}

/// The text Proxmox writes for a configuration. Empty without fabrics.
#[must_use]
pub fn write(config: &Config) -> String {
    let mut blocks = Vec::new();
    for (id, fabric) in &config.fabrics {
        blocks.push(fabric_text(id, fabric));
        for (name, node) in &fabric.nodes {
            blocks.push(node_text(id, fabric.protocol, name, node));
        }
    }
    blocks.join("\n")
}

fn fabric_text(id: &str, fabric: &Fabric) -> String {
    let mut text = format!("{}_fabric: {id}\n", fabric.protocol.name());
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "\t{key} {value}");
        }
    };
    put("area", fabric.area.clone());
    put("csnp_interval", fabric.csnp_interval.map(|n| n.to_string()));
    put("hello_interval", fabric.hello_interval.map(|n| n.to_string()));
    put("ip6_prefix", fabric.ip6_prefix.map(|n| n.to_string()));
    put("ip_prefix", fabric.ip_prefix.map(|n| n.to_string()));
    text
}

fn node_text(id: &str, protocol: Protocol, name: &str, node: &Node) -> String {
    let mut text = format!("{}_node: {id}_{name}\n", protocol.name());
    for port in &node.interfaces {
        let _ = writeln!(text, "\tinterfaces {port}");
    }
    if let Some(ip) = node.ip {
        let _ = writeln!(text, "\tip {ip}");
    }
    if let Some(ip6) = node.ip6 {
        let _ = writeln!(text, "\tip6 {ip6}");
    }
    text
}
