//! Which files a checkpoint keeps, and how they go back.
//!
//! A file goes back to what it was when reaching the node was last proven: not to what it was when the
//! checkpoint was armed, since an earlier step of the run may have written it without anybody loading it.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::checkpoint::{Armed, STANZAS, covers, files, generated};
use ringbolt_core::facts::FileFact;
use ringbolt_core::into_map::IntoMap;
use serde::{Deserialize, Serialize};

use super::Live;
use super::store::{self, PENDING};
use crate::disk::Disk;
use crate::read::file;
use crate::root::Root;
use crate::undo::FileWas;

/// A file, what it goes back to, and what it was made since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copy {
    /// As it was.
    pub(super) was: FileWas,
    /// Its content then.
    pub(super) content: Option<Vec<u8>>,
    /// Digest of what we know to be there instead, empty for nothing.
    pub(super) now: String,
}

/// Everything kept for one checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The covered files.
    pub(super) files: Vec<Copy>,
    /// What ran.
    pub(super) live: Live,
}

/// What putting files back came to.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Paths that are back.
    pub(super) changed: Vec<String>,
    /// The same in words.
    pub(super) back: Vec<String>,
    /// What was left, and why.
    pub(super) left: Vec<String>,
    /// What could not be done and is to be tried again.
    pub(super) failed: Vec<String>,
}

/// Takes note of a covered file that is about to be written: what it was before the first change that
/// nobody has confirmed. `after` is the digest of what it becomes, empty when it goes.
pub(crate) fn note(root: &Root, was: &FileWas, content: Option<&[u8]>, after: &str) -> std::io::Result<()> {
    if !covers(&was.path) {
        return Ok(());
    }
    let mut pending = store::get::<Vec<Copy>>(root, PENDING)?.unwrap_or_default();
    match pending.iter_mut().find(|copy| copy.was.path == was.path) {
        // Our own change upon our own change.
        Some(copy) if copy.now == was.digest => copy.now = after.to_owned(),
        found => {
            let copy = Copy { was: was.clone(), content: content.map(<[u8]>::to_vec), now: after.to_owned() };
            match found {
                // Somebody else has been at it since: what they left is what counts.
                Some(old) => *old = copy,
                None => pending.push(copy),
            }
        }
    }
    root.home()?;
    DirBuilder::new().recursive(true).mode(0o700).create(root.at(ringbolt_core::checkpoint::FOLDER))?;
    store::put_json(root, PENDING, &pending)
}

/// What the covered files go back to, as of now.
pub(super) fn look(root: &Root, live: Live) -> std::io::Result<Saved> {
    let mut pending: BTreeMap<String, Copy> = store::get::<Vec<Copy>>(root, PENDING)?
        .unwrap_or_default()
        .into_iter()
        .map(|copy| (copy.was.path.clone(), copy))
        .into_map();
    let mut all = Vec::new();
    for (path, now) in present(root)? {
        let have = now.as_ref().map_or(String::new(), |f| f.digest.clone());
        let copy = match pending.remove(&path) {
            Some(copy) if copy.now == have => copy,
            _ => {
                let content = now.as_ref().map(|_| std::fs::read(root.at(&path))).transpose()?;
                Copy { was: was(&path, now.as_ref()), content, now: have }
            }
        };
        all.push(copy);
    }
    // Files that were removed and that nobody has put there since.
    all.extend(pending.into_values().filter(|copy| copy.now.is_empty()));
    Ok(Saved { files: all, live })
}

/// Puts the files back. One that somebody else has changed meanwhile is left.
pub(super) fn put_back(root: &Root, armed: &Armed, saved: &Saved) -> Done {
    let disk = Disk { root, run: &armed.run, step: "checkpoint", healing: true };
    let mut done = Done::default();
    if saved.files.is_empty() {
        done.left.push("what was kept is not there any more".to_owned());
        return done;
    }
    for copy in &saved.files {
        restore(root, &disk, copy, &mut done);
    }
    let known = |path: &str| saved.files.iter().any(|copy| copy.was.path == path);
    let new = present(root).unwrap_or_default().into_iter();
    for (path, _) in new.filter(|(path, now)| now.is_some() && !known(path)) {
        if !generated(&path) {
            done.left.push(format!("{path} was made meanwhile and is left"));
            continue;
        }
        match disk.remove(&path, None) {
            Ok(_) => {
                done.back.push(format!("{path} removed"));
                done.changed.push(path);
            }
            Err(error) => done.failed.push(error.to_string()),
        }
    }
    done
}

fn restore(root: &Root, disk: &Disk<'_>, copy: &Copy, done: &mut Done) {
    let path = &copy.was.path;
    let now = match file(&root.at(path)) {
        Ok(now) => now.map_or(String::new(), |f| f.digest),
        Err(error) => return done.failed.push(format!("cannot read {path}: {error}")),
    };
    let was = if copy.was.existed { copy.was.digest.as_str() } else { "" };
    if now == was {
        return;
    }
    if !generated(path) && now != copy.now {
        done.left.push(format!("{path} was changed by somebody else meanwhile and is left"));
        return;
    }
    match disk.restore(&copy.was, copy.content.as_deref(), None) {
        Ok(_) => {
            let what = if copy.was.existed { "put back" } else { "removed" };
            done.back.push(format!("{path} {what}"));
            done.changed.push(path.clone());
        }
        Err(error) => done.failed.push(error.to_string()),
    }
}

/// Every covered file that is there, and those with fixed names that are not.
fn present(root: &Root) -> std::io::Result<Vec<(String, Option<FileFact>)>> {
    let mut paths: Vec<String> = files().map(str::to_owned).collect();
    for entry in std::fs::read_dir(root.at(STANZAS)).into_iter().flatten().flatten() {
        let path = format!("{STANZAS}/{}", entry.file_name().to_string_lossy());
        if covers(&path) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            paths.push(path);
        }
    }
    paths.arrange();
    paths.into_iter().map(|path| Ok((path.clone(), file(&root.at(&path))?))).collect()
}

fn was(path: &str, now: Option<&FileFact>) -> FileWas {
    FileWas {
        path: path.to_owned(),
        existed: now.is_some(),
        digest: now.map(|f| f.digest.clone()).unwrap_or_default(),
        mode: now.map_or(0, |f| f.mode),
        uid: now.map_or(0, |f| f.uid),
        gid: now.map_or(0, |f| f.gid),
        folders: Vec::new(),
    }
}
