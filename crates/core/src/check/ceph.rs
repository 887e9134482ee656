//! Checks of Ceph. Those of a daemon look at what the node itself says (folders, admin sockets,
//! files); those of the cluster at what the node heard from the monitors.
//!
//! Used by the planner, by the agent while it waits, and by `verify`.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::seen;
use crate::facts::ceph::value::same;
use crate::facts::ceph::{CephCluster, CephNode, PoolFact};
use crate::facts::{Facts, Known, ceph_conf, pve};

/// One checkable statement about Ceph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CephCheck {
    /// No install task of Proxmox VE is under way on the node, nor has one left its flag.
    Installed {},
    /// The monitor on the node is in quorum.
    Monitor {
        /// Its id.
        id: String,
    },
    /// The monitor on the node sees all of these in quorum, with a leader.
    Quorum {
        /// Their ids.
        ids: BTreeSet<String>,
    },
    /// The manager on the node runs.
    Manager {
        /// Its id.
        id: String,
    },
    /// The metadata server on the node runs.
    Metadata {
        /// Its id.
        id: String,
    },
    /// OSDs stand on a disk of the node and are active.
    Disk {
        /// Kernel name of the disk.
        disk: String,
        /// How many.
        count: u32,
    },
    /// A disk of the node has nothing on it.
    Free {
        /// Device node of the disk.
        path: String,
    },
    /// `/etc/pve/ceph.conf` says this.
    Conf {
        /// Section, without brackets.
        section: String,
        /// Key, with underscores.
        key: String,
        /// Value.
        value: String,
    },
    /// A storage entry is in `/etc/pve/storage.cfg`.
    Storage {
        /// `rbd` or `cephfs`.
        kind: String,
        /// Its id.
        id: String,
        /// The pool or file system behind it.
        of: String,
    },
    /// An option of the datacenter names this network.
    Datacenter {
        /// `migration` or `replication`.
        option: String,
        /// The network.
        network: IpNet,
    },
    /// The cluster has an active manager, and this many at least stand by.
    Managers {
        /// Standing by.
        standby: u32,
    },
    /// An OSD is up and takes part in placement.
    Up {
        /// Number.
        osd: u32,
    },
    /// An OSD with its folder on the node says itself that it is active.
    Active {
        /// Number.
        osd: u32,
    },
    /// OSDs of a host are kept in while they are away (`noout` for the host), or are not.
    HeldOut {
        /// The host, as in the CRUSH tree.
        host: String,
        /// Whether they are to be.
        hold: bool,
    },
    /// An OSD's addresses are in these networks.
    Addresses {
        /// Number.
        osd: u32,
        /// Network of clients.
        public: IpNet,
        /// Network of replication.
        cluster: IpNet,
    },
    /// An OSD takes its part: it has a CRUSH weight, and is not reweighted below it.
    Weight {
        /// Number.
        osd: u32,
    },
    /// An OSD stands below this host in the CRUSH tree.
    Host {
        /// Number.
        osd: u32,
        /// The host.
        host: String,
    },
    /// A pool is there and set like this.
    Pool {
        /// Name.
        name: String,
        /// What it must be set to, by the name of the option.
        options: Vec<(String, String)>,
    },
    /// A CRUSH rule is there.
    Rule {
        /// Name.
        name: String,
    },
    /// A file system is there.
    Filesystem {
        /// Name.
        name: String,
    },
    /// The configuration database has this.
    Config {
        /// `global`, `osd`, `osd.3`, …
        section: String,
        /// Option.
        name: String,
        /// Value.
        value: String,
    },
    /// The configuration database has some value for this.
    Measured {
        /// Number of the OSD.
        osd: u32,
    },
    /// The configuration database does not have this.
    Unset {
        /// `global`, `osd`, `osd.3`, …
        section: String,
        /// Option.
        name: String,
    },
    /// All placement groups are active and clean.
    Clean {},
    /// The cluster's health is good, but for what is named.
    Health {
        /// Codes of complaints that were there before.
        known: BTreeSet<String>,
    },
}

/// Start of the options in which mClock keeps what an OSD can do.
pub(crate) const CAPACITY: &str = "osd_mclock_max_capacity_iops_";

