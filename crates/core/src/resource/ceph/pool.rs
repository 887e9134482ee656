//! Pools of the spec: made, and kept at what the spec says. Other pools are not looked at.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::{CephCheck, differing};
use crate::facts::ceph::PoolFact;
use crate::facts::disk::size_text;
use crate::step::{Risk, Step, Undo};
use crate::wish::{PoolWish, rule};

/// Steps for all pools but those of file systems that are not there yet, one after the other.
pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for pool in &scene.wish.pools {
        let there = scene.cluster.and_then(|c| c.pools.iter().find(|p| p.name == pool.name));
        if let (Some(class), true) =
            (&pool.class, there.is_none_or(|p| pool.class.as_ref().is_some_and(|c| p.rule != rule(c))))
        {
            steps.push(crush_rule(scene, class));
        }
        match (there, &pool.creates) {
            (Some(fact), _) => steps.extend(change(scene, pool, fact)),
            (None, Some(name)) => steps.extend(create(scene, pool, name)),
            (None, None) => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    steps.retain(|s| seen.insert(s.id.clone()));
    steps
}

/// What comes after a file system has made its pools.
pub(crate) fn settle(scene: &Scene<'_>, filesystem: &str) -> Vec<Step> {
    let own = |p: &&PoolWish| {
        p.creates.is_none()
            && p.name.strip_prefix(filesystem).is_some_and(|rest| rest == "_data" || rest == "_metadata")
    };
    let pools = scene.wish.pools.iter().filter(own);
    pools.filter_map(|pool| options(scene, pool, &pool.kept(), "as other pools of the spec")).collect()
}

fn crush_rule(scene: &Scene<'_>, class: &str) -> Step {
    Step {
        title: format!("CRUSH rule {} for copies on {class} disks", rule(class)).into(),
        why: "a pool of the spec stays on one class of disks".into(),
        undo: Undo::Impossible(format!(
            "`ceph osd crush rule rm {}` takes it away once no pool uses it",
            rule(class)
        )),
        proof: vec![on(scene.speaker, CephCheck::Rule { name: rule(class) })],
        ..step(
            scene.speaker,
            format_args!("rule:{class}"),
            CephDeed::Rule { name: rule(class), class: class.to_owned() },
        )
    }
}

fn create(scene: &Scene<'_>, pool: &PoolWish, name: &str) -> Vec<Step> {
    let text = |key: &str| pool.create.iter().find(|(k, _)| k == key).map_or("", |(_, value)| value.as_str());
    let kind = match (text("erasure-coding"), text("size"), text("min_size")) {
        ("", size, min_size) => format!("{size} copies, writes go on with {min_size}"),
        (erasure, ..) => format!("erasure coded, {erasure}"),
    };
    let mut steps = vec![Step {
        title: format!("pool {name}: {kind}, {} placement groups", text("pg_num")).into(),
        why: pool.reason.clone().into(),
        undo: Undo::Impossible(format!("`pveceph pool destroy {name}` takes it away, with all data in it")),
        proof: vec![on(
            scene.speaker,
            CephCheck::Pool { name: pool.name.clone(), options: pool.keep.clone() },
        )],
        patience: 60,
        ..step(
            scene.speaker,
            format_args!("pool:{name}"),
            CephDeed::Pool { create: true, name: name.to_owned(), options: pool.create.clone() },
        )
    }];
    steps.extend(options(scene, pool, &pool.extra, "Proxmox VE has no flag for it"));
    steps
}

/// Options set by Ceph's own command.
fn options(scene: &Scene<'_>, pool: &PoolWish, list: &[(String, String)], why: &'static str) -> Option<Step> {
    if list.is_empty() {
        return None;
    }
    let shown: Vec<String> = list.iter().map(|(key, value)| format!("{key} {value}")).collect();
    Some(Step {
        title: format!("pool {}: {}", pool.name, shown.join(", ")).into(),
        why: why.into(),
        proof: vec![on(scene.speaker, CephCheck::Pool { name: pool.name.clone(), options: list.to_vec() })],
        patience: 30,
        ..step(
            scene.speaker,
            format_args!("pool-options:{}", pool.name),
            CephDeed::PoolOptions { name: pool.name.clone(), options: list.to_vec() },
        )
    })
}

fn change(scene: &Scene<'_>, pool: &PoolWish, fact: &PoolFact) -> Vec<Step> {
    let mut steps = Vec::new();
    let keep: Vec<(&str, &str, String)> = differing(fact, &pool.keep).collect();
    if !keep.is_empty() {
        let shown: Vec<String> = keep
            .iter()
            .map(|(key, want, have)| {
                format!("{key} {} → {want}", if have.is_empty() { "none" } else { have })
            })
            .collect();
        let set: Vec<(String, String)> =
            keep.iter().map(|(key, want, _)| ((*key).to_owned(), (*want).to_owned())).collect();
        let back: Vec<(String, String)> = keep
            .iter()
            .filter(|(_, _, have)| !have.is_empty())
            .map(|(key, _, have)| ((*key).to_owned(), have.clone()))
            .collect();
        let moves = moves(&keep, fact);
        let undo = CephDeed::Pool { create: false, name: fact.name.clone(), options: back };
        steps.push(Step {
            title: format!("pool {}: {}", fact.name, shown.join(", ")).into(),
            why: "the pool differs from the spec".into(),
            undo: Undo::Action(Box::new(crate::action::Action::Ceph(undo))),
            proof: vec![on(scene.speaker, CephCheck::Pool { name: pool.name.clone(), options: set.clone() })],
            patience: 60,
            risk: if moves.is_some() { Risk::Disruptive } else { Risk::Safe },
            interrupts: moves.unwrap_or_default().into(),
            ..step(
                scene.speaker,
                format_args!("pool:{}", fact.name),
                CephDeed::Pool { create: false, name: fact.name.clone(), options: set },
            )
        });
    }
    let extra: Vec<(String, String)> =
        differing(fact, &pool.extra).map(|(key, want, _)| (key.to_owned(), want.to_owned())).collect();
    steps.extend(options(scene, pool, &extra, "the pool differs from the spec"));
    steps
}

/// What a change makes the cluster copy, or takes away of its safety, in words.
fn moves(changes: &[(&str, &str, String)], fact: &PoolFact) -> Option<String> {
    let of = |key: &str| changes.iter().find(|(k, ..)| *k == key);
    let data = size_text(fact.stored);
    if of("min_size").is_some_and(|(_, want, _)| *want == "1") {
        return Some("writes go on with a single copy from now on: the disk that holds it takes them along when it dies".into());
    }
    if let Some((_, want, have)) = of("size") {
        let less = want.parse::<u32>().ok() < have.parse::<u32>().ok();
        let what = if less { "a copy of all data is deleted" } else { "more copies of all data are made" };
        return Some(format!(
            "{what} ({have} → {want}, {data}) in the background; guests are slower meanwhile"
        ));
    }
    if of("pg_num").is_some() || of("crush_rule").is_some() {
        return Some(format!(
            "up to {data} times the number of copies move in the background; guests are slower meanwhile"
        ));
    }
    None
}
