//! The tables of `bench mesh`: round trips, packets of every size, throughput.

use ringbolt_core::arrange::Arrange;
use ringbolt_core::bench::interrupts::Interrupts;
use ringbolt_core::bench::latency::{Latency, STEPS};
use ringbolt_core::bench::mesh::{FlowResult, LinkResult, WayResult};
use ringbolt_core::bench::{Run, What};

use super::{Screen, fitting, number};
use crate::render::count;
use crate::render::plot::{bars, spark};
use crate::render::table::Table;
use crate::render::text::hang;

/// Columns of a plot over time, and those in narrower windows.
const OVER_TIME: [usize; 2] = [12, 9];

impl Screen {
    /// All tables of a run.
    pub(crate) fn mesh(self, run: &Run) -> String {
        let What::Mesh { links, .. } = &run.what else { return String::new() };
        let mut text = self.round_trips(links);
        text.push('\n');
        text += &self.sizes(links);
        text.push('\n');
        let served = ways(links).any(|(_, way)| way.flows.iter().any(|f| f.interrupts_sender.is_some()));
        text += &fitting(self.style.width, &OVER_TIME, |columns| self.throughput(links, served, columns));
        if !served {
            let why = "these interfaces have none of their own (veth), so no processor is named";
            text += &self.style.dim(&hang("interrupts: ", why, self.style.width));
        }
        text.push('\n');
        text
    }

    fn round_trips(self, links: &[LinkResult]) -> String {
        let shown = shown_steps(links);
        let plot = span(&shown);
        let mut table =
            Table::new(&["round trip", "", "p50", "p90", "p99", "p99.9", "max ms", "lost", &plot]);
        for (name, way) in ways(links) {
            for (what, latency) in [("idle", &way.idle), ("loaded", &way.loaded)] {
                let Some(latency) = latency else { continue };
                let name = if what == "idle" || way.idle.is_none() { name.clone() } else { String::new() };
                table.row(self.latency(name, what, latency, shown.clone()));
            }
        }
        table.within(self.style.width, &[3, 5])
    }

    fn latency(self, name: String, what: &str, l: &Latency, shown: std::ops::Range<usize>) -> Vec<String> {
        let lost = format!("{}/{}", l.lost, l.sent);
        let lost = if l.lost == 0 { lost } else { self.style.red(&lost) };
        let mut cells = vec![name, what.to_owned()];
        if l.lost == l.sent {
            cells.extend(["–", "–", "–", "–", "–"].map(|d| self.style.dim(d)));
        } else {
            cells.extend([l.p50, l.p90, l.p99].map(number));
            cells.push(l.p999.map_or_else(|| self.style.dim("–"), number));
            cells.push(number(l.max));
        }
        cells.push(lost);
        cells.push(bars(l.histogram.get(shown).unwrap_or_default(), self.charset));
        cells
    }

    fn sizes(self, links: &[LinkResult]) -> String {
        let rows = || ways(links).flat_map(|(_, way)| &way.sizes);
        let Some(largest) = rows().map(|r| r.payload).max() else { return String::new() };
        let smallest = rows().map(|r| r.payload).min().unwrap_or(0);
        let sent: u32 = rows().map(|r| r.sent).sum();
        let came: u32 = rows().map(|r| r.came).sum();
        let sizes = links.iter().flat_map(|l| &l.ways).map(|w| w.sizes.len()).max().unwrap_or(0);
        let count =
            if came == sent { format!("{came}/{sent}") } else { self.style.red(&format!("{came}/{sent}")) };
        let what = format!(
            "{count} packets of {sizes} sizes from {smallest} to {largest} bytes passed unfragmented"
        );
        hang("sizes     ", &what, self.style.width)
    }

