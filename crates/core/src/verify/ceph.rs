//! Ceph in `verify`: quorum, daemons, OSDs with their addresses and places, pools, placement groups,
//! options, storage entries, and the file all of it hangs on.
//!
//! The same checks that steps are proven by, looked at in the one answer of each node.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arrange::Arrange;
use crate::bind::disks::Fate;
use crate::check::{CephCheck, Check, Finding};
use crate::desired::Desired;
use crate::facts::ceph::{CephCluster, Complaint};
use crate::facts::{Facts, Fleet, ceph_conf};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::spec::Spec;
use crate::tune;
use crate::wish::CephWish;

/// What holds of Ceph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CephReport {
    /// `HEALTH_OK`, `HEALTH_WARN`, `HEALTH_ERR`; empty when the cluster does not answer.
    pub health: String,
    /// What is behind that.
    pub complaints: Vec<Complaint>,
    /// Name of the leading monitor.
    pub leader: String,
    /// Every promise that was looked at.
    pub rows: Vec<CephRow>,
    /// What holds and is dangerous all the same.
    pub warnings: Vec<String>,
    /// All of it holds.
    pub ok: bool,
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CephRow {
    /// What it is about.
    pub area: Area,
    /// The node that answered.
    pub node: NodeName,
    /// The check and what was seen.
    pub finding: Finding,
}

/// What a promise is about, in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Monitors in quorum.
    Monitors,
    /// Managers and metadata servers.
    Daemons,
    /// OSDs on their disks, up and in.
    Osds,
    /// Addresses of OSDs on the intended networks.
    Networks,
    /// OSDs below their hosts in the CRUSH tree, with their weights.
    Crush,
    /// Pools, file systems.
    Pools,
    /// Placement groups active and clean, no complaint.
    Health,
    /// Options as the profile says.
    Options,
    /// Storage entries of Proxmox VE.
    Storage,
    /// `ceph.conf`, the same everywhere, with the intended networks.
    Conf,
    /// Daemons come back after a boot.
    Boot,
}

/// Looks at everything; `None` without Ceph in the spec.
pub(super) fn report(spec: &Spec, desired: &Desired, fleet: &Fleet) -> Option<CephReport> {
    let wish = desired.ceph.as_ref()?;
    let mut look = Look { fleet, report: CephReport::default() };
    look.nodes(spec, wish);
    let speaker = wish.speaker()?.clone();
    let teller = fleet.nodes.iter().find(|(_, f)| f.state.ceph_cluster.yes().is_some());
    let (teller, cluster) = (teller.map_or(speaker, |(node, _)| node.clone()), fleet.cluster());
    look.cluster(spec, wish, &teller, cluster);
    look.options(spec, &teller, cluster);
    look.conf(wish);
    let mut report = look.report;
    report.doubt();
    report.rows.arrange_by(|a, b| (a.area, &a.node).cmp(&(b.area, &b.node)));
    if let Some(cluster) = cluster {
        report.health.clone_from(&cluster.health);
        report.leader.clone_from(&cluster.leader);
        report.complaints.clone_from(&cluster.complaints);
        report.warnings = warnings(cluster);
    }
    report.judge();
    Some(report)
}

impl CephReport {
    /// Right after a boot the monitors tell the map of before: what they call healthy is not, while OSDs
    /// themselves do not answer.
    fn doubt(&mut self) {
        let silent =
            |r: &&CephRow| !r.finding.holds && matches!(r.finding.check, Check::Ceph(CephCheck::Disk { .. }));
        let silent = self.rows.iter().filter(silent).count();
        if silent == 0 {
            return;
        }
        let healthy = |r: &&mut CephRow| r.area == Area::Health && r.finding.holds;
        for row in self.rows.iter_mut().filter(healthy) {
            row.finding.holds = false;
            let said = std::mem::take(&mut row.finding.evidence);
            row.finding.evidence =
                format!("the monitors still say {said}, and OSDs on {silent} disks do not answer");
        }
    }

    pub(super) fn judge(&mut self) {
        self.ok = self.rows.iter().all(|r| r.finding.holds);
    }
}

/// Pools that are as the spec says, and dangerous.
fn warnings(cluster: &CephCluster) -> Vec<String> {
    let risky = |p: &&crate::facts::ceph::PoolFact| {
        p.kind != "erasure" && !p.name.starts_with('.') && (p.min_size < 2 || p.size < 3)
    };
    let says = |p: &crate::facts::ceph::PoolFact| match p.min_size {
        0 | 1 => format!(
            "pool {} has size {}, min_size {}: it accepts writes with a single copy, and one disk that dies takes them along",
            p.name, p.size, p.min_size
        ),
        _ => format!(
            "pool {} keeps {} copies: while one disk is replaced a second fault loses data",
            p.name, p.size
        ),
    };
    cluster.pools.iter().filter(risky).map(says).collect()
}

struct Look<'a> {
    fleet: &'a Fleet,
    report: CephReport,
}

