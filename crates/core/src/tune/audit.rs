//! The judge: every setting a cluster has, in Ceph's database, in Proxmox VE's file and on the nodes, with
//! a verdict for the Ceph that runs.
//!
//! Used by `ringbolt tune audit` and `tune undo`. It looks at facts only.

use serde::Serialize;

use super::case::{Case, Surroundings};
use super::running::{self, Effect, RunningOsd};
use super::table::{Home, Judge, Known, known};
use super::verdict::Verdict;
use super::{RULED, Setting, profile, scrub, surroundings, system};
use crate::arrange::Arrange;
use crate::facts::ceph::ConfigEntry;
use crate::facts::ceph::value::same;
use crate::facts::{CephCluster, Fleet, ceph_conf};
use crate::name::NodeName;
use crate::spec::Spec;

/// Everything the audit found, the worst first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Audit {
    /// Major version of Ceph; 0 without one.
    pub release: u32,
    /// One entry for each setting.
    pub settings: Vec<Audited>,
    /// What else a person should know.
    pub remarks: Vec<String>,
    /// Entries of our profile that are not in the database: `mon mon_lease = 2`.
    pub missing: Vec<String>,
}

/// One setting and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Audited {
    /// The verdict.
    pub verdict: Verdict,
    /// Name of the option, of the sysctl, of the queue's setting.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it is set.
    pub place: Place,
    /// Why, in plain words.
    pub why: String,
    /// The default it would go back to, where known.
    pub default: String,
    /// What to do about it; empty when nothing.
    pub cure: String,
}

/// Where a setting is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Ceph's configuration database, for these daemons.
    Database(String),
    /// A section of `/etc/pve/ceph.conf`.
    Conf(String),
    /// A file of a node.
    File {
        /// Which node.
        node: NodeName,
        /// Which file.
        path: String,
    },
    /// Nowhere: it is in force on a node until it boots.
    Live {
        /// Which node.
        node: NodeName,
    },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(section) => f.write_str(section),
            Self::Conf(section) => write!(f, "ceph.conf [{section}]"),
            Self::File { node, path } => write!(f, "{node} {path}"),
            Self::Live { node } => write!(f, "{node} live"),
        }
    }
}

/// What Proxmox VE itself writes into its file: judged nowhere, because it is not a tuning.
const PROXMOX: [&str; 13] = [
    "auth_client_required",
    "auth_cluster_required",
    "auth_service_required",
    "cluster_network",
    "fsid",
    "host",
    "keyring",
    "mds_standby_for_name",
    "mon_allow_pool_delete",
    "mon_host",
    "ms_bind_ipv4",
    "ms_bind_ipv6",
    "public_network",
];

/// Judges everything the nodes said. What nobody was asked for is not judged: see [`super::question`].
pub fn audit(spec: &Spec, fleet: &Fleet) -> Audit {
    let cluster = fleet.nodes.values().find_map(|f| f.state.ceph_cluster.yes());
    let mut audit = Audit::default();
    if let Some(cluster) = cluster {
        let osds = running::osds(fleet, cluster);
        let bench = Bench {
            around: surroundings::of(spec, fleet, cluster, &osds),
            profile: profile(spec, fleet),
            cluster,
            osds,
            conf: conf(fleet),
        };
        audit.release = bench.around.release;
        audit.settings = bench.judged();
        audit.missing = bench.missing();
        audit.remarks = spec.ceph.as_ref().map(|c| scrub::remarks(c, cluster)).unwrap_or_default();
    }
    audit.settings.extend(system::judged(fleet));
    audit.settings.arrange();
    audit
}

impl Audit {
    /// Whether it found something harmful or risky.
    pub fn alarms(&self) -> bool {
        self.settings.iter().any(|s| s.verdict.is_alarming())
    }

    /// Whether nothing is left that `tune undo` takes away by itself.
    pub fn is_clean(&self) -> bool {
        !self.settings.iter().any(|s| s.verdict.is_undone())
    }

