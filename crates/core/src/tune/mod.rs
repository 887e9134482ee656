//! Tuning with reasons: our own small profile, what is known of the options people set, and a judge for
//! the settings a cluster has.
//!
//! The plan turns [`profile`] into one step ([`difference`]); `ringbolt tune` shows the rest. Nothing here
//! asks a node: it works on what the nodes said.

use serde::Serialize;

use crate::facts::ceph::ConfigEntry;
use crate::facts::ceph::value::{number, same};
use crate::into_set::IntoSet;

mod audit;
mod case;
mod heartbeat;
mod memory;
mod profile;
mod running;
mod scrub;
mod surroundings;
pub(crate) mod system;
mod table;
mod verdict;

pub use audit::{Audit, Audited, Place, audit};
pub use memory::{LEAST, Share, shares, target};
pub use profile::{profile, profile_for};
pub use scrub::remarks;
pub use system::SYSCTL_FILE;
pub use table::{Applies, Home, Known, RELEASES, all, guide, is_automatic, known};
pub use verdict::Verdict;

/// What every node is asked for an audit; one of them is asked for the cluster as well.
pub fn question() -> crate::facts::Question {
    let mut files: std::collections::BTreeSet<String> =
        system::FILES.iter().map(|f| (*f).to_owned()).into_set();
    files.insert(crate::facts::ceph_conf::PATH.to_owned());
    crate::facts::Question {
        files,
        sysctl: system::keys().map(str::to_owned).collect(),
        disks: crate::facts::Disks::Uses,
        ceph: true,
        ceph_options: true,
        ..crate::facts::Question::default()
    }
}

/// One option of our profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Whom it is for, as `ceph config set` takes it: `global`, `mon`, `osd`, `client`, `osd/host:n2`.
    pub section: String,
    /// Name of the option.
    pub name: &'static str,
    /// Value, as `ceph config set` takes it.
    pub value: String,
    /// Why this value, for people.
    pub reason: String,
    /// Where that is known from.
    pub source: &'static str,
    /// What it goes back to.
    pub undo: String,
}

/// What makes the configuration database equal to the profile, as `CephDeed::Config` takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Section, option, value.
    pub set: Vec<(String, String, String)>,
    /// Section, option.
    pub remove: Vec<(String, String)>,
}

impl Difference {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

/// Options the spec alone rules: without an entry in the profile they stay at Ceph's default.
const RULED: [&str; 3] = ["osd_mclock_profile", "osd_scrub_begin_hour", "osd_scrub_end_hour"];

/// What to change in the database for the profile to hold: missing and other values are set, entries
/// that would overrule the profile are removed. Options that are not ours are left alone, and all of them
/// where there is no profile.
pub fn difference(profile: &[Setting], config: &[ConfigEntry]) -> Difference {
    let mut difference = Difference::default();
    if profile.is_empty() {
        return difference;
    }
    for setting in profile {
        let there = config.iter().any(|e| setting.is(e) && setting.met(&e.value));
        if !there {
            let (section, name) = (setting.section.clone(), setting.name.to_owned());
            difference.set.push((section, name, setting.value.clone()));
        }
    }
    for entry in config {
        let ours = profile.iter().any(|s| s.name == entry.name) || RULED.contains(&entry.name.as_str());
        if ours && !profile.iter().any(|s| s.is(entry)) {
            difference.remove.push((entry.who(), entry.name.clone()));
        }
    }
    difference
}

impl Setting {
    /// Whether an entry of the database is about this option for the same daemons.
    pub fn is(&self, entry: &ConfigEntry) -> bool {
        self.name == entry.name && self.section == entry.who()
    }

    /// Whether a stored value is as good as this one. The memory target may be off by an eighth: what a
    /// kernel leaves of the memory changes with its version.
    pub fn met(&self, value: &str) -> bool {
        if self.name == memory::OPTION {
            return match (number(value), number(&self.value)) {
                (Some(have), Some(want)) => (have - want).abs() <= want / 8.0,
                _ => false,
            };
        }
        same(value, &self.value)
    }
}

#[cfg(test)]
mod audit_test;
#[cfg(test)]
mod profile_test;
