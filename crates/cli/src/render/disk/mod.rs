//! Disks as a table: what each is, how it is, and what becomes of it.
//!
//! Used by `discover` (all of them) and `plan` (those the spec asks for). What becomes of a disk was decided by
//! `bind::disks`; here it is put into words.

use std::collections::BTreeMap;

use ringbolt_core::action::{Action, CephDeed};
use ringbolt_core::arrange::Arrange;
use ringbolt_core::bind::disks::{Chosen, DiskChoice, Fate, HOT, Ours, WORN, own_osds};
use ringbolt_core::facts::disk::{Disk, Use, size_text};
use ringbolt_core::facts::{Facts, Known, not_asked};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;
use ringbolt_core::obstacle::Obstacle;
use ringbolt_core::plan::Plan;
use ringbolt_core::spec::Node;
use ringbolt_core::survey::Survey;
use serde::Serialize;

use super::Style;
use super::table::Table;

#[cfg(test)]
mod tests;

/// What becomes of a disk, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Becomes {
    /// It is free and the spec asks for it.
    Osd,
    /// It is erased first: the spec says so.
    Wiped,
    /// It is an OSD, or carries part of one, already.
    Already,
    /// The spec asks for it, and something is in the way.
    Refused,
    /// Something is on it, or nobody knows.
    LeftAlone,
    /// Nothing is on it and nobody asks for it.
    Free,
}

/// One line of the table; as JSON only what the facts do not say.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// Device node; empty where the disks of a node could not be read.
    path: &'a str,
    becomes: Becomes,
    /// The same for people, with the reason.
    text: String,
    #[serde(skip)]
    disk: Option<&'a Disk>,
}

/// Rows of each node that was asked for its disks, by path.
pub(crate) fn rows(survey: &Survey) -> BTreeMap<&NodeName, Vec<Row<'_>>> {
    let ours = Ours::of(&survey.fleet);
    let nodes = survey.spec.nodes.iter();
    nodes
        .filter_map(|node| {
            let facts = survey.fleet.nodes.get(&node.name)?;
            let choice = survey.desired.ceph.as_ref().and_then(|c| c.disks.get(&node.name));
            let rows = of_node(node, facts, choice, ours);
            (!rows.is_empty()).then_some((&node.name, rows))
        })
        .into_map()
}

/// Of these rows those `plan` shows: disks the spec asks for, on nodes where some are to become OSDs or are refused.
pub(crate) fn due<'a>(
    plan: &Plan,
    rows: BTreeMap<&'a NodeName, Vec<Row<'a>>>,
) -> BTreeMap<&'a NodeName, Vec<Row<'a>>> {
    let made = |node: &NodeName| {
        let deed = |a: &Action| matches!(a, Action::Ceph(CephDeed::Osd(_) | CephDeed::Wipe { .. }));
        plan.steps.iter().any(|s| s.node.as_ref() == Some(node) && s.action.as_ref().is_some_and(deed))
    };
    let asked = |row: &Row<'_>| !matches!(row.becomes, Becomes::LeftAlone | Becomes::Free);
    rows.into_iter()
        .filter(|(node, rows)| made(node) || rows.iter().any(|r| r.becomes == Becomes::Refused))
        .map(|(node, rows)| (node, rows.into_iter().filter(asked).collect()))
        .into_map()
}

/// The table; columns in which no disk has a value are left out.
pub(crate) fn table(rows: &BTreeMap<&NodeName, Vec<Row<'_>>>, style: Style) -> String {
    let heading =
        ["node", "disk", "model", "serial", "size", "wear", "temperature", "health", "what becomes of it"];
    let mut lines = Vec::new();
    for (node, rows) in rows {
        for (at, row) in rows.iter().enumerate() {
            lines.push(row.cells(if at == 0 { node.as_str() } else { "" }, style));
        }
    }
    let told: Vec<bool> = (0..heading.len()).map(|at| lines.iter().any(|l| !l[at].is_empty())).collect();
    let columns = || told.iter().enumerate().filter(|(_, told)| **told).map(|(at, _)| at);
    let mut table = Table::new(&columns().map(|at| heading[at]).collect::<Vec<_>>());
    for line in &lines {
        let cell = |at: usize| match line[at].as_str() {
            "" if at > 0 => style.dim("–"),
            text => text.to_owned(),
        };
        table.row(columns().map(cell).collect());
    }
    // What tells disks apart and what becomes of them stays: temperature, wear, size and model go before.
    let spare: Vec<usize> = [6, 5, 4, 2].iter().filter_map(|at| columns().position(|c| c == *at)).collect();
    table.within(style.width, &spare)
}

impl Row<'_> {
    fn cells(&self, node: &str, style: Style) -> [String; 9] {
        let text = match self.becomes {
            Becomes::Osd => style.green(&self.text),
            Becomes::Wiped => style.red(&self.text),
            Becomes::Refused => style.yellow(&self.text),
            Becomes::Already => self.text.clone(),
            Becomes::LeftAlone | Becomes::Free => style.dim(&self.text),
        };
        let Some(disk) = self.disk else {
            let mut cells = <[String; 9]>::default();
            cells[0] = node.into();
            cells[8] = text;
            return cells;
        };
        let health = disk.health.yes();
        let marked = |bad: bool, text: String| if bad { style.yellow(&text) } else { text };
        let wear = health.and_then(|h| h.wear).map(|w| marked(w >= WORN, format!("{w} %")));
        let heat = health.and_then(|h| h.temperature).map(|t| marked(t >= HOT, format!("{t} °C")));
        let verdict = match health.and_then(|h| h.passed) {
            Some(true) => "good".to_owned(),
            Some(false) => style.red("failed"),
            None => String::new(),
        };
        [
            node.into(),
            disk.path.clone(),
            disk.model.clone(),
            disk.serial.clone(),
            size_text(disk.size),
            wear.unwrap_or_default(),
            heat.unwrap_or_default(),
            verdict,
            text,
        ]
    }
}

