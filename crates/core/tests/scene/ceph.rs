//! Statements of a recipe about disks and Ceph: `plan_scenarios` lists them.
//!
//! Each edits the facts of simulated nodes or what their monitors know; nothing is planned here.

use std::fmt::Write as _;

use ringbolt_core::facts::ceph::{Complaint, ConfigEntry, Daemon, PoolFact};
use ringbolt_core::facts::disk::{Health, Use};
use ringbolt_core::facts::{CephNode, Clock, Disk, Facts, Known, UnitFact};
use ringbolt_core::plan::Plan;
use ringbolt_core::sim::Cluster;
use ringbolt_core::step::{Phase, Risk};

/// What a recipe calls a use of a disk: `ext4`, `gpt`, `mounted:/data`, `holder:md0`, `osd`, `busy`, …
fn use_of(word: &str) -> Use {
    match word.split_once(':') {
        Some(("mounted", place)) => Use::Mounted(place.into()),
        Some(("holder", name)) => Use::Holder(name.into()),
        Some(("unknown", why)) => Use::Unknown(why.into()),
        Some(("osd", cluster)) => {
            Use::Ceph { osd: Some(4), fsid: Some("an-old-one".into()), cluster: Some(cluster.into()) }
        }
        Some((other, _)) => panic!("no use of a disk is called {other}"),
        None => match word {
            "gpt" | "dos" => Use::Table(word.into()),
            "swap-in-use" => Use::Swap,
            "busy" => Use::Busy,
            signature => Use::Signature(signature.into()),
        },
    }
}

fn disks(facts: &mut Facts) -> &mut Vec<Disk> {
    match &mut facts.inventory.disks {
        Known::Yes(disks) => disks,
        Known::No(why) => panic!("no disks: {why}"),
    }
}

fn disk<'f>(facts: &'f mut Facts, name: &str) -> &'f mut Disk {
    disks(facts).iter_mut().find(|d| d.name == name).unwrap_or_else(|| panic!("no disk {name}"))
}

fn change(disk: &mut Disk, key: &str, value: &str) {
    let health = |change: &dyn Fn(&mut Health)| {
        let mut now = Health { passed: Some(true), ..Health::default() };
        if let Known::Yes(known) = &disk.health {
            now = known.clone();
        }
        change(&mut now);
        Known::Yes(now)
    };
    match key {
        "use" => disk.uses.push(use_of(value)),
        "free" => disk.uses.clear(),
        "model" => value.clone_into(&mut disk.model),
        "serial" => value.clone_into(&mut disk.serial),
        "size" => disk.size = value.parse().expect("bytes"),
        "removable" => disk.removable = true,
        "failed" => disk.health = health(&|h| h.passed = Some(false)),
        "wear" => disk.health = health(&|h| h.wear = value.parse().ok()),
        "heat" => disk.health = health(&|h| h.temperature = value.parse().ok()),
        other => panic!("nothing of a disk is called {other}"),
    }
}

fn here(facts: &mut Facts) -> &mut CephNode {
    match &mut facts.state.ceph {
        Known::Yes(node) => node,
        Known::No(why) => panic!("no Ceph: {why}"),
    }
}

/// A statement about one node; false if it is none.
pub(crate) fn on_node(facts: &mut Facts, words: &[&str]) -> bool {
    match words {
        ["disk", _, name, "vanish"] => disks(facts).retain(|d| d.name != *name),
        ["disk", _, name, key] => change(disk(facts, name), key, ""),
        ["disk", _, name, key, value] => change(disk(facts, name), key, value),
        ["disks-unknown", _, why] => facts.inventory.disks = Known::No((*why).into()),
        ["ceph-unknown", _, why] => facts.state.ceph = Known::No((*why).into()),
        ["memory", _, gib] => here(facts).memory = gib.parse::<u64>().expect("GiB") << 30,
        ["left-over", _, kind, id] => {
            let daemon = Daemon { id: (*id).into(), runs: false };
            match *kind {
                "mon" => here(facts).monitors.push(daemon),
                "mgr" => here(facts).managers.push(daemon),
                _ => here(facts).metadata.push(daemon),
            }
        }
        ["stop", _, kind] => {
            let node = here(facts);
            let list = if *kind == "mon" { &mut node.monitors } else { &mut node.managers };
            list.iter_mut().for_each(|d| d.runs = false);
        }
        ["monitor", _, state] => {
            let quorum = here(facts).quorum.as_mut().expect("a monitor");
            (*state).clone_into(&mut quorum.state);
        }
        ["stop-osd", _, osd] => {
            let down = |o: &&mut ringbolt_core::facts::ceph::LocalOsd| o.id.to_string() == **osd;
            here(facts).osds.iter_mut().filter(down).for_each(|o| o.state.clear());
        }
        // The disk of the system is new: no packages of Ceph, no folders; the OSDs' disks are as they were.
        ["reinstall", _] => {
            let memory = here(facts).memory;
            facts.state.ceph = Known::Yes(CephNode { memory, ..CephNode::default() });
            facts.inventory.packages.retain(|name, _| !name.starts_with("ceph"));
            facts.state.files.retain(|path, _| !path.starts_with("/etc/apt/"));
            facts.state.ceph_cluster = ringbolt_core::facts::not_asked();
        }
        ["unit", _, unit, active] => {
            let fact =
                UnitFact { load: "loaded".into(), active: (*active).into(), enabled: "enabled".into() };
            facts.state.units.insert((*unit).into(), fact);
        }
        ["clock", _, ahead] => {
            let ahead = ahead.parse::<i64>().expect("milliseconds") * 1000;
            facts.state.clock = Some(Clock { ahead, within: 2_000 });
        }
        ["address", _, interface, address] => {
            let interface = facts.inventory.interfaces.get_mut(*interface).expect("an interface");
            interface.addresses.push(address.parse().expect("an address"));
        }
        ["no-address", _, interface] => {
            facts.inventory.interfaces.get_mut(*interface).expect("an interface").addresses.clear();
        }
        _ => return false,
    }
    true
}

