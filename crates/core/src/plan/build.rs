//! The planner: compare, expand, settle the cluster's part, order. Pure and total: it cannot fail,
//! it can only say what it cannot yet do.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Plan, ceph, cluster, order};
use crate::action::Action;
use crate::arrange::Arrange;
use crate::check::Check;
use crate::checkpoint;
use crate::desired::{Desired, Goal};
use crate::facts::{Facts, Fleet, KernelRoute};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::resource::fabric::Member;
use crate::resource::{Resource, frr_local, initramfs, owed, remove_file, step};
use crate::spec::{Routing, Spec};
use crate::step::{Phase, Risk, Step};

/// How careful to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many nodes may be in doubt at once.
    pub max_unavailable: usize,
    /// Seconds a node waits for the confirmation of a step that may have cut it off.
    pub checkpoint: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_unavailable: 1, checkpoint: checkpoint::SECONDS }
    }
}

/// Seconds the mesh gets to converge: an adjacency needs a few hellos, a route one LSP more.
const CONVERGE_PATIENCE: u32 = 45;

/// What is to be done so that the nodes become as desired.
///
/// The same input gives the same bytes; the order of nodes in the spec does not matter.
pub fn plan(spec: &Spec, desired: &Desired, fleet: &Fleet, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    let apply = cluster::settle(desired, fleet, &mut plan);
    let mut phases = order::Phases::default();
    let mut steps = Vec::new();
    for (at, (node, resources)) in desired.nodes.iter().enumerate() {
        let Some(facts) = fleet.nodes.get(node) else { continue };
        if at > 0 && at == desired.nodes.len() / 8 {
            phases.make_room(9);
        }
        for resource in resources {
            // The apply makes every node generate its files and reload: what is seen before it is moot.
            if apply.is_some() && resource.phase() == Phase::Fabric {
                continue;
            }
            let outcome = resource.compare(node, facts);
            plan.satisfied += u32::from(outcome.satisfied());
            steps.extend(outcome.steps);
            plan.obstacles.extend(outcome.obstacles);
            plan.waiting.extend(outcome.waiting.map(|why| format!("{node}: {why}")));
        }
        if desired.retired.contains(node) {
            let outcome = frr_local::retire(node, facts);
            steps.extend(outcome.steps);
            plan.obstacles.extend(outcome.obstacles);
        }
        let stale = desired.stale.get(node).map_or(&[][..], Vec::as_slice);
        // Stale stanzas go before the ports are brought up: they may say another MTU.
        let (stanzas, others): (Vec<&String>, Vec<&String>) =
            stale.iter().partition(|path| path.starts_with(STANZAS));
        steps.splice(0..0, stanzas.into_iter().flat_map(|path| remove(node, path, facts)));
        steps.extend(others.into_iter().flat_map(|path| remove(node, path, facts)));
        if !resources.iter().any(|r| matches!(r, Resource::Initramfs(_))) && !keeps_ports(resources) {
            steps.extend(initramfs::retire(node, facts));
        }
        if apply.is_none() {
            steps.extend(shadows(node, facts, desired));
        }
        steps.extend(owed::steps(node, facts));
        merge_reloads(&mut steps);
        for step in steps.iter_mut().filter(|s| s.risk == Risk::Disruptive && !of_port(s)) {
            step.proof.extend(returns(node, facts, desired, step));
        }
        phases.extend(steps.drain(..));
    }
    let stores = ceph::settle(spec, desired, fleet, &mut plan);
    if plan.waiting.is_empty() {
        if let Some(apply) = apply {
            phases.clear(Phase::Fabric);
            phases.extend([apply]);
        }
        heed(&mut phases, desired, fleet, &mut plan);
        if phases.iter().any(|s| s.phase >= Phase::Ports || s.risk >= Risk::Disruptive) {
            phases.extend(converge(spec, desired));
        }
        phases.extend(stores);
    } else {
        phases.only(Phase::Prepare);
        plan.waiting.arrange();
        plan.waiting.dedup();
    }
    plan.steps = order::order(phases, policy);
    super::guard(&mut plan.steps, policy.checkpoint);
    plan
}

