//! What must be so before a node is taken out of service: the others stay together, keep their
//! majorities, and Ceph has copies enough. What is not known counts as in the way.

use std::collections::BTreeSet;

use super::{Kind, Request, left_over, turns};
use crate::check::Check;
use crate::diagnostic::Code;
use crate::explain::nodes as code;
use crate::facts::ceph::CephCluster;
use crate::facts::ha::{self, Status};
use crate::facts::{Facts, Guest, Known, pve};
use crate::into_set::IntoSet;
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::plan::Plan;
use crate::spec::Transport;
use crate::step::Risk;
use crate::survey::Survey;
use crate::topology::{Link, Place, Topology};
use crate::wish::founded;

/// What may be agreed to by its code; everything else is settled first.
pub const ACCEPTABLE: [Code; 7] = [
    code::CUTS,
    code::NOT_WHOLE,
    code::MAJORITY,
    code::GUESTS,
    code::NOT_CLEAN,
    code::MONITOR_MAJORITY,
    code::TOO_FEW_COPIES,
];

/// The cluster at this moment, as it matters here.
pub(super) struct Look<'a> {
    pub(super) survey: &'a Survey,
    request: &'a Request,
    /// Ceph, where it tells.
    pub(super) cluster: Option<&'a CephCluster>,
    /// High availability, empty where it was never used.
    pub(super) status: Status,
    managed: BTreeSet<String>,
    /// The mesh without what carries nothing now.
    live: Topology,
    /// Whether all placement groups are clean now.
    pub(super) clean: bool,
}

impl<'a> Look<'a> {
    pub(super) fn new(survey: &'a Survey, request: &'a Request) -> Self {
        let fleet = &survey.fleet;
        let resources = fleet.shared(ha::RESOURCES);
        let cluster = fleet.cluster();
        Self {
            survey,
            request,
            cluster,
            status: fleet.nodes.values().find_map(ha::status_of).unwrap_or_default(),
            managed: resources.map(ha::managed).unwrap_or_default(),
            live: survey.live_topology(),
            clean: cluster.is_some_and(crate::check::clean),
        }
    }

    /// Whether high availability has anything to move.
    pub(super) fn high_availability(&self) -> bool {
        !self.managed.is_empty() || !self.status.services.is_empty()
    }

    /// OSDs of a node: those with a folder on it, and those the cluster has below its name.
    pub(super) fn osds(&self, node: &NodeName) -> Vec<u32> {
        let known: BTreeSet<u32> = self.cluster.into_iter().flat_map(|c| &c.osds).map(|o| o.id).into_set();
        let here = self.facts(node).and_then(|f| f.state.ceph.yes());
        let local = here.into_iter().flat_map(|c| &c.osds).map(|o| o.id).filter(|id| known.contains(id));
        let named = self.cluster.into_iter().flat_map(|c| &c.osds).filter(|o| o.host == node.as_str());
        let all: BTreeSet<u32> = local.chain(named.map(|o| o.id)).into_set();
        all.into_iter().collect()
    }

    /// The host the node's OSDs stand below in the CRUSH tree; none without OSDs.
    pub(super) fn host(&self, node: &NodeName) -> Option<NodeName> {
        let ours = self.osds(node);
        let osd = self.cluster?.osds.iter().find(|o| ours.contains(&o.id) && !o.host.is_empty())?;
        NodeName::new(&osd.host).ok()
    }

    pub(super) fn held(&self, host: &NodeName) -> bool {
        self.cluster.is_some_and(|c| c.held().any(|h| h == host.as_str()))
    }

    /// The host of the node's own name, where that is held.
    pub(super) fn held_by_name(&self, node: &NodeName) -> Option<NodeName> {
        self.held(node).then(|| node.clone())
    }

    /// Whether a node is in maintenance already, wholly or in part.
    pub(super) fn is_out(&self, node: &NodeName) -> bool {
        self.status.requests.contains(node.as_str())
            || self.held(node)
            || self.host(node).is_some_and(|host| self.held(&host))
    }

    /// Whether Ceph is asked for its own opinion: not where the answer was agreed to.
    pub(super) fn asks_ceph(&self, node: &NodeName) -> bool {
        let agreed = |code: Code| self.request.accept.contains(code.0);
        !self.osds(node).is_empty() && !agreed(code::TOO_FEW_COPIES) && !agreed(code::NOT_CLEAN)
    }

