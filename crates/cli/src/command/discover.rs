//! `ringbolt discover`: nodes, ports, cables: who is cabled to whom, at which speed; with Ceph the disks.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use ringbolt_core::name::NodeName;
use ringbolt_core::survey::{Silent, Survey};
use serde::Serialize;

use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::render::table::Table;
use crate::render::{Style, disk, obstacle, survey as drawing, write_json};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `discover`.
#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// Write facts and binding as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Look at the disks as well, and at their health (with Ceph in the spec it does so anyway)
    #[arg(long)]
    pub(crate) disks: bool,
}

/// What `--json` writes: the survey, and where disks were looked at what becomes of each.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    survey: &'a Survey,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    disks: BTreeMap<&'a NodeName, Vec<disk::Row<'a>>>,
}

/// Looks at the nodes and shows what is there.
pub(crate) fn run(
    args: &DiscoverArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async { on(&Session::open(global, style)?, args, out, style).await })
}

/// The same in a session.
pub(crate) async fn on(
    session: &Session,
    args: &DiscoverArgs,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let survey = if args.disks || session.loaded.spec.ceph.is_some() {
        session.survey_of_disks().await?
    } else {
        session.survey().await?
    };
    let disks = disk::rows(&survey);
    if args.json {
        write_json(out, &Document { survey: &survey, disks })?;
    } else {
        writeln!(out, "{}", drawing::mesh(&survey, style, charset()))?;
        write!(out, "{}", ports(&survey, style).within(style.width, &[2, 4, 1]))?;
        writeln!(out)?;
        if !disks.is_empty() {
            writeln!(out, "{}", disk::table(&disks, style))?;
        }
        write!(out, "{}", obstacle::notes(&survey.binding.notes, style))?;
        write!(out, "{}", obstacle::obstacles(&survey.binding.obstacles, style))?;
        for Silent { node, why, cure, .. } in &survey.silent {
            writeln!(out, "{} {node}: {why}\n  {} {cure}", style.red("silent:"), style.bold("cure:"))?;
        }
    }
    Ok(if survey.silent.is_empty() { Exit::Done } else { Exit::Unreachable })
}

fn ports(survey: &Survey, style: Style) -> Table {
    let mut table = Table::new(&[
        "node",
        "Proxmox VE",
        "kernel",
        "port",
        "controller",
        "now",
        "MTU",
        "cabled to",
        "speed",
    ]);
    for (node, facts) in &survey.fleet.nodes {
        let dash = || style.dim("–");
        let version = facts.inventory.packages.get("pve-manager").cloned().unwrap_or_else(dash);
        for (index, port) in survey.binding.ports.get(node).into_iter().flatten().enumerate() {
            let head = |text: &str| if index == 0 { text.to_owned() } else { String::new() };
            let interface = port.interface.as_ref().and_then(|name| facts.inventory.interfaces.get(name));
            table.row(vec![
                head(node.as_str()),
                head(&version),
                head(&facts.inventory.kernel),
                port.name.to_string(),
                port.pci.clone().unwrap_or_else(dash),
                port.interface.clone().unwrap_or_else(dash),
                interface.map_or_else(dash, |i| i.mtu.to_string()),
                port.peer.as_ref().map_or_else(dash, |(n, p)| format!("{n}:{p}")),
                port.speed.clone().unwrap_or_else(dash),
            ]);
        }
    }
    table
}