impl CephCheck {
    /// Whether it needs the monitors' word; the others are answered by the node alone.
    pub fn of_cluster(&self) -> bool {
        !matches!(
            self,
            Self::Installed {}
                | Self::Monitor { .. }
                | Self::Quorum { .. }
                | Self::Manager { .. }
                | Self::Metadata { .. }
                | Self::Disk { .. }
                | Self::Active { .. }
                | Self::Free { .. }
                | Self::Conf { .. }
                | Self::Storage { .. }
                | Self::Datacenter { .. }
        )
    }

    /// The file it looks at, if it looks at one.
    pub fn file(&self) -> Option<&'static str> {
        match self {
            Self::Conf { .. } => Some(ceph_conf::PATH),
            Self::Storage { .. } => Some(pve::path::STORAGE),
            Self::Datacenter { .. } => Some(pve::path::DATACENTER),
            _ => None,
        }
    }

    pub(super) fn judge(&self, facts: &Facts) -> (bool, String) {
        if self.of_cluster() {
            return match &facts.state.ceph_cluster {
                Known::Yes(cluster) => self.judge_cluster(cluster),
                Known::No(why) => (false, why.clone()),
            };
        }
        if self.file().is_some() {
            return self.judge_file(facts);
        }
        if let Self::Free { path } = self {
            return judge_free(facts, path);
        }
        match &facts.state.ceph {
            Known::Yes(node) => self.judge_node(node),
            Known::No(why) => (false, why.clone()),
        }
    }

    fn judge_node(&self, node: &CephNode) -> (bool, String) {
        let daemon = |list: &[crate::facts::ceph::Daemon], id: &str| match list.iter().find(|d| d.id == id) {
            Some(d) => seen(d.runs, "runs", "does not answer on its socket"),
            None => (false, "not there".into()),
        };
        match self {
            Self::Installed {} => seen(!node.installing, "installed", "the install task is not over"),
            Self::Monitor { id } => match (&node.quorum, daemon(&node.monitors, id)) {
                (Some(q), _) => (q.members.contains(id), q.state.clone()),
                (None, (true, _)) => (false, "runs, and does not tell its state".into()),
                (None, other) => other,
            },
            Self::Quorum { ids } => {
                let Some(quorum) = &node.quorum else { return (false, "the monitor does not answer".into()) };
                let missing: Vec<&str> =
                    ids.iter().filter(|id| !quorum.members.contains(id)).map(String::as_str).collect();
                let led = matches!(quorum.state.as_str(), "leader" | "peon");
                match (missing.is_empty(), led) {
                    (true, true) => (true, quorum.members.join(", ")),
                    (true, false) => (false, quorum.state.clone()),
                    (false, _) => (false, format!("not in quorum: {}", missing.join(", "))),
                }
            }
            Self::Manager { id } => daemon(&node.managers, id),
            Self::Metadata { id } => daemon(&node.metadata, id),
            Self::Disk { disk, count } => {
                let on: Vec<_> = node.osds.iter().filter(|o| o.disks.contains(disk)).collect();
                let active = on.iter().filter(|o| o.state == "active").count();
                let want = usize::try_from(*count).unwrap_or(usize::MAX);
                let names: Vec<String> = on
                    .iter()
                    .map(|o| {
                        let state = if o.state.is_empty() { "does not answer" } else { &o.state };
                        format!("osd.{} {state}", o.id)
                    })
                    .collect();
                (active >= want, if names.is_empty() { "no OSD".into() } else { names.join(", ") })
            }
            Self::Active { osd } => match node.osds.iter().find(|o| o.id == *osd) {
                Some(osd) if osd.state.is_empty() => (false, "does not answer on its socket".into()),
                Some(osd) => (osd.state == "active", osd.state.clone()),
                None => (false, "not there".into()),
            },
            _ => (false, "not a question for the node".into()),
        }
    }

    fn judge_file(&self, facts: &Facts) -> (bool, String) {
        let text = self.file().and_then(|path| facts.text(path));
        let Some(text) = text else { return (false, "file absent".into()) };
        match self {
            Self::Conf { section, key, value } => match ceph_conf::read(text).get(section, key) {
                Some(have) => (same(have, value), have.to_owned()),
                None => (false, "not said".into()),
            },
            Self::Storage { kind, id, of } => judge_storage(text, kind, id, of),
            Self::Datacenter { option, network } => match pve::datacenter_network(text, option) {
                Some(have) => (have == network.to_string(), have.to_owned()),
                None => (false, "not set".into()),
            },
            _ => (false, "not a question for a file".into()),
        }
    }

    fn judge_cluster(&self, cluster: &CephCluster) -> (bool, String) {
        match self {
            Self::Managers { standby } => {
                let have = u32::try_from(cluster.standby_managers.len()).unwrap_or(u32::MAX);
                match &cluster.active_manager {
                    Some(name) => (have >= *standby, format!("{name} active, {have} standing by")),
                    None => (false, "none active".into()),
                }
            }
            Self::Pool { name, options } => match cluster.pools.iter().find(|p| p.name == *name) {
                Some(pool) => judge_pool(pool, options),
                None => (false, "no such pool".into()),
            },
            Self::Rule { name } => seen(cluster.rules.contains(name), "there", "not there"),
            Self::Filesystem { name } => {
                seen(cluster.filesystems.iter().any(|f| f.name == *name), "there", "not there")
            }
            Self::Config { section, name, value } => match config(cluster, section, name) {
                Some(have) => (same(have, value), have.to_owned()),
                None => (false, "not set".into()),
            },
            Self::Unset { section, name } => match config(cluster, section, name) {
                Some(have) => (false, format!("still {have}")),
                None => (true, "not set".into()),
            },
            Self::Measured { osd } => {
                let section = format!("osd.{osd}");
                let entry =
                    cluster.config.iter().find(|e| e.section == section && e.name.starts_with(CAPACITY));
                entry.map_or((false, "nothing kept".into()), |e| (true, format!("{} IOPS", e.value)))
            }
            Self::HeldOut { host, hold } => {
                let held = cluster.held().any(|h| h == host);
                (held == *hold, if held { "noout" } else { "no noout" }.into())
            }
            Self::Clean {} => judge_clean(cluster),
            Self::Health { known } => judge_health(cluster, known),
            Self::Up { osd }
            | Self::Weight { osd }
            | Self::Addresses { osd, .. }
            | Self::Host { osd, .. } => self.judge_osd(cluster, *osd),
            _ => (false, "not a question for the cluster".into()),
        }
    }

    fn judge_osd(&self, cluster: &CephCluster, id: u32) -> (bool, String) {
        let Some(osd) = cluster.osds.iter().find(|o| o.id == id) else {
            return (false, "no such OSD".into());
        };
        match self {
            Self::Addresses { public, cluster, .. } => {
                let within = |text: &str, network: &IpNet| {
                    text.parse::<std::net::IpAddr>().is_ok_and(|a| network.contains(&a))
                };
                let evidence = format!("{}, {}", said(&osd.public_address), said(&osd.cluster_address));
                let holds = within(&osd.public_address, public) && within(&osd.cluster_address, cluster);
                (holds, evidence)
            }
            Self::Host { host, .. } => (osd.host == *host, said(&osd.host).to_owned()),
            Self::Weight { .. } => {
                let evidence = format!("CRUSH weight {:.3}, reweight {:.2}", osd.weight, osd.reweight);
                (osd.weight > 0.0 && osd.reweight > 0.999, evidence)
            }
            _ => match (osd.up, osd.within) {
                (true, true) => (true, "up, in".into()),
                (true, false) => (false, "up, out".into()),
                (false, true) => (false, "down, in".into()),
                (false, false) => (false, "down, out".into()),
            },
        }
    }

    /// What it says, for people: `monitor n2 in quorum`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Installed {} => "Ceph installed".into(),
            Self::Monitor { id } => format!("monitor {id} in quorum"),
            Self::Quorum { ids } => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                format!("quorum of {}", ids.join(", "))
            }
            Self::Manager { id } => format!("manager {id} running"),
            Self::Metadata { id } => format!("metadata server {id} running"),
            Self::Disk { disk, count: 1 } => format!("OSD on {disk} active"),
            Self::Disk { disk, count } => format!("{count} OSDs on {disk} active"),
            Self::Conf { section, key, value } => format!("[{section}] {key} = {value} in ceph.conf"),
            Self::Storage { kind, id, .. } => format!("storage {id} ({kind})"),
            Self::Datacenter { option, network } => format!("{option} of guests over {network}"),
            Self::Managers { standby } => format!("a manager active, {standby} standing by"),
            Self::Up { osd } => format!("osd.{osd} up and in"),
            Self::Active { osd } => format!("osd.{osd} active"),
            Self::HeldOut { host, hold: true } => format!("noout for host {host}"),
            Self::HeldOut { host, hold: false } => format!("no noout for host {host}"),
            Self::Addresses { osd, public, cluster } if public == cluster => {
                format!("addresses of osd.{osd} in {public}")
            }
            Self::Addresses { osd, public, cluster } => {
                format!("addresses of osd.{osd} in {public} and {cluster}")
            }
            Self::Host { osd, host } => format!("osd.{osd} below host {host}"),
            Self::Weight { osd } => format!("osd.{osd} with its full weight"),
            Self::Pool { name, .. } => format!("pool {name} as planned"),
            Self::Free { path } => format!("{path} empty"),
            Self::Rule { name } => format!("CRUSH rule {name}"),
            Self::Filesystem { name } => format!("file system {name}"),
            Self::Config { section, name, value } => format!("{section} {name} = {value}"),
            Self::Unset { section, name } => format!("{section} {name} not set"),
            Self::Measured { osd } => format!("capacity of osd.{osd} kept"),
            Self::Clean {} => "all placement groups active and clean".into(),
            Self::Health { .. } => "health of Ceph".into(),
        }
    }
}

