//! The agent puts itself in place: it was sent as `<digest>.upload-<nonce>` and becomes `<digest>`.
//!
//! Also tells the digest of the running build. It removes only older builds and stale uploads in
//! its own folder.

use std::fs::{File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use ringbolt_core::arrange::Arrange;
use ringbolt_core::json;

/// Builds kept, the running one included.
const KEPT: usize = 2;

/// An upload nothing was written to for this long was given up: ssh itself gives up a dead line sooner.
const STALE: Duration = Duration::from_secs(120);

/// Why the agent could not put itself in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// The name it runs under says no digest.
    #[error("{} is not named `<sha256>.upload-<nonce>`", .0.display())]
    Name(PathBuf),
    /// It is not what it should be: the upload was cut short or changed.
    #[error("the upload has digest {have}, expected {want}")]
    Digest {
        /// As it is.
        have: String,
        /// As its name says.
        want: String,
    },
    /// The system said no.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
}

fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> InstallError {
    let what = what.into();
    move |source| InstallError::System { what, source }
}

/// Digest of the running build: the name it is installed under, or, where that says nothing or
/// `verify` is set, of the file itself.
pub(crate) fn build(program: &Path, verify: bool) -> Result<String, InstallError> {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !verify && is_digest(name) {
        return Ok(name.to_owned());
    }
    // The link of the running process leads to its file even when that was replaced since.
    let own = Path::new("/proc/self/exe");
    let running = std::fs::read_link(own).is_ok_and(|real| real == program);
    file_digest(if running { own } else { program }).map_err(system("read the agent's own file"))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn file_digest(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Verifies the upload the agent runs from and gives it its name; says where it is now. A bad
/// upload is removed.
pub(crate) fn install(program: &Path) -> Result<PathBuf, InstallError> {
    let unnamed = || InstallError::Name(program.to_owned());
    let name = program.file_name().and_then(|name| name.to_str()).ok_or_else(unnamed)?;
    let folder = program.parent().ok_or_else(unnamed)?;
    let (want, _) = name.split_once(".upload-").filter(|(d, _)| is_digest(d)).ok_or_else(unnamed)?;
    let have = file_digest(program).map_err(system(format!("read {}", program.display())))?;
    if have != want {
        let _ = std::fs::remove_file(program);
        return Err(InstallError::Digest { have, want: want.to_owned() });
    }
    let place = folder.join(want);
    let settle = || {
        let home = folder.parent().filter(|home| home.ends_with("ringbolt"));
        for private in [program, folder].into_iter().chain(home) {
            std::fs::set_permissions(private, Permissions::from_mode(0o700))?;
        }
        File::open(program)?.sync_all()?;
        std::fs::rename(program, &place)?;
        File::open(folder)?.sync_all()
    };
    settle().map_err(system(format!("put {} in place", place.display())))?;
    prune(folder, want);
    Ok(place)
}

/// Removes uploads beside an installed agent that nobody finished.
pub(crate) fn tidy(program: &Path) {
    let Some(folder) = program.parent().filter(|folder| folder.ends_with("ringbolt/bin")) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).map(|changed| changed.elapsed());
        let stale = age.is_ok_and(|age| age.is_ok_and(|age| age > STALE));
        if stale && entry.file_name().to_string_lossy().contains(".upload-") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Removes all but the newest builds. What cannot be removed stays.
fn prune(folder: &Path, own: &str) {
    let mut builds: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let changed = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        if is_digest(&name) && name != own {
            builds.push((changed, entry.path()));
        }
    }
    builds.arrange_by(|a, b| b.cmp(a));
    let needed = healer(folder);
    for (_, path) in builds.into_iter().skip(KEPT - 1).filter(|(_, path)| Some(path) != needed.as_ref()) {
        let _ = std::fs::remove_file(path);
    }
}

/// The build that an armed checkpoint will run.
fn healer(folder: &Path) -> Option<PathBuf> {
    let text = std::fs::read(folder.parent()?.join("checkpoint/armed.json")).ok()?;
    let armed: ringbolt_core::checkpoint::Armed = json::read(&text).ok()?;
    Some(folder.join(Path::new(&armed.program).file_name()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ringbolt_core::digest;

    #[test]
    fn a_whole_upload_is_put_in_place_and_old_builds_go() {
        let folder = tempfile::tempdir().unwrap();
        let want = digest::of("agent");
        for (age, name) in ["a", "b", "c"].iter().enumerate() {
            let path = folder.path().join(name.repeat(64));
            std::fs::write(&path, "old").unwrap();
            let then = SystemTime::now() - Duration::from_secs(100 * (age as u64 + 1));
            File::options().append(true).open(&path).unwrap().set_modified(then).unwrap();
        }
        std::fs::write(folder.path().join("notes"), "foreign").unwrap();
        let upload = folder.path().join(format!("{want}.upload-1"));
        std::fs::write(&upload, "agent").unwrap();
        let place = install(&upload).unwrap();
        assert_eq!(place, folder.path().join(&want));
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = vec![want, "a".repeat(64), "notes".to_owned()];
        expected.sort();
        assert_eq!(left, expected);
        assert_eq!(build(&place, false).unwrap(), digest::of("agent"));
        assert_eq!(build(&folder.path().join("a".repeat(64)), true).unwrap(), digest::of("old"));
    }

    #[test]
    fn uploads_that_were_given_up_go_and_one_under_way_stays() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("ringbolt/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let upload = |nonce: &str, age: u64| {
            let path = bin.join(format!("{}.upload-{nonce}", "a".repeat(64)));
            std::fs::write(&path, "half").unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            File::options().append(true).open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        let (old, new) = (upload("1", 500), upload("2", 3));
        tidy(&bin.join("a".repeat(64)));
        assert!(!old.exists() && new.exists());
        let elsewhere = upload("3", 500);
        tidy(&bin.parent().unwrap().join("x"));
        assert!(elsewhere.exists());
    }

    #[test]
    fn a_torn_upload_is_refused_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let upload = folder.path().join(format!("{}.upload-1", digest::of("agent")));
        std::fs::write(&upload, "age").unwrap();
        assert!(matches!(install(&upload), Err(InstallError::Digest { .. })));
        assert!(!upload.exists());
        assert!(matches!(install(Path::new("/usr/bin/ringbolt")), Err(InstallError::Name(_))));
    }
}
