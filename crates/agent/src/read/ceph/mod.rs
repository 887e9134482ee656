//! Ceph on the node, from its folders and admin sockets; and the cluster, from one session with the
//! monitors.
//!
//! Used for facts, and by deeds to see what has become of them. The node's part starts no program; the cluster's asks
//! the journal when nothing answers.

use std::path::Path;
use std::thread::JoinHandle;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::ceph::{CephCluster, CephNode, Daemon, LocalOsd, Quorum, cluster, daemon};
use ringbolt_core::facts::{Known, not_asked};

use super::disks::{self, OsdFound};
use crate::exec::call;
use crate::root::Root;

pub(crate) mod session;
mod socket;

/// Folder of the daemons' folders.
const HOME: &str = "/var/lib/ceph";

/// Folder of the admin sockets.
const SOCKETS: &str = "/var/run/ceph";

/// Programs without which Proxmox VE calls Ceph not installed.
const PROGRAMS: [&str; 2] = ["/usr/bin/ceph-mon", "/usr/bin/ceph"];

/// There while Proxmox VE installs Ceph.
pub(crate) const INSTALLING: &str = "/run/pve-ceph-install-flag";

/// Whether Ceph's programs are on the node.
pub(crate) fn is_installed(root: &Root) -> bool {
    PROGRAMS.iter().all(|program| root.at(program).is_file())
}

/// Ceph on this node, left-overs of an earlier one included; with `options` also those of running OSDs that differ from their defaults.
pub(crate) fn node(root: &Root, options: bool) -> Known<CephNode> {
    let monitors = daemons(root, "mon");
    let own = monitors.first().map(|monitor| monitor.id.clone());
    Known::Yes(CephNode {
        quorum: own.and_then(|id| quorum(root, &id)),
        monitors,
        managers: daemons(root, "mgr"),
        metadata: daemons(root, "mds"),
        osds: osds(root, options),
        memory: memory(root),
        installing: root.at(INSTALLING).exists(),
    })
}

/// What the monitor of this id here says of the quorum.
pub(crate) fn quorum(root: &Root, id: &str) -> Option<Quorum> {
    daemon::quorum(&said(root, "mon", id, "mon_status")?)
}

/// Daemons of one kind that have a folder, by id.
pub(crate) fn daemons(root: &Root, kind: &str) -> Vec<Daemon> {
    let entries = std::fs::read_dir(root.at(HOME).join(kind)).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut ids: Vec<String> = folders
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_prefix("ceph-")?.to_owned()))
        .collect();
    ids.arrange();
    let runs =
        |id: &String| said(root, kind, id, "version").is_some_and(|text| daemon::version(&text).is_some());
    ids.into_iter().map(|id| Daemon { runs: runs(&id), id }).collect()
}

/// The OSDs of this node, asked all at once.
pub(crate) fn osds(root: &Root, options: bool) -> Vec<LocalOsd> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = disks::osds(root)
            .into_iter()
            .map(|found| scope.spawn(move || osd(root, found, options)))
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn osd(root: &Root, found: OsdFound, options: bool) -> LocalOsd {
    let OsdFound { folder, disks, ground } = found;
    let ask = |command: &str| said(root, "osd", &folder.id.to_string(), command);
    let status = ask("status").and_then(|text| daemon::osd(&text)).unwrap_or_default();
    let runs = !status.state.is_empty();
    let version = if runs { ask("version").and_then(|text| daemon::version(&text)) } else { None };
    let options = if runs && options { ask("config diff") } else { None };
    let or = |own: &String, told: String| if own.is_empty() { told } else { own.clone() };
    LocalOsd {
        id: folder.id,
        fsid: or(&folder.fsid, status.fsid),
        cluster: or(&folder.cluster, status.cluster),
        disks,
        ground,
        state: status.state,
        version: version.unwrap_or_default(),
        options: options.map(|text| daemon::options(&text)).unwrap_or_default(),
    }
}

/// A daemon's answer; `None` when it does not run or does not answer.
fn said(root: &Root, kind: &str, id: &str, command: &str) -> Option<String> {
    socket::ask(&root.at(Path::new(SOCKETS).join(format!("ceph-{kind}.{id}.asok"))), command).ok()
}

/// `MemTotal` in bytes.
fn memory(root: &Root) -> u64 {
    let text = std::fs::read_to_string(root.at("/proc/meminfo")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default().saturating_mul(1024)
}

/// Starts asking the cluster, in a thread of its own.
pub(super) fn ask_cluster(root: &Root, asked: bool, help: bool) -> Known<JoinHandle<Known<CephCluster>>> {
    if !asked {
        return not_asked();
    }
    let root = root.clone();
    Known::Yes(std::thread::spawn(move || match told(&root, help) {
        Ok(told) => Known::Yes(told),
        Err(why) => {
            Known::No(last_words(&root, &journal).map_or(why.clone(), |line| format!("{why}\n{line}")))
        }
    }))
}

/// What a monitor of this node that does not answer wrote last, as `journal` has it: most often why there is no quorum.
fn last_words(root: &Root, journal: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let silent = daemons(root, "mon").into_iter().find(|monitor| !monitor.runs)?;
    let unit = format!("ceph-mon@{}.service", silent.id);
    Some(format!("{unit} wrote last: {}", journal(&unit)?))
}

/// The last two lines a unit wrote: the second may only say what to do.
fn journal(unit: &str) -> Option<String> {
    // systemd's own lines are about the unit, `_SYSTEMD_UNIT` has those of its processes.
    let own = format!("_SYSTEMD_UNIT={unit}");
    let said = call("journalctl", ["-q", "-n", "2", "-o", "cat", "--no-pager", &own]).limit(5).run().ok()?;
    Some(said.last(2)).filter(|line| !line.is_empty())
}

/// Collects what it said.
pub(super) fn collect_cluster(asked: Known<JoinHandle<Known<CephCluster>>>) -> Known<CephCluster> {
    match asked {
        Known::No(why) => Known::No(why),
        Known::Yes(thread) => thread
            .join()
            .unwrap_or_else(|_| Known::No("the agent has a bug: asking the Ceph cluster panicked".into())),
    }
}

/// What the cluster says of itself; why not, in words.
pub(crate) fn cluster(root: &Root) -> Result<CephCluster, String> {
    told(root, false)
}

/// The same, with what this Ceph says of the options in its database, or without.
fn told(root: &Root, help: bool) -> Result<CephCluster, String> {
    let commands: Vec<_> = cluster::questions().into_iter().map(session::Command::monitor).collect();
    let listed = help.then(cluster::options_listed).flatten();
    let mut answers = session::ask_about(root, &commands, listed).map_err(|failure| failure.message)?;
    let about = answers.split_off(commands.len());
    let texts: Vec<String> = answers.into_iter().map(|answer| answer.out).collect();
    let mut told = cluster::cluster(&texts)?;
    let pairs = cluster::options_asked(&told.config).into_iter().zip(about);
    told.help =
        pairs.filter_map(|(name, answer)| Some((name, cluster::help(answer.code, &answer.out)?))).collect();
    Ok(told)
}

#[cfg(test)]
#[path = "ceph_test.rs"]
mod tests;
