//! One node's line, kept by a task of its own: connects, uploads the agent where it is missing, matches answers to
//! requests, notices silence.
//!
//! Used by the fleet only. Requests go out before the greeting has come, so that a look at a node costs one exchange;
//! those that an attempt did not get across are sent again by the next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Answer, Ask, Failure, Hello, Request, SILENCE_SECONDS, Say};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::nonce::nonce;
use crate::transport::frame::{FrameError, FrameReader, encode};
use crate::transport::{
    Carrier, Channel, ConnectError, Ended, Start, Transport, Trouble, classify_noise, classify_refusal,
};

/// A quiet line is dead after this, while an answer is due.
const SILENCE: Duration = Duration::from_secs(SILENCE_SECONDS);

/// From the start of ssh to the greeting. ssh itself gives up on an address after ten seconds; the rest is for jump
/// hosts, slow logins and touching a security key.
const GREETING: Duration = Duration::from_secs(60);

/// For the program to cross the line.
const UPLOAD: Duration = Duration::from_secs(300);

/// For the agent to end after `Bye`.
const FAREWELL: Duration = Duration::from_secs(1);

/// Pauses before the further attempts when a connection was closed before it was up.
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1500)];

/// Where a line is.
#[derive(Clone, Debug)]
pub enum Status {
    /// Not up yet.
    Connecting,
    /// The agent greeted.
    Up(Hello),
    /// Over, and why.
    Down(Arc<LineError>),
}

/// Why a line is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It never was up.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It broke while it was up.
    #[error("{node}: {what}")]
    Lost {
        /// Which node.
        node: NodeName,
        /// What was seen.
        what: String,
    },
    /// It was closed by us.
    #[error("{0}: the line was closed")]
    Closed(NodeName),
}

impl LineError {
    /// The same as a failure of whatever needed the line.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Connect(error) => error.failure(),
            Self::Lost { .. } => Failure::lost(self.to_string())
                .hint("what its last step left is not known: when it answers again, `ringbolt plan` shows what is left"),
            Self::Closed(_) => Failure::lost(self.to_string()),
        }
    }
}

/// What comes back for one request.
#[derive(Debug)]
pub(super) enum Reply {
    /// In words, while at work.
    Progress(String),
    /// The end of it. In a box: the queue of each question has room for dozens.
    Last(Box<Result<Say, Failure>>),
}

/// What a link is told.
enum Order {
    /// Send, and deliver what comes back.
    Ask { id: u64, frame: Vec<u8>, reply: mpsc::UnboundedSender<Reply> },
    /// Send; nothing comes back.
    Tell { frame: Vec<u8> },
    /// Say good-bye and end.
    Close,
}

/// A handle on one node's line.
#[derive(Clone)]
pub(super) struct Link {
    orders: mpsc::UnboundedSender<Order>,
    status: watch::Receiver<Status>,
    ids: Arc<AtomicU64>,
    node: NodeName,
}

impl Link {
    /// Begins to connect.
    pub(super) fn start(node: &NodeName, transport: Arc<dyn Transport>, limit: Arc<Semaphore>) -> Self {
        let (orders, incoming) = mpsc::unbounded_channel();
        let (announce, status) = watch::channel(Status::Connecting);
        let task = Task {
            node: node.clone(),
            transport,
            orders: incoming,
            pending: BTreeMap::new(),
            outgoing: VecDeque::new(),
            written: 0,
            greeted: None,
            refusal: None,
            closing: false,
        };
        tokio::spawn(task.run(limit, announce));
        Self { orders, status, ids: Arc::new(AtomicU64::new(1)), node: node.clone() }
    }

    /// Sends a request.
    pub(super) fn ask(&self, body: Ask) -> Pending {
        let abandonable =
            matches!(body, Ask::Facts { .. } | Ask::Await { .. } | Ask::Ping(_) | Ask::Measure(_));
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let (reply, replies) = mpsc::unbounded_channel();
        let order = Order::Ask { id, frame: encode(&Request { id, body }), reply };
        // A link whose task is gone drops the sender, and `Pending` sees that.
        let _ = self.orders.send(order);
        Pending { id, replies, link: self.clone(), finished: false, abandonable }
    }

