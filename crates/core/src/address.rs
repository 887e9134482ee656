//! Gives every node its router IDs and its IS-IS address (NET), the same way every time.
//!
//! Used by the plan and shown by `check`. The result depends on the set of nodes alone, not on
//! their order in the file; a node whose management address fits the prefix keeps its router ID
//! when nodes come and go, as long as no fixed router ID or like-numbered node takes it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::arrange::Arrange;
use crate::into_map::IntoMap;
use crate::name::NodeName;
use crate::spec::{Node, Spec};

/// An IS-IS network entity title as Proxmox VE writes it: `49.0001.0101.0000.0012.00`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Net(String);

impl Net {
    /// From an IPv4 router ID: its digits, each number padded to three, in groups of four.
    pub fn of_v4(id: Ipv4Addr) -> Self {
        let digits: String = id.octets().iter().map(|octet| format!("{octet:03}")).collect();
        Self(format!("49.0001.{}.{}.{}.00", &digits[..4], &digits[4..8], &digits[8..]))
    }

    /// From an IPv6 router ID, where there is no IPv4 one: its last three 16-bit groups.
    pub fn of_v6(id: Ipv6Addr) -> Self {
        let [.., a, b, c] = id.segments();
        Self(format!("49.0001.{a:04x}.{b:04x}.{c:04x}.00"))
    }

    /// The text, as in `frr.conf`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// The addresses of one node in the fabric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAddress {
    /// IPv4 router ID, where the fabric has an IPv4 prefix.
    pub v4: Option<Ipv4Addr>,
    /// IPv6 router ID, where the fabric has an IPv6 prefix.
    pub v6: Option<Ipv6Addr>,
    /// The IS-IS address.
    pub net: Net,
}

impl NodeAddress {
    /// The router IDs, IPv4 first.
    pub fn ids(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// The addresses of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Addresses(BTreeMap<NodeName, NodeAddress>);

impl Addresses {
    /// The addresses of one node.
    pub fn get(&self, node: &NodeName) -> Option<&NodeAddress> {
        self.0.get(node)
    }

    /// All of them, by node name.
    pub fn iter(&self) -> impl Iterator<Item = (&NodeName, &NodeAddress)> {
        self.0.iter()
    }

    /// The node that has this router ID. Linear.
    pub fn owner(&self, id: IpAddr) -> Option<&NodeName> {
        self.0.iter().find(|(_, address)| address.ids().any(|own| own == id)).map(|(node, _)| node)
    }
}

/// Why the nodes cannot all be addressed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither prefix is there.
    #[error("the fabric has no prefix to take router IDs from")]
    NoPrefix,
    /// More nodes than addresses.
    #[error("{prefix} has no router ID left for node {node}: it holds {room} of {nodes} nodes")]
    PrefixFull {
        /// The prefix.
        prefix: IpNet,
        /// The first node that went without.
        node: NodeName,
        /// How many router IDs the prefix holds.
        room: u128,
        /// How many nodes need one.
        nodes: usize,
    },
    /// A fixed router ID that is not an address for a node in the prefix.
    #[error("router ID {id} of node {node} is not a usable address of {prefix}")]
    NotInPrefix {
        /// The node.
        node: NodeName,
        /// Its fixed router ID.
        id: IpAddr,
        /// The prefix it should be in.
        prefix: IpNet,
    },
    /// A fixed router ID of a family the fabric has no prefix for.
    #[error("node {node} has the router ID {id}, but the fabric has no prefix of that family")]
    NoSuchFamily {
        /// The node.
        node: NodeName,
        /// Its fixed router ID.
        id: IpAddr,
    },
    /// Two nodes with one fixed router ID.
    #[error("nodes {} and {} both have the router ID {id}", nodes[0], nodes[1])]
    Twice {
        /// The router ID.
        id: IpAddr,
        /// The two nodes.
        nodes: [NodeName; 2],
    },
    /// Two nodes whose IPv6 router IDs give one IS-IS address.
    #[error(
        "the router IDs of nodes {} and {} end in the same 48 bits, so both would get the IS-IS address {net}",
        nodes[0], nodes[1]
    )]
    NetTwice {
        /// The IS-IS address.
        net: Net,
        /// The two nodes.
        nodes: [NodeName; 2],
    },
}

