//! A plan as a careful colleague would tell it: what happens where, why, what it interrupts, and
//! what changes in which file.

use std::collections::BTreeMap;

use ringbolt_core::plan::{FileChange, Phase, Plan, Risk, Step};
use similar::TextDiff;

use super::{Style, count, indent, obstacle};

/// The steps, grouped where several nodes do the same.
pub(crate) fn steps(plan: &Plan, diffs: bool, style: Style) -> String {
    let mut text = String::new();
    for phase in Phase::ALL {
        let groups = groups(plan, phase);
        if groups.is_empty() {
            continue;
        }
        text += &format!("\n{}  {}\n", style.bold(phase.word()), style.dim(meaning(phase)));
        for group in groups {
            text += &tell(&group, diffs, style);
        }
    }
    text
}

/// What stands in the way, what to know, and how it ends.
pub(crate) fn closing(plan: &Plan, nodes: usize, style: Style) -> String {
    let mut text = String::new();
    text += &obstacle::notes(&plan.notes, style);
    text += &obstacle::obstacles(&plan.obstacles, style);
    if !text.is_empty() {
        text.insert(0, '\n');
    }
    let deeds = plan.deeds().count();
    for why in &plan.waiting {
        text += &format!("\n{} {why}; the rest is planned after these steps\n", style.yellow("later:"));
    }
    text += "\n";
    if !plan.obstacles.is_empty() {
        text += &format!(
            "{} in the way: nothing is done before that is settled. `ringbolt explain CODE` tells more.\n",
            style.red(&format!(
                "{} {}",
                count(plan.obstacles.len(), "thing"),
                if plan.obstacles.len() == 1 { "is" } else { "are" }
            ))
        );
    } else if deeds == 0 && plan.waiting.is_empty() {
        text += &format!(
            "{} {} are as they should be on {}.\n",
            style.green("nothing to do:"),
            count(plan.satisfied as usize, "resource"),
            count(nodes, "node")
        );
    } else {
        let interrupting: Vec<&Step> = plan.steps.iter().filter(|s| s.risk > Risk::Safe).collect();
        text += &format!(
            "{} on {}; {} as they should be.\n",
            style.bold(&count(deeds, "step")),
            count(nodes, "node"),
            if plan.satisfied == 1 {
                "1 resource is".into()
            } else {
                format!("{} resources are", plan.satisfied)
            }
        );
        text += &match interrupting.len() {
            0 => "Interrupts nothing: no traffic runs over these links yet.\n".to_owned(),
            n => format!("{} interrupt traffic, one node at a time.\n", style.yellow(&count(n, "step"))),
        };
    }
    text
}

fn meaning(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "packages, modules, files: carries no traffic",
        Phase::Ports => "ports get their names, MTU and stanzas",
        Phase::Fabric => "the fabric itself",
        Phase::Converge => "waiting until every node reaches every other",
    }
}

/// Steps that are the same but for the node.
struct Group<'a> {
    first: &'a Step,
    nodes: Vec<String>,
    changes: Vec<(&'a FileChange, Vec<String>)>,
    interrupts: Vec<&'a str>,
}

fn groups(plan: &Plan, phase: Phase) -> Vec<Group<'_>> {
    let mut order: Vec<Group<'_>> = Vec::new();
    let mut index: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for step in plan.steps.iter().filter(|s| s.phase == phase && s.node.is_some()) {
        let at = *index.entry((&step.title, &step.why)).or_insert_with(|| {
            order.push(Group { first: step, nodes: Vec::new(), changes: Vec::new(), interrupts: Vec::new() });
            order.len() - 1
        });
        let group = &mut order[at];
        let node = step.node.as_ref().map(ToString::to_string).unwrap_or_default();
        group.nodes.push(node.clone());
        if !step.interrupts.is_empty() && !group.interrupts.contains(&step.interrupts.as_str()) {
            group.interrupts.push(&step.interrupts);
        }
        if let Some(change) = &step.change {
            match group.changes.iter_mut().find(|(c, _)| *c == change) {
                Some((_, nodes)) => nodes.push(node),
                None => group.changes.push((change, vec![node])),
            }
        }
    }
    order
}

fn tell(group: &Group<'_>, diffs: bool, style: Style) -> String {
    let step = group.first;
    let sign = match (step.action.is_some(), step.risk) {
        (false, _) => style.dim("·"),
        (true, Risk::Safe) => style.green("+"),
        (true, Risk::Disruptive) => style.yellow("~"),
        (true, Risk::Destructive) => style.red("!"),
    };
    let mut text = format!("  {sign} {}  {}\n", style.bold(&group.nodes.join(" ")), step.title);
    text += &indent(&wrap(&step.why, 90), &format!("      {}", style.dim("")));
    for interrupts in &group.interrupts {
        text += &format!("      {} {interrupts}\n", style.yellow("interrupts:"));
    }
    for (change, nodes) in group.changes.iter().filter(|_| diffs) {
        if group.changes.len() > 1 {
            text += &format!("      on {}:\n", nodes.join(", "));
        }
        text += &indent(&diff(change, style), "      ");
    }
    text
}

/// A unified diff of one file.
pub(crate) fn diff(change: &FileChange, style: Style) -> String {
    let before = change.before.as_deref().unwrap_or("");
    let after = change.after.as_deref().unwrap_or("");
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(2).to_string();
    text.lines()
        .map(|line| {
            let painted = match line.chars().next() {
                Some('+') => style.green(line),
                Some('-') => style.red(line),
                Some('@') => style.dim(line),
                _ => line.to_owned(),
            };
            painted + "\n"
        })
        .collect()
}

/// Breaks a text at blanks.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |l| l.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines.join("\n")
}
