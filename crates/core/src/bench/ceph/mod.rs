//! What `bench ceph` measures on which pool, and what came of it.
//!
//! Used by the controller, the agent and the screens. Both ends are pure: a plan out of what the cluster says of
//! itself, a result out of what `rados bench` and `fio` said.

pub mod circumstance;
pub mod fio;
pub mod rados;
pub mod verdict;

use serde::{Deserialize, Serialize};

use crate::bench::ask::{Fio, Rados};
use crate::facts::CephCluster;
use crate::facts::ceph::PoolFact;
use crate::name::NodeName;

use self::fio::{Access, Job, JobResult};
use self::rados::Phase;

/// Bytes of one object of `rados bench`.
pub const OBJECT: u64 = 4 << 20;

/// Operations of `rados bench` under way at a time.
pub const THREADS: u32 = 16;

/// Most bytes one benchmark keeps in a pool at a time, before replication.
pub const MOST: u64 = 1 << 30;

/// Share of the free space it takes at most.
const SHARE: f64 = 0.05;

/// Fewest bytes with which anything can be measured.
const LEAST: u64 = 64 << 20;

/// How often a job may overwrite its image.
const TURNS: u64 = 4;

/// Beginning of every name that a benchmark gives to an image or an object.
pub const PREFIX: &str = "ringbolt-bench-";

/// Namespace its objects are in: nothing else of the pool is, so that what a crash left is known.
pub const NAMESPACE: &str = "ringbolt-bench";

/// What is measured, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The node that plays the client.
    pub client: NodeName,
    /// The pool.
    pub pool: String,
    /// Copies it keeps.
    pub size: u32,
    /// Copies without which it stops.
    pub min_size: u32,
    /// Placement groups.
    pub pg_num: u32,
    /// Compression mode in force: `none`, `passive`, `aggressive`, `force`.
    pub compression: String,
    /// OSDs that are up.
    pub osds: usize,
    /// What those OSDs may keep in memory, in bytes.
    pub osd_memory: u64,
    /// Version of Ceph that most daemons run.
    pub version: String,
    /// Bytes kept in the pool at a time, before replication.
    pub bytes: u64,
    /// Seconds of each measurement.
    pub seconds: u32,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CephResult {
    /// `rados bench`: write, then both reads.
    pub rados: Vec<Phase>,
    /// `fio` on an image.
    pub fio: Vec<JobResult>,
    /// What could not be measured or removed, and why.
    pub troubles: Vec<String>,
}

/// Why nothing can be measured.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// No such pool.
    #[error("Ceph has no pool {wanted:?}; it has {there}")]
    NoPool {
        /// The one asked for.
        wanted: String,
        /// Those that are there.
        there: String,
    },
    /// No pool that images can be in.
    #[error("no pool of Ceph is replicated and tagged rbd; it has {0}")]
    NoneFits(String),
    /// Images keep their data elsewhere.
    #[error("pool {0} is erasure-coded: an image cannot be in it alone")]
    Erasure(String),
    /// Too little space.
    #[error("only {free} MiB are free in pool {pool}: too few to measure anything")]
    Full {
        /// The pool.
        pool: String,
        /// What is free there.
        free: u64,
    },
}

