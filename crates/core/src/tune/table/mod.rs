//! What is known of each option: its defaults by release, when it counts, where it belongs, and what to
//! say of a value. Data, read by the audit, by `tune explain` and by the reference page.
//!
//! Defaults, limits and flags are those of the options' own definitions in Ceph; what a running Ceph says
//! of itself goes before the table.

mod guide;
mod more;

use std::borrow::Cow;

use super::case::Case;
use super::verdict::Verdict;

/// Major versions of Ceph the table speaks of: Reef, Squid, Tentacle.
pub const RELEASES: [u32; 3] = [18, 19, 20];

/// One option of Ceph.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Its default in each of [`RELEASES`].
    pub default: [&'static str; 3],
    /// When a change counts.
    pub applies: Applies,
    /// Where it belongs.
    pub home: Home,
    /// What it does.
    pub what: &'static str,
    /// What there is to say of setting it.
    pub finding: &'static str,
    /// The verdict on a value that is not the default.
    pub(super) judge: Judge,
}

/// When a change of an option counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// At once.
    Now,
    /// For connections made afterwards.
    NewConnections,
    /// When the daemon starts.
    Restart,
    /// When an OSD is made.
    Creation,
}

/// Where an option belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// `osd`, one OSD, or `global`.
    Osd,
    /// `mon` or `global`.
    Mon,
    /// `client` or `global`.
    Client,
    /// `global` alone: several kinds of daemons read it.
    Global,
    /// `/etc/pve/ceph.conf`: what the database says is overruled.
    File,
}

/// How a value that is not the default is judged.
#[derive(Clone, Copy)]
pub(super) enum Judge {
    /// Always the same word, with the option's finding.
    As(Verdict),
    /// Risky above the default, else useful.
    RiskyAbove,
    /// It depends.
    By(fn(&Case<'_>) -> (Verdict, Cow<'static, str>)),
}

/// Every option of the table: first those of the old guide, then the others.
pub fn all() -> impl Iterator<Item = &'static Known> {
    guide::OPTIONS.iter().chain(more::OPTIONS.iter())
}

/// The options of the old guide: 34, and the two networks.
pub fn guide() -> &'static [Known] {
    &guide::OPTIONS
}

/// One option.
pub fn known(name: &str) -> Option<&'static Known> {
    all().find(|k| k.name == name)
}

impl Known {
    /// Its default in a major version; before and after the table's releases that of the nearest one.
    pub fn default_in(&self, release: u32) -> &'static str {
        let last = RELEASES.len() - 1;
        let at = RELEASES.iter().position(|r| *r >= release).unwrap_or(last);
        self.default[at]
    }
}

/// Whether an option at this value lets Ceph choose, by the kind of the disk.
pub fn is_automatic(name: &str, value: &str) -> bool {
    const BY_MEDIUM: [&str; 10] = [
        "bluestore_cache_size",
        "bluestore_deferred_batch_ops",
        "bluestore_max_blob_size",
        "bluestore_min_alloc_size",
        "bluestore_prefer_deferred_size",
        "bluestore_throttle_cost_per_io",
        "osd_op_num_shards",
        "osd_op_num_threads_per_shard",
        "osd_recovery_max_active",
        "osd_snap_trim_sleep",
    ];
    BY_MEDIUM.contains(&name) && crate::facts::ceph::value::number(value) == Some(0.0)
}

impl Applies {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Now => "at once",
            Self::NewConnections => "for new connections",
            Self::Restart => "after a restart of the daemon",
            Self::Creation => "when an OSD is made",
        }
    }
}

impl Home {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Osd => "osd",
            Self::Mon => "mon",
            Self::Client => "client",
            Self::Global => "global",
            Self::File => "/etc/pve/ceph.conf",
        }
    }

    /// Whether a section (`osd`, `osd.3`, `mon`) reaches everybody who reads the option.
    pub(super) fn takes(self, section: &str) -> bool {
        let kind = section.split('.').next().unwrap_or(section);
        match self {
            _ if section == "global" => true,
            Self::Osd => kind == "osd",
            Self::Mon => kind == "mon",
            Self::Client => kind == "client",
            Self::Global => false,
            Self::File => true,
        }
    }
}
