//! The commit of SDN edits at boot, as `pve-sdn-commit` does it.
//!
//! Run once by a unit. It waits for a majority without limit; with edits
//! pending it commits them and reloads this node only; else it does nothing.
//! So the reboot of any node makes everybody's edits live.

use std::io::Write;
use std::time::Duration;

use super::fail::Fail;
use super::task::Task;
use super::{Host, reload, say, staged};

/// Waits, commits and reloads.
pub(crate) fn run(host: &Host, err: &mut dyn Write) -> Result<(), Fail> {
    while host.member_state().is_none() || !host.quorate() {
        std::thread::sleep(Duration::from_millis(200));
    }
    if !staged::anything_pending(host)? {
        say(err, "No changes to SDN configuration detected, skipping reload");
        return Ok(());
    }
    let before = staged::running_value(host);
    staged::locked(host, "could not commit SDN config", None, || staged::commit(host))?;
    let frr = staged::needs_frr(host, &before, &staged::running_value(host));
    let mut sink = std::io::sink();
    let mut task = Task::start(host, "srvreload", "networking", &mut sink)?;
    let result = reload::node(host, frr, &mut task);
    task.finish(host, result, err)?;
    Ok(())
}
