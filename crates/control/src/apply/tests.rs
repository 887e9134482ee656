//! The loop with fake agents at the far ends.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use ringbolt_core::action::Action;
use ringbolt_core::check::{Check, Finding};
use ringbolt_core::name::PortName;
use ringbolt_core::step::{Phase, Risk, Step, Undo};
use ringbolt_core::wire::{Ask, Failure, FailureKind, Request, Say};

use super::*;
use crate::fixture::{Fake, Reaction, facts, name};
use crate::transport::Transport;

fn step(id: &str, node: &str, action: Action, after: &[&str]) -> Step {
    Step {
        id: id.into(),
        phase: Phase::Prepare,
        node: Some(name(node)),
        title: "".into(),
        why: "".into(),
        action: Some(action),
        expect: None,
        undo: Undo::None,
        proof: Vec::new(),
        patience: 3,
        risk: Risk::Safe,
        after: after.iter().map(|a| (*a).into()).collect(),
        change: None,
        interrupts: "".into(),
        checkpoint: None,
    }
}

fn carrier() -> Check {
    Check::Port { port: PortName::new("en05").unwrap() }
}

fn plan(steps: Vec<Step>) -> Arc<Plan> {
    Arc::new(Plan { steps, ..Plan::default() })
}

fn fleet(fake: Fake, nodes: &[&str]) -> Arc<Fleet> {
    let transport: Arc<dyn Transport> = Arc::new(fake);
    Arc::new(Fleet::over(nodes.iter().map(|n| name(n)), transport))
}

fn done() -> Reaction {
    Reaction::Say(vec![Say::Done { note: "".into() }])
}

/// Does everything, finds everything in order.
fn willing(node: &ringbolt_core::name::NodeName, request: &Request) -> Reaction {
    match &request.body {
        Ask::Await { checks, .. } => {
            let findings =
                checks.iter().map(|c| Finding { check: c.clone(), holds: true, evidence: "".into() });
            Reaction::Say(vec![Say::Looked { findings: findings.collect() }])
        }
        Ask::Facts { .. } => Reaction::Say(vec![Say::Facts(Box::new(facts(node.as_str(), "boot1")))]),
        _ => done(),
    }
}

