//! What the figures of a Ceph cluster are worth: judgements, figures to lay beside earlier ones, the guide's promises.
//!
//! Used by the screens and the kept result. Throughput depends on disks nobody has told us of, so it is laid beside
//! promises and earlier runs and not judged by itself; what stands still or is left behind is.

use super::fio::{JobResult, Side};
use super::rados::{Kind, Phase};
use super::{CephResult, Setup};
use crate::bench::compare::{Figure, Target};
use crate::bench::verdict::{Level, Verdict};
use crate::bench::{Effect, Mark, Run, What};
use crate::explain::bench as code;

/// Milliseconds from which one request in a thousand is a stall.
const STALL_MS: f64 = 1000.0;
/// Share by which throughput scatters from run to run; its slow end.
const SCATTER: f64 = 0.15;
const SCATTER_P99: f64 = 0.5;
/// Milliseconds nobody needs to care about.
const GRAIN_MS: f64 = 0.3;
/// Share of the time asked for below which a write was over too early.
const SHORT: f64 = 0.5;

/// Judges a run.
pub fn verdicts(run: &Run) -> Vec<Verdict> {
    let What::Ceph { setup, result } = &run.what else { return Vec::new() };
    let mut verdicts = Vec::new();
    for trouble in &result.troubles {
        let left = trouble.contains("left behind");
        let (code, cure) = if left {
            (code::LEFT_BEHIND, "the next `ringbolt bench ceph` removes it first")
        } else {
            (
                code::NOT_MEASURED,
                "`ringbolt verify` shows whether the cluster is whole; the message is the tool's own",
            )
        };
        verdicts.push(Verdict::new(Level::Fault, code, setup.pool.clone(), trouble.clone(), cure));
    }
    let lab = run.lab.is_some();
    for phase in &result.rados {
        let about = format!("rados {}", phase.kind.word());
        let still = phase.samples.iter().filter(|mb| **mb <= 0.0).count();
        let text = format!("{:.0} MB/s, {:.1} ms a 4 MiB object", phase.mb, phase.mean_ms);
        // A read may be over within the first second; what follows is not a pause.
        verdicts.push(if still > 1 && phase.samples.len() > 2 {
            stalled(
                lab,
                about,
                format!("{text}; nothing was done in {still} of {} seconds", phase.samples.len()),
            )
        } else {
            Verdict::good(about, text)
        });
    }
    for (about, side) in sides(result) {
        let text = format!("{:.0} requests a second, p99 {:.1} ms", side.iops, side.p99);
        verdicts.push(match side.p999 {
            Some(late) if late >= STALL_MS => {
                stalled(lab, about, format!("{text}; one in a thousand takes {:.1} s", late / 1000.0))
            }
            _ => Verdict::good(about, text),
        });
    }
    verdicts
}

fn stalled(lab: bool, about: String, text: String) -> Verdict {
    let cure = "in this order: `ceph osd perf` for one slow disk, disks without power-loss protection (every write \
                waits for their flash), scrubs, lost packets (`ringbolt bench mesh`), heat";
    let level = if lab { Level::Note } else { Level::Finding };
    Verdict::new(level, code::STALLS, about, text, cure)
}

/// What is always true of these measurements.
pub fn marks(setup: &Setup, result: &CephResult) -> Vec<Mark> {
    let mut marks = Vec::new();
    if result.rados.iter().any(|p| p.kind == Kind::Write) {
        let text = "rados bench writes one repeated letter and has no other content: figures hold for disks and \
                    pools that do not compress; fio's content cannot be compressed";
        marks.push(Mark::new(Effect::Note, text));
    }
    let short = |p: &&Phase| p.kind == Kind::Write && p.seconds < f64::from(setup.seconds) * SHORT;
    if let Some(write) = result.rados.iter().find(short) {
        let text = format!(
            "rados bench wrote its {} MiB in {:.1} of {} s: so short a write is as fast as caches take it, and scatters",
            setup.bytes >> 20,
            write.seconds,
            setup.seconds
        );
        marks.push(Mark::new(Effect::Flatters, text));
    }
    if result.rados.iter().any(|p| p.kind != Kind::Write) || !result.fio.is_empty() {
        marks.extend(super::circumstance::cache(setup.bytes, setup.osd_memory));
    }
    marks
}

