//! The outcome of `verify`: one line per direction of each link, one per pair of nodes that are not
//! neighbours or fail, one per node for what must survive a reboot.

use ringbolt_core::arrange::Arrange;
use ringbolt_core::check::{Check, Finding};
use ringbolt_core::sim::MARK;
use ringbolt_core::verify::{Cabling, LinkRow, Report, WHOLE_COUNT};

use super::table::Table;
use super::text::hang;
use super::{Style, count, obstacle, verify_ceph};

/// The whole report.
pub(crate) fn report(report: &Report, style: Style) -> String {
    let mut text = links(report, style);
    text += &routes(report, style);
    text += &promises(report, style);
    text += &report.ceph.as_ref().map(|c| verify_ceph::report(c, style)).unwrap_or_default();
    for (_, why) in &report.silent {
        text += &hang(&format!("silent    {} ", style.red("no")), why, style.width);
    }
    text += "\n";
    text += &obstacle::notes(&report.notes, style);
    let made_up = if report.stand_ins.iter().any(|part| part == MARK) {
        hang("Simulated: ", "these nodes are values; nothing here was measured on a machine.", style.width)
    } else if report.stand_ins.is_empty() {
        String::new()
    } else {
        hang("Lab: stood in for here: ", &format!("{}.", report.stand_ins.join(", ")), style.width)
    };
    text += &made_up.lines().map(|line| style.dim(line) + "\n").collect::<String>();
    text += &if report.ok {
        let head = format!("{} ", style.green("verified:"));
        let sum = format!(
            "{}, both ways; {}; nothing is missing for the next reboot.",
            count(cables(report), "link"),
            count(report.routes.len(), "route")
        );
        hang(&head, &sum, style.width)
    } else {
        format!("{} what is marked `no` above does not hold.\n", style.red("not verified:"))
    };
    for advice in advice(report) {
        text += &hang("  - ", &style.paste(&advice), style.width);
    }
    text
}

/// What does not hold, and what to do about it: the report for who wants to hear nothing else.
pub(crate) fn failures(report: &Report, style: Style) -> String {
    let bad = Report { links: report.links.iter().filter(|l| !l.ok).cloned().collect(), ..report.clone() };
    let mut text = links(&bad, style) + &broken_routes(report, style) + &broken_promises(report, style);
    text += &report.ceph.as_ref().map(|c| verify_ceph::failures(c, style)).unwrap_or_default();
    for (_, why) in &report.silent {
        text += &hang(&format!("silent    {} ", style.red("no")), why, style.width);
    }
    for advice in advice(report) {
        text += &hang("  - ", &style.paste(&advice), style.width);
    }
    text
}

/// Links with a cable: two rows each, or one to a switch.
fn cables(report: &Report) -> usize {
    let of = |cabling: Cabling| report.links.iter().filter(|l| l.cabling == cabling).count();
    of(Cabling::In) / 2 + of(Cabling::Switch)
}

fn links(report: &Report, style: Style) -> String {
    if report.links.is_empty() {
        return String::new();
    }
    let heading =
        ["link", "", "carrier", "MTU", "IP", "neighbour", "BFD", "full MTU", "lost", "p50", "p99", "max ms"];
    let mut table = Table::new(&heading);
    for row in &report.links {
        table.row(link(row, style));
    }
    // In a narrow window the slowest reply says most, and neighbours say that address and carrier are there.
    format!("{}\n", table.within(style.width, &[9, 10, 4, 2]))
}

