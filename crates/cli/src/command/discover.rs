//! `ringbolt discover`: nodes, ports, cables: who is cabled to whom, at which speed.

use std::io::Write;

use clap::Args;
use ringbolt_core::survey::Survey;

use crate::command::plan::charset;
use crate::exit::Exit;
use crate::global::Global;
use crate::render::table::Table;
use crate::render::{Style, obstacle, survey as drawing};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `discover`.
#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// Write facts and binding as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Looks at the nodes and shows what is there.
pub(crate) fn run(
    args: &DiscoverArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let survey = block_on(async { Session::open(global, style)?.survey().await })?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &survey).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}", drawing::mesh(&survey, style, charset()))?;
        write!(out, "{}", ports(&survey, style).render(0))?;
        writeln!(out)?;
        write!(out, "{}", obstacle::notes(&survey.binding.notes, style))?;
        write!(out, "{}", obstacle::obstacles(&survey.binding.obstacles, style))?;
        for (node, why, cure) in &survey.silent {
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
