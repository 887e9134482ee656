//! Ceph on the simulated cluster: what `pveceph` and the monitors would make of a deed.
//!
//! It refuses what the real tools refuse (no `init` before the first monitor, a used disk, a name taken),
//! so that a plan in the wrong order fails here.

use std::collections::BTreeSet;

use super::{Cluster, Node, file};
use crate::action::{CephDeed, OsdDeed};
use crate::arrange::Arrange;
use crate::facts::ceph::{ConfigEntry, Daemon, FilesystemFact, LocalOsd, OsdFact, PoolFact, Quorum};
use crate::facts::disk::{Medium, Use};
use crate::facts::{CephNode, Disk, Known, UnitFact, ceph_conf, not_asked, pve};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::resource::ceph::install;
use crate::wire::Failure;

/// Id of the one cluster there can be.
pub(super) const FSID: &str = "7a0f3c52-0001-4000-8000-00000000ce94";

/// The disk of the system and `count` free ones.
pub(super) fn disks(at: usize, count: u32) -> Vec<Disk> {
    let disk = |n: u32| Disk {
        name: format!("nvme{n}n1"),
        path: format!("/dev/nvme{n}n1"),
        links: vec![format!("/dev/disk/by-id/nvme-SIM_{at:04}{n:02}")],
        model: "Samsung MZQL2960HCJR-00A07".into(),
        serial: format!("SIM{at:04}{n:02}"),
        size: 960_197_124_096,
        medium: Medium::Nvme,
        removable: false,
        read_only: false,
        uses: if n == 0 { vec![Use::System] } else { Vec::new() },
        health: not_asked(),
        nr_requests: Some(1023),
        volumes: 0,
    };
    (0..=count).map(disk).collect()
}

fn refused(why: impl Into<String>) -> Failure {
    Failure::broken(why)
}

