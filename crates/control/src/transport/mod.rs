//! A line to the agent on one node: frames out, frames in, and an account of how it ended.
//!
//! Used by the fleet. [`SshTransport`] is how nodes are reached; [`LocalTransport`] runs the agent on this machine;
//! `sim` has nodes that are values, for rehearsals and tests.
//! Nothing here knows what the frames mean.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringbolt_core::name::NodeName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

mod executable;
pub mod frame;
mod local;
#[cfg(feature = "sim")]
pub mod sim;
mod ssh;
mod trouble;

pub use executable::{Executable, ExecutableError};
pub use local::LocalTransport;
pub(crate) use ssh::expand_home;
pub use ssh::{SshOptions, SshTransport};
pub use trouble::{ConnectError, Trouble};
pub(crate) use trouble::{classify, classify_noise, classify_refusal};

/// A future on the heap, as a trait object's method returns it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to reach agents.
pub trait Transport: Send + Sync {
    /// Starts a line to the agent of a node; what went wrong shows when the line ends before the greeting.
    ///
    /// # Errors
    /// The node is none of ours, or nothing could be started.
    fn open(&self, node: &NodeName, start: &Start) -> Result<Channel, ConnectError>;

    /// Copies our own executable to a node under the name that goes with `nonce`.
    fn upload<'a>(&'a self, node: &'a NodeName, nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>>;

    /// Says what a line's end before the greeting means.
    fn explain(&self, node: &NodeName, ended: &Ended) -> ConnectError;

    /// Digest the agent's greeting must carry, where it matters.
    fn build(&self) -> Option<&str>;
}

/// Which agent is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The one that should be there from last time.
    Installed,
    /// The one just uploaded; it verifies itself and takes the place of the installed one.
    Uploaded {
        /// What its temporary name ends with.
        nonce: String,
    },
}

/// One open line.
pub struct Channel {
    /// Frames from the agent.
    pub reader: Box<dyn AsyncRead + Send + Unpin>,
    /// Frames to the agent.
    pub writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// The process that carries the line; `None` for a line within this program.
    pub carrier: Option<Carrier>,
}

/// The process behind a line, with the last it said.
pub struct Carrier {
    child: Child,
    /// Left to end by itself when dropped.
    spared: bool,
    tail: Arc<Mutex<Tail>>,
    listener: JoinHandle<()>,
}

/// How a line ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit status of the process; `None` when a signal ended it.
    pub status: Option<i32>,
    /// The last lines of its standard error.
    pub said: String,
}

/// Time a process gets to end by itself once its line is over.
const GRACE: Duration = Duration::from_secs(2);

impl Carrier {
    /// Starts a process with pipes. It gets a process group of its own, so that a Ctrl-C at the terminal reaches
    /// this program only.
    pub(crate) fn start(mut command: Command) -> std::io::Result<Channel> {
        use std::process::Stdio;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let mut child = command.spawn()?;
        let broken = || std::io::Error::other("a pipe is missing");
        let writer = child.stdin.take().ok_or_else(broken)?;
        let reader = child.stdout.take().ok_or_else(broken)?;
        let tail = Arc::default();
        let listener = tokio::spawn(listen(child.stderr.take().ok_or_else(broken)?, Arc::clone(&tail)));
        let carrier = Self { child, spared: false, tail, listener };
        Ok(Channel { reader: Box::new(reader), writer: Box::new(writer), carrier: Some(carrier) })
    }

    /// What it said last on standard error.
    pub fn said(&self) -> String {
        self.tail.lock().map_or_else(|_| String::new(), |tail| tail.text())
    }

    /// Says whether it is left to end by itself when dropped: the end of its input then ends the agent, the agent's
    /// end ends ssh, and nobody logs a broken connection. Otherwise it is killed.
    pub(crate) fn spare(&mut self, spared: bool) {
        self.spared = spared;
    }

    /// Waits for its end, hastens it after a moment, and gives its account.
    pub async fn end(mut self) -> Ended {
        let status = if let Ok(status) = tokio::time::timeout(GRACE, self.child.wait()).await {
            status.ok()
        } else {
            let _ = self.child.start_kill();
            self.child.wait().await.ok()
        };
        // A grandchild may hold standard error open: what it says is not waited for.
        let _ = tokio::time::timeout(GRACE, &mut self.listener).await;
        Ended { status: status.and_then(|s| s.code()), said: self.said() }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if !self.spared {
            let _ = self.child.start_kill();
        }
        self.listener.abort();
    }
}

/// The last lines of a stream, within bounds.
#[derive(Default)]
struct Tail(VecDeque<String>);

impl Tail {
    const LINES: usize = 40;
    const WIDTH: u64 = 2000;

    fn push(&mut self, line: &[u8]) {
        if self.0.len() == Self::LINES {
            self.0.pop_front();
        }
        self.0.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
    }

    fn text(&self) -> String {
        let lines: Vec<&str> = self.0.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}

async fn listen(stderr: ChildStderr, tail: Arc<Mutex<Tail>>) {
    let mut reader = BufReader::with_capacity(1024, stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(Tail::WIDTH).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                if let Ok(mut tail) = tail.lock() {
                    tail.push(&line);
                }
            }
        }
    }
}
