//! The only place that writes a node's own files: whole, at once, with the previous content kept.
//!
//! A file is written beside its place, synced and renamed over it, so that it is always either the
//! old or the new one, also when the disk is full or the power goes. `/etc/pve` is a FUSE file
//! system without owners, modes and links; there only write and rename are used.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use ringbolt_core::checkpoint;
use ringbolt_core::digest;
use ringbolt_core::facts::FileFact;
use ringbolt_core::wire::{Failure, FailureKind};

use crate::beside::Temporary;
use crate::owed;
use crate::read::file;
use crate::root::{HOME, Root};
use crate::undo::{self, FileWas, Kept};

/// Folders below which files may be written.
const ALLOWED: [&str; 4] = ["/etc", "/root/.ssh", "/usr/local/lib/systemd", "/var/lib/ringbolt"];

/// Files Proxmox VE generates: never to be edited, whatever a plan says.
const GENERATED: [&str; 3] = ["/etc/pve/sdn", "/etc/network/interfaces.d/sdn", "/etc/frr/frr.conf"];

/// What is done before a file is changed.
const KEEP: &str = "keep the previous content of";

/// Why a file was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    /// Not a path the agent writes to.
    #[error("{path} is not a file ringbolt may change: {why}")]
    Path {
        /// The path as asked.
        path: String,
        /// Why not.
        why: String,
    },
    /// Somebody changed it since the plan was made.
    #[error("{path} {what}")]
    Changed {
        /// The path.
        path: String,
        /// What is there instead of what was expected.
        what: String,
    },
    /// The system said no.
    #[error("cannot {what} {path}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The path.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        let failure = Self::broken(error.to_string());
        match &error {
            DiskError::Path { .. } | DiskError::Changed { .. } => {
                let code = if matches!(error, DiskError::Changed { .. }) { " (RB0565)" } else { "" };
                let hint = format!("the file is left as it is; look again: `ringbolt plan`{code}");
                Self { kind: FailureKind::Refused, ..failure }.hint(hint)
            }
            DiskError::System { source, path, what } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    let full = if *what == KEEP { HOME } else { path };
                    failure.hint(format!(
                        "the disk is full: make room on the file system of {full} (RB0518); {path} is as it was"
                    ))
                }
                _ if path.starts_with("/etc/pve/") => failure
                    .hint("/etc/pve takes writes only while the cluster is quorate: look at `pvecm status`"),
                _ => failure,
            },
        }
    }
}

/// Writes and removes files for one step of a run.
pub(crate) struct Disk<'a> {
    /// The node's file tree.
    pub(crate) root: &'a Root,
    /// Run the change belongs to.
    pub(crate) run: &'a str,
    /// Step the change belongs to.
    pub(crate) step: &'a str,
    /// Set while a checkpoint puts things back: files Proxmox VE generates among them.
    pub(crate) healing: bool,
}

/// A place that may be changed, and what is there now.
struct Place {
    /// As asked, for people.
    name: String,
    /// Where the bytes go, links followed.
    path: PathBuf,
    now: Option<FileFact>,
    /// In `/etc/pve`.
    fuse: bool,
}

