//! The lock of this node: `/run/ringbolt/lock`, locked in the kernel (`flock`) by the agent that holds it.
//!
//! The kernel frees it with its holder, however that one ended; what the file says tells others whose it is, what it
//! is at, and when its controller was heard of last. It is taken from a live holder by putting another file in its
//! place: the old holder looks before every deed whether the file is still its own. Used by `serve` alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringbolt_core::json;
use ringbolt_core::lock::{Claim, Condition, Holder, LEASE_SECONDS, Standing};
use ringbolt_core::name::StepId;
use ringbolt_core::wire::Failure;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::root::Root;
use crate::stop::Stop;
use crate::{log, orphans};

/// Where it is. A boot forgets it: what held it is gone as well.
const PATH: &str = "/run/ringbolt/lock";

/// Most bytes of the file that are read.
const LONGEST: usize = 16 * 1024;

/// The lock as one agent has it.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    /// Length of the node's log when this agent began.
    log: u64,
    now: fn() -> u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    mine: Option<Mine>,
    /// Claim that was ours here and was taken away: it gets no second chance.
    ousted: Option<String>,
    log_read: u64,
}

/// A file of ours.
#[derive(Debug)]
struct Mine {
    file: File,
    record: Record,
    /// The file it was taken from, while its holder is in the middle of a step.
    victim: Option<File>,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    claim: Claim,
    /// Mark of the agent, also in the environment of everything it starts.
    agent: String,
    /// Its session: what it starts stays in it, daemons leave it.
    session: i32,
    /// Seconds since boot at which its controller was heard of last.
    heard: u64,
    /// The step it is at.
    doing: Option<StepId>,
    /// Its controller is gone: it finishes its step and ends.
    gone: bool,
}

/// A step under way; dropped, it is over.
#[derive(Debug)]
pub(crate) struct Doing<'a>(&'a Lock);

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.0.change(|record| record.doing = None);
    }
}

impl Lock {
    /// Of a node, held by nobody here.
    pub(crate) fn new(root: &Root) -> Self {
        Self { path: root.at(PATH), log: log::length(root), now: uptime, inner: Mutex::default() }
    }

    /// Takes the lock, or says that its controller is still there.
    pub(crate) fn hold(&self, claim: Claim, root: &Root) -> Result<Standing, Failure> {
        let mut inner = self.inner();
        if inner.ousted.as_ref() == Some(&claim.id)
            || (inner.is_of(&claim.id) && !inner.is_current(&self.path))
        {
            inner.oust(&claim.id);
            return Ok(Standing::Ousted { by: self.seen() });
        }
        if let Some(mine) = inner.mine.as_mut().filter(|mine| mine.record.claim.id == claim.id) {
            mine.record.heard = (self.now)();
            mine.record.claim = Claim { steal: false, ..claim };
            mine.record.save(&mine.file).map_err(|e| self.fault(&e))?;
            return Ok(mine
                .still_at_work()
                .map_or(Standing::Granted { before: None, moved: false }, Standing::Held));
        }
        inner.mine = None;
        inner.log_read = log::length(root);
        let taken = self.take(&mut inner, &claim).map_err(|e| self.fault(&e))?;
        Ok(match (taken, inner.mine.as_mut().and_then(Mine::still_at_work)) {
            (_, Some(holder)) => Standing::Held(holder),
            (Standing::Granted { before, .. }, None) => {
                Standing::Granted { before, moved: inner.log_read != self.log }
            }
            (other, None) => other,
        })
    }

    /// Who has the lock, should there be anybody.
    pub(crate) fn holder(&self) -> Option<Holder> {
        self.seen()
    }

