//! Random plans carried out in random order: what must hold for each.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use ringbolt_core::action::Action;
use ringbolt_core::check::Check;
use ringbolt_core::name::StepId;
use ringbolt_core::step::{Phase, Undo};

use super::*;
use crate::fixture::name;

fn step(i: usize, node: Option<usize>, risk: Risk, proof: bool, after: &[usize]) -> Step {
    let node = node.map(|n| name(&format!("n{n}")));
    let check = Check::Port { port: ringbolt_core::name::PortName::new("en05").unwrap() };
    Step {
        id: format!("s{i}").into(),
        phase: Phase::Prepare,
        title: "".into(),
        why: "".into(),
        action: node.as_ref().map(|_| Action::ReloadSystemd),
        expect: None,
        undo: Undo::None,
        proof: if proof { vec![(name("n0"), check)] } else { Vec::new() },
        patience: 1,
        risk,
        after: after.iter().map(|a| format!("s{a}").into()).collect(),
        change: None,
        interrupts: "".into(),
        checkpoint: None,
        node,
    }
}

/// The same step with a checkpoint on its node and on one more.
fn guard(step: Step) -> Step {
    let nodes = step.node.iter().cloned().chain([name("n9")]).collect();
    Step { checkpoint: Some(Box::new(Checkpoint { nodes, seconds: 60 })), ..step }
}

fn plan_of(steps: Vec<Step>) -> Arc<Plan> {
    Arc::new(Plan { steps, ..Plan::default() })
}

/// A step as drawn: node, risky and guarded, with a proof, what it comes after.
type Drawn = (usize, (bool, bool), bool, Vec<prop::sample::Index>);

fn any_plan() -> impl Strategy<Value = Arc<Plan>> {
    let one = (
        0usize..5,
        (any::<bool>(), any::<bool>()),
        any::<bool>(),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    );
    proptest::collection::vec(one, 1..40).prop_map(|drawn| {
        let make = |(i, (node, (risky, guarded), proof, after)): (usize, Drawn)| {
            let after: Vec<usize> = if i == 0 { vec![] } else { after.iter().map(|a| a.index(i)).collect() };
            let risk = if risky { Risk::Disruptive } else { Risk::Safe };
            let node = (node < 4).then_some(node);
            let plain = step(i, node, risk, proof, &after);
            if guarded && node.is_some() { guard(plain) } else { plain }
        };
        plan_of(drawn.into_iter().enumerate().map(make).collect())
    })
}

/// What one simulated run showed.
#[derive(Default)]
struct Seen {
    outcome: Option<Outcome>,
    done: BTreeSet<usize>,
    failed: BTreeSet<usize>,
    skipped: BTreeSet<usize>,
    started: Vec<usize>,
}

/// Carries a plan out, answering open commands in the order `picks` says; steps in `bad` fail.
fn simulate(
    plan: &Arc<Plan>,
    bad: &BTreeSet<usize>,
    picks: &[prop::sample::Index],
    stop_at: Option<usize>,
) -> Seen {
    let mut state = RunState::new(Arc::clone(plan));
    let mut seen = Seen::default();
    let mut open: Vec<Command> = Vec::new();
    let mut commands = state.next(0, Input::Begin);
    for round in 0..1000 {
        for command in commands.drain(..) {
            seen.take(plan, &command);
            if place(&command).is_some() {
                open.push(command);
            }
        }
        check_order(plan, &state, &open, &seen);
        if seen.outcome.is_some() {
            break;
        }
        if stop_at == Some(round) {
            commands = state.next(1, Input::Stop);
            continue;
        }
        let next = open.remove(picks[round % picks.len()].index(open.len()));
        commands = state.next(1, answer(plan, &next, bad));
    }
    seen
}

/// The step of a command that asks for something.
fn place(command: &Command) -> Option<usize> {
    match command {
        Command::Arm(i)
        | Command::Act(i)
        | Command::Prove(i)
        | Command::Confirm(i)
        | Command::Settle(i)
        | Command::Release(i)
        | Command::Recover(i) => Some(*i),
        _ => None,
    }
}