fn judge_free(facts: &Facts, path: &str) -> (bool, String) {
    let disks = match &facts.inventory.disks {
        Known::Yes(disks) => disks,
        Known::No(why) => return (false, why.clone()),
    };
    match disks.iter().find(|d| d.path == path) {
        Some(disk) if disk.uses.is_empty() => (true, "empty".into()),
        Some(disk) => {
            let uses: Vec<String> = disk.uses.iter().map(ToString::to_string).collect();
            (false, uses.join(", "))
        }
        None => (false, "no such disk".into()),
    }
}

fn said(text: &str) -> &str {
    if text.is_empty() { "not said" } else { text }
}

fn config<'c>(cluster: &'c CephCluster, section: &str, name: &str) -> Option<&'c str> {
    let entry = cluster.config.iter().find(|e| e.name == name && e.who() == section)?;
    Some(&entry.value)
}

fn judge_storage(text: &str, kind: &str, id: &str, of: &str) -> (bool, String) {
    let sections = pve::sections(text).unwrap_or_default();
    let Some(section) = sections.iter().find(|s| s.id == id) else {
        return (false, "no such entry".into());
    };
    if section.kind != kind {
        return (false, format!("it is of type {}", section.kind));
    }
    let key = if kind == "rbd" { "pool" } else { "fs-name" };
    // Without a name Proxmox VE takes the defaults of Ceph.
    let unsaid = if kind == "rbd" { "rbd" } else { "cephfs" };
    let have = section.keys.get(key).map_or_else(|| unsaid.to_owned(), |v| v.concat());
    (have == of, format!("{key} {have}"))
}

