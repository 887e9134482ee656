//! Deeds on Ceph, one file per kind, through Proxmox VE's own commands where they do it.

use ringbolt_core::action::CephDeed;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene};

/// Carries out one deed.
pub(super) fn carry_out(_scene: &Scene<'_>, deed: &CephDeed) -> Outcome {
    Err(Failure::refused(format!("this build has no {deed:?}")))
}
