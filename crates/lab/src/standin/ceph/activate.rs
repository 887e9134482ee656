//! What `ceph-volume` does at boot for OSDs on LVM: finds the devices of this node's OSDs, makes their folders
//! in memory and starts their daemons.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::Host;
use super::super::fail::Fail;
use super::super::say;
use super::label::{self, Label};
use super::{conf, data, quietly};

use ringbolt_core::arrange::Arrange;

/// Activates every OSD of this node's cluster that has all its devices.
pub(crate) fn activate_all(host: &Host, err: &mut dyn Write) -> Result<(), Fail> {
    let fsid = conf::load(host).get("global", "fsid").unwrap_or_default().to_owned();
    let labels = labels(host);
    for (name, label) in &labels {
        let Some(id) = label.meta.get("whoami") else { continue };
        if label.meta.get("ceph_fsid") != Some(&fsid) || !label.meta.contains_key("ready") {
            continue;
        }
        say(err, &format!("osd.{id} is on {name}"));
        if let Err(fail) = activate(host, id, name, label, &labels) {
            say(err, &format!("osd.{id}: {fail}"));
        }
    }
    Ok(())
}

/// The BlueStore devices of this node, disks and partitions.
pub(super) fn labels(host: &Host) -> Vec<(String, Label)> {
    let entries = fs::read_dir(host.root.home.join("sys/class/block")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.arrange();
    names
        .into_iter()
        .filter_map(|name| Some((name.clone(), label::read(&host.root.dev.join(&name))?)))
        .collect()
}

/// Fills the folder of one OSD from its device and starts it.
pub(super) fn activate(
    host: &Host,
    id: &str,
    name: &str,
    label: &Label,
    labels: &[(String, Label)],
) -> Result<(), Fail> {
    let folder = folder(host, id)?;
    let device = host.root.dev.join(name).to_string_lossy().into_owned();
    quietly(
        host,
        &["ceph-bluestore-tool", "prime-osd-dir", "--dev", &device, "--path", &folder, "--no-mon-config"],
    )?;
    link(host, &folder, "block", name)?;
    for (part, link_name) in [("bluefs db", "block.db"), ("bluefs wal", "block.wal")] {
        if let Some((other, _)) = labels.iter().find(|(_, l)| l.osd == label.osd && l.part == part) {
            link(host, &folder, link_name, other)?;
        }
    }
    start(host, id, &folder)
}

/// An empty folder in memory for an OSD's small files.
pub(super) fn folder(host: &Host, id: &str) -> Result<String, Fail> {
    let folder = data(host, "osd", id);
    fs::create_dir_all(&folder)?;
    let place = folder.to_string_lossy().into_owned();
    let mounts = host.read(&host.root.proc.join("self/mounts"));
    if !mounts.lines().any(|line| line.split(' ').nth(1) == Some(&place)) {
        quietly(host, &["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", &place])?;
    }
    Ok(place)
}

/// Makes a device one of the OSD's, owned by ceph.
pub(super) fn link(host: &Host, folder: &str, link_name: &str, device: &str) -> Result<(), Fail> {
    let device = host.root.dev.join(device);
    let place = Path::new(folder).join(link_name);
    let _ = fs::remove_file(&place);
    symlink(&device, &place)?;
    quietly(host, &["chown", "ceph:ceph", &device.to_string_lossy()])?;
    Ok(())
}

/// Starts the daemon, now and with the target, as ceph-volume does: until the next boot.
fn start(host: &Host, id: &str, folder: &str) -> Result<(), Fail> {
    quietly(host, &["chown", "-R", "-h", "ceph:ceph", folder])?;
    let unit = format!("ceph-osd@{id}");
    quietly(host, &["systemctl", "enable", "--runtime", "--quiet", &unit])?;
    quietly(host, &["systemctl", "start", "--no-block", &unit])?;
    Ok(())
}
