//! What must be known about a cluster before its figures are believed: each circumstance refuses the benchmark or is
//! told with the result.
//!
//! Used by `bench ceph` before it measures, and again after. It looks at what the cluster says of itself and at what
//! OSDs stand on; it asks nothing.

use std::collections::BTreeMap;

use crate::arrange::Arrange;
use crate::bench::{Effect, Mark};
use crate::facts::ceph::{ClientLoad, ConfigEntry, Ground, OsdFact, PoolFact};
use crate::facts::{CephCluster, CephNode};
use crate::name::NodeName;

/// One circumstance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstance {
    /// What it does to the figures.
    pub mark: Mark,
    /// Whether nothing is measured unless somebody insists.
    pub refuses: bool,
}

impl Circumstance {
    fn new(effect: Effect, refuses: bool, text: impl Into<String>) -> Self {
        Self { mark: Mark::new(effect, text), refuses }
    }
}

/// Operations a second of others from which they spoil the figures.
const BUSY_OPS: u64 = 50;
/// The same for bytes a second.
const BUSY_BYTES: u64 = 5_000_000;
/// Share of the raw space in use from which allocation gets slow, and that from which writes may stop.
const FULLISH: f64 = 0.7;
const NEAR_FULL: f64 = 0.82;
/// Bytes an OSD may keep where nothing else is set.
const MEMORY: u64 = 4 << 30;

/// Flags of the OSD map that change what is measured, and how.
const FLAGS: [(&str, bool, &str); 9] = [
    ("pauserd", true, "reads stand still"),
    ("pausewr", true, "writes stand still"),
    ("full", true, "writes stand still"),
    ("noup", false, "OSDs that come back are kept out"),
    ("nodown", false, "OSDs that do not answer are waited for"),
    ("noout", false, "as in maintenance"),
    ("norecover", false, "recovery is put off"),
    ("nobackfill", false, "backfill is put off"),
    ("noscrub", false, "scrubs are put off, which otherwise cost something"),
];

/// What speaks against the cluster as it is now, the gravest first.
pub fn of_cluster(cluster: &CephCluster, pool: &PoolFact) -> Vec<Circumstance> {
    let mut found = Vec::new();
    health(cluster, &mut found);
    placement(cluster, &mut found);
    of_pool(cluster, pool, &mut found);
    for (flag, refuses, what) in FLAGS {
        if cluster.flags.iter().any(|f| f == flag) {
            let effect = if refuses { Effect::Void } else { Effect::Note };
            found.push(Circumstance::new(effect, refuses, format!("the flag {flag} is set: {what}")));
        }
    }
    let io = cluster.client;
    if busy(io) {
        let text = format!(
            "other clients are at work: {} operations and {:.1} MB a second",
            io.operations(),
            io.bytes() as f64 / 1e6
        );
        found.push(Circumstance::new(Effect::Spoils, true, text));
    }
    let full = |limit: &str| format!("{:.0} % of the space is in use{limit}", cluster.used * 100.0);
    if cluster.used >= NEAR_FULL {
        found.push(Circumstance::new(Effect::Spoils, true, full(": near full, writes may be stopped")));
    } else if cluster.used >= FULLISH {
        found.push(Circumstance::new(Effect::Spoils, false, full("")));
    }
    found.arrange_by(|a, b| (!a.refuses, &a.mark).cmp(&(!b.refuses, &b.mark)));
    found
}

/// Whether clients do so much that it spoils what others measure.
pub const fn busy(io: ClientLoad) -> bool {
    io.operations() >= BUSY_OPS || io.bytes() >= BUSY_BYTES
}

fn health(cluster: &CephCluster, found: &mut Vec<Circumstance>) {
    let open: Vec<&str> =
        cluster.complaints.iter().filter(|c| !c.muted).map(|c| c.summary.as_str()).collect();
    match cluster.health.as_str() {
        "HEALTH_OK" => {}
        "HEALTH_ERR" => {
            let text = format!("the cluster is in HEALTH_ERR: {}", open.join("; "));
            found.push(Circumstance::new(Effect::Spoils, true, text));
        }
        other => {
            let text = format!("the cluster is in {other}: {}", open.join("; "));
            found.push(Circumstance::new(Effect::Note, false, text));
        }
    }
    let down = cluster.osds.iter().filter(|o| !o.up || !o.within).count();
    if down > 0 {
        let text = format!("{down} of {} OSDs are down or out", cluster.osds.len());
        found.push(Circumstance::new(Effect::Spoils, true, text));
    }
}

fn placement(cluster: &CephCluster, found: &mut Vec<Circumstance>) {
    let with = |words: &[&str]| -> u64 {
        let has = |state: &str| state.split('+').any(|part| words.contains(&part));
        cluster.placement_groups.iter().filter(|(state, _)| has(state)).map(|(_, n)| n).sum()
    };
    let moving = with(&[
        "recovering",
        "recovery_wait",
        "backfilling",
        "backfill_wait",
        "backfill_toofull",
        "peering",
        "remapped",
    ]);
    if moving > 0 {
        let text = format!("{moving} placement groups are being recovered or moved");
        found.push(Circumstance::new(Effect::Spoils, true, text));
    }
    let lacking = with(&["degraded", "undersized"]);
    if lacking > 0 {
        let text =
            format!("{lacking} placement groups lack copies, so that fewer are written than should be");
        found.push(Circumstance::new(Effect::Flatters, true, text));
    }
    let scrubbed = with(&["scrubbing"]);
    if scrubbed > 0 {
        let text = format!("a scrub runs on {scrubbed} placement groups");
        found.push(Circumstance::new(Effect::Spoils, false, text));
    }
}

