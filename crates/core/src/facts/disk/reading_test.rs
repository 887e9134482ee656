use super::*;
use crate::facts::disk::mounts::mounts;

const ID: &str = "8b3c3a54-0d8a-4f43-9d1a-0c0f4c0b8f10";

fn block(dev: &str, own_name: &str, partitions: &[&str], holders: &[&str]) -> Block {
    let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect();
    Block {
        dev: dev.into(),
        own_name: own_name.into(),
        partitions: names(partitions),
        holders: names(holders),
        sources: Vec::new(),
    }
}

fn signature(kind: &str, uuid: &str, label: &str) -> Signature {
    Signature { kind: kind.into(), uuid: uuid.into(), label: label.into(), ..Signature::default() }
}

/// A disk with a table, two partitions and LVM on the second; beside it a blank one.
fn node() -> Reading {
    let mut reading = Reading::default();
    let blocks = [
        ("nvme0n1", block("259:0", "", &["nvme0n1p1", "nvme0n1p2"], &[])),
        ("nvme0n1p1", block("259:1", "", &[], &[])),
        ("nvme0n1p2", block("259:2", "", &[], &["dm-0", "dm-1"])),
        ("dm-0", block("252:0", "pve-swap", &[], &[])),
        ("dm-1", block("252:1", "pve-root", &[], &[])),
        ("nvme1n1", block("259:3", "", &[], &[])),
    ];
    reading.blocks = blocks.map(|(name, block)| (name.to_owned(), block)).into();
    reading.signatures = [
        ("nvme0n1".to_owned(), vec![signature("gpt", "", "")]),
        ("nvme0n1p1".to_owned(), vec![signature("vfat", "", "")]),
        ("nvme0n1p2".to_owned(), vec![signature("LVM2_member", "", "")]),
    ]
    .into();
    reading
}

#[test]
fn a_root_on_lvm_makes_the_disk_the_systems() {
    let mut reading = node();
    reading.mounts = mounts("25 1 252:1 / / rw - ext4 /dev/mapper/pve-root rw\n");
    reading.swaps = ["dm-0".to_owned()].into();
    let uses = reading.uses("nvme0n1");
    let expected = [
        Use::System,
        Use::Table("gpt".into()),
        Use::Partition("nvme0n1p1".into()),
        Use::Signature("vfat".into()),
        Use::Partition("nvme0n1p2".into()),
        Use::Signature("LVM2_member".into()),
        Use::Holder("dm-0 (pve-swap)".into()),
        Use::Swap,
        Use::Holder("dm-1 (pve-root)".into()),
        Use::Mounted("/".into()),
    ];
    assert_eq!(uses, expected);
    assert_eq!(reading.uses("nvme1n1"), []);
    assert_eq!(reading.below("dm-1", &["nvme0n1".to_owned(), "nvme1n1".to_owned()]), ["nvme0n1"]);
}

#[test]
fn without_its_mounts_it_is_used_but_not_the_systems() {
    let uses = node().uses("nvme0n1");
    assert!(!uses.contains(&Use::System));
    assert_eq!(uses.len(), 7);
}

#[test]
fn a_zfs_root_claims_the_members_of_its_pool_and_those_of_unknown_pools() {
    let mut reading = node();
    reading.mounts = mounts("25 1 0:22 / / rw - zfs rpool/ROOT/pve-1 rw\n");
    for (label, system) in [("rpool", true), ("tank", false), ("", true)] {
        reading.signatures.insert("nvme1n1".into(), vec![signature("zfs_member", "1", label)]);
        let uses = reading.uses("nvme1n1");
        assert_eq!(uses.contains(&Use::System), system, "{label}");
        assert!(uses.contains(&Use::Signature("zfs_member".into())));
    }
}

#[test]
fn both_members_of_a_btrfs_root_are_the_systems() {
    let mut reading = node();
    reading.mounts = mounts("25 1 0:22 / / rw - btrfs /dev/nvme0n1p2 rw\n");
    reading.blocks.get_mut("nvme0n1p2").into_iter().for_each(|b| b.sources = vec!["/dev/nvme0n1p2".into()]);
    reading.signatures.insert("nvme0n1p2".into(), vec![signature("btrfs", "b", "")]);
    reading.signatures.insert("nvme1n1".into(), vec![signature("btrfs", "b", "")]);
    assert!(reading.uses("nvme0n1").contains(&Use::System));
    assert!(reading.uses("nvme1n1").contains(&Use::System));
    reading.signatures.insert("nvme1n1".into(), vec![signature("btrfs", "other", "")]);
    assert_eq!(reading.uses("nvme1n1"), [Use::Signature("btrfs".into())]);
}

