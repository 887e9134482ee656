//! What follows from all nodes and cables together: carrier, connected routes, adjacencies, BFD
//! sessions and the routes OpenFabric makes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use ipnet::IpNet;

use super::frr_conf::{self, Circuit, Conf};
use super::{Cluster, Node, Socket};
use crate::arrange::Arrange;
use crate::facts::frr::{BfdPeer, FabricRoute, Neighbor};
use crate::facts::network::{KernelRoute, Nexthop};
use crate::facts::{Frr, Known};
use crate::into_set::IntoSet;
use crate::name::NodeName;

/// One direction of a cable whose both ends are there.
pub(super) struct Way {
    pub(super) from: NodeName,
    pub(super) port: String,
    pub(super) to: NodeName,
    pub(super) far: String,
}

/// Above this many nodes no routes are worked out: all pairs would be too many. Neighbours are.
const ROUTES_UP_TO: usize = crate::topology::ALL_PAIRS_LIMIT;

impl Cluster {
    /// Works out everything that is live.
    pub fn settle(&mut self) {
        let all = self.nodes.keys().cloned().collect();
        let ways: Vec<Way> = self.cables.iter().flat_map(|cable| self.ways_over(cable)).collect();
        self.settle_some(&all, &ways);
    }

    /// What follows from a change on one node: in a big fleet it and its neighbours are looked at,
    /// in others everything.
    pub(super) fn settle_near(&mut self, name: &NodeName) {
        if self.nodes.len() <= ROUTES_UP_TO {
            return self.settle();
        }
        let ends = self.cables.of(name).flat_map(|(a, b)| [a.node.clone(), b.node.clone()]);
        let near: BTreeSet<NodeName> = ends.chain([name.clone()]).into_set();
        let ways: Vec<Way> = near.iter().flat_map(|node| self.ways_of(node)).collect();
        self.settle_some(&near, &ways);
    }

    /// Works out what is live on some nodes, from all ways that begin or end there.
    fn settle_some(&mut self, names: &BTreeSet<NodeName>, ways: &[Way]) {
        self.carrier(names, ways);
        for name in names {
            if let Some(node) = self.nodes.get_mut(name) {
                node.connected();
            }
        }
        let ends: BTreeSet<&NodeName> = ways.iter().map(|w| &w.from).chain(names).into_set();
        let confs: BTreeMap<NodeName, Conf> = ends
            .into_iter()
            .filter_map(|name| Some((name, self.nodes.get(name).filter(|n| n.runs("fabricd"))?)))
            .map(|(name, node)| (name.clone(), frr_conf::read(node.loaded())))
            .collect();
        let mut live: BTreeMap<NodeName, Frr> = names.iter().map(|n| (n.clone(), Frr::default())).collect();
        for way in ways.iter().filter(|w| names.contains(&w.from)) {
            let adjacent = self.adjacency(&confs, way);
            if let (Some((neighbor, sessions)), Some(frr)) = (adjacent, live.get_mut(&way.from)) {
                frr.neighbors.push(neighbor);
                frr.bfd.extend(sessions);
            }
        }
        if self.nodes.len() <= ROUTES_UP_TO {
            self.fabric_routes(&confs, &mut live);
        }
        for (name, frr) in live {
            if let Some(node) = self.nodes.get_mut(&name) {
                node.tell(frr);
            }
        }
    }

    /// Both directions of every cable that ends on a node.
    pub(super) fn ways_of(&self, node: &NodeName) -> Vec<Way> {
        self.cables.of(node).flat_map(|cable| self.ways_over(cable)).collect()
    }

    fn ways_over(&self, (a, b): &(Socket, Socket)) -> Vec<Way> {
        let port = |end: &Socket| {
            let node = self.nodes.get(&end.node).filter(|_| !self.off.contains(&end.node))?;
            node.at(&end.place, self.thunderbolt)
        };
        let (Some(near), Some(far)) = (port(a), port(b)) else { return Vec::new() };
        let way = |from: &Socket, port: &str, to: &Socket, far: &str| Way {
            from: from.node.clone(),
            port: port.to_owned(),
            to: to.node.clone(),
            far: far.to_owned(),
        };
        vec![way(a, &near, b, &far), way(b, &far, a, &near)]
    }

    /// Ports at a place where nothing leads anywhere.
    fn dark(&self, names: &BTreeSet<NodeName>, ways: &[Way]) -> Vec<(NodeName, String)> {
        let lit = |w: &&Way| self.up(&w.from, &w.port) && self.up(&w.to, &w.far);
        let dark = ways.iter().filter(|w| names.contains(&w.from) && !lit(w));
        let mut dark: Vec<_> = dark.map(|w| (w.from.clone(), w.port.clone())).collect();
        // The far end has no power, or the cable is out: the port is there with Ethernet, and dark.
        let cards = |n: &NodeName| self.nodes.get(n).map(|node| node.facts.inventory.interfaces.iter());
        for name in names.iter().filter(|_| !self.thunderbolt && !self.sockets.is_empty()) {
            let used: BTreeSet<&str> =
                ways.iter().filter(|w| w.from == *name).map(|w| w.port.as_str()).into_set();
            let ports = cards(name).into_iter().flatten().map(|(port, _)| port);
            let bare = ports.filter(|p| {
                !used.contains(p.as_str())
                    && self.sockets.contains(&Socket { node: name.clone(), place: (*p).clone() })
            });
            dark.extend(bare.map(|port| (name.clone(), port.clone())));
        }
        dark
    }

