//! The whole tool on real nodes: from bare to verified in every shape, power cycles, hot-plug, bad
//! days. Needs root and the programs the lab names; says so and passes where they are missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod ceph_forms;
mod checkpoint;
mod first_contact;
#[path = "../rig/mod.rs"]
mod rig;
mod rolling;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::{Rig, said};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);

/// Up, apply, apply again (nothing), verify.
fn whole(name: &str, up: &[&str]) {
    let Some(rig) = Rig::new(name) else { return };
    let words: Vec<&str> = ["lab", "up"].iter().chain(up).copied().collect();
    rig.ok(&words);
    rig.ok(&["apply", "--yes"]);
    nothing_left(&rig);
    rig.verified_within(MINUTE);
}

fn nothing_left(rig: &Rig) {
    let plan = rig.plan();
    let deeds: Vec<&Value> =
        plan["steps"].as_array().unwrap().iter().filter(|s| !s["action"].is_null()).collect();
    assert!(deeds.is_empty(), "{deeds:#?}");
    let again = rig.ok(&["apply", "--yes"]);
    assert!(again.contains("nothing to do"), "{again}");
}

/// `ringbolt WORDS` from another controller: one with a state folder of its own.
fn elsewhere(rig: &Rig, state: &Path, words: &[&str]) -> Command {
    let mut command = rig.command(words);
    command.env("RINGBOLT_STATE", state).env("USER", "elsewhere");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits until the lock of a node says this, at most half a minute.
fn wait_for_lock(rig: &Rig, node: &str, words: &[&str]) {
    for _ in 0..150 {
        let text = rig.exec(node, &["sh", "-c", "cat /run/ringbolt/lock 2>/dev/null || true"]);
        if words.iter().all(|word| text.contains(word)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{node}: no lock that says {words:?}");
}

fn example(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).display().to_string()
}

#[test]
fn ring_of_five() {
    whole("ring", &["--nodes", "5", "--shape", "ring"]);
}

#[test]
fn full_mesh_of_four_over_ethernet() {
    whole("mesh", &["--nodes", "4", "--shape", "mesh", "--transport", "ethernet"]);
}

#[test]
fn two_nodes_on_one_cable() {
    whole("pair", &["--nodes", "2", "--shape", "line"]);
}

#[test]
fn three_on_a_switch() {
    whole("switch", &["--nodes", "3", "--shape", "switch"]);
}

#[test]
fn dual_stack() {
    whole("dual", &[&example("dual-stack.toml")]);
}

#[test]
fn static_routing() {
    whole("static", &[&example("static-routing.toml")]);
}

#[test]
fn proxmox_9_0_and_9_1() {
    whole("old", &["--nodes", "3", "--pve", "9.1"]);
    whole("older", &["--nodes", "2", "--pve", "9.0"]);
}

#[test]
fn nodes_without_frr_get_it() {
    whole("bare", &["--nodes", "2", "--without", "frr"]);
}

#[test]
fn power_comes_back_and_so_does_the_mesh() {
    let Some(rig) = Rig::new("power") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    rig.ok(&["lab", "power-off", "n3"]);
    rig.ok(&["lab", "power-on", "n3"]);
    let one = rig.verified_within(2 * MINUTE);
    rig.ok(&["lab", "power-off", "all"]);
    rig.ok(&["lab", "power-on", "all"]);
    let all = rig.verified_within(2 * MINUTE);
    eprintln!("verified {one:.1} s after one node's return, {all:.1} s after all nodes'");

    // What FRR may lose in a race at its start is told, loaded again, and does not outlive a restart.
    let map = "route-map pve_openfabric permit 100";
    rig.exec("n2", &["vtysh", "-c", "configure terminal", "-c", map, "-c", "no set src"]);
    let (status, text) = rig.run(&["verify"]);
    assert_eq!(status, 7, "{text}");
    assert!(text.contains("set src 10.100.0.12"), "{text}");
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    let unit = rig.exec("n2", &["systemctl", "cat", "frr.service"]);
    assert!(unit.contains("\nExecStartPost=-/usr/bin/vtysh -d mgmtd "), "{unit}");
    rig.exec("n2", &["systemctl", "restart", "frr.service"]);
    rig.verified_within(MINUTE);
    nothing_left(&rig);
}

/// The 34 options an old guide sets: who, option, value.
const GUIDE: &str = include_str!("../data/guide-options.txt");

#[test]
fn ceph_from_bare_nodes_to_healthy_through_power_loss_copied_tuning_and_reboots() {
    let Some(rig) = Rig::new("ceph") else { return };
    rig.ok(&["lab", "up", "--nodes", "3", "--ceph"]);
    let began = std::time::Instant::now();
    rig.ok(&["apply", "--yes"]);
    eprintln!("bare to HEALTH_OK in {:.0} s", began.elapsed().as_secs_f64());
    nothing_left(&rig);
    rig.verified_within(MINUTE);
    assert!(rig.exec("n1", &["ceph", "health"]).contains("HEALTH_OK"));

    let (status, text) = rig.run(&["drill", "node", "n3", "--json"]);
    let loss: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &loss["survived"]), (0, &Value::Bool(true)), "{text}");
    assert!(loss["wrongly_down"].as_array().unwrap().is_empty(), "{text}");
    eprintln!("writes stood still for {} s", loss["stall"]);

    rig.ok(&["lab", "power-off", "all"]);
    rig.ok(&["lab", "power-on", "all"]);
    let all = rig.verified_within(2 * MINUTE);
    eprintln!("verified {all:.1} s after all nodes' return");

    tunings_of_a_guide(&rig);
    nothing_left(&rig);

    let began = std::time::Instant::now();
    rolling::reboots_under_writes(&rig);
    rolling::maintained(&rig);
    eprintln!("reboots and maintenance in {:.0} s", began.elapsed().as_secs_f64());
}