fn judge_pool(pool: &PoolFact, options: &[(String, String)]) -> (bool, String) {
    let bad: Vec<String> = differing(pool, options)
        .map(|(key, _, have)| format!("{key} {}", if have.is_empty() { "not set" } else { &have }))
        .collect();
    if bad.is_empty() {
        (true, format!("size {}, min_size {}, {} PGs", pool.size, pool.min_size, pool.pg_num))
    } else {
        (false, bad.join(", "))
    }
}

/// Options of a pool that are not as wanted: name, wanted value, value now (empty when not set).
pub(crate) fn differing<'o>(
    pool: &PoolFact,
    options: &'o [(String, String)],
) -> impl Iterator<Item = (&'o str, &'o str, String)> {
    options.iter().filter_map(|(key, want)| {
        let have = pool_value(pool, key, want);
        (!same(&have, want)).then_some((key.as_str(), want.as_str(), have))
    })
}

/// An option of a pool as it is now; empty when not set.
fn pool_value(pool: &PoolFact, key: &str, want: &str) -> String {
    match key {
        "size" => pool.size.to_string(),
        "min_size" => pool.min_size.to_string(),
        "pg_num" => pool.pg_num.to_string(),
        "pg_autoscale_mode" => pool.autoscale.clone(),
        "application" if pool.applications.iter().any(|a| a == want) => want.to_owned(),
        "application" => pool.applications.join(" "),
        "crush_rule" => pool.rule.clone(),
        "compression_mode" => pool.options.get(key).cloned().unwrap_or_else(|| "none".into()),
        _ => pool.options.get(key).cloned().unwrap_or_default(),
    }
}

