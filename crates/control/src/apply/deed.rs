//! One step's deed and one step's proof, as requests to nodes.
//!
//! Used by the loop in `apply`. Decides nothing: what comes of it goes back to the run's state.

use std::collections::BTreeMap;
use std::time::Duration;

use ringbolt_core::action::Action;
use ringbolt_core::check::Check;
use ringbolt_core::facts::Question;
use ringbolt_core::name::NodeName;
use ringbolt_core::step::Step;
use ringbolt_core::wire::{Ask, Deed, Failure, FailureKind, Say};
use tokio::time::{Instant, sleep, timeout};

use super::difference::told;
use super::words::complaint;
use crate::fleet::{Fleet, Pending};
use crate::question::question_for;

/// For a node to come back from a reboot: guests get three minutes each to shut down, and servers take
/// minutes to test themselves.
const REBOOT: Duration = Duration::from_secs(900);

/// Between two looks at a node that reboots.
const LOOK: Duration = Duration::from_secs(2);

/// So many unkept promises are told; where a whole fleet fails the rest are like them.
const TOLD: usize = 12;

/// A failure, and the node whose line is gone, if one is.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) failure: Failure,
    pub(super) lost: Option<NodeName>,
}

impl Fault {
    pub(super) fn on(node: &NodeName, failure: Failure) -> Self {
        let lost = (failure.kind == FailureKind::Lost).then(|| node.clone());
        Self { failure, lost }
    }
}

/// Does the deed of a step on its node.
pub(super) async fn act(
    fleet: &Fleet,
    run: &str,
    step: &Step,
    progress: impl FnMut(String),
) -> Result<(), Fault> {
    let (Some(node), Some(action)) = (&step.node, &step.action) else {
        return Err(Fault { failure: Failure::broken("a step with a deed but no node"), lost: None });
    };
    let deed = Deed {
        run: run.to_owned(),
        step: step.id.clone(),
        action: action.clone(),
        expect: step.expect.clone(),
    };
    let outcome = match action {
        Action::Reboot => reboot(fleet, node, deed).await,
        _ => ask(fleet, node, Ask::Do(deed), progress).await.and_then(|said| done(&said)),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(failure) => Err(Fault::on(node, told(fleet, step, failure).await)),
    }
}

async fn ask(fleet: &Fleet, node: &NodeName, ask: Ask, progress: impl FnMut(String)) -> Result<Say, Failure> {
    fleet.start(node, ask)?.wait(progress).await
}

fn done(answer: &Say) -> Result<(), Failure> {
    match answer {
        Say::Done { .. } => Ok(()),
        _ => Err(Failure::broken("the agent answered a deed with something else")),
    }
}

/// Waits until what a step promises holds, on all nodes at once: those checks that `counts` picks, for as long as
/// the step grants and not beyond `until`.
pub(super) async fn prove(
    fleet: &Fleet,
    step: &Step,
    counts: impl Fn(&Check) -> bool,
    until: Option<Instant>,
) -> Result<(), Fault> {
    let mut checks: BTreeMap<&NodeName, Vec<Check>> = BTreeMap::new();
    for (node, check) in step.proof.iter().filter(|(_, check)| counts(check)) {
        checks.entry(node).or_default().push(check.clone());
    }
    let left = until.map(|until| until.saturating_duration_since(Instant::now()).as_secs());
    let patience = left.unwrap_or(u64::MAX).min(u64::from(step.patience));
    let mut asked: Vec<(&NodeName, Pending)> = Vec::new();
    for (node, checks) in checks {
        let question = question_for(&checks);
        let ask = Ask::Await { checks, question, patience_ms: patience * 1000 };
        asked.push((node, fleet.start(node, ask).map_err(|f| Fault::on(node, f))?));
    }
    let mut complaints = Vec::new();
    for (node, mut pending) in asked {
        match pending.wait(|_| ()).await.map_err(|f| Fault::on(node, f))? {
            Say::Looked { findings } => {
                let bad = findings.iter().filter(|f| !f.holds);
                complaints.extend(bad.map(|f| format!("{node}: {}", complaint(f))));
            }
            _ => complaints.push(format!("{node}: the agent answered checks with something else")),
        }
    }
    if complaints.is_empty() {
        return Ok(());
    }
    let more = complaints.len().saturating_sub(TOLD);
    complaints.truncate(TOLD);
    if more > 0 {
        complaints.push(format!("and {more} more"));
    }
    let message = format!("not so after {patience} s: {}", complaints.join("; "));
    Err(Fault { failure: Failure::broken(message), lost: None })
}

/// Reboots a node and waits until it is back: another boot id, and a line to it.
async fn reboot(fleet: &Fleet, node: &NodeName, deed: Deed) -> Result<(), Failure> {
    let before = boot_id(fleet, node).await?;
    match fleet.ask(node, Ask::Do(deed)).await.and_then(|said| done(&said)) {
        Ok(()) => {}
        // The node may be quicker than its answer.
        Err(failure) if failure.kind == FailureKind::Lost => {}
        Err(failure) => return Err(failure),
    }
    let deadline = Instant::now() + REBOOT;
    let _ = timeout(Duration::from_secs(60), fleet.ended(node)).await;
    let mut last = String::from("it did not go down");
    while Instant::now() < deadline {
        sleep(LOOK).await;
        match fleet.reconnect(node).await {
            Err(error) => last = error.to_string(),
            Ok(_) => match boot_id(fleet, node).await {
                Ok(now) if now != before => return Ok(()),
                Ok(_) => {
                    last = "it is up, but it has not rebooted".into();
                    // Still on its way down: nothing to learn before the line breaks.
                    let _ = timeout(Duration::from_secs(30), fleet.ended(node)).await;
                }
                Err(failure) => last = failure.message,
            },
        }
    }
    Err(Failure::lost(format!("{node} is not back {} s after its reboot: {last}", REBOOT.as_secs()))
        .hint("look at its console: nothing further is begun, and what the run has set stays until it is taken back"))
}

async fn boot_id(fleet: &Fleet, node: &NodeName) -> Result<String, Failure> {
    let answer = fleet.ask(node, Ask::Facts { question: Question::default() }).await;
    Ok(crate::fleet::facts(answer)?.inventory.boot_id)
}
