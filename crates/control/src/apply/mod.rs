//! Carries a plan out on the nodes of a fleet.
//!
//! The loop here moves words between three parties: the run's state, which decides; the fleet, which does; and the
//! sink, which is told everything. It takes no decision of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringbolt_core::checkpoint::{self, Checkpoint};
use ringbolt_core::event::{Event, Outcome, What};
use ringbolt_core::name::StepId;
use ringbolt_core::plan::Plan;
use ringbolt_core::wire::FailureKind;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

mod deed;
mod difference;
mod guard;
mod sink;
mod state;
mod words;

pub use difference::difference;
pub use guard::{Recovery, acknowledge, send_back};
pub use sink::Sink;
pub use state::{Command, Input, RETRIES, RunState};
pub use words::in_words;

use self::deed::Fault;
use crate::fleet::Fleet;
use crate::stop::{Stop, Urgency};

/// What is left of a checkpoint's time when its proof must have come: for the confirmation.
const PROVING: Duration = Duration::from_secs(10);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In one word.
    pub outcome: Outcome,
    /// Steps done.
    pub done: u32,
    /// Steps failed.
    pub failed: u32,
    /// Steps not begun.
    pub skipped: u32,
    /// Steps that had begun when the run was ended at once: what they left is not known.
    pub in_flight: Vec<StepId>,
    /// Steps failed, and the nodes of every one of them have undone it by themselves.
    pub healed: bool,
    /// Checkpoints nodes may be waiting in, because the run was ended at once.
    pub guarded: Vec<Checkpoint>,
    /// How long it took.
    pub took: Duration,
}

/// The run could not be recorded; what was under way was finished, nothing new begun.
#[derive(Debug, thiserror::Error)]
#[error("the journal cannot be written, so nothing further was begun: {source}")]
pub struct ApplyError {
    /// What the file system said.
    pub source: std::io::Error,
    /// What was done until then.
    pub report: Report,
}

/// What comes back from the tasks.
enum Word {
    State(Input),
    Progress(usize, String),
}

/// Carries `plan` out and reports how it ended. Failures of steps are part of the report and of the events.
///
/// # Errors
/// The sink could not keep the events.
pub async fn run(
    id: &str,
    plan: Arc<Plan>,
    fleet: Arc<Fleet>,
    sink: &mut dyn Sink,
    mut stop: Stop,
) -> Result<Report, ApplyError> {
    let mut runner = Runner::new(id, plan, fleet, sink);
    runner.announce();
    let mut urgency = Urgency::None;
    let mut over = runner.feed(Input::Begin);
    let lines = Arc::clone(&runner.fleet);
    while !over {
        tokio::select! {
            // A stop comes before whatever else has happened: that could begin something new.
            biased;
            more = stop.more(urgency) => {
                urgency = more;
                if urgency == Urgency::Now {
                    return runner.break_off().await;
                }
                over = runner.feed(Input::Stop);
            }
            // Whoever took the lock waits for what is under way, and for that alone.
            () = lines.ousted(), if urgency == Urgency::None => {
                urgency = Urgency::Gently;
                over = runner.feed(Input::Stop);
            }
            word = runner.words.recv() => match word {
                Some(Word::State(input)) => over = runner.feed(input),
                Some(Word::Progress(step, text)) => runner.progress(step, text),
                None => break,
            },
        }
    }
    runner.report(Vec::new())
}

struct Runner<'a> {
    id: String,
    plan: Arc<Plan>,
    fleet: Arc<Fleet>,
    sink: &'a mut dyn Sink,
    state: RunState,
    began: Instant,
    tasks: JoinSet<()>,
    /// When the nodes of armed steps go back.
    deadlines: BTreeMap<usize, tokio::time::Instant>,
    tell: mpsc::UnboundedSender<Word>,
    words: mpsc::UnboundedReceiver<Word>,
    fault: Option<std::io::Error>,
    outcome: Outcome,
}

