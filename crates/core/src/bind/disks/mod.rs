//! Which disks of a node become OSDs: `osds`, `db`, `wal` and `wipe` of the spec held against the disks it reports.
//!
//! Used by the planner (steps), `discover` and `plan` (tables). It never picks the disk of the operating system, and
//! without the spec naming that very disk by serial number it never picks one with anything on it; what is not known
//! counts as something. It decides, and touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::arrange::Arrange;
use crate::explain::disks as code;
use crate::facts::ceph::OsdFact;
use crate::facts::disk::Disk;
use crate::facts::{self, CephNode, Facts, Fleet, Known, ceph_conf};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::spec::{DiskFilter, Node, Osds};

mod drive;
mod fate;
mod notes;
mod synced;
#[cfg(test)]
mod tests;

pub use drive::{PowerLoss, power_loss};
pub use fate::own_osds;
pub use notes::{HOT, WORN};
pub use synced::{SYNCED, verdict};

/// The nodes of which a disk is about to be taken and has not been asked for its condition: that is done only when
/// something is to be made of it, not at every look.
pub fn unasked(choices: &BTreeMap<NodeName, DiskChoice>) -> BTreeSet<NodeName> {
    let due = |c: &Chosen| !matches!(c.fate, Fate::Already(_)) && c.disk.health == facts::not_asked();
    let any = |choice: &DiskChoice| choice.chosen.iter().chain(&choice.db).chain(&choice.wal).any(due);
    choices.iter().filter(|(_, choice)| any(choice)).map(|(node, _)| node.clone()).into_set()
}

/// What came of the wish of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiskChoice {
    /// Disks for OSDs: in the order of the spec, a filter's by path. Those that are OSDs already are among them.
    pub chosen: Vec<Chosen>,
    /// The disk for databases, where the spec names one and nothing is in its way.
    pub db: Option<Chosen>,
    /// The disk for write-ahead logs, likewise.
    pub wal: Option<Chosen>,
    /// What is in the way; while there is any, nothing must be done to disks of this node.
    pub refused: Vec<Obstacle>,
    /// What a person should know.
    pub notes: Vec<Obstacle>,
}

/// Bytes of a shared disk that volumes cannot have: LVM's own.
const SLACK: u64 = 64 << 20;
const GIB: u64 = 1 << 30;

impl DiskChoice {
    /// GiB each new OSD gets of `db` or `wal`: an equal share, or what those that are there have left.
    pub fn share(&self, aside: &Chosen) -> u64 {
        let room = aside.disk.size.saturating_sub(SLACK);
        let free = match aside.fate {
            Fate::Already(_) => room.saturating_sub(aside.disk.volumes),
            Fate::Create | Fate::Wipe(_) => room,
        };
        let all = self.chosen.len().max(1) as u64;
        let new = self.chosen.iter().filter(|c| !matches!(c.fate, Fate::Already(_))).count().max(1) as u64;
        (room / all).min(free / new) / GIB
    }
}

/// One disk the spec asks for and gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// The disk as it was seen.
    pub disk: Disk,
    /// How the spec names it: a path, or `filter`.
    pub asked: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a chosen disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is free: make the OSD.
    Create,
    /// The spec names it in `wipe`: erase it, then make the OSD. What dies, each in words; never empty.
    Wipe(Vec<String>),
    /// It holds these OSDs of this cluster: nothing to do. Sorted, never empty.
    Already(Vec<u32>),
}

/// The Ceph cluster the disks are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ours<'f> {
    /// There is none yet.
    NotYet,
    /// There may be one, but its id is not known: disks with OSDs on them are left alone, whatever the spec says.
    Unknown,
    /// This one.
    Is {
        /// Its id.
        id: &'f str,
        /// Its OSDs, where a monitor told them. A disk may still hold one that was destroyed since.
        osds: Option<&'f [OsdFact]>,
    },
}

impl<'f> Ours<'f> {
    /// The cluster with this id, of whose OSDs nothing is known.
    pub fn is(id: &'f str) -> Self {
        Self::Is { id, osds: None }
    }

