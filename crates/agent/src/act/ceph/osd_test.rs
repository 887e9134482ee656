#![expect(clippy::unwrap_used, reason = "tests")]
use ringbolt_core::facts::disk::{Medium, Use};
use ringbolt_core::facts::not_asked;
use ringbolt_core::wire::FailureKind;

use super::*;

fn disk(uses: Vec<Use>) -> Disk {
    Disk {
        name: "nvme1n1".into(),
        path: "/dev/nvme1n1".into(),
        links: vec!["/dev/disk/by-id/nvme-A_S1".into()],
        model: "A".into(),
        serial: "S1".into(),
        size: 1 << 40,
        medium: Medium::Nvme,
        removable: false,
        read_only: false,
        uses,
        health: not_asked(),
        nr_requests: None,
        volumes: 0,
    }
}

fn deed() -> OsdDeed {
    OsdDeed {
        path: "/dev/nvme1n1".into(),
        serial: "S1".into(),
        size: 1 << 40,
        db: None,
        wal: None,
        class: None,
        encrypted: false,
        per_device: 1,
    }
}

#[test]
fn the_disk_is_found_by_node_or_link_and_must_be_the_same() {
    let disks = [disk(Vec::new())];
    assert!(find(&disks, "/dev/nvme1n1", "S1").is_ok());
    assert!(find(&disks, "/dev/disk/by-id/nvme-A_S1", "S1").is_ok());
    for (path, serial) in [("/dev/nvme1n1", "S2"), ("/dev/nvme1n1", ""), ("/dev/nvme2n1", "S1"), ("-x", "S1")]
    {
        assert_eq!(find(&disks, path, serial).unwrap_err().kind, FailureKind::Refused, "{path} {serial}");
    }
}

#[test]
fn a_used_disk_says_by_what() {
    let uses = vec![Use::System, Use::Partition("nvme1n1p1".into()), Use::Signature("ext4".into())];
    let failure = used(&disk(uses));
    assert_eq!(
        failure.message,
        "/dev/nvme1n1 is not free: the operating system, partition nvme1n1p1, file system ext4"
    );
}

#[test]
fn command_lines_are_as_proxmox_takes_them() {
    assert_eq!(words(&deed()).unwrap(), ["osd", "create", "/dev/nvme1n1"]);
    let full = OsdDeed {
        db: Some(("/dev/nvme0n1".into(), 60)),
        class: Some("nvme".into()),
        encrypted: true,
        ..deed()
    };
    let expected = "osd create /dev/nvme1n1 --db_dev /dev/nvme0n1 --db_dev_size 60 --crush-device-class nvme --encrypted 1";
    assert_eq!(words(&full).unwrap().join(" "), expected);
    let many = OsdDeed { per_device: 2, ..deed() };
    assert_eq!(words(&many).unwrap().join(" "), "osd create /dev/nvme1n1 --osds-per-device 2");
    assert!(words(&OsdDeed { class: Some("--x".into()), ..deed() }).is_err());
}
