//! The nodes' own reload tasks: Proxmox VE calls an apply OK whatever became of them.
//!
//! New tasks are told from old ones by their id, not by time: clocks of nodes may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

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

/// What reload tasks there are now. A node that cannot be asked is a failure: the apply could not
/// reach it either.
pub(super) fn known(nodes: &[NodeName]) -> Result<Known, Failure> {
    let asked = each(nodes, |node| {
        let tasks = tasks(node).map_err(|failure| {
            Failure::broken(format!("{node} cannot be asked from here: {}", failure.message))
                .hint(format!("Proxmox VE reaches {node} by ssh as root between nodes: is it up, and does `ssh root@{node}` work from this node?"))
        })?;
        Ok((node.clone(), tasks.into_iter().map(|task| task.upid).collect()))
    });
    asked.into_iter().collect()
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
            return judge(node, &new[0]);
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

fn judge(node: &NodeName, task: &Task) -> Result<(), Failure> {
    let status = task.status.as_deref().unwrap_or_default();
    if status == "OK" {
        return Ok(());
    }
    let said = log(node, &task.upid).unwrap_or_default();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Err(Failure::broken(format!("{node}'s reload ended with `{status}`{said}")))
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Task {
    upid: String,
    /// How it ended; `None` while it runs.
    status: Option<String>,
}

fn tasks(node: &NodeName) -> Result<Vec<Task>, Failure> {
    let options = [("typefilter", RELOAD), ("source", "all"), ("limit", "20")];
    let list = pvesh::get(&format!("/nodes/{node}/tasks"), &options)?;
    Ok(read(&list))
}

fn read(list: &Value) -> Vec<Task> {
    let text = |task: &Value, key: &str| Some(task.get(key)?.as_str()?.to_owned());
    let entries = list.as_array().map_or(&[][..], Vec::as_slice);
    let task = |entry: &Value| {
        let ended = entry.get("endtime").is_some_and(|time| !time.is_null());
        let status = text(entry, "status").filter(|status| ended && status != "RUNNING");
        Some(Task { upid: text(entry, "upid")?, status: status.or(ended.then(|| "unknown".to_owned())) })
    };
    entries.iter().filter_map(task).collect()
}

/// The telling lines of a task's log.
fn log(node: &NodeName, upid: &str) -> Option<String> {
    let lines = pvesh::get(&format!("/nodes/{node}/tasks/{upid}/log"), &[("limit", "200")]).ok()?;
    let lines: Vec<&str> = lines.as_array()?.iter().filter_map(|line| line.get("t")?.as_str()).collect();
    let telling =
        |line: &&str| ["WARN", "rror", "missing", "not installed", "failed"].iter().any(|w| line.contains(w));
    let found: Vec<&str> = lines.into_iter().filter(telling).collect();
    Some(found[found.len().saturating_sub(4)..].join(" | "))
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
    fn outcomes_come_in_the_order_of_the_nodes() {
        let nodes: Vec<NodeName> = (1..=20).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect();
        let said: Vec<_> =
            each(&nodes, |node| Ok(node.to_string())).into_iter().map(Result::unwrap).collect();
        assert_eq!(said.first().map(String::as_str), Some("n1"));
        assert_eq!(said.len(), 20);
        assert_eq!(said.last().map(String::as_str), Some("n20"));
    }
}
