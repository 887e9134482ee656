//! The decisions of a run, without clocks, tasks or sockets: what happened goes in, what to do comes out.
//!
//! Used by the loop in `apply`, and by tests over every interleaving they can think of. It never waits and never
//! looks at a node.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ringbolt_core::checkpoint::{self, Checkpoint};
use ringbolt_core::event::{Guard, Outcome, What};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::{Risk, Step};
use ringbolt_core::wire::{Failure, FailureKind};

use super::guard::Recovery;

/// How often a step that may work if tried again is tried again.
pub const RETRIES: u32 = 5;

/// Milliseconds before the first further try; doubled for each after it.
const FIRST_PAUSE_MS: u64 = 500;

/// What happened. Steps are named by their place in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The run begins.
    Begin,
    /// The nodes of a step undo it by themselves unless told otherwise.
    Armed(usize),
    /// The deed of a step is done.
    Acted(usize),
    /// What it promises holds.
    Proven(usize),
    /// Its nodes were told over new connections to keep what it did.
    Confirmed(usize),
    /// What its nodes did about it once it had failed.
    Recovered(usize, Vec<Recovery>),
    /// Its deed or its proof failed.
    Failed(usize, Failure),
    /// The pause before the next try is over.
    Due(usize),
    /// The line to a node is gone.
    Lost(NodeName),
    /// The user wants no further steps.
    Stop,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Tell everybody.
    Emit(What),
    /// Arm the checkpoint of a step.
    Arm(usize),
    /// Do the deed of a step.
    Act(usize),
    /// Wait for what it promises; of a step with a checkpoint, for what must hold before it is confirmed.
    Prove(usize),
    /// Tell its nodes over new connections to keep it.
    Confirm(usize),
    /// Wait for the rest of what it promises.
    Settle(usize),
    /// Its deed was refused before anything was done: take the checkpoint away.
    Release(usize),
    /// It failed: see to it that its nodes go back, and find out whether they have.
    Recover(usize),
    /// Come back with `Due` after a pause.
    Pause {
        /// Which step.
        step: usize,
        /// How long.
        ms: u64,
    },
    /// It is over.
    Finish(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Waiting,
    Ready,
    Arming,
    Acting,
    Proving,
    Confirming,
    Settling,
    Recovering,
    Done,
    Failed,
    Skipped,
}

/// One step on its way.
struct Progress {
    status: Status,
    /// Steps before it that are not done.
    blockers: usize,
    /// Steps after it.
    after: Vec<usize>,
    /// Index of its node; `None` for a gate.
    node: Option<usize>,
    retries: u32,
    last: Option<Failure>,
    started_ms: u64,
    /// Its nodes have gone back by themselves.
    healed: bool,
}

/// One node's share.
#[derive(Default)]
struct Place {
    ready: BTreeSet<usize>,
    busy: Option<usize>,
}

/// A run under way.
pub struct RunState {
    plan: Arc<Plan>,
    steps: Vec<Progress>,
    names: BTreeMap<NodeName, usize>,
    places: Vec<Place>,
    /// Steps that need more nodes than their own: what those of a checkpoint did meanwhile would go back as well.
    others: BTreeMap<usize, Vec<usize>>,
    /// Nodes where something may be started now.
    stirred: BTreeSet<usize>,
    /// Ready steps that interrupt something.
    exclusive: BTreeSet<usize>,
    /// The node on which such steps are under way, and how many.
    holder: Option<(usize, u32)>,
    under_way: u32,
    stopping: bool,
    finished: bool,
    now_ms: u64,
}

