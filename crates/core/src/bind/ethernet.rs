//! Ethernet: ports are interfaces that exist, cables are declared, or told by the fabric's own
//! adjacencies once it is up.

use std::collections::{BTreeMap, BTreeSet};

use super::{Binding, BoundPort, Cable};
use crate::facts::{Facts, Fleet};
use crate::into_set::IntoSet;
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::spec::{Node, Spec, Transport};

pub(super) fn bind(spec: &Spec, fleet: &Fleet, binding: &mut Binding) {
    let mut named: BTreeMap<&NodeName, BTreeSet<&PortName>> = BTreeMap::new();
    for end in spec.links.iter().flat_map(|l| &l.ends) {
        named.entry(&end.node).or_default().extend(&end.port);
    }
    for node in &spec.nodes {
        let Some(facts) = fleet.nodes.get(&node.name) else { continue };
        let given = node.ports.clone();
        let linked = || named.get(&node.name).into_iter().flatten().map(|p| (*p).clone()).collect();
        let ports = given
            .unwrap_or_else(linked)
            .into_iter()
            .map(|name| {
                let interface =
                    facts.inventory.interfaces.contains_key(name.as_str()).then(|| name.to_string());
                if interface.is_none() {
                    binding.obstacles.push(absent(node, &name, facts));
                }
                BoundPort { name, pci: None, interface, peer: None, known: None, speed: None }
            })
            .collect();
        binding.ports.insert(node.name.clone(), ports);
    }
    if spec.fabric.transport == Transport::Switch {
        return;
    }
    let cables = if spec.links.is_empty() { learnt(spec, fleet) } else { declared(spec) };
    for cable in &cables {
        for (near, far) in [(&cable.a, &cable.b), (&cable.b, &cable.a)] {
            if let Some(port) =
                binding.ports.get_mut(&near.0).and_then(|ports| ports.iter_mut().find(|p| p.name == near.1))
            {
                port.peer = Some(far.clone());
            }
        }
    }
    binding.cables = cables;
}

fn declared(spec: &Spec) -> BTreeSet<Cable> {
    spec.links
        .iter()
        .filter_map(|link| {
            let [a, b] = &link.ends;
            Some(Cable::new((a.node.clone(), a.port.clone()?), (b.node.clone(), b.port.clone()?)))
        })
        .into_set()
}

/// Cables as the adjacencies of a running fabric show them: host on a port, and back.
fn learnt(spec: &Spec, fleet: &Fleet) -> BTreeSet<Cable> {
    let mut cables = BTreeSet::new();
    let ups = |node: &NodeName| -> Vec<(PortName, String)> {
        let frr = fleet.nodes.get(node).and_then(|f| f.state.frr.yes());
        frr.into_iter()
            .flat_map(|f| &f.neighbors)
            .filter(|n| n.state == "Up" && n.fabric == spec.fabric.id.as_str())
            .filter_map(|n| Some((PortName::new(&n.interface).ok()?, n.host.clone())))
            .collect()
    };
    for node in &spec.nodes {
        for (port, host) in ups(&node.name) {
            let Ok(far) = NodeName::new(&host) else { continue };
            let back: Vec<PortName> =
                ups(&far).into_iter().filter(|(_, h)| h == node.name.as_str()).map(|(p, _)| p).collect();
            // Two cables between one pair cannot be told apart this way: leave them open.
            if let [only] = back.as_slice() {
                cables.insert(Cable::new((node.name.clone(), port), (far, only.clone())));
            }
        }
    }
    cables
}

fn absent(node: &Node, name: &PortName, facts: &Facts) -> Obstacle {
    let have: Vec<&str> = facts
        .inventory
        .interfaces
        .iter()
        .filter(|(n, i)| {
            i.link_type == "ether" && i.kind.as_deref() != Some("bridge") && !n.starts_with("dummy")
        })
        .map(|(n, _)| n.as_str())
        .collect();
    Obstacle {
        code: "RB0505".into(),
        node: Some(node.name.clone()),
        message: format!("has no interface {name}"),
        evidence: format!("it has: {}", have.join(", ")),
        cure: "correct the port's name in the spec (`ringbolt discover` lists what there is)".into(),
    }
}
