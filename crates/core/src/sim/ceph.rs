//! Ceph on the simulated cluster: what `pveceph` and the monitors would make of a deed.
//!
//! It refuses what the real tools refuse (no `init` before the first monitor, a used disk), so that a plan in the wrong
//! order fails here; what is done already is done, as the agent takes it.

use std::collections::BTreeSet;

use super::{Cluster, Node, ceph_files, file};
use crate::action::{CephDeed, OsdDeed};
use crate::arrange::Arrange;
use crate::facts::ceph::{
    Complaint, ConfigEntry, Daemon, FilesystemFact, LocalOsd, OsdFact, PoolFact, Quorum,
};
use crate::facts::disk::{Medium, Use};
use crate::facts::{CephNode, Disk, Known, UnitFact, ceph_conf, not_asked};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::resource::ceph::install;
use crate::wire::Failure;

/// Id of the one cluster there can be.
pub(super) const FSID: &str = "7a0f3c52-0001-4000-8000-00000000ce94";

/// Flags of every map of OSDs.
const FLAGS: [&str; 4] = ["pglog_hardlimit", "purged_snapdirs", "recovery_deletes", "sortbitwise"];

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
                options.iter().for_each(|(key, value)| set(pool, key, value));
            }
            CephDeed::Rule { name, .. } => self.rule(name),
            CephDeed::Filesystem { name, options } => self.filesystem(name, options)?,
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

    fn monitor(&mut self, name: &NodeName, address: &str) -> Result<(), Failure> {
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

    fn manager(&mut self, name: &NodeName) -> Result<(), Failure> {
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

    fn metadata(&mut self, name: &NodeName) -> Result<(), Failure> {
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
        let fsid = self.fsid();
        let [public, cluster] = ["public_network", "cluster_network"].map(|key| self.home(name, key));
        let disk = self.disk(name, &deed.path, &deed.serial)?;
        let made = |u: &Use| matches!(u, Use::Ceph { cluster: Some(id), .. } if *id == fsid);
        if disk.uses.iter().filter(|u| made(u)).count() >= deed.per_device.max(1) as usize {
            return Ok(());
        }
        if !disk.uses.is_empty() {
            return Err(refused(format!("device '{}' is already in use", deed.path)));
        }
        let mut bytes = disk.size / u64::from(deed.per_device.max(1));
        let (kernel, class) = (disk.name.clone(), deed.class.clone().unwrap_or_else(|| "ssd".into()));
        disk.uses.push(Use::Signature("LVM2_member".into()));
        let mut made = Vec::new();
        for (number, part) in (next..).zip(0..deed.per_device.max(1)) {
            let uuid = format!("{name}-{kernel}-{part}");
            disk.uses.push(Use::Ceph {
                osd: Some(number),
                fsid: Some(uuid.clone()),
                cluster: Some(fsid.clone()),
            });
            made.push((number, uuid));
        }
        let mut below = vec![kernel];
        for (path, gib) in deed.db.iter().chain(&deed.wal) {
            below.push(self.aside(name, path, *gib, &made)?);
            bytes += gib << 30;
        }
        below.arrange();
        below.dedup();
        for (id, uuid) in made {
            self.ceph.osds.push(OsdFact {
                id,
                uuid: uuid.clone(),
                host: name.to_string(),
                class: class.clone(),
                up: true,
                within: true,
                reweight: 1.0,
                weight: weight(bytes),
                public_address: public.clone(),
                cluster_address: cluster.clone(),
            });
            self.ceph_node(name)?.osds.push(LocalOsd {
                id,
                fsid: uuid,
                cluster: fsid.clone(),
                disks: below.clone(),
                ground: Vec::new(),
                state: "active".into(),
                version: "20.2.0".into(),
                options: Vec::new(),
            });
        }
        self.managers_pool();
        Ok(())
    }

    /// Managers make their own pool as soon as there are OSDs for all of its copies.
    fn managers_pool(&mut self) {
        let ready = self.ceph.osds.iter().filter(|o| o.up && o.within).count();
        let mut pool = self.bare(".mgr", 1, "mgr");
        pool.options = [("pg_num_max", "32"), ("pg_num_min", "1")].map(|(k, v)| (k.into(), v.into())).into();
        if ready >= pool.size as usize {
            self.new_pool(pool);
        }
    }

    /// A volume of an OSD on another disk, as LVM makes it; the disk's name.
    fn aside(
        &mut self,
        name: &NodeName,
        path: &str,
        gib: u64,
        made: &[(u32, String)],
    ) -> Result<String, Failure> {
        let fsid = self.fsid();
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
            cluster: Some(fsid.clone()),
        }));
        Ok(disk.name.clone())
    }

    /// An address of the node inside one of Ceph's networks; empty where it has none.
    fn home(&self, name: &NodeName, network: &str) -> String {
        let found = || {
            let facts = &self.nodes.get(name)?.facts;
            let network = ceph_conf::read(facts.text(ceph_conf::PATH)?).network(network)?;
            let mut all = facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
            all.find(|a| network.contains(&a.addr())).map(|a| a.addr().to_string())
        };
        found().unwrap_or_default()
    }

    /// A pool as Ceph makes it when nothing else is said.
    fn bare(&self, name: &str, pg_num: u32, application: &str) -> PoolFact {
        let text = self.nodes.values().find_map(|n| n.facts.text(ceph_conf::PATH)).unwrap_or("");
        let conf = ceph_conf::read(text);
        let number = |key: &str, or: u32| conf.get("global", key).and_then(|v| v.parse().ok()).unwrap_or(or);
        PoolFact {
            id: self.ceph.pools.iter().map(|p| p.id).max().unwrap_or(0) + 1,
            name: name.to_owned(),
            size: number("osd_pool_default_size", 3),
            min_size: number("osd_pool_default_min_size", 2),
            pg_num,
            autoscale: "on".into(),
            applications: vec![application.to_owned()],
            kind: "replicated".into(),
            rule: "replicated_rule".into(),
            ..PoolFact::default()
        }
    }

    /// `pveceph pool create`: one pool, or of an erasure-coded one the data and a small pool beside it.
    fn pool(&mut self, name: &str, options: &[(String, String)]) -> Result<(), Failure> {
        let value = |key: &str| options.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        if let Some(rule) = value("crush_rule").filter(|r| !self.ceph.rules.iter().any(|have| have == r)) {
            return Err(refused(format!("no CRUSH rule {rule}")));
        }
        let coded = value("erasure-coding").map(|text| {
            let number = |key: &str| {
                text.split(',').find_map(|part| part.strip_prefix(key)?.parse::<u32>().ok()).unwrap_or(0)
            };
            (number("k="), number("m="))
        });
        let plain = |pool: &mut PoolFact, leave: &[&str]| {
            "warn".clone_into(&mut pool.autoscale);
            let own = options.iter().filter(|(key, _)| !leave.contains(&key.as_str()));
            own.for_each(|(key, value)| set(pool, key, value));
        };
        let calls = ["erasure-coding", "add_storages"];
        let Some((k, m)) = coded else {
            let mut pool = self.bare(name, 128, "rbd");
            plain(&mut pool, &calls);
            self.new_pool(pool);
            return Ok(());
        };
        let data = format!("{name}-data");
        // Copies and rule are the small pool's; the coded one has its profile's.
        let mut pool = PoolFact {
            size: k + m,
            min_size: k + 1.min(m.saturating_sub(1)),
            kind: "erasure".into(),
            rule: data.clone(),
            ..self.bare(&data, 128, "rbd")
        };
        plain(&mut pool, &[&calls[..], &["size", "min_size", "crush_rule"]].concat());
        self.new_pool(pool);
        self.rule(&data);
        let mut pool = self.bare(&format!("{name}-metadata"), 32, "rbd");
        plain(&mut pool, &[&calls[..], &["pg_num"]].concat());
        self.new_pool(pool);
        Ok(())
    }

    /// One more pool, unless there is one of that name.
    fn new_pool(&mut self, pool: PoolFact) {
        if !self.ceph.pools.iter().any(|p| p.name == pool.name) {
            self.ceph.pools.push(pool);
        }
    }

    fn rule(&mut self, name: &str) {
        if !self.ceph.rules.iter().any(|have| have == name) {
            self.ceph.rules.push(name.to_owned());
        }
    }

    fn filesystem(&mut self, name: &str, options: &[(String, String)]) -> Result<(), Failure> {
        if self.ceph.filesystems.iter().any(|f| f.name == name) {
            return Ok(());
        }
        let served =
            self.nodes.values().any(|n| n.facts.state.ceph.yes().is_some_and(|c| !c.metadata.is_empty()));
        if !served {
            return Err(refused("no running Metadata Server (MDS) found!"));
        }
        let number = options.iter().find(|(key, _)| key == "pg_num").and_then(|(_, v)| v.parse().ok());
        let number: u32 = number.unwrap_or(128);
        let (data, metadata) = (format!("{name}_data"), format!("{name}_metadata"));
        self.new_pool(self.bare(&data, number, "cephfs"));
        let mut pool = self.bare(&metadata, (number / 4).max(8), "cephfs");
        for (key, value) in [("pg_autoscale_bias", "4"), ("pg_num_min", "16"), ("recovery_priority", "5")] {
            pool.options.insert(key.into(), value.into());
        }
        self.new_pool(pool);
        self.ceph.filesystems.push(FilesystemFact {
            name: name.to_owned(),
            metadata_pool: metadata,
            data_pools: vec![data],
        });
        Ok(())
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
}

impl Cluster {
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

/// TiB, as Ceph cuts them: four digits, then a fixed point.
fn weight(bytes: u64) -> f64 {
    let digits = (u128::from(bytes) * 10_000 + (1 << 39)) >> 40;
    let fixed = (digits << 16) / 10_000;
    f64::from(u32::try_from(fixed).unwrap_or(u32::MAX)) / 65_536.0
}

impl Node {
    fn install_ceph(&mut self, name: &NodeName, repository: &str, version: &str) {
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
