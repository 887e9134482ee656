//! Breaks cables one at a time while traffic runs, and measures what it costs.
//!
//! How a cable is broken is the breaker's business: in a lab the lab does it, on real nodes a port is
//! set down for some seconds by the agent, which sets it up again by itself.

pub mod node;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringbolt_core::action::Action;
use ringbolt_core::address::Addresses;
use ringbolt_core::bind::Cable;
use ringbolt_core::check::Check;
use ringbolt_core::drill::{INTERVAL_MS, Kind, Outcome, Times, judge};
use ringbolt_core::name::NodeName;
use ringbolt_core::ping::{Ping, Pinged};
use ringbolt_core::wire::{Ask, Deed, Failure, Say};

use crate::fleet::{Fleet, Pending};
use crate::question::question_for;

/// Breaks and mends cables.
pub trait Breaker {
    /// The kinds of cut it can make.
    fn kinds(&self) -> &'static [Kind];

    /// Cuts a cable.
    ///
    /// # Errors
    /// In words: it could not.
    fn cut(&mut self, cable: &Cable, kind: Kind) -> Result<(), String>;

    /// Mends it.
    ///
    /// # Errors
    /// In words: it could not.
    fn mend(&mut self, cable: &Cable, kind: Kind) -> Result<(), String>;
}

/// Why a drill could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The breaker could not do its part.
    #[error("{what} {a}–{b}: {why}", a = cable.a.0, b = cable.b.0)]
    Breaker {
        /// What was tried.
        what: &'static str,
        /// Which cable.
        cable: Box<Cable>,
        /// Why not.
        why: String,
    },
    /// A node did not do its part.
    #[error("{node}: {failure}")]
    Node {
        /// Which node.
        node: NodeName,
        /// What it said.
        failure: Failure,
    },
    /// A node has no router ID to send to.
    #[error("{0} has no router ID")]
    NoAddress(NodeName),
}

/// Cuts one cable in one way and measures both directions across it.
///
/// `settled` are the checks that must hold on each node before the cut and after the repair.
///
/// # Errors
/// The cut, the repair or the traffic could not be made; the cable is mended in any case.
pub async fn cable(
    fleet: &Fleet,
    addresses: &Addresses,
    breaker: &mut dyn Breaker,
    cable: &Cable,
    kind: Kind,
    settled: &[(NodeName, Vec<Check>)],
) -> Result<Outcome, DrillError> {
    settle(fleet, settled).await?;
    let ends = [(&cable.a.0, &cable.b.0), (&cable.b.0, &cable.a.0)];
    let mut streams = Vec::new();
    for (from, to) in ends {
        streams.push((from.clone(), to.clone(), stream(fleet, addresses, from, to)?));
    }
    pause(1.0).await;
    let broken = breaks(breaker, cable, kind).await;
    let watched = match broken {
        Ok(times) => {
            watch(fleet, settled).await;
            Ok(times)
        }
        Err(error) => Err(error),
    };
    let mut pings = Vec::new();
    for (from, to, mut pending) in streams {
        let node = from.clone();
        pings.push((from, to, finish(&mut pending, node).await?));
    }
    let outcome = judge(cable, kind, watched?, &pings);
    Ok(outcome)
}

/// Cut, wait, mend; mends whatever happens.
async fn breaks(breaker: &mut dyn Breaker, cable: &Cable, kind: Kind) -> Result<Times, DrillError> {
    if kind == Kind::Flap {
        once(breaker, cable, Kind::Carrier).await?;
        pause(3.0).await;
        return once(breaker, cable, Kind::Carrier).await;
    }
    once(breaker, cable, kind).await
}

async fn once(breaker: &mut dyn Breaker, cable: &Cable, kind: Kind) -> Result<Times, DrillError> {
    let fault = |what| {
        let cable = Box::new(cable.clone());
        move |why| DrillError::Breaker { what, cable, why }
    };
    let cut = now();
    let done = breaker.cut(cable, kind);
    if done.is_ok() {
        pause(kind.window()).await;
    }
    let mend = now();
    let mended = breaker.mend(cable, kind);
    done.map_err(fault("cutting"))?;
    mended.map_err(fault("mending"))?;
    Ok(Times { cut, mend })
}

