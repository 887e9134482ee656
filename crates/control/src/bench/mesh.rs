//! The measurements of the mesh, in order: latencies of all links at once, then link by link sizes and throughput.

use std::time::Duration;

use ringbolt_core::bench::ask::Measured;
use ringbolt_core::bench::latency::{Latency, latency};
use ringbolt_core::bench::mesh::{BenchLink, Extent, LinkResult, Step, steps};
use ringbolt_core::ping::Pinged;
use ringbolt_core::wire::{Ask, Failure, Say};

use super::{Asked, Bench, BenchError, Got, ended, measured};

/// How long an iperf3 server may take to listen.
const LISTENS: Duration = Duration::from_secs(8);

/// Measures these links. What cannot be measured is a trouble of its direction, never an early end.
///
/// # Errors
/// A signal came.
pub async fn mesh(
    bench: &mut Bench<'_>,
    links: &[BenchLink],
    extent: &Extent,
) -> Result<Vec<LinkResult>, BenchError> {
    let mut results: Vec<LinkResult> = links.iter().cloned().map(LinkResult::new).collect();
    let steps = steps(extent);
    let total = 1 + links.len() * steps.len();
    (bench.tell)(0, total, "round trips on all links, without load");
    idle(bench, &mut results, extent.pings).await?;
    let mut done = 1;
    for result in &mut results {
        for step in &steps {
            (bench.tell)(done, total, &words(&result.link, *step));
            match step {
                Step::Sizes => sizes(bench, result).await?,
                _ => throughput(bench, result, *step, extent.seconds).await?,
            }
            done += 1;
        }
    }
    Ok(results)
}

fn words(link: &BenchLink, step: Step) -> String {
    let streams = |n: u32| if n == 1 { "1 stream".to_owned() } else { format!("{n} streams") };
    match step {
        Step::Sizes => format!("{}: packets of every size", link.name()),
        Step::OneWay { from, streams: n } => format!("{}: {}", link.way(from), streams(n)),
        Step::Both { streams: n } => format!("{}: both ways at once, {}", link.name(), streams(n)),
    }
}

async fn idle(bench: &mut Bench<'_>, results: &mut [LinkResult], count: u32) -> Result<(), BenchError> {
    let mut asked = Vec::new();
    for result in results.iter() {
        for way in 0..2 {
            asked.push(ping(bench, &result.link, way, count));
        }
    }
    let mut got = bench.all(asked).await?.into_iter();
    for result in results {
        for way in &mut result.ways {
            match got.next().map(pinged) {
                Some(Ok(seen)) => {
                    way.idle = latency(&seen);
                    way.troubles.extend(seen.error.filter(|_| seen.replies.is_empty()));
                }
                Some(Err(failure)) => way.troubles.push(failure.message),
                None => {}
            }
        }
    }
    Ok(())
}

fn ping(bench: &Bench<'_>, link: &BenchLink, way: usize, count: u32) -> Asked {
    bench.ask(&link.ends[way].node, Ask::Ping(link.ping(way, count)))
}

fn pinged(answer: Got) -> Result<Pinged, Failure> {
    match answer? {
        Say::Pinged(pinged) => Ok(pinged),
        _ => Err(Failure::broken("an answer of another kind")),
    }
}

async fn sizes(bench: &mut Bench<'_>, result: &mut LinkResult) -> Result<(), BenchError> {
    let link = &result.link;
    let asked = (0..2).map(|way| bench.ask(&link.ends[way].node, Ask::Measure(link.sizes(way)))).collect();
    for (way, answer) in result.ways.iter_mut().zip(bench.all(asked).await?) {
        match measured(answer) {
            Ok(Measured::Sizes { rows }) => way.sizes = rows,
            Ok(_) => {}
            Err(failure) => way.troubles.push(failure.message),
        }
    }
    Ok(())
}

/// One run of iperf3, with pings beside it where both directions are loaded.
async fn throughput(
    bench: &mut Bench<'_>,
    result: &mut LinkResult,
    step: Step,
    seconds: u32,
) -> Result<(), BenchError> {
    let link = result.link.clone();
    let Some((server, serve, send)) = link.throughput(step, seconds) else { return Ok(()) };
    let client = 1 - server;
    let mut serving = bench.ask(&link.ends[server].node, Ask::Measure(serve));
    if !bench.first_word(&mut serving, LISTENS).await? {
        serving.cancel();
        let why = serving.pending.err().map_or_else(|| "iperf3 does not listen".to_owned(), |f| f.message);
        result.ways[client].troubles.push(format!("{}: {why}", link.ends[server].node));
        return Ok(());
    }
    let loaded = matches!(step, Step::Both { .. });
    let pings: Vec<Asked> =
        if loaded { (0..2).map(|way| ping(bench, &link, way, 0)).collect() } else { Vec::new() };
    let sending = bench.ask(&link.ends[client].node, Ask::Measure(send));
    let sent = bench.all(vec![sending]).await;
    let mut rest = vec![serving];
    rest.extend(pings);
    let sent = match sent {
        Ok(mut got) => got.pop().unwrap_or_else(|| Err(Failure::broken("no answer"))),
        Err(_) => return Err(ended(rest).await),
    };
    // The server ends with its client, unless that never came; pings go on until they are told.
    for asked in &rest[usize::from(sent.is_ok())..] {
        asked.cancel();
    }
    let mut got = bench.all(rest).await?.into_iter();
    let received = match got.next().map(measured) {
        Some(Ok(Measured::Served { interrupts })) => interrupts,
        _ => None,
    };
    match measured(sent) {
        Ok(Measured::Sent { stream, interrupts }) => result.take(step, stream, interrupts, received),
        Ok(_) => {}
        Err(failure) => result.ways[client].troubles.push(failure.message),
    }
    for (way, answer) in result.ways.iter_mut().zip(got) {
        if let Ok(seen) = pinged(answer) {
            way.loaded = heavier(way.loaded.take(), latency(&seen));
        }
    }
    Ok(())
}

/// Of several runs under load the one with the slower round trips counts.
fn heavier(one: Option<Latency>, other: Option<Latency>) -> Option<Latency> {
    match (one, other) {
        (Some(a), Some(b)) => Some(if a.p50 >= b.p50 { a } else { b }),
        (a, b) => a.or(b),
    }
}
