//! The cluster's manager, on the first node that is there, and every node's own one: commands are taken
//! up, services leave a node in maintenance and come back after it.
//!
//! They look every two seconds, the real ones every five to ten. There is no fencing and no watchdog.

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::guests::{self, Guests};
use super::{Host, locked, lrm_status, manager_status, resources};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// A status is written anew after so many seconds, changed or not.
const STALE: u64 = 10;

/// Both managers of a node.
#[derive(Default)]
pub(crate) struct Keeper {
    last: Option<Instant>,
    guests: Guests,
    results: Map<String, Value>,
    list: String,
}

impl Keeper {
    /// One round, if it is time for one and the node has a majority behind it.
    ///
    /// # Errors
    /// A status cannot be written.
    pub(crate) fn turn(&mut self, host: &Host, online: &[String], quorate: bool) -> io::Result<()> {
        if !quorate || self.last.is_some_and(|at| at.elapsed() < ROUND) {
            return Ok(());
        }
        self.last = Some(Instant::now());
        if online.iter().min().is_some_and(|first| *first == host.node) {
            manage(host, online)?;
        }
        self.serve(host)?;
        let list = guests::list(host);
        if list != self.list {
            host.write(&host.root.run.join("ringbolt-lab/vmlist"), &list)?;
            self.list = list;
        }
        Ok(())
    }

    /// The node's own manager: its mode, and the services that are here.
    fn serve(&mut self, host: &Host) -> io::Result<()> {
        let status = manager_status(host);
        let asked = status["node_request"][&host.node]["maintenance"] == 1;
        let empty = Map::new();
        let services = status["service_status"].as_object().unwrap_or(&empty);
        let here = services.iter().filter(|(_, s)| s["node"] == host.node.as_str());
        let mut active = false;
        let mut wanted = Vec::new();
        for (sid, service) in here {
            let id = sid.split_once(':').map_or(sid.as_str(), |(_, id)| id);
            let uid = service["uid"].as_str().unwrap_or_default().to_owned();
            match service["state"].as_str() {
                Some("started") => {
                    active = true;
                    wanted.push(id.to_owned());
                    self.guests.start(host, id)?;
                }
                Some("migrate") if !self.results.contains_key(&uid) => {
                    active = true;
                    self.guests.stop(host, id);
                    guests::hand_over(host, id, service["target"].as_str().unwrap_or_default())?;
                    let result = json!({"sid": sid, "state": "migrate", "exit_code": 0});
                    self.results.insert(uid, result);
                }
                _ => {}
            }
        }
        for gone in self.guests.names().into_iter().filter(|id| !wanted.contains(id)) {
            self.guests.stop(host, &gone);
        }
        self.results.retain(|uid, _| services.values().any(|s| s["uid"] == uid.as_str()));
        let new = json!({
            "mode": if asked { "maintenance" } else { "active" },
            "state": if active { "active" } else { "wait_for_agent_lock" },
            "results": self.results,
            "timestamp": now(),
        });
        let path = host.root.etc_pve.join("nodes").join(&host.node).join("lrm_status");
        if differs(&lrm_status(host, &host.node), &new) {
            host.write(&path, &new.to_string())?;
        }
        Ok(())
    }
}

