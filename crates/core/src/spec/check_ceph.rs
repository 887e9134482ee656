//! Whether Ceph, its pools, the nodes and the fabric fit together.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::ceph::MOST_MONITORS;
use super::near::nearest;
use super::tree::{At, Faults, Span};
use super::{Keeping, Osds, Pool, PublicNetwork, fabric, node, pool, storage};
use crate::diagnostic::Diagnostic;
use crate::explain::{address, ceph as code, file};

/// The drafts of a spec that Ceph is about.
struct Cluster<'d> {
    ceph: &'d storage::Draft,
    pools: &'d [pool::Draft],
    filesystems: &'d [pool::FilesystemDraft],
    fabric: &'d fabric::Draft,
    nodes: &'d [node::Draft],
}

/// Ceph's own choices of device classes.
const CLASSES: [&str; 3] = ["hdd", "ssd", "nvme"];

/// Storages that Proxmox VE's installer makes.
const INSTALLERS: [&str; 3] = ["local", "local-lvm", "local-zfs"];

/// Groups with their copies that one OSD may have (`mon_max_pg_per_osd`).
const GROUPS_PER_OSD: u64 = 250;

/// Everything about Ceph taken together.
pub(super) fn check(
    ceph: &storage::Draft,
    pools: &[pool::Draft],
    filesystems: &[pool::FilesystemDraft],
    fabric: &fabric::Draft,
    nodes: &[node::Draft],
    faults: &mut Faults,
) {
    let cluster = Cluster { ceph, pools, filesystems, fabric, nodes };
    for node in nodes {
        disks(node, ceph, faults);
    }
    cluster.monitors(faults);
    cluster.managers(faults);
    cluster.public(faults);
    cluster.names(faults);
    cluster.shares(faults);
    if cluster.any_osd(faults) {
        cluster.classes(faults);
        cluster.hosts(faults);
        cluster.groups(faults);
    }
}

/// Whether a node gets OSDs; one whose `osds` were reported was meant to.
fn has_osds(node: &node::Draft) -> bool {
    node.osds.as_ref().is_none_or(|osds| !osds.is_empty())
}

/// The keys of one node about its OSDs.
fn disks(node: &node::Draft, ceph: &storage::Draft, faults: &mut Faults) {
    if !has_osds(node) {
        for (key, place) in &node.osd.written {
            faults.push(
                Diagnostic::error(code::OSD_KEY, place.clone(), format!("`{key}` without `osds`"))
                    .label(format!("{} gets no OSD", node.called()))
                    .help("add `osds`, or remove the key"),
            );
        }
        return;
    }
    let draft = &node.osd;
    let several = draft.shape.per_device.as_ref().or(ceph.osd.per_device.as_ref()).filter(|n| n.value > 1);
    for (key, path) in [("db", &draft.db), ("wal", &draft.wal)] {
        let Some(path) = path else { continue };
        if matches!(&node.osds, Some(Osds::Paths(paths)) if paths.contains(&path.value)) {
            faults.push(
                Diagnostic::error(
                    address::DISK_TWICE,
                    path.span.clone(),
                    format!("{} is among `osds` too", path.value),
                )
                .label(format!("`{key}` needs a disk of its own"))
                .help("correct one of the two, or remove it"),
            );
        }
        if let Some(several) = several {
            faults.push(
                Diagnostic::error(
                    code::OSD_SHARED_LOG,
                    path.span.clone(),
                    format!("`{key}` does not go with several OSDs on a device"),
                )
                .also(several.span.clone(), "several OSDs here")
                .help("remove one of the two: Proxmox VE refuses both together"),
            );
        }
    }
    if let (Some(db), Some(wal)) = (&draft.db, &draft.wal)
        && db.value == wal.value
    {
        faults.push(
            Diagnostic::error(address::DISK_TWICE, wal.span.clone(), format!("{} is `db` too", wal.value))
                .also(db.span.clone(), "here")
                .help("leave `wal` out: the log goes where the database is"),
        );
    }
}

