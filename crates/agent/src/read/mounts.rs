//! Free space, and whether `/etc/pve` takes writes.

use std::path::Path;

use ringbolt_core::facts::pve;

use crate::root::Root;

/// Free bytes for ordinary writers on the file system of `path`; 0 when it cannot be told.
pub(crate) fn free(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |fs| fs.f_bavail * fs.f_frsize)
}

/// Whether `/etc/pve` is mounted, writable and quorate; `None` when it is not mounted.
pub(super) fn pve_writable(root: &Root) -> Option<bool> {
    let mounts = std::fs::read_to_string(root.at("/proc/self/mountinfo")).unwrap_or_default();
    let members = std::fs::read_to_string(root.at(pve::path::MEMBERS)).unwrap_or_default();
    let writable = mounted(&mounts, "/etc/pve")?;
    // A node in no cluster has no `cluster` part and is its own quorum.
    let quorate = pve::members(&members).ok().and_then(|m| m.cluster).is_none_or(|c| c.quorate == 1);
    Some(writable && quorate)
}

/// Whether the topmost mount at `point` is writable; `None` when nothing is mounted there.
pub(crate) fn mounted(mountinfo: &str, point: &str) -> Option<bool> {
    let line = mountinfo.lines().rfind(|line| line.split(' ').nth(4) == Some(point))?;
    let (mount, file_system) = line.split_once(" - ")?;
    let writable = |options: Option<&str>| options.is_some_and(|o| o.split(',').any(|o| o == "rw"));
    Some(writable(mount.split(' ').nth(5)) && writable(file_system.split(' ').nth(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mount_of_a_place_counts() {
        let info = "25 1 0:22 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                    60 25 0:50 / /etc/pve rw,nosuid,nodev,relatime shared:30 - fuse /dev/fuse rw,user_id=0\n";
        assert_eq!(mounted(info, "/etc/pve"), Some(true));
        let again = format!("{info}61 60 0:51 / /etc/pve ro,relatime - ext4 /dev/sda1 rw\n");
        assert_eq!(mounted(&again, "/etc/pve"), Some(false));
        assert_eq!(mounted(info, "/etc/nothing"), None);
    }
}