/// What interrupts the mesh below a Ceph that is whole waits until it is whole again before the next
/// node's turn; below one that is not fit for it, it is not begun.
fn heed(phases: &mut order::Phases, desired: &Desired, fleet: &Fleet, plan: &mut Plan) {
    let disruptive = |s: &Step| s.risk >= Risk::Disruptive;
    if !phases.iter().any(disruptive) {
        return;
    }
    if let Some(cluster) = fleet.cluster() {
        plan.obstacles.extend(ceph::unfit(cluster));
    }
    let Some(whole) = ceph::whole_again(desired.ceph.as_ref(), fleet) else { return };
    for step in phases.iter_mut().filter(|s| disruptive(s)) {
        step.patience = step.patience.max(ceph::CLEAN_PATIENCE);
        step.proof.push(whole.clone());
    }
}

/// Whether a node's part is one that only wakes the driver: nothing about ports is decided yet.
fn keeps_ports(resources: &[Resource]) -> bool {
    resources.iter().any(|r| matches!(r, Resource::Module(_)))
}

/// Folder of files with stanzas.
const STANZAS: &str = "/etc/network/interfaces.d/";

/// A file that carries our name and that nothing asks for any more goes; who reads it is told.
fn remove(node: &NodeName, path: &str, facts: &Facts) -> Vec<Step> {
    // Addresses and routes go last: until the reload that follows they are still in use.
    let stanzas = path.starts_with(STANZAS);
    let phase = if stanzas { Phase::Ports } else { Phase::Prepare };
    let mut steps =
        vec![remove_file(node, facts, phase, path, "it is ours, and the spec asks for it no more")];
    let why = format!("{path} goes").into();
    let told = if stanzas {
        // No proof: what stays of addresses is decided by the files that are left.
        Some((
            format_args!("ifreload:stale"),
            "reload the interfaces",
            Phase::Fabric,
            Action::ReloadInterfaces,
        ))
    } else if path.ends_with(".rules") || path.ends_with(".link") {
        Some((
            format_args!("udev-reload"),
            "let udev read its rules and .link files again",
            phase,
            Action::ReloadUdev,
        ))
    } else if path.starts_with("/etc/systemd/system/") {
        Some((
            format_args!("systemd-reload"),
            "let systemd read the units again",
            phase,
            Action::ReloadSystemd,
        ))
    } else {
        None
    };
    steps.extend(told.map(|(id, title, phase, action)| Step {
        title: title.into(),
        why,
        proof: if stanzas { steps[0].proof.clone() } else { Vec::new() },
        ..step(node, id, phase, action)
    }));
    steps
}

/// Whether a step is about one end of a cable: with two MTUs on it, its adjacency comes back only
/// when the other end has followed.
fn of_port(step: &Step) -> bool {
    matches!(step.action, Some(Action::AdoptPort { .. } | Action::BringUp { .. }))
}

/// Static routes of an earlier run that hide OpenFabric's: they go once those are there to take over.
fn shadows(node: &NodeName, facts: &Facts, desired: &Desired) -> Option<Step> {
    let fabric = desired.fabric.as_ref()?;
    let frr = facts.state.frr.yes()?;
    let installed: BTreeSet<IpNet> = frr.routes.iter().filter(|r| r.installed).map(|r| r.to).into_set();
    let ids: BTreeSet<IpAddr> = fabric.nodes.values().flat_map(Member::ids).into_set();
    let hides =
        |r: &&KernelRoute| r.protocol == "boot" && installed.contains(&r.to) && ids.contains(&r.to.addr());
    let to: BTreeSet<IpNet> = facts.state.routes.iter().filter(hides).map(|r| r.to).into_set();
    if to.is_empty() {
        return None;
    }
    let proof = to.iter().map(|to| (node.clone(), Check::Route { to: to.addr(), hops: None })).collect();
    Some(Step {
        title: "drop the static routes of an earlier run".into(),
        why: "they hide OpenFabric's, and would go on leading into a dead cable".into(),
        proof,
        ..step(
            node,
            format_args!("routes"),
            Phase::Fabric,
            Action::DropRoutes { to: to.into_iter().collect() },
        )
    })
}

