//! Block devices as sysfs shows them, with the links and serial numbers udev keeps.
//!
//! A lab node may name a sysfs of its own for its disks; what the kernel builds on top of them is
//! read from the real one as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::disk::reading::{Block, Reading};
use ringbolt_core::facts::disk::{Disk, Medium};
use ringbolt_core::facts::not_asked;
use ringbolt_core::into_map::IntoMap;
use rustix::fs::{major, minor};
use std::os::unix::fs::MetadataExt;

use crate::root::Root;

/// Beginnings of names that are no disks.
const OTHERS: [&str; 11] = ["loop", "ram", "zram", "dm-", "md", "sr", "nbd", "zd", "rbd", "fd", "drbd"];

/// Folders of links to disks.
const LINKS: [&str; 2] = ["/dev/disk/by-id", "/dev/disk/by-path"];

/// Bytes of one of the kernel's sectors, whatever the disk's are.
const SECTOR: u64 = 512;

/// Word of a lab that has disks of its own.
const STAND_IN: &str = "disks";

/// Disks, without their uses, and all devices with what is built on them.
pub(super) struct Tree {
    /// Whole disks, by name.
    pub(super) disks: Vec<Disk>,
    /// All block devices; nothing else of a reading.
    pub(super) reading: Reading,
}

/// Reads the tree; why not, when there is none.
pub(super) fn read(root: &Root) -> Result<Tree, String> {
    let real = root.at("/sys");
    let stood_in = root.realm.stand_ins.iter().any(|name| name == STAND_IN);
    let top = if stood_in { &root.sysfs } else { &real }.join("block");
    let mut reading = Reading::default();
    let mut disks = Vec::new();
    let names = entries(&top).map_err(|error| format!("cannot read {}: {error}", top.display()))?;
    for name in names {
        let folder = top.join(&name);
        enter(&mut reading, &folder, &name);
        if stood_in {
            add_real(root, &mut reading, &name);
        }
        if is_disk(&folder, &name) {
            disks.push(disk(root, &folder, &name, &mut reading));
        }
    }
    if stood_in {
        for name in entries(&real.join("block")).unwrap_or_default() {
            if ["dm-", "md"].iter().any(|kind| name.starts_with(kind)) {
                enter(&mut reading, &real.join("block").join(&name), &name);
            }
        }
    }
    let mut links = links(root, &reading);
    for disk in &mut disks {
        disk.links = links.remove(&disk.name).unwrap_or_default();
    }
    Ok(Tree { disks, reading })
}

/// The kernel name of what a path leads to.
pub(super) fn device(root: &Root, reading: &Reading, path: &str) -> Option<String> {
    let dev = number(root, path)?;
    reading.name(&dev).map(str::to_owned)
}

/// Where a path leads to, links followed within the tree.
pub(super) fn end(root: &Root, path: &str) -> Option<PathBuf> {
    let mut path = PathBuf::from(path);
    for _ in 0..8 {
        match std::fs::read_link(root.at(&path)) {
            Ok(target) => path = path.parent()?.join(target),
            Err(_) => return Some(path),
        }
    }
    None
}

/// The device number of what a path leads to.
pub(super) fn number(root: &Root, path: &str) -> Option<String> {
    let dev = std::fs::metadata(root.at(end(root, path)?)).ok()?.rdev();
    (dev != 0).then(|| format!("{}:{}", major(dev), minor(dev)))
}

/// Names in a folder, sorted.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder)?.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.arrange();
    Ok(names)
}

fn line(path: impl AsRef<Path>) -> Option<String> {
    Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).trim().to_owned())
}

/// Enters a device and its partitions.
fn enter(reading: &mut Reading, folder: &Path, name: &str) {
    let below = entries(folder).unwrap_or_default();
    let partitions: Vec<String> =
        below.into_iter().filter(|part| folder.join(part).join("partition").exists()).collect();
    for part in &partitions {
        let block = block(&folder.join(part));
        reading.blocks.insert(part.clone(), block);
    }
    reading.blocks.insert(name.to_owned(), Block { partitions, ..block(folder) });
}

fn block(folder: &Path) -> Block {
    Block {
        dev: line(folder.join("dev")).unwrap_or_default(),
        own_name: line(folder.join("dm/name")).unwrap_or_default(),
        holders: entries(&folder.join("holders")).unwrap_or_default(),
        ..Block::default()
    }
}

/// Bytes of the device-mapper volumes built on a disk, its partitions included.
fn volumes(folder: &Path) -> u64 {
    let below = entries(folder).unwrap_or_default().into_iter().map(|part| folder.join(part));
    let parts = below.filter(|part| part.join("partition").exists());
    let mut sectors = std::collections::BTreeMap::new();
    for place in parts.chain([folder.to_path_buf()]).map(|place| place.join("holders")) {
        for holder in entries(&place).unwrap_or_default().into_iter().filter(|name| name.starts_with("dm-")) {
            let size = line(place.join(&holder).join("size")).and_then(|size| size.parse::<u64>().ok());
            sectors.insert(holder, size.unwrap_or_default());
        }
    }
    sectors.values().sum::<u64>() * 512
}

