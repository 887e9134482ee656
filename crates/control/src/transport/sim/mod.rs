//! Simulated nodes at the far end of lines: the third transport, for rehearsals and tests.
//!
//! Frames go over a pipe within the program to a task that speaks for a node of a [`Cluster`]: it carries
//! deeds out on values, takes the time they take, and lets go wrong what [`Faults`] says. With tokio's
//! clock paused that time passes at once. No process is started and no socket opened here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringbolt_core::action::Action;
use ringbolt_core::check::Check;
use ringbolt_core::checkpoint::{Armed, Order};
use ringbolt_core::facts::Question;
use ringbolt_core::json;
use ringbolt_core::name::{NodeName, StepId};
use ringbolt_core::sim::duration::{HEAL_MS, REBOOT_SECONDS, milliseconds};
use ringbolt_core::sim::{Cluster, Fate, Faults};
use ringbolt_core::wire::{Answer, Ask, Deed, Failure, FailureKind, Hello, Request, Say};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use self::lock::Locks;
use crate::clock::micros;
use crate::stop::Stopper;

use super::{Boxed, Channel, ConnectError, Ended, Start, Transport, Trouble};

mod lock;

/// What a pipe holds before the writer waits.
const PIPE: usize = 2 * 1024;

/// Milliseconds a look at a node takes.
const LOOK: u64 = 60;

/// Between two looks while something is awaited, in milliseconds.
const AGAIN: u64 = 500;

/// When the clocks of simulated nodes begin: 2026-01-01, in seconds since the epoch.
const EPOCH: u64 = 1_767_225_600;

/// An agent at work says so this often, in milliseconds.
const ALIVE: u64 = 5_000;

/// Simulated nodes as a transport. Clones share the nodes.
#[derive(Clone)]
pub struct SimTransport {
    world: Arc<Mutex<World>>,
}

struct World {
    cluster: Cluster,
    faults: Faults,
    /// When time began.
    began: Option<Instant>,
    attempts: BTreeMap<(NodeName, StepId), u32>,
    looks: BTreeMap<NodeName, u32>,
    befallen: Vec<Befallen>,
    stop: Option<(StopAt, Stopper)>,
    locks: Locks,
}

/// Where a run is told to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopAt {
    /// When this step is done: nothing further is begun.
    Done(String),
    /// When this step has begun: at once.
    Begun(String),
}

/// Something that went wrong because it was to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Befallen {
    /// Where.
    pub node: NodeName,
    /// Which step; `None` for a look.
    pub step: Option<StepId>,
    /// What.
    pub fate: Fate,
}

