//! Pools, file systems and storage entries as they should be, by the names Ceph and Proxmox VE know.
//!
//! The autoscaler is off for them: nothing moves placement groups behind a user's back. Set to `warn` it has no
//! patience: it complains of every pool whose number is not just its own, which it works out anew with every pool, OSD
//! and gigabyte. The number follows about the same rule, and the next plan says when it is far off.

use serde::Serialize;

use super::{CephWish, groups};
use crate::facts::ceph::{CephCluster, PoolFact};
use crate::spec::{Keeping, Pool, Spec};

/// One pool of the spec, or of a file system of the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolWish {
    /// Name as Ceph knows it: an erasure-coded pool `x` of the spec is `x-data` here.
    pub name: String,
    /// Name given to `pveceph pool create`; none for the pools of a file system, which come with it.
    pub creates: Option<String>,
    /// Options of `pveceph pool create`, in order.
    pub create: Vec<(String, String)>,
    /// What is kept, by `pveceph pool set`.
    pub keep: Vec<(String, String)>,
    /// What is kept and Proxmox VE has no flag for, by `ceph osd pool set`.
    pub extra: Vec<(String, String)>,
    /// Copies, or data and redundancy together.
    pub size: u32,
    /// Device class its rule is for.
    pub class: Option<String>,
    /// How the number of placement groups came about, in words.
    pub reason: String,
}

/// One file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilesystemWish {
    /// Name.
    pub name: String,
    /// Placement groups of its data pool.
    pub pg_num: u32,
}

/// One storage entry in Proxmox VE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StorageWish {
    /// Its id.
    pub id: String,
    /// `rbd` or `cephfs`.
    pub kind: String,
    /// The pool or file system behind it.
    pub of: String,
    /// Options of `pvesm add`, in order.
    pub options: Vec<(String, String)>,
}

/// Factor between wished and present number of placement groups from which the number follows the
/// wish where the spec does not say one; an autoscaler that is on waits for three times.
const PATIENCE: u32 = 4;

/// Whether Ceph's manager changes the number of placement groups.
const AUTOSCALE: &str = "pg_autoscale_mode";

fn pair(key: &str, value: impl Into<String>) -> (String, String) {
    (key.to_owned(), value.into())
}

/// Thousandths as a decimal fraction.
fn ratio(part: u32) -> String {
    let text = format!("{}.{:03}", part / 1000, part % 1000);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    short.to_owned()
}

pub(super) fn fill(wish: &mut CephWish, spec: &Spec, cluster: Option<&CephCluster>) {
    let wished: Vec<Option<u32>> =
        spec.pools.iter().map(|p| p.target_share).chain(spec.filesystems.iter().map(|_| None)).collect();
    let shares = groups::shares(&wished);
    let of = |at: usize| groups::part(shares[at], &shares);
    for (at, pool) in spec.pools.iter().enumerate() {
        let osds = wish.osds(spec, cluster, pool.class.as_deref());
        let (built, storage) = one(pool, osds, of(at), cluster);
        let coded = matches!(pool.keeping, Keeping::Erasure { .. });
        wish.pools.push(built);
        wish.pools.extend(coded.then(|| beside(pool)));
        wish.storage.extend(storage);
    }
    let first = spec.pools.first().map_or((3, 2), |p| match p.keeping {
        Keeping::Copies { size, min_size } => (size, min_size),
        Keeping::Erasure { .. } => (3, 2),
    });
    for (at, fs) in spec.filesystems.iter().enumerate() {
        let part = of(spec.pools.len() + at);
        let osds = wish.osds(spec, cluster, None);
        let (pg_num, reason) = number(fs.pg_num, osds, first.0, part);
        wish.filesystems.push(FilesystemWish { name: fs.name.clone(), pg_num });
        let keep = vec![pair(AUTOSCALE, "off")];
        let pool = |name: String, extra: Vec<(String, String)>| PoolWish {
            name,
            creates: None,
            create: Vec::new(),
            keep: keep.clone(),
            extra,
            size: first.0,
            class: None,
            reason: reason.clone(),
        };
        wish.pools.push(pool(format!("{}_data", fs.name), vec![pair("target_size_ratio", ratio(part))]));
        wish.pools.push(pool(format!("{}_metadata", fs.name), Vec::new()));
        if fs.storage {
            wish.storage.push(StorageWish {
                id: fs.name.clone(),
                kind: "cephfs".into(),
                of: fs.name.clone(),
                options: vec![pair("fs-name", &fs.name), pair("content", "backup,iso,vztmpl,snippets")],
            });
        }
    }
}