/// Copied tunings are found, named, and taken back.
fn tunings_of_a_guide(rig: &Rig) {
    assert_eq!(rig.run(&["tune", "audit"]).0, 0);
    for line in GUIDE.lines() {
        let words: Vec<&str> = ["ceph", "config", "set"].into_iter().chain(line.split_whitespace()).collect();
        rig.exec("n1", &words);
    }
    // Two that no table has: at its default, and not.
    for (option, value) in [("osd_map_message_max", "40"), ("osd_map_cache_size", "60")] {
        rig.exec("n1", &["ceph", "config", "set", "osd", option, value]);
    }
    let began = std::time::Instant::now();
    let (status, text) = rig.run(&["tune", "audit", "--json"]);
    eprintln!("audited in {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(status, 8, "{text}");
    let audit: Value = serde_json::from_str(&text).unwrap();
    let verdict = |name: &str| {
        let all = audit["settings"].as_array().unwrap();
        let found = all.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("{name}: {text}"));
        found["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("bluestore_cache_trim_interval"), "harmful");
    assert_eq!(verdict("bluestore_cache_size_ssd"), "ignored");
    assert_eq!(verdict("osd_client_message_cap"), "risky");
    assert_eq!(verdict("osd_deep_scrub_interval"), "wrong-section");
    assert_eq!(verdict("ms_tcp_nodelay"), "equal");
    assert_eq!(verdict("osd_map_message_max"), "equal");
    assert_eq!(verdict("osd_map_cache_size"), "unknown");
    assert!(text.contains("left alone; default 50"), "{text}");
    rig.exec("n1", &["ceph", "config", "rm", "osd", "osd_map_cache_size"]);
    rig.ok(&["tune", "undo", "--yes"]);
    let clean = rig.ok(&["tune", "audit"]);
    assert!(clean.contains("clean"), "{clean}");
}

#[test]
fn a_used_disk_is_refused_and_stays_as_it_was() {
    let Some(rig) = Rig::new("used") else { return };
    rig.ok(&["lab", "up", "--nodes", "3", "--ceph", "--disks", "1"]);
    let sum = |rig: &Rig| rig.exec("n2", &["sh", "-c", "head -c 64M /dev/nvme1n1 | sha256sum"]);
    for kind in ["ext4", "xfs", "gpt", "lvm", "zfs", "mdraid", "bluestore", "swap", "mounted"] {
        rig.ok(&["lab", "disk", "n2", "nvme1n1", "--make", kind]);
        if kind == "mounted" {
            // It would write by itself, now and then.
            rig.exec("n2", &["mount", "-o", "remount,ro", "/mnt/nvme1n1"]);
        }
        let before = sum(&rig);
        let (status, text) = rig.run(&["apply", "--yes"]);
        assert_eq!(status, 2, "{kind}:\n{text}");
        assert!(text.contains("nvme1n1") && text.contains("RB06"), "{kind}:\n{text}");
        assert!(sum(&rig) == before, "{kind}");
        rig.ok(&["lab", "disk", "n2", "nvme1n1", "--make", "blank"]);
    }
    // The system's disk, whatever the spec says: its tables and its boot partition stay.
    let boots = |rig: &Rig| {
        let sums = "head -c 1M /dev/nvme0n1 | sha256sum; sha256sum < /dev/nvme0n1p1; tail -c 1M /dev/nvme0n1 | sha256sum";
        rig.exec("n2", &["sh", "-c", sums])
    };
    let before = boots(&rig);
    let spec = rig.spec();
    let text = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, text.replace("/dev/nvme1n1", "/dev/nvme0n1")).unwrap();
    let (status, refused) = rig.run(&["apply", "--yes"]);
    assert_eq!(status, 2, "{refused}");
    assert!(refused.contains("nvme0n1") && refused.contains("RB06"), "{refused}");
    assert_eq!(boots(&rig), before);
    std::fs::write(&spec, text).unwrap();
    // A disk that goes between plan and apply.
    let plan = rig.ok(&["plan"]);
    assert!(plan.contains("create OSD on /dev/nvme1n1"), "{plan}");
    rig.ok(&["lab", "disk", "n3", "nvme1n1", "--vanish"]);
    let (status, gone) = rig.run(&["apply", "--yes"]);
    assert_eq!(status, 2, "{gone}");
    assert!(gone.contains("nvme1n1"), "{gone}");
}

#[test]
fn an_apply_is_rolled_back_to_what_was_there() {
    let Some(rig) = Rig::new("back") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    // Digest and mode of every file; what Proxmox VE and ifupdown2 keep for themselves left out.
    let list = "find /etc -xdev -type f ! -path '/etc/pve/*' ! -path /etc/frr/frr.conf \
        ! -path /etc/network/interfaces.d/sdn ! -path '/etc/iproute2/rt_tables.d/*' \
        -printf '%p %m %u %g ' -exec sha256sum -b {} \\; | sort; find /etc -xdev -type d | sort; \
        dpkg-query -W; sysctl -n net.ipv4.ip_forward; systemctl is-enabled frr; ls /sys/class/net; ip -o address show scope global";
    let shot = |rig: &Rig| ["n1", "n2", "n3"].map(|node| rig.exec(node, &["sh", "-c", list]));
    let before = shot(&rig);
    rig.ok(&["apply", "--yes"]);
    assert_ne!(before, shot(&rig));
    rig.ok(&["rollback", "--last", "--yes"]);
    for (before, after) in before.iter().zip(&shot(&rig)) {
        let differs: Vec<_> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
        assert!(before == after, "{differs:#?}");
    }
    let (status, again) = rig.run(&["rollback", "--last", "--yes"]);
    assert_eq!(status, 2, "{again}");
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
}

#[test]
fn a_pulled_cable_is_missed_and_comes_back_by_itself() {
    let Some(rig) = Rig::new("plug") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    rig.ok(&["apply", "--yes"]);
    rig.ok(&["lab", "cut", "n1", "n2", "--unplug"]);
    let (status, text) = rig.run(&["verify"]);
    assert_eq!(status, 7, "{text}");
    let plan = rig.ok(&["plan"]);
    assert!(plan.contains("RB0531"), "a missing cable is told:\n{plan}");
    assert!(plan.contains("nothing to do"), "and nothing is torn down for it:\n{plan}");
    rig.ok(&["lab", "mend", "n1", "n2"]);
    rig.verified_within(MINUTE);
    for (node, port) in [("n1", "en05"), ("n2", "en06")] {
        let link = rig.exec(node, &["ip", "-br", "addr", "show", port]);
        assert!(link.contains("10.100.0."), "{node}: {link}");
        assert!(rig.exec(node, &["cat", &format!("/sys/class/net/{port}/mtu")]).trim() == "65520");
    }
    let (_, drill) = rig.run(&["drill", "cable", "--between", "n1", "n2", "--kind", "carrier", "--json"]);
    let outcomes: Value = serde_json::from_str(&drill).unwrap();
    for direction in outcomes[0]["directions"].as_array().unwrap() {
        assert_eq!(direction["detour"], true, "{drill}");
        assert!(direction["back"].is_number(), "{drill}");
    }
}

#[test]
fn what_is_in_the_way_is_told_before_anything_is_done() {
    let Some(rig) = Rig::new("way") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    let write = |node: &str, path: &str, text: &str| {
        rig.exec(node, &["sh", "-c", "printf '%b' \"$2\" > \"$1\"", "sh", path, text]);
    };
    // The status of high availability is written every few seconds, whatever we do.
    let touched = || {
        let newer = ["find", "/etc", "-newer", "/run/stamp", "-type", "f", "-not", "-name", "*_status"];
        rig.exec("n1", &newer)
    };
    let refused = |code: &str| {
        let before = touched();
        let (status, text) = rig.run(&["apply", "--yes"]);
        assert!(status != 0 && text.contains(code), "{code} expected, status {status}:\n{text}");
        let after = touched();
        assert_eq!(before, after, "something was written in spite of {code}");
    };
    for node in ["n1", "n2", "n3"] {
        rig.exec(node, &["touch", "/run/stamp"]);
    }
    write("n2", "/etc/network/interfaces.new", "auto lo\\n");
    refused("RB0510");
    rig.exec("n2", &["rm", "/etc/network/interfaces.new"]);

    rig.exec("n2", &["sh", "-c", "cp /etc/network/interfaces /root/keep; printf 'iface en05 inet manual\\niface en05 inet static\\n\\taddress 10.0.0.1/30\\n' >> /etc/network/interfaces"]);
    refused("RB0516");
    rig.exec("n2", &["cp", "/root/keep", "/etc/network/interfaces"]);

    let create = ["pvesh", "create", "/cluster/sdn/fabrics/fabric", "--protocol", "openfabric"];
    rig.exec("n3", &[&create[..], &["--id", "lab", "--ip_prefix", "10.99.0.0/24"]].concat());
    refused("RB0512");
    rig.exec("n3", &["pvesh", "delete", "/cluster/sdn/fabrics/fabric/lab"]);
    rig.exec("n3", &[&create[..], &["--id", "other", "--ip_prefix", "10.99.0.0/24"]].concat());
    refused("RB0509");
    rig.exec("n3", &["pvesh", "delete", "/cluster/sdn/fabrics/fabric/other"]);

    rig.ok(&["lab", "power-off", "n2", "n3"]);
    let (status, text) = rig.run(&["apply", "--yes"]);
    assert_eq!(status, 4, "{text}");
    assert!(text.contains("RB0501"), "{text}");
    rig.ok(&["lab", "power-on", "all"]);

    // What can be mended is mended: a source line without its star, a user's own FRR lines kept.
    rig.exec(
        "n1",
        &["sed", "-i", "s|^source .*|source /etc/network/interfaces.d/|", "/etc/network/interfaces"],
    );
    write("n1", "/etc/frr/frr.conf.local", "ip prefix-list mine seq 5 permit 10.0.0.0/8\\n");
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    assert!(
        rig.exec("n1", &["cat", "/etc/network/interfaces"])
            .ends_with("\nsource /etc/network/interfaces.d/*\n")
    );
    assert!(
        rig.exec("n1", &["cat", "/etc/frr/frr.conf"]).contains("ip prefix-list mine seq 5 permit 10.0.0.0/8")
    );
}

#[test]
fn half_of_the_nodes_vanish_during_apply_and_the_next_one_goes_on() {
    let Some(rig) = Rig::new("half") else { return };
    rig.ok(&["lab", "up", "--nodes", "4"]);
    let child = rig.start(&["apply", "--yes"]);
    // Somewhere in the middle: the first files are written within a second or two.
    std::thread::sleep(Duration::from_millis(2500));
    rig.ok(&["lab", "power-off", "n3", "n4"]);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("failed") || text.contains("RB05"), "it says what was lost:\n{text}");
    rig.ok(&["lab", "power-on", "all"]);
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    nothing_left(&rig);
}