/// The cluster's manager. It rests while there is nothing to manage.
fn manage(host: &Host, online: &[String]) -> io::Result<()> {
    let folder = host.root.etc_pve.join("ha");
    let resources = resources(host);
    let queue = folder.join("crm_commands");
    let old = manager_status(host);
    if resources.is_empty() && host.read(&queue).is_empty() && old.as_object().is_none_or(Map::is_empty) {
        return Ok(());
    }
    let mut status = old.clone();
    status["master_node"] = json!(host.node);
    for key in ["node_status", "node_request", "service_status"] {
        if !status[key].is_object() {
            status[key] = json!({});
        }
    }
    for member in host.members() {
        let maintained = lrm_status(host, &member.name)["mode"] == "maintenance";
        let state = match (online.contains(&member.name), maintained) {
            (_, true) => "maintenance",
            (true, false) => "online",
            (false, false) => "unknown",
        };
        status["node_status"][&member.name] = json!(state);
    }
    let commands = locked(host, || {
        let text = host.read(&queue);
        if !text.is_empty() {
            host.write(&queue, "")?;
        }
        Ok(text)
    })?;
    commands.lines().for_each(|command| take_up(&mut status, command));
    place(host, &mut status, &resources);
    status["timestamp"] = json!(now());
    if differs(&old, &status) {
        host.write(&folder.join("manager_status"), &status.to_string())?;
    }
    Ok(())
}

fn take_up(status: &mut Value, command: &str) {
    match command.split_once(' ') {
        // A node that is not online is not put into maintenance.
        Some(("enable-node-maintenance", node)) if status["node_status"][node] == "online" => {
            status["node_request"][node] = json!({"maintenance": 1});
        }
        Some(("disable-node-maintenance", node)) => {
            status["node_request"].as_object_mut().map(|all| all.remove(node));
        }
        _ => {}
    }
}

/// Where each service is to be.
fn place(host: &Host, status: &mut Value, resources: &[(String, String)]) {
    let known: Vec<&String> = resources.iter().filter(|(_, s)| s != "ignored").map(|(sid, _)| sid).collect();
    if let Some(all) = status["service_status"].as_object_mut() {
        all.retain(|sid, _| known.contains(&sid));
    }
    let free: Vec<String> = status["node_status"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(node, state)| {
            *state == "online" && status["node_request"][node.as_str()]["maintenance"] != 1
        })
        .map(|(node, _)| node.clone())
        .collect();
    for (sid, wanted) in resources.iter().filter(|(sid, _)| known.contains(&sid)) {
        let id = sid.split_once(':').map_or(sid.as_str(), |(_, id)| id);
        let Some(home) = guests::home(host, id) else { continue };
        let mut service = status["service_status"][sid].clone();
        if !service.is_object() {
            service = json!({"node": home, "state": "request_start", "uid": uid(sid)});
        }
        let at = service["node"].as_str().unwrap_or_default().to_owned();
        if service["state"] == "migrate" {
            let uid = service["uid"].as_str().unwrap_or_default();
            if lrm_status(host, &at)["results"][uid]["exit_code"] == 0 {
                service["node"] = service["target"].clone();
                service["state"] = json!("started");
                service.as_object_mut().map(|s| s.remove("target"));
            }
        } else if wanted != "started" {
            service["state"] = json!("stopped");
        } else {
            service["state"] = json!("started");
            let came_from = service["maintenance_node"].as_str().map(str::to_owned);
            let away = status["node_request"][&at]["maintenance"] == 1;
            let target = match came_from {
                Some(from) if free.contains(&from) && !away => {
                    service.as_object_mut().map(|s| s.remove("maintenance_node"));
                    Some(from)
                }
                _ if away => free.first().cloned(),
                _ => None,
            };
            if let Some(target) = target.filter(|t| *t != at) {
                if away {
                    service["maintenance_node"] = json!(at);
                }
                service["state"] = json!("migrate");
                service["target"] = json!(target);
                service["uid"] = json!(uid(sid));
            }
        }
        status["service_status"][sid] = service;
    }
}

fn uid(sid: &str) -> String {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{sid}-{}", at.as_nanos())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |at| at.as_secs())
}

/// Whether a status is worth writing: something changed, or the old one is old.
fn differs(old: &Value, new: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|all| all.remove("timestamp"));
        value
    };
    let age = new["timestamp"].as_u64().unwrap_or(0).saturating_sub(old["timestamp"].as_u64().unwrap_or(0));
    plain(old) != plain(new) || age >= STALE
}

#[cfg(test)]
#[path = "keeper_test.rs"]
mod tests;