/// A disturbed node is whole again when the adjacencies it had are back; only then it is the next
/// one's turn.
fn returns(node: &NodeName, facts: &Facts, desired: &Desired, step: &Step) -> Vec<(NodeName, Check)> {
    let Some(goal) = desired.goal.get(node) else { return Vec::new() };
    let neighbors = facts.state.frr.yes().map_or(&[][..], |f| f.neighbors.as_slice());
    let port = |at: &str| goal.neighbors.iter().map(|(port, _)| port).find(|port| port.as_str() == at);
    let checks = neighbors.iter().filter(|n| n.state == "Up").filter_map(|n| {
        Some(Check::Neighbor { port: port(&n.interface)?.clone(), host: Some(n.host.clone()) })
    });
    checks.map(|c| (node.clone(), c)).filter(|c| !step.proof.contains(c)).collect()
}

/// Several files of one phase may ask for the same reload: it is done once, after the last of them.
fn merge_reloads(steps: &mut Vec<Step>) {
    let mut reloads: Vec<Step> = Vec::new();
    let reload = |s: &mut Step| matches!(s.action, Some(Action::ReloadSystemd | Action::ReloadUdev));
    for step in steps.extract_if(.., reload) {
        match reloads.iter_mut().find(|first| (first.phase, &first.id) == (step.phase, &step.id)) {
            Some(first) => *first.why.to_mut() += &format!("; {}", step.why),
            None => reloads.push(step),
        }
    }
    reloads.arrange_by(|a, b| (a.phase, &a.id).cmp(&(b.phase, &b.id)));
    for mut reload in reloads {
        // The same reload may be due in two phases: its id says which.
        if reload.phase != Phase::Prepare {
            reload.id = format!("{}:{}", reload.id, reload.phase.word()).into();
        }
        let last_file = steps
            .iter()
            .rposition(|s| {
                s.phase == reload.phase
                    && matches!(s.action, Some(Action::WriteFile { .. } | Action::RemoveFile { .. }))
            })
            .map_or(steps.len(), |at| at + 1);
        steps.insert(last_file, reload);
    }
}

/// Waiting, node by node, until the mesh is what it should be.
fn converge(spec: &Spec, desired: &Desired) -> Vec<Step> {
    desired
        .goal
        .iter()
        .map(|(node, goal)| (node, goal_checks(spec, goal)))
        .filter(|(_, checks)| !checks.is_empty())
        .map(|(node, checks)| Step {
            title: "wait until the node sees all neighbours and routes".into(),
            why: "a step is done when it is proven".into(),
            action: None,
            proof: checks.into_iter().map(|c| (node.clone(), c)).collect(),
            patience: CONVERGE_PATIENCE,
            ..step(node, format_args!("converge"), Phase::Converge, Action::ReloadUdev)
        })
        .collect()
}

/// The checks of a goal: FRR's configuration, adjacency and BFD per port, a route of the right length per node.
pub(crate) fn goal_checks(spec: &Spec, goal: &Goal) -> Vec<Check> {
    let mut checks = Vec::new();
    let openfabric = spec.fabric.routing == Routing::Openfabric;
    if openfabric && !goal.routes.is_empty() {
        checks.push(Check::FrrLoaded {});
    }
    for (port, host) in goal.neighbors.iter().filter(|_| openfabric) {
        checks.push(Check::Neighbor { port: port.clone(), host: host.as_ref().map(ToString::to_string) });
        if spec.fabric.bfd {
            checks.push(Check::Bfd { port: port.clone() });
        }
    }
    for (to, _, hops) in &goal.routes {
        checks.push(Check::Route { to: *to, hops: openfabric.then_some(*hops) });
    }
    checks
}

/// Sorts obstacles so that the same facts give the same bytes.
pub(crate) fn tidy(list: &mut Vec<Obstacle>) {
    let key = |o: &Obstacle| (o.code.clone(), o.node.clone(), o.message.clone(), o.evidence.clone());
    list.arrange_by_key(key);
    let mut seen = BTreeSet::new();
    list.retain(|o| seen.insert((o.code.clone(), o.node.clone(), o.message.clone())));
}
