//! How labs are shown.

use std::io::Write;

use ringbolt_lab::status::{CableStatus, EndStatus, Power, Status};
use ringbolt_lab::{Fault, Transport};

use crate::exit::Exit;
use crate::render::table::Table;
use crate::render::{Style, count, write_json};
use crate::session::Trouble;

/// Shows one lab, or all there are.
pub(super) fn status(
    name: Option<&str>,
    json: bool,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let names = name.map_or_else(ringbolt_lab::list, |name| vec![name.to_owned()]);
    let mut labs = Vec::new();
    for name in names {
        labs.push(ringbolt_lab::open(&name).and_then(|lab| lab.status())?);
    }
    if json {
        write_json(out, &labs)?;
        return Ok(Exit::Done);
    }
    if labs.is_empty() {
        writeln!(out, "there is no lab; make one: ringbolt lab up --nodes 3")?;
    }
    for (at, lab) in labs.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", text(lab, style))?;
    }
    Ok(Exit::Done)
}

/// Shows what the cache holds, after removing what is of no use if that is wished for.
pub(super) fn images(
    prune: bool,
    quiet: bool,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    if prune {
        let gone = ringbolt_lab::prune::prune()?;
        if !quiet {
            for path in &gone {
                writeln!(out, "removed {}", path.display())?;
            }
            writeln!(out, "{} removed", count(gone.len(), "folder"))?;
        }
        return Ok(Exit::Done);
    }
    let all = ringbolt_lab::prune::cached()?;
    let mut table = Table::new(&["folder", "used by", ""]);
    for one in &all {
        let note = match (one.current, one.is_stale()) {
            (true, _) => "the next lab takes it",
            (_, true) => "of no use any more",
            _ => "of an earlier version",
        };
        let labs = if one.labs.is_empty() { "–".to_owned() } else { one.labs.join(", ") };
        table.row(vec![one.path.display().to_string(), labs, note.to_owned()]);
    }
    write!(out, "{}", table.within(style.width, &[]))?;
    let stale = all.iter().filter(|one| one.is_stale()).count();
    if stale > 0 {
        writeln!(out, "`ringbolt lab images --prune` removes {}", count(stale, "folder"))?;
    }
    Ok(Exit::Done)
}

fn text(lab: &Status, style: Style) -> String {
    use ringbolt_lab::state::Phase;
    let state = match lab.phase {
        Phase::Up => String::new(),
        Phase::Building => style.yellow(" (not complete: take it down and make it again)"),
        Phase::Down => style.yellow(" (half removed: run `ringbolt lab down` again)"),
    };
    let mut text = format!(
        "lab {}{state}: Proxmox VE {}, {}\n",
        style.bold(&lab.name),
        lab.pve.as_str(),
        lab.dir.display()
    );
    for node in &lab.nodes {
        let power = match node.power {
            Power::On => style.green("on"),
            Power::Frozen => style.yellow("frozen"),
            Power::Off => style.red("off"),
        };
        text.push_str(&format!("  {:12} {:15} {power}\n", node.name, node.address));
    }
    for cable in &lab.cables {
        text.push_str(&format!(
            "  {:24} – {:24} {}\n",
            end(&cable.a),
            end(&cable.b),
            condition(cable, lab.transport, style)
        ));
    }
    for (title, lines) in [("stood in for", &lab.stood_in_for), ("reduced here", &lab.reduced)] {
        text.push_str(&format!("{}\n", style.bold(title)));
        text.extend(lines.iter().map(|line| format!("  {line}\n")));
    }
    text
}

fn end(end: &EndStatus) -> String {
    match &end.interface {
        Some(name) => format!("{}:{name}", end.node),
        None => format!("{} port {}", end.node, end.port),
    }
}

fn condition(cable: &CableStatus, transport: Transport, style: Style) -> String {
    match &cable.fault {
        Fault::Carrier(_) => style.yellow("cut: no carrier"),
        Fault::Silent => style.yellow("cut: looks alive, nothing passes"),
        Fault::OneWay(from) => style.yellow(&format!("cut: what {from} sends is lost")),
        Fault::Unplugged => style.yellow("pulled"),
        Fault::None if cable.a.interface.is_none() || cable.b.interface.is_none() => {
            let dark = if transport == Transport::Thunderbolt {
                "not there: a node is off"
            } else {
                "dark: a node is off"
            };
            style.dim(dark)
        }
        Fault::None if cable.a.carrier && cable.b.carrier => {
            let mtu = cable.a.mtu.min(cable.b.mtu).unwrap_or(0);
            format!("{} mtu {mtu}", style.green("lit"))
        }
        Fault::None => style.dim("dark: an end is not up"),
    }
}
