//! Notes of reloads that are due, see `ringbolt_core::resource::owed`: made by `disk` before a change, struck out by
//! the deeds that reload.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;

use ringbolt_core::resource::owed::note_of;

use crate::root::Root;

/// Notes the reload that a change of this file calls for, if any.
pub(crate) fn note(root: &Root, path: &str) -> std::io::Result<()> {
    let Some(note) = note_of(path).map(|note| root.at(note)) else { return Ok(()) };
    if let Some(folder) = note.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    File::create(note).map(drop)
}

/// Strikes a note out: it was reloaded.
pub(crate) fn paid(root: &Root, note: &str) {
    let _ = std::fs::remove_file(root.at(note));
}
