//! What is found of Ceph that keeps a plan from being made, and what a person should know.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::Obstacle;
use crate::explain::storage as code;
use crate::facts::ceph::{CephCluster, LocalOsd};
use crate::facts::{Clock, Facts, Known, pve};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::resource::ceph::{Scene, install};
use crate::spec::{Keeping, OsdMemory};
use crate::tune;

/// Fraction of the raw space from which nothing is moved by us.
const FULL: f64 = 0.85;
/// Microseconds that clocks of monitors may differ by (`mon_clock_drift_allowed`).
const SKEW: u64 = 50_000;
/// Bytes a node keeps for itself whatever the spec says.
const RESERVE: u64 = 2 << 30;

/// Obstacles and notes.
#[derive(Default)]
pub(super) struct Look {
    pub(super) obstacles: Vec<Obstacle>,
    pub(super) notes: Vec<Obstacle>,
}

pub(super) fn look(scene: &Scene<'_>) -> Look {
    let mut look = Look { obstacles: scene.wish.obstacles.clone(), notes: Vec::new() };
    look.identity(scene);
    look.daemons(scene);
    look.releases(scene);
    look.room(scene);
    look.storage(scene);
    look.clocks(scene);
    look.apart(scene);
    if let Some(cluster) = scene.cluster {
        look.pools(scene, cluster);
        look.complaints(scene, cluster);
    }
    look
}

impl Look {
    /// Whose cluster it is, and on which networks.
    fn identity(&mut self, scene: &Scene<'_>) {
        let Some(fsid) = scene.conf.fsid() else { return };
        let monitors = scene.conf.monitors();
        let ours: BTreeSet<IpAddr> = scene.wish.monitors.iter().map(|(_, a)| *a).into_set();
        let list: Vec<String> = monitors.iter().map(ToString::to_string).collect();
        // One whose monitors are called like the spec's is that of the spec, on other networks.
        let named = |id: &str| scene.wish.monitors.iter().any(|(node, _)| node.as_str() == id);
        let known = monitors.iter().any(|m| ours.contains(m)) || scene.conf.monitor_ids().any(named);
        if !monitors.is_empty() && !known {
            self.obstacles.push(Obstacle::about(
                code::FOREIGN_CLUSTER,
                None,
                format!("another Ceph cluster is there already, with its monitors at {}", list.join(", ")),
                format!("fsid {fsid} in /etc/pve/ceph.conf"),
                "write `public` and `monitors` in [ceph] as that cluster has them to go on with it; nothing of it is touched",
            ));
            return;
        }
        for (key, want) in [("public_network", scene.wish.public), ("cluster_network", scene.wish.cluster)] {
            // Proxmox VE takes the public network for both where only that is said.
            let have = scene.conf.network(key).or_else(|| scene.conf.network("public_network"));
            if have.is_some_and(|have| have != want) {
                let said = scene.conf.get("global", key).unwrap_or_default();
                self.obstacles.push(Obstacle::about(
                    code::NETWORKS,
                    None,
                    format!("the Ceph cluster has {key} {said}, the spec wants {want}"),
                    format!("fsid {fsid} in /etc/pve/ceph.conf"),
                    "say in the spec what is there; another network means making every monitor anew",
                ));
            }
        }
        if !monitors.is_empty() && scene.cluster.is_none() {
            self.silent(scene, &list);
        }
        let extra: Vec<String> =
            monitors.iter().filter(|m| !ours.contains(m)).map(ToString::to_string).collect();
        if !extra.is_empty() {
            self.notes.push(Obstacle::about(
                code::NOT_OURS,
                None,
                format!("the cluster has further monitors, at {}", extra.join(", ")),
                "",
                "they are left alone; name their nodes in `monitors` to have them kept",
            ));
        }
    }

    /// A cluster that should answer and does not.
    fn silent(&mut self, scene: &Scene<'_>, monitors: &[String]) {
        let mut evidence = Vec::new();
        for (node, facts) in scene.nodes() {
            match &facts.state.ceph_cluster {
                Known::No(why) if *why != crate::facts::NOT_ASKED => evidence.push(format!("{node}: {why}")),
                _ => {}
            }
            let state = scene.node(node).and_then(|c| c.quorum.as_ref());
            evidence.extend(state.map(|q| format!("monitor on {node}: {}", q.state)));
        }
        self.obstacles.push(Obstacle::about(
            code::NO_ANSWER,
            None,
            format!("the Ceph cluster with monitors at {} does not answer", monitors.join(", ")),
            evidence.join("\n"),
            "`systemctl status ceph-mon@NODE` on their nodes; right after a cold start, wait a minute and run again",
        ));
    }

