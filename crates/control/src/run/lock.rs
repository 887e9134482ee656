//! One run of a cluster at a time from this machine.
//!
//! The lock is the kernel's, so it is gone with its holder however that one ended; the text in the file only tells
//! others who it is.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Held as long as it lives.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("another run of cluster {cluster} is under way here: {holder}")]
    Held {
        /// Which cluster.
        cluster: String,
        /// Process, time and purpose of the holder.
        holder: String,
    },
    /// The file cannot be used.
    #[error("cannot lock {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl RunLock {
    /// Takes the lock of a cluster, real or of the lab of this name; `purpose` says to others what for.
    ///
    /// # Errors
    /// Somebody holds it, or its file cannot be used.
    pub fn take(state: &Path, cluster: &str, lab: Option<&str>, purpose: &str) -> Result<Self, LockError> {
        let folder = state.join("locks");
        let lab = lab.map_or_else(String::new, |lab| format!("@{}", file_name(lab)));
        let path = folder.join(format!("{}{lab}.lock", file_name(cluster)));
        let fault = |source| LockError::File { path: path.clone(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(fault)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fault)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let _ = file.take(1000).read_to_string(&mut holder);
                return Err(LockError::Held { cluster: cluster.into(), holder: holder.trim().into() });
            }
            Err(error) => return Err(fault(error.into())),
        }
        let words = format!(
            "process {}, since {}, {purpose}\n",
            std::process::id(),
            jiff::Zoned::now().strftime("%F %T")
        );
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(words.as_bytes()))
            .map_err(fault)?;
        Ok(Self { _file: file })
    }
}

/// A cluster's name as part of a file name.
fn file_name(cluster: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = cluster.chars().map(plain).take(60).collect();
    if name == cluster { name } else { format!("{name}-{}", &ringbolt_core::digest::of(cluster)[..8]) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is_and_another_cluster_is_free() {
        let state = tempfile::tempdir().unwrap();
        let held = RunLock::take(state.path(), "tb4", None, "apply").unwrap();
        let error = RunLock::take(state.path(), "tb4", None, "apply").unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        RunLock::take(state.path(), "tb5", None, "apply").unwrap();
        RunLock::take(state.path(), "tb4", Some("one"), "apply").unwrap();
        let _lab = RunLock::take(state.path(), "tb4", Some("two"), "apply").unwrap();
        assert!(RunLock::take(state.path(), "tb4", Some("two"), "apply").is_err());
        drop(held);
        RunLock::take(state.path(), "tb4", None, "drill").unwrap();
    }

    #[test]
    fn names_that_look_alike_in_a_file_system_keep_apart() {
        assert_ne!(file_name("a/b"), file_name("a_b"));
        assert_ne!(file_name("a/b"), file_name("a.b"));
    }
}
