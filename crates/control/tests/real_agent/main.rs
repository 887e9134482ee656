//! The fleet and the apply loop with the real agent as a process of its own, over the local transport.
//!
//! This program plays both parts: started as `… agent FOLDER` it is the agent, with that folder as the node's file
//! tree. So it brings its own `main` and lists its tests itself.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ringbolt_agent::Options;
use ringbolt_control::apply::{self};
use ringbolt_control::fleet::Fleet;
use ringbolt_control::hold::{Hold, HoldError, claim, hold};
use ringbolt_control::run::Runs;
use ringbolt_control::stop::stop;
use ringbolt_control::transport::{Boxed, Channel, ConnectError, Ended, LocalTransport, Start, Transport};
use ringbolt_core::action::Action;
use ringbolt_core::check::Check;
use ringbolt_core::digest;
use ringbolt_core::event::{Event, Outcome, What};
use ringbolt_core::facts::Question;
use ringbolt_core::lock::{Claim, Condition};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::step::{FileChange, Phase, Risk, Step, Undo};
use ringbolt_core::wire::FailureKind;

mod refusals;

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("facts_come_from_every_node", facts_come_from_every_node),
    ("a_plan_is_carried_out_proven_and_kept", a_plan_is_carried_out_proven_and_kept),
    ("what_changed_since_the_plan_is_not_overwritten", what_changed_since_the_plan_is_not_overwritten),
    ("a_killed_agent_is_a_lost_node", a_killed_agent_is_a_lost_node),
    ("a_program_that_is_no_agent_is_named", a_program_that_is_no_agent_is_named),
    ("of_two_controllers_at_once_one_wins", of_two_controllers_at_once_one_wins),
    ("the_lock_of_killed_agents_is_taken_over", the_lock_of_killed_agents_is_taken_over),
    ("who_was_robbed_of_the_lock_begins_nothing_more", who_was_robbed_of_the_lock_begins_nothing_more),
    ("a_new_line_brings_the_lock_with_it", a_new_line_brings_the_lock_with_it),
    ("frames_it_does_not_know_are_refused", refusals::frames_it_does_not_know_are_refused),
    ("a_line_without_end_is_not_kept", refusals::a_line_without_end_is_not_kept),
    ("files_on_no_list_are_out_of_reach", refusals::files_on_no_list_are_out_of_reach),
    ("links_above_a_file_lead_nowhere", refusals::links_above_a_file_lead_nowhere),
    ("what_it_keeps_is_for_root_alone", refusals::what_it_keeps_is_for_root_alone),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, root] = &words[..]
        && first == "agent"
    {
        return ExitCode::from(ringbolt_agent::serve(&Options { root: root.into(), ..Options::default() }));
    }
    let flag = |name: &str| words.iter().any(|w| w == name);
    if flag("--list") {
        // Ignored tests are asked for in a list of their own: there are none.
        for (name, _) in TESTS.iter().filter(|_| !flag("--ignored")) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = words.iter().filter(|w| !w.starts_with('-')).collect();
    let fits = |name: &str| match flag("--exact") {
        true => wanted.iter().any(|w| *w == name),
        false => wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str())),
    };
    let mut passed = 0;
    for (name, test) in TESTS.iter().filter(|(name, _)| fits(name)) {
        // One that fails panics and ends the process with a failure.
        test();
        println!("test {name} ... ok");
        passed += 1;
    }
    println!("test result: ok. {passed} passed; 0 failed");
    ExitCode::SUCCESS
}

/// Nodes as folders below one.
struct Nodes(tempfile::TempDir);

impl Nodes {
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::create_dir_all(folder.path().join(name).join("etc/sysctl.d")).unwrap();
        }
        Self(folder)
    }

    fn path(&self, node: &str, path: &str) -> PathBuf {
        self.0.path().join(node).join(path)
    }

    fn fleet(&self, names: &[&str]) -> Arc<Fleet> {
        let transport: Arc<dyn Transport> = Arc::new(Folders(self.0.path().to_owned()));
        Arc::new(Fleet::over(names.iter().map(|n| name(n)), transport))
    }
}

/// This program as the agent of a folder that has the node's name.
struct Folders(PathBuf);