impl Cluster<'_> {
    /// Where Ceph as a whole is best pointed at.
    fn place(&self) -> Span {
        let osds = || self.nodes.iter().filter_map(|n| n.osds_span.clone()).next();
        self.ceph.header.clone().or_else(osds).unwrap_or(0..0)
    }

    fn any_osd(&self, faults: &mut Faults) -> bool {
        if self.nodes.iter().any(has_osds) {
            return true;
        }
        let pool = || self.pools.first().map(|p| (p.header.clone(), "a pool"));
        let filesystem = || self.filesystems.first().map(|f| (f.header.clone(), "a file system"));
        let header = self.ceph.header.clone().map(|h| (h, "Ceph"));
        if let Some((place, what)) = header.or_else(pool).or_else(filesystem) {
            faults.push(
                Diagnostic::error(code::NO_OSD, place, format!("{what} without any disk to keep data on"))
                    .label("no node has `osds`")
                    .help("add to three nodes or more: osds = [\"/dev/nvme1n1\"]"),
            );
        }
        false
    }

    fn monitors(&self, faults: &mut Faults) {
        if let Some(list) = &self.ceph.monitors {
            let before = faults.0.len();
            self.known(list, "monitors", faults);
            if faults.0.len() == before {
                Self::number_of_monitors(list, faults);
            }
        }
        let ceph =
            self.ceph.header.is_some() || self.nodes.iter().any(|n| n.osds_span.is_some() && has_osds(n));
        let alone = match &self.ceph.monitors {
            Some(list) => list.value.len() == 1,
            None => self.nodes.len() == 2,
        };
        if ceph && alone && self.nodes.len() > 1 {
            let place = self.ceph.monitors.as_ref().map_or_else(|| self.place(), |l| l.span.clone());
            let help = if self.nodes.len() == 2 {
                "add a third node, even a small one without disks: with three monitors any one may be off"
            } else {
                "leave `monitors` out, or name three"
            };
            faults.push(
                Diagnostic::warning(
                    code::MONITOR_ALONE,
                    place,
                    "one monitor: when its node is off, so is Ceph",
                )
                .help(help),
            );
        }
    }

    fn number_of_monitors(list: &At<Vec<At<String>>>, faults: &mut Faults) {
        let count = list.value.len();
        let (message, help) = match count {
            0 => {
                faults.push(
                    Diagnostic::error(file::EMPTY, list.span.clone(), "`monitors` is empty")
                        .help("list three nodes, or remove the key"),
                );
                return;
            }
            n if n > MOST_MONITORS => (
                format!("{n} monitors"),
                "name three, or five: each change must reach all of them".to_owned(),
            ),
            n if n % 2 == 0 => (
                format!("an even number of monitors: {n} survive no more failures than {}", n - 1),
                format!("name {} or {}", n - 1, n + 1),
            ),
            _ => return,
        };
        faults.push(Diagnostic::error(code::MONITOR_COUNT, list.span.clone(), message).help(help));
    }

    fn managers(&self, faults: &mut Faults) {
        let Some(list) = &self.ceph.managers else { return };
        self.known(list, "managers", faults);
        if list.value.is_empty() {
            faults.push(
                Diagnostic::error(file::EMPTY, list.span.clone(), "`managers` is empty")
                    .help("list two nodes or more, or remove the key"),
            );
        }
    }

    /// Reports names in a list that are no node's, or stand there twice.
    fn known(&self, list: &At<Vec<At<String>>>, key: &str, faults: &mut Faults) {
        let names = || self.nodes.iter().filter_map(|n| n.written.as_ref()).map(|w| w.value.as_str());
        for (n, name) in list.value.iter().enumerate() {
            if let Some(first) = list.value[..n].iter().find(|f| f.value == name.value) {
                faults.push(
                    Diagnostic::error(
                        code::MONITOR_NODE,
                        name.span.clone(),
                        format!("{} is listed twice in `{key}`", name.value),
                    )
                    .also(first.span.clone(), "first here")
                    .help("correct one of the two, or remove it"),
                );
            } else if !names().any(|known| known == name.value) {
                let help = match nearest(&name.value, names()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("the nodes are {}", names().collect::<Vec<_>>().join(", ")),
                };
                faults.push(
                    Diagnostic::error(
                        code::MONITOR_NODE,
                        name.span.clone(),
                        format!("there is no node called {:?}", name.value),
                    )
                    .help(help),
                );
            }
        }
    }

    fn public(&self, faults: &mut Faults) {
        let Some(public) = &self.ceph.public else { return };
        let four = self.fabric.prefix.as_ref().map(|p| IpNet::V4(p.value));
        let six = self.fabric.prefix6.as_ref().map(|p| IpNet::V6(p.value));
        let Some(mesh) = four.or(six) else { return };
        let family = |v4: bool| if v4 { "IPv4" } else { "IPv6" };
        let ipv4 = four.is_some();
        match &public.value {
            PublicNetwork::Mesh => {}
            PublicNetwork::Lan => {
                let mut addresses = self.nodes.iter().filter_map(|n| n.address.as_ref());
                if let Some(address) = addresses.find(|a| a.value.is_ipv4() != ipv4) {
                    faults.push(
                        Diagnostic::error(
                            code::PUBLIC_NETWORK,
                            public.span.clone(),
                            "Ceph would have two address families",
                        )
                        .label(format!("on the mesh Ceph uses {}", family(ipv4)))
                        .also(address.span.clone(), format!("this is {}", family(!ipv4)))
                        .help("leave `public` out, or name a prefix of the same family as the mesh's"),
                    );
                }
            }
            PublicNetwork::Prefix(prefix) => {
                let both = [four, six];
                let mut meshes = both.iter().flatten();
                let overlaps = |m: &&IpNet| m.contains(prefix) || prefix.contains(*m);
                let fault = if *prefix == mesh {
                    return;
                } else if let Some(other) = meshes.find(overlaps) {
                    Diagnostic::error(
                        code::PUBLIC_NETWORK,
                        public.span.clone(),
                        format!("{prefix} overlaps the mesh's {other}"),
                    )
                    .help("write: public = \"mesh\", or a prefix outside of it")
                } else if matches!(prefix, IpNet::V4(_)) != ipv4 {
                    Diagnostic::error(
                        code::PUBLIC_NETWORK,
                        public.span.clone(),
                        "Ceph would have two address families",
                    )
                    .label(format!("on the mesh Ceph uses {}", family(ipv4)))
                    .help(format!("name an {} prefix", family(ipv4)))
                } else {
                    return;
                };
                faults.push(fault);
            }
        }
    }

    /// Pools, file systems and their storages: each name once.
    fn names(&self, faults: &mut Faults) {
        let pools = self.pools.iter().filter_map(|p| p.name.as_ref().map(|n| (n, p.storage)));
        let systems = self.filesystems.iter().filter_map(|f| f.name.as_ref().map(|n| (n, f.storage)));
        let mut taken: BTreeMap<String, Option<Span>> = BTreeMap::new();
        if self.pools.is_empty() && self.nodes.iter().any(has_osds) {
            taken.insert(Pool::standard().name, None);
        }
        let all = pools.map(|n| (n, false)).chain(systems.map(|n| (n, true)));
        for ((name, storage), is_filesystem) in all {
            let own: &[&str] = if is_filesystem { &["", "_data", "_metadata"] } else { &[""] };
            let clash =
                own.iter().find_map(|suffix| Some((suffix, taken.get(&format!("{}{suffix}", name.value))?)));
            if let Some((suffix, first)) = clash {
                let message = if suffix.is_empty() {
                    format!("there are two called {}", name.value)
                } else {
                    format!("the pool {}{suffix} of this file system is there already", name.value)
                };
                let fault = Diagnostic::error(code::POOL_TWICE, name.span.clone(), message);
                faults.push(match first {
                    Some(first) => {
                        fault.also(first.clone(), "first here").help("give one of them another name")
                    }
                    None => {
                        fault.label("a file without [[pool]] has the pool vm").help("give it another name")
                    }
                });
            } else if storage && INSTALLERS.contains(&name.value.as_str()) {
                faults.push(
                    Diagnostic::error(
                        code::POOL_TWICE,
                        name.span.clone(),
                        format!("Proxmox VE has a storage called {}", name.value),
                    )
                    .label("its installer makes it")
                    .help("give it another name"),
                );
            }
            for suffix in own {
                taken.entry(format!("{}{suffix}", name.value)).or_insert_with(|| Some(name.span.clone()));
            }
        }
    }

    fn shares(&self, faults: &mut Faults) {
        let mut sum = 0;
        for share in self.pools.iter().filter_map(|p| p.share.as_ref()) {
            sum += share.value;
            if sum > 100 {
                faults.push(
                    Diagnostic::error(
                        code::TARGET_SHARE,
                        share.span.clone(),
                        format!("the pools' shares add up to {sum} percent"),
                    )
                    .help("make them 100 or less together; a pool without a share takes what is left"),
                );
                return;
            }
        }
    }

    /// The device class of a node's OSDs, where the file says.
    fn class<'n>(&'n self, node: &'n node::Draft) -> Option<&'n str> {
        node.osd.shape.class.as_ref().or(self.ceph.osd.class.as_ref()).map(|c| c.value.as_str())
    }

    /// A pool on a class that no disk can have.
    fn classes(&self, faults: &mut Faults) {
        let given: Vec<&str> =
            self.nodes.iter().filter(|n| has_osds(n)).filter_map(|n| self.class(n)).collect();
        for class in self.pools.iter().filter_map(|p| p.class.as_ref()) {
            let known = || given.iter().chain(&CLASSES).copied();
            if known().any(|k| k == class.value) {
                continue;
            }
            let help = match nearest(&class.value, known()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => {
                    "Ceph's own classes are hdd, ssd and nvme; others are set by `class` of a node".to_owned()
                }
            };
            let message = format!("no disk has the class {:?}", class.value);
            faults.push(Diagnostic::error(code::DEVICE_CLASS, class.span.clone(), message).help(help));
        }
    }

    /// Enough nodes for each copy or piece to have its own.
    fn hosts(&self, faults: &mut Faults) {
        if self.nodes.len() < 2 {
            return;
        }
        let standard = self.pools.is_empty().then(|| (self.place(), Pool::standard().keeping, None));
        let written = self.pools.iter().filter_map(|p| {
            let keeping = p.keeping.as_ref()?;
            Some((keeping.span.clone(), keeping.value, p.class.as_ref().map(|c| c.value.as_str())))
        });
        for (place, keeping, class) in standard.into_iter().chain(written) {
            let fits = |n: &&node::Draft| {
                has_osds(n) && class.is_none_or(|class| self.class(n).is_none_or(|own| own == class))
            };
            let hosts = self.nodes.iter().filter(fits).count();
            if hosts >= keeping.hosts() as usize {
                continue;
            }
            let of_class = class.map_or_else(String::new, |c| format!(" of class {c}"));
            let noun = if hosts == 1 { "node has" } else { "nodes have" };
            let (parts, help) = match keeping {
                Keeping::Copies { size, .. } => (
                    format!("{size} copies"),
                    "give more nodes `osds`; or, with two nodes only: [[pool]] with size = 2 and i_accept_data_loss = true",
                ),
                Keeping::Erasure { k, m } => (
                    format!("{} pieces", k + m),
                    "give more nodes `osds`, or use fewer pieces: each goes to another node",
                ),
            };
            faults.push(
                Diagnostic::error(
                    code::TOO_FEW_HOSTS,
                    place,
                    format!("{parts}, and {hosts} {noun} OSDs{of_class}"),
                )
                .label("placement groups would never be clean")
                .help(help),
            );
        }
    }

    /// The OSDs there will be, where the file says how many.
    fn osds(&self) -> Option<u64> {
        let mut sum = 0;
        for node in self.nodes.iter().filter(|n| has_osds(n)) {
            let disks = match node.osds.as_ref()? {
                Osds::Paths(paths) => paths.len() as u64,
                Osds::Filter(filter) => u64::from(filter.count?),
            };
            let each = node.osd.shape.per_device.as_ref().or(self.ceph.osd.per_device.as_ref());
            sum += disks * u64::from(each.map_or(1, |n| n.value));
        }
        Some(sum)
    }

    fn groups(&self, faults: &mut Faults) {
        let Some(osds) = self.osds() else { return };
        let most = osds * GROUPS_PER_OSD;
        let of_pools =
            self.pools.iter().filter_map(|p| Some((p.pg_num.as_ref()?, p.keeping.as_ref()?.value.hosts())));
        let of_systems = self.filesystems.iter().filter_map(|f| Some((f.pg_num.as_ref()?, 3)));
        let mut sum = 0;
        for (groups, copies) in of_pools.chain(of_systems) {
            sum += u64::from(groups.value) * u64::from(copies);
            if sum > most {
                faults.push(
                    Diagnostic::error(
                        code::PG_TOO_MANY,
                        groups.span.clone(),
                        format!("{sum} placement groups with their copies, on {osds} OSDs"),
                    )
                    .label(format!("Ceph refuses more than {GROUPS_PER_OSD} on each, {most} in all"))
                    .help("leave `pg_num` out to have it computed"),
                );
                return;
            }
        }
    }
}
