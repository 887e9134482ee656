//! The whole tool on real nodes: from bare to verified in every shape, power cycles, hot-plug, bad
//! days. Needs root and the programs the lab names; says so and passes where they are missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod rig;

use std::path::Path;
use std::time::Duration;

use rig::Rig;
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
    nothing_left(&rig);
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
    let refused = |code: &str| {
        let before = rig.exec("n1", &["find", "/etc", "-newer", "/run/stamp", "-type", "f"]);
        let (status, text) = rig.run(&["apply", "--yes"]);
        assert!(status != 0 && text.contains(code), "{code} expected, status {status}:\n{text}");
        let after = rig.exec("n1", &["find", "/etc", "-newer", "/run/stamp", "-type", "f"]);
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
    let ways = first["run"]["what"]["links"][0]["ways"].as_array().unwrap();
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
