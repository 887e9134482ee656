//! `ringbolt verify`: every promise checked on the running cluster, per link and both ways.

use std::io::Write;

use clap::Args;
use ringbolt_control::verify::measure;
use ringbolt_core::survey::Survey;
use ringbolt_core::verify::{Report, pings, report};

use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, survey as drawing, verify as render};
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
    let (survey, report) = block_on(async {
        let session = Session::open(global, style)?;
        let survey = session.survey().await?;
        let mut report = prove(&session, &survey).await;
        report.narrow(&global.node);
        Ok((survey, report))
    })?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        if !global.quiet {
            writeln!(out, "{}", drawing::mesh(&survey, style, charset()))?;
        }
        write!(out, "{}", render::report(&report, style))?;
    }
    Ok(match (report.ok, report.silent.is_empty()) {
        (true, _) => Exit::Done,
        (false, true) => Exit::NotVerified,
        (false, false) => Exit::Unreachable,
    })
}

/// Sends the pings and judges everything.
pub(crate) async fn prove(session: &Session, survey: &Survey) -> Report {
    let probes = pings(&survey.spec, &survey.binding, &survey.addresses, &survey.desired);
    let measured = measure(&session.fleet, probes).await;
    let silent = survey.silent.iter().map(|(node, why, _)| (node.clone(), why.clone())).collect();
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
