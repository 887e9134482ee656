//! Thunderbolt: ports are controllers, cables are pairs of UUIDs that name each other.
//!
//! The peer's UUID decides who is cabled to whom; its announced host name is only a cross-check,
//! because the kernel latches it at the first contact (see `ringbolt explain RB0521`).

use std::collections::{BTreeMap, BTreeSet};

use super::{Binding, BoundPort, Cable, interface_at, port_name};
use crate::arrange::Arrange;
use crate::facts::thunderbolt::{Peer, Thunderbolt};
use crate::facts::{Facts, Fleet, Known};
use crate::into_set::IntoSet;
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::spec::{Node, Spec};

/// Whose controller a UUID is.
struct Owner<'f> {
    place: (NodeName, PortName),
    hostname: &'f str,
}

pub(super) fn bind(spec: &Spec, fleet: &Fleet, binding: &mut Binding) {
    let unheard = spec.nodes.iter().map(|n| &n.name).filter(|n| !fleet.nodes.contains_key(*n));
    let quiet: BTreeSet<&str> = unheard.map(NodeName::as_str).into_set();
    let mut owners: BTreeMap<&str, Owner<'_>> = BTreeMap::new();
    for node in &spec.nodes {
        let Some(facts) = fleet.nodes.get(&node.name) else { continue };
        let Some(thunderbolt) = usable(node, facts, binding) else { continue };
        let ports = ports(node, facts, thunderbolt, binding);
        for (port, uuid) in &ports {
            let place = (node.name.clone(), port.name.clone());
            owners.insert(uuid, Owner { place, hostname: &facts.hostname });
        }
        binding.ports.insert(node.name.clone(), ports.into_iter().map(|(port, _)| port).collect());
    }
    let mut cables = Vec::new();
    for node in &spec.nodes {
        let Some(Known::Yes(thunderbolt)) = fleet.nodes.get(&node.name).map(|f| &f.inventory.thunderbolt)
        else {
            continue;
        };
        let Some(ports) = binding.ports.get_mut(&node.name) else { continue };
        for peer in &thunderbolt.peers {
            let owner = owners.get(peer.uuid.as_str());
            let Some(near) = ports.iter_mut().find(|p| p.pci.as_deref() == Some(peer.pci.as_str())) else {
                continue;
            };
            // A node of the spec that says nothing just now is no stranger.
            match owner.filter(|owner| owner.place.0 != node.name) {
                Some(far) => {
                    binding.notes.extend(old_name(node, near, peer, far));
                    near.peer = Some(far.place.clone());
                    cables.push(Cable::new((node.name.clone(), near.name.clone()), far.place.clone()));
                }
                None if owner.is_some() || !quiet.contains(peer.device_name.as_str()) => {
                    binding.notes.push(stranger(node, &near.name, peer));
                }
                None => {}
            }
        }
    }
    binding.cables = cables.into_iter().collect();
    warn_double(binding);
}

/// The node's Thunderbolt facts, if there is a controller in them.
fn usable<'f>(node: &Node, facts: &'f Facts, binding: &mut Binding) -> Option<&'f Thunderbolt> {
    let why = match &facts.inventory.thunderbolt {
        Known::Yes(thunderbolt) if thunderbolt.controllers.is_empty() => "no controller is listed".to_owned(),
        Known::Yes(thunderbolt) => return Some(thunderbolt),
        Known::No(why) => why.clone(),
    };
    if facts.state.modules.contains("thunderbolt") {
        binding.obstacles.push(Obstacle {
            code: "RB0506".into(),
            node: Some(node.name.clone()),
            message: "has no Thunderbolt or USB4 controller that the kernel drives".into(),
            evidence: why,
            cure: "enable Thunderbolt/USB4 in the firmware setup; on Ethernet say `transport = \"ethernet\"` in [fabric]"
                .into(),
        });
    }
    None
}