    /// How many settings got a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.settings.iter().filter(|s| s.verdict == verdict).count()
    }
}

fn conf(fleet: &Fleet) -> ceph_conf::Conf {
    fleet.nodes.values().find_map(|f| f.text(ceph_conf::PATH)).map(ceph_conf::read).unwrap_or_default()
}

struct Bench<'a> {
    around: Surroundings,
    profile: Vec<Setting>,
    cluster: &'a CephCluster,
    osds: Vec<RunningOsd<'a>>,
    conf: ceph_conf::Conf,
}

impl Bench<'_> {
    fn judged(&self) -> Vec<Audited> {
        // Settings of the manager's modules are not options of Ceph.
        let options = self.cluster.config.iter().filter(|e| !e.name.contains('/'));
        let mut settings: Vec<Audited> = options.map(|e| self.stored(e)).collect();
        let own = |name: &str| PROXMOX.contains(&name);
        for (section, name, value) in self.conf.entries().filter(|(_, name, _)| !own(name)) {
            if section.starts_with("mon.")
                || section.starts_with("mds.")
                || name.starts_with("osd_pool_default_")
            {
                continue;
            }
            settings.push(self.written(section, name, value));
        }
        settings
    }

    fn missing(&self) -> Vec<String> {
        let there = |s: &&Setting| !self.cluster.config.iter().any(|e| s.is(e));
        self.profile.iter().filter(there).map(|s| format!("{} {} = {}", s.section, s.name, s.value)).collect()
    }

    /// A line of Proxmox VE's file.
    fn written(&self, section: &str, name: &str, value: &str) -> Audited {
        let (verdict, why) = match known(name) {
            Some(known) => self.word(known, section, value, self.default(known)),
            None => (Verdict::Unknown, "left alone".to_owned()),
        };
        let cure = if verdict.is_undone() {
            "remove the line: the file is Proxmox VE's, ringbolt does not edit it".to_owned()
        } else {
            String::new()
        };
        Audited {
            verdict,
            name: name.to_owned(),
            value: value.to_owned(),
            place: Place::Conf(section.to_owned()),
            why,
            default: known(name).map(|k| self.default(k).to_owned()).unwrap_or_default(),
            cure,
        }
    }

    /// An entry of the database.
    fn stored(&self, entry: &ConfigEntry) -> Audited {
        let effect = running::effect(entry, &self.cluster.config, &self.osds);
        let told = running::default(&entry.name, &self.osds);
        let help = self.cluster.help.get(&entry.name).filter(|help| help.known);
        // The running Ceph knows best; the table is for what it does not tell.
        let default = match (told, help, known(&entry.name)) {
            (Some(told), ..) => told.to_owned(),
            (None, Some(help), _) => help.default.clone(),
            (None, None, Some(known)) => self.default(known).to_owned(),
            (None, None, None) => String::new(),
        };
        let (verdict, why) = self.stored_word(entry, &effect, &default);
        let cure = match verdict {
            v if v.is_undone() => format!("ceph config rm {} {}", entry.who(), entry.name),
            Verdict::NeedsRestart => format!("restart {}", effect.waiting.join(", ")),
            _ => String::new(),
        };
        Audited {
            verdict,
            name: entry.name.clone(),
            value: entry.value.clone(),
            place: Place::Database(entry.who()),
            why,
            default,
            cure,
        }
    }

    fn stored_word(&self, entry: &ConfigEntry, effect: &Effect, default: &str) -> (Verdict, String) {
        let ours = self.profile.iter().find(|s| s.is(entry) && s.met(&entry.value));
        if let Some(setting) = ours {
            return in_force(Verdict::Ours, setting.reason.clone(), effect);
        }
        let Some(known) = known(&entry.name) else {
            return self.stranger(entry, default);
        };
        let (verdict, why) = self.word(known, &entry.section, &entry.value, default);
        if verdict.is_alarming() {
            return (verdict, why);
        }
        if let Some(setting) = self.profile.iter().find(|s| s.name == entry.name) {
            return (Verdict::OffProfile, off_profile(setting, entry));
        }
        if verdict == Verdict::Useful && !self.profile.is_empty() && RULED.contains(&known.name) {
            let key = if known.name == "osd_mclock_profile" { "mclock" } else { "scrub" };
            let why = format!("the spec has another wish (`{key}` in [ceph]): the next apply takes it away");
            return (Verdict::OffProfile, why);
        }
        if verdict == Verdict::Useful { in_force(verdict, why, effect) } else { (verdict, why) }
    }

    /// An option that is not in the table, by what Ceph itself says of it.
    fn stranger(&self, entry: &ConfigEntry, default: &str) -> (Verdict, String) {
        let help = self.cluster.help.get(&entry.name);
        if help.is_some_and(|help| !help.known) {
            return (Verdict::Ignored, "this Ceph has no such option".to_owned());
        }
        if help.is_some() && same(&entry.value, default) {
            return (Verdict::Equal, "what this Ceph does anyway".to_owned());
        }
        let mut why = "left alone".to_owned();
        if !default.is_empty() {
            why += &format!("; default {default}");
        }
        if help.is_some_and(|help| !help.runtime) {
            why += "; counts after a restart of the daemon";
        }
        if let Some(what) = help.map(|help| help.what.as_str()).filter(|what| !what.is_empty()) {
            why += &format!("; Ceph says: {what}");
        }
        (Verdict::Unknown, why)
    }

    /// The verdict on a value, wherever it stands.
    fn word(&self, known: &Known, section: &str, value: &str, default: &str) -> (Verdict, String) {
        if same(value, default) {
            return (Verdict::Equal, "what this Ceph does anyway".to_owned());
        }
        let case = Case { known, section, value, around: &self.around };
        let (verdict, why) = case.judge();
        if !verdict.is_alarming() && verdict != Verdict::Ignored && !known.home.takes(case.section) {
            return (Verdict::WrongSection, wrong_section(known, section));
        }
        (verdict, why.into_owned())
    }

    fn default(&self, known: &'static Known) -> &'static str {
        known.default_in(self.around.release)
    }
}

