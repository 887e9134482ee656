//! Live kernel settings. The file in `sysctl.d` is a resource of its own; this one makes it count
//! now. (`/etc/sysctl.conf` is not read at boot on Debian 13, so nothing of ours is ever there.)

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step};

/// Settings of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sysctl {
    /// The file they are in.
    pub path: Cow<'static, str>,
    /// Key and value.
    pub values: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Sysctl {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let wrong: Vec<String> = self
            .values
            .iter()
            .filter(|(key, value)| facts.state.sysctl.get(&***key).map(String::as_str) != Some(&***value))
            .map(|(key, _)| {
                let now = facts.state.sysctl.get(&**key).map_or("unset", String::as_str);
                format!("{key} is {now}")
            })
            .collect();
        if wrong.is_empty() {
            return Outcome::default();
        }
        Outcome::step(Step {
            title: format!("load {}", self.path).into(),
            why: wrong.join(", ").into(),
            proof: self.promises().into_iter().map(|c| (node.clone(), c)).collect(),
            ..step(
                node,
                format_args!("sysctl"),
                Phase::Prepare,
                Action::LoadSysctl { path: self.path.to_string() },
            )
        })
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        self.values.iter().map(|(k, v)| Check::Sysctl { key: k.clone(), value: v.clone() }).collect()
    }
}
