//! A unit that is enabled and runs.

use std::borrow::Cow;

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step, Undo};

/// One unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Unit name.
    pub name: Cow<'static, str>,
}

impl Unit {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(fact) = facts.state.units.get(&*self.name) else { return Outcome::default() };
        if fact.active == "active" && fact.enabled == "enabled" {
            return Outcome::default();
        }
        let unit = self.name.to_string();
        let failed = fact.active == "failed";
        let action = if failed && fact.enabled == "enabled" {
            Action::RestartUnit { unit: unit.clone() }
        } else {
            Action::EnableUnit { unit: unit.clone(), now: true }
        };
        Outcome::step(Step {
            title: format!("start {unit}").into(),
            why: format!("it is {} and {}", fact.active, fact.enabled).into(),
            undo: Undo::Action(Box::new(Action::DisableUnit { unit: unit.clone() })),
            proof: self.promises().into_iter().map(|c| (node.clone(), c)).collect(),
            patience: 30,
            ..step(node, format_args!("unit:{unit}"), Phase::Fabric, action)
        })
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        vec![Check::Enabled { unit: self.name.clone() }, Check::Active { unit: self.name.clone() }]
    }
}
