//! Reboots the node, a moment later, so that the answer gets out first.

use super::Outcome;
use crate::exec::call;

/// Has systemd reboot the node one second from now.
pub(super) fn reboot() -> Outcome {
    let timer = ["--quiet", "--collect", "--on-active=1s", "--timer-property=AccuracySec=50ms"];
    call("systemd-run", timer.into_iter().chain(["--", "systemctl", "reboot"])).joined().must()?;
    Ok("reboots in a second".to_owned())
}
