//! A kernel module that must be loaded now; its file in `modules-load.d` sees to later boots.

use std::borrow::Cow;

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step};

/// A module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Its name, with underscores.
    pub name: Cow<'static, str>,
    /// What it is needed for.
    pub why: Cow<'static, str>,
}

impl Module {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        if facts.state.modules.contains(&*self.name) {
            return Outcome::default();
        }
        let waiting = Some(format!("the ports are seen once module {} is loaded", self.name));
        let steps = vec![Step {
            title: format!("load module {}", self.name).into(),
            why: self.why.clone(),
            proof: vec![(node.clone(), Check::Module { name: self.name.to_string() })],
            ..step(
                node,
                format_args!("module:{}", self.name),
                Phase::Prepare,
                Action::LoadModule { name: self.name.to_string() },
            )
        }];
        Outcome { steps, waiting, ..Outcome::default() }
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        vec![Check::Module { name: self.name.to_string() }]
    }
}
