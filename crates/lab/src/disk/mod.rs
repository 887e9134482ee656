//! Disks of lab nodes: sparse files behind loop devices of this machine, shown to the node as NVMe disks. Used
//! by `up`, the power commands, `lab disk` and `down`. It detaches only loop devices whose file lies in the
//! lab's own folder, and never reads or writes any other disk.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::lab::{Lab, LabError};
use crate::layer::HOME;
use crate::node;
use crate::program::{self, ProgramError};
use crate::state::{NodeRecord, StateError, file_error};

use ringbolt_core::arrange::Arrange;

mod gpt;
pub mod signature;
mod tree;

pub use signature::Content;

/// How large the disk is that the node's system seems to be on.
const OS_SIZE: u64 = 16 << 30;

/// A disk of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRecord {
    /// Kernel name, `nvme1n1`.
    pub name: String,
    /// Model as the drive tells it.
    pub model: String,
    /// Serial number, the same each time for one place in one lab.
    pub serial: String,
    /// Bytes.
    pub size: u64,
    /// Whether it is plugged in.
    pub present: bool,
}

impl DiskRecord {
    /// Whether the node's system is on it.
    #[must_use]
    pub fn is_os(&self) -> bool {
        self.number() == 0
    }

    /// The controller's number, `1` for `nvme1n1`.
    fn number(&self) -> u32 {
        let digits = self.name.trim_start_matches("nvme").split('n').next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

/// A partition of a disk, as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    number: u32,
    device: String,
    start: u64,
    sectors: u64,
}

/// The disks of a node to be: one for the system and `count` free ones of `size` bytes.
pub(crate) fn records(lab: &str, node: &str, count: u32, size: u64) -> Vec<DiskRecord> {
    (0..=count)
        .map(|number| {
            let digest = Sha256::digest(format!("{lab}/{node}/disk{number}"));
            let serial: String = digest[..5].iter().map(|byte| format!("{byte:02X}")).collect();
            let (model, size) =
                if number == 0 { ("RINGBOLT LAB OS 16G", OS_SIZE) } else { ("RINGBOLT LAB DATA", size) };
            DiskRecord {
                name: format!("nvme{number}n1"),
                model: model.to_owned(),
                serial: format!("RB{serial}"),
                size,
                present: true,
            }
        })
        .collect()
}

/// The folder of all files behind a lab's disks.
pub(crate) fn folder(lab: &Lab) -> PathBuf {
    lab.dir().join("disks")
}

fn file(lab: &Lab, node: &str, disk: &DiskRecord) -> PathBuf {
    folder(lab).join(format!("{node}-{}.img", disk.name))
}

/// Makes files, loop devices and sysfs entries of a node's disks as far as they are missing.
pub(crate) fn attach(lab: &Lab, node: &NodeRecord) -> Result<(), LabError> {
    for disk in &node.disks {
        let path = file(lab, &node.name, disk);
        if !path.exists() {
            create(&path, disk)?;
        }
        let device = device(&path)?;
        tune(&device);
        // Some kernels do not read partition tables by themselves.
        partitions_anew(&device);
        show(lab, &node.name, disk)?;
    }
    Ok(())
}

fn create(path: &Path, disk: &DiskRecord) -> Result<(), StateError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(file_error(parent))?;
    let partial = path.with_extension("new");
    let make = || {
        let file = fs::File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.set_len(disk.size)?;
        if disk.is_os() {
            gpt::write(&file, disk.size, &gpt::os_layout(disk.size, &disk.serial), &disk.serial)?;
        }
        fs::rename(&partial, path)
    };
    make().map_err(file_error(path))
}

/// The loop device of a file; made where there is none.
fn device(path: &Path) -> Result<String, ProgramError> {
    if let Some((device, _)) = loops().into_iter().find(|(_, backing)| backing == path) {
        return Ok(device);
    }
    let args = ["--find".as_ref(), "--show".as_ref(), path.as_os_str()];
    let shown = program::run("losetup", &args)?;
    Ok(shown.trim().trim_start_matches("/dev/").to_owned())
}

/// All loop devices in use, with their files.
fn loops() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| name.starts_with("loop"))?;
            let backing = fs::read_to_string(entry.path().join("loop/backing_file")).ok()?;
            Some((name, PathBuf::from(backing.trim_end_matches('\n'))))
        })
        .collect()
}