impl SimTransport {
    /// Lines to the nodes of a cluster, on which nothing goes wrong.
    pub fn new(cluster: Cluster) -> Self {
        let world = World {
            cluster,
            faults: Faults::None,
            began: None,
            attempts: BTreeMap::new(),
            looks: BTreeMap::new(),
            befallen: Vec::new(),
            stop: None,
            locks: Locks::default(),
        };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    /// From now on this goes wrong.
    pub fn let_fail(&self, faults: Faults) {
        let mut world = self.lock();
        world.faults = faults;
        world.attempts.clear();
        world.looks.clear();
    }

    /// Looks at the nodes, or changes them behind everybody's back.
    pub fn with<T>(&self, change: impl FnOnce(&mut Cluster) -> T) -> T {
        change(&mut self.lock().cluster)
    }

    /// Presses a button when a step is reached; in place of one that waits still.
    pub fn stop_at(&self, stop: Option<(StopAt, Stopper)>) {
        self.lock().stop = stop;
    }

    /// A step has begun, or is done.
    fn passes(&self, now: &StopAt) {
        let mut world = self.lock();
        if let Some((_, stopper)) = world.stop.take_if(|(at, _)| at == now) {
            stopper.press();
            if matches!(now, StopAt::Begun(_)) {
                stopper.press();
            }
        }
    }

    /// What went wrong since this was asked last.
    pub fn befallen(&self) -> Vec<Befallen> {
        std::mem::take(&mut self.lock().befallen)
    }

    /// The steps begun since it was said what goes wrong, in the order of their names.
    pub fn begun(&self) -> Vec<String> {
        let steps: BTreeSet<String> = self.lock().attempts.keys().map(|(_, step)| step.to_string()).collect();
        steps.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        // Outside of the runtime no simulated time passes.
        if tokio::runtime::Handle::try_current().is_ok() {
            let now = Instant::now();
            let began = *world.began.get_or_insert(now);
            world.cluster.clock = EPOCH + now.duration_since(began).as_secs();
        }
        world
    }

    fn reached(&self, node: &NodeName) -> bool {
        self.lock().cluster.reached(node)
    }

    /// Undoes what is armed on a node after this time, unless it was confirmed by then.
    async fn heal_after(self, node: NodeName, armed: Armed, wait: Duration) {
        sleep(wait).await;
        if self.lock().cluster.begin_healing(&node, &armed) {
            sleep(Duration::from_millis(HEAL_MS)).await;
            let mut world = self.lock();
            // A boot may have been quicker.
            if world.cluster.armed(&node) == Some(&armed) {
                world.cluster.heal(&node);
            }
        }
    }
}

impl World {
    fn fate(&mut self, node: &NodeName, deed: Option<&Deed>) -> Fate {
        let step = deed.map(|deed| &deed.step);
        let fate = match step {
            Some(step) => {
                let attempt = self.attempts.entry((node.clone(), step.clone())).or_insert(0);
                *attempt += 1;
                self.faults.of_deed(node, step, *attempt)
            }
            None if self.faults == Faults::None => Fate::Fine,
            None => {
                let count = self.looks.entry(node.clone()).or_insert(0);
                *count += 1;
                self.faults.of_look(node, *count)
            }
        };
        let fate = if deed.is_some_and(|d| !fate.befalls(&d.action)) { Fate::Fine } else { fate };
        if fate != Fate::Fine {
            self.befallen.push(Befallen { node: node.clone(), step: step.cloned(), fate });
        }
        fate
    }
}

impl Transport for SimTransport {
    fn open(&self, node: &NodeName, _start: &Start) -> Result<Channel, ConnectError> {
        let (near, far) = tokio::io::duplex(PIPE);
        if self.reached(node) {
            tokio::spawn(agent(far, node.clone(), self.clone()));
        }
        let (reader, writer) = tokio::io::split(near);
        Ok(Channel { reader: Box::new(reader), writer: Box::new(writer), carrier: None })
    }

    fn upload<'a>(&'a self, _node: &'a NodeName, _nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        Box::pin(async { Ok(()) })
    }

    fn explain(&self, node: &NodeName, _ended: &Ended) -> ConnectError {
        let trouble = if self.reached(node) { Trouble::Closed } else { Trouble::Timeout };
        ConnectError::new(node, format!("simulated {node}"), trouble, "")
    }

    fn build(&self) -> Option<&str> {
        None
    }
}

/// What those who work on requests hand to the line.
enum Word {
    /// In a box: a queue has room for dozens, and there may be thousands of queues.
    Say(u64, Box<Say>),
    HangUp,
    Silence,
}

/// Speaks for a node on one line until that ends.
async fn agent(line: DuplexStream, node: NodeName, sim: SimTransport) {
    let number = sim.lock().locks.open(&node);
    serve(line, &node, number, &sim).await;
    sim.lock().locks.close(&node, number);
}

