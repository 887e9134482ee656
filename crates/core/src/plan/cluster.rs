//! The cluster's part of a plan: Proxmox VE's fabric objects, changed on one node for all.

use std::borrow::Cow;

use super::Plan;
use crate::action::{Action, SdnChange};
use crate::arrange::Arrange;
use crate::check::Check;
use crate::desired::Desired;
use crate::facts::{Facts, Fleet, pve};
use crate::name::{FabricId, NodeName};
use crate::resource::fabric::{Calls, Fabric, render};
use crate::resource::{Resource, carries_traffic, owed, step};
use crate::step::{FileChange, Phase, Risk, Step, Undo};

/// The step that stages and applies the fabric, if one is needed.
pub(super) fn settle(desired: &Desired, fleet: &Fleet, plan: &mut Plan) -> Option<Step> {
    let (node, facts) = owed::speaker(fleet)?;
    if let Some(id) = &desired.withdrawn {
        return Some(withdraw(id, desired, node, facts));
    }
    let fabric = desired.fabric.as_ref()?;
    let (staged, running) = fabrics(facts).ok()?;
    let mut calls = fabric.calls(&staged);
    let cut_off = owed::holds_sdn_lock(facts);
    // Nothing runs yet: then all of it is unapplied.
    let unapplied = if running.is_empty() { Calls::default() } else { fabric.calls(&running) };
    if calls == Calls::default() && unapplied == Calls::default() && !running.is_empty() && !cut_off {
        plan.satisfied += 1;
        return None;
    }
    // What somebody has deleted and not applied is lost by our apply.
    calls.leaving.extend(unapplied.leaving);
    calls.leaving.arrange();
    calls.leaving.dedup();
    let live = fleet.nodes.values().any(carries_traffic);
    Some(apply(fabric, desired, (node, facts), &staged, calls, live))
}

/// The step that takes the whole fabric away: static routing has no use for it.
fn withdraw(id: &FabricId, desired: &Desired, node: &NodeName, facts: &Facts) -> Step {
    let staged_fact = facts.state.files.get(pve::path::FABRICS);
    let text = staged_fact.and_then(|f| f.text.as_deref()).unwrap_or("");
    let staged = pve::sections(text).unwrap_or_default();
    let of_it = |s: &pve::Section| s.id == id.as_str() || s.id.starts_with(&format!("{id}_"));
    let there = staged.iter().any(|s| s.id == id.as_str());
    let rest: Vec<pve::Section> = staged.into_iter().filter(|s| !of_it(s)).collect();
    let digest = staged_fact.map_or_else(String::new, |f| f.digest.clone());
    Step {
        title: format!("remove fabric {id} from Proxmox VE, then apply").into(),
        why: "the spec says static routing, and two kinds of routes to one address would fight".into(),
        expect: Some(digest.clone()),
        undo: Undo::Impossible(
            "the fabric comes back by `routing = \"openfabric\"`, not by a copy of the file".into(),
        ),
        proof: homes(desired),
        patience: 60,
        risk: Risk::Destructive,
        interrupts: "the mesh has no routes for a few seconds, until static ones are in place everywhere"
            .into(),
        change: Some(Box::new(FileChange {
            path: pve::path::FABRICS.into(),
            before: Some(text.to_owned()),
            after: Some(render(&rest).into()),
        })),
        ..step(
            node,
            format_args!("sdn"),
            Phase::Fabric,
            Action::ApplySdn(Box::new(SdnChange {
                fabric: id.clone(),
                deletes: there.then(|| Fabric::withdrawal(id)).into_iter().collect(),
                calls: Vec::new(),
                nodes: desired.nodes.keys().cloned().collect(),
                expect: digest,
                dry_run: facts.at_least("libpve-network-perl", &[1, 3]),
            })),
        )
    }
}

/// The static addresses of all nodes: the apply's reload brings them up.
fn homes(desired: &Desired) -> Vec<(NodeName, Check)> {
    let mut proof = Vec::new();
    for (node, resources) in &desired.nodes {
        for resource in resources {
            if let Resource::Addresses(live) = resource {
                let home = live.addresses.iter().filter(|(interface, _)| interface == "lo");
                proof.extend(home.map(|(interface, address)| {
                    (node.clone(), Check::Address { interface: interface.clone(), address: *address })
                }));
            }
        }
        proof.push((node.clone(), Check::Sourced { path: pve::path::SDN_INTERFACES.into() }));
    }
    proof
}