/// What comes back; a step in `bad` fails at its deed, or at what comes later: by its number.
fn answer(plan: &Plan, command: &Command, bad: &BTreeSet<usize>) -> Input {
    let fails = |i: &usize, stage: usize| {
        let stages = if plan.steps[*i].checkpoint.is_some() { 3 } else { 1 };
        bad.contains(i) && (i % stages == stage)
    };
    let no = |i: &usize| Input::Failed(*i, Failure::broken("no"));
    match command {
        Command::Arm(i) if fails(i, 1) => no(i),
        Command::Arm(i) => Input::Armed(*i),
        Command::Act(i) if fails(i, 0) => no(i),
        Command::Act(i) => Input::Acted(*i),
        Command::Confirm(i) if fails(i, 2) => no(i),
        Command::Confirm(i) => Input::Confirmed(*i),
        // A gate has no deed.
        Command::Prove(i) if bad.contains(i) && plan.steps[*i].action.is_none() => no(i),
        Command::Recover(i) | Command::Release(i) => Input::Recovered(*i, vec![gone_back(true)]),
        other => Input::Proven(place(other).unwrap()),
    }
}

fn gone_back(whole: bool) -> Recovery {
    Recovery { node: name("n0"), is: Guard::Fired, whole, text: "undone".into() }
}

impl Seen {
    fn take(&mut self, plan: &Plan, command: &Command) {
        let index = |id: &str| plan.steps.iter().position(|s| *s.id == *id).unwrap();
        match command {
            Command::Emit(What::StepStarted { step, .. }) => self.started.push(index(step)),
            Command::Emit(What::StepDone { step, .. }) => drop(self.done.insert(index(step))),
            Command::Emit(What::StepFailed { step, .. }) => drop(self.failed.insert(index(step))),
            Command::Emit(What::StepSkipped { step }) => drop(self.skipped.insert(index(step))),
            Command::Finish(outcome) => self.outcome = Some(*outcome),
            _ => {}
        }
    }
}

/// What must hold at every moment.
fn check_order(plan: &Plan, state: &RunState, open: &[Command], seen: &Seen) {
    let under_way = state.in_flight();
    let disturbed: BTreeSet<_> = under_way
        .iter()
        .filter(|i| plan.steps[**i].risk != Risk::Safe && plan.steps[**i].node.is_some())
        .map(|i| plan.steps[*i].node.clone())
        .collect();
    assert!(disturbed.len() <= 1, "two nodes disturbed at once: {disturbed:?}");
    // Until it is confirmed, a step with a checkpoint has its node to itself, and those of the checkpoint.
    let holds = |c: &Command, i: usize| {
        matches!(c, Command::Act(_)) || plan.steps[i].checkpoint.is_some() && !matches!(c, Command::Settle(_))
    };
    let acting: Vec<_> = open
        .iter()
        .filter_map(|c| Some((c, place(c)?)))
        .filter(|(c, i)| holds(c, *i))
        .flat_map(|(_, i)| {
            let step = &plan.steps[i];
            let guarded = step.checkpoint.iter().flat_map(|c| &c.nodes);
            step.node.iter().chain(guarded).cloned().collect::<BTreeSet<_>>()
        })
        .collect();
    assert_eq!(acting.len(), acting.iter().collect::<BTreeSet<_>>().len(), "two deeds on one node at once");
    for i in &seen.started {
        for before in &plan.steps[*i].after {
            let b = plan.steps.iter().position(|s| s.id == *before).unwrap();
            assert!(seen.done.contains(&b), "{i} began before {b} was done");
        }
    }
}

/// Everything that comes after one of `roots`.
fn downstream(plan: &Plan, roots: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let before = |id: &StepId| plan.steps.iter().position(|s| s.id == *id).unwrap();
        if step.after.iter().map(before).any(|b| roots.contains(&b) || reached.contains(&b)) {
            reached.insert(i);
        }
    }
    reached
}

