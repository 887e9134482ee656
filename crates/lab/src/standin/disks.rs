//! `/nodes/{node}/disks`: what disks there are, what they are used for, and wiping them.
//!
//! What disks there are is read from the lab's sysfs tree; what is on them from the disks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::api::Method;
use super::fail::Fail;
use super::handlers::{flag, text};
use super::schema::Params;
use super::task::Task;
use super::{Host, smart};
use ringbolt_core::arrange::Arrange;
use ringbolt_core::into_map::IntoMap;

/// A disk or a partition.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    /// Kernel name.
    pub(crate) name: String,
    /// What it is used for; none for a free one.
    pub(crate) used: Option<String>,
    parent: Option<String>,
    gpt: bool,
    mounted: bool,
    size: u64,
    osds: Vec<i64>,
    part_of_osd: Option<&'static str>,
}

pub(crate) fn call(
    host: &Host,
    method: &Method,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    match method.name {
        "index" => Ok(["directory", "initgpt", "list", "lvm", "lvmthin", "smart", "wipedisk", "zfs"]
            .iter()
            .map(|name| json!({ "name": name }))
            .collect()),
        "list" => {
            let kind = text(params, "type");
            let disks = list(host, !flag(params, "include-partitions"));
            let free = |disk: &&Disk| kind != "unused" || disk.used.is_none();
            Ok(disks.iter().filter(free).map(|disk| shown(host, disk, flag(params, "skipsmart"))).collect())
        }
        "smart" => {
            let name = known(host, text(params, "disk"))?;
            let passed = smart::values(host, &name)["critical_warning"] == 0;
            let health = if passed { "PASSED" } else { "FAILED!" };
            if flag(params, "healthonly") {
                return Ok(json!({ "health": health }));
            }
            Ok(
                json!({ "health": health, "type": "text", "text": smart::text(host, &name), "wearout": wear(host, &name) }),
            )
        }
        _ => {
            let path = text(params, "disk");
            let name = known(host, path)?;
            refuse_busy(host, &name)?;
            let mut task = Task::start(host, "wipedisk", &name, out)?;
            let result = wipe(host, &name, &mut task);
            task.finish(host, result, err)
        }
    }
}

fn known(host: &Host, path: &str) -> Result<String, Fail> {
    let below = path.strip_prefix("/dev/").unwrap_or(path);
    let name = fs::canonicalize(host.root.dev.join(below))
        .ok()
        .and_then(|real| Some(real.file_name()?.to_str()?.to_owned()))
        .filter(|name| tree(host).join("class/block").join(name).exists());
    name.ok_or_else(|| Fail::die(format!("not a valid block device '{path}'")))
}

fn refuse_busy(host: &Host, name: &str) -> Result<(), Fail> {
    for disk in list(host, false) {
        if disk.name != name && disk.parent.as_deref() != Some(name) {
            continue;
        }
        if disk.mounted {
            return Err(Fail::die(format!(
                "error wiping '/dev/{name}': disk/partition '/dev/{}' is mounted",
                disk.name
            )));
        }
        if !disk.osds.is_empty() {
            return Err(Fail::die(format!(
                "error wiping '/dev/{name}': disk/partition '/dev/{}' has a holder",
                disk.name
            )));
        }
    }
    Ok(())
}

fn tree(host: &Host) -> PathBuf {
    host.root.home.join("sys")
}

fn attribute(host: &Host, name: &str, attribute: &str) -> String {
    host.read(&tree(host).join("class/block").join(name).join(attribute)).trim().to_owned()
}

