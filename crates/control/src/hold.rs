//! Takes the cluster's lock on all nodes, keeps it while it lives, and tells when it was taken away.
//!
//! One frame a node on the lines that are open anyway. Who wins is `core::lock::decide`'s business; every command
//! that changes something goes through [`hold`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ringbolt_core::lock::{
    BEAT_SECONDS, Claim, Condition, Fate, Holder, Recalled, Standing, Verdict, decide,
};
use ringbolt_core::name::{NodeName, StepId};
use ringbolt_core::wire::{Ask, Say};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::fleet::{Fleet, Pending};
use crate::nonce::nonce;
use crate::stop::{Stop, Urgency};

/// Pause before nodes are asked again in a contest, and before waiting is thought over.
const AGAIN: Duration = Duration::from_millis(150);

/// How long a rival may take to give way, or the one before us to let go.
const CONTEST: Duration = Duration::from_secs(5);

/// The same for one that has more than half of the nodes: it may be ending just now.
const GRACE: Duration = Duration::from_secs(2);

/// Pause before a node is asked again that finishes something.
const LOOK: Duration = Duration::from_millis(500);

/// Longest wait for what an ended run left under way; every deed of an agent is bounded below that.
const UNFINISHED: Duration = Duration::from_secs(45 * 60);

/// The lock, held until this is dropped.
pub struct Hold {
    fleet: Arc<Fleet>,
    beat: JoinHandle<()>,
    /// How it came.
    pub how: How,
}

/// How a lock came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Whose it was before: ended runs, and one that was robbed; and the nodes on which it was theirs.
    pub before: Vec<(Holder, Vec<NodeName>)>,
    /// Something was done on a node since its facts were read: they may be old.
    pub moved: bool,
}

/// Why there is no lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// Somebody has it.
    #[error("{}", in_words(.0, .1))]
    Held(Box<Holder>, Vec<NodeName>),
    /// Too few nodes answered.
    #[error("{granted} of {asked} nodes gave the lock of the cluster, and more than half are needed")]
    Few {
        /// So many gave it.
        granted: usize,
        /// So many were asked.
        asked: usize,
    },
    /// What another run left under way does not come to an end.
    #[error("{0}; that was waited for in vain")]
    Endless(String),
    /// The user did not want to wait.
    #[error("stopped while waiting for the lock of the cluster")]
    Stopped,
}

/// A claim of this process.
pub fn claim(purpose: &str, steal: bool) -> Claim {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let user = user.unwrap_or_else(|| match rustix::process::getuid() {
        id if id.is_root() => "root".to_owned(),
        id => format!("uid {}", id.as_raw()),
    });
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Claim {
        id: nonce(12),
        owner: format!("{user}@{}", host.trim()),
        process: std::process::id(),
        purpose: purpose.to_owned(),
        run: String::new(),
        since: jiff::Timestamp::now().to_string(),
        steal,
    }
}

/// Takes the lock on every node whose line is up. `tell` hears, once each, what is waited for; a stop ends the wait.
///
/// # Errors
/// Somebody has it, or too few nodes gave it.
pub async fn hold(
    fleet: &Arc<Fleet>,
    claim: Claim,
    mut stop: Option<&mut Stop>,
    mut tell: impl FnMut(&str),
) -> Result<Hold, HoldError> {
    fleet.greetings().await;
    fleet.lease().set(Some(claim.clone()));
    let mut asked: BTreeMap<NodeName, Option<Standing>> = BTreeMap::new();
    let mut taker = Taker { began: Instant::now(), how: How::default(), told: BTreeSet::new() };
    let outcome = loop {
        // A node whose line breaks meanwhile still counts as one that was asked.
        asked.values_mut().for_each(|standing| *standing = None);
        asked.extend(fleet.standings(&claim).await);
        let pause = match taker.take(&claim.id, &asked, &mut tell) {
            Ok(None) => break Ok(()),
            Ok(Some(pause)) => pause,
            Err(error) => break Err(error),
        };
        match &mut stop {
            None => sleep(pause).await,
            Some(stop) => tokio::select! {
                () = sleep(pause) => {}
                _ = stop.more(Urgency::None) => break Err(HoldError::Stopped),
            },
        }
    };
    if let Err(error) = outcome {
        fleet.let_go();
        return Err(error);
    }
    // What it took it need not take again.
    fleet.lease().set(Some(Claim { steal: false, ..claim }));
    let beat = tokio::spawn(beat(Arc::downgrade(fleet)));
    Ok(Hold { fleet: Arc::clone(fleet), beat, how: taker.how })
}

