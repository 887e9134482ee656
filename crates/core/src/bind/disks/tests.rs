//! Every kind of use is refused, whatever else; what is chosen without `wipe` is bare.

use proptest::prelude::*;

use super::{DiskChoice, Fate, Ours, choose};
use crate::explain::disks as code;
use crate::facts::ceph::OsdFact;
use crate::facts::disk::{Disk, Health, Medium, Use};
use crate::facts::{Facts, Known};
use crate::sim;
use crate::spec::{DiskFilter, Node, OsdOptions, Osds, Transport};
use crate::topology::generate;

const CLUSTER: &str = "5f0c0000-0000-4000-8000-000000000001";

fn disk(name: &str, uses: Vec<Use>) -> Disk {
    Disk {
        name: name.into(),
        path: format!("/dev/{name}"),
        links: vec![format!("/dev/disk/by-id/nvme-{name}")],
        model: "Samsung SSD 990 PRO 1TB".into(),
        serial: format!("S-{name}"),
        size: 1_000_204_886_016,
        medium: Medium::Nvme,
        removable: false,
        read_only: false,
        uses,
        health: Known::Yes(Health { passed: Some(true), ..Health::default() }),
        nr_requests: None,
        volumes: 0,
    }
}

fn osd(number: Option<u32>, cluster: Option<&str>) -> Use {
    Use::Ceph { osd: number, fsid: None, cluster: cluster.map(Into::into) }
}

fn every_use() -> Vec<Use> {
    let mut uses = vec![
        Use::System,
        Use::Partition("nvme1n1p1".into()),
        Use::Table("gpt".into()),
        Use::Mounted("/data".into()),
        Use::Swap,
        Use::Holder("dm-3".into()),
        osd(Some(1), Some("another")),
        osd(Some(1), None),
        osd(None, Some(CLUSTER)),
        Use::Busy,
        Use::Unknown("wipefs failed".into()),
    ];
    let signatures = ["ext4", "xfs", "LVM2_member", "zfs_member", "linux_raid_member", "crypto_LUKS", "swap"];
    uses.extend(signatures.map(|s| Use::Signature(s.into())));
    uses
}

fn node(osds: Osds, osd: OsdOptions) -> Node {
    let spec = sim::spec(&generate::mesh(2), Transport::Thunderbolt);
    let mut node = spec.nodes.into_iter().next().expect("two nodes");
    node.osds = osds;
    node.osd = osd;
    node
}

fn facts(disks: Known<Vec<Disk>>) -> Facts {
    let cluster = sim::fresh(&generate::mesh(2), Transport::Thunderbolt, &sim::Options::default());
    let mut facts = cluster.fleet().nodes.into_values().next().expect("two nodes");
    facts.inventory.disks = disks;
    facts
}

fn paths(list: &[&str]) -> Osds {
    Osds::Paths(list.iter().map(|p| (*p).to_owned()).collect())
}

fn filter(count: Option<u32>) -> Osds {
    Osds::Filter(DiskFilter { model: Some("990".into()), count, ..DiskFilter::default() })
}

fn wipe(list: &[&str]) -> OsdOptions {
    OsdOptions { wipe: list.iter().map(|s| (*s).to_owned()).collect(), ..OsdOptions::default() }
}

fn chosen(node: &Node, disks: Vec<Disk>) -> DiskChoice {
    choose(node, &facts(Known::Yes(disks)), Ours::is(CLUSTER))
}

fn codes(choice: &DiskChoice) -> Vec<&str> {
    choice.refused.iter().map(|r| r.code.as_str()).collect()
}

fn names(choice: &DiskChoice) -> Vec<&str> {
    choice.chosen.iter().map(|c| c.disk.name.as_str()).collect()
}

#[test]
fn each_kind_of_use_is_refused_and_named() {
    for used in every_use() {
        let by_path = chosen(&node(paths(&["/dev/sda"]), wipe(&[])), vec![disk("sda", vec![used.clone()])]);
        assert!(by_path.chosen.is_empty(), "{used}");
        assert_eq!(by_path.refused.len(), 1, "{used}");
        assert_eq!(by_path.refused[0].evidence, used.to_string());
        assert!(by_path.refused[0].message.contains("S-sda"), "{}", by_path.refused[0].message);

        let bare = disk("sdb", vec![]);
        let by_filter = chosen(&node(filter(None), wipe(&[])), vec![disk("sda", vec![used.clone()]), bare]);
        assert_eq!(names(&by_filter), ["sdb"], "{used}");
    }
}