async fn carry_out(fleet: Arc<Fleet>, plan: Arc<Plan>) -> (Report, Vec<What>) {
    let mut events: Vec<Event> = Vec::new();
    let (_stopper, stop) = crate::stop::stop();
    let report = run("r1", plan, fleet, &mut events, stop).await.unwrap();
    (report, events.into_iter().map(|e| e.what).collect())
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_carried_out_and_proven() {
    let mut first = step("a", "n2", Action::ReloadUdev, &[]);
    first.proof = vec![(name("n2"), carrier()), (name("n3"), carrier())];
    let second = step("b", "n3", Action::ReloadUdev, &["a"]);
    let fleet = fleet(Fake::new(|node, _, request| willing(node, request)), &["n2", "n3"]);
    let (report, events) = carry_out(fleet, plan(vec![first, second])).await;
    assert_eq!((report.outcome, report.done, report.failed), (Outcome::Done, 2, 0));
    assert!(matches!(&events[0], What::RunStarted { steps: 2, run, .. } if run == "r1"));
    assert!(matches!(events[2], What::StepProving { .. }));
    assert!(matches!(events.last(), Some(What::RunFinished { outcome: Outcome::Done, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_does_not_come_says_what_was_seen() {
    let mut only = step("a", "n2", Action::ReloadUdev, &[]);
    only.proof = vec![(name("n2"), carrier())];
    let fleet = fleet(
        Fake::new(|node, _, request| match &request.body {
            Ask::Await { checks, patience_ms, .. } => {
                assert_eq!(*patience_ms, 3000);
                let finding =
                    Finding { check: checks[0].clone(), holds: false, evidence: "no such interface".into() };
                Reaction::Say(vec![Say::Looked { findings: vec![finding] }])
            }
            _ => willing(node, request),
        }),
        &["n2"],
    );
    let (report, events) = carry_out(fleet, plan(vec![only])).await;
    assert_eq!(report.outcome, Outcome::Failed);
    let message = events.iter().find_map(|e| match e {
        What::StepFailed { failure, .. } => Some(failure.message.clone()),
        _ => None,
    });
    assert_eq!(message.unwrap(), "not so after 3 s: n2: port en05 there: no such interface");
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again() {
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let fleet = fleet(
        Fake::new(move |_, _, _| {
            let mut calls = counted.lock().unwrap();
            *calls += 1;
            if *calls < 3 {
                let failure = Failure { kind: FailureKind::Transient, ..Failure::broken("lock held") };
                return Reaction::Say(vec![Say::Failed(failure)]);
            }
            done()
        }),
        &["n2"],
    );
    let (report, _) = carry_out(fleet, plan(vec![step("a", "n2", Action::ReloadUdev, &[])])).await;
    assert_eq!((report.outcome, *calls.lock().unwrap()), (Outcome::Done, 3));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_lost_loses_its_steps_only() {
    let fleet = fleet(
        Fake::new(
            |node, _, request| if node.as_str() == "n2" { Reaction::HangUp } else { willing(node, request) },
        ),
        &["n2", "n3"],
    );
    let steps = vec![
        step("a", "n2", Action::ReloadUdev, &[]),
        step("b", "n2", Action::ReloadUdev, &[]),
        step("c", "n3", Action::ReloadUdev, &[]),
        step("d", "n3", Action::ReloadUdev, &["b"]),
        step("e", "n3", Action::ReloadUdev, &["c"]),
    ];
    let (report, _) = carry_out(fleet, plan(steps)).await;
    assert_eq!((report.outcome, report.done, report.failed, report.skipped), (Outcome::Failed, 2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_is_over_when_the_node_is_back_with_another_boot_id() {
    let fleet = fleet(
        Fake::new(|node, line, request| match &request.body {
            Ask::Do(_) => Reaction::HangUp,
            // The second line still meets the system on its way down.
            Ask::Facts { .. } => {
                let boot = if line < 3 { "boot1" } else { "boot2" };
                Reaction::Say(vec![Say::Facts(Box::new(facts(node.as_str(), boot)))])
            }
            _ => done(),
        }),
        &["n2"],
    );
    let steps = vec![step("a", "n2", Action::Reboot, &[]), step("b", "n2", Action::ReloadUdev, &["a"])];
    let mut events: Vec<Event> = Vec::new();
    let (_stopper, stop) = crate::stop::stop();
    let report = run("r1", plan(steps), Arc::clone(&fleet), &mut events, stop).await.unwrap();
    // Every deed hangs up here: the one after the reboot fails, the reboot itself does not.
    assert_eq!((report.done, report.failed), (1, 1));
}

#[tokio::test]
async fn the_first_stop_finishes_what_is_under_way_the_second_ends_at_once() {
    let (stopper, stop) = crate::stop::stop();
    let button = stopper.clone();
    let willing_once = Fake::new(move |node, _, request| {
        button.press();
        willing(node, request)
    });
    let steps = vec![step("a", "n2", Action::ReloadUdev, &[]), step("b", "n2", Action::ReloadUdev, &["a"])];
    let mut events: Vec<Event> = Vec::new();
    let report =
        run("r1", plan(steps.clone()), fleet(willing_once, &["n2"]), &mut events, stop).await.unwrap();
    assert_eq!((report.outcome, report.done, report.skipped), (Outcome::Stopped, 1, 1));
    assert!(events.iter().any(|e| e.what == What::Stopping));

    let (stopper, stop) = crate::stop::stop();
    let stuck = Fake::new(move |_, _, _| {
        stopper.press();
        stopper.press();
        Reaction::Nothing
    });
    let report = run("r1", plan(steps), fleet(stuck, &["n2"]), &mut events, stop).await.unwrap();
    assert_eq!((report.outcome, report.skipped, report.in_flight), (Outcome::Stopped, 1, vec!["a".into()]));
}

/// Keeps nothing from its third batch on.
struct FullDisk(u32);

impl Sink for FullDisk {
    fn record(&mut self, _events: &[Event]) -> std::io::Result<()> {
        self.0 += 1;
        if self.0 < 3 { Ok(()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
    }
}

#[tokio::test]
async fn without_a_journal_nothing_new_is_begun() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let fake = Fake::new(move |node, _, request| {
        *counted.lock().unwrap() += 1;
        willing(node, request)
    });
    let steps = vec![step("a", "n2", Action::ReloadUdev, &[]), step("b", "n2", Action::ReloadUdev, &["a"])];
    let (_stopper, stop) = crate::stop::stop();
    let error = run("r1", plan(steps), fleet(fake, &["n2"]), &mut FullDisk(0), stop).await.unwrap_err();
    assert_eq!((*asked.lock().unwrap(), error.report.done), (1, 1));
}
