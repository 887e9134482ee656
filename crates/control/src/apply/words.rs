//! Checks in words, for messages about proofs that did not come.

use ringbolt_core::check::{Check, Finding, Stage};

/// What a check says: `en05 has MTU 65520`.
pub fn in_words(check: &Check) -> String {
    match check {
        Check::Package { name } => format!("package {name} installed"),
        Check::Module { name } => format!("module {name} loaded"),
        Check::File { path, .. } => format!("{path} as planned"),
        Check::NoFile { path } => format!("{path} gone"),
        Check::Sysctl { key, value } => format!("{key} = {value}"),
        Check::Enabled { unit } => format!("{unit} enabled"),
        Check::Disabled { unit } => format!("{unit} off"),
        Check::Active { unit } => format!("{unit} active"),
        Check::Port { port } => format!("port {port} there"),
        Check::Mtu { interface, mtu } => format!("{interface} has MTU {mtu}"),
        Check::Member { interface, bridge } => format!("{interface} is a port of {bridge}"),
        Check::Carrier { interface } => format!("{interface} has carrier"),
        Check::Address { interface, address } => format!("{interface} has {address}"),
        Check::Line { path, line } => format!("`{line}` in {path}"),
        Check::Sourced { path } => format!("{path} sourced by /etc/network/interfaces"),
        Check::Neighbor { port, host: Some(host) } => format!("neighbour {host} up on {port}"),
        Check::Neighbor { port, host: None } => format!("a neighbour up on {port}"),
        Check::Bfd { port } => format!("BFD up on {port}"),
        Check::FrrLoaded {} => "frr.conf in force".to_owned(),
        Check::Route { to, hops: Some(hops) } => format!("route to {to} of length {hops}"),
        Check::Quorate {} => "quorum of Proxmox VE".to_owned(),
        Check::Maintenance { node, stage: Stage::Entered } => {
            format!("{node} in maintenance, free of services")
        }
        Check::Maintenance { node, stage: Stage::Left } => format!("{node} out of maintenance"),
        Check::Maintenance { node, stage: Stage::Withdrawn } => format!("no maintenance asked for {node}"),
        Check::Ceph(check) => check.in_words(),
        Check::Route { to, hops: None } => format!("a route to {to}"),
    }
}

/// A finding that does not hold: `en05 has carrier: no carrier`.
pub(super) fn complaint(finding: &Finding) -> String {
    format!("{}: {}", in_words(&finding.check), finding.evidence)
}
