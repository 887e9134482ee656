//! A run of one sound Thunderbolt link, for tests of judgement and comparison.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::iperf::Flow;
use super::latency::Latency;
use super::machine::Machine;
use super::mesh::{BenchEnd, BenchLink, Extent, FlowResult, LinkResult, WayResult, payloads};
use super::{Run, What};
use crate::bench::ask::SizeRow;
use crate::name::{NodeName, PortName};
use crate::spec::Transport;

fn end(node: &str, last: u8) -> BenchEnd {
    BenchEnd {
        node: NodeName::new(node).unwrap(),
        port: Some(PortName::new("en05").unwrap()),
        id: [10, 100, 0, last].into(),
    }
}

fn flow(streams: u32, both: bool, gbits: f64) -> FlowResult {
    FlowResult {
        streams,
        both,
        flow: Flow { gbits, bytes: 9_000_000_000, retransmits: 3, samples: vec![gbits; 8] },
        cpu_sender: 60.0,
        cpu_receiver: 80.0,
        interrupts_sender: None,
        interrupts_receiver: None,
    }
}

fn way() -> WayResult {
    let latency = Latency {
        sent: 1000,
        lost: 0,
        p50: 0.2,
        p90: 0.3,
        p99: 0.4,
        p999: Some(0.6),
        max: 0.8,
        jitter: 0.02,
        histogram: vec![0; 21],
    };
    WayResult {
        idle: Some(latency.clone()),
        loaded: Some(Latency { p50: 0.9, ..latency }),
        sizes: payloads(65_492)
            .into_iter()
            .map(|payload| SizeRow { payload, sent: 20, came: 20, error: None })
            .collect(),
        flows: vec![flow(1, false, 24.0), flow(4, false, 25.0), flow(4, true, 16.0)],
        troubles: Vec::new(),
    }
}

/// The link.
pub(super) fn link() -> LinkResult {
    let link = BenchLink {
        ends: [end("n1", 11), end("n2", 12)],
        transport: Transport::Thunderbolt,
        mtu: 65_520,
        trained: Some("2 × 20 Gbit/s".into()),
        lanes: Some(2),
    };
    LinkResult { link, ways: [way(), way()] }
}

/// The run.
pub(super) fn run() -> Run {
    let machine = Machine { cpus: 20, congestion: "cubic".into(), ..Machine::default() };
    let machines = ["n1", "n2"].map(|n| (NodeName::new(n).unwrap(), machine.clone()));
    Run {
        id: "20261121-030000-abcd".into(),
        began: "2026-11-21T03:00:00Z".into(),
        took: 40.0,
        ringbolt: "0.1.0".into(),
        cluster: "tb4".into(),
        spec: "0".into(),
        lab: None,
        machines: BTreeMap::from(machines),
        what: What::Mesh {
            extent: Extent { seconds: 3, streams: vec![1, 4], pings: 1000 },
            links: vec![link()],
        },
        marks: Vec::new(),
        verdicts: Vec::new(),
    }
}
