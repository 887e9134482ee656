//! Carries a whole plan out on ten thousand simulated nodes through the real loop, with the clock paused,
//! and prints what the dispatcher took for an event. Not a test: run it with `--release`.
//!
//!   run_10000 [ring|grid|fat-tree] [NODES]
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use ringbolt_control::apply::{self, Command, Input, RunState};
use ringbolt_control::fleet::Fleet;
use ringbolt_control::stop;
use ringbolt_control::transport::sim::SimTransport;
use ringbolt_core::event::{Event, What};
use ringbolt_core::plan::{Plan, Policy};
use ringbolt_core::sim::{self, Frr, Options};
use ringbolt_core::spec::Transport;
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::generate;

/// Counts events, and keeps none but what failed.
#[derive(Default)]
struct Count {
    events: usize,
    failed: Vec<String>,
}

impl apply::Sink for Count {
    fn record(&mut self, events: &[Event]) -> std::io::Result<()> {
        self.events += events.len();
        for event in events {
            if let What::StepFailed { step, failure } = &event.what {
                self.failed.push(format!("{step}: {failure}"));
            }
        }
        Ok(())
    }
}

/// The dispatcher alone: every deed and every proof succeeds at once. Inputs, and microseconds for each.
fn dispatch(plan: &Arc<Plan>) -> (usize, f64) {
    let mut state = RunState::new(Arc::clone(plan));
    let mut open: VecDeque<Input> = VecDeque::from([Input::Begin]);
    let (mut inputs, began) = (0_usize, Instant::now());
    while let Some(input) = open.pop_front() {
        inputs += 1;
        for command in state.next(0, input) {
            match command {
                Command::Act(i) => open.push_back(Input::Acted(i)),
                Command::Prove(i) => open.push_back(Input::Proven(i)),
                _ => {}
            }
        }
    }
    (inputs, began.elapsed().as_secs_f64() * 1e6 / inputs as f64)
}

fn main() {
    let mut words = std::env::args().skip(1);
    let shape = words.next().unwrap_or_else(|| "ring".into());
    let nodes: usize = words.next().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let topology = match shape.as_str() {
        "grid" => generate::grid(nodes / 100, 100),
        "fat-tree" => generate::fat_tree(34),
        _ => generate::ring(nodes),
    };
    let options = Options { frr: Frr::Installed, ..Options::default() };
    let spec = sim::spec(&topology, Transport::Thunderbolt);
    let cluster = sim::fresh(&topology, Transport::Thunderbolt, &options);
    let survey = match Survey::new(spec, cluster.fleet(), Vec::new()) {
        Ok(survey) => survey,
        Err(error) => return println!("{shape}: {error}"),
    };
    let plan = Arc::new(survey.plan(&Policy::default()));
    drop(survey);
    let (inputs, each) = dispatch(&plan);
    println!("dispatcher: {inputs} events, {each:.2} µs each");
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { return println!("no runtime") };
    let (report, count) = runtime.block_on(async {
        let names: Vec<_> = cluster.nodes.keys().cloned().collect();
        let fleet = Arc::new(Fleet::over(names, Arc::new(SimTransport::new(cluster))));
        let (_button, stop) = stop::stop();
        let mut count = Count::default();
        let report = apply::run("bench", Arc::clone(&plan), fleet, &mut count, stop).await;
        (report, count)
    });
    match report {
        Ok(report) => println!(
            "{shape}: {} nodes, {} steps done, {} failed, {} events; {:.1} s for {:.1} simulated hours; peak {} MiB",
            topology.nodes().len(),
            report.done,
            report.failed,
            count.events,
            began.elapsed().as_secs_f64(),
            report.took.as_secs_f64() / 3600.0,
            peak() >> 10
        ),
        Err(error) => println!("{shape}: {error}"),
    }
    for failed in count.failed.iter().take(20) {
        println!("failed: {failed}");
    }
}

/// Peak resident memory of this process in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}