/// All disks, with or without their partitions, by name.
pub(crate) fn list(host: &Host, whole_only: bool) -> Vec<Disk> {
    let entries = fs::read_dir(tree(host).join("class/block")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.arrange();
    let found = probe(host, &names);
    let mounts = mounts(host);
    let osds = osds(host);
    let disks: Vec<Disk> = names.iter().map(|name| disk(host, name, &found, &mounts, &osds)).collect();
    let with_partitions: Vec<Disk> = disks
        .iter()
        .map(|disk| {
            let mut disk = disk.clone();
            let below = disks.iter().any(|part| part.parent.as_deref() == Some(&disk.name));
            if disk.used.is_none() && below {
                disk.used = Some("partitions".to_owned());
            }
            disk
        })
        .collect();
    with_partitions.into_iter().filter(|disk| !whole_only || disk.parent.is_none()).collect()
}

type Found = BTreeMap<String, BTreeMap<String, String>>;

/// What `blkid` finds on each, by name.
fn probe(host: &Host, names: &[String]) -> Found {
    let paths: Vec<String> =
        names.iter().map(|name| host.root.dev.join(name).to_string_lossy().into_owned()).collect();
    let argv: Vec<&str> =
        ["blkid", "-p", "-o", "export"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let mut found = Found::new();
    for block in host.exec.run(&argv).stdout.split("\n\n") {
        let pairs: BTreeMap<String, String> = block
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_map();
        let name = pairs.get("DEVNAME").and_then(|path| Path::new(path).file_name()?.to_str());
        if let Some(name) = name {
            found.insert(name.to_owned(), pairs.clone());
        }
    }
    found
}

/// Names of mounted devices, and those that are swapped to.
fn mounts(host: &Host) -> Vec<String> {
    let both = host.read(&host.root.proc.join("self/mounts")) + &host.read(&host.root.proc.join("swaps"));
    both.lines()
        .filter_map(|line| line.split_whitespace().next()?.strip_prefix("/dev/"))
        .map(str::to_owned)
        .collect()
}

/// Devices of this node's OSDs: name, number and what it is there.
fn osds(host: &Host) -> Vec<(String, i64, &'static str)> {
    let mut all = Vec::new();
    for folder in fs::read_dir(host.root.var.join("lib/ceph/osd")).into_iter().flatten().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let Some(id) = name.rsplit('-').next().and_then(|id| id.parse().ok()) else { continue };
        for part in ["block", "block.db", "block.wal"] {
            let to = fs::read_link(folder.path().join(part)).ok();
            if let Some(device) = to.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()) {
                all.push((device.to_owned(), id, part));
            }
        }
    }
    all
}

