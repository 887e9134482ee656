//! Waits until checks hold: reads what they look at again and again, and judges by the core's code.

use std::time::{Duration, Instant};

use ringbolt_core::check::{Check, Finding};
use ringbolt_core::facts::Question;
use ringbolt_core::wire::Failure;

use crate::read::{Areas, facts};
use crate::root::Root;
use crate::stop::Stop;

/// Time between two looks.
const STEP: Duration = Duration::from_millis(150);

/// Looks until all checks hold, patience ends or `stop` is set; the last look's findings, one per
/// check in order. A look that fails counts as "not yet", and is told when it was the last.
pub(crate) fn look(
    root: &Root,
    checks: &[Check],
    question: &Question,
    patience: Duration,
    stop: &Stop,
) -> Result<Vec<Finding>, Failure> {
    let areas = Areas::of(checks);
    let end = Instant::now() + patience;
    loop {
        let last = facts(root, question, areas)
            .map(|facts| checks.iter().map(|check| check.look(&facts)).collect())
            .map_err(Failure::from);
        let held =
            last.as_ref().is_ok_and(|findings: &Vec<Finding>| findings.iter().all(|finding| finding.holds));
        if held || Instant::now() + STEP > end || stop.sleep(STEP) {
            return last;
        }
    }
}
