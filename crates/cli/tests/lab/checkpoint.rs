//! A node that cuts itself off: with the controller waiting, with it dead, with the power gone in between.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{MINUTE, nothing_left};
use crate::rig::Rig;

/// A mesh of three, and on n2 a card that leads nowhere.
fn mesh(name: &str) -> Option<Rig> {
    let rig = Rig::new(name)?;
    rig.ok(&["lab", "up", "--nodes", "3"]);
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    rig.exec("n2", &["ip", "link", "add", "eno7", "type", "veth", "peer", "name", "eno7x"]);
    Some(rig)
}

/// The spec, with the wrong card in the bridge of n2's management.
fn wrong_port(rig: &Rig) -> String {
    let good = std::fs::read_to_string(rig.spec()).unwrap();
    let mut bad = good.clone();
    let _ = write!(bad, "\n[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nbridge_ports = [\"eno7\"]\n");
    std::fs::write(rig.spec(), bad).unwrap();
    good
}

/// Whether management goes where it should.
fn is_home(rig: &Rig) -> bool {
    rig.exec("n2", &["ls", "/sys/class/net/vmbr0/brif"]).split_whitespace().any(|port| port == "eno1")
}

/// Every file of the node's configuration, what Proxmox VE shares left out.
fn etc(rig: &Rig) -> String {
    // A link is where it leads: what is there may be the kernel's, as with /etc/mtab.
    let list = "find /etc -xdev ! -path '/etc/pve/*' \\( -type l -printf '%p %m %l\\n' -o -type f -printf '%p %m ' -exec sha256sum -b {} \\; \\) | sort";
    rig.exec("n2", &["sh", "-c", list])
}

/// The text without its line ends: where lines break is up to the width.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn until(what: &str, limit: Duration, mut is: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    began.elapsed()
}

#[test]
fn a_node_that_cuts_itself_off_undoes_it_and_the_report_says_so() {
    let Some(rig) = mesh("cutoff") else { return };
    let before = etc(&rig);
    let good = wrong_port(&rig);
    let plan = flat(&rig.ok(&["plan", "--checkpoint", "30"]));
    assert!(plan.contains("within 30 s, the node undoes this by itself"), "{plan}");
    let began = Instant::now();
    let (status, text) = rig.run(&["apply", "--yes", "--checkpoint", "30"]);
    let took = began.elapsed();
    assert_eq!(status, 5, "{text}");
    let text = flat(&text);
    assert!(text.contains("nobody confirmed within 30 s"), "{text}");
    assert!(text.contains("/etc/network/interfaces put back"), "{text}");
    let fired: Value =
        serde_json::from_str(&rig.exec("n2", &["cat", "/var/lib/ringbolt/checkpoint/fired.json"])).unwrap();
    let away = fired["at"].as_u64().unwrap() - fired["armed"].as_u64().unwrap();
    eprintln!("back {away} s after arming, reported after {:.1} s", took.as_secs_f64());
    // The reload itself takes its time on a busy machine.
    assert!((30..60).contains(&away), "{fired}");
    assert!(took < 2 * MINUTE, "{took:?}");
    assert!(is_home(&rig));
    let after = etc(&rig);
    let differs: Vec<_> = before.lines().filter(|l| !after.contains(l)).collect();
    assert!(before == after, "{differs:#?}\n{after}");
    let plan = rig.ok(&["plan"]);
    assert!(plan.contains("RB0550") && plan.contains("ifreload:interfaces"), "{plan}");
    // With the spec put right nothing is left to do, and what was told is told no more.
    std::fs::write(rig.spec(), good).unwrap();
    rig.verified_within(MINUTE);
    assert!(rig.ok(&["apply", "--yes"]).contains("RB0550"));
    assert!(!rig.ok(&["plan"]).contains("RB0550"));
    nothing_left(&rig);
}

#[test]
fn without_its_controller_and_after_a_power_cycle_a_node_comes_back_too() {
    let Some(rig) = mesh("alone") else { return };
    let good = wrong_port(&rig);
    let cut_off = |seconds: &str| {
        let child = rig.start(&["apply", "--yes", "--checkpoint", seconds]);
        until("cut off", MINUTE, || !is_home(&rig));
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        child.wait_with_output().unwrap();
    };
    // The controller dies right after the step has acted.
    cut_off("40");
    let units = rig.exec("n2", &["sh", "-c", "ls /etc/systemd/system | grep -c ^ringbolt-checkpoint"]);
    assert_eq!(units.trim(), "3", "units are on disk");
    let (status, text) = rig.run(&["plan"]);
    assert!(status == 4 || text.contains("RB0551"), "{status}: {text}");
    let took = until("back by itself", MINUTE, || is_home(&rig));
    eprintln!("with its controller dead: back {:.1} s after the cut", took.as_secs_f64());
    std::fs::write(rig.spec(), good).unwrap();
    rig.verified_within(MINUTE);
    let plan = flat(&rig.ok(&["plan"]));
    assert!(plan.contains("RB0550") && plan.contains("nobody confirmed within 40 s"), "{plan}");

    // The power goes in between: it heals before the network comes up, long before its time.
    let good = wrong_port(&rig);
    cut_off("600");
    rig.ok(&["lab", "power-off", "n2"]);
    rig.ok(&["lab", "power-on", "n2"]);
    // The card that leads nowhere went with the power, and the plan would say so.
    std::fs::write(rig.spec(), good).unwrap();
    until("reached again", MINUTE, || rig.run(&["plan"]).0 == 0);
    assert!(is_home(&rig));
    let plan = flat(&rig.ok(&["plan"]));
    assert!(plan.contains("started anew before anybody confirmed"), "{plan}");
    let boot = rig.exec("n2", &["journalctl", "-b", "-o", "cat", "--no-pager"]);
    let at = |word: &str| boot.find(word).unwrap_or_else(|| panic!("no {word:?} in:\n{boot}"));
    assert!(
        at("undone at") < at("Starting networking.service"),
        "files are back before the network comes up"
    );
    let units =
        rig.exec("n2", &["sh", "-c", "ls -R /etc/systemd/system | grep -c ringbolt-checkpoint || true"]);
    assert_eq!(units.trim(), "0", "nothing of it is left");
    rig.ok(&["apply", "--yes"]);
    rig.verified_within(MINUTE);
    nothing_left(&rig);
}