proptest! {
    #[test]
    fn without_failures_every_step_is_done(plan in any_plan(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..50)) {
        let seen = simulate(&plan, &BTreeSet::new(), &picks, None);
        prop_assert_eq!(seen.outcome, Some(Outcome::Done));
        prop_assert_eq!(seen.done.len(), plan.steps.len());
    }

    #[test]
    fn a_failure_skips_exactly_what_comes_after(
        plan in any_plan(),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..50),
        bad in proptest::collection::btree_set(0usize..40, 0..4),
    ) {
        // A gate without a proof has nothing that could fail.
        let bad: BTreeSet<usize> = bad.into_iter()
            .filter(|i| plan.steps.get(*i).is_some_and(|s| s.node.is_some() || !s.proof.is_empty()))
            .collect();
        let seen = simulate(&plan, &bad, &picks, None);
        let risky = |i: &usize| plan.steps[*i].risk != Risk::Safe && plan.steps[*i].node.is_some();
        let broken: BTreeSet<_> = seen.failed.iter().filter(|i| risky(i)).map(|i| &plan.steps[*i].node).collect();
        if broken.is_empty() {
            let expected = downstream(&plan, &bad);
            prop_assert_eq!(&seen.skipped, &expected);
            let failed: BTreeSet<usize> = bad.difference(&expected).copied().collect();
            prop_assert_eq!(&seen.failed, &failed);
        } else {
            // A node that was interrupted and has not proven that it is back: no other one is touched after it.
            prop_assert_eq!(broken.len(), 1);
            let put_off: BTreeSet<usize> = seen.skipped.iter().copied().filter(risky).collect();
            let roots: BTreeSet<usize> = seen.failed.union(&put_off).copied().collect();
            let expected: BTreeSet<usize> = downstream(&plan, &roots).union(&put_off).copied().collect();
            prop_assert_eq!(&seen.skipped, &expected);
        }
        prop_assert_eq!(seen.done.len() + seen.failed.len() + seen.skipped.len(), plan.steps.len());
        let fine = seen.failed.is_empty();
        prop_assert_eq!(seen.outcome, Some(if fine { Outcome::Done } else { Outcome::Failed }));
    }

    #[test]
    fn a_stop_finishes_what_is_under_way_and_starts_nothing(
        plan in any_plan(),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..50),
        at in 0usize..20,
    ) {
        let seen = simulate(&plan, &BTreeSet::new(), &picks, Some(at));
        prop_assert!(seen.outcome.is_some());
        prop_assert_eq!(seen.done.len() + seen.skipped.len(), plan.steps.len());
        for i in &seen.started {
            prop_assert!(seen.done.contains(i));
        }
        let all_steps_done = seen.skipped.iter().all(|i| plan.steps[*i].node.is_none());
        prop_assert_eq!(seen.outcome == Some(Outcome::Done), all_steps_done);
    }
}

fn transient() -> Failure {
    Failure { kind: FailureKind::Transient, ..Failure::broken("lock held") }
}

#[test]
fn a_passing_failure_is_tried_five_times_more_with_growing_pauses() {
    let mut state = RunState::new(plan_of(vec![step(0, Some(0), Risk::Safe, false, &[])]));
    assert!(state.next(0, Input::Begin).contains(&Command::Act(0)));
    let mut pauses = Vec::new();
    for _ in 0..RETRIES {
        let commands = state.next(0, Input::Failed(0, transient()));
        pauses.extend(commands.iter().filter_map(|c| match c {
            Command::Pause { ms, .. } => Some(*ms),
            _ => None,
        }));
        assert_eq!(state.next(0, Input::Due(0)), [Command::Act(0)]);
    }
    assert_eq!(pauses, [500, 1000, 2000, 4000, 8000]);
    let commands = state.next(0, Input::Failed(0, transient()));
    assert!(commands.contains(&Command::Finish(Outcome::Failed)));
}

