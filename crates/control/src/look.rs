//! One look at all nodes of a spec.
//!
//! Used by every command that works from facts. It is one question to each node; only where the node that
//! was asked about the Ceph cluster cannot tell, the next monitor's node is asked, on the line that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ringbolt_core::desired::question;
use ringbolt_core::facts;
use ringbolt_core::facts::{Clock, Disks, Known, Question};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Spec;
use ringbolt_core::wire::{Ask, Say};

use crate::clock::micros;
use crate::fleet::{Fleet, Survey, facts};

/// Asks every node what a plan for this spec needs. `disks` says how closely disks are looked at.
pub async fn look(fleet: &Fleet, spec: &Spec, disks: Disks) -> Survey {
    look_by(fleet, spec, question::of(spec, disks)).await
}

/// The same with questions of the caller, made from those of the spec.
pub async fn look_by(fleet: &Fleet, spec: &Spec, questions: BTreeMap<NodeName, Question>) -> Survey {
    let mut seen = fleet.facts_of(questions).await;
    let mut asked: BTreeSet<_> = spec.ceph.iter().filter_map(|c| c.monitors.first().cloned()).into_set();
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

/// Times a clock is asked for; the answer with the shortest way counts.
const CLOCKS: u32 = 3;
/// Longest wait for one such answer.
const CLOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Measures the clocks of these nodes against the one here, on the lines that are there, and puts them into `seen`.
/// One node after the other: answers that wait for each other would be taken for a long way.
pub async fn clocks(fleet: &Fleet, seen: &mut facts::Fleet, nodes: BTreeSet<NodeName>) {
    for node in nodes {
        let mut best: Option<Clock> = None;
        for _ in 0..CLOCKS {
            let sent = micros();
            let answer = tokio::time::timeout(CLOCK_PATIENCE, fleet.ask(&node, Ask::Clock)).await;
            let Ok(Ok(Say::Clock { micros: told })) = answer else { break };
            let clock = Clock::between(sent, told, micros());
            if best.is_none_or(|b| clock.within < b.within) {
                best = Some(clock);
            }
        }
        if let Some(facts) = seen.nodes.get_mut(&node) {
            facts.state.clock = best;
        }
    }
}

/// Asks these nodes for the condition of their disks, on the lines that are there, and puts the answers into `seen`.
pub async fn conditions(fleet: &Fleet, seen: &mut facts::Fleet, nodes: BTreeSet<NodeName>) {
    let question = Question { disks: Disks::Health, ..Question::default() };
    let questions = nodes.into_iter().map(|node| (node, question.clone())).into_map();
    for (node, facts) in fleet.facts_of(questions).await.fleet.nodes {
        if let (Some(there), Known::Yes(_)) = (seen.nodes.get_mut(&node), &facts.inventory.disks) {
            there.inventory.disks = facts.inventory.disks;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixture::{Fake, Reaction, facts as bare, name};
    use crate::transport::Transport;

    #[tokio::test]
    async fn clocks_are_measured_over_the_lines_and_a_silent_node_has_none() {
        let fake = Arc::new(Fake::new(|node, _, request| match (&request.body, node.as_str()) {
            (Ask::Clock, "n1") => Reaction::Say(vec![Say::Clock { micros: micros() - 2_000_000 }]),
            (Ask::Clock, "n2") => Reaction::Say(vec![Say::Clock { micros: micros() + 300_000 }]),
            _ => Reaction::HangUp,
        }));
        let transport: Arc<dyn Transport> = fake;
        let names = ["n1", "n2", "n3"].map(name);
        let fleet = Fleet::over(names.clone(), transport);
        let mut seen = facts::Fleet::default();
        seen.nodes.extend(names.iter().map(|n| (n.clone(), bare(n.as_str(), "b"))));
        clocks(&fleet, &mut seen, names.iter().cloned().collect()).await;
        let clock = |at: usize| seen.nodes[&names[at]].state.clock;
        let (Some(one), Some(two)) = (clock(0), clock(1)) else { panic!("{:?} {:?}", clock(0), clock(1)) };
        assert!((one.ahead + 2_000_000).unsigned_abs() <= one.within, "{one:?}");
        assert!((two.ahead - 300_000).unsigned_abs() <= two.within, "{two:?}");
        assert!(one.apart(&two) > 50_000, "{one:?} {two:?}");
        assert_eq!(clock(2), None);
    }
}
