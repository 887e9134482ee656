//! Whose Proxmox VE's SDN lock is: a note on this node, from before the lock is taken until it is gone. Whoever dies
//! in between leaves both, and the next apply on this node knows that the lock is ours to release.
//!
//! Used by the change of fabrics only. A lock without a fitting note is somebody else's and stays.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ringbolt_core::json;
use ringbolt_core::resource::owed::SDN_LOCK;
use ringbolt_core::wire::Failure;
use serde::{Deserialize, Serialize};

use super::super::Scene;
use super::state::Sdn;
use crate::root::{HOME, Root};

/// Longest wait for an agent of an earlier run that still holds the lock.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many seconds after the note was begun a lock without a known token may have been made.
const WINDOW: u64 = 70;

/// Who took the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The token; none between asking for it and having it.
    token: Option<String>,
    /// When it was asked for, in seconds since 1970.
    at: u64,
    /// The agent.
    pid: u32,
    /// The boot it ran in.
    boot: String,
}

fn path(root: &Root) -> std::path::PathBuf {
    root.at(SDN_LOCK)
}

fn boot(root: &Root) -> String {
    root.line("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// Notes that the lock is about to be taken (`token` is none), or whose it is now.
pub(super) fn note(root: &Root, token: Option<&str>) -> Result<(), Failure> {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let note = Note { token: token.map(str::to_owned), at, pid: std::process::id(), boot: boot(root) };
    let (path, new) = (path(root), path(root).with_extension("tmp"));
    let write = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root.at(HOME))?;
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&note)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(|e| Failure::broken(format!("cannot note who takes the SDN lock: {e}")))
}

/// The lock is gone, and so is the note.
pub(super) fn forget(root: &Root) {
    let _ = fs::remove_file(path(root));
}

/// Whether the lock is one an apply of ours left behind when it was cut off. One that is still at work is outwaited:
/// then there is no lock any more, and the answer is no.
pub(super) fn is_left(scene: &Scene<'_>, held: &str) -> Result<bool, Failure> {
    let root = scene.root;
    let end = Instant::now() + PATIENCE;
    loop {
        let known: Option<Note> = fs::read(path(root)).ok().and_then(|text| json::read(&text).ok());
        let Some(note) = known.filter(|note| fits(note, held, lock_made(root))) else { return Ok(false) };
        if !is_at_work(root, &note) {
            return Ok(true);
        }
        if Sdn::read(root)?.lock.as_deref() != Some(held) || Instant::now() > end {
            return Ok(false);
        }
        scene.pause(Duration::from_millis(300))?;
    }
}

/// When the lock was made, in seconds since 1970.
fn lock_made(root: &Root) -> Option<u64> {
    let made = fs::metadata(root.at("/etc/pve/sdn/.lock")).and_then(|about| about.modified()).ok()?;
    made.duration_since(UNIX_EPOCH).ok().map(|d| d.as_secs())
}

fn fits(note: &Note, held: &str, made: Option<u64>) -> bool {
    match &note.token {
        Some(token) => token == held,
        None => made.is_some_and(|made| (note.at.saturating_sub(1)..=note.at + WINDOW).contains(&made)),
    }
}

/// Whether that agent lives, or a call it began does.
fn is_at_work(root: &Root, note: &Note) -> bool {
    if note.boot != boot(root) {
        return false;
    }
    let proc = root.at("/proc");
    let line = |process: &Path| fs::read(process.join("cmdline")).unwrap_or_default();
    let has = |line: &[u8], word: &str| {
        line.split(|b| *b == 0).any(|w| w == word.as_bytes() || w.ends_with(format!("/{word}").as_bytes()))
    };
    // A number may have been given to somebody else since; ours is no agent of an earlier run.
    let lives = note.pid != std::process::id() && has(&line(&proc.join(note.pid.to_string())), "agent");
    let calls = fs::read_dir(&proc).into_iter().flatten().flatten();
    lives || calls.map(|entry| line(&entry.path())).any(|line| has(&line, "pvesh"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::Mutex;

    use super::*;
    use crate::stop::Stop;

    /// A node on which a lock is held.
    fn node(held: &str) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), None);
        for made in ["/etc/pve/sdn", "/proc/sys/kernel/random", "/proc/77", HOME] {
            fs::create_dir_all(root.at(made)).unwrap();
        }
        fs::write(root.at("/etc/pve/sdn/.lock"), format!("{held}\n")).unwrap();
        fs::write(root.at("/proc/sys/kernel/random/boot_id"), "b1\n").unwrap();
        (folder, root)
    }

    fn left(root: &Root, held: &str) -> bool {
        let (stop, said) = (Stop::default(), Mutex::new(Vec::new()));
        let say = |text: String| said.lock().unwrap().push(text);
        is_left(&Scene { root, run: "r", step: "n1/sdn", stop: &stop, say: &say }, held).unwrap()
    }

    #[test]
    fn a_lock_of_ours_is_known_by_its_token_and_before_that_by_its_time() {
        let (_folder, root) = node("t1");
        assert!(!left(&root, "t1"), "no note: somebody else's");
        note(&root, None).unwrap();
        assert!(left(&root, "t1"), "made right after we asked for it");
        note(&root, Some("t1")).unwrap();
        assert!(left(&root, "t1"));
        assert!(!left(&root, "t2"), "another one, made since");
        forget(&root);
        assert!(!left(&root, "t1"));
    }

    #[test]
    fn a_lock_older_than_the_note_is_somebody_elses() {
        let none = Note { token: None, at: 1000, pid: 7, boot: "b1".into() };
        assert!(fits(&none, "t", Some(1003)) && !fits(&none, "t", Some(990)));
        assert!(!fits(&none, "t", Some(1000 + WINDOW + 1)) && !fits(&none, "t", None));
    }

    #[test]
    fn an_agent_that_lives_is_at_work_and_one_of_an_earlier_boot_is_not() {
        let (_folder, root) = node("t1");
        let note = Note { token: Some("t1".into()), at: 0, pid: 77, boot: "b1".into() };
        assert!(!is_at_work(&root, &note));
        fs::write(root.at("/proc/77/cmdline"), "/var/lib/ringbolt/bin/abc\0agent\0").unwrap();
        assert!(is_at_work(&root, &note));
        assert!(!is_at_work(&root, &Note { boot: "b0".into(), ..note.clone() }));
        fs::write(root.at("/proc/77/cmdline"), "/usr/bin/perl\0/usr/bin/pvesh\0set\0").unwrap();
        assert!(is_at_work(&root, &note), "a call of a dead agent goes on by itself");
    }
}
