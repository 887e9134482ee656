//! The table as people see it, from disks as an agent tells them.
#![expect(clippy::unwrap_used, reason = "tests")]

use ringbolt_core::bind::disks::choose;
use ringbolt_core::facts::disk::{Health, Medium};
use ringbolt_core::spec;

use super::*;

const CLUSTER: &str = "5f0c0000-0000-4000-8000-000000000001";
const PLAIN: Style = Style::plain(100);

fn disk(name: &str, uses: Vec<Use>) -> Disk {
    Disk {
        name: name.into(),
        path: format!("/dev/{name}"),
        links: Vec::new(),
        model: "MZQL21T9".into(),
        serial: format!("S-{name}"),
        size: 1_920_383_410_176,
        medium: Medium::Nvme,
        removable: false,
        read_only: false,
        uses,
        health: not_asked(),
        nr_requests: None,
        volumes: 0,
    }
}

fn ext4() -> Use {
    Use::Signature("ext4".into())
}

fn own(osd: u32) -> Use {
    Use::Ceph { osd: Some(osd), fsid: None, cluster: Some(CLUSTER.into()) }
}

/// A node with these keys in the spec.
fn node(keys: &str) -> Node {
    let text = format!(
        "[cluster]\nname = \"t\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n\
         [[node]]\nname = \"n1\"\naddress = \"10.11.12.11\"\n{keys}\n\
         [[node]]\nname = \"n2\"\naddress = \"10.11.12.12\"\nosds = [\"/dev/sda\"]\n\
         [[node]]\nname = \"n3\"\naddress = \"10.11.12.13\"\nosds = [\"/dev/sda\"]\n"
    );
    let outcome = spec::read(&text);
    let faults = format!("{:?}", outcome.diagnostics);
    outcome.spec.expect(&faults).nodes.remove(0)
}

fn facts(disks: Known<Vec<Disk>>) -> Facts {
    let mut facts: Facts = serde_json::from_value(serde_json::json!({
        "hostname": "n1",
        "realm": { "lab": null },
        "inventory": {
            "kernel": "", "arch": "", "boot_id": "", "packages": {}, "thunderbolt": { "no": "" }, "interfaces": {}
        },
        "state": {
            "files": {}, "units": {}, "sysctl": {}, "modules": [], "routes": [], "frr": { "no": "" },
            "root_free": 0, "pve_writable": null
        }
    }))
    .unwrap();
    facts.inventory.disks = disks;
    facts
}

fn shown(keys: &str, disks: Known<Vec<Disk>>) -> String {
    let (node, facts) = (node(keys), facts(disks));
    let ours = Ours::is(CLUSTER);
    let choice = choose(&node, &facts, ours);
    let rows = of_node(&node, &facts, Some(&choice), ours);
    table(&BTreeMap::from([(&node.name, rows)]), PLAIN)
}

#[test]
fn each_disk_says_what_becomes_of_it() {
    let mut bare = disk("nvme1n1", vec![]);
    bare.health =
        Known::Yes(Health { passed: Some(true), temperature: Some(41), wear: Some(3), hours: None });
    let partition = Use::Partition("nvme3n1p1".into());
    let disks = vec![
        disk("nvme5n1", vec![]),
        disk("nvme4n1", vec![ext4(), Use::Mounted("/x".into())]),
        disk("nvme0n1", vec![Use::Table("gpt".into()), Use::System]),
        bare,
        disk("nvme2n1", vec![own(3)]),
        disk("nvme3n1", vec![Use::Table("gpt".into()), partition, ext4()]),
        disk("nvme6n1", vec![own(4)]),
    ];
    let keys = "osds = [\"/dev/nvme1n1\", \"/dev/nvme2n1\", \"/dev/nvme3n1\"]\nwipe = [\"S-nvme3n1\"]";
    insta::assert_snapshot!(shown(keys, Known::Yes(disks)), @r"
    node  disk          model     serial     size    wear  temperature  health  what becomes of it
    n1    /dev/nvme0n1  MZQL21T9  S-nvme0n1  1.9 TB  –     –            –       left alone: system
          /dev/nvme1n1  MZQL21T9  S-nvme1n1  1.9 TB  3 %   41 °C        good    becomes an OSD
          /dev/nvme2n1  MZQL21T9  S-nvme2n1  1.9 TB  –     –            –       OSD 3 already
          /dev/nvme3n1  MZQL21T9  S-nvme3n1  1.9 TB  –     –            –       wiped, then an OSD: 1
                                                                                partition, ext4
          /dev/nvme4n1  MZQL21T9  S-nvme4n1  1.9 TB  –     –            –       left alone: ext4,
                                                                                mounted at /x
          /dev/nvme5n1  MZQL21T9  S-nvme5n1  1.9 TB  –     –            –       free, not asked for
          /dev/nvme6n1  MZQL21T9  S-nvme6n1  1.9 TB  –     –            –       OSD 4, not asked for
    ");
}

#[test]
fn a_refusal_is_told_with_its_reason_and_holds_the_others_back() {
    let mut failed = disk("sdc", vec![]);
    failed.health = Known::Yes(Health { passed: Some(false), ..Health::default() });
    let disks = vec![
        disk("sda", vec![]),
        disk("sdb", vec![ext4(), Use::Mounted("/x".into())]),
        failed,
        disk("sdd", vec![Use::System]),
        // Its path begins with that of a refused one.
        disk("sdbb", vec![]),
    ];
    let keys = "osds = [\"/dev/sda\", \"/dev/sdb\", \"/dev/sdc\", \"/dev/sdd\"]";
    insta::assert_snapshot!(shown(keys, Known::Yes(disks)), @r"
    node  disk       model     serial  size    health  what becomes of it
    n1    /dev/sda   MZQL21T9  S-sda   1.9 TB  –       becomes an OSD, once nothing on this node is
                                                       refused
          /dev/sdb   MZQL21T9  S-sdb   1.9 TB  –       refused: is not free: ext4, mounted at /x
          /dev/sdbb  MZQL21T9  S-sdbb  1.9 TB  –       free, not asked for
          /dev/sdc   MZQL21T9  S-sdc   1.9 TB  failed  refused: calls itself failed
          /dev/sdd   MZQL21T9  S-sdd   1.9 TB  –       refused: carries the operating system
    ");
}

#[test]
fn disks_that_could_not_be_read_are_one_line_and_not_asked_for_none() {
    let keys = "osds = [\"/dev/sda\"]";
    insta::assert_snapshot!(shown(keys, Known::No("/sys is not there".into())), @r"
    node  what becomes of it
    n1    not known: /sys is not there
    ");
    let facts = facts(not_asked());
    assert!(of_node(&node(keys), &facts, None, Ours::NotYet).is_empty());
}
