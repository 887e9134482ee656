//! The loop on standard input and output: greets, takes requests, answers each exactly once.
//!
//! Requests overlap, each in a thread of its own; actions queue up and run one at a time. The end
//! of input stops what can be stopped, lets an action under way finish, and ends the agent.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ringbolt_core::action::Action;
use ringbolt_core::facts::Question;
use ringbolt_core::lock::Recalled;
use ringbolt_core::paths::stranger;
use ringbolt_core::wire::{Ask, Deed, Failure, Hello, Request, Say};

use crate::act::{Scene, carry_out};
use crate::bench::measure;
use crate::frame::{Fault, Out, next};
use crate::lock::Lock;
use crate::look::look;
use crate::ping::ping;
use crate::read::{Areas, facts};
use crate::root::Root;
use crate::stop::Stop;
use crate::{checkpoint, install, log};

/// Time between two signs of life while a request is under way.
const ALIVE: Duration = Duration::from_secs(5);

/// How the agent is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Top of the node's file tree: `/`, in tests another folder.
    pub root: PathBuf,
    /// Where the Thunderbolt part of sysfs is read, instead of `/sys` or what a lab node names.
    pub sysfs: Option<PathBuf>,
    /// Compute the digest of the running file even when its name tells it.
    pub verify_self: bool,
    /// The agent runs from an upload and is to put itself in place first.
    pub install: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), sysfs: None, verify_self: false, install: false }
    }
}

/// Serves on standard input and output until the other end says bye or goes away. The exit status:
/// 0, or 1 when the agent could not put itself in place.
#[must_use]
pub fn serve(options: &Options) -> u8 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // The bare stream: a frame goes out whole, without a search for line ends.
    let Ok(stdout) = std::io::stdout().as_fd().try_clone_to_owned() else { return 1 };
    let out = Out::new(std::fs::File::from(stdout));
    let program = std::env::current_exe().unwrap_or_default();
    let installed = if options.install { install::install(&program) } else { Ok(program) };
    let known = installed.and_then(|program| Ok((install::build(&program, options.verify_self)?, program)));
    match known {
        Ok((build, program)) => {
            install::tidy(&program);
            serve_on(options, build, program, std::io::stdin(), out);
            0
        }
        Err(error) => {
            out.say(0, Say::Failed(Failure::broken(error.to_string())));
            1
        }
    }
}

/// Undoes the step of the armed checkpoint, if there is one; run by systemd. The exit status: 0, or 1 when
/// not all could be undone and it is to be tried again.
#[must_use]
pub fn heal(options: &Options, boot: bool) -> u8 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let root = Root::open(&options.root, options.sysfs.as_deref());
    let (text, status) = match checkpoint::heal(&root, &checkpoint::Real, boot) {
        Ok(Some(fired)) => (fired.in_words(), 0),
        Ok(None) => ("no checkpoint is armed".to_owned(), 0),
        Err(failure) => (failure.message, 1),
    };
    // For the journal of the unit.
    let _ = writeln!(std::io::stderr(), "{text}");
    status
}

/// What the loop hears.
enum Event {
    /// A line from the other end.
    Frame(Box<Result<Request, Fault>>),
    /// The other end is gone.
    End,
    /// A request has been answered.
    Answered(u64),
}

/// Serves on any pair of streams.
fn serve_on(options: &Options, build: String, program: PathBuf, input: impl Read + Send + 'static, out: Out) {
    out.say(0, Say::Hello(hello(build)));
    let (events, heard) = channel();
    let lines = events.clone();
    std::thread::spawn(move || listen(input, &lines));
    let root = Arc::new(Root::open(&options.root, options.sysfs.as_deref()));
    let (deeds, queue) = channel();
    let lock = Arc::new(Lock::new(&root));
    let desk = Desk { root: Arc::clone(&root), program: program.into(), lock, out, events };
    let worker = desk.clone();
    std::thread::spawn(move || worker.work(&queue));
    Session { desk, deeds, requests: BTreeMap::new(), ending: None }.run(&heard);
    checkpoint::tidy(&root);
}

