//! Jobs for `fio` on an image, and what `fio --output-format=json` says of one (fio 3.33 to 3.41).
//!
//! Used by the agent. Latencies are completion latencies: from when the request was handed to librbd.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name: `4k 70/30`.
    pub name: String,
    /// What it does.
    pub access: Access,
    /// Bytes of a request.
    pub block: u64,
    /// Requests under way at a time.
    pub depth: u32,
    /// Seconds.
    pub seconds: u32,
    /// Bytes after which it ends early where it writes.
    pub most: u64,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "access", rename_all = "kebab-case")]
pub enum Access {
    /// Writes from beginning to end.
    Write,
    /// Reads from beginning to end.
    Read,
    /// Reads and writes anywhere.
    Mixed {
        /// Percent of reads.
        reads: u32,
    },
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// The job.
    pub job: Job,
    /// Its reads, where it has any.
    pub read: Option<Side>,
    /// Its writes, where it has any.
    pub write: Option<Side>,
}

/// Reads or writes of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Requests a second.
    pub iops: f64,
    /// MB/s (10⁶ bytes).
    pub mb: f64,
    /// Requests done.
    pub requests: u64,
    /// Seconds.
    pub seconds: f64,
    /// Milliseconds: half are not slower.
    pub p50: f64,
    /// One in twenty is slower.
    pub p95: f64,
    /// One in a hundred.
    pub p99: f64,
    /// One in a thousand; none for fewer than 1000 requests.
    pub p999: Option<f64>,
    /// The slowest.
    pub max: f64,
    /// MB/s over time, each half a second.
    pub samples: Vec<f64>,
}

/// Why a report is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FioError {
    /// Not JSON, or not of this shape.
    #[error("`fio` gave no report")]
    Missing,
    /// It says that it failed, with an errno.
    #[error("`fio` ended with error {0}")]
    Said(i64),
    /// Nothing was done in the time.
    #[error("`fio` did nothing in its time")]
    Nothing,
}

/// Fewest requests for which one in a thousand means something.
const THOUSAND: u64 = 1000;

/// Reads the report of a run with one job; `log` is its log of bandwidths.
///
/// # Errors
/// It is no report, or one of a failure.
pub fn parse(job: &Job, said: &str, log: &str) -> Result<JobResult, FioError> {
    // Libraries say things before it begins.
    let text = said.find("{\n").or_else(|| said.find('{')).and_then(|at| said.get(at..));
    let report: Value = text.and_then(|t| serde_json::from_str(t).ok()).ok_or(FioError::Missing)?;
    let told = report.pointer("/jobs/0").ok_or(FioError::Missing)?;
    match told.get("error").and_then(Value::as_i64) {
        None | Some(0) => {}
        Some(code) => return Err(FioError::Said(code)),
    }
    let read = side(told.get("read"), &samples(log, 0));
    let write = side(told.get("write"), &samples(log, 1));
    if read.is_none() && write.is_none() {
        return Err(FioError::Nothing);
    }
    Ok(JobResult { job: job.clone(), read, write })
}

fn side(told: Option<&Value>, samples: &[f64]) -> Option<Side> {
    let told = told?;
    let number = |path: &str| told.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    let requests = told.get("total_ios").and_then(Value::as_u64).filter(|n| *n > 0)?;
    let late = |percent: &str| number(&format!("/clat_ns/percentile/{percent}")) / 1e6;
    Some(Side {
        iops: number("/iops"),
        mb: number("/bw_bytes") / 1e6,
        requests,
        seconds: number("/runtime") / 1e3,
        p50: late("50.000000"),
        p95: late("95.000000"),
        p99: late("99.000000"),
        p999: (requests >= THOUSAND).then(|| late("99.900000")),
        max: number("/clat_ns/max") / 1e6,
        samples: samples.to_vec(),
    })
}

/// The log's lines of one direction (0 reads, 1 writes): `time in ms, KiB/s, direction, …`.
fn samples(log: &str, direction: u32) -> Vec<f64> {
    let sample = |line: &str| {
        let mut words = line.split(',').map(str::trim);
        let (_, kib, way) = (words.next()?, words.next()?.parse::<f64>().ok()?, words.next()?);
        (way.parse() == Ok(direction)).then_some(kib * 1024.0 / 1e6)
    };
    log.lines().filter_map(sample).collect()
}
