//! Two nodes on one folder: a service leaves a node in maintenance and comes back.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use super::*;
use crate::standin::{Root, System, command};

fn host(top: &Path, node: &str) -> Host {
    let mut root = Root::below(&top.join(node));
    root.etc_pve = top.join("pve");
    for folder in [&root.etc, &root.run, &root.etc_pve.join("nodes").join(node)] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(
        root.etc_pve.join("ringbolt-lab.json"),
        r#"{"cluster":"t","nodes":[{"name":"n1","id":1,"address":"a"},{"name":"n2","id":2,"address":"b"}]}"#,
    )
    .unwrap();
    Host::new(root, node, Box::new(System))
}

fn ha(host: &Host, words: &[&str]) -> (i32, String) {
    let args: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = command(host, "ha-manager", &args, &mut out, &mut err);
    (status, String::from_utf8([out, err].concat()).unwrap())
}

#[test]
fn services_leave_and_come_back() {
    let top = tempfile::tempdir().unwrap();
    let hosts = ["n1", "n2"].map(|n| host(top.path(), n));
    let mut keepers = [Keeper::default(), Keeper::default()];
    let online = ["n1", "n2"].map(str::to_owned);
    let mut rounds = |count: usize| {
        for _ in 0..count {
            for (keeper, host) in keepers.iter_mut().zip(&hosts) {
                keeper.last = None;
                keeper.turn(host, &online, true).unwrap();
            }
        }
    };
    rounds(1);
    // Nothing to manage: nothing is written.
    assert!(!top.path().join("pve/ha/manager_status").exists());
    fs::create_dir_all(top.path().join("pve/nodes/n2/qemu-server")).unwrap();
    fs::create_dir_all(top.path().join("pve/ha")).unwrap();
    fs::write(top.path().join("pve/nodes/n2/qemu-server/100.conf"), "memory: 512\n").unwrap();
    fs::write(top.path().join("pve/ha/resources.cfg"), "vm: 100\n\tstate started\n").unwrap();
    rounds(3);
    let pid = |node: &str| top.path().join(node).join("run/qemu-server/100.pid");
    assert!(pid("n2").exists() && !pid("n1").exists());
    assert!(ha(&hosts[0], &["status"]).1.contains("service vm:100 (n2, started)"));

    assert_eq!(ha(&hosts[0], &["crm-command", "node-maintenance", "enable", "n2"]), (0, String::new()));
    // It is only queued.
    assert!(!ha(&hosts[0], &["status"]).1.contains("maintenance"));
    rounds(4);
    let told = ha(&hosts[0], &["status"]).1;
    assert!(
        told.contains("lrm n2 (maintenance mode") && told.contains("service vm:100 (n1, started)"),
        "{told}"
    );
    assert!(pid("n1").exists() && !pid("n2").exists());
    assert!(fs::read_to_string(top.path().join("n1/run/ringbolt-lab/vmlist")).unwrap().contains("\"n1\""));

    ha(&hosts[1], &["crm-command", "node-maintenance", "disable", "n2"]);
    rounds(5);
    let told = ha(&hosts[0], &["status"]).1;
    assert!(!told.contains("maintenance") && told.contains("service vm:100 (n2, started)"), "{told}");
    keepers[1].guests.stop(&hosts[1], "100");
}

#[test]
fn refusals_are_those_of_the_real_command() {
    let top = tempfile::tempdir().unwrap();
    let n1 = host(top.path(), "n1");
    let (status, text) = ha(&n1, &["crm-command", "node-maintenance", "enable"]);
    assert_eq!(status, 255);
    assert!(
        text.starts_with("400 not enough arguments\nha-manager crm-command node-maintenance enable <node>")
    );
    let (status, text) = ha(&n1, &["crm-command", "node-maintenance", "enable", "n9"]);
    assert_eq!((status, text.trim()), (255, "no such cluster node 'n9'"));
    fs::create_dir_all(n1.root.run.join("ringbolt-lab")).unwrap();
    fs::write(n1.root.run.join("ringbolt-lab/members"), r#"{"cluster":{"quorate":0}}"#).unwrap();
    let (status, text) = ha(&n1, &["crm-command", "node-maintenance", "disable", "n1"]);
    assert_eq!((status, text.trim()), (255, "cfs-lock 'domain-ha' error: no quorum!"));
}
