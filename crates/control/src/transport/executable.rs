//! The program that runs on nodes: this very executable, named by the SHA-256 of its bytes.
//!
//! Used by the transports. Hashing is remembered in the state folder by what the file system says of the file, since
//! the digest is part of the first command sent to every node.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use ringbolt_core::json;

/// An executable and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable {
    /// Where its bytes are; `/proc/self/exe` for our own, so that a replaced file does not matter.
    pub path: PathBuf,
    /// SHA-256 in hex.
    pub digest: String,
}

/// The executable cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the program {path}: {source}")]
pub struct ExecutableError {
    /// Which file.
    path: PathBuf,
    /// Why.
    source: std::io::Error,
}

/// What is remembered of a hashed file.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    identity: Identity,
    digest: String,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Executable {
    /// The running program, its digest remembered in `state`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn own(state: &Path) -> Result<Self, ExecutableError> {
        Self::at(Path::new("/proc/self/exe"), Some(state))
    }

    /// Any file, its digest remembered in `state` where given.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn at(path: &Path, state: Option<&Path>) -> Result<Self, ExecutableError> {
        let fault = |source| ExecutableError { path: path.to_owned(), source };
        let file = File::open(path).map_err(fault)?;
        let identity = identity(&file).map_err(fault)?;
        let memory = state.map(|folder| folder.join("program.json"));
        if let Some(digest) = memory.as_deref().and_then(|m| recall(m, &identity)) {
            return Ok(Self { path: path.to_owned(), digest });
        }
        let digest = hash(file).map_err(fault)?;
        if let Some(memory) = memory {
            // Without the memory the next start takes some milliseconds longer, nothing else.
            let _ = remember(&memory, &Memory { identity, digest: digest.clone() });
        }
        Ok(Self { path: path.to_owned(), digest })
    }
}

fn identity(file: &File) -> std::io::Result<Identity> {
    let meta = file.metadata()?;
    Ok(Identity {
        device: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}

fn recall(memory: &Path, identity: &Identity) -> Option<String> {
    let known: Memory = json::read(&std::fs::read(memory).ok()?).ok()?;
    let sound = known.digest.len() == 64 && known.digest.bytes().all(|b| b.is_ascii_hexdigit());
    (sound && known.identity == *identity).then_some(known.digest)
}

fn remember(memory: &Path, known: &Memory) -> std::io::Result<()> {
    let folder = memory.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(known)?)?;
    file.persist(memory)?;
    Ok(())
}

fn hash(mut file: File) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect());
        }
        hasher.update(&chunk[..count]);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_changed_file_gets_a_new_digest_and_an_unchanged_one_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "one").unwrap();
        let first = Executable::at(&program, Some(folder.path())).unwrap();
        assert_eq!(first.digest, ringbolt_core::digest::of("one"));

        let memory = folder.path().join("program.json");
        let marked = std::fs::read_to_string(&memory).unwrap().replace(&first.digest, &"0".repeat(64));
        std::fs::write(&memory, marked).unwrap();
        assert_eq!(Executable::at(&program, Some(folder.path())).unwrap().digest, "0".repeat(64));

        std::fs::write(&program, "two").unwrap();
        let second = Executable::at(&program, Some(folder.path())).unwrap();
        assert_eq!(second.digest, ringbolt_core::digest::of("two"));
    }

    #[test]
    fn a_spoilt_memory_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "one").unwrap();
        std::fs::write(folder.path().join("program.json"), "{\"identity\":").unwrap();
        assert_eq!(
            Executable::at(&program, Some(folder.path())).unwrap().digest,
            ringbolt_core::digest::of("one")
        );
    }
}
