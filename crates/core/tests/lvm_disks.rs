//! OSDs on real LVM and dm-crypt, as the agent found them in the virtual machine of `scripts/qemu`: what stands on each
//! disk, what the planner makes of it, what a wipe did.
//!
//! `data/lvm` is what that machine said once; `scripts/qemu` runs the same tests on what it says now (`RINGBOLT_QEMU`).
#![expect(clippy::disallowed_methods, reason = "the test reads files; the core does not")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ringbolt_core::bind::disks::{DiskChoice, Fate, Ours, choose};
use ringbolt_core::facts::ceph::OsdFact;
use ringbolt_core::facts::disk::mounts::mounts;
use ringbolt_core::facts::disk::reading::{Block, OsdFolder, Reading};
use ringbolt_core::facts::disk::signatures::{label, signatures};
use ringbolt_core::facts::disk::{Disk, Use, volumes};
use ringbolt_core::facts::{Facts, Known};
use ringbolt_core::sim;
use ringbolt_core::spec::{Node, OsdOptions, Osds, Transport};
use ringbolt_core::topology::generate;
use ringbolt_core::wire::{Answer, Failure, FailureKind, Say};

/// The cluster in the machine.
const CLUSTER: &str = "3f0c4a52-6f1e-4b0c-9a55-5d2f7a7e9c01";

fn folder() -> PathBuf {
    std::env::var_os("RINGBOLT_QEMU")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lvm")), PathBuf::from)
}

