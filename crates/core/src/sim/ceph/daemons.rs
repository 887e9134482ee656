//! Packages and daemons: monitors, managers, metadata servers, on simulated nodes.
//!
//! Used by the deeds on Ceph, and where a unit is started.

use super::super::{Cluster, Node, ceph_files, file};
use super::refused;
use crate::facts::ceph::Daemon;
use crate::facts::{CephNode, Known, UnitFact, ceph_conf};
use crate::name::NodeName;
use crate::resource::ceph::install;
use crate::wire::Failure;

/// Flags of every map of OSDs.
const FLAGS: [&str; 4] = ["pglog_hardlimit", "purged_snapdirs", "recovery_deletes", "sortbitwise"];

impl Cluster {
    pub(super) fn monitor(&mut self, name: &NodeName, address: &str) -> Result<(), Failure> {
        if self.ceph.monitors.contains_key(name.as_str()) {
            return Ok(());
        }
        let facts = &self.node(name)?.facts;
        let conf = ceph_conf::read(facts.text(ceph_conf::PATH).unwrap_or(""));
        if conf.fsid().is_none() {
            return Err(refused("No Ceph configuration: run `pveceph init` first"));
        }
        let mut own = facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
        if !own.any(|a| a.addr().to_string() == address) {
            return Err(refused(format!("{address} is not an address of {name}")));
        }
        let first = self.ceph.monitors.is_empty();
        if first {
            self.rule("replicated_rule");
            self.ceph.flags = FLAGS.map(str::to_owned).into();
        }
        self.ceph_node(name)?.monitors.push(Daemon { id: name.to_string(), runs: true });
        self.ceph.monitors.insert(name.to_string(), address.to_owned());
        self.unit(name, "mon");
        self.monitor_conf(name, address, first);
        if first { self.manager(name) } else { Ok(()) }
    }

    pub(super) fn manager(&mut self, name: &NodeName) -> Result<(), Failure> {
        self.quorum()?;
        let node = self.ceph_node(name)?;
        if node.managers.iter().any(|d| d.id == name.as_str()) {
            return Ok(());
        }
        node.managers.push(Daemon { id: name.to_string(), runs: true });
        self.unit(name, "mgr");
        match self.ceph.active_manager {
            None => self.ceph.active_manager = Some(name.to_string()),
            Some(_) => self.ceph.standby_managers.push(name.to_string()),
        }
        Ok(())
    }

    pub(super) fn metadata(&mut self, name: &NodeName) -> Result<(), Failure> {
        self.quorum()?;
        let node = self.ceph_node(name)?;
        if node.metadata.iter().any(|d| d.id == name.as_str()) {
            return Ok(());
        }
        node.metadata.push(Daemon { id: name.to_string(), runs: true });
        self.metadata_conf(name);
        Ok(())
    }

    fn unit(&mut self, name: &NodeName, kind: &str) {
        let fact = UnitFact { load: "loaded".into(), active: "active".into(), enabled: "enabled".into() };
        if let Some(node) = self.nodes.get_mut(name) {
            node.facts.state.units.insert(format!("ceph-{kind}@{name}.service"), fact);
        }
    }

    /// A daemon that has its folder begins to run: `ceph-mon@n2.service`.
    pub(in crate::sim) fn start_daemon(&mut self, name: &NodeName, unit: &str) -> Result<(), Failure> {
        let node = self.ceph_node(name)?;
        let lists = [("mon", &mut node.monitors), ("mgr", &mut node.managers), ("mds", &mut node.metadata)];
        for (kind, list) in lists {
            let own = |d: &&mut Daemon| unit == format!("ceph-{kind}@{}.service", d.id);
            list.iter_mut().filter(own).for_each(|d| d.runs = true);
        }
        self.tell_ceph();
        Ok(())
    }
}

impl Node {
    /// Puts the packages on a node; their daemons do not run yet.
    pub(super) fn install_ceph(&mut self, name: &NodeName, repository: &str, version: &str) {
        for name in install::PACKAGES {
            self.facts.inventory.packages.insert(name.into(), "20.2.0-pve1".into());
        }
        let text = ceph_files::source(repository, version);
        self.facts.state.files.insert(install::SOURCES.into(), file(&text, 0o644));
        for kind in ["mon", "mgr"] {
            let unit = self.facts.state.units.entry(format!("ceph-{kind}@{name}.service")).or_default();
            if unit.load != "loaded" {
                let [load, active, enabled] = ["loaded", "inactive", "disabled"].map(str::to_owned);
                *unit = UnitFact { load, active, enabled };
            }
        }
        if self.facts.state.ceph.yes().is_none() {
            self.facts.state.ceph = Known::Yes(CephNode { memory: 64 << 30, ..CephNode::default() });
        }
    }
}
