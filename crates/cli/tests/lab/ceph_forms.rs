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
         [ceph]\npublic = \"lan\"\nmigration = true\n\n[[pool]]\nname = \"vm\"\ntarget_share = 60\n\n\
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
    files(&rig);
    settings_of_the_system(&rig);
    a_stopped_benchmark_removes_what_it_made(&rig);
    an_osd_in_memory_is_told_by_the_benchmark(&rig);
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
    // Guests are moved over the mesh; what else stands in the file stays.
    let options = rig.exec("n2", &["pvesh", "get", "/cluster/options", "--output-format", "json"]);
    let options: Value = serde_json::from_str(&options).unwrap();
    for option in ["migration", "replication"] {
        assert_eq!(options[option]["network"], "10.100.0.0/24", "{options}");
    }
    assert_eq!(options["keyboard"], "en-us", "{options}");
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

/// A file that is written to the file system on one node is read on another.
fn files(rig: &Rig) {
    // Looking at the storages of a node is what mounts them.
    for node in ["n1", "n3"] {
        let seen = rig.exec(node, &["pvesm", "status"]);
        let line = seen.lines().find(|line| line.starts_with("files ")).unwrap_or_default();
        assert!(line.contains("cephfs") && line.contains(" active "), "{seen}");
    }
    let mounted = rig.exec("n3", &["findmnt", "--noheadings", "--output", "FSTYPE", "/mnt/pve/files"]);
    assert!(mounted.contains("ceph"), "{mounted}");
    let write = "head -c 5000000 /dev/urandom > /mnt/pve/files/dump/x && sha256sum < /mnt/pve/files/dump/x";
    let written = rig.exec("n1", &["sh", "-c", write]);
    assert_eq!(rig.exec("n3", &["sh", "-c", "sha256sum < /mnt/pve/files/dump/x"]), written);
    rig.exec("n3", &["rm", "/mnt/pve/files/dump/x"]);
    assert_eq!(rig.exec("n1", &["ls", "/mnt/pve/files/dump"]).trim(), "");
}

