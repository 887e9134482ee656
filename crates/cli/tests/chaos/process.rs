//! Processes of the controller and of lab nodes as the machine sees them: found in `/proc`, ended by number. Only
//! what a given controller has started, or what runs in a node of this lab, is ever found here.

use std::fs;

use ringbolt_lab::state::object_name;
use rustix::process::{Pid, Signal, kill_process};

/// One process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    parent: i32,
    /// Its command line.
    pub(crate) words: Vec<String>,
    cgroup: String,
    /// Its number in the innermost namespace of processes.
    inner: i32,
}

/// All there are now.
pub(crate) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn read(pid: i32) -> Option<Process> {
    let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    let status = file("status")?;
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = line.split(|b| *b == 0).filter(|w| !w.is_empty());
    // Threads of the kernel and the dead have no words.
    let words: Vec<String> = words.map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    (!words.is_empty()).then_some(())?;
    Some(Process {
        pid,
        parent: value("PPid:")?.trim().parse().ok()?,
        words,
        cgroup: file("cgroup")?,
        inner: value("NSpid:")?.split_whitespace().last()?.parse().ok()?,
    })
}

impl Process {
    /// Whether it runs in this node of the lab.
    pub(crate) fn in_node(&self, lab: &str, node: &str) -> bool {
        self.cgroup.contains(&format!("/{}/", object_name(lab, node)))
    }

    /// Whether it is an agent.
    pub(crate) fn is_agent(&self) -> bool {
        self.words[0].starts_with("/var/lib/ringbolt/bin/") && self.words.get(1).is_some_and(|w| w == "agent")
    }

    /// Ends it at once; gone already is fine.
    pub(crate) fn kill(&self) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Everything a process has started, and what those have.
pub(crate) fn below(all: &[Process], pid: i32) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for child in all.iter().filter(|p| p.parent == parent) {
            parents.push(child.pid);
            found.push(child.clone());
        }
    }
    found
}

/// Number of the first process of a node.
pub(crate) fn init(lab: &str, node: &str) -> Option<i32> {
    let first = |p: &Process| p.inner == 1 && p.in_node(lab, node) && p.words[0].contains("systemd");
    all().into_iter().find(first).map(|p| p.pid)
}
