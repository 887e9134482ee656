//! How long a deed takes on a simulated node: round figures from the lab and from small machines.
//!
//! Used by whoever lets simulated nodes answer. They order things and fill rehearsals with plausible
//! times; they are no measurement of anybody's hardware.

use crate::action::{Action, CephDeed};

/// Seconds a node is away for a reboot.
pub const REBOOT_SECONDS: u32 = 75;

/// Milliseconds from the end of a checkpoint's time until all is put back.
pub const HEAL_MS: u64 = 4_000;

/// Milliseconds from the request to the answer.
pub fn milliseconds(action: &Action) -> u64 {
    match action {
        Action::WriteFile { .. } | Action::RemoveFile { .. } | Action::AuthorizeKey { .. } => 40,
        Action::LoadSysctl { .. }
        | Action::LoadModule { .. }
        | Action::DropRoutes { .. }
        | Action::LoadFrr {} => 100,
        Action::ReloadUdev | Action::AdoptPort { .. } | Action::DisableUnit { .. } => 300,
        Action::ReloadSystemd | Action::TakeBack { .. } | Action::BringUp { .. } => 700,
        Action::EnableUnit { .. } | Action::ReloadInterfaces | Action::Maintenance { .. } => 1_500,
        Action::RestartUnit { .. } => 2_500,
        Action::ReloadNode { .. } => 4_000,
        Action::InstallPackages { .. } => 20_000,
        Action::UpdateInitramfs => 15_000,
        // Proxmox VE lets one node after the other reload.
        Action::ApplySdn(change) => 3_000 + 2_500 * change.nodes.len() as u64,
        Action::HoldDown { milliseconds, .. } => u64::from(*milliseconds),
        Action::Reboot => 500,
        Action::Ceph(deed) => ceph(deed),
    }
}

fn ceph(deed: &CephDeed) -> u64 {
    match deed {
        CephDeed::Install { .. } => 90_000,
        CephDeed::Init { .. } | CephDeed::Storage { .. } | CephDeed::Datacenter { .. } => 2_000,
        CephDeed::Monitor { .. } | CephDeed::Osd(_) => 9_000,
        CephDeed::Manager | CephDeed::Metadata => 4_000,
        CephDeed::Wipe { .. } => 3_000,
        CephDeed::Pool { .. } | CephDeed::Filesystem { .. } => 6_000,
        CephDeed::MeasureOsds { osds } => 12_000 * osds.len() as u64,
        _ => 1_000,
    }
}
