//! Nodes taken out of service one at a time: reboots, maintenance. A plan like any other, made from
//! what the nodes say now.
//!
//! Used by `reboot` and `maintain`. All steps stand in one line: whatever fails, nothing after it is
//! begun, so no second node is touched before the first has proven that it is back.

use std::collections::BTreeSet;

use crate::action::{Action, CephDeed};
use crate::arrange::Arrange;
use crate::check::{CephCheck, Check, Stage};
use crate::facts::ceph::CephCluster;
use crate::into_set::IntoSet;
use crate::name::{NodeName, StepId};
use crate::plan::{Plan, goal_checks, tidy, wall_after};
use crate::resource::ceph::on;
use crate::resource::step;
use crate::step::{Phase, Risk, Step, Undo};
use crate::survey::Survey;

mod left;
mod look;

pub use left::left_over;
pub use look::{ACCEPTABLE, torn};

use self::look::Look;

/// Seconds guests get to leave a node.
const MOVING: u32 = 1800;
/// Seconds for high availability to take something up: its manager looks every ten.
const TAKEN_UP: u32 = 180;
/// Seconds the mesh and the quorum get once a node answers again.
const BACK: u32 = 180;
/// Seconds Ceph gets to be whole again: what was written meanwhile is copied.
const WHOLE: u32 = 1800;

/// What is done with the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Out of service, rebooted, back into service.
    Reboot,
    /// Out of service, to stay there.
    Enter,
    /// Back into service.
    Exit {
        /// Without waiting for mesh and Ceph: also for a node that is gone.
        now: bool,
    },
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is done.
    pub kind: Kind,
    /// With which nodes.
    pub nodes: Vec<NodeName>,
    /// Codes of [`ACCEPTABLE`] that are agreed to.
    pub accept: BTreeSet<String>,
}

/// The plan, with what stands in the way of it. The same survey gives the same plan, whatever the order of nodes.
pub fn plan(survey: &Survey, request: &Request) -> Plan {
    let look = Look::new(survey, request);
    let (obstacles, notes) = look.report();
    let mut line = Line::default();
    for node in turns(survey, &request.nodes) {
        line.push(steps(&look, request.kind, &node));
        if request.nodes.len() > 1 {
            line.gate(&node);
        }
    }
    let mut plan = Plan { steps: line.steps, obstacles, notes, ..Plan::default() };
    tidy(&mut plan.obstacles);
    tidy(&mut plan.notes);
    plan
}

/// The order: by name, but the node of the active manager last and that of the leading monitor before
/// it: each of them is handed over once only.
pub fn turns(survey: &Survey, nodes: &[NodeName]) -> Vec<NodeName> {
    let cluster = survey.fleet.cluster();
    let late = |node: &NodeName| {
        let manages = cluster.is_some_and(|c| c.active_manager.as_deref() == Some(node.as_str()));
        let leads = cluster.is_some_and(|c| c.leader == node.as_str());
        (manages, leads)
    };
    let mut turns: Vec<NodeName> = nodes.iter().cloned().into_set().into_iter().collect();
    turns.arrange_by_key(late);
    turns
}

/// Steps one after the other.
#[derive(Default)]
struct Line {
    steps: Vec<Step>,
    last: Option<StepId>,
}

impl Line {
    fn push(&mut self, steps: Vec<Step>) {
        for mut step in steps {
            step.after = self.last.replace(step.id.clone()).into_iter().collect();
            self.steps.push(step);
        }
    }

    fn gate(&mut self, node: &NodeName) {
        let Some(last) = self.last.clone() else { return };
        let mut gate = wall_after(format!("gate:{node}"), node.as_str(), Phase::Maintain, vec![last]);
        gate.title = format!("{node} is back in service").into();
        gate.why = "no second node is touched before".into();
        self.last = Some(gate.id.clone());
        self.steps.push(gate);
    }
}

fn one(node: &NodeName, what: &str, title: &'static str, why: &'static str, action: Option<Action>) -> Step {
    Step {
        title: title.into(),
        why: why.into(),
        action,
        ..step(node, format_args!("{what}"), Phase::Maintain, Action::Reboot)
    }
}

