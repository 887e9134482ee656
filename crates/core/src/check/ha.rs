//! Checks of Proxmox VE's cluster and its high availability: majority, maintenance of a node.

use super::Stage;
use crate::facts::{Facts, ha, pve};

/// Whether the node's cluster file system has a majority.
pub(super) fn quorate(facts: &Facts) -> (bool, String) {
    let Some(text) = facts.text(pve::path::MEMBERS) else { return (false, "/etc/pve is not there".into()) };
    match pve::members(text).ok().and_then(|m| m.cluster) {
        Some(cluster) if cluster.quorate == 1 => (true, "quorate".into()),
        Some(_) => (false, "no quorum".into()),
        None => (false, "in no cluster".into()),
    }
}

/// How far the maintenance of a node is, by the manager's status and the node's own.
pub(super) fn maintenance(facts: &Facts, node: &str, stage: Stage) -> (bool, String) {
    let status = ha::status_of(facts).unwrap_or_default();
    let asked = status.requests.contains(node);
    let mode = facts.text(&ha::lrm_status(node)).and_then(ha::mode).unwrap_or_default();
    let there: Vec<String> = status.at_work(node).map(|(id, state)| format!("{id} ({state})")).collect();
    let rests = mode == "maintenance";
    match stage {
        Stage::Withdrawn => (!asked, if asked { "asked for" } else { "not asked for" }.into()),
        Stage::Left if asked => (false, "still asked for".into()),
        Stage::Left if rests => (false, "the node's local manager has not seen it yet".into()),
        Stage::Left => (true, "at work".into()),
        Stage::Entered if !asked => (false, "the manager has not taken it up yet".into()),
        Stage::Entered if !rests => (false, "the node's local manager has not seen it yet".into()),
        Stage::Entered if !there.is_empty() => (false, format!("still there: {}", there.join(", "))),
        Stage::Entered => (true, "in maintenance, nothing there".into()),
    }
}
