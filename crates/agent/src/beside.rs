//! Files written beside their place before they are renamed over it, and what agents that were killed left of them.
//! Used by `disk` and `checkpoint`; knows nothing of what is in them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

/// A file beside its place; gone again unless renamed.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    /// A name no tool takes for configuration, hidden and with an ending none of them reads; with the number of
    /// this process, so that it is known when nobody writes it any more; and one nobody can have guessed. What
    /// earlier agents left beside this place goes.
    pub(crate) fn beside(path: &Path) -> Self {
        clear(path);
        let chance = RandomState::new().build_hasher().finish();
        Self(path.with_file_name(format!("{}{}-{chance:016x}{TAIL}", head(path), std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const TAIL: &str = ".tmp";

fn head(path: &Path) -> String {
    format!(".{}.ringbolt-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes what agents that were killed left beside the place.
pub(crate) fn clear(path: &Path) {
    let Some(folder) = path.parent() else { return };
    let head = head(path);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(&head).and_then(|rest| rest.strip_suffix(TAIL)).is_some_and(is_dead) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether the process of `PID-CHANCE` has ended.
fn is_dead(rest: &str) -> bool {
    let pid = rest.split_once('-').and_then(|(pid, _)| pid.parse::<u32>().ok());
    pid.is_some_and(|pid| pid != std::process::id() && !Path::new("/proc").join(pid.to_string()).exists())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_a_killed_agent_left_beside_a_place_goes_with_the_next_write_there() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        let ours = Temporary::beside(&place);
        std::fs::write(&ours.0, "half").unwrap();
        let name = ours.0.file_name().unwrap().to_str().unwrap().to_owned();
        // No process has this number: it is above the kernel's limit.
        let dead = name.replace(&format!("ringbolt-{}-", std::process::id()), "ringbolt-4194999-");
        assert_ne!(dead, name);
        let (dead, other) = (folder.path().join(&dead), folder.path().join(dead.replace(".file", ".other")));
        for left in [&dead, &other] {
            std::fs::write(left, "half").unwrap();
        }
        drop(Temporary::beside(&place));
        assert!(!dead.exists() && other.exists() && ours.0.exists());
        let path = ours.0.clone();
        drop(ours);
        assert!(!path.exists());
    }
}
