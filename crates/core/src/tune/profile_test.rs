//! The profile: what is in it, and that it agrees with itself.

use std::collections::BTreeMap;

use super::*;
use crate::spec::{Mclock, OsdMemory, Spec, read};

const GIB: u64 = 1 << 30;

pub(super) fn spec(more: &str) -> Spec {
    let mut text = "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n".to_owned();
    for (n, name) in ["n2", "n3", "n4"].iter().enumerate() {
        text += &format!(
            "[[node]]\nname = \"{name}\"\naddress = \"10.11.12.{}\"\nosds = [\"/dev/nvme1n1\", \"/dev/nvme2n1\"]\n",
            n + 12
        );
    }
    let mut spec = read(&(text + more)).spec.expect("the spec is right");
    spec.ceph.get_or_insert_with(ceph);
    spec
}

/// What the reader makes of a file without `[ceph]`.
pub(super) fn ceph() -> crate::spec::Ceph {
    let nodes: Vec<_> =
        ["n2", "n3", "n4"].iter().map(|n| crate::name::NodeName::new(n).expect("a name")).collect();
    crate::spec::Ceph {
        repository: crate::spec::Repository::NoSubscription,
        version: crate::spec::Release::Tentacle,
        public: crate::spec::PublicNetwork::Mesh,
        monitors: nodes.clone(),
        managers: nodes,
        memory: OsdMemory::Reserve(None),
        tuning: true,
        mclock: Mclock::Balanced,
        scrub: None,
        migration: false,
    }
}

pub(super) fn memory(gib: [u64; 3]) -> BTreeMap<crate::name::NodeName, Share> {
    let names = ["n2", "n3", "n4"].iter().map(|n| crate::name::NodeName::new(n).expect("a name"));
    names.zip(gib).map(|(name, gib)| (name, Share { memory: gib * GIB, osds: 2 })).collect()
}

pub(super) fn stored(profile: &[Setting]) -> Vec<ConfigEntry> {
    let entry = |s: &Setting| {
        let (section, mask) = s.section.split_once('/').unwrap_or((&s.section, ""));
        ConfigEntry {
            section: section.to_owned(),
            name: s.name.to_owned(),
            value: s.value.clone(),
            mask: mask.to_owned(),
        }
    };
    profile.iter().map(entry).collect()
}

fn values(profile: &[Setting], name: &str) -> Vec<(String, String)> {
    let of = profile.iter().filter(|s| s.name == name);
    of.map(|s| (s.section.clone(), s.value.clone())).collect()
}

#[test]
fn equal_nodes_share_one_memory_target_and_others_get_their_own() {
    let spec = spec("");
    let equal = profile_for(&spec, Some(&memory([64, 64, 64])));
    assert_eq!(values(&equal, "osd_memory_target"), [("osd".into(), (8 * GIB).to_string())]);
    let mixed = profile_for(&spec, Some(&memory([64, 32, 16])));
    let sizes: Vec<u64> =
        values(&mixed, "osd_memory_target").iter().map(|(_, v)| v.parse().expect("a number")).collect();
    assert_eq!(sizes, [8 * GIB, 5 * GIB, 1536 << 20]);
    assert_eq!(values(&mixed, "osd_memory_target")[1].0, "osd/host:n3");
}

#[test]
fn memory_targets_stay_between_the_least_ceph_takes_and_what_the_spec_leaves() {
    let share = |gib| Share { memory: gib * GIB, osds: 2 };
    assert_eq!(target(OsdMemory::Reserve(None), share(4), 2), 896 << 20);
    assert_eq!(target(OsdMemory::Reserve(None), share(512), 2), 8 * GIB);
    assert_eq!(target(OsdMemory::Fixed(GIB), share(64), 2), GIB);
    assert_eq!(target(OsdMemory::Fixed(1), share(64), 2), 896 << 20);
    let left = target(OsdMemory::Reserve(Some(64 * GIB)), share(128), 2);
    assert!(left > 8 * GIB && left * 2 * 6 / 5 <= 60 * GIB, "{left}");
}