    /// Notes a step as begun. Refused unless the lock is this agent's and still in its place; waits for the step of
    /// an older line that is not over yet.
    pub(crate) fn begin(&self, step: &StepId, stop: &Stop) -> Result<Doing<'_>, Failure> {
        while self.inner().mine.as_mut().is_some_and(|mine| mine.still_at_work().is_some()) {
            if stop.sleep(Duration::from_millis(200)) {
                return Err(Failure::refused("cancelled before it began"));
            }
        }
        let mut inner = self.inner();
        let Some(mine) = inner.mine.as_mut() else {
            return Err(refused(if inner.ousted.is_some() { self.seen() } else { None }));
        };
        // First the note, then the look: whoever puts another file in place looks for the note after that.
        mine.record.doing = Some(step.clone());
        mine.record.save(&mine.file).map_err(|e| self.fault(&e))?;
        if is_at(&mine.file, &self.path) {
            drop(inner);
            return Ok(Doing(self));
        }
        mine.record.doing = None;
        let _ = mine.record.save(&mine.file);
        let id = mine.record.claim.id.clone();
        inner.oust(&id);
        Err(refused(self.seen()))
    }

    /// Whether the controller has been silent for longer than the lease.
    pub(crate) fn is_forsaken(&self) -> bool {
        let inner = self.inner();
        inner.mine.as_ref().is_some_and(|mine| mine.record.expired((self.now)()))
    }

    /// The controller is gone: others need not wait for it, only for what is under way.
    pub(crate) fn forsake(&self) {
        self.change(|record| record.gone = true);
    }

    /// Lets the lock go.
    pub(crate) fn release(&self) {
        let mut inner = self.inner();
        if inner.mine.is_some() && inner.is_current(&self.path) {
            // Still locked in the kernel: whoever opens it before this finds it gone from its place.
            let _ = std::fs::remove_file(&self.path);
        }
        inner.mine = None;
        inner.ousted = None;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        if let Some(mine) = self.inner().mine.as_mut() {
            change(&mut mine.record);
            let _ = mine.record.save(&mine.file);
        }
    }

    fn fault(&self, error: &std::io::Error) -> Failure {
        Failure::broken(format!("cannot take the lock {}: {error}", self.path.display()))
    }

    /// Who the file says it is.
    fn seen(&self) -> Option<Holder> {
        let file = File::open(&self.path).ok()?;
        let record = Record::read(&file)?;
        let free = flock(&file, FlockOperation::NonBlockingLockShared).is_ok();
        let now = (self.now)();
        let condition =
            if free { record.remains() } else { record.condition(now).unwrap_or(Condition::Over) };
        Some(Holder { claim: record.claim, condition })
    }

    fn take(&self, inner: &mut Inner, claim: &Claim) -> std::io::Result<Standing> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // Each turn somebody else has taken it or let it go in between.
        for _ in 0..100 {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&self.path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if !is_at(&file, &self.path) => {}
                Ok(()) => return self.take_free(inner, claim, file),
                Err(Errno::WOULDBLOCK) => match Record::patiently(&file) {
                    // Just made by its holder, or just let go.
                    None => std::thread::sleep(Duration::from_millis(2)),
                    Some(record) => return self.take_held(inner, claim, file, record),
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(std::io::Error::other("it changes hands all the time"))
    }

    /// Nobody has it; what is in it is of one who has ended.
    fn take_free(&self, inner: &mut Inner, claim: &Claim, file: File) -> std::io::Result<Standing> {
        let before = Record::read(&file).filter(|old| old.claim.id != claim.id);
        if let Some(old) = &before {
            let condition = old.remains();
            if condition != Condition::Over && !claim.steal {
                return Ok(Standing::Held(Holder { claim: old.claim.clone(), condition }));
            }
        }
        inner.mine = Some(self.own(claim, file, None)?);
        let before = before.map(|old| Holder { claim: old.claim, condition: Condition::Over });
        Ok(Standing::Granted { before, moved: false })
    }

    /// A living agent has it: that of the same call on an older line, one to be robbed, or one to be respected.
    fn take_held(
        &self,
        inner: &mut Inner,
        claim: &Claim,
        old: File,
        record: Record,
    ) -> std::io::Result<Standing> {
        let same = record.claim.id == claim.id;
        let condition = record.condition((self.now)());
        if let (false, false, Some(condition)) = (same, claim.steal, condition.clone()) {
            return Ok(Standing::Held(Holder { claim: record.claim, condition }));
        }
        let fresh = self.path.with_file_name(format!("lock.{}", orphans::mark()));
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        let placed = flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(std::io::Error::from)
            .and_then(|()| self.own(claim, file, Some(old)))
            .and_then(|mine| std::fs::rename(&fresh, &self.path).map(|()| mine));
        match placed {
            Ok(mine) => inner.mine = Some(mine),
            Err(error) => {
                let _ = std::fs::remove_file(&fresh);
                return Err(error);
            }
        }
        let before = (!same)
            .then_some(Holder { claim: record.claim, condition: condition.unwrap_or(Condition::Over) });
        Ok(Standing::Granted { before, moved: false })
    }

    fn own(&self, claim: &Claim, file: File, victim: Option<File>) -> std::io::Result<Mine> {
        let record = Record {
            claim: Claim { steal: false, ..claim.clone() },
            agent: orphans::mark().to_owned(),
            session: orphans::session(),
            heard: (self.now)(),
            doing: None,
            gone: false,
        };
        record.save(&file)?;
        Ok(Mine { file, record, victim })
    }
}