fn off_profile(setting: &Setting, entry: &ConfigEntry) -> String {
    if setting.section == entry.who() {
        format!("the profile has {}: {}", setting.value, setting.reason)
    } else {
        format!("wins over the profile's {} in {}, or stands beside it", setting.value, setting.section)
    }
}

fn wrong_section(known: &Known, section: &str) -> String {
    let home = known.home.words();
    match known.home {
        Home::Global => format!("others than {section} read it too: it belongs in {home}"),
        _ => format!("nobody in {section} reads it: it belongs in {home}"),
    }
}

/// The word for something that should be in force, by what the running daemons say.
fn in_force(verdict: Verdict, why: String, effect: &Effect) -> (Verdict, String) {
    if let Some((osd, source, value)) = effect.overruled.first() {
        let why = format!("osd.{osd} has {value}: {source} wins over the database");
        return (Verdict::Overruled, why);
    }
    if effect.waiting.is_empty() {
        return (verdict, why);
    }
    (Verdict::NeedsRestart, format!("not in force yet in {}", effect.waiting.join(", ")))
}

impl Case<'_> {
    fn judge(&self) -> (Verdict, std::borrow::Cow<'static, str>) {
        let finding = self.known.finding.into();
        match self.known.judge {
            Judge::As(verdict) => (verdict, finding),
            Judge::By(judge) => judge(self),
            Judge::RiskyAbove => {
                let number = crate::facts::ceph::value::number;
                let default = number(self.known.default_in(self.around.release)).unwrap_or(0.0);
                let above = number(self.value).is_none_or(|v| v > default);
                (if above { Verdict::Risky } else { Verdict::Useful }, finding)
            }
        }
    }
}
