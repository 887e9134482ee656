//! The rules Proxmox holds a whole fabric configuration to, on every write.
//!
//! Used after parsing and before writing. The order of the checks decides
//! which of several faults is told; only one is.

use std::collections::BTreeSet;

use super::FabricError;
use super::model::{Config, Fabric, Node};

/// Checks everything.
///
/// # Errors
/// The first broken rule, in Proxmox's words.
pub fn all(config: &Config) -> Result<(), FabricError> {
    for fabric in config.fabrics.values() {
        fabric_rules(fabric)?;
    }
    interfaces_once(config)?;
    prefixes_apart(config)
}

fn fabric_rules(fabric: &Fabric) -> Result<(), FabricError> {
    let id = &fabric.id;
    if fabric.ip_prefix.is_none() && fabric.ip6_prefix.is_none() {
        return Err(FabricError::rule(format!("fabric '{id}' does not have an IP prefix configured")));
    }
    let mut seen = BTreeSet::new();
    let mut seen6 = BTreeSet::new();
    for (name, node) in &fabric.nodes {
        node_rules(fabric, name, node)?;
        if node.ip.is_some_and(|ip| !seen.insert(ip)) || node.ip6.is_some_and(|ip| !seen6.insert(ip)) {
            return Err(FabricError::rule(format!("fabric {id} contains nodes with duplicated IPs")));
        }
    }
    Ok(())
}

fn node_rules(fabric: &Fabric, name: &str, node: &Node) -> Result<(), FabricError> {
    let section = format!("{}_{name}", fabric.id);
    if node.ip.is_none() && node.ip6.is_none() {
        return Err(FabricError::rule(format!("node '{section}' does not have an IP configured")));
    }
    family(fabric, &section, fabric.ip_prefix, node.ip, |prefix, ip| prefix.contains(&ip))?;
    family(fabric, &section, fabric.ip6_prefix, node.ip6, |prefix, ip| prefix.contains(&ip))
}

fn family<P, A>(
    fabric: &Fabric,
    section: &str,
    prefix: Option<P>,
    ip: Option<A>,
    contains: impl Fn(P, A) -> bool,
) -> Result<(), FabricError>
where
    P: std::fmt::Display + Copy,
    A: std::fmt::Display + Copy,
{
    match (prefix, ip) {
        (Some(prefix), Some(ip)) if !contains(prefix, ip) => {
            Err(FabricError::rule(format!("node IP {ip} is outside the IP prefix {prefix} of the fabric")))
        }
        (Some(prefix), None) => Err(FabricError::rule(format!(
            "node '{section}' does not have an IP configured for this fabric prefix {prefix}"
        ))),
        (None, Some(ip)) => Err(FabricError::rule(format!(
            "fabric '{}' does not have an IP prefix configured for the node IP {ip}",
            fabric.id
        ))),
        _ => Ok(()),
    }
}

fn interfaces_once(config: &Config) -> Result<(), FabricError> {
    let mut seen = BTreeSet::new();
    for fabric in config.fabrics.values() {
        for (name, node) in &fabric.nodes {
            for port in &node.interfaces {
                if !seen.insert((name, &port.name)) {
                    return Err(FabricError::rule("interface is already in use by another fabric"));
                }
            }
        }
    }
    Ok(())
}

fn prefixes_apart(config: &Config) -> Result<(), FabricError> {
    let all: Vec<&Fabric> = config.fabrics.values().collect();
    for (index, later) in all.iter().enumerate() {
        for earlier in &all[..index] {
            if let (Some(a), Some(b)) = (later.ip_prefix, earlier.ip_prefix)
                && (a.contains(&b.network()) || b.contains(&a.network()))
            {
                return Err(FabricError::rule(format!(
                    "IP prefix {a} in fabric '{}' overlaps with IPv4 prefix {b} in fabric '{}'",
                    later.id, earlier.id
                )));
            }
            if let (Some(a), Some(b)) = (later.ip6_prefix, earlier.ip6_prefix)
                && (a.contains(&b.network()) || b.contains(&a.network()))
            {
                return Err(FabricError::rule(format!(
                    "IPv6 prefix {a} in fabric '{}' overlaps with IPv6 prefix {b} in fabric '{}'",
                    later.id, earlier.id
                )));
            }
        }
    }
    Ok(())
}
