//! What somebody, or a run that was cut off, has left: nodes in maintenance, hosts with `noout`.
//!
//! Shown by `plan` and `verify`.

use crate::explain::nodes as code;
use crate::facts::{Fleet, ha};
use crate::obstacle::Obstacle;

/// Nodes in maintenance and hosts whose OSDs are held in, as notes.
pub fn left_over(fleet: &Fleet) -> Vec<Obstacle> {
    let status = fleet.nodes.values().find_map(ha::status_of).unwrap_or_default();
    let note = |code: crate::diagnostic::Code, node: &str, message: String, evidence: &str, cure: String| {
        let named = fleet.nodes.keys().find(|n| n.as_str() == node).cloned();
        Obstacle { code: code.to_string(), node: named, message, evidence: evidence.into(), cure }
    };
    let mut notes: Vec<Obstacle> = status
        .requests
        .iter()
        .map(|node| {
            note(
                code::MAINTAINED,
                node,
                "is in maintenance: high availability keeps its services away from it".into(),
                "",
                format!("`ringbolt maintain exit {node}` when the work on it is done"),
            )
        })
        .collect();
    let held = fleet.cluster().into_iter().flat_map(crate::facts::CephCluster::held);
    notes.extend(held.map(|host| {
        note(
            code::HELD,
            host,
            "has noout: Ceph does not replace its OSDs while they are away".into(),
            "",
            format!("`ringbolt maintain exit {host}` takes it away once all is whole"),
        )
    }));
    if fleet.cluster().is_some_and(|c| c.flags.iter().any(|f| f == "noout")) {
        notes.push(Obstacle {
            code: code::HELD.to_string(),
            node: None,
            message: "noout is set for all of Ceph: no OSD that goes away is replaced".into(),
            evidence: String::new(),
            cure: "`ceph osd unset noout` on any node, if nobody needs it".into(),
        });
    }
    notes
}
