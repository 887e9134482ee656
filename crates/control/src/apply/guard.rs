//! The checkpoint of one step, as requests to its nodes: arm before, confirm after, and find out what became of it.
//!
//! Used by the loop in `apply`. A confirmation goes over connections made for it alone, to all nodes before any is
//! told, so that what is confirmed is that they can be reached anew. Decides nothing about the run.

use std::sync::Arc;
use std::time::Duration;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::checkpoint::{self, Checkpoint, Order};
use ringbolt_core::event::Guard;
use ringbolt_core::facts::{Facts, Question};
use ringbolt_core::name::{NodeName, StepId};
use ringbolt_core::step::Step;
use ringbolt_core::wire::{Ask, Failure, FailureKind};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::deed::Fault;
use crate::fleet::{Fleet, Fresh, Pending, Status, facts};

/// Between two tries to reach a node.
const LOOK: Duration = Duration::from_secs(1);

/// How long before its deadline a node is told at the latest.
const MARGIN: Duration = Duration::from_secs(3);

/// For a node to put everything back once it has begun, and to be reached again.
const HEALING: Duration = Duration::from_secs(90);

/// For an order to a node whose line is up.
const PROMPT: Duration = Duration::from_secs(10);

/// What became of an armed checkpoint on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Which node.
    pub node: NodeName,
    /// Fired, silent, or confirmed where there was nothing to undo.
    pub is: Guard,
    /// Whether the node is what it was before.
    pub whole: bool,
    /// In words.
    pub text: String,
}

fn of(step: &Step) -> Result<&Checkpoint, Fault> {
    step.checkpoint.as_deref().ok_or_else(|| Fault {
        failure: Failure::broken("a step without a checkpoint cannot be armed"),
        lost: None,
    })
}

/// Arms every node of the step; when one cannot be, those that were are disarmed again.
pub(super) async fn arm(fleet: &Fleet, run: &str, step: &Step) -> Result<(), Fault> {
    let checkpoint = of(step)?;
    let order = || {
        Ask::Checkpoint(Order::Arm {
            run: run.to_owned(),
            step: step.id.clone(),
            seconds: checkpoint.seconds,
        })
    };
    let asked: Vec<(&NodeName, Result<Pending, Failure>)> =
        checkpoint.nodes.iter().map(|node| (node, fleet.start(node, order()))).collect();
    let mut armed = Vec::new();
    let mut fault = None;
    for (node, pending) in asked {
        let answer = match pending {
            Ok(mut pending) => pending.wait(|_| ()).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(_) => armed.push(node),
            Err(failure) => drop(fault.get_or_insert((node, failure))),
        }
    }
    let Some((node, failure)) = fault else { return Ok(()) };
    for node in armed {
        // Nothing was done there: should this not get through, the node puts back what is there anyway.
        let _ = timeout(PROMPT, fleet.ask(node, confirmation(run, step))).await;
    }
    let message = format!("{node} cannot protect itself, so nothing was done: {}", failure.message);
    Err(Fault::on(node, Failure { message, ..failure }))
}

fn confirmation(run: &str, step: &Step) -> Ask {
    Ask::Checkpoint(Order::Confirm { run: run.to_owned(), step: step.id.clone() })
}

/// Reaches every node of the step over a new connection, and only then tells them all to keep what it did.
pub(super) async fn confirm(fleet: &Arc<Fleet>, run: &str, step: &Step, until: Instant) -> Result<(), Fault> {
    let checkpoint = of(step)?;
    let mut tasks = JoinSet::new();
    for node in checkpoint.nodes.clone() {
        let fleet = Arc::clone(fleet);
        tasks.spawn(async move {
            let line = reach(&fleet, &node, until - MARGIN).await;
            (node, line)
        });
    }
    let mut lines: Vec<(NodeName, Fresh)> = Vec::new();
    while let Some(Ok((node, line))) = tasks.join_next().await {
        match line {
            Ok(line) => lines.push((node, line)),
            Err(why) => {
                let message = format!("{node} cannot be reached over a new connection: {why}");
                return Err(Fault { failure: Failure::lost(message), lost: None });
            }
        }
    }
    let mut refused = None;
    for (node, line) in lines {
        let answer = timeout(PROMPT, line.ask(confirmation(run, step))).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::lost(format!("{node} did not answer"))));
        match answer {
            Ok(_) => fleet.adopt(&node, line),
            Err(failure) => drop(refused.get_or_insert((node, failure))),
        }
    }
    match refused {
        None => Ok(()),
        Some((node, failure)) => {
            let message = format!("{node} took no confirmation: {}", failure.message);
            Err(Fault { failure: Failure { kind: FailureKind::Broken, message, ..failure }, lost: None })
        }
    }
}

/// A new connection to a node, tried until the time is over; why not, otherwise.
async fn reach(fleet: &Fleet, node: &NodeName, until: Instant) -> Result<Fresh, String> {
    let mut last = String::from("there was no time left");
    while Instant::now() < until {
        match timeout_at(until, fleet.fresh(node)).await {
            Ok(Ok(line)) => return Ok(line),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => "it gave no answer".clone_into(&mut last),
        }
        sleep(LOOK).await;
    }
    Err(last)
}