/// Whether all placement groups are active and clean.
pub(crate) fn clean(cluster: &CephCluster) -> bool {
    judge_clean(cluster).0
}

fn judge_clean(cluster: &CephCluster) -> (bool, String) {
    let rest: Vec<String> = cluster
        .placement_groups
        .iter()
        .filter(|(state, _)| !is_clean(state))
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let all: u64 = cluster.placement_groups.values().sum();
    if rest.is_empty() { (true, format!("{all} active+clean")) } else { (false, rest.join(", ")) }
}

/// Whether placement groups in this state are whole and serve clients; a scrub changes nothing of it.
fn is_clean(state: &str) -> bool {
    let mut words = BTreeSet::from(["active", "clean"]);
    state.split('+').all(|word| words.remove(word) || matches!(word, "scrubbing" | "deep"))
        && words.is_empty()
}

fn judge_health(cluster: &CephCluster, known: &BTreeSet<String>) -> (bool, String) {
    let new: Vec<&str> = cluster
        .complaints
        .iter()
        .filter(|c| !c.muted && !known.contains(&c.code))
        .map(|c| c.summary.as_str())
        .collect();
    let fine = cluster.health == "HEALTH_OK" || (!cluster.complaints.is_empty() && new.is_empty());
    let evidence = if new.is_empty() {
        said(&cluster.health).to_owned()
    } else {
        format!("{}: {}", cluster.health, new.join("; "))
    };
    (fine, evidence)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::check::Check;

    #[test]
    fn checks_of_ceph_cross_the_wire() {
        let checks = [
            Check::Ceph(CephCheck::Clean {}),
            Check::Ceph(CephCheck::Monitor { id: "n2".into() }),
            Check::Ceph(CephCheck::Health { known: BTreeSet::from(["OSD_DOWN".to_owned()]) }),
            Check::Ceph(CephCheck::Pool { name: "vm".into(), options: vec![("size".into(), "3".into())] }),
        ];
        for check in checks {
            let text = serde_json::to_string(&check).unwrap();
            assert_eq!(serde_json::from_str::<Check>(&text).unwrap(), check, "{text}");
        }
    }

    #[test]
    fn an_osd_without_its_weight_is_told() {
        let osd = |weight: f64, reweight: f64| crate::facts::ceph::OsdFact {
            id: 3,
            weight,
            reweight,
            ..crate::facts::ceph::OsdFact::default()
        };
        let judge = |osd| {
            let cluster = CephCluster { osds: vec![osd], ..CephCluster::default() };
            CephCheck::Weight { osd: 3 }.judge_cluster(&cluster)
        };
        assert!(judge(osd(0.873, 1.0)).0);
        assert_eq!(judge(osd(0.873, 0.85)), (false, "CRUSH weight 0.873, reweight 0.85".into()));
        assert!(!judge(osd(0.0, 1.0)).0);
    }

    #[test]
    fn a_scrub_leaves_placement_groups_clean() {
        assert!(is_clean("active+clean") && is_clean("active+clean+scrubbing+deep"));
        for state in ["active", "active+undersized+degraded", "active+clean+laggy", "creating+peering", ""] {
            assert!(!is_clean(state), "{state}");
        }
    }

    #[test]
    fn health_may_be_bad_only_for_known_reasons() {
        let complaint = |code: &str| crate::facts::ceph::Complaint {
            code: code.into(),
            severity: "HEALTH_WARN".into(),
            summary: code.to_lowercase(),
            muted: false,
        };
        let cluster = CephCluster {
            health: "HEALTH_WARN".into(),
            complaints: vec![complaint("OSD_DOWN"), complaint("MON_DISK_LOW")],
            ..CephCluster::default()
        };
        let known: BTreeSet<String> = ["OSD_DOWN".to_owned()].into();
        assert_eq!(judge_health(&cluster, &known), (false, "HEALTH_WARN: mon_disk_low".into()));
        let known: BTreeSet<String> = ["OSD_DOWN", "MON_DISK_LOW"].map(str::to_owned).into();
        assert!(judge_health(&cluster, &known).0);
        assert!(!judge_health(&CephCluster::default(), &known).0);
    }
}