    /// The last column is left out where no interface has interrupts of its own.
    fn throughput(self, links: &[LinkResult], served: bool, columns: usize) -> Table {
        let heading = [
            "throughput",
            "streams",
            "",
            "Gbit/s",
            "over time",
            "resent",
            "CPU from/to",
            "interrupts from / to",
        ];
        let mut table = Table::new(&heading[..heading.len() - usize::from(!served)]);
        for (name, way) in ways(links) {
            for (n, run) in way.flows.iter().enumerate() {
                let name = if n == 0 { name.clone() } else { String::new() };
                let mut cells = vec![
                    name,
                    run.streams.to_string(),
                    if run.both { "both ways" } else { "alone" }.to_owned(),
                    format!("{:.1}", run.flow.gbits),
                    spark(&run.flow.samples, columns, self.charset),
                    run.flow.retransmits.to_string(),
                    format!("{:.0} / {:.0} %", run.cpu_sender, run.cpu_receiver),
                ];
                cells.extend(served.then(|| self.interrupts(run)));
                table.row(cells);
            }
        }
        table
    }

    fn interrupts(self, run: &FlowResult) -> String {
        match (&run.interrupts_sender, &run.interrupts_receiver) {
            (None, None) => self.style.dim("–"),
            (one, other) => format!("{} / {}", self.by_cpu(one.as_ref()), self.by_cpu(other.as_ref())),
        }
    }

    /// The processors that served most, with their share: `3 80 %`, efficiency cores marked.
    fn by_cpu(self, interrupts: Option<&Interrupts>) -> String {
        let list = interrupts.map(shares).unwrap_or_default();
        if list.is_empty() {
            return self.style.dim("–");
        }
        let painted =
            |(text, efficient): (String, bool)| if efficient { self.style.yellow(&text) } else { text };
        list.into_iter().map(painted).collect::<Vec<_>>().join(" ")
    }
}

/// The two processors that served most, with their share, and whether they are efficiency cores.
pub(super) fn shares(seen: &Interrupts) -> Vec<(String, bool)> {
    let mut list: Vec<(&u32, &u64)> = seen.by_cpu.iter().filter(|(_, count)| **count > 0).collect();
    list.arrange_by(|a, b| b.1.cmp(a.1));
    let share = |(cpu, count): (&u32, &u64)| {
        let efficient = seen.efficient.contains(cpu);
        let mark = if efficient { " (E)" } else { "" };
        (format!("cpu{cpu} {:.0} %{mark}", *count as f64 / seen.total() as f64 * 100.0), efficient)
    };
    list.into_iter().take(2).map(share).collect()
}

/// These steps of a histogram in words: `0.02 … 1 ms`.
pub(super) fn span(steps: &std::ops::Range<usize>) -> String {
    let edge = |step: usize| STEPS.get(step).map_or("more".to_owned(), |ms| format!("{ms}"));
    let from = if steps.start == 0 { "0".to_owned() } else { edge(steps.start - 1) };
    format!("{from} … {} ms", edge(steps.end - 1))
}

fn ways(links: &[LinkResult]) -> impl Iterator<Item = (String, &WayResult)> {
    links.iter().flat_map(|link| (0..2).map(|way| (link.link.way(way), &link.ways[way])))
}

/// The steps of the histograms between the fastest and the slowest reply of all.
pub(super) fn shown_steps(links: &[LinkResult]) -> std::ops::Range<usize> {
    let all = || links.iter().flat_map(|l| &l.ways).flat_map(|w| [&w.idle, &w.loaded]).flatten();
    let used = |n: &usize| all().any(|l| l.histogram.get(*n).is_some_and(|c| *c > 0));
    let mut steps = (0..=STEPS.len()).filter(used);
    let first = steps.next().unwrap_or(0);
    first..steps.next_back().unwrap_or(first) + 1
}

/// `3 links, 9.1 to 24.0 Gbit/s`.
pub(super) fn summary(links: &[LinkResult]) -> String {
    let best: Vec<f64> = links.iter().flat_map(|l| &l.ways).filter_map(WayResult::best).collect();
    let low = best.iter().copied().reduce(f64::min);
    let high = best.iter().copied().reduce(f64::max);
    let span = low.zip(high).map(|(a, b)| format!(", {a:.1} to {b:.1} Gbit/s one way"));
    format!("{}{}", count(links.len(), "link"), span.unwrap_or_default())
}
