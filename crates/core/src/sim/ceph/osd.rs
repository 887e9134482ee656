//! Disks of simulated nodes and the OSDs made of them.
//!
//! Used by the deeds on Ceph; `disks` by whoever makes nodes.

use super::super::Cluster;
use super::refused;
use crate::action::OsdDeed;
use crate::arrange::Arrange;
use crate::facts::ceph::{LocalOsd, OsdFact};
use crate::facts::disk::{Medium, Use};
use crate::facts::{Disk, Known, ceph_conf, not_asked};
use crate::name::NodeName;
use crate::wire::Failure;

/// The disk of the system and `count` free ones.
pub(in crate::sim) fn disks(at: usize, count: u32) -> Vec<Disk> {
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

impl Cluster {
    pub(super) fn disk(&mut self, name: &NodeName, path: &str, serial: &str) -> Result<&mut Disk, Failure> {
        let Known::Yes(disks) = &mut self.node(name)?.facts.inventory.disks else {
            return Err(refused("no disks"));
        };
        let disk = disks.iter_mut().find(|d| d.path == path && d.serial == serial);
        disk.ok_or_else(|| Failure::refused(format!("{path} is not the disk {serial}")))
    }

    pub(super) fn osd(&mut self, name: &NodeName, deed: &OsdDeed) -> Result<(), Failure> {
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
}

/// TiB, as Ceph cuts them: four digits, then a fixed point.
fn weight(bytes: u64) -> f64 {
    let digits = (u128::from(bytes) * 10_000 + (1 << 39)) >> 40;
    let fixed = (digits << 16) / 10_000;
    f64::from(u32::try_from(fixed).unwrap_or(u32::MAX)) / 65_536.0
}