impl RunState {
    /// The state before the first step. A step that comes after one that is not in the plan does not wait for it.
    pub fn new(plan: Arc<Plan>) -> Self {
        let index: BTreeMap<&str, usize> = plan.steps.iter().enumerate().map(|(i, s)| (&*s.id, i)).into_map();
        let mut names = BTreeMap::new();
        let mut place = |node: &NodeName| {
            let next = names.len();
            *names.entry(node.clone()).or_insert(next)
        };
        let mut others: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut steps: Vec<Progress> = Vec::with_capacity(plan.steps.len());
        for (i, step) in plan.steps.iter().enumerate() {
            steps.push(Progress::new(step.node.as_ref().map(&mut place)));
            let guarded = step.checkpoint.iter().flat_map(|c| &c.nodes);
            let more: Vec<usize> =
                guarded.filter(|n| step.node.as_ref() != Some(n)).map(&mut place).collect();
            if !more.is_empty() {
                others.insert(i, more);
            }
        }
        for (i, step) in plan.steps.iter().enumerate() {
            for before in step.after.iter().filter_map(|id| index.get(&**id)) {
                steps[*before].after.push(i);
                steps[i].blockers += 1;
            }
        }
        let places = names.iter().map(|_| Place::default()).collect();
        Self {
            steps,
            names,
            places,
            others,
            stirred: BTreeSet::new(),
            exclusive: BTreeSet::new(),
            holder: None,
            under_way: 0,
            stopping: false,
            finished: false,
            now_ms: 0,
            plan,
        }
    }

    /// Takes in what happened at `now_ms` of the run and says what to do. What does not fit the state of its step
    /// (a late word about one that is over) changes nothing.
    pub fn next(&mut self, now_ms: u64, input: Input) -> Vec<Command> {
        let mut out = Vec::new();
        self.now_ms = now_ms;
        if self.finished {
            return out;
        }
        match input {
            Input::Begin => {
                let free = (0..self.steps.len()).filter(|i| self.steps[*i].blockers == 0).collect();
                self.unblock(free, &mut out);
            }
            Input::Armed(step) if self.is(step, Status::Arming) => self.armed(step, &mut out),
            Input::Acted(step) if self.is(step, Status::Acting) => self.acted(step, &mut out),
            Input::Proven(step) if self.is(step, Status::Proving) => self.proven(step, &mut out),
            Input::Proven(step) if self.is(step, Status::Settling) => self.complete(step, &mut out),
            Input::Confirmed(step) if self.is(step, Status::Confirming) => self.confirmed(step, &mut out),
            Input::Recovered(step, nodes) if self.is(step, Status::Recovering) => {
                self.recovered(step, &nodes, &mut out);
            }
            Input::Failed(step, failure) if self.is_under_way(step) && !self.is(step, Status::Recovering) => {
                self.failed(step, failure, &mut out);
            }
            Input::Due(step) if self.is_under_way(step) => self.due(step, &mut out),
            Input::Lost(node) => self.lost(&node, &mut out),
            Input::Stop if !self.stopping => {
                self.stopping = true;
                out.push(Command::Emit(What::Stopping));
            }
            _ => {}
        }
        self.dispatch(&mut out);
        self.finish_if_over(&mut out);
        out
    }

    /// Steps that have begun and not ended.
    pub fn in_flight(&self) -> Vec<usize> {
        (0..self.steps.len()).filter(|i| self.is_under_way(*i)).collect()
    }

    /// Steps done, failed and not begun so far. Gates count only when they fail.
    pub fn counts(&self) -> (u32, u32, u32) {
        let (mut done, mut failed, mut skipped) = (0, 0, 0);
        for step in &self.steps {
            match step.status {
                Status::Failed => failed += 1,
                Status::Done if step.node.is_some() => done += 1,
                Status::Skipped | Status::Waiting | Status::Ready if step.node.is_some() => skipped += 1,
                _ => {}
            }
        }
        (done, failed, skipped)
    }

    /// Whether steps failed, and every one of them was undone by its nodes themselves.
    pub fn healed(&self) -> bool {
        let mut failed = self.steps.iter().filter(|s| s.status == Status::Failed).peekable();
        failed.peek().is_some() && failed.all(|s| s.healed)
    }

    /// The checkpoints nodes wait in at this moment, or may.
    pub fn guarded(&self) -> impl Iterator<Item = &Checkpoint> {
        let at_work =
            [Status::Arming, Status::Acting, Status::Proving, Status::Confirming, Status::Recovering];
        let armed = move |i: &usize| at_work.contains(&self.steps[*i].status);
        (0..self.steps.len()).filter(armed).filter_map(|i| self.step(i).checkpoint.as_deref())
    }

    fn step(&self, i: usize) -> &Step {
        &self.plan.steps[i]
    }

    fn is(&self, i: usize, status: Status) -> bool {
        self.steps.get(i).is_some_and(|s| s.status == status)
    }

