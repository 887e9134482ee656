//! Reboots and maintenance on real daemons: what Ceph says while nodes go down and come back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::MINUTE;
use crate::rig::Rig;

/// What is done with a node of Ceph, in order.
const TURN: [&str; 5] = ["may-stop", "noout-on", "reboot", "ceph-whole", "noout-off"];

/// What `--json` said of a run of reboots, and that no two nodes were out of service together: steps with
/// their beginning and end in milliseconds.
pub(crate) fn one_at_a_time(text: &str) -> Vec<(String, u64, u64)> {
    let events = events(text);
    let at =
        |kind: &str, step: &str| at(&events, kind, step).unwrap_or_else(|| panic!("{kind} {step}:\n{text}"));
    let nodes: Vec<String> = events
        .iter()
        .filter(|e| e["event"] == "step-started")
        .filter_map(|e| Some(e["step"].as_str()?.strip_suffix("/reboot")?.to_owned()))
        .collect();
    let spans: Vec<(String, u64, u64)> = nodes
        .into_iter()
        .map(|n| {
            let (from, to) =
                (at("step-started", &format!("{n}/reboot")), at("step-done", &format!("gate:{n}")));
            (n, from, to)
        })
        .collect();
    for pair in spans.windows(2) {
        assert!(pair[0].2 <= pair[1].1, "{} and {} were away together: {spans:?}", pair[0].0, pair[1].0);
    }
    spans
}

fn events(text: &str) -> Vec<Value> {
    text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

/// When an event of a step was, in milliseconds.
fn at(events: &[Value], kind: &str, step: &str) -> Option<u64> {
    events.iter().find(|e| e["event"] == kind && e["step"] == step)?["at_ms"].as_u64()
}

/// All nodes of a cluster with pool `vm` are rebooted while somebody writes to it.
pub(crate) fn reboots_under_writes(rig: &Rig) {
    let done = AtomicBool::new(false);
    let (text, (writes, worst), seen) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| rig.writes_until(&done));
        let watcher = scope.spawn(|| held_until(rig, &done));
        let (status, text) = rig.run(&["reboot", "--all", "--yes", "--json"]);
        done.store(true, Ordering::Relaxed);
        let (writes, seen) = (writer.join().unwrap(), watcher.join().unwrap());
        assert_eq!(status, 0, "{text}");
        (text, writes, seen)
    });
    let spans = one_at_a_time(&text);
    eprintln!("rebooted: {spans:?}; {writes} writes, {worst:.1} s the slowest; held: {seen:?}");
    assert_eq!(spans.len(), 3, "{text}");
    assert!(writes > 20 && worst < 60.0, "{writes} writes, the slowest took {worst} s");
    in_turn(&events(&text), &spans, &text);
    // The monitors' own word for it: each host was held once, and never two of them.
    let all: BTreeSet<Vec<String>> = ["n1", "n2", "n3"].map(|n| vec![n.to_owned()]).into();
    assert_eq!(seen, all);
    assert!(held(&rig.exec("n1", &DUMP)).is_some_and(|held| held.is_empty()));
    rig.verified_within(MINUTE);
    assert!(rig.exec("n1", &["ceph", "health"]).contains("HEALTH_OK"));
}

/// Each node: asked for, held in, rebooted, whole again, let go, and then the next one.
fn in_turn(events: &[Value], spans: &[(String, u64, u64)], text: &str) {
    let mut last = 0;
    for (node, ..) in spans {
        for what in TURN {
            let step = format!("{node}/{what}");
            let done = at(events, "step-done", &step).unwrap_or_else(|| panic!("{step}:\n{text}"));
            assert!(last <= done, "{step} was done before what comes before it:\n{text}");
            last = done;
        }
    }
}

/// A node is taken out of service for work on it, and comes back: its OSDs are kept in meanwhile.
pub(crate) fn maintained(rig: &Rig) {
    let now = || held(&rig.exec("n1", &DUMP)).unwrap();
    rig.ok(&["maintain", "enter", "n2", "--yes"]);
    assert_eq!(now(), ["n2"]);
    let (status, refused) = rig.run(&["reboot", "n3", "--yes"]);
    assert!(status == 2 && refused.contains("RB0572"), "{status}: {refused}");
    rig.ok(&["maintain", "exit", "n2", "--yes"]);
    assert_eq!(now(), [""; 0]);
    assert!(rig.ok(&["maintain", "exit", "n2", "--yes"]).contains("nothing to do"));
    rig.verified_within(MINUTE);
}

const DUMP: [&str; 5] = ["ceph", "osd", "dump", "--format", "json"];

/// Hosts whose OSDs are kept in, in the monitors' map.
fn held(dump: &str) -> Option<Vec<String>> {
    let map: Value = dump.lines().find_map(|line| serde_json::from_str(line).ok())?;
    assert!(!map["flags_set"].as_array()?.contains(&"noout".into()), "set for all: {}", map["flags"]);
    let flags = map["crush_node_flags"].as_object()?;
    let noout = |list: &Value| list.as_array().is_some_and(|list| list.contains(&"noout".into()));
    Some(flags.iter().filter(|(_, list)| noout(list)).map(|(host, _)| host.clone()).collect())
}

/// All that the monitors ever said of it; asked of whichever node answers.
fn held_until(rig: &Rig, done: &AtomicBool) -> BTreeSet<Vec<String>> {
    let (nodes, mut at, mut seen) = (rig.nodes(), 0, BTreeSet::new());
    while !done.load(Ordering::Relaxed) {
        let words = [&["timeout", "10"][..], &DUMP].concat();
        match rig.ssh(&nodes[at % nodes.len()], &words).as_deref().and_then(held) {
            Some(held) => drop(held.is_empty() || seen.insert(held)),
            None => at += 1,
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    seen
}
