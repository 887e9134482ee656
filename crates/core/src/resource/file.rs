//! A file that is wholly ours: content, mode, and what must notice it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::{Outcome, step, write_file};
use crate::action::Action;
use crate::check::Check;
use crate::digest::Content;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::step::{Phase, Step};

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Absolute path.
    pub path: Arc<str>,
    /// The whole content.
    pub content: Content,
    /// What it is for, in words for the plan.
    pub why: Cow<'static, str>,
    /// Who must notice a change.
    pub reader: Reader,
    /// The part of a run it is written in.
    pub phase: Phase,
}

/// Who reads a file of ours and must be told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// Read at boot, or by another resource.
    Nobody,
    /// systemd: units.
    Systemd,
    /// udev: rules and `.link` files.
    Udev,
}

impl File {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let wished = &*self.content.digest;
        if facts.state.files.get(&*self.path).is_some_and(|f| f.digest == wished && f.mode & 0o777 == 0o644) {
            return Outcome::default();
        }
        let mut steps = vec![Step {
            why: self.why.clone(),
            ..write_file(node, facts, self.phase, Arc::clone(&self.path), self.content.clone(), 0o644)
        }];
        let told = match self.reader {
            Reader::Nobody => None,
            Reader::Systemd => Some((
                format_args!("systemd-reload"),
                "let systemd read the units again",
                Action::ReloadSystemd,
            )),
            Reader::Udev => Some((
                format_args!("udev-reload"),
                "let udev read its rules and .link files again",
                Action::ReloadUdev,
            )),
        };
        if let Some((id, title, action)) = told {
            steps.push(Step {
                title: title.into(),
                why: format!("{} changes", self.path).into(),
                ..step(node, id, self.phase, action)
            });
        }
        Outcome { steps, ..Outcome::default() }
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        vec![Check::File { path: Arc::clone(&self.path), digest: Arc::clone(&self.content.digest) }]
    }
}
