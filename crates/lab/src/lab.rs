//! A lab that exists: opening it, doing things to its nodes and cables, taking it down. Used by the command line
//! and by tests. Everything that changes it holds the lab's lock; nothing here touches what its record does not
//! name.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cgroup::{self, Cgroup};
use crate::disk;
use crate::fault;
use crate::image::ImageError;
use crate::netns;
use crate::node;
use crate::probe::ProbeError;
use crate::program::{self, ProgramError};
use crate::state::{Fault, Lock, NodeRecord, Object, Phase, Record, StateError, file_error, object_name};

use ringbolt_core::arrange::Arrange;

/// Why something with a lab did not work.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No lab of that name.
    #[error("there is no lab `{name}` in {}", parent.display())]
    NoLab {
        /// The name asked for.
        name: String,
        /// Where labs are kept.
        parent: PathBuf,
    },
    /// A lab of that name is there already.
    #[error("lab `{0}` exists already; take it down first, or give the new one another name")]
    Exists(String),
    /// The request makes no lab.
    #[error("{0}")]
    Wish(String),
    /// No such node.
    #[error("lab `{lab}` has no node `{node}`")]
    NoNode {
        /// The lab.
        lab: String,
        /// The name asked for.
        node: String,
    },
    /// No such disk, or it is pulled out.
    #[error("node `{node}` has no disk `{disk}` plugged in")]
    NoDisk {
        /// The node.
        node: String,
        /// The name asked for.
        disk: String,
    },
    /// No cable between these two.
    #[error("no cable joins `{0}` and `{1}`")]
    NoCable(String, String),
    /// The node is not running.
    #[error("node `{0}` is powered off")]
    Off(String),
    /// A node does not come up.
    #[error("node `{node}` did not {what} within {seconds} s; its console: {}", console.display())]
    Late {
        /// The node.
        node: String,
        /// What was waited for.
        what: &'static str,
        /// How long.
        seconds: u64,
        /// Where it wrote.
        console: PathBuf,
    },
    /// The record or a file of the lab.
    #[error(transparent)]
    State(#[from] StateError),
    /// The image or a layer.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// This machine cannot run a lab.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A program of the host.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The processes of a node.
    #[error("processes of {name}: {source}")]
    Processes {
        /// Node or cgroup.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Short-lived programs that make something of a lab, by the name the system knows them under.
const TOOLS: &[&str] = &["ip", "tc", "ssh-keygen", "setsid", "mount", "losetup", "partx", "blkdiscard"];

/// Where labs are kept: `$RINGBOLT_LAB_DIR`, else `/var/lib/ringbolt-lab`.
#[must_use]
pub fn parent() -> PathBuf {
    std::env::var_os("RINGBOLT_LAB_DIR").map_or_else(|| PathBuf::from("/var/lib/ringbolt-lab"), PathBuf::from)
}

/// Names of the labs there are, complete or not.
#[must_use]
pub fn list() -> Vec<String> {
    let entries = fs::read_dir(parent()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| check_name(name).is_ok())
        .collect();
    names.arrange();
    names
}

/// Opens a lab by name.
///
/// # Errors
/// There is none of that name.
pub fn open(name: &str) -> Result<Lab, LabError> {
    let lab = Lab { parent: parent(), name: name.to_owned() };
    if check_name(name).is_ok() && lab.dir().is_dir() {
        return Ok(lab);
    }
    Err(LabError::NoLab { name: name.to_owned(), parent: lab.parent })
}

/// A lab's name becomes part of object names: short, lower-case, no surprises.
pub(crate) fn check_name(name: &str) -> Result<(), LabError> {
    let fits = (1..=16).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(LabError::Wish(format!("`{name}` is no name for a lab: 1 to 16 of a-z, 0-9 and inner dashes")))
}

/// A lab on this machine.
#[derive(Debug, Clone)]
pub struct Lab {
    pub(crate) parent: PathBuf,
    pub(crate) name: String,
}

impl Lab {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder: record, ssh config, spec, nodes.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    /// The ssh configuration that reaches its nodes.
    #[must_use]
    pub fn ssh_config(&self) -> PathBuf {
        self.dir().join("ssh_config")
    }

    /// The spec written for it.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.dir().join("ringbolt.toml")
    }

    /// What the lab knows about itself.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn record(&self) -> Result<Record, LabError> {
        Ok(Record::load(&self.dir())?)
    }

    pub(crate) fn node_dir(&self, node: &str) -> PathBuf {
        self.dir().join("nodes").join(node)
    }

    pub(crate) fn lock(&self) -> Result<Lock, LabError> {
        Ok(Lock::take(&self.parent, &self.name)?)
    }

    /// Where this lab sees the cgroups of version 2.
    pub(crate) fn cgroup_root(&self) -> PathBuf {
        cgroup::mounted().unwrap_or_else(|| self.dir().join("cgroup"))
    }

    pub(crate) fn cgroup(&self, part: &str) -> Cgroup {
        Cgroup::new(&self.cgroup_root(), &object_name(&self.name, part))
    }

    /// The names `wishes` stands for: nodes of the lab, `all` being every one.
    ///
    /// # Errors
    /// A name is not a node of this lab.
    pub fn nodes(&self, wishes: &[String]) -> Result<Vec<String>, LabError> {
        let record = self.record()?;
        if wishes.iter().any(|wish| wish == "all") {
            return Ok(record.nodes.into_iter().map(|node| node.name).collect());
        }
        for wish in wishes {
            self.known(&record, wish)?;
        }
        Ok(wishes.to_vec())
    }

    pub(crate) fn known<'a>(&self, record: &'a Record, node: &str) -> Result<&'a NodeRecord, LabError> {
        record.node(node).ok_or_else(|| LabError::NoNode { lab: self.name.clone(), node: node.to_owned() })
    }

    /// Runs a program in a node, on this terminal, and returns its exit code.
    ///
    /// # Errors
    /// No such node, or it is off.
    pub fn exec(&self, node: &str, argv: &[String]) -> Result<i32, LabError> {
        let record = self.record()?;
        self.known(&record, node)?;
        let init = self.cgroup(node).init().ok_or_else(|| LabError::Off(node.to_owned()))?;
        let status = node::enter(init)
            .args(argv)
            .status()
            .map_err(|source| program::start_error("nsenter", source))?;
        Ok(exit_code(status))
    }

    /// Opens a login shell in a node.
    ///
    /// # Errors
    /// As [`Lab::exec`].
    pub fn shell(&self, node: &str) -> Result<i32, LabError> {
        self.exec(node, &["bash".to_owned(), "-l".to_owned()])
    }

    /// Cuts the cable between two nodes: in one-way cuts what `a` sends is lost, in carrier cuts the end at `b`
    /// goes down. A cable already cut gets the new fault instead of the old.
    ///
    /// # Errors
    /// No such cable.
    pub fn cut(&self, a: &str, b: &str, fault: &Fault) -> Result<(), LabError> {
        let _lock = self.lock()?;
        let mut record = self.record()?;
        fault::set(self, &mut record, (a, b), fault)
    }

    /// Takes every fault from the cable between two nodes; plugs it in again where it was pulled.
    ///
    /// # Errors
    /// No such cable.
    pub fn mend(&self, a: &str, b: &str) -> Result<(), LabError> {
        self.cut(a, b, &Fault::None)
    }

    /// Cuts and mends a cable `times` times, a third of a second each.
    ///
    /// # Errors
    /// No such cable.
    pub fn flap(&self, a: &str, b: &str, times: u32) -> Result<(), LabError> {
        for _ in 0..times {
            self.cut(a, b, &Fault::Carrier(b.to_owned()))?;
            std::thread::sleep(Duration::from_millis(330));
            self.mend(a, b)?;
            std::thread::sleep(Duration::from_millis(330));
        }
        Ok(())
    }

    /// Turns a node off: as pulling its plug, or in order. Off already is fine.
    ///
    /// # Errors
    /// No such node, or it does not end within two minutes.
    pub fn power_off(&self, node: &str, orderly: bool) -> Result<(), LabError> {
        let _lock = self.lock()?;
        let mut record = self.record()?;
        self.known(&record, node)?;
        node::stop(self, &mut record, node, orderly)
    }

    /// Turns a node on without waiting for it; on already is fine.
    ///
    /// # Errors
    /// No such node, or its objects cannot be made.
    pub fn power_on(&self, node: &str) -> Result<(), LabError> {
        let _lock = self.lock()?;
        let mut record = self.record()?;
        // One that should run but does not (this machine was restarted) is started as well.
        if self.known(&record, node)?.powered && self.cgroup(node).is_populated() {
            return Ok(());
        }
        node::start(self, &mut record, node)
    }

    /// Waits until a node answers on its ssh port.
    ///
    /// # Errors
    /// It does not within the time.
    pub fn wait_ready(&self, node: &str, patience: Duration) -> Result<Duration, LabError> {
        let record = self.record()?;
        let address = self.known(&record, node)?.address;
        let start = Instant::now();
        if node::answers(&self.name, address, patience) {
            return Ok(start.elapsed());
        }
        Err(LabError::Late {
            node: node.to_owned(),
            what: "answer on its ssh port",
            seconds: patience.as_secs(),
            console: self.node_dir(node).join("console.log"),
        })
    }

    /// Stops everything in a node in mid-air; its cables stay lit.
    ///
    /// # Errors
    /// No such node.
    pub fn freeze(&self, node: &str) -> Result<(), LabError> {
        self.set_frozen(node, true)
    }

    /// Lets a frozen node go on.
    ///
    /// # Errors
    /// No such node.
    pub fn thaw(&self, node: &str) -> Result<(), LabError> {
        self.set_frozen(node, false)
    }

    fn set_frozen(&self, node: &str, frozen: bool) -> Result<(), LabError> {
        let _lock = self.lock()?;
        self.known(&self.record()?, node)?;
        let group = self.cgroup(node);
        if !group.is_populated() {
            return Err(LabError::Off(node.to_owned()));
        }
        group.freeze(frozen).map_err(|source| LabError::Processes { name: node.to_owned(), source })
    }

    /// Removes the lab: its processes, everything its record names, its folder. Safe to repeat, and after an
    /// `up` that was cut short.
    ///
    /// # Errors
    /// Something does not let itself be removed; what is left stays in the record.
    pub fn down(self) -> Result<(), LabError> {
        let lock = self.lock()?;
        if self.dir().join("state.json").exists() {
            let mut record = self.record()?;
            record.phase = Phase::Down;
            record.save(&self.dir())?;
            self.outwait_tools();
            self.remove_objects(&record)?;
        }
        fs::remove_dir_all(self.dir()).map_err(file_error(&self.dir()))?;
        lock.remove();
        Ok(())
    }

    /// Waits for programs that an `up` cut short had started and that go on by themselves: what they make would
    /// otherwise appear after it was removed.
    fn outwait_tools(&self) {
        let (prefix, dir) = (object_name(&self.name, ""), format!("{}/", self.dir().display()));
        let ours = |process: &Path| {
            let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
            let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            TOOLS.contains(&name.trim_end()) && (line.contains(&prefix) || line.contains(&dir))
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let mut processes = fs::read_dir("/proc").into_iter().flatten().flatten();
            if !processes.any(|process| ours(&process.path())) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn remove_objects(&self, record: &Record) -> Result<(), LabError> {
        let root = self.cgroup_root();
        for object in &record.objects {
            match object {
                Object::Cgroup(name) => {
                    Cgroup::new(&root, name)
                        .end()
                        .map_err(|source| LabError::Processes { name: name.clone(), source })?;
                }
                Object::Netns(name) => netns::remove(name)?,
                Object::Leftover(path) => remove_leftover(path)?,
                Object::Loops(folder) => disk::detach_all(folder)?,
                Object::Mount(_) => {}
            }
        }
        for object in &record.objects {
            if let Object::Mount(path) = object {
                unmount(path)?;
            }
        }
        Ok(())
    }
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn remove_leftover(path: &Path) -> Result<(), StateError> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(path)(error)),
        _ => Ok(()),
    }
}

fn unmount(path: &Path) -> Result<(), ProgramError> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let point = path.to_string_lossy();
    if mounts.lines().any(|line| line.split(' ').nth(4) == Some(&*point)) {
        program::run("umount", &[path])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_labs() {
        for good in ["lab", "a", "two-labs", "x1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Lab", "a/b", "..", "a b", "abcdefghijklmnopq"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lab_that_is_not_there() {
        assert!(open("no-such-lab").expect_err("there is none").to_string().contains("no-such-lab"));
        assert!(open("../etc").is_err());
    }
}