/// What an old guide does to a node: read at boot or not, taken by the disk or not.
fn settings_of_the_system(rig: &Rig) {
    let put = |path: &str, text: &str| {
        rig.exec("n2", &["sh", "-c", "printf '%b' \"$2\" > \"$1\"", "sh", path, text]);
    };
    put("/etc/sysctl.conf", "vm.swappiness = 1\\nvm.min_free_kbytes = 4194304\\n");
    put("/etc/sysctl.d/99-guide.conf", "net.core.netdev_max_backlog = 30000\\n");
    // For no device at all: udev of a node hears of this machine's disks.
    put("/etc/udev/rules.d/60-guide.rules", "KERNEL==\"none\", ATTR{queue/nr_requests}=\"4096\"\\n");
    put("/opt/ringbolt-lab/sys/block/nvme2n1/queue/nr_requests", "1024\\n");
    let (status, text) = rig.run(&["tune", "audit", "--json"]);
    // Warnings about the spec come after it.
    let audit: Value = serde_json::Deserializer::from_str(&text).into_iter().next().unwrap().unwrap();
    let verdict = |name: &str| {
        let all = audit["settings"].as_array().unwrap();
        let found = all.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("{name}: {text}"));
        found["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(status, 8, "something risky was set: {text}");
    assert_eq!(verdict("vm.min_free_kbytes"), "risky");
    assert_eq!(verdict("vm.swappiness"), "ignored");
    assert_eq!(verdict("net.core.netdev_max_backlog"), "ignored");
    assert_eq!(verdict("queue/nr_requests"), "ignored");
    assert_eq!(verdict("nvme2n1/queue/nr_requests"), "lost-at-boot");
    let (_, undone) = rig.run(&["tune", "undo", "--yes"]);
    assert!(undone.contains("by hand:") && undone.contains("60-guide.rules"), "{undone}");
    assert_eq!(rig.exec("n2", &["cat", "/etc/sysctl.conf"]).trim(), "");
    put("/opt/ringbolt-lab/sys/block/nvme2n1/queue/nr_requests", "1023\\n");
    rig.exec("n2", &["rm", "/etc/sysctl.d/99-guide.conf", "/etc/udev/rules.d/60-guide.rules"]);
    let clean = rig.ok(&["tune", "audit"]);
    assert!(clean.contains("clean"), "{clean}");
}

/// Ctrl-C in the middle, while either tool works: nothing of it is left in the pool, nothing runs on, nothing is kept,
/// and the next one is measured to its end.
fn a_stopped_benchmark_removes_what_it_made(rig: &Rig) {
    let objects = || rig.exec("n1", &["rados", "-p", "vm", "-N", "ringbolt-bench", "ls"]);
    let runs = |name: &str| rig.exec("n1", &["sh", "-c", "ps -e -o comm"]).lines().any(|line| line == name);
    let writes = || objects().contains("benchmark_data");
    let on_image = || rig.exec("n1", &["rbd", "ls", "vm"]).contains("ringbolt-bench-") && runs("fio");
    for (seconds, at_work) in [("60", &writes as &dyn Fn() -> bool), ("2", &on_image)] {
        let child = rig.start(&["bench", "ceph", "--pool", "vm", "--seconds", seconds, "--force"]);
        let begun = (0..120).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            at_work()
        });
        kill(&child, rustix::process::Signal::INT);
        let (status, text) = said(&child.wait_with_output().unwrap());
        assert!(begun && status == 6, "{status}: {text}");
        assert!(text.contains("stopped: ") && text.contains("are removed"), "{text}");
        assert_eq!((objects().trim(), rig.exec("n1", &["rbd", "ls", "vm"]).trim()), ("", ""));
        assert!(!runs("rados") && !runs("fio"));
    }
    // A client that was killed is taken for a living one for half a minute; its image goes all the same.
    let child = rig.start(&["bench", "ceph", "--pool", "vm", "--seconds", "1", "--force", "--json"]);
    let strike =
        "for i in $(seq 600); do pkill -9 -f '[f]io --name=bench' && exit 0; sleep 0.1; done; exit 1";
    rig.exec("n1", &["sh", "-c", strike]);
    let (status, text) = said(&child.wait_with_output().unwrap());
    assert!(
        status == 7 && text.contains("RB0902"),
        "what could not be measured is a fault: {status}: {text}"
    );
    assert!(!text.contains("left behind"), "{text}");
    assert_eq!(rig.exec("n1", &["rbd", "ls", "vm"]).trim(), "");
}

/// An OSD on a file in `/dev/shm`: what it measures is told to prove nothing.
fn an_osd_in_memory_is_told_by_the_benchmark(rig: &Rig) {
    // The device is this machine's, the file is in the node; its folder names it as that of a real one does.
    let make = "set -e; [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237; \
        truncate -s 64M /dev/shm/osd.img; \
        for n in $(seq 0 99); do [ -e /dev/loop$n ] || mknod /dev/loop$n b 7 $n; done; \
        loop=$(losetup --find --show /dev/shm/osd.img); [ -e $loop ]; \
        mkdir -p /var/lib/ceph/osd/ceph-99; ln -sfn $loop /var/lib/ceph/osd/ceph-99/block; echo $loop";
    let device = rig.exec("n2", &["sh", "-c", make]);
    let gone = format!(
        "rm -r /var/lib/ceph/osd/ceph-99; losetup --detach {}; rm -f /dev/shm/osd.img /dev/loop*",
        device.trim()
    );
    let (status, text) = rig.run(&["bench", "ceph", "--pool", "vm", "--seconds", "1", "--force", "--json"]);
    rig.exec("n2", &["sh", "-c", &gone]);
    assert_eq!(status, 0, "{text}");
    let name = device.trim().trim_start_matches("/dev/");
    let told = format!("osd.99 of n2 stands on {name}, the file /dev/shm/osd.img, in memory");
    assert!(text.contains(&told), "{told}: {text}");
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
