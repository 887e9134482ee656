//! The nodes' own reload tasks: Proxmox VE calls an apply OK whatever became of them.
//!
//! New tasks are told from old ones by their id, not by time: clocks of nodes may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::Failure;
use serde_json::Value;

use super::super::Scene;
use super::pvesh;

/// Type of a node's reload task.
const RELOAD: &str = "srvreload";

/// Longest wait for a node's task.
const PATIENCE: Duration = Duration::from_secs(180);

/// Nodes asked at once.
const AT_ONCE: usize = 8;

/// Ids of the reload tasks each node has had.
pub(super) type Known = BTreeMap<NodeName, BTreeSet<String>>;

/// Does the same for every node, several at once; the outcomes in the order of the nodes.
pub(super) fn each<T: Send>(
    nodes: &[NodeName],
    work: impl Fn(&NodeName) -> Result<T, Failure> + Sync,
) -> Vec<Result<T, Failure>> {
    let mut outcomes = Vec::new();
    for some in nodes.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = some.iter().map(|node| scope.spawn(move || work(node))).collect();
            let panicked = || Err(Failure::broken("the agent has a bug: asking a node panicked"));
            outcomes.extend(threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())));
        });
    }
    outcomes
}

/// What reload tasks there are now, and which of them run. A node that cannot be asked is a failure: the
/// apply could not reach it either.
fn known(nodes: &[NodeName]) -> Result<(Known, Vec<String>), Failure> {
    let asked = each(nodes, |node| {
        let tasks = tasks(node).map_err(|failure| {
            Failure::broken(format!("{node} cannot be asked from here: {}", failure.message))
                .hint(format!("Proxmox VE reaches {node} by ssh as root between nodes: is it up, and does `ssh root@{node}` work from this node?"))
        })?;
        let running = tasks.iter().any(|task| task.status.is_none());
        let upids: BTreeSet<String> = tasks.into_iter().map(|task| task.upid).into_set();
        Ok((node.clone(), upids, running))
    });
    let (mut known, mut busy) = (Known::new(), Vec::new());
    for one in asked {
        let (node, upids, running) = one?;
        busy.extend(running.then(|| format!("a reload of {node}")));
        known.insert(node, upids);
    }
    Ok((known, busy))
}

/// Waits until no node reloads any more, be it for an apply that was cut short or for somebody else: two
/// reloads at once fail on ifupdown2's lock. Gives the tasks there are then.
pub(super) fn quiet(scene: &Scene<'_>, nodes: &[NodeName]) -> Result<Known, Failure> {
    let end = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let (known, mut busy) = known(nodes)?;
        busy.extend(programs(&scene.root.at("/proc")));
        if busy.is_empty() {
            return Ok(known);
        }
        let what = busy.join(", ");
        if Instant::now() > end {
            return Err(Failure::refused(format!("still running after {} s: {what}", PATIENCE.as_secs()))
                .hint("look at the tasks of these nodes; once they have ended, run again"));
        }
        if !told {
            (scene.say)(format!("waits for a reload that is under way: {what}"));
            told = true;
        }
        scene.pause(Duration::from_millis(500))?;
    }
}

/// Programs of a reload that run on this node: those of a task that was killed go on by themselves.
fn programs(proc: &Path) -> Vec<String> {
    let processes = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter_map(|line| program(&line)).collect()
}

/// The program of a command line, when it is one of a reload: itself, or what an interpreter runs.
pub(crate) fn program(line: &[u8]) -> Option<String> {
    let words = line.split(|byte| *byte == 0).take(2).map(String::from_utf8_lossy);
    words
        .map(|word| word.rsplit('/').next().unwrap_or_default().to_owned())
        .find(|name| ["ifreload", "ifup", "ifdown", "frr-reload.py"].contains(&name.as_str()))
}

/// Waits until every node has a new task and it has ended well.
pub(super) fn wait(scene: &Scene<'_>, nodes: &[NodeName], known: &Known) -> Result<(), Failure> {
    let ended = each(nodes, |node| {
        let old = known.get(node).cloned().unwrap_or_default();
        let ended = wait_one(scene, node, &old);
        if ended.is_ok() {
            (scene.say)(format!("{node} has reloaded"));
        }
        ended
    });
    let failures: Vec<Failure> = ended.into_iter().filter_map(Result::err).collect();
    let messages: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(Failure { message: messages.join("; "), ..first.clone() }),
    }
}

fn wait_one(scene: &Scene<'_>, node: &NodeName, old: &BTreeSet<String>) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        let new: Vec<Task> = tasks(node)?.into_iter().filter(|task| !old.contains(&task.upid)).collect();
        if !new.is_empty() && new.iter().all(|task| task.status.is_some()) {
            // The newest comes first.
            return judge(scene, node, &new[0]);
        }
        if Instant::now() > end {
            let what = if new.is_empty() { "has not begun to reload" } else { "is still reloading" };
            return Err(Failure::broken(format!("{node} {what} after {} s", PATIENCE.as_secs())).hint(
                format!("look at the tasks of {node}, and whether `ssh root@{node}` works from this node"),
            ));
        }
        scene.pause(Duration::from_millis(400))?;
    }
}