/// Takes the checkpoint away from nodes on which nothing was done. One that is not told goes back by itself.
pub(super) async fn release(fleet: &Arc<Fleet>, run: &str, step: &Step) -> Vec<Recovery> {
    let mut all = Vec::new();
    for node in step.checkpoint.iter().flat_map(|c| &c.nodes) {
        let done = timeout(PROMPT, fleet.ask(node, confirmation(run, step))).await;
        let (is, text) = match done {
            Ok(Ok(_)) => (Guard::Confirmed, "nothing was done, so nothing goes back".to_owned()),
            Ok(Err(failure)) => (Guard::Silent, failure.message),
            Err(_) => (Guard::Silent, "it did not answer".to_owned()),
        };
        all.push(Recovery { node: node.clone(), is, whole: is == Guard::Confirmed, text });
    }
    all
}

/// Waits until every node of a failed step has gone back, asking those that can be reached to do it at once.
pub(super) async fn recover(fleet: &Arc<Fleet>, run: &str, step: &Step, until: Instant) -> Vec<Recovery> {
    let Some(checkpoint) = &step.checkpoint else { return Vec::new() };
    let mut tasks = JoinSet::new();
    for node in checkpoint.nodes.clone() {
        let (fleet, run, step) = (Arc::clone(fleet), run.to_owned(), step.id.clone());
        tasks.spawn(async move { go_back(&fleet, node, run, step, until).await });
    }
    gathered(tasks).await
}

/// Has every node that waits for the confirmation of a run that is over go back at once, and waits for it. For a
/// caller that holds the lock of the cluster: then nobody is left who could confirm.
pub async fn send_back(fleet: &Arc<Fleet>, seen: &ringbolt_core::facts::Fleet) -> Vec<Recovery> {
    let mut tasks = JoinSet::new();
    for (node, facts) in &seen.nodes {
        let Some(armed) = checkpoint::armed(facts) else { continue };
        let until = Instant::now() + Duration::from_secs(armed.seconds.into());
        let (fleet, node) = (Arc::clone(fleet), node.clone());
        tasks.spawn(async move { go_back(&fleet, node, armed.run, armed.step, until).await });
    }
    gathered(tasks).await
}

/// What became of each node, in order of names.
async fn gathered(mut tasks: JoinSet<Recovery>) -> Vec<Recovery> {
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.extend(done.ok());
    }
    all.arrange_by(|a, b| a.node.cmp(&b.node));
    all
}

/// Asks a node to undo a step, where it can be reached, and waits until it has or its time is long over.
async fn go_back(fleet: &Fleet, node: NodeName, run: String, step: StepId, until: Instant) -> Recovery {
    let heal = Ask::Checkpoint(Order::Heal { run: run.clone(), step: step.clone() });
    let mut asked = false;
    if matches!(fleet.status(&node), Some(Status::Up(_))) {
        asked = matches!(timeout(PROMPT, fleet.ask(&node, heal.clone())).await, Ok(Ok(_)));
    }
    let mut last = String::from("it did not answer");
    while Instant::now() < until + HEALING {
        sleep(LOOK).await;
        let line = match timeout_at(until + HEALING, fleet.fresh(&node)).await {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => {
                last = error.to_string();
                continue;
            }
            Err(_) => break,
        };
        match facts(line.ask(Ask::Facts { question: question() }).await) {
            Ok(facts) => match settled(&node, &facts, &run, &step) {
                Ok(recovery) => {
                    fleet.adopt(&node, line);
                    return recovery;
                }
                Err(waits) => last = waits,
            },
            Err(failure) => last = failure.message,
        }
        if !asked {
            asked = matches!(timeout(PROMPT, line.ask(heal.clone())).await, Ok(Ok(_)));
        }
    }
    Recovery { node, is: Guard::Silent, whole: false, text: last }
}

/// The question that shows where a node's checkpoint is.
fn question() -> Question {
    let files = [checkpoint::ARMED, checkpoint::FIRED].map(str::to_owned);
    Question { files: files.into_iter().collect(), ..Question::default() }
}

/// What became of it, or what is still to come.
fn settled(node: &NodeName, facts: &Facts, run: &str, step: &str) -> Result<Recovery, String> {
    let recovery = |is, whole, text| Recovery { node: node.clone(), is, whole, text };
    if checkpoint::armed(facts).is_some_and(|a| a.run == run && *a.step == *step) {
        return Err("it is reached, and has not gone back yet".into());
    }
    match checkpoint::fired(facts).filter(|f| f.run == run && *f.step == *step) {
        Some(fired) => Ok(recovery(Guard::Fired, fired.whole(), fired.in_words())),
        None => Ok(recovery(
            Guard::Silent,
            false,
            "it has no checkpoint of this step, and no report of one".into(),
        )),
    }
}

/// Has the nodes forget what they undid by themselves, once somebody has seen it. One that does not is asked again
/// by the next run.
pub async fn acknowledge(fleet: &Fleet, seen: &ringbolt_core::facts::Fleet) {
    for (node, _) in seen.nodes.iter().filter(|(_, facts)| checkpoint::fired(facts).is_some()) {
        let _ = timeout(PROMPT, fleet.ask(node, Ask::Checkpoint(Order::Forget))).await;
    }
}
