//! The lock of simulated nodes, and what they remember of steps: as `agent/lock.rs` and `agent/log.rs` have it, by
//! lines rather than by files and processes.
//!
//! Used by the agents of `sim`. A deed is refused on a line without the lock only where somebody has it: whoever never
//! asks for one is not asked for one.

use std::collections::BTreeMap;

pub(super) use ringbolt_core::lock::Fate;
use ringbolt_core::lock::{Claim, Condition, Holder, Recalled, Standing};
use ringbolt_core::name::{NodeName, StepId};
use ringbolt_core::wire::{Deed, Failure};

/// Who has which node.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<NodeName, Held>,
    lines: BTreeMap<u64, Line>,
    opened: u64,
    /// Steps under way.
    busy: BTreeMap<NodeName, StepId>,
    /// Deeds done on a node so far.
    deeds: BTreeMap<NodeName, u64>,
    log: BTreeMap<(NodeName, String, StepId), Fate>,
}

struct Held {
    claim: Claim,
    line: u64,
    alive: bool,
}

/// What is known of a line.
struct Line {
    /// The claim that had the lock over it.
    had: String,
    /// Deeds that were done on the node without it.
    known: u64,
}

impl Locks {
    /// A line begins; its number.
    pub(super) fn open(&mut self, node: &NodeName) -> u64 {
        self.opened += 1;
        let known = self.deeds.get(node).copied().unwrap_or(0);
        self.lines.insert(self.opened, Line { had: String::new(), known });
        self.opened
    }

    /// A line is over: its lock is let go, once what is under way is done.
    pub(super) fn close(&mut self, node: &NodeName, line: u64) {
        self.lines.remove(&line);
        if let Some(held) = self.held.get_mut(node).filter(|held| held.line == line) {
            held.alive = false;
            if !self.busy.contains_key(node) {
                self.held.remove(node);
            }
        }
    }

    pub(super) fn hold(&mut self, node: &NodeName, line: u64, claim: Claim) -> Standing {
        let before = self.holder(node).filter(|holder| holder.claim.id != claim.id);
        let known = self.lines.get(&line);
        let had = known.is_some_and(|l| l.had == claim.id);
        match before {
            Some(holder) if had => return Standing::Ousted { by: Some(holder) },
            Some(holder) if !claim.steal => return Standing::Held(holder),
            _ => {}
        }
        let moved = self.deeds.get(node).copied().unwrap_or(0) > known.map_or(0, |l| l.known);
        if let Some(own) = self.lines.get_mut(&line) {
            own.had.clone_from(&claim.id);
        }
        self.held.insert(node.clone(), Held { claim, line, alive: true });
        Standing::Granted { before, moved }
    }

    pub(super) fn release(&mut self, node: &NodeName, line: u64) {
        if self.held.get(node).is_some_and(|held| held.line == line) {
            self.held.remove(node);
        }
    }

    pub(super) fn recall(&self, node: &NodeName, run: &str, steps: &[StepId]) -> Recalled {
        let fate = |step: &StepId| {
            let key = (node.clone(), run.to_owned(), step.clone());
            self.log.get(&key).cloned().unwrap_or(Fate::Never)
        };
        Recalled { fates: steps.iter().map(fate).collect(), holder: self.holder(node) }
    }

    fn holder(&self, node: &NodeName) -> Option<Holder> {
        let held = self.held.get(node)?;
        let condition = match (held.alive, self.busy.get(node)) {
            (true, _) => Condition::Live,
            (false, Some(step)) => Condition::Finishing { step: step.clone() },
            (false, None) => Condition::Over,
        };
        Some(Holder { claim: held.claim.clone(), condition })
    }

    /// A deed begins.
    pub(super) fn begin(&mut self, node: &NodeName, line: u64, deed: &Deed) -> Result<(), Failure> {
        if self.held.get(node).is_some_and(|held| held.line != line) {
            return Err(Failure::ousted(format!("{node}: the lock is somebody else's")));
        }
        self.busy.insert(node.clone(), deed.step.clone());
        self.note(node, deed, Fate::Begun);
        Ok(())
    }

    /// A deed is over, one way or another.
    pub(super) fn end(&mut self, node: &NodeName, line: u64, deed: &Deed, fate: Fate) {
        self.busy.remove(node);
        self.note(node, deed, fate);
        *self.deeds.entry(node.clone()).or_insert(0) += 1;
        if let Some(own) = self.lines.get_mut(&line) {
            own.known += 1;
        }
        if self.held.get(node).is_some_and(|held| held.line == line && !held.alive) {
            self.held.remove(node);
        }
    }

    fn note(&mut self, node: &NodeName, deed: &Deed, fate: Fate) {
        self.log.insert((node.clone(), deed.run.clone(), deed.step.clone()), fate);
    }
}
