//! Every promise checked on the running cluster: per link and both ways, per node, and whether all
//! of it will be there after a reboot.
//!
//! Pure on both ends: `pings` says what to send, `report` judges what came back together with the
//! facts. The controller does what lies between.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::Addresses;
use crate::arrange::Arrange;
use crate::bind::Binding;
use crate::check::{Check, Finding};
use crate::desired::{Desired, Goal};
use crate::facts::{Facts, Fleet};
use crate::into_map::IntoMap;
use crate::measure;
use crate::name::{NodeName, PortName};
use crate::ping::{Ping, Pinged};
use crate::spec::{Routing, Spec, Transport};

mod ceph;

pub use ceph::{Area, CephReport, CephRow};

/// Echo requests per direction of a link, for loss and latency.
pub const LOSS_COUNT: u32 = 200;
/// Milliseconds between them.
pub const LOSS_INTERVAL_MS: u32 = 10;
/// Echo requests at full MTU per direction.
pub const WHOLE_COUNT: u32 = 5;

/// A ping to be sent, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The node that sends.
    pub from: NodeName,
    /// Port it goes out of; `None`: as routed.
    pub port: Option<PortName>,
    /// The node it goes to.
    pub to: NodeName,
    /// What it is for.
    pub aim: Aim,
    /// The request.
    pub ping: Ping,
}

/// What a ping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aim {
    /// Loss and latency of one direction of a link.
    Loss,
    /// Packets of full MTU, unfragmented, over one direction of a link.
    Whole,
    /// The node is reached at its router ID, whatever the way.
    Reach,
}

/// The pings that prove the mesh.
pub fn pings(spec: &Spec, binding: &Binding, addresses: &Addresses, desired: &Desired) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (from, ports) in &binding.ports {
        for (port, to) in ports.iter().filter_map(|p| Some((&p.name, &p.peer.as_ref()?.0))) {
            for id in addresses.get(to).into_iter().flat_map(crate::address::NodeAddress::ids) {
                probes.push(loss(from, Some(port), to, id, Some(port.to_string())));
                probes.push(whole(from, Some(port), to, id, spec.fabric.mtu, Some(port.to_string())));
            }
        }
        let reach = desired.goal.get(from).map(|g| g.routes.as_slice()).unwrap_or_default();
        for (id, to, _) in reach {
            let switched = spec.fabric.transport == Transport::Switch;
            if switched {
                probes.push(loss(from, None, to, *id, None));
            }
            let ping = Probe { aim: Aim::Reach, ..whole(from, None, to, *id, spec.fabric.mtu, None) };
            probes.push(ping);
        }
    }
    probes
}

fn loss(
    from: &NodeName,
    port: Option<&PortName>,
    to: &NodeName,
    id: IpAddr,
    interface: Option<String>,
) -> Probe {
    Probe {
        from: from.clone(),
        port: port.cloned(),
        to: to.clone(),
        aim: Aim::Loss,
        ping: Ping {
            to: id,
            interface,
            count: LOSS_COUNT,
            interval_ms: LOSS_INTERVAL_MS,
            size: 56,
            whole: false,
        },
    }
}

fn whole(
    from: &NodeName,
    port: Option<&PortName>,
    to: &NodeName,
    id: IpAddr,
    mtu: u32,
    interface: Option<String>,
) -> Probe {
    let header = if id.is_ipv4() { 28 } else { 48 };
    Probe {
        from: from.clone(),
        port: port.cloned(),
        to: to.clone(),
        aim: Aim::Whole,
        ping: Ping {
            to: id,
            interface,
            count: WHOLE_COUNT,
            interval_ms: 50,
            size: mtu.saturating_sub(header),
            whole: true,
        },
    }
}

/// The outcome of `verify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Everything holds.
    pub ok: bool,
    /// Stand-ins the result rests on, by name; empty on real machines.
    pub stand_ins: Vec<String>,
    /// Each direction of each link.
    pub links: Vec<LinkRow>,
    /// Each pair of nodes: the route, and whether a packet of full MTU gets through.
    pub routes: Vec<RouteRow>,
    /// Each node: what must survive a reboot.
    pub promises: Vec<PromiseRow>,
    /// Ceph, where the spec has it.
    #[serde(default)]
    pub ceph: Option<CephReport>,
    /// Nodes in maintenance, hosts with `noout`: nothing is broken by it, and it should not stay so.
    #[serde(default)]
    pub notes: Vec<crate::obstacle::Obstacle>,
    /// Nodes that did not answer, and why.
    pub silent: Vec<(NodeName, String)>,
}