impl Cluster {
    /// Carries out a deed on Ceph.
    pub(super) fn ceph_deed(&mut self, name: &NodeName, deed: &CephDeed) -> Result<(), Failure> {
        match deed {
            CephDeed::Install { repository, version } => self.node(name)?.install_ceph(repository, version),
            CephDeed::Init { network, cluster_network, size, min_size } => {
                self.installed(name)?;
                let text = format!(
                    "[global]\n\tauth_client_required = cephx\n\tcluster_network = {cluster_network}\n\tfsid = {FSID}\n\tosd_pool_default_min_size = {min_size}\n\tosd_pool_default_size = {size}\n\tpublic_network = {network}\n"
                );
                self.put_shared(ceph_conf::PATH, &text);
            }
            CephDeed::Monitor { address } => self.monitor(name, &address.to_string())?,
            CephDeed::Manager => self.manager(name)?,
            CephDeed::Metadata => {
                self.quorum()?;
                let node = self.ceph_node(name)?;
                node.metadata.push(Daemon { id: name.to_string(), runs: true });
            }
            CephDeed::Wipe { path, serial, .. } => {
                let disk = self.disk(name, path, serial)?;
                if disk.uses.iter().any(Use::is_active) {
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
                options.iter().for_each(|(key, value)| set(pool, key, value));
            }
            CephDeed::Rule { name, .. } => {
                self.ceph.rules.retain(|have| have != name);
                self.ceph.rules.push(name.clone());
            }
            CephDeed::Filesystem { name, .. } => self.filesystem(name)?,
            CephDeed::Config { set, remove } => {
                for (section, name, value) in set {
                    self.keep(section, name, value);
                }
                let gone = |e: &ConfigEntry| {
                    remove.iter().any(|(section, name)| *section == crate::tune::who(e) && *name == e.name)
                };
                self.ceph.config.retain(|e| !gone(e));
            }
            CephDeed::MeasureOsds { osds } => {
                for osd in osds {
                    self.keep(&format!("osd.{osd}"), "osd_mclock_max_capacity_iops_ssd", "30000.000000");
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

    fn monitor(&mut self, name: &NodeName, address: &str) -> Result<(), Failure> {
        let text = self.node(name)?.facts.text(ceph_conf::PATH).unwrap_or("").to_owned();
        let conf = ceph_conf::read(&text);
        if conf.fsid().is_none() {
            return Err(refused("No Ceph configuration: run `pveceph init` first"));
        }
        let has = self
            .node(name)?
            .facts
            .inventory
            .interfaces
            .values()
            .any(|i| i.addresses.iter().any(|a| a.addr().to_string() == address));
        if !has {
            return Err(refused(format!("{address} is not an address of {name}")));
        }
        let first = self.ceph.monitors.is_empty();
        if self.ceph.monitors.contains_key(name.as_str()) {
            return Err(refused(format!("monitor '{name}' already exists")));
        }
        self.ceph_node(name)?.monitors.push(Daemon { id: name.to_string(), runs: true });
        self.ceph.monitors.insert(name.to_string(), address.to_owned());
        self.unit(name, "mon");
        let hosts: Vec<&str> = self.ceph.monitors.values().map(String::as_str).collect();
        let rest: String =
            text.lines().filter(|l| !l.contains("mon_host")).map(|l| format!("{l}\n")).collect();
        let text = rest.replacen("[global]\n", &format!("[global]\n\tmon_host = {}\n", hosts.join(" ")), 1);
        self.put_shared(ceph_conf::PATH, &text);
        if first { self.manager(name) } else { Ok(()) }
    }

    fn manager(&mut self, name: &NodeName) -> Result<(), Failure> {
        self.quorum()?;
        let node = self.ceph_node(name)?;
        if node.managers.iter().any(|d| d.id == name.as_str()) {
            return Err(refused(format!("ceph manager '{name}' already exists")));
        }
        node.managers.push(Daemon { id: name.to_string(), runs: true });
        self.unit(name, "mgr");
        match self.ceph.active_manager {
            None => self.ceph.active_manager = Some(name.to_string()),
            Some(_) => self.ceph.standby_managers.push(name.to_string()),
        }
        Ok(())
    }

    fn unit(&mut self, name: &NodeName, kind: &str) {
        let fact = UnitFact { load: "loaded".into(), active: "active".into(), enabled: "enabled".into() };
        if let Some(node) = self.nodes.get_mut(name) {
            node.facts.state.units.insert(format!("ceph-{kind}@{name}.service"), fact);
        }
    }

    /// A daemon that has its folder begins to run: `ceph-mon@n2.service`.
    pub(super) fn start_daemon(&mut self, name: &NodeName, unit: &str) -> Result<(), Failure> {
        let node = self.ceph_node(name)?;
        let lists = [("mon", &mut node.monitors), ("mgr", &mut node.managers), ("mds", &mut node.metadata)];
        for (kind, list) in lists {
            let own = |d: &&mut Daemon| unit == format!("ceph-{kind}@{}.service", d.id);
            list.iter_mut().filter(own).for_each(|d| d.runs = true);
        }
        self.tell_ceph();
        Ok(())
    }

    fn disk(&mut self, name: &NodeName, path: &str, serial: &str) -> Result<&mut Disk, Failure> {
        let Known::Yes(disks) = &mut self.node(name)?.facts.inventory.disks else {
            return Err(refused("no disks"));
        };
        let disk = disks.iter_mut().find(|d| d.path == path && d.serial == serial);
        disk.ok_or_else(|| Failure::refused(format!("{path} is not the disk {serial}")))
    }

    fn osd(&mut self, name: &NodeName, deed: &OsdDeed) -> Result<(), Failure> {
        self.quorum()?;
        self.installed(name)?;
        let next = self.ceph.osds.iter().map(|o| o.id + 1).max().unwrap_or(0);
        let addresses = self.ceph.monitors.get(name.as_str()).cloned();
        let home = addresses.or_else(|| self.home(name)).unwrap_or_default();
        let disk = self.disk(name, &deed.path, &deed.serial)?;
        if !disk.uses.is_empty() {
            return Err(refused(format!("device '{}' is already in use", deed.path)));
        }
        let (kernel, class) = (disk.name.clone(), deed.class.clone().unwrap_or_else(|| "ssd".into()));
        disk.uses.push(Use::Signature("LVM2_member".into()));
        let mut made = Vec::new();
        for (number, part) in (next..).zip(0..deed.per_device.max(1)) {
            let uuid = format!("{name}-{kernel}-{part}");
            disk.uses.push(Use::Ceph {
                osd: Some(number),
                fsid: Some(uuid.clone()),
                cluster: Some(FSID.into()),
            });
            made.push((number, uuid));
        }
        for (path, gib) in deed.db.iter().chain(&deed.wal) {
            self.aside(name, path, *gib, &made)?;
        }
        for (id, uuid) in made {
            self.ceph.osds.push(OsdFact {
                id,
                uuid: uuid.clone(),
                host: name.to_string(),
                class: class.clone(),
                up: true,
                within: true,
                reweight: 1.0,
                weight: 0.873,
                public_address: home.clone(),
                cluster_address: home.clone(),
            });
            self.ceph_node(name)?.osds.push(LocalOsd {
                id,
                fsid: uuid,
                cluster: FSID.into(),
                disks: vec![kernel.clone()],
                ground: Vec::new(),
                state: "active".into(),
                version: "20.2.0".into(),
                options: Vec::new(),
            });
        }
        if !self.ceph.pools.iter().any(|p| p.name == ".mgr") {
            self.pool(".mgr", &[("pg_num".into(), "1".into())])?;
        }
        Ok(())
    }

    /// A volume of an OSD on another disk, as LVM makes it.
    fn aside(
        &mut self,
        name: &NodeName,
        path: &str,
        gib: u64,
        made: &[(u32, String)],
    ) -> Result<(), Failure> {
        let Known::Yes(disks) = &mut self.node(name)?.facts.inventory.disks else {
            return Err(refused("no disks"));
        };
        let disk = disks.iter_mut().find(|d| d.answers_to(path)).ok_or_else(|| refused("no such disk"))?;
        let bytes = gib << 30;
        if disk.volumes + bytes + (4 << 20) > disk.size {
            return Err(refused(format!("volume group on {path} has insufficient free space")));
        }
        disk.volumes += bytes;
        let volume = Use::Signature("LVM2_member".into());
        if !disk.uses.contains(&volume) {
            disk.uses.push(volume);
        }
        disk.uses.extend(made.iter().map(|(osd, uuid)| Use::Ceph {
            osd: Some(*osd),
            fsid: Some(uuid.clone()),
            cluster: Some(FSID.into()),
        }));
        Ok(())
    }

    /// An address of the node inside the cluster network.
    fn home(&self, name: &NodeName) -> Option<String> {
        let facts = &self.nodes.get(name)?.facts;
        let network = ceph_conf::read(facts.text(ceph_conf::PATH)?).network("cluster_network")?;
        let all = facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
        all.map(ipnet::IpNet::addr).find(|a| network.contains(a)).map(|a| a.to_string())
    }

    fn pool(&mut self, name: &str, options: &[(String, String)]) -> Result<(), Failure> {
        let value = |key: &str| options.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let erasure = value("erasure-coding").map(|text| {
            let number = |key: &str| {
                text.split(',').find_map(|part| part.strip_prefix(key)?.parse::<u32>().ok()).unwrap_or(0)
            };
            number("k=") + number("m=")
        });
        if let Some(rule) = value("crush_rule").filter(|r| !self.ceph.rules.iter().any(|have| have == r)) {
            return Err(refused(format!("no CRUSH rule {rule}")));
        }
        let names = match erasure {
            Some(_) => vec![format!("{name}-data"), format!("{name}-metadata")],
            None => vec![name.to_owned()],
        };
        for (at, name) in names.into_iter().enumerate() {
            if self.ceph.pools.iter().any(|p| p.name == name) {
                return Err(refused(format!("pool '{name}' already exists")));
            }
            let coded = erasure.filter(|_| at == 0);
            let mut pool = PoolFact {
                id: u32::try_from(self.ceph.pools.len()).unwrap_or(0) + 1,
                name,
                size: coded.unwrap_or(3),
                min_size: 2,
                pg_num: 128,
                autoscale: "warn".into(),
                kind: if coded.is_some() { "erasure" } else { "replicated" }.into(),
                rule: "replicated_rule".into(),
                ..PoolFact::default()
            };
            options.iter().filter(|(key, _)| key != "erasure-coding").for_each(|(k, v)| set(&mut pool, k, v));
            self.ceph.pools.push(pool);
        }
        Ok(())
    }

    fn filesystem(&mut self, name: &str) -> Result<(), Failure> {
        let served =
            self.nodes.values().any(|n| n.facts.state.ceph.yes().is_some_and(|c| !c.metadata.is_empty()));
        if !served {
            return Err(refused("no running Metadata Server (MDS) found!"));
        }
        let (data, metadata) = (format!("{name}_data"), format!("{name}_metadata"));
        self.pool(&data, &[])?;
        self.pool(&metadata, &[("pg_num".into(), "32".into())])?;
        self.ceph.filesystems.push(FilesystemFact {
            name: name.to_owned(),
            metadata_pool: metadata,
            data_pools: vec![data],
        });
        Ok(())
    }

    fn storage(&mut self, kind: &str, id: &str, options: &[(String, String)]) -> Result<(), Failure> {
        let text =
            self.nodes.values().find_map(|n| n.facts.text(pve::path::STORAGE)).unwrap_or("").to_owned();
        if pve::sections(&text).unwrap_or_default().iter().any(|s| s.id == id) {
            return Err(refused(format!("storage ID '{id}' already defined")));
        }
        let keys: String = options.iter().map(|(k, v)| format!("\t{k} {v}\n")).collect();
        self.put_shared(pve::path::STORAGE, &format!("{text}{kind}: {id}\n{keys}\n"));
        Ok(())
    }

    fn datacenter(&mut self, options: &[(String, String)]) {
        let path = pve::path::DATACENTER;
        let text = self.nodes.values().find_map(|n| n.facts.text(path)).unwrap_or("").to_owned();
        let other = |line: &&str| !options.iter().any(|(k, _)| line.starts_with(&format!("{k}:")));
        let mut text: String = text.lines().filter(other).map(|l| format!("{l}\n")).collect();
        text.extend(options.iter().map(|(k, v)| format!("{k}: {v}\n")));
        self.put_shared(path, &text);
    }

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
        self.ceph.fsid = FSID.into();
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
        let fine = crate::check::clean(&self.ceph) && self.ceph.complaints.is_empty();
        self.ceph.health = if fine { "HEALTH_OK" } else { "HEALTH_WARN" }.into();
        let quorum = |name: &str| Quorum {
            state: if names.first().is_some_and(|n| n == name) { "leader" } else { "peon" }.into(),
            fsid: FSID.into(),
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
}

impl Node {
    fn install_ceph(&mut self, repository: &str, version: &str) {
        for name in install::PACKAGES {
            self.facts.inventory.packages.insert(name.into(), "20.2.0-pve1".into());
        }
        let text = format!(
            "Types: deb\nURIs: http://download.proxmox.com/debian/ceph-{version}\nSuites: trixie\nComponents: {repository}\n"
        );
        self.facts.state.files.insert(install::SOURCES.into(), file(&text, 0o644));
        if self.facts.state.ceph.yes().is_none() {
            self.facts.state.ceph = Known::Yes(CephNode { memory: 64 << 30, ..CephNode::default() });
        }
    }
}

fn set(pool: &mut PoolFact, key: &str, value: &str) {
    let number = || value.parse().unwrap_or(0);
    match key {
        "size" => pool.size = number(),
        "min_size" => pool.min_size = number(),
        "pg_num" => pool.pg_num = number(),
        "pg_autoscale_mode" => value.clone_into(&mut pool.autoscale),
        "application" => pool.applications = vec![value.to_owned()],
        "crush_rule" => value.clone_into(&mut pool.rule),
        _ => drop(pool.options.insert(key.to_owned(), value.to_owned())),
    }
}
