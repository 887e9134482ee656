//! Two ends compared: facts without what counts up with every change or hangs on the order in which
//! equal things were made.
//!
//! Used by tests that two ways lead to the same end, on simulated nodes and on those of a lab.

use std::collections::{BTreeMap, BTreeSet};

use super::Cluster;
use crate::arrange::Arrange;
use crate::facts::disk::Use;
use crate::facts::{CephCluster, Facts, Known};
use crate::into_set::IntoSet;
use crate::json;
use crate::name::NodeName;

impl Cluster {
    /// What lasts of each node.
    pub fn lasting(&self) -> BTreeMap<NodeName, Facts> {
        let all = self.nodes.iter();
        all.map(|(name, node)| (name.clone(), lasting(node.facts.clone()))).collect()
    }
}

/// What lasts of a node: no versions, indices, boots, times; numbers of OSDs and pools count for nothing.
pub fn lasting(mut facts: Facts) -> Facts {
    facts.inventory.boot_id.clear();
    for file in facts.state.files.values_mut() {
        if let Some(text) = &mut file.text {
            if let Some(rest) = text.strip_prefix("#version:") {
                *text = rest.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
            }
            if let Some((head, _)) = text.split_once("\"version\":") {
                *text = head.to_owned();
            }
        }
        file.digest.clear();
    }
    for interface in facts.inventory.interfaces.values_mut() {
        interface.index = 0;
        interface.addresses.arrange();
    }
    facts.state.routes.arrange_by_key(|r| format!("{r:?}"));
    if let Known::Yes(frr) = &mut facts.state.frr {
        frr.neighbors.iter_mut().for_each(|n| n.since.clear());
        frr.daemons.arrange();
    }
    if let Known::Yes(disks) = &mut facts.inventory.disks {
        for usage in disks.iter_mut().flat_map(|d| &mut d.uses) {
            if let Use::Ceph { osd, .. } = usage {
                *osd = None;
            }
        }
    }
    if let Known::Yes(node) = &mut facts.state.ceph {
        node.osds.iter_mut().for_each(|o| o.id = 0);
        node.osds.arrange_by(|a, b| a.fsid.cmp(&b.fsid));
    }
    if let Known::Yes(cluster) = &mut facts.state.ceph_cluster {
        store(cluster);
    }
    facts
}

fn store(cluster: &mut CephCluster) {
    cluster.osds.iter_mut().for_each(|o| o.id = 0);
    cluster.osds.arrange_by(|a, b| a.uuid.cmp(&b.uuid));
    cluster.pools.iter_mut().for_each(|p| p.id = 0);
    cluster.pools.arrange_by(|a, b| a.name.cmp(&b.name));
    cluster.filesystems.arrange_by(|a, b| a.name.cmp(&b.name));
    cluster.rules.arrange();
    cluster.standby_managers.extend(cluster.active_manager.take());
    cluster.standby_managers.arrange();
    for entry in &mut cluster.config {
        if entry.section.starts_with("osd.") {
            "osd.N".clone_into(&mut entry.section);
        }
    }
    cluster.config.arrange();
}

/// Where two fleets differ, at most `most` lines: node, the line of one, the line of the other.
pub fn differences(
    one: &BTreeMap<NodeName, Facts>,
    other: &BTreeMap<NodeName, Facts>,
    most: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    let names: BTreeSet<&NodeName> = one.keys().chain(other.keys()).into_set();
    for name in names {
        let lines = |facts: Option<&Facts>| -> Vec<String> {
            let text = facts.map(|f| json::pretty(f).unwrap_or_default());
            text.unwrap_or_default().lines().map(str::to_owned).collect()
        };
        let (a, b) = (lines(one.get(name)), lines(other.get(name)));
        if one.get(name) != other.get(name) {
            let pairs = a.iter().zip(&b).filter(|(a, b)| a != b).take(4);
            found.push(format!("{name}: {} lines and {}", a.len(), b.len()));
            found.extend(pairs.map(|(a, b)| format!("{name}: {} / {}", a.trim(), b.trim())));
        }
    }
    found.truncate(most);
    found
}
