//! The way back: a plan that takes settings away, with a proof and an undo for each step.
//!
//! Used by `ringbolt tune undo`. What is not in the table is touched only when it is named; what the
//! profile has comes back to the profile's value.

use std::collections::BTreeSet;

use super::Plan;
use crate::action::{Action, CephDeed};
use crate::check::{CephCheck, Check};
use crate::facts::Fleet;
use crate::facts::ceph::ConfigEntry;
use crate::name::NodeName;
use crate::resource::{step, write_file};
use crate::spec::Spec;
use crate::step::{Phase, Step, Undo};
use crate::tune::{Audit, Audited, Place, Setting, Verdict, difference, known, profile, system};

/// Which settings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those the audit calls harmful, risky, ignored, misplaced, overruled or equal to the default.
    Bad,
    /// Everything in the table that is not from the profile.
    All,
    /// These, whatever is said of them.
    Named(BTreeSet<String>),
}

impl Which {
    fn takes(&self, setting: &Audited) -> bool {
        match self {
            Self::Bad => setting.verdict.is_undone(),
            Self::All => !matches!(setting.verdict, Verdict::Unknown | Verdict::Ours),
            Self::Named(names) => names.contains(&setting.name),
        }
    }
}

/// The plan back to defaults, and to the profile where it has the option.
pub fn undo(spec: &Spec, fleet: &Fleet, audit: &Audit, which: &Which) -> Plan {
    let gone: Vec<&Audited> = audit.settings.iter().filter(|s| which.takes(s)).collect();
    let mut plan = Plan::default();
    plan.steps.extend(database(spec, fleet, &gone));
    for node in fleet.nodes.keys() {
        plan.steps.extend(sysctls(node, fleet, &gone));
        plan.steps.extend(modules(node, fleet, &gone));
    }
    plan
}

/// One step for the whole database, on a node that hears the monitors.
fn database(spec: &Spec, fleet: &Fleet, gone: &[&Audited]) -> Option<Step> {
    let (node, cluster) = fleet.nodes.iter().find_map(|(n, f)| f.state.ceph_cluster.yes().map(|c| (n, c)))?;
    let profile = profile(spec, fleet);
    let before: Vec<&ConfigEntry> = cluster.config.iter().filter(|e| is_of(e, gone)).collect();
    let touched = |s: &&Setting| before.iter().any(|e| e.name == s.name);
    let back: Vec<Setting> = profile.iter().filter(touched).cloned().collect();
    // An option of the profile goes back to it; every other entry goes.
    let kept: Vec<ConfigEntry> = cluster.config.iter().filter(|e| !is_of(e, gone)).cloned().collect();
    let set = difference(&back, &kept).set;
    let again = |e: &&&ConfigEntry| !set.iter().any(|(w, n, _)| *w == e.who() && *n == e.name);
    let remove: Vec<(String, String)> =
        before.iter().filter(again).map(|e| (e.who(), e.name.clone())).collect();
    if set.is_empty() && remove.is_empty() {
        return None;
    }
    let was = before.iter().map(|e| (e.who(), e.name.clone(), e.value.clone())).collect();
    let fresh = set.iter().filter(|(w, n, _)| !before.iter().any(|e| e.who() == *w && e.name == *n));
    let fresh = fresh.map(|(w, n, _)| (w.clone(), n.clone())).collect();
    Some(Step {
        title: title(&set, &remove).into(),
        why: "options go back to what Ceph or the profile has".into(),
        undo: Undo::Action(Box::new(Action::Ceph(CephDeed::Config { set: was, remove: fresh }))),
        proof: proof(node, &set, &remove),
        patience: 30,
        ..step(node, format_args!("ceph:config"), Phase::Ceph, Action::Ceph(CephDeed::Config { set, remove }))
    })
}

fn is_of(entry: &ConfigEntry, gone: &[&Audited]) -> bool {
    let place = Place::Database(entry.who());
    gone.iter().any(|s| s.name == entry.name && s.place == place)
}

