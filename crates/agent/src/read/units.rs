//! Units, by one `systemctl show` for all that are asked for.

use std::collections::{BTreeMap, BTreeSet};

use ringbolt_core::facts::UnitFact;
use ringbolt_core::facts::units::{PROPERTIES, shown};

use crate::exec::{ExecError, Started, call};

/// The question under way, with the names in the order asked.
#[derive(Debug)]
pub(super) struct Asked {
    names: Vec<String>,
    started: Started,
}

/// Starts the question; none when no unit is asked for. Templates without an instance have no
/// state of their own and are left out: systemd refuses to talk about them.
pub(super) fn ask(units: &BTreeSet<String>) -> Result<Option<Asked>, ExecError> {
    let names: Vec<String> = units.iter().filter(|name| !name.contains("@.")).cloned().collect();
    if names.is_empty() {
        return Ok(None);
    }
    let fixed = ["show", "-p", PROPERTIES, "--"].map(String::from);
    let started = call("systemctl", fixed.into_iter().chain(names.iter().cloned())).start()?;
    Ok(Some(Asked { names, started }))
}

/// Collects the answer.
pub(super) fn collect(asked: Option<Asked>) -> Result<BTreeMap<String, UnitFact>, ExecError> {
    let Some(Asked { names, started }) = asked else { return Ok(BTreeMap::new()) };
    let output = started.finish(None)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let units = shown(&output.out, &names);
    if units.is_empty() {
        output.checked(&call("systemctl", ["show"]))?;
    }
    Ok(units)
}

/// The state of one unit, now.
pub(crate) fn unit(name: &str) -> Result<UnitFact, ExecError> {
    let asked = ask(&BTreeSet::from([name.to_owned()]))?;
    Ok(collect(asked)?.remove(name).unwrap_or_default())
}
