//! Carries benchmarks out: one measurement after another over the lines to the nodes, stopped cleanly by a signal.
//!
//! What is measured where, and what it means, is the core's business (`core/bench`). Only this decides what runs at the
//! same time: one link carries data at a time, and pings without load run on all links at once.

mod ceph;
mod mesh;

use std::collections::BTreeMap;
use std::time::Duration;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::bench::ask::{Measure, Measured};
use ringbolt_core::bench::machine::Machine;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Ask, Failure, Say};

use crate::fleet::{Fleet, Pending};
use crate::stop::{Stop, Urgency};

pub use ceph::{Look, ceph, look};
pub use mesh::mesh;

/// How long a tool may take to end after it was told to.
const ENDING: Duration = Duration::from_secs(6);

/// Why a benchmark has no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Somebody pressed Ctrl-C.
    #[error("stopped: every tool was ended on its node, nothing is left running")]
    Stopped,
    /// The same where something had to be removed.
    #[error("stopped: the tools were ended, and the objects and the image they worked on are removed")]
    Cleared,
    /// The same, and not all of it could be removed.
    #[error("stopped, and the tools were ended, but {0}; the next `ringbolt bench ceph` removes it first")]
    Left(String),
    /// It was pressed, and a node did not confirm.
    #[error(
        "stopped, but {0} did not confirm that its tools have ended; they end by themselves within a minute"
    )]
    Unconfirmed(String),
}

/// Lines to the nodes, the signal that stops, and somebody who wants to know how far it is.
pub struct Bench<'a> {
    /// The nodes.
    pub fleet: &'a Fleet,
    /// The signal.
    pub stop: Stop,
    /// Told what is done next: how many things are behind it, how many there are, what in words.
    pub tell: &'a mut dyn FnMut(usize, usize, &str),
}

/// A request under way on a node.
struct Asked {
    node: NodeName,
    pending: Result<Pending, Failure>,
}

impl Asked {
    /// Asks the agent to end it.
    fn cancel(&self) {
        if let Ok(pending) = &self.pending {
            pending.cancel();
        }
    }
}

/// What came of it.
type Got = Result<Say, Failure>;

impl Bench<'_> {
    fn ask(&self, node: &NodeName, ask: Ask) -> Asked {
        Asked { node: node.clone(), pending: self.fleet.start(node, ask) }
    }

    /// Waits for all of them; a signal ends them all.
    async fn all(&mut self, mut asked: Vec<Asked>) -> Result<Vec<Got>, BenchError> {
        let mut got = Vec::with_capacity(asked.len());
        for n in 0..asked.len() {
            let answer = match &mut asked[n].pending {
                Err(failure) => Err(failure.clone()),
                Ok(pending) => {
                    let answer = tokio::select! {
                        answer = pending.wait(|_| ()) => Some(answer),
                        _ = self.stop.more(Urgency::None) => None,
                    };
                    match answer {
                        Some(answer) => answer,
                        None => return Err(ended(asked.split_off(n)).await),
                    }
                }
            };
            got.push(answer);
        }
        Ok(got)
    }

    /// Waits until a request says its first word; `false` when it ended without one.
    async fn first_word(&mut self, asked: &mut Asked, limit: Duration) -> Result<bool, BenchError> {
        let Ok(pending) = &mut asked.pending else { return Ok(false) };
        let word = tokio::sync::Notify::new();
        let outcome = tokio::select! {
            biased;
            () = word.notified() => Some(true),
            answer = pending.wait(|_| word.notify_one()) => {
                // An answer already taken is not given twice.
                if let Err(failure) = answer {
                    asked.pending = Err(failure);
                }
                Some(false)
            }
            () = tokio::time::sleep(limit) => Some(false),
            _ = self.stop.more(Urgency::None) => None,
        };
        match outcome {
            Some(spoke) => Ok(spoke),
            None => {
                let taken = Asked { node: asked.node.clone(), pending: Err(Failure::broken("stopped")) };
                Err(ended(vec![std::mem::replace(asked, taken)]).await)
            }
        }
    }
}

/// Tells every tool to end and waits for that.
async fn ended(asked: Vec<Asked>) -> BenchError {
    let mut silent = Vec::new();
    let mut waiting: Vec<(NodeName, Pending)> =
        asked.into_iter().filter_map(|a| Some((a.node, a.pending.ok()?))).collect();
    for (_, pending) in &waiting {
        pending.cancel();
    }
    for (node, pending) in &mut waiting {
        if tokio::time::timeout(ENDING, pending.wait(|_| ())).await.is_err() {
            silent.push(node.to_string());
        }
    }
    silent.arrange();
    silent.dedup();
    if silent.is_empty() { BenchError::Stopped } else { BenchError::Unconfirmed(silent.join(", ")) }
}

/// What each node is and how it does now; those that do not answer, and why.
pub async fn machines(
    fleet: &Fleet,
    interfaces: &BTreeMap<NodeName, Vec<String>>,
) -> (BTreeMap<NodeName, Machine>, BTreeMap<NodeName, Failure>) {
    let asked: Vec<(NodeName, Result<Pending, Failure>)> = interfaces
        .iter()
        .map(|(node, list)| {
            let measure = Measure::Machine { interfaces: list.clone() };
            (node.clone(), fleet.start(node, Ask::Measure(measure)))
        })
        .collect();
    let (mut machines, mut silent) = (BTreeMap::new(), BTreeMap::new());
    for (node, pending) in asked {
        let answer = match pending {
            Ok(mut pending) => pending.wait(|_| ()).await,
            Err(failure) => Err(failure),
        };
        match measured(answer) {
            Ok(Measured::Machine(machine)) => drop(machines.insert(node, machine)),
            Ok(_) => drop(silent.insert(node, Failure::broken("an answer of another kind"))),
            Err(failure) => drop(silent.insert(node, failure)),
        }
    }
    (machines, silent)
}

/// The measurement in an answer.
fn measured(answer: Got) -> Result<Measured, Failure> {
    match answer? {
        Say::Measured(measured) => Ok(*measured),
        _ => Err(Failure::broken("an answer of another kind")),
    }
}
