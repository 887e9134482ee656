//! All nodes of a spec at once: lines that stay for the run, requests to one or to all.
//!
//! Used by every command that reaches nodes. A node that cannot be reached is part of the answer, never an early
//! return. Nothing here decides what to ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringbolt_core::facts;
use ringbolt_core::facts::{Facts, Question};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Spec;
use ringbolt_core::wire::{Ask, Failure, Hello, Say};
use tokio::sync::Semaphore;

mod lease;
mod link;

pub use link::{LineError, Pending, Status};

use self::lease::Lease;
use self::link::Link;
use crate::transport::{ConnectError, SshOptions, SshTransport, Transport, Trouble};

/// Connections that are being made at the same time. Those that are up do not count.
const AT_ONCE: usize = 64;

/// Lines to nodes, and the lock that is held over them. Dropped, it hangs up: the agents end at once, what they are doing done, and nobody waits for that.
pub struct Fleet {
    links: BTreeMap<NodeName, Mutex<Link>>,
    transport: Arc<dyn Transport>,
    limit: Arc<Semaphore>,
    lease: Lease,
}

/// What a look at all nodes gave.
#[derive(Debug, Default)]
pub struct Survey {
    /// Facts of those that answered.
    pub fleet: facts::Fleet,
    /// The others, and why not.
    pub missing: BTreeMap<NodeName, Missing>,
}

/// Why a node gave no facts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// Its agent failed, or the line broke.
    #[error("{node}: {failure}")]
    Failed {
        /// Which node.
        node: NodeName,
        /// What it said.
        failure: Failure,
    },
}

impl Missing {
    /// What went wrong, with ssh's own last words where there are any.
    pub fn in_full(&self) -> String {
        match self {
            Self::Unreachable(error) => error.failure().message,
            Self::Failed { .. } => self.to_string(),
        }
    }

    /// Whether the node is reached, and its disk has no room for the agent.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Unreachable(error) if error.trouble == Trouble::DiskFull)
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable(error) => error.hint(),
            Self::Failed { failure, .. } => failure.hint.clone(),
        }
    }
}

impl Fleet {
    /// Begins to connect to all nodes of a spec over ssh and returns at once; requests may be made right away.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// Pinned host keys cannot be put into a file. A node that cannot be reached is not an error here.
    pub fn connect(spec: &Spec, options: &SshOptions) -> std::io::Result<Self> {
        let transport = Arc::new(SshTransport::new(spec, options)?);
        Ok(Self::over(spec.nodes.iter().map(|n| n.name.clone()), transport))
    }

    /// The same for some nodes, over any transport.
    pub fn over(nodes: impl IntoIterator<Item = NodeName>, transport: Arc<dyn Transport>) -> Self {
        let limit = Arc::new(Semaphore::new(AT_ONCE));
        let start = |node: NodeName| {
            let link = Link::start(&node, Arc::clone(&transport), Arc::clone(&limit));
            (node, Mutex::new(link))
        };
        Self { links: nodes.into_iter().map(start).into_map(), transport, limit, lease: Lease::default() }
    }

