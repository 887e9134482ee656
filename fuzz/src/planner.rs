//! The planner under changed facts: the bytes of an input are read as edits to what three simulated nodes say.
//! Whatever comes of it, there is a plan without faults in itself, a report and an audit, and no panic.

use std::sync::LazyLock;

use ringbolt_core::facts::Fleet;
use ringbolt_core::facts::disk::mounts::{mounts, swaps};
use ringbolt_core::facts::disk::reading::{Block, Reading};
use ringbolt_core::plan::{Policy, lint};
use ringbolt_core::sim::{self, Frr, Options};
use ringbolt_core::spec::{self, Osds, Spec, Transport};
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::generate;
use ringbolt_core::{tune, verify};
use serde_json::{Value, json};

/// Most edits of one input.
const EDITS: usize = 24;

/// A spec with Ceph, as read from a file, for nodes as `sim` makes them.
pub fn spec() -> Spec {
    static SPEC: LazyLock<Spec> = LazyLock::new(|| {
        let example = spec::read(include_str!("../../examples/ceph-3.toml")).spec.expect("valid");
        let mut spec = sim::spec(&generate::ring(3), Transport::Thunderbolt);
        let names: Vec<_> = spec.nodes.iter().map(|n| n.name.clone()).collect();
        spec.ceph = example.ceph.map(|mut ceph| {
            ceph.monitors.clone_from(&names);
            ceph.managers = names;
            ceph
        });
        spec.pools = example.pools;
        for node in &mut spec.nodes {
            node.osds = Osds::Paths(vec!["/dev/nvme1n1".into(), "/dev/nvme2n1".into()]);
        }
        spec
    });
    SPEC.clone()
}

/// Facts of fresh nodes, and of nodes where all is done.
fn fleets() -> &'static [Value; 2] {
    static FLEETS: LazyLock<[Value; 2]> = LazyLock::new(|| {
        let options = Options { frr: Frr::Installed, disks: 2, ..Options::default() };
        let mut cluster = sim::fresh(&generate::ring(3), Transport::Thunderbolt, &options);
        let fresh = serde_json::to_value(cluster.fleet()).expect("facts");
        for _ in 0..4 {
            let plan = survey(cluster.fleet()).expect("addresses").plan(&Policy::default());
            cluster.run(&plan, plan.steps.len()).expect("carried out");
        }
        [fresh, serde_json::to_value(cluster.fleet()).expect("facts")]
    });
    &FLEETS
}

fn survey(fleet: Fleet) -> Option<Survey> {
    Survey::new(spec(), fleet, Vec::new()).ok()
}

/// Reads bytes as edits and plans with what comes of them.
pub fn mutated(bytes: &[u8]) {
    let mut bytes = bytes.iter().copied();
    let Some(first) = bytes.next() else { return };
    let mut value = fleets()[usize::from(first & 1)].clone();
    for _ in 0..EDITS {
        if !edit(&mut value, &mut bytes) {
            break;
        }
    }
    let Ok(fleet) = serde_json::from_value::<Fleet>(value) else { return };
    let _ = tune::audit(&spec(), &fleet);
    let Some(survey) = survey(fleet) else { return };
    let plan = survey.plan(&Policy::default());
    assert_eq!(lint(&plan), Vec::<String>::new());
    let _ = (survey.unmet(), survey.untouched(), survey.live_topology());
    let Survey { spec, fleet, binding, addresses, desired, .. } = &survey;
    let _ = verify::pings(spec, binding, addresses, desired);
    let _ = verify::report(spec, binding, addresses, desired, fleet, &[], Vec::new());
}

/// One edit: a way down the tree, then something else in its place; false when the bytes are used up.
fn edit(value: &mut Value, bytes: &mut impl Iterator<Item = u8>) -> bool {
    let mut here = value;
    loop {
        let Some(byte) = bytes.next() else { return false };
        let index = usize::from(byte);
        let inside = match here {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if inside == 0 || index >= 250 {
            *here = other(here, index, bytes);
            return true;
        }
        let at = index % inside;
        match here {
            Value::Object(map) if index >= 240 => {
                let key = map.keys().nth(at).cloned().unwrap_or_default();
                return map.remove(&key).is_some();
            }
            Value::Array(list) if index >= 245 => return list.pop().is_some(),
            Value::Array(list) if index >= 240 => {
                list.push(list[at].clone());
                return true;
            }
            Value::Object(map) => match map.values_mut().nth(at) {
                Some(deeper) => here = deeper,
                None => return true,
            },
            Value::Array(list) => here = &mut list[at],
            _ => return true,
        }
    }
}

/// Another value in the place of one.
fn other(old: &Value, kind: usize, bytes: &mut impl Iterator<Item = u8>) -> Value {
    let number = bytes.next().unwrap_or_default();
    match (kind % 12, old) {
        (0, _) => Value::Null,
        (1, Value::Bool(old)) => json!(!old),
        (1, _) => json!(""),
        (2, Value::String(_)) => json!("x".repeat(usize::from(number))),
        (2, _) => json!(u64::MAX),
        (3, Value::String(old)) => json!(old.chars().rev().collect::<String>()),
        (3, _) => json!(u32::MAX),
        (4, Value::String(old)) => json!(old.chars().take(usize::from(number)).collect::<String>()),
        (5, Value::String(old)) => json!(old.replace(char::is_numeric, &(number % 10).to_string())),
        (4 | 5, _) => json!(number),
        (6, _) => json!({ "yes": old }),
        (7, _) => json!({ "no": "x" }),
        (8, _) => json!([old, old]),
        (9, Value::Number(old)) => json!(old.as_f64().unwrap_or_default() * -1.0),
        (9, _) => json!({}),
        (10, Value::String(old)) => json!(format!("{old}{}", char::from(number))),
        (10, _) => json!(0),
        _ => json!(["active", "Up", "10.100.0.1", "en05", "nvme1n1", "10.0.0.0/8"][usize::from(number) % 6]),
    }
}

/// What stands on a disk, from devices built on each other as the lines of a text say, in circles as well.
pub fn reading(text: &str) {
    let mut reading =
        Reading { mounts: mounts(text), swaps: swaps(text).into_iter().collect(), ..Reading::default() };
    for line in text.lines().take(64) {
        let mut words = line.split(' ').map(str::to_owned);
        let Some(name) = words.next() else { continue };
        let dev = words.next().unwrap_or_default();
        let mut holders: Vec<String> = words.collect();
        let partitions = holders.split_off(holders.len() / 2);
        reading.blocks.insert(name, Block { dev, holders, partitions, ..Block::default() });
    }
    let names: Vec<String> = reading.blocks.keys().take(8).cloned().collect();
    for name in &names {
        let _ = (reading.uses(name), reading.below(name, &names), reading.name(name));
    }
}
