#![expect(clippy::unwrap_used, reason = "tests")]
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use super::*;

/// A daemon that knows these commands; any other is an error as the real ones word it.
fn serve(folder: &Path, name: &str, known: &'static [(&'static str, &'static str)]) {
    let listener = UnixListener::bind(folder.join(format!("ceph-{name}.asok"))).unwrap();
    std::thread::spawn(move || {
        for line in listener.incoming() {
            let mut line = line.unwrap();
            let mut asked = Vec::new();
            let mut byte = [0];
            while line.read(&mut byte).is_ok_and(|n| n == 1) && byte[0] != 0 {
                asked.push(byte[0]);
            }
            let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
            let answer = known.iter().find(|(command, _)| asked["prefix"] == *command);
            let text = answer.map_or("ERROR: (22) Invalid argument\n", |(_, text)| text);
            line.write_all(&u32::try_from(text.len()).unwrap().to_be_bytes()).unwrap();
            line.write_all(text.as_bytes()).unwrap();
        }
    });
}

fn node_with(top: &Path) -> Root {
    for folder in ["usr/bin", "var/run/ceph", "var/lib/ceph/osd/ceph-3", "proc", "run"] {
        std::fs::create_dir_all(top.join(folder)).unwrap();
    }
    for daemon in ["mon/ceph-n2", "mgr/ceph-n2", "mds/ceph-n2"] {
        std::fs::create_dir_all(top.join("var/lib/ceph").join(daemon)).unwrap();
    }
    for program in ["ceph", "ceph-mon"] {
        std::fs::write(top.join("usr/bin").join(program), "").unwrap();
    }
    std::fs::write(top.join("proc/meminfo"), "MemTotal:       24684092 kB\nMemFree: 1 kB\n").unwrap();
    std::fs::write(top.join("var/lib/ceph/osd/ceph-3/fsid"), "o\n").unwrap();
    Root::open(top, None)
}

const VERSION: (&str, &str) = ("version", r#"{"version":"18.2.7","release":"reef"}"#);

#[test]
fn daemons_are_asked_on_their_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let root = node_with(folder.path());
    let sockets = folder.path().join("var/run/ceph");
    let map = r#"{"name":"n2","state":"leader","quorum":[0],"monmap":{"fsid":"c","mons":[{"rank":0,"name":"n2","public_addr":"10.9.0.1:6789/0"}]}}"#;
    serve(&sockets, "mon.n2", vec![("mon_status", map), VERSION].leak());
    serve(&sockets, "mgr.n2", &[VERSION]);
    let status = r#"{"cluster_fsid":"c","osd_fsid":"o","whoami":3,"state":"active"}"#;
    let diff = r#"{"diff":{"osd_max_backfills":{"default":1,"mon":3,"final":3}}}"#;
    serve(&sockets, "osd.3", vec![("status", status), ("config diff", diff), VERSION].leak());
    // A socket outlives a daemon that was killed.
    drop(UnixListener::bind(sockets.join("ceph-mds.n2.asok")).unwrap());

    let Known::Yes(read) = node(&root, true) else { panic!("not read") };
    assert_eq!(read.monitors, [Daemon { id: "n2".into(), runs: true }]);
    assert_eq!(read.managers, [Daemon { id: "n2".into(), runs: true }]);
    assert_eq!(read.metadata, [Daemon { id: "n2".into(), runs: false }]);
    assert_eq!(read.quorum.unwrap().members, ["n2"]);
    assert_eq!((read.memory, read.installing), (24_684_092 * 1024, false));
    let osd = &read.osds[0];
    assert_eq!((osd.id, osd.state.as_str(), osd.version.as_str()), (3, "active", "18.2.7"));
    assert_eq!((osd.fsid.as_str(), osd.cluster.as_str()), ("o", "c"));
    assert_eq!(osd.options[0].value, "3");
    assert!(super::osds(&root, false)[0].options.is_empty());
}

#[test]
fn a_daemon_that_says_nothing_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let root = node_with(folder.path());
    let silent = UnixListener::bind(folder.path().join("var/run/ceph/ceph-osd.3.asok")).unwrap();
    let begun = std::time::Instant::now();
    let Known::Yes(read) = node(&root, false) else { panic!("not read") };
    assert_eq!((read.osds[0].state.as_str(), read.quorum), ("", None));
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    drop(silent);
}

#[test]
fn without_ceph_and_while_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path(), None);
    let bare = node(&root, false);
    assert!(bare.yes().is_some_and(|ceph| ceph.monitors.is_empty() && ceph.osds.is_empty()), "{bare:?}");
    std::fs::create_dir(folder.path().join("run")).unwrap();
    std::fs::write(folder.path().join("run/pve-ceph-install-flag"), "").unwrap();
    assert!(node(&root, false).yes().is_some_and(|read| read.installing));
}

#[test]
fn a_monitor_that_does_not_answer_is_told_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let root = node_with(folder.path());
    let journal = |unit: &str| {
        assert_eq!(unit, "ceph-mon@n2.service");
        Some("error: monitor data filesystem reached concerning levels".to_owned())
    };
    let line = "ceph-mon@n2.service wrote last: error: monitor data filesystem reached concerning levels";
    assert_eq!(last_words(&root, &journal).as_deref(), Some(line));
    assert_eq!(last_words(&root, &|_: &str| None), None);
    serve(&folder.path().join("var/run/ceph"), "mon.n2", &[VERSION]);
    assert_eq!(last_words(&root, &journal), None, "it runs: its journal is no reason");
}
