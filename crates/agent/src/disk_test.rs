//! Tests of writing files, on a tree of their own; the full disk is a real one, a tmpfs in a mount
//! namespace of the test's own.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;
use crate::undo::{FileWas, Was};

struct Tree {
    folder: tempfile::TempDir,
    root: Root,
}

fn tree() -> Tree {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("etc/network")).unwrap();
    let root = Root::open(folder.path(), None);
    Tree { folder, root }
}

impl Tree {
    fn disk(&self) -> Disk<'_> {
        Disk { root: &self.root, run: "run-1", step: "n2/file", healing: false }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.at(path)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.at(folder))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn kept(&self, number: u32) -> (FileWas, Option<String>) {
        let folder = self.at("/var/lib/ringbolt/undo/run-1");
        let about = std::fs::read(folder.join(format!("{number:04}.json"))).unwrap();
        let content = std::fs::read_to_string(folder.join(format!("{number:04}.content"))).ok();
        let kept: Kept = serde_json::from_slice(&about).unwrap();
        let Was::File(was) = kept.was else { panic!("{kept:?}") };
        (was, content)
    }
}

#[test]
fn a_new_file_comes_with_its_folders_and_mode() {
    let tree = tree();
    let said = tree.disk().write("/etc/systemd/network/00-x.link", b"new", 0o644, Some("")).unwrap();
    assert_eq!(said, "created");
    assert_eq!(std::fs::read(tree.at("/etc/systemd/network/00-x.link")).unwrap(), b"new");
    let mode = |path: &str| std::fs::metadata(tree.at(path)).unwrap().mode() & 0o7777;
    assert_eq!(mode("/etc/systemd/network/00-x.link"), 0o644);
    assert_eq!(mode("/etc/systemd/network"), 0o755);
    assert_eq!(mode("/var/lib/ringbolt/undo"), 0o700);
    assert!(!tree.kept(1).0.existed);
    assert_eq!(tree.names("/etc/systemd/network"), ["00-x.link"]);
}