    pub(super) fn up(&self, node: &NodeName, port: &str) -> bool {
        self.nodes.get(node).and_then(|n| n.facts.inventory.interfaces.get(port)).is_some_and(|i| i.up)
    }

    fn carrier(&mut self, names: &BTreeSet<NodeName>, ways: &[Way]) {
        let dark = self.dark(names, ways);
        for name in names {
            let interfaces = self.nodes.get_mut(name).map(|n| n.facts.inventory.interfaces.values_mut());
            interfaces.into_iter().flatten().for_each(|i| i.carrier = i.up);
        }
        for (name, port) in dark {
            if let Some(interface) =
                self.nodes.get_mut(&name).and_then(|n| n.facts.inventory.interfaces.get_mut(&port))
            {
                interface.carrier = false;
            }
        }
    }

    /// The adjacency over one direction of a cable, with its BFD sessions.
    fn adjacency(&self, confs: &BTreeMap<NodeName, Conf>, way: &Way) -> Option<(Neighbor, Vec<BfdPeer>)> {
        let near = circuit(confs, &way.from, &way.port)?;
        let far = circuit(confs, &way.to, &way.far)?;
        let here = self.nodes.get(&way.from)?;
        let there = self.nodes.get(&way.to)?;
        let (i, j) = (
            here.facts.inventory.interfaces.get(&way.port)?,
            there.facts.inventory.interfaces.get(&way.far)?,
        );
        if !(i.carrier && j.carrier && i.mtu == j.mtu && near.fabric == far.fabric) {
            return None;
        }
        let peers: Vec<IpAddr> =
            j.addresses.iter().map(IpNet::addr).filter(|a| near.v4 && a.is_ipv4() || near.v6).collect();
        // An IPv4 circuit needs an address of the neighbour to go to.
        if near.v4 && !peers.iter().any(IpAddr::is_ipv4) {
            return None;
        }
        let neighbor = Neighbor {
            fabric: near.fabric.clone(),
            interface: way.port.clone(),
            host: there.facts.hostname.clone(),
            state: "Up".into(),
            since: "1m0s".into(),
        };
        let both = far.bfd && there.runs("bfdd");
        let peer = peers.first().copied().unwrap_or(IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1_u16]));
        let session =
            BfdPeer { peer, interface: way.port.clone(), status: if both { "up" } else { "down" }.into() };
        Some((neighbor, if near.bfd && here.runs("bfdd") { vec![session] } else { Vec::new() }))
    }

    fn fabric_routes(&self, confs: &BTreeMap<NodeName, Conf>, live: &mut BTreeMap<NodeName, Frr>) {
        let homes: BTreeMap<&NodeName, Vec<IpNet>> =
            confs.iter().map(|(n, c)| (n, self.homes(n, c))).collect();
        let near: BTreeMap<NodeName, Vec<(String, NodeName)>> = live
            .iter()
            .map(|(name, frr)| {
                let to = |n: &Neighbor| Some((n.interface.clone(), NodeName::new(&n.host).ok()?));
                (name.clone(), frr.neighbors.iter().filter_map(to).collect())
            })
            .collect();
        for (name, frr) in live.iter_mut() {
            for (to, (hops, ports)) in paths(name, &near) {
                for home in homes.get(&to).into_iter().flatten() {
                    frr.routes.push(FabricRoute {
                        to: *home,
                        metric: 10 * hops + 10,
                        installed: true,
                        interfaces: ports.clone(),
                    });
                }
            }
        }
    }

    /// Router IDs a node announces: the addresses of its passive interfaces.
    fn homes(&self, node: &NodeName, conf: &Conf) -> Vec<IpNet> {
        let Some(node) = self.nodes.get(node) else { return Vec::new() };
        conf.interfaces
            .iter()
            .filter(|(_, c)| c.passive && conf.routers.contains(&c.fabric))
            .filter_map(|(name, _)| node.facts.inventory.interfaces.get(name))
            .flat_map(|i| i.addresses.clone())
            .filter(|a| !super::stanza::link_local(a))
            .collect()
    }
}

fn circuit<'c>(confs: &'c BTreeMap<NodeName, Conf>, node: &NodeName, port: &str) -> Option<&'c Circuit> {
    let conf = confs.get(node)?;
    conf.interfaces.get(port).filter(|c| !c.passive && conf.routers.contains(&c.fabric))
}