impl<'a> Runner<'a> {
    fn new(id: &str, plan: Arc<Plan>, fleet: Arc<Fleet>, sink: &'a mut dyn Sink) -> Self {
        let (tell, words) = mpsc::unbounded_channel();
        Self {
            id: id.to_owned(),
            state: RunState::new(Arc::clone(&plan)),
            plan,
            fleet,
            sink,
            began: Instant::now(),
            tasks: JoinSet::new(),
            deadlines: BTreeMap::new(),
            tell,
            words,
            fault: None,
            outcome: Outcome::Failed,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn announce(&mut self) {
        let digest = ringbolt_core::digest::of(serde_json::to_vec(&*self.plan).unwrap_or_default());
        let steps = self.plan.steps.iter().filter(|s| s.node.is_some()).count();
        let what = What::RunStarted {
            run: self.id.clone(),
            plan: digest,
            steps: u32::try_from(steps).unwrap_or(u32::MAX),
            time: jiff::Timestamp::now().to_string(),
        };
        self.record(vec![what]);
    }

    fn progress(&mut self, step: usize, text: String) {
        self.record(vec![What::StepProgress { step: self.plan.steps[step].id.clone(), text }]);
    }

    /// Hands an input to the state and does what it says: events are kept first, deeds begin after. True at the end.
    fn feed(&mut self, input: Input) -> bool {
        let commands = self.state.next(self.now_ms(), input);
        let mut events = Vec::new();
        let mut deeds = Vec::new();
        let mut over = false;
        for command in commands {
            match command {
                Command::Emit(what) => events.push(what),
                Command::Finish(outcome) => {
                    self.outcome = outcome;
                    over = true;
                }
                deed => deeds.push(deed),
            }
        }
        let kept = self.record(events);
        for deed in deeds {
            match deed {
                // What is armed already and not begun goes back to what it is.
                Command::Act(step) | Command::Arm(step) if !kept => self.refuse(step),
                deed => self.begin(&deed),
            }
        }
        while self.tasks.try_join_next().is_some() {}
        over
    }

    /// Keeps events; the first time that fails, the run is told to stop.
    fn record(&mut self, events: Vec<What>) -> bool {
        if events.is_empty() {
            return true;
        }
        let at_ms = self.now_ms();
        let events: Vec<Event> = events.into_iter().map(|what| Event { at_ms, what }).collect();
        match self.sink.record(&events) {
            Ok(()) => true,
            Err(error) => {
                if self.fault.is_none() {
                    self.fault = Some(error);
                    let _ = self.tell.send(Word::State(Input::Stop));
                }
                false
            }
        }
    }

    /// A deed that could not be announced in the journal is not done.
    fn refuse(&self, step: usize) {
        let failure = ringbolt_core::wire::Failure::broken("not begun: the journal cannot be written");
        let _ = self.tell.send(Word::State(Input::Failed(step, failure)));
    }

    /// When the nodes of a step go back by themselves. Counted from before they were told, it is never too late.
    fn until(&mut self, step: usize, arming: bool) -> tokio::time::Instant {
        let seconds = self.plan.steps[step].checkpoint.as_ref().map_or(0, |c| c.seconds);
        let until = tokio::time::Instant::now() + Duration::from_secs(seconds.into());
        if arming {
            self.deadlines.insert(step, until);
        }
        self.deadlines.get(&step).copied().unwrap_or(until)
    }

    fn begin(&mut self, command: &Command) {
        let tell = self.tell.clone();
        let (plan, fleet, id) = (Arc::clone(&self.plan), Arc::clone(&self.fleet), self.id.clone());
        match *command {
            Command::Arm(i) => {
                self.until(i, true);
                self.tasks.spawn(async move {
                    let outcome = guard::arm(&fleet, &id, &plan.steps[i]).await;
                    report(&tell, i, outcome, Input::Armed(i));
                })
            }
            Command::Confirm(i) => {
                let until = self.until(i, false);
                self.tasks.spawn(async move {
                    let outcome = guard::confirm(&fleet, &id, &plan.steps[i], until).await;
                    report(&tell, i, outcome, Input::Confirmed(i));
                })
            }
            Command::Recover(i) => {
                let until = self.until(i, false);
                self.tasks.spawn(async move {
                    let nodes = guard::recover(&fleet, &id, &plan.steps[i], until).await;
                    let _ = tell.send(Word::State(Input::Recovered(i, nodes)));
                })
            }
            Command::Release(i) => self.tasks.spawn(async move {
                let nodes = guard::release(&fleet, &id, &plan.steps[i]).await;
                let _ = tell.send(Word::State(Input::Recovered(i, nodes)));
            }),
            Command::Settle(i) => self.tasks.spawn(async move {
                let outcome = deed::prove(&fleet, &plan.steps[i], |c| !checkpoint::counts(c), None).await;
                report(&tell, i, outcome, Input::Proven(i));
            }),
            Command::Act(i) => self.tasks.spawn(async move {
                let progress = |text| drop(tell.send(Word::Progress(i, text)));
                let outcome = deed::act(&fleet, &id, &plan.steps[i], progress).await;
                if outcome.as_ref().is_err_and(|fault| fault.failure.kind == FailureKind::Ousted) {
                    fleet.lease().oust(None);
                }
                report(&tell, i, outcome, Input::Acted(i));
            }),
            Command::Prove(i) => {
                let guarded = self.plan.steps[i].checkpoint.is_some();
                let until = guarded.then(|| self.until(i, false) - PROVING);
                self.tasks.spawn(async move {
                    let counts = |c: &_| !guarded || checkpoint::counts(c);
                    let outcome = deed::prove(&fleet, &plan.steps[i], counts, until).await;
                    report(&tell, i, outcome, Input::Proven(i));
                })
            }
            Command::Pause { step, ms } => self.tasks.spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let _ = tell.send(Word::State(Input::Due(step)));
            }),
            Command::Emit(_) | Command::Finish(_) => return,
        };
    }

    /// Ends at once, naming what was under way.
    async fn break_off(mut self) -> Result<Report, ApplyError> {
        self.tasks.shutdown().await;
        let in_flight: Vec<StepId> =
            self.state.in_flight().into_iter().map(|i| self.plan.steps[i].id.clone()).collect();
        self.outcome = Outcome::Stopped;
        let (done, failed, skipped) = self.state.counts();
        self.record(vec![What::RunFinished { outcome: Outcome::Stopped, done, failed, skipped }]);
        self.report(in_flight)
    }

    fn report(self, in_flight: Vec<StepId>) -> Result<Report, ApplyError> {
        let (done, failed, skipped) = self.state.counts();
        let took = self.began.elapsed();
        let healed = self.state.healed();
        let guarded = self.state.guarded().cloned().collect();
        let report =
            Report { outcome: self.outcome, done, failed, skipped, in_flight, healed, guarded, took };
        match self.fault {
            None => Ok(report),
            Some(source) => Err(ApplyError { source, report }),
        }
    }
}

fn report(tell: &mpsc::UnboundedSender<Word>, step: usize, outcome: Result<(), Fault>, good: Input) {
    let _ = match outcome {
        Ok(()) => tell.send(Word::State(good)),
        Err(Fault { failure, lost }) => {
            if failure.kind == FailureKind::Ousted {
                let _ = tell.send(Word::State(Input::Stop));
            }
            if let Some(node) = lost {
                let _ = tell.send(Word::State(Input::Lost(node)));
            }
            tell.send(Word::State(Input::Failed(step, failure)))
        }
    };
}

#[cfg(test)]
mod tests;
