//! The tables of `bench mesh`: round trips, packets of every size, throughput.

use ringbolt_core::bench::interrupts::Interrupts;
use ringbolt_core::bench::latency::{Latency, STEPS};
use ringbolt_core::bench::mesh::{FlowResult, LinkResult, WayResult};
use ringbolt_core::bench::{Run, What};

use super::{Screen, number};
use crate::render::count;
use crate::render::plot::{bars, spark};
use crate::render::table::Table;
use crate::render::text::hang;

/// Columns of a plot over time.
const OVER_TIME: usize = 12;

impl Screen {
    /// All tables of a run.
    pub(crate) fn mesh(self, run: &Run) -> String {
        let What::Mesh { links, .. } = &run.what else { return String::new() };
        let mut text = self.round_trips(links);
        text.push('\n');
        text += &self.sizes(links);
        text.push('\n');
        text += &self.throughput(links);
        if ways(links).all(|(_, way)| way.flows.iter().all(|f| f.interrupts_sender.is_none())) {
            let why = "these interfaces have none of their own (veth), so no processor is named";
            text += &self.style.dim(&hang("interrupts: ", why, self.style.width));
        }
        text.push('\n');
        text
    }

    fn round_trips(self, links: &[LinkResult]) -> String {
        let shown = shown_steps(links);
        let (low, high) = (shown.start, shown.end - 1);
        let edge = |step: usize| STEPS.get(step).map_or("more".to_owned(), |ms| format!("{ms}"));
        let from = if low == 0 { "0".to_owned() } else { edge(low - 1) };
        let plot = format!("{from} … {} ms", edge(high));
        let mut table =
            Table::new(&["round trip", "", "p50", "p90", "p99", "p99.9", "max ms", "lost", &plot]);
        for (name, way) in ways(links) {
            for (what, latency) in [("idle", &way.idle), ("loaded", &way.loaded)] {
                let Some(latency) = latency else { continue };
                let name = if what == "idle" || way.idle.is_none() { name.clone() } else { String::new() };
                table.row(self.latency(name, what, latency, shown.clone()));
            }
        }
        table.render(0)
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

    fn throughput(self, links: &[LinkResult]) -> String {
        let mut table = Table::new(&[
            "throughput",
            "streams",
            "",
            "Gbit/s",
            "over time",
            "resent",
            "CPU from/to",
            "interrupts from / to",
        ]);
        for (name, way) in ways(links) {
            for (n, run) in way.flows.iter().enumerate() {
                let name = if n == 0 { name.clone() } else { String::new() };
                table.row(vec![
                    name,
                    run.streams.to_string(),
                    if run.both { "both ways" } else { "alone" }.to_owned(),
                    format!("{:.1}", run.flow.gbits),
                    spark(&run.flow.samples, OVER_TIME, self.charset),
                    run.flow.retransmits.to_string(),
                    format!("{:.0} / {:.0} %", run.cpu_sender, run.cpu_receiver),
                    self.interrupts(run),
                ]);
            }
        }
        table.render(0)
    }

    fn interrupts(self, run: &FlowResult) -> String {
        match (&run.interrupts_sender, &run.interrupts_receiver) {
            (None, None) => self.style.dim("–"),
            (one, other) => format!("{} / {}", self.by_cpu(one.as_ref()), self.by_cpu(other.as_ref())),
        }
    }

    /// The processors that served most, with their share: `3 80 %`, efficiency cores marked.
    fn by_cpu(self, interrupts: Option<&Interrupts>) -> String {
        let Some(seen) = interrupts.filter(|i| i.total() > 0) else { return self.style.dim("–") };
        let mut list: Vec<(&u32, &u64)> = seen.by_cpu.iter().collect();
        list.sort_by(|a, b| b.1.cmp(a.1));
        let share = |(cpu, count): &(&u32, &u64)| {
            let text = format!("cpu{cpu} {:.0} %", **count as f64 / seen.total() as f64 * 100.0);
            if seen.efficient.contains(*cpu) { self.style.yellow(&format!("{text} (E)")) } else { text }
        };
        list.iter().take(2).map(share).collect::<Vec<_>>().join(" ")
    }
}

fn ways(links: &[LinkResult]) -> impl Iterator<Item = (String, &WayResult)> {
    links.iter().flat_map(|link| (0..2).map(|way| (link.link.way(way), &link.ways[way])))
}

/// The steps of the histograms between the fastest and the slowest reply of all.
fn shown_steps(links: &[LinkResult]) -> std::ops::Range<usize> {
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