    /// Says good-bye.
    pub(super) fn close(&self) {
        let _ = self.orders.send(Order::Close);
    }

    /// Where it is now.
    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until it is up or over.
    pub(super) async fn settled(&self) -> Result<Hello, Arc<LineError>> {
        self.wait(|s| !matches!(s, Status::Connecting)).await
    }

    /// Waits until it is over.
    pub(super) async fn ended(&self) -> Arc<LineError> {
        match self.wait(|s| matches!(s, Status::Down(_))).await {
            Err(error) => error,
            Ok(_) => Arc::new(LineError::Closed(self.node.clone())),
        }
    }

    async fn wait(&self, mut enough: impl FnMut(&Status) -> bool) -> Result<Hello, Arc<LineError>> {
        let mut status = self.status.clone();
        let seen = status.wait_for(|s| enough(s)).await.map(|s| s.clone());
        match seen {
            Ok(Status::Up(hello)) => Ok(hello),
            Ok(Status::Down(error)) => Err(error),
            Ok(Status::Connecting) | Err(_) => Err(Arc::new(LineError::Closed(self.node.clone()))),
        }
    }

    fn gone(&self) -> Failure {
        match self.status() {
            Status::Down(error) => error.failure(),
            _ => LineError::Closed(self.node.clone()).failure(),
        }
    }
}

/// A request under way. Dropped before its end, it is cancelled on the node where it only looks.
pub struct Pending {
    id: u64,
    replies: mpsc::UnboundedReceiver<Reply>,
    link: Link,
    finished: bool,
    abandonable: bool,
}

impl Pending {
    /// Asks the agent to end this request; it then answers with what it has.
    pub fn cancel(&self) {
        let id = self.link.ids.fetch_add(1, Ordering::Relaxed);
        let _ = self
            .link
            .orders
            .send(Order::Tell { frame: encode(&Request { id, body: Ask::Cancel { request: self.id } }) });
    }

