//! Takes static routes of an earlier run out of the kernel: no reload of the interfaces does.

use std::fmt::Display;

use super::Outcome;
use crate::exec::call;

/// Removes every route to these destinations that was made by `ip route` alone; those of routing
/// daemons and of addresses stay.
pub(super) fn drop(to: &[impl Display]) -> Outcome {
    for to in to.iter().map(ToString::to_string) {
        let family = if to.contains(':') { "-6" } else { "-4" };
        call("ip", [family, "route", "flush", "exact", &to, "proto", "boot"]).joined().must()?;
    }
    Ok(String::new())
}