/// Reads and writes of all jobs with their names.
pub fn sides(result: &CephResult) -> impl Iterator<Item = (String, &Side)> {
    result.fio.iter().flat_map(of_job)
}

fn of_job(done: &JobResult) -> impl Iterator<Item = (String, &Side)> {
    let name = |way: &str| {
        let own = &done.job.name;
        if own.ends_with(way) { format!("fio {own}") } else { format!("fio {own} {way}") }
    };
    [("read", &done.read), ("write", &done.write)]
        .into_iter()
        .filter_map(move |(way, side)| Some((name(way), side.as_ref()?)))
}

/// The figures of a run.
pub fn figures(result: &CephResult) -> Vec<Figure> {
    let figure = |name: String, value, unit, more_is_better, sample: &[f64]| Figure {
        name,
        value,
        unit,
        more_is_better,
        scatter: if more_is_better { SCATTER } else { SCATTER_P99 },
        grain: if more_is_better { 0.0 } else { GRAIN_MS },
        sample: sample.to_vec(),
    };
    let mut figures = Vec::new();
    for phase in &result.rados {
        figures.push(figure(format!("rados {}", phase.kind.word()), phase.mb, "MB/s", true, &phase.samples));
    }
    for (name, side) in sides(result) {
        figures.push(figure(name.clone(), side.mb, "MB/s", true, &side.samples));
        figures.push(figure(format!("{name} p99"), side.p99, "ms", false, &[]));
    }
    figures
}

/// The guide's promises about what was measured. Its own cluster kept two copies and compressed; it is compared with
/// one that does the same, or keeps three copies uncompressed, which is harder.
pub fn targets(setup: &Setup, result: &CephResult, run: &Run) -> Vec<Target> {
    let unequal = if run.lab.is_some() {
        Some("measured in a lab: no real disk or cable was involved".to_owned())
    } else if run.marks.iter().any(|m| m.effect == Effect::Void) {
        Some("a circumstance above makes the figures void".to_owned())
    } else if setup.size < 3 || setup.compression != "none" {
        Some(format!("{} copies, compression {}: not what a safe pool does", setup.size, setup.compression))
    } else {
        None
    };
    let mut targets = Vec::new();
    let mut promise = |name: &str, promise: &str, measured: String, kept: bool, terms: &str| {
        targets.push(Target {
            name: name.into(),
            promise: promise.into(),
            measured,
            kept: unequal.is_none().then_some(kept),
            terms: unequal.clone().unwrap_or_else(|| terms.to_owned()),
        });
    };
    let phase = |kind: Kind| result.rados.iter().find(|p: &&Phase| p.kind == kind);
    if let Some(write) = phase(Kind::Write) {
        let terms =
            "1,300 was reached with two copies of compressed letters; three copies write half as much again";
        let said = "800 MB/s, good 1,000, excellent 1,300";
        promise("rados write", said, format!("{:.0} MB/s", write.mb), write.mb >= 800.0, terms);
    }
    if let Some(read) = phase(Kind::Rand).or_else(|| phase(Kind::Seq)) {
        let terms = "both read from the OSDs' memory what was just written";
        let said = "1,000 MB/s, good 1,500, excellent 1,700";
        promise("rados read", said, format!("{:.0} MB/s", read.mb), read.mb >= 1000.0, terms);
    }
    let job = |name: &str| result.fio.iter().find(|j| j.job.name == name);
    if let Some((read, write)) = job("8k 80/20").and_then(|j| Some((j.read.as_ref()?, j.write.as_ref()?))) {
        let terms = "no target: figures of eight jobs on a file; here one client with \
                     32 requests under way";
        let measured = format!("{:.0} reads and {:.0} writes a second", read.iops, write.iops);
        let kept = read.iops >= 12_400.0 && write.iops >= 3_100.0;
        promise("8k 80/20", "12,400 reads and 3,100 writes a second", measured, kept, terms);
    }
    if let Some((read, write)) = job("4k 70/30").and_then(|j| Some((j.read.as_ref()?, j.write.as_ref()?))) {
        targets.push(Target {
            name: "4k 70/30".into(),
            promise: "50,000 reads and 20,000 writes a second".into(),
            measured: format!("{:.0} reads and {:.0} writes a second", read.iops, write.iops),
            kept: None,
            terms: "the promised figures were taken in memory (/tmp), not on Ceph".into(),
        });
    }
    targets
}
