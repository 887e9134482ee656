//! `ha-manager`: `status` and `crm-command node-maintenance`, in the words of the real command.
//!
//! The command only queues what it is told, as the real one does; [`keeper::Keeper`] plays the cluster's
//! manager and the node's own one inside the membership service.

use std::fs::{self, File};
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::fail::Fail;
use super::host::read_json;
use super::{Host, say};

mod guests;
pub(crate) mod keeper;

/// Runs the command; gives its exit status.
pub(crate) fn run(host: &Host, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["status", ..] => {
            status(host, out);
            Ok(())
        }
        ["crm-command", "node-maintenance", which @ ("enable" | "disable"), rest @ ..] => {
            maintenance(host, which, rest)
        }
        [] => Err(Fail::die("ERROR: no command specified")),
        _ => Err(Fail::die(format!("ERROR: unknown command 'ha-manager {}'", words.join(" ")))),
    };
    let Err(fail) = done else { return 0 };
    say(err, &fail.to_string());
    if matches!(fail, Fail::Usage(..)) {
        say(err, &format!("ha-manager {} <node>", words[..words.len().min(3)].join(" ")));
    }
    fail.status()
}

/// Queues a command for the manager.
fn maintenance(host: &Host, which: &str, rest: &[&str]) -> Result<(), Fail> {
    let node = match rest {
        [] => return Err(Fail::Usage(Vec::new(), "not enough arguments".into())),
        [node] => *node,
        _ => return Err(Fail::Usage(Vec::new(), "too many arguments".into())),
    };
    if !host.members().iter().any(|m| m.name == node) {
        return Err(Fail::die(format!("no such cluster node '{node}'")));
    }
    if !host.quorate() {
        return Err(Fail::die("cfs-lock 'domain-ha' error: no quorum!"));
    }
    locked(host, || {
        let path = host.root.etc_pve.join("ha/crm_commands");
        let text = host.read(&path);
        host.write(&path, &format!("{text}{which}-node-maintenance {node}\n"))
    })?;
    Ok(())
}

/// Does something while nobody else changes the queue.
fn locked<T>(host: &Host, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let folder = host.root.etc_pve.join("ha");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join(".ringbolt-lab-lock"))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
    work()
}

/// The manager's status; an empty object where there is none yet.
fn manager_status(host: &Host) -> Value {
    let status = read_json(&host.root.etc_pve.join("ha/manager_status"));
    status.filter(Value::is_object).unwrap_or_else(|| Value::Object(Map::new()))
}

/// The status a node's local manager has written.
fn lrm_status(host: &Host, node: &str) -> Value {
    read_json(&host.root.etc_pve.join("nodes").join(node).join("lrm_status")).unwrap_or(Value::Null)
}

/// Services as configured: id (`vm:100`) and requested state.
fn resources(host: &Host) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in host.read(&host.root.etc_pve.join("ha/resources.cfg")).lines() {
        if let Some((kind, id)) = line.split_once(": ").filter(|_| !line.starts_with(['\t', ' ', '#'])) {
            found.push((format!("{kind}:{}", id.trim()), "started".to_owned()));
        } else if let (Some(state), Some(last)) = (line.trim().strip_prefix("state "), found.last_mut()) {
            last.1 = if state == "enabled" { "started".to_owned() } else { state.trim().to_owned() };
        }
    }
    found
}

fn status(host: &Host, out: &mut dyn Write) {
    let quorum = if host.quorate() { "OK".to_owned() } else { format!("No quorum on node '{}'!", host.node) };
    say(out, &format!("quorum {quorum}"));
    let status = manager_status(host);
    if let (Some(master), Some(at)) = (status["master_node"].as_str(), status["timestamp"].as_u64()) {
        say(out, &format!("master {master} (active, {})", date(host, at)));
    }
    for (node, _) in status["node_status"].as_object().into_iter().flatten() {
        let lrm = lrm_status(host, node);
        let Some(at) = lrm["timestamp"].as_u64() else {
            say(out, &format!("lrm {node} (unable to read lrm status)"));
            continue;
        };
        let word = match (lrm["mode"].as_str(), lrm["state"].as_str()) {
            (Some("maintenance"), _) => "maintenance mode",
            (_, Some("active")) => "active",
            _ => "idle",
        };
        say(out, &format!("lrm {node} ({word}, {})", date(host, at)));
    }
    for (sid, service) in status["service_status"].as_object().into_iter().flatten() {
        let part = |key: &str| service[key].as_str().unwrap_or("---").to_owned();
        say(out, &format!("service {sid} ({}, {})", part("node"), part("state")));
    }
}

fn date(host: &Host, at: u64) -> String {
    let at = format!("@{at}");
    host.exec.run(&["date", "-d", &at, "+%a %b %e %H:%M:%S %Y"]).stdout.trim().to_owned()
}
