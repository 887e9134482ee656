//! What follows from all nodes and cables together: carrier, connected routes, adjacencies, BFD
//! sessions and the routes OpenFabric makes.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use ipnet::IpNet;

use super::frr_conf::{self, Circuit, Conf};
use super::{Cluster, Node, Socket};
use crate::facts::frr::{BfdPeer, FabricRoute, Neighbor};
use crate::facts::network::{KernelRoute, Nexthop};
use crate::facts::{Frr, Known};
use crate::name::NodeName;

/// One direction of a cable whose both ends are there.
struct Way {
    from: NodeName,
    port: String,
    to: NodeName,
    far: String,
}

impl Cluster {
    /// Works out everything that is live.
    pub fn settle(&mut self) {
        let ways = self.ways();
        self.carrier(&ways);
        for node in self.nodes.values_mut() {
            node.connected();
        }
        let confs: BTreeMap<NodeName, Conf> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.runs("fabricd"))
            .map(|(name, node)| (name.clone(), frr_conf::read(node.loaded())))
            .collect();
        let mut live: BTreeMap<NodeName, Frr> =
            self.nodes.keys().map(|n| (n.clone(), Frr::default())).collect();
        for way in &ways {
            let adjacent = self.adjacency(&confs, way);
            if let (Some((neighbor, sessions)), Some(frr)) = (adjacent, live.get_mut(&way.from)) {
                frr.neighbors.push(neighbor);
                frr.bfd.extend(sessions);
            }
        }
        self.fabric_routes(&confs, &mut live);
        for (name, frr) in live {
            if let Some(node) = self.nodes.get_mut(&name) {
                node.tell(frr);
            }
        }
    }

    fn ways(&self) -> Vec<Way> {
        let port = |end: &Socket| self.nodes.get(&end.node)?.at(&end.place, self.thunderbolt);
        let mut ways = Vec::new();
        for (a, b) in &self.cables {
            let (Some(near), Some(far)) = (port(a), port(b)) else { continue };
            let way = |from: &Socket, port: &str, to: &Socket, far: &str| Way {
                from: from.node.clone(),
                port: port.to_owned(),
                to: to.node.clone(),
                far: far.to_owned(),
            };
            ways.push(way(a, &near, b, &far));
            ways.push(way(b, &far, a, &near));
        }
        ways
    }

    fn up(&self, node: &NodeName, port: &str) -> bool {
        self.nodes.get(node).and_then(|n| n.facts.inventory.interfaces.get(port)).is_some_and(|i| i.up)
    }

    fn carrier(&mut self, ways: &[Way]) {
        let lit: Vec<(NodeName, String)> = ways
            .iter()
            .filter(|w| self.up(&w.from, &w.port) && self.up(&w.to, &w.far))
            .map(|w| (w.from.clone(), w.port.clone()))
            .collect();
        for node in self.nodes.values_mut() {
            for interface in node.facts.inventory.interfaces.values_mut() {
                interface.carrier = interface.up;
            }
        }
        for way in ways.iter().filter(|w| !lit.contains(&(w.from.clone(), w.port.clone()))) {
            if let Some(interface) =
                self.nodes.get_mut(&way.from).and_then(|n| n.facts.inventory.interfaces.get_mut(&way.port))
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
                    known.sort();
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
        routes.retain(|r| r.protocol != "kernel" && r.protocol != "openfabric");
        for (name, interface) in interfaces.iter().filter(|(_, i)| i.up) {
            for address in interface.addresses.iter().filter(|a| a.prefix_len() < a.max_prefix_len()) {
                routes.push(KernelRoute {
                    to: address.trunc(),
                    via: vec![Nexthop { gateway: None, interface: name.clone(), dead: false }],
                    protocol: "kernel".into(),
                    metric: 0,
                    source: Some(address.addr()),
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
            self.facts.state.frr = Known::No("FRR does not run".into());
            return;
        }
        let daemons = self.facts.state.frr.yes().map(|f| f.daemons.clone()).unwrap_or_default();
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
                source: None,
            });
        }
        self.facts.state.frr = Known::Yes(Frr { daemons, ..live });
    }
}