impl Disk<'_> {
    /// Puts a file in place; says in a word what it did. `expect` is the digest of what must be
    /// there now, empty for no file, `None` for whatever there is. What already is as wanted is
    /// left alone.
    pub(crate) fn write(
        &self,
        path: &str,
        content: &[u8],
        mode: u32,
        expect: Option<&str>,
    ) -> Result<&'static str, DiskError> {
        let place = self.place(path)?;
        let same = |now: &FileFact| now.digest == digest::of(content) && (place.fuse || now.mode == mode);
        if place.now.as_ref().is_some_and(same) {
            return Ok("already so");
        }
        place.check(expect)?;
        self.keep(&place, &digest::of(content))?;
        owed::note(self.root, path).map_err(place.fault("note the reload after"))?;
        self.folders(&place)?;
        place.replace(content, mode)?;
        Ok(if place.now.is_some() { "changed" } else { "created" })
    }

    /// Removes a file; says in a word what it did. `expect` as in `write`; what is gone already is
    /// left so.
    pub(crate) fn remove(&self, path: &str, expect: Option<&str>) -> Result<&'static str, DiskError> {
        let place = self.place(path)?;
        if place.now.is_none() {
            return Ok("already absent");
        }
        place.check(expect)?;
        self.keep(&place, "")?;
        owed::note(self.root, path).map_err(place.fault("note the reload after"))?;
        let fault = place.fault("remove");
        std::fs::remove_file(&place.path).and_then(|()| place.sync_folder()).map_err(fault)?;
        Ok("removed")
    }

    /// Puts back a file as it was kept, owner and folders included. `expect` as in `write`.
    pub(crate) fn restore(
        &self,
        was: &FileWas,
        content: Option<&[u8]>,
        expect: Option<&str>,
    ) -> Result<&'static str, DiskError> {
        if was.existed {
            let done = self.write(&was.path, content.unwrap_or_default(), was.mode, expect)?;
            let place = self.place(&was.path)?;
            if !place.fuse {
                chown(&place.path, Some(was.uid), Some(was.gid)).map_err(place.fault("give back"))?;
            }
            return Ok(done);
        }
        let done = self.remove(&was.path, expect)?;
        for folder in was.folders.iter().rev() {
            // One that something else has been put into stays.
            if self.may(&format!("{folder}/x")).is_ok() {
                let _ = std::fs::remove_dir(self.root.at(folder));
            }
        }
        Ok(done)
    }

    /// Checks the path and looks at what is there.
    fn place(&self, path: &str) -> Result<Place, DiskError> {
        let refuse = |why: &str| DiskError::Path { path: path.to_owned(), why: why.to_owned() };
        let fault = |source| DiskError::System { what: "read", path: path.to_owned(), source };
        self.may(path).map_err(refuse)?;
        let target = self.follow(path)?;
        let parent = target.parent().ok_or_else(|| refuse("it has no folder"))?;
        let real = real_folder(parent).map_err(fault)?;
        let top = std::fs::canonicalize(self.root.at("/")).map_err(fault)?;
        let inside = Path::new("/").join(real.strip_prefix(&top).unwrap_or(&real));
        // Neither a folder above it nor the mount of another tree leads anywhere but where the name says.
        if Path::new(path).parent() != Some(&*inside) {
            return Err(refuse(&format!("its folder leads to {}", inside.display())));
        }
        if target.is_dir() {
            return Err(refuse("it is a folder"));
        }
        let now = file(&target).map_err(fault)?;
        Ok(Place { name: path.to_owned(), path: target, now, fuse: inside.starts_with("/etc/pve") })
    }

    /// Where the last part leads, should it be a link: to its own folder only.
    fn follow(&self, path: &str) -> Result<PathBuf, DiskError> {
        let here = self.root.at(path);
        let Ok(target) = std::fs::read_link(&here) else { return Ok(here) };
        let own = Path::new(path).parent().unwrap_or(Path::new("/"));
        let name = target.strip_prefix(own).unwrap_or(&target);
        let there = here.with_file_name(name);
        let single = name.components().count() == 1 && there.file_name() == Some(name.as_os_str());
        if !single || std::fs::read_link(&there).is_ok() {
            let why = format!("it is a link to {}, outside its folder or a link again", target.display());
            return Err(DiskError::Path { path: path.to_owned(), why });
        }
        Ok(there)
    }

    /// Whether a file of this name may be changed here.
    fn may(&self, path: &str) -> Result<(), &'static str> {
        may(path, self.healing && checkpoint::covers(path))
    }

    /// Keeps what is there now for undo, and for a checkpoint; `after` is the digest of what comes.
    fn keep(&self, place: &Place, after: &str) -> Result<(), DiskError> {
        let fault = |source| DiskError::System { what: KEEP, path: place.name.clone(), source };
        let content = match place.now {
            Some(_) => Some(std::fs::read(&place.path).map_err(fault)?),
            None => None,
        };
        let kept = Kept::file(&place.name, self.step, place.now.as_ref(), place.missing_folders());
        undo::keep(self.root, self.run, &kept, content.as_deref()).map_err(&fault)?;
        match &kept.was {
            undo::Was::File(was) if !self.healing => {
                crate::checkpoint::note(self.root, was, content.as_deref(), after).map_err(&fault)
            }
            _ => Ok(()),
        }
    }

    /// Makes the folders that are missing.
    fn folders(&self, place: &Place) -> Result<(), DiskError> {
        let Some(folder) = place.path.parent().filter(|folder| !folder.is_dir()) else { return Ok(()) };
        let mut missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
        missing.reverse();
        for folder in missing {
            let made = DirBuilder::new().mode(0o755).create(folder).and_then(|()| match place.fuse {
                true => Ok(()),
                false => std::fs::set_permissions(folder, Permissions::from_mode(0o755)),
            });
            made.map_err(place.fault("make the folder of"))?;
        }
        Ok(())
    }
}