/// What the real kernel has built on a disk of the lab.
fn add_real(root: &Root, reading: &mut Reading, name: &str) {
    let Some(block) = reading.blocks.get_mut(name) else { return };
    let folder = root.at(format!("/sys/dev/block/{}/holders", block.dev));
    let real = entries(&folder).unwrap_or_default();
    block
        .holders
        .extend(real.into_iter().filter(|holder| holder.starts_with("dm-") || holder.starts_with("md")));
    block.holders.arrange();
    block.holders.dedup();
}

/// Whether a device is a whole disk somebody could store things on.
fn is_disk(folder: &Path, name: &str) -> bool {
    let boot = name.starts_with("mmcblk") && name.contains("boot") || name.ends_with("rpmb");
    let hidden = line(folder.join("hidden")).is_some_and(|word| word == "1");
    let empty = line(folder.join("size")).is_some_and(|size| size == "0");
    !(OTHERS.iter().any(|kind| name.starts_with(kind)) || boot || hidden || empty)
}

fn disk(root: &Root, folder: &Path, name: &str, reading: &mut Reading) -> Disk {
    let text = |file: &str| line(folder.join(file)).filter(|text| !text.is_empty());
    let flag = |file: &str| text(file).is_some_and(|word| word == "1");
    let dev = text("dev").unwrap_or_default();
    let udev = udev(root, &dev);
    let sectors = text("size").and_then(|size| size.parse::<u64>().ok());
    let mut faults = Vec::new();
    if sectors.is_none() {
        faults.push("the kernel does not tell its size".to_owned());
    }
    if dev.is_empty() {
        faults.push("the kernel does not tell its device number".to_owned());
    }
    let path = super::node(name);
    // Another device under this name would be looked at, or worse, in its place.
    if let Some(other) = number(root, &path).filter(|number| *number != dev) {
        faults.push(format!("{path} is device {other}, the kernel says {dev}"));
    }
    if !faults.is_empty() {
        reading.faults.entry(name.to_owned()).or_default().extend(faults);
    }
    let medium = match name.starts_with("nvme") {
        true => Medium::Nvme,
        false if flag("queue/rotational") => Medium::Hdd,
        false => Medium::Ssd,
    };
    Disk {
        name: name.to_owned(),
        path,
        links: Vec::new(),
        model: model(folder, &udev),
        serial: serial(folder, &udev),
        size: sectors.unwrap_or_default().saturating_mul(SECTOR),
        medium,
        removable: flag("removable"),
        read_only: flag("ro"),
        uses: Vec::new(),
        health: not_asked(),
        nr_requests: text("queue/nr_requests").and_then(|count| count.parse().ok()),
        volumes: volumes(folder),
    }
}

/// The kernel's name of the model; udev's where the kernel's is cut short (SCSI has 16 letters).
fn model(folder: &Path, udev: &BTreeMap<String, String>) -> String {
    let told = line(folder.join("device/model")).unwrap_or_default();
    let longer = udev.get("ID_MODEL").map(|model| model.replace('_', " ").trim().to_owned());
    match longer {
        Some(longer) if told.is_empty() || longer.len() > told.len() && longer.starts_with(&told) => longer,
        _ => told,
    }
}

fn serial(folder: &Path, udev: &BTreeMap<String, String>) -> String {
    let told = ["device/serial", "serial"]
        .iter()
        .find_map(|file| line(folder.join(file)).filter(|text| !text.is_empty()));
    let short = || udev.get("ID_SERIAL_SHORT").cloned();
    told.or_else(short).or_else(|| page_80(&folder.join("device/vpd_pg80"))).unwrap_or_default()
}

/// The serial number in SCSI's page 80: four bytes of header, then text.
fn page_80(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(bytes.get(4..)?).trim_matches(['\0', ' ']).to_owned();
    (!text.is_empty()).then_some(text)
}

/// udev's properties of a device.
fn udev(root: &Root, dev: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root.at(format!("/run/udev/data/b{dev}"))).unwrap_or_default();
    let property = |line: &str| {
        let (name, value) = line.strip_prefix("E:")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(property).into_map()
}

/// Links to each device, by kernel name.
fn links(root: &Root, reading: &Reading) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in LINKS {
        for name in entries(&root.at(folder)).unwrap_or_default() {
            let path = format!("{folder}/{name}");
            if let Some(device) = device(root, reading, &path) {
                found.entry(device).or_default().push(path);
            }
        }
    }
    found
}
