//! `ringbolt bench mesh`: every link, both ways.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Instant;

use clap::Args;
use ringbolt_control::bench::{Bench, mesh as measure};
use ringbolt_control::stop;
use ringbolt_core::arrange::Arrange;
use ringbolt_core::bench::machine::Machine;
use ringbolt_core::bench::mesh::{BenchLink, Extent, LinkResult, links};
use ringbolt_core::bench::{Run, What, mesh_marks, throttling, verdict};
use ringbolt_core::digest;
use ringbolt_core::name::NodeName;
use ringbolt_core::survey::{Silent, Survey};

use super::{Doing, Report, StealArgs, ending, equipped, kept, lock, looked_at};
use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::Wish;
use crate::render::{Style, bench as render, write_json};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `bench mesh`.
#[derive(Debug, Args)]
pub(crate) struct MeshArgs {
    /// Only the link between these two nodes
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) between: Vec<String>,
    /// Seconds of each throughput run
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub(crate) seconds: u32,
    /// Numbers of streams
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 4], value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) streams: Vec<u32>,
    /// Echo requests for round trips without load; from 1000 on there is a p99.9
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub(crate) pings: u32,
    /// Install iperf3 on nodes that lack it, without asking
    #[arg(long)]
    pub(crate) install: bool,
    /// End with status 7 on findings too, not only on faults
    #[arg(long)]
    pub(crate) strict: bool,
    /// Write the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lock: StealArgs,
}

/// Measures and shows the result.
pub(crate) fn run(
    args: &MeshArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async {
        let session = Session::open(global, style)?;
        let (steal, json) = (args.lock.steal, args.json);
        let wish = Wish { purpose: "bench", steal, quiet: global.quiet, json, style };
        let _lock = lock(&session, wish).await?;
        let survey = session.survey().await?;
        let chosen = chosen(&survey, args, global)?;
        let mut run = measured(&session, &survey, args, chosen, !args.json && !global.quiet).await?;
        let earlier = session.runs.benches(&run.cluster, run.lab.as_deref()).unwrap_or_default();
        let path = kept(&session, &mut run)?;
        let report = Report::new(&run, &earlier);
        if args.json {
            write_json(out, &report)?;
        } else {
            let screen = render::Screen { style, charset: charset() };
            write!(out, "{}", screen.mesh(&run))?;
            write!(out, "{}", screen.beside(report.comparison.as_ref(), &report.targets))?;
            write!(out, "{}", screen.closing(&run))?;
            writeln!(out, "{}", style.dim(&format!("kept as {}", path.display())))?;
        }
        for Silent { node, why, .. } in &survey.silent {
            writeln!(std::io::stderr(), "{node} does not answer, its links were left out: {why}")?;
        }
        let silent = !survey.silent.is_empty();
        Ok(if silent { Exit::Unreachable } else { ending(&run, args.strict) })
    })
}

/// The links that were asked for.
fn chosen(survey: &Survey, args: &MeshArgs, global: &Global) -> Result<Vec<BenchLink>, Trouble> {
    if survey.untouched() {
        return Err(Trouble {
            message: "ringbolt was never applied to these nodes: there is no mesh to measure".into(),
            hint: Some("`ringbolt plan` shows what it would do, `ringbolt apply` does it".into()),
            exit: Exit::NotVerified,
        });
    }
    let all = links(survey);
    let has = |link: &BenchLink, name: &String| link.ends.iter().any(|end| end.node.as_str() == name);
    let wanted: Vec<BenchLink> = all
        .iter()
        .filter(|link| args.between.iter().all(|name| has(link, name)))
        .filter(|link| global.node.is_empty() || global.node.iter().any(|name| has(link, name)))
        .cloned()
        .collect();
    if wanted.is_empty() {
        let there: Vec<String> = all.iter().map(BenchLink::name).collect();
        let seen = if there.is_empty() {
            "no cable is seen".to_owned()
        } else {
            format!("there are: {}", there.join(", "))
        };
        return Err(Trouble::usage(
            "there is no such link",
            format!("{seen}; `ringbolt discover` shows more"),
        ));
    }
    Ok(wanted)
}

async fn measured(
    session: &Session,
    survey: &Survey,
    args: &MeshArgs,
    chosen: Vec<BenchLink>,
    shown: bool,
) -> Result<Run, Trouble> {
    let mut streams = args.streams.clone();
    streams.arrange();
    streams.dedup();
    let extent = Extent { seconds: args.seconds, streams, pings: args.pings };
    let interfaces = interfaces(&chosen);
    let before = equipped(session, &interfaces, &["iperf3"], args.install).await?;
    let began = jiff::Timestamp::now();
    let clock = Instant::now();
    let stop = stop::on_signals()?;
    let results: Vec<LinkResult> = {
        let doing = Doing::new(shown);
        let mut tell = |done, total, words: &str| doing.at(done, total, words);
        let mut bench = Bench { fleet: &session.fleet, stop, tell: &mut tell };
        measure(&mut bench, &chosen, &extent).await.map_err(|e| Trouble {
            message: e.to_string(),
            hint: Some("nothing was kept of this run".into()),
            exit: Exit::Failed,
        })?
    };
    let took = clock.elapsed().as_secs_f64();
    let after = looked_at(session, &interfaces).await?;
    Ok(put_together(session, survey, (before, &after), (began, took), What::Mesh { extent, links: results }))
}

/// The interfaces of each node that are measured.
fn interfaces(chosen: &[BenchLink]) -> BTreeMap<NodeName, Vec<String>> {
    let mut interfaces: BTreeMap<NodeName, Vec<String>> = BTreeMap::new();
    for end in chosen.iter().flat_map(|link| &link.ends) {
        let list = interfaces.entry(end.node.clone()).or_default();
        list.extend(end.port.as_ref().map(ToString::to_string));
    }
    interfaces
}

fn put_together(
    session: &Session,
    survey: &Survey,
    (before, after): (BTreeMap<NodeName, Machine>, &BTreeMap<NodeName, Machine>),
    (began, took): (jiff::Timestamp, f64),
    what: What,
) -> Run {
    let lab = survey.fleet.nodes.values().find_map(|facts| facts.realm.lab.clone());
    let mut marks = mesh_marks(lab.as_deref(), &before);
    marks.extend(throttling(&before, after));
    let mut run = Run {
        id: String::new(),
        began: began.to_string(),
        took,
        ringbolt: env!("CARGO_PKG_VERSION").into(),
        cluster: survey.spec.cluster.name.clone(),
        spec: digest::of(&session.loaded.text),
        lab,
        machines: before,
        what,
        marks,
        verdicts: Vec::new(),
    };
    run.verdicts = verdict::mesh(&run);
    run
}
