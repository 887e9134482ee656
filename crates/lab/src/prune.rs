//! What lies in the cache of images and layers, and removing what is neither of use now nor used by a lab. Used by
//! `lab images`. It holds the cache's lock while it removes, and touches nothing that a mount of this machine names.

use std::fs;
use std::path::PathBuf;

use crate::image::{self, lock_cache};
use crate::lab::{LabError, list, open, parent};
use crate::state::{PveRelease, file_error};
use crate::{layer, probe};

use ringbolt_core::arrange::Arrange;

/// An image or a layer of the cache.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cached {
    /// Its folder.
    pub path: PathBuf,
    /// Labs made from it.
    pub labs: Vec<String>,
    /// Whether the next `lab up` of this program could take it.
    pub current: bool,
    /// Whether it is mounted, be it by a lab that is not known here.
    pub mounted: bool,
}

impl Cached {
    /// Whether nothing needs it any more.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.labs.is_empty() && !self.current && !self.mounted
    }
}

/// Everything in the cache, by name.
///
/// # Errors
/// The cache cannot be read, or this machine cannot run a lab.
pub fn cached() -> Result<Vec<Cached>, LabError> {
    let cache = image::cache();
    let current = current()?;
    let labs: Vec<(String, Vec<PathBuf>)> = list()
        .into_iter()
        .filter_map(|name| Some((open(&name).ok()?.record().ok()?.lower, name)))
        .map(|(lower, name)| (name, lower))
        .collect();
    let mounts = mounts();
    let mut all = Vec::new();
    for entry in fs::read_dir(&cache).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = cache.join(&name);
        if !(name.starts_with("base-") || name.starts_with("layer-")) || !path.is_dir() {
            continue;
        }
        all.push(Cached {
            labs: labs
                .iter()
                .filter(|(_, lower)| lower.contains(&path))
                .map(|(lab, _)| lab.clone())
                .collect(),
            current: current.contains(&path),
            mounted: mounts.iter().any(|text| text.contains(&name)),
            path,
        });
    }
    all.arrange_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

/// Removes what is stale; gives what was removed.
///
/// # Errors
/// As [`cached`], or a folder does not let itself be removed.
pub fn prune() -> Result<Vec<PathBuf>, LabError> {
    let _lock = lock_cache()?;
    let mut gone = Vec::new();
    for one in cached()?.into_iter().filter(Cached::is_stale) {
        fs::remove_dir_all(&one.path).map_err(file_error(&one.path))?;
        // What its build wrote, where it wrote something.
        let _ = fs::remove_file(one.path.with_extension("log"));
        gone.push(one.path);
    }
    Ok(gone)
}

/// The image and all layers this program would make on this machine.
fn current() -> Result<Vec<PathBuf>, LabError> {
    let features = probe::probe(&parent())?;
    let mut paths = vec![image::folder()];
    for release in [PveRelease::V9_0, PveRelease::V9_1, PveRelease::V9_2] {
        for without in [&[][..], &["frr".to_owned()]] {
            paths.push(layer::folder(release, without, &features));
        }
    }
    Ok(paths)
}

/// What every process has mounted.
fn mounts() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut texts: Vec<String> =
        processes.filter_map(|process| fs::read_to_string(process.path().join("mountinfo")).ok()).collect();
    texts.arrange();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_use_in_any_way_stays() {
        let stale = Cached { path: "/c/layer-0".into(), labs: Vec::new(), current: false, mounted: false };
        assert!(stale.is_stale());
        assert!(!Cached { labs: vec!["a".into()], ..stale.clone() }.is_stale());
        assert!(!Cached { current: true, ..stale.clone() }.is_stale());
        assert!(!Cached { mounted: true, ..stale }.is_stale());
    }
}
