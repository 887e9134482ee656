//! A plan as a careful colleague would tell it: what happens where, why, what it interrupts, and
//! what changes in which file.

use std::collections::BTreeMap;

use ringbolt_core::checkpoint::Checkpoint;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::{FileChange, Phase, Risk, Step};
use similar::TextDiff;

use super::text::hang;
use super::{Style, count, indent, nodes, obstacle};

/// What is counted as a step on every screen: deeds and waits, not gates.
pub(crate) fn counted(plan: &Plan) -> usize {
    plan.steps.iter().filter(|s| s.node.is_some()).count()
}

/// The steps, grouped where several nodes do the same.
pub(crate) fn steps(plan: &Plan, diffs: bool, style: Style) -> String {
    let all = plan.steps.iter().filter_map(|s| s.node.as_ref()).into_set().len();
    let mut text = String::new();
    let mut phases: Vec<Phase> = plan.steps.iter().map(|s| s.phase).collect();
    phases.dedup();
    for phase in phases {
        let groups = groups(plan, phase, diffs);
        if groups.is_empty() {
            continue;
        }
        text += &format!("\n{}  {}\n", style.bold(phase.word()), style.dim(meaning(phase)));
        for group in groups {
            text += &tell(&group, all, style);
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
    if !plan.waiting.is_empty() {
        text.push('\n');
    }
    for why in &plan.waiting {
        let later = format!("{} ", style.yellow("later:"));
        text += &hang(&later, &format!("{why}; the rest is planned after these steps"), style.width);
    }
    text += "\n";
    text += &sum(plan, nodes, style);
    text
}

/// The last lines: how much there is to do, and whether it is felt.
fn sum(plan: &Plan, nodes: usize, style: Style) -> String {
    if !plan.obstacles.is_empty() {
        let is = if plan.obstacles.len() == 1 { "is" } else { "are" };
        let what = style.red(&format!("{} {is}", count(plan.obstacles.len(), "thing")));
        let text = format!(
            "{what} in the way: nothing is done before that is settled. `ringbolt explain CODE` tells more."
        );
        return hang("", &text, style.width);
    }
    if plan.deeds().next().is_none() && plan.waiting.is_empty() {
        return format!(
            "{} {} as they should be on {}.\n",
            style.green("nothing to do:"),
            resources(plan.satisfied),
            count(nodes, "node")
        );
    }
    let mut text = format!("{} on {}", style.bold(&count(counted(plan), "step")), count(nodes, "node"));
    // The way back does not look at what stays.
    if plan.satisfied > 0 {
        text += &format!("; {} as they should be", resources(plan.satisfied));
    }
    text += ".\n";
    let lost: Vec<&str> = plan.steps.iter().filter(|s| s.risk == Risk::Destructive).map(|s| &*s.id).collect();
    if !lost.is_empty() {
        let what = format!(
            "{} something for good:",
            if lost.len() == 1 { "1 step destroys" } else { "Steps destroy" }
        );
        let asked = format!("{}. Done only with --confirm and that name.", lost.join(", "));
        text += &hang(&format!("{} ", style.red(&what)), &asked, style.width);
    }
    text += &match plan.steps.iter().filter(|s| s.risk == Risk::Disruptive).count() {
        0 if lost.is_empty() => "Interrupts nothing.\n".to_owned(),
        0 => "Interrupts nothing else.\n".to_owned(),
        1 => format!("{} interrupts traffic.\n", style.yellow("1 step")),
        n => format!("{} interrupt traffic, one node at a time.\n", style.yellow(&count(n, "step"))),
    };
    text
}

fn resources(n: u32) -> String {
    format!("{} {}", count(n as usize, "resource"), if n == 1 { "is" } else { "are" })
}

fn meaning(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "packages, modules, files: carries no traffic",
        Phase::Ports => "names, MTU and stanzas of the ports",
        Phase::Fabric => "the fabric itself",
        Phase::Converge => "the mesh as a whole: every node reaches every other",
        Phase::Ceph => "monitors, managers, OSDs, pools, storage, settings",
        Phase::Maintain => "nodes out of service, one at a time",
    }
}

/// Steps that are the same but for the node.
struct Group<'a> {
    first: &'a Step,
    nodes: Vec<&'a str>,
    /// Changes of files as they are shown, and the nodes they are shown for.
    diffs: Vec<(String, Vec<&'a str>)>,
    interrupts: Vec<&'a str>,
}

impl<'a> Group<'a> {
    fn new(first: &'a Step) -> Self {
        Self { first, nodes: Vec::new(), diffs: Vec::new(), interrupts: Vec::new() }
    }
}

fn key_of<'a>(group: &Group<'a>) -> (&'a str, &'a str) {
    (&group.first.title, &group.first.why)
}

