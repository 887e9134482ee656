//! Spec and facts put together: the whole pure flow from what was asked and what was seen to a
//! plan, in one place. Used by every command that works on nodes.

use serde::{Deserialize, Serialize};

use crate::address::{AddressError, Addresses, assign};
use crate::bind::{Binding, bind};
use crate::desired::{Desired, desired, topology};
use crate::name::NodeName;
use crate::plan::{Fleet, Obstacle, Plan, Policy, plan, preflight};
use crate::spec::Spec;
use crate::topology::Topology;

/// Everything known about the cluster at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Survey {
    /// What was asked for.
    pub spec: Spec,
    /// What the nodes said.
    pub fleet: Fleet,
    /// Nodes that did not answer, and why, with a cure.
    pub silent: Vec<(NodeName, String, String)>,
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
    pub fn new(
        spec: Spec,
        fleet: Fleet,
        silent: Vec<(NodeName, String, String)>,
    ) -> Result<Self, AddressError> {
        let binding = bind(&spec, &fleet);
        let addresses = assign(&spec)?;
        let topology = topology(&spec, &binding);
        let desired = desired(&spec, &binding, &addresses, &topology, &fleet);
        Ok(Self { spec, fleet, silent, binding, addresses, topology, desired })
    }

    /// The plan from here to the desired state, obstacles and notes included.
    pub fn plan(&self, policy: &Policy) -> Plan {
        let mut plan = plan(&self.spec, &self.desired, &self.fleet, policy);
        let (obstacles, notes) = preflight(&self.spec, &self.fleet, &self.binding, &self.topology);
        plan.obstacles.extend(obstacles);
        plan.notes.extend(notes);
        for (node, why, cure) in &self.silent {
            plan.obstacles.push(Obstacle {
                code: "RB0501".into(),
                node: Some(node.clone()),
                message: "cannot be reached".into(),
                evidence: why.clone(),
                cure: cure.clone(),
            });
        }
        plan
    }
}
