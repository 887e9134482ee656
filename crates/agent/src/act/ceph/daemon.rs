//! Monitor, manager and metadata server of the node, each under the node's name.

use std::net::IpAddr;

use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, own_name, run, tool, wait};
use crate::exec::call;
use crate::read::ceph::{daemons, quorum};

/// Longest time a command may take, in seconds.
const LIMIT: u64 = 180;

/// Longest wait for a daemon to come up, in seconds.
const PATIENCE: u64 = 60;

/// Makes the monitor and waits until it is in quorum.
pub(super) fn monitor(scene: &Scene<'_>, address: IpAddr) -> Outcome {
    let id = own_name(scene)?;
    let within = || quorum(scene.root, &id).is_some_and(|quorum| quorum.members.contains(&id));
    if within() {
        return Ok("already in quorum".to_owned());
    }
    if is_there(scene, "mon", &id) {
        return revive(scene, "mon", &id, within);
    }
    let address = address.to_string();
    let output = run(scene, &tool("pveceph", ["mon", "create", "--mon-address", &address], LIMIT))?;
    if !is_there(scene, "mon", &id) {
        return Err(failure("there is no monitor afterwards", &output));
    }
    (scene.say)("waiting for the quorum".to_owned());
    if wait(scene, PATIENCE, within)? {
        return Ok(format!("mon.{id} is in quorum"));
    }
    Err(failure(&format!("mon.{id} is not in quorum after {PATIENCE} s"), &output))
}

/// Makes a manager or metadata server and waits until it answers.
pub(super) fn other(scene: &Scene<'_>, kind: &str, name: &str) -> Outcome {
    let id = own_name(scene)?;
    let runs = || daemons(scene.root, kind).iter().any(|daemon| daemon.id == id && daemon.runs);
    if runs() {
        return Ok("runs already".to_owned());
    }
    if is_there(scene, kind, &id) {
        return revive(scene, kind, &id, runs);
    }
    let output = run(scene, &tool("pveceph", [kind, "create"], LIMIT))?;
    if wait(scene, if is_there(scene, kind, &id) { PATIENCE } else { 0 }, runs)? {
        return Ok(format!("{kind}.{id} runs"));
    }
    Err(failure(&format!("the {name} does not run afterwards"), &output))
}

fn is_there(scene: &Scene<'_>, kind: &str, id: &str) -> bool {
    daemons(scene.root, kind).iter().any(|daemon| daemon.id == id)
}

/// A daemon that has its folder but does not do its work: started if it is one of this cluster's, else
/// what is left of an earlier one.
fn revive(scene: &Scene<'_>, kind: &str, id: &str, works: impl FnMut() -> bool) -> Outcome {
    let unit = format!("ceph-{kind}@{id}.service");
    (scene.say)(format!("starting {unit}"));
    call("systemctl", ["reset-failed", &unit]).run()?;
    let output = call("systemctl", ["start", &unit]).limit(60).joined().public().run()?;
    if wait(scene, PATIENCE / 2, works)? {
        return Ok(format!("{kind}.{id} was there and runs again"));
    }
    let message =
        format!("/var/lib/ceph/{kind}/ceph-{id} is there, but no {kind}.{id} that works: {}", output.last(2));
    Err(Failure::broken(message).hint(format!(
        "look at `journalctl -u {unit}`; if it is left over from an earlier Ceph, remove that folder"
    )))
}