#[test]
fn what_was_kept_is_put_back_with_folders_mode_and_owner() {
    let tree = tree();
    let path = "/etc/systemd/system/a.service.d/ringbolt.conf";
    tree.disk().write(path, b"new", 0o644, Some("")).unwrap();
    let (was, content) = tree.kept(1);
    assert_eq!(was.folders.last().unwrap(), "/etc/systemd/system/a.service.d");
    assert!(content.is_none());
    // Somebody has edited it since: nothing is lost.
    std::fs::write(tree.at(path), "edited").unwrap();
    let refused = tree.disk().restore(&was, None, Some(&digest::of("new"))).unwrap_err();
    assert!(refused.to_string().contains("was changed since"), "{refused}");
    std::fs::write(tree.at(path), "new").unwrap();
    tree.disk().restore(&was, None, Some(&digest::of("new"))).unwrap();
    assert!(!tree.at("/etc/systemd/system").exists());

    std::fs::write(tree.at("/etc/x"), "old").unwrap();
    std::fs::set_permissions(tree.at("/etc/x"), Permissions::from_mode(0o640)).unwrap();
    tree.disk().write("/etc/x", b"ours", 0o600, None).unwrap();
    let number = u32::try_from(tree.names("/var/lib/ringbolt/undo/run-1").len()).unwrap();
    let last =
        (1..=number).rev().find(|n| tree.at(&format!("/var/lib/ringbolt/undo/run-1/{n:04}.json")).exists());
    let (was, content) = tree.kept(last.unwrap());
    tree.disk().restore(&was, content.as_deref().map(str::as_bytes), None).unwrap();
    assert_eq!(std::fs::read_to_string(tree.at("/etc/x")).unwrap(), "old");
    assert_eq!(std::fs::metadata(tree.at("/etc/x")).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_changed_file_keeps_its_owner_and_its_old_self_is_kept() {
    let tree = tree();
    let path = tree.at("/etc/frr.local");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let owned = chown(&path, Some(1234), Some(2345)).is_ok();
    tree.disk().write("/etc/frr.local", b"new", 0o640, Some(&digest::of("old"))).unwrap();
    let about = std::fs::metadata(&path).unwrap();
    assert_eq!(about.mode() & 0o7777, 0o640);
    assert!(!owned || (about.uid(), about.gid()) == (1234, 2345));
    let (kept, content) = tree.kept(1);
    assert_eq!((kept.existed, kept.mode, content.as_deref()), (true, 0o640, Some("old")));
    assert_eq!(kept.path, "/etc/frr.local");
    let again = tree.disk().write("/etc/frr.local", b"new", 0o640, Some(&digest::of("old"))).unwrap();
    assert_eq!(again, "already so");
    assert_eq!(tree.names("/var/lib/ringbolt/undo/run-1").len(), 2);
}

#[test]
fn a_file_that_is_not_as_planned_is_left_alone() {
    let tree = tree();
    std::fs::write(tree.at("/etc/a"), "theirs").unwrap();
    let disk = tree.disk();
    for expect in ["", &digest::of("ours")] {
        let error = disk.write("/etc/a", b"new", 0o644, Some(expect)).unwrap_err();
        assert!(matches!(error, DiskError::Changed { .. }), "{error}");
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(disk.remove("/etc/a", Some(expect)).is_err());
    }
    let gone = disk.write("/etc/b", b"new", 0o644, Some(&digest::of("x"))).unwrap_err();
    assert!(gone.to_string().contains("is gone"), "{gone}");
    assert_eq!(std::fs::read(tree.at("/etc/a")).unwrap(), b"theirs");
    assert!(!tree.at("/var/lib/ringbolt/undo").exists());
}

#[test]
fn a_change_of_what_systemd_or_udev_has_read_is_noted_until_it_is_reloaded() {
    use ringbolt_core::resource::owed::{SYSTEMD, UDEV};
    let tree = tree();
    let disk = tree.disk();
    let unit = "/etc/systemd/system/ringbolt-port@.service";
    disk.write("/etc/sysctl.d/90-ringbolt.conf", b"x", 0o644, None).unwrap();
    assert!(!tree.at(SYSTEMD).exists() && !tree.at(UDEV).exists());
    disk.write(unit, b"x", 0o644, None).unwrap();
    assert!(tree.at(SYSTEMD).exists() && !tree.at(UDEV).exists());
    crate::owed::paid(&tree.root, SYSTEMD);
    assert!(!tree.at(SYSTEMD).exists());
    disk.write(unit, b"x", 0o644, None).unwrap();
    assert!(!tree.at(SYSTEMD).exists(), "nothing was changed");
    disk.remove(unit, None).unwrap();
    assert!(tree.at(SYSTEMD).exists());
    disk.write("/etc/udev/rules.d/90-ringbolt.rules", b"x", 0o644, None).unwrap();
    assert!(tree.at(UDEV).exists());
}

#[test]
fn removal_keeps_the_content_and_is_done_once() {
    let tree = tree();
    std::fs::write(tree.at("/etc/a"), "theirs").unwrap();
    assert_eq!(tree.disk().remove("/etc/a", Some(&digest::of("theirs"))).unwrap(), "removed");
    assert_eq!(tree.disk().remove("/etc/a", Some(&digest::of("theirs"))).unwrap(), "already absent");
    assert_eq!(tree.kept(1).1.as_deref(), Some("theirs"));
}

#[test]
fn paths_outside_the_allowed_folders_are_refused() {
    let tree = tree();
    std::fs::create_dir_all(tree.at("/etc/pve/sdn")).unwrap();
    for path in [
        "/root/.bashrc",
        "/etcetera",
        "/etc",
        "/etc/../root/x",
        "/etc//x",
        "/etc/./x",
        "etc/x",
        "/etc/x/",
        "/var/lib/ringboltx/y",
        "/usr/local/lib/x",
        "/etc/frr/frr.conf",
        "/etc/network/interfaces.d/sdn",
        "/etc/pve/sdn/fabrics.cfg",
        "/etc/network",
    ] {
        let error = tree.disk().write(path, b"x", 0o644, None).unwrap_err();
        assert!(matches!(error, DiskError::Path { .. }), "{path}: {error}");
    }
    assert!(tree.disk().write("/etc/frr/frr.conf.local", b"x", 0o644, None).is_ok());
}

#[test]
fn links_are_followed_within_their_folder_only() {
    let tree = tree();
    std::fs::write(tree.at("/etc/real"), "old").unwrap();
    symlink("real", tree.at("/etc/near")).unwrap();
    symlink("/etc/real", tree.at("/etc/absolute")).unwrap();
    symlink("network/far", tree.at("/etc/far")).unwrap();
    symlink("..", tree.at("/etc/up")).unwrap();
    symlink("/root", tree.at("/etc/out")).unwrap();
    let disk = tree.disk();
    disk.write("/etc/near", b"1", 0o644, None).unwrap();
    assert_eq!(std::fs::read(tree.at("/etc/real")).unwrap(), b"1");
    disk.write("/etc/absolute", b"2", 0o644, None).unwrap();
    assert_eq!(std::fs::read(tree.at("/etc/real")).unwrap(), b"2");
    assert!(std::fs::read_link(tree.at("/etc/near")).is_ok());
    assert!(disk.write("/etc/far", b"x", 0o644, None).is_err());
    assert!(disk.write("/etc/up/x", b"x", 0o644, None).is_err());
    assert!(disk.write("/etc/out/x", b"x", 0o644, None).is_err());
}

/// Where the test below mounts its small file system.
const SMALL: &str = "RINGBOLT_TEST_SMALL_DISK";

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    if std::env::var_os(SMALL).is_some() {
        return full_disk();
    }
    let this = std::env::current_exe().unwrap();
    let name = "disk::tests::a_full_disk_leaves_the_old_file_and_nothing_else";
    let run = std::process::Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(this)
        .args(["--exact", name, "--nocapture"])
        .env(SMALL, "1")
        .status();
    match run {
        Ok(status) if rustix::process::geteuid().is_root() => assert!(status.success()),
        _ => eprintln_skipped(),
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn eprintln_skipped() {
    eprintln!("skipped: a small file system needs root and unshare");
}

/// Runs in a mount namespace of its own.
fn full_disk() {
    let tree = tree();
    let etc = tree.at("/etc");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "small"])
        .arg(&etc)
        .status()
        .unwrap();
    assert!(mounted.success());
    std::fs::write(etc.join("file"), "old").unwrap();
    let error = tree.disk().write("/etc/file", &[b'x'; 200_000], 0o644, None).unwrap_err();
    let failure = Failure::from(error);
    assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("disk is full")), "{failure:?}");
    assert_eq!(std::fs::read(etc.join("file")).unwrap(), b"old");
    assert_eq!(tree.names("/etc"), ["file"]);
    // The other way round: no space to keep what was there.
    std::fs::create_dir_all(tree.at("/var/lib/ringbolt")).unwrap();
    let home = tree.at("/var/lib/ringbolt");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16k", "small"])
        .arg(&home)
        .status()
        .unwrap();
    assert!(mounted.success());
    std::fs::write(etc.join("file"), [b'y'; 40_000]).unwrap();
    let failure = Failure::from(tree.disk().write("/etc/file", b"new", 0o644, None).unwrap_err());
    let told = "make room on the file system of /var/lib/ringbolt (RB0518); /etc/file is as it was";
    assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains(told)), "{failure:?}");
    assert_eq!(std::fs::metadata(etc.join("file")).unwrap().len(), 40_000);
    assert_eq!(tree.names("/var/lib/ringbolt/undo/run-1"), [] as [&str; 0]);
    drop(tree.folder);
}