    /// Whether the cluster says that it has no such OSD. A number may belong to another disk by now: the OSD's own id
    /// decides where both tell it.
    fn lacks(self, number: u32, fsid: Option<&str>) -> bool {
        let Self::Is { osds: Some(osds), .. } = self else { return false };
        let is =
            |osd: &OsdFact| osd.id == number && fsid.is_none_or(|id| osd.uuid.is_empty() || osd.uuid == id);
        !osds.is_empty() && !osds.iter().any(is)
    }

    /// The cluster as the nodes tell it: the id in `/etc/pve/ceph.conf`, of the cluster itself, or of a monitor.
    ///
    /// Without any of these there is none yet, if every node was asked and has no monitor.
    pub fn of(fleet: &'f Fleet) -> Self {
        let conf = |f: &'f Facts| ceph_conf::fsid_of(f.text(ceph_conf::PATH)?);
        let cluster = |f: &'f Facts| f.state.ceph_cluster.yes().map(|c| c.fsid.as_str());
        let monitor = |f: &'f Facts| Some(f.state.ceph.yes()?.quorum.as_ref()?.fsid.as_str());
        let nodes = || fleet.nodes.values();
        let told =
            nodes().filter_map(conf).chain(nodes().filter_map(cluster)).chain(nodes().filter_map(monitor));
        if let Some(id) = told.into_iter().find(|id| !id.is_empty()) {
            let osds = fleet.cluster().filter(|cluster| cluster.fsid == id).map(|cluster| &*cluster.osds);
            return Self::Is { id, osds };
        }
        let silent = |f: &Facts| {
            f.state.ceph == facts::not_asked::<CephNode>()
                || f.text(ceph_conf::PATH).is_some()
                || f.state.ceph.yes().is_some_and(|c| !c.monitors.is_empty())
        };
        if nodes().any(silent) { Self::Unknown } else { Self::NotYet }
    }
}

/// Chooses the disks of one node. The order of the disks in the facts does not matter.
///
/// * A path (device node or link) and a serial number ask for one disk: if it cannot be had, that is an obstacle.
/// * A filter takes the free disks that fit and those that are OSDs of this cluster already, and passes over the
///   others; a number other than `count`, or none at all, is an obstacle, and then it takes none.
/// * With anything in `refused` the caller must not touch a disk of this node.
pub fn choose(node: &Node, facts: &Facts, ours: Ours<'_>) -> DiskChoice {
    if node.osds.is_empty() {
        return DiskChoice::default();
    }
    let disks = match &facts.inventory.disks {
        Known::Yes(disks) => disks,
        Known::No(why) => {
            let refused = vec![Obstacle {
                code: code::DISKS_UNKNOWN.to_string(),
                node: Some(node.name.clone()),
                message: "the disks could not be read".into(),
                evidence: why.clone(),
                cure: "mend what is said above, then run again".into(),
            }];
            return DiskChoice { refused, ..DiskChoice::default() };
        }
    };
    let mut sight = Sight::new(node, disks, ours);
    sight.aside();
    match &node.osds {
        Osds::Paths(paths) => sight.by_path(paths),
        Osds::Filter(filter) if filter.serial.is_empty() => sight.by_filter(filter),
        Osds::Filter(filter) => sight.by_serial(filter),
    }
    sight.room_aside();
    sight.choice.refused.dedup();
    sight.annotate();
    sight.choice
}

/// The disks of a node while they are looked at.
struct Sight<'f> {
    node: &'f Node,
    name: &'f NodeName,
    /// By path.
    disks: Vec<&'f Disk>,
    ours: Ours<'f>,
    /// Paths of the disks asked for so far, and how.
    taken: Vec<(&'f str, String)>,
    choice: DiskChoice,
}

impl<'f> Sight<'f> {
    fn new(node: &'f Node, disks: &'f [Disk], ours: Ours<'f>) -> Self {
        let mut disks: Vec<&Disk> = disks.iter().collect();
        disks.arrange_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
        Self { node, name: &node.name, disks, ours, taken: Vec::new(), choice: DiskChoice::default() }
    }

    /// `db` and `wal`, before the others so that a filter passes over them.
    fn aside(&mut self) {
        for (key, path) in [("db", &self.node.osd.db), ("wal", &self.node.osd.wal)] {
            let Some(path) = path else { continue };
            let got = self.take(path, key);
            if key == "db" {
                self.choice.db = got;
            } else {
                self.choice.wal = got;
            }
        }
    }

