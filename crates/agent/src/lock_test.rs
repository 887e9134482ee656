//! Tests of the lock with real files. Two `Lock`s in one process are two agents: the kernel tells them apart by their
//! open files.

#![expect(clippy::unwrap_used, reason = "tests")]

use ringbolt_core::wire::FailureKind;

use super::*;

fn node() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path(), None);
    (folder, root)
}

fn claim(id: &str) -> Claim {
    Claim { id: id.into(), owner: format!("root@{id}"), purpose: "apply".into(), ..Claim::default() }
}

fn thief(id: &str) -> Claim {
    Claim { steal: true, ..claim(id) }
}

fn agent(root: &Root) -> Lock {
    Lock { now: || 1000, ..Lock::new(root) }
}

/// An agent that looks at its clock a minute later.
fn later(root: &Root) -> Lock {
    Lock { now: || 1060, ..Lock::new(root) }
}

fn granted(standing: &Standing) -> bool {
    matches!(standing, Standing::Granted { .. })
}

fn begin(lock: &Lock) -> Result<Doing<'_>, Failure> {
    lock.begin(&"n1/file:/etc/x".into(), &Stop::default())
}

#[test]
fn the_second_is_told_who_the_first_is_until_that_one_lets_go() {
    let (folder, root) = node();
    let (one, two) = (agent(&root), agent(&root));
    assert!(granted(&one.hold(claim("a"), &root).unwrap()));
    let Standing::Held(holder) = two.hold(claim("b"), &root).unwrap() else { panic!() };
    assert_eq!((holder.claim.owner.as_str(), holder.condition), ("root@a", Condition::Live));
    assert_eq!(begin(&two).unwrap_err().kind, FailureKind::Ousted);
    begin(&one).unwrap();
    one.release();
    assert_eq!(two.hold(claim("b"), &root).unwrap(), Standing::Granted { before: None, moved: false });
    drop(two);
    assert!(folder.path().join("run/ringbolt/lock").exists());
}

#[test]
fn saying_it_again_keeps_it() {
    let (_folder, root) = node();
    let one = agent(&root);
    for run in ["", "r1", "r2"] {
        let said = one.hold(Claim { run: run.into(), ..claim("a") }, &root).unwrap();
        assert_eq!(said, Standing::Granted { before: None, moved: false });
    }
    assert_eq!(one.holder().unwrap().claim.run, "r2");
}

#[test]
fn the_lock_of_a_killed_agent_is_taken_over_with_its_name() {
    let (_folder, root) = node();
    let one = agent(&root);
    one.hold(claim("a"), &root).unwrap();
    // Nothing is told to anybody: the kernel closes the file. A program another test is just starting may
    // have it open for the moment between fork and exec.
    drop(one);
    let two = agent(&root);
    let old = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        match two.hold(claim("b"), &root).unwrap() {
            Standing::Granted { before, .. } => before,
            _ => None,
        }
    });
    let old = old.unwrap();
    assert_eq!((old.claim.owner.as_str(), old.condition), ("root@a", Condition::Over));
}

#[test]
fn a_holder_not_heard_of_for_a_minute_is_passed_over_unless_it_is_at_work() {
    let (_folder, root) = node();
    let one = agent(&root);
    one.hold(claim("a"), &root).unwrap();
    assert!(!one.is_forsaken());
    let step = begin(&one).unwrap();
    let Standing::Held(holder) = later(&root).hold(claim("b"), &root).unwrap() else { panic!() };
    assert!(matches!(holder.condition, Condition::Finishing { step } if &*step == "n1/file:/etc/x"));
    drop(step);
    let two = later(&root);
    assert!(granted(&two.hold(claim("b"), &root).unwrap()));
    // It thaws, and finds itself ousted, for good.
    assert_eq!(begin(&one).unwrap_err().kind, FailureKind::Ousted);
    two.release();
    assert_eq!(one.hold(claim("a"), &root).unwrap(), Standing::Ousted { by: None });
    assert_eq!(begin(&one).unwrap_err().kind, FailureKind::Ousted);
}

#[test]
fn a_controller_that_is_gone_is_waited_for_only_while_its_agent_is_at_work() {
    let (_folder, root) = node();
    let one = agent(&root);
    one.hold(claim("a"), &root).unwrap();
    let step = begin(&one).unwrap();
    one.forsake();
    let two = agent(&root);
    let Standing::Held(holder) = two.hold(claim("b"), &root).unwrap() else { panic!() };
    assert!(matches!(holder.condition, Condition::Finishing { step } if !step.is_empty()));
    drop(step);
    let Standing::Held(holder) = two.hold(claim("b"), &root).unwrap() else { panic!() };
    assert!(matches!(holder.condition, Condition::Finishing { step } if step.is_empty()), "about to end");
    one.release();
    assert!(granted(&two.hold(claim("b"), &root).unwrap()));
}