/// The small pool that comes with an erasure-coded one.
fn beside(pool: &Pool) -> PoolWish {
    PoolWish {
        name: format!("{}-metadata", pool.name),
        creates: None,
        create: Vec::new(),
        keep: vec![pair(AUTOSCALE, "off")],
        extra: Vec::new(),
        size: 3,
        class: None,
        reason: "it comes with the erasure-coded pool".into(),
    }
}

/// Placement groups of one pool, and why so many.
fn number(said: Option<u32>, osds: u32, copies: u32, part: u32) -> (u32, String) {
    if let Some(count) = said {
        return (count, format!("{count} placement groups, as the spec says"));
    }
    let count = groups::count(osds, copies, part);
    let each = count * copies / osds.max(1);
    let share = if part == 1000 { String::new() } else { format!(" for {} of the cluster", ratio(part)) };
    (count, format!("{count} placement groups are {each} an OSD with {osds} OSDs and {copies} copies{share}"))
}

fn one(pool: &Pool, osds: u32, part: u32, cluster: Option<&CephCluster>) -> (PoolWish, Option<StorageWish>) {
    let (size, erasure) = match pool.keeping {
        Keeping::Copies { size, .. } => (size, None),
        Keeping::Erasure { k, m } => (k + m, Some((k, m))),
    };
    let name = if erasure.is_some() { format!("{}-data", pool.name) } else { pool.name.clone() };
    let there = cluster.and_then(|c| c.pools.iter().find(|p| p.name == name));
    let (count, reason) = number(pool.pg_num, osds, size, part);
    let keeps = kept_number(pool.pg_num, count, there);
    let mut keep = Vec::new();
    if let Keeping::Copies { size, min_size } = pool.keeping {
        keep.extend([pair("size", size.to_string()), pair("min_size", min_size.to_string())]);
    }
    keep.extend([pair("pg_num", keeps.to_string()), pair(AUTOSCALE, "off"), pair("application", "rbd")]);
    let target = pair("target_size_ratio", ratio(part));
    let mut extra = Vec::new();
    let mut create;
    if let Some((k, m)) = erasure {
        let class = pool.class.as_ref().map(|c| format!(",device-class={c}")).unwrap_or_default();
        // Said in so many words: Proxmox VE makes a storage of its own for a coded pool otherwise.
        create = vec![pair("erasure-coding", format!("k={k},m={m}{class}")), pair("add_storages", "0")];
        create.extend(keep.iter().cloned());
        // Said to `pveceph`, it would go to the small pool beside it as well.
        extra.push(target);
    } else {
        if let Some(class) = &pool.class {
            keep.push(pair("crush_rule", rule(class)));
        }
        keep.push(target);
        create = keep.clone();
    }
    if let Some(compression) = &pool.compression {
        extra.push(pair("compression_algorithm", &compression.algorithm));
        extra.push(pair("compression_mode", &compression.mode));
    }
    let storage = pool.storage.then(|| {
        let (of, mut options) = match erasure {
            Some(_) => (format!("{}-metadata", pool.name), vec![pair("data-pool", &name)]),
            None => (pool.name.clone(), Vec::new()),
        };
        options.splice(0..0, [pair("pool", &of), pair("content", "images,rootdir")]);
        StorageWish { id: pool.name.clone(), kind: "rbd".into(), of, options }
    });
    let class = pool.class.clone().filter(|_| erasure.is_none());
    let wish = PoolWish { creates: Some(pool.name.clone()), name, create, keep, extra, size, class, reason };
    (wish, storage)
}

/// The number of placement groups to keep: what is there stays while it is not far off, unless the spec
/// says a number.
fn kept_number(said: Option<u32>, count: u32, there: Option<&PoolFact>) -> u32 {
    match there {
        Some(pool) if said.is_none() && count < pool.pg_num.saturating_mul(PATIENCE) => pool.pg_num,
        _ => count,
    }
}

/// Name of the CRUSH rule for copies on one class of disks.
pub(crate) fn rule(class: &str) -> String {
    format!("ringbolt-{class}")
}

impl PoolWish {
    /// All that is kept, as one list.
    pub fn kept(&self) -> Vec<(String, String)> {
        self.keep.iter().chain(&self.extra).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_short() {
        for (part, text) in [(1000, "1"), (500, "0.5"), (333, "0.333"), (20, "0.02")] {
            assert_eq!(ratio(part), text);
        }
    }

    #[test]
    fn what_is_there_stays_unless_it_is_far_off_or_said_otherwise() {
        let there = PoolFact { pg_num: 128, ..PoolFact::default() };
        assert_eq!(kept_number(None, 256, Some(&there)), 128);
        assert_eq!(kept_number(None, 512, Some(&there)), 512);
        assert_eq!(kept_number(None, 32, Some(&there)), 128);
        assert_eq!(kept_number(Some(64), 64, Some(&there)), 64);
        assert_eq!(kept_number(None, 256, None), 256);
    }
}