fn judge(scene: &Scene<'_>, node: &NodeName, task: &Task) -> Result<(), Failure> {
    let status = task.status.as_deref().unwrap_or_default();
    if status == "OK" {
        return Ok(());
    }
    let lines = log(node, &task.upid).unwrap_or_default();
    if status == "WARNINGS: 1" && restarted(&lines) {
        // The new configuration is in force; what it then does, the proof of the step shows.
        (scene.say)(format!("{node}: FRR could not take the change over and was restarted"));
        return Ok(());
    }
    let said = telling(&lines);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Err(Failure::broken(format!("{node}'s reload ended with `{status}`{said}")))
}

/// Whether FRR's reload alone went wrong and a restart took its place: some commands have no `no`.
fn restarted(lines: &[String]) -> bool {
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    has("WARN: reloading frr configuration failed")
        && has("trying to restart frr instead")
        && !has("restarting frr failed")
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    upid: String,
    /// How it ended; `None` while it runs.
    status: Option<String>,
}

fn tasks(node: &NodeName) -> Result<Vec<Task>, Failure> {
    let options = [("typefilter", RELOAD), ("source", "all"), ("limit", "20")];
    let list = pvesh::get(&format!("/nodes/{node}/tasks"), &options)?;
    Ok(read(&list))
}

/// The tasks in a list of Proxmox VE's.
pub(crate) fn read(list: &Value) -> Vec<Task> {
    let text = |task: &Value, key: &str| Some(task.get(key)?.as_str()?.to_owned());
    let entries = list.as_array().map_or(&[][..], Vec::as_slice);
    let task = |entry: &Value| {
        let ended = entry.get("endtime").is_some_and(|time| !time.is_null());
        let status = text(entry, "status").filter(|status| ended && status != "RUNNING");
        Some(Task { upid: text(entry, "upid")?, status: status.or(ended.then(|| "unknown".to_owned())) })
    };
    entries.iter().filter_map(task).collect()
}

/// The lines of a task's log.
fn log(node: &NodeName, upid: &str) -> Option<Vec<String>> {
    let lines = pvesh::get(&format!("/nodes/{node}/tasks/{upid}/log"), &[("limit", "200")]).ok()?;
    Some(lines.as_array()?.iter().filter_map(|line| Some(line.get("t")?.as_str()?.to_owned())).collect())
}

/// The last few that say what is wrong.
fn telling(lines: &[String]) -> String {
    let signs = ["WARN", "rror", "missing", "not installed", "failed"];
    let found: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| signs.iter().any(|w| line.contains(w))).collect();
    found[found.len().saturating_sub(4)..].join(" | ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_task_without_an_end_is_running() {
        let list = r#"[{"upid":"UPID:n1:3","type":"srvreload","starttime":3},
            {"upid":"UPID:n1:2","starttime":2,"endtime":3,"status":"WARNINGS: 1"},
            {"upid":"UPID:n1:1","starttime":1,"endtime":2,"status":"OK"},{"no":"upid"}]"#;
        let read = read(&serde_json::from_str(list).unwrap());
        let seen: Vec<_> = read.iter().map(|t| (t.upid.as_str(), t.status.as_deref())).collect();
        assert_eq!(
            seen,
            [("UPID:n1:3", None), ("UPID:n1:2", Some("WARNINGS: 1")), ("UPID:n1:1", Some("OK"))]
        );
    }

    #[test]
    fn programs_of_a_reload_are_known_with_and_without_their_interpreter() {
        let line = |words: &[&str]| program(words.join("\0").as_bytes());
        assert_eq!(line(&["/usr/bin/python3", "/usr/sbin/ifreload", "-a"]).unwrap(), "ifreload");
        assert_eq!(line(&["/usr/lib/frr/frr-reload.py", "--reload"]).unwrap(), "frr-reload.py");
        assert_eq!(line(&["grep", "x", "ifreload"]), None);
        assert_eq!(line(&[""]), None);
    }

    #[test]
    fn a_restart_in_place_of_a_reload_is_no_failure_unless_it_failed() {
        let mut log: Vec<String> =
            ["WARN: reloading frr configuration failed: command failed", "trying to restart frr instead"]
                .map(str::to_owned)
                .into();
        assert!(restarted(&log));
        log.push("restarting frr failed: exit code 1".into());
        assert!(!restarted(&log));
        assert_eq!(
            telling(&log),
            "WARN: reloading frr configuration failed: command failed | restarting frr failed: exit code 1"
        );
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_nodes() {
        let nodes: Vec<NodeName> = (1..=20).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect();
        let said: Vec<_> =
            each(&nodes, |node| Ok(node.to_string())).into_iter().map(Result::unwrap).collect();
        assert_eq!(said.first().map(String::as_str), Some("n1"));
        assert_eq!(said.len(), 20);
        assert_eq!(said.last().map(String::as_str), Some("n20"));
    }
}