/// Ports of a node with the UUID of each one's controller, in PCI order.
fn ports<'f>(
    node: &Node,
    facts: &Facts,
    thunderbolt: &'f Thunderbolt,
    binding: &mut Binding,
) -> Vec<(BoundPort, &'f str)> {
    let mut controllers: Vec<_> = thunderbolt.controllers.iter().collect();
    controllers.arrange_by(|a, b| a.pci.cmp(&b.pci));
    let mut ports = Vec::new();
    for (index, controller) in controllers.iter().enumerate() {
        let Some(name) = port_name(node.ports.as_deref(), index) else { break };
        let here: Vec<&Peer> = thunderbolt.peers.iter().filter(|p| p.pci == controller.pci).collect();
        if here.len() > 1 {
            binding.obstacles.push(Obstacle {
                code: "RB0504".into(),
                node: Some(node.name.clone()),
                message: format!("two hosts are cabled to one controller ({})", controller.pci),
                evidence: here.iter().map(|p| p.device_name.as_str()).collect::<Vec<_>>().join(", "),
                cure: "move one cable to a port of the other controller: interfaces of one controller cannot be told apart by path"
                    .into(),
            });
        }
        ports.push((
            BoundPort {
                interface: interface_at(facts, &controller.pci),
                pci: Some(controller.pci.clone()),
                peer: None,
                known: None,
                speed: here.first().and_then(|p| speed(p)),
                name,
            },
            controller.uuid.as_str(),
        ));
    }
    if let Some(names) = &node.ports
        && names.len() > controllers.len()
    {
        binding.obstacles.push(Obstacle {
            code: "RB0505".into(),
            node: Some(node.name.clone()),
            message: format!(
                "the spec names {} ports, but there are {} controllers",
                names.len(),
                controllers.len()
            ),
            evidence: controllers.iter().map(|c| c.pci.as_str()).collect::<Vec<_>>().join(", "),
            cure: format!("leave `ports` of {} out, or name as many as there are controllers", node.name),
        });
    }
    ports
}

/// The note about a far end that still announces a name it had before.
fn old_name(node: &Node, near: &BoundPort, peer: &Peer, far: &Owner<'_>) -> Option<Obstacle> {
    if peer.device_name.is_empty() || peer.device_name == far.hostname {
        return None;
    }
    Some(Obstacle {
        code: "RB0521".into(),
        node: Some(far.place.0.clone()),
        message: format!("announces itself as \"{}\" over Thunderbolt", peer.device_name),
        evidence: format!("seen on {}:{}; its host name is {}", node.name, near.name, far.hostname),
        cure: "nothing needs to be done: UUIDs decide. The old name goes at the next reboot".into(),
    })
}

fn stranger(node: &Node, near: &PortName, peer: &Peer) -> Obstacle {
    let name = if peer.device_name.is_empty() { "a host without a name" } else { &peer.device_name };
    let mut obstacle = Obstacle {
        code: "RB0522".into(),
        node: Some(node.name.clone()),
        message: format!("port {near} is cabled to {name}, which is not in the spec"),
        evidence: format!("{} {}, uuid {}", peer.vendor_name, peer.device_name, peer.uuid),
        cure: "add it as a [[node]], or leave it: nothing is done to it".into(),
    };
    if peer.uuid.is_empty() {
        obstacle.message = format!("port {near} has just been plugged in and does not know its peer yet");
        obstacle.cure = "try again in ten seconds".into();
    }
    obstacle
}

fn warn_double(binding: &mut Binding) {
    let mut pairs: BTreeMap<(&NodeName, &NodeName), usize> = BTreeMap::new();
    for cable in &binding.cables {
        *pairs.entry((&cable.a.0, &cable.b.0)).or_default() += 1;
    }
    let doubled: Vec<_> = pairs.iter().filter(|(_, n)| **n > 1).map(|((a, b), n)| (a, b, *n)).collect();
    let notes: Vec<Obstacle> = doubled
        .into_iter()
        .map(|(a, b, n)| Obstacle {
            code: "RB0524".into(),
            node: None,
            message: format!("{n} cables join {a} and {b}"),
            evidence: String::new(),
            cure: "use each cable for another pair: two between the same hosts add no speed over Thunderbolt"
                .into(),
        })
        .collect();
    binding.notes.extend(notes);
}

/// Lanes and speed in words.
fn speed(peer: &Peer) -> Option<String> {
    let (gbps, lanes) = (peer.rx_gbps.min(peer.tx_gbps)?, peer.rx_lanes.min(peer.tx_lanes)?);
    Some(format!("{lanes} × {gbps} Gbit/s"))
}