    fn is_under_way(&self, i: usize) -> bool {
        self.steps.get(i).is_some_and(|s| {
            matches!(
                s.status,
                Status::Arming
                    | Status::Acting
                    | Status::Proving
                    | Status::Confirming
                    | Status::Settling
                    | Status::Recovering
            )
        })
    }

    fn interrupts(&self, i: usize) -> bool {
        self.step(i).risk != Risk::Safe && self.steps[i].node.is_some()
    }

    /// The nodes a step needs for itself: its own, and those of its checkpoint.
    fn places_of(&self, i: usize) -> Vec<usize> {
        let others = self.others.get(&i).into_iter().flatten();
        self.steps[i].node.iter().chain(others).copied().collect()
    }

    /// Whether nobody is at work on the nodes a step needs.
    fn is_free(&self, i: usize) -> bool {
        self.places_of(i).into_iter().all(|place| self.places[place].busy.is_none())
    }

    /// Steps with nothing left before them: gates without a proof are done at once, the rest is ready.
    fn unblock(&mut self, free: VecDeque<usize>, out: &mut Vec<Command>) {
        let mut queue = free;
        while let Some(i) = queue.pop_front() {
            if !self.is(i, Status::Waiting) {
                continue;
            }
            match self.steps[i].node {
                Some(_) => {
                    self.steps[i].status = Status::Ready;
                    for place in self.places_of(i) {
                        self.places[place].ready.insert(i);
                        self.stirred.insert(place);
                    }
                    if self.interrupts(i) {
                        self.exclusive.insert(i);
                    }
                }
                None if self.step(i).proof.is_empty() => {
                    self.steps[i].status = Status::Done;
                    out.push(Command::Emit(What::StepDone { step: self.step(i).id.clone(), took_ms: 0 }));
                    queue.extend(self.release(i));
                }
                None if self.stopping => {}
                None => self.start(i, out),
            }
        }
    }

    /// Takes one blocker off every step after `i`; those that have none left.
    fn release(&mut self, i: usize) -> Vec<usize> {
        let mut free = Vec::new();
        for k in 0..self.steps[i].after.len() {
            let next = self.steps[i].after[k];
            self.steps[next].blockers -= 1;
            if self.steps[next].blockers == 0 {
                free.push(next);
            }
        }
        free
    }

    fn start(&mut self, i: usize, out: &mut Vec<Command>) {
        let id = self.step(i).id.clone();
        let node = self.step(i).node.clone();
        self.steps[i].started_ms = self.now_ms;
        self.under_way += 1;
        for place in self.places_of(i) {
            self.places[place].ready.remove(&i);
            self.places[place].busy = Some(i);
        }
        if let Some(place) = self.steps[i].node.filter(|_| self.interrupts(i)) {
            self.exclusive.remove(&i);
            let held = self.holder.map_or(0, |(_, count)| count);
            self.holder = Some((place, held + 1));
        }
        self.steps[i].status = Status::Acting;
        out.push(Command::Emit(What::StepStarted { step: id, node }));
        if self.step(i).checkpoint.is_some() {
            self.steps[i].status = Status::Arming;
            out.push(Command::Arm(i));
        } else if self.step(i).action.is_some() {
            out.push(Command::Act(i));
        } else {
            self.acted(i, out);
        }
    }

    /// Tells where the checkpoint of a step is on all its nodes.
    fn tell(&self, i: usize, is: Guard, text: &str, out: &mut Vec<Command>) {
        for node in self.step(i).checkpoint.iter().flat_map(|c| &c.nodes) {
            out.push(Command::Emit(What::Checkpoint {
                step: self.step(i).id.clone(),
                node: node.clone(),
                is,
                text: text.to_owned(),
            }));
        }
    }

    fn armed(&mut self, i: usize, out: &mut Vec<Command>) {
        let seconds = self.step(i).checkpoint.as_ref().map_or(0, |c| c.seconds);
        let text = format!("undoes it by itself in {seconds} s unless told otherwise");
        self.tell(i, Guard::Armed, &text, out);
        self.steps[i].status = Status::Acting;
        out.push(Command::Act(i));
    }

    fn proven(&mut self, i: usize, out: &mut Vec<Command>) {
        if self.step(i).checkpoint.is_none() {
            return self.complete(i, out);
        }
        self.steps[i].retries = 0;
        self.steps[i].status = Status::Confirming;
        out.push(Command::Confirm(i));
    }

