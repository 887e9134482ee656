//! Which files of a node a step may write or remove, and which a question may ask for: two closed lists.
//!
//! The planner keeps to them, and the agent refuses everything else, whatever a plan or a frame says. They are about
//! names; what a name leads to on the node is the agent's to look at.

use std::sync::LazyLock;

use crate::desired::{OWN_FILES, question};
use crate::facts::{Question, ha};
use crate::resource::{frr_daemons, frr_local, initramfs};
use crate::tune;

/// Files of others in which ringbolt keeps lines of its own, or takes lines of the old guide out.
const SHARED_FILES: [&str; 6] = [
    crate::facts::network::INTERFACES,
    frr_daemons::PATH,
    frr_local::PATH,
    initramfs::STAMP,
    tune::system::SYSCTL_CONF,
    tune::system::MODULES,
];

/// Whether a step may write or remove the file: it is one of ours by its name, or one of the few shared ones.
pub fn is_writable(path: &str) -> bool {
    let own = |begin: &str| path.strip_prefix(begin).is_some_and(|rest| !rest.contains('/'));
    is_plain(path) && (SHARED_FILES.contains(&path) || OWN_FILES.into_iter().any(own))
}

/// Whether a question may name the file, or the folder and pattern: it is on a list of what is planned with,
/// verified or audited, or a step may write it.
pub fn is_readable(path: &str) -> bool {
    static ASKED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let asked = [question::mesh(), tune::question()].into_iter().flat_map(|question| question.files);
        asked.chain(question::STORE_FILES.into_iter().chain(ha::FILES).map(str::to_owned)).collect()
    });
    let asked = || ha::is_lrm_status(path) || ASKED.iter().any(|pattern| covers(pattern, path));
    is_plain(path) && (is_writable(path) || asked())
}

/// The first file of a question that is on no list.
pub fn stranger(question: &Question) -> Option<&str> {
    question.files.iter().map(String::as_str).find(|path| !is_readable(path))
}

/// Absolute, and nothing in it that leads elsewhere.
fn is_plain(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain)) && !path.contains(char::is_control)
}

/// Whether a pattern, with at most one `*` in its last part, is the path or stands for it.
fn covers(pattern: &str, path: &str) -> bool {
    let Some((begin, end)) = pattern.split_once('*') else { return pattern == path };
    let rest = path.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
    pattern == path || rest.is_some_and(|rest| !rest.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_files_and_the_shared_ones_may_be_written_and_nothing_else() {
        for path in [
            "/etc/systemd/network/00-ringbolt-en05.link",
            "/etc/systemd/system/ringbolt-port@.service",
            "/etc/systemd/system/ceph-osd@.service.d/ringbolt.conf",
            "/etc/network/interfaces",
            "/etc/frr/frr.conf.local",
            "/etc/modules",
            "/var/lib/ringbolt/cabling",
        ] {
            assert!(is_writable(path) && is_readable(path), "{path}");
        }
        for path in [
            "",
            "/",
            "etc/modules",
            "/etc/shadow",
            "/etc/passwd",
            "/root/.ssh/authorized_keys",
            "/etc/pve/ceph.conf",
            "/etc/frr/frr.conf",
            "/etc/network/interfaces.d/sdn",
            "/etc/systemd/system/ssh.service",
            "/etc/systemd/system/ringbolt-x/../ssh.service",
            "/etc/systemd/network/00-ringbolt-a/b",
            "/etc//modules",
            "/etc/./modules",
            "/etc/modules/",
            "/etc/modules\0",
            "/var/lib/ringbolt/bin/agent",
        ] {
            assert!(!is_writable(path), "{path:?}");
        }
    }

    #[test]
    fn what_is_planned_with_may_be_asked_for_and_no_keys() {
        for path in [
            "/etc/pve/ceph.conf",
            "/etc/sysctl.d/*",
            "/etc/sysctl.d/99-x.conf",
            "/etc/pve/storage.cfg",
            &ha::lrm_status("n1"),
            ha::STATUS,
        ] {
            assert!(is_readable(path), "{path}");
        }
        for path in [
            "/etc/shadow",
            "/etc/*",
            "/etc/sysctl.d/a/b",
            "/etc/pve/priv/ceph.client.admin.keyring",
            "/etc/pve/priv/*",
            &ha::lrm_status("../n1"),
            "/root/.ssh/id_ed25519",
            "/var/lib/ceph/osd/ceph-0/keyring",
        ] {
            assert!(!is_readable(path), "{path}");
        }
        let mut question = question::mesh();
        assert_eq!(stranger(&question), None);
        question.files.insert("/etc/shadow".into());
        assert_eq!(stranger(&question), Some("/etc/shadow"));
    }
}
