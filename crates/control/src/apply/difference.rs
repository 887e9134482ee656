//! What has become of a file between the plan and now, as a unified diff.
//!
//! Used where a node refuses to overwrite a file, and where a saved plan is out of date.

use ringbolt_core::action::Action;
use ringbolt_core::facts::{Facts, Question};
use ringbolt_core::step::Step;
use ringbolt_core::wire::{Ask, Failure, FailureKind};
use similar::TextDiff;

use crate::fleet::{Fleet, facts};

/// What the step's plan saw of its file against what these facts say; none where it is the same, or no text.
pub fn difference(step: &Step, now: &Facts) -> Option<String> {
    let change = step.change.as_ref()?;
    step.expect.as_ref()?;
    let file = now.state.files.get(&*change.path);
    let text = match file {
        Some(file) => file.text.as_deref()?,
        None => "",
    };
    let before = change.before.as_deref().unwrap_or_default();
    if text == before && file.is_some() == change.before.is_some() {
        return None;
    }
    let head = |there: bool, what: &str| {
        if there { format!("{} {what}", change.path) } else { format!("no {} {what}", change.path) }
    };
    let (old, new) =
        (head(change.before.is_some(), "as the plan saw it"), head(file.is_some(), "as it is now"));
    Some(TextDiff::from_lines(before, text).unified_diff().context_radius(2).header(&old, &new).to_string())
}

/// The refusal of a file's step, with the difference; any other failure as it is.
pub(super) async fn told(fleet: &Fleet, step: &Step, failure: Failure) -> Failure {
    let of_file = matches!(
        step.action,
        Some(Action::WriteFile { .. } | Action::RemoveFile { .. } | Action::TakeBack { .. })
    );
    let (Some(node), Some(change)) = (&step.node, &step.change) else { return failure };
    if !of_file || failure.kind != FailureKind::Refused {
        return failure;
    }
    let question = Question { files: [change.path.to_string()].into(), ..Question::default() };
    match facts(fleet.ask(node, Ask::Facts { question }).await) {
        Ok(now) => Failure { diff: difference(step, &now), ..failure },
        Err(_) => failure,
    }
}
