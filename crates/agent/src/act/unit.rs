//! Units of systemd; the outcome is judged by the unit's state, not by a status alone.

use ringbolt_core::facts::UnitFact;
use ringbolt_core::resource::owed::SYSTEMD;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, plain_name};
use crate::exec::{Call, call};
use crate::owed;
use crate::read::units::unit as state;
use crate::undo::Was;

fn systemctl(words: &[&str]) -> Call {
    call("systemctl", words.iter().copied()).limit(120).joined().public()
}

/// `systemctl daemon-reload`.
pub(super) fn reload_all(scene: &Scene<'_>) -> Outcome {
    systemctl(&["daemon-reload"]).must()?;
    owed::paid(scene.root, SYSTEMD);
    Ok(String::new())
}

/// Enables a unit, and starts it when asked to.
pub(super) fn enable(scene: &Scene<'_>, unit: &str, now: bool) -> Outcome {
    plain_name(unit, "a unit")?;
    keep(scene, unit, &state(unit)?)?;
    let mut words = vec!["enable", "--quiet"];
    words.extend(now.then_some("--now"));
    let output = systemctl(&[&words[..], &["--", unit]].concat()).run()?;
    let is = state(unit)?;
    let enabled = ["enabled", "enabled-runtime", "alias"].contains(&is.enabled.as_str());
    // A template is enabled by the links its instances get; it has no state of its own.
    let template = unit.contains("@.");
    if !(enabled || template && output.status.success()) {
        let message = format!("{unit} is {} after enabling it: {}", word(&is.enabled), output.last(3));
        return Err(missing(message, &is.load));
    }
    if now && (is.active == "failed" || !output.status.success()) {
        return Err(Failure::broken(format!("{unit} did not start: {}{}", output.last(2), journal(unit))));
    }
    Ok(is.active)
}

/// Stops and disables a unit; one that does not exist is disabled already.
pub(super) fn disable(scene: &Scene<'_>, unit: &str) -> Outcome {
    plain_name(unit, "a unit")?;
    let before = state(unit)?;
    if before.load == "not-found" {
        return Ok("no such unit".to_owned());
    }
    keep(scene, unit, &before)?;
    off(unit)
}

/// Makes a unit what it was.
pub(super) fn put_back(unit: &str, enabled: bool, active: bool) -> Outcome {
    plain_name(unit, "a unit")?;
    let is = state(unit)?;
    if is.load == "not-found" {
        return Ok("no such unit any more".to_owned());
    }
    if !enabled && !active {
        return off(unit);
    }
    if enabled != (is.enabled == "enabled") {
        systemctl(&[if enabled { "enable" } else { "disable" }, "--quiet", "--", unit]).must()?;
    }
    if active != (is.active == "active") {
        systemctl(&[if active { "start" } else { "stop" }, "--", unit]).must()?;
    }
    Ok(String::new())
}

/// Keeps what the unit is now for undo.
fn keep(scene: &Scene<'_>, unit: &str, is: &UnitFact) -> Result<(), Failure> {
    let (enabled, active) = (is.enabled == "enabled", is.active == "active");
    scene.keep(Was::Unit { unit: unit.to_owned(), enabled, active })
}

fn off(unit: &str) -> Outcome {
    let output = systemctl(&["disable", "--quiet", "--now", "--", unit]).run()?;
    // frr.service may start three times in three minutes only; whoever starts it next begins anew.
    systemctl(&["reset-failed", "--", unit]).run()?;
    let is = state(unit)?;
    if is.enabled == "enabled" || is.active == "active" {
        let message = format!("{unit} is still {}, {}: {}", word(&is.enabled), is.active, output.last(3));
        return Err(Failure::broken(message));
    }
    Ok(String::new())
}

/// Restarts a unit and looks whether it runs.
pub(super) fn restart(unit: &str) -> Outcome {
    plain_name(unit, "a unit")?;
    // frr.service may start three times in three minutes only; this sets the count back.
    systemctl(&["reset-failed", "--", unit]).run()?;
    let output = systemctl(&["restart", "--", unit]).run()?;
    let is = state(unit)?;
    if output.status.success() && is.active != "failed" {
        return Ok(is.active);
    }
    let message =
        format!("{unit} is {} after its restart: {}{}", word(&is.active), output.last(2), journal(unit));
    Err(missing(message, &is.load))
}

fn missing(message: String, load: &str) -> Failure {
    let failure = Failure::broken(message);
    match load {
        "not-found" => failure.hint("no such unit: is its package installed?"),
        "masked" => failure.hint("the unit is masked: `systemctl unmask` it if that is not wanted"),
        _ => failure,
    }
}

fn word(state: &str) -> &str {
    if state.is_empty() { "not there" } else { state }
}

/// The last lines a unit wrote, for a failure's message.
fn journal(unit: &str) -> String {
    let lines = call("journalctl", ["-q", "-n", "4", "-o", "cat", "--no-pager", "-u", unit]).run();
    lines
        .map(|output| output.last(4))
        .ok()
        .filter(|l| !l.is_empty())
        .map_or_else(String::new, |l| format!(" | {l}"))
}
