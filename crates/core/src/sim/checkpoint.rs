//! The checkpoint of a simulated node, as `agent/checkpoint` has it: what is there is kept, and goes back
//! when nobody confirms.
//!
//! Used by whoever lets simulated nodes answer; that one keeps the time and calls [`Cluster::heal`]. A boot
//! heals by itself.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{Cluster, Node, stanza};
use crate::checkpoint::{ARMED, Armed, Cause, FIRED, Fired, Order, covers, generated};
use crate::facts::network::is_local;
use crate::facts::{FileFact, UnitFact};
use crate::into_set::IntoSet;
use crate::name::{NodeName, StepId};
use crate::wire::Failure;

/// FRR's unit.
const FRR: &str = "frr.service";

/// What a node keeps for its checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Checkpoint {
    armed: Option<Armed>,
    saved: Saved,
    /// What covered files were before changes that no confirmation has covered yet.
    pending: BTreeMap<String, Copy>,
    asked: bool,
    /// The time is over, or it was asked for: what is armed is being undone.
    healing: bool,
}

/// What the node goes back to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Saved {
    files: BTreeMap<String, Copy>,
    frr: UnitFact,
    addresses: Vec<(String, IpNet)>,
}

/// A file as it was, and the digest of what we know to be there instead; empty for nothing.
#[derive(Clone, Debug, PartialEq)]
struct Copy {
    was: Option<FileFact>,
    now: String,
}

impl Cluster {
    /// Obeys an order; says in a word what it did. What an order to heal calls for is left to [`Cluster::heal`].
    pub fn checkpoint(&mut self, name: &NodeName, order: &Order) -> Result<String, Failure> {
        let clock = self.clock;
        let node = self.node(name)?;
        match order {
            Order::Arm { run, step, seconds } => node.arm(run, step, *seconds, clock),
            Order::Confirm { run, step } => {
                node.own(run, step)?;
                node.disarm();
                node.facts.state.files.remove(FIRED);
                Ok(String::new())
            }
            Order::Heal { run, step } => {
                node.own(run, step)?;
                node.checkpoint.asked = true;
                Ok("undoes the step now".to_owned())
            }
            Order::Forget => {
                node.facts.state.files.remove(FIRED);
                Ok(String::new())
            }
        }
    }

    /// The checkpoint a node waits in.
    pub fn armed(&self, name: &NodeName) -> Option<&Armed> {
        self.nodes.get(name)?.checkpoint.armed.as_ref()
    }

    /// Begins to undo what is armed on a node with power; false when that is something else, or goes on already.
    /// From here on nothing can be confirmed.
    pub fn begin_healing(&mut self, name: &NodeName, armed: &Armed) -> bool {
        if self.off.contains(name) {
            return false;
        }
        let checkpoint = self.nodes.get_mut(name).map(|node| &mut node.checkpoint);
        let due = checkpoint.filter(|c| c.armed.as_ref() == Some(armed) && !c.healing);
        due.is_some_and(|checkpoint| {
            checkpoint.healing = true;
            true
        })
    }

    /// Undoes what is armed on a node with power; what became of it, `None` where there is nothing to undo.
    pub fn heal(&mut self, name: &NodeName) -> Option<Fired> {
        if self.off.contains(name) {
            return None;
        }
        let clock = self.clock;
        let fired = self.nodes.get_mut(name)?.heal(clock, false)?;
        self.settle_near(name);
        Some(fired)
    }
}

impl Node {
    fn arm(&mut self, run: &str, step: &StepId, seconds: u32, clock: u64) -> Result<String, Failure> {
        let again = match &self.checkpoint.armed {
            Some(there) if (&*there.run, &there.step) != (run, step) => return Err(waits(there)),
            there => there.is_some(),
        };
        // A step that is tried again goes back to what was there before its first try.
        if !again {
            self.checkpoint.saved = self.look();
        }
        let armed = Armed {
            run: run.to_owned(),
            step: step.clone(),
            seconds,
            at: clock,
            boot: self.facts.inventory.boot_id.clone(),
            program: "simulated".into(),
        };
        self.checkpoint.asked = false;
        self.report(ARMED, &armed);
        self.checkpoint.armed = Some(armed);
        Ok(format!("{} files kept, undone in {seconds} s", self.checkpoint.saved.files.len()))
    }

    /// Refuses unless this very step is armed.
    fn own(&self, run: &str, step: &StepId) -> Result<(), Failure> {
        match &self.checkpoint.armed {
            Some(there) if there.run == run && there.step == *step && self.checkpoint.healing => {
                Err(Failure::refused(format!("{step} is being undone")))
            }
            Some(there) if there.run == run && there.step == *step => Ok(()),
            Some(other) => Err(waits(other)),
            None => Err(match crate::checkpoint::fired(&self.facts) {
                Some(fired) if fired.run == run && fired.step == *step => Failure::refused(fired.in_words()),
                _ => Failure::refused(format!("no checkpoint of {step} is armed")),
            }),
        }
    }

    fn disarm(&mut self) {
        self.facts.state.files.remove(ARMED);
        self.checkpoint = Checkpoint::default();
    }

    fn report(&mut self, path: &str, what: &impl serde::Serialize) {
        let text = serde_json::to_string(what).unwrap_or_default();
        self.put(path, &text, 0o600);
    }