/// Whether the agent may change a file of this name; one that is generated only to put it back.
fn may(path: &str, generated: bool) -> Result<(), &'static str> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain)) || path.contains('\0') {
        return Err("the path is not absolute and plain");
    }
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    if !ALLOWED.into_iter().any(below) {
        return Err("it is outside the folders ringbolt writes to");
    }
    if !generated && GENERATED.into_iter().any(|generated| path == generated || below(generated)) {
        return Err("Proxmox VE generates it");
    }
    Ok(())
}

/// The real place of a folder, of which the last parts need not be there yet.
fn real_folder(folder: &Path) -> std::io::Result<PathBuf> {
    match std::fs::canonicalize(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => match (folder.parent(), folder.file_name()) {
            (Some(parent), Some(name)) => Ok(real_folder(parent)?.join(name)),
            _ => Err(error),
        },
        other => other,
    }
}

impl Place {
    /// Folders above the place, as in its name, that are not there yet; the outermost first.
    fn missing_folders(&self) -> Vec<String> {
        let above = Path::new(&self.name).ancestors().skip(1).zip(self.path.ancestors().skip(1));
        let mut missing: Vec<String> = above
            .take_while(|(_, real)| !real.is_dir())
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect();
        missing.reverse();
        missing
    }

    fn fault(&self, what: &'static str) -> impl Fn(std::io::Error) -> DiskError + use<> {
        let path = self.name.clone();
        move |source| DiskError::System { what, path: path.clone(), source }
    }

    /// Compares what is there with what the plan saw.
    fn check(&self, expect: Option<&str>) -> Result<(), DiskError> {
        let what = match (expect, &self.now) {
            (None, _) | (Some(""), None) => return Ok(()),
            (Some(want), Some(now)) if now.digest == want => return Ok(()),
            (Some(""), Some(now)) => {
                format!("is there now (sha256 {}…), the plan saw no such file", short(&now.digest))
            }
            (Some(want), Some(now)) => format!(
                "was changed since the plan was made (sha256 is {}…, the plan saw {}…)",
                short(&now.digest),
                short(want)
            ),
            (Some(_), None) => "is gone since the plan was made".to_owned(),
        };
        Err(DiskError::Changed { path: self.name.clone(), what })
    }

    /// Writes beside the place and renames over it.
    fn replace(&self, content: &[u8], mode: u32) -> Result<(), DiskError> {
        let fault = self.fault("write");
        let new = Temporary::beside(&self.path);
        let written = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new.0)?;
            file.write_all(content)?;
            if !self.fuse {
                if let Some(now) = &self.now {
                    chown(&new.0, Some(now.uid), Some(now.gid))?;
                }
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            file.sync_all()?;
            std::fs::rename(&new.0, &self.path)?;
            self.sync_folder()
        };
        written().map_err(fault)
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        match self.path.parent() {
            // pmxcfs keeps its own journal and knows no fsync of folders.
            Some(folder) if !self.fuse => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
#[path = "disk_test.rs"]
mod tests;
