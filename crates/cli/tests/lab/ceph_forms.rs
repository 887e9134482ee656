//! Forms of Ceph beside the plain one, on real daemons: monitors and clients on the management network, an
//! erasure-coded pool, a file system, a disk for databases; with device-mapper also shared and encrypted ones.

use serde_json::Value;

use super::{MINUTE, kill, nothing_left};
use crate::rig::{Rig, said};

/// Three nodes with three free disks each; `n1`, `n2`, `n3` stand for their keys about disks.
fn spec([n1, n2, n3]: [&str; 3]) -> String {
    let node =
        |n: u32, osds: &str| format!("[[node]]\nname = \"n{n}\"\naddress = \"10.11.12.1{n}\"\n{osds}\n\n");
    format!(
        "[cluster]\nname = \"forms\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n\n{}{}{}\
         [ceph]\npublic = \"lan\"\n\n[[pool]]\nname = \"vm\"\ntarget_share = 60\n\n\
         [[pool]]\nname = \"archive\"\nerasure = \"2+1\"\ni_accept_data_loss = true\ntarget_share = 20\n\n\
         [[filesystem]]\nname = \"files\"\n",
        node(1, n1),
        node(2, n2),
        node(3, n3)
    )
}

const ONE: &str = "osds = [\"/dev/nvme1n1\"]";
const ONE_DB: &str = "osds = [\"/dev/nvme1n1\"]\ndb = \"/dev/nvme3n1\"";
const TWO_DB: &str = "osds = [\"/dev/nvme1n1\", \"/dev/nvme2n1\"]\ndb = \"/dev/nvme3n1\"";
const TWO_EACH: &str = "osds = [\"/dev/nvme1n1\"]\nosds_per_device = 2";
const ENCRYPTED: &str = "osds = [\"/dev/nvme1n1\"]\nencrypted = true";

fn json(rig: &Rig, words: &[&str]) -> Value {
    let all: Vec<&str> = words.iter().copied().chain(["--format", "json"]).collect();
    let told = rig.exec("n1", &all);
    // Some say beside it what they do.
    let document = told.lines().find(|line| line.starts_with(['{', '[']));
    serde_json::from_str(document.unwrap_or_default()).unwrap_or_else(|e| panic!("{words:?}: {e}: {told}"))
}

#[test]
fn erasure_coding_files_databases_apart_and_clients_on_the_lan() {
    let mapper = std::path::Path::new("/sys/class/misc/device-mapper").exists();
    let forms = if mapper {
        [TWO_DB, TWO_EACH, ENCRYPTED]
    } else {
        eprintln!(
            "skipped: a shared `db`, two OSDs a device and encryption: this kernel has no device-mapper (`modprobe dm_mod`)"
        );
        [ONE_DB, ONE, ONE]
    };
    let Some(rig) = Rig::new("forms") else { return };
    let file = rig.state().join("forms.toml");
    std::fs::write(&file, spec(forms)).unwrap();
    rig.ok(&["lab", "up", file.to_str().unwrap(), "--disks", "3"]);
    let began = std::time::Instant::now();
    let told = rig.ok(&["apply", "--yes"]);
    assert!(told.contains("RB0610") && told.contains("RB0619"), "the price of both is told:\n{told}");
    rig.verified_within(MINUTE);
    nothing_left(&rig);
    eprintln!("bare to verified in {:.0} s", began.elapsed().as_secs_f64());
    networks(&rig);
    databases(&rig, mapper);
    data(&rig);
    a_stopped_benchmark_removes_what_it_made(&rig);
    if !mapper {
        what_needs_device_mapper_is_refused_with_the_reason(&rig);
    }
}

/// Monitors and clients on the management network, replication on the mesh.
fn networks(rig: &Rig) {
    let monitors = json(rig, &["ceph", "mon", "dump"]).to_string();
    for n in 1..=3 {
        assert!(monitors.contains(&format!("10.11.12.1{n}:")), "{monitors}");
    }
    assert!(!monitors.contains("10.100.0."), "{monitors}");
    let map = json(rig, &["ceph", "osd", "dump"]);
    for osd in map["osds"].as_array().unwrap() {
        assert!(osd["public_addr"].as_str().unwrap().starts_with("10.11.12."), "{osd}");
        assert!(osd["cluster_addr"].as_str().unwrap().starts_with("10.100.0."), "{osd}");
    }
}

