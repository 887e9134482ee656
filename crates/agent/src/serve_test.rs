//! Tests of the loop, end to end through pipes, as a controller drives it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, PipeReader, PipeWriter};

use ringbolt_core::action::Action;
use ringbolt_core::check::Check;
use ringbolt_core::digest;
use ringbolt_core::lock::{Claim, Condition, Fate, Standing};
use ringbolt_core::ping::Ping;
use ringbolt_core::wire::{Answer, FailureKind, SILENCE_SECONDS};

use super::*;

/// The controller's end of a running agent.
struct Line {
    to: Option<PipeWriter>,
    from: BufReader<PipeReader>,
    agent: std::thread::JoinHandle<()>,
    folder: tempfile::TempDir,
}

fn dial() -> Line {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { root: folder.path().to_owned(), ..Options::default() };
    let (agent_in, to) = std::io::pipe().unwrap();
    let (from, agent_out) = std::io::pipe().unwrap();
    let agent = std::thread::spawn(move || {
        serve_on(&options, "00".repeat(32), "/var/lib/ringbolt/bin/x".into(), agent_in, Out::new(agent_out));
    });
    let mut line = Line { to: Some(to), from: BufReader::new(from), agent, folder };
    assert!(matches!(line.hear().body, Say::Hello(_)));
    line
}

/// The same, with the lock of the node.
fn dial_and_hold() -> Line {
    let mut line = dial();
    line.ask(1, Ask::Hold(Claim { id: "call-1".into(), ..Claim::default() }));
    assert!(
        matches!(line.hear().body, Say::Standing(standing) if matches!(*standing, Standing::Granted { .. }))
    );
    line
}