    fn by_path(&mut self, paths: &[String]) {
        for path in paths {
            let got = self.take(path, "osds");
            self.choice.chosen.extend(got);
        }
    }

    /// The one disk at a path, if it can be had.
    fn take(&mut self, path: &str, key: &str) -> Option<Chosen> {
        let found: Vec<&Disk> = self.disks.iter().copied().filter(|d| d.answers_to(path)).collect();
        let refusal = match found.as_slice() {
            [] => self.missing(&format!("{path} is not there"), key),
            [disk] => match self.take_disk(disk, path) {
                Ok(chosen) => return Some(chosen),
                Err(refusal) => refusal,
            },
            [a, b, ..] => self.alike(a, b, &format!("both answer to {path}")),
        };
        self.choice.refused.push(refusal);
        None
    }

    fn take_disk(&mut self, disk: &'f Disk, asked: &str) -> Result<Chosen, Obstacle> {
        if let Some((_, first)) = self.taken.iter().find(|(path, _)| *path == disk.path) {
            return Err(self.twice(disk, first, asked));
        }
        self.taken.push((&disk.path, asked.to_owned()));
        let fate = self.fate(disk)?;
        Ok(Chosen { disk: disk.clone(), asked: asked.to_owned(), fate })
    }

    /// A filter with serial numbers asks for these very disks.
    fn by_serial(&mut self, filter: &DiskFilter) {
        let wanted: BTreeSet<&str> = filter.serial.iter().map(String::as_str).into_set();
        let mut fit = 0;
        for serial in wanted {
            let of_serial: Vec<&Disk> = self.disks.iter().copied().filter(|d| d.serial == serial).collect();
            let got = match of_serial.as_slice() {
                [] => Err(self.missing(&format!("no disk has the serial number {serial}"), "osds")),
                [disk] if !filter.fits(disk) => Err(self.unlike(disk)),
                [disk] => {
                    fit += 1;
                    self.take_disk(disk, "filter")
                }
                [a, b, ..] => Err(self.alike(a, b, "both tell the same serial number")),
            };
            match got {
                Ok(chosen) => self.choice.chosen.push(chosen),
                Err(refusal) => self.choice.refused.push(refusal),
            }
        }
        if let Some(count) = filter.count
            && self.choice.refused.is_empty()
            && fit != count
        {
            let refusal = self.count(&format!("{fit} of the disks fit, and `count` is {count}"));
            self.choice.refused.push(refusal);
            self.choice.chosen.clear();
        }
        self.choice.chosen.arrange_by(|a, b| a.disk.path.cmp(&b.disk.path));
    }

    fn by_filter(&mut self, filter: &DiskFilter) {
        let refused = self.choice.refused.len();
        let aside: BTreeSet<&str> = self.taken.iter().map(|(path, _)| *path).into_set();
        let fitting: Vec<&Disk> = self
            .disks
            .iter()
            .copied()
            .filter(|d| filter.fits(d) && !aside.contains(d.path.as_str()))
            .collect();
        let mut chosen = Vec::new();
        for disk in fitting {
            match self.take_disk(disk, "filter") {
                Ok(got) => chosen.push(got),
                // Named by serial number, about to die, or not to be told apart: a person has to look.
                Err(refusal) if self.must_be_settled(disk, &refusal) => self.choice.refused.push(refusal),
                Err(_) if disk.is_system() => {}
                Err(refusal) => self.pass_over(disk, refusal),
            }
        }
        let wanted = filter.count.unwrap_or(0) as usize;
        let text = match chosen.len() {
            _ if self.choice.refused.len() > refused => None,
            0 => Some("no free disk fits the filter".to_owned()),
            n if wanted != 0 && n != wanted => {
                let list: Vec<String> = chosen.iter().map(|c| c.disk.path.clone()).collect();
                Some(format!("{n} disks fit the filter ({}), and `count` is {wanted}", list.join(", ")))
            }
            _ => None,
        };
        match text {
            Some(text) => {
                let refusal = self.count(&text);
                self.choice.refused.push(refusal);
            }
            None => self.choice.chosen = chosen,
        }
    }
}