    /// Folders that belong to nothing, and nodes of which nothing is known.
    fn daemons(&mut self, scene: &Scene<'_>) {
        let known = scene.conf.monitors();
        for (node, _) in scene.nodes() {
            let Some(here) = scene.node(node) else {
                let why = match scene.fleet.nodes.get(node).map(|f| &f.state.ceph) {
                    Some(Known::No(why)) => why.clone(),
                    _ => String::new(),
                };
                self.obstacles.push(Obstacle::about(
                    code::NOT_READ,
                    Some(node),
                    "Ceph on the node could not be looked at",
                    why,
                    "mend what is said above, then run again",
                ));
                continue;
            };
            let address = scene.wish.monitors.iter().find(|(n, _)| n == node).map(|(_, a)| a);
            for monitor in here.monitors.iter().filter(|m| !m.runs) {
                let mine = monitor.id == node.as_str() && address.is_some_and(|a| known.contains(a));
                let listed = scene.conf.get(&format!("mon.{}", monitor.id), "public_addr").is_some();
                if !mine && !listed {
                    let id = &monitor.id;
                    self.obstacles.push(Obstacle::about(
                        code::LEFTOVER_MONITOR,
                        Some(node),
                        format!("has the folder of a monitor {id} that belongs to no cluster"),
                        format!("/var/lib/ceph/mon/ceph-{id}"),
                        format!("if nothing needs it: `systemctl disable --now ceph-mon@{id}`, then move the folder away"),
                    ));
                }
            }
            let name = node.as_str();
            let counts = scene.cluster.is_some_and(|c| {
                let listed = address.is_some_and(|a| known.contains(a));
                listed || scene.conf.monitor_ids().any(|id| id == name) || c.monitors.contains_key(name)
            });
            if address.is_some() && counts && !here.monitors.iter().any(|m| m.id == name) {
                self.obstacles.push(Obstacle::about(
                    code::LOST_MONITOR,
                    Some(node),
                    "has no monitor any more, and the cluster still counts one here",
                    format!("/var/lib/ceph/mon/ceph-{name} is not there"),
                    format!("`ceph mon remove {name}` on a node in quorum, and its lines taken out of /etc/pve/ceph.conf: [mon.{name}], its address in mon_host"),
                ));
            }
            let state = here.quorum.as_ref().map_or("leader", |q| q.state.as_str());
            if scene.cluster.is_some() && !matches!(state, "leader" | "peon") {
                self.notes.push(Obstacle::about(
                    code::MONITOR_APART,
                    Some(node),
                    format!("monitor {name} runs and is not in quorum: {state}"),
                    "",
                    format!("`ringbolt verify` shows whether it reaches the others, `journalctl -u ceph-mon@{name}` what it waits for"),
                ));
            }
            let orphan = known.is_empty();
            let daemons =
                here.managers.iter().map(|d| ("mgr", d)).chain(here.metadata.iter().map(|d| ("mds", d)));
            for (kind, daemon) in daemons.filter(|(_, d)| orphan && !d.runs) {
                let id = &daemon.id;
                self.obstacles.push(Obstacle::about(
                    code::LEFTOVER_MANAGER,
                    Some(node),
                    format!("has the folder of a daemon {kind}.{id} and there is no cluster"),
                    format!("/var/lib/ceph/{kind}/ceph-{id}"),
                    format!("if nothing needs it: `systemctl disable --now ceph-{kind}@{id}`, then move the folder away"),
                ));
            }
            let own = scene.conf.fsid();
            self.dropped(scene, node, &here.osds);
            for osd in here.osds.iter().filter(|o| o.state != "active" && own == Some(o.cluster.as_str())) {
                let state = if osd.state.is_empty() { "does not answer" } else { &osd.state };
                self.notes.push(Obstacle::about(
                    code::OSD_DOWN,
                    Some(node),
                    format!("osd.{} {state}", osd.id),
                    osd.disks.join(", "),
                    format!("`journalctl -u ceph-osd@{}` says why it stopped", osd.id),
                ));
            }
        }
    }