/// One attempt after another.
struct Taker {
    began: Instant,
    how: How,
    told: BTreeSet<NodeName>,
}

impl Taker {
    /// What the answers mean: it is ours, ask again after a pause, or it is not to be had.
    fn take(
        &mut self,
        id: &str,
        answers: &BTreeMap<NodeName, Option<Standing>>,
        tell: &mut impl FnMut(&str),
    ) -> Result<Option<Duration>, HoldError> {
        self.learn(answers);
        let waited = self.began.elapsed();
        match decide(id, answers) {
            Verdict::Won => Ok(None),
            Verdict::Contest(_) if waited < CONTEST => Ok(Some(AGAIN)),
            Verdict::Lost(_) if waited < GRACE => Ok(Some(AGAIN)),
            Verdict::Contest(holder) | Verdict::Lost(holder) => {
                let nodes = answers.iter().filter(|(_, standing)| is_of(standing.as_ref(), &holder));
                Err(HoldError::Held(Box::new(holder.clone()), nodes.map(|(node, _)| node.clone()).collect()))
            }
            Verdict::Few(granted, asked) => Err(HoldError::Few { granted, asked }),
            Verdict::Unfinished(nodes) => {
                // Facts read before are older than its end.
                self.how.moved = true;
                for (node, holder) in nodes {
                    let words = unfinished(&node, &holder);
                    if waited > UNFINISHED {
                        return Err(HoldError::Endless(words));
                    }
                    if !words.is_empty() && self.told.insert(node) {
                        tell(&words);
                    }
                }
                Ok(Some(LOOK))
            }
        }
    }

    fn learn(&mut self, answers: &BTreeMap<NodeName, Option<Standing>>) {
        for (node, standing) in answers {
            let Some(Standing::Granted { before, moved }) = standing else { continue };
            self.how.moved |= moved;
            let Some(holder) = before else { continue };
            match self.how.before.iter_mut().find(|(known, _)| known.claim.id == holder.claim.id) {
                Some((_, nodes)) => nodes.push(node.clone()),
                None => self.how.before.push((holder.clone(), vec![node.clone()])),
            }
        }
    }
}

fn is_of(standing: Option<&Standing>, holder: &Holder) -> bool {
    matches!(standing, Some(Standing::Held(h) | Standing::Ousted { by: Some(h) }) if h.claim.id == holder.claim.id)
}

/// Who has the lock: `root@pve has been at its apply since …, run …`.
fn in_words(holder: &Holder, nodes: &[NodeName]) -> String {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    format!("{}; it holds the lock on {}", described(&holder.claim), names.join(", "))
}

