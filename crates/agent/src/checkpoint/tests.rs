//! Arming, confirming and healing on a tree of their own, with a machine that only writes down what it is told.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;

use super::*;
use crate::disk::Disk;

const INTERFACES: &str = "/etc/network/interfaces";
const OURS: &str = "/etc/network/interfaces.d/ringbolt";
const SDN: &str = "/etc/network/interfaces.d/sdn";

#[derive(Default)]
struct Fake {
    told: RefCell<Vec<String>>,
    /// The timer cannot be started.
    broken: bool,
}

impl Fake {
    fn tell(&self, word: &str) {
        self.told.borrow_mut().push(word.to_owned());
    }
}

impl Machine for Fake {
    fn look(&self) -> Result<Live, Failure> {
        Ok(Live::default())
    }
    fn start(&self, stale: bool) -> Result<(), Failure> {
        self.tell(if stale { "reload, start" } else { "start" });
        if self.broken { Err(Failure::broken("no timer")) } else { Ok(()) }
    }
    fn stop(&self) {
        self.tell("stop");
    }
    fn forget(&self) {
        self.tell("forget");
    }
    fn heal(&self) -> Result<(), Failure> {
        self.tell("heal");
        Ok(())
    }
    fn live(&self, _: &Root, _: &Armed, _: &Live, changed: &[String]) -> Vec<String> {
        self.tell(&format!("live {}", changed.join(" ")));
        Vec::new()
    }
}

struct Node {
    _folder: tempfile::TempDir,
    root: Root,
    machine: Fake,
}

fn node() -> Node {
    let folder = tempfile::tempdir().unwrap();
    for path in ["etc/network/interfaces.d", "etc/frr", "etc/systemd/system", "proc/sys/kernel/random"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    let root = Root::open(folder.path(), None);
    std::fs::write(root.at("/proc/sys/kernel/random/boot_id"), "one\n").unwrap();
    let node = Node { _folder: folder, root, machine: Fake::default() };
    node.put(INTERFACES, "auto vmbr0\n");
    node
}

impl Node {
    /// Somebody else writes a file.
    fn put(&self, path: &str, text: &str) {
        std::fs::write(self.root.at(path), text).unwrap();
    }

    /// A step of ours writes a file.
    fn write(&self, path: &str, text: &str) {
        let disk = Disk { root: &self.root, run: "r1", step: "n2/file", healing: false };
        disk.write(path, text.as_bytes(), 0o644, None).unwrap();
    }

    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.at(path)).ok()
    }

    fn obey(&self, order: &Order) -> Result<String, Failure> {
        obey(&self.root, &self.machine, Path::new("/var/lib/ringbolt/bin/ab"), order)
    }

    fn arm(&self, step: &str) -> Result<String, Failure> {
        self.obey(&Order::Arm { run: "r1".into(), step: step.into(), seconds: 60 })
    }

    fn confirm(&self, step: &str) -> Result<String, Failure> {
        self.obey(&Order::Confirm { run: "r1".into(), step: step.into() })
    }

    fn heal(&self, boot: bool) -> Option<Fired> {
        heal(&self.root, &self.machine, boot).unwrap()
    }

    /// Nothing of a checkpoint is left but perhaps its report.
    fn is_clean(&self) -> bool {
        let units = std::fs::read_dir(self.root.at("/etc/systemd/system")).unwrap();
        let files = units.flatten().filter(|e| e.file_type().unwrap().is_file()).count();
        let links = ["sysinit.target.wants", "timers.target.wants"].iter().any(|folder| {
            let folder = self.root.at("/etc/systemd/system").join(folder);
            std::fs::read_dir(folder).is_ok_and(|mut list| list.next().is_some())
        });
        files == 0 && !links && ![ARMED, SAVED, PENDING, ASKED].iter().any(|p| self.root.at(p).exists())
    }
}

#[test]
fn what_is_not_confirmed_goes_back_to_what_was_there_before_the_first_write() {
    let node = node();
    node.write(INTERFACES, "auto vmbr0\nwrong\n");
    node.write(OURS, "iface x\n");
    node.arm("n2/reload").unwrap();
    // During the step Proxmox VE writes its own files.
    node.put(SDN, "generated\n");
    node.put("/etc/frr/frr.conf", "generated\n");
    let fired = node.heal(false).unwrap();
    assert_eq!((fired.cause, fired.whole(), &*fired.step), (Cause::Time, true, "n2/reload"));
    assert_eq!(node.text(INTERFACES).as_deref(), Some("auto vmbr0\n"));
    assert_eq!([OURS, SDN, "/etc/frr/frr.conf"].map(|p| node.text(p)), [None, None, None]);
    assert_eq!(fired.back.len(), 4, "{:?}", fired.back);
    let told = node.machine.told.borrow().clone();
    assert_eq!(told.first().map(String::as_str), Some("start"));
    assert!(told[1].starts_with("live ") && told[1].contains(SDN), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("forget"));
    assert!(node.is_clean() && node.root.at(FIRED).exists());
    assert!(node.heal(false).is_none(), "a second time there is nothing to undo");
    let late = node.confirm("n2/reload").unwrap_err();
    assert!(late.message.contains("nobody confirmed within 60 s"), "{}", late.message);
}

#[test]
fn a_confirmed_step_stays_and_its_state_is_what_the_next_one_goes_back_to() {
    let node = node();
    node.write(INTERFACES, "good\n");
    node.arm("n2/a").unwrap();
    node.confirm("n2/a").unwrap();
    assert!(node.is_clean());
    assert!(node.heal(false).is_none());
    assert_eq!(node.text(INTERFACES).as_deref(), Some("good\n"));
    node.write(INTERFACES, "worse\n");
    node.write(INTERFACES, "worst\n");
    node.arm("n2/b").unwrap();
    assert!(node.heal(true).is_some());
    assert_eq!(node.text(INTERFACES).as_deref(), Some("good\n"));
}