#[test]
fn a_stopped_apply_leaves_nothing_half_done() {
    let Some(rig) = Rig::new("stop") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line"]);
    let child = rig.start(&["apply", "--yes"]);
    std::thread::sleep(Duration::from_millis(2500));
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("not begun"), "{text}");
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
}

#[test]
fn a_bench_of_the_mesh_is_kept_compared_and_finds_sizes_that_are_lost() {
    let Some(rig) = Rig::new("bench") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line"]);
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    let bench = ["bench", "mesh", "--seconds", "1", "--pings", "50", "--json"];
    let first: Value = serde_json::from_str(&rig.ok(&bench)).unwrap();
    let ways = first["run"]["what"]["mesh"]["links"][0]["ways"].as_array().unwrap();
    assert_eq!(ways.len(), 2);
    for way in ways {
        assert_eq!(way["idle"]["lost"], 0, "{way}");
        assert!(way["loaded"]["p50"].as_f64().unwrap() > 0.0, "{way}");
        let flows = way["flows"].as_array().unwrap();
        assert_eq!(flows.len(), 4, "1 and 4 streams, alone and with the other direction");
        assert!(flows.iter().all(|f| f["flow"]["gbits"].as_f64().unwrap() > 0.05), "{way}");
        assert!(way["sizes"].as_array().unwrap().iter().any(|row| row["payload"] == 65_492));
    }
    assert_eq!(first["run"]["marks"][0]["effect"], "void", "a lab says what it is");

    // What a controller with a broken flow control does to frames near 256 bytes.
    rig.exec("n2", &["nft", "add", "table", "ip", "lossy"]);
    rig.exec("n2", &["nft", "add", "chain", "ip", "lossy", "in", "{ type filter hook input priority 0; }"]);
    rig.exec("n2", &["nft", "add", "rule", "ip", "lossy", "in", "meta", "length", "227-230", "drop"]);
    let (status, text) = rig.run(&bench);
    assert_eq!(status, 7, "{text}");
    let second: Value = serde_json::from_str(&text).unwrap();
    let codes: Vec<&str> =
        second["run"]["verdicts"].as_array().unwrap().iter().filter_map(|v| v["code"].as_str()).collect();
    assert_eq!(codes, ["RB0904", "RB0904"], "{text}");
    assert_eq!(second["comparison"]["with"], first["run"]["id"]);

    // Stopped in the middle, nothing is left running.
    rig.exec("n2", &["nft", "delete", "table", "ip", "lossy"]);
    let child = rig.start(&["bench", "mesh", "--seconds", "60", "--pings", "10"]);
    for _ in 0..100 {
        if rig.exec("n1", &["sh", "-c", "pgrep -c iperf3 || true"]).trim() == "1" {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    for node in ["n1", "n2"] {
        assert_eq!(rig.exec(node, &["sh", "-c", "pgrep -c iperf3 || true"]).trim(), "0");
    }
}

fn kill(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn of_two_controllers_one_works_and_a_killed_one_needs_no_hand() {
    let Some(rig) = Rig::new("two") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    let other = tempfile::tempdir().unwrap();
    let apply = ["apply", "--yes"];

    // At once: one works, the other says who does.
    let (one, two) = (rig.start(&apply), elsewhere(&rig, other.path(), &apply).spawn().unwrap());
    let outcomes = [one, two].map(|child| said(&child.wait_with_output().unwrap()));
    let mut statuses = outcomes.clone().map(|(status, _)| status);
    statuses.sort_unstable();
    assert_eq!(statuses, [0, 9], "{outcomes:#?}");
    let (_, refused) = outcomes.iter().find(|(status, _)| *status == 9).unwrap();
    assert!(refused.contains("RB0560: apply of ") && refused.contains("n1, n2, n3"), "{refused}");
    nothing_left(&rig);

    // Killed in the middle: the next one, from elsewhere, goes on.
    let back = ["rollback", "--last", "--yes"];
    let done = if outcomes[0].0 == 0 {
        rig.run(&back)
    } else {
        said(&elsewhere(&rig, other.path(), &back).output().unwrap())
    };
    assert_eq!(done.0, 0, "{}", done.1);
    let victim = rig.start(&apply);
    wait_for_lock(&rig, "n1", &["\"purpose\":\"apply\"", "\"run\":\"2", "\"doing\":\"n1/"]);
    kill(&victim, rustix::process::Signal::KILL);
    victim.wait_with_output().unwrap();
    let next = said(&elsewhere(&rig, other.path(), &apply).output().unwrap());
    assert_eq!(next.0, 0, "{}", next.1);
    let again = rig.ok(&apply);
    assert!(again.contains("RB0564") && again.contains("was broken off"), "{again}");
    assert!(!rig.ok(&apply).contains("RB0564"), "told once");
    rig.verified_within(MINUTE);

    // Robbed: the first stops by itself, the thief goes on.
    for node in ["n1", "n2", "n3"] {
        rig.exec(node, &["sh", "-c", "rm -f /etc/sysctl.d/*ringbolt*"]);
    }
    let robbed = rig.start(&["drill", "cable"]);
    wait_for_lock(&rig, "n1", &["\"purpose\":\"drill\""]);
    let refused = said(&elsewhere(&rig, other.path(), &apply).output().unwrap());
    assert!(refused.0 == 9 && refused.1.contains("RB0560: drill of "), "{}", refused.1);
    let thief = said(&elsewhere(&rig, other.path(), &["apply", "--yes", "--steal"]).output().unwrap());
    assert!(thief.0 == 0 && thief.1.contains("RB0561") && thief.1.contains("drill of "), "{}", thief.1);
    // By name only where the thief is still at work when the robbed one asks.
    let (status, robbed) = said(&robbed.wait_with_output().unwrap());
    assert!(status == 9 && robbed.contains("RB0562"), "{robbed}");
    rig.verified_within(MINUTE);
    nothing_left(&rig);
}

#[test]
fn a_file_edited_between_plan_and_apply_is_refused_with_a_diff() {
    let Some(rig) = Rig::new("edit") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line"]);
    rig.ok(&["plan", "--out", "p.json"]);
    rig.exec("n1", &["sh", "-c", "printf '# mine\\n' >> /etc/network/interfaces"]);
    let before = rig.exec("n1", &["sha256sum", "/etc/network/interfaces"]);
    let (status, text) = rig.run(&["apply", "--yes", "--plan", "p.json"]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("RB0565") && text.contains("+# mine"), "{text}");
    assert_eq!(rig.exec("n1", &["sha256sum", "/etc/network/interfaces"]), before);
}

#[test]
fn a_reload_left_behind_by_a_killed_run_is_outwaited() {
    let Some(rig) = Rig::new("reload") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line"]);
    let child = rig.start(&["apply", "--yes"]);
    // Agent and controller are killed while a node reloads its interfaces.
    let strike = "for i in $(seq 600); do if pgrep -f '/[i]freload -a' >/dev/null; then \
        pgrep -f 'bin/[0-9a-f]+ agent' | xargs -r kill -9; echo struck; exit; fi; sleep 0.05; done";
    assert!(rig.exec("n1", &["sh", "-c", strike]).contains("struck"));
    kill(&child, rustix::process::Signal::KILL);
    child.wait_with_output().unwrap();
    let next = rig.ok(&["apply", "--yes"]);
    eprintln!("{next}");
    assert!(next.contains("RB0564"), "{next}");
    rig.verified_within(MINUTE);
    nothing_left(&rig);
}

#[test]
fn all_nodes_are_rebooted_one_at_a_time_and_guests_of_high_availability_leave_before() {
    let Some(rig) = Rig::new("roll") else { return };
    rig.ok(&["lab", "up", "--nodes", "3"]);
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    // A guest that nobody moves is in the way; one that high availability manages is not.
    rig.exec("n2", &["mkdir", "-p", "/etc/pve/nodes/n2/qemu-server", "/run/qemu-server", "/etc/pve/ha"]);
    let guest = "touch /etc/pve/nodes/n2/qemu-server/$0.conf";
    for id in ["100", "101"] {
        rig.exec("n2", &["sh", "-ec", guest, id]);
    }
    let process = "systemd-run -q -p Type=exec sleep infinity; pgrep -n -x sleep > /run/qemu-server/101.pid";
    rig.exec("n2", &["sh", "-ec", process]);
    rig.exec("n2", &["sh", "-ec", "printf 'vm: 100\n\tstate started\n' > /etc/pve/ha/resources.cfg"]);
    rig.eventually(MINUTE, "service vm:100 (n2, started)", &["ha-manager", "status"]);
    let (status, refused) = rig.run(&["reboot", "n2", "--yes"]);
    assert_eq!(status, 2, "{refused}");
    assert!(refused.contains("RB0574") && refused.contains("vm:101"), "{refused}");
    assert!(!refused.contains("vm:100"), "{refused}");

    let text = rig.ok(&["reboot", "--all", "--yes", "--json", "--accept", "RB0574"]);
    let spans = rolling::one_at_a_time(&text);
    assert_eq!(spans.len(), 3, "{text}");
    eprintln!("rebooted: {spans:?}");
    rig.verified_within(MINUTE);
    let told = rig.exec("n1", &["ha-manager", "status"]);
    assert!(!told.contains("maintenance"), "{told}");

    // Work on a node: its services are elsewhere, another one is not touched, and it ends by `exit`.
    rig.eventually(MINUTE, "service vm:100 (n2, started)", &["ha-manager", "status"]);
    rig.ok(&["maintain", "enter", "n2", "--yes"]);
    let told = rig.exec("n1", &["ha-manager", "status"]);
    assert!(told.contains("lrm n2 (maintenance mode") && !told.contains("(n2, started)"), "{told}");
    assert!(rig.ok(&["plan"]).contains("RB0578") && rig.ok(&["verify"]).contains("RB0578"));
    assert!(rig.run(&["reboot", "n1", "--yes"]).1.contains("RB0572"));
    rig.ok(&["reboot", "n2", "--yes"]);
    assert!(rig.exec("n1", &["ha-manager", "status"]).contains("lrm n2 (maintenance mode"));
    rig.ok(&["maintain", "exit", "n2", "--yes"]);
    assert!(rig.ok(&["maintain", "exit", "n2", "--yes"]).contains("nothing to do"));
    rig.eventually(MINUTE, "service vm:100 (n2, started)", &["ha-manager", "status"]);

    // With one node off, two votes of three are left, and both are needed.
    rig.ok(&["lab", "power-off", "n3"]);
    let (status, refused) = rig.run(&["reboot", "n1", "--yes"]);
    assert_eq!(status, 2, "{refused}");
    assert!(refused.contains("RB0573"), "{refused}");
    rig.ok(&["lab", "power-on", "n3"]);
}