#[test]
fn wipe_takes_what_rests_and_nothing_that_is_active() {
    for used in every_use() {
        let choice =
            chosen(&node(paths(&["/dev/sda"]), wipe(&["S-sda"])), vec![disk("sda", vec![used.clone()])]);
        if used.is_active() {
            assert!(choice.chosen.is_empty() && choice.refused.len() == 1, "{used}");
        } else {
            assert_eq!(choice.chosen[0].fate, Fate::Wipe(vec![used.to_string()]), "{used}");
        }
        let other =
            chosen(&node(paths(&["/dev/sda"]), wipe(&["S-sdb"])), vec![disk("sda", vec![used.clone()])]);
        assert!(other.chosen.is_empty(), "the wrong serial number: {used}");
    }
}

#[test]
fn our_own_osd_counts_as_done_and_is_never_wiped() {
    let ours = disk("sda", vec![Use::Holder("dm-0".into()), osd(Some(3), Some(CLUSTER))]);
    for osds in [paths(&["/dev/disk/by-id/nvme-sda"]), filter(Some(1))] {
        let choice = chosen(&node(osds, wipe(&["S-sda"])), vec![ours.clone()]);
        assert_eq!(choice.chosen[0].fate, Fate::Already(vec![3]));
        assert!(choice.refused.is_empty());
        assert!(choice.notes.iter().any(|n| n.code == code::WIPE_IDLE.0));
    }
    let at_rest = disk("sda", vec![osd(Some(3), Some(CLUSTER))]);
    let unknown = choose(
        &node(paths(&["/dev/sda"]), wipe(&["S-sda"])),
        &facts(Known::Yes(vec![at_rest])),
        Ours::Unknown,
    );
    assert_eq!((codes(&unknown), unknown.chosen.len()), (vec![code::FOREIGN_OSD.0], 0));
}

#[test]
fn disks_that_cannot_be_meant_are_refused() {
    let bare = || disk("sda", vec![]);
    for (code, wish, disks) in [
        (code::NO_DISK, paths(&["/dev/sdx"]), vec![bare()]),
        (code::ASKED_TWICE, paths(&["/dev/sda", "/dev/disk/by-id/nvme-sda"]), vec![bare()]),
        (code::DISK_UNFIT, paths(&["/dev/sda"]), vec![Disk { removable: true, ..bare() }]),
        (code::DISK_UNFIT, paths(&["/dev/sda"]), vec![Disk { read_only: true, ..bare() }]),
        (code::DISK_UNFIT, paths(&["/dev/sda"]), vec![Disk { size: 0, ..bare() }]),
        (
            code::SAME_SERIAL,
            paths(&["/dev/sda"]),
            vec![bare(), Disk { serial: "S-sda".into(), ..disk("sdb", vec![]) }],
        ),
        (code::DISK_COUNT, filter(Some(2)), vec![bare()]),
        (code::DISK_COUNT, filter(Some(1)), vec![bare(), disk("sdb", vec![])]),
        (code::DISK_COUNT, filter(None), vec![]),
    ] {
        let choice = chosen(&node(wish, wipe(&[])), disks);
        assert_eq!(
            (codes(&choice), choice.chosen.len().min(1)),
            (vec![code.0], usize::from(code == code::ASKED_TWICE))
        );
    }
    let failed = Health { passed: Some(false), ..Health::default() };
    let choice = chosen(&node(filter(None), wipe(&[])), vec![Disk { health: Known::Yes(failed), ..bare() }]);
    assert_eq!(codes(&choice), [code::DISK_FAILED.0]);
    let blind =
        choose(&node(filter(None), wipe(&[])), &facts(Known::No("lsblk failed".into())), Ours::NotYet);
    assert_eq!(
        (codes(&blind), blind.refused[0].evidence.as_str()),
        (vec![code::DISKS_UNKNOWN.0], "lsblk failed")
    );
}

#[test]
fn a_disk_for_databases_is_no_osd() {
    let db = OsdOptions { db: Some("/dev/sda".into()), ..OsdOptions::default() };
    let disks = || vec![disk("sda", vec![]), disk("sdb", vec![])];
    let choice = chosen(&node(filter(None), db.clone()), disks());
    assert_eq!(
        (names(&choice), choice.db.as_ref().map(|d| d.disk.name.as_str())),
        (vec!["sdb"], Some("sda"))
    );
    let choice = chosen(&node(paths(&["/dev/disk/by-id/nvme-sda"]), db), disks());
    assert_eq!((codes(&choice), choice.chosen.len()), (vec![code::ASKED_TWICE.0], 0));
}

