//! Proxmox VE's high availability, read from its files in `/etc/pve`: who is in maintenance, which
//! services it manages, which guests there are. Nothing of it starts Perl.
//!
//! The manager's status is written by whichever node leads; `lrm_status` by each node for itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Facts, pve};
use crate::arrange::Arrange;
use crate::into_map::IntoMap;
use crate::into_set::IntoSet;

/// Status of the manager; absent where high availability was never used.
pub const STATUS: &str = "/etc/pve/ha/manager_status";
/// Services it is told to manage.
pub const RESOURCES: &str = "/etc/pve/ha/resources.cfg";
/// Votes of the nodes and of a device.
pub const COROSYNC: &str = "/etc/pve/corosync.conf";

/// Both, as they are asked for.
pub(crate) const FILES: [&str; 2] = [RESOURCES, COROSYNC];

/// The status a node's local manager writes.
pub fn lrm_status(node: &str) -> String {
    format!("{NODES}{node}{LRM_STATUS}")
}

const NODES: &str = "/etc/pve/nodes/";
const LRM_STATUS: &str = "/lrm_status";

/// Whether it is the [`lrm_status`] of some node.
pub(crate) fn is_lrm_status(path: &str) -> bool {
    let node = path.strip_prefix(NODES).and_then(|rest| rest.strip_suffix(LRM_STATUS));
    node.is_some_and(|node| !node.is_empty() && !node.contains('/'))
}

/// The manager's status, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Nodes for which maintenance is asked for. It outlives a reboot.
    pub requests: BTreeSet<String>,
    /// What it thinks of each node: `online`, `maintenance`, `unknown`, `fence`, `gone`.
    pub nodes: BTreeMap<String, String>,
    /// Services by id (`vm:100`): where, and in which state.
    pub services: BTreeMap<String, (String, String)>,
}

impl Status {
    /// Services that still run on a node, or are on their way from it, with their state. One that is
    /// stopped, frozen or in error is not moved by the manager.
    pub fn at_work<'s>(&'s self, node: &'s str) -> impl Iterator<Item = (&'s str, &'s str)> {
        let rests = |state: &str| matches!(state, "stopped" | "freeze" | "error");
        let here = self.services.iter().filter(move |(_, (at, state))| at == node && !rests(state));
        here.map(|(id, (_, state))| (id.as_str(), state.as_str()))
    }
}

/// Reads the manager's status; what is not understood is left out.
pub fn status(text: &str) -> Status {
    let root: Value = serde_json::from_str(text).unwrap_or_default();
    let entries = |key: &str| root.get(key).and_then(Value::as_object).into_iter().flatten();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asked = |value: &Value| value.get("maintenance").is_some_and(truth);
    Status {
        requests: entries("node_request").filter(|(_, v)| asked(v)).map(|(node, _)| node.clone()).collect(),
        nodes: entries("node_status").map(|(node, state)| (node.clone(), word(state))).into_map(),
        services: entries("service_status")
            .map(|(id, v)| {
                let part = |key: &str| v.get(key).map(word).unwrap_or_default();
                (id.clone(), (part("node"), part("state")))
            })
            .into_map(),
    }
}

/// Perl writes a truth as 1, `"1"` or true.
fn truth(value: &Value) -> bool {
    value.as_u64() == Some(1) || value.as_str() == Some("1") || value.as_bool() == Some(true)
}

/// The manager's status as a node shows it.
pub fn status_of(facts: &Facts) -> Option<Status> {
    facts.text(STATUS).map(status)
}

/// The mode of a node's local manager: `active`, `maintenance`, `restart`, `shutdown`.
pub fn mode(lrm_status: &str) -> Option<String> {
    let root: Value = serde_json::from_str(lrm_status).ok()?;
    root.get("mode").and_then(Value::as_str).map(str::to_owned)
}

/// Ids of the services high availability manages: all that are configured, but for those it is told to ignore.
pub fn managed(resources: &str) -> BTreeSet<String> {
    let sections = pve::sections(resources).unwrap_or_default();
    let ignored =
        |s: &pve::Section| s.keys.get("state").is_some_and(|v| v.iter().any(|state| state == "ignored"));
    sections.iter().filter(|s| !ignored(s)).map(|s| format!("{}:{}", s.kind, s.id)).into_set()
}

/// One guest of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guest {
    /// Its number.
    pub id: u32,
    /// `vm` or `ct`, as high availability calls them.
    pub kind: String,
    /// Whether it runs.
    pub runs: bool,
}

impl Guest {
    /// The id of its service: `vm:100`.
    pub fn service(&self) -> String {
        format!("{}:{}", self.kind, self.id)
    }
}

