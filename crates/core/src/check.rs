//! A question to a node with a yes/no answer and evidence.
//!
//! A check is a pure function over facts, so the agent can wait for it, the planner can promise it
//! and `verify` can show it, all by the same code.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::name::PortName;

/// One checkable statement about a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
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
    /// The kernel has a usable route to this address.
    Route {
        /// Destination.
        to: IpAddr,
        /// Number of hops it should have, where known (OpenFabric's metric is 10 a hop).
        hops: Option<u32>,
    },
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
                let text = facts.text(crate::resource::interfaces::PATH).unwrap_or("");
                seen(
                    text.lines().any(|l| lines.iter().any(|w| w == l.trim())),
                    "sourced",
                    "source line missing",
                )
            }
            Self::Port { port } => self.judge_interface(facts, port.as_str()),
            Self::Mtu { interface, .. } | Self::Carrier { interface } | Self::Address { interface, .. } => {
                self.judge_interface(facts, interface)
            }
            Self::Neighbor { .. } | Self::Bfd { .. } => self.judge_frr(facts),
            Self::Route { to, hops } => judge_route(facts, *to, *hops),
        }
    }

    fn judge_interface(&self, facts: &Facts, name: &str) -> (bool, String) {
        let Some(interface) = facts.inventory.interfaces.get(name) else {
            return (false, "no such interface".into());
        };
        match self {
            Self::Mtu { mtu, .. } => (interface.mtu == *mtu, interface.mtu.to_string()),
            Self::Carrier { .. } => match (interface.up, interface.carrier) {
                (true, true) => (true, "up".into()),
                (false, _) => (false, "administratively down".into()),
                (true, false) => (false, "no carrier".into()),
            },
            Self::Address { address, .. } => {
                let has = interface.addresses.iter().any(|a| a.addr() == *address);
                if has { (true, address.to_string()) } else { (false, format!("{address} missing")) }
            }
            _ => (true, "there".into()),
        }
    }

    fn judge_frr(&self, facts: &Facts) -> (bool, String) {
        let frr = match &facts.state.frr {
            crate::facts::Known::Yes(frr) => frr,
            crate::facts::Known::No(why) => return (false, why.clone()),
        };
        match self {
            Self::Neighbor { port, host } => {
                let Some(n) = frr.neighbors.iter().find(|n| n.interface == port.as_str()) else {
                    return (false, "no neighbour".into());
                };
                let expected = host.as_ref().is_none_or(|h| *h == n.host);
                let evidence = format!("{} {}", n.host, n.state.to_lowercase());
                (n.state == "Up" && expected, evidence)
            }
            Self::Bfd { port } => {
                let peers: Vec<_> = frr.bfd.iter().filter(|p| p.interface == port.as_str()).collect();
                match peers.iter().find(|p| p.status != "up") {
                    _ if peers.is_empty() => (false, "no session".into()),
                    Some(p) => (false, p.status.clone()),
                    None => (true, "up".into()),
                }
            }
            _ => (false, "not a question for FRR".into()),
        }
    }
}

fn judge_route(facts: &Facts, to: IpAddr, hops: Option<u32>) -> (bool, String) {
    let usable = |r: &&crate::facts::KernelRoute| {
        r.to.addr() == to && r.to.prefix_len() == r.to.max_prefix_len() && r.via.iter().any(|v| !v.dead)
    };
    // On a switch every node is on the prefix itself: the connected route leads there.
    let connected = |r: &&crate::facts::KernelRoute| {
        r.protocol == "kernel" && r.to.prefix_len() > 0 && r.to.contains(&to)
    };
    let routes = &facts.state.routes;
    let Some(route) =
        routes.iter().filter(usable).min_by_key(|r| r.metric).or_else(|| routes.iter().find(connected))
    else {
        return (false, "no route".into());
    };
    let ports: Vec<&str> = route.via.iter().filter(|v| !v.dead).map(|v| v.interface.as_str()).collect();
    let by = ports.join(", ");
    let metric = facts
        .state
        .frr
        .yes()
        .and_then(|f| f.routes.iter().find(|r| r.to.addr() == to && r.installed))
        .map(|r| r.metric);
    match (hops, metric) {
        // fabricd counts 10 a link; the passive dummy interface behind the last one adds none of
        // its own in zebra's figure for a point-to-point path of wide metrics, seen as 20 for one hop.
        (Some(want), Some(metric)) => {
            let have = metric.saturating_sub(10) / 10;
            (have == want, format!("{} via {by}", count(have)))
        }
        _ => (true, format!("via {by}")),
    }
}

fn count(hops: u32) -> String {
    if hops == 1 { "1 hop".into() } else { format!("{hops} hops") }
}

fn seen(holds: bool, yes: &str, no: &str) -> (bool, String) {
    (holds, if holds { yes } else { no }.into())
}

fn word(state: &str, empty: &str) -> String {
    if state.is_empty() { empty.into() } else { state.into() }
}
