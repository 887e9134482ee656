//! Holds a port down for a moment and sets it up again: a drill on real cables.
//!
//! A timer of systemd does the second half even if this process is killed meanwhile.

use std::time::Duration;

use super::{Outcome, Scene, interfaces, plain_name};
use crate::exec::call;
use ringbolt_core::wire::Failure;

/// Longest time a port is held down, in milliseconds.
const LONGEST: u32 = 60_000;

/// Down, wait, up. A cancelled hold ends at once, with the port up.
pub(super) fn down(scene: &Scene<'_>, port: &str, milliseconds: u32) -> Outcome {
    plain_name(port, "an interface")?;
    if milliseconds > LONGEST {
        return Err(Failure::refused(format!("a port is held down for {} s at most", LONGEST / 1000)));
    }
    let unit = format!("ringbolt-hold-{port}");
    let seconds = format!("{}s", milliseconds / 1000 + 10);
    let name = format!("--unit={unit}");
    let after = format!("--on-active={seconds}");
    call(
        "systemd-run",
        [
            "--quiet",
            "--collect",
            &name,
            &after,
            "--timer-property=AccuracySec=1s",
            "ip",
            "link",
            "set",
            "dev",
            port,
            "up",
        ],
    )
    .joined()
    .must()?;
    let held = call("ip", ["link", "set", "dev", port, "down"]).joined().must();
    if held.is_ok() {
        // Cancelled or not, the port comes up again.
        let _ = scene.pause(Duration::from_millis(u64::from(milliseconds)));
    }
    call("ip", ["link", "set", "dev", port, "up"]).joined().must()?;
    held?;
    // Setting a port down takes its IPv6 addresses: ifup gives all of them back.
    let up = interfaces::bring_up(scene, port);
    let timer = format!("{unit}.timer");
    let _ = call("systemctl", ["stop", &timer]).joined().run();
    up?;
    Ok(format!("{port} was down for {milliseconds} ms"))
}
