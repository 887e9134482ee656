//! Tells Proxmox VE's high availability that a node goes into maintenance or comes back. The command
//! only queues the wish: that it was taken up is proven by the manager's status.

use std::time::Duration;

use ringbolt_core::facts::ha;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, plain_name};
use crate::exec::call;

/// The command.
const TOOL: &str = "ha-manager";

/// Longest wait for it, in seconds.
const LIMIT: u64 = 60;

/// Queues the wish, unless it is in force already.
pub(super) fn maintenance(scene: &Scene<'_>, node: &NodeName, on: bool) -> Outcome {
    plain_name(node.as_str(), "a node")?;
    let text = std::fs::read_to_string(scene.root.at(ha::STATUS)).unwrap_or_default();
    if ha::status(&text).requests.contains(node.as_str()) == on {
        return Ok(if on { "asked for already" } else { "not asked for" }.to_owned());
    }
    let word = if on { "enable" } else { "disable" };
    let output =
        call(TOOL, ["crm-command", "node-maintenance", word, node.as_str()]).limit(LIMIT).joined().run()?;
    if !output.status.success() {
        return Err(Failure::broken(format!(
            "{TOOL} refuses to {word} the maintenance of {node}: {}",
            output.last(2)
        ))
        .hint("`ha-manager status` shows what high availability makes of its nodes"));
    }
    // The manager looks every ten seconds.
    scene.pause(Duration::from_millis(200))?;
    Ok(format!("maintenance of {node}: {word}"))
}
