//! Pools and file systems. `pveceph pool` and `pveceph fs` end with 0 whatever became of their task:
//! the map of the OSDs is read afterwards.

use ringbolt_core::facts::ceph::{CephCluster, PoolFact};
use ringbolt_core::wire::Failure;
use serde_json::json;

use super::{Outcome, Scene, failure, flags, plain_name, run, tool};
use crate::read::ceph::cluster;
use crate::read::ceph::session::{Command, must};

/// Longest time a command may take, in seconds.
const LIMIT: u64 = 300;

type Options = [(String, String)];

/// Creates a pool, or changes its options.
pub(super) fn pool(scene: &Scene<'_>, create: bool, name: &str, options: &Options) -> Outcome {
    plain_name(name, "a pool")?;
    let there = find(&told(scene)?, name);
    match (create, &there) {
        (true, Some(_)) => return Ok("there already".to_owned()),
        (false, None) => return Err(Failure::refused(format!("there is no pool {name}"))),
        (false, Some(pool)) if differing(pool, options).is_empty() => return Ok("already so".to_owned()),
        _ => {}
    }
    let mut words =
        vec!["pool".to_owned(), if create { "create" } else { "set" }.to_owned(), name.to_owned()];
    words.extend(flags(options)?);
    let output = run(scene, &tool("pveceph", words, LIMIT))?;
    let Some(pool) = find(&told(scene)?, name) else {
        return Err(failure(&format!("there is no pool {name} afterwards"), &output));
    };
    match differing(&pool, options).as_slice() {
        [] => Ok(if create { "created" } else { "changed" }.to_owned()),
        left => Err(failure(&format!("pool {name} has not taken {}", left.join(", ")), &output)),
    }
}

/// The pool of a name; of an erasure-coded one Proxmox VE makes two, the data in the one that ends so.
fn find(cluster: &CephCluster, name: &str) -> Option<PoolFact> {
    let named = |name: &str| cluster.pools.iter().find(|pool| pool.name == name).cloned();
    named(name).or_else(|| named(&format!("{name}-data")).filter(|pool| pool.kind == "erasure"))
}

/// Options the pool does not have, of those the map shows.
fn differing(pool: &PoolFact, options: &Options) -> Vec<String> {
    let same = |name: &str, value: &str| match name {
        "size" if pool.kind == "replicated" => value == pool.size.to_string(),
        "min_size" if pool.kind == "replicated" => value == pool.min_size.to_string(),
        "pg_num" => value == pool.pg_num.to_string() || pool.autoscale == "on",
        "pg_autoscale_mode" => value == pool.autoscale,
        "application" => pool.applications.iter().any(|tag| tag == value),
        "crush_rule" => value == pool.rule,
        "target_size_ratio" | "pg_num_min" => {
            let number =
                |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
            let have = number(pool.options.get(name).map(String::as_str));
            (have - number(Some(value))).abs() < 1e-6
        }
        _ => true,
    };
    options.iter().filter(|(name, value)| !same(name, value)).map(|(n, v)| format!("{n} {v}")).collect()
}

/// Options of a pool that Proxmox VE has no flag for.
pub(super) fn options(scene: &Scene<'_>, name: &str, options: &Options) -> Outcome {
    plain_name(name, "a pool")?;
    let set = |(key, value): &(String, String)| {
        Command::monitor(json!({"prefix": "osd pool set", "pool": name, "var": key, "val": value}))
    };
    must(scene.root, &options.iter().map(set).collect::<Vec<_>>())?;
    Ok(String::new())
}

/// A rule that puts copies on disks of one class, one a host. Ceph takes one that is there for done.
pub(super) fn rule(scene: &Scene<'_>, name: &str, class: &str) -> Outcome {
    plain_name(name, "a rule")?;
    plain_name(class, "a device class")?;
    let words = json!({
        "prefix": "osd crush rule create-replicated",
        "name": name, "root": "default", "type": "host", "class": class,
    });
    let answers = must(scene.root, &[Command::monitor(words)])?;
    Ok(answers.first().map(|answer| answer.said.trim().to_owned()).unwrap_or_default())
}

/// Creates a file system.
pub(super) fn filesystem(scene: &Scene<'_>, name: &str, options: &Options) -> Outcome {
    plain_name(name, "a file system")?;
    let there = |scene: &Scene<'_>| -> Result<bool, Failure> {
        Ok(told(scene)?.filesystems.iter().any(|fs| fs.name == name))
    };
    if there(scene)? {
        return Ok("there already".to_owned());
    }
    let mut words = ["fs", "create", "--name", name].map(str::to_owned).to_vec();
    words.extend(flags(options)?);
    let output = run(scene, &tool("pveceph", words, LIMIT))?;
    match there(scene)? {
        true => Ok("created".to_owned()),
        false => Err(failure(&format!("there is no file system {name} afterwards"), &output)),
    }
}

fn told(scene: &Scene<'_>) -> Result<CephCluster, Failure> {
    cluster(scene.root).map_err(Failure::broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_map_does_not_show_as_asked_is_named() {
        let pool = PoolFact {
            size: 3,
            min_size: 2,
            pg_num: 32,
            autoscale: "warn".into(),
            kind: "replicated".into(),
            rule: "replicated_rule".into(),
            applications: vec!["rbd".into()],
            options: [("target_size_ratio".to_owned(), "0.8".to_owned())].into(),
            ..PoolFact::default()
        };
        let options = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let same =
            options(&[("size", "3"), ("application", "rbd"), ("target_size_ratio", "0.80"), ("new", "x")]);
        assert!(differing(&pool, &same).is_empty());
        let other = options(&[("size", "2"), ("pg_autoscale_mode", "on"), ("pg_num", "128")]);
        assert_eq!(differing(&pool, &other), ["size 2", "pg_autoscale_mode on", "pg_num 128"]);
    }
}
