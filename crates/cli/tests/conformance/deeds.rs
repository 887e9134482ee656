//! Every deed there is, and whether simulated and lab nodes are compared after it. A new one does not compile before
//! it has a line here.

use std::collections::BTreeSet;

use ringbolt_core::action::{Action, CephDeed};

/// How a deed is held against the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Its facts are compared.
    Facts,
    /// Not compared, and why.
    Not(&'static str),
}

/// Of deeds on Ceph, which a plan for bare nodes has.
const NOT_YET: &str = "no lab with Ceph is brought up for it yet";

macro_rules! deeds {
    ($($pattern:pat => $name:literal, $how:expr;)*) => {
        /// Its name here.
        pub(crate) fn name(action: &Action) -> &'static str {
            match action { $($pattern => $name,)* }
        }

        /// All of them.
        const DEEDS: &[(&str, How)] = &[$(($name, $how),)*];
    };
}

deeds! {
    Action::InstallPackages { .. } => "install-packages", How::Facts;
    Action::LoadModule { .. } => "load-module", How::Facts;
    Action::WriteFile { .. } => "write-file", How::Facts;
    Action::RemoveFile { .. } => "remove-file", How::Facts;
    Action::ReloadSystemd => "reload-systemd", How::Facts;
    Action::ReloadUdev => "reload-udev", How::Facts;
    Action::LoadSysctl { .. } => "load-sysctl", How::Facts;
    Action::EnableUnit { .. } => "enable-unit", How::Facts;
    Action::DisableUnit { .. } => "disable-unit", How::Facts;
    Action::RestartUnit { .. } => "restart-unit", How::Facts;
    Action::AdoptPort { .. } => "adopt-port", How::Facts;
    Action::BringUp { .. } => "bring-up", How::Facts;
    Action::ReloadInterfaces => "reload-interfaces", How::Facts;
    Action::DropRoutes { .. } => "drop-routes", How::Facts;
    Action::LoadFrr {} => "load-frr", How::Facts;
    Action::UpdateInitramfs => "update-initramfs", How::Not("nodes of a lab boot without an initramfs");
    Action::ApplySdn(_) => "apply-sdn", How::Facts;
    Action::ReloadNode { .. } => "reload-node", How::Facts;
    Action::AuthorizeKey { .. } => "authorize-key", How::Not("a line in a file that is no fact");
    Action::HoldDown { .. } => "hold-down", How::Facts;
    Action::TakeBack { .. } => "take-back", How::Facts;
    Action::Maintenance { .. } => "maintenance", How::Facts;
    Action::Reboot => "reboot", How::Facts;
    Action::Ceph(CephDeed::Install { .. }) => "ceph install", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Init { .. }) => "ceph init", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Monitor { .. }) => "ceph monitor", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Manager) => "ceph manager", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Metadata) => "ceph metadata", How::Not("a file system needs a spec of its own");
    Action::Ceph(CephDeed::Osd(_)) => "ceph osd", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Wipe { .. }) => "ceph wipe", How::Not("the disks of a lab are blank at first");
    Action::Ceph(CephDeed::Pool { .. }) => "ceph pool", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Rule { .. }) => "ceph rule", How::Not("a pool of one class needs a spec of its own");
    Action::Ceph(CephDeed::PoolOptions { .. }) => "ceph pool-options", How::Not("no pool of the plan needs one");
    Action::Ceph(CephDeed::Filesystem { .. }) => "ceph filesystem", How::Not("it needs a spec of its own");
    Action::Ceph(CephDeed::Storage { .. }) => "ceph storage", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Config { .. }) => "ceph config", How::Not(NOT_YET);
    Action::Ceph(CephDeed::MayStop { .. }) => "ceph may-stop", How::Not(NOT_YET);
    Action::Ceph(CephDeed::HoldOut { .. }) => "ceph hold-out", How::Not(NOT_YET);
    Action::Ceph(CephDeed::Datacenter { .. }) => "ceph datacenter", How::Not("the plan leaves it alone unless told");
    Action::Ceph(CephDeed::MeasureOsds { .. }) => "ceph measure-osds", How::Not("what it measures is never the same");
}

/// Deeds that were to be compared and were not done.
pub(crate) fn missed(done: &BTreeSet<&str>) -> Vec<&'static str> {
    let due = DEEDS.iter().filter(|(_, how)| *how == How::Facts).map(|(name, _)| *name);
    due.filter(|name| !done.contains(name)).collect()
}

/// Deeds that are not compared, and why.
pub(crate) fn left_out() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEEDS.iter().filter_map(|(name, how)| match how {
        How::Not(why) => Some((*name, *why)),
        _ => None,
    })
}