    /// Takes note of a covered file that is about to be written: what it was before the first change that
    /// nobody has confirmed.
    pub(super) fn note(&mut self, path: &str, after: &str) {
        if !covers(path) {
            return;
        }
        let was = self.facts.state.files.get(path).cloned();
        match self.checkpoint.pending.get_mut(path) {
            // Our own change upon our own change.
            Some(copy) if copy.now == digest(was.as_ref()) => after.clone_into(&mut copy.now),
            _ => {
                let copy = Copy { was, now: after.to_owned() };
                self.checkpoint.pending.insert(path.to_owned(), copy);
            }
        }
    }

    /// What there is to go back to, as of now.
    fn look(&self) -> Saved {
        let mut pending = self.checkpoint.pending.clone();
        let mut files = BTreeMap::new();
        for path in self.present() {
            let was = self.facts.state.files.get(&path).cloned();
            let now = digest(was.as_ref());
            let kept = pending.remove(&path).filter(|copy| copy.now == now);
            files.insert(path, kept.unwrap_or(Copy { was, now }));
        }
        files.extend(pending.into_iter().filter(|(_, copy)| copy.now.is_empty()));
        let interfaces = self.facts.inventory.interfaces.iter();
        let addresses = interfaces.flat_map(|(name, i)| i.addresses.iter().map(|a| (name.clone(), *a)));
        Saved {
            files,
            frr: self.facts.state.units.get(FRR).cloned().unwrap_or_default(),
            addresses: addresses.filter(|(_, address)| !is_local(address)).collect(),
        }
    }

    /// Every covered file that is there, and those with fixed names that are not.
    fn present(&self) -> BTreeSet<String> {
        let there = self.facts.state.files.keys().filter(|path| covers(path)).cloned();
        crate::checkpoint::files().map(str::to_owned).chain(there).into_set()
    }

    /// Goes back to what was kept; at boot only the files do.
    pub(super) fn heal(&mut self, clock: u64, boot: bool) -> Option<Fired> {
        let Checkpoint { armed, saved, asked, .. } = self.checkpoint.clone();
        let armed = armed?;
        let mut left = Vec::new();
        let (changed, back) = self.put_files_back(&saved, &mut left);
        if !boot {
            self.put_live_back(&armed, &saved, &changed, &mut left);
        }
        let cause = match (boot || armed.boot != self.facts.inventory.boot_id, asked) {
            (true, _) => Cause::Boot,
            (false, true) => Cause::Asked,
            (false, false) => Cause::Time,
        };
        let Armed { run, step, seconds, at, .. } = armed;
        let fired = Fired { run, step, seconds, armed: at, at: clock, cause, back, left };
        self.report(FIRED, &fired);
        self.disarm();
        Some(fired)
    }

    /// Paths that are back, and the same in words.
    fn put_files_back(&mut self, saved: &Saved, left: &mut Vec<String>) -> (Vec<String>, Vec<String>) {
        let (mut changed, mut back) = (Vec::new(), Vec::new());
        let new: Vec<String> = self.present().into_iter().filter(|p| !saved.files.contains_key(p)).collect();
        for (path, copy) in &saved.files {
            let now = digest(self.facts.state.files.get(path));
            if now == digest(copy.was.as_ref()) {
                continue;
            }
            if !generated(path) && now != copy.now {
                left.push(format!("{path} was changed by somebody else meanwhile and is left"));
                continue;
            }
            let what = if copy.was.is_some() { "put back" } else { "removed" };
            match copy.was.clone() {
                Some(was) => drop(self.facts.state.files.insert(path.clone(), was)),
                None => drop(self.facts.state.files.remove(path)),
            }
            back.push(format!("{path} {what}"));
            changed.push(path.clone());
        }
        for path in new {
            if generated(&path) {
                self.facts.state.files.remove(&path);
                back.push(format!("{path} removed"));
                changed.push(path);
            } else {
                left.push(format!("{path} was made meanwhile and is left"));
            }
        }
        (changed, back)
    }

    /// What runs becomes what the files say.
    fn put_live_back(&mut self, armed: &Armed, saved: &Saved, changed: &[String], left: &mut Vec<String>) {
        let done = self.take_back_all_but_files(&armed.run, &armed.step);
        left.extend(done.err().map(|failure| failure.message));
        stanza::ifreload(self);
        if saved.frr.load == "loaded" {
            let active = saved.frr.active == "active";
            let mut done = self.make_unit(FRR, &saved.frr);
            if active && changed.iter().any(|path| path.starts_with("/etc/frr/")) {
                done = done.and_then(|()| self.start(FRR));
            }
            left.extend(done.err().map(|failure| failure.message));
        }
        left.extend(saved.addresses.iter().filter_map(|(name, address)| {
            let there = self.facts.inventory.interfaces.get(name)?;
            let back = there.addresses.iter().any(|a| a.addr() == address.addr());
            (!back).then(|| format!("{name} has no {address}"))
        }));
    }
}

/// Digest of a file; empty for none.
fn digest(file: Option<&FileFact>) -> String {
    file.map_or(String::new(), |f| f.digest.clone())
}

fn waits(there: &Armed) -> Failure {
    let until = crate::checkpoint::utc(there.until());
    Failure::refused(format!(
        "it waits for the confirmation of {} of run {} until {until}",
        there.step, there.run
    ))
    .hint("wait until it has undone that by itself, then run again")
}
