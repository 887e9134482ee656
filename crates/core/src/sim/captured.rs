//! A simulated cluster from the facts of a real one: what was seen is taken for all there is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cables, Cluster, Node, Socket, stanza};
use crate::bind::bind;
use crate::facts::{Fleet, Known};
use crate::into_set::IntoSet;
use crate::name::{NodeName, PortName};
use crate::resource::reload::FRR_CONF;
use crate::spec::{Spec, Transport};

/// Nodes as they said they are, with the cables the spec and the facts tell of.
pub fn captured(spec: &Spec, fleet: &Fleet) -> Cluster {
    let thunderbolt = spec.fabric.transport == Transport::Thunderbolt;
    let binding = bind(spec, fleet);
    let socket = |(node, port): &(NodeName, PortName)| {
        let bound = binding.ports.get(node)?.iter().find(|p| p.name == *port)?;
        let place = if thunderbolt { bound.pci.clone()? } else { port.to_string() };
        Some(Socket { node: node.clone(), place })
    };
    let cables: Cables =
        binding.cables.iter().filter_map(|cable| Some((socket(&cable.a)?, socket(&cable.b)?))).collect();
    let sockets: BTreeSet<Socket> = cables.iter().flat_map(|(a, b)| [a.clone(), b.clone()]).into_set();
    let ceph = fleet.nodes.values().find_map(|f| f.state.ceph_cluster.yes().cloned());
    let nodes = fleet.nodes.iter().map(|(name, facts)| {
        let mut node = Node::new(facts.clone());
        node.loaded = node.facts.text(FRR_CONF).filter(|_| node.frr_active()).unwrap_or("").to_owned();
        stanza::assume(&mut node);
        let wish = spec.nodes.iter().find(|n| n.name == *name);
        (name.clone(), node.managed(wish.map(|n| n.address)))
    });
    let mut cluster = Cluster {
        nodes: nodes.collect(),
        cables,
        sockets,
        off: spec.nodes.iter().map(|n| n.name.clone()).filter(|n| !fleet.nodes.contains_key(n)).collect(),
        thunderbolt,
        ceph: ceph.unwrap_or_default(),
        clock: 0,
        long: BTreeMap::new(),
    };
    cluster.wake();
    cluster
}

impl Cluster {
    /// Facts in which FRR was not read are taken for "it runs with what its file says".
    fn wake(&mut self) {
        for node in self.nodes.values_mut() {
            if matches!(node.facts.state.frr, Known::No(_)) && node.frr_active() {
                node.start_frr();
            }
        }
    }
}