/// What happens with one node.
fn steps(look: &Look<'_>, kind: Kind, node: &NodeName) -> Vec<Step> {
    match kind {
        // A node that is in maintenance stays there: who put it there ends it.
        Kind::Reboot if look.is_out(node) => reboot(look, node),
        Kind::Reboot => {
            let mut steps = out(look, node, look.high_availability());
            steps.extend(reboot(look, node));
            let host = look.host(node);
            steps.extend(host.map(|host| hold(node, &host, false)));
            steps.extend(look.high_availability().then(|| maintenance(node, node, false)));
            steps
        }
        Kind::Enter => out(look, node, true),
        Kind::Exit { now } => back(look, node, now),
    }
}

/// Out of service: guests away, OSDs held in.
fn out(look: &Look<'_>, node: &NodeName, maintained: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if maintained && !look.status.requests.contains(node.as_str()) {
        steps.push(maintenance(node, node, true));
    }
    let Some(host) = look.host(node).filter(|host| !look.held(host)) else { return steps };
    let osds = look.osds(node);
    if look.asks_ceph(node) {
        steps.push(Step {
            proof: osds.iter().map(|osd| on(node, CephCheck::Up { osd: *osd })).collect(),
            ..one(
                node,
                "may-stop",
                "ask Ceph whether the OSDs of the node may stop",
                "no placement group may be left without enough copies",
                Some(Action::Ceph(CephDeed::MayStop { osds })),
            )
        });
    }
    steps.push(hold(node, &host, true));
    steps
}

/// The reboot, and all that must be as it was before.
fn reboot(look: &Look<'_>, node: &NodeName) -> Vec<Step> {
    let mut steps = vec![Step {
        proof: as_before(look, node),
        patience: BACK,
        risk: Risk::Disruptive,
        interrupts: "everything on the node, for as long as it takes to shut down and to boot".into(),
        ..one(
            node,
            "reboot",
            "reboot, and wait until it sees the mesh and its quorum as before",
            "it is not back before its neighbours say so as well",
            Some(Action::Reboot),
        )
    }];
    steps.extend(whole(look, node, look.clean));
    steps
}

/// Back into service: nothing is taken away before mesh and Ceph are whole.
fn back(look: &Look<'_>, node: &NodeName, now: bool) -> Vec<Step> {
    let asked = look.status.requests.contains(node.as_str());
    let held = look.host(node).filter(|host| look.held(host)).or_else(|| look.held_by_name(node));
    if !asked && held.is_none() {
        return Vec::new();
    }
    let away = !look.survey.fleet.nodes.contains_key(node);
    let Some(speaker) = (if away { look.speaker() } else { Some(node) }) else { return Vec::new() };
    let mut steps = Vec::new();
    if !now && !away {
        steps.push(Step {
            proof: goal(look, node),
            patience: BACK,
            ..one(
                node,
                "mesh",
                "wait until the node sees the mesh and its quorum",
                "it goes back into service only when it is whole",
                None,
            )
        });
        steps.extend(whole(look, node, true));
    }
    steps.extend(held.map(|host| Step { node: Some(speaker.clone()), ..hold(speaker, &host, false) }));
    steps.extend(asked.then(|| maintenance(speaker, node, false)));
    if now && let Some(step) = steps.last_mut() {
        // A node that is away cannot say that it takes services again.
        for (_, check) in &mut step.proof {
            if let Check::Maintenance { stage, .. } = check {
                *stage = Stage::Withdrawn;
            }
        }
    }
    steps
}

fn maintenance(speaker: &NodeName, node: &NodeName, on: bool) -> Step {
    let (what, title, why) = if on {
        (
            "maintenance-on",
            "put the node into the maintenance mode of Proxmox VE, and wait until no HA service is left on it",
            "guests that high availability manages move to other nodes before it goes down",
        )
    } else {
        (
            "maintenance-off",
            "take the node out of the maintenance mode of Proxmox VE",
            "its HA services may come back",
        )
    };
    let stage = if on { Stage::Entered } else { Stage::Left };
    let action = |on| Action::Maintenance { node: node.clone(), on };
    Step {
        proof: vec![(speaker.clone(), Check::Maintenance { node: node.clone(), stage })],
        patience: if on { MOVING } else { TAKEN_UP },
        undo: Undo::Action(Box::new(action(!on))),
        ..one(speaker, what, title, why, Some(action(on)))
    }
}