#[test]
fn a_file_somebody_else_changed_meanwhile_is_left_and_told() {
    let node = node();
    node.write(INTERFACES, "ours\n");
    node.arm("n2/a").unwrap();
    node.put(INTERFACES, "theirs\n");
    node.put("/etc/network/interfaces.d/new", "theirs\n");
    let fired = node.heal(false).unwrap();
    assert_eq!(node.text(INTERFACES).as_deref(), Some("theirs\n"));
    assert!(!fired.whole());
    assert!(
        fired.left[0].contains(INTERFACES) && fired.left[1].contains("interfaces.d/new"),
        "{:?}",
        fired.left
    );
}

#[test]
fn what_somebody_wrote_between_our_write_and_the_arming_is_what_counts() {
    let node = node();
    node.write(INTERFACES, "ours\n");
    node.put(INTERFACES, "theirs\n");
    node.arm("n2/a").unwrap();
    let fired = node.heal(false).unwrap();
    assert_eq!(node.text(INTERFACES).as_deref(), Some("theirs\n"));
    assert!(fired.back.is_empty() && fired.whole());
}

#[test]
fn after_another_boot_only_files_go_back_and_the_report_says_why() {
    let node = node();
    node.write(INTERFACES, "ours\n");
    node.arm("n2/a").unwrap();
    node.put("/proc/sys/kernel/random/boot_id", "two\n");
    let fired = node.heal(true).unwrap();
    assert_eq!(fired.cause, Cause::Boot);
    assert_eq!(node.text(INTERFACES).as_deref(), Some("auto vmbr0\n"));
    assert!(!node.machine.told.borrow().iter().any(|w| w.starts_with("live")));
    assert!(node.is_clean());
}

#[test]
fn a_heal_that_was_cut_short_is_done_again() {
    let node = node();
    node.write(INTERFACES, "ours\n");
    node.write(OURS, "iface x\n");
    node.arm("n2/a").unwrap();
    // The first file was back when the power went.
    node.put(INTERFACES, "auto vmbr0\n");
    assert!(node.heal(true).unwrap().whole());
    assert_eq!((node.text(INTERFACES).as_deref(), node.text(OURS)), (Some("auto vmbr0\n"), None));
}

#[test]
fn what_cannot_be_put_back_now_is_tried_again() {
    let node = node();
    node.put(SDN, "before\n");
    node.write(OURS, "iface x\n");
    node.arm("n2/a").unwrap();
    std::fs::remove_file(node.root.at(SDN)).unwrap();
    std::fs::create_dir(node.root.at(SDN)).unwrap();
    assert!(heal(&node.root, &node.machine, false).is_err());
    assert!(node.root.at(ARMED).exists(), "it stays armed");
    assert_eq!(node.text(OURS), None, "the rest is back already");
    std::fs::remove_dir(node.root.at(SDN)).unwrap();
    assert!(node.heal(false).unwrap().whole());
    assert_eq!(node.text(SDN).as_deref(), Some("before\n"));
}

#[test]
fn one_step_at_a_time_is_armed_and_only_that_one_is_confirmed() {
    let node = node();
    node.arm("n2/a").unwrap();
    assert!(node.arm("n2/b").unwrap_err().message.contains("n2/a"));
    node.arm("n2/a").unwrap();
    assert!(node.confirm("n2/b").is_err());
    node.confirm("n2/a").unwrap();
    assert!(node.confirm("n2/a").is_err());
}

#[test]
fn a_step_that_is_tried_again_goes_back_to_before_its_first_try() {
    let node = node();
    node.arm("n2/a").unwrap();
    node.put(SDN, "half\n");
    node.arm("n2/a").unwrap();
    assert!(node.heal(false).unwrap().whole());
    assert_eq!(node.text(SDN), None);
}

#[test]
fn without_a_timer_nothing_is_armed() {
    let mut node = node();
    node.machine.broken = true;
    assert!(node.arm("n2/a").is_err());
    assert!(node.is_clean());
    let odd = obey(
        &node.root,
        &node.machine,
        Path::new("/tmp/my agent"),
        &Order::Arm { run: "r1".into(), step: "n2/a".into(), seconds: 60 },
    );
    assert!(odd.unwrap_err().message.contains("my agent"));
}

#[test]
fn asked_to_heal_the_node_does_and_says_who_asked() {
    let node = node();
    node.write(INTERFACES, "ours\n");
    node.arm("n2/a").unwrap();
    node.obey(&Order::Heal { run: "r1".into(), step: "n2/a".into() }).unwrap();
    assert_eq!(node.machine.told.borrow().last().map(String::as_str), Some("heal"));
    assert_eq!(node.heal(false).unwrap().cause, Cause::Asked);
    node.obey(&Order::Forget).unwrap();
    assert!(!node.root.at(FIRED).exists());
}

#[test]
fn units_without_a_checkpoint_go_at_the_end_of_a_session() {
    let node = node();
    node.arm("n2/a").unwrap();
    tidy(&node.root);
    assert!(units::are_there(&node.root), "armed, they stay");
    let boot = node.text("/etc/systemd/system/ringbolt-checkpoint-boot.service").unwrap();
    assert!(boot.contains("ExecStart=/var/lib/ringbolt/bin/ab agent heal --boot\n"), "{boot}");
    assert!(boot.contains("Before=network-pre.target networking.service"), "{boot}");
    std::fs::remove_file(node.root.at(ARMED)).unwrap();
    tidy(&node.root);
    assert!(!units::are_there(&node.root));
}
