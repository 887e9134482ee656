//! A last look at a finished plan. What it says is a bug of the planner, never of the user.

use std::collections::BTreeSet;

use super::Plan;
use super::guard::cuts;
use crate::action::Action;
use crate::step::{Risk, Step};

/// Everything about the plan that must not be.
pub fn lint(plan: &Plan) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for step in &plan.steps {
        if !seen.insert(&step.id) {
            faults.push(format!("step {} is there twice", step.id));
        }
        for before in step.after.iter().filter(|b| !seen.contains(&***b) || **b == step.id) {
            faults.push(format!("step {} comes before {before}, which it needs", step.id));
        }
        if step.proof.is_empty() && needs_proof(step) {
            faults.push(format!("step {} has no proof", step.id));
        }
        if step.risk >= Risk::Disruptive && step.interrupts.is_empty() {
            faults.push(format!("step {} interrupts something and does not say what", step.id));
        }
        if step.checkpoint.is_none() && !cuts(step).is_empty() {
            faults.push(format!("step {} may cut a node off and has no checkpoint", step.id));
        }
    }
    faults
}

fn needs_proof(step: &Step) -> bool {
    !matches!(
        step.action,
        None | Some(
            Action::ReloadSystemd
                | Action::ReloadUdev
                | Action::UpdateInitramfs
                | Action::Reboot
                | Action::TakeBack { .. }
        )
    )
}
