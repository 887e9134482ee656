//! Addresses and routes that must be live, where the files already say so: what `ifup` or
//! `ifreload` puts right.

use std::net::IpAddr;

use serde::Serialize;

use super::{Outcome, step};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Risk, Step};

/// What must be live on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Interface and address; interfaces that are not there are left out.
    pub addresses: Vec<(String, IpAddr)>,
    /// Destinations that must have a route (static routing only: OpenFabric's are its own).
    pub routes: Vec<IpAddr>,
    /// Whether all files are written by this run as well: then everything is reloaded.
    pub reload: bool,
}

impl Addresses {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let checks: Vec<Check> = self.checks(facts);
        let wrong: Vec<_> = checks.iter().map(|c| c.look(facts)).filter(|f| !f.holds).collect();
        if wrong.is_empty() {
            return Outcome::default();
        }
        let proof: Vec<_> = checks.into_iter().map(|c| (node.clone(), c)).collect();
        let why = wrong.iter().map(describe).collect::<Vec<_>>().join("; ");
        Outcome::step(Step {
            title: "reload the interfaces".into(),
            why: why.into(),
            proof,
            patience: 20,
            risk: Risk::Safe,
            ..step(node, format_args!("ifreload"), Phase::Fabric, Action::ReloadInterfaces)
        })
    }

    /// The router ID where no cable can take it away: on the dummy interface, or on `lo`.
    pub(super) fn promises(&self) -> Vec<Check> {
        let lasting = |name: &str| name == "lo" || name.starts_with("dummy_");
        self.addresses
            .iter()
            .filter(|(name, _)| lasting(name))
            .map(|(interface, address)| Check::Address { interface: interface.clone(), address: *address })
            .collect()
    }

    /// What must be seen live.
    fn checks(&self, facts: &Facts) -> Vec<Check> {
        let there = |name: &str| facts.inventory.interfaces.contains_key(name) || name.starts_with("dummy_");
        let addresses =
            self.addresses.iter().filter(|(name, _)| there(name)).map(|(interface, address)| {
                Check::Address { interface: interface.clone(), address: *address }
            });
        let routes = self.routes.iter().map(|to| Check::Route { to: *to, hops: None });
        addresses.chain(routes).collect()
    }
}

fn describe(finding: &crate::check::Finding) -> String {
    match &finding.check {
        Check::Address { interface, .. } => format!("{interface}: {}", finding.evidence),
        Check::Route { to, .. } => format!("{to}: {}", finding.evidence),
        _ => finding.evidence.clone(),
    }
}