    fn confirmed(&mut self, i: usize, out: &mut Vec<Command>) {
        self.tell(i, Guard::Confirmed, "", out);
        self.leave_node(i);
        self.steps[i].retries = 0;
        if self.step(i).proof.iter().all(|(_, check)| checkpoint::counts(check)) {
            self.complete(i, out);
        } else {
            self.steps[i].status = Status::Settling;
            out.push(Command::Settle(i));
        }
    }

    fn recovered(&mut self, i: usize, nodes: &[Recovery], out: &mut Vec<Command>) {
        for Recovery { node, is, text, .. } in nodes {
            out.push(Command::Emit(What::Checkpoint {
                step: self.step(i).id.clone(),
                node: node.clone(),
                is: *is,
                text: text.clone(),
            }));
        }
        let fired = |r: &Recovery| r.is == Guard::Fired && r.whole;
        self.steps[i].healed = !nodes.is_empty() && nodes.iter().all(fired);
        let mut failure = self.steps[i].last.take().unwrap_or_else(|| Failure::broken("it failed"));
        if self.steps[i].healed {
            failure =
                failure.hint("its nodes are what they were before it: settle the cause, then apply again");
        }
        self.fail(i, failure, out);
    }

    fn acted(&mut self, i: usize, out: &mut Vec<Command>) {
        self.steps[i].retries = 0;
        if self.step(i).checkpoint.is_some() {
            // The node does nothing else before it is confirmed: that would go back as well.
            if self.step(i).proof.iter().any(|(_, check)| checkpoint::counts(check)) {
                self.steps[i].status = Status::Proving;
                out.push(Command::Emit(What::StepProving { step: self.step(i).id.clone() }));
                out.push(Command::Prove(i));
            } else {
                self.proven(i, out);
            }
            return;
        }
        self.leave_node(i);
        if self.step(i).proof.is_empty() {
            self.complete(i, out);
        } else {
            self.steps[i].status = Status::Proving;
            out.push(Command::Emit(What::StepProving { step: self.step(i).id.clone() }));
            out.push(Command::Prove(i));
        }
    }

    fn complete(&mut self, i: usize, out: &mut Vec<Command>) {
        self.end(i, Status::Done);
        let took_ms = self.now_ms.saturating_sub(self.steps[i].started_ms);
        out.push(Command::Emit(What::StepDone { step: self.step(i).id.clone(), took_ms }));
        let free = self.release(i);
        self.unblock(free.into(), out);
    }

    fn failed(&mut self, i: usize, failure: Failure, out: &mut Vec<Command>) {
        let again =
            failure.kind == FailureKind::Transient && self.steps[i].retries < RETRIES && !self.stopping;
        if again {
            let ms = FIRST_PAUSE_MS << self.steps[i].retries;
            self.steps[i].retries += 1;
            let text = format!("{}; trying again in {:.1} s", failure.message, f64::from(ms as u32) / 1000.0);
            out.push(Command::Emit(What::StepProgress { step: self.step(i).id.clone(), text }));
            out.push(Command::Pause { step: i, ms });
            self.steps[i].last = Some(failure);
            return;
        }
        let guarded = matches!(self.steps[i].status, Status::Acting | Status::Proving | Status::Confirming)
            && self.step(i).checkpoint.is_some();
        if !guarded {
            return self.fail(i, failure, out);
        }
        let kinds = [FailureKind::Refused, FailureKind::Ousted];
        let refused = self.is(i, Status::Acting) && kinds.contains(&failure.kind);
        let text = format!("{}; waits until its nodes have gone back", failure.message);
        self.steps[i].status = Status::Recovering;
        self.steps[i].last = Some(failure);
        if refused {
            out.push(Command::Release(i));
        } else {
            out.push(Command::Emit(What::StepProgress { step: self.step(i).id.clone(), text }));
            out.push(Command::Recover(i));
        }
    }

    fn fail(&mut self, i: usize, failure: Failure, out: &mut Vec<Command>) {
        self.leave_node(i);
        self.end(i, Status::Failed);
        out.push(Command::Emit(What::StepFailed { step: self.step(i).id.clone(), failure }));
        let mut after = self.steps[i].after.clone();
        if self.interrupts(i) {
            // Nobody has seen this node come back: no other one is interrupted on top of it.
            let place = self.steps[i].node;
            let others =
                (0..self.steps.len()).filter(|k| self.interrupts(*k) && self.steps[*k].node != place);
            after.extend(others);
        }
        self.skip(after, out);
    }