#[test]
fn a_thief_names_its_victim_and_waits_for_the_step_it_is_at() {
    let (_folder, root) = node();
    let (one, two) = (agent(&root), agent(&root));
    one.hold(claim("a"), &root).unwrap();
    let step = begin(&one).unwrap();
    let Standing::Held(victim) = two.hold(thief("b"), &root).unwrap() else { panic!() };
    assert_eq!(victim.claim.owner, "root@a");
    assert!(matches!(victim.condition, Condition::Finishing { .. }));
    // Its own words do not take it back.
    let Standing::Ousted { by: Some(by) } = one.hold(claim("a"), &root).unwrap() else { panic!() };
    assert_eq!(by.claim.owner, "root@b");
    assert!(matches!(two.hold(claim("b"), &root).unwrap(), Standing::Held(_)));
    drop(step);
    let failure = begin(&one).unwrap_err();
    assert!(failure.kind == FailureKind::Ousted && failure.message.contains("root@b"), "{failure:?}");
    assert!(granted(&two.hold(claim("b"), &root).unwrap()));
    begin(&two).unwrap();
    assert!(matches!(one.hold(thief("a"), &root).unwrap(), Standing::Ousted { by: Some(_) }));
}

#[test]
fn a_thief_is_told_whose_it_was() {
    let (_folder, root) = node();
    let (one, two) = (agent(&root), agent(&root));
    one.hold(claim("a"), &root).unwrap();
    let Standing::Granted { before: Some(old), .. } = two.hold(thief("b"), &root).unwrap() else { panic!() };
    assert_eq!((old.claim.owner.as_str(), old.condition), ("root@a", Condition::Live));
    assert!(!std::fs::read_dir(root.at("/run/ringbolt")).unwrap().flatten().any(|e| e.file_name() != "lock"));
}

#[test]
fn a_new_line_of_the_same_call_takes_over_and_waits_for_the_old_ones_step() {
    let (_folder, root) = node();
    let (old, new) = (agent(&root), agent(&root));
    old.hold(claim("a"), &root).unwrap();
    let step = begin(&old).unwrap();
    assert!(matches!(
        new.hold(claim("a"), &root).unwrap(),
        Standing::Granted { before: None, .. } | Standing::Held(_)
    ));
    std::thread::scope(|scope| {
        let next = scope.spawn(|| begin(&new).is_ok());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!next.is_finished());
        drop(step);
        assert!(next.join().unwrap());
    });
}

#[test]
fn what_was_done_here_since_we_looked_is_told() {
    let (_folder, root) = node();
    let (one, two) = (agent(&root), agent(&root));
    one.hold(claim("a"), &root).unwrap();
    let action = ringbolt_core::action::Action::ReloadUdev;
    let deed = ringbolt_core::wire::Deed { run: "r".into(), step: "s".into(), action, expect: None };
    log::append(&root, &deed, "done", "").unwrap();
    one.release();
    assert_eq!(two.hold(claim("b"), &root).unwrap(), Standing::Granted { before: None, moved: true });
}

#[test]
fn a_file_of_nonsense_is_no_holder() {
    let (_folder, root) = node();
    std::fs::create_dir_all(root.at("/run/ringbolt")).unwrap();
    for text in ["", "nonsense", "{}", "{\"claim\""] {
        std::fs::write(root.at(PATH), text).unwrap();
        let one = agent(&root);
        assert_eq!(one.hold(claim("a"), &root).unwrap(), Standing::Granted { before: None, moved: false });
        one.release();
    }
}

#[test]
fn of_many_at_once_exactly_one_gets_it() {
    let (_folder, root) = node();
    for turn in 0..20 {
        let locks: Vec<Lock> = (0..8).map(|_| agent(&root)).collect();
        let won: Vec<bool> = std::thread::scope(|scope| {
            let ask = |n: usize, lock| {
                let root = &root;
                move || Lock::hold(lock, claim(&format!("c{turn}-{n}")), root).is_ok_and(|s| granted(&s))
            };
            let threads: Vec<_> =
                locks.iter().enumerate().map(|(n, lock)| scope.spawn(ask(n, lock))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|w| **w).count(), 1);
        for lock in &locks {
            lock.release();
        }
    }
}