/// Guests of a node by `/etc/pve/.vmlist`, without a word whether they run.
pub fn guests(vmlist: &str, node: &str) -> Vec<Guest> {
    let root: Value = serde_json::from_str(vmlist).unwrap_or_default();
    let ids = root.get("ids").and_then(Value::as_object).into_iter().flatten();
    let part = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all: Vec<Guest> = ids
        .filter(|(_, v)| part(v, "node") == node)
        .filter_map(|(id, v)| {
            let kind = if part(v, "type") == "lxc" { "ct" } else { "vm" };
            Some(Guest { id: id.parse().ok()?, kind: kind.into(), runs: false })
        })
        .collect();
    all.arrange();
    all
}

/// Votes of a cluster, as `corosync.conf` counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// Votes of nodes by name; a node that is not named has one.
    pub nodes: BTreeMap<String, u32>,
    /// Votes of a device that is not a node.
    pub device: u32,
    /// Either of two nodes is enough.
    pub two_node: bool,
}

/// Reads `corosync.conf`: blocks in braces, `key: value` lines.
pub fn votes(text: &str) -> Votes {
    let mut votes = Votes::default();
    let mut blocks: Vec<&str> = Vec::new();
    let (mut name, mut count) = ("", 1);
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if let Some(block) = line.strip_suffix('{') {
            blocks.push(block.trim());
            (name, count) = ("", 1);
        } else if line == "}" {
            if blocks.pop() == Some("node") && !name.is_empty() {
                votes.nodes.insert(name.to_owned(), count);
            }
        } else if let Some((key, value)) = line.split_once(':') {
            let value = value.trim();
            match (blocks.last().copied(), key.trim()) {
                (Some("node"), "name") => name = value,
                (Some("node"), "quorum_votes") => count = value.parse().unwrap_or(1),
                (Some("device"), "votes") => votes.device = value.parse().unwrap_or(0),
                (Some("quorum"), "two_node") => votes.two_node = value == "1",
                _ => {}
            }
        }
    }
    votes
}

impl Votes {
    /// Whether the others keep the majority when `gone` goes, with these nodes there now.
    pub fn survive<'n>(
        &self,
        all: impl IntoIterator<Item = (&'n str, bool)>,
        gone: &str,
    ) -> (bool, u32, u32) {
        let of = |node: &str| self.nodes.get(node).copied().unwrap_or(1);
        let (mut left, mut total) = (self.device, self.device);
        for (node, online) in all {
            total += of(node);
            if online && node != gone {
                left += of(node);
            }
        }
        (left * 2 > total || (self.two_node && left > 0), left, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = r#"{"master_node":"n1","timestamp":1,"node_request":{"n2":{"maintenance":1},"n3":{}},
        "node_status":{"n1":"online","n2":"maintenance","n3":"online"},
        "service_status":{"vm:100":{"node":"n2","state":"migrate","uid":"x"},"ct:101":{"node":"n2","state":"stopped"}}}"#;

    #[test]
    fn requests_and_services_are_read() {
        let status = status(STATUS);
        assert_eq!(status.requests.iter().collect::<Vec<_>>(), ["n2"]);
        assert_eq!(status.at_work("n2").collect::<Vec<_>>(), [("vm:100", "migrate")]);
        assert_eq!(status.at_work("n1").count(), 0);
        assert_eq!(super::status("not JSON"), Status::default());
        assert_eq!(mode(r#"{"mode":"maintenance","state":"active"}"#).as_deref(), Some("maintenance"));
    }

    #[test]
    fn what_is_ignored_is_not_managed() {
        let text = "vm: 100\n\tstate started\n\nct: 101\n\tstate ignored\n\nvm: 102\n\n";
        assert_eq!(managed(text).into_iter().collect::<Vec<_>>(), ["vm:100", "vm:102"]);
    }

    #[test]
    fn guests_are_those_of_the_node() {
        let text = r#"{"version":1,"ids":{"100":{"node":"n1","type":"qemu","version":1},"101":{"node":"n2","type":"lxc","version":1}}}"#;
        let all = guests(text, "n2");
        assert_eq!(all.iter().map(Guest::service).collect::<Vec<_>>(), ["ct:101"]);
    }

    #[test]
    fn votes_of_nodes_and_of_a_device_count() {
        let text = "nodelist {\n  node {\n    name: a\n    quorum_votes: 1\n  }\n  node {\n    name: b\n    quorum_votes: 1\n  }\n}\nquorum {\n  device {\n    model: net\n    votes: 1\n  }\n  provider: corosync_votequorum\n}\n";
        let with = votes(text);
        assert_eq!((with.nodes.len(), with.device), (2, 1));
        assert_eq!(with.survive([("a", true), ("b", true)], "a"), (true, 2, 3));
        let without = Votes::default();
        assert_eq!(without.survive([("a", true), ("b", true)], "a"), (false, 1, 2));
        assert!(without.survive([("a", true), ("b", true), ("c", true)], "a").0);
        assert!(!without.survive([("a", true), ("b", true), ("c", true), ("d", false)], "a").0);
    }
}