/// Router IDs and NETs for all nodes of a spec.
///
/// Fixed router IDs come first. Then, in the order of names, each node takes the prefix with the
/// host part of its management address where that fits and is free. The rest take the next free
/// addresses in order. Network and broadcast address are never given.
pub fn assign(spec: &Spec) -> Result<Addresses, AddressError> {
    if spec.fabric.prefix.is_none() && spec.fabric.prefix6.is_none() {
        return Err(AddressError::NoPrefix);
    }
    let mut nodes: Vec<&Node> = spec.nodes.iter().collect();
    nodes.arrange_by(|x, y| x.name.cmp(&y.name));
    let fixed4 = |node: &Node| node.router_id.map(IpAddr::V4);
    let fixed6 = |node: &Node| node.router_id6.map(IpAddr::V6);
    let v4 = family(spec.fabric.prefix.map(IpNet::V4), &nodes, fixed4)?;
    let v6 = family(spec.fabric.prefix6.map(IpNet::V6), &nodes, fixed6)?;

    let mut addresses = BTreeMap::new();
    let mut by_net: BTreeMap<Net, &NodeName> = BTreeMap::new();
    for node in nodes {
        let v4 = v4.get(&node.name).and_then(|id| if let IpAddr::V4(id) = id { Some(*id) } else { None });
        let v6 = v6.get(&node.name).and_then(|id| if let IpAddr::V6(id) = id { Some(*id) } else { None });
        let Some(net) = v4.map(Net::of_v4).or_else(|| v6.map(Net::of_v6)) else { continue };
        if let Some(other) = by_net.insert(net.clone(), &node.name) {
            return Err(AddressError::NetTwice { net, nodes: [other.clone(), node.name.clone()] });
        }
        addresses.insert(node.name.clone(), NodeAddress { v4, v6, net });
    }
    Ok(Addresses(addresses))
}

/// One family's router IDs for nodes sorted by name; empty without a prefix.
fn family(
    prefix: Option<IpNet>,
    nodes: &[&Node],
    fixed: impl Fn(&Node) -> Option<IpAddr>,
) -> Result<BTreeMap<NodeName, IpAddr>, AddressError> {
    let Some(prefix) = prefix.map(|prefix| prefix.trunc()) else {
        let stray = nodes.iter().find_map(|node| Some((node.name.clone(), fixed(node)?)));
        return stray
            .map_or_else(|| Ok(BTreeMap::new()), |(node, id)| Err(AddressError::NoSuchFamily { node, id }));
    };
    let mut taken: BTreeMap<IpAddr, NodeName> = BTreeMap::new();
    for node in nodes {
        let Some(id) = fixed(node) else { continue };
        if !usable(prefix, id) {
            return Err(AddressError::NotInPrefix { node: node.name.clone(), id, prefix });
        }
        if let Some(other) = taken.insert(id, node.name.clone()) {
            return Err(AddressError::Twice { id, nodes: [other, node.name.clone()] });
        }
    }
    let mut waiting = Vec::new();
    for node in nodes.iter().filter(|node| fixed(node).is_none()) {
        match alike(prefix, node.address).filter(|id| !taken.contains_key(id)) {
            Some(id) => {
                taken.insert(id, node.name.clone());
            }
            None => waiting.push(&node.name),
        }
    }
    let mut free = in_order(prefix);
    for node in waiting {
        let Some(id) = free.find(|id| !taken.contains_key(id)) else {
            let room = room(prefix);
            return Err(AddressError::PrefixFull { prefix, node: node.clone(), room, nodes: nodes.len() });
        };
        taken.insert(id, node.clone());
    }
    Ok(taken.into_iter().map(|(id, node)| (node, id)).into_map())
}

