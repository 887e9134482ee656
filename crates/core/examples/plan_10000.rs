//! Plans for ten thousand fresh nodes in three shapes and prints what it took: seconds from spec and
//! facts to plan, and the peak of memory. Not a test: run it with `--release`.
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "an example measures, the core does not"
)]

use std::time::Instant;

use ringbolt_core::plan::{Policy, lint};
use ringbolt_core::sim::{self, Frr, Options};
use ringbolt_core::spec::Transport;
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::generate;

fn main() {
    let wanted = std::env::args().nth(1);
    for name in ["ring", "grid", "fat-tree"] {
        if wanted.as_ref().is_some_and(|w| w != name) {
            continue;
        }
        let topology = match name {
            "ring" => generate::ring(10_000),
            "grid" => generate::grid(100, 100),
            _ => generate::fat_tree(34),
        };
        let options = Options { frr: Frr::Installed, ..Options::default() };
        let spec = sim::spec(&topology, Transport::Thunderbolt);
        let cluster = sim::fresh(&topology, Transport::Thunderbolt, &options);
        let fleet = cluster.fleet();
        drop(cluster);
        let before = peak();
        let (began, worked) = (Instant::now(), cpu());
        let survey = match Survey::new(spec, fleet, Vec::new()) {
            Ok(survey) => survey,
            Err(error) => return println!("{name}: {error}"),
        };
        let bound = began.elapsed();
        let plan = survey.plan(&Policy::default());
        let (took, worked) = (began.elapsed(), cpu() - worked);
        println!(
            "{name}: {} nodes, {} links, {} steps, {} obstacles; {:.3} s ({:.3} s to the desired state), {worked:.3} s of processor time; peak {} MiB, {} MiB of it facts; {} faults",
            topology.nodes().len(),
            topology.links().len(),
            plan.steps.len(),
            plan.obstacles.len(),
            took.as_secs_f64(),
            bound.as_secs_f64(),
            peak() >> 10,
            before >> 10,
            lint(&plan).len()
        );
    }
}

/// Seconds this process has been on a processor; the rest is others' time on a busy machine.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Peak resident memory of this process in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}
