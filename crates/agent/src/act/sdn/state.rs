//! What is staged, what runs, who holds the lock: read from Proxmox VE's files.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::digest;
use ringbolt_core::facts::pve::{self, Section, path};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::wire::Failure;
use serde_json::Value;

use super::pvesh;
use super::staged::properties;
use crate::root::Root;

/// Parts of SDN beside the fabrics, each with a file of its own name and the key of its id in the
/// API.
const OTHERS: [(&str, &str); 4] =
    [("zones", "zone"), ("vnets", "vnet"), ("controllers", "controller"), ("subnets", "subnet")];

/// SDN as the files show it.
#[derive(Clone, Debug)]
pub(super) struct Sdn {
    text: Option<String>,
    /// Fabrics and their nodes as staged.
    pub(super) fabrics: Vec<Section>,
    running: Vec<Section>,
    all_running: Value,
    /// Token of whoever holds the lock.
    pub(super) lock: Option<String>,
}

impl Sdn {
    /// Reads all of it.
    pub(super) fn read(root: &Root) -> Result<Self, Failure> {
        let broken = |error: pve::PveFileError| Failure::broken(error.to_string());
        let text = std::fs::read_to_string(root.at(path::FABRICS)).ok();
        let running = std::fs::read_to_string(root.at(path::RUNNING)).unwrap_or_else(|_| "{}".to_owned());
        let running = if running.trim().is_empty() { "{}" } else { running.trim() };
        Ok(Self {
            fabrics: pve::sections(text.as_deref().unwrap_or_default()).map_err(broken)?,
            text,
            running: pve::running_fabrics(running).map_err(broken)?,
            all_running: serde_json::from_str(running).unwrap_or(Value::Null),
            lock: root.line(path::LOCK).filter(|token| !token.is_empty()),
        })
    }

    /// Digest of `fabrics.cfg`, empty without one.
    pub(super) fn digest(&self) -> String {
        self.text.as_ref().map(digest::of).unwrap_or_default()
    }

    /// Ids of sections that are staged and not applied.
    pub(super) fn pending(&self) -> Vec<String> {
        differing(&by_id(&self.fabrics), &by_id(&self.running))
    }

    /// The same without the sections of one fabric.
    pub(super) fn foreign(&self, fabric: &str) -> Vec<String> {
        let ours = |id: &String| id.split('_').next() == Some(fabric);
        self.pending().into_iter().filter(|id| !ours(id)).collect()
    }

    /// What is staged and not applied beside the fabrics. The files are compared first; Proxmox VE
    /// is asked only when they seem to differ, since the two are not written alike.
    pub(super) fn others_pending(&self, root: &Root) -> Result<Vec<String>, Failure> {
        let mut pending = Vec::new();
        for (area, key) in OTHERS {
            let text =
                std::fs::read_to_string(root.at(format!("/etc/pve/sdn/{area}.cfg"))).unwrap_or_default();
            let staged =
                pve::sections(&text).map_err(|error| Failure::broken(format!("{area}.cfg: {error}")))?;
            let running = sections_of(&self.all_running, area);
            if !differing(&by_id(&staged), &by_id(&running)).is_empty() {
                pending.extend(self.ask(area, key, &staged)?);
            }
        }
        Ok(pending)
    }

    /// Proxmox VE's own word on what is pending in one part.
    fn ask(&self, area: &str, key: &str, staged: &[Section]) -> Result<Vec<String>, Failure> {
        let paths: BTreeSet<String> = match area {
            "subnets" => {
                let running = sections_of(&self.all_running, area);
                let vnets =
                    staged.iter().chain(&running).filter_map(|s| s.keys.get("vnet")).map(|v| v.concat());
                vnets.map(|vnet| format!("/cluster/sdn/vnets/{vnet}/subnets")).collect()
            }
            _ => BTreeSet::from([format!("/cluster/sdn/{area}")]),
        };
        let mut pending = Vec::new();
        for path in paths {
            let list = pvesh::get(&path, &[("pending", "1")])?;
            let entries = list.as_array().map_or(&[][..], Vec::as_slice);
            pending.extend(entries.iter().filter_map(|entry| {
                let state = entry.get("state")?.as_str()?;
                let id = entry.get(key).or_else(|| entry.get("pending")?.get(key))?.as_str()?;
                Some(format!("{area}/{id} ({state})"))
            }));
        }
        Ok(pending)
    }
}

/// Sections by id, values as sets of properties: what counts in a comparison.
type Compared<'a> = BTreeMap<&'a str, (&'a str, BTreeMap<&'a str, Vec<BTreeSet<&'a str>>>)>;

fn by_id(sections: &[Section]) -> Compared<'_> {
    sections.iter().map(|section| (section.id.as_str(), (section.kind.as_str(), values(section)))).into_map()
}

fn values(section: &Section) -> BTreeMap<&str, Vec<BTreeSet<&str>>> {
    section
        .keys
        .iter()
        .map(|(key, values)| (key.as_str(), values.iter().map(|v| properties(v)).collect()))
        .into_map()
}

fn differing(staged: &Compared<'_>, running: &Compared<'_>) -> Vec<String> {
    let ids: BTreeSet<&&str> = staged.keys().chain(running.keys()).into_set();
    ids.into_iter().filter(|id| staged.get(**id) != running.get(**id)).map(|id| (*id).to_owned()).collect()
}

