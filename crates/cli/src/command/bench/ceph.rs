//! `ringbolt bench ceph`: a pool, by `rados bench` and by `fio` on an image.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use ringbolt_control::bench::{Bench, Look, ceph as measure, look};
use ringbolt_control::stop;
use ringbolt_core::bench::ceph::circumstance::{Circumstance, busy, of_cluster, of_disks, since};
use ringbolt_core::bench::ceph::verdict::{marks, verdicts};
use ringbolt_core::bench::ceph::{CephResult, Setup, pool, setup};
use ringbolt_core::bench::machine::Machine;
use ringbolt_core::bench::{Effect, Mark, Run, What, machine_marks, throttling};
use ringbolt_core::digest;
use ringbolt_core::facts::ceph::ClientLoad;
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::name::NodeName;

use super::{Doing, Report, StealArgs, ending, equipped, failed, kept, lock, looked_at};
use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::Wish;
use crate::render::text::hang;
use crate::render::{Style, bench as render, write_json};
use crate::session::{Session, Trouble, block_on};

/// How often a cluster under load is looked at again, and how long after.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(2);

/// Arguments of `bench ceph`.
#[derive(Debug, Args)]
pub(crate) struct CephArgs {
    /// The pool; without it the first of the spec, or of the cluster, that images can be in
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// The node that plays the client; without it the first of the spec
    #[arg(long, value_name = "NODE")]
    pub(crate) from: Option<String>,
    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub(crate) seconds: u32,
    /// Measure although the state of the cluster falsifies the figures; they are marked
    #[arg(long)]
    pub(crate) force: bool,
    /// Install fio on the node if it lacks it, without asking
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
    args: &CephArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async {
        let session = Session::open(global, style)?;
        let (steal, json) = (args.lock.steal, args.json);
        let wish = Wish { purpose: "bench", steal, quiet: global.quiet, json, style };
        let _lock = lock(&session, wish).await?;
        let client = client(&session, args)?;
        let shown = !args.json && !global.quiet;
        let seen = settled(&session, &client, shown.then_some(style)).await?;
        let (planned, found) = planned(&session, args, &client, &seen)?;
        refused(&found, args.force)?;
        if shown {
            let words = hang("", &announced(&planned), style.width);
            writeln!(std::io::stderr(), "{}", style.err().dim(words.trim_end()))?;
        }
        let mut run = measured(&session, args, (&seen, &found), planned, shown).await?;
        let earlier = session.runs.benches(&run.cluster, run.lab.as_deref()).unwrap_or_default();
        let path = kept(&session, &mut run)?;
        let report = Report::new(&run, &earlier);
        if args.json {
            write_json(out, &report)?;
        } else {
            let screen = render::Screen { style, charset: charset() };
            write!(out, "{}", screen.ceph(&run))?;
            write!(out, "{}", screen.beside(report.comparison.as_ref(), &report.targets))?;
            write!(out, "{}", screen.closing(&run))?;
            writeln!(out, "{}", style.dim(&format!("kept as {}", path.display())))?;
        }
        Ok(ending(&run, args.strict))
    })
}

fn client(session: &Session, args: &CephArgs) -> Result<NodeName, Trouble> {
    let mut names = session.loaded.spec.nodes.iter().map(|n| &n.name);
    let found = match &args.from {
        None => names.next(),
        Some(wanted) => names.find(|n| n.as_str() == wanted),
    };
    let unknown =
        || Trouble::usage("the spec has no such node", "`--from` takes the name of a node of the spec");
    found.cloned().ok_or_else(unknown)
}