fn title(set: &[(String, String, String)], remove: &[(String, String)]) -> String {
    let count = |n: usize, what: &str| format!("{n} option{} {what}", if n == 1 { "" } else { "s" });
    match (set.len(), remove.len()) {
        (0, gone) => count(gone, "back to Ceph's default"),
        (back, 0) => count(back, "back to the profile"),
        (back, gone) => {
            format!("{}, {back} to the profile", count(gone, "back to Ceph's default"))
        }
    }
}

fn proof(
    node: &NodeName,
    set: &[(String, String, String)],
    remove: &[(String, String)],
) -> Vec<(NodeName, Check)> {
    let there = set.iter().map(|(section, name, value)| CephCheck::Config {
        section: section.clone(),
        name: name.clone(),
        value: value.clone(),
    });
    let gone = remove
        .iter()
        .map(|(section, name)| CephCheck::Unset { section: section.clone(), name: name.clone() });
    there.chain(gone).map(|check| (node.clone(), Check::Ceph(check))).collect()
}

/// The file nobody reads at boot, without the lines of the old guide.
fn sysctls(node: &NodeName, fleet: &Fleet, gone: &[&Audited]) -> Option<Step> {
    without(node, fleet, system::SYSCTL_CONF, "nothing reads this file at boot", |line| {
        let mut keys = system::lines(line).map(|(key, _)| key);
        keys.next().is_some_and(|key| stands(gone, node, system::SYSCTL_CONF, &key) && system::of_guide(&key))
    })
}

fn modules(node: &NodeName, fleet: &Fleet, gone: &[&Audited]) -> Option<Step> {
    without(node, fleet, system::MODULES, "/etc/modules-load.d/ringbolt.conf has the same", |line| {
        stands(gone, node, system::MODULES, line.trim())
    })
}

fn stands(gone: &[&Audited], node: &NodeName, path: &str, name: &str) -> bool {
    let place = Place::File { node: node.clone(), path: path.to_owned() };
    gone.iter().any(|s| s.name == name && s.place == place)
}

/// A file without some of its lines.
fn without(
    node: &NodeName,
    fleet: &Fleet,
    path: &str,
    why: &'static str,
    drops: impl Fn(&str) -> bool,
) -> Option<Step> {
    let facts = fleet.nodes.get(node)?;
    let text = facts.text(path)?;
    let kept: String = text.split_inclusive('\n').filter(|line| !drops(line)).collect();
    if kept == text {
        return None;
    }
    let mode = facts.state.files.get(path).map_or(0o644, |f| f.mode & 0o7777);
    Some(Step { why: why.into(), ..write_file(node, facts, Phase::Prepare, path, kept.into(), mode) })
}

/// What the daemons of a section have of an option once `set` and `remove` are carried out in the database: the value,
/// and the wider section it then comes from. `None` where nothing is left but Ceph's default.
pub fn heir<'a>(
    audit: &'a Audit,
    (section, name): (&'a str, &str),
    set: &'a [(String, String, String)],
    remove: &[(String, String)],
) -> Option<(&'a str, &'a str)> {
    wider(section).into_iter().find_map(|place| {
        if let Some((_, _, value)) = set.iter().find(|(s, n, _)| s == place && n == name) {
            return Some((value.as_str(), place));
        }
        if remove.iter().any(|(s, n)| s == place && n == name) {
            return None;
        }
        let stays = |s: &&Audited| s.name == name && matches!(&s.place, Place::Database(d) if d == place);
        audit.settings.iter().find(stays).map(|s| (s.value.as_str(), place))
    })
}

/// The sections that reach the daemons of one as well, the nearest first: `osd.1`, `osd`, `global`.
fn wider(section: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for end in ['/', '.'] {
        let from = all.last().copied().unwrap_or(section);
        all.extend(from.split_once(end).map(|(before, _)| before));
    }
    if section != "global" {
        all.push("global");
    }
    all
}

/// Names that were given and are neither set anywhere nor in the table.
pub fn strangers<'n>(names: &'n BTreeSet<String>, audit: &Audit) -> Vec<&'n str> {
    let strange = |n: &&String| known(n).is_none() && !audit.settings.iter().any(|s| s.name == **n);
    names.iter().filter(strange).map(String::as_str).collect()
}
