//! One look at all nodes of a spec.
//!
//! Used by every command that works from facts. It is one question to each node; only where the node that
//! was asked about the Ceph cluster cannot tell, the next monitor's node is asked, on the line that is there.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::desired::question;
use ringbolt_core::facts::{Disks, Known, Question};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan;
use ringbolt_core::spec::Spec;
use ringbolt_core::wire::Ask;

use crate::fleet::{Fleet, Survey, facts};

/// Asks every node what a plan for this spec needs. `disks` says how closely disks are looked at.
pub async fn look(fleet: &Fleet, spec: &Spec, disks: Disks) -> Survey {
    look_by(fleet, spec, question::of(spec, disks)).await
}

/// The same with questions of the caller, made from those of the spec.
pub async fn look_by(fleet: &Fleet, spec: &Spec, questions: BTreeMap<NodeName, Question>) -> Survey {
    let mut seen = fleet.facts_of(questions).await;
    let mut asked: BTreeSet<_> = spec.ceph.iter().filter_map(|c| c.monitors.first().cloned()).collect();
    while let Some(node) = question::teller(spec, &seen.fleet, &asked) {
        let question = Question { ceph_cluster: true, ..Question::default() };
        let answer = facts(fleet.ask(&node, Ask::Facts { question }).await);
        let told = answer.map_or_else(|failure| Known::No(failure.message), |f| f.state.ceph_cluster);
        if let Some(facts) = seen.fleet.nodes.get_mut(&node) {
            facts.state.ceph_cluster = told;
        }
        asked.insert(node);
    }
    seen
}

/// Asks these nodes for the condition of their disks, on the lines that are there, and puts the answers into `seen`.
pub async fn conditions(fleet: &Fleet, seen: &mut plan::Fleet, nodes: BTreeSet<NodeName>) {
    let question = Question { disks: Disks::Health, ..Question::default() };
    let questions = nodes.into_iter().map(|node| (node, question.clone())).collect();
    for (node, facts) in fleet.facts_of(questions).await.fleet.nodes {
        if let (Some(there), Known::Yes(_)) = (seen.nodes.get_mut(&node), &facts.inventory.disks) {
            there.inventory.disks = facts.inventory.disks;
        }
    }
}
