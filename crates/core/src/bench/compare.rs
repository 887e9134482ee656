//! A run beside an earlier one of the same shape, and beside what the guide for such clusters promises.
//!
//! Only like is compared with like: what differs between two runs, or between a run and the guide's own set-up, is
//! named, and then there is no judgement.

use serde::Serialize;

use super::ceph;
use super::mesh::{LinkResult, WayResult};
use super::{Run, What};
use crate::measure;
use crate::spec::Transport;

/// One number of a run that may be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is: the same text in every run of the same shape.
    pub name: String,
    /// Value.
    pub value: f64,
    /// Unit.
    pub unit: &'static str,
    /// Whether more is better.
    pub more_is_better: bool,
    /// Share by which it scatters from run to run, for figures without a sample.
    pub scatter: f64,
    /// Smallest difference worth a word, in its unit.
    pub grain: f64,
    /// Values it is made of, where there are any: they tell whether a change is more than scatter.
    pub sample: Vec<f64>,
}

/// A figure beside that of an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which figure.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Then.
    pub before: f64,
    /// Now.
    pub now: f64,
    /// `now / before`.
    pub ratio: f64,
    /// What that means.
    pub sense: Sense,
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sense {
    /// Within what such measurements scatter.
    Same,
    /// Better than scatter explains.
    Better,
    /// Worse than scatter explains.
    Worse,
}

/// A run beside an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Id of the earlier one.
    pub with: String,
    /// When it began.
    pub began: String,
    /// What is not the same; with anything here, changes are shown and not judged.
    pub differences: Vec<String>,
    /// Figures both have.
    pub changes: Vec<Change>,
}

/// Share by which throughput scatters from run to run.
const SCATTER: f64 = 0.15;
/// The same of the median of round trips, and of their slow end.
const SCATTER_P50: f64 = 0.25;
const SCATTER_P99: f64 = 0.5;
/// Milliseconds nobody needs to care about.
const GRAIN_MS: f64 = 0.03;
/// Smallest change worth a word even where samples do not overlap.
const WORTH: f64 = 0.05;

/// The figures of a run.
pub fn figures(run: &Run) -> Vec<Figure> {
    match &run.what {
        What::Mesh { links, .. } => links.iter().flat_map(of_link).collect(),
        What::Ceph { result, .. } => ceph::verdict::figures(result),
    }
}

fn of_link(link: &LinkResult) -> Vec<Figure> {
    (0..2).flat_map(|way| of_way(&link.link.way(way), &link.ways[way])).collect()
}

fn of_way(name: &str, way: &WayResult) -> Vec<Figure> {
    let latency = |what: &str, value: f64, scatter: f64| Figure {
        name: format!("{name} {what}"),
        value,
        unit: "ms",
        more_is_better: false,
        scatter,
        grain: GRAIN_MS,
        sample: Vec::new(),
    };
    let mut figures = Vec::new();
    for flow in &way.flows {
        let both = if flow.both { ", both ways" } else { "" };
        let streams =
            if flow.streams == 1 { "1 stream".to_owned() } else { format!("{} streams", flow.streams) };
        figures.push(Figure {
            name: format!("{name} {streams}{both}"),
            value: flow.flow.gbits,
            unit: "Gbit/s",
            more_is_better: true,
            scatter: SCATTER,
            grain: 0.0,
            sample: flow.flow.samples.clone(),
        });
    }
    if let Some(idle) = way.idle.as_ref().filter(|l| l.lost < l.sent) {
        figures.push(latency("round trip p50", idle.p50, SCATTER_P50));
        figures.push(latency("round trip p99", idle.p99, SCATTER_P99));
    }
    if let Some(loaded) = way.loaded.as_ref().filter(|l| l.lost < l.sent) {
        figures.push(latency("round trip under load p50", loaded.p50, SCATTER_P99));
    }
    figures
}

/// The latest of earlier runs of the same shape, older than this one.
pub fn previous<'a>(run: &Run, earlier: &'a [Run]) -> Option<&'a Run> {
    let same = |other: &&Run| other.shape() == run.shape() && other.id != run.id && other.began < run.began;
    earlier.iter().filter(same).max_by(|a, b| a.began.cmp(&b.began))
}

/// Lays a run beside an earlier one.
pub fn compare(now: &Run, before: &Run) -> Comparison {
    let differences = differences(now, before);
    let old = figures(before);
    let mut changes = Vec::new();
    for figure in figures(now) {
        let Some(was) = old.iter().find(|f| f.name == figure.name).filter(|f| f.value > 0.0) else {
            continue;
        };
        let ratio = figure.value / was.value;
        let sense = if differences.is_empty() { sense(&figure, was, ratio) } else { Sense::Same };
        changes.push(Change {
            name: figure.name,
            unit: figure.unit.into(),
            before: was.value,
            now: figure.value,
            ratio,
            sense,
        });
    }
    Comparison { with: before.id.clone(), began: before.began.clone(), differences, changes }
}

