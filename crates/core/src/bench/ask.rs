//! What a node may be asked to measure, and what it answers: one variant per tool and use, each with an argument
//! vector of its own in `agent/bench/`. No value ever becomes shell text.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bench::ceph::fio::{Job, JobResult};
use crate::bench::ceph::rados::Phase;
use crate::bench::interrupts::Interrupts;
use crate::bench::iperf::Stream;
use crate::bench::machine::Machine;
use crate::drill::node::Written;

/// One measurement on one node. All of them are bounded in time, end when cancelled or when the line is lost, and
/// leave no process, object or image behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// What the machine is, how it does at this moment, and which tools it has.
    Machine {
        /// Interfaces whose speed is wanted.
        interfaces: Vec<String>,
    },
    /// Packets of several sizes, unfragmented, over one interface.
    Sizes(Sizes),
    /// Take what one iperf3 client sends. A progress word follows as soon as it listens.
    Serve(Serve),
    /// Send to an iperf3 server.
    Send(Send),
    /// Small writes to an image of its own in a pool, with the time of each.
    Writes(Writes),
    /// `rados bench`: write, sequential and random read, then removal. A progress word before each.
    Rados(Rados),
    /// `fio` on an image that is made for it and removed. A progress word before each job.
    Fio(Fio),
}

/// Objects written to a pool and read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rados {
    /// Pool.
    pub pool: String,
    /// Seconds of each of the three.
    pub seconds: u32,
    /// Bytes of an object.
    pub block: u64,
    /// Operations under way at a time.
    pub threads: u32,
    /// Most objects.
    pub objects: u32,
}

/// Jobs on an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fio {
    /// Pool.
    pub pool: String,
    /// Bytes of the image, all of which are written before the first job.
    pub bytes: u64,
    /// Jobs, one after another.
    pub jobs: Vec<Job>,
}

/// Small writes to an image of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// Pool the image is made in.
    pub pool: String,
    /// Longest time to write, in seconds.
    pub seconds: u32,
}

/// Packets of several sizes to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Where to.
    pub to: IpAddr,
    /// Out of which interface; `None`: as routed.
    pub interface: Option<String>,
    /// Payload bytes, each in turn.
    pub payloads: Vec<u32>,
    /// Packets of each.
    pub count: u32,
}

/// An iperf3 server for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Address it listens on.
    pub at: IpAddr,
    /// Port it listens on.
    pub port: u16,
    /// Interface it is bound to; `None`: any.
    pub interface: Option<String>,
    /// Seconds the client sends for; it is ended soon after.
    pub seconds: u32,
}

/// An iperf3 client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Address of the server.
    pub to: IpAddr,
    /// Its port.
    pub port: u16,
    /// Own address.
    pub from: IpAddr,
    /// Interface it is bound to; `None`: as routed.
    pub interface: Option<String>,
    /// Seconds to send for.
    pub seconds: u32,
    /// Connections at the same time.
    pub streams: u32,
    /// Whether the server sends as well.
    pub both: bool,
}

/// What a measurement gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// Outcome of [`Measure::Machine`].
    Machine(Machine),
    /// Outcome of [`Measure::Sizes`]: one for each size, in order.
    Sizes {
        /// Packets that came back.
        rows: Vec<SizeRow>,
    },
    /// Outcome of [`Measure::Serve`].
    Served {
        /// Interrupts of the interface meanwhile.
        interrupts: Option<Interrupts>,
    },
    /// Outcome of [`Measure::Writes`].
    Written(Written),
    /// Outcome of [`Measure::Rados`].
    Rados {
        /// What was measured.
        phases: Vec<Phase>,
        /// What could not be measured or removed.
        troubles: Vec<String>,
    },
    /// Outcome of [`Measure::Fio`].
    Fio {
        /// What was measured.
        jobs: Vec<JobResult>,
        /// What could not be measured or removed.
        troubles: Vec<String>,
    },
    /// Outcome of [`Measure::Send`].
    Sent {
        /// What the tool measured.
        stream: Stream,
        /// Interrupts of the interface meanwhile.
        interrupts: Option<Interrupts>,
    },
}

/// Packets of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeRow {
    /// Payload bytes.
    pub payload: u32,
    /// Packets sent.
    pub sent: u32,
    /// Packets that came back.
    pub came: u32,
    /// What the tool said when none could be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
