//! Doors to the readers of foreign text that stand in this crate, for the fuzz targets; not in the program.
//!
//! Each takes any bytes and gives nothing back: what counts is that it comes to an end without a panic.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;

use crate::act::{ceph, packages, sdn, sysctl};
use crate::exec::Output;
use crate::read::ceph::session;
use crate::read::mounts;

/// What comes from the controller, frame by frame.
pub fn frames(mut bytes: &[u8]) {
    while let Ok(Some(_)) = crate::frame::next(&mut bytes) {}
}

/// What `ping` prints.
pub fn ping(text: &str) {
    let read = crate::ping::pinged(text);
    assert!(read.replies.len() <= text.lines().count());
}

/// What Ceph's tools print, and the session with the monitors.
pub fn ceph(text: &str) {
    if let Ok(answers) = session::answers(text) {
        let _ = ceph::measure::iops(answers.last());
    }
    let said = session::Answer { code: 0, out: text.to_owned(), said: String::new() };
    let _ = ceph::measure::iops(Some(&said));
    let _ = ceph::trouble::failure("it did not work", &output(text));
}

/// Files of Proxmox VE that are looked at around a deed.
pub fn files(text: &str) {
    let _ = mounts::mounted(text, "/etc/pve");
    let _ = sysctl::keys(text);
    let _ = ceph::storage::entry(text, "vm");
    let _ = ceph::datacenter::has(text, "migration", "network=10.0.0.0/24,type=secure");
}

/// What `pvesh` prints: tasks, their logs, a dry run.
pub fn pvesh(text: &str) {
    let _ = sdn::signs(text);
    let _ = sdn::changed_lines(text);
    let _ = sdn::staged::properties(text);
    let _ = sdn::tasks::program(text.as_bytes());
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let _ = sdn::tasks::read(&value);
        let _ = sdn::state::sections_of(&value, "zones");
    }
}

/// What apt prints when it fails.
pub fn apt(text: &str) {
    let _ = packages::trouble(&output(text), &["frr".to_owned()]);
}

fn output(text: &str) -> Output {
    Output { status: ExitStatus::from_raw(100 << 8), out: text.to_owned(), err: String::new() }
}
