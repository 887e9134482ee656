//! Whether what is stored is in force: the running OSDs' own word against the database. Used by the audit.

use crate::facts::Fleet;
use crate::facts::ceph::value::same;
use crate::facts::ceph::{CephCluster, ConfigEntry, OsdFact, RunningOption};

/// A running OSD.
#[derive(Clone, Debug)]
pub(super) struct RunningOsd<'a> {
    pub(super) id: u32,
    host: &'a str,
    class: &'a str,
    options: &'a [RunningOption],
}

/// What the running OSDs make of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Those that have not taken it over yet: `osd.3`.
    pub(super) waiting: Vec<String>,
    /// Those where something else wins: number, what, the value in force.
    pub(super) overruled: Vec<(u32, String, String)>,
}

/// The OSDs that said what options they run with.
pub(super) fn osds<'a>(fleet: &'a Fleet, cluster: &'a CephCluster) -> Vec<RunningOsd<'a>> {
    let mut osds: Vec<RunningOsd<'_>> = Vec::new();
    for (node, facts) in &fleet.nodes {
        for local in facts.state.ceph.yes().into_iter().flat_map(|c| &c.osds) {
            if local.options.is_empty() {
                continue;
            }
            let fact: Option<&OsdFact> = cluster.osds.iter().find(|o| o.id == local.id);
            osds.push(RunningOsd {
                id: local.id,
                host: fact.map_or(node.as_str(), |f| f.host.as_str()),
                class: fact.map_or("", |f| f.class.as_str()),
                options: &local.options,
            });
        }
    }
    osds
}

/// The default of an option as a running OSD tells it.
pub(super) fn default<'a>(name: &str, osds: &[RunningOsd<'a>]) -> Option<&'a str> {
    osds.iter().find_map(|osd| osd.options.iter().find(|o| o.name == name)).map(|o| o.default.as_str())
}

/// The value in force of an option, by the first OSD that runs with another than the default.
pub(super) fn value<'a>(name: &str, osds: &[RunningOsd<'a>]) -> Option<&'a str> {
    osds.iter().find_map(|osd| osd.options.iter().find(|o| o.name == name)).map(|o| o.value.as_str())
}

/// What the running OSDs make of an entry of the database.
pub(super) fn effect(entry: &ConfigEntry, config: &[ConfigEntry], osds: &[RunningOsd<'_>]) -> Effect {
    let mut effect = Effect::default();
    for osd in osds.iter().filter(|osd| osd.wins(entry, config)) {
        match osd.options.iter().find(|o| o.name == entry.name) {
            Some(option) if same(&option.value, &entry.value) => {}
            Some(option) if matches!(option.source.as_str(), "mon" | "default" | "") => {
                effect.waiting.push(format!("osd.{}", osd.id));
            }
            Some(option) => {
                let by = match option.source.as_str() {
                    "file" => "/etc/pve/ceph.conf",
                    "override" => "the daemon itself",
                    "cmdline" => "its command line",
                    other => other,
                };
                effect.overruled.push((osd.id, by.to_owned(), option.value.clone()));
            }
            // Daemons tell what differs from the default only; what is global may not be theirs.
            None if entry.section == "global" => {}
            None => effect.waiting.push(format!("osd.{}", osd.id)),
        }
    }
    effect
}

impl RunningOsd<'_> {
    /// How closely an entry aims at this OSD; `None` when it does not.
    fn aim(&self, entry: &ConfigEntry) -> Option<u8> {
        let section = match entry.section.as_str() {
            "global" => 0,
            "osd" => 1,
            section if section == format!("osd.{}", self.id) => 2,
            _ => return None,
        };
        match entry.mask.split_once(':') {
            None => Some(section * 2),
            Some(("class", class)) => (class == self.class).then_some(section * 2 + 1),
            Some(("host", host)) => (host == self.host).then_some(section * 2 + 1),
            Some(_) => None,
        }
    }

    /// Whether of all entries for its option this one counts for the OSD.
    fn wins(&self, entry: &ConfigEntry, config: &[ConfigEntry]) -> bool {
        let Some(own) = self.aim(entry) else { return false };
        let others = config.iter().filter(|e| e.name == entry.name && e.who() != entry.who());
        others.filter_map(|e| self.aim(e)).all(|other| other < own)
    }
}