fn disk(
    host: &Host,
    name: &str,
    found: &Found,
    mounts: &[String],
    osds: &[(String, i64, &'static str)],
) -> Disk {
    let none = BTreeMap::new();
    let probed = found.get(name).unwrap_or(&none);
    let get = |key: &str| probed.get(key).map(String::as_str);
    let is_part = !attribute(host, name, "partition").is_empty();
    let mine: Vec<&(String, i64, &'static str)> = osds.iter().filter(|(device, ..)| device == name).collect();
    let mounted = mounts.iter().any(|device| device == name);
    let kind = get("PART_ENTRY_TYPE").filter(|_| is_part).unwrap_or_default();
    let used = if !mine.is_empty() {
        // OSDs of this node are on LVM, on a real one.
        Some("LVM".to_owned())
    } else if mounted {
        Some("mounted".to_owned())
    } else {
        match (get("TYPE"), kind) {
            (Some("LVM2_member"), _) => Some("LVM".to_owned()),
            (Some("zfs_member"), _) => Some("ZFS".to_owned()),
            (Some(other), _) => Some(other.to_owned()),
            (None, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b") => Some("EFI".to_owned()),
            (None, "21686148-6449-6e6f-744e-656564454649") => Some("BIOS boot".to_owned()),
            (None, "6a945a3b-1dd2-11b2-99a6-080020736631") => Some("ZFS reserved".to_owned()),
            _ => None,
        }
    };
    let sectors: u64 = attribute(host, name, "size").parse().unwrap_or(0);
    Disk {
        name: name.to_owned(),
        used,
        parent: is_part.then(|| name.rsplit_once('p').map_or(name, |(disk, _)| disk).to_owned()),
        gpt: get("PTTYPE") == Some("gpt"),
        mounted,
        size: sectors * 512,
        osds: mine.iter().filter(|(.., part)| *part == "block").map(|(_, id, _)| *id).collect(),
        part_of_osd: mine.first().map(|(.., part)| *part),
    }
}

fn wear(host: &Host, name: &str) -> Value {
    smart::values(host, name)["percentage_used"].as_i64().map_or(json!("N/A"), |used| json!(100 - used))
}

fn shown(host: &Host, disk: &Disk, skip_smart: bool) -> Value {
    let path = |name: &str| format!("/dev/{name}");
    let whole = disk.parent.as_deref().unwrap_or(&disk.name);
    let model = attribute(host, whole, "device/model");
    let serial = attribute(host, whole, "device/serial");
    let mut row = json!({
        "devpath": path(&disk.name), "size": disk.size, "gpt": u8::from(disk.gpt),
        "osdid": disk.osds.first().copied().unwrap_or(-1),
        "osdid-list": if disk.osds.is_empty() { Value::Null } else { json!(disk.osds) },
    });
    if disk.mounted {
        row["mounted"] = json!(1);
    }
    if let Some(used) = &disk.used {
        row["used"] = json!(used);
    }
    match disk.part_of_osd {
        Some("block") => {
            row["bluestore"] = json!(1);
            row["osdencrypted"] = json!(0);
        }
        Some("block.db") => row["db"] = json!(1),
        Some(_) => row["wal"] = json!(1),
        None => {}
    }
    if let Some(parent) = &disk.parent {
        row["parent"] = json!(path(parent));
        row["type"] = json!("partition");
        return row;
    }
    row["by_id_link"] = json!(format!("/dev/disk/by-id/nvme-{}_{serial}", model.replace(' ', "_")));
    row["model"] = json!(model);
    row["serial"] = json!(serial);
    row["vendor"] = json!("unknown");
    row["wwn"] = json!(attribute(host, &disk.name, "wwid"));
    row["type"] = json!("nvme");
    row["rpm"] = json!(0);
    if skip_smart {
        row["health"] = json!("UNKNOWN");
        row["wearout"] = json!("N/A");
    } else {
        let passed = smart::values(host, &disk.name)["critical_warning"] == 0;
        row["health"] = json!(if passed { "PASSED" } else { "FAILED!" });
        row["wearout"] = wear(host, &disk.name);
    }
    row
}

/// Removes every signature from a disk or partition and its partitions, and zeroes its beginning.
pub(crate) fn wipe(host: &Host, name: &str, task: &mut Task<'_>) -> Result<(), Fail> {
    let path = |name: &str| host.root.dev.join(name).to_string_lossy().into_owned();
    let device = path(name);
    task.say(&format!("wiping block device /dev/{name}"));
    let parts: Vec<String> = list(host, false)
        .into_iter()
        .filter(|disk| disk.parent.as_deref() == Some(name))
        .map(|disk| disk.name)
        .collect();
    let places: Vec<String> = parts.iter().map(|part| path(part)).chain([device.clone()]).collect();
    let mut argv = vec!["wipefs", "--all", "--force", "--quiet"];
    argv.extend(places.iter().map(String::as_str));
    run(host, &argv)?;
    if !parts.is_empty() {
        host.exec.run(&["partx", "--delete", &device]);
        forget(host, name, &parts);
    }
    let bytes: u64 = attribute(host, name, "size").parse::<u64>().unwrap_or(0) * 512;
    let length = bytes.min(200 << 20).to_string();
    run(host, &["blkdiscard", "--force", "--zeroout", "--length", &length, &device])?;
    task.say(&format!("{length} bytes of /dev/{name} are zero now"));
    Ok(())
}

fn run(host: &Host, argv: &[&str]) -> Result<(), Fail> {
    let ran = host.exec.run(argv);
    if ran.status == 0 {
        return Ok(());
    }
    let last = ran.stderr.lines().last().unwrap_or_default();
    Err(Fail::die(format!("command '{}' failed: exit code {} - {last}", argv.join(" "), ran.status)))
}

/// Takes partitions that are gone out of the lab's tree and `/dev`, as the kernel would.
fn forget(host: &Host, disk: &str, parts: &[String]) {
    let tree = tree(host);
    for part in parts {
        let number = attribute(host, part, "dev");
        let _ = fs::remove_file(tree.join("dev/block").join(number));
        let _ = fs::remove_file(tree.join("class/block").join(part));
        let _ = fs::remove_dir_all(tree.join("block").join(disk).join(part));
        let _ = fs::remove_file(host.root.dev.join(part));
    }
}
