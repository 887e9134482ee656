//! Every deed there is, and the lab in which simulated and real nodes are compared after it. A new one does not
//! compile before it has a line here, and a line fails its test before the deed is done there.

use std::collections::BTreeSet;

use ringbolt_core::action::{Action, CephDeed};

/// A lab whose nodes are compared with simulated ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lab {
    /// Two nodes on one cable.
    Mesh,
    /// Three nodes with disks, for real daemons.
    Ceph,
}

/// Forms of deeds that are not compared, and why. The deed itself is, in another form.
const NOT_HERE: [(&str, &str); 2] = [
    ("ceph osd, encrypted", "device-mapper, which makes it, is not in every kernel"),
    ("ceph osd, two on one disk and databases that share one", "both need LVM, and that device-mapper"),
];

macro_rules! deeds {
    ($($pattern:pat => $name:literal, $lab:expr;)*) => {
        /// Its name here.
        pub(crate) fn name(action: &Action) -> &'static str {
            match action { $($pattern => $name,)* }
        }

        /// All of them.
        const DEEDS: &[(&str, Lab)] = &[$(($name, $lab),)*];
    };
}

deeds! {
    Action::InstallPackages { .. } => "install-packages", Lab::Mesh;
    Action::LoadModule { .. } => "load-module", Lab::Mesh;
    Action::WriteFile { .. } => "write-file", Lab::Mesh;
    Action::RemoveFile { .. } => "remove-file", Lab::Mesh;
    Action::ReloadSystemd => "reload-systemd", Lab::Mesh;
    Action::ReloadUdev => "reload-udev", Lab::Mesh;
    Action::LoadSysctl { .. } => "load-sysctl", Lab::Mesh;
    Action::EnableUnit { .. } => "enable-unit", Lab::Mesh;
    Action::DisableUnit { .. } => "disable-unit", Lab::Mesh;
    Action::RestartUnit { .. } => "restart-unit", Lab::Mesh;
    Action::AdoptPort { .. } => "adopt-port", Lab::Mesh;
    Action::BringUp { .. } => "bring-up", Lab::Mesh;
    Action::ReloadInterfaces => "reload-interfaces", Lab::Mesh;
    Action::DropRoutes { .. } => "drop-routes", Lab::Mesh;
    Action::LoadFrr {} => "load-frr", Lab::Mesh;
    Action::UpdateInitramfs => "update-initramfs", Lab::Mesh;
    Action::ApplySdn(_) => "apply-sdn", Lab::Mesh;
    Action::ReloadNode { .. } => "reload-node", Lab::Mesh;
    Action::AuthorizeKey { .. } => "authorize-key", Lab::Mesh;
    Action::HoldDown { .. } => "hold-down", Lab::Mesh;
    Action::TakeBack { .. } => "take-back", Lab::Mesh;
    Action::Maintenance { .. } => "maintenance", Lab::Mesh;
    Action::Reboot => "reboot", Lab::Mesh;
    Action::Ceph(CephDeed::Install { .. }) => "ceph install", Lab::Ceph;
    Action::Ceph(CephDeed::Init { .. }) => "ceph init", Lab::Ceph;
    Action::Ceph(CephDeed::Monitor { .. }) => "ceph monitor", Lab::Ceph;
    Action::Ceph(CephDeed::Manager) => "ceph manager", Lab::Ceph;
    Action::Ceph(CephDeed::Metadata) => "ceph metadata", Lab::Ceph;
    Action::Ceph(CephDeed::Osd(_)) => "ceph osd", Lab::Ceph;
    Action::Ceph(CephDeed::Wipe { .. }) => "ceph wipe", Lab::Ceph;
    Action::Ceph(CephDeed::Pool { .. }) => "ceph pool", Lab::Ceph;
    Action::Ceph(CephDeed::Rule { .. }) => "ceph rule", Lab::Ceph;
    Action::Ceph(CephDeed::PoolOptions { .. }) => "ceph pool-options", Lab::Ceph;
    Action::Ceph(CephDeed::Filesystem { .. }) => "ceph filesystem", Lab::Ceph;
    Action::Ceph(CephDeed::Storage { .. }) => "ceph storage", Lab::Ceph;
    Action::Ceph(CephDeed::Config { .. }) => "ceph config", Lab::Ceph;
    Action::Ceph(CephDeed::MayStop { .. }) => "ceph may-stop", Lab::Ceph;
    Action::Ceph(CephDeed::HoldOut { .. }) => "ceph hold-out", Lab::Ceph;
    Action::Ceph(CephDeed::Datacenter { .. }) => "ceph datacenter", Lab::Ceph;
    Action::Ceph(CephDeed::MeasureOsds { .. }) => "ceph measure-osds", Lab::Ceph;
}

/// Deeds that were to be done in this lab and were not.
pub(crate) fn missed(lab: Lab, done: &BTreeSet<&str>) -> Vec<&'static str> {
    let due = DEEDS.iter().filter(|(_, of)| *of == lab).map(|(name, _)| *name);
    due.filter(|name| !done.contains(name)).collect()
}

/// Forms of deeds that are not compared in this lab, and why.
pub(crate) fn left_out(lab: Lab) -> &'static [(&'static str, &'static str)] {
    if lab == Lab::Ceph { &NOT_HERE } else { &[] }
}
