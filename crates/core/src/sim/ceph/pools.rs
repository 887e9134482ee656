//! Pools, their rules and file systems, as `pveceph` makes them on the simulated cluster.
//!
//! Used by the deeds on Ceph; by managers and complaints, which know Ceph's own defaults.

use super::super::Cluster;
use super::refused;
use crate::facts::ceph::{FilesystemFact, PoolFact};
use crate::facts::ceph_conf;
use crate::wire::Failure;

impl Cluster {
    /// `pveceph pool create`: one pool, or of an erasure-coded one the data and a small pool beside it.
    pub(super) fn pool(&mut self, name: &str, options: &[(String, String)]) -> Result<(), Failure> {
        let value = |key: &str| options.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        if let Some(rule) = value("crush_rule").filter(|r| !self.ceph.rules.iter().any(|have| have == r)) {
            return Err(refused(format!("no CRUSH rule {rule}")));
        }
        let coded = value("erasure-coding").map(|text| {
            let number = |key: &str| {
                text.split(',').find_map(|part| part.strip_prefix(key)?.parse::<u32>().ok()).unwrap_or(0)
            };
            (number("k="), number("m="))
        });
        let plain = |pool: &mut PoolFact, leave: &[&str]| {
            "warn".clone_into(&mut pool.autoscale);
            let own = options.iter().filter(|(key, _)| !leave.contains(&key.as_str()));
            own.for_each(|(key, value)| set(pool, key, value));
        };
        let calls = ["erasure-coding", "add_storages"];
        let Some((k, m)) = coded else {
            let mut pool = self.bare(name, 128, "rbd");
            plain(&mut pool, &calls);
            self.new_pool(pool);
            return Ok(());
        };
        let data = format!("{name}-data");
        // Copies and rule are the small pool's; the coded one has its profile's.
        let mut pool = PoolFact {
            size: k + m,
            min_size: k + 1.min(m.saturating_sub(1)),
            kind: "erasure".into(),
            rule: data.clone(),
            ..self.bare(&data, 128, "rbd")
        };
        plain(&mut pool, &[&calls[..], &["size", "min_size", "crush_rule"]].concat());
        self.new_pool(pool);
        self.rule(&data);
        let mut pool = self.bare(&format!("{name}-metadata"), 32, "rbd");
        plain(&mut pool, &[&calls[..], &["pg_num"]].concat());
        self.new_pool(pool);
        Ok(())
    }

    pub(super) fn filesystem(&mut self, name: &str, options: &[(String, String)]) -> Result<(), Failure> {
        if self.ceph.filesystems.iter().any(|f| f.name == name) {
            return Ok(());
        }
        let served =
            self.nodes.values().any(|n| n.facts.state.ceph.yes().is_some_and(|c| !c.metadata.is_empty()));
        if !served {
            return Err(refused("no running Metadata Server (MDS) found!"));
        }
        let number = options.iter().find(|(key, _)| key == "pg_num").and_then(|(_, v)| v.parse().ok());
        let number: u32 = number.unwrap_or(128);
        let (data, metadata) = (format!("{name}_data"), format!("{name}_metadata"));
        self.new_pool(self.bare(&data, number, "cephfs"));
        let mut pool = self.bare(&metadata, (number / 4).max(8), "cephfs");
        for (key, value) in [("pg_autoscale_bias", "4"), ("pg_num_min", "16"), ("recovery_priority", "5")] {
            pool.options.insert(key.into(), value.into());
        }
        self.new_pool(pool);
        self.ceph.filesystems.push(FilesystemFact {
            name: name.to_owned(),
            metadata_pool: metadata,
            data_pools: vec![data],
        });
        Ok(())
    }

    /// Managers make their own pool as soon as there are OSDs for all of its copies.
    pub(super) fn managers_pool(&mut self) {
        let ready = self.ceph.osds.iter().filter(|o| o.up && o.within).count();
        let mut pool = self.bare(".mgr", 1, "mgr");
        pool.options = [("pg_num_max", "32"), ("pg_num_min", "1")].map(|(k, v)| (k.into(), v.into())).into();
        if ready >= pool.size as usize {
            self.new_pool(pool);
        }
    }

    /// A pool as Ceph makes it when nothing else is said.
    pub(super) fn bare(&self, name: &str, pg_num: u32, application: &str) -> PoolFact {
        let text = self.nodes.values().find_map(|n| n.facts.text(ceph_conf::PATH)).unwrap_or("");
        let conf = ceph_conf::read(text);
        let number = |key: &str, or: u32| conf.get("global", key).and_then(|v| v.parse().ok()).unwrap_or(or);
        PoolFact {
            id: self.ceph.pools.iter().map(|p| p.id).max().unwrap_or(0) + 1,
            name: name.to_owned(),
            size: number("osd_pool_default_size", 3),
            min_size: number("osd_pool_default_min_size", 2),
            pg_num,
            autoscale: "on".into(),
            applications: vec![application.to_owned()],
            kind: "replicated".into(),
            rule: "replicated_rule".into(),
            ..PoolFact::default()
        }
    }

    /// One more pool, unless there is one of that name.
    fn new_pool(&mut self, pool: PoolFact) {
        if !self.ceph.pools.iter().any(|p| p.name == pool.name) {
            self.ceph.pools.push(pool);
        }
    }

    pub(super) fn rule(&mut self, name: &str) {
        if !self.ceph.rules.iter().any(|have| have == name) {
            self.ceph.rules.push(name.to_owned());
        }
    }
}

/// Sets an option of a pool, by the name `pveceph` has for it.
pub(super) fn set(pool: &mut PoolFact, key: &str, value: &str) {
    let number = || value.parse().unwrap_or(0);
    match key {
        "size" => pool.size = number(),
        "min_size" => pool.min_size = number(),
        "pg_num" => pool.pg_num = number(),
        "pg_autoscale_mode" => value.clone_into(&mut pool.autoscale),
        "application" => pool.applications = vec![value.to_owned()],
        "crush_rule" => value.clone_into(&mut pool.rule),
        _ => drop(pool.options.insert(key.to_owned(), value.to_owned())),
    }
}