#[test]
fn a_stop_during_a_pause_gives_the_step_up_as_failed() {
    let mut state = RunState::new(plan_of(vec![step(0, Some(0), Risk::Safe, false, &[])]));
    state.next(0, Input::Begin);
    state.next(0, Input::Failed(0, transient()));
    assert_eq!(state.next(0, Input::Stop), [Command::Emit(What::Stopping)]);
    assert!(state.next(0, Input::Due(0)).contains(&Command::Finish(Outcome::Failed)));
}

#[test]
fn a_guarded_step_is_armed_first_and_done_when_it_is_confirmed() {
    let mut one = guard(step(0, Some(0), Risk::Disruptive, true, &[]));
    one.proof.push((name("n0"), Check::Ceph(ringbolt_core::check::CephCheck::Installed {})));
    let mut state = RunState::new(plan_of(vec![one, step(1, Some(0), Risk::Safe, false, &[])]));
    let begun = state.next(0, Input::Begin);
    assert!(begun.contains(&Command::Arm(0)) && !begun.contains(&Command::Act(0)), "{begun:?}");
    assert!(!begun.contains(&Command::Act(1)), "the node is busy with it");
    let armed = state.next(1, Input::Armed(0));
    assert!(armed.contains(&Command::Act(0)));
    let told: Vec<_> = armed
        .iter()
        .filter(|c| matches!(c, Command::Emit(What::Checkpoint { is: Guard::Armed, .. })))
        .collect();
    assert_eq!(told.len(), 2, "on both nodes");
    assert_eq!(state.guarded().count(), 1);
    assert!(state.next(2, Input::Acted(0)).contains(&Command::Prove(0)));
    assert!(state.next(3, Input::Proven(0)).contains(&Command::Confirm(0)));
    let confirmed = state.next(4, Input::Confirmed(0));
    assert!(confirmed.contains(&Command::Settle(0)) && confirmed.contains(&Command::Act(1)), "{confirmed:?}");
    assert_eq!(state.guarded().count(), 0);
    state.next(5, Input::Acted(1));
    assert!(state.next(6, Input::Proven(0)).contains(&Command::Finish(Outcome::Done)));
}

#[test]
fn a_guarded_step_that_fails_is_over_when_its_nodes_have_gone_back() {
    for (whole, healed) in [(true, true), (false, false)] {
        let mut state = RunState::new(plan_of(vec![guard(step(0, Some(0), Risk::Disruptive, true, &[]))]));
        state.next(0, Input::Begin);
        state.next(1, Input::Armed(0));
        state.next(2, Input::Acted(0));
        state.next(3, Input::Lost(name("n0")));
        let failed = state.next(3, Input::Failed(0, Failure::lost("gone")));
        assert!(failed.contains(&Command::Recover(0)), "{failed:?}");
        assert!(state.next(4, Input::Failed(0, Failure::lost("again"))).is_empty());
        let over = state.next(60, Input::Recovered(0, vec![gone_back(whole)]));
        assert!(over.contains(&Command::Finish(Outcome::Failed)));
        assert!(over.iter().any(
            |c| matches!(c, Command::Emit(What::StepFailed { failure, .. }) if failure.message == "gone")
        ));
        assert_eq!(state.healed(), healed);
    }
}

#[test]
fn a_refused_deed_takes_its_checkpoint_away_and_a_passing_failure_arms_anew() {
    let mut state = RunState::new(plan_of(vec![guard(step(0, Some(0), Risk::Safe, false, &[]))]));
    state.next(0, Input::Begin);
    state.next(0, Input::Armed(0));
    state.next(0, Input::Failed(0, transient()));
    assert_eq!(state.next(0, Input::Due(0)), [Command::Arm(0)]);
    state.next(0, Input::Armed(0));
    assert_eq!(state.next(0, Input::Failed(0, Failure::refused("changed"))), [Command::Release(0)]);
    let released = Recovery { is: Guard::Confirmed, ..gone_back(true) };
    assert!(state.next(0, Input::Recovered(0, vec![released])).contains(&Command::Finish(Outcome::Failed)));
    assert!(!state.healed());
}