/// A statement about what the monitors know; false if it is none.
pub(crate) fn on_cluster(cluster: &mut Cluster, words: &[&str]) -> bool {
    let ceph = &mut cluster.ceph;
    match words {
        ["pool", name, "new"] => ceph.pools.push(PoolFact {
            name: (*name).into(),
            size: 3,
            min_size: 2,
            pg_num: 32,
            ..PoolFact::default()
        }),
        ["pool", name, key, value] => {
            let pool = ceph.pools.iter_mut().find(|p| p.name == *name).expect("a pool");
            match *key {
                "size" => pool.size = value.parse().expect("a number"),
                "min_size" => pool.min_size = value.parse().expect("a number"),
                "pg_num" => pool.pg_num = value.parse().expect("a number"),
                "kind" => pool.kind = (*value).into(),
                "autoscale" => pool.autoscale = (*value).into(),
                other => drop(pool.options.insert(other.into(), (*value).into())),
            }
        }
        ["option", section, name, value] => {
            ceph.config.retain(|e| e.section != *section || e.name != *name);
            ceph.config.push(ConfigEntry {
                section: (*section).into(),
                name: (*name).into(),
                value: (*value).into(),
                mask: String::new(),
            });
            ceph.config.sort();
        }
        ["complaint", code, summary] => ceph.complaints.push(Complaint {
            code: (*code).into(),
            severity: "HEALTH_WARN".into(),
            summary: (*summary).into(),
            muted: false,
        }),
        ["filled", percent, terabytes] => {
            ceph.used = percent.parse::<f64>().expect("percent") / 100.0;
            ceph.bytes = terabytes.parse::<u64>().expect("terabytes") * 1_000_000_000_000;
        }
        ["running", count, version] => {
            ceph.versions.insert((*version).into(), count.parse().expect("a number"));
        }
        ["osd", id, key, value] => {
            let osd = ceph.osds.iter_mut().find(|o| o.id.to_string() == *id).expect("an OSD");
            match *key {
                "up" => osd.up = *value == "1",
                "in" => osd.within = *value == "1",
                other => panic!("nothing of an OSD is called {other}"),
            }
        }
        ["health", word] => {
            (*word).clone_into(&mut ceph.health);
            for node in cluster.nodes.values_mut() {
                if let Known::Yes(told) = &mut node.facts.state.ceph_cluster {
                    (*word).clone_into(&mut told.health);
                }
            }
            return true;
        }
        ["monitors-silent", why] => {
            for node in cluster.nodes.values_mut().filter(|n| n.facts.state.ceph_cluster.yes().is_some()) {
                node.facts.state.ceph_cluster = Known::No((*why).into());
            }
            return true;
        }
        _ => return false,
    }
    cluster.tell_ceph();
    true
}

/// How much there is to do for Ceph. What lies below it is the business of other folders.
pub(crate) fn heading(plan: &Plan, out: &mut String) {
    let ceph = plan.deeds().filter(|s| s.phase == Phase::Ceph).count();
    let mesh = if plan.deeds().count() > ceph { "steps of the mesh, and " } else { "" };
    let _ = writeln!(out, "== {mesh}{ceph} steps of Ceph");
}

/// Ceph's steps in some lines each, with their deeds; none while something is in the way, as on the screen.
pub(crate) fn steps(plan: &Plan, out: &mut String) {
    if !plan.obstacles.is_empty() {
        return;
    }
    for step in plan.steps.iter().filter(|s| s.phase == Phase::Ceph) {
        let risk = if step.risk == Risk::Destructive { " [DESTRUCTIVE]" } else { "" };
        let _ = writeln!(out, "{}{risk}: {}", step.id, step.title);
        if let Some(action) = &step.action {
            let _ = writeln!(out, "    why: {}", step.why);
            let _ = writeln!(out, "    deed: {}", serde_json::to_string(action).expect("as JSON"));
        }
        if !step.interrupts.is_empty() {
            let _ = writeln!(out, "    interrupts: {}", step.interrupts);
        }
        let after: Vec<&str> = step.after.iter().map(|id| &**id).collect();
        if !after.is_empty() {
            let _ = writeln!(out, "    after: {}", after.join(", "));
        }
    }
}