#[test]
fn an_osd_on_lvm_is_one_use_also_encrypted() {
    let name =
        "ceph--0a1b2c3d--0000--1111--2222--333344445555-osd--block--8b3c3a54--0d8a--4f43--9d1a--0c0f4c0b8f10";
    let mut reading = node();
    reading.blocks.get_mut("nvme1n1").into_iter().for_each(|b| b.holders = vec!["dm-2".into()]);
    reading.blocks.insert("dm-2".into(), block("252:2", name, &[], &[]));
    reading.signatures.insert("nvme1n1".into(), vec![signature("LVM2_member", "", "")]);
    let bare = Use::Ceph { osd: None, fsid: Some(ID.into()), cluster: None };
    assert_eq!(reading.uses("nvme1n1"), [bare]);

    reading.blocks.get_mut("dm-2").into_iter().for_each(|b| b.holders = vec!["dm-3".into()]);
    reading.blocks.insert("dm-3".into(), block("252:3", "aBcDeF-gHiJ", &[], &[]));
    let osd = OsdFolder { id: 4, fsid: ID.into(), cluster: "c".into(), devices: vec!["dm-3".into()] };
    reading.osds = vec![osd];
    let full = Use::Ceph { osd: Some(4), fsid: Some(ID.into()), cluster: Some("c".into()) };
    assert_eq!(reading.uses("nvme1n1"), [full]);
    assert_eq!(reading.below("dm-3", &["nvme0n1".to_owned(), "nvme1n1".to_owned()]), ["nvme1n1"]);
}

#[test]
fn a_raw_osd_by_label_and_an_unreadable_one_by_signature() {
    let mut reading = node();
    reading.signatures.insert("nvme1n1".into(), vec![signature("ceph_bluestore", "", "")]);
    let nothing = Use::Ceph { osd: None, fsid: None, cluster: None };
    assert_eq!(reading.uses("nvme1n1"), [nothing]);
    let label = Label { fsid: ID.into(), osd: Some(2), cluster: Some("c".into()) };
    reading.labels.insert("nvme1n1".into(), label);
    let known = Use::Ceph { osd: Some(2), fsid: Some(ID.into()), cluster: Some("c".into()) };
    assert_eq!(reading.uses("nvme1n1"), [known]);
}

#[test]
fn a_disk_for_the_databases_of_two_osds_has_both_and_a_foreign_volume_shows() {
    let mut reading = node();
    let database = |n: u32| format!("ceph--x-osd--db--{n}");
    reading.blocks.get_mut("nvme1n1").into_iter().for_each(|b| {
        b.holders = vec!["dm-5".into(), "dm-6".into(), "dm-7".into()];
    });
    for n in [5, 6] {
        reading.blocks.insert(format!("dm-{n}"), block(&format!("252:{n}"), &database(n), &[], &[]));
        let (fsid, devices) = (format!("id{n}"), vec![format!("dm-{n}")]);
        reading.osds.push(OsdFolder { id: n, fsid, cluster: "c".into(), devices });
    }
    reading.blocks.insert("dm-7".into(), block("252:7", "vm-disks", &[], &[]));
    reading.signatures.insert("nvme1n1".into(), vec![signature("LVM2_member", "", "")]);
    let osd = |n: u32| Use::Ceph { osd: Some(n), fsid: Some(format!("id{n}")), cluster: Some("c".into()) };
    let expected =
        [Use::Signature("LVM2_member".into()), Use::Holder("dm-7 (vm-disks)".into()), osd(5), osd(6)];
    assert_eq!(reading.uses("nvme1n1"), expected);
}

#[test]
fn what_could_not_be_read_is_a_use() {
    let mut reading = node();
    reading.faults.insert("nvme1n1".into(), vec!["wipefs: cannot read".into()]);
    assert_eq!(reading.uses("nvme1n1"), [Use::Unknown("wipefs: cannot read".into())]);
    reading.faults.insert(String::new(), vec!["no mounts".into()]);
    assert_eq!(reading.uses("nvme1n1").len(), 2);
}

#[test]
fn devices_that_hold_each_other_come_to_an_end() {
    let mut reading = node();
    reading.blocks.insert("dm-0".into(), block("252:0", "a", &[], &["dm-1"]));
    reading.blocks.insert("dm-1".into(), block("252:1", "b", &[], &["dm-0"]));
    assert_eq!(reading.above("nvme0n1").len(), 5);
    assert!(!reading.uses("nvme0n1").is_empty());
}