    /// The nodes, in order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeName> {
        self.links.keys()
    }

    /// Waits until every line is up or has failed.
    pub async fn greetings(&self) -> BTreeMap<NodeName, Result<Hello, Arc<LineError>>> {
        let mut all = BTreeMap::new();
        for node in self.links.keys() {
            let greeting = match self.link(node) {
                Some(link) => link.settled().await,
                None => continue,
            };
            all.insert(node.clone(), greeting);
        }
        all
    }

    /// Asks all nodes the same question about themselves.
    pub async fn facts(&self, question: &Question) -> Survey {
        self.facts_of(self.links.keys().map(|n| (n.clone(), question.clone())).into_map()).await
    }

    /// Asks each of these nodes its own question.
    pub async fn facts_of(&self, questions: BTreeMap<NodeName, Question>) -> Survey {
        let asked: Vec<(NodeName, Pending)> = questions
            .into_iter()
            .filter_map(|(node, question)| {
                let pending = self.start(&node, Ask::Facts { question }).ok()?;
                Some((node, pending))
            })
            .collect();
        let mut survey = Survey::default();
        for (node, mut pending) in asked {
            match facts(pending.wait(|_| ()).await) {
                Ok(facts) => drop(survey.fleet.nodes.insert(node, facts)),
                Err(failure) => drop(survey.missing.insert(node.clone(), self.missing(node, failure))),
            }
        }
        survey
    }

    /// Asks one node and waits for the end of it.
    ///
    /// # Errors
    /// What the agent answered, or `Lost` when there is no line.
    pub async fn ask(&self, node: &NodeName, ask: Ask) -> Result<Say, Failure> {
        self.start(node, ask)?.wait(|_| ()).await
    }

    /// Asks one node and goes on; the answer is had from what is returned.
    ///
    /// # Errors
    /// The node is none of this fleet.
    pub fn start(&self, node: &NodeName, ask: Ask) -> Result<Pending, Failure> {
        match self.link(node) {
            Some(link) => Ok(link.ask(ask)),
            None => Err(ConnectError::new(node, node.to_string(), Trouble::UnknownNode, "").failure()),
        }
    }

    /// Where the line to a node is.
    pub fn status(&self, node: &NodeName) -> Option<Status> {
        self.link(node).map(|l| l.status())
    }

    /// Waits until the line to a node is over.
    pub async fn ended(&self, node: &NodeName) {
        if let Some(link) = self.link(node) {
            link.ended().await;
        }
    }

    /// Makes a new line to a node in place of the old one, which is closed.
    ///
    /// # Errors
    /// There is no line to be had.
    pub async fn reconnect(&self, node: &NodeName) -> Result<Hello, Arc<LineError>> {
        let link = Link::start(node, Arc::clone(&self.transport), Arc::clone(&self.limit));
        if let Some(claim) = self.lease.claim() {
            // Ahead of everything else on this line.
            drop(link.ask(Ask::Hold(claim)));
        }
        if let Some(slot) = self.links.get(node) {
            let old =
                std::mem::replace(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner), link.clone());
            old.close();
        }
        link.settled().await
    }

    /// A line to a node beside that of the run, over a connection of its own.
    ///
    /// # Errors
    /// There is no line to be had.
    pub(crate) async fn fresh(&self, node: &NodeName) -> Result<Fresh, Arc<LineError>> {
        let link = Link::start(node, Arc::clone(&self.transport), Arc::clone(&self.limit));
        let fresh = Fresh(Some(link.clone()));
        link.settled().await?;
        Ok(fresh)
    }

    /// Uses a fresh line from now on where the old one is over; otherwise the fresh one is closed.
    pub(crate) fn adopt(&self, node: &NodeName, mut fresh: Fresh) {
        if let Some(slot) = self.links.get(node) {
            let mut link = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(link.status(), Status::Down(_))
                && let Some(new) = fresh.0.take()
            {
                if let Some(claim) = self.lease.claim() {
                    // As with any other line in its place.
                    drop(new.ask(Ask::Hold(claim)));
                }
                *link = new;
            }
        }
    }

    /// Says good-bye to all nodes and gives them a moment to end.
    pub async fn close(&self) {
        let links: Vec<Link> = self.links.keys().filter_map(|n| self.link(n)).collect();
        for link in &links {
            link.close();
        }
        let all = async {
            for link in &links {
                link.ended().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), all).await;
    }

    /// Waits until the lock was taken away from this fleet; for ever where it has none.
    pub(crate) async fn ousted(&self) {
        self.lease.ousted().await;
    }

    /// Whether the lock was taken away from this fleet.
    pub fn is_ousted(&self) -> bool {
        self.lease.ousting().is_some()
    }

    /// The lock of this fleet.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Asks the nodes whose lines are up.
    pub(crate) fn ask_those_up(&self, ask: impl Fn(&NodeName) -> Option<Ask>) -> Vec<(NodeName, Pending)> {
        let up = |node: &&NodeName| matches!(self.status(node), Some(Status::Up(_)));
        self.links
            .keys()
            .filter(up)
            .filter_map(|node| Some((node.clone(), self.link(node)?.ask(ask(node)?))))
            .collect()
    }

    /// Says something to the nodes whose lines are up; the answers are not waited for.
    pub(crate) fn tell(&self, ask: &Ask) {
        drop(self.ask_those_up(|_| Some(ask.clone())));
    }

    fn link(&self, node: &NodeName) -> Option<Link> {
        self.links.get(node).map(|l| l.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn missing(&self, node: NodeName, failure: Failure) -> Missing {
        if let Some(Status::Down(error)) = self.status(&node)
            && let LineError::Connect(error) = &*error
        {
            return Missing::Unreachable(error.clone());
        }
        Missing::Failed { node, failure }
    }
}

/// A line that was made for one purpose; dropped, it hangs up.
pub(crate) struct Fresh(Option<Link>);

impl Fresh {
    /// Asks over this very line.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Say, Failure> {
        match &self.0 {
            Some(link) => link.ask(ask).wait(|_| ()).await,
            None => Err(Failure::lost("the line was handed on")),
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(link) = &self.0 {
            link.close();
        }
    }
}

/// The facts in an answer to `Ask::Facts`.
pub(crate) fn facts(answer: Result<Say, Failure>) -> Result<Facts, Failure> {
    match answer? {
        Say::Facts(facts) => Ok(*facts),
        _ => Err(Failure::broken("the agent answered something else than facts")),
    }
}

#[cfg(test)]
mod tests;