    /// OSDs of this cluster on disks the spec does not name, or no longer.
    fn dropped(&mut self, scene: &Scene<'_>, node: &NodeName, osds: &[LocalOsd]) {
        let choice = scene.wish.disks.get(node);
        if choice.is_some_and(|c| !c.refused.is_empty()) {
            return;
        }
        let named = |disk: &String| choice.is_some_and(|c| c.chosen.iter().any(|c| c.disk.name == *disk));
        let ours = |o: &&LocalOsd| scene.conf.fsid() == Some(o.cluster.as_str());
        for osd in osds.iter().filter(ours).filter(|o| !o.disks.is_empty() && !o.disks.iter().any(named)) {
            let id = osd.id;
            self.notes.push(Obstacle::about(
                code::NOT_OURS,
                Some(node),
                format!("osd.{id} is on a disk that `osds` does not name"),
                osd.disks.join(", "),
                format!("nothing of it is touched; to be rid of it: `ceph osd out {id}`, wait for active+clean, then `pveceph osd destroy {id}`"),
            ));
        }
    }

    /// Where packages come from, and what runs. The daemons of a lab are its distribution's, whatever the spec says.
    fn releases(&mut self, scene: &Scene<'_>) {
        let want = (install::release(scene.ceph.version), install::repository(scene.ceph.repository));
        let sources: Vec<(&NodeName, (&str, &str))> = scene
            .nodes()
            .filter(|(_, facts)| install::installed(facts))
            .filter_map(|(node, facts)| Some((node, install::source(facts)?)))
            .filter(|(_, have)| *have != want)
            .collect();
        let lab = scene.nodes().any(|(_, facts)| facts.realm.lab.is_some());
        let runs = scene.cluster.filter(|_| !lab).into_iter().flat_map(|c| &c.versions);
        let runs: Vec<(&str, u32)> = runs
            .filter(|(version, _)| install::release_of(version) != Some(want.0))
            .map(|(version, count)| (version.as_str(), *count))
            .collect();
        if sources.is_empty() && runs.is_empty() {
            return;
        }
        let other = !runs.is_empty() || sources.iter().any(|(_, have)| have.0 != want.0);
        let mut list: Vec<String> =
            sources.iter().map(|(node, (release, from))| format!("{node}: {release} from {from}")).collect();
        list.extend(runs.iter().map(|(version, count)| format!("running, {count}: {version}")));
        let missing = scene.nodes().any(|(_, facts)| !install::installed(facts));
        let (message, cure) = if other {
            (
                format!("Ceph is there in another release than {}, which the spec says", want.0),
                "say in [ceph] what is there; ringbolt does not upgrade Ceph, and nothing leads back to an earlier release: follow Proxmox VE's guide, all nodes' packages, then one kind of daemon after the other",
            )
        } else {
            (
                format!("Ceph's packages come from another repository than {}, which the spec says", want.1),
                "say in [ceph] what is there; or change the repository of every node in Proxmox VE (Updates, Repositories)",
            )
        };
        if missing && other {
            self.obstacles.push(Obstacle::about(code::RELEASES, None, message, list.join("\n"), cure));
        } else {
            self.notes.push(Obstacle::about(code::OTHER_RELEASE, None, message, list.join("\n"), cure));
        }
    }

    /// Hosts for the copies, memory for the OSDs.
    fn room(&mut self, scene: &Scene<'_>) {
        let refused = scene.wish.disks.values().any(|c| !c.refused.is_empty());
        let asked = scene.spec.nodes.iter().filter(|n| !n.osds.is_empty());
        // Of a node that is silent nobody knows what it has.
        let known = asked.clone().all(|n| scene.wish.disks.contains_key(&n.name));
        for pool in scene.spec.pools.iter().filter(|_| known && !refused) {
            let need = match pool.keeping {
                Keeping::Copies { size, .. } => size,
                Keeping::Erasure { k, m } => k + m,
            };
            let class = pool.class.as_deref();
            let hosts = scene.wish.hosts(scene.spec, scene.cluster, class);
            if hosts.len() < need as usize {
                let of = class.map(|class| format!(" of class {class}")).unwrap_or_default();
                self.obstacles.push(Obstacle::about(
                    code::TOO_FEW_HOSTS,
                    None,
                    format!(
                        "pool {} wants {need} hosts with OSDs{of}, and there are {}",
                        pool.name,
                        hosts.len()
                    ),
                    hosts.iter().copied().collect::<Vec<_>>().join(", "),
                    "give more nodes such `osds`, say a smaller `size`, or another `class`",
                ));
            }
        }
        self.memory(scene);
    }