/// Makes all of a disk zeros. A loop device passes a discard on as a hole in its file, so that the disk takes no room
/// on this machine; only where the file system below cannot make holes are zeros written.
fn blank(device: &str) -> Result<(), ProgramError> {
    program::run("blkdiscard", &["--force", device])
        .or_else(|_| program::run("blkdiscard", &["--force", "--zeroout", device]))
        .map(|_| ())
}

/// As an NVMe disk with its own cache: not rotating, and no write waits for this machine's disk. What is
/// written survives a node's loss of power all the same: it is in this machine's memory.
fn tune(device: &str) {
    for (name, value) in [("rotational", "0"), ("write_cache", "write through")] {
        // Slower without it, not wrong.
        let _ = fs::write(format!("/sys/block/{device}/queue/{name}"), value);
    }
}

/// Makes the kernel know the partitions there are now.
fn partitions_anew(device: &str) {
    let path = format!("/dev/{device}");
    let table = program::run("partx", &["--show", "--noheadings", &path]).unwrap_or_default();
    if !table.trim().is_empty() {
        let _ = program::run("partx", &["--update", &path]);
    } else if !partitions(device).is_empty() {
        let _ = program::run("partx", &["--delete", &path]);
    }
}

fn part_name(device: &str, entry: &fs::DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.starts_with(&format!("{device}p")))
}

fn partitions(device: &str) -> Vec<Partition> {
    let entries = fs::read_dir(format!("/sys/block/{device}")).into_iter().flatten().flatten();
    let mut found: Vec<Partition> = entries
        .filter(|entry| part_name(device, entry))
        .filter_map(|entry| {
            let read = |name: &str| Some(fs::read_to_string(entry.path().join(name)).ok()?.trim().to_owned());
            Some(Partition {
                number: read("partition")?.parse().ok()?,
                device: read("dev")?,
                start: read("start")?.parse().ok()?,
                sectors: read("size")?.parse().ok()?,
            })
        })
        .collect();
    found.arrange_by_key(|partition| partition.number);
    found
}

/// Writes the disk's entries of the node's sysfs tree, or takes them away.
fn show(lab: &Lab, node: &str, disk: &DiskRecord) -> Result<(), LabError> {
    let root = lab.node_dir(node).join("sys");
    let tree = tree::Tree { root: &root, disk };
    let write = || {
        tree.remove()?;
        if !disk.present {
            return Ok(());
        }
        let path = file(lab, node, disk);
        let found = loops().into_iter().find(|(_, backing)| *backing == path);
        let Some((device, _)) = found else { return Ok(()) };
        let number = fs::read_to_string(format!("/sys/block/{device}/dev"))?;
        tree.create(number.trim(), &partitions(&device))
    };
    write().map_err(file_error(&root))?;
    Ok(())
}

/// Detaches every loop device whose file lies in `folder`; none is fine.
pub(crate) fn detach_all(folder: &Path) -> Result<(), LabError> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let mine: Vec<String> = loops()
            .into_iter()
            .filter(|(_, backing)| backing.starts_with(folder))
            .map(|(device, _)| format!("/dev/{device}"))
            .collect();
        if mine.is_empty() {
            return Ok(());
        }
        for device in &mine {
            let _ = program::run("partx", &["--delete", device]);
            let detached = program::run("losetup", &["--detach", device]);
            if Instant::now() >= deadline {
                detached?;
            }
        }
        // One still mounted in a node that is ending goes as soon as that is gone.
        if Instant::now() >= deadline + Duration::from_secs(1) {
            return Err(LabError::Wish(format!("{} cannot be detached", mine.join(", "))));
        }
        std::thread::sleep(Duration::from_millis(if mine.is_empty() { 0 } else { 20 }));
    }
}

impl Lab {
    /// Pulls a disk out of a running node, or plugs it in again: its device nodes and sysfs entries go or come
    /// back. What a program has open stays open.
    ///
    /// # Errors
    /// No such node or disk; it is the system's.
    pub fn plug_disk(&self, node: &str, name: &str, present: bool) -> Result<(), LabError> {
        let _lock = self.lock()?;
        let mut record = self.record()?;
        self.known(&record, node)?;
        let no_disk = LabError::NoDisk { node: node.to_owned(), disk: name.to_owned() };
        let entry = record.node_mut(node).and_then(|node| node.disks.iter_mut().find(|d| d.name == name));
        let Some(entry) = entry else { return Err(no_disk) };
        if entry.is_os() {
            return Err(LabError::Wish(format!("{name} of {node} holds its system and stays")));
        }
        entry.present = present;
        let disk = entry.clone();
        record.save(&self.dir())?;
        show(self, node, &disk)?;
        self.tell_node(node)
    }

