//! Health, placement groups and what Ceph complains of, worked out from what there is.
//!
//! Used after every deed, and when a node comes or goes.

use std::collections::BTreeSet;

use super::super::Cluster;
use crate::arrange::Arrange;
use crate::facts::Known;
use crate::facts::ceph::{Complaint, ConfigEntry, Quorum};
use crate::into_set::IntoSet;

impl Cluster {
    /// Works out health and placement groups, and lets every node with a monitor know.
    pub fn tell_ceph(&mut self) {
        if self.ceph.monitors.is_empty() {
            return;
        }
        let on = |name: &&String| !self.off.iter().any(|off| off.as_str() == *name);
        let names: Vec<String> = self.ceph.monitors.keys().filter(on).cloned().collect();
        if 2 * names.len() <= self.ceph.monitors.len() {
            for node in self.nodes.values_mut().filter(|n| n.facts.state.ceph_cluster.yes().is_some()) {
                node.facts.state.ceph_cluster = Known::No("the monitors do not answer: no quorum".into());
            }
            return;
        }
        self.ceph.fsid = self.fsid();
        self.ceph.leader = names.first().cloned().unwrap_or_default();
        self.ceph.quorum.clone_from(&names);
        let hosts: BTreeSet<&str> =
            self.ceph.osds.iter().filter(|o| o.up && o.within).map(|o| o.host.as_str()).into_set();
        self.ceph.placement_groups.clear();
        for pool in &self.ceph.pools {
            let whole = pool.size as usize <= hosts.len();
            let state = if whole { "active+clean" } else { "active+undersized" };
            *self.ceph.placement_groups.entry(state.into()).or_default() += u64::from(pool.pg_num);
        }
        self.complain_of_all();
        let fine = crate::check::clean(&self.ceph) && self.ceph.complaints.is_empty();
        self.ceph.health = if fine { "HEALTH_OK" } else { "HEALTH_WARN" }.into();
        let quorum = |name: &str| Quorum {
            state: if names.first().is_some_and(|n| n == name) { "leader" } else { "peon" }.into(),
            fsid: self.ceph.fsid.clone(),
            members: names.clone(),
            monitors: self.ceph.monitors.clone(),
        };
        for (name, node) in &mut self.nodes {
            let here = names.iter().any(|n| n == name.as_str());
            if let Known::Yes(ceph) = &mut node.facts.state.ceph {
                ceph.quorum = here.then(|| quorum(name.as_str()));
            }
            if here {
                node.facts.state.ceph_cluster = Known::Yes(self.ceph.clone());
            }
        }
    }

    /// What Ceph complains of by itself in every new cluster.
    fn complain_of_all(&mut self) {
        let (osds, copies) = (self.ceph.osds.len(), self.bare("", 0, "").size);
        let few = format!("OSD count {osds} < osd_pool_default_size {copies}");
        self.complain("TOO_FEW_OSDS", few, osds < copies as usize);
        let set = |e: &ConfigEntry| e.name == "auth_allow_insecure_global_id_reclaim" && e.value == "false";
        let who = if self.ceph.monitors.len() == 1 { "mon is" } else { "mons are" };
        let old = format!("{who} allowing insecure global_id reclaim");
        let open = !self.ceph.config.iter().any(set);
        self.complain("AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED", old, open);
        let held = self.ceph.bucket_flags.len();
        let flags = format!(
            "{held} OSDs or CRUSH {{nodes, device-classes}} have {{NOUP,NODOWN,NOIN,NOOUT}} flags set"
        );
        self.complain("OSD_FLAGS", flags, held > 0);
    }

    fn complain(&mut self, code: &str, summary: String, there: bool) {
        self.ceph.complaints.retain(|c| c.code != code);
        let (code, severity) = (code.to_owned(), "HEALTH_WARN".to_owned());
        self.ceph.complaints.extend(there.then_some(Complaint { code, severity, summary, muted: false }));
        self.ceph.complaints.arrange_by(|a, b| a.code.cmp(&b.code));
    }
}