fn link(row: &LinkRow, style: Style) -> Vec<String> {
    let dash = || style.dim("–");
    let to = row.to.as_ref().map_or("–".to_owned(), ToString::to_string);
    let mut cells = vec![format!("{}:{} → {to}", row.from, row.port)];
    if row.cabling == Cabling::Free {
        cells.extend([dash(), style.dim("no cable")]);
        return cells;
    }
    cells.push(if row.ok { style.green("ok") } else { style.red("no") });
    for about in [About::Carrier, About::Mtu, About::Address, About::Neighbor, About::Bfd] {
        cells.push(cell(row, about, style));
    }
    let got: u32 = row.whole.iter().sum();
    let want = WHOLE_COUNT * u32::try_from(row.whole.len()).unwrap_or(1);
    cells.push(part(got, want, got == want, style));
    cells.push(part(row.lost, row.sent, row.lost == 0, style));
    let times = row.latency.map(|l| [l.p50, l.p99, l.max]);
    cells.extend((0..3).map(|n| times.map_or_else(dash, |times| format!("{:.2}", times[n]))));
    cells
}

fn part(n: u32, of: u32, good: bool, style: Style) -> String {
    match (of, good) {
        (0, _) => style.dim("–"),
        (_, true) => format!("{n}/{of}"),
        (_, false) => style.red(&format!("{n}/{of}")),
    }
}

/// A column of the table of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Carrier,
    Mtu,
    Address,
    Neighbor,
    Bfd,
}

fn about(check: &Check) -> Option<About> {
    match check {
        Check::Carrier { .. } => Some(About::Carrier),
        Check::Mtu { .. } => Some(About::Mtu),
        Check::Address { .. } => Some(About::Address),
        Check::Neighbor { .. } => Some(About::Neighbor),
        Check::Bfd { .. } => Some(About::Bfd),
        _ => None,
    }
}

/// A finding in one or two words: the table is read at a glance.
fn cell(row: &LinkRow, column: About, style: Style) -> String {
    let findings: Vec<&Finding> = row.findings.iter().filter(|f| about(&f.check) == Some(column)).collect();
    if let Some(bad) = findings.iter().find(|f| !f.holds) {
        let words = match (column, bad.evidence.as_str()) {
            (About::Carrier, "administratively down") => "set down",
            (About::Carrier, "no such interface") => "no port",
            (About::Mtu | About::Address | About::Neighbor | About::Bfd, "no such interface") => "–",
            (About::Neighbor, "no neighbour") | (About::Bfd, "no session") => "none",
            (About::Address, _) => "missing",
            (_, evidence) => evidence,
        };
        return style.red(words);
    }
    match (findings.first(), column) {
        (None, _) => style.dim("–"),
        (Some(_), About::Address) => "ok".into(),
        (Some(_), About::Neighbor) => "up".into(),
        (Some(good), _) => good.evidence.clone(),
    }
}

/// What to do about links and promises that do not hold, each thing once.
fn advice(report: &Report) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for row in report.links.iter().filter(|l| !l.ok && !leads_to_silence(l, report) && !follows(l, report)) {
        let advice = of_link(row);
        if !list.contains(&advice) {
            list.push(advice);
        }
    }
    if report.promises.iter().any(|p| !p.broken.is_empty()) {
        list.push(
            "`ringbolt plan` shows what is missing for the next reboot, `ringbolt apply` puts it back".into(),
        );
    }
    if report.links.iter().all(|l| l.ok) && report.routes.iter().any(|r| !r.ok) {
        list.push("all links are fine, but routes are not: wait ten seconds and look again; `vtysh -c 'show openfabric topology'` on the node shows what it knows".into());
    }
    for (node, _) in &report.silent {
        list.push(format!(
            "{node} does not answer, so its links show no more than that: `ringbolt plan` tells why ssh fails"
        ));
    }
    list
}

/// Whether the far end of a cable is a node that does not answer: that is said once for the node.
fn leads_to_silence(row: &LinkRow, report: &Report) -> bool {
    row.to.as_ref().is_some_and(|to| report.silent.iter().any(|(node, _)| node == to))
}

