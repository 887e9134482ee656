//! What a run that was cut off owes a node: reloads, and the release of Proxmox VE's SDN lock. The agent notes each
//! before what makes it due, and strikes it out when it is done; notes that are left make the next plan do it.
//!
//! Used by the planner and by the agent. Notes of reloads lie where a reboot, which reads everything anew, clears them.

use super::step;
use crate::action::Action;
use crate::facts::{Facts, Fleet, pve};
use crate::name::NodeName;
use crate::step::{Phase, Step};

/// The note of a `systemctl daemon-reload` that is due.
pub const SYSTEMD: &str = "/run/ringbolt/owed-systemd-reload";

/// The note of a `udevadm control --reload` that is due.
pub const UDEV: &str = "/run/ringbolt/owed-udev-reload";

/// The note of who takes Proxmox VE's SDN lock, written by the agent that applies a fabric: `token` is null until the
/// lock is had.
pub const SDN_LOCK: &str = "/var/lib/ringbolt/sdn-lock";

/// Whether the SDN lock is held, and by an apply of ours, be it at work or cut off. While its token is not known the
/// agent has the last word.
pub(crate) fn holds_sdn_lock(facts: &Facts) -> bool {
    let note = facts.text(SDN_LOCK).and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let (Some(held), Some(note)) = (facts.text(pve::path::LOCK), note) else { return false };
    note["token"].as_str().is_none_or(|token| token == held.trim())
}

/// The node that speaks for the cluster, of those that may write to `/etc/pve`: the one an earlier apply was cut off
/// on, which can release its lock, else the first by name.
pub(crate) fn speaker(fleet: &Fleet) -> Option<(&NodeName, &Facts)> {
    let mut able = fleet.nodes.iter().filter(|(_, f)| f.state.pve_writable == Some(true));
    able.clone().find(|(_, f)| holds_sdn_lock(f)).or_else(|| able.next())
}

/// Whose reload a change of this file calls for.
pub fn note_of(path: &str) -> Option<&'static str> {
    if path.ends_with(".rules") || path.ends_with(".link") {
        Some(UDEV)
    } else if path.starts_with("/etc/systemd/system/") || path.starts_with("/usr/local/lib/systemd/system/") {
        Some(SYSTEMD)
    } else {
        None
    }
}

/// The reloads an earlier run did not get to.
pub(crate) fn steps(node: &NodeName, facts: &Facts) -> Vec<Step> {
    let owes = |note: &str| facts.state.files.contains_key(note);
    let late = |id: std::fmt::Arguments<'_>, title: &'static str, action: Action| Step {
        title: title.into(),
        why: "an earlier run was cut off before it".into(),
        ..step(node, id, Phase::Prepare, action)
    };
    let mut steps = Vec::new();
    if owes(SYSTEMD) {
        let title = "let systemd read the units again";
        steps.push(late(format_args!("systemd-reload"), title, Action::ReloadSystemd));
    }
    if owes(UDEV) {
        let title = "let udev read its rules and .link files again";
        steps.push(late(format_args!("udev-reload"), title, Action::ReloadUdev));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_a_file_is_told_by_its_place() {
        assert_eq!(note_of("/etc/systemd/network/00-ringbolt-en05.link"), Some(UDEV));
        assert_eq!(note_of("/etc/udev/rules.d/90-ringbolt.rules"), Some(UDEV));
        assert_eq!(note_of("/etc/systemd/system/ceph-osd@.service.d/ringbolt.conf"), Some(SYSTEMD));
        assert_eq!(note_of("/etc/sysctl.d/90-ringbolt.conf"), None);
    }
}