/// The OSDs of n1 have their databases apart, and only they.
fn databases(rig: &Rig, mapper: bool) {
    let all = json(rig, &["ceph", "osd", "metadata"]);
    let apart = |host: &str| {
        let osds = all.as_array().unwrap().iter().filter(|o| o["hostname"] == host);
        osds.map(|o| o["bluefs_dedicated_db"].as_str().unwrap_or("0").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(apart("n1"), vec!["1"; if mapper { 2 } else { 1 }]);
    assert_eq!(apart("n2"), vec!["0"; if mapper { 2 } else { 1 }]);
    assert_eq!(apart("n3"), ["0"]);
}

/// What is written to each comes back.
fn data(rig: &Rig) {
    let coded = "set -e; head -c 3000000 /dev/urandom > /tmp/x; rados -p archive-data put x /tmp/x; \
        rados -p archive-data get x /tmp/y; cmp /tmp/x /tmp/y; rados -p archive-data rm x; \
        rbd create archive-metadata/disk --size 64M --data-pool archive-data; \
        rbd bench --io-type write --io-size 64K --io-total 1M archive-metadata/disk >/dev/null; \
        rbd info archive-metadata/disk; rbd rm archive-metadata/disk --no-progress";
    assert!(rig.exec("n1", &["sh", "-c", coded]).contains("data_pool: archive-data"));
    let profile = json(rig, &["ceph", "osd", "pool", "get", "archive-data", "erasure_code_profile"]);
    let name = profile["erasure_code_profile"].as_str().unwrap().to_owned();
    let coded = json(rig, &["ceph", "osd", "erasure-code-profile", "get", &name]);
    assert_eq!((&coded["k"], &coded["m"]), (&Value::from("2"), &Value::from("1")));
    assert!(rig.exec("n1", &["ceph", "mds", "stat"]).contains("up:active"));
    let storage = rig.exec("n1", &["pvesm", "status"]);
    assert!(["vm", "archive", "files"].iter().all(|name| storage.contains(name)), "{storage}");
}

/// Ctrl-C in the middle: nothing of it is left in the pool, and nothing is kept of the run.
fn a_stopped_benchmark_removes_what_it_made(rig: &Rig) {
    let objects = || rig.exec("n1", &["rados", "-p", "vm", "-N", "ringbolt-bench", "ls"]);
    let child = rig.start(&["bench", "ceph", "--pool", "vm", "--seconds", "60", "--force"]);
    let begun = (0..60).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(500));
        objects().contains("benchmark_data")
    });
    kill(&child, rustix::process::Signal::INT);
    let (status, text) = said(&child.wait_with_output().unwrap());
    assert!(begun && status == 6, "{status}: {text}");
    assert_eq!((objects().trim(), rig.exec("n1", &["rbd", "ls", "vm"]).trim()), ("", ""));
    assert!(!rig.exec("n1", &["sh", "-c", "ps -e -o comm"]).lines().any(|l| l == "rados" || l == "fio"));
}

/// On this kernel it cannot be made; the reason is told, the disk stays free, and without it all is as before.
fn what_needs_device_mapper_is_refused_with_the_reason(rig: &Rig) {
    let good = std::fs::read_to_string(rig.spec()).unwrap();
    let n2 = |osds: &str| format!("address = \"10.11.12.12\"\n{osds}\n");
    let two = good.replace(&n2(ONE), &n2("osds = [\"/dev/nvme1n1\", \"/dev/nvme2n1\"]\nosds_per_device = 2"));
    assert_ne!(two, good);
    std::fs::write(rig.spec(), two).unwrap();
    let (status, text) = rig.run(&["apply", "--yes"]);
    assert!(status != 0 && text.contains("device-mapper"), "{status}: {text}");
    std::fs::write(rig.spec(), good).unwrap();
    let signatures = rig.exec("n2", &["wipefs", "--no-act", "/dev/nvme2n1"]);
    assert!(signatures.trim().is_empty(), "{signatures}");
    nothing_left(rig);
    rig.verified_within(MINUTE);
}
