//! What was there before a run changed it: `/var/lib/ringbolt/undo/<run>/NNNN.json`, and
//! `NNNN.content` where there was a file.
//!
//! Written by `disk` before each change; numbers rise, so undoing goes from the highest down.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ringbolt_core::facts::FileFact;
use serde::{Deserialize, Serialize};

use crate::root::{HOME, Root};

/// What is known of a file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Absolute path.
    pub(crate) path: String,
    /// Step that changed it.
    pub(crate) step: String,
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
}

impl Kept {
    /// What to keep of a file that is as `now` says.
    pub(crate) fn of(path: &str, step: &str, now: Option<&FileFact>) -> Self {
        Self {
            path: path.to_owned(),
            step: step.to_owned(),
            existed: now.is_some(),
            digest: now.map(|f| f.digest.clone()).unwrap_or_default(),
            mode: now.map_or(0, |f| f.mode),
            uid: now.map_or(0, |f| f.uid),
            gid: now.map_or(0, |f| f.gid),
        }
    }
}

/// Keeps it, synced to disk. On failure nothing of it stays.
pub(crate) fn keep(root: &Root, run: &str, kept: &Kept, content: Option<&[u8]>) -> std::io::Result<()> {
    let folder = folder(root, run)?;
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