fn groups(plan: &Plan, phase: Phase, diffs: bool) -> Vec<Group<'_>> {
    let mut order: Vec<Group<'_>> = Vec::new();
    // A new group stands behind that of the step before it on the same node.
    let mut last: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let steps: Vec<&Step> = plan.steps.iter().filter(|s| s.phase == phase).collect();
    for (place, step) in steps.iter().enumerate() {
        let Some(node) = step.node.as_ref().map(NodeName::as_str) else { continue };
        let wanted = (&*step.title, &*step.why);
        let follows = |g: &Group<'_>| {
            let same = |s: &&Step| s.node == step.node && (&*s.title, &*s.why) == key_of(g);
            steps[place..].iter().any(same)
        };
        let before = last.insert(node, wanted);
        let at = order.iter().position(|g| key_of(g) == wanted).unwrap_or_else(|| {
            let behind = before.and_then(|b| order.iter().position(|g| key_of(g) == b));
            let mut at = behind.map_or(order.len(), |at| at + 1);
            // Nodes that do alike things stand in the order of their names.
            while order.get(at).is_some_and(|g| g.nodes[0] < node && !follows(g)) {
                at += 1;
            }
            order.insert(at, Group::new(step));
            at
        });
        let group = &mut order[at];
        group.nodes.push(node);
        if !step.interrupts.is_empty() && !group.interrupts.contains(&&*step.interrupts) {
            group.interrupts.push(&step.interrupts);
        }
        if let Some(change) = step.change.as_ref().filter(|_| diffs) {
            // Files that differ elsewhere may still change in the same way.
            let shown = diff(change);
            match group.diffs.iter_mut().find(|(text, _)| *text == shown) {
                Some((_, names)) => names.push(node),
                None => group.diffs.push((shown, vec![node])),
            }
        }
    }
    order
}

fn tell(group: &Group<'_>, all: usize, style: Style) -> String {
    let step = group.first;
    let sign = match (step.action.is_some(), step.risk) {
        (false, _) => style.dim("·"),
        (true, Risk::Safe) => style.green("+"),
        (true, Risk::Disruptive) => style.yellow("~"),
        (true, Risk::Destructive) => style.red("!"),
    };
    let who = style.bold(&nodes(&group.nodes, all));
    let mut text = hang(&format!("  {sign} "), &format!("{who}  {}", step.title), style.width);
    let why = hang("      ", &step.why, style.width);
    text += &why.lines().map(|line| style.dim(line) + "\n").collect::<String>();
    for interrupts in &group.interrupts {
        let head = format!("      {} ", style.yellow("interrupts:"));
        text += &hang(&head, interrupts, style.width);
    }
    if let Some(checkpoint) = &step.checkpoint {
        let head = format!("      {} ", style.dim("checkpoint:"));
        text += &hang(&head, &goes_back(checkpoint, all), style.width);
    }
    let many = group.diffs.len() > DIFFS;
    for (diff, names) in group.diffs.iter().take(if many { 1 } else { DIFFS }) {
        if group.diffs.len() > 1 {
            text += &format!("      on {}:\n", nodes(names, all));
        }
        text += &indent(&paint(diff, style), "      ");
    }
    if many {
        let rest = group.diffs.len() - 1;
        let said = format!("{rest} more like this, each with values of its own: `--json` has them all");
        text += &hang("      ", &said, style.width);
    }
    text
}

/// What happens when a step cuts somebody off.
fn goes_back(checkpoint: &Checkpoint, all: usize) -> String {
    let seconds = checkpoint.seconds;
    match checkpoint.nodes.as_slice() {
        [_] => format!("if it does not come back within {seconds} s, the node undoes this by itself"),
        several => {
            let names: Vec<&str> = several.iter().map(NodeName::as_str).collect();
            let who = nodes(&names, all.max(names.len()));
            format!("if one does not come back within {seconds} s, {who} undo this by themselves")
        }
    }
}

/// More different changes of one file than this are not all shown.
const DIFFS: usize = 4;

/// A unified diff of one file.
fn diff(change: &FileChange) -> String {
    let before = change.before.as_deref().unwrap_or("");
    let after = change.after.as_deref().unwrap_or("");
    let text = TextDiff::from_lines(before, after).unified_diff().context_radius(2).to_string();
    if change.before.is_some() && change.after.is_some() {
        return text;
    }
    // All of a file comes or goes: there is no place in it to name.
    text.split_once('\n').map_or(String::new(), |(_, lines)| lines.to_owned())
}