/// The address of the prefix with the host part of a management address, where it fits.
///
/// To an IPv4 prefix: as many of the last octets as the host part has room for, at least one. To
/// an IPv6 prefix: the last octet as it reads in decimal (`.12` gives `::12`), or the last 16 bits
/// of an IPv6 management address.
fn alike(prefix: IpNet, management: IpAddr) -> Option<IpAddr> {
    match (prefix, management) {
        (IpNet::V4(prefix), IpAddr::V4(address)) => {
            let bits = u32::from(32 - prefix.prefix_len());
            (1..=bits.div_ceil(8).max(1)).rev().find_map(|octets| {
                let host = u64::from(u32::from(address)) % (1_u64 << (8 * octets));
                host_v4(prefix, u128::from(host))
            })
        }
        (IpNet::V4(prefix), IpAddr::V6(address)) => {
            let [.., last] = address.segments();
            host_v4(prefix, format!("{last:x}").parse().ok()?)
        }
        (IpNet::V6(prefix), IpAddr::V4(address)) => {
            let [.., last] = address.octets();
            host_v6(prefix, readable(u128::from(last))?)
        }
        (IpNet::V6(prefix), IpAddr::V6(address)) => {
            let [.., last] = address.segments();
            host_v6(prefix, u128::from(last))
        }
    }
}

fn host_v4(prefix: Ipv4Net, host: u128) -> Option<IpAddr> {
    let size = 1_u128 << (32 - prefix.prefix_len());
    let id = u32::try_from(host).ok().filter(|_| host < size)?;
    let id = IpAddr::V4(Ipv4Addr::from(u32::from(prefix.network()) | id));
    usable(IpNet::V4(prefix), id).then_some(id)
}

fn host_v6(prefix: Ipv6Net, host: u128) -> Option<IpAddr> {
    let fits = prefix.prefix_len() == 0 || host < 1 << (128 - prefix.prefix_len());
    let id = IpAddr::V6(Ipv6Addr::from(u128::from(prefix.network()) | host));
    (fits && usable(IpNet::V6(prefix), id)).then_some(id)
}

/// A number up to 9999 whose hexadecimal digits read as the given one's decimal digits.
fn readable(number: u128) -> Option<u128> {
    u128::from_str_radix(&number.to_string(), 16).ok().filter(|_| number <= 9999)
}

/// Whether a node may have this address: inside, and neither network nor broadcast address (a
/// prefix of one or two addresses has neither).
fn usable(prefix: IpNet, id: IpAddr) -> bool {
    let whole = prefix.max_prefix_len() - prefix.prefix_len() < 2;
    let broadcast = prefix.addr().is_ipv4() && id == prefix.broadcast();
    prefix.contains(&id) && (whole || (id != prefix.network() && !broadcast))
}

/// How many router IDs a prefix holds.
fn room(prefix: IpNet) -> u128 {
    let bits = u32::from(prefix.max_prefix_len() - prefix.prefix_len());
    let all = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
    match (bits, prefix) {
        (0 | 1, _) => all,
        (_, IpNet::V4(_)) => all - 2,
        (_, IpNet::V6(_)) => all - 1,
    }
}

/// All usable addresses in the order they are given out: ascending; in IPv6 first those that read
/// as decimal numbers (`::1` … `::9`, `::10`).
fn in_order(prefix: IpNet) -> Box<dyn Iterator<Item = IpAddr>> {
    match prefix {
        IpNet::V4(prefix) => Box::new(prefix.hosts().map(IpAddr::V4)),
        IpNet::V6(prefix) => {
            let read = (1..=9999).filter_map(readable).filter_map(move |host| host_v6(prefix, host));
            let all = prefix.hosts().map(IpAddr::V6);
            Box::new(read.chain(all.filter(move |&id| usable(IpNet::V6(prefix), id))))
        }
    }
}
