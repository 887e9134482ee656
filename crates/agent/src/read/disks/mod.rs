//! Disks of the node and what stands on them, from the kernel's files and one call of wipefs.
//!
//! Nothing here writes to a device: signatures are listed, the exclusive open is for reading. Asked
//! for by the plan, and once more right before a disk is given away.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::thread::JoinHandle;

use ringbolt_core::facts::ceph::Ground;
use ringbolt_core::facts::disk::reading::{OsdFolder, Reading};
use ringbolt_core::facts::disk::signatures::{COLUMNS, LABEL_BYTES, Label, label, signatures};
use ringbolt_core::facts::disk::{Disk, Use, mounts, smart, volumes};
use ringbolt_core::facts::{Disks, Known, not_asked};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::into_set::IntoSet;
use rustix::fs::{Mode, OFlags, open};

use crate::exec::{call, find};
use crate::root::Root;

mod blocks;
mod ground;
mod osds;

/// Most devices given to one call of wipefs.
const AT_ONCE: usize = 500;

/// Longest wait for wipefs or smartctl, in seconds.
const LIMIT: u64 = 20;

/// Starts looking in a thread of its own.
pub(super) fn ask(root: &Root, how: Disks) -> Known<JoinHandle<Known<Vec<Disk>>>> {
    if how == Disks::No {
        return not_asked();
    }
    let root = root.clone();
    Known::Yes(std::thread::spawn(move || disks(&root, how)))
}

/// Collects what was found.
pub(super) fn collect(asked: Known<JoinHandle<Known<Vec<Disk>>>>) -> Known<Vec<Disk>> {
    match asked {
        Known::No(why) => Known::No(why),
        Known::Yes(thread) => {
            thread.join().unwrap_or_else(|_| Known::No("the agent has a bug: reading disks panicked".into()))
        }
    }
}

/// All disks of the node, by kernel name.
pub(crate) fn disks(root: &Root, how: Disks) -> Known<Vec<Disk>> {
    match blocks::read(root) {
        Ok(tree) => Known::Yes(looked_at(root, tree, how)),
        Err(why) => Known::No(why),
    }
}

/// An OSD of this node and what is below it.
pub(crate) struct OsdFound {
    /// Its folder.
    pub(crate) folder: OsdFolder,
    /// Kernel names of the disks.
    pub(crate) disks: Vec<String>,
    /// What is no disk.
    pub(crate) ground: Vec<Ground>,
}

/// The OSDs of this node.
pub(crate) fn osds(root: &Root) -> Vec<OsdFound> {
    let (reading, names): (Reading, Vec<String>) = match blocks::read(root) {
        Ok(tree) => (tree.reading, tree.disks.into_iter().map(|disk| disk.name).collect()),
        Err(_) => (Reading::default(), Vec::new()),
    };
    let disks = |osd: &OsdFolder| {
        let below = osd.devices.iter().flat_map(|device| reading.below(device, &names));
        below.into_set().into_iter().collect()
    };
    let found = |folder: OsdFolder| OsdFound {
        disks: disks(&folder),
        ground: ground::of(root, &reading, &names, folder.id),
        folder,
    };
    osds::folders(root, &reading).into_iter().map(found).collect()
}

fn looked_at(root: &Root, tree: blocks::Tree, how: Disks) -> Vec<Disk> {
    let blocks::Tree { mut disks, mut reading } = tree;
    let asked = (how == Disks::Health).then(|| ask_health(root, &disks));
    mounted(root, &mut reading);
    let names: Vec<String> = disks.iter().map(|disk| disk.name.clone()).collect();
    look_for_signatures(root, &names, &mut reading);
    reading.osds = osds::folders(root, &reading);
    look_for_labels(root, &mut reading);
    look_for_tags(&mut reading);
    for disk in &mut disks {
        disk.uses = reading.uses(&disk.name);
        if !disk.uses.iter().any(explains_busy) {
            disk.uses.extend(opened_by_others(root, &disk.path));
        }
    }
    for (disk, health) in disks.iter_mut().zip(asked.into_iter().flatten()) {
        disk.health = health
            .join()
            .unwrap_or_else(|_| Known::No("the agent has a bug: asking smartctl panicked".into()));
    }
    disks
}