async fn serve(line: DuplexStream, node: &NodeName, number: u64, sim: &SimTransport) {
    let (reader, mut writer) = tokio::io::split(line);
    let mut reader = BufReader::with_capacity(1024, reader);
    let (tell, mut words) = mpsc::unbounded_channel();
    let hello =
        Hello { version: env!("CARGO_PKG_VERSION").into(), build: "simulated".into(), arch: "x86_64".into() };
    let _ = tell.send(Word::Say(0, Box::new(Say::Hello(hello))));
    let hands = Hands { node: node.clone(), line: number, sim: sim.clone(), tell };
    let mut looks = JoinSet::new();
    let mut text = Vec::new();
    loop {
        // What was read of a line stays in `text` when another branch is quicker.
        tokio::select! {
            read = reader.read_until(b'\n', &mut text) => {
                if !matches!(read, Ok(count) if count > 0) {
                    return;
                }
                let request = json::read::<Request>(&text);
                // A long frame's room is not kept: there may be thousands of nodes.
                text = Vec::new();
                if !sim.reached(node) {
                    return drop(hush(&mut reader).await);
                }
                match request {
                    Ok(Request { body: Ask::Bye, .. }) | Err(_) => return,
                    Ok(Request { id, body: Ask::Hold(claim) }) => {
                        let standing = sim.lock().locks.hold(node, number, claim);
                        hands.say(id, Say::Standing(Box::new(standing)));
                    }
                    Ok(Request { id, body: Ask::Release }) => {
                        sim.lock().locks.release(node, number);
                        hands.say(id, Say::Done { note: String::new() });
                    }
                    // Simulated nodes keep time with the controller.
                    Ok(Request { id, body: Ask::Clock }) => hands.say(id, Say::Clock { micros: micros() }),
                    // What was begun is done, whether anybody listens or not.
                    Ok(Request { id, body: Ask::Do(deed) }) => drop(tokio::spawn(hands.clone().deed(id, deed))),
                    Ok(request) => drop(looks.spawn(hands.clone().look(request))),
                }
            }
            word = words.recv() => match word {
                Some(Word::Say(id, body)) if hands.sim.reached(&hands.node) => {
                    let mut frame = serde_json::to_vec(&Answer { id, body: *body }).unwrap_or_default();
                    frame.push(b'\n');
                    if writer.write_all(&frame).await.is_err() {
                        return;
                    }
                }
                Some(Word::HangUp) | None => return,
                Some(_) => {
                    return drop(hush(&mut reader).await);
                }
            },
            Some(_) = looks.join_next() => {}
        }
    }
}

