//! Faults of cables: no carrier, nothing passes, one direction dead, pulled out. Used by `lab cut` and `lab
//! mend`. Interfaces are found by hardware address, since udev in the node may have renamed them. Nothing here
//! needs netem.

use std::fs;

use crate::cable;
use crate::lab::{Lab, LabError};
use crate::netns;
use crate::program;
use crate::state::{CableRecord, End, Fault, Record, Transport, file_error};

/// Brings all cables between two nodes from whatever fault they have to `wanted`, and notes it.
pub(crate) fn set(
    lab: &Lab,
    record: &mut Record,
    (a, b): (&str, &str),
    wanted: &Fault,
) -> Result<(), LabError> {
    let indexes: Vec<usize> =
        (0..record.cables.len()).filter(|index| record.cables[*index].joins(a, b)).collect();
    if indexes.is_empty() {
        return Err(LabError::NoCable(a.to_owned(), b.to_owned()));
    }
    for index in indexes {
        let before = record.cables[index].clone();
        record.cables[index].fault = wanted.clone();
        record.save(&lab.dir())?;
        clear(lab, record, &before)?;
        let now = &record.cables[index];
        if record.transport == Transport::Thunderbolt && now.fault == Fault::Unplugged {
            cable::unplug(lab, now)?;
        }
        apply(lab, now)?;
    }
    Ok(())
}

/// Takes the cable's present fault away.
fn clear(lab: &Lab, record: &Record, cable: &CableRecord) -> Result<(), LabError> {
    match &cable.fault {
        Fault::None => Ok(()),
        Fault::Carrier(node) => {
            lift(lab, end_at(cable, node))?;
            plug_again(lab, record, cable)
        }
        Fault::Silent => [&cable.a, &cable.b].into_iter().try_for_each(|end| hear(lab, end)),
        Fault::OneWay(node) => hear(lab, end_at(cable, node)),
        Fault::Unplugged => {
            lift(lab, &cable.b)?;
            plug_again(lab, record, cable)
        }
    }
}

/// Puts a Thunderbolt cable back that is not there at the moment, if both nodes have power.
fn plug_again(lab: &Lab, record: &Record, cable: &CableRecord) -> Result<(), LabError> {
    let powered = |end: &End| record.node(&end.node).is_some_and(|node| node.powered);
    if record.transport != Transport::Thunderbolt || !powered(&cable.a) || !powered(&cable.b) {
        return Ok(());
    }
    if netns::find_by_address(&cable::netns_of(lab, &cable.a), &cable.a.mac)?.is_none() {
        cable::plug(lab, record, cable)?;
    }
    Ok(())
}

/// Puts the fault the record names on the cable's interfaces, as far as they exist at the moment.
pub(crate) fn apply(lab: &Lab, cable: &CableRecord) -> Result<(), LabError> {
    match &cable.fault {
        Fault::None => Ok(()),
        Fault::Carrier(node) => drop_down(lab, end_at(cable, node)),
        Fault::Silent => [&cable.a, &cable.b].into_iter().try_for_each(|end| swallow(lab, end)),
        Fault::OneWay(node) => swallow(lab, end_at(cable, node)),
        Fault::Unplugged => drop_down(lab, &cable.b),
    }
}

fn end_at<'a>(cable: &'a CableRecord, node: &str) -> &'a End {
    if cable.a.node == node { &cable.a } else { &cable.b }
}

/// Everything this end sends is lost from now on.
fn swallow(lab: &Lab, end: &End) -> Result<(), LabError> {
    let space = cable::netns_of(lab, end);
    if let Some(link) = netns::find_by_address(&space, &end.mac)? {
        netns::tc(&space, &["qdisc", "replace", "dev", &link.ifname, "root", "blackhole"])?;
    }
    Ok(())
}

fn hear(lab: &Lab, end: &End) -> Result<(), LabError> {
    let space = cable::netns_of(lab, end);
    if let Some(link) = netns::find_by_address(&space, &end.mac)? {
        // It fails where none is set, after a node came back: then there is nothing to take away.
        let _ = netns::tc(&space, &["qdisc", "del", "dev", &link.ifname, "root"]);
    }
    Ok(())
}

/// Routes a person or ringbolt put on an interface; setting it down to darken the other end would lose them,
/// which a real cable pulled at the far end does not do.
const OWN_ROUTES: [(&str, &str); 4] = [("-4", "static"), ("-4", "boot"), ("-6", "static"), ("-6", "boot")];

fn routes_file(lab: &Lab, end: &End, at: usize) -> std::path::PathBuf {
    lab.dir().join(format!("routes-{}-{at}", end.mac.replace(':', "")))
}

fn drop_down(lab: &Lab, end: &End) -> Result<(), LabError> {
    let space = cable::netns_of(lab, end);
    let Some(link) = netns::find_by_address(&space, &end.mac)? else { return Ok(()) };
    let name = link.ifname.as_str();
    if !link.flags.iter().any(|flag| flag == "UP") {
        return Ok(());
    }
    for (at, (family, protocol)) in OWN_ROUTES.into_iter().enumerate() {
        let args = ["-n", &space, family, "route", "show", "dev", name, "proto", protocol];
        let routes = program::run("ip", &args)?;
        let path = routes_file(lab, end, at);
        fs::write(&path, routes).map_err(file_error(&path))?;
    }
    netns::keep_addresses(&space, name, true);
    netns::batch(&space, &format!("link set {name} down\n"))?;
    Ok(())
}

fn lift(lab: &Lab, end: &End) -> Result<(), LabError> {
    let space = cable::netns_of(lab, end);
    let Some(link) = netns::find_by_address(&space, &end.mac)? else { return Ok(()) };
    let name = link.ifname.as_str();
    let kept: Vec<Option<String>> = (0..OWN_ROUTES.len())
        .map(|at| {
            let path = routes_file(lab, end, at);
            let text = fs::read_to_string(&path).ok();
            // Used once: what it says holds for this cut only.
            let _ = fs::remove_file(&path);
            text
        })
        .collect();
    if kept.iter().all(Option::is_none) {
        return Ok(());
    }
    netns::batch(&space, &format!("link set {name} up\n"))?;
    netns::keep_addresses(&space, name, false);
    for ((family, protocol), routes) in OWN_ROUTES.into_iter().zip(kept) {
        for route in routes.unwrap_or_default().lines() {
            let words = route.split_whitespace().filter(|word| !matches!(*word, "linkdown" | "dead"));
            let mut args = vec!["-n", &space, family, "route", "replace"];
            args.extend(words);
            args.extend(["dev", name, "proto", protocol]);
            // The node may have set it again by itself, or may not want it any more.
            let _ = program::run("ip", &args);
        }
    }
    Ok(())
}