fn sense(now: &Figure, was: &Figure, ratio: f64) -> Sense {
    let moved = (ratio - 1.0).abs();
    let real = match measure::compare(&was.sample, &now.sample) {
        Some(samples) if was.sample.len() >= 4 && now.sample.len() >= 4 => samples.apart && moved > WORTH,
        _ => moved > now.scatter && (now.value - was.value).abs() >= now.grain,
    };
    match (real, (ratio > 1.0) == now.more_is_better) {
        (false, _) => Sense::Same,
        (true, true) => Sense::Better,
        (true, false) => Sense::Worse,
    }
}

/// What is not the same about two runs.
fn differences(now: &Run, before: &Run) -> Vec<String> {
    let mut list = Vec::new();
    match (&now.lab, &before.lab) {
        (None, None) => {}
        (Some(_), Some(_)) => list.push("a lab shares its processors with everything else".to_owned()),
        _ => list.push("one of them ran in a lab".to_owned()),
    }
    if let (What::Ceph { setup: new, .. }, What::Ceph { setup: old, .. }) = (&now.what, &before.what) {
        list.extend(ceph::differences(new, old));
    }
    for (node, machine) in &now.machines {
        let Some(old) = before.machines.get(node) else {
            list.push(format!("{node} was not there"));
            continue;
        };
        let mut changed = |what: &str, old: &str, new: &str| {
            if old != new {
                list.push(format!("{node}: {what} {old}, now {new}"));
            }
        };
        changed("processor", &old.processor, &machine.processor);
        changed("congestion control", &old.congestion, &machine.congestion);
    }
    list
}

/// Something the guide promises, beside what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// What it is about.
    pub name: String,
    /// The promise, in words.
    pub promise: String,
    /// What was measured, in words.
    pub measured: String,
    /// Whether it is kept; none where the two cannot be compared.
    pub kept: Option<bool>,
    /// Why they cannot be compared, or what the promise rests on.
    pub terms: String,
}

/// The guide's promises about what was measured.
pub fn targets(run: &Run) -> Vec<Target> {
    match &run.what {
        What::Mesh { links, .. } => mesh_targets(links, run.lab.is_some()),
        What::Ceph { setup, result } => ceph::verdict::targets(setup, result, run),
    }
}

fn mesh_targets(links: &[LinkResult], lab: bool) -> Vec<Target> {
    let ways = || links.iter().flat_map(|l| &l.ways);
    let equal =
        |terms: &str| if lab { "measured in a lab: no cable was involved".to_owned() } else { terms.into() };
    let judged = |kept: bool| (!lab).then_some(kept);
    let mut targets = Vec::new();
    let worst = ways().filter_map(|w| w.idle.as_ref()).filter(|l| l.lost < l.sent).map(|l| l.p50);
    if let Some(slowest) = worst.max_by(f64::total_cmp) {
        targets.push(Target {
            name: "round trip".into(),
            promise: "< 1 ms, good < 0.7, excellent < 0.5".into(),
            measured: format!("{slowest:.2} ms (p50 of the slowest direction)"),
            kept: judged(slowest < 1.0),
            terms: equal("promised for the mean of ten idle pings"),
        });
    }
    let thunderbolt = links.iter().all(|l| l.link.transport == Transport::Thunderbolt);
    let slowest = ways().filter_map(|w| w.flow(1, false)).map(|f| f.flow.gbits).min_by(f64::total_cmp);
    if let Some(slowest) = slowest.filter(|_| thunderbolt) {
        targets.push(Target {
            name: "throughput".into(),
            promise: "20 to 35 Gbit/s; users report 26".into(),
            measured: format!("{slowest:.1} Gbit/s (1 stream, slowest direction)"),
            kept: judged(slowest >= 20.0),
            terms: equal("promised for one direction with one stream for 30 s"),
        });
    }
    let mut largest = ways().filter_map(|w| w.sizes.iter().max_by_key(|r| r.payload)).peekable();
    if largest.peek().is_some() {
        let passed = largest.all(|row| row.sent > 0 && row.came + 1 >= row.sent);
        targets.push(Target {
            name: "MTU".into(),
            promise: "packets of full size pass unfragmented".into(),
            measured: if passed { "all pass, in both directions" } else { "not all pass" }.into(),
            kept: Some(passed),
            terms: String::new(),
        });
    }
    targets
}

#[cfg(test)]
#[path = "compare_test.rs"]
mod tests;
