//! The measurements of a Ceph pool: all on one node, one after another, and what the cluster says before and after.

use std::collections::BTreeMap;
use std::time::Duration;

use ringbolt_core::bench::ask::{Measure, Measured};
use ringbolt_core::bench::ceph::{CephResult, Setup};
use ringbolt_core::facts::{CephCluster, CephNode, Known, Question};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Ask, Failure, FailureKind};

use super::{Bench, BenchError, Got, measured};
use crate::fleet::Fleet;

/// How long a tool may take to end and what it made to be removed, after it was told to.
const CLEARING: Duration = Duration::from_secs(90);

/// What the nodes say of Ceph.
#[derive(Debug)]
pub struct Look {
    /// The cluster, as the client hears of it.
    pub cluster: CephCluster,
    /// Ceph on each node that answers.
    pub nodes: BTreeMap<NodeName, CephNode>,
    /// Name of the lab they are in.
    pub lab: Option<String>,
    /// Nodes that do not answer, and why.
    pub silent: BTreeMap<NodeName, String>,
}

/// Asks all nodes what they have of Ceph, and the client what the cluster is.
///
/// # Errors
/// The client does not answer, or hears nothing of a cluster.
pub async fn look(fleet: &Fleet, client: &NodeName) -> Result<Look, Failure> {
    let question =
        |node: &NodeName| Question { ceph: true, ceph_cluster: node == client, ..Question::default() };
    let seen = fleet.facts_of(fleet.nodes().map(|n| (n.clone(), question(n))).into_map()).await;
    let silent: BTreeMap<NodeName, String> =
        seen.missing.iter().map(|(node, why)| (node.clone(), why.in_full())).into_map();
    if let Some(why) = silent.get(client) {
        return Err(Failure::lost(why.clone()));
    }
    let mut look = Look { cluster: CephCluster::default(), nodes: BTreeMap::new(), lab: None, silent };
    for (node, facts) in seen.fleet.nodes {
        look.lab = look.lab.or(facts.realm.lab);
        if let Known::Yes(ceph) = facts.state.ceph {
            look.nodes.insert(node.clone(), ceph);
        }
        if node == *client {
            look.cluster = match facts.state.ceph_cluster {
                Known::Yes(cluster) => cluster,
                Known::No(why) => return Err(Failure::broken(format!("no word of a Ceph cluster: {why}"))),
            };
        }
    }
    Ok(look)
}

/// Measures a pool. What cannot be measured is a trouble of the result, never an early end.
///
/// # Errors
/// A signal came.
pub async fn ceph(bench: &mut Bench<'_>, setup: &Setup) -> Result<CephResult, BenchError> {
    let (rados, fio) = (setup.rados(), setup.fio());
    let mut progress = Progress { done: 0, total: 5 + fio.jobs.len() };
    let mut result = CephResult::default();
    match measured(one(bench, &setup.client, Measure::Rados(rados), &mut progress).await?) {
        Ok(Measured::Rados { phases, troubles }) => {
            result.rados = phases;
            result.troubles.extend(troubles);
        }
        Ok(_) => {}
        Err(failure) => result.troubles.push(format!("rados bench: {}", failure.message)),
    }
    match measured(one(bench, &setup.client, Measure::Fio(fio), &mut progress).await?) {
        Ok(Measured::Fio { jobs, troubles }) => {
            result.fio = jobs;
            result.troubles.extend(troubles);
        }
        Ok(_) => {}
        Err(failure) => result.troubles.push(format!("fio: {}", failure.message)),
    }
    Ok(result)
}

/// How far it is.
struct Progress {
    done: usize,
    total: usize,
}

/// One request; each word said meanwhile is one thing further. A signal ends it, and waits until all is removed.
async fn one(
    bench: &mut Bench<'_>,
    node: &NodeName,
    what: Measure,
    progress: &mut Progress,
) -> Result<Got, BenchError> {
    let mut pending = match bench.fleet.start(node, Ask::Measure(what)) {
        Ok(pending) => pending,
        Err(failure) => return Ok(Err(failure)),
    };
    let tell = &mut bench.tell;
    let stop = &mut bench.stop;
    let answer = tokio::select! {
        answer = pending.wait(|word| {
            tell(progress.done, progress.total, &word);
            progress.done += 1;
        }) => Some(answer),
        _ = stop.more(crate::stop::Urgency::None) => None,
    };
    if let Some(answer) = answer {
        return Ok(answer);
    }
    tell(progress.done, progress.total, "stopped: what was made is being removed");
    pending.cancel();
    match tokio::time::timeout(CLEARING, pending.wait(|_| ())).await {
        Ok(Err(failure)) if failure.kind == FailureKind::Broken => Err(BenchError::Left(failure.message)),
        Ok(Err(failure)) if failure.kind == FailureKind::Lost => {
            Err(BenchError::Unconfirmed(node.to_string()))
        }
        Ok(_) => Err(BenchError::Cleared),
        Err(_) => Err(BenchError::Unconfirmed(node.to_string())),
    }
}
