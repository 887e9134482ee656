//! What `bench mesh` measures on which link, and what it makes of the answers.
//!
//! Used by the controller, which carries the steps out one after another, and by the screens. Both ends are pure:
//! a plan out of the survey, a result out of what the tools gave.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::interrupts::Interrupts;
use super::iperf;
use super::latency::Latency;
use crate::arrange::Arrange;
use crate::bench::ask::{Measure, Send, Serve, SizeRow, Sizes};
use crate::name::{NodeName, PortName};
use crate::ping::Ping;
use crate::spec::Transport;
use crate::survey::Survey;

/// Port of the iperf3 servers: not the tool's own, so that nobody's server is met by accident.
pub const PORT: u16 = 15_201;

/// Milliseconds between echo requests: below eleven, `ping` keeps a processor busy waiting, and what it measures then
/// is not what an idle machine would take.
pub const PING_INTERVAL_MS: u32 = 11;

/// Packets of each size.
pub const SIZE_COUNT: u32 = 20;

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Seconds of each throughput run.
    pub seconds: u32,
    /// Numbers of streams.
    pub streams: Vec<u32>,
    /// Echo requests for the latency without load.
    pub pings: u32,
}

/// A link to be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchLink {
    /// Its ends.
    pub ends: [BenchEnd; 2],
    /// What it is made of.
    pub transport: Transport,
    /// MTU it should carry.
    pub mtu: u32,
    /// What the cable is trained at, in words; Thunderbolt only.
    pub trained: Option<String>,
    /// Lanes it is trained at; Thunderbolt only.
    pub lanes: Option<u32>,
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchEnd {
    /// The node.
    pub node: NodeName,
    /// Its port; none on a switch, where the route chooses.
    pub port: Option<PortName>,
    /// Router ID.
    pub id: IpAddr,
}

/// One thing done on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Packets of many sizes, both ways.
    Sizes,
    /// Data one way.
    OneWay {
        /// Which end sends: 0 or 1.
        from: usize,
        /// Connections.
        streams: u32,
    },
    /// Data both ways at once; pings run beside it.
    Both {
        /// Connections each way.
        streams: u32,
    },
}

/// What came of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkResult {
    /// Which.
    pub link: BenchLink,
    /// From the first end to the second, and back.
    pub ways: [WayResult; 2],
}

/// What came of one direction of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WayResult {
    /// Round trips without load.
    pub idle: Option<Latency>,
    /// Round trips while data goes both ways.
    pub loaded: Option<Latency>,
    /// Packets of each size that came back.
    pub sizes: Vec<SizeRow>,
    /// Throughput runs.
    pub flows: Vec<FlowResult>,
    /// What could not be measured, and why.
    pub troubles: Vec<String>,
}

/// One throughput run of one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowResult {
    /// Connections.
    pub streams: u32,
    /// Whether the other direction ran at the same time.
    pub both: bool,
    /// The figures.
    pub flow: iperf::Flow,
    /// Processor time of the sending process, in percent of one processor.
    pub cpu_sender: f64,
    /// The same of the receiving process.
    pub cpu_receiver: f64,
    /// Interrupts at the sender; none where the interface has none of its own.
    pub interrupts_sender: Option<Interrupts>,
    /// Interrupts at the receiver.
    pub interrupts_receiver: Option<Interrupts>,
}