impl Folders {
    fn of(&self, node: &NodeName) -> LocalTransport {
        let root = self.0.join(node.as_str()).display().to_string();
        LocalTransport { program: "/proc/self/exe".into(), arguments: vec!["agent".into(), root] }
    }
}

impl Transport for Folders {
    fn open(&self, node: &NodeName, start: &Start) -> Result<Channel, ConnectError> {
        self.of(node).open(node, start)
    }

    fn upload<'a>(&'a self, _node: &'a NodeName, _nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        unreachable!("a local agent is there")
    }

    fn explain(&self, node: &NodeName, ended: &Ended) -> ConnectError {
        self.of(node).explain(node, ended)
    }

    fn build(&self) -> Option<&str> {
        None
    }
}

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn write(node: &str, path: &str, content: &str, expect: &str) -> Step {
    Step {
        id: format!("{node}/file:{path}").into(),
        phase: Phase::Prepare,
        node: Some(name(node)),
        title: format!("write {path}").into(),
        why: "".into(),
        action: Some(Action::WriteFile { path: path.into(), content: content.into(), mode: 0o644 }),
        expect: Some(expect.into()),
        undo: Undo::Restore,
        proof: vec![(name(node), Check::File { path: path.into(), digest: digest::of(content).into() })],
        patience: 5,
        risk: Risk::Safe,
        after: Vec::new(),
        change: None,
        interrupts: "".into(),
        checkpoint: None,
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The lock of all nodes for one controller.
async fn held(fleet: &Arc<Fleet>, id: &str) -> Result<Hold, HoldError> {
    let claim = Claim { id: id.into(), owner: format!("root@{id}"), ..claim("apply", false) };
    hold(fleet, claim, None, |_| ()).await
}

fn facts_come_from_every_node() {
    let nodes = Nodes::new(&["n1", "n2"]);
    std::fs::write(nodes.path("n2", "etc/modules"), "hello").unwrap();
    let question = Question { files: ["/etc/modules".to_owned()].into(), ..Question::default() };
    block_on(async {
        let survey = nodes.fleet(&["n1", "n2"]).facts(&question).await;
        assert!(survey.missing.is_empty(), "{:?}", survey.missing);
        assert_eq!(survey.fleet.nodes[&name("n1")].text("/etc/modules"), None);
        assert_eq!(survey.fleet.nodes[&name("n2")].text("/etc/modules"), Some("hello"));
    });
}

fn a_plan_is_carried_out_proven_and_kept() {
    let nodes = Nodes::new(&["n1", "n2"]);
    let state = tempfile::tempdir().unwrap();
    let runs = Runs::in_folder(state.path());
    let mut second = write("n1", "/etc/sysctl.d/90-ringbolt-b.conf", "b = 1\n", "");
    second.after.push("n2/file:/etc/sysctl.d/90-ringbolt-a.conf".into());
    let plan = Plan {
        steps: vec![write("n2", "/etc/sysctl.d/90-ringbolt-a.conf", "a\n", ""), second],
        ..Plan::default()
    };
    let report = block_on(async {
        let fleet = nodes.fleet(&["n1", "n2"]);
        let survey = fleet.facts(&Question::default()).await;
        let mut run = runs.create("# spec", None, &survey.fleet, &plan).unwrap();
        let _hold = held(&fleet, "a").await.unwrap();
        let (_stopper, stop) = stop();
        apply::run(&run.id, Arc::new(plan.clone()), fleet, &mut run.journal, stop).await.unwrap()
    });
    assert_eq!((report.outcome, report.done), (Outcome::Done, 2));
    assert_eq!(
        std::fs::read_to_string(nodes.path("n1", "etc/sysctl.d/90-ringbolt-b.conf")).unwrap(),
        "b = 1\n"
    );

    let [record] = &runs.list().unwrap()[..] else { panic!("one run") };
    assert_eq!((record.outcome, record.done, record.in_flight.len()), (Some(Outcome::Done), 2, 0));
    let past = runs.load(&record.id[..15]).unwrap();
    assert_eq!((past.plan, past.spec.as_str()), (plan, "# spec"));
    assert_eq!(past.facts.nodes.len(), 2);
}

fn what_changed_since_the_plan_is_not_overwritten() {
    let nodes = Nodes::new(&["n1"]);
    std::fs::write(nodes.path("n1", "etc/sysctl.d/90-ringbolt-a.conf"), "one\nsomebody's\n").unwrap();
    let mut step = write("n1", "/etc/sysctl.d/90-ringbolt-a.conf", "ours\n", &digest::of("one\ntwo\n"));
    step.change = Some(Box::new(FileChange {
        path: "/etc/sysctl.d/90-ringbolt-a.conf".into(),
        before: Some("one\ntwo\n".into()),
        after: Some("ours\n".into()),
    }));
    let plan = Plan { steps: vec![step], ..Plan::default() };
    let mut events: Vec<Event> = Vec::new();
    let (_stopper, stop) = stop();
    let report = block_on(async {
        let fleet = nodes.fleet(&["n1"]);
        let _hold = held(&fleet, "a").await.unwrap();
        apply::run("r", Arc::new(plan), fleet, &mut events, stop).await.unwrap()
    });
    assert_eq!((report.outcome, report.failed), (Outcome::Failed, 1));
    assert_eq!(
        std::fs::read_to_string(nodes.path("n1", "etc/sysctl.d/90-ringbolt-a.conf")).unwrap(),
        "one\nsomebody's\n"
    );
    let diff = events.iter().find_map(|e| match &e.what {
        What::StepFailed { failure, .. } => failure.diff.clone(),
        _ => None,
    });
    let want = "--- /etc/sysctl.d/90-ringbolt-a.conf as the plan saw it\n+++ /etc/sysctl.d/90-ringbolt-a.conf as it is now\n\
        @@ -1,2 +1,2 @@\n one\n-two\n+somebody's\n";
    assert_eq!(diff.as_deref(), Some(want));
    let refused = |e: &Event| matches!(&e.what, What::StepFailed { failure, .. } if failure.kind == FailureKind::Refused);
    assert!(events.iter().any(refused), "{events:?}");
}

/// The agents of a test, by the folder on their command line.
fn agents(folder: &Path) -> Vec<i32> {
    let mine = |pid: i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let folder = folder.display().to_string();
        line.split(|b| *b == 0).any(|word| word == folder.as_bytes())
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(|p| mine(*p)).collect()
}

fn a_killed_agent_is_a_lost_node() {
    let nodes = Nodes::new(&["n1", "n2"]);
    block_on(async {
        let fleet = nodes.fleet(&["n1", "n2"]);
        let _hold = held(&fleet, "a").await.unwrap();
        let pid = agents(&nodes.0.path().join("n1"));
        let [pid] = pid[..] else { panic!("one agent, not {pid:?}") };
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        fleet.ended(&name("n1")).await;
        let steps = vec![write("n1", "/etc/modules", "x", ""), write("n2", "/etc/modules", "x", "")];
        let mut events: Vec<Event> = Vec::new();
        let (_stopper, stop) = stop();
        let plan = Arc::new(Plan { steps, ..Plan::default() });
        let report = apply::run("r", plan, fleet, &mut events, stop).await.unwrap();
        assert_eq!((report.done, report.failed), (1, 1));
    });
}

fn a_program_that_is_no_agent_is_named() {
    let transport: Arc<dyn Transport> =
        Arc::new(LocalTransport { program: "/bin/false".into(), arguments: Vec::new() });
    block_on(async {
        let survey = Fleet::over([name("n1")], transport).facts(&Question::default()).await;
        let text = survey.missing[&name("n1")].to_string();
        assert!(text.starts_with("n1 (/bin/false): ") && text.contains("status 1"), "{text}");
    });
}

const TWO: [&str; 2] = ["n1", "n2"];

fn of_two_controllers_at_once_one_wins() {
    let nodes = Nodes::new(&TWO);
    block_on(async {
        for _ in 0..5 {
            let (one, two) = (nodes.fleet(&TWO), nodes.fleet(&TWO));
            let (a, b) = tokio::join!(held(&one, "a"), held(&two, "b"));
            let error = match (a, b) {
                (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
                (a, b) => panic!("{:?} {:?}", a.err(), b.err()),
            };
            assert!(error.to_string().contains("apply of root@"), "{error}");
            one.close().await;
            two.close().await;
        }
        // The same one after another: what is let go is free at once.
        let fleet = nodes.fleet(&TWO);
        let first = held(&fleet, "a").await.unwrap();
        let HoldError::Held(holder, on) = held(&nodes.fleet(&TWO), "b").await.err().unwrap() else {
            panic!()
        };
        assert_eq!((holder.claim.owner.as_str(), on.len()), ("root@a", 2));
        drop(first);
        let second = held(&nodes.fleet(&TWO), "b").await.unwrap();
        assert_eq!(second.how.before, []);
    });
}

fn the_lock_of_killed_agents_is_taken_over() {
    let nodes = Nodes::new(&TWO);
    block_on(async {
        let one = nodes.fleet(&TWO);
        let _hold = held(&one, "a").await.unwrap();
        for node in TWO {
            for pid in agents(&nodes.0.path().join(node)) {
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            }
            one.ended(&name(node)).await;
        }
        let two = held(&nodes.fleet(&TWO), "b").await.unwrap();
        let [(holder, on)] = &two.how.before[..] else { panic!("{:?}", two.how) };
        assert_eq!(
            (holder.claim.owner.as_str(), &holder.condition, on.len()),
            ("root@a", &Condition::Over, 2)
        );
    });
}

fn who_was_robbed_of_the_lock_begins_nothing_more() {
    let nodes = Nodes::new(&TWO);
    let mut events: Vec<Event> = Vec::new();
    block_on(async {
        let (one, two) = (nodes.fleet(&TWO), nodes.fleet(&TWO));
        let first = held(&one, "a").await.unwrap();
        first.names_run("run-1");
        // The name is told, not asked for: the answer to a later question on the same lines proves it arrived.
        assert_eq!(first.asked_anew().await, None);
        let thief = Claim { id: "b".into(), owner: "root@b".into(), ..claim("rollback", true) };
        let second = hold(&two, thief, None, |_| ()).await.unwrap();
        let [(victim, on)] = &second.how.before[..] else { panic!("{:?}", second.how) };
        assert_eq!(
            (victim.claim.owner.as_str(), victim.claim.run.as_str(), on.len()),
            ("root@a", "run-1", 2)
        );
        let steps = vec![write("n1", "/etc/modules", "x", ""), write("n2", "/etc/modules", "x", ""), {
            let mut third = write("n2", "/etc/sysctl.conf", "x", "");
            third.after.push("n2/file:/etc/modules".into());
            third
        }];
        let (_stopper, stop) = stop();
        let plan = Arc::new(Plan { steps, ..Plan::default() });
        let report = apply::run("run-1", plan, Arc::clone(&one), &mut events, stop).await.unwrap();
        assert_eq!((report.outcome, report.done), (Outcome::Failed, 0));
        let by = first.asked_anew().await.unwrap().unwrap();
        assert_eq!((by.claim.owner.as_str(), by.claim.purpose.as_str()), ("root@b", "rollback"));
    });
    for node in TWO {
        assert!(!nodes.path(node, "etc/modules").exists() && !nodes.path(node, "etc/sysctl.conf").exists());
    }
    let ousted = |e: &Event| matches!(&e.what, What::StepFailed { failure, .. } if failure.kind == FailureKind::Ousted);
    assert!(events.iter().any(ousted), "{events:?}");
}

fn a_new_line_brings_the_lock_with_it() {
    let nodes = Nodes::new(&TWO);
    let mut events: Vec<Event> = Vec::new();
    block_on(async {
        let fleet = nodes.fleet(&TWO);
        let hold = held(&fleet, "a").await.unwrap();
        fleet.reconnect(&name("n1")).await.unwrap();
        let (_stopper, stop) = stop();
        let steps = vec![write("n1", "/etc/modules", "x", ""), write("n2", "/etc/modules", "x", "")];
        let plan = Arc::new(Plan { steps, ..Plan::default() });
        let report = apply::run("r", plan, Arc::clone(&fleet), &mut events, stop).await.unwrap();
        assert_eq!((report.outcome, report.done), (Outcome::Done, 2), "{events:?}");
        assert_eq!(hold.asked_anew().await, None);
    });
}