fn hello(build: String) -> Hello {
    Hello { version: env!("CARGO_PKG_VERSION").to_owned(), build, arch: std::env::consts::ARCH.to_owned() }
}

/// Reads frames until there are no more.
fn listen(input: impl Read, events: &Sender<Event>) {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    while let Ok(Some(frame)) = next(&mut input) {
        if events.send(Event::Frame(Box::new(frame))).is_err() {
            return;
        }
    }
    let _ = events.send(Event::End);
}

/// An action waiting for its turn.
struct Order {
    id: u64,
    deed: Deed,
    stop: Arc<Stop>,
}

/// What every answering thread needs.
#[derive(Clone)]
struct Desk {
    root: Arc<Root>,
    lock: Arc<Lock>,
    /// The agent's own file.
    program: Arc<Path>,
    out: Out,
    events: Sender<Event>,
}

impl Desk {
    /// Answers a request by what `work` gives; should it panic, by a failure that says so.
    fn answer(&self, id: u64, work: impl FnOnce() -> Result<Say, Failure>) {
        let said = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            Err(Failure::broken("the agent has a bug: this request made it panic").hint("please report it"))
        });
        self.out.say(id, said.unwrap_or_else(Say::Failed));
        let _ = self.events.send(Event::Answered(id));
    }

    /// Carries out actions, one at a time, in the order they came.
    fn work(&self, queue: &Receiver<Order>) {
        for Order { id, deed, stop } in queue {
            self.answer(id, || self.act(id, &deed, &stop));
        }
    }

    fn act(&self, id: u64, deed: &Deed, stop: &Stop) -> Result<Say, Failure> {
        if stop.is_set() {
            return Err(Failure::refused("cancelled before it began"));
        }
        // A key for the first contact is put on a node before there is a cluster to lock.
        let free = matches!(deed.action, Action::AuthorizeKey { .. });
        let _doing = if free { None } else { Some(self.lock.begin(&deed.step, stop)?) };
        self.record(deed, "begun", "");
        let say = |text: String| self.out.say(id, Say::Progress { text });
        let scene = Scene { root: &self.root, run: &deed.run, step: &deed.step, stop, say: &say };
        match carry_out(&scene, &deed.action, deed.expect.as_deref()) {
            Ok(note) => {
                self.record(deed, "done", &note);
                Ok(Say::Done { note })
            }
            Err(failure) => {
                self.record(deed, "failed", &failure.message);
                Err(failure)
            }
        }
    }

    /// Writes to the node's log. A full disk must not keep an action from being answered: it is
    /// told on standard error only.
    fn record(&self, deed: &Deed, outcome: &str, note: &str) {
        if let Err(error) = log::append(&self.root, deed, outcome, note) {
            let _ = writeln!(std::io::stderr(), "cannot write the log: {error}");
        }
    }
}

/// The state of the loop.
struct Session {
    desk: Desk,
    deeds: Sender<Order>,
    /// Requests under way.
    requests: BTreeMap<u64, Arc<Stop>>,
    /// Id of the bye to answer at the end, 0 for none; set once the session draws to its close.
    ending: Option<u64>,
}

impl Session {
    fn run(mut self, heard: &Receiver<Event>) {
        let mut alive = Instant::now() + ALIVE;
        while self.ending.is_none() || !self.requests.is_empty() {
            match heard.recv_timeout(alive.saturating_duration_since(Instant::now())) {
                Ok(Event::Frame(frame)) => match *frame {
                    Ok(request) => self.take(request),
                    Err(fault) => self.fail(fault.id, &fault.what),
                },
                Ok(Event::Answered(id)) => drop(self.requests.remove(&id)),
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => self.close(0),
                Err(RecvTimeoutError::Timeout) => {
                    self.requests.keys().for_each(|id| self.desk.out.say(*id, Say::Alive));
                    alive = Instant::now() + ALIVE;
                    // A controller that is cut off says no farewell.
                    if self.desk.lock.is_forsaken() {
                        self.close(0);
                    }
                }
            }
        }
        self.desk.lock.release();
        if let Some(id @ 1..) = self.ending {
            self.desk.out.say(id, Say::Done { note: String::new() });
        }
    }