/// The links to be measured, in order: every cable that is in, or on a switch every pair of nodes (from seven nodes
/// on each node with the next only).
pub fn links(survey: &Survey) -> Vec<BenchLink> {
    let spec = &survey.spec;
    let link = |ends: [BenchEnd; 2], at: Option<&(NodeName, PortName)>| {
        let port = at.and_then(|(node, port)| survey.binding.port(node, port));
        BenchLink {
            ends,
            transport: spec.fabric.transport,
            mtu: spec.fabric.mtu,
            trained: port.and_then(|p| p.speed.clone()),
            lanes: at.zip(port).and_then(|((node, _), port)| lanes(survey, node, port)),
        }
    };
    let id = |node: &NodeName| survey.addresses.get(node).and_then(|a| a.ids().next());
    if spec.fabric.transport == Transport::Switch {
        let nodes: Vec<&NodeName> = survey.binding.ports.keys().collect();
        let end = |n: usize| Some(BenchEnd { node: nodes[n].clone(), port: None, id: id(nodes[n])? });
        return pairs(nodes.len())
            .into_iter()
            .filter_map(|(a, b)| Some(link([end(a)?, end(b)?], None)))
            .collect();
    }
    let end = |(node, port): &(NodeName, PortName)| {
        Some(BenchEnd { node: node.clone(), port: Some(port.clone()), id: id(node)? })
    };
    survey.binding.cables.iter().filter_map(|c| Some(link([end(&c.a)?, end(&c.b)?], Some(&c.a)))).collect()
}

/// Lanes of the cable at a port, as the node's own controller says.
fn lanes(survey: &Survey, node: &NodeName, port: &crate::bind::BoundPort) -> Option<u32> {
    let pci = port.pci.as_ref()?;
    let thunderbolt = survey.fleet.nodes.get(node)?.inventory.thunderbolt.yes()?;
    thunderbolt.peers.iter().find(|p| p.pci == *pci)?.rx_lanes
}

/// Up to how many nodes on a switch every pair is measured.
const EVERY_PAIR: usize = 6;

fn pairs(nodes: usize) -> Vec<(usize, usize)> {
    if nodes <= EVERY_PAIR {
        (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))).collect()
    } else {
        (0..nodes).map(|a| (a, (a + 1) % nodes)).collect()
    }
}

/// What is done on each link, in order.
pub fn steps(extent: &Extent) -> Vec<Step> {
    let mut steps = vec![Step::Sizes];
    for &streams in &extent.streams {
        steps.extend([Step::OneWay { from: 0, streams }, Step::OneWay { from: 1, streams }]);
    }
    steps.extend(extent.streams.iter().map(|&streams| Step::Both { streams }));
    steps
}

impl BenchLink {
    /// `n1–n2`.
    pub fn name(&self) -> String {
        format!("{}–{}", self.ends[0].node, self.ends[1].node)
    }

    /// `n1 → n2` for way 0.
    pub fn way(&self, way: usize) -> String {
        format!("{} → {}", self.ends[way].node, self.ends[1 - way].node)
    }

    /// The same link in another run: nodes and ports.
    pub fn key(&self) -> String {
        let end = |end: &BenchEnd| match &end.port {
            Some(port) => format!("{}:{port}", end.node),
            None => end.node.to_string(),
        };
        format!("{} {}", end(&self.ends[0]), end(&self.ends[1]))
    }

    fn interface(&self, end: usize) -> Option<String> {
        self.ends[end].port.as_ref().map(ToString::to_string)
    }

    /// The echo requests of one direction; 0 goes on until cancelled.
    pub fn ping(&self, way: usize, count: u32) -> Ping {
        Ping {
            to: self.ends[1 - way].id,
            interface: self.interface(way),
            count,
            interval_ms: PING_INTERVAL_MS,
            size: 56,
            whole: false,
        }
    }

    /// The sweep of sizes of one direction.
    pub fn sizes(&self, way: usize) -> Measure {
        let to = self.ends[1 - way].id;
        let header = if to.is_ipv4() { 28 } else { 48 };
        Measure::Sizes(Sizes {
            to,
            interface: self.interface(way),
            payloads: payloads(self.mtu.saturating_sub(header)),
            count: SIZE_COUNT,
        })
    }

    /// Server and client of a throughput run: the server's end, its measure, the client's measure. The client's
    /// end is the other one.
    pub fn throughput(&self, step: Step, seconds: u32) -> Option<(usize, Measure, Measure)> {
        let (client, streams, both) = match step {
            Step::Sizes => return None,
            Step::OneWay { from, streams } => (from, streams, false),
            Step::Both { streams } => (0, streams, true),
        };
        let server = 1 - client;
        let (at, port) = (self.ends[server].id, PORT);
        let serve = Serve { at, port, interface: self.interface(server), seconds };
        let from = self.ends[client].id;
        let send = Send { to: at, port, from, interface: self.interface(client), seconds, streams, both };
        Some((server, Measure::Serve(serve), Measure::Send(send)))
    }
}

