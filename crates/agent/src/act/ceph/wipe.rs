//! Wipes a disk the spec named by its serial number. Never the system's, never one in use.

use ringbolt_core::facts::disk::{Disk, Use};
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::Failure;

use super::osd::{all, find, used};
use super::{Outcome, Scene, failure, run, tool};
use crate::exec;
use crate::read::ceph;

/// Longest time it may take, in seconds.
const LIMIT: u64 = 300;

/// Wipes the disk at this path if it has this serial number.
pub(super) fn wipe(scene: &Scene<'_>, node: &NodeName, path: &str, serial: &str) -> Outcome {
    if serial.is_empty() {
        return Err(Failure::refused(format!("{path} tells no serial number: it is wiped by hand only")));
    }
    let disks = all(scene)?;
    let disk = find(&disks, path, serial)?;
    if disk.uses.is_empty() {
        return Ok("already blank".to_owned());
    }
    may(disk, &ceph::osds(scene.root, false).iter().map(|osd| osd.id).collect::<Vec<_>>())?;
    let api = format!("/nodes/{node}/disks/wipedisk");
    let output = run(scene, &tool("pvesh", ["set", &api, "--disk", &disk.path], LIMIT))?;
    if is_blank(scene, path, serial)? {
        return Ok("wiped".to_owned());
    }
    // Volumes of an earlier Ceph hold the disk, and Proxmox VE does not take them down.
    let volumes = disk.uses.iter().any(|found| matches!(found, Use::Ceph { .. }));
    if volumes && exec::find("ceph-volume").is_some() {
        let output = run(scene, &tool("ceph-volume", ["lvm", "zap", "--destroy", &disk.path], LIMIT))?;
        return match is_blank(scene, path, serial)? {
            true => Ok("wiped, with the volumes of an earlier Ceph".to_owned()),
            false => Err(failure(&format!("{path} is not blank afterwards"), &output)),
        };
    }
    Err(failure(&format!("{path} is not blank afterwards"), &output))
}

fn is_blank(scene: &Scene<'_>, path: &str, serial: &str) -> Result<bool, Failure> {
    let disks = all(scene)?;
    Ok(find(&disks, path, serial)?.uses.is_empty())
}

/// Refuses what is in use; `osds` are those of this node.
fn may(disk: &Disk, osds: &[u32]) -> Result<(), Failure> {
    let runs = |found: &Use| matches!(found, Use::Ceph { osd: Some(osd), .. } if osds.contains(osd));
    let active = |found: &Use| found.is_active() || runs(found);
    if disk.uses.iter().any(active) {
        return Err(
            used(disk).hint("nothing in use is ever wiped: unmount it, or take it apart, then look again")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ringbolt_core::facts::disk::Medium;
    use ringbolt_core::facts::not_asked;

    use super::*;

    fn allowed(uses: Vec<Use>) -> bool {
        let disk = Disk {
            name: "sda".into(),
            path: "/dev/sda".into(),
            links: Vec::new(),
            model: String::new(),
            serial: "S".into(),
            size: 1,
            medium: Medium::Ssd,
            removable: false,
            read_only: false,
            uses,
            health: not_asked(),
            nr_requests: None,
            volumes: 0,
        };
        may(&disk, &[3]).is_ok()
    }

    #[test]
    fn only_what_lies_there_unused_is_wiped() {
        let osd = |osd| Use::Ceph { osd, fsid: None, cluster: None };
        assert!(allowed(vec![Use::Table("gpt".into()), Use::Partition("sda1".into())]));
        assert!(allowed(vec![Use::Signature("zfs_member".into())]));
        assert!(allowed(vec![osd(Some(7))]) && allowed(vec![osd(None)]));
        for never in [
            Use::System,
            Use::Mounted("/mnt".into()),
            Use::Swap,
            Use::Holder("dm-0".into()),
            Use::Busy,
            Use::Unknown("?".into()),
            osd(Some(3)),
        ] {
            assert!(!allowed(vec![Use::Signature("ext4".into()), never.clone()]), "{never:?}");
        }
    }
}
