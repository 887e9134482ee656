//! One option with everything its verdict depends on, and the verdicts that depend on more than the value.
//! Used by the audit; the table names these functions.

use std::borrow::Cow;

use super::table::Known;
use super::verdict::Verdict;
use crate::facts::ceph::value::{number, same};

/// What the cluster is like, as far as verdicts depend on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Surroundings {
    /// Major version of Ceph.
    pub(super) release: u32,
    /// Whether OSDs queue by mClock (Ceph's default) rather than wpq.
    pub(super) mclock: bool,
    /// Whether limits on recovery were freed from mClock (`osd_mclock_override_recovery_settings`).
    pub(super) freed: bool,
    /// Whether BlueStore sizes its caches itself (Ceph's default).
    pub(super) autotune: bool,
    /// Whether OSDs stand on rotating disks.
    pub(super) rotating: bool,
    /// Whether anything is compressed: the OSDs' mode or a pool's.
    pub(super) compressing: bool,
    /// The least `net.core.rmem_max` of all nodes, where known.
    pub(super) rmem_max: Option<u64>,
    /// The least memory of a node for each of its OSDs in bytes, where known.
    pub(super) memory_per_osd: Option<u64>,
}

/// One value to judge.
pub(super) struct Case<'a> {
    pub(super) known: &'a Known,
    pub(super) section: &'a str,
    pub(super) value: &'a str,
    pub(super) around: &'a Surroundings,
}

type Word = (Verdict, Cow<'static, str>);

impl Case<'_> {
    fn finding(&self, verdict: Verdict) -> Word {
        (verdict, self.known.finding.into())
    }

    fn number(&self) -> f64 {
        number(self.value).unwrap_or(0.0)
    }
}

/// What only wpq looks at, and mClock when freed.
pub(super) fn recovery_limit(case: &Case<'_>) -> Word {
    if case.around.mclock && !case.around.freed {
        return case.finding(Verdict::Ignored);
    }
    (Verdict::Useful, "in force: mClock is not in the way here; more recovery at once costs clients".into())
}

pub(super) fn recovery_priority(case: &Case<'_>) -> Word {
    if case.around.mclock {
        return case.finding(Verdict::Ignored);
    }
    (Verdict::Useful, "in force: these OSDs queue by wpq".into())
}

pub(super) fn cache_size(case: &Case<'_>) -> Word {
    if case.around.autotune {
        return case.finding(Verdict::Ignored);
    }
    (Verdict::Useful, "in force: bluestore_cache_autotune is off here, counts after a restart".into())
}

pub(super) fn compression_detail(case: &Case<'_>) -> Word {
    if case.around.compressing {
        return case.finding(Verdict::Useful);
    }
    (Verdict::Ignored, "nothing is compressed: no bluestore_compression_mode and no pool with one".into())
}

/// Shards and threads: at 0 each medium has its own number.
pub(super) fn shards(case: &Case<'_>) -> Word {
    let usual = match (case.known.name, case.around.rotating) {
        ("osd_op_num_shards", false) => 8.0,
        ("osd_op_num_shards", true) => 1.0,
        (_, false) => 2.0,
        (_, true) => 5.0,
    };
    if (case.number() - usual).abs() < 0.5 {
        return case.finding(Verdict::Equal);
    }
    let why = format!(
        "Ceph takes {usual} on these disks by itself; another number splits what mClock can see (counts after a restart)"
    );
    (Verdict::Risky, why.into())
}

pub(super) fn receive_buffer(case: &Case<'_>) -> Word {
    match case.around.rmem_max {
        Some(most) if u128::from(most) < case.number().max(0.0) as u128 => {
            let why = format!(
                "turns the kernel's own sizing off, and the kernel cuts it to net.core.rmem_max ({most} bytes): windows get smaller, not larger"
            );
            (Verdict::Harmful, why.into())
        }
        _ => case.finding(Verdict::Risky),
    }
}

pub(super) fn memory_target(case: &Case<'_>) -> Word {
    let Some(each) = case.around.memory_per_osd else { return case.finding(Verdict::Useful) };
    let (each, value) = (each as f64, case.number());
    let gib = |bytes: f64| format!("{:.1} GiB", bytes / f64::from(1 << 30));
    if value * 1.2 > each {
        let why = format!(
            "OSDs go a fifth over their target: {} each, but a node has only {} for each of its OSDs; the kernel kills them",
            gib(value * 1.2),
            gib(each)
        );
        return (Verdict::Harmful, why.into());
    }
    if value * 1.2 > each * 0.75 {
        let why = format!(
            "leaves guests and the system less than a quarter of {} a node has for each of its OSDs",
            gib(each)
        );
        return (Verdict::Risky, why.into());
    }
    case.finding(Verdict::Useful)
}

pub(super) fn cluster_mode(case: &Case<'_>) -> Word {
    match case.value.trim() {
        "crc" => case.finding(Verdict::Equal),
        value if value.starts_with("secure") => {
            (Verdict::Useful, "replication is encrypted; costs throughput (counts after a restart)".into())
        }
        _ => case.finding(Verdict::Useful),
    }
}

pub(super) fn heartbeat_grace(case: &Case<'_>) -> Word {
    let value = case.number();
    if value < 5.0 {
        return (
            Verdict::Risky,
            "a loaded node may stay silent that long: OSDs are marked down for nothing".into(),
        );
    }
    if value > 30.0 {
        return (Verdict::Risky, "writes stand still that long after a node's power loss".into());
    }
    case.finding(Verdict::Useful)
}

pub(super) fn min_size(case: &Case<'_>) -> Word {
    if case.number() <= 1.0 && !same(case.value, "0") {
        return case.finding(Verdict::Harmful);
    }
    (Verdict::Useful, "for pools made from now on".into())
}

pub(super) fn pool_size(case: &Case<'_>) -> Word {
    if case.number() < 3.0 {
        return case.finding(Verdict::Risky);
    }
    (Verdict::Useful, "for pools made from now on".into())
}

pub(super) fn reporters(case: &Case<'_>) -> Word {
    if case.number() < 2.0 {
        return case.finding(Verdict::Risky);
    }
    (
        Verdict::Useful,
        "so many hosts must report a lost OSD; with fewer left it is noticed after 15 minutes".into(),
    )
}