    /// What OSDs take at least must leave the node something; what the spec fixes is taken at its word.
    fn memory(&mut self, scene: &Scene<'_>) {
        let (each, cure) = match scene.ceph.memory {
            OsdMemory::Fixed(each) => {
                (each, "say less by `osd_memory` in [ceph], or leave it out: then it is computed")
            }
            OsdMemory::Reserve(_) => {
                (tune::LEAST, "use fewer disks of this node, or give it more memory: an OSD takes no less")
            }
        };
        for (node, share) in tune::shares(scene.spec, scene.fleet).into_iter().flatten() {
            let all = each.saturating_mul(u64::from(share.osds));
            if share.memory > 0 && all.saturating_add(RESERVE) > share.memory {
                self.obstacles.push(Obstacle::about(
                    code::MEMORY,
                    Some(&node),
                    format!(
                        "has {} of memory, and {} OSDs of {} want {}",
                        gib(share.memory),
                        share.osds,
                        gib(each),
                        gib(all)
                    ),
                    "",
                    cure,
                ));
            }
        }
    }

    /// Entries of other things under our names.
    fn storage(&mut self, scene: &Scene<'_>) {
        let text = scene.fleet.shared(pve::path::STORAGE).unwrap_or("");
        let entries = pve::sections(text).unwrap_or_default();
        for wish in &scene.wish.storage {
            let Some(there) = entries.iter().find(|e| e.id == wish.id) else { continue };
            let key = if wish.kind == "rbd" { "pool" } else { "fs-name" };
            let of = there.keys.get(key).map(|v| v.concat()).unwrap_or_default();
            let same = there.kind == wish.kind && (of == wish.of || (of.is_empty() && wish.of == "cephfs"));
            if !same {
                self.obstacles.push(Obstacle::about(
                    code::STORAGE_TAKEN,
                    None,
                    format!("storage {} is there already, of type {}", wish.id, there.kind),
                    format!("{key} {of}"),
                    "give the pool another name, or say `storage = false` for it",
                ));
            }
        }
    }

    /// Only where they are kept by the node itself: a lab's nodes have their host's clock.
    fn clocks(&mut self, scene: &Scene<'_>) {
        const KEEPERS: [&str; 3] = ["chrony.service", "systemd-timesyncd.service", "ntpsec.service"];
        for (node, facts) in scene.nodes().filter(|(_, f)| f.realm.lab.is_none()) {
            let known = |facts: &Facts| KEEPERS.iter().any(|k| facts.state.units.contains_key(*k));
            let runs =
                KEEPERS.iter().any(|k| facts.state.units.get(*k).is_some_and(|u| u.active == "active"));
            if known(facts) && !runs {
                self.notes.push(Obstacle::about(
                    code::CLOCK,
                    Some(node),
                    "no service keeps the clock",
                    KEEPERS.join(", "),
                    "`apt install chrony`: monitors need clocks within 50 ms",
                ));
            }
        }
    }

    /// Monitors are not made on nodes whose clocks are known to be apart.
    fn apart(&mut self, scene: &Scene<'_>) {
        if scene.wish.clocks_due(scene.fleet).is_empty() {
            return;
        }
        let clock = |node| Some((node, scene.fleet.nodes.get(node)?.state.clock?));
        let clocks: Vec<(&NodeName, Clock)> =
            scene.wish.monitors.iter().filter_map(|(node, _)| clock(node)).collect();
        let pairs =
            clocks.iter().enumerate().flat_map(|(at, a)| clocks[at + 1..].iter().map(move |b| (a, b)));
        let Some((a, b)) = pairs.max_by_key(|(a, b)| a.1.apart(&b.1)) else { return };
        let apart = a.1.apart(&b.1);
        if apart <= SKEW {
            return;
        }
        let seconds = |micros: u64| format!("{}.{:03} s", micros / 1_000_000, micros / 1000 % 1000);
        let line = |(node, clock): &(&NodeName, Clock)| {
            let way = if clock.ahead < 0 { "behind" } else { "ahead of" };
            format!("{node}: {} {way} the clock here", seconds(clock.ahead.unsigned_abs()))
        };
        self.obstacles.push(Obstacle::about(
            code::CLOCKS_APART,
            None,
            format!(
                "the clocks of {} and {} are {} apart, and monitors need them within 0.050 s",
                a.0,
                b.0,
                seconds(apart)
            ),
            clocks.iter().map(line).collect::<Vec<_>>().join("\n"),
            "`apt install chrony` on every node, then `chronyc makestep`, then run again",
        ));
    }

