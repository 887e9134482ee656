//! Loads what FRR missed of its configuration at its start.

use ringbolt_core::resource::reload;

use super::Outcome;
use crate::exec::call;

/// `vtysh -d mgmtd -f FILE`: one session with the daemon that keeps route maps and access lists. What is in
/// force already is left as it is.
pub(super) fn load() -> Outcome {
    call("vtysh", ["-d", "mgmtd", "-f", reload::FRR_CONF]).joined().must()?;
    Ok(String::new())
}