/// Whether a port has no light because its far end is set down: that end is what to look at.
fn follows(row: &LinkRow, report: &Report) -> bool {
    let carrier = |row: &LinkRow, evidence: &str| {
        row.findings.iter().any(|f| about(&f.check) == Some(About::Carrier) && f.evidence == evidence)
    };
    let far = |l: &&LinkRow| row.to.as_ref() == Some(&l.from) && l.to.as_ref() == Some(&row.from);
    carrier(row, "no carrier") && report.links.iter().filter(far).any(|l| carrier(l, "administratively down"))
}

fn of_link(row: &LinkRow) -> String {
    let (from, port) = (&row.from, &row.port);
    let to = row.to.as_ref().map_or("its far end".to_owned(), ToString::to_string);
    let bad = |column: About| row.findings.iter().find(|f| !f.holds && about(&f.check) == Some(column));
    let carrier = bad(About::Carrier).map(|f| f.evidence.as_str());
    match carrier {
        _ if row.cabling == Cabling::Missing => {
            let mut ends = [from.to_string(), to];
            ends.arrange();
            format!(
                "the cable {} is out: plug it in; if it was taken out for good, `ringbolt apply --forget-cables`",
                ends.join("–")
            )
        }
        Some("administratively down") => {
            format!(
                "{from}:{port} is set down on {from}: `ringbolt apply` sets it up, if nobody is at work there"
            )
        }
        Some(_) => format!(
            "{from}:{port} has no light: look at both ends of the cable to {to}, and whether the port is up there"
        ),
        None if bad(About::Mtu).is_some() || bad(About::Address).is_some() => {
            format!("{from}:{port} has lost its MTU or address: `ringbolt apply` sets it")
        }
        None if bad(About::Neighbor).is_some() => format!(
            "{from}:{port} has light, but does not hear {to}: if it stays so for 10 s, the cable carries nothing in one direction, or FRR does not run on {to}"
        ),
        None if bad(About::Bfd).is_some() => {
            format!(
                "{from}:{port} has a neighbour, but no BFD session: `systemctl status frr` on {from} and {to}"
            )
        }
        None if row.lost == 0 => {
            format!(
                "{from}:{port} loses large packets only: compare the MTU at both ends, try another cable to {to}"
            )
        }
        None => format!("{from}:{port} loses packets: try another cable to {to}"),
    }
}

/// Pairs in short: a matrix of hops up to eight nodes, and each broken route in a line.
fn routes(report: &Report, style: Style) -> String {
    let mut text = String::new();
    let good = report.routes.iter().filter(|r| r.ok).count();
    if !report.routes.is_empty() {
        let sum = format!(
            "{good} of {} router IDs reached at full MTU over the shortest path",
            report.routes.len()
        );
        text += &hang("routes    ", &sum, style.width);
    }
    text + &broken_routes(report, style)
}

fn broken_routes(report: &Report, style: Style) -> String {
    let mut text = String::new();
    for row in report.routes.iter().filter(|r| !r.ok) {
        let line = format!(
            "{} → {} ({}): {}, {}/{WHOLE_COUNT} packets of full MTU; should be {}",
            row.from,
            row.to,
            row.id,
            row.finding.evidence,
            row.whole,
            count(row.hops as usize, "hop"),
        );
        text += &hang(&format!("          {} ", style.red("no")), &line, style.width);
    }
    text
}

fn promises(report: &Report, style: Style) -> String {
    let total: u32 = report.promises.iter().map(|p| p.count).sum();
    let broken: usize = report.promises.iter().map(|p| p.broken.len()).sum();
    let sum = format!(
        "{} of {total} things that must be there again after a reboot are in place",
        total as usize - broken
    );
    hang("reboot    ", &sum, style.width) + &broken_promises(report, style)
}

fn broken_promises(report: &Report, style: Style) -> String {
    let mut text = String::new();
    for row in &report.promises {
        for finding in &row.broken {
            text += &format!(
                "          {} {}: {}: {}\n",
                style.red("no"),
                row.node,
                ringbolt_control::apply::in_words(&finding.check),
                finding.evidence
            );
        }
    }
    text
}
