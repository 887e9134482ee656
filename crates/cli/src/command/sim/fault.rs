//! A fault that waits for its step: told when no step has that name, or none that this can befall.
//!
//! Used by `sim`. It only words what others have seen.

use ringbolt_core::plan::Plan;
use ringbolt_core::sim::Fate;
use ringbolt_core::spec::near::nearest;

/// One fault that has not struck yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The step it waits for.
    pub(super) step: String,
    /// What it does to that step.
    pub(super) fate: Fate,
}

impl Waiting {
    /// Why it will not strike in an apply of this plan. A plan with something in its way may lack steps, and one
    /// without deeds says nothing of the run that is meant.
    pub(super) fn beside(&self, plan: &Plan) -> Option<String> {
        if !plan.obstacles.is_empty() || plan.deeds().next().is_none() {
            return None;
        }
        match plan.deeds().find(|step| &*step.id == self.step.as_str()) {
            Some(step) => {
                let befalls = step.action.as_ref().is_none_or(|action| self.fate.befalls(action));
                (!befalls).then(|| self.spared())
            }
            None => Some(format!(
                "an apply has no step {} now: {}; runs of another kind have others",
                self.step,
                of_plan(&self.step, plan)
            )),
        }
    }

    /// Why it did not strike in a run that has begun these steps.
    pub(super) fn after(&self, begun: &[String]) -> String {
        if begun.contains(&self.step) {
            return self.spared();
        }
        let near = names(&self.step, &begun.iter().map(String::as_str).collect::<Vec<_>>());
        format!("waits still: no step {} was begun: {near}", self.step)
    }

    fn spared(&self) -> String {
        format!("{} is no step that can be befallen by {}", self.step, self.fate.name())
    }
}

/// What of a plan may have been meant.
pub(super) fn of_plan(step: &str, plan: &Plan) -> String {
    names(step, &plan.deeds().map(|step| &*step.id).collect::<Vec<_>>())
}

/// The same step of other nodes, else the nearest name, else where all names are.
fn names(step: &str, all: &[&str]) -> String {
    fn deed(name: &str) -> Option<&str> {
        name.split_once('/').map(|(_, deed)| deed)
    }
    let alike = all.iter().copied().filter(|name| deed(step).is_some() && deed(name) == deed(step));
    let alike: Vec<&str> = alike.take(3).collect();
    if !alike.is_empty() {
        return format!("there is {}", alike.join(", "));
    }
    match nearest(step, all.iter().copied()) {
        Some(near) => format!("is {near} meant?"),
        None => "`plan --json` has the names of all steps".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_other_nodes_first() {
        let all = ["n1/sdn", "n1/sysctl", "n2/sysctl", "n1/file:/etc/frr/daemons"];
        for (step, said) in [
            ("n9/sysctl", "there is n1/sysctl, n2/sysctl"),
            ("n1/sdm", "is n1/sdn meant?"),
            ("n1/file:/etc/frr/deamons", "is n1/file:/etc/frr/daemons meant?"),
            ("whatever", "`plan --json` has the names of all steps"),
        ] {
            assert_eq!(names(step, &all), said, "{step}");
        }
    }
}
