//! What `rados bench --format json` says (Ceph 17 to 20).
//!
//! Used by the agent. The tool writes what people read and its JSON to the same stream, so the report is looked for in
//! the text; and it writes `nan` where it divides by nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One of the three measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// New objects.
    Write,
    /// Those objects in the order they were written.
    Seq,
    /// Those objects in any order.
    Rand,
}

impl Kind {
    /// The tool's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Seq => "seq",
            Self::Rand => "rand",
        }
    }
}

/// What came of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Which.
    pub kind: Kind,
    /// Seconds it took.
    pub seconds: f64,
    /// Operations done.
    pub operations: u64,
    /// MB/s (10⁶ bytes; the tool's own are 2²⁰).
    pub mb: f64,
    /// Operations a second.
    pub iops: f64,
    /// Milliseconds an operation took, mean.
    pub mean_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// MB/s in each second.
    pub samples: Vec<f64>,
}

/// Why a report is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RadosError {
    /// There is none in what it said.
    #[error("`rados bench` gave no report")]
    Missing,
    /// Nothing was done in the time.
    #[error("`rados bench` did nothing in its time")]
    Nothing,
}

/// Reads the report of one measurement with objects of `block` bytes.
///
/// # Errors
/// There is none, or nothing was done.
pub fn parse(kind: Kind, said: &str, block: u64) -> Result<Phase, RadosError> {
    let report = report(said).ok_or(RadosError::Missing)?;
    let number = |keys: &[&str]| keys.iter().find_map(|key| plain(report.get(key)?));
    let (seconds, operations) = (
        number(&["total_time_run"]).unwrap_or_default(),
        number(&["total_writes_made", "total_reads_made"]).unwrap_or_default(),
    );
    if seconds <= 0.0 || operations < 1.0 {
        return Err(RadosError::Nothing);
    }
    let samples = report.get("datas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let sample = |second: &Value| Some(plain(second.get("cur_bw")?)? * MEBI);
    let latency = |keys: &[&str]| number(keys).unwrap_or_default() * 1000.0;
    Ok(Phase {
        kind,
        seconds,
        operations: count(operations),
        mb: operations * block as f64 / seconds / 1e6,
        iops: operations / seconds,
        mean_ms: latency(&["average_latency", "average_latency(s)"]),
        max_ms: latency(&["max_latency", "max_latency(s)"]),
        // The first line is that of second 0, before anything was done.
        samples: samples
            .iter()
            .filter(|s| s.get("sec").and_then(plain) != Some(0.0))
            .filter_map(sample)
            .collect(),
    })
}

/// 2²⁰ in millions.
const MEBI: f64 = 1.048_576;

/// Numbers come as such or as text.
fn plain(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n: &f64| n.is_finite())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count below 2^53")]
fn count(value: f64) -> u64 {
    value.max(0.0) as u64
}

/// The JSON in what it said, from the first brace to the last.
fn report(said: &str) -> Option<Value> {
    let text = said.get(said.find('{')?..=said.rfind('}')?)?;
    serde_json::from_str(text).ok().or_else(|| {
        let mended = text.replace("-nan", "null").replace("nan", "null").replace("inf", "null");
        serde_json::from_str(&mended).ok()
    })
}
