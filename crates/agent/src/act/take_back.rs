//! Puts back what a step of an earlier run found, from the copies `undo` keeps.

use std::path::Path;

use ringbolt_core::wire::Failure;

use super::port::{self, Condition};
use super::{Outcome, Scene, packages, sysctl, unit};
use crate::undo::{self, Was};

/// Puts back everything the step has kept, the newest first. `expect` is the digest of what the step
/// left of its file, empty for none: a file somebody has changed since is refused.
pub(super) fn take_back(scene: &Scene<'_>, run: &str, step: &str, expect: Option<&str>) -> Outcome {
    let found = undo::of_step(scene.root, run, step)
        .map_err(|e| Failure::broken(format!("cannot read what was kept for {step} of run {run}: {e}")))?;
    if found.is_empty() {
        return Ok("the step had changed nothing here".to_owned());
    }
    let mut notes = Vec::new();
    for (kept, content) in found {
        let note = match &kept.was {
            Was::File(was) => {
                let done = scene.disk().restore(was, content.as_deref(), expect)?;
                let name = Path::new(&was.path).file_name().unwrap_or_default().to_string_lossy();
                format!("{name} {done}")
            }
            other => put_back(scene, other)?,
        };
        notes.extend(Some(note).filter(|n| !n.is_empty()));
    }
    Ok(notes.join("; "))
}

/// Puts back what a step has kept besides files, the newest first; the checkpoint has files of its own.
pub(super) fn all_but_files(scene: &Scene<'_>, run: &str, step: &str) -> Outcome {
    let found = undo::of_step(scene.root, run, step)
        .map_err(|e| Failure::broken(format!("cannot read what was kept for {step} of run {run}: {e}")))?;
    for (kept, _) in found.iter().filter(|(kept, _)| !matches!(kept.was, Was::File(_))) {
        put_back(scene, &kept.was)?;
    }
    Ok(String::new())
}

/// Puts back one thing that is no file.
fn put_back(scene: &Scene<'_>, was: &Was) -> Outcome {
    match was {
        Was::File(_) => Ok(String::new()),
        Was::Packages { named, installed } => packages::put_back(scene, named, installed),
        Was::Unit { unit, enabled, active } => unit::put_back(unit, *enabled, *active),
        Was::Sysctl { values } => sysctl::put_back(values),
        Was::Port { pci, name, mtu, up, addresses } => {
            port::put_back(scene, pci, &Condition { name, mtu: *mtu, up: *up, addresses })
        }
    }
}
