//! One small process a node: boots it, and when the node reboots pulls its cables, gives it a fresh network
//! namespace and boots it again, as a real reboot would. Started by `up` and `power-on` through the hidden
//! command `lab keep`; ends with the node.

use std::path::Path;

use crate::lab::{Lab, LabError, check_name};
use crate::node;
use crate::state::{Phase, object_name};

/// What systemd-nspawn ends with when the system inside asked for a reboot.
const REBOOT: i32 = 133;

/// The cgroup of a lab's keepers.
pub(crate) const CGROUP: &str = "keepers";

/// Boots `node` of the lab in `dir` until it stays off. `boot` is the count in the record it was started for: a
/// keeper from an earlier boot leaves the node alone.
///
/// # Errors
/// The lab is gone, or the node cannot be booted.
pub fn keep(dir: &Path, node: &str, boot: u32) -> Result<(), LabError> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    check_name(&name)?;
    let lab = Lab { parent: dir.parent().unwrap_or(dir).to_owned(), name };
    let failed = |source| LabError::Processes { name: object_name(&lab.name, CGROUP), source };
    lab.cgroup(CGROUP).join().map_err(failed)?;
    let mut boot = boot;
    loop {
        // Read only after joining the cgroup that `down` ends: from here on it finds this process.
        let record = lab.record()?;
        let mine = |record: &crate::state::Record| {
            record.phase != Phase::Down
                && record.node(node).is_some_and(|node| node.powered && node.boot == boot)
        };
        if !mine(&record) {
            return Ok(());
        }
        let status = node::boot_command(&lab, &record, node)?.status().map_err(failed)?;
        let _lock = lab.lock()?;
        let mut record = lab.record()?;
        if !mine(&record) {
            return Ok(());
        }
        node::dismantle(&lab, &record, node)?;
        let again = status.code() == Some(REBOOT);
        if let Some(entry) = record.node_mut(node) {
            entry.powered = again;
            entry.boot += 1;
        }
        boot += 1;
        record.save(&lab.dir())?;
        if !again {
            return Ok(());
        }
        node::create(&lab, &record, node)?;
        crate::cable::attach(&lab, &record, node)?;
    }
}
