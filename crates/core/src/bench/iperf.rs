//! What `iperf3 --json` says of a run (iperf 3.16 and later).
//!
//! Used by the agent. Sums are taken over the streams: the tool's own sums mix the two directions' retransmits in
//! some versions.

use serde::{Deserialize, Serialize};

use crate::json;

/// A run as the client saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// The client's data, to the server.
    pub forth: Flow,
    /// The server's data, to the client; with `both` only.
    pub back: Option<Flow>,
    /// Processor time of the client's process, in percent of one processor.
    pub cpu_client: f64,
    /// The same of the server's.
    pub cpu_server: f64,
    /// Congestion control of the sending side: `cubic`, `bbr`.
    pub congestion: String,
}

/// One direction of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Gbit/s received.
    pub gbits: f64,
    /// Bytes sent.
    pub bytes: u64,
    /// Segments sent again.
    pub retransmits: u64,
    /// Gbit/s in each interval, in order. The first is left out: it is the slow start.
    pub samples: Vec<f64>,
}

/// Why a report is none.
#[derive(Debug, thiserror::Error)]
pub enum IperfError {
    /// Not JSON, or not of this shape.
    #[error("`iperf3` gave something else than its report: {0}")]
    Json(#[from] serde_json::Error),
    /// It says that it failed.
    #[error("iperf3: {0}")]
    Said(String),
    /// It was ended before there was anything to report.
    #[error("iperf3 ended without a result")]
    Empty,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    intervals: Vec<Interval>,
    #[serde(default)]
    end: End,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Interval {
    sum: Option<Sum>,
    sum_bidir_reverse: Option<Sum>,
}

#[derive(Deserialize)]
struct Sum {
    bits_per_second: f64,
}

#[derive(Default, Deserialize)]
struct End {
    #[serde(default)]
    streams: Vec<Ends>,
    cpu_utilization_percent: Option<Cpu>,
    sender_tcp_congestion: Option<String>,
}

#[derive(Deserialize)]
struct Ends {
    sender: Side,
    receiver: Side,
}

#[derive(Deserialize)]
struct Side {
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    bits_per_second: f64,
    #[serde(default)]
    retransmits: u64,
    /// Whether the client sends on it.
    #[serde(default)]
    sender: bool,
}

#[derive(Default, Deserialize)]
struct Cpu {
    host_total: f64,
    remote_total: f64,
}

/// Reads the report.
///
/// # Errors
/// It is no report, or says that the run failed.
pub fn parse(text: &str) -> Result<Stream, IperfError> {
    let report: Report = json::read(text.as_bytes())?;
    if let Some(said) = report.error {
        return Err(IperfError::Said(said));
    }
    if report.end.streams.is_empty() {
        return Err(IperfError::Empty);
    }
    let samples = |pick: fn(&Interval) -> Option<&Sum>| -> Vec<f64> {
        report.intervals.iter().filter_map(pick).map(|s| s.bits_per_second / 1e9).skip(1).collect()
    };
    let flow = |client_sends: bool, samples: Vec<f64>| {
        let mut flow = Flow { samples, ..Flow::default() };
        for ends in report.end.streams.iter().filter(|e| e.sender.sender == client_sends) {
            flow.gbits += ends.receiver.bits_per_second / 1e9;
            flow.bytes += ends.sender.bytes;
            flow.retransmits += ends.sender.retransmits;
        }
        flow
    };
    let reverse = report.end.streams.iter().any(|e| !e.sender.sender);
    let cpu = report.end.cpu_utilization_percent.unwrap_or_default();
    Ok(Stream {
        forth: flow(true, samples(|i| i.sum.as_ref())),
        back: reverse.then(|| flow(false, samples(|i| i.sum_bidir_reverse.as_ref()))),
        cpu_client: cpu.host_total,
        cpu_server: cpu.remote_total,
        congestion: report.end.sender_tcp_congestion.unwrap_or_default(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn one_stream_one_way() {
        let read = parse(include_str!("../../tests/data/bench/iperf3-one-way.json")).unwrap();
        assert!((read.forth.gbits - 13.691).abs() < 0.001, "{read:?}");
        assert_eq!((read.forth.bytes, read.forth.retransmits), (3_425_435_648, 15));
        assert_eq!((read.forth.samples.len(), read.back), (3, None));
        assert!((read.cpu_client - 38.95).abs() < 0.01 && (read.cpu_server - 43.40).abs() < 0.01);
        assert_eq!(read.congestion, "bbr");
    }

    #[test]
    fn four_streams_both_ways_are_told_apart() {
        let read = parse(include_str!("../../tests/data/bench/iperf3-both-ways.json")).unwrap();
        let back = read.back.unwrap();
        assert!((read.forth.gbits - 8.986).abs() < 0.001 && (back.gbits - 8.479).abs() < 0.01, "{back:?}");
        assert_eq!((read.forth.retransmits, back.retransmits), (47, 47));
        assert_eq!((read.forth.samples.len(), back.samples.len()), (3, 3));
    }

    #[test]
    fn what_the_tool_says_of_a_failure_is_told() {
        let error =
            parse(include_str!("../../tests/data/bench/iperf3-refused.json")).unwrap_err().to_string();
        assert!(
            error.starts_with("iperf3: unable to connect to server") && error.ends_with("refused"),
            "{error}"
        );
        assert!(matches!(parse("{\"end\":{}}"), Err(IperfError::Empty)));
        assert!(matches!(parse("bash: iperf3"), Err(IperfError::Json(_))));
    }
}
