//! Takes a node away while another one writes to the Ceph cluster, and measures how long the writes stand still.
//!
//! How a node loses its power is the hand's business: in a lab the lab does it. The node is switched on again
//! whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ringbolt_core::bench::ask::{Measure, Measured, Writes};
use ringbolt_core::check::{CephCheck, Check};
use ringbolt_core::drill::node::{LEAD_IN, Loss, PATIENCE, Times, Written, judge};
use ringbolt_core::facts::{CephCluster, Question};
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Ask, Failure, Say};

use super::{DrillError, now, pause};
use crate::fleet::{Fleet, facts};
use crate::question::question_for;

/// Seconds for the cluster to be whole again.
const CLEAN: u64 = 240;

/// Seconds for the node to answer again.
const BOOT: u64 = 120;

/// Switches a node's power.
pub trait Hand: Send + Sync {
    /// Takes its power away, at once.
    ///
    /// # Errors
    /// In words: it could not.
    fn off(&self, node: &NodeName) -> Result<(), String>;

    /// Switches it on and waits until it answers.
    ///
    /// # Errors
    /// In words: it could not.
    fn on(&self, node: &NodeName) -> Result<(), String>;
}

/// Takes `node` away while `writer` writes to `pool`. `tell` hears what is under way.
///
/// # Errors
/// The cluster is not whole before, a node did not do its part, or the power could not be switched; it is on again in
/// any case.
pub async fn lose(
    fleet: &Fleet,
    hand: Arc<dyn Hand>,
    node: &NodeName,
    writer: &NodeName,
    pool: &str,
    mut tell: impl FnMut(&str),
) -> Result<Loss, DrillError> {
    let on_writer = |failure| DrillError::Node { node: writer.clone(), failure };
    let before = cluster(fleet, writer).await.map_err(on_writer)?;
    whole(&before).map_err(on_writer)?;
    let lost: BTreeSet<u32> = before.osds.iter().filter(|o| o.host == node.as_str()).map(|o| o.id).into_set();
    let seconds = 600;
    let ask = Ask::Measure(Measure::Writes(Writes { pool: pool.to_owned(), seconds }));
    let mut writes = fleet.start(writer, ask).map_err(on_writer)?;
    tell("writing");
    // The image is made first.
    pause(LEAD_IN + 2.0).await;
    let off = now();
    let power = |node: &NodeName| {
        let node = node.clone();
        move |why: String| DrillError::Node { node, failure: Failure::broken(why) }
    };
    let done = switch(&hand, node, Switch::Off).await;
    tell("the node has no power");
    let down = if done.is_ok() { outage(fleet, writer, &lost).await } else { BTreeSet::new() };
    let on = now();
    let again = switch(&hand, node, Switch::On).await;
    done.map_err(power(node))?;
    again.map_err(power(node))?;
    let back = now();
    tell("the node is on again");
    let clean = clean(fleet, writer, &before).await;
    let times = Times { off, on, back, clean };
    pause(1.0).await;
    writes.cancel();
    let written = match writes.wait(|_| ()).await {
        Ok(Say::Measured(measured)) => match *measured {
            Measured::Written(written) => written,
            _ => Written::default(),
        },
        Ok(_) => Written::default(),
        Err(failure) => return Err(on_writer(failure)),
    };
    if let Some(error) = &written.error {
        return Err(on_writer(Failure::broken(error.clone())));
    }
    let wrongly: Vec<u32> = down.difference(&lost).copied().collect();
    let _ = tokio::time::timeout(Duration::from_secs(BOOT), fleet.reconnect(node)).await;
    Ok(judge(node, writer, times, &written, &wrongly))
}

/// Which way.
#[derive(Clone, Copy)]
enum Switch {
    Off,
    On,
}

/// Switches in a thread of its own: the hand takes its time, and the lines to the nodes go on meanwhile.
async fn switch(hand: &Arc<dyn Hand>, node: &NodeName, way: Switch) -> Result<(), String> {
    let (hand, node) = (Arc::clone(hand), node.clone());
    let work = move || match way {
        Switch::Off => hand.off(&node),
        Switch::On => hand.on(&node),
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| e.to_string())?
}

/// What the cluster says of itself.
async fn cluster(fleet: &Fleet, node: &NodeName) -> Result<CephCluster, Failure> {
    let question = Question { ceph_cluster: true, ..Question::default() };
    let said = facts(fleet.ask(node, Ask::Facts { question }).await)?;
    match said.state.ceph_cluster {
        ringbolt_core::facts::Known::Yes(cluster) => Ok(cluster),
        ringbolt_core::facts::Known::No(why) => {
            Err(Failure::broken(format!("no word of a Ceph cluster: {why}")))
        }
    }
}

/// A cluster that is not whole is not given a blow.
fn whole(cluster: &CephCluster) -> Result<(), Failure> {
    let unclean: u64 = cluster
        .placement_groups
        .iter()
        .filter(|(state, _)| !state.starts_with("active+clean"))
        .map(|(_, count)| count)
        .sum();
    let down = cluster.osds.iter().filter(|o| !o.up || !o.within).count();
    if unclean == 0 && down == 0 {
        return Ok(());
    }
    let message = format!(
        "the cluster is not whole: {down} OSDs down or out, {unclean} placement groups not active and clean"
    );
    Err(Failure::refused(message).hint("wait until `ringbolt verify` finds nothing, then lose a node"))
}

/// Watches the cluster without the node: until all its OSDs are marked down and some seconds more, at most
/// [`PATIENCE`]. Every OSD that was seen down.
async fn outage(fleet: &Fleet, writer: &NodeName, lost: &BTreeSet<u32>) -> BTreeSet<u32> {
    let begun = now();
    let mut down = BTreeSet::new();
    while now() - begun < PATIENCE {
        pause(1.0).await;
        let asked = tokio::time::timeout(Duration::from_secs(10), cluster(fleet, writer)).await;
        let Ok(Ok(seen)) = asked else { continue };
        down.extend(seen.osds.iter().filter(|o| !o.up).map(|o| o.id));
        if lost.iter().all(|id| down.contains(id)) {
            // Peering follows, and the writes go on.
            pause(8.0).await;
            break;
        }
    }
    down
}

/// Waits until every OSD is up and every placement group active and clean; when that was.
async fn clean(fleet: &Fleet, writer: &NodeName, before: &CephCluster) -> Option<f64> {
    let ups = before.osds.iter().map(|o| Check::Ceph(CephCheck::Up { osd: o.id }));
    let checks: Vec<Check> = ups.chain([Check::Ceph(CephCheck::Clean {})]).collect();
    let question = question_for(&checks);
    let ask = Ask::Await { checks, question, patience_ms: CLEAN * 1000 };
    match fleet.ask(writer, ask).await {
        Ok(Say::Looked { findings }) if findings.iter().all(|f| f.holds) => Some(now()),
        _ => None,
    }
}