/// Payload sizes of the sweep up to the largest: each one around 200 bytes, where frames near 256 bytes are lost by
/// some controllers, then doubling, with those a page, a jumbo frame and the MTU end at.
pub fn payloads(largest: u32) -> Vec<u32> {
    let mut sizes: Vec<u32> = (188..=212).collect();
    sizes.extend([16, 64, 128, 256, 512, 1024, 1472, 2048, 4068, 4096, 8192, 8972, 16_384, 32_768]);
    sizes.extend([largest.saturating_sub(1), largest]);
    sizes.retain(|size| (16..=largest).contains(size));
    sizes.arrange();
    sizes.dedup();
    sizes
}

impl LinkResult {
    /// A link of which nothing is known yet.
    pub fn new(link: BenchLink) -> Self {
        Self { link, ways: [WayResult::default(), WayResult::default()] }
    }

    /// Takes in what a throughput run gave.
    pub fn take(
        &mut self,
        step: Step,
        stream: iperf::Stream,
        sender: Option<Interrupts>,
        receiver: Option<Interrupts>,
    ) {
        let (client, streams, both) = match step {
            Step::Sizes => return,
            Step::OneWay { from, streams } => (from, streams, false),
            Step::Both { streams } => (0, streams, true),
        };
        let (cpu_client, cpu_server) = (stream.cpu_client, stream.cpu_server);
        if let Some(flow) = stream.back {
            self.ways[1 - client].flows.push(FlowResult {
                streams,
                both,
                flow,
                cpu_sender: cpu_server,
                cpu_receiver: cpu_client,
                interrupts_sender: receiver.clone(),
                interrupts_receiver: sender.clone(),
            });
        }
        self.ways[client].flows.push(FlowResult {
            streams,
            both,
            flow: stream.forth,
            cpu_sender: cpu_client,
            cpu_receiver: cpu_server,
            interrupts_sender: sender,
            interrupts_receiver: receiver,
        });
    }
}

impl WayResult {
    /// The best throughput of this direction alone, in Gbit/s.
    pub fn best(&self) -> Option<f64> {
        self.flows.iter().filter(|f| !f.both).map(|f| f.flow.gbits).max_by(f64::total_cmp)
    }

    /// A run of so many streams.
    pub fn flow(&self, streams: u32, both: bool) -> Option<&FlowResult> {
        self.flows.iter().find(|f| f.streams == streams && f.both == both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_around_two_hundred_and_the_mtu_are_in_the_sweep() {
        let sizes = payloads(65_492);
        assert!((190..=210).all(|size| sizes.contains(&size)));
        assert_eq!((sizes.first(), sizes.last()), (Some(&16), Some(&65_492)));
        assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]) && sizes.len() < 50);
        assert_eq!(payloads(1472).last(), Some(&1472));
        assert!(payloads(0).is_empty());
    }

    #[test]
    fn each_way_alone_then_both_at_once() {
        let extent = Extent { seconds: 3, streams: vec![1, 4], pings: 1000 };
        let steps = steps(&extent);
        assert_eq!(steps.len(), 7);
        assert_eq!(steps[1..3], [Step::OneWay { from: 0, streams: 1 }, Step::OneWay { from: 1, streams: 1 }]);
        assert_eq!(steps[5..], [Step::Both { streams: 1 }, Step::Both { streams: 4 }]);
    }

    #[test]
    fn all_pairs_of_a_small_switch_each_with_the_next_of_a_large_one() {
        assert_eq!(pairs(3), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!(pairs(12).len(), 12);
        assert_eq!(pairs(12)[11], (11, 0));
    }
}
