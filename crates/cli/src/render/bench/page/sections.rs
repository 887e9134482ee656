//! The tables and plots of one run within the page.

use std::collections::BTreeMap;

use ringbolt_core::bench::ceph::verdict::sides;
use ringbolt_core::bench::ceph::{CephResult, Setup};
use ringbolt_core::bench::interrupts::Interrupts;
use ringbolt_core::bench::machine::Machine;
use ringbolt_core::bench::mesh::{FlowResult, LinkResult, WayResult};
use ringbolt_core::name::NodeName;

use super::svg::{bars, escaped, histogram, over_time};
use super::table;
use crate::render::bench::mesh::{shares, shown_steps, span};
use crate::render::bench::{ceph as words, number};

fn ways(links: &[LinkResult]) -> impl Iterator<Item = (String, &WayResult)> {
    links.iter().flat_map(|link| (0..2).map(|way| (link.link.way(way), &link.ways[way])))
}

/// The links of a run.
pub(super) fn mesh(links: &[LinkResult]) -> String {
    let (mut trips, mut flows) = (Vec::new(), Vec::new());
    let steps = shown_steps(links);
    let span = span(&steps);
    for (name, way) in ways(links) {
        for (what, latency) in [("idle", &way.idle), ("loaded", &way.loaded)] {
            let Some(l) = latency else { continue };
            let late = [Some(l.p50), Some(l.p90), Some(l.p99), l.p999, Some(l.max)];
            let mut cells = vec![escaped(&name), what.to_owned()];
            cells.extend(late.map(|ms| ms.map_or_else(|| "–".to_owned(), number)));
            cells.push(format!("{}/{}", l.lost, l.sent));
            let counts = l.histogram.get(steps.clone()).unwrap_or_default();
            cells.push(histogram(counts, &format!("{name} {what}, how many replies took how long, {span}")));
            trips.push(cells);
        }
        for run in &way.flows {
            let both = if run.both { "both ways" } else { "alone" };
            flows.push(vec![
                escaped(&name),
                format!("{} {both}", crate::render::count(run.streams as usize, "stream")),
                format!("{:.1}", run.flow.gbits),
                run.flow.retransmits.to_string(),
                format!("{:.0} / {:.0} %", run.cpu_sender, run.cpu_receiver),
                escaped(&served(run)),
                over_time(&run.flow.samples, &format!("{name}, Gbit/s over time")),
            ]);
        }
    }
    let best: Vec<(String, f64)> = ways(links).filter_map(|(name, way)| Some((name, way.best()?))).collect();
    let rows: Vec<(&str, f64, String)> =
        best.iter().map(|(name, gbits)| (name.as_str(), *gbits, format!("{gbits:.1} Gbit/s"))).collect();
    format!(
        "<h3>Throughput</h3>\n{}{}<h3>Round trips (ms)</h3>\n{}{}",
        bars(&rows, 0.0, "best throughput of each direction"),
        table(
            &["", "", "Gbit/s", "resent", "CPU from / to", "interrupts from / to", "Gbit/s over time"],
            &flows
        ),
        table(&["", "", "p50", "p90", "p99", "p99.9", "max", "lost", &span], &trips),
        sizes(links)
    )
}

/// Which processors served the interrupts of both ends.
fn served(run: &FlowResult) -> String {
    let end = |seen: Option<&Interrupts>| {
        let list = seen.map(shares).unwrap_or_default();
        let words: Vec<String> = list.into_iter().map(|(text, _)| text).collect();
        if words.is_empty() { "–".to_owned() } else { words.join(" ") }
    };
    match (&run.interrupts_sender, &run.interrupts_receiver) {
        (None, None) => "–".to_owned(),
        (one, other) => format!("{} / {}", end(one.as_ref()), end(other.as_ref())),
    }
}

fn sizes(links: &[LinkResult]) -> String {
    let rows = || ways(links).flat_map(|(_, way)| &way.sizes);
    let (sent, came): (u32, u32) = (rows().map(|r| r.sent).sum(), rows().map(|r| r.came).sum());
    if sent == 0 {
        String::new()
    } else {
        format!("<p>{came} of {sent} packets of all sizes passed unfragmented.</p>\n")
    }
}

/// A pool.
pub(super) fn ceph(setup: &Setup, result: &CephResult) -> String {
    let mut text = format!("<p>{}</p>\n", escaped(&words::about(setup)));
    let objects: Vec<Vec<String>> = result
        .rados
        .iter()
        .map(|phase| {
            let word = phase.kind.word();
            let mut cells = vec![word.to_owned()];
            cells.extend([phase.mb, phase.iops, phase.mean_ms, phase.max_ms].map(number));
            cells.push(over_time(&phase.samples, &format!("rados {word}, MB/s over time")));
            cells
        })
        .collect();
    if !objects.is_empty() {
        text += "<h3>Objects of 4 MiB, 16 at a time (rados bench)</h3>\n";
        text += &table(&["", "MB/s", "op/s", "mean ms", "max ms", "MB/s over time"], &objects);
    }
    // One scale for all, so that bars can be compared.
    let slowest = sides(result).map(|(_, side)| side.p999.unwrap_or(side.p99)).fold(0.0, f64::max);
    let requests: Vec<Vec<String>> = sides(result)
        .map(|(name, side)| {
            let mut cells = vec![escaped(&name)];
            cells.extend([side.mb, side.iops].map(number));
            let late = [
                ("p50", Some(side.p50)),
                ("p95", Some(side.p95)),
                ("p99", Some(side.p99)),
                ("p99.9", side.p999),
            ];
            let rows: Vec<(&str, f64, String)> = late
                .into_iter()
                .filter_map(|(p, ms)| Some((p, ms?, format!("{} ms", number(ms?)))))
                .collect();
            cells.push(bars(&rows, slowest, &format!("{name}: latencies")));
            cells.push(over_time(&side.samples, &format!("{name}, MB/s over time")));
            cells
        })
        .collect();
    if !requests.is_empty() {
        text += "<h3>Requests to an image (fio)</h3>\n";
        text += &table(&["", "MB/s", "op/s", "latency", "MB/s over time"], &requests);
    }
    text
}

/// The machines it was measured on.
pub(super) fn machines(all: &BTreeMap<NodeName, Machine>) -> String {
    let row = |(node, machine): (&NodeName, &Machine)| {
        let tools: Vec<String> =
            machine.tools.iter().map(|(tool, version)| format!("{tool} {version}")).collect();
        vec![
            escaped(node.as_str()),
            escaped(&machine.processor),
            machine.cpus.to_string(),
            format!("{:.0}", machine.memory as f64 / f64::from(1 << 30)),
            escaped(&machine.kernel),
            number(machine.load),
            machine.hottest.map_or_else(|| "–".to_owned(), |degrees| format!("{degrees:.0}")),
            escaped(&machine.congestion),
            escaped(&tools.join(", ")),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let heading = ["", "processor", "CPUs", "GiB", "kernel", "load before", "°C", "TCP", "tools"];
    format!("<h3>Machines</h3>\n{}", table(&heading, &rows))
}