fn of_node<'a>(node: &Node, facts: &'a Facts, choice: Option<&DiskChoice>, ours: Ours<'_>) -> Vec<Row<'a>> {
    let disks = match &facts.inventory.disks {
        Known::Yes(disks) => disks,
        known if *known == not_asked() => return Vec::new(),
        Known::No(why) => {
            let becomes = if node.osds.is_empty() { Becomes::LeftAlone } else { Becomes::Refused };
            return vec![Row { path: "", becomes, text: format!("not known: {why}"), disk: None }];
        }
    };
    let mut disks: Vec<&Disk> = disks.iter().collect();
    disks.arrange_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    let row = |disk: &'a Disk| {
        let (becomes, text) = fate(node, disk, choice, ours);
        Row { path: &disk.path, becomes, text, disk: Some(disk) }
    };
    disks.into_iter().map(row).collect()
}

/// What becomes of a disk, as a word and in words.
fn fate(node: &Node, disk: &Disk, choice: Option<&DiskChoice>, ours: Ours<'_>) -> (Becomes, String) {
    if let Some(choice) = choice {
        if let Some(refusal) = choice.refused.iter().find(|r| names(r, disk)) {
            return (Becomes::Refused, format!("refused: {}", reason(refusal, disk)));
        }
        let has = |c: &&Chosen| c.disk.path == disk.path;
        let count = node.osd.per_device.max(1);
        let osd = if count == 1 { "an OSD".to_owned() } else { format!("{count} OSDs") };
        if let Some(chosen) = choice.chosen.iter().find(has) {
            return asked(choice, chosen, &osd);
        }
        for (aside, what) in [(&choice.db, "databases of OSDs"), (&choice.wal, "write-ahead logs of OSDs")] {
            let Some(chosen) = aside.iter().find(has) else { continue };
            if choice.chosen.iter().all(|c| matches!(c.fate, Fate::Already(_))) {
                return (Becomes::Already, format!("for {what}; none is new"));
            }
            return asked(choice, chosen, &format!("room for {what}"));
        }
    }
    let own = own_osds(disk, ours);
    match disk.uses.as_slice() {
        _ if !own.is_empty() => (Becomes::Already, format!("{}, not asked for", numbers(&own))),
        [] => (Becomes::Free, "free, not asked for".into()),
        _ => (Becomes::LeftAlone, format!("left alone: {}", brief(disk))),
    }
}

/// A chosen disk; with a refusal on the node nothing happens to any of its disks.
fn asked(choice: &DiskChoice, chosen: &Chosen, what: &str) -> (Becomes, String) {
    let held = if choice.refused.is_empty() { "" } else { ", once nothing on this node is refused" };
    match &chosen.fate {
        Fate::Already(own) => (Becomes::Already, format!("{} already", numbers(own))),
        Fate::Create => (Becomes::Osd, format!("becomes {what}{held}")),
        Fate::Wipe(_) => (Becomes::Wiped, format!("wiped, then {what}{held}: {}", brief(&chosen.disk))),
    }
}

/// `OSD 3`, `OSDs 3, 4`.
fn numbers(osds: &[u32]) -> String {
    let list: Vec<String> = osds.iter().map(ToString::to_string).collect();
    format!("OSD{} {}", if osds.len() == 1 { "" } else { "s" }, list.join(", "))
}

/// Whether a refusal is about this disk: its path is a word of the message.
fn names(refusal: &Obstacle, disk: &Disk) -> bool {
    let bare = |word: &str| word.trim_matches(|c| "(),:".contains(c)) == disk.path;
    refusal.message.split(' ').any(bare)
}

/// Why a disk is refused, without saying again which it is.
fn reason(refusal: &Obstacle, disk: &Disk) -> String {
    let head = format!("{} ({}) ", disk.path, disk.described());
    let text = refusal.message.strip_prefix(&head).unwrap_or(&refusal.message);
    if disk.uses.is_empty() || disk.is_system() {
        text.to_owned()
    } else {
        format!("{text}: {}", brief(disk))
    }
}

/// What is on a disk, in few words: `system`, `2 partitions, ext4, mounted at /data`.
fn brief(disk: &Disk) -> String {
    if disk.is_system() {
        return "system".into();
    }
    let partitions = disk.uses.iter().filter(|u| matches!(u, Use::Partition(_))).count();
    let mut words = Vec::new();
    if partitions > 0 {
        words.push(super::count(partitions, "partition"));
    }
    for part in &disk.uses {
        let word = match part {
            Use::Partition(_) => continue,
            Use::Table(_) if partitions > 0 => continue,
            Use::Ceph { osd: Some(number), cluster: Some(id), .. } => {
                format!("OSD {number} of cluster {}", id.split('-').next().unwrap_or_default())
            }
            other => other.to_string().trim_start_matches("file system ").to_owned(),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}
