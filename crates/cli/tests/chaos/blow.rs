//! One apply that is struck: started, watched until the moment has come, hit, and waited for.

use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{self, Process};
use crate::rig::Rig;
use crate::target::{Kind, Moment, Schedule, Target};
use crate::watch::{Watch, planned, step};

/// Longest time an apply may take, struck or not.
const LONGEST: Duration = Duration::from_secs(240);

/// How long a node may take to answer again.
const BACK: Duration = Duration::from_secs(180);

/// How long to look for an agent or a program of it.
const LOOK: Duration = Duration::from_millis(1500);

/// What came of it.
pub(crate) enum Blow {
    /// It hit, there.
    Struck { target: Target, note: String },
    /// Apply ended before its moment came.
    Missed { status: i32, said: String },
    /// Something needs a hand.
    Stranded(String),
}

/// Starts apply and strikes.
pub(crate) fn strike(rig: &Rig, mut target: Target, schedule: &mut Schedule) -> Blow {
    let mut watch = Watch::new(rig.state());
    let mut apply = rig.start(&["apply", "--yes"]);
    let began = Instant::now();
    let mut due: Option<(String, Instant)> = None;
    loop {
        if let Some(status) = apply.try_wait().unwrap() {
            return Blow::Missed { status: status.code().unwrap_or(-1), said: said(&mut apply) };
        }
        if began.elapsed() > LONGEST {
            let _ = apply.kill();
            let _ = apply.wait();
            return Blow::Stranded(format!("apply took more than {LONGEST:?}:\n{}", said(&mut apply)));
        }
        for event in watch.news() {
            if event["event"] == "run-started" {
                schedule.aim(&mut target, &planned(rig.state(), &event));
            }
            due = due.or_else(|| reached(&event, schedule.key(&target), target.moment));
        }
        if let Moment::Since(ms) = target.moment
            && began.elapsed() >= Duration::from_millis(ms)
        {
            due = due.or_else(|| Some((schedule.dice().one(&rig.nodes()).clone(), Instant::now())));
        }
        if let Some((node, when)) = &due
            && Instant::now() >= *when
        {
            let node = node.clone();
            return hit(rig, &target, &node, &mut apply, schedule).unwrap_or_else(|| missed(&mut apply));
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Nothing was there to be hit: apply goes on to its end.
fn missed(apply: &mut Child) -> Blow {
    match ended(apply) {
        Some(status) => Blow::Missed { status, said: said(apply) },
        None => Blow::Stranded(format!("apply took more than {LONGEST:?}:\n{}", said(apply))),
    }
}

/// What an apply that has ended said.
fn said(apply: &mut Child) -> String {
    let mut text = String::new();
    let _ = apply.stdout.take().map(|mut pipe| pipe.read_to_string(&mut text));
    let _ = apply.stderr.take().map(|mut pipe| pipe.read_to_string(&mut text));
    text
}

/// The node, and when to strike, if this event says that the moment has come.
fn reached(event: &Value, key: &str, moment: Moment) -> Option<(String, Instant)> {
    let (node, of) = step(event)?;
    let what = event["event"].as_str()?;
    let fits = of == key
        && match moment {
            Moment::Begun | Moment::Within(_) => what == "step-started",
            // A step that promises nothing is done with its deed.
            Moment::Acted => ["step-proving", "step-done"].contains(&what),
            Moment::Since(_) => false,
        };
    let delay = if let Moment::Within(ms) = moment { ms } else { 0 };
    fits.then(|| (node.to_owned(), Instant::now() + Duration::from_millis(delay)))
}

/// Strikes; none when there is nothing to be struck.
fn hit(rig: &Rig, target: &Target, node: &str, apply: &mut Child, schedule: &mut Schedule) -> Option<Blow> {
    let note = match target.kind {
        Kind::Controller => {
            let _ = apply.kill();
            "controller".to_owned()
        }
        Kind::ControllerTree => {
            // ssh first: it would tell the other end.
            let below = process::below(&process::all(), i32::try_from(apply.id()).unwrap());
            below.iter().for_each(Process::kill);
            let _ = apply.kill();
            format!("controller and {} below it", below.len())
        }
        Kind::Agent | Kind::AgentTree | Kind::Child => in_node(rig, target.kind, node, schedule)?,
        Kind::Node => {
            rig.ok(&["lab", "power-off", node]);
            node.to_owned()
        }
        Kind::Everything => {
            let _ = apply.kill();
            rig.ok(&["lab", "power-off", "all"]);
            "controller and all nodes".to_owned()
        }
    };
    let Some(status) = ended(apply) else {
        return Some(Blow::Stranded(format!("after {note}: apply took more than {LONGEST:?}")));
    };
    if matches!(target.kind, Kind::Node | Kind::Everything) {
        let began = Instant::now();
        while let (failed @ 1.., said) = rig.run(&["lab", "power-on", "all"]) {
            if began.elapsed() > BACK {
                return Some(Blow::Stranded(format!("power-on ended with {failed}: {said}")));
            }
        }
    }
    Some(Blow::Struck {
        target: target.clone(),
        note: format!("{note} on {node}; apply ended with {status}"),
    })
}

/// Ends processes in a node; what was ended.
fn in_node(rig: &Rig, kind: Kind, node: &str, schedule: &mut Schedule) -> Option<String> {
    let began = Instant::now();
    loop {
        let all = process::all();
        let agents: Vec<&Process> =
            all.iter().filter(|p| p.in_node(rig.name(), node) && p.is_agent()).collect();
        let Some(agent) = agents.last() else {
            if began.elapsed() > LOOK {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let below = process::below(&all, agent.pid);
        match kind {
            Kind::Agent => {
                agent.kill();
                return Some(format!("agent, {} below it", below.len()));
            }
            Kind::AgentTree => {
                agent.kill();
                below.iter().for_each(Process::kill);
                return Some(format!("agent and {} below it", below.len()));
            }
            _ if !below.is_empty() => {
                let child = schedule.dice().one(&below);
                child.kill();
                return Some(format!(
                    "`{}`",
                    child.words.iter().take(4).cloned().collect::<Vec<_>>().join(" ")
                ));
            }
            _ if began.elapsed() > LOOK => return None,
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Waits for the end of apply; its status, -1 when it was killed. None when it does not end.
fn ended(apply: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = apply.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        if began.elapsed() > LONGEST {
            let _ = apply.kill();
            let _ = apply.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