impl Look<'_> {
    fn add(&mut self, area: Area, node: &NodeName, check: &Check) {
        let Some(facts) = self.fleet.nodes.get(node) else { return };
        let finding = check.look(facts);
        self.report.rows.push(CephRow { area, node: node.clone(), finding });
    }

    fn ceph(&mut self, area: Area, node: &NodeName, check: CephCheck) {
        self.add(area, node, &Check::Ceph(check));
    }

    /// What each node says of its own.
    fn nodes(&mut self, spec: &Spec, wish: &CephWish) {
        let ids: BTreeSet<String> = wish.monitors.iter().map(|(node, _)| node.to_string()).into_set();
        for (node, _) in &wish.monitors {
            self.ceph(Area::Monitors, node, CephCheck::Quorum { ids: ids.clone() });
            self.add(Area::Boot, node, &Check::Enabled { unit: format!("ceph-mon@{node}.service").into() });
        }
        for node in &wish.managers {
            self.ceph(Area::Daemons, node, CephCheck::Manager { id: node.to_string() });
            self.add(Area::Boot, node, &Check::Enabled { unit: format!("ceph-mgr@{node}.service").into() });
        }
        for node in &wish.metadata {
            self.ceph(Area::Daemons, node, CephCheck::Metadata { id: node.to_string() });
        }
        for node in &spec.nodes {
            let Some(choice) = wish.disks.get(&node.name) else { continue };
            for chosen in &choice.chosen {
                let count = match &chosen.fate {
                    Fate::Already(osds) => u32::try_from(osds.len()).unwrap_or(u32::MAX),
                    _ => node.osd.per_device.max(1),
                };
                let check = CephCheck::Disk { disk: chosen.disk.name.clone(), count };
                self.ceph(Area::Osds, &node.name, check);
            }
        }
    }

    /// What the monitors say.
    fn cluster(&mut self, spec: &Spec, wish: &CephWish, teller: &NodeName, cluster: Option<&CephCluster>) {
        let standby = u32::try_from(wish.managers.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.ceph(Area::Daemons, teller, CephCheck::Managers { standby });
        for osd in cluster.into_iter().flat_map(|c| &c.osds) {
            // An OSD of nobody we know is somebody else's business.
            if !osd.host.is_empty() && !spec.nodes.iter().any(|n| n.name.as_str() == osd.host) {
                continue;
            }
            let id = osd.id;
            self.ceph(Area::Osds, teller, CephCheck::Up { osd: id });
            let (public, cluster) = (wish.public, wish.cluster);
            self.ceph(Area::Networks, teller, CephCheck::Addresses { osd: id, public, cluster });
            self.ceph(Area::Crush, teller, CephCheck::Weight { osd: id });
            if let Some(host) = host_of(self.fleet, id) {
                self.ceph(Area::Crush, teller, CephCheck::Host { osd: id, host });
            }
        }
        for pool in &wish.pools {
            let check = CephCheck::Pool { name: pool.name.clone(), options: pool.kept() };
            self.ceph(Area::Pools, teller, check);
        }
        for fs in &wish.filesystems {
            self.ceph(Area::Pools, teller, CephCheck::Filesystem { name: fs.name.clone() });
        }
        self.ceph(Area::Health, teller, CephCheck::Clean {});
        self.ceph(Area::Health, teller, CephCheck::Health { known: BTreeSet::new() });
        for entry in &wish.storage {
            let (kind, id, of) = (entry.kind.clone(), entry.id.clone(), entry.of.clone());
            self.ceph(Area::Storage, teller, CephCheck::Storage { kind, id, of });
        }
    }

    /// The database against our profile, by the profile's own measure of what is as good.
    fn options(&mut self, spec: &Spec, teller: &NodeName, cluster: Option<&CephCluster>) {
        let Some(cluster) = cluster else { return };
        let profile = tune::profile(spec, self.fleet);
        let due = tune::difference(&profile, &cluster.config);
        for setting in &profile {
            let (section, name, value) =
                (setting.section.clone(), setting.name.to_owned(), setting.value.clone());
            let there = cluster.config.iter().find(|e| setting.is(e));
            let finding = Finding {
                check: Check::Ceph(CephCheck::Config { section, name, value }),
                holds: there.is_some_and(|e| setting.met(&e.value)),
                evidence: there.map_or_else(|| "not set".into(), |e| e.value.clone()),
            };
            self.report.rows.push(CephRow { area: Area::Options, node: teller.clone(), finding });
        }
        for (section, name) in due.remove {
            self.ceph(Area::Options, teller, CephCheck::Unset { section, name });
        }
    }

    fn conf(&mut self, wish: &CephWish) {
        let digest = |facts: &Facts| facts.state.files.get(ceph_conf::PATH).map(|f| f.digest.clone());
        let Some(first) = self.fleet.nodes.values().find_map(digest) else {
            if let Some(node) = wish.speaker() {
                let line = |key: &str, value: String| CephCheck::Conf {
                    section: "global".into(),
                    key: key.into(),
                    value,
                };
                self.ceph(Area::Conf, node, line("public_network", wish.public.to_string()));
            }
            return;
        };
        for node in self.fleet.nodes.keys() {
            let check = Check::File { path: ceph_conf::PATH.into(), digest: first.as_str().into() };
            self.add(Area::Conf, node, &check);
        }
        let Some(node) = wish.speaker() else { return };
        for (key, value) in [("public_network", wish.public), ("cluster_network", wish.cluster)] {
            let check =
                CephCheck::Conf { section: "global".into(), key: key.into(), value: value.to_string() };
            self.ceph(Area::Conf, node, check);
        }
    }
}

/// The node that has an OSD's folder.
fn host_of(fleet: &Fleet, osd: u32) -> Option<String> {
    let has = |facts: &Facts| facts.state.ceph.yes().is_some_and(|c| c.osds.iter().any(|o| o.id == osd));
    fleet.nodes.iter().find(|(_, facts)| has(facts)).map(|(node, _)| node.to_string())
}
