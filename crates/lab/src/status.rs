//! How a lab is now: nodes, cables, what is stood in for and what this machine cannot show. Read-only.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::cable::netns_of;
use crate::disk::DiskRecord;
use crate::lab::{Lab, LabError};
use crate::netns;
use crate::standin::SUBSTITUTES;
use crate::state::{End, Fault, Phase, PveRelease, Record, Transport};

/// A lab now.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub dir: std::path::PathBuf,
    /// Where it is in its life.
    pub phase: Phase,
    /// What joins the nodes.
    pub transport: Transport,
    /// What they pretend to be.
    pub pve: PveRelease,
    /// Its nodes.
    pub nodes: Vec<NodeStatus>,
    /// Its cables.
    pub cables: Vec<CableStatus>,
    /// What is not real in the nodes.
    pub stood_in_for: Vec<String>,
    /// What a lab on this machine cannot show.
    pub reduced: Vec<String>,
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It runs.
    On,
    /// It is stopped in mid-air.
    Frozen,
    /// It has no power.
    Off,
}

/// A node now.
#[derive(Debug, Clone, Serialize)]
pub struct NodeStatus {
    /// Host name.
    pub name: String,
    /// Management address.
    pub address: Ipv4Addr,
    /// Whether it runs.
    pub power: Power,
    /// Its disks, the system's first.
    pub disks: Vec<DiskRecord>,
}

/// A cable now.
#[derive(Debug, Clone, Serialize)]
pub struct CableStatus {
    /// First end.
    pub a: EndStatus,
    /// Second end.
    pub b: EndStatus,
    /// What a command did to it.
    pub fault: Fault,
}

/// One end of a cable now.
#[derive(Debug, Clone, Serialize)]
pub struct EndStatus {
    /// The node, or `switch`.
    pub node: String,
    /// Its port, from 0.
    pub port: u32,
    /// The interface as the node names it; none while it does not exist.
    pub interface: Option<String>,
    /// Its MTU in bytes.
    pub mtu: Option<u32>,
    /// Whether both ends are up.
    pub carrier: bool,
}

impl Lab {
    /// How the lab is now.
    ///
    /// # Errors
    /// The record or an interface list cannot be read.
    pub fn status(&self) -> Result<Status, LabError> {
        let record = self.record()?;
        let nodes = record
            .nodes
            .iter()
            .map(|node| NodeStatus {
                name: node.name.clone(),
                address: node.address,
                power: self.power(&node.name),
                disks: node.disks.clone(),
            })
            .collect();
        let cables = record
            .cables
            .iter()
            .map(|cable| {
                Ok(CableStatus { a: self.end(&cable.a)?, b: self.end(&cable.b)?, fault: cable.fault.clone() })
            })
            .collect::<Result<_, LabError>>()?;
        Ok(Status {
            dir: self.dir(),
            phase: record.phase,
            transport: record.transport,
            pve: record.pve,
            nodes,
            cables,
            stood_in_for: stood_in_for(&record),
            reduced: record.features.reduced(),
            name: record.name,
        })
    }

    fn power(&self, node: &str) -> Power {
        let group = self.cgroup(node);
        match (group.is_populated(), group.is_frozen()) {
            (true, true) => Power::Frozen,
            (true, false) => Power::On,
            (false, _) => Power::Off,
        }
    }

    fn end(&self, end: &End) -> Result<EndStatus, LabError> {
        let link = netns::find_by_address(&netns_of(self, end), &end.mac)?;
        Ok(EndStatus {
            node: end.node.clone(),
            port: end.port,
            mtu: link.as_ref().map(|link| link.mtu),
            carrier: link.as_ref().is_some_and(netns::Link::has_carrier),
            interface: link.map(|link| link.ifname),
        })
    }
}

fn stood_in_for(record: &Record) -> Vec<String> {
    let mut list: Vec<String> = SUBSTITUTES.iter().map(|line| (*line).to_owned()).collect();
    list.push("update-initramfs only notes that it was asked".to_owned());
    list.push(format!(
        "package versions of Proxmox VE {} are entries in the package list",
        record.pve.as_str()
    ));
    if record.transport == Transport::Thunderbolt {
        list.push("Thunderbolt hardware is a folder in place of its part of /sys, with PCI places and a driver name".to_owned());
    }
    list
}
