//! Fabrics and their nodes as values.
//!
//! Used by every other file of this folder. Holds no rule beyond the types.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::port::Port;

/// The routing protocol of a fabric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// FRR's fabricd.
    Openfabric,
    /// OSPF: parsed and kept, but nothing is generated for it.
    Ospf,
}

impl Protocol {
    /// The name used in section types and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Openfabric => "openfabric",
            Self::Ospf => "ospf",
        }
    }
}

/// One fabric with its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fabric {
    /// Identifier, one to eight characters.
    pub id: String,
    /// Routing protocol.
    pub protocol: Protocol,
    /// IPv4 prefix of the router addresses.
    pub ip_prefix: Option<Ipv4Net>,
    /// IPv6 prefix of the router addresses.
    pub ip6_prefix: Option<Ipv6Net>,
    /// Seconds between hellos.
    pub hello_interval: Option<u16>,
    /// Seconds between complete sequence number packets.
    pub csnp_interval: Option<u16>,
    /// OSPF area, kept as text.
    pub area: Option<String>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
}

impl Fabric {
    /// An empty fabric.
    #[must_use]
    pub fn new(id: &str, protocol: Protocol) -> Self {
        Self {
            id: id.to_owned(),
            protocol,
            ip_prefix: None,
            ip6_prefix: None,
            hello_interval: None,
            csnp_interval: None,
            area: None,
            nodes: BTreeMap::new(),
        }
    }
}

/// One node of a fabric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// IPv4 router address.
    pub ip: Option<Ipv4Addr>,
    /// IPv6 router address.
    pub ip6: Option<Ipv6Addr>,
    /// Interfaces in the order given.
    pub interfaces: Vec<Port>,
}

/// All fabrics, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Fabrics by id.
    pub fabrics: BTreeMap<String, Fabric>,
}

impl Config {
    /// The fabric of that id, or Proxmox's error for its absence.
    ///
    /// # Errors
    /// `fabric '…' does not exist in configuration`.
    pub fn fabric(&self, id: &str) -> Result<&Fabric, super::FabricError> {
        self.fabrics.get(id).ok_or_else(|| super::FabricError::rule(no_fabric(id)))
    }

    /// As [`Config::fabric`], to be changed.
    ///
    /// # Errors
    /// `fabric '…' does not exist in configuration`.
    pub fn fabric_mut(&mut self, id: &str) -> Result<&mut Fabric, super::FabricError> {
        self.fabrics.get_mut(id).ok_or_else(|| super::FabricError::rule(no_fabric(id)))
    }
}

fn no_fabric(id: &str) -> String {
    format!("fabric '{id}' does not exist in configuration")
}
