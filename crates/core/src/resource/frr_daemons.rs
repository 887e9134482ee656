//! `/etc/frr/daemons`: bfdd switched on. Proxmox VE manages fabricd and ospfd there and leaves the
//! other lines alone, so this one line is ours.

use serde::Serialize;

use super::{Outcome, step, write_file};
use crate::action::Action;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::step::{Phase, Risk, Step};

/// The file.
pub const PATH: &str = "/etc/frr/daemons";

/// Which daemon is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrrDaemons {
    /// Daemon name, e.g. `bfdd`.
    pub daemon: String,
}

impl FrrDaemons {
    fn line(&self) -> String {
        format!("{}=yes", self.daemon)
    }

    fn is_on(&self, text: &str) -> bool {
        let wished = self.line();
        lines(text).any(|line| line == wished)
    }

    /// The file with the line switched on, everything else as it was.
    pub fn edit(&self, text: &str) -> String {
        let (key, wished) = (format!("{}=", self.daemon), self.line());
        let mut edited = String::with_capacity(text.len() + wished.len() + 1);
        let mut found = false;
        for line in lines(text) {
            let ours = line.starts_with(&key);
            found |= ours;
            edited += if ours { &wished } else { line };
            edited.push('\n');
        }
        if !found {
            edited += &wished;
            edited.push('\n');
        }
        edited
    }

    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(text) = facts.text(PATH) else {
            return if facts.has_package("frr") {
                Outcome::obstacle(absent(node))
            } else {
                Outcome::waiting(format!("{PATH} is there once frr is installed"))
            };
        };
        let mut steps = Vec::new();
        if !self.is_on(text) {
            steps.push(Step {
                why: format!("{} must run for a silent cable to be noticed in under a second", self.daemon)
                    .into(),
                ..write_file(node, facts, Phase::Prepare, PATH, self.edit(text).into(), 0o640)
            });
        }
        let runs = facts.state.units.get("frr.service").is_some_and(|u| u.active == "active");
        // What FRR does not tell is no reason to restart it.
        let lacks = facts.state.frr.yes().is_some_and(|f| !f.daemons.contains(&self.daemon));
        if runs && lacks {
            steps.push(Step {
                title: "restart frr".into(),
                why: format!("{} is not running, and FRR starts daemons only with the service", self.daemon)
                    .into(),
                proof: vec![(node.clone(), Check::Active { unit: "frr.service".into() })],
                risk: Risk::Disruptive,
                interrupts: format!(
                    "{node} leaves the fabric and comes back in about 3 s; others route around it"
                )
                .into(),
                patience: 30,
                ..step(
                    node,
                    format_args!("restart:frr.service"),
                    Phase::Prepare,
                    Action::RestartUnit { unit: "frr.service".into() },
                )
            });
        }
        Outcome { steps, ..Outcome::default() }
    }

    /// The file with the daemon switched off again; `None` where there is nothing to switch.
    pub fn retire(&self, text: &str) -> Option<String> {
        let (on, off) = (self.line(), format!("{}=no", self.daemon));
        let off_line = |l: &str| if l == on { format!("{off}\n") } else { format!("{l}\n") };
        self.is_on(text).then(|| lines(text).map(off_line).collect())
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        vec![Check::Line { path: PATH.into(), line: self.line().into() }]
    }
}

fn absent(node: &NodeName) -> Obstacle {
    Obstacle {
        code: "RB0530".into(),
        node: Some(node.clone()),
        message: format!("has frr installed, but no readable {PATH}"),
        evidence: String::new(),
        cure: "put it back: `apt-get install --reinstall -o Dpkg::Options::=--force-confmiss frr`".into(),
    }
}

/// Lines without their ends. A carriage return stays: to the shell that reads the file it is part of the value.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriage_returns_of_others_stay_and_one_of_ours_is_no_yes() {
        let bfdd = FrrDaemons { daemon: "bfdd".into() };
        let edited = bfdd.edit("bgpd=no\r\nbfdd=yes\r\nx=1\r\r\n");
        assert_eq!(edited, "bgpd=no\r\nbfdd=yes\nx=1\r\r\n");
        assert_eq!(bfdd.edit(&edited), edited);
        assert_eq!(bfdd.retire(&edited).as_deref(), Some("bgpd=no\r\nbfdd=no\nx=1\r\r\n"));
    }

    #[test]
    fn one_line_changes_and_the_rest_stays() {
        let bfdd = FrrDaemons { daemon: "bfdd".into() };
        let text = "# daemons\nzebra_options=\"  -A 127.0.0.1\"\nbfdd=no\nfabricd=yes\n";
        assert_eq!(bfdd.edit(text), text.replace("bfdd=no", "bfdd=yes"));
        assert_eq!(bfdd.edit("a=b\n"), "a=b\nbfdd=yes\n");
    }
}
