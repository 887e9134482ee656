//! The outcome of `verify`: one line per direction of each link, one per pair of nodes that are not
//! neighbours or fail, one per node for what must survive a reboot.

use ringbolt_core::check::Check;
use ringbolt_core::verify::{LinkRow, Report, WHOLE_COUNT};

use super::table::Table;
use super::{Style, count};

/// The whole report.
pub(crate) fn report(report: &Report, style: Style) -> String {
    let mut text = links(report, style);
    text += &routes(report, style);
    text += &promises(report, style);
    for (node, why) in &report.silent {
        text += &format!("{} {node} did not answer: {why}\n", style.red("silent:"));
    }
    text += "\n";
    if !report.stand_ins.is_empty() {
        text += &style.dim(&format!("Lab: stood in for here: {}.\n", report.stand_ins.join(", ")));
    }
    text += &if report.ok {
        format!(
            "{} {}, both ways; {}; nothing is missing for the next reboot.\n",
            style.green("verified:"),
            count(report.links.len() / 2, "link"),
            count(report.routes.len(), "route")
        )
    } else {
        format!("{} what is marked above does not hold.\n", style.red("not verified:"))
    };
    text
}

fn links(report: &Report, style: Style) -> String {
    if report.links.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        "link",
        "",
        "carrier",
        "MTU",
        "address",
        "neighbour",
        "BFD",
        "full MTU",
        "lost",
        "p50 / p99 / max ms",
    ]);
    for row in &report.links {
        table.row(link(row, style));
    }
    format!("{}\n", table.render(0))
}

fn link(row: &LinkRow, style: Style) -> Vec<String> {
    let to = row.to.as_ref().map_or("–".to_owned(), ToString::to_string);
    let mark = if row.ok { style.green("ok") } else { style.red("no") };
    let cell = |pick: fn(&Check) -> bool| -> String {
        let Some(finding) = row.findings.iter().find(|f| pick(&f.check)) else { return style.dim("–") };
        if finding.holds { finding.evidence.clone() } else { style.red(&finding.evidence) }
    };
    let whole = if row.whole.is_empty() {
        style.dim("–")
    } else {
        let got: u32 = row.whole.iter().sum();
        let want = WHOLE_COUNT * u32::try_from(row.whole.len()).unwrap_or(1);
        let shown = format!("{got}/{want}");
        if got == want { shown } else { style.red(&shown) }
    };
    let lost = match (row.sent, row.lost) {
        (0, _) => style.dim("–"),
        (sent, 0) => format!("0/{sent}"),
        (sent, lost) => style.red(&format!("{lost}/{sent}")),
    };
    let latency =
        row.latency.map_or_else(|| style.dim("–"), |l| format!("{:.2} / {:.2} / {:.2}", l.p50, l.p99, l.max));
    vec![
        format!("{}:{} → {to}", row.from, row.port),
        mark,
        cell(|c| matches!(c, Check::Carrier { .. })),
        cell(|c| matches!(c, Check::Mtu { .. })),
        cell(|c| matches!(c, Check::Address { .. })),
        cell(|c| matches!(c, Check::Neighbor { .. })),
        cell(|c| matches!(c, Check::Bfd { .. })),
        whole,
        lost,
        latency,
    ]
}

/// Pairs in short: a matrix of hops up to eight nodes, and each broken route in a line.
fn routes(report: &Report, style: Style) -> String {
    let mut text = String::new();
    let good = report.routes.iter().filter(|r| r.ok).count();
    if !report.routes.is_empty() {
        text += &format!(
            "routes    {} of {} router IDs reached at full MTU over the shortest path\n",
            good,
            report.routes.len()
        );
    }
    for row in report.routes.iter().filter(|r| !r.ok) {
        text += &format!(
            "          {} {} → {} ({}): {}, {}/{WHOLE_COUNT} packets of full MTU; should be {}\n",
            style.red("no"),
            row.from,
            row.to,
            row.id,
            row.finding.evidence,
            row.whole,
            count(row.hops as usize, "hop"),
        );
    }
    text
}

fn promises(report: &Report, style: Style) -> String {
    let total: u32 = report.promises.iter().map(|p| p.count).sum();
    let broken: usize = report.promises.iter().map(|p| p.broken.len()).sum();
    let mut text = format!(
        "reboot    {} of {total} things that must be there again after a reboot are in place\n",
        total as usize - broken
    );
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
