//! The stand-in for Proxmox's commands inside a lab node: `pvesh`, `pvecm`,
//! `pveversion`, `ha-manager`, the membership service in place of pmxcfs, and the places
//! where `pveceph` and `pvesm` will be.
//!
//! Called by the command line's `main` through [`dispatch`] when the program
//! is started under one of those names. It is an opinion of its own on how
//! Proxmox behaves: it shares no code with the controller, the agent or the
//! core, and is checked against recorded output of the real thing.

use std::io::Write;
use std::path::Path;

pub mod api;
mod api_ceph;
mod ceph;
mod cephfs;
pub mod cli;
mod disks;
pub mod fabrics;
pub mod fail;
mod ha;
pub mod handlers;
pub mod host;
mod host_network;
pub mod membership;
mod options;
mod output;
mod pvecm;
pub mod pvesh;
mod pveversion;
mod quorum;
pub mod reload;
pub mod schema;
mod sdn_commit;
mod smart;
mod staged;
mod storage;
mod task;
pub mod units;

pub use host::{Exec, Host, Ran, Release, Root, System};

/// The names the program answers to.
pub const NAMES: &[&str] =
    &["pvesh", "pveceph", "pvesm", "pvecm", "pveversion", "ha-manager", "smartctl", SERVICE];

/// The name of the membership service.
pub const SERVICE: &str = "ringbolt-standin-pmxcfs";

/// What in a lab node is not the real thing, in sentences for a person.
pub const SUBSTITUTES: &[&str] = &[
    "pvesh, pveceph, pvesm, pvecm, pveversion and ha-manager are stand-ins that behave as Proxmox VE's, quirks included",
    "Ceph's daemons are Debian's own; pveceph install reveals them (they are in the image) and records the version asked for",
    "OSDs are on whole disks, activated at boot by a unit of the lab; real ones are on LVM",
    "storages on CephFS are mounted by ceph-fuse, and only when `pvesm status` looks at them; no daemon does so by itself",
    "disks are sparse files of this machine behind loop devices, shown as NVMe disks in a folder in place of /sys/block; what a node flushes goes to memory",
    "smartctl answers for these disks from files",
    "ceph lab fixes: a mon warns below 3 % free and ends at 1 % (Ceph: 30 % and 5 %), ceph-mgr without restful and other modules it cannot load or nobody uses",
    "/proc/meminfo of a node says 8 GB, whatever this machine has",
    "/etc/pve is one directory that all nodes see; a small service counts votes over UDP in place of corosync and pmxcfs",
    "high availability moves services out of a node in maintenance and back, looks every two seconds and fences nobody; its guests are sleeping processes",
    "nodes do not exchange status as pvestatd does: the state of a fabric in /cluster/resources comes from the heartbeats",
];

/// Runs the stand-in if `argv0` names one of its commands.
///
/// Gives the exit status, or none when the program was started under its own
/// name.
#[must_use]
pub fn dispatch(argv0: &str, args: &[String]) -> Option<i32> {
    let name = Path::new(argv0).file_name()?.to_str()?;
    if !NAMES.contains(&name) {
        return None;
    }
    let host = Host::system();
    if host.delay_ms > 0 && name != SERVICE {
        std::thread::sleep(std::time::Duration::from_millis(host.delay_ms));
    }
    let mut out = std::io::stdout();
    let mut err = std::io::stderr();
    Some(command(&host, name, args, &mut out, &mut err))
}

/// Runs one command of a given node.
pub fn command(host: &Host, name: &str, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match name {
        "pvesh" => pvesh::run(host, args, out, err),
        "pvecm" => pvecm::run(host, args, out, err),
        "pveversion" => pveversion::run(host, args, out),
        "ha-manager" => ha::run(host, args, out, err),
        "pveceph" | "pvesm" => cli::run(host, name, args, out, err),
        "smartctl" => smart::run(host, args, out, err),
        _ => membership::run(host, args, err),
    }
}

/// Writes a line, ignoring a reader that has gone away.
pub(crate) fn say(to: &mut dyn Write, text: &str) {
    let _ = writeln!(to, "{text}");
    let _ = to.flush();
}