fn stream(
    fleet: &Fleet,
    addresses: &Addresses,
    from: &NodeName,
    to: &NodeName,
) -> Result<Pending, DrillError> {
    let id =
        addresses.get(to).and_then(|a| a.ids().next()).ok_or_else(|| DrillError::NoAddress(to.clone()))?;
    let ping = Ping { to: id, interface: None, count: 0, interval_ms: INTERVAL_MS, size: 56, whole: false };
    fleet.start(from, Ask::Ping(ping)).map_err(|failure| DrillError::Node { node: from.clone(), failure })
}

async fn finish(pending: &mut Pending, node: NodeName) -> Result<Pinged, DrillError> {
    pending.cancel();
    match pending.wait(|_| ()).await {
        Ok(Say::Pinged(pinged)) => Ok(pinged),
        Ok(_) => Ok(Pinged::default()),
        Err(failure) => Err(DrillError::Node { node, failure }),
    }
}

/// After the repair: until everything holds again, but at most 20 s; then a second of traffic more.
async fn watch(fleet: &Fleet, settled: &[(NodeName, Vec<Check>)]) {
    let _ = settle(fleet, settled).await;
    pause(1.0).await;
}

/// Waits until these checks hold on their nodes, but at most 20 s.
///
/// # Errors
/// One does not, or a node does not answer.
pub async fn settle(fleet: &Fleet, settled: &[(NodeName, Vec<Check>)]) -> Result<(), DrillError> {
    let mut waits = Vec::new();
    for (node, checks) in settled {
        let ask = Ask::Await { checks: checks.clone(), question: question_for(checks), patience_ms: 20_000 };
        let pending =
            fleet.start(node, ask).map_err(|failure| DrillError::Node { node: node.clone(), failure })?;
        waits.push((node.clone(), pending));
    }
    for (node, mut pending) in waits {
        match pending.wait(|_| ()).await {
            Ok(Say::Looked { findings }) => {
                if let Some(finding) = findings.iter().find(|f| !f.holds) {
                    let words = crate::apply::in_words(&finding.check);
                    let failure = Failure::broken(format!("{words}: {}", finding.evidence)).hint(
                        "the mesh must be whole before a cable is cut: `ringbolt verify` shows what is not",
                    );
                    return Err(DrillError::Node { node, failure });
                }
            }
            Ok(_) => {}
            Err(failure) => return Err(DrillError::Node { node, failure }),
        }
    }
    Ok(())
}

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// Seconds since the epoch.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Breaks cables of real nodes: the port at one end is set down for a while and comes up by itself,
/// whatever happens to the controller.
pub struct PortBreaker {
    fleet: std::sync::Arc<Fleet>,
    held: Option<Pending>,
}

impl PortBreaker {
    /// A breaker over these lines.
    pub fn new(fleet: std::sync::Arc<Fleet>) -> Self {
        Self { fleet, held: None }
    }
}

impl Breaker for PortBreaker {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Admin]
    }

    fn cut(&mut self, cable: &Cable, kind: Kind) -> Result<(), String> {
        let (node, port) = &cable.a;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a window of a few seconds"
        )]
        let milliseconds = (kind.window() * 1000.0) as u32;
        let deed = Deed {
            run: "drill".into(),
            step: format!("{node}/hold:{port}").into(),
            action: Action::HoldDown { port: port.clone(), milliseconds },
            expect: None,
        };
        let pending = self.fleet.start(node, Ask::Do(deed)).map_err(|failure| failure.to_string())?;
        self.held = Some(pending);
        Ok(())
    }

    /// The agent mends by itself; the time is up when this is called.
    fn mend(&mut self, _: &Cable, _: Kind) -> Result<(), String> {
        self.held = None;
        Ok(())
    }
}