/// Mounts, swap and arrays.
fn mounted(root: &Root, reading: &mut Reading) {
    match std::fs::read_to_string(root.at("/proc/self/mountinfo")) {
        Ok(text) => reading.mounts = mounts::mounts(&text),
        Err(error) => fault(reading, "", format!("cannot read /proc/self/mountinfo: {error}")),
    }
    let sources: BTreeSet<String> = reading.mounts.iter().map(|m| m.source.clone()).into_set();
    for source in sources.into_iter().filter(|source| source.starts_with("/dev/")) {
        if let Some(name) = blocks::device(root, reading, &source) {
            reading.blocks.entry(name).or_default().sources.push(source);
        }
    }
    // A kernel without swap or RAID has no such file.
    let swaps = std::fs::read_to_string(root.at("/proc/swaps")).unwrap_or_default();
    for path in mounts::swaps(&swaps) {
        let on = blocks::device(root, reading, &path).or_else(|| holder_of_file(reading, &path));
        reading.swaps.extend(on);
    }
    let arrays = std::fs::read_to_string(root.at("/proc/mdstat")).unwrap_or_default();
    for (array, members) in mounts::arrays(&arrays) {
        for member in members {
            let holders = &mut reading.blocks.entry(member).or_default().holders;
            if !holders.contains(&array) {
                holders.push(array.clone());
            }
        }
    }
}

/// The device of the file system a swap file is in.
fn holder_of_file(reading: &Reading, path: &str) -> Option<String> {
    let within = |place: &str| path.strip_prefix(place).is_some_and(|r| place == "/" || r.starts_with('/'));
    let mount = reading.mounts.iter().filter(|m| within(&m.place)).max_by_key(|m| m.place.len())?;
    reading.name(&mount.dev).map(str::to_owned)
}

fn fault(reading: &mut Reading, device: &str, why: String) {
    reading.faults.entry(device.to_owned()).or_default().push(why);
}

/// Signatures of the disks and their partitions; should one device fail the call, each by itself.
fn look_for_signatures(root: &Root, disks: &[String], reading: &mut Reading) {
    let partitions = disks.iter().filter_map(|disk| Some(&reading.blocks.get(disk)?.partitions)).flatten();
    let names: Vec<String> = disks.iter().chain(partitions).cloned().collect();
    for some in names.chunks(AT_ONCE) {
        match wipefs(root, some) {
            Ok(found) => reading.signatures.extend(found),
            Err(why) if some.len() == 1 => fault(reading, &some[0], why),
            Err(_) => each_alone(root, some, reading),
        }
    }
}

fn each_alone(root: &Root, names: &[String], reading: &mut Reading) {
    for name in names {
        match wipefs(root, std::slice::from_ref(name)) {
            Ok(found) => reading.signatures.extend(found),
            Err(why) => fault(reading, name, why),
        }
    }
}

type Signatures = BTreeMap<String, Vec<ringbolt_core::facts::disk::signatures::Signature>>;

/// One call. Without `--all` and `--offset` wipefs only lists.
fn wipefs(root: &Root, names: &[String]) -> Result<Signatures, String> {
    let paths = names.iter().map(|name| root.at(node(name)).to_string_lossy().into_owned());
    let words = ["--json", "--noheadings", "--output", COLUMNS, "--"].map(str::to_owned);
    let call = call("wipefs", words.into_iter().chain(paths)).limit(LIMIT);
    let output = call.run().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("wipefs cannot look at it: {}", output.last(1)));
    }
    signatures(&output.out).map_err(|e| format!("wipefs gave no answer that can be read: {e}"))
}

