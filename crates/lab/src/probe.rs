//! What this machine's kernel offers, found by trying in a throw-away network namespace: the presence of a
//! driver proves nothing, and its absence from a list neither. Used by `up` and shown by `status`.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::program::{self, ProgramError};
use crate::state::{StateError, file_error};

/// What works here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Interfaces of kind dummy.
    pub dummy: bool,
    /// Interfaces of kind ifb, which can take the place of dummies.
    pub ifb: bool,
    /// Delay and partial loss on cables.
    pub netem: bool,
    /// Loss of everything on a cable.
    pub blackhole: bool,
    /// Kernel modules can be loaded on this machine.
    pub modules: bool,
    /// Volumes of the device mapper.
    pub device_mapper: bool,
}

impl Features {
    /// The kind of interface made where a node asks for a dummy.
    #[must_use]
    pub fn dummy_kind(&self) -> &'static str {
        if self.dummy || !self.ifb { "dummy" } else { "ifb" }
    }

    /// What a lab on this machine cannot show, in words.
    #[must_use]
    pub fn reduced(&self) -> Vec<String> {
        let mut reduced = vec![
            "nodes share this machine's kernel: kernel.*, vm.*, fs.* and /sys/devices/system are read-only in them"
                .to_owned(),
            "cables are virtual: no real Thunderbolt timing or throughput".to_owned(),
            "kernel modules count as built in; nodes have no initramfs".to_owned(),
            "clocks are this machine's: no time synchronisation in the nodes".to_owned(),
        ];
        if !self.dummy {
            reduced.push("no dummy interfaces in this kernel: ifb interfaces take their place".to_owned());
        }
        if !self.netem {
            reduced.push("no netem in this kernel: no delay, no partial loss".to_owned());
        }
        if !self.device_mapper {
            reduced.push("no device mapper in this kernel: no LVM volumes for disks".to_owned());
        }
        reduced
    }
}

/// Why no lab can run here at all.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Not root.
    #[error("a lab needs root: it makes namespaces, mounts and cgroups (run it with sudo)")]
    NotRoot,
    /// Programs are missing.
    #[error("missing here: {}; install with `apt-get install {}`", .0.join(", "), .0.join(" "))]
    Packages(Vec<&'static str>),
    /// Something the lab cannot do without does not work.
    #[error("{0} does not work here; without it there is no lab")]
    Kernel(&'static str),
    /// The nodes would run out of inotify instances, and udev would fail in some of them.
    #[error(
        "{nodes} nodes need {needed} inotify instances, {used} of the {limit} this machine allows are in use; \
         allow more: `sysctl -w fs.inotify.max_user_instances={wanted}`"
    )]
    Inotify {
        /// How many nodes.
        nodes: usize,
        /// What they need.
        needed: usize,
        /// What is in use.
        used: usize,
        /// What root may have.
        limit: usize,
        /// What would do.
        wanted: usize,
    },
    /// Trying itself failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The folder of the labs cannot be made.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Tries everything once. Nothing is left of it, also when it is cut short.
const TRY: &str = include_str!("../assets/probe");

/// What a lab cannot do without, by the word the script says.
const NEEDED: &[(&str, &str)] = &[
    ("veth", "a virtual cable (veth)"),
    ("bridge", "a bridge"),
    ("blackhole", "the blackhole queue, which cuts cables silently,"),
    ("overlay", "an overlay in the folder of the labs (another overlay below it? set $RINGBOLT_LAB_DIR)"),
    ("cgroup2", "the second version of cgroups"),
];

/// Tries what the kernel offers; `dir` is the folder of the labs.
///
/// # Errors
/// No root, missing programs, or something no lab can do without.
pub fn probe(dir: &Path) -> Result<Features, ProbeError> {
    if !rustix::process::geteuid().is_root() {
        return Err(ProbeError::NotRoot);
    }
    let missing = program::missing_packages();
    if !missing.is_empty() {
        return Err(ProbeError::Packages(missing));
    }
    std::fs::create_dir_all(dir).map_err(file_error(dir))?;
    let folder = dir.join(format!(".probe-{}", std::process::id()));
    let args: [&OsStr; 7] = [
        "-n".as_ref(),
        "-m".as_ref(),
        "sh".as_ref(),
        "-c".as_ref(),
        TRY.as_ref(),
        "probe".as_ref(),
        folder.as_os_str(),
    ];
    features(&program::run("unshare", &args)?)
}

/// Inotify instances a node needs, logins included.
const INOTIFY: usize = 6;

/// Whether this machine lets so many nodes watch files; all nodes draw on root's one account.
///
/// # Errors
/// It does not.
pub fn room(nodes: usize) -> Result<(), ProbeError> {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").unwrap_or_default();
    let limit = limit.trim().parse().unwrap_or(usize::MAX);
    let needed = nodes * INOTIFY;
    // Looking at every open file takes a moment: not for a small lab on a quiet machine.
    let used = if needed * 4 > limit { instances() } else { 0 };
    if used + needed <= limit {
        return Ok(());
    }
    let wanted = (used + needed).next_power_of_two().max(512);
    Err(ProbeError::Inotify { nodes, needed, used, limit, wanted })
}

/// How many inotify instances are open on this machine.
fn instances() -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let files = processes.filter_map(|process| std::fs::read_dir(process.path().join("fd")).ok());
    let targets = files.flatten().flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
    targets.filter(|target| target.as_os_str() == "anon_inode:inotify").count()
}

fn features(words: &str) -> Result<Features, ProbeError> {
    let works = |word: &str| words.lines().any(|line| line == word);
    if let Some((_, what)) = NEEDED.iter().find(|(word, _)| !works(word)) {
        return Err(ProbeError::Kernel(what));
    }
    Ok(Features {
        dummy: works("dummy"),
        ifb: works("ifb"),
        netem: works("netem"),
        blackhole: works("blackhole"),
        modules: Path::new("/proc/modules").exists(),
        device_mapper: Path::new("/sys/class/misc/device-mapper").exists(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_lab_can_do_without_is_named() {
        let all = "veth\nbridge\ndummy\nblackhole\noverlay\ncgroup2\n";
        let found = features(all).expect("enough for a lab");
        assert!(found.dummy && !found.netem && found.dummy_kind() == "dummy");
        let error = features(&all.replace("overlay\n", "")).expect_err("no overlay").to_string();
        assert!(error.contains("overlay") && error.contains("RINGBOLT_LAB_DIR"), "{error}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let none = Features::default();
        assert!(none.reduced().iter().any(|line| line.contains("ifb")));
        assert!(none.reduced().iter().any(|line| line.contains("netem")));
        let full = Features {
            dummy: true,
            ifb: true,
            netem: true,
            blackhole: true,
            modules: true,
            device_mapper: true,
        };
        assert!(full.reduced().len() < none.reduced().len());
        assert_eq!(full.dummy_kind(), "dummy");
        assert_eq!(Features { ifb: true, ..none }.dummy_kind(), "ifb");
    }
}