    /// Puts something on a disk of a running node: real signatures, by the real programs where there are any.
    /// What was on it is gone.
    ///
    /// # Errors
    /// No such node or disk, it is the system's or in use, or the node is off.
    pub fn make_disk(&self, node: &str, name: &str, content: Content) -> Result<(), LabError> {
        let _lock = self.lock()?;
        let record = self.record()?;
        let disk = self.known(&record, node)?.disks.iter().find(|disk| disk.name == name);
        let Some(disk) = disk.filter(|disk| disk.present) else {
            return Err(LabError::NoDisk { node: node.to_owned(), disk: name.to_owned() });
        };
        if disk.is_os() {
            return Err(LabError::Wish(format!("{name} of {node} holds its system and stays as it is")));
        }
        let device = device(&file(self, node, disk))?;
        let host = format!("/dev/{device}");
        let inside = format!("/dev/{name}");
        self.inside(node, &["sh", "-c", "umount -q \"$1\" \"$1\"p* 2>/dev/null; true", "umount", &inside])?;
        blank(&host)?;
        partitions_anew(&device);
        let path = PathBuf::from(&host);
        if let Some(patches) = signature::patches(content, disk.size, &disk.serial) {
            signature::write(&path, &patches).map_err(file_error(&path))?;
        }
        for line in signature::programs(content, name) {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            self.inside(node, &words)?;
        }
        partitions_anew(&device);
        show(self, node, disk)?;
        self.tell_node(node)
    }

    /// Makes a running node's `/dev` follow its disks.
    fn tell_node(&self, node: &str) -> Result<(), LabError> {
        if self.cgroup(node).init().is_some() {
            self.inside(node, &[&format!("{HOME}/disks")])?;
        }
        Ok(())
    }

    fn inside(&self, node: &str, argv: &[&str]) -> Result<(), LabError> {
        let init = self.cgroup(node).init().ok_or_else(|| LabError::Off(node.to_owned()))?;
        let output = node::enter(init)
            .args(argv)
            .output()
            .map_err(|source| program::start_error("nsenter", source))?;
        program::finish(argv.first().unwrap_or(&""), argv.get(1..).unwrap_or_default(), &output)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn serials_are_stable_and_differ() {
        let disks = records("l", "n1", 2, 10 << 30);
        assert_eq!(disks, records("l", "n1", 2, 10 << 30));
        assert_eq!(disks.len(), 3);
        assert!(disks[0].is_os() && !disks[2].is_os());
        assert_eq!(disks[2].name, "nvme2n1");
        assert_eq!(disks[1].serial.len(), 12);
        assert_ne!(disks[1].serial, disks[2].serial);
        assert_ne!(disks[1].serial, records("l", "n2", 2, 10 << 30)[1].serial);
    }

    #[test]
    fn a_disk_made_blank_is_zeros_and_takes_no_room() {
        use std::os::unix::fs::{FileExt as _, MetadataExt as _};
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n1-nvme1n1.img");
        create(&path, &records("l", "n1", 1, 64 << 20)[1]).unwrap();
        // This machine may have no loop device to give.
        let Ok(name) = device(&path) else { return };
        let host = format!("/dev/{name}");
        let disk = fs::File::options().read(true).write(true).open(&host).unwrap();
        disk.write_all_at(&[7; 8 << 20], 1 << 20).unwrap();
        disk.sync_all().unwrap();
        let room = || fs::metadata(&path).unwrap().blocks() * 512;
        let before = room();
        blank(&host).unwrap();
        let mut head = [1; 4096];
        disk.read_exact_at(&mut head, 1 << 20).unwrap();
        drop(disk);
        detach_all(dir.path()).unwrap();
        assert!(before >= 8 << 20, "{before}");
        assert!(room() < 1 << 20, "{}", room());
        assert_eq!(head, [0; 4096]);
    }

    #[test]
    fn a_new_system_disk_has_a_partition_table_and_takes_no_room() {
        use std::os::unix::fs::MetadataExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x/n1-nvme0n1.img");
        create(&path, &records("l", "n1", 0, 0)[0]).unwrap();
        let meta = fs::metadata(&path).unwrap();
        assert_eq!(meta.len(), OS_SIZE);
        assert!(meta.blocks() * 512 < 1 << 20, "{}", meta.blocks());
        use std::os::unix::fs::FileExt as _;
        let mut head = [0; 8];
        fs::File::open(&path).unwrap().read_exact_at(&mut head, 512).unwrap();
        assert_eq!(&head, b"EFI PART");
    }
}
