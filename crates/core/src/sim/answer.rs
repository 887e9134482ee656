//! What a simulated node answers to questions: its facts, as far as it was asked, and echo requests
//! sent along the routes of the moment.

use std::net::IpAddr;

use super::Cluster;
use crate::facts::{Disks, Facts, KernelRoute, Question, not_asked};
use crate::name::NodeName;
use crate::ping::{Ping, Pinged, Reply};
use crate::wire::Failure;

/// Where packets give up.
const TTL: u8 = 64;

impl Cluster {
    /// What a node reports when it is asked this.
    pub fn facts(&self, name: &NodeName, question: &Question) -> Result<Facts, Failure> {
        let node = self.nodes.get(name).filter(|_| !self.off.contains(name));
        let node = node.ok_or_else(|| Failure::lost(format!("{name} does not answer")))?;
        let mut facts = node.facts.clone();
        // Facts of a rehearsal may be the beginning of another one.
        if !facts.realm.stand_ins.iter().any(|s| s == super::MARK) {
            facts.realm.stand_ins.push(super::MARK.to_owned());
        }
        facts.inventory.packages.retain(|name, _| question.packages.contains(name));
        facts.state.files.retain(|path, _| question.files.iter().any(|asked| fits(asked, path)));
        facts.state.units.retain(|unit, _| question.units.contains(unit));
        facts.state.sysctl.retain(|key, _| question.sysctl.contains(key));
        facts.state.modules.retain(|module| question.modules.contains(module));
        if question.disks == Disks::No {
            facts.inventory.disks = not_asked();
        }
        if !question.guests {
            facts.state.guests = not_asked();
        }
        if !question.ceph {
            facts.state.ceph = not_asked();
        }
        if !question.ceph_cluster {
            facts.state.ceph_cluster = not_asked();
        }
        Ok(facts)
    }

    /// Sends echo requests; all come back, or none.
    pub fn ping(&self, from: &NodeName, ping: &Ping) -> Pinged {
        let count = ping.count.clamp(1, 1000);
        let header = if ping.to.is_ipv4() { 28 } else { 48 };
        let size = if ping.whole { ping.size + header } else { 0 };
        let there = self.walk(from, ping.to, ping.interface.as_deref(), size);
        // The answer is as long as the question, and needs a way of its own.
        let back = there.as_ref().and_then(|(to, _)| {
            let own = self.source(from, ping)?;
            if own == ping.to { Some(0) } else { self.walk(to, own, None, size).map(|(_, hops)| hops) }
        });
        let Some((hops, back)) = there.map(|(_, hops)| hops).zip(back) else {
            return Pinged { sent: count, ..Pinged::default() };
        };
        let one = |seq: u32| Reply {
            seq,
            at: f64::from(seq) * f64::from(ping.interval_ms) / 1000.0,
            ms: 0.05 * f64::from(u32::from(hops) + u32::from(back)),
            ttl: TTL.saturating_sub(back.saturating_sub(1)),
        };
        Pinged { sent: count, replies: (1..=count).map(one).collect(), error: None }
    }

    /// The address a node answers to when it asks by this ping.
    fn source(&self, from: &NodeName, ping: &Ping) -> Option<IpAddr> {
        let facts = &self.nodes.get(from)?.facts;
        let same = |a: &IpAddr| a.is_ipv4() == ping.to.is_ipv4() && !a.is_loopback();
        let route = route_to(facts, ping.to).and_then(|r| r.source).filter(same);
        let of = |name: &str| {
            let addresses = facts.inventory.interfaces.get(name)?.addresses.iter();
            addresses.map(ipnet::IpNet::addr).find(|a| same(a) && !link_local(a))
        };
        let fabric = facts.inventory.interfaces.keys().filter(|n| n.starts_with("dummy_") || *n == "lo");
        route
            .or_else(|| ping.interface.as_deref().and_then(of))
            .or_else(|| fabric.filter_map(|n| of(n)).next())
    }

    /// Goes along the routes; the node that has the address, and how many cables there were.
    fn walk(&self, from: &NodeName, to: IpAddr, first: Option<&str>, size: u32) -> Option<(NodeName, u8)> {
        let mut at = from.clone();
        for hops in 0..TTL {
            let facts = &self.nodes.get(&at).filter(|_| !self.off.contains(&at))?.facts;
            let mut own = facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
            if own.any(|a| a.addr() == to) {
                return Some((at, hops));
            }
            let port = match first.filter(|_| hops == 0) {
                Some(port) => port.to_owned(),
                None => route_to(facts, to)?.via.iter().find(|v| !v.dead)?.interface.clone(),
            };
            let interface = facts.inventory.interfaces.get(&port)?;
            if !interface.carrier || interface.mtu < size {
                return None;
            }
            at = self.beyond(&at, &port, to)?;
        }
        None
    }

    /// Who is at the other end of a port; through the switch whoever has the address.
    fn beyond(&self, node: &NodeName, port: &str, to: IpAddr) -> Option<NodeName> {
        let way = self.ways_of(node).into_iter().find(|w| w.from == *node && w.port == port);
        if let Some(way) = way {
            return self.up(&way.to, &way.far).then_some(way.to);
        }
        if !self.cables.is_empty() {
            return None;
        }
        let has = |facts: &Facts| {
            facts.inventory.interfaces.values().any(|i| i.up && i.addresses.iter().any(|a| a.addr() == to))
        };
        self.nodes
            .iter()
            .find(|(name, n)| !self.off.contains(*name) && has(&n.facts))
            .map(|(name, _)| name.clone())
    }
}

fn link_local(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.is_unicast_link_local())
}

/// The longest match of the main table, the lowest metric of equals.
fn route_to(facts: &Facts, to: IpAddr) -> Option<&KernelRoute> {
    let alive = |r: &&KernelRoute| r.to.contains(&to) && r.via.iter().any(|v| !v.dead);
    facts.state.routes.iter().filter(alive).min_by_key(|r| (u8::MAX - r.to.prefix_len(), r.metric))
}

/// Whether a path is asked for by a path or by a folder and a pattern with one `*`.
fn fits(asked: &str, path: &str) -> bool {
    match asked.split_once('*') {
        None => asked == path,
        Some((head, tail)) => path
            .strip_prefix(head)
            .and_then(|rest| rest.strip_suffix(tail))
            .is_some_and(|middle| !middle.contains('/')),
    }
}