/// Looks at the cluster, again and again while it sees load: what it tells is a mean over the last seconds, and an
/// earlier benchmark may be in it.
///
/// Says so where there is a style to say it in.
async fn settled(session: &Session, client: &NodeName, style: Option<Style>) -> Result<Look, Trouble> {
    let mut looks = 0;
    loop {
        let seen = look(&session.fleet, client).await.map_err(|f| failed(client, f, Exit::NotVerified))?;
        looks += 1;
        if !busy(seen.cluster.client) || looks > LOOKS {
            return Ok(seen);
        }
        if let Some(style) = style.filter(|_| looks == 1) {
            let longest = PAUSE.as_secs() * u64::from(LOOKS);
            let words = format!(
                "clients are at work on Ceph, or were a moment ago: waiting up to {longest} s for rest"
            );
            writeln!(std::io::stderr(), "{}", style.err().dim(&words))?;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What will be measured, and what speaks against it.
fn planned(
    session: &Session,
    args: &CephArgs,
    client: &NodeName,
    seen: &Look,
) -> Result<(Setup, Vec<Circumstance>), Trouble> {
    let hint = "`--pool NAME` names another one; `ceph osd pool ls detail` lists them";
    let unfit = |e: ringbolt_core::bench::ceph::SetupError| Trouble::usage(e.to_string(), hint);
    let cluster = &seen.cluster;
    let listed = session.loaded.spec.pools.iter().map(|p| p.name.as_str());
    let first = listed.filter(|name| pool(cluster, Some(name)).is_ok()).find(|_| true);
    let pool = pool(cluster, args.pool.as_deref().or(first)).map_err(unfit)?;
    let setup = setup(cluster, pool, client, args.seconds).map_err(unfit)?;
    let mut found = of_cluster(cluster, pool);
    found.extend(of_disks(&seen.nodes));
    Ok((setup, found))
}

/// What refuses the benchmark, unless somebody insists.
fn refused(found: &[Circumstance], force: bool) -> Result<(), Trouble> {
    let grave: Vec<&str> = found.iter().filter(|c| c.refuses).map(|c| c.mark.text.as_str()).collect();
    if grave.is_empty() || force {
        return Ok(());
    }
    Err(Trouble {
        message: format!("RB0909: not measured: {}", grave.join("; ")),
        hint: Some("mend it or wait; `--force` measures all the same and marks the result".into()),
        exit: Exit::NotVerified,
    })
}

fn announced(setup: &Setup) -> String {
    let mib = |bytes: u64| bytes >> 20;
    format!(
        "pool {} from {}: keeps {} MiB there at a time, writes {} MiB in all at most (each in {} copies), removes all of it",
        setup.pool,
        setup.client,
        mib(setup.bytes),
        mib(setup.written_at_most()),
        setup.size
    )
}

async fn measured(
    session: &Session,
    args: &CephArgs,
    (seen, found): (&Look, &[Circumstance]),
    setup: Setup,
    shown: bool,
) -> Result<Run, Trouble> {
    let mine = BTreeMap::from([(setup.client.clone(), Vec::new())]);
    equipped(session, &mine, &["fio", "rados"], args.install).await?;
    let answering =
        session.loaded.spec.nodes.iter().map(|n| &n.name).filter(|n| !seen.silent.contains_key(*n));
    let all: BTreeMap<NodeName, Vec<String>> = answering.map(|n| (n.clone(), Vec::new())).into_map();
    let before = looked_at(session, &all).await?;
    let began = jiff::Timestamp::now();
    let clock = Instant::now();
    let stop = stop::on_signals()?;
    let result = {
        let doing = Doing::new(shown);
        let mut tell = |done, total, words: &str| doing.at(done, total, words);
        let mut bench = Bench { fleet: &session.fleet, stop, tell: &mut tell };
        measure(&mut bench, &setup).await.map_err(|e| Trouble {
            message: e.to_string(),
            hint: Some("nothing was kept of this run".into()),
            exit: Exit::Failed,
        })?
    };
    let took = clock.elapsed().as_secs_f64();
    let after = looked_at(session, &all).await?;
    let mut marks: Vec<Mark> = about(seen, found, &setup, &result);
    marks.extend(machine_marks(seen.lab.as_deref(), &before));
    marks.extend(throttling(&before, &after));
    marks.extend(later(session, &setup, found).await);
    let mut run = put_together(session, (began, took), before, What::Ceph { setup, result });
    (run.lab, run.marks) = (seen.lab.clone(), marks);
    run.verdicts = verdicts(&run);
    Ok(run)
}

/// What was known before, and what is always so.
fn about(seen: &Look, found: &[Circumstance], setup: &Setup, result: &CephResult) -> Vec<Mark> {
    let mut all = Vec::new();
    if let Some(lab) = &seen.lab {
        let text = format!(
            "lab {lab}: all OSDs share one machine and its disk; proves nothing about disks or cables"
        );
        all.push(Mark::new(Effect::Void, text));
    }
    all.extend(found.iter().map(|c| c.mark.clone()));
    all.extend(seen.silent.keys().map(|node| Mark::new(Effect::Note, format!("{node} did not answer"))));
    all.extend(marks(setup, result));
    all
}

/// What came up during the run.
async fn later(session: &Session, setup: &Setup, found: &[Circumstance]) -> Vec<Mark> {
    match look(&session.fleet, &setup.client).await {
        Ok(mut now) => {
            // The load that is seen now is the benchmark's own.
            now.cluster.client = ClientLoad::default();
            let pool = now.cluster.pools.iter().find(|p| p.name == setup.pool);
            pool.map(|pool| since(found, of_cluster(&now.cluster, pool))).unwrap_or_default()
        }
        Err(failure) => {
            let text = format!("the cluster could not be looked at afterwards: {}", failure.message);
            vec![Mark::new(Effect::Note, text)]
        }
    }
}

fn put_together(
    session: &Session,
    (began, took): (jiff::Timestamp, f64),
    machines: BTreeMap<NodeName, Machine>,
    what: What,
) -> Run {
    Run {
        id: String::new(),
        began: began.to_string(),
        took,
        ringbolt: env!("CARGO_PKG_VERSION").into(),
        cluster: session.loaded.spec.cluster.name.clone(),
        spec: digest::of(&session.loaded.text),
        lab: None,
        machines,
        what,
        marks: Vec::new(),
        verdicts: Vec::new(),
    }
}