    /// Waits for the end, handing on what is said on the way. May be called again when its future was dropped.
    ///
    /// # Errors
    /// What the agent answered, or `Lost` when the line broke.
    pub async fn wait(&mut self, mut progress: impl FnMut(String)) -> Result<Say, Failure> {
        loop {
            match self.replies.recv().await {
                Some(Reply::Progress(text)) => progress(text),
                Some(Reply::Last(outcome)) => {
                    self.finished = true;
                    return *outcome;
                }
                None => {
                    self.finished = true;
                    return Err(self.link.gone());
                }
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.finished && self.abandonable {
            self.cancel();
        }
    }
}

/// A request that waits for its answer.
struct Waiter {
    reply: mpsc::UnboundedSender<Reply>,
    /// Its bytes, until the agent is known to have them.
    frame: Option<Vec<u8>>,
}

struct Task {
    node: NodeName,
    transport: Arc<dyn Transport>,
    orders: mpsc::UnboundedReceiver<Order>,
    pending: BTreeMap<u64, Waiter>,
    outgoing: VecDeque<Vec<u8>>,
    written: usize,
    greeted: Option<Hello>,
    refusal: Option<Failure>,
    closing: bool,
}

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// An open line as the task holds it.
struct Line {
    reader: FrameReader<Box<dyn AsyncRead + Send + Unpin>>,
    writer: Option<Writer>,
    carrier: Option<Carrier>,
}

/// Why pumping paused.
enum Stop {
    Greeted,
    Ended,
    Unreadable(FrameError),
    Silent,
    Asked,
}

impl Task {
    async fn run(mut self, limit: Arc<Semaphore>, announce: watch::Sender<Status>) {
        let permit = limit.acquire_owned().await;
        let error = match self.connect().await {
            Ok((line, hello)) => {
                drop(permit);
                announce.send_replace(Status::Up(hello));
                self.serve(line).await
            }
            Err(error) => {
                drop(permit);
                LineError::Connect(error)
            }
        };
        let failure = error.failure();
        announce.send_replace(Status::Down(Arc::new(error)));
        for waiter in std::mem::take(&mut self.pending).into_values() {
            let _ = waiter.reply.send(Reply::Last(Box::new(Err(failure.clone()))));
        }
    }

    /// Tries until the agent greets or there is nothing left to try.
    async fn connect(&mut self) -> Result<(Line, Hello), ConnectError> {
        let mut start = Start::Installed;
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.attempt(&start).await {
                Ok(up) => return Ok(up),
                Err(error) => error,
            };
            if error.trouble == Trouble::NoAgent && start == Start::Installed {
                start = Start::Uploaded { nonce: self.upload().await? };
            } else if error.trouble.is_passing()
                && let Some(pause) = pauses.next()
            {
                sleep(pause).await;
            } else {
                return Err(error);
            }
        }
    }

    async fn upload(&self) -> Result<String, ConnectError> {
        let nonce = nonce(6);
        let late = || self.trouble(Trouble::Timeout, "");
        timeout(UPLOAD, self.transport.upload(&self.node, &nonce)).await.unwrap_or_else(|_| Err(late()))?;
        Ok(nonce)
    }

    async fn attempt(&mut self, start: &Start) -> Result<(Line, Hello), ConnectError> {
        self.outgoing = self.pending.values().filter_map(|w| w.frame.clone()).collect();
        self.written = 0;
        let mut line = Line::over(self.transport.open(&self.node, start)?);
        match self.pump(&mut line).await {
            Stop::Greeted => match self.greeted.clone() {
                Some(hello) => self.welcome(line, hello),
                None => Err(self.trouble(Trouble::GivenUp, "")),
            },
            Stop::Unreadable(FrameError::NotAFrame(text)) => {
                let said = format!("{text}\n{}", line.end().await.said);
                Err(self.trouble(classify_noise(text), &said))
            }
            Stop::Ended | Stop::Unreadable(_) => {
                let ended = line.end().await;
                Err(match self.refusal.take() {
                    Some(refusal) => self.trouble(classify_refusal(&refusal.message), &refusal.message),
                    None => self.transport.explain(&self.node, &ended),
                })
            }
            Stop::Silent => Err(self.trouble(Trouble::Timeout, &line.said())),
            Stop::Asked => Err(self.trouble(Trouble::GivenUp, "")),
        }
    }

    fn welcome(&self, line: Line, hello: Hello) -> Result<(Line, Hello), ConnectError> {
        match self.transport.build() {
            Some(build) if build != hello.build => {
                Err(self.trouble(Trouble::OtherBuild { build: hello.build }, &line.said()))
            }
            _ => Ok((line, hello)),
        }
    }

    fn trouble(&self, trouble: Trouble, said: &str) -> ConnectError {
        let known = self.transport.explain(&self.node, &Ended::default());
        ConnectError { trouble, said: said.trim().to_owned(), ..known }
    }

    /// Carries requests and answers until the line ends.
    async fn serve(&mut self, mut line: Line) -> LineError {
        line.spare(true);
        for waiter in self.pending.values_mut() {
            waiter.frame = None;
        }
        let stop = self.pump(&mut line).await;
        let lost = |what| LineError::Lost { node: self.node.clone(), what };
        match stop {
            _ if self.closing => LineError::Closed(self.node.clone()),
            Stop::Asked => LineError::Closed(self.node.clone()),
            Stop::Silent => {
                line.spare(false);
                lost(format!("no word from the agent for {SILENCE_SECONDS} s"))
            }
            Stop::Unreadable(error) => {
                line.spare(false);
                lost(error.to_string())
            }
            Stop::Ended | Stop::Greeted => {
                let said = line.end().await.said;
                let last = said.lines().rev().find(|l| !l.trim().is_empty());
                lost(match last {
                    Some(last) => format!("the line to the agent broke: {}", last.trim()),
                    None => "the line to the agent broke".into(),
                })
            }
        }
    }

    /// Moves orders to the line and answers to those who wait, until something ends this part.
    async fn pump(&mut self, line: &mut Line) -> Stop {
        let greeted_before = self.greeted.is_some();
        let mut heard = Instant::now();
        loop {
            let deadline = if !greeted_before {
                Some(heard + GREETING)
            } else if self.closing {
                Some(heard + FAREWELL)
            } else {
                (!self.pending.is_empty()).then(|| heard + SILENCE)
            };
            let idle = self.pending.is_empty();
            let chunk = self.outgoing.front().map(|frame| &frame[self.written..]);
            tokio::select! {
                order = self.orders.recv(), if !self.closing => match order {
                    None => return Stop::Asked,
                    Some(order) => {
                        if (self.accept(order) || idle) && greeted_before {
                            heard = Instant::now();
                        }
                        if self.closing && !greeted_before {
                            return Stop::Asked;
                        }
                    }
                },
                count = write(line.writer.as_mut(), chunk) => match count {
                    Ok(count) => self.wrote(count),
                    // The reading side will say why.
                    Err(_) => line.writer = None,
                },
                read = line.reader.next() => match read {
                    Ok(Some(answer)) => {
                        if greeted_before { heard = Instant::now(); }
                        self.deliver(answer);
                        if !greeted_before && self.greeted.is_some() {
                            return Stop::Greeted;
                        }
                    }
                    Ok(None) => return Stop::Ended,
                    Err(error) => return Stop::Unreadable(error),
                },
                () = until(deadline) => return Stop::Silent,
            }
        }
    }

    /// Takes an order; true when the line's clock starts anew.
    fn accept(&mut self, order: Order) -> bool {
        match order {
            Order::Ask { id, frame, reply } => {
                let kept = self.greeted.is_none().then(|| frame.clone());
                self.pending.insert(id, Waiter { reply, frame: kept });
                self.outgoing.push_back(frame);
                false
            }
            Order::Tell { frame } => {
                self.outgoing.push_back(frame);
                false
            }
            Order::Close => {
                self.closing = true;
                self.outgoing.push_back(encode(&Request { id: 0, body: Ask::Bye }));
                true
            }
        }
    }

    fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.outgoing.front().is_some_and(|f| self.written >= f.len()) {
            self.outgoing.pop_front();
            self.written = 0;
        }
    }