#[test]
fn no_second_node_is_interrupted_while_the_first_has_not_proven_that_it_is_back() {
    let plan = plan_of(vec![
        step(0, Some(0), Risk::Disruptive, true, &[]),
        step(1, Some(1), Risk::Disruptive, true, &[]),
        step(2, Some(1), Risk::Safe, false, &[]),
    ]);
    let mut state = RunState::new(plan);
    let begun = state.next(0, Input::Begin);
    assert!(begun.contains(&Command::Act(0)) && !begun.contains(&Command::Act(1)));
    // Done, and not proven: the other one waits. Not proven in the end: it is not begun at all.
    assert!(!state.next(0, Input::Acted(0)).contains(&Command::Act(1)));
    let commands = state.next(0, Input::Failed(0, Failure::broken("not back")));
    assert!(commands.contains(&Command::Emit(What::StepSkipped { step: "s1".into() })));
    assert!(state.next(0, Input::Acted(2)).contains(&Command::Finish(Outcome::Failed)));
}

#[test]
fn a_lost_node_loses_its_steps_and_the_others_go_on() {
    let plan = plan_of(vec![
        step(0, Some(0), Risk::Safe, false, &[]),
        step(1, Some(0), Risk::Safe, false, &[]),
        step(2, Some(1), Risk::Safe, false, &[]),
        step(3, None, Risk::Safe, false, &[1, 2]),
        step(4, Some(1), Risk::Safe, false, &[3]),
        step(5, Some(1), Risk::Safe, false, &[2]),
    ]);
    let mut state = RunState::new(plan);
    state.next(0, Input::Begin);
    state.next(0, Input::Failed(0, Failure::lost("gone")));
    let commands = state.next(0, Input::Lost(name("n0")));
    // The line of n0 broke after its second step had begun: that one hears of it by itself.
    assert!(commands.is_empty());
    let commands = state.next(0, Input::Failed(1, Failure::lost("gone")));
    assert!(commands.contains(&Command::Emit(What::StepSkipped { step: "s4".into() })));
    assert!(state.next(0, Input::Acted(2)).contains(&Command::Act(5)));
    assert!(state.next(0, Input::Acted(5)).contains(&Command::Finish(Outcome::Failed)));
    assert_eq!(state.counts(), (2, 2, 1));
}

#[test]
fn late_words_change_nothing() {
    let mut state = RunState::new(plan_of(vec![step(0, Some(0), Risk::Safe, true, &[])]));
    state.next(0, Input::Begin);
    assert!(state.next(0, Input::Proven(0)).is_empty());
    state.next(0, Input::Acted(0));
    assert!(state.next(0, Input::Acted(0)).is_empty());
    assert!(state.next(0, Input::Proven(7)).is_empty());
    assert!(state.next(0, Input::Proven(0)).contains(&Command::Finish(Outcome::Done)));
    assert!(state.next(0, Input::Stop).is_empty());
}

#[test]
fn ten_thousand_nodes_take_microseconds_an_event() {
    let nodes = 10_000;
    let mut steps = Vec::new();
    for n in 0..nodes {
        steps.push(step(steps.len(), Some(n), Risk::Safe, false, &[]));
    }
    let before: Vec<usize> = (0..nodes).collect();
    let gate = steps.len();
    steps.push(step(gate, None, Risk::Safe, false, &before));
    for n in 0..nodes {
        steps.push(step(steps.len(), Some(n), Risk::Disruptive, false, &[gate]));
    }
    let mut state = RunState::new(plan_of(steps));
    let mut open: VecDeque<usize> = VecDeque::new();
    let mut commands = state.next(0, Input::Begin);
    let (mut events, began) = (0u32, std::time::Instant::now());
    while !commands.iter().any(|c| matches!(c, Command::Finish(_))) {
        open.extend(commands.iter().filter_map(|c| if let Command::Act(i) = c { Some(*i) } else { None }));
        commands = state.next(0, Input::Acted(open.pop_front().unwrap()));
        events += 1;
    }
    assert_eq!(events, 20_000);
    // The budget is 20 µs an event on a quiet machine; this build is not optimised, and the machine may be busy.
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}
