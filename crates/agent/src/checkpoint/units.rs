//! The units of an armed checkpoint: files on disk, so that they count after a reboot as well.
//!
//! `ringbolt-checkpoint.timer` starts `ringbolt-checkpoint.service` when the time is over. A node that is
//! started anew before that heals at once, by `ringbolt-checkpoint-boot.service`, before anything waits for
//! the network; should even that fail, the timer, started again at boot, is behind it. They are there only
//! while a checkpoint is armed, and do nothing without one.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use ringbolt_core::checkpoint::ARMED;

use super::store::{replace, sync_folder};
use crate::beside;
use crate::root::Root;

/// Folder of the units.
const FOLDER: &str = "/etc/systemd/system";
/// Started by the timer, or by an order.
pub(super) const SERVICE: &str = "ringbolt-checkpoint.service";
/// Runs while the checkpoint is armed.
pub(super) const TIMER: &str = "ringbolt-checkpoint.timer";
/// Started at boot.
pub(super) const BOOT: &str = "ringbolt-checkpoint-boot.service";

/// Links that start units at boot: folder, unit.
const WANTS: [(&str, &str); 2] = [("sysinit.target.wants", BOOT), ("timers.target.wants", TIMER)];

const HEAD: &str =
    "# Kept by ringbolt while a checkpoint is armed; gone once it is confirmed or has fired.\n";

fn texts(program: &str, seconds: u32) -> [(&'static str, String); 3] {
    let about = "Undo a change of the network that nobody confirmed";
    [
        (
            SERVICE,
            format!(
                "{HEAD}[Unit]\nDescription={about}\nConditionPathExists={ARMED}\nStartLimitIntervalSec=900\nStartLimitBurst=30\n\n\
                 [Service]\nType=oneshot\nExecStart={program} agent heal\nTimeoutStartSec=600\nRestart=on-failure\nRestartSec=5s\n"
            ),
        ),
        (
            TIMER,
            format!(
                "{HEAD}[Unit]\nDescription={about}, after {seconds} s\nConditionPathExists={ARMED}\n\n\
                 [Timer]\nOnActiveSec={seconds}\nAccuracySec=500ms\nUnit={SERVICE}\n"
            ),
        ),
        (
            BOOT,
            format!(
                "{HEAD}[Unit]\nDescription={about}, before the network comes up\nDefaultDependencies=no\nConditionPathExists={ARMED}\n\
                 RequiresMountsFor=/etc /var/lib/ringbolt\nAfter=local-fs.target systemd-remount-fs.service\n\
                 Wants=network-pre.target\nBefore=network-pre.target networking.service frr.service shutdown.target\nConflicts=shutdown.target\n\n\
                 [Service]\nType=oneshot\nExecStart={program} agent heal --boot\nTimeoutStartSec=60\n"
            ),
        ),
    ]
}

/// Whether a path can stand in a unit as it is.
pub(super) fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))
}

/// Writes the units; whether systemd may know others of these names.
pub(super) fn write(root: &Root, program: &str, seconds: u32) -> std::io::Result<bool> {
    let mut stale = false;
    for (name, text) in texts(program, seconds) {
        let path = root.at(FOLDER).join(name);
        match std::fs::read(&path) {
            Ok(have) if have == text.as_bytes() => continue,
            Ok(_) => stale = true,
            Err(_) => {}
        }
        replace(&path, text.as_bytes(), 0o644)?;
    }
    for (folder, unit) in WANTS {
        let folder = root.at(FOLDER).join(folder);
        DirBuilder::new().recursive(true).create(&folder)?;
        let link = folder.join(unit);
        match symlink(format!("{FOLDER}/{unit}"), &link) {
            Ok(()) => sync_folder(&link)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stale)
}

/// Removes the units; what cannot be removed does nothing without an armed checkpoint.
pub(super) fn remove(root: &Root) {
    for (folder, unit) in WANTS {
        let _ = std::fs::remove_file(root.at(FOLDER).join(folder).join(unit));
    }
    for name in [SERVICE, TIMER, BOOT] {
        let path = root.at(FOLDER).join(name);
        beside::clear(&path);
        let _ = std::fs::remove_file(path);
    }
}

/// Whether any of them is there.
pub(super) fn are_there(root: &Root) -> bool {
    [SERVICE, TIMER, BOOT].iter().any(|name| root.at(FOLDER).join(name).exists())
}