impl Inner {
    fn is_of(&self, id: &str) -> bool {
        self.mine.as_ref().is_some_and(|mine| mine.record.claim.id == id)
    }

    /// Whether our file is still the one in its place.
    fn is_current(&self, path: &Path) -> bool {
        self.mine.as_ref().is_some_and(|mine| is_at(&mine.file, path))
    }

    fn oust(&mut self, id: &str) {
        self.ousted = Some(id.to_owned());
        // The step under way goes on to note its end in the file that was ours: the other one waits for that.
        if self.mine.as_ref().is_some_and(|mine| mine.record.doing.is_none()) {
            self.mine = None;
        }
    }
}

impl Mine {
    /// The holder it was taken from, while that one is in the middle of a step.
    fn still_at_work(&mut self) -> Option<Holder> {
        let victim = self.victim.as_ref()?;
        let record = Record::patiently(victim);
        let alive = flock(victim, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK);
        if let (true, Some(Record { claim, doing: Some(step), .. })) = (alive, record) {
            return Some(Holder { claim, condition: Condition::Finishing { step } });
        }
        self.victim = None;
        None
    }
}

impl Record {
    fn save(&self, file: &File) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        file.write_all_at(&text, 0)?;
        file.set_len(text.len() as u64)
    }

    fn read(file: &File) -> Option<Self> {
        let mut text = vec![0; LONGEST];
        let length = file.read_at(&mut text, 0).ok()?;
        let line = text[..length].split(|byte| *byte == b'\n').next()?;
        json::read(line).ok()
    }

    /// The same, again when it was caught half written.
    fn patiently(file: &File) -> Option<Self> {
        (0..5).find_map(|turn| {
            if turn > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            Self::read(file)
        })
    }

    fn expired(&self, now: u64) -> bool {
        now.saturating_sub(self.heard) > LEASE_SECONDS
    }

    /// How it is about a holder whose agent lives; `None` when it may be passed over.
    fn condition(&self, now: u64) -> Option<Condition> {
        match (&self.doing, self.gone || self.expired(now)) {
            (_, false) => Some(Condition::Live),
            (Some(step), true) => Some(Condition::Finishing { step: step.clone() }),
            // About to end; or stopped in its tracks, and not heard of for a lease.
            (None, true) if !self.expired(now) => Some(Condition::Finishing { step: "".into() }),
            (None, true) => None,
        }
    }

    /// What is left of a holder whose agent has ended.
    fn remains(&self) -> Condition {
        let programs = orphans::of(&self.agent, self.session);
        match (&self.doing, programs.is_empty()) {
            (_, true) => Condition::Over,
            (step, false) => {
                Condition::Leftover { step: step.clone().unwrap_or_else(|| "".into()), programs }
            }
        }
    }
}

fn refused(by: Option<Holder>) -> Failure {
    match by {
        Some(Holder { claim, .. }) => Failure::ousted(format!(
            "not begun: {} has the lock of the cluster for its {}",
            claim.owner, claim.purpose
        )),
        None => Failure::ousted("not begun: this run does not hold the lock of the cluster on this node"),
    }
    .hint("`ringbolt explain RB0562` tells more")
}

fn is_at(file: &File, path: &Path) -> bool {
    let here = file.metadata().map(|m| (m.dev(), m.ino()));
    match (here, std::fs::metadata(path)) {
        (Ok(here), Ok(there)) => here == (there.dev(), there.ino()),
        (_, Err(error)) if error.kind() == ErrorKind::NotFound => false,
        _ => false,
    }
}

/// Seconds since boot, sleep included: no clock that is set can make a holder look old.
fn uptime() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
#[path = "lock_test.rs"]
mod tests;
