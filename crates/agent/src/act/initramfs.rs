//! Renews the initramfs of all kernels, so that `.link` files and module options count from the
//! first moment of a boot.

use super::Outcome;
use crate::exec::{call, find};

/// Renews it; a node without one has nothing to renew.
pub(super) fn update() -> Outcome {
    if find("update-initramfs").is_none() {
        return Ok("no initramfs on this node".to_owned());
    }
    call("update-initramfs", ["-u", "-k", "all"]).limit(900).joined().public().must()?;
    Ok(String::new())
}
