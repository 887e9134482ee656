//! Proxmox VE's own files: membership, fabrics, what is pending. Parsed here, read as files by the
//! agent; nothing of it starts Perl.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::into_map::IntoMap;

/// `/etc/pve/.members`, as pmxcfs writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Name of this node.
    pub nodename: String,
    /// Absent on a node that is in no cluster.
    pub cluster: Option<ClusterState>,
    /// Nodes of the cluster by name.
    #[serde(default)]
    pub nodelist: BTreeMap<String, Member>,
}

/// The `cluster` part of `.members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterState {
    /// Cluster name.
    pub name: String,
    /// 1 when quorate.
    pub quorate: u8,
    /// Number of nodes.
    pub nodes: u32,
}

/// One node in `.members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Node id in corosync.
    pub id: u32,
    /// 1 when seen.
    pub online: u8,
    /// Address of its ring 0, where known.
    pub ip: Option<String>,
}

/// One section of a section config file such as `fabrics.cfg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// e.g. `openfabric_fabric`.
    pub kind: String,
    /// e.g. `tb4` or `tb4_n2`.
    pub id: String,
    /// Keys with their values; repeated keys keep their order.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Why a file of Proxmox VE could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} line {line}: {what}")]
pub struct PveFileError {
    /// Which file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Paths of the files read.
pub mod path {
    /// Membership and quorum.
    pub const MEMBERS: &str = "/etc/pve/.members";
    /// Fabrics as last staged.
    pub const FABRICS: &str = "/etc/pve/sdn/fabrics.cfg";
    /// Storage entries.
    pub const STORAGE: &str = "/etc/pve/storage.cfg";
    /// Options of the whole datacenter.
    pub const DATACENTER: &str = "/etc/pve/datacenter.cfg";
    /// SDN configuration as last applied.
    pub const RUNNING: &str = "/etc/pve/sdn/.running-config";
    /// UUID of the holder of the global SDN lock.
    pub const LOCK: &str = "/etc/pve/sdn/.lock";
    /// Interfaces as Proxmox VE generates them for SDN.
    pub const SDN_INTERFACES: &str = "/etc/network/interfaces.d/sdn";
    /// Network edits somebody has staged and not applied.
    pub const INTERFACES_NEW: &str = "/etc/network/interfaces.new";
}

/// Reads `.members`.
pub fn members(text: &str) -> Result<Members, PveFileError> {
    serde_json::from_str(text).map_err(|e| PveFileError {
        file: path::MEMBERS,
        line: e.line(),
        what: e.to_string(),
    })
}

/// Reads a section config file: `kind: id` heads a section, indented `key value` lines belong to
/// it. Unknown kinds and keys are kept as they are.
pub fn sections(text: &str) -> Result<Vec<Section>, PveFileError> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let fault = |what: &str| PveFileError { file: path::FABRICS, line: index + 1, what: what.into() };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let section = sections.last_mut().ok_or_else(|| fault("a key before any section"))?;
            let (key, value) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
            section.keys.entry(key.to_owned()).or_default().push(value.trim().to_owned());
        } else {
            let (kind, id) = line.split_once(':').ok_or_else(|| fault("expected `kind: id`"))?;
            sections.push(Section { kind: kind.trim().into(), id: id.trim().into(), keys: BTreeMap::new() });
        }
    }
    Ok(sections)
}

/// The `fabrics` part of `.running-config` as sections, sorted as in the file's map.
pub fn running_fabrics(text: &str) -> Result<Vec<Section>, PveFileError> {
    let fault = |line, what: String| PveFileError { file: path::RUNNING, line, what };
    let root: serde_json::Value = serde_json::from_str(text).map_err(|e| fault(e.line(), e.to_string()))?;
    let Some(ids) = root.pointer("/fabrics/ids").and_then(|v| v.as_object()) else {
        return Ok(Vec::new());
    };
    let mut sections = Vec::new();
    for (id, entry) in ids {
        let mut section = Section { kind: String::new(), id: id.clone(), keys: BTreeMap::new() };
        for (key, value) in entry.as_object().into_iter().flatten() {
            let values: Vec<String> = match value {
                serde_json::Value::Array(list) => list.iter().map(plain).collect(),
                other => vec![plain(other)],
            };
            match key.as_str() {
                "type" => section.kind = values.concat(),
                "id" => {}
                _ => drop(section.keys.insert(key.clone(), values)),
            }
        }
        sections.push(section);
    }
    Ok(sections)
}

/// An option of `datacenter.cfg` as its parts: `migration: network=10.0.0.0/24,type=secure`.
pub fn datacenter<'t>(text: &'t str, option: &str) -> BTreeMap<&'t str, &'t str> {
    let line = text.lines().find_map(|l| l.strip_prefix(option)?.strip_prefix(':'));
    let parts = line.unwrap_or("").split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or(("type", part))).into_map()
}

/// The network an option of `datacenter.cfg` names.
pub fn datacenter_network<'t>(text: &'t str, option: &str) -> Option<&'t str> {
    datacenter(text, option).get("network").copied()
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn sections_keep_repeated_keys_and_foreign_kinds() {
        let text = "openfabric_fabric: tb4\n\tip_prefix 10.0.0.0/24\n\nwireguard_node: wg_n1\n\tinterfaces name=a\n\tinterfaces name=b,x=1\n";
        let read = sections(text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].keys["ip_prefix"], ["10.0.0.0/24"]);
        assert_eq!(read[1].keys["interfaces"], ["name=a", "name=b,x=1"]);
    }

    #[test]
    fn a_key_before_a_section_names_its_line() {
        assert_eq!(sections("\n\tip 1\n").unwrap_err().line, 2);
    }

    #[test]
    fn options_of_the_datacenter_are_read_by_their_parts() {
        let text = "keyboard: de\nmigration: secure,network=10.0.0.0/24\n";
        assert_eq!(datacenter_network(text, "migration"), Some("10.0.0.0/24"));
        assert_eq!(datacenter(text, "migration").get("type"), Some(&"secure"));
        assert_eq!(datacenter_network(text, "replication"), None);
    }

    #[test]
    fn running_config_reads_as_the_same_sections() {
        let text = r#"{"version":1,"fabrics":{"ids":{"tb4":{"type":"openfabric_fabric","id":"tb4","hello_interval":1,"ip_prefix":"10.0.0.0/24"}}}}"#;
        let read = running_fabrics(text).unwrap();
        assert_eq!(read[0].kind, "openfabric_fabric");
        assert_eq!(read[0].keys["hello_interval"], ["1"]);
        assert!(running_fabrics("{}").unwrap().is_empty());
    }
}