    /// A node that answers and may write to `/etc/pve`.
    pub(super) fn speaker(&self) -> Option<&'a NodeName> {
        let monitors = self.survey.spec.ceph.iter().flat_map(|c| &c.monitors);
        let mut first = monitors.chain(self.survey.fleet.nodes.keys()).filter_map(|n| {
            let (name, facts) = self.survey.fleet.nodes.get_key_value(n)?;
            (facts.state.pve_writable == Some(true)).then_some(name)
        });
        first.next()
    }

    /// A node with a monitor, other than this one.
    pub(super) fn monitor(&self, not: &NodeName) -> Option<&'a NodeName> {
        let monitors = &self.cluster?.quorum;
        self.survey.fleet.nodes.keys().find(|n| *n != not && monitors.iter().any(|m| m == n.as_str()))
    }

    fn facts(&self, node: &NodeName) -> Option<&'a Facts> {
        self.survey.fleet.nodes.get(node)
    }

    /// What is in the way, and what a person should know.
    pub(super) fn report(&self) -> (Vec<Obstacle>, Vec<Obstacle>) {
        let mut found = Found::default();
        self.silent(&mut found);
        match self.request.kind {
            Kind::Exit { .. } => self.exit(&mut found),
            Kind::Reboot | Kind::Enter => {
                self.others(&mut found);
                self.mesh(&mut found);
                self.majority(&mut found);
                self.ceph(&mut found);
                for node in turns(self.survey, &self.request.nodes) {
                    self.cuts(&node, &mut found);
                    self.monitors(&node, &mut found);
                    self.copies(&node, &mut found);
                    self.guests(&node, &mut found);
                }
            }
        }
        let acceptable = |o: &Obstacle| ACCEPTABLE.iter().any(|c| c.0 == o.code);
        let (agreed, mut rest): (Vec<_>, Vec<_>) =
            found.obstacles.into_iter().partition(|o| acceptable(o) && self.request.accept.contains(&o.code));
        found.notes.extend(agreed.into_iter().map(|o| Obstacle { cure: "agreed to".into(), ..o }));
        for obstacle in rest.iter_mut().filter(|o| acceptable(o)) {
            obstacle.cure += &format!("; or agree to it: --accept {}", obstacle.code);
        }
        (rest, found.notes)
    }

    fn silent(&self, found: &mut Found) {
        let now = self.request.kind == (Kind::Exit { now: true });
        for silent in &self.survey.silent {
            let node = &silent.node;
            let wanted = self.request.nodes.contains(node);
            let mut said = silent.obstacle(if wanted { "" } else { ", and stays as it is" });
            if wanted && self.request.kind == (Kind::Exit { now: false }) {
                said.cure += &format!(
                    "; when it will not come back: `ringbolt maintain exit {node} --now` lets Ceph replace its OSDs"
                );
            }
            if wanted && !now { found.obstacles.push(said) } else { found.notes.push(said) }
        }
    }

    /// Ending maintenance needs a node that can say so.
    fn exit(&self, found: &mut Found) {
        if self.speaker().is_none() {
            found.obstacles.push(Obstacle::about(
                "RB0508",
                None,
                "no node that answers may write to /etc/pve",
                "",
                "start the missing nodes, or mend the corosync network (`pvecm status`)",
            ));
        }
        if self.survey.spec.ceph.is_some() && founded(&self.survey.fleet) && self.cluster.is_none() {
            found.push(
                code::NOT_CLEAN,
                None,
                "Ceph does not answer: whether noout is set is not known",
                "",
                "see that its monitors run (`ringbolt verify`), then run again",
            );
        }
    }

    /// Nobody else is out, or on the way back.
    fn others(&self, found: &mut Found) {
        let alone = self.request.nodes.len() == 1;
        for left in left_over(&self.survey.fleet) {
            let own = left.node.as_ref().is_some_and(|n| alone && self.request.nodes.contains(n));
            match (&left.node, own, self.request.kind) {
                (Some(node), true, Kind::Reboot) => found.notes.push(Obstacle {
                    cure: format!("it stays so; `ringbolt maintain exit {node}` ends it"),
                    ..left
                }),
                (_, true, _) | (None, ..) => {
                    if left.node.is_none() {
                        found.notes.push(left);
                    }
                }
                (Some(node), ..) => found.push(
                    code::ANOTHER_OUT,
                    Some(node),
                    left.message.clone(),
                    "",
                    format!("`ringbolt maintain exit {node}` first: one node is out of service at a time"),
                ),
            }
        }
    }

    fn mesh(&self, found: &mut Found) {
        let unmet = self.survey.unmet();
        if unmet.is_empty() {
            return;
        }
        let lines: Vec<String> = unmet
            .iter()
            .take(SHOWN)
            .map(|(node, f)| format!("{node}: {}: {}", named(&f.check), f.evidence))
            .collect();
        let more =
            unmet.len().checked_sub(SHOWN + 1).map_or(String::new(), |n| format!("\nand {} more", n + 1));
        found.push(
            code::NOT_WHOLE,
            None,
            "the mesh is not whole now",
            lines.join("\n") + &more,
            "`ringbolt verify` shows what is missing: mend that first",
        );
    }

    /// The others stay connected when the node goes.
    fn cuts(&self, node: &NodeName, found: &mut Found) {
        let pieces = self.live.loss_of_node(node).separated;
        if pieces.is_empty() {
            return;
        }
        let group = |piece: &Vec<NodeName>| {
            let names: Vec<&str> = piece.iter().map(NodeName::as_str).collect();
            names.join(", ")
        };
        let parts: Vec<String> = pieces.iter().map(|p| format!("{{{}}}", group(p))).collect();
        let always = !self.meant().loss_of_node(node).is_nothing();
        let (message, cure) = if always {
            (
                "holds the others together: without it they lose each other".to_owned(),
                "one more cable past it closes the gap (`ringbolt discover` draws the mesh)".to_owned(),
            )
        } else {
            let dark = self.dark();
            let names = if dark.is_empty() { "some cables".to_owned() } else { dark.join(", ") };
            (
                format!(
                    "holds the others together now that {names} is away: without it they lose each other"
                ),
                format!("bring {names} back first"),
            )
        };
        found.push(code::CUTS, Some(node), message, parts.join("  "), cure);
    }

    /// The mesh with the cables nodes remember, whether they are lit now or not.
    fn meant(&self) -> Topology {
        if self.survey.spec.fabric.transport == Transport::Switch {
            return self.survey.topology.clone();
        }
        let place =
            |(node, port): &(NodeName, PortName)| Place { node: node.clone(), port: Some(port.clone()) };
        let ports = self.survey.binding.ports.iter();
        let ends = ports.flat_map(|(node, ports)| ports.iter().map(move |port| (node, port)));
        let cables: BTreeSet<(Place, Place)> = ends
            .filter_map(|(node, port)| {
                let far = place(port.known.as_ref().or(port.peer.as_ref())?);
                let near = place(&(node.clone(), port.name.clone()));
                Some(if near < far { (near, far) } else { (far, near) })
            })
            .into_set();
        Topology::new(self.survey.spec.nodes.iter().map(|n| n.name.clone()), cables)
    }

    /// Nodes that are no part of the mesh at this moment.
    fn dark(&self) -> Vec<String> {
        let meant = self.meant();
        let lit = |node: &&NodeName| self.live.links().iter().any(|l| l.at(node).is_some());
        let cabled = |node: &&NodeName| meant.links().iter().any(|l| l.at(node).is_some());
        let nodes = self.survey.spec.nodes.iter().map(|n| &n.name);
        nodes.filter(|n| (cabled(n) && !lit(n)) || self.facts(n).is_none()).map(ToString::to_string).collect()
    }

    /// Whether work on these nodes may bring a cable back: it has light at both ends, or will have when its ports
    /// are up, and one of them is worked on.
    fn comes_back(&self, link: &Link, at_work: &BTreeSet<&NodeName>) -> bool {
        let ends = [&link.a, &link.b];
        let lights = |place: &Place| {
            let port = place.port.as_ref().map(PortName::as_str);
            let there = port.and_then(|p| self.facts(&place.node)?.inventory.interfaces.get(p));
            there.is_some_and(|i| i.carrier || !i.up)
        };
        ends.iter().any(|p| at_work.contains(&p.node)) && ends.into_iter().all(lights)
    }

    /// Proxmox VE keeps its majority.
    fn majority(&self, found: &mut Found) {
        let text = self.survey.fleet.nodes.values().find_map(|f| f.text(pve::path::MEMBERS));
        let Some(members) = text.and_then(|t| pve::members(t).ok()) else { return };
        let votes = self.survey.fleet.shared(ha::COROSYNC).map(ha::votes).unwrap_or_default();
        // Proxmox VE takes some seconds to miss a node; one that does not answer us is counted as gone at once.
        let silent = |name: &str| self.survey.silent.iter().any(|silent| silent.node.as_str() == name);
        let all: Vec<(&str, bool)> = members
            .nodelist
            .iter()
            .map(|(name, m)| (name.as_str(), m.online == 1 && !silent(name)))
            .collect();
        for node in &self.request.nodes {
            let (survives, left, total) = votes.survive(all.iter().copied(), node.as_str());
            if survives || all.len() < 2 {
                continue;
            }
            let fence =
                if self.high_availability() { ", and nodes with HA services reset themselves" } else { "" };
            found.push(
                code::MAJORITY,
                Some(node),
                format!("leaves Proxmox VE {left} of {total} votes when it goes, and no quorum: /etc/pve is read-only, no guest starts{fence}"),
                "",
                "bring the missing nodes back, or give a small cluster a third vote (`pvecm qdevice setup`)",
            );
        }
    }

    /// Ceph is whole now.
    fn ceph(&self, found: &mut Found) {
        if !founded(&self.survey.fleet) {
            return;
        }
        if self.survey.spec.ceph.is_none() {
            found.push(
                code::NOT_CLEAN,
                None,
                "Ceph is there and not in the spec: its OSDs are not held, and it is not waited for",
                "",
                "name its disks by `osds` in the spec",
            );
            return;
        }
        let Some(cluster) = self.cluster else {
            found.push(
                code::NOT_CLEAN,
                None,
                "Ceph does not answer",
                "",
                "see that its monitors run (`ringbolt verify`), then run again",
            );
            return;
        };
        let mut lines = Vec::new();
        if !self.clean {
            let groups = cluster.placement_groups.iter().map(|(state, n)| format!("{n} {state}"));
            lines.push(format!("placement groups: {}", groups.collect::<Vec<_>>().join(", ")));
        }
        let down: Vec<String> =
            cluster.osds.iter().filter(|o| o.within && !o.up).map(|o| format!("osd.{}", o.id)).collect();
        if !down.is_empty() {
            lines.push(format!("down: {}", down.join(", ")));
        }
        let absent: Vec<&str> =
            cluster.monitors.keys().filter(|m| !cluster.quorum.contains(m)).map(String::as_str).collect();
        if !absent.is_empty() {
            lines.push(format!("monitors not in quorum: {}", absent.join(", ")));
        }
        if !lines.is_empty() {
            found.push(
                code::NOT_CLEAN,
                None,
                "Ceph is not whole now",
                lines.join("\n"),
                "wait until it is, or mend what `ceph health detail` names",
            );
        }
    }

    fn monitors(&self, node: &NodeName, found: &mut Found) {
        let Some(cluster) = self.cluster.filter(|c| c.monitors.contains_key(node.as_str())) else { return };
        let left = cluster.quorum.iter().filter(|m| *m != node.as_str()).count();
        if left * 2 <= cluster.monitors.len() {
            found.push(
                code::MONITOR_MAJORITY,
                Some(node),
                format!(
                    "leaves {left} of {} monitors when it goes: Ceph stands still until it is back",
                    cluster.monitors.len()
                ),
                "",
                "three monitors, all of them running, are what a reboot needs",
            );
        }
    }

    /// Every pool is served without the node's copies.
    fn copies(&self, node: &NodeName, found: &mut Found) {
        let Some(cluster) = self.cluster.filter(|_| !self.osds(node).is_empty()) else { return };
        let short: Vec<String> = cluster
            .pools
            .iter()
            .filter(|p| p.size <= p.min_size)
            .map(|p| format!("{}: size {}, min_size {}", p.name, p.size, p.min_size))
            .collect();
        if !short.is_empty() {
            found.push(
                code::TOO_FEW_COPIES,
                Some(node),
                "has copies that pools need to be written to: they stand still while it is away",
                short.join("\n"),
                "three copies with `min_size = 2` let one host go",
            );
        }
    }

    /// Guests that run there and that nobody moves.
    fn guests(&self, node: &NodeName, found: &mut Found) {
        let Some(facts) = self.facts(node) else { return };
        let stays = |g: &&Guest| {
            g.runs && (!self.managed.contains(&g.service()) || self.status.requests.contains(node.as_str()))
        };
        let guests: Vec<String> = match &facts.state.guests {
            Known::Yes(guests) => guests.iter().filter(stays).map(Guest::service).collect(),
            Known::No(why) => {
                found.push(
                    code::GUESTS,
                    Some(node),
                    "does not tell which guests run there",
                    why.clone(),
                    "look by `qm list` and `pct list`",
                );
                return;
            }
        };
        if guests.is_empty() {
            return;
        }
        let list = guests.join(", ");
        if self.request.kind == Kind::Enter {
            found.notes.push(Obstacle::about(
                code::GUESTS.0,
                Some(node),
                format!("runs guests that high availability does not move: {list}"),
                "",
                "move or stop them before the node is switched off",
            ));
            return;
        }
        found.push(
            code::GUESTS,
            Some(node),
            format!("runs guests that go down with it: {list}"),
            "high availability does not move them",
            "move them first, or give them to high availability",
        );
    }
}

