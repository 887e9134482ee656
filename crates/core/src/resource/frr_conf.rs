//! `/etc/frr/frr.conf` as FRR runs by it. Proxmox VE writes the file; only what FRR missed of it is loaded here.

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step};

/// The file, wholly in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrrConf {}

impl FrrConf {
    #[expect(clippy::unused_self, reason = "as all resources")]
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(lost) = facts.state.frr.yes().and_then(|frr| frr.lost.first()) else {
            return Outcome::default();
        };
        Outcome::step(Step {
            title: "load what FRR missed of frr.conf".into(),
            why: format!("`{lost}` is in the file and not in force: FRR lost it in a race at its start")
                .into(),
            proof: vec![(node.clone(), Check::FrrLoaded {})],
            ..step(node, format_args!("frr.conf"), Phase::Converge, Action::LoadFrr {})
        })
    }

    #[expect(clippy::unused_self, reason = "as all resources")]
    pub(super) fn promises(&self) -> Vec<Check> {
        vec![Check::FrrLoaded {}]
    }
}
