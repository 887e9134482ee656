//! Files of the checkpoint itself: whole, synced, root's alone. Knows nothing of what they hold.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::beside::Temporary;
use crate::root::Root;

use ringbolt_core::json;

/// What the covered files go back to while armed.
pub(super) const SAVED: &str = "/var/lib/ringbolt/checkpoint/saved.json";
/// What covered files were before changes that no confirmation has covered yet.
pub(super) const PENDING: &str = "/var/lib/ringbolt/checkpoint/pending.json";

/// Reads one; `None` when it is not there.
pub(super) fn get<T: DeserializeOwned>(root: &Root, path: &str) -> std::io::Result<Option<T>> {
    match std::fs::read(root.at(path)) {
        Ok(bytes) => Ok(Some(json::read(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes one as JSON.
pub(super) fn put_json(root: &Root, path: &str, value: &impl Serialize) -> std::io::Result<()> {
    put(root, path, &serde_json::to_vec(value)?)
}

/// Writes one, at once and synced.
pub(super) fn put(root: &Root, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    replace(&root.at(path), bytes, 0o600)
}

/// Writes a file beside its place and renames it over it, both synced.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let beside = Temporary::beside(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside.0)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    std::fs::rename(&beside.0, path)?;
    sync_folder(path)
}

/// Removes one; one that is not there is gone already.
pub(super) fn remove(root: &Root, path: &str) -> std::io::Result<()> {
    let path = root.at(path);
    match std::fs::remove_file(&path) {
        Ok(()) => sync_folder(&path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in a file's folder last.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
