//! `ringbolt verify`: every promise checked on the running cluster, per link and both ways.

use std::io::Write;

use clap::Args;
use ringbolt_control::verify::measure;
use ringbolt_core::check::Check;
use ringbolt_core::checkpoint;
use ringbolt_core::name::NodeName;
use ringbolt_core::obstacle::Obstacle;
use ringbolt_core::survey::Survey;
use ringbolt_core::verify::{Report, pings, report};

use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, obstacle, survey as drawing, verify as render, write_json};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Write the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verifies and shows the report.
pub(crate) fn run(
    args: &VerifyArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async { on(&Session::open(global, style)?, args, global, out, style).await })
}

/// The same in a session.
pub(crate) async fn on(
    session: &Session,
    args: &VerifyArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let survey = settled(session, !args.json && !global.quiet).await?;
    if survey.untouched() {
        return Err(Trouble {
            message: "ringbolt was never applied to these nodes: there is no mesh to verify".into(),
            hint: Some("`ringbolt plan` shows what it would do, `ringbolt apply` does it".into()),
            exit: Exit::NotVerified,
        });
    }
    let mut report = prove(session, &survey).await;
    report.narrow(&global.node);
    if args.json {
        write_json(out, &report)?;
    } else if !global.quiet {
        writeln!(out, "{}", drawing::mesh(&survey, style, charset()))?;
        write!(out, "{}", render::report(&report, style))?;
        let undone: Vec<Obstacle> =
            survey.fleet.nodes.iter().filter_map(|(node, facts)| checkpoint::report(node, facts)).collect();
        write!(out, "{}", obstacle::notes(&undone, style))?;
    } else if !report.ok {
        write!(out, "{}", render::failures(&report, style))?;
    }
    Ok(match (report.ok, report.silent.is_empty()) {
        (true, _) => Exit::Done,
        (false, true) => Exit::NotVerified,
        (false, false) => Exit::Unreachable,
    })
}

/// Seconds an adjacency gets to come up: right after a boot or a repair it needs a few hellos.
const SETTLE: u32 = 10;

/// A look at the nodes, repeated for some seconds while neighbours with a lit cable do not hear each
/// other yet.
async fn settled(session: &Session, tell: bool) -> Result<Survey, Trouble> {
    let mut survey = session.survey().await?;
    for second in 0..SETTLE {
        let hearing = survey.unmet().iter().any(|(node, finding)| coming(&survey, node, &finding.check));
        if !hearing && !peering(&survey) {
            break;
        }
        if second == 0 && tell {
            let _ = writeln!(
                std::io::stderr(),
                "neighbours or placement groups are not up yet; waiting up to {SETTLE} s"
            );
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        survey = session.survey().await?;
    }
    Ok(survey)
}

/// Whether placement groups are between two states, which passes by itself: right after an apply or a boot.
fn peering(survey: &Survey) -> bool {
    let passing = |state: &String| {
        state.split('+').any(|word| ["peering", "activating", "creating", "unknown"].contains(&word))
    };
    let clusters = survey.fleet.nodes.values().filter_map(|facts| facts.state.ceph_cluster.yes());
    clusters.into_iter().any(|cluster| cluster.placement_groups.keys().any(passing))
}

/// Whether a neighbour may yet come up: the port is lit.
fn coming(survey: &Survey, node: &NodeName, check: &Check) -> bool {
    let (Check::Neighbor { port, .. } | Check::Bfd { port }) = check else { return false };
    let lit = Check::Carrier { interface: port.to_string() };
    survey.fleet.nodes.get(node).is_some_and(|facts| lit.look(facts).holds)
}

/// Sends the pings and judges everything.
pub(crate) async fn prove(session: &Session, survey: &Survey) -> Report {
    let probes = pings(&survey.spec, &survey.binding, &survey.addresses, &survey.desired);
    let measured = measure(&session.fleet, probes).await;
    let silent = survey.silent.iter().map(|s| (s.node.clone(), s.why.clone())).collect();
    report(
        &survey.spec,
        &survey.binding,
        &survey.addresses,
        &survey.desired,
        &survey.fleet,
        &measured,
        silent,
    )
}