    fn fail(&self, id: u64, what: &str) {
        self.desk.out.say(id, Say::Failed(Failure::refused(what)));
    }

    /// Stops what can be stopped; the loop ends when all is answered.
    fn close(&mut self, bye: u64) {
        self.requests.values().for_each(|stop| stop.set());
        self.desk.lock.forsake();
        self.ending.get_or_insert(bye);
    }

    fn take(&mut self, request: Request) {
        let Request { id, body } = request;
        if self.ending.is_some() {
            return self.fail(id, "the agent is about to end");
        }
        if self.requests.contains_key(&id) {
            return self.fail(id, "a request of this number is under way");
        }
        match body {
            Ask::Bye => self.close(id),
            Ask::Cancel { request } => {
                if let Some(stop) = self.requests.get(&request) {
                    stop.set();
                }
                self.desk.out.say(id, Say::Done { note: String::new() });
            }
            Ask::Hold(claim) => {
                let said = self.desk.lock.hold(claim, &self.desk.root);
                self.desk
                    .out
                    .say(id, said.map_or_else(Say::Failed, |standing| Say::Standing(Box::new(standing))));
            }
            Ask::Clock => self.desk.out.say(id, Say::Clock { micros: micros() }),
            Ask::Release => {
                self.desk.lock.release();
                self.desk.out.say(id, Say::Done { note: String::new() });
            }
            Ask::Recall { run, steps } => self.spawn(id, move |desk, _| {
                let fates = log::fates(&desk.root, &run, &steps)
                    .map_err(|e| Failure::broken(format!("cannot read the log: {e}")))?;
                Ok(Say::Recalled(Recalled { fates, holder: desk.lock.holder() }))
            }),
            Ask::Do(deed) => {
                let stop = self.enter(id);
                // The queue lives as long as the session.
                let _ = self.deeds.send(Order { id, deed, stop });
            }
            Ask::Checkpoint(order) => self.spawn(id, move |desk, _| {
                let note = checkpoint::obey(&desk.root, &checkpoint::Real, &desk.program, &order)?;
                Ok(Say::Done { note })
            }),
            Ask::Facts { question } | Ask::Await { question, .. } if stranger(&question).is_some() => {
                let path = stranger(&question).unwrap_or_default();
                self.fail(id, &format!("{path} is not on the list of files ringbolt reads"));
            }
            Ask::Facts { question } => self.spawn(id, move |desk, _| read(&desk.root, &question)),
            Ask::Await { checks, question, patience_ms } => self.spawn(id, move |desk, stop| {
                let patience = Duration::from_millis(patience_ms);
                Ok(Say::Looked { findings: look(&desk.root, &checks, &question, patience, stop)? })
            }),
            Ask::Ping(asked) => self.spawn(id, move |_, stop| Ok(Say::Pinged(ping(&asked, stop)?))),
            Ask::Measure(asked) => self.spawn(id, move |desk, stop| {
                let say = |text: String| desk.out.say(id, Say::Progress { text });
                Ok(Say::Measured(Box::new(measure(&desk.root, &asked, stop, &say)?)))
            }),
        }
    }

    /// Notes a request as under way.
    fn enter(&mut self, id: u64) -> Arc<Stop> {
        let stop = Arc::new(Stop::default());
        self.requests.insert(id, Arc::clone(&stop));
        stop
    }

    /// Answers a request in a thread of its own.
    fn spawn(&mut self, id: u64, work: impl FnOnce(&Desk, &Stop) -> Result<Say, Failure> + Send + 'static) {
        let stop = self.enter(id);
        let desk = self.desk.clone();
        std::thread::spawn(move || desk.answer(id, || work(&desk, &stop)));
    }
}

/// The time in microseconds since the epoch.
fn micros() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn read(root: &Root, question: &Question) -> Result<Say, Failure> {
    Ok(Say::Facts(Box::new(facts(root, question, Areas::ALL)?)))
}

#[cfg(test)]
#[path = "serve_test.rs"]
mod tests;