/// Whose call it is, since when, and which run.
pub fn described(claim: &Claim) -> String {
    let since = claim.since.parse::<jiff::Timestamp>().map_or_else(
        |_| claim.since.clone(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%F %T").to_string(),
    );
    let run = if claim.run.is_empty() { String::new() } else { format!(", run {}", claim.run) };
    format!("{} of {} (process {}) since {since}{run}", claim.purpose, claim.owner, claim.process)
}

/// What a node is still at, for a run that has ended; empty when it is about to end.
pub fn unfinished(node: &NodeName, holder: &Holder) -> String {
    let whose = format!("begun by {}", described(&holder.claim));
    match &holder.condition {
        Condition::Finishing { step } if !step.is_empty() => format!("{node} is still at {step}, {whose}"),
        Condition::Leftover { step, programs } => {
            let of = if step.is_empty() { String::new() } else { format!(" for {step}") };
            format!("{node} still runs {}{of}, {whose}", programs.join(", "))
        }
        _ => String::new(),
    }
}

/// Says to all nodes, again and again, that this controller is there.
async fn beat(fleet: std::sync::Weak<Fleet>) {
    loop {
        sleep(Duration::from_secs(BEAT_SECONDS)).await;
        let Some(fleet) = fleet.upgrade() else { return };
        let Some(claim) = fleet.lease().claim() else { return };
        look(&fleet, &claim).await;
    }
}

/// Says it once, and notes when somebody else has the lock.
async fn look(fleet: &Fleet, claim: &Claim) {
    for standing in fleet.standings(claim).await.into_values().flatten() {
        match standing {
            Standing::Ousted { by } => fleet.lease().oust(by),
            Standing::Held(holder) if holder.claim.id != claim.id && holder.condition == Condition::Live => {
                fleet.lease().oust(Some(holder));
            }
            Standing::Held(_) | Standing::Granted { .. } => {}
        }
    }
}

impl Hold {
    /// From here on the lock is that of this run: told to all nodes ahead of its first deed.
    pub fn names_run(&self, run: &str) {
        if let Some(claim) = self.fleet.lease().claim() {
            let claim = Claim { run: run.to_owned(), ..claim };
            self.fleet.lease().set(Some(claim.clone()));
            self.fleet.tell(&Ask::Hold(claim));
        }
    }

    /// Asks the nodes once more whose it is; whether it was taken away, and by whom where that can be seen.
    pub async fn asked_anew(&self) -> Option<Option<Holder>> {
        if let Some(claim) = self.fleet.lease().claim() {
            look(&self.fleet, &claim).await;
        }
        self.ousting()
    }

    /// Whether it was taken away, and by whom where that is known.
    pub fn ousting(&self) -> Option<Option<Holder>> {
        self.fleet.lease().ousting()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.beat.abort();
        self.fleet.let_go();
    }
}

impl Fleet {
    /// What the nodes whose lines are up say to a claim.
    async fn standings(&self, claim: &Claim) -> BTreeMap<NodeName, Option<Standing>> {
        let asked = self.ask_those_up(|_| Some(Ask::Hold(claim.clone())));
        let mut standings = BTreeMap::new();
        for (node, mut pending) in asked {
            let standing = match pending.wait(|_| ()).await {
                Ok(Say::Standing(standing)) => Some(*standing),
                _ => None,
            };
            standings.insert(node, standing);
        }
        standings
    }

    /// What each node knows of these steps of an earlier run; nodes that do not answer are left out.
    pub async fn recall(
        &self,
        run: &str,
        steps: &BTreeMap<NodeName, Vec<StepId>>,
    ) -> BTreeMap<NodeName, Recalled> {
        let question = |node: &NodeName| Ask::Recall {
            run: run.to_owned(),
            steps: steps.get(node).cloned().unwrap_or_default(),
        };
        // A line that is not up yet carries the question as soon as it is.
        let names: Vec<NodeName> = self.nodes().cloned().collect();
        let asked: Vec<(NodeName, Pending)> = names
            .into_iter()
            .filter_map(|node| Some((node.clone(), self.start(&node, question(&node)).ok()?)))
            .collect();
        let mut recalled = BTreeMap::new();
        for (node, mut pending) in asked {
            if let Ok(Say::Recalled(said)) = pending.wait(|_| ()).await {
                recalled.insert(node, said);
            }
        }
        recalled
    }

    fn let_go(&self) {
        self.lease().set(None);
        self.tell(&Ask::Release);
    }
}

/// Steps of an earlier run, node by node, with what became of them.
pub fn fates<'a>(
    steps: &'a BTreeMap<NodeName, Vec<StepId>>,
    recalled: &'a BTreeMap<NodeName, Recalled>,
) -> impl Iterator<Item = (&'a StepId, Option<&'a Fate>)> {
    steps.iter().flat_map(move |(node, steps)| {
        let said = recalled.get(node);
        steps.iter().enumerate().map(move |(at, step)| (step, said.and_then(|said| said.fates.get(at))))
    })
}
