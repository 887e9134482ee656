//! Ceph on the simulated cluster: what `pveceph` and the monitors would make of a deed.
//!
//! It refuses what the real tools refuse (no `init` before the first monitor, a used disk), so that a plan in the wrong
//! order fails here; what is done already is done, as the agent takes it.

use super::Cluster;
use crate::action::CephDeed;
use crate::arrange::Arrange;
use crate::facts::ceph::ConfigEntry;
use crate::facts::disk::Use;
use crate::facts::{CephNode, Known, ceph_conf};
use crate::name::NodeName;
use crate::resource::ceph::install;
use crate::wire::Failure;

mod daemons;
mod health;
mod osd;
mod pools;

pub(super) use osd::disks;

/// Id of the one cluster there can be.
pub(super) const FSID: &str = "7a0f3c52-0001-4000-8000-00000000ce94";

/// What a tool refuses.
pub(super) fn refused(why: impl Into<String>) -> Failure {
    Failure::broken(why)
}

impl Cluster {
    /// Carries out a deed on Ceph.
    pub(super) fn ceph_deed(&mut self, name: &NodeName, deed: &CephDeed) -> Result<(), Failure> {
        match deed {
            CephDeed::Install { repository, version } => {
                self.node(name)?.install_ceph(name, repository, version);
            }
            CephDeed::Init { network, cluster_network, size, min_size } => {
                self.installed(name)?;
                self.init_conf([network, cluster_network], [*size, *min_size]);
            }
            CephDeed::Monitor { address } => self.monitor(name, &address.to_string())?,
            CephDeed::Manager => self.manager(name)?,
            CephDeed::Metadata => self.metadata(name)?,
            CephDeed::Wipe { path, serial, .. } => {
                let own: Vec<u32> = self.ceph_node(name)?.osds.iter().map(|o| o.id).collect();
                let disk = self.disk(name, path, serial)?;
                let runs = |u: &Use| matches!(u, Use::Ceph { osd: Some(id), .. } if own.contains(id));
                if disk.uses.iter().any(|u| u.is_active() || runs(u)) {
                    return Err(refused(format!("{path} is in use")));
                }
                disk.uses.clear();
            }
            CephDeed::Osd(osd) => self.osd(name, osd)?,
            CephDeed::MayStop { .. } => self.quorum()?,
            CephDeed::HoldOut { host, hold } => {
                self.quorum()?;
                self.ceph.bucket_flags.remove(host.as_str());
                if *hold {
                    self.ceph.bucket_flags.insert(host.to_string(), vec!["noout".into()]);
                }
            }
            CephDeed::Storage { kind, id, options } => self.storage(kind, id, options)?,
            CephDeed::Datacenter { options } => self.datacenter(options),
            _ => {
                self.quorum()?;
                self.monitors_deed(deed)?;
            }
        }
        self.tell_ceph();
        Ok(())
    }

    /// What only the monitors know.
    fn monitors_deed(&mut self, deed: &CephDeed) -> Result<(), Failure> {
        match deed {
            CephDeed::Pool { create: true, name, options } => self.pool(name, options)?,
            CephDeed::Pool { name, options, .. } | CephDeed::PoolOptions { name, options } => {
                let pool = self.ceph.pools.iter_mut().find(|p| p.name == *name);
                let pool = pool.ok_or_else(|| refused(format!("no pool {name}")))?;
                options.iter().for_each(|(key, value)| pools::set(pool, key, value));
            }
            CephDeed::Rule { name, .. } => self.rule(name),
            CephDeed::Filesystem { name, options } => self.filesystem(name, options)?,
            CephDeed::Config { set, remove } => {
                for (section, name, value) in set {
                    self.keep(section, name, value);
                }
                let gone = |e: &ConfigEntry| {
                    remove.iter().any(|(section, name)| *section == e.who() && *name == e.name)
                };
                self.ceph.config.retain(|e| !gone(e));
            }
            CephDeed::MeasureOsds { osds } => {
                for osd in osds {
                    let class = self.ceph.osds.iter().find(|o| o.id == *osd).map(|o| o.class.clone());
                    let class = class.ok_or_else(|| refused(format!("no osd.{osd}")))?;
                    let (kind, figure) = if class == "hdd" { ("hdd", "300") } else { ("ssd", "30000") };
                    self.keep(&format!("osd.{osd}"), &format!("{}{kind}", crate::check::CAPACITY), figure);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, section: &str, name: &str, value: &str) {
        let (section, mask) = section.split_once('/').unwrap_or((section, ""));
        let entry = ConfigEntry {
            section: section.into(),
            name: name.into(),
            value: value.into(),
            mask: mask.into(),
        };
        self.ceph
            .config
            .retain(|e| (&e.section, &e.name, &e.mask) != (&entry.section, &entry.name, &entry.mask));
        self.ceph.config.push(entry);
        self.ceph.config.arrange();
    }

    fn installed(&self, name: &NodeName) -> Result<(), Failure> {
        let there = self.nodes.get(name).is_some_and(|n| install::installed(&n.facts));
        if there {
            Ok(())
        } else {
            Err(refused(format!("binary not installed: /usr/bin/ceph-mon on {name}")))
        }
    }

    /// The cluster's id.
    fn fsid(&self) -> String {
        let text = self.nodes.values().find_map(|n| n.facts.text(ceph_conf::PATH)).unwrap_or("");
        ceph_conf::fsid_of(text).unwrap_or(FSID).to_owned()
    }

    fn quorum(&self) -> Result<(), Failure> {
        let away = self.ceph.monitors.keys().filter(|m| self.off.iter().any(|o| o.as_str() == **m)).count();
        if self.ceph.monitors.is_empty() || 2 * away >= self.ceph.monitors.len() {
            Err(refused("got timeout: no monitor answers"))
        } else {
            Ok(())
        }
    }

    fn ceph_node(&mut self, name: &NodeName) -> Result<&mut CephNode, Failure> {
        self.installed(name)?;
        match &mut self.node(name)?.facts.state.ceph {
            Known::Yes(node) => Ok(node),
            Known::No(why) => Err(refused(why.clone())),
        }
    }
}