/// Fabrics as staged and as running, or which file cannot be read and why (preflight tells).
pub(super) fn fabrics(facts: &Facts) -> Result<(Vec<pve::Section>, Vec<pve::Section>), String> {
    let text = |path: &str| match facts.state.files.get(path) {
        Some(file) => file.text.as_deref().ok_or_else(|| format!("{path} is too long to be read")),
        None => Ok(""),
    };
    let staged = pve::sections(text(pve::path::FABRICS)?).map_err(|e| e.to_string())?;
    let running = match text(pve::path::RUNNING)? {
        "" => Vec::new(),
        text => pve::running_fabrics(text).map_err(|e| e.to_string())?,
    };
    Ok((staged, running))
}

fn apply(
    fabric: &Fabric,
    desired: &Desired,
    (node, facts): (&NodeName, &Facts),
    staged: &[pve::Section],
    calls: Calls,
    live: bool,
) -> Step {
    let mut after: Vec<pve::Section> =
        staged.iter().filter(|s| !fabric.owns(s) || fabric.keeps(s)).cloned().collect();
    after.extend(fabric.sections());
    let staged_fact = facts.state.files.get(pve::path::FABRICS);
    let why: Cow<'static, str> = match (calls.calls.len() + calls.deletes.len(), calls.leaving.as_slice()) {
        (0, []) if owed::holds_sdn_lock(facts) => {
            "an earlier apply was cut off: its lock is still held, and which nodes followed is not known"
                .into()
        }
        (0, []) => "the fabric is staged in Proxmox VE, but was never applied".into(),
        (_, []) if staged.iter().any(|s| fabric.owns(s)) => {
            "the fabric in Proxmox VE differs from the spec".into()
        }
        (_, []) => "Proxmox VE does not know the fabric yet".into(),
        (_, leaving) => format!("no longer in the spec: {}", leaving.join(", ")).into(),
    };
    let risk = match (live, calls.leaving.is_empty()) {
        (_, false) => Risk::Destructive,
        (true, true) => Risk::Disruptive,
        (false, true) => Risk::Safe,
    };
    let interrupts: Cow<'static, str> = if risk == Risk::Safe {
        "".into()
    } else {
        "every node reloads its network and FRR, one after the other; adjacencies stay up where nothing of theirs changes".into()
    };
    Step {
        title: format!("fabric {} in Proxmox VE: {}, then apply", fabric.id, describe(&calls)).into(),
        why,
        expect: Some(staged_fact.map_or_else(String::new, |f| f.digest.clone())),
        undo: Undo::Impossible(
            "objects of SDN are taken back by another change, not by a copy of the file".into(),
        ),
        proof: proof(fabric, desired),
        patience: 60,
        risk,
        interrupts,
        change: Some(Box::new(FileChange {
            path: pve::path::FABRICS.into(),
            before: staged_fact.and_then(|f| f.text.clone()),
            after: Some(render(&after).into()),
        })),
        ..step(
            node,
            format_args!("sdn"),
            Phase::Fabric,
            Action::ApplySdn(Box::new(SdnChange {
                fabric: fabric.id.clone(),
                deletes: calls.deletes,
                calls: calls.calls,
                nodes: fabric.nodes.keys().cloned().collect(),
                expect: staged_fact.map_or_else(String::new, |f| f.digest.clone()),
                dry_run: facts.at_least("libpve-network-perl", &[1, 3]),
            })),
        )
    }
}

fn describe(calls: &Calls) -> String {
    let parts: Vec<String> = [
        (calls.calls.iter().filter(|c| c.verb == crate::action::Verb::Create).count(), "new"),
        (calls.calls.iter().filter(|c| c.verb == crate::action::Verb::Set).count(), "changed"),
        (calls.deletes.len(), "removed"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() { "nothing to stage".into() } else { parts.join(", ") }
}

/// After the apply each node has its generated files, and FRR running. Addresses are looked at in the
/// next round: ifupdown2 has been seen to make the dummy interface and miss its address, and only a
/// second reload mends that.
fn proof(fabric: &Fabric, desired: &Desired) -> Vec<(NodeName, Check)> {
    let mut proof = Vec::new();
    for node in fabric.nodes.keys() {
        let mut add = |check| proof.push((node.clone(), check));
        add(Check::Active { unit: "frr.service".into() });
        add(Check::Enabled { unit: "frr.service".into() });
        for resource in desired.nodes.get(node).into_iter().flatten() {
            if let Resource::Generated(generated) = resource {
                for check in generated.promises() {
                    add(check);
                }
            }
        }
    }
    proof
}