impl Line {
    fn ask(&mut self, id: u64, body: Ask) {
        let mut text = serde_json::to_string(&Request { id, body }).unwrap();
        text.push('\n');
        self.to.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn hear(&mut self) -> Answer {
        let mut text = String::new();
        self.from.read_line(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn deed(&mut self, id: u64, action: Action, expect: Option<&str>) {
        let expect = expect.map(str::to_owned);
        self.ask(
            id,
            Ask::Do(Deed { run: "run-1".into(), step: format!("step {id}").into(), action, expect }),
        );
    }

    /// The other end goes away; the agent must end by itself.
    fn hang_up(mut self) -> tempfile::TempDir {
        drop(self.to.take());
        self.agent.join().unwrap();
        self.folder
    }
}

fn file(path: &str, content: &str) -> Action {
    Action::WriteFile { path: path.into(), content: content.into(), mode: 0o644 }
}

fn endless() -> Ask {
    let to = "127.0.0.1".parse().unwrap();
    Ask::Ping(Ping { to, interface: None, count: 0, interval_ms: 50, size: 56, whole: false })
}

#[test]
fn facts_of_this_machine_come_in_one_exchange() {
    let mut line = dial();
    let question = Question { sysctl: ["kernel.ostype".into()].into(), ..Question::default() };
    line.ask(1, Ask::Facts { question });
    let answer = line.hear();
    assert_eq!(answer.id, 1);
    match answer.body {
        Say::Facts(facts) => assert!(facts.inventory.interfaces.contains_key("lo")),
        Say::Failed(failure) => assert!(failure.message.contains("`ip`"), "{failure}"),
        other => panic!("{other:?}"),
    }
    line.hang_up();
}

#[test]
fn the_time_is_told_at_once() {
    let mut line = dial();
    let before = micros();
    line.ask(7, Ask::Clock);
    let answer = line.hear();
    let Say::Clock { micros: told } = answer.body else { panic!("{answer:?}") };
    assert!(answer.id == 7 && (before..=micros()).contains(&told), "{told}");
}

#[test]
fn actions_run_in_order_and_are_logged_before_they_are_answered() {
    let mut line = dial_and_hold();
    line.deed(1, file("/etc/modules", "1"), Some(""));
    line.deed(2, file("/etc/modules", "2"), Some(&digest::of("1")));
    line.deed(3, file("/etc/modules", "3"), Some(&digest::of("1")));
    assert!(matches!(line.hear(), Answer { id: 1, body: Say::Done { .. } }));
    assert!(matches!(line.hear(), Answer { id: 2, body: Say::Done { .. } }));
    let Answer { id: 3, body: Say::Failed(failure) } = line.hear() else { panic!() };
    assert_eq!(failure.kind, FailureKind::Refused);
    let folder = line.hang_up();
    let log = std::fs::read_to_string(folder.path().join("var/lib/ringbolt/log")).unwrap();
    assert_eq!(log.lines().count(), 6);
    assert_eq!(std::fs::read_to_string(folder.path().join("etc/modules")).unwrap(), "2");
}

#[test]
fn what_is_no_request_is_refused_and_the_next_one_served() {
    let mut line = dial();
    line.to.as_mut().unwrap().write_all(b"{\"id\":9,\"body\":{\"ask\":\"reformat\"}}\nnonsense\n").unwrap();
    assert!(matches!(line.hear(), Answer { id: 9, body: Say::Failed(_) }));
    assert!(matches!(line.hear(), Answer { id: 0, body: Say::Failed(_) }));
    line.ask(10, Ask::Bye);
    assert!(matches!(line.hear(), Answer { id: 10, body: Say::Done { .. } }));
    line.agent.join().unwrap();
}

#[test]
fn an_await_shows_life_and_ends_when_the_file_appears() {
    let mut line = dial_and_hold();
    let checks = vec![Check::File { path: "/etc/modules".into(), digest: digest::of("x").into() }];
    let question = Question { files: ["/etc/modules".into()].into(), ..Question::default() };
    line.ask(1, Ask::Await { checks, question, patience_ms: 30_000 });
    assert_eq!(line.hear().body, Say::Alive);
    assert!(ALIVE.as_secs() < SILENCE_SECONDS);
    line.deed(2, file("/etc/modules", "x"), None);
    let mut answers = [line.hear(), line.hear()];
    answers.sort_by_key(|a| a.id);
    let Say::Looked { findings } = &answers[0].body else { panic!("{answers:?}") };
    assert!(findings[0].holds);
    line.hang_up();
}

#[test]
fn an_await_gives_what_it_saw_when_patience_ends() {
    let mut line = dial();
    let checks = vec![Check::NoFile { path: "/etc/x".into() }, Check::Package { name: "frr".into() }];
    line.ask(1, Ask::Await { checks, question: Question::default(), patience_ms: 0 });
    let Say::Looked { findings } = line.hear().body else { panic!() };
    assert_eq!(findings.iter().map(|f| f.holds).collect::<Vec<_>>(), [true, false]);
    line.hang_up();
}

#[test]
fn a_cancelled_ping_answers_with_what_it_has_and_a_lost_line_ends_it() {
    let mut line = dial();
    line.ask(1, endless());
    std::thread::sleep(Duration::from_millis(400));
    line.ask(2, Ask::Cancel { request: 1 });
    let mut answers = [line.hear(), line.hear()];
    answers.sort_by_key(|a| a.id);
    match &answers[0].body {
        Say::Pinged(pinged) => assert!(pinged.replies.len() >= 2 && pinged.error.is_none(), "{pinged:?}"),
        Say::Failed(failure) => assert!(failure.message.contains("`ping` is not"), "{failure}"),
        other => panic!("{other:?}"),
    }
    line.ask(3, endless());
    let begun = Instant::now();
    line.hang_up();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_number_in_use_is_refused() {
    let mut line = dial();
    let checks = vec![Check::Package { name: "frr".into() }];
    line.ask(1, Ask::Await { checks, question: Question::default(), patience_ms: 60_000 });
    line.ask(1, Ask::Bye);
    assert!(matches!(line.hear(), Answer { id: 1, body: Say::Failed(_) }));
    line.hang_up();
}

#[test]
fn a_deed_without_the_lock_is_refused_and_changes_nothing() {
    let mut line = dial();
    line.deed(1, file("/etc/modules", "1"), Some(""));
    let Answer { id: 1, body: Say::Failed(failure) } = line.hear() else { panic!() };
    assert_eq!(failure.kind, FailureKind::Ousted);
    let folder = line.hang_up();
    assert!(
        !folder.path().join("etc/modules").exists() && !folder.path().join("var/lib/ringbolt/log").exists()
    );
}

#[test]
fn the_end_of_the_line_lets_the_lock_go() {
    let line = dial_and_hold();
    let path = line.folder.path().join("run/ringbolt/lock");
    assert!(std::fs::read_to_string(&path).unwrap().contains("call-1"));
    let folder = line.hang_up();
    assert!(!path.exists(), "{folder:?}");
}

#[test]
fn what_became_of_steps_is_told_with_who_holds_the_lock() {
    let mut line = dial_and_hold();
    line.deed(2, file("/etc/modules", "1"), Some(""));
    line.hear();
    let steps = vec!["step 2".into(), "step 3".into()];
    line.ask(3, Ask::Recall { run: "run-1".into(), steps });
    let Say::Recalled(recalled) = line.hear().body else { panic!() };
    assert_eq!(recalled.fates, [Fate::Done, Fate::Never]);
    assert_eq!(recalled.holder.map(|h| (h.claim.id, h.condition)), Some(("call-1".into(), Condition::Live)));
    line.hang_up();
}