#[test]
fn a_disk_for_databases_is_shared_equally_and_later_ones_get_what_is_left() {
    const GIB: u64 = 1 << 30;
    let db = OsdOptions { db: Some("/dev/sdz".into()), ..OsdOptions::default() };
    let own = |n: u32| osd(Some(n), Some("ours"));
    let aside = |volumes: u64, uses: Vec<Use>| Disk { size: 100 * GIB, volumes, ..disk("sdz", uses) };
    let choice = |shared: Disk, disks: [Disk; 3]| {
        let all = disks.into_iter().chain([shared]).collect();
        choose(
            &node(paths(&["/dev/sda", "/dev/sdb", "/dev/sdc"]), db.clone()),
            &facts(Known::Yes(all)),
            Ours::is("ours"),
        )
    };
    let free = |name: &str| disk(name, vec![]);
    let share = |c: &DiskChoice| c.db.as_ref().map(|db| c.share(db));
    let fresh = choice(aside(0, vec![]), ["sda", "sdb", "sdc"].map(free));
    assert_eq!((codes(&fresh), share(&fresh)), (vec![], Some(33)));
    // Begun and cut off: the others get the share they would have got.
    let taken = |n: u32, name: &str| disk(name, vec![own(n)]);
    let begun = choice(aside(33 * GIB, vec![own(1)]), [taken(1, "sda"), free("sdb"), free("sdc")]);
    assert_eq!((codes(&begun), share(&begun)), (vec![], Some(33)));
    // Divided in two before: a third one later has nothing, or the little that was left over.
    let two = || [taken(1, "sda"), taken(2, "sdb"), free("sdc")];
    let full = choice(aside(99 * GIB + GIB / 2, vec![own(1), own(2)]), two());
    assert_eq!(codes(&full), [code::ASIDE_FULL.0]);
    let little = choice(aside(90 * GIB, vec![own(1), own(2)]), two());
    assert_eq!((codes(&little), share(&little)), (vec![], Some(9)));
    // With nothing new nobody asks for room.
    let done = choice(
        aside(99 * GIB, vec![own(1), own(2), own(3)]),
        [taken(1, "sda"), taken(2, "sdb"), taken(3, "sdc")],
    );
    assert_eq!(codes(&done), Vec::<&str>::new());
}

#[test]
fn wear_heat_and_missing_protection_are_notes() {
    let health = Health { passed: Some(true), temperature: Some(71), wear: Some(93), hours: None };
    let choice = chosen(
        &node(filter(None), wipe(&[])),
        vec![Disk { health: Known::Yes(health), ..disk("sda", vec![]) }],
    );
    let notes: Vec<&str> = choice.notes.iter().map(|n| n.code.as_str()).collect();
    assert_eq!(notes, [code::NO_POWER_LOSS_PROTECTION.0, code::DISK_WORN.0, code::DISK_HOT.0]);
    assert!(choice.refused.is_empty());
}

fn any_disk(name: &'static str) -> impl Strategy<Value = Disk> {
    let mut pool = every_use();
    pool.push(osd(Some(3), Some(CLUSTER)));
    let uses = prop::collection::vec(prop::sample::select(pool), 0..3);
    (uses, any::<[bool; 3]>(), prop::option::of(0..2u8), any::<bool>()).prop_map(
        move |(uses, [removable, read_only, empty], serial, failed)| Disk {
            removable: removable && read_only,
            read_only,
            size: if empty && read_only { 0 } else { 1_000_000_000_000 },
            serial: serial
                .map_or_else(|| format!("S-{name}"), |n| if n == 0 { String::new() } else { "twin".into() }),
            health: Known::Yes(Health { passed: Some(!failed), ..Health::default() }),
            ..disk(name, uses)
        },
    )
}

