//! The membership service for real: three of them in a network namespace of
//! the test's own, on loopback addresses.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringbolt_lab::standin::membership::serve;
use ringbolt_lab::standin::{Host, Root, System};
use serde_json::Value;

const INSIDE: &str = "RINGBOLT_TEST_INSIDE";
const NAME: &str = "a_majority_is_counted_and_lost";

#[test]
fn a_majority_is_counted_and_lost() {
    if std::env::var_os(INSIDE).is_some() {
        inside();
        return;
    }
    let program = std::env::current_exe().unwrap();
    let script = "ip link set lo up && exec \"$0\" --exact --nocapture \"$1\"";
    let done = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "sh", "-ec", script])
        .arg(program)
        .arg(NAME)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    if told.contains("unshare failed") || told.contains("Operation not permitted") {
        println!("skipped: no namespaces here: {told}");
        return;
    }
    assert!(done.status.success(), "{}\n{told}", String::from_utf8_lossy(&done.stdout));
}

fn inside() {
    let top = tempfile::TempDir::new().unwrap();
    let shared = top.path().join("pve");
    fs::create_dir_all(&shared).unwrap();
    let nodes: Vec<String> =
        (1..=3).map(|i| format!(r#"{{"name":"n{i}","id":{i},"address":"127.0.0.1{i}"}}"#)).collect();
    fs::write(
        shared.join("ringbolt-lab.json"),
        format!(r#"{{"cluster":"t","nodes":[{}]}}"#, nodes.join(",")),
    )
    .unwrap();
    let services: Vec<_> = (1..=3).map(|i| start(top.path(), i)).collect();
    let members = |i: usize| top.path().join(format!("n{i}/run/ringbolt-lab/members"));
    for i in 1..=3 {
        wait_for(&members(i), &|state| {
            state["cluster"]["quorate"] == 1 && state["nodelist"]["n3"]["online"] == 1
        });
        assert!(shared.join(format!("nodes/n{i}")).is_dir());
    }
    let version = top.path().join("n1/run/ringbolt-lab/version");
    wait_for(&version, &|state| state["ceph.conf"] == 0);
    fs::write(shared.join("ceph.conf"), "x").unwrap();
    wait_for(&version, &|state| state["ceph.conf"] == 1);
    services[2].0.store(true, Ordering::Relaxed);
    wait_for(&members(1), &|state| state["nodelist"]["n3"]["online"] == 0);
    wait_for(&members(1), &|state| state["cluster"]["quorate"] == 1);
    services[1].0.store(true, Ordering::Relaxed);
    wait_for(&members(1), &|state| state["cluster"]["quorate"] == 0);
    services[0].0.store(true, Ordering::Relaxed);
    for (_, thread) in services {
        thread.join().unwrap();
    }
}

fn start(top: &Path, number: usize) -> (Arc<AtomicBool>, std::thread::JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (seen, top) = (stop.clone(), top.to_owned());
    let thread = std::thread::spawn(move || {
        let name = format!("n{number}");
        let root = Root { etc_pve: top.join("pve"), ..Root::below(&top.join(&name)) };
        let host = Host::new(root, &name, Box::new(System));
        serve(&host, &mut std::io::sink(), &|| seen.load(Ordering::Relaxed)).unwrap();
    });
    (stop, thread)
}

fn wait_for(path: &Path, fits: &dyn Fn(&Value) -> bool) {
    let start = Instant::now();
    let mut last = String::new();
    while start.elapsed() < Duration::from_secs(10) {
        last = fs::read_to_string(path).unwrap_or_default();
        if serde_json::from_str(&last).is_ok_and(|state| fits(&state)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{}: {last}", path.display());
}