#[test]
fn nothing_is_set_that_nobody_asked_for() {
    let mut spec = spec("");
    let plain = profile_for(&spec, Some(&memory([64, 64, 64])));
    for name in ["osd_mclock_profile", "osd_scrub_begin_hour", "osd_deep_scrub_interval"] {
        assert!(values(&plain, name).is_empty(), "{name}");
    }
    let ceph = spec.ceph.as_mut().expect("ceph");
    ceph.mclock = Mclock::HighClientOps;
    ceph.scrub = Some((22, 6));
    let asked = profile_for(&spec, None);
    assert_eq!(values(&asked, "osd_mclock_profile"), [("osd".into(), "high_client_ops".into())]);
    assert_eq!(values(&asked, "osd_deep_scrub_interval"), [("global".into(), "1209600".into())]);
    assert!(values(&asked, "osd_memory_target").is_empty(), "the memory is not known");
    spec.ceph.as_mut().expect("ceph").tuning = false;
    assert!(profile_for(&spec, None).is_empty());
}

#[test]
fn two_hosts_can_report_each_other() {
    let mut spec = spec("");
    assert!(values(&profile_for(&spec, None), "mon_osd_min_down_reporters").is_empty());
    spec.nodes[2].osds = crate::spec::Osds::default();
    assert_eq!(values(&profile_for(&spec, None), "mon_osd_min_down_reporters").len(), 1);
}

#[test]
fn a_stored_profile_differs_in_nothing_and_what_overrules_it_is_removed() {
    let spec = spec("");
    let profile = profile_for(&spec, Some(&memory([64, 32, 16])));
    let mut config = stored(&profile);
    assert!(difference(&profile, &config).is_empty());
    let entry = |section: &str, name: &str, value: &str| ConfigEntry {
        section: section.into(),
        name: name.into(),
        value: value.into(),
        mask: String::new(),
    };
    config.retain(|e| e.name != "mon_lease");
    config.push(entry("osd.3", "osd_heartbeat_grace", "20"));
    config.push(entry("osd", "osd_mclock_profile", "high_client_ops"));
    config.push(entry("osd", "bluestore_throttle_bytes", "1"));
    let difference = difference(&profile, &config);
    assert_eq!(difference.set, [("mon".into(), "mon_lease".into(), "2".into())]);
    let removed: Vec<_> = difference.remove.iter().map(|(w, n)| format!("{w} {n}")).collect();
    assert_eq!(removed, ["osd.3 osd_heartbeat_grace", "osd osd_mclock_profile"]);
}

#[test]
fn values_are_compared_by_what_they_mean() {
    for (a, b) in [
        ("0.700000", "0.7"),
        ("4G", "4294967296"),
        ("true", "1"),
        ("lz4", "lz4"),
        ("256Mi", "268435456"),
        ("30000.123456", "30000.12"),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("0.05", "0.06"),
        ("4G", "4M"),
        ("true", "false"),
        ("crc", "crc secure"),
        ("6", ""),
        ("6442450944", "6442451944"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn a_window_too_short_for_the_data_is_remarked_on() {
    let mut ceph = ceph();
    ceph.scrub = Some((2, 4));
    let osd = crate::facts::ceph::OsdFact { up: true, ..Default::default() };
    let mut cluster =
        crate::facts::CephCluster { osds: vec![osd; 6], bytes: 12_000_000_000_000, ..Default::default() };
    cluster.used = 0.1;
    assert!(scrub::remarks(&ceph, &cluster).is_empty());
    cluster.used = 0.8;
    assert_eq!(scrub::remarks(&ceph, &cluster).len(), 0, "1.6 TB in 14 days");
    cluster.bytes *= 10;
    assert_eq!(scrub::remarks(&ceph, &cluster).len(), 1);
}