    fn deliver(&mut self, answer: Answer) {
        let last = match answer.body {
            Say::Hello(hello) => {
                self.greeted = Some(hello);
                return;
            }
            // An agent that cannot put itself in place says so instead of a greeting.
            Say::Failed(failure) if answer.id == 0 && self.greeted.is_none() => {
                self.refusal = Some(failure);
                return;
            }
            Say::Alive => return,
            Say::Progress { text } => {
                if let Some(waiter) = self.pending.get(&answer.id) {
                    let _ = waiter.reply.send(Reply::Progress(text));
                }
                return;
            }
            Say::Failed(failure) => Err(failure),
            done => Ok(done),
        };
        // An answer nobody waits for is the end of a cancelled request, or of a cancel itself.
        if let Some(waiter) = self.pending.remove(&answer.id) {
            let _ = waiter.reply.send(Reply::Last(Box::new(last)));
        }
    }
}

impl Line {
    fn over(channel: Channel) -> Self {
        let reader = FrameReader::new(channel.reader);
        Self { reader, writer: Some(channel.writer), carrier: channel.carrier }
    }

    fn spare(&mut self, spared: bool) {
        if let Some(carrier) = &mut self.carrier {
            carrier.spare(spared);
        }
    }

    fn said(&self) -> String {
        self.carrier.as_ref().map(Carrier::said).unwrap_or_default()
    }

    async fn end(self) -> Ended {
        drop(self.writer);
        drop(self.reader);
        match self.carrier {
            Some(carrier) => carrier.end().await,
            None => Ended::default(),
        }
    }
}

async fn write(writer: Option<&mut Writer>, chunk: Option<&[u8]>) -> std::io::Result<usize> {
    match (writer, chunk) {
        (Some(writer), Some(chunk)) => writer.write(chunk).await,
        _ => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
