//! Which cables each port had when ringbolt last applied: what lets `verify` tell a pulled cable from
//! a port that never had one.
//!
//! Kept in a file on each node, one line a port: `en05 n2:en06`. A cable that is out for the moment
//! stays remembered; one that was moved, or whose far node left the spec, is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use super::{Binding, BoundPort};
use crate::facts::{Facts, Fleet};
use crate::into_set::IntoSet;
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::spec::Spec;

/// The file.
pub const PATH: &str = "/var/lib/ringbolt/cabling";

/// Fills in what the nodes remember, and notes the cables that are missing.
pub(super) fn recall(spec: &Spec, fleet: &Fleet, binding: &mut Binding) {
    let nodes: BTreeSet<&NodeName> = spec.nodes.iter().map(|n| &n.name).into_set();
    let mut known: BTreeMap<(NodeName, PortName), (NodeName, PortName)> = BTreeMap::new();
    for (node, facts) in &fleet.nodes {
        for (port, far) in read(facts) {
            let taken = binding.port(&far.0, &far.1).and_then(|p| p.peer.as_ref());
            let moved = taken.is_some_and(|(n, p)| n != node || *p != port);
            if nodes.contains(&far.0) && !moved {
                known.insert((node.clone(), port), far);
            }
        }
    }
    let mut missing = BTreeSet::new();
    for (node, ports) in &mut binding.ports {
        for port in ports {
            port.known = port.peer.clone().or_else(|| known.get(&(node.clone(), port.name.clone())).cloned());
            // The far end of a cable that is out is known to be there, or it may be off with its node.
            if let (None, Some(far)) = (&port.peer, &port.known)
                && fleet.nodes.contains_key(&far.0)
            {
                missing.insert(super::Cable::new((node.clone(), port.name.clone()), far.clone()));
            }
        }
    }
    binding.notes.extend(missing.iter().map(|cable| Obstacle {
        code: "RB0531".into(),
        node: None,
        message: format!(
            "the cable {}:{} – {}:{} is missing; it was there at the last apply",
            cable.a.0, cable.a.1, cable.b.0, cable.b.1
        ),
        evidence: String::new(),
        cure: "plug it in; if it was taken out for good: `ringbolt apply --forget-cables`".into(),
    }));
}

fn read(facts: &Facts) -> Vec<(PortName, (NodeName, PortName))> {
    let line = |line: &str| {
        let (port, far) = line.split_once(' ')?;
        let (node, far) = far.split_once(':')?;
        Some((PortName::new(port).ok()?, (NodeName::new(node).ok()?, PortName::new(far).ok()?)))
    };
    facts.text(PATH).unwrap_or("").lines().filter_map(line).collect()
}

/// The file for these ports.
pub(crate) fn content(ports: &[BoundPort]) -> String {
    let mut text =
        String::from("# Kept by ringbolt: the cables of the last apply, so that a missing one is noticed.\n");
    for port in ports {
        if let Some((node, far)) = &port.known {
            text += &format!("{} {node}:{far}\n", port.name);
        }
    }
    text
}