fn of_pool(cluster: &CephCluster, pool: &PoolFact, found: &mut Vec<Circumstance>) {
    let PoolFact { name, size, .. } = pool;
    if *size < 3 {
        let text = format!("pool {name} keeps {size} copies: writes cost less than with 3");
        found.push(Circumstance::new(Effect::Flatters, false, text));
    } else if *size > 3 {
        let text = format!("pool {name} keeps {size} copies: writes cost more than with 3");
        found.push(Circumstance::new(Effect::Spoils, false, text));
    }
    let mode = compression(cluster, pool);
    if mode == "aggressive" || mode == "force" {
        let text = format!(
            "pool {name} compresses ({mode}): rados bench writes one repeated letter, of which hardly anything would reach a disk"
        );
        found.push(Circumstance::new(Effect::Flatters, true, text));
    } else if mode != "none" {
        let text = format!("pool {name} compresses what clients ask it to ({mode}); benchmarks do not ask");
        found.push(Circumstance::new(Effect::Note, false, text));
    }
}

/// The compression in force in a pool: its own setting, else that of the OSDs, else none.
pub fn compression(cluster: &CephCluster, pool: &PoolFact) -> String {
    let own = pool.options.get("compression_mode").filter(|mode| !mode.is_empty());
    let set = || {
        let all = cluster.config.iter().filter(|e| e.name == "bluestore_compression_mode");
        all.max_by_key(|e| e.section.len()).map(|e| e.value.clone())
    };
    own.cloned().or_else(set).unwrap_or_else(|| "none".into())
}

/// What the OSDs that are up may keep in memory together, in bytes.
pub fn memory(cluster: &CephCluster) -> u64 {
    let set: Vec<&ConfigEntry> = cluster.config.iter().filter(|e| e.name == "osd_memory_target").collect();
    let of = |osd: &OsdFact| {
        let rank = |entry: &&ConfigEntry| fits(entry, osd);
        let best = set.iter().filter(|e| rank(e).is_some()).max_by_key(|e| rank(e));
        best.and_then(|e| e.value.parse().ok()).unwrap_or(MEMORY)
    };
    cluster.osds.iter().filter(|o| o.up).map(of).sum()
}

/// How closely an entry is meant for an OSD; `None`: it is for others.
fn fits(entry: &ConfigEntry, osd: &OsdFact) -> Option<u32> {
    let section = match entry.section.as_str() {
        "global" => 0,
        "osd" => 1,
        other if *other == format!("osd.{}", osd.id) => return Some(9),
        _ => return None,
    };
    match entry.mask.split_once(':') {
        None => Some(section),
        Some(("class", class)) if class == osd.class => Some(section + 2),
        Some(("host", host)) if host == osd.host => Some(section + 4),
        Some(_) => None,
    }
}

/// OSDs that stand on something else than a disk: memory, files.
pub fn of_disks(nodes: &BTreeMap<NodeName, CephNode>) -> Vec<Circumstance> {
    let all = nodes.iter().flat_map(|(node, ceph)| ceph.osds.iter().map(move |osd| (node, osd)));
    let stands = all.flat_map(|(node, osd)| osd.ground.iter().map(move |ground| (node, osd, ground)));
    stands
        .map(|(node, osd, ground)| {
            let text = format!("osd.{} of {node} stands on {}", osd.id, described(ground));
            Circumstance::new(Effect::Void, false, text)
        })
        .collect()
}

fn described(ground: &Ground) -> String {
    let what = match (ground.device.as_str(), ground.file.as_str()) {
        ("", file) => format!("the file {file}"),
        (device, "") => device.to_owned(),
        (device, file) => format!("{device}, the file {file}"),
    };
    let worth = match ground.memory {
        Some(true) => "in memory: what it writes reaches no disk",
        Some(false) => "and no disk of its own",
        None => "and no disk of this node",
    };
    format!("{what}, {worth}")
}

/// The effect of memory on what was read, where all of it may have been there.
pub fn cache(bytes: u64, osd_memory: u64) -> Option<Mark> {
    let gib = |n: u64| n as f64 / f64::from(1 << 30);
    (bytes <= osd_memory).then(|| {
        let text = format!(
            "reads come from memory: {:.1} GiB were written just before, and the OSDs may keep {:.0} GiB; disks show only beyond",
            gib(bytes),
            gib(osd_memory)
        );
        Mark::new(Effect::Flatters, text)
    })
}

/// What was not so before: marks of a look after the run that one before did not give.
pub fn since(before: &[Circumstance], after: Vec<Circumstance>) -> Vec<Mark> {
    let kind = |c: &Circumstance| c.mark.text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let known: Vec<String> = before.iter().map(kind).collect();
    let new = |c: Circumstance| Mark::new(c.mark.effect, format!("during the run: {}", c.mark.text));
    after.into_iter().filter(|c| !known.contains(&kind(c))).map(new).collect()
}