fn text(path: &str) -> String {
    let path = folder().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the agent answered to a question of this name.
fn said(name: &str) -> Say {
    let answer = text(&format!("answers/{name}.json"));
    serde_json::from_str::<Answer>(&answer).unwrap_or_else(|error| panic!("{name}: {error}")).body
}

fn facts(name: &str) -> Facts {
    match said(name) {
        Say::Facts(facts) => *facts,
        other => panic!("{name}: {other:?}"),
    }
}

fn refused(name: &str) -> Failure {
    match said(name) {
        Say::Failed(failure) if failure.kind == FailureKind::Refused => failure,
        other => panic!("{name}: {other:?}"),
    }
}

fn done(name: &str) -> String {
    match said(name) {
        Say::Done { note } => note,
        other => panic!("{name}: {other:?}"),
    }
}

/// The disks by serial number.
fn disks(facts: &Facts) -> BTreeMap<String, Disk> {
    let Known::Yes(disks) = &facts.inventory.disks else { panic!("{:?}", facts.inventory.disks) };
    disks.iter().map(|disk| (disk.serial.clone(), disk.clone())).collect()
}

/// OSDs of each disk as the tags of its volumes tell, by serial number.
fn told_by_lvm() -> BTreeMap<String, BTreeSet<u32>> {
    let mut told: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for line in text("numbers").lines() {
        let (serial, number) = line.split_once(' ').expect("serial and number");
        told.entry(serial.to_owned()).or_default().insert(number.parse().expect("a number"));
    }
    told
}

/// Numbers of the OSDs among uses; all of them whole and of this cluster, and nothing else there.
fn only_osds(disk: &Disk) -> BTreeSet<u32> {
    let number = |found: &Use| match found {
        Use::Ceph { osd: Some(number), fsid: Some(fsid), cluster: Some(cluster) } => {
            assert_eq!((fsid.len(), cluster.as_str()), (36, CLUSTER), "{found:?}");
            *number
        }
        other => panic!("{}: {other:?}", disk.serial),
    };
    disk.uses.iter().map(number).collect()
}

#[test]
fn each_disk_tells_the_osds_that_ceph_made_on_it() {
    let told = told_by_lvm();
    let counts: Vec<(&str, usize)> =
        told.iter().map(|(serial, osds)| (serial.as_str(), osds.len())).collect();
    let made =
        [("RB-BATCH", 2), ("RB-CRYPT", 1), ("RB-DATA1", 1), ("RB-DATA2", 1), ("RB-DB", 2), ("RB-LVM", 1)];
    assert_eq!(counts, made);
    let all = facts("all");
    let disks = disks(&all);
    for (serial, osds) in &told {
        assert_eq!(only_osds(&disks[serial]), *osds, "{serial}");
    }
    assert_eq!(disks["RB-BLANK"].uses, []);
    let [Use::Signature(kind), Use::Holder(volume)] = disks["RB-VG"].uses.as_slice() else {
        panic!("{:?}", disks["RB-VG"].uses)
    };
    assert_eq!(kind, "LVM2_member");
    assert!(volume.ends_with("(vmdata-images)"), "{volume}");
    assert!(disks["RB-ROOT"].is_system());
    // Volumes of the shared disk: 1 GiB each.
    assert_eq!(disks["RB-DB"].volumes, 2 << 30);
    // The OSDs of the node, each with the disks below it: data and database.
    let Known::Yes(ceph) = &all.state.ceph else { panic!("{:?}", all.state.ceph) };
    assert_eq!(ceph.osds.len(), 6);
    for osd in &ceph.osds {
        let below: BTreeSet<&String> = osd.disks.iter().collect();
        let on: BTreeSet<&String> =
            told.iter().filter(|(_, osds)| osds.contains(&osd.id)).map(|(s, _)| &disks[s].name).collect();
        assert_eq!(below, on, "osd.{}", osd.id);
    }
}

#[test]
fn before_that_all_but_the_systems_are_blank() {
    let bare = disks(&facts("bare"));
    assert_eq!(bare.len(), 9);
    assert!(bare.iter().all(|(serial, disk)| disk.uses.is_empty() != (serial == "RB-ROOT")), "{bare:?}");
}

#[test]
fn looking_twice_shows_the_same_and_changes_nothing() {
    assert_eq!(disks(&facts("all")), disks(&facts("again")));
    assert_eq!(text("writes-before"), text("writes-after"));
}

/// The reading made of the system's own words; without what other programs keep open.
fn reading(of: &str) -> Reading {
    let mut reading = Reading::default();
    for line in text(&format!("{of}/blocks")).lines() {
        let [name, dev, own_name, holders, partition] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let word = |word: &str| if word == "-" { String::new() } else { word.to_owned() };
        let holders = word(holders).split(',').filter(|h| !h.is_empty()).map(str::to_owned).collect();
        let block = Block { dev: dev.into(), own_name: word(own_name), holders, ..Block::default() };
        reading.blocks.insert(name.to_owned(), block);
        if partition != "-" {
            let whole = name.trim_end_matches(partition).trim_end_matches('p').to_owned();
            reading.blocks.entry(whole).or_default().partitions.push(name.to_owned());
        }
    }
    reading.mounts = mounts(&text(&format!("{of}/mountinfo")));
    reading.signatures = signatures(&text(&format!("{of}/wipefs.json"))).expect("what wipefs prints");
    for line in text(&format!("{of}/osds")).lines() {
        let [id, fsid, cluster, _, device] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let id = id.parse().expect("a number");
        match reading.osds.iter_mut().find(|osd| osd.id == id) {
            Some(osd) => osd.devices.push(device.to_owned()),
            None => {
                let devices = vec![device.to_owned()];
                reading.osds.push(OsdFolder { id, fsid: fsid.into(), cluster: cluster.into(), devices });
            }
        }
    }
    let entries = std::fs::read_dir(folder().join(of)).expect("the folder").flatten();
    for entry in entries {
        let file = entry.file_name().into_string().expect("a plain name");
        let Some(name) = file.strip_prefix("label.") else { continue };
        // The agent looks for labels on volumes of Ceph, not within encrypted ones.
        if !reading.blocks[name].own_name.starts_with("ceph--") {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a label");
        reading.labels.extend(label(&bytes).map(|label| (name.to_owned(), label)));
    }
    reading
}

/// What LVM's tags add where nothing else tells.
fn with_tags(mut reading: Reading, of: &str) -> Reading {
    let told = volumes::labels(&text(&format!("{of}/lvs.json"))).expect("what lvs prints");
    for name in reading.untold() {
        let label = told[&reading.blocks[&name].own_name].clone();
        reading.labels.insert(name, label);
    }
    reading
}

#[test]
fn the_systems_own_words_make_the_same_uses() {
    for (of, untold) in [("all", 0), ("destroyed", 2), ("wiped", 1)] {
        let reading = reading(of);
        // Encrypted volumes of OSDs that are gone, and the database of one.
        assert_eq!(reading.untold().len(), untold, "{of}");
        let reading = with_tags(reading, of);
        for (serial, disk) in disks(&facts(of)) {
            assert_eq!(reading.uses(&disk.name), disk.uses, "{of}: {serial}");
        }
    }
}

/// What comes of a wish for disks by serial number.
fn choice(facts: &Facts, serials: &[&str], osd: OsdOptions, ours: Ours<'_>) -> DiskChoice {
    let spec = sim::spec(&generate::mesh(2), Transport::Thunderbolt);
    let mut node: Node = spec.nodes.into_iter().next().expect("two nodes");
    let disks = disks(facts);
    let path =
        |serial: &str| disks[serial].links.iter().find(|link| link.contains(serial)).expect("a link").clone();
    node.osds = Osds::Paths(serials.iter().map(|serial| path(serial)).collect());
    let db = osd.db.as_deref().map(path);
    node.osd = OsdOptions { db, ..osd };
    choose(&node, facts, ours)
}

#[test]
fn osds_that_are_there_leave_nothing_to_do() {
    let all = facts("all");
    let told = told_by_lvm();
    let plain = OsdOptions::default();
    let many = OsdOptions { per_device: 2, ..plain.clone() };
    let crypt = OsdOptions { encrypted: true, ..plain.clone() };
    let db = OsdOptions { db: Some("RB-DB".into()), ..plain.clone() };
    let both = OsdOptions { encrypted: true, ..db.clone() };
    let wishes: [(&[&str], OsdOptions); 5] = [
        (&["RB-LVM"], plain),
        (&["RB-BATCH"], many),
        (&["RB-CRYPT"], crypt),
        (&["RB-DATA1", "RB-DATA2"], db),
        (&["RB-DATA2", "RB-DATA1"], both),
    ];
    for (serials, options) in wishes {
        let aside = options.db.clone();
        let choice = choice(&all, serials, options, Ours::is(CLUSTER));
        assert_eq!((choice.refused.as_slice(), choice.notes.as_slice()), (&[][..], &[][..]), "{serials:?}");
        let there = |serial: &str| Fate::Already(told[serial].iter().copied().collect());
        let fates: Vec<Fate> = choice.chosen.into_iter().map(|chosen| chosen.fate).collect();
        assert_eq!(fates, serials.iter().map(|s| there(s)).collect::<Vec<_>>());
        assert_eq!(choice.db.map(|chosen| chosen.fate), aside.map(|serial| there(&serial)));
    }
}

#[test]
fn osds_of_other_clusters_are_wiped_only_by_name() {
    let other = Ours::is("00000000-1111-2222-3333-444444444444");
    let destroyed = facts("destroyed");
    for serial in ["RB-LVM", "RB-BATCH", "RB-CRYPT", "RB-DATA1"] {
        let named = OsdOptions { wipe: vec![serial.to_owned()], ..OsdOptions::default() };
        let left = choice(&destroyed, &[serial], OsdOptions::default(), other);
        assert_eq!(left.refused.iter().map(|r| r.code.as_str()).collect::<Vec<_>>(), ["RB0651"], "{serial}");
        let taken = choice(&destroyed, &[serial], named.clone(), other);
        let fate = taken.chosen.first().map(|chosen| &chosen.fate);
        assert!(matches!(fate, Some(Fate::Wipe(dies)) if !dies.is_empty()), "{serial}: {fate:?}");
        // Of this cluster, as the volumes say themselves, encrypted or not: never, unless it has them no more.
        let own = choice(&destroyed, &[serial], named.clone(), Ours::is(CLUSTER));
        assert!(matches!(own.chosen.first().map(|c| &c.fate), Some(Fate::Already(_))), "{serial}: {own:?}");
        let others = [OsdFact { id: 99, ..OsdFact::default() }];
        let ours = Ours::Is { id: CLUSTER, osds: Some(&others) };
        let gone = choice(&destroyed, &[serial], named, ours);
        assert!(matches!(gone.chosen.first().map(|c| &c.fate), Some(Fate::Wipe(_))), "{serial}: {gone:?}");
    }
    let group = OsdOptions { wipe: vec!["RB-VG".to_owned()], ..OsdOptions::default() };
    let choice = choice(&destroyed, &["RB-VG"], group, other);
    assert_eq!(choice.refused.iter().map(|r| r.code.as_str()).collect::<Vec<_>>(), ["RB0645"]);
}

#[test]
fn what_is_destroyed_and_not_cleaned_up_still_tells_whose_it_was() {
    let told = told_by_lvm();
    let destroyed = disks(&facts("destroyed"));
    for serial in ["RB-LVM", "RB-BATCH", "RB-CRYPT", "RB-DATA1", "RB-DATA2", "RB-DB"] {
        assert_eq!(only_osds(&destroyed[serial]), told[serial], "{serial}");
    }
}

#[test]
fn nothing_in_use_is_wiped_and_what_is_left_of_osds_is_wiped_whole() {
    for name in ["runs-lvm", "runs-crypt", "runs-db", "foreign-group", "stopped-lvm", "half-db"] {
        assert!(refused(name).message.contains("is not free"), "{name}");
    }
    assert_eq!(done("blank"), "already blank");
    for name in ["gone-lvm", "gone-batch", "gone-crypt", "gone-data", "gone-db"] {
        assert_eq!(done(name), "wiped, with the volumes of an earlier Ceph", "{name}");
    }
    let wiped = disks(&facts("wiped"));
    for serial in ["RB-LVM", "RB-BATCH", "RB-CRYPT", "RB-DATA1", "RB-DB", "RB-BLANK"] {
        assert_eq!(wiped[serial].uses, [], "{serial}");
        assert_eq!(wiped[serial].volumes, 0, "{serial}");
    }
    assert_eq!(wiped["RB-VG"].uses, disks(&facts("all"))["RB-VG"].uses);
    assert_eq!(only_osds(&wiped["RB-DATA2"]).len(), 1);
}
