//! A question to a node with a yes/no answer and evidence.
//!
//! A check is a pure function over facts, so the agent can wait for it, the planner can promise it
//! and `verify` can show it, all by the same code.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::name::{NodeName, PortName};

mod ceph;
mod ha;
mod network;

pub use ceph::CephCheck;
pub(crate) use ceph::{CAPACITY, clean, differing};

/// One checkable statement about a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// A package is installed.
    Package {
        /// Its name.
        name: String,
    },
    /// A module is loaded or built in.
    Module {
        /// Its name, with underscores.
        name: String,
    },
    /// A file has this content.
    File {
        /// Absolute path.
        path: Arc<str>,
        /// SHA-256 of the content in hex.
        digest: Arc<str>,
    },
    /// A file is not there.
    NoFile {
        /// Absolute path.
        path: Arc<str>,
    },
    /// A sysctl has this live value.
    Sysctl {
        /// Key, with dots.
        key: Cow<'static, str>,
        /// Value.
        value: Cow<'static, str>,
    },
    /// A unit is not enabled and does not run.
    Disabled {
        /// Unit name.
        unit: Cow<'static, str>,
    },
    /// A unit is enabled.
    Enabled {
        /// Unit name.
        unit: Cow<'static, str>,
    },
    /// A unit is active.
    Active {
        /// Unit name.
        unit: Cow<'static, str>,
    },
    /// An interface of this name is there.
    Port {
        /// Its name.
        port: PortName,
    },
    /// An interface has this MTU.
    Mtu {
        /// Interface name.
        interface: String,
        /// Bytes.
        mtu: u32,
    },
    /// An interface is a port of this bridge.
    Member {
        /// Interface name.
        interface: String,
        /// The bridge's name.
        bridge: String,
    },
    /// An interface is up and has carrier.
    Carrier {
        /// Interface name.
        interface: String,
    },
    /// An interface has this address.
    Address {
        /// Interface name.
        interface: String,
        /// The address; any mask.
        address: IpAddr,
    },
    /// A file contains this line (leading blanks do not count).
    Line {
        /// Absolute path.
        path: Cow<'static, str>,
        /// The line.
        line: Arc<str>,
    },
    /// `/etc/network/interfaces` takes this file in, by its name or by its folder and a star.
    Sourced {
        /// Absolute path.
        path: String,
    },
    /// An OpenFabric adjacency is up on this port.
    Neighbor {
        /// Port.
        port: PortName,
        /// Host name of the neighbour, where the cabling says who it must be.
        host: Option<String>,
    },
    /// The BFD session on this port is up.
    Bfd {
        /// Port.
        port: PortName,
    },
    /// FRR runs by the whole of its configuration file, see [`lost`](crate::facts::frr::lost).
    FrrLoaded {},
    /// The kernel has a usable route to this address.
    Route {
        /// Destination.
        to: IpAddr,
        /// Number of hops it should have, where known (OpenFabric's metric is 10 a hop).
        hops: Option<u32>,
    },
    /// The node's cluster file system has a majority behind it.
    Quorate {},
    /// Where Proxmox VE's high availability is with the maintenance of a node.
    Maintenance {
        /// Which node; any node of the cluster can tell.
        node: NodeName,
        /// What is expected.
        stage: Stage,
    },
    /// Something about Ceph.
    Ceph(CephCheck),
}

/// How far the maintenance of a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The node's local manager takes part, and no service runs there any more.
    Entered,
    /// It is not asked for, and the local manager takes services again.
    Left,
    /// It is not asked for; a node that is away cannot say more.
    Withdrawn,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was asked.
    pub check: Check,
    /// Whether it holds.
    pub holds: bool,
    /// What was seen, in words for people.
    pub evidence: String,
}

impl Check {
    /// Looks at the facts and says whether this holds, with what was seen.
    pub fn look(&self, facts: &Facts) -> Finding {
        let (holds, evidence) = self.judge(facts);
        Finding { check: self.clone(), holds, evidence }
    }

    fn judge(&self, facts: &Facts) -> (bool, String) {
        match self {
            Self::Package { name } => match facts.inventory.packages.get(name) {
                Some(version) => (true, version.clone()),
                None => (false, "not installed".into()),
            },
            Self::Module { name } => seen(facts.state.modules.contains(name), "loaded", "not loaded"),
            Self::File { path, digest } => match facts.state.files.get(&**path) {
                Some(f) if *f.digest == **digest => (true, "as planned".into()),
                Some(_) => (false, "differs".into()),
                None => (false, "absent".into()),
            },
            Self::NoFile { path } => seen(!facts.state.files.contains_key(&**path), "absent", "still there"),
            Self::Sysctl { key, value } => match facts.state.sysctl.get(&**key) {
                Some(v) => (v == value, v.clone()),
                None => (false, "unknown to this kernel".into()),
            },
            Self::Disabled { unit } => match facts.state.units.get(&**unit) {
                Some(u) if u.enabled == "enabled" => (false, "enabled".into()),
                Some(u) if u.active == "active" => (false, "active".into()),
                _ => (true, "off".into()),
            },
            Self::Enabled { unit } => {
                let state = facts.state.units.get(&**unit).map_or("", |u| u.enabled.as_str());
                (matches!(state, "enabled" | "static" | "enabled-runtime"), word(state, "no unit file"))
            }
            Self::Active { unit } => {
                let state = facts.state.units.get(&**unit).map_or("", |u| u.active.as_str());
                (state == "active", word(state, "unknown unit"))
            }
            Self::Line { path, line } => match facts.text(path) {
                Some(text) => seen(text.lines().any(|l| l.trim() == &**line), "there", "line missing"),
                None => (false, "file absent".into()),
            },
            Self::Sourced { path } => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let lines = [format!("source {path}"), format!("source {folder}/*")];
                let text = facts.text(crate::facts::network::INTERFACES).unwrap_or("");
                seen(
                    text.lines().any(|l| lines.iter().any(|w| w == l.trim())),
                    "sourced",
                    "source line missing",
                )
            }
            Self::Port { port } => self.judge_interface(facts, port.as_str()),
            Self::Mtu { interface, .. }
            | Self::Member { interface, .. }
            | Self::Carrier { interface }
            | Self::Address { interface, .. } => self.judge_interface(facts, interface),
            Self::Neighbor { .. } | Self::Bfd { .. } | Self::FrrLoaded {} => self.judge_frr(facts),
            Self::Route { to, hops } => network::route(facts, *to, *hops),
            Self::Quorate {} => ha::quorate(facts),
            Self::Maintenance { node, stage } => ha::maintenance(facts, node.as_str(), *stage),
            Self::Ceph(check) => check.judge(facts),
        }
    }
}

fn seen(holds: bool, yes: &str, no: &str) -> (bool, String) {
    (holds, if holds { yes } else { no }.into())
}

fn word(state: &str, empty: &str) -> String {
    if state.is_empty() { empty.into() } else { state.into() }
}