/// The pool to measure: the one asked for, else the first replicated one for images.
///
/// # Errors
/// There is none.
pub fn pool<'a>(cluster: &'a CephCluster, wanted: Option<&str>) -> Result<&'a PoolFact, SetupError> {
    let there = || {
        let names: Vec<&str> = cluster.pools.iter().map(|p| p.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let found = match wanted {
        Some(name) => cluster
            .pools
            .iter()
            .find(|p| p.name == name)
            .ok_or_else(|| SetupError::NoPool { wanted: name.to_owned(), there: there() })?,
        None => cluster
            .pools
            .iter()
            .find(|p| p.kind == "replicated" && p.applications.iter().any(|a| a == "rbd"))
            .ok_or_else(|| SetupError::NoneFits(there()))?,
    };
    if found.kind == "replicated" { Ok(found) } else { Err(SetupError::Erasure(found.name.clone())) }
}

/// What will be measured in a pool.
///
/// # Errors
/// The pool is too full.
pub fn setup(
    cluster: &CephCluster,
    pool: &PoolFact,
    client: &NodeName,
    seconds: u32,
) -> Result<Setup, SetupError> {
    let free = cluster.bytes as f64 * (1.0 - cluster.used) / f64::from(pool.size.max(1));
    // Halved until it fits, so that runs on a cluster that fills slowly stay alike.
    let sizes =
        std::iter::successors(Some(MOST), |bytes| Some(bytes / 2)).take_while(|bytes| *bytes >= LEAST);
    let Some(bytes) = sizes.into_iter().find(|bytes| *bytes as f64 <= free * SHARE) else {
        return Err(SetupError::Full { pool: pool.name.clone(), free: mebi(free) });
    };
    let most = cluster.versions.iter().max_by_key(|(_, count)| **count);
    Ok(Setup {
        client: client.clone(),
        pool: pool.name.clone(),
        size: pool.size,
        min_size: pool.min_size,
        pg_num: pool.pg_num,
        compression: circumstance::compression(cluster, pool),
        osds: cluster.osds.iter().filter(|o| o.up).count(),
        osd_memory: circumstance::memory(cluster),
        version: most.and_then(|(text, _)| super::machine::version(text)).unwrap_or_default(),
        bytes,
        seconds,
    })
}

/// Whole MiB of so many bytes.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0, far below 2^63")]
fn mebi(bytes: f64) -> u64 {
    bytes.max(0.0) as u64 >> 20
}

impl Setup {
    /// What `rados bench` is asked for.
    pub fn rados(&self) -> Rados {
        Rados {
            pool: self.pool.clone(),
            seconds: self.seconds,
            block: OBJECT,
            threads: THREADS,
            objects: u32::try_from(self.bytes / OBJECT).unwrap_or(u32::MAX),
        }
    }

    /// What `fio` is asked for: three loads, the sequential one in both directions.
    pub fn fio(&self) -> Fio {
        let job = |name: &str, access, block, depth| Job {
            name: name.to_owned(),
            access,
            block,
            depth,
            seconds: self.seconds,
            most: self.bytes * TURNS,
        };
        let jobs = vec![
            job("1M write", Access::Write, 1 << 20, 16),
            job("1M read", Access::Read, 1 << 20, 16),
            job("4k 70/30", Access::Mixed { reads: 70 }, 4096, 32),
            job("8k 80/20", Access::Mixed { reads: 80 }, 8192, 32),
        ];
        Fio { pool: self.pool.clone(), bytes: self.bytes, jobs }
    }

    /// Most bytes that are written in all, before replication: objects, the image once, and what jobs overwrite.
    pub fn written_at_most(&self) -> u64 {
        let writes = |job: &&Job| job.access != Access::Read;
        2 * self.bytes + self.fio().jobs.iter().filter(writes).map(|job| job.most).sum::<u64>()
    }
}

/// What is not the same about two set-ups.
pub fn differences(now: &Setup, before: &Setup) -> Vec<String> {
    let mut list = Vec::new();
    let mut changed = |what: &str, old: &str, new: &str| {
        if old != new {
            list.push(format!("{what} {old}, now {new}"));
        }
    };
    changed("copies", &before.size.to_string(), &now.size.to_string());
    changed("compression", &before.compression, &now.compression);
    changed("OSDs", &before.osds.to_string(), &now.osds.to_string());
    changed("placement groups", &before.pg_num.to_string(), &now.pg_num.to_string());
    changed("Ceph", &before.version, &now.version);
    list
}

#[cfg(test)]
#[path = "ceph_test.rs"]
mod tests;
