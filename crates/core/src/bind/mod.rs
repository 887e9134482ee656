//! Matches the ports of the spec to the hardware the nodes report, and the cables to links.
//!
//! Used by `discover`, `plan` and `verify`. It looks at inventory only (controllers, interfaces,
//! connected hosts); what does not fit becomes an obstacle or a note, never a guess.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, Fleet, network::Interface};
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::spec::{Spec, Transport};

pub mod disks;
mod ethernet;
pub mod memory;
mod thunderbolt;

/// Driver name of the kernel's Thunderbolt network driver, as ethtool and udev give it.
pub const THUNDERBOLT_DRIVER: &str = "thunderbolt-net";

/// The spec's ports on the nodes' hardware.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// Ports by node, in the order they are named in.
    pub ports: BTreeMap<NodeName, Vec<BoundPort>>,
    /// Cables, each once, smaller end first, sorted.
    pub cables: BTreeSet<Cable>,
    /// What must be settled before anything is done.
    pub obstacles: Vec<Obstacle>,
    /// What a person should know.
    pub notes: Vec<Obstacle>,
}

/// One port of one node, on its hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BoundPort {
    /// The name it has, or gets.
    pub name: PortName,
    /// PCI address of its controller, on Thunderbolt.
    pub pci: Option<String>,
    /// The interface behind it now; none when no cable is in.
    pub interface: Option<String>,
    /// Node and port at the far end, where known.
    pub peer: Option<(NodeName, PortName)>,
    /// Node and port at the far end now, or at the last apply while no cable is in (Thunderbolt).
    pub known: Option<(NodeName, PortName)>,
    /// What the far end's cable runs at, in words: `2 × 20 Gbit/s`.
    pub speed: Option<String>,
}

/// A cable between two ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cable {
    /// The smaller end.
    pub a: (NodeName, PortName),
    /// The greater end.
    pub b: (NodeName, PortName),
}

impl Cable {
    /// The cable between two ends, in canonical order.
    pub fn new(one: (NodeName, PortName), other: (NodeName, PortName)) -> Self {
        if one <= other { Self { a: one, b: other } } else { Self { a: other, b: one } }
    }
}

impl Binding {
    /// A port of a node by its name.
    pub fn port(&self, node: &NodeName, port: &PortName) -> Option<&BoundPort> {
        self.ports.get(node)?.iter().find(|p| p.name == *port)
    }
}

/// Binds the spec to what the nodes report. Nodes without facts get no ports.
pub fn bind(spec: &Spec, fleet: &Fleet) -> Binding {
    let mut binding = Binding::default();
    match spec.fabric.transport {
        Transport::Thunderbolt => {
            thunderbolt::bind(spec, fleet, &mut binding);
            memory::recall(spec, fleet, &mut binding);
        }
        Transport::Ethernet | Transport::Switch => ethernet::bind(spec, fleet, &mut binding),
    }
    check_declared(spec, fleet, &mut binding);
    binding
}

/// The port names of a node: those of the spec, or `en05`, `en06`, … in the order of controllers.
pub(crate) fn port_name(given: Option<&[PortName]>, index: usize) -> Option<PortName> {
    match given {
        Some(names) => names.get(index).cloned(),
        None => PortName::new(&format!("en{:02}", index + 5)).ok(),
    }
}

fn check_declared(spec: &Spec, fleet: &Fleet, binding: &mut Binding) {
    if spec.fabric.transport != Transport::Thunderbolt {
        return;
    }
    let mut between: BTreeMap<(&NodeName, &NodeName), Vec<&Cable>> = BTreeMap::new();
    for cable in &binding.cables {
        between.entry((&cable.a.0, &cable.b.0)).or_default().push(cable);
    }
    let mut notes = Vec::new();
    for link in &spec.links {
        let [a, b] = &link.ends;
        if !(fleet.nodes.contains_key(&a.node) && fleet.nodes.contains_key(&b.node)) {
            continue;
        }
        let fits = |end: &crate::spec::End, place: &(NodeName, PortName)| {
            end.node == place.0 && end.port.as_ref().is_none_or(|p| *p == place.1)
        };
        let pair = if a.node <= b.node { (&a.node, &b.node) } else { (&b.node, &a.node) };
        let found = between
            .get(&pair)
            .into_iter()
            .flatten()
            .any(|c| (fits(a, &c.a) && fits(b, &c.b)) || (fits(b, &c.a) && fits(a, &c.b)));
        if !found {
            let near = binding
                .cables
                .iter()
                .filter(|c| [&c.a.0, &c.b.0].iter().any(|n| [&a.node, &b.node].contains(n)));
            let seen: Vec<String> =
                near.map(|c| format!("{}:{} – {}:{}", c.a.0, c.a.1, c.b.0, c.b.1)).collect();
            notes.push(Obstacle {
                code: "RB0526".into(),
                node: None,
                message: format!("the spec declares a cable {} – {}, but none is seen there", end(a), end(b)),
                evidence: format!("cables seen there: {}", if seen.is_empty() { "none".into() } else { seen.join(", ") }),
                cure: "plug the cable in, or take the [[link]] out of the spec: Thunderbolt cabling is discovered"
                    .into(),
            });
        }
    }
    binding.notes.extend(notes);
}

fn end(end: &crate::spec::End) -> String {
    match &end.port {
        Some(port) => format!("{}:{port}", end.node),
        None => end.node.to_string(),
    }
}

/// The interface at a controller, by udev's path and driver, whatever it is called now.
pub(crate) fn interface_at(facts: &Facts, pci: &str) -> Option<String> {
    let at = |i: &Interface| i.path.as_deref().and_then(|path| path.strip_prefix("pci-")) == Some(pci);
    let driven = |i: &Interface| i.driver.as_deref() == Some(THUNDERBOLT_DRIVER);
    let found = facts.inventory.interfaces.iter().find(|(_, i)| at(i) && driven(i));
    found.map(|(name, _)| name.clone())
}