/// A part of `.running-config` beside the fabrics as sections. Lists of nodes are objects there.
pub(crate) fn sections_of(running: &Value, area: &str) -> Vec<Section> {
    let ids = running.get(area).and_then(|part| part.get("ids")).and_then(Value::as_object);
    let mut sections = Vec::new();
    for (id, entry) in ids.into_iter().flatten() {
        let mut section = Section { kind: String::new(), id: id.clone(), keys: BTreeMap::new() };
        for (key, value) in entry.as_object().into_iter().flatten() {
            let text = plain(value);
            match key.as_str() {
                "type" => section.kind = text,
                "id" => {}
                _ => drop(section.keys.insert(key.clone(), vec![text])),
            }
        }
        sections.push(section);
    }
    sections
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => map.keys().cloned().collect::<Vec<_>>().join(","),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Refuses without quorum: `/etc/pve` takes no writes then.
pub(super) fn quorate(root: &Root) -> Result<(), Failure> {
    let text = std::fs::read_to_string(root.at(path::MEMBERS)).map_err(|error| {
        Failure::refused(format!("cannot read {}: {error}", path::MEMBERS))
            .hint("is pve-cluster running on this node?")
    })?;
    let members = pve::members(&text).map_err(|error| Failure::broken(error.to_string()))?;
    match members.cluster {
        Some(cluster) if cluster.quorate != 1 => {
            let here = members.nodelist.values().filter(|m| m.online == 1).count();
            let message = format!("the cluster has no quorum: {here} of {} nodes are here", cluster.nodes);
            Err(Failure::refused(message)
                .hint("bring the missing nodes back; `pvecm status` tells who is missing"))
        }
        _ => Ok(()),
    }
}

/// Refuses while somebody's network edits wait on this node: a reload would activate them.
pub(super) fn no_foreign_edits(root: &Root) -> Result<(), Failure> {
    if root.at(path::INTERFACES_NEW).exists() {
        return Err(Failure::refused(format!(
            "network edits of somebody's are waiting in {} and would be activated",
            path::INTERFACES_NEW
        ))
        .hint("apply or revert them in the node's network panel, or remove that file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn root(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("etc/pve").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = Root::open(folder.path(), None);
        (folder, root)
    }

    const FABRICS: &str = "openfabric_fabric: tb4\n\thello_interval 1\n\tip_prefix 10.0.0.0/24\n\nopenfabric_node: tb4_n1\n\tinterfaces name=en05,hello_multiplier=3\n\tip 10.0.0.1\n\nopenfabric_fabric: tb4x\n\tip_prefix 10.1.0.0/24\n";
    const RUNNING: &str = r#"{"version":3,"zones":{"ids":{"z":{"type":"simple","ipam":"pve","nodes":{"n1":1,"n2":1}}}},"vnets":{"ids":{}},"fabrics":{"ids":{"tb4":{"type":"openfabric_fabric","id":"tb4","hello_interval":1,"ip_prefix":"10.0.0.0/24"},"tb4_n1":{"type":"openfabric_node","id":"tb4_n1","interfaces":["hello_multiplier=3,name=en05"],"ip":"10.0.0.1"},"tb4x":{"type":"openfabric_fabric","id":"tb4x","ip_prefix":"10.1.0.0/24"}}}}"#;

    #[test]
    fn in_step_means_nothing_pending() {
        let (_folder, root) = root(&[
            ("sdn/fabrics.cfg", FABRICS),
            ("sdn/.running-config", RUNNING),
            ("sdn/zones.cfg", "simple: z\n\tipam pve\n\tnodes n2,n1\n"),
        ]);
        let sdn = Sdn::read(&root).unwrap();
        assert_eq!(sdn.pending(), [] as [&str; 0]);
        assert_eq!(sdn.others_pending(&root).unwrap(), [] as [&str; 0]);
        assert_eq!(sdn.digest(), digest::of(FABRICS));
        assert_eq!(sdn.lock, None);
    }

    #[test]
    fn a_fabric_whose_id_begins_like_ours_is_foreign() {
        let changed = FABRICS.replace("10.1.0.0", "10.2.0.0").replace("hello_interval 1", "hello_interval 2");
        let (_folder, root) =
            root(&[("sdn/fabrics.cfg", &changed), ("sdn/.running-config", RUNNING), ("sdn/.lock", "abc\n")]);
        let sdn = Sdn::read(&root).unwrap();
        assert_eq!(sdn.pending(), ["tb4", "tb4x"]);
        assert_eq!(sdn.foreign("tb4"), ["tb4x"]);
        assert_eq!(sdn.lock.as_deref(), Some("abc"));
    }

    #[test]
    fn nothing_there_is_in_step() {
        let (_folder, root) = root(&[]);
        let sdn = Sdn::read(&root).unwrap();
        assert!(sdn.pending().is_empty() && sdn.others_pending(&root).unwrap().is_empty());
        assert_eq!(sdn.digest(), "");
    }

    #[test]
    fn quorum_and_waiting_edits_are_told() {
        let members = |quorate| {
            format!(
                r#"{{"nodename":"n1","version":4,"cluster":{{"name":"c","version":3,"nodes":3,"quorate":{quorate}}},"nodelist":{{"n1":{{"id":1,"online":1,"ip":"10.0.0.1"}},"n2":{{"id":2,"online":0}}}}}}"#
            )
        };
        let (folder, root) = root(&[(".members", &members(0))]);
        let failure = quorate(&root).unwrap_err();
        assert!(failure.message.contains("1 of 3"), "{failure}");
        std::fs::write(folder.path().join("etc/pve/.members"), members(1)).unwrap();
        assert!(quorate(&root).is_ok());
        assert!(no_foreign_edits(&root).is_ok());
        std::fs::create_dir_all(folder.path().join("etc/network")).unwrap();
        std::fs::write(folder.path().join("etc/network/interfaces.new"), "").unwrap();
        assert!(no_foreign_edits(&root).is_err());
    }
}