/// Hops to every node over adjacencies, and the ports shortest paths leave by.
fn paths(
    from: &NodeName,
    near: &BTreeMap<NodeName, Vec<(String, NodeName)>>,
) -> BTreeMap<NodeName, (u32, Vec<String>)> {
    let mut found: BTreeMap<NodeName, (u32, Vec<String>)> = BTreeMap::new();
    let mut queue = VecDeque::from([(from.clone(), 0, Vec::new())]);
    while let Some((at, hops, _)) = queue.pop_front() {
        let ports_here = found.get(&at).map(|(_, ports)| ports.clone()).unwrap_or_default();
        for (port, next) in near.get(&at).into_iter().flatten().filter(|(_, next)| next != from) {
            let ports = if at == *from { vec![port.clone()] } else { ports_here.clone() };
            match found.get_mut(next) {
                None => {
                    found.insert(next.clone(), (hops + 1, ports));
                    queue.push_back((next.clone(), hops + 1, Vec::<String>::new()));
                }
                Some((best, known)) if *best == hops + 1 => {
                    known.extend(ports);
                    known.arrange();
                    known.dedup();
                }
                Some(_) => {}
            }
        }
    }
    found
}

impl Node {
    /// Routes the kernel makes of addresses, and which routes lead nowhere just now.
    fn connected(&mut self) {
        let interfaces = &self.facts.inventory.interfaces;
        let routes = &mut self.facts.state.routes;
        let follows = |r: &KernelRoute| r.via.iter().all(|v| v.gateway.is_none());
        routes.retain(|r| r.protocol != "openfabric" && !(r.protocol == "kernel" && follows(r)));
        for (name, interface) in interfaces.iter().filter(|(name, i)| i.up && *name != "lo") {
            for address in interface.addresses.iter().filter(|a| a.prefix_len() < a.max_prefix_len()) {
                routes.push(KernelRoute {
                    to: address.trunc(),
                    via: vec![Nexthop { gateway: None, interface: name.clone(), dead: false }],
                    protocol: "kernel".into(),
                    metric: if address.addr().is_ipv4() { 0 } else { 256 },
                    source: Some(address.addr()).filter(IpAddr::is_ipv4),
                });
            }
        }
        for via in routes.iter_mut().flat_map(|r| &mut r.via) {
            via.dead = !interfaces.get(&via.interface).is_some_and(|i| i.up && i.carrier);
        }
    }

    /// What FRR now says, and the routes it has put into the kernel.
    fn tell(&mut self, live: Frr) {
        if !self.frr_active() {
            self.facts.state.frr = Known::No("FRR is not running".into());
            return;
        }
        let daemons = self.facts.state.frr.yes().map(|f| f.daemons.clone()).unwrap_or_default();
        let dummies = self.facts.inventory.interfaces.iter().filter(|(name, _)| name.starts_with("dummy_"));
        let own: Vec<IpAddr> = dummies.flat_map(|(_, i)| i.addresses.iter().map(IpNet::addr)).collect();
        for route in &live.routes {
            let via = route
                .interfaces
                .iter()
                .map(|port| Nexthop { gateway: Some(route.to.addr()), interface: port.clone(), dead: false })
                .collect();
            self.facts.state.routes.push(KernelRoute {
                to: route.to,
                via,
                protocol: "openfabric".into(),
                metric: 20,
                source: own.iter().find(|a| a.is_ipv4() == route.to.addr().is_ipv4()).copied(),
            });
        }
        self.facts.state.frr = Known::Yes(Frr { daemons, ..live });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Policy;
    use crate::sim::{Frr, Options, fresh, spec};
    use crate::spec::Transport;
    use crate::step::Phase;
    use crate::survey::Survey;

    #[test]
    fn in_a_big_fleet_a_look_at_the_neighbours_is_enough() {
        let topology = crate::topology::generate::ring(ROUTES_UP_TO + 1);
        let options = Options { frr: Frr::Installed, ..Options::default() };
        let mut cluster = fresh(&topology, Transport::Thunderbolt, &options);
        cluster.settle();
        let wish = spec(&topology, Transport::Thunderbolt);
        let survey = Survey::new(wish, cluster.fleet(), Vec::new()).expect("addresses for all");
        let plan = survey.plan(&Policy::default());
        let few: BTreeSet<NodeName> = topology.nodes().iter().take(4).cloned().collect();
        let mut steps = 0;
        for phase in [Phase::Prepare, Phase::Ports, Phase::Fabric] {
            let here =
                |s: &&crate::step::Step| s.phase == phase && s.node.as_ref().is_some_and(|n| few.contains(n));
            for step in plan.deeds().filter(here) {
                let (Some(node), Some(action)) = (&step.node, &step.action) else { continue };
                cluster.perform(node, action, step.expect.as_deref()).expect("it can be done");
                steps += 1;
            }
            let near = cluster.clone();
            cluster.settle();
            assert!(near == cluster, "{phase:?}: looking everywhere shows something else");
        }
        assert!(steps > 40, "{steps} steps");
        let heard =
            |name: &NodeName| cluster.nodes[name].facts.state.frr.yes().map_or(0, |f| f.neighbors.len());
        // The first four have their ports in the fabric; the two in the middle hear both sides.
        assert_eq!(few.iter().map(heard).sum::<usize>(), 6);
    }
}
