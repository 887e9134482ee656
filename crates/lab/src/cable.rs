//! Cables: a virtual cable (veth) from one node's network namespace to another's. Thunderbolt cables exist only
//! while both nodes are powered and appear under the kernel's name with an MTU of 1500; Ethernet ports stay with
//! their node, so those of a node without power wait in the management namespace.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::hardware::{Peer, Tree};
use crate::lab::{Lab, LabError};
use crate::netns;
use crate::state::{CableRecord, End, Fault, Record, SWITCH, StateError, Transport, mgmt_netns, object_name};
use crate::{fault, state};

/// The bridge inside the switch's namespace.
pub(crate) const BRIDGE: &str = "sw0";

/// Builds the record of a cable between two ports.
pub(crate) fn record(lab: &str, a: (&str, u32), b: (&str, u32)) -> CableRecord {
    let end = |(node, port): (&str, u32)| End {
        node: node.to_owned(),
        port,
        mac: state::mac(lab, node, port, "cable"),
    };
    CableRecord { a: end(a), b: end(b), fault: Fault::None }
}

/// The namespace an end belongs to.
pub(crate) fn netns_of(lab: &Lab, end: &End) -> String {
    object_name(&lab.name, &end.node)
}

fn has_power(record: &Record, end: &End) -> bool {
    end.node == SWITCH || record.node(&end.node).is_some_and(|node| node.powered)
}

/// Makes the cable's two interfaces, and on Thunderbolt shows each host to the other.
pub(crate) fn plug(lab: &Lab, record: &Record, cable: &CableRecord) -> Result<(), LabError> {
    let (a, b) = (&cable.a, &cable.b);
    let name = |end: &End| match record.transport {
        // The real driver takes the lowest free number. Here each port has its own: udev reads a virtual interface
        // below its name alone, so an event that is late would find the address of the port that has the name by then,
        // and give this one's name to that. Below a real controller the same name lies in another folder.
        Transport::Thunderbolt => format!("thunderbolt{}", end.port),
        _ if end.node == SWITCH => format!("port{}", end.port + 1),
        _ => record.ethernet_name(&end.node, end.port),
    };
    if record.transport == Transport::Thunderbolt {
        for (end, peer) in [(a, b), (b, a)] {
            let peer = Peer { name: &peer.node, port: peer.port };
            tree(lab, &end.node).plug(end.port, &peer).map_err(tree_error(lab, end))?;
        }
    }
    // A switch passes on what its nodes can send.
    let mtu = if b.node == SWITCH { 65535 } else { 1500 };
    let (one, other) = indexes();
    let line = format!(
        "link add {} index {one} mtu 1500 address {} type veth peer name {} index {other} mtu {mtu} address {} netns {}\n",
        name(a),
        a.mac,
        name(b),
        b.mac,
        netns_of(lab, b)
    );
    netns::batch(&netns_of(lab, a), &line)?;
    if b.node == SWITCH {
        let line = format!("link set {} master {BRIDGE} up\n", name(b));
        netns::batch(&netns_of(lab, b), &line)?;
    }
    Ok(())
}

/// Indexes for the two ends of a new cable: never the same, and new ones each time, as a real port has them.
///
/// Where both ends have one index, the kernel takes the pair for a plain device without a queue, and reports
/// light on it up to a second late (`linkwatch_urgent_event`), which no real port does.
fn indexes() -> (u64, u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Far above what the kernel hands out; one cable takes longer than a millisecond to make.
    let even = (1 << 20) + 2 * (u64::try_from(now.as_millis()).unwrap_or_default() % (1 << 29));
    (even, even + 1)
}

/// Pulls a Thunderbolt cable: both interfaces and both hosts vanish. One already pulled is fine.
pub(crate) fn unplug(lab: &Lab, cable: &CableRecord) -> Result<(), LabError> {
    for end in [&cable.a, &cable.b] {
        tree(lab, &end.node).unplug(end.port).map_err(tree_error(lab, end))?;
    }
    for end in [&cable.a, &cable.b] {
        let space = netns_of(lab, end);
        if let Some(link) = netns::find_by_address(&space, &end.mac)? {
            netns::batch(&space, &format!("link del {}\n", link.ifname))?;
        }
    }
    Ok(())
}

/// What a node's loss of power does to its cables.
pub(crate) fn detach(lab: &Lab, record: &Record, node: &str) -> Result<(), LabError> {
    for (index, cable) in of_node(record, node) {
        if record.transport == Transport::Thunderbolt {
            unplug(lab, cable)?;
            continue;
        }
        let end = if cable.a.node == node { &cable.a } else { &cable.b };
        let space = netns_of(lab, end);
        if let Some(link) = netns::find_by_address(&space, &end.mac)? {
            let (old, kept, mgmt) = (link.ifname, parked(index, cable, node), mgmt_netns(&lab.name));
            let lines =
                format!("link set {old} down\nlink set {old} name {kept}\nlink set {kept} netns {mgmt}\n");
            netns::batch(&space, &lines)?;
        }
    }
    Ok(())
}

/// What a node's return does to its cables; faults set on a cable stay.
pub(crate) fn attach(lab: &Lab, record: &Record, node: &str) -> Result<(), LabError> {
    let mgmt = mgmt_netns(&lab.name);
    for (index, cable) in of_node(record, node) {
        if record.transport == Transport::Thunderbolt {
            let dark = matches!(cable.fault, Fault::Unplugged | Fault::Carrier(_));
            if dark || !has_power(record, &cable.a) || !has_power(record, &cable.b) {
                continue;
            }
            unplug(lab, cable)?;
            plug(lab, record, cable)?;
        } else {
            let end = if cable.a.node == node { &cable.a } else { &cable.b };
            if netns::find_by_address(&mgmt, &end.mac)?.is_none() {
                continue;
            }
            let (kept, space) = (parked(index, cable, node), netns_of(lab, end));
            let name = record.ethernet_name(node, end.port);
            netns::batch(&mgmt, &format!("link set {kept} netns {space}\n"))?;
            netns::batch(&space, &format!("link set {kept} name {name}\n"))?;
        }
        fault::apply(lab, cable)?;
    }
    Ok(())
}

fn of_node<'a>(record: &'a Record, node: &'a str) -> impl Iterator<Item = (usize, &'a CableRecord)> {
    let mine = move |cable: &CableRecord| cable.a.node == node || cable.b.node == node;
    record.cables.iter().enumerate().filter(move |(_, cable)| mine(cable))
}

/// The name an Ethernet end has while its node is off.
fn parked(index: usize, cable: &CableRecord, node: &str) -> String {
    format!("off{index}{}", if cable.a.node == node { 'a' } else { 'b' })
}

pub(crate) fn tree(lab: &Lab, node: &str) -> Tree {
    Tree::new(&lab.node_dir(node).join("sys"), &lab.name, node)
}

pub(crate) fn tree_error(lab: &Lab, end: &End) -> impl FnOnce(std::io::Error) -> StateError + use<> {
    state::file_error(&lab.node_dir(&end.node).join("sys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_have_their_own_addresses() {
        let cable = record("l", ("n1", 0), ("n2", 1));
        assert!(cable.a.mac.starts_with("02:") && cable.b.mac.starts_with("12:"));
        assert!(cable.joins("n2", "n1") && !cable.joins("n1", "n3"));
        assert_ne!(parked(3, &cable, "n1"), parked(3, &cable, "n2"));
        let (one, other) = indexes();
        assert!(one != other && one > 1 << 20 && other < 1 << 31);
    }
}
