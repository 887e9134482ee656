//! `ifup` and `ifreload` of ifupdown2, which let one of them run at a time.

use std::time::{Duration, Instant};

use ringbolt_core::wire::{Failure, FailureKind};

use super::{Outcome, Scene, plain_name};
use crate::exec::{Call, Output, call};

/// How long to wait for another ifupdown2 to end, in seconds.
const PATIENCE: u64 = 60;

/// Brings up one interface from the files. One that is not there (no cable) is no fault: it gets
/// its addresses when it appears.
pub(super) fn bring_up(scene: &Scene<'_>, interface: &str) -> Outcome {
    plain_name(interface, "an interface")?;
    let there = scene.root.at("/sys/class/net").join(interface).exists();
    // `ifup` of a dummy makes it; a port only exists while its cable is plugged in.
    let output = patient(scene, &call("ifup", ["--", interface]).limit(60).joined().public())?;
    if !there && output.out.contains("not recognized") {
        return Ok(format!("no {interface} on this node now"));
    }
    judge(&output, &format!("ifup {interface}"))
}

/// Makes every interface what the files say.
pub(super) fn reload(scene: &Scene<'_>) -> Outcome {
    let output = patient(scene, &call("ifreload", ["-a"]).limit(180).joined().public())?;
    judge(&output, "ifreload -a")
}

/// Runs it, again while another instance is at work.
fn patient(scene: &Scene<'_>, call: &Call) -> Result<Output, Failure> {
    let end = Instant::now() + Duration::from_secs(PATIENCE);
    loop {
        let output = call.run()?;
        if !output.out.contains("Another instance of this program is already running") {
            return Ok(output);
        }
        if Instant::now() > end {
            let message = format!("another ifupdown2 has been running for {PATIENCE} s");
            return Err(Failure { kind: FailureKind::Transient, ..Failure::broken(message) }
                .hint("look for a hanging `ifup` or `ifreload` on the node"));
        }
        scene.pause(Duration::from_millis(300))?;
    }
}

/// Warnings are for the log; errors and a bad status are failures.
fn judge(output: &Output, what: &str) -> Outcome {
    let errors: Vec<&str> = output.out.lines().filter(|line| line.starts_with("error:")).collect();
    if output.status.success() && errors.is_empty() {
        return Ok(output.last(2));
    }
    let said = if errors.is_empty() { output.last(4) } else { errors.join(" | ") };
    Err(Failure::broken(format!("`{what}` failed: {said}"))
        .hint("look at /etc/network/interfaces and interfaces.d on the node"))
}
