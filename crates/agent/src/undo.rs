//! What was there before a run changed it: `/var/lib/ringbolt/undo/<run>/NNNN.json`, and
//! `NNNN.content` where there was a file.
//!
//! Written before each change by `disk` (files) and by the deeds in `act` (packages, units, kernel
//! settings, ports); numbers rise, so undoing goes from the highest down. Read by `act/take_back`.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::FileFact;
use ringbolt_core::json;
use serde::{Deserialize, Serialize};

use crate::root::{HOME, Root};

/// One thing as it was before a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Step that changed it.
    pub(crate) step: String,
    /// What it was.
    #[serde(flatten)]
    pub(crate) was: Was,
}

/// What something was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Was {
    /// A file, or its absence.
    File(FileWas),
    /// The installed packages.
    Packages {
        /// Packages the step asked for.
        named: Vec<String>,
        /// Names of all that were installed.
        installed: Vec<String>,
    },
    /// A unit.
    Unit {
        /// Its name.
        unit: String,
        /// Whether it was enabled.
        enabled: bool,
        /// Whether it ran.
        active: bool,
    },
    /// Live kernel settings.
    Sysctl {
        /// Values by key.
        values: BTreeMap<String, String>,
    },
    /// The interface of a Thunderbolt controller.
    Port {
        /// PCI address of the controller.
        pci: String,
        /// The interface's name.
        name: String,
        /// Its MTU in bytes.
        mtu: u32,
        /// Whether it was up.
        up: bool,
        /// Its addresses but for link-local ones: none of a fabric's stays on a port that leaves it.
        addresses: Vec<IpNet>,
    },
}

/// What is known of a file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileWas {
    /// Absolute path.
    pub(crate) path: String,
    /// Whether there was a file at all.
    pub(crate) existed: bool,
    /// Digest of its content; empty without one.
    pub(crate) digest: String,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Owner.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
    /// Folders that were not there either, the outermost first.
    #[serde(default)]
    pub(crate) folders: Vec<String>,
}

impl Kept {
    /// What to keep of a file that is as `now` says.
    pub(crate) fn file(path: &str, step: &str, now: Option<&FileFact>, folders: Vec<String>) -> Self {
        let was = FileWas {
            path: path.to_owned(),
            existed: now.is_some(),
            digest: now.map(|f| f.digest.clone()).unwrap_or_default(),
            mode: now.map_or(0, |f| f.mode),
            uid: now.map_or(0, |f| f.uid),
            gid: now.map_or(0, |f| f.gid),
            folders,
        };
        Self { step: step.to_owned(), was: Was::File(was) }
    }
}

/// Everything a step of a run has kept, the newest first, with the content of files.
pub(crate) fn of_step(root: &Root, run: &str, step: &str) -> std::io::Result<Vec<(Kept, Option<Vec<u8>>)>> {
    let folder = folder(root, run)?;
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let kept: Kept = match json::read(&std::fs::read(&path)?) {
            Ok(kept) => kept,
            // Cut off while it was written, and so before the change it was written for.
            Err(error) if error.is_eof() => continue,
            Err(error) => return Err(error.into()),
        };
        if kept.step == step {
            let body = path.with_extension("content");
            let content = if body.exists() { Some(std::fs::read(&body)?) } else { None };
            found.push((path, kept, content));
        }
    }
    found.arrange_by(|a, b| b.0.cmp(&a.0));
    Ok(found.into_iter().map(|(_, kept, content)| (kept, content)).collect())
}

/// Keeps it, synced to disk. On failure nothing of it stays.
pub(crate) fn keep(root: &Root, run: &str, kept: &Kept, content: Option<&[u8]>) -> std::io::Result<()> {
    let folder = folder(root, run)?;
    root.home()?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let number = next(&folder)?;
    let about = folder.join(format!("{number:04}.json"));
    let body = folder.join(format!("{number:04}.content"));
    let written = content
        .map_or(Ok(()), |content| put(&body, content))
        .and_then(|()| put(&about, &serde_json::to_vec(kept)?))
        .and_then(|()| File::open(&folder)?.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(&about);
        let _ = std::fs::remove_file(&body);
    }
    written
}

/// The folder of a run. Its name comes from the controller, so it is looked at closely.
fn folder(root: &Root, run: &str) -> std::io::Result<PathBuf> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if run.is_empty() || run.starts_with('.') || !run.chars().all(plain) {
        return Err(std::io::Error::other(format!("`{run}` is no name of a run")));
    }
    Ok(root.at(HOME).join("undo").join(run))
}

/// One more than the highest number there.
fn next(folder: &Path) -> std::io::Result<u32> {
    let number = |name: &str| name.split_once('.')?.0.parse::<u32>().ok();
    let names = std::fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| number(&name)).max().map_or(1, |highest| highest + 1))
}

fn put(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_note_that_was_cut_off_while_it_was_written_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), None);
        let kept = Kept::file("/etc/x", "n1/file:/etc/x", None, Vec::new());
        keep(&root, "run-1", &kept, None).unwrap();
        let runs = root.at(HOME).join("undo/run-1");
        let whole = std::fs::read(runs.join("0001.json")).unwrap();
        for (number, length) in [(2, 0), (3, 1), (4, whole.len() - 1)] {
            std::fs::write(runs.join(format!("{number:04}.json")), &whole[..length]).unwrap();
        }
        let found = of_step(&root, "run-1", "n1/file:/etc/x").unwrap();
        assert_eq!(found, [(kept, None)]);
        std::fs::write(runs.join("0005.json"), "what is this?").unwrap();
        assert!(of_step(&root, "run-1", "n1/file:/etc/x").is_err(), "damage is told");
    }
}
