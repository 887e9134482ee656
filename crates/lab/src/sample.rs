//! A small lab as data, for the unit tests of this crate.

use std::net::Ipv4Addr;

use crate::cable;
use crate::lab::Lab;
use crate::probe::Features;
use crate::state::{NodeRecord, Phase, PveRelease, Record, SWITCH, Transport};

/// Two nodes, joined by one cable or each to a switch; nothing of it exists.
pub(crate) fn lab(transport: Transport) -> (Lab, Record) {
    let node = |id: u8| NodeRecord {
        name: format!("n{id}"),
        id: id.into(),
        address: Ipv4Addr::new(10, 11, 12, 10 + id),
        powered: true,
        boot: 1,
        ports: Vec::new(),
        disks: crate::disk::records("t", &format!("n{id}"), 2, 10 << 30),
    };
    let cables = match transport {
        Transport::Switch => {
            vec![cable::record("t", ("n1", 0), (SWITCH, 0)), cable::record("t", ("n2", 0), (SWITCH, 1))]
        }
        Transport::Thunderbolt | Transport::Ethernet => vec![cable::record("t", ("n1", 0), ("n2", 1))],
    };
    let record = Record {
        format: 1,
        name: "t".into(),
        phase: Phase::Up,
        transport,
        pve: PveRelease::V9_1,
        lower: Vec::new(),
        gateway: Ipv4Addr::new(10, 11, 12, 1),
        prefix_len: 24,
        without: Vec::new(),
        features: Features::default(),
        nodes: vec![node(1), node(2)],
        cables,
        objects: Vec::new(),
    };
    (Lab { parent: "/x".into(), name: "t".into() }, record)
}
