//! A part of a plan: one phase, or some nodes. Used by `--only` and `--node`.

use std::collections::BTreeSet;

use super::Plan;
use crate::action::Action;
use crate::into_set::IntoSet;
use crate::step::Phase;

impl Plan {
    /// Keeps the steps of one phase and of some nodes (all of them, where the list is empty). What
    /// changes the whole cluster is left out when nodes are named; gates go, and with them the order
    /// between phases that are not there.
    pub fn narrow(&mut self, only: Option<Phase>, nodes: &[String]) {
        if only.is_none() && nodes.is_empty() {
            return;
        }
        let named = |node: &str| nodes.is_empty() || nodes.iter().any(|n| n == node);
        let whole = |step: &super::Step| matches!(step.action, Some(Action::ApplySdn(_)));
        // Without the cluster's part there is nothing to converge to.
        let open = !nodes.is_empty() && self.steps.iter().any(whole);
        self.steps.retain(|step| {
            step.node.as_ref().is_some_and(|node| named(node.as_str()))
                && only.is_none_or(|phase| step.phase == phase)
                && !(open && (whole(step) || step.phase == Phase::Converge))
        });
        // Who mends one node is not kept from it by what another one would cut.
        let cut = crate::explain::nodes::CUTS.0;
        self.obstacles.retain(|o| o.code != cut || o.node.as_ref().is_none_or(|n| named(n.as_str())));
        let left: BTreeSet<String> = self.steps.iter().map(|s| s.id.to_string()).into_set();
        for step in &mut self.steps {
            step.after.retain(|id| left.contains(&id.to_string()));
        }
    }
}