/// The device node of a kernel name.
fn node(name: &str) -> String {
    format!("/dev/{}", name.replace('!', "/"))
}

/// Labels of OSDs on what may carry one: devices with Ceph's signature, and volumes by Ceph's name.
fn look_for_labels(root: &Root, reading: &mut Reading) {
    let signed = |name: &str| {
        let found = reading.signatures.get(name).into_iter().flatten();
        found.into_iter().any(|signature| signature.kind == "ceph_bluestore")
    };
    let volume = |name: &str| reading.blocks.get(name).is_some_and(|b| b.own_name.starts_with("ceph--"));
    let devices = reading.blocks.keys().filter(|name| signed(name) || volume(name));
    let found: BTreeMap<String, Label> =
        devices.filter_map(|name| Some((name.clone(), read_label(root, name)?))).into_map();
    reading.labels = found;
}

/// What LVM knows of volumes that nothing else tells about: of OSDs that are not activated, encrypted or databases.
/// Where it gives no answer, they stay volumes of an OSD nobody knows.
fn look_for_tags(reading: &mut Reading) {
    let untold = reading.untold();
    if untold.is_empty() {
        return;
    }
    // No lock is taken, and nothing written.
    let words = ["--readonly", "--reportformat", "json", "--options", volumes::COLUMNS];
    let Ok(output) = call("lvs", words).limit(LIMIT).run() else { return };
    let Ok(mut told) = volumes::labels(&output.out) else { return };
    for name in untold {
        let label = reading.blocks.get(&name).and_then(|block| told.remove(&block.own_name));
        reading.labels.extend(label.map(|label| (name, label)));
    }
}

fn read_label(root: &Root, name: &str) -> Option<Label> {
    let mut bytes = Vec::with_capacity(LABEL_BYTES);
    let file = File::open(root.at(node(name))).ok()?;
    file.take(LABEL_BYTES as u64).read_to_end(&mut bytes).ok()?;
    label(&bytes)
}

/// Whether a use is known to keep the device open.
fn explains_busy(use_: &Use) -> bool {
    matches!(use_, Use::System | Use::Mounted(_) | Use::Swap | Use::Holder(_) | Use::Ceph { .. })
}

/// Whether somebody keeps the disk for himself; or why that cannot be told.
fn opened_by_others(root: &Root, path: &str) -> Option<Use> {
    let place = root.at(path);
    match std::fs::metadata(&place) {
        Ok(about) if about.file_type().is_block_device() => {}
        Ok(_) => return Some(Use::Unknown(format!("{path} is no block device"))),
        Err(error) => return Some(Use::Unknown(format!("cannot look at {path}: {error}"))),
    }
    // On a block device this claims it for the time it is open, and fails when another has.
    let flags = OFlags::RDONLY | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match open(&place, flags, Mode::empty()) {
        Ok(_) => None,
        Err(rustix::io::Errno::BUSY) => Some(Use::Busy),
        Err(error) => Some(Use::Unknown(format!("cannot open {path}: {error}"))),
    }
}

/// Asks every disk at once for its condition.
fn ask_health(root: &Root, disks: &[Disk]) -> Vec<JoinHandle<Known<ringbolt_core::facts::disk::Health>>> {
    let there = find("smartctl").is_some();
    let ask = |disk: &Disk| {
        let path = root.at(&disk.path).to_string_lossy().into_owned();
        std::thread::spawn(move || {
            if !there {
                return Known::No("smartctl is not installed".into());
            }
            match call("smartctl", ["--json", "-a", &path]).limit(LIMIT).run() {
                Ok(output) => smart::health(&output.out),
                Err(error) => Known::No(error.to_string()),
            }
        })
    };
    disks.iter().map(ask).collect()
}

#[cfg(test)]
#[path = "disks_test.rs"]
mod tests;
