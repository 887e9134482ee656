//! What Proxmox VE's and Ceph's commands say when they refuse, and what a person can do about it.
//!
//! The message keeps the tool's own words: the line of the failed task, or its last lines. Keys are
//! never among them.

use ringbolt_core::wire::{Failure, FailureKind};

use crate::exec::Output;

/// What is said, what the run may do about it, what a person can do.
const KNOWN: [(&str, FailureKind, &str); 18] = [
    (
        "is already in use",
        FailureKind::Refused,
        "something stands on that disk: `ringbolt discover` tells what",
    ),
    (
        "Required device-mapper target(s) not detected",
        FailureKind::Broken,
        "the kernel lacks device-mapper, which encryption, several OSDs on a disk and a shared `db` or `wal` need: \
         `modprobe dm-mod dm-crypt`; a lab on a kernel without it cannot do these",
    ),
    (
        "Multiple IPs",
        FailureKind::Broken,
        "the node has several addresses in Ceph's public network: keep addresses of links outside it",
    ),
    (
        "No active IP found",
        FailureKind::Broken,
        "no address of this node is in Ceph's network and up: look at the fabric with `ringbolt verify`",
    ),
    (
        "No address from ceph cluster network",
        FailureKind::Broken,
        "no address of this node is in Ceph's cluster network and up: look at the fabric with `ringbolt verify`",
    ),
    (
        "Could not connect to ceph cluster",
        FailureKind::Transient,
        "the monitors in ceph.conf do not answer: are they running, and is their network up?",
    ),
    (
        "401  Unauthorized",
        FailureKind::Broken,
        "the enterprise repository needs a subscription: use `no-subscription`, or add a key",
    ),
    (
        "403  Forbidden",
        FailureKind::Broken,
        "the repository refuses this node: use `no-subscription`, or look at the subscription",
    ),
    (
        "Temporary failure resolving",
        FailureKind::Transient,
        "the node cannot resolve names: look at /etc/resolv.conf and its gateway",
    ),
    (
        "Could not get lock",
        FailureKind::Transient,
        "another apt or dpkg is at work on this node; wait for its end",
    ),
    ("dpkg was interrupted", FailureKind::Broken, "run `dpkg --configure -a` on the node"),
    ("No space left on device", FailureKind::Broken, "a disk of the node is full: free some space"),
    (
        "unmet dependencies",
        FailureKind::Broken,
        "run `apt-get -f install` on the node, and look for held packages and mixed repositories",
    ),
    ("Abort", FailureKind::Broken, "a question was not answered with yes: look at its output"),
    (
        "keyring file for storage",
        FailureKind::Broken,
        "a key is left over from an earlier storage of this name: remove /etc/pve/priv/ceph/NAME.keyring",
    ),
    (
        "got timeout",
        FailureKind::Transient,
        "Ceph or Proxmox VE's cluster file system did not answer in time: try again",
    ),
    (
        "cluster not ready - no quorum",
        FailureKind::Transient,
        "/etc/pve takes writes only while the cluster is quorate: look at `pvecm status`",
    ),
    (
        "already exists",
        FailureKind::Broken,
        "something of this name is left over from earlier: look at it, and remove it if nobody needs it",
    ),
];

/// The failure of a command, from what it printed.
pub(crate) fn failure(what: &str, output: &Output) -> Failure {
    let said = telling(&output.out);
    let said = if said.is_empty() { format!("it ended with {}", output.status) } else { said };
    let known = KNOWN.iter().find(|(text, _, _)| output.out.contains(text));
    // The line that is known tells more than the one that ends the task.
    let cause = known.filter(|(text, _, _)| !said.contains(text)).and_then(|(text, _, _)| {
        output.out.lines().map(str::trim).find(|line| line.contains(text) && !is_key(line))
    });
    let message = match cause {
        Some(cause) => format!("{what}: {cause} | {said}"),
        None => format!("{what}: {said}"),
    };
    match known {
        Some((_, kind, hint)) => Failure { kind: *kind, ..Failure::broken(message) }.hint(*hint),
        None => Failure::broken(message),
    }
}

/// Lines that tell why: the failed task's, apt's errors, else the last ones.
fn telling(text: &str) -> String {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_key(line)).collect();
    let telling = |line: &&&str| ["TASK ERROR:", "E: "].iter().any(|start| line.starts_with(start));
    let found: Vec<&str> = lines.iter().filter(telling).copied().collect();
    let of = if found.is_empty() { &lines } else { &found };
    of[of.len().saturating_sub(4)..].join(" | ")
}

/// Whether a line shows a key of cephx.
fn is_key(line: &str) -> bool {
    let key = |word: &str| word.len() == 40 && word.ends_with("==");
    line.split(|c: char| c.is_whitespace() || "\"',:".contains(c)).any(key)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn said(text: &str) -> Failure {
        let status = std::process::ExitStatus::from_raw(0);
        failure("the disk did not become an OSD", &Output { status, out: text.into(), err: String::new() })
    }

    #[test]
    fn the_tasks_error_is_told_with_a_cure() {
        let used = said("create OSD on /dev/nvme1n1\nTASK ERROR: device '/dev/nvme1n1' is already in use\n");
        assert_eq!(used.kind, FailureKind::Refused);
        assert!(used.message.ends_with("TASK ERROR: device '/dev/nvme1n1' is already in use"));
        assert!(used.hint.unwrap().contains("discover"));
        let mapper = said(
            "  striped: Required device-mapper target(s) not detected in your kernel.\nTASK ERROR: command failed: exit code 1\n",
        );
        assert!(mapper.message.contains("not detected in your kernel. | TASK ERROR"), "{}", mapper.message);
        let paid = said(
            "Err:3 https://enterprise trixie InRelease\n  401  Unauthorized [IP: 192.0.2.1 443]\nE: Failed to fetch\n",
        );
        assert!(paid.message.ends_with("E: Failed to fetch") && paid.hint.is_some());
    }

    #[test]
    fn the_last_lines_are_told_where_nothing_else_is_and_keys_never() {
        let odd = said("one\n\nkey = AQDYlM9nAAAAABAAq1w3Z0F4nq5Xp2uF0n0ZJw==\ntwo\n");
        assert_eq!(odd.message, "the disk did not become an OSD: one | two");
        assert_eq!(odd.hint, None);
        assert!(said("").message.contains("it ended with"));
    }
}
