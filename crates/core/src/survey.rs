//! Spec and facts put together: the whole pure flow from what was asked and what was seen to a
//! plan, in one place. Used by every command that works on nodes.

use serde::Serialize;

use crate::address::{AddressError, Addresses, assign};
use crate::bind::{Binding, bind};
use crate::check::{Check, Finding};
use crate::desired::{Desired, desired, topology};
use crate::facts::Fleet;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::plan::goal_checks;
use crate::spec::Spec;
use crate::topology::Topology;

/// A node that did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// Which.
    pub node: NodeName,
    /// Why, with ssh's own last words where there are any.
    pub why: String,
    /// What to do.
    pub cure: String,
    /// It is reached, and its disk has no room for the agent.
    pub full: bool,
}

impl Silent {
    /// The same as something in the way; `cannot be reached` becomes what is true of a full disk.
    pub fn obstacle(&self, beside: &str) -> Obstacle {
        let (code, text) = if self.full {
            ("RB0518", "has no room for the agent in /var/lib/ringbolt")
        } else {
            ("RB0501", "cannot be reached")
        };
        Obstacle::about(
            code,
            Some(&self.node),
            format!("{text}{beside}"),
            self.why.clone(),
            self.cure.clone(),
        )
    }
}

/// Everything known about the cluster at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// What was asked for.
    pub spec: Spec,
    /// What the nodes said.
    pub fleet: Fleet,
    /// Nodes that did not answer.
    pub silent: Vec<Silent>,
    /// Ports on hardware, cables.
    pub binding: Binding,
    /// Router IDs.
    pub addresses: Addresses,
    /// The graph.
    pub topology: Topology,
    /// What should be.
    pub desired: Desired,
}

impl Survey {
    /// Puts spec and facts together.
    pub fn new(spec: Spec, fleet: Fleet, silent: Vec<Silent>) -> Result<Self, AddressError> {
        let binding = bind(&spec, &fleet);
        let addresses = assign(&spec)?;
        let topology = topology(&spec, &binding);
        let desired = desired(&spec, &binding, &addresses, &topology, &fleet);
        Ok(Self { spec, fleet, silent, binding, addresses, topology, desired })
    }

    /// What each node must see once the mesh has converged.
    pub fn goals(&self) -> Vec<(NodeName, Vec<Check>)> {
        self.desired.goal.iter().map(|(node, goal)| (node.clone(), goal_checks(&self.spec, goal))).collect()
    }

    /// What of that does not hold at this moment.
    pub fn unmet(&self) -> Vec<(NodeName, Finding)> {
        let mut unmet = Vec::new();
        for (node, checks) in self.goals() {
            let Some(facts) = self.fleet.nodes.get(&node) else { continue };
            let open = checks.iter().map(|c| c.look(facts)).filter(|f| !f.holds);
            unmet.extend(open.map(|finding| (node.clone(), finding)));
        }
        unmet
    }

    /// Whether ringbolt has ever put anything on any of the nodes that answered.
    pub fn untouched(&self) -> bool {
        let ours = |path: &String| crate::desired::OWN_FILES.iter().any(|own| path.starts_with(own));
        !self.fleet.nodes.is_empty() && self.fleet.nodes.values().all(|f| !f.state.files.keys().any(ours))
    }

    /// The topology without the cables that carry nothing at this moment.
    pub fn live_topology(&self) -> Topology {
        let dead = |end: &(NodeName, crate::name::PortName)| {
            let Some(facts) = self.fleet.nodes.get(&end.0) else { return true };
            let carrier = Check::Carrier { interface: end.1.to_string() }.look(facts).holds;
            let heard = facts
                .state
                .frr
                .yes()
                .is_none_or(|_| Check::Neighbor { port: end.1.clone(), host: None }.look(facts).holds);
            !(carrier && heard)
        };
        let mut binding = self.binding.clone();
        binding.cables.retain(|c| !dead(&c.a) && !dead(&c.b));
        topology(&self.spec, &binding)
    }
}