fn hold(speaker: &NodeName, host: &NodeName, hold: bool) -> Step {
    let (what, title, why) = if hold {
        (
            "noout-on",
            "set noout for the OSDs of this host",
            "Ceph does not copy their data elsewhere while they are away",
        )
    } else {
        ("noout-off", "take noout away again", "OSDs that stay away are replaced from now on")
    };
    let deed = |hold| Action::Ceph(CephDeed::HoldOut { host: host.clone(), hold });
    Step {
        proof: vec![on(speaker, CephCheck::HeldOut { host: host.to_string(), hold })],
        patience: 30,
        undo: Undo::Action(Box::new(deed(!hold))),
        ..one(speaker, what, title, why, Some(deed(hold)))
    }
}

/// What held of the mesh and the quorum before, on the node and towards it on its neighbours.
fn as_before(look: &Look<'_>, node: &NodeName) -> Vec<(NodeName, Check)> {
    let held = |(at, check): &(NodeName, Check)| {
        look.survey.fleet.nodes.get(at).is_some_and(|facts| check.look(facts).holds)
    };
    goal(look, node).into_iter().filter(held).collect()
}

/// What the node must see of the mesh, and its neighbours of it.
fn goal(look: &Look<'_>, node: &NodeName) -> Vec<(NodeName, Check)> {
    let survey = look.survey;
    let mut proof = vec![(node.clone(), Check::Quorate {})];
    let goal = survey.desired.goal.get(node);
    proof.extend(
        goal.into_iter().flat_map(|g| goal_checks(&survey.spec, g)).map(|check| (node.clone(), check)),
    );
    let own: Vec<_> =
        survey.addresses.get(node).into_iter().flat_map(crate::address::NodeAddress::ids).collect();
    for (other, goal) in survey.desired.goal.iter().filter(|(other, _)| *other != node) {
        let ports: Vec<_> =
            goal.neighbors.iter().filter(|(_, host)| host.as_ref() == Some(node)).map(|(p, _)| p).collect();
        let towards = |check: &Check| match check {
            Check::Neighbor { port, .. } | Check::Bfd { port } => ports.contains(&port),
            Check::Route { to, .. } => own.contains(to),
            _ => false,
        };
        let checks = goal_checks(&survey.spec, goal).into_iter().filter(towards);
        proof.extend(checks.map(|check| (other.clone(), check)));
    }
    proof
}

/// Waiting until Ceph is whole: the node's daemons by their own word, the cluster by the monitors'.
fn whole(look: &Look<'_>, node: &NodeName, clean: bool) -> Option<Step> {
    let cluster = look.cluster?;
    let mut proof = daemons(look, node);
    let teller = if proof.is_empty() { look.speaker()? } else { node };
    let ids: BTreeSet<String> = cluster.quorum.iter().cloned().chain(monitor(cluster, node)).into_set();
    let monitors = if cluster.monitors.contains_key(node.as_str()) { Some(node) } else { look.monitor(node) };
    proof.extend(monitors.map(|at| on(at, CephCheck::Quorum { ids })));
    for osd in look.osds(node) {
        proof.push(on(teller, CephCheck::Up { osd }));
    }
    if clean {
        proof.push(on(teller, CephCheck::Clean {}));
    }
    Some(Step {
        proof,
        patience: WHOLE,
        ..one(
            node,
            "ceph-whole",
            "wait until Ceph is whole: monitors in quorum, OSDs up, all placement groups active and clean",
            "what was written meanwhile is copied to the OSDs of the node first",
            None,
        )
    })
}

fn monitor(cluster: &CephCluster, node: &NodeName) -> Option<String> {
    cluster.monitors.contains_key(node.as_str()).then(|| node.to_string())
}

/// The daemons a node has, running.
fn daemons(look: &Look<'_>, node: &NodeName) -> Vec<(NodeName, Check)> {
    let facts = look.survey.fleet.nodes.get(node).and_then(|f| f.state.ceph.yes());
    let Some(here) = facts else { return Vec::new() };
    let mut proof = Vec::new();
    proof.extend(here.osds.iter().map(|o| on(node, CephCheck::Active { osd: o.id })));
    proof.extend(here.managers.iter().map(|d| on(node, CephCheck::Manager { id: d.id.clone() })));
    proof.extend(here.metadata.iter().map(|d| on(node, CephCheck::Metadata { id: d.id.clone() })));
    proof
}

#[cfg(all(test, feature = "sim"))]
#[path = "roll_test.rs"]
mod tests;
