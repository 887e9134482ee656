//! Sends the pings of `verify` and brings back what came of them.
//!
//! What to send and how to judge it is the core's business. Probes of one node overlap: each goes out
//! of its own port; the few at full MTU come after, so that they do not stretch the latencies.

use ringbolt_core::ping::Pinged;
use ringbolt_core::verify::{Aim, Measured, Probe};
use ringbolt_core::wire::{Ask, Say};

use crate::fleet::Fleet;

/// Sends all probes and waits for the outcome of each; what could not be asked counts as lost.
pub async fn measure(fleet: &Fleet, probes: Vec<Probe>) -> Vec<Measured> {
    let (loss, rest): (Vec<Probe>, Vec<Probe>) = probes.into_iter().partition(|p| p.aim == Aim::Loss);
    let mut measured = all(fleet, loss).await;
    let mut rest = all(fleet, rest).await;
    // One lost packet of many at once is no verdict on an MTU: what fell short is asked once more.
    let (short, mut full): (Vec<Measured>, Vec<Measured>) =
        rest.drain(..).partition(|(probe, pinged)| pinged.replies.len() < probe.ping.count as usize);
    full.extend(all(fleet, short.into_iter().map(|(probe, _)| probe).collect()).await);
    measured.extend(full);
    measured
}

async fn all(fleet: &Fleet, probes: Vec<Probe>) -> Vec<Measured> {
    let started: Vec<_> = probes
        .into_iter()
        .map(|probe| (fleet.start(&probe.from, Ask::Ping(probe.ping.clone())), probe))
        .collect();
    let mut measured = Vec::with_capacity(started.len());
    for (pending, probe) in started {
        let answer = match pending {
            Ok(mut pending) => pending.wait(|_| ()).await,
            Err(failure) => Err(failure),
        };
        let pinged = match answer {
            Ok(Say::Pinged(pinged)) => pinged,
            Ok(_) => Pinged { error: Some("an answer of another kind".into()), ..Pinged::default() },
            Err(failure) => Pinged { error: Some(failure.message), ..Pinged::default() },
        };
        measured.push((probe, pinged));
    }
    measured
}
