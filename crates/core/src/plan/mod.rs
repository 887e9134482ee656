//! What to do: a graph of steps, made of the difference between what should be and what the nodes said.

use serde::{Deserialize, Serialize};

use crate::obstacle::Obstacle;
use crate::step::Step;

mod build;
mod ceph;
mod cluster;
mod guard;
mod lint;
mod narrow;
mod order;
mod preflight;
pub mod settings;
mod undo;

pub use build::{Policy, plan};
pub(crate) use build::{goal_checks, tidy};
pub use guard::guard;
pub use lint::lint;
pub(crate) use order::wall_after;
pub use preflight::preflight;
pub use undo::{Past, undo};

/// What to do, what is already right, and what stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Steps in an order that respects `after`: running them one by one from the top works.
    pub steps: Vec<Step>,
    /// How many resources are as they should be already.
    pub satisfied: u32,
    /// What cannot be planned before these steps are done; non-empty means another plan follows.
    #[serde(default)]
    pub waiting: Vec<String>,
    /// What keeps the plan from being carried out; non-empty means nothing will be done.
    pub obstacles: Vec<Obstacle>,
    /// What a person should know, without being in the way.
    pub notes: Vec<Obstacle>,
}

impl Plan {
    /// Steps that do something; gates and mere waiting are left out.
    pub fn deeds(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.action.is_some())
    }

    /// SHA-256 over the plan: two plans with the same digest are the same plan.
    pub fn digest(&self) -> String {
        crate::digest::of(serde_json::to_vec(self).unwrap_or_default())
    }
}