/// Interrupting steps of an apply below Ceph that would cut other nodes off from each other, only
/// because a node or a cable is away already. What this very apply brings back is no reason.
pub fn torn(survey: &Survey, plan: &Plan) -> Vec<Obstacle> {
    let nodes: BTreeSet<&NodeName> =
        plan.steps.iter().filter(|s| s.risk >= Risk::Disruptive).filter_map(|s| s.node.as_ref()).into_set();
    if nodes.is_empty() || survey.fleet.cluster().is_none() {
        return Vec::new();
    }
    let nobody = Request { kind: Kind::Reboot, nodes: Vec::new(), accept: BTreeSet::new() };
    let mut look = Look::new(survey, &nobody);
    let meant = look.meant();
    let dark = look.dark();
    let at_work: BTreeSet<&NodeName> = plan.deeds().filter_map(|s| s.node.as_ref()).into_set();
    let mended = |name: &String| at_work.iter().any(|n| n.as_str() == name);
    if !dark.is_empty() && dark.iter().all(mended) {
        return Vec::new();
    }
    let mut links: BTreeSet<&Link> = look.live.links().iter().into_set();
    let lit = links.len();
    links.extend(meant.links().iter().filter(|link| look.comes_back(link, &at_work)));
    if links.len() > lit {
        let names = survey.spec.nodes.iter().map(|n| n.name.clone());
        look.live = Topology::new(names, links.into_iter().map(|l| (l.a.clone(), l.b.clone())));
    }
    let mut found = Found::default();
    nodes.into_iter().filter(|n| meant.loss_of_node(n).is_nothing()).for_each(|n| look.cuts(n, &mut found));
    found.obstacles
}

/// A check of the mesh in words.
fn named(check: &Check) -> String {
    match check {
        Check::Neighbor { port, host: Some(host) } => format!("neighbour {host} on {port}"),
        Check::Neighbor { port, host: None } => format!("a neighbour on {port}"),
        Check::Bfd { port } => format!("BFD on {port}"),
        Check::FrrLoaded {} => "frr.conf in force".to_owned(),
        Check::Route { to, .. } => format!("route to {to}"),
        _ => "the mesh".to_owned(),
    }
}

/// How many findings of the mesh are told in full.
const SHOWN: usize = 4;

#[derive(Default)]
struct Found {
    obstacles: Vec<Obstacle>,
    notes: Vec<Obstacle>,
}

impl Found {
    fn push(
        &mut self,
        code: Code,
        node: Option<&NodeName>,
        message: impl Into<String>,
        evidence: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.obstacles.push(Obstacle::about(code.0, node, message, evidence, cure));
    }
}
