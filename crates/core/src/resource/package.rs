//! Packages that must be installed.

use std::borrow::Cow;

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::step::{Phase, Step};

/// Bytes that must be free on `/` before anything is installed.
pub const ROOM: u64 = 300 * 1024 * 1024;

/// Packages by name, any version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// Names.
    pub names: Vec<Cow<'static, str>>,
    /// What they are needed for.
    pub why: Cow<'static, str>,
}

impl Packages {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let missing: Vec<String> =
            self.names.iter().filter(|n| !facts.has_package(n)).map(ToString::to_string).collect();
        if missing.is_empty() {
            return Outcome::default();
        }
        if facts.state.root_free < ROOM {
            return Outcome::obstacle(Obstacle {
                code: "RB0518".into(),
                node: Some(node.clone()),
                message: format!(
                    "has {} MiB free on /, too little to install packages",
                    facts.state.root_free >> 20
                ),
                evidence: format!("to be installed: {}", missing.join(", ")),
                cure: "make room: `apt-get clean`, old kernels, /var/log".into(),
            });
        }
        let list = missing.join(", ");
        Outcome::step(Step {
            title: format!("install {list}").into(),
            why: self.why.clone(),
            proof: missing.iter().map(|n| (node.clone(), Check::Package { name: n.clone() })).collect(),
            ..step(node, format_args!("packages"), Phase::Prepare, Action::InstallPackages { names: missing })
        })
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        self.names.iter().map(|n| Check::Package { name: n.to_string() }).collect()
    }
}