fn any_wish() -> impl Strategy<Value = Node> {
    let by_path =
        prop::sample::subsequence(vec!["/dev/sda", "/dev/sdb", "/dev/disk/by-id/nvme-sdc", "/dev/sdx"], 1..4);
    let osds = prop_oneof![
        by_path.prop_map(|list| paths(&list)),
        prop::option::of(1..3u32).prop_map(filter),
        Just(Osds::Filter(DiskFilter {
            serial: vec!["S-sda".into(), "twin".into()],
            ..DiskFilter::default()
        })),
    ];
    let serials = prop::sample::subsequence(vec!["S-sda", "S-sdb", "twin", ""], 0..4);
    let db = prop::option::of(Just("/dev/sdb".to_owned()));
    (osds, serials, db).prop_map(|(osds, serials, db)| node(osds, OsdOptions { db, ..wipe(&serials) }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_chosen_is_bare_named_or_ours(
        a in any_disk("sda"), b in any_disk("sdb"), c in any_disk("sdc"), wish in any_wish(), at in 0..3usize,
    ) {
        let disks = vec![a, b, c];
        let choice = chosen(&wish, disks.clone());
        let all = |choice: &DiskChoice| {
            choice.chosen.iter().chain(&choice.db).chain(&choice.wal).cloned().collect::<Vec<_>>()
        };
        for one in all(&choice) {
            let uses = &one.disk.uses;
            prop_assert!(!one.disk.is_system());
            match &one.fate {
                Fate::Create => prop_assert!(uses.is_empty()),
                Fate::Wipe(dies) => {
                    prop_assert!(wish.osd.wipe.contains(&one.disk.serial) && !one.disk.serial.is_empty());
                    prop_assert!(!uses.is_empty() && uses.iter().all(|u| !u.is_active()));
                    prop_assert!(!uses.contains(&osd(Some(3), Some(CLUSTER))));
                    prop_assert_eq!(dies.len(), uses.len());
                }
                Fate::Already(osds) => {
                    prop_assert_eq!(osds, &[3]);
                    prop_assert!(uses.contains(&osd(Some(3), Some(CLUSTER))));
                }
            }
            if !matches!(one.fate, Fate::Already(_)) {
                prop_assert!(one.disk.size > 0 && !one.disk.removable && !one.disk.read_only);
            }
        }
        let mut paths: Vec<String> = all(&choice).into_iter().map(|c| c.disk.path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        prop_assert_eq!(paths.len(), count, "no disk twice");

        let backwards: Vec<Disk> = disks.iter().rev().cloned().collect();
        prop_assert_eq!(&chosen(&wish, backwards), &choice, "the order of disks does not matter");

        // What is not known any more is never touched.
        let mut veiled = disks;
        veiled[at].uses = vec![Use::Unknown("not read".into())];
        let hidden = veiled[at].path.clone();
        prop_assert!(all(&chosen(&wish, veiled)).iter().all(|c| c.disk.path != hidden));
    }
}

#[test]
fn an_osd_the_cluster_has_no_more_is_no_osd() {
    let fact = |id: u32, uuid: &str| OsdFact { id, uuid: uuid.into(), ..OsdFact::default() };
    let on = |number: u32, fsid: &str| {
        let (fsid, cluster) = (Some(fsid.to_owned()), Some(CLUSTER.to_owned()));
        disk("sda", vec![Use::Ceph { osd: Some(number), fsid, cluster }])
    };
    let choice = |disk: Disk, named: &[&str], osds: &[OsdFact]| {
        let ours = Ours::Is { id: CLUSTER, osds: Some(osds) };
        choose(&node(paths(&["/dev/sda"]), wipe(named)), &facts(Known::Yes(vec![disk])), ours)
    };
    let serial = on(3, "a").serial;
    // Known by its id, by its number where the cluster tells no id, and where the cluster tells no OSDs at all.
    for osds in [vec![fact(3, "a")], vec![fact(2, "b"), fact(3, "")], vec![]] {
        let there = choice(on(3, "a"), &[&serial], &osds);
        assert_eq!(there.chosen.first().map(|c| c.fate.clone()), Some(Fate::Already(vec![3])), "{osds:?}");
    }
    // Destroyed; and its number given to another disk since.
    for osds in [vec![fact(2, "b")], vec![fact(3, "c")]] {
        let left = choice(on(3, "a"), &[], &osds);
        assert_eq!(codes(&left), [code::DISK_USED.0]);
        assert!(left.refused[0].message.ends_with("holds OSD 3, which the cluster has no more"));
        let named = choice(on(3, "a"), &[&serial], &osds);
        assert!(matches!(&named.chosen[0].fate, Fate::Wipe(dies) if dies.len() == 1), "{named:?}");
    }
    // One of two on a disk is left: the disk is in use.
    let both = Disk { uses: [on(3, "a").uses, on(4, "d").uses].concat(), ..on(3, "a") };
    let half = choice(both, &[&serial], &[fact(4, "d")]);
    assert_eq!(half.chosen[0].fate, Fate::Already(vec![4]));
}
