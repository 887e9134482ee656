//! Guests of this node, and which of them run: by Proxmox VE's list, the process files of its virtual
//! machines and the command sockets of its containers. No Perl is started.

use std::collections::BTreeSet;

use ringbolt_core::facts::{Guest, Known, ha};
use ringbolt_core::into_set::IntoSet;

use crate::root::Root;

/// Which guests the cluster has, and where.
const LIST: &str = "/etc/pve/.vmlist";

/// The guests of this node.
pub(super) fn guests(root: &Root) -> Known<Vec<Guest>> {
    let list = match std::fs::read_to_string(root.at(LIST)) {
        Ok(list) => list,
        Err(error) => return Known::No(format!("{LIST}: {error}")),
    };
    let name = root.line("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut guests = ha::guests(&list, name.split('.').next().unwrap_or_default());
    let containers = containers(&std::fs::read_to_string(root.at("/proc/net/unix")).unwrap_or_default());
    for guest in &mut guests {
        guest.runs = match guest.kind.as_str() {
            "ct" => containers.contains(&guest.id),
            _ => machine(root, guest.id),
        };
    }
    Known::Yes(guests)
}

/// Whether the process of a virtual machine is there.
fn machine(root: &Root, id: u32) -> bool {
    let pid = root.line(&format!("/run/qemu-server/{id}.pid"));
    pid.and_then(|pid| pid.trim().parse::<u32>().ok())
        .is_some_and(|pid| root.at(format!("/proc/{pid}")).exists())
}

/// Containers that run, by their command sockets in the list of sockets.
fn containers(sockets: &str) -> BTreeSet<u32> {
    let id = |line: &str| {
        let path = line.split_whitespace().last()?;
        path.strip_prefix("@/var/lib/lxc/")?.strip_suffix("/command")?.parse().ok()
    };
    sockets.lines().filter_map(id).into_set()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_their_sockets() {
        let text = "Num RefCount Protocol Flags Type St Inode Path\n\
            00000000: 00000002 00000000 00010000 0001 01 2345 @/var/lib/lxc/101/command\n\
            00000000: 00000002 00000000 00010000 0001 01 2346 /run/x\n\
            00000000: 00000003 00000000 00000000 0001 03 2347\n";
        assert_eq!(containers(text), BTreeSet::from([101]));
    }
}
