//! The checkpoint: what a node undoes by itself when nobody confirms a step that may have cut it off.
//!
//! Says which files go back, and what the agent leaves on the node to be read later.
//! Used by the planner, by the run on the controller and by the agent, which does the work. It keeps no time.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::facts::Facts;
use crate::json;
use crate::name::NodeName;
use crate::obstacle::Obstacle;

/// Folder on the node that holds everything about the checkpoint.
pub const FOLDER: &str = "/var/lib/ringbolt/checkpoint";
/// There while a node waits for a confirmation: an [`Armed`].
pub const ARMED: &str = "/var/lib/ringbolt/checkpoint/armed.json";
/// There since a node has undone a step, until the next confirmation: a [`Fired`].
pub const FIRED: &str = "/var/lib/ringbolt/checkpoint/fired.json";

/// Seconds a node waits for the confirmation where nobody says otherwise.
pub const SECONDS: u32 = 120;
/// Seconds a person can tell it to wait; many nodes add to them.
pub const RANGE: RangeInclusive<u32> = 30..=3600;

/// Files that decide whether a node is reached: these go back, and no others.
const FILES: [&str; 4] =
    ["/etc/network/interfaces", "/etc/frr/daemons", "/etc/frr/frr.conf", "/etc/frr/frr.conf.local"];
/// Everything in this folder as well.
pub const STANZAS: &str = "/etc/network/interfaces.d";
/// What Proxmox VE writes at an apply: it goes back whatever it holds by then.
const GENERATED: [&str; 3] = ["/etc/network/interfaces.d/sdn", "/etc/frr/frr.conf", "/etc/frr/daemons"];

/// What protects a step: these nodes go back by themselves unless told within the time that all is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Nodes the step can cut off.
    pub nodes: Vec<NodeName>,
    /// Seconds from arming to undoing.
    pub seconds: u32,
}

/// What a node is told about a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Keep what is there now, and undo the step after this time.
    Arm {
        /// The run.
        run: String,
        /// The step.
        step: crate::name::StepId,
        /// After how many seconds.
        seconds: u32,
    },
    /// The step is proven: keep what it did. Refused when the node has undone it meanwhile.
    Confirm {
        /// The run.
        run: String,
        /// The step.
        step: crate::name::StepId,
    },
    /// The step has failed: undo it now. The answer comes before the deed, which may cut the line.
    Heal {
        /// The run.
        run: String,
        /// The step.
        step: crate::name::StepId,
    },
    /// What the node undid is known to its owner: forget the report.
    Forget,
}

/// A checkpoint a node waits in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// The run.
    pub run: String,
    /// The step.
    pub step: crate::name::StepId,
    /// Seconds from arming to undoing.
    pub seconds: u32,
    /// When it was armed: seconds since the epoch, by the node's clock.
    pub at: u64,
    /// The boot it was armed in.
    pub boot: String,
    /// The program that will undo it: it is not cleaned away meanwhile.
    pub program: String,
}

/// What made a node undo a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Nobody confirmed in time.
    Time,
    /// It was started anew before anybody had confirmed.
    Boot,
    /// The run asked for it, because the step had failed.
    Asked,
}

/// A step a node has undone by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// The run.
    pub run: String,
    /// The step.
    pub step: crate::name::StepId,
    /// Seconds it was to wait.
    pub seconds: u32,
    /// When it was armed: seconds since the epoch, by the node's clock.
    pub armed: u64,
    /// When all was undone.
    pub at: u64,
    /// Why.
    pub cause: Cause,
    /// What was put back, in words.
    pub back: Vec<String>,
    /// What was left as it is and why, and what could not be done. Empty when the node is what it was.
    pub left: Vec<String>,
}

impl Fired {
    /// What happened, in one line: `undid n2/ifreload by itself …`.
    pub fn in_words(&self) -> String {
        let why = match self.cause {
            Cause::Time => format!("nobody confirmed within {} s", self.seconds),
            Cause::Boot => "the node was started anew before anybody confirmed".to_owned(),
            Cause::Asked => "it had failed".to_owned(),
        };
        let back = if self.back.is_empty() { "nothing had changed".to_owned() } else { self.back.join(", ") };
        let left =
            if self.left.is_empty() { String::new() } else { format!("; not so: {}", self.left.join(", ")) };
        format!("{} undone at {} ({why}): {back}{left}", self.step, utc(self.at))
    }

    /// Whether the node is what it was.
    pub fn whole(&self) -> bool {
        self.left.is_empty()
    }
}

impl Armed {
    /// When it undoes the step, seconds since the epoch by the node's clock.
    pub fn until(&self) -> u64 {
        self.at + u64::from(self.seconds)
    }
}

/// Whether a file goes back when a checkpoint is not confirmed.
pub fn covers(path: &str) -> bool {
    FILES.contains(&path)
        || path.strip_prefix(STANZAS).and_then(|p| p.strip_prefix('/')).is_some_and(is_plain)
}

/// Whether a file goes back whatever it holds: Proxmox VE writes it during the step.
pub fn generated(path: &str) -> bool {
    GENERATED.contains(&path)
}

/// The covered files with fixed names.
pub fn files() -> impl Iterator<Item = &'static str> {
    FILES.into_iter()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.starts_with('.')
}

/// The checkpoint a node waits in, by its facts.
pub fn armed(facts: &Facts) -> Option<Armed> {
    json::read(facts.text(ARMED)?.as_bytes()).ok()
}

/// What a node has undone by itself, by its facts.
pub fn fired(facts: &Facts) -> Option<Fired> {
    json::read(facts.text(FIRED)?.as_bytes()).ok()
}

/// What a node has undone by itself, as a note.
pub fn report(node: &NodeName, facts: &Facts) -> Option<Obstacle> {
    let fired = fired(facts)?;
    let cure = if fired.whole() {
        "the network of the node is what it was before that step: correct the spec, then `ringbolt apply`"
    } else {
        "look at what was left, then `ringbolt apply`"
    };
    Some(Obstacle {
        code: "RB0550".into(),
        node: Some(node.clone()),
        message: format!("has undone a step of run {} by itself", fired.run),
        evidence: fired.in_words(),
        cure: cure.into(),
    })
}

/// Whether a check must hold before a checkpoint is confirmed. Ceph becomes whole by itself, and may take
/// much longer than a node waits.
pub fn counts(check: &Check) -> bool {
    !matches!(check, Check::Ceph(_))
}

/// A moment in words: `2026-11-21 06:12:03 UTC`.
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86400, seconds % 86400);
    // Days since 0000-03-01 in eras of 400 years, so that the leap day comes last in its year.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    format!("{year:04}-{month:02}-{date:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_network_go_back() {
        for path in ["/etc/network/interfaces", "/etc/network/interfaces.d/sdn", "/etc/frr/frr.conf"] {
            assert!(covers(path), "{path}");
        }
        for path in [
            "/etc/network/interfaces.d/",
            "/etc/network/interfaces.d/../x",
            "/etc/network/interfaces.new",
            "/etc/passwd",
        ] {
            assert!(!covers(path), "{path}");
        }
        assert!(generated("/etc/frr/daemons") && !generated("/etc/network/interfaces"));
    }

    #[test]
    fn moments_are_told_in_utc() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_827_696), "2000-02-29 12:34:56 UTC");
        assert_eq!(utc(1_795_241_523), "2026-11-21 06:12:03 UTC");
    }
}