/// One direction of one link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// The sending node.
    pub from: NodeName,
    /// Its port.
    pub port: PortName,
    /// The node at the far end; `None` on a switch, and when no cable is known.
    pub to: Option<NodeName>,
    /// Whether a cable is in.
    pub cabling: Cabling,
    /// Interface, carrier, MTU, address, neighbour, BFD.
    pub findings: Vec<Finding>,
    /// Packets of full MTU that came back, of [`WHOLE_COUNT`], per address family.
    pub whole: Vec<u32>,
    /// Packets lost, of [`LOSS_COUNT`] per address family.
    pub lost: u32,
    /// Packets sent for the loss count.
    pub sent: u32,
    /// Round trip in milliseconds: 50th, 99th percentile and maximum.
    pub latency: Option<Latency>,
    /// All of it holds.
    pub ok: bool,
}

/// Whether a port has its cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cabling {
    /// It has.
    In,
    /// It had one at the last apply and has none now.
    Missing,
    /// It never had one: nothing is expected of it.
    Free,
    /// It goes to the switch.
    Switch,
}

/// Round-trip times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the packets are faster.
    pub p50: f64,
    /// One in a hundred is slower.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// One node as seen from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteRow {
    /// Where from.
    pub from: NodeName,
    /// Where to.
    pub to: NodeName,
    /// The router ID.
    pub id: IpAddr,
    /// Hops the topology says.
    pub hops: u32,
    /// The route that is there.
    pub finding: Finding,
    /// Packets of full MTU that came back, of [`WHOLE_COUNT`].
    pub whole: u32,
    /// All of it holds.
    pub ok: bool,
}

/// What one node must still be after a reboot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromiseRow {
    /// Which node.
    pub node: NodeName,
    /// How many promises were looked at.
    pub count: u32,
    /// Those that do not hold.
    pub broken: Vec<Finding>,
}

/// A probe with its outcome.
pub type Measured = (Probe, Pinged);

/// Judges facts and pings.
pub fn report(
    spec: &Spec,
    binding: &Binding,
    addresses: &Addresses,
    desired: &Desired,
    fleet: &Fleet,
    measured: &[Measured],
    silent: Vec<(NodeName, String)>,
) -> Report {
    let mut links = Vec::new();
    let mut routes = Vec::new();
    let mut promises = Vec::new();
    let mut stand_ins: Vec<String> = Vec::new();
    for (node, facts) in &fleet.nodes {
        stand_ins.extend(facts.realm.stand_ins.iter().cloned());
        for port in binding.ports.get(node).into_iter().flatten() {
            links.push(link_row(spec, addresses, node, port, facts, measured));
        }
        if let Some(goal) = desired.goal.get(node) {
            routes.extend(route_rows(spec, node, goal, facts, measured));
        }
        promises.push(promise_row(node, desired, facts));
    }
    stand_ins.arrange();
    stand_ins.dedup();
    let ceph = ceph::report(spec, desired, fleet);
    let notes = crate::roll::left_over(fleet);
    let mut report = Report { ok: false, stand_ins, links, routes, promises, ceph, notes, silent };
    report.judge();
    report
}

impl Report {
    /// Keeps what concerns some nodes (all of it, where the list is empty) and judges that alone.
    pub fn narrow(&mut self, nodes: &[String]) {
        if nodes.is_empty() {
            return;
        }
        let named = |node: &NodeName| nodes.iter().any(|n| n == node.as_str());
        self.links.retain(|l| named(&l.from));
        self.routes.retain(|r| named(&r.from));
        self.promises.retain(|p| named(&p.node));
        self.notes.retain(|n| n.node.as_ref().is_none_or(named));
        self.silent.retain(|(node, _)| named(node));
        if let Some(ceph) = &mut self.ceph {
            ceph.rows.retain(|r| named(&r.node));
            ceph.judge();
        }
        self.judge();
    }

    fn judge(&mut self) {
        self.ok = self.silent.is_empty()
            && self.links.iter().all(|l| l.ok)
            && self.routes.iter().all(|r| r.ok)
            && self.promises.iter().all(|p| p.broken.is_empty())
            && self.ceph.as_ref().is_none_or(|c| c.ok);
    }
}