    fn pools(&mut self, scene: &Scene<'_>, cluster: &CephCluster) {
        for pool in &scene.wish.pools {
            let Some(there) = cluster.pools.iter().find(|p| p.name == pool.name) else { continue };
            let erasure = pool.create.iter().any(|(key, _)| key == "erasure-coding");
            if pool.creates.is_some() && erasure != (there.kind == "erasure") {
                self.obstacles.push(Obstacle::about(
                    code::POOL_KIND,
                    None,
                    format!(
                        "pool {} is there and is {}",
                        pool.name,
                        if there.kind.is_empty() { "of another kind" } else { &there.kind }
                    ),
                    "",
                    "give the pool in the spec another name",
                ));
                continue;
            }
            let want =
                pool.keep.iter().find(|(key, _)| key == "pg_num").and_then(|(_, v)| v.parse::<u32>().ok());
            let Some(want) = want else { continue };
            if want < there.pg_num {
                self.obstacles.push(Obstacle::about(
                    code::FEWER_GROUPS,
                    None,
                    format!("pool {} has {} placement groups, the spec wants {want}", pool.name, there.pg_num),
                    "",
                    format!("say pg_num = {} or leave it out; fewer is done by hand: `pveceph pool set {} --pg_num {want}`", there.pg_num, pool.name),
                ));
            } else if want > there.pg_num && cluster.used >= FULL {
                self.obstacles.push(Obstacle::about(
                    code::FULL,
                    None,
                    format!(
                        "the cluster is {:.0} % full: pool {} is not split into more placement groups",
                        cluster.used * 100.0,
                        pool.name
                    ),
                    "",
                    "make room or add OSDs first",
                ));
            }
        }
        let named = |name: &str| {
            scene.wish.pools.iter().any(|p| p.name == name) || scene.wish.storage.iter().any(|s| s.of == name)
        };
        for pool in &cluster.pools {
            if pool.min_size < 2 && pool.kind != "erasure" && !pool.name.starts_with('.') {
                self.notes.push(Obstacle::about(
                    code::DATA_LOSS,
                    None,
                    format!("pool {} accepts writes with a single copy", pool.name),
                    format!("size {}, min_size {}", pool.size, pool.min_size),
                    "three copies with `min_size = 2`, on three hosts",
                ));
            }
        }
        let others: Vec<&str> = cluster
            .pools
            .iter()
            .map(|p| p.name.as_str())
            .filter(|n| !n.starts_with('.') && !named(n))
            .collect();
        if !others.is_empty() {
            self.notes.push(Obstacle::about(
                code::NOT_OURS,
                None,
                format!("pools the spec does not name: {}", others.join(", ")),
                "",
                "nothing of them is touched; to be rid of one: `pveceph pool destroy NAME`, once nobody uses its data",
            ));
        }
    }

    fn complaints(&mut self, scene: &Scene<'_>, cluster: &CephCluster) {
        for complaint in cluster.complaints.iter().filter(|c| !c.muted) {
            let skew = complaint.code == "MON_CLOCK_SKEW";
            self.notes.push(Obstacle::about(
                if skew { code::CLOCK } else { code::COMPLAINT },
                None,
                format!("Ceph complains: {}", complaint.summary),
                complaint.code.clone(),
                if skew { "`apt install chrony` on every node, then `chronyc makestep`; `ceph time-sync-status` shows who is off" } else { "`ceph health detail` says more" },
            ));
        }
        for text in tune::remarks(scene.ceph, cluster) {
            self.notes.push(Obstacle::about(
                code::SCRUB_WINDOW,
                None,
                text,
                "",
                "widen `scrub` in [ceph], or leave it out",
            ));
        }
    }
}

/// Memory in words: `5.5 GiB`.
fn gib(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30)
}

/// What is in the way of interrupting the mesh below a cluster in this condition.
pub(in super::super) fn unfit(cluster: &CephCluster) -> Option<Obstacle> {
    let inactive = |state: &&String| !state.split('+').any(|word| word == "active");
    let stuck: u64 = cluster.placement_groups.iter().filter(|(s, _)| inactive(s)).map(|(_, n)| n).sum();
    if cluster.health != "HEALTH_ERR" && stuck == 0 {
        return None;
    }
    let lines: Vec<String> =
        cluster.complaints.iter().map(|c| format!("{}: {}", c.code, c.summary)).collect();
    Some(Obstacle::about(
        code::UNHEALTHY,
        None,
        if stuck > 0 {
            format!("{stuck} placement groups serve nobody: the mesh is not interrupted now")
        } else {
            format!("Ceph says {}: the mesh is not interrupted now", cluster.health)
        },
        lines.join("\n"),
        "mend what `ceph health detail` says, then run again",
    ))
}
