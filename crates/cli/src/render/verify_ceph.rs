//! Ceph in the outcome of `verify`: one line an area, and below it what does not hold.

use ringbolt_control::apply::in_words;
use ringbolt_core::check::{CephCheck, Check};
use ringbolt_core::verify::{Area, CephReport, CephRow};

use super::Style;
use super::text::hang;

const AREAS: [(Area, &str); 11] = [
    (Area::Monitors, "monitors"),
    (Area::Daemons, "managers"),
    (Area::Osds, "OSDs"),
    (Area::Networks, "addresses"),
    (Area::Crush, "CRUSH tree"),
    (Area::Pools, "pools"),
    (Area::Health, "health"),
    (Area::Options, "options"),
    (Area::Storage, "storage"),
    (Area::Conf, "ceph.conf"),
    (Area::Boot, "at boot"),
];

/// The part about Ceph.
pub(crate) fn report(report: &CephReport, style: Style) -> String {
    let mut text = String::from("\n");
    for (area, name) in AREAS {
        let rows: Vec<&CephRow> = report.rows.iter().filter(|r| r.area == area).collect();
        if rows.is_empty() {
            continue;
        }
        let held = rows.iter().filter(|r| r.finding.holds).count();
        let mark = if held == rows.len() { style.green("ok") } else { style.red("no") };
        text += &hang(&format!("{name:<10} {mark}  "), &seen(report, area, &rows, held), style.width);
        for row in rows.iter().filter(|r| !r.finding.holds) {
            text += &failure(row, style);
        }
    }
    for warning in &report.warnings {
        text += &hang(&format!("{} ", style.yellow("danger:")), warning, style.width);
    }
    text
}

/// Only what does not hold.
pub(crate) fn failures(report: &CephReport, style: Style) -> String {
    report.rows.iter().filter(|r| !r.finding.holds).map(|row| failure(row, style)).collect()
}

fn failure(row: &CephRow, style: Style) -> String {
    let head = format!("  {} {}: ", style.red("no"), row.node);
    hang(&head, &format!("{}: {}", in_words(&row.finding.check), row.finding.evidence), style.width)
}

/// What an area looks like when it is well.
fn seen(report: &CephReport, area: Area, rows: &[&CephRow], held: usize) -> String {
    let count = if held == rows.len() { held.to_string() } else { format!("{held} of {}", rows.len()) };
    match area {
        Area::Monitors => format!("{count} in quorum, {} leads", said(&report.leader)),
        Area::Daemons => {
            let all = |r: &&&CephRow| matches!(r.finding.check, Check::Ceph(CephCheck::Managers { .. }));
            rows.iter().find(all).map_or(count, |r| r.finding.evidence.clone())
        }
        Area::Health => {
            let list: Vec<&str> = rows.iter().map(|r| r.finding.evidence.as_str()).collect();
            list.join("; ")
        }
        Area::Pools | Area::Storage => {
            let list = rows.iter().map(|r| match &r.finding.check {
                Check::Ceph(check) => check.in_words(),
                _ => String::new(),
            });
            list.collect::<Vec<_>>().join(", ")
        }
        Area::Osds => {
            let up = |r: &&&CephRow| matches!(r.finding.check, Check::Ceph(CephCheck::Up { .. }));
            let (all, bad) = (rows.iter().filter(up).count(), rows.len() - held);
            match bad {
                0 => format!("{all} up and in, each on its disk"),
                _ => format!("{all} in the map, {bad} of {} checks do not hold", rows.len()),
            }
        }
        Area::Networks | Area::Crush | Area::Options | Area::Conf | Area::Boot if held < rows.len() => {
            format!("{count} checks hold")
        }
        Area::Networks => format!("{count} OSDs in the networks of the spec"),
        Area::Crush => {
            let weight = |r: &&&CephRow| matches!(r.finding.check, Check::Ceph(CephCheck::Weight { .. }));
            format!("{} OSDs below their hosts, with their weights", rows.iter().filter(weight).count())
        }
        Area::Options => format!("{count} as the profile has them"),
        Area::Conf => "the same on every node, with the networks of the spec".to_owned(),
        Area::Boot => format!("{count} services come back after a boot"),
    }
}

fn said(name: &str) -> &str {
    if name.is_empty() { "nobody" } else { name }
}
