//! The plan of an apply, whole: its steps and everything in the way of them.
//!
//! A method of `Survey` that stands above `roll`, whose judgement of a mesh that is torn already it needs.

use crate::plan::{Plan, Policy, plan, preflight};
use crate::roll::{left_over, torn};
use crate::survey::Survey;

impl Survey {
    /// The plan from here to the desired state, obstacles and notes included.
    pub fn plan(&self, policy: &Policy) -> Plan {
        let mut plan = plan(&self.spec, &self.desired, &self.fleet, policy);
        let (obstacles, notes) = preflight(&self.spec, &self.fleet, &self.binding, &self.topology);
        plan.obstacles.extend(obstacles);
        plan.notes.extend(notes);
        plan.notes.extend(left_over(&self.fleet));
        plan.obstacles.extend(torn(self, &plan));
        plan.obstacles.extend(self.silent.iter().map(|silent| silent.obstacle("")));
        plan
    }
}