fn link_row(
    spec: &Spec,
    addresses: &Addresses,
    node: &NodeName,
    port: &crate::bind::BoundPort,
    facts: &Facts,
    measured: &[Measured],
) -> LinkRow {
    let to = port.known.as_ref().or(port.peer.as_ref()).map(|(node, _)| node.clone());
    let switched = spec.fabric.transport == Transport::Switch;
    let cabling = match (&port.peer, &to) {
        _ if switched => Cabling::Switch,
        (Some(_), _) => Cabling::In,
        (None, Some(_)) => Cabling::Missing,
        (None, None) => Cabling::Free,
    };
    let findings: Vec<Finding> =
        link_checks(spec, addresses, node, port).iter().map(|check| check.look(facts)).collect();
    let own = |aim: Aim| {
        let port = &port.name;
        let ours = move |p: &Probe| p.port.as_ref() == Some(port) || (switched && p.port.is_none());
        measured.iter().filter(move |(p, _)| p.from == *node && p.aim == aim && ours(p))
    };
    let whole: Vec<u32> = own(Aim::Whole).map(|(_, pinged)| replies(pinged)).collect();
    let sent: u32 = own(Aim::Loss).map(|(p, _)| p.ping.count).sum();
    let came: u32 = own(Aim::Loss).map(|(_, pinged)| replies(pinged)).sum();
    let times: Vec<f64> =
        own(Aim::Loss).flat_map(|(_, pinged)| pinged.replies.iter().map(|r| r.ms)).collect();
    let sound = findings.iter().all(|f| f.holds) && whole.iter().all(|n| *n == WHOLE_COUNT) && came == sent;
    let ok = match cabling {
        Cabling::Free => true,
        Cabling::Missing => false,
        Cabling::In | Cabling::Switch => sound,
    };
    LinkRow {
        from: node.clone(),
        port: port.name.clone(),
        to,
        cabling,
        findings,
        whole,
        lost: sent.saturating_sub(came),
        sent,
        latency: latency(&times),
        ok,
    }
}

fn latency(times: &[f64]) -> Option<Latency> {
    let p = |q| measure::percentile(times, q);
    Some(Latency { p50: p(50.0)?, p99: p(99.0)?, max: p(100.0)? })
}

fn replies(pinged: &Pinged) -> u32 {
    u32::try_from(pinged.replies.len()).unwrap_or(u32::MAX)
}

/// What one port of a link must be.
fn link_checks(
    spec: &Spec,
    addresses: &Addresses,
    node: &NodeName,
    port: &crate::bind::BoundPort,
) -> Vec<Check> {
    let interface = port.name.to_string();
    let mut checks = vec![
        Check::Port { port: port.name.clone() },
        Check::Carrier { interface: interface.clone() },
        Check::Mtu { interface: interface.clone(), mtu: spec.fabric.mtu },
    ];
    let openfabric = spec.fabric.routing == Routing::Openfabric;
    if let Some(address) = addresses.get(node) {
        let ids = address.ids().filter(|id| !openfabric || id.is_ipv4() || address.v4.is_none());
        checks.extend(ids.map(|address| Check::Address { interface: interface.clone(), address }));
    }
    if openfabric {
        let host = port.peer.as_ref().map(|(node, _)| node.to_string());
        checks.push(Check::Neighbor { port: port.name.clone(), host });
        if spec.fabric.bfd {
            checks.push(Check::Bfd { port: port.name.clone() });
        }
    }
    checks
}

fn route_rows(
    spec: &Spec,
    node: &NodeName,
    goal: &Goal,
    facts: &Facts,
    measured: &[Measured],
) -> Vec<RouteRow> {
    let openfabric = spec.fabric.routing == Routing::Openfabric;
    let reached: BTreeMap<IpAddr, u32> = measured
        .iter()
        .filter(|(p, _)| p.from == *node && p.aim == Aim::Reach)
        .map(|(p, pinged)| (p.ping.to, replies(pinged)))
        .into_map();
    goal.routes
        .iter()
        .map(|(id, to, hops)| {
            let finding = Check::Route { to: *id, hops: openfabric.then_some(*hops) }.look(facts);
            let whole = reached.get(id).copied().unwrap_or(0);
            RouteRow {
                from: node.clone(),
                to: to.clone(),
                id: *id,
                hops: *hops,
                ok: finding.holds && whole == WHOLE_COUNT,
                finding,
                whole,
            }
        })
        .collect()
}

fn promise_row(node: &NodeName, desired: &Desired, facts: &Facts) -> PromiseRow {
    let checks: Vec<Check> =
        desired.nodes.get(node).into_iter().flatten().flat_map(crate::resource::Resource::promises).collect();
    let broken: Vec<Finding> = checks.iter().map(|c| c.look(facts)).filter(|f| !f.holds).collect();
    PromiseRow { node: node.clone(), count: u32::try_from(checks.len()).unwrap_or(u32::MAX), broken }
}