/// A unified diff in colours.
pub(crate) fn paint(diff: &str, style: Style) -> String {
    diff.lines()
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use ringbolt_core::action::Action;
    use ringbolt_core::step::Undo;

    use super::*;

    const PLAIN: Style = Style::plain(80);

    fn step(node: &str, title: &str, change: Option<(&str, &str)>) -> Step {
        Step {
            id: format!("{node}/{title}").into(),
            phase: Phase::Ports,
            node: Some(NodeName::new(node).unwrap()),
            title: title.to_owned().into(),
            why: "because".into(),
            action: Some(Action::ReloadUdev),
            expect: None,
            undo: Undo::None,
            proof: Vec::new(),
            patience: 0,
            risk: Risk::Safe,
            after: Vec::new(),
            change: change.map(|(before, after)| {
                Box::new(FileChange {
                    path: "/f".into(),
                    before: Some(before.into()),
                    after: Some(after.into()),
                })
            }),
            interrupts: "".into(),
            checkpoint: None,
        }
    }

    fn said(list: Vec<Step>) -> String {
        steps(&Plan { steps: list, ..Plan::default() }, true, PLAIN)
    }

    #[test]
    fn changes_that_look_the_same_are_shown_once() {
        let file = |address: &str, end: &str| format!("address {address}\n1\n2\n3\n4\n{end}\n");
        let change = |node: &str, address: &str| {
            step(node, "write /f", Some((&file(address, "old"), &file(address, "new"))))
        };
        let text = said(vec![change("n1", "10.0.0.1"), change("n2", "10.0.0.2")]);
        assert_eq!(text.matches("+new").count(), 1, "{text}");
        assert!(text.contains("  + n1 n2  write /f\n      because\n      @@"), "{text}");
    }

    #[test]
    fn changes_that_differ_say_where() {
        let text = said(vec![
            step("n1", "write /f", Some(("a\n", "b\n"))),
            step("n2", "write /f", Some(("a\n", "c\n"))),
        ]);
        assert!(text.contains("      on n1:\n") && text.contains("      on n2:\n"), "{text}");
    }

    #[test]
    fn a_step_some_nodes_have_stays_in_its_place() {
        let list = vec![
            step("n1", "first", None),
            step("n1", "last", None),
            step("n2", "first", None),
            step("n2", "only here", None),
            step("n2", "last", None),
        ];
        let text = said(list);
        let at = |word: &str| text.find(word).unwrap();
        assert!(at("first") < at("only here") && at("only here") < at("last"), "{text}");
    }

    #[test]
    fn a_new_file_has_no_place_and_many_changes_are_cut_short() {
        let mut new = step("n1", "write /f", Some(("", "a\n")));
        new.change.as_mut().unwrap().before = None;
        assert!(said(vec![new]).contains("because\n      +a\n"));
        let own = |n: usize| step(&format!("n{n}"), "write /f", Some(("a\n", &format!("b{n}\n"))));
        let text = said((1..=5).map(own).collect());
        assert!(
            text.contains("on n1:") && !text.contains("on n2:") && text.contains("4 more like this"),
            "{text}"
        );
    }

    #[test]
    fn many_nodes_are_counted() {
        let names: Vec<String> = (1..=16).map(|n| format!("n{n}")).collect();
        let mut list: Vec<Step> = names.iter().map(|n| step(n, "all", None)).collect();
        list.extend(names[..7].iter().map(|n| step(n, "some", None)));
        let text = said(list);
        assert!(text.contains("+ 16 nodes  all") && text.contains("+ 7 of 16 nodes  some"), "{text}");
    }

    #[test]
    fn waits_count_and_gates_do_not() {
        let wait = Step { action: None, ..step("n1", "wait", None) };
        let gate = Step { action: None, node: None, ..step("n1", "gate", None) };
        let plan = Plan { steps: vec![step("n1", "do", None), gate, wait], ..Plan::default() };
        assert_eq!(counted(&plan), 2);
        // What stays is counted where it was looked at: not on the way back.
        assert!(closing(&plan, 1, PLAIN).starts_with("\n2 steps on 1 node.\n"));
        let plan = Plan { satisfied: 3, ..plan };
        assert!(
            closing(&plan, 1, PLAIN).starts_with("\n2 steps on 1 node; 3 resources are as they should be.\n")
        );
    }
}