/// Says nothing any more, until the other end gives up.
async fn hush(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<u64> {
    tokio::io::copy_buf(reader, &mut tokio::io::sink()).await
}

/// Works on requests to one node.
#[derive(Clone)]
struct Hands {
    node: NodeName,
    line: u64,
    sim: SimTransport,
    tell: mpsc::UnboundedSender<Word>,
}

impl Hands {
    fn say(&self, id: u64, body: Say) {
        let _ = self.tell.send(Word::Say(id, Box::new(body)));
    }

    fn end(&self, id: u64, outcome: Result<Say, Failure>) {
        self.say(id, outcome.unwrap_or_else(Say::Failed));
    }

    /// Lets time pass, with a sign of life now and then.
    async fn work(&self, id: u64, mut ms: u64) {
        while ms > 0 {
            let part = ms.min(ALIVE);
            sleep(Duration::from_millis(part)).await;
            ms -= part;
            if ms > 0 {
                self.say(id, Say::Alive);
            }
        }
    }

    async fn look(self, request: Request) {
        let id = request.id;
        let fate = self.sim.lock().fate(&self.node, None);
        self.work(id, LOOK).await;
        match fate {
            Fate::Silent { .. } => return drop(self.tell.send(Word::Silence)),
            Fate::Dropped { .. } => return drop(self.tell.send(Word::HangUp)),
            _ => {}
        }
        let outcome = match request.body {
            Ask::Facts { question } => {
                let facts = self.sim.lock().cluster.facts(&self.node, &question);
                facts.map(|facts| Say::Facts(Box::new(facts)))
            }
            Ask::Await { checks, question, patience_ms } => {
                self.hold(id, &checks, &question, patience_ms).await
            }
            Ask::Ping(ping) => {
                let pinged = self.sim.lock().cluster.ping(&self.node, &ping);
                self.work(id, u64::from(pinged.sent) * u64::from(ping.interval_ms)).await;
                Ok(Say::Pinged(pinged))
            }
            Ask::Recall { run, steps } => {
                Ok(Say::Recalled(self.sim.lock().locks.recall(&self.node, &run, &steps)))
            }
            Ask::Checkpoint(order) => self.order(&order).map(|note| Say::Done { note }),
            Ask::Cancel { .. } => return,
            _ => Err(Failure::broken("a simulated node does not do this")
                .hint("a lab has real nodes: `ringbolt lab up`")),
        };
        self.end(id, outcome);
    }

    /// Obeys an order about the checkpoint; what it calls for later happens whether anybody listens or not.
    fn order(&self, order: &Order) -> Result<String, Failure> {
        let mut world = self.sim.lock();
        let said = world.cluster.checkpoint(&self.node, order)?;
        let wait = match order {
            Order::Arm { seconds, .. } => u64::from(*seconds),
            Order::Heal { .. } => 0,
            Order::Confirm { .. } | Order::Forget => return Ok(said),
        };
        if let Some(armed) = world.cluster.armed(&self.node).cloned() {
            let (sim, node) = (self.sim.clone(), self.node.clone());
            tokio::spawn(sim.heal_after(node, armed, Duration::from_secs(wait)));
        }
        Ok(said)
    }

    /// Looks until all checks hold or patience ends.
    async fn hold(
        &self,
        id: u64,
        checks: &[Check],
        question: &Question,
        patience_ms: u64,
    ) -> Result<Say, Failure> {
        let deadline = Instant::now() + Duration::from_millis(patience_ms);
        loop {
            let facts = self.sim.lock().cluster.facts(&self.node, question)?;
            let findings: Vec<_> = checks.iter().map(|check| check.look(&facts)).collect();
            if findings.iter().all(|f| f.holds) || Instant::now() >= deadline {
                return Ok(Say::Looked { findings });
            }
            self.work(id, AGAIN).await;
            self.say(id, Say::Alive);
        }
    }

    async fn deed(self, id: u64, deed: Deed) {
        self.sim.passes(&StopAt::Begun(deed.step.to_string()));
        let fate = self.sim.lock().fate(&self.node, Some(&deed));
        if let Err(failure) = self.sim.lock().locks.begin(&self.node, self.line, &deed) {
            return self.end(id, Err(failure));
        }
        let said = self.meet(id, &deed, fate).await;
        self.sim.lock().locks.end(&self.node, self.line, &deed, said);
        if deed.action == Action::Reboot && matches!(fate, Fate::Fine | Fate::Slow | Fate::CutOff) {
            self.reboot().await;
        }
    }

    /// Lets a deed meet its fate; what the node remembers of it.
    async fn meet(&self, id: u64, deed: &Deed, fate: Fate) -> lock::Fate {
        let ms = milliseconds(&deed.action);
        let no = |kind, why: &str| Failure { kind, ..Failure::broken(why) };
        let outcome = match fate {
            Fate::Passing | Fate::Broken => {
                self.work(id, ms / 4).await;
                let kind = if fate == Fate::Passing { FailureKind::Transient } else { FailureKind::Broken };
                Err(no(kind, "the rehearsal lets a tool say no"))
            }
            Fate::Silent { done } | Fate::Dropped { done } => {
                if done {
                    self.work(id, ms).await;
                    let _ = self.act(deed);
                }
                let silent = matches!(fate, Fate::Silent { .. });
                let _ = self.tell.send(if silent { Word::Silence } else { Word::HangUp });
                return if done { lock::Fate::Done } else { lock::Fate::Begun };
            }
            Fate::Half => {
                self.work(id, ms / 2).await;
                let _ = self.sim.lock().cluster.carry_out_half(&self.node, deed);
                Err(no(FailureKind::Broken, "the rehearsal lets a tool stop half way"))
            }
            Fate::Lie => {
                self.work(id, ms).await;
                Ok(())
            }
            Fate::Fine | Fate::Slow | Fate::CutOff => {
                self.work(id, if fate == Fate::Slow { ms * 10 } else { ms }).await;
                let outcome = self.act(deed);
                if fate == Fate::CutOff {
                    self.sim.lock().cluster.cut_off(&self.node);
                }
                self.sim.passes(&StopAt::Done(deed.step.to_string()));
                outcome
            }
        };
        let said = match &outcome {
            Ok(()) => lock::Fate::Done,
            Err(failure) => lock::Fate::Failed { why: failure.message.clone() },
        };
        self.end(id, outcome.map(|()| Say::Done { note: String::new() }));
        said
    }

    fn act(&self, deed: &Deed) -> Result<(), Failure> {
        match deed.action {
            Action::Reboot => Ok(()),
            _ => self.sim.lock().cluster.carry_out(&self.node, deed),
        }
    }

    /// Goes down soon after the answer, and comes back.
    async fn reboot(&self) {
        sleep(Duration::from_secs(1)).await;
        let _ = self.tell.send(Word::HangUp);
        self.sim.with(|cluster| cluster.power_off(&self.node));
        sleep(Duration::from_secs(u64::from(REBOOT_SECONDS))).await;
        self.sim.with(|cluster| cluster.power_on(&self.node));
    }
}
