//! Simulated nodes held against real ones: every deed is done to a node of a lab and to its double, by the same loop
//! of the controller, and what both say afterwards is the same.
//!
//! Needs root and the programs the lab names; says so and passes where they are missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "../rig/mod.rs"]
#[expect(dead_code, reason = "it serves other targets as well")]
mod rig;

mod alike;
mod ceph;
mod deeds;
mod pair;

use std::collections::BTreeSet;

use deeds::Lab;
use pair::{Pair, RUN};
use rig::Rig;
use ringbolt_core::action::Action;
use ringbolt_core::checkpoint;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{self, Past, Plan, undo};
use ringbolt_core::step::{Phase, Risk, Step, Undo};

/// Rounds of plan and apply until nothing is left.
const ROUNDS: usize = 5;

/// A step nobody planned.
fn step(node: &str, what: &str, action: Action) -> Step {
    let mut step = Step {
        id: format!("{node}/{what}").into(),
        phase: Phase::Prepare,
        node: NodeName::new(node).ok(),
        title: "".into(),
        why: "".into(),
        action: Some(action),
        expect: None,
        undo: Undo::None,
        proof: Vec::new(),
        patience: 10,
        risk: Risk::Disruptive,
        after: Vec::new(),
        change: None,
        interrupts: "".into(),
        checkpoint: None,
    };
    plan::guard([&mut step], checkpoint::SECONDS);
    step
}

/// Plans and carries out, step by step on both, until nothing is left; every step of it.
fn converge(pair: &mut Pair) -> Plan {
    let mut all = Plan::default();
    for _ in 0..ROUNDS {
        let plan = pair.plan();
        if plan.deeds().next().is_none() {
            return all;
        }
        for step in plan.deeds() {
            pair.step(step);
        }
        all.steps.extend(plan.deeds().cloned());
    }
    panic!("not done after {ROUNDS} rounds: {:?}", pair.plan().steps);
}

/// Every deed of the lab has been done, and the same came of it on both sides.
fn judge(pair: &Pair, lab: Lab) {
    for (name, why) in deeds::left_out(lab) {
        eprintln!("not compared: {name}: {why}");
    }
    assert!(pair.found.is_empty(), "{} of them differ:\n{}", pair.found.len(), pair.found.join("\n"));
    assert_eq!(deeds::missed(lab, &pair.done), [""; 0], "not done at all");
}

#[test]
fn deeds_on_the_mesh_leave_simulated_and_real_nodes_the_same() {
    let Some(rig) = Rig::new("conform") else { return };
    rig.ok(&["lab", "up", "--nodes", "2", "--shape", "line", "--without", "frr"]);
    let mut pair = Pair::new(&rig);
    for step in pair.plan().deeds().filter(|s| matches!(s.action, Some(Action::InstallPackages { .. }))) {
        pair.install(step);
    }
    let before = pair.look();
    let plan = converge(&mut pair);
    let begun: BTreeSet<_> = plan.steps.iter().map(|s| s.id.clone()).collect();
    let back = undo(&[Past { run: RUN, plan: &plan, before: &before, begun: &begun }], &pair.look());
    assert!(back.obstacles.is_empty(), "{:?}", back.obstacles);
    for step in back.deeds() {
        pair.step(step);
    }
    converge(&mut pair);
    by_hand(&mut pair, &rig);
    judge(&pair, Lab::Mesh);
}

/// Deeds no plan from bare nodes has in it.
fn by_hand(pair: &mut Pair, rig: &Rig) {
    let port = ringbolt_core::name::PortName::new("en05").unwrap();
    let node = NodeName::new("n1").unwrap();
    let unit = "frr.service".to_owned();
    pair.step(&step("n1", "module", Action::LoadModule { name: "thunderbolt_net".into() }));
    pair.step(&step("n1", "restart", Action::RestartUnit { unit: unit.clone() }));
    pair.step(&step("n1", "frr.conf", Action::LoadFrr {}));
    pair.step(&step("n1", "ifreload", Action::ReloadInterfaces));
    // Nodes of a lab boot without one: there is nothing to renew.
    pair.step(&step("n1", "initramfs", Action::UpdateInitramfs));
    authorize(pair, rig);
    pair.step(&step("n1", "reload-node", Action::ReloadNode { node: node.clone() }));
    pair.step(&step("n1", "up", Action::BringUp { interface: port.to_string() }));
    pair.step(&step("n1", "down", Action::HoldDown { port: port.clone(), milliseconds: 1500 }));
    pair.step(&step("n1", "disable", Action::DisableUnit { unit: unit.clone() }));
    pair.step(&step("n1", "enable", Action::EnableUnit { unit, now: true }));
    pair.step(&step("n1", "maintain", Action::Maintenance { node: node.clone(), on: true }));
    pair.step(&step("n1", "serve", Action::Maintenance { node, on: false }));
    rig.exec("n1", &["ip", "route", "add", "10.99.0.0/24", "dev", port.as_str()]);
    pair.double();
    let to = vec!["10.99.0.0/24".parse().unwrap()];
    pair.step(&step("n1", "routes", Action::DropRoutes { to }));
    let path = "/etc/network/interfaces.d/ringbolt-gone";
    rig.exec("n1", &["sh", "-c", &format!("echo '# of nobody' >{path}")]);
    pair.double();
    pair.step(&step("n1", "gone", Action::RemoveFile { path: path.into() }));
    let gone = Action::TakeBack { run: RUN.into(), step: "n1/gone".into() };
    pair.step(&step("n1", "again", gone));
    pair.step(&step("n2", "reboot", Action::Reboot));
}

/// Who may log in is no fact: that both know the same after it, and that the line is there.
fn authorize(pair: &mut Pair, rig: &Rig) {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG conformance";
    pair.step(&step("n1", "key", Action::AuthorizeKey { line: line.into() }));
    let keys = rig.exec("n1", &["cat", "/root/.ssh/authorized_keys"]);
    assert!(keys.lines().any(|l| l == line), "{keys}");
}
