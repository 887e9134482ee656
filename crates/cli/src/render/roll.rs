//! A plan that takes nodes out of service: in which turn, and what happens with each.

use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::{Risk, Step};

use super::text::hang;
use super::{Style, count, obstacle};

/// Nodes in their turn, what is done with each, notes and the sum.
pub(crate) fn plan(plan: &Plan, turns: &[NodeName], style: Style) -> String {
    let mut text = String::new();
    if turns.len() > 1 {
        let names: Vec<&str> = turns.iter().map(NodeName::as_str).collect();
        let head = format!("{} ", style.bold("in turn:"));
        let line = format!("{}; each is back and proven before the next is touched", names.join(", "));
        text += &hang(&head, &line, style.width);
    }
    for (steps, nodes) in shares(plan) {
        text += &format!("\n{}\n", style.bold(&nodes.join(", ")));
        for step in steps {
            text += &tell(step, style);
        }
    }
    let notes = obstacle::notes(&plan.notes, style);
    if !notes.is_empty() {
        text += "\n";
        text += &notes;
    }
    let reboots = plan.steps.iter().filter(|s| s.risk == Risk::Disruptive).count();
    text += &format!("\n{}", style.bold(&count(super::plan::counted(plan), "step")));
    text += &match reboots {
        0 => ". Interrupts nothing.\n".to_owned(),
        n => format!(", {} among them.\n", style.yellow(&count(n, "reboot"))),
    };
    text
}

/// What is in the way of it.
pub(crate) fn refused(plan: &Plan, style: Style) -> String {
    let mut text = obstacle::notes(&plan.notes, style) + &obstacle::obstacles(&plan.obstacles, style);
    let is = if plan.obstacles.len() == 1 { "is" } else { "are" };
    let what = style.red(&format!("{} {is}", count(plan.obstacles.len(), "thing")));
    let end = format!("{what} in the way: no node was touched. `ringbolt explain CODE` tells more.");
    text += "\n";
    text += &hang("", &end, style.width);
    text
}

/// Steps by node, nodes with the same ones together.
fn shares(plan: &Plan) -> Vec<(Vec<&Step>, Vec<&str>)> {
    let mut nodes: Vec<&NodeName> = Vec::new();
    for node in plan.steps.iter().filter_map(|s| s.node.as_ref()) {
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    let mut shares: Vec<(Vec<&Step>, Vec<&str>)> = Vec::new();
    for node in nodes {
        let steps: Vec<&Step> = plan.steps.iter().filter(|s| s.node.as_ref() == Some(node)).collect();
        let same = |(first, _): &&mut (Vec<&Step>, Vec<&str>)| {
            first.iter().map(|s| &s.title).eq(steps.iter().map(|s| &s.title))
        };
        match shares.iter_mut().find(same) {
            Some((_, names)) => names.push(node.as_str()),
            None => shares.push((steps, vec![node.as_str()])),
        }
    }
    shares
}

fn tell(step: &Step, style: Style) -> String {
    let sign = match (step.action.is_some(), step.risk) {
        (false, _) => style.dim("·"),
        (true, Risk::Safe) => style.green("+"),
        (true, _) => style.yellow("~"),
    };
    let mut text = hang(&format!("  {sign} "), &step.title, style.width);
    let why = hang("      ", &step.why, style.width);
    text += &why.lines().map(|line| style.dim(line) + "\n").collect::<String>();
    if !step.interrupts.is_empty() {
        let head = format!("      {} ", style.yellow("interrupts:"));
        text += &hang(&head, &step.interrupts, style.width);
    }
    text
}
