//! How labs are shown.

use std::collections::BTreeMap;
use std::io::Write;

use ringbolt_lab::state::Phase;
use ringbolt_lab::status::{CableStatus, EndStatus, Power, Status};
use ringbolt_lab::{Fault, Transport};

use crate::exit::Exit;
use crate::render::table::Table;
use crate::render::text::hang;
use crate::render::{Style, count, write_json};
use crate::session::Trouble;

/// Shows one lab, or where there are several and none is named, one line of each.
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
    match labs.as_slice() {
        [] => writeln!(out, "there is no lab; make one: ringbolt lab up --nodes 3")?,
        [lab] => write!(out, "{}", text(lab, style))?,
        several => write!(out, "{}", lines(several, style))?,
    }
    Ok(Exit::Done)
}

/// Shows what the cache holds, after removing what is of no use if that is wished for.
pub(super) fn images(prune: bool, quiet: bool, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
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

/// One line a lab.
fn lines(labs: &[Status], style: Style) -> String {
    let mut table = Table::new(&["lab", "Proxmox VE", "nodes", "cables", "spec"]);
    for lab in labs {
        let powers = lab.nodes.iter().map(|node| power(node.power, style));
        let cables = lab.cables.iter().map(|cable| shortly(cable, style));
        let spec = phase(lab).map_or_else(|| spec(lab), |what| style.yellow(what));
        table.row(vec![lab.name.clone(), lab.pve.as_str().into(), sum(powers), sum(cables), spec]);
    }
    let next = "`ringbolt lab status --lab NAME` shows nodes, cables and what is not real in one of them.";
    format!("{}{}", table.within(style.width, &[1]), hang("", next, style.width))
}

/// `2 on, 1 off`.
fn sum(words: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let counts: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    if counts.is_empty() { "–".to_owned() } else { counts.join(", ") }
}

fn spec(lab: &Status) -> String {
    lab.dir.join("ringbolt.toml").display().to_string()
}

/// What is wrong with a lab that is neither up nor gone.
fn phase(lab: &Status) -> Option<&'static str> {
    match lab.phase {
        Phase::Up => None,
        Phase::Building => Some("not complete: take it down and make it again"),
        Phase::Down => Some("half removed: run `ringbolt lab down` again"),
    }
}

fn power(power: Power, style: Style) -> String {
    match power {
        Power::On => style.green("on"),
        Power::Frozen => style.yellow("frozen"),
        Power::Off => style.red("off"),
    }
}

fn text(lab: &Status, style: Style) -> String {
    let head =
        format!("lab {}: Proxmox VE {}, {}", style.bold(&lab.name), lab.pve.as_str(), lab.dir.display());
    let mut text = hang("", &head, style.width);
    if let Some(what) = phase(lab) {
        text += &hang("  ", &style.paste(&style.yellow(what)), style.width);
    }
    let mut nodes = Table::default();
    for node in &lab.nodes {
        nodes.row(vec![node.name.clone(), node.address.to_string(), power(node.power, style)]);
    }
    let mut cables = Table::default();
    for cable in &lab.cables {
        let ends = format!("{} – {}", end(&cable.a), end(&cable.b));
        cables.row(vec![ends, condition(cable, lab.transport, style)]);
    }
    text += &(nodes.inset(2, style.width, &[]) + &cables.inset(2, style.width, &[]));
    for (title, lines) in [("stood in for", &lab.stood_in_for), ("reduced here", &lab.reduced)] {
        text += &format!("{}\n", style.bold(title));
        text.extend(lines.iter().map(|line| hang("  - ", line, style.width)));
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

/// The condition of a cable in a word.
fn shortly(cable: &CableStatus, style: Style) -> String {
    match &cable.fault {
        Fault::Unplugged => style.yellow("pulled"),
        Fault::None if cable.a.carrier && cable.b.carrier => style.green("lit"),
        Fault::None => style.dim("dark"),
        _ => style.yellow("cut"),
    }
}

#[cfg(test)]
mod tests {
    use ringbolt_lab::PveRelease;
    use ringbolt_lab::status::NodeStatus;

    use super::*;

    fn lab(name: &str, powers: &[Power]) -> Status {
        let end = |node: &str, carrier| EndStatus {
            node: node.into(),
            port: 0,
            interface: Some("en05".into()),
            mtu: Some(65520),
            carrier,
        };
        let cable = |fault, carrier| CableStatus { a: end("n1", carrier), b: end("n2", carrier), fault };
        Status {
            name: name.into(),
            dir: format!("/var/lib/ringbolt-lab/{name}").into(),
            phase: Phase::Up,
            transport: Transport::Thunderbolt,
            pve: PveRelease::V9_2,
            nodes: (1..)
                .zip(powers)
                .map(|(n, power)| NodeStatus {
                    name: format!("n{n}"),
                    address: [10, 11, 12, n].into(),
                    power: *power,
                    disks: Vec::new(),
                })
                .collect(),
            cables: vec![cable(Fault::None, true), cable(Fault::Silent, true), cable(Fault::None, true)],
            stood_in_for: vec!["nodes do not exchange status as pvestatd does".into()],
            reduced: vec!["cables are virtual".into()],
        }
    }

    #[test]
    fn several_labs_are_a_line_each() {
        let half = Status { phase: Phase::Building, ..lab("half", &[]) };
        let labs = [lab("one", &[Power::On, Power::On]), lab("two", &[Power::On, Power::Off]), half];
        assert_eq!(
            lines(&labs, Style::plain(100)),
            "lab   Proxmox VE  nodes        cables        spec\n\
             one   9.2         2 on         1 cut, 2 lit  /var/lib/ringbolt-lab/one/ringbolt.toml\n\
             two   9.2         1 off, 1 on  1 cut, 2 lit  /var/lib/ringbolt-lab/two/ringbolt.toml\n\
             half  9.2         –            1 cut, 2 lit  not complete: take it down and make it again\n\
             `ringbolt lab status --lab NAME` shows nodes, cables and what is not real in one of them.\n"
        );
    }

    #[test]
    fn one_lab_keeps_to_the_screen() {
        let text = text(&lab("one", &[Power::On, Power::Frozen]), Style::plain(40));
        assert!(text.contains("  n2  10.11.12.2  frozen\n"), "{text}");
        assert!(text.contains("  n1:en05 – n2:en05  lit mtu 65520\n"), "{text}");
        assert!(text.contains("  - nodes do not exchange status as\n    pvestatd does\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }
}