    fn due(&mut self, i: usize, out: &mut Vec<Command>) {
        let Some(failure) = self.steps[i].last.take() else { return };
        if self.stopping {
            return self.failed(i, failure, out);
        }
        out.push(match self.steps[i].status {
            // The time counts anew: what is tried again must not be undone under way.
            Status::Arming | Status::Acting if self.step(i).checkpoint.is_some() => {
                self.steps[i].status = Status::Arming;
                Command::Arm(i)
            }
            Status::Acting => Command::Act(i),
            Status::Confirming => Command::Confirm(i),
            Status::Settling => Command::Settle(i),
            _ => Command::Prove(i),
        });
    }

    fn lost(&mut self, node: &NodeName, out: &mut Vec<Command>) {
        let Some(place) = self.names.get(node).copied() else { return };
        let here = (0..self.steps.len()).filter(|i| self.steps[*i].node == Some(place)).collect();
        self.skip(here, out);
    }

    /// Gives up these steps, as far as they have not begun, and everything after them.
    fn skip(&mut self, steps: Vec<usize>, out: &mut Vec<Command>) {
        let mut skipped = BTreeSet::new();
        let mut queue = steps;
        while let Some(i) = queue.pop() {
            if !self.is(i, Status::Waiting) && !self.is(i, Status::Ready) {
                continue;
            }
            self.steps[i].status = Status::Skipped;
            self.exclusive.remove(&i);
            for place in self.places_of(i) {
                self.places[place].ready.remove(&i);
            }
            queue.extend(&self.steps[i].after);
            skipped.insert(i);
        }
        let emit = |i| Command::Emit(What::StepSkipped { step: self.step(i).id.clone() });
        out.extend(skipped.into_iter().map(emit));
    }

    /// The deed is over: its nodes may do another.
    fn leave_node(&mut self, i: usize) {
        for place in self.places_of(i) {
            if self.places[place].busy == Some(i) {
                self.places[place].busy = None;
                self.stirred.insert(place);
            }
        }
    }

    /// The step is over, proof included.
    fn end(&mut self, i: usize, status: Status) {
        self.steps[i].status = status;
        self.under_way -= 1;
        if self.interrupts(i)
            && let Some((place, count)) = self.holder
        {
            self.holder = (count > 1).then_some((place, count - 1));
        }
    }

    fn dispatch(&mut self, out: &mut Vec<Command>) {
        while !self.stopping {
            let Some(place) = self.stirred.pop_first() else { break };
            if self.places[place].busy.is_none()
                && let Some(i) = self.places[place].ready.iter().copied().find(|i| self.may_start(*i))
            {
                // A step without a deed leaves its node free for the next at once.
                self.stirred.insert(place);
                self.start(i, out);
            }
        }
        while !self.stopping && self.holder.is_none() {
            let Some(i) = self.exclusive.iter().copied().find(|i| self.is_free(*i)) else { break };
            self.start(i, out);
        }
    }

    fn may_start(&self, i: usize) -> bool {
        let turn =
            !self.interrupts(i) || self.holder.is_none_or(|(place, _)| self.steps[i].node == Some(place));
        turn && self.is_free(i)
    }

    fn finish_if_over(&mut self, out: &mut Vec<Command>) {
        if self.under_way > 0 {
            return;
        }
        // Nothing is under way and nothing was started: what is left will not be.
        let left: Vec<usize> = (0..self.steps.len()).collect();
        self.skip(left, out);
        self.finished = true;
        let (done, failed, skipped) = self.counts();
        let outcome = match (failed, skipped) {
            (0, 0) => Outcome::Done,
            (0, _) if self.stopping => Outcome::Stopped,
            _ => Outcome::Failed,
        };
        out.push(Command::Emit(What::RunFinished { outcome, done, failed, skipped }));
        out.push(Command::Finish(outcome));
    }
}

impl Progress {
    fn new(node: Option<usize>) -> Self {
        Self {
            status: Status::Waiting,
            blockers: 0,
            after: Vec::new(),
            node,
            retries: 0,
            last: None,
            started_ms: 0,
            healed: false,
        }
    }
}

#[cfg(test)]
mod tests;
