//! What the nodes must be like before anything is planned: reachable, one quorate cluster, nobody
//! else's changes pending, no second fabric in the way.

use std::collections::{BTreeMap, BTreeSet};

use super::build;
use super::cluster;
use crate::arrange::Arrange;
use crate::bind::Binding;
use crate::checkpoint;
use crate::facts::{Facts, Fleet, pve};
use crate::into_map::IntoMap;
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::resource::owed::speaker;
use crate::spec::{Routing, Spec};
use crate::topology::Topology;

/// Looks at all nodes; returns obstacles and notes.
pub fn preflight(
    spec: &Spec,
    fleet: &Fleet,
    binding: &Binding,
    topology: &Topology,
) -> (Vec<Obstacle>, Vec<Obstacle>) {
    let mut look = Look { spec, obstacles: binding.obstacles.clone(), notes: binding.notes.clone() };
    for (node, facts) in &fleet.nodes {
        look.identity(node, facts);
        look.software(node, facts);
        look.leftovers(node, facts);
        look.checkpoint(node, facts);
    }
    look.membership(fleet);
    if spec.fabric.routing == Routing::Openfabric {
        look.sdn(fleet, binding);
    }
    look.cabling(fleet, topology);
    look.forgotten_ceph(fleet);
    build::tidy(&mut look.obstacles);
    build::tidy(&mut look.notes);
    (look.obstacles, look.notes)
}

impl Look<'_> {
    /// Ceph is there, and the spec has none: nothing of it is touched, what it waits by included.
    fn forgotten_ceph(&mut self, fleet: &Fleet) {
        let there = |facts: &&Facts| facts.state.files.contains_key(crate::facts::ceph_conf::PATH);
        if self.spec.ceph.is_none() && fleet.nodes.values().any(|f| there(&f)) {
            self.notes.push(Obstacle::about(
                "RB0683",
                None,
                "Ceph is there, and the spec has none: it is left alone, and not verified",
                "",
                "name its disks by `osds` where ringbolt is to keep it",
            ));
        }
    }
}

struct Look<'a> {
    spec: &'a Spec,
    obstacles: Vec<Obstacle>,
    notes: Vec<Obstacle>,
}

/// A section as lines of a diff.
fn shown(sign: char, section: &pve::Section) -> Vec<String> {
    let keys = section.keys.iter().flat_map(|(key, values)| values.iter().map(move |v| (key, v)));
    let head = format!("{sign} {}: {}", section.kind, section.id);
    std::iter::once(head).chain(keys.map(|(key, value)| format!("{sign}   {key} {value}"))).collect()
}

/// Two forms of one section as a diff: the head, then the lines only one of them has.
fn differing(before: &pve::Section, after: &pve::Section) -> Vec<String> {
    let (old, new) = (shown('-', before), shown('+', after));
    let has = |list: &[String], line: &str| list.iter().any(|l| l[1..] == line[1..]);
    let head = format!("  {}: {}", after.kind, after.id);
    let gone = old.iter().filter(|l| !has(&new, l)).cloned();
    let come = new.iter().filter(|l| !has(&old, l)).cloned();
    std::iter::once(head).chain(gone).chain(come).collect()
}

impl Look<'_> {
    fn identity(&mut self, node: &NodeName, facts: &Facts) {
        if facts.hostname != node.as_str() {
            self.obstacles.push(Obstacle::about(
                "RB0502",
                Some(node),
                format!("calls itself {}", facts.hostname),
                format!("the spec has {node} at the address where ssh reached {}", facts.hostname),
                self.renamed(node, &facts.hostname),
            ));
        }
        if facts.inventory.arch != "x86_64" {
            self.obstacles.push(Obstacle::about(
                "RB0519",
                Some(node),
                format!("is a {} machine", facts.inventory.arch),
                "",
                "Proxmox VE 9 runs on x86_64",
            ));
        }
    }

    /// What to do about nodes of the spec that the cluster does not have.
    fn absent(&self, absent: &[&str], members: &[&str]) -> String {
        let known = |name: &str| self.spec.nodes.iter().any(|n| n.name.as_str() == name);
        let others: Vec<&str> = members.iter().copied().filter(|name| !known(name)).collect();
        let mut cure = format!(
            "join {} to the cluster first (`pvecm add`), or take the [[node]] out of the spec",
            absent.join(", ")
        );
        if !others.is_empty() {
            cure += &format!(
                "; the cluster also has {}: if that is the same machine, correct the line `name = \"{}\"`",
                others.join(", "),
                absent[0]
            );
        }
        cure
    }

    /// What to write where a node has another host name than its entry.
    fn renamed(&self, node: &NodeName, hostname: &str) -> String {
        let address = self.spec.nodes.iter().find(|n| n.name == *node).map(|n| n.address);
        let address = address.map_or_else(String::new, |a| a.to_string());
        if self.spec.nodes.iter().any(|n| n.name.as_str() == hostname) {
            return format!(
                "two entries of the spec are swapped, or {node} has the address of {hostname}: correct the line `address = \"{address}\"` of [[node]] {node}"
            );
        }
        format!(
            "in the spec, change the line `name = \"{node}\"` (the [[node]] with address {address}) to `name = \"{hostname}\"`, or its address to that of {node}: Proxmox VE knows a node by its host name"
        )
    }

    fn software(&mut self, node: &NodeName, facts: &Facts) {
        let version = facts.inventory.packages.get("pve-manager").map(String::as_str);
        match version {
            None => self.obstacles.push(Obstacle::about(
                "RB0519",
                Some(node),
                "does not run Proxmox VE",
                "package pve-manager is not installed",
                "install Proxmox VE 9, then run again",
            )),
            Some(v) if !facts.at_least("pve-manager", &[9]) => self.obstacles.push(Obstacle::about(
                "RB0519",
                Some(node),
                format!("runs Proxmox VE {v}; SDN fabrics came with 9.0"),
                "",
                "upgrade the node to Proxmox VE 9",
            )),
            Some(_) => {}
        }
        if self.spec.fabric.routing == Routing::Openfabric && !facts.at_least("libpve-rs-perl", &[0, 11]) {
            self.notes.push(Obstacle::about(
                "RB0525",
                Some(node),
                "has a libpve-rs-perl older than 0.11",
                facts.inventory.packages.get("libpve-rs-perl").cloned().unwrap_or_default(),
                "upgrade it: before that, ports had no address of their own and traffic through a middle node could fail",
            ));
        }
        if facts.state.units.get("systemd-networkd.service").is_some_and(|u| u.enabled == "enabled") {
            self.notes.push(Obstacle::about(
                "RB0523",
                Some(node),
                "has systemd-networkd enabled beside ifupdown2",
                "",
                "`systemctl disable systemd-networkd systemd-networkd-wait-online`: .link files do not need it, and it delays the boot by up to two minutes",
            ));
        }
    }

    /// A node in a checkpoint is about to change by itself; one that has undone something says so.
    fn checkpoint(&mut self, node: &NodeName, facts: &Facts) {
        if let Some(armed) = checkpoint::armed(facts) {
            let until = checkpoint::utc(armed.until());
            self.obstacles.push(Obstacle::about(
                "RB0551",
                Some(node),
                format!("waits for the confirmation of a step of run {}", armed.run),
                format!("{}: unconfirmed, it is undone at {until} by the node's clock", armed.step),
                format!(
                    "wait until then, {} s from its beginning at most; `ringbolt apply` has it undone at once when that run is dead",
                    armed.seconds
                ),
            ));
        }
        self.notes.extend(checkpoint::report(node, facts));
    }

    fn leftovers(&mut self, node: &NodeName, facts: &Facts) {
        if facts.state.files.contains_key(pve::path::INTERFACES_NEW) {
            self.obstacles.push(Obstacle::about(
                "RB0510",
                Some(node),
                "has network edits that were never applied (/etc/network/interfaces.new)",
                facts.text(pve::path::INTERFACES_NEW).unwrap_or("").to_owned(),
                "apply or revert them in the web interface (System → Network): our apply would activate them",
            ));
        }
    }

    fn membership(&mut self, fleet: &Fleet) {
        let mut clusters: BTreeSet<String> = BTreeSet::new();
        for (node, facts) in &fleet.nodes {
            let Some(text) = facts.text(pve::path::MEMBERS) else {
                // A list too long to be read: no cluster Proxmox VE supports has one.
                if facts.state.files.contains_key(pve::path::MEMBERS) {
                    continue;
                }
                self.no_cluster(node, "/etc/pve is not there: pve-cluster does not run");
                continue;
            };
            let members = match pve::members(text) {
                Ok(members) => members,
                Err(e) => {
                    self.no_cluster(node, &e.to_string());
                    continue;
                }
            };
            let Some(cluster) = members.cluster else {
                self.no_cluster(node, "pmxcfs knows of no cluster");
                continue;
            };
            if cluster.quorate != 1 || facts.state.pve_writable == Some(false) {
                let online: Vec<&str> = members
                    .nodelist
                    .iter()
                    .filter(|(_, m)| m.online == 1)
                    .map(|(name, _)| name.as_str())
                    .collect();
                self.obstacles.push(Obstacle::about(
                    "RB0508",
                    Some(node),
                    "has no quorum: /etc/pve is read-only there",
                    format!("it sees {} of {} nodes: {}", online.len(), cluster.nodes, online.join(", ")),
                    "start the missing nodes, or mend the corosync network (`pvecm status`)",
                ));
            }
            let wanted = self.spec.nodes.iter().map(|n| n.name.as_str());
            let mut absent: Vec<&str> = wanted.filter(|n| !members.nodelist.contains_key(*n)).collect();
            absent.arrange();
            if !absent.is_empty() {
                self.obstacles.push(Obstacle::about(
                    "RB0503",
                    Some(node),
                    format!("is in cluster {}, which does not have {}", cluster.name, absent.join(", ")),
                    "",
                    self.absent(&absent, &members.nodelist.keys().map(String::as_str).collect::<Vec<_>>()),
                ));
            }
            clusters.insert(cluster.name);
        }
        if clusters.len() > 1 {
            let names: Vec<String> = clusters.into_iter().collect();
            self.obstacles.push(Obstacle::about(
                "RB0503",
                None,
                "the nodes are in different clusters",
                names.join(", "),
                "a fabric belongs to one cluster: one spec for each",
            ));
        }
    }

    fn no_cluster(&mut self, node: &NodeName, evidence: &str) {
        self.obstacles.push(Obstacle::about(
            "RB0503",
            Some(node),
            "is in no Proxmox VE cluster",
            evidence,
            "create one (`pvecm create NAME` on one node, `pvecm add ADDRESS` on the others), then run again",
        ));
    }

    fn sdn(&mut self, fleet: &Fleet, binding: &Binding) {
        let Some((node, facts)) = speaker(fleet) else { return };
        if let Some(token) =
            facts.text(pve::path::LOCK).filter(|_| !crate::resource::owed::holds_sdn_lock(facts))
        {
            self.obstacles.push(Obstacle::about(
                "RB0511",
                Some(node),
                "somebody holds Proxmox VE's SDN lock",
                token.trim().to_owned(),
                "let them finish; if it was left behind: `pvesh delete /cluster/sdn/lock --force 1`",
            ));
        }
        let (staged, running) = match cluster::fabrics(facts) {
            Ok(both) => both,
            Err(why) => {
                self.obstacles.push(Obstacle::about(
                    "RB0529",
                    Some(node),
                    "Proxmox VE's fabric configuration cannot be read",
                    why,
                    "look at the file named; `pvesh get /cluster/sdn/fabrics/all` shows what PVE makes of it",
                ));
                return;
            }
        };
        self.pending(node, &staged, &running);
        self.conflicts(node, &staged, binding);
    }

    /// Staged sections that are neither applied nor ours.
    fn pending(&mut self, node: &NodeName, staged: &[pve::Section], running: &[pve::Section]) {
        let id = self.spec.fabric.id.as_str();
        let member = |s: &pve::Section| {
            s.id.strip_prefix(id).and_then(|rest| rest.strip_prefix('_')).map(str::to_owned)
        };
        let ours = |s: &pve::Section| s.id == id || member(s).is_some();
        // What an interrupted run of ours has staged names only nodes we know; the plan goes on from there.
        let known: BTreeSet<&str> = self.spec.nodes.iter().map(|n| n.name.as_str()).into_set();
        let mine = |s: &pve::Section| s.id == id || member(s).is_some_and(|n| known.contains(n.as_str()));
        let by_id = |list: &'_ [pve::Section]| -> BTreeMap<String, pve::Section> {
            list.iter().map(|s| (s.id.clone(), s.clone())).into_map()
        };
        let (before, after) = (by_id(running), by_id(staged));
        let mut lines = Vec::new();
        for section in staged.iter().filter(|s| !mine(s)) {
            match before.get(&section.id) {
                Some(r) if crate::resource::fabric::same(r, section) => {}
                Some(r) => lines.extend(differing(r, section)),
                None => lines.extend(shown('+', section)),
            }
        }
        for section in running.iter().filter(|r| !ours(r) && !after.contains_key(&r.id)) {
            lines.extend(shown('-', section));
        }
        if !lines.is_empty() {
            self.obstacles.push(Obstacle::about(
                "RB0509",
                Some(node),
                "somebody else's SDN changes are staged and not applied",
                lines.join("\n"),
                "apply or revert them first (Datacenter → SDN): our apply would activate them, and so would any node's next reboot",
            ));
        }
    }

    fn conflicts(&mut self, node: &NodeName, staged: &[pve::Section], binding: &Binding) {
        let fabric = &self.spec.fabric;
        let id = fabric.id.as_str();
        for section in staged.iter().filter(|s| s.kind.ends_with("_fabric")) {
            let value = |key: &str| section.keys.get(key).map(|v| v.concat()).unwrap_or_default();
            if section.id == id {
                let want = fabric.prefix.map(|p| p.trunc().to_string()).unwrap_or_default();
                let want6 = fabric.prefix6.map(|p| p.trunc().to_string()).unwrap_or_default();
                if section.kind != "openfabric_fabric" {
                    self.obstacles.push(Obstacle::about(
                        "RB0512",
                        Some(node),
                        format!("a fabric {id} is there already, with another protocol ({})", section.kind),
                        "",
                        "say another `id` in [fabric], or remove that fabric in Proxmox VE",
                    ));
                } else if value("ip_prefix") != want || value("ip6_prefix") != want6 {
                    self.obstacles.push(Obstacle::about(
                        "RB0512",
                        Some(node),
                        format!("a fabric {id} is there already, with another prefix"),
                        format!("there: {} {}\nspec:  {want} {want6}", value("ip_prefix"), value("ip6_prefix")),
                        "use its prefix in the spec, say another `id`, or remove that fabric in Proxmox VE: renumbering a live mesh is not done by the way",
                    ));
                }
            } else {
                let own = [fabric.prefix.map(ipnet::IpNet::V4), fabric.prefix6.map(ipnet::IpNet::V6)];
                for (prefix, key) in own.into_iter().zip(["ip_prefix", "ip6_prefix"]) {
                    let (Some(prefix), Ok(other)) = (prefix, value(key).parse::<ipnet::IpNet>()) else {
                        continue;
                    };
                    if prefix.contains(&other) || other.contains(&prefix) {
                        self.obstacles.push(Obstacle::about(
                            "RB0514",
                            Some(node),
                            format!("prefix {prefix} overlaps {other} of fabric {}", section.id),
                            "",
                            "choose another prefix in [fabric]",
                        ));
                    }
                }
            }
        }
        for section in staged.iter().filter(|s| s.kind.ends_with("_node")) {
            let Some((other, member)) = section.id.split_once('_') else { continue };
            if other == id {
                continue;
            }
            if let Some((bound, ports)) = binding.ports.get_key_value(member) {
                let taken: Vec<&str> = ports
                    .iter()
                    .map(|p| p.name.as_str())
                    .filter(|p| {
                        let key = format!("name={p}");
                        section
                            .keys
                            .get("interfaces")
                            .into_iter()
                            .flatten()
                            .any(|v| v.split(',').any(|part| part == key))
                    })
                    .collect();
                if !taken.is_empty() {
                    self.obstacles.push(Obstacle::about(
                        "RB0513",
                        Some(bound),
                        format!("port {} is in fabric {other} already", taken.join(", ")),
                        "",
                        format!("take it out of fabric {other} in Proxmox VE, or say `id = \"{other}\"` in [fabric] to go on with that one"),
                    ));
                }
            }
        }
    }

    fn cabling(&mut self, fleet: &Fleet, topology: &Topology) {
        if fleet.nodes.len() < self.spec.nodes.len() {
            return;
        }
        let known =
            self.spec.fabric.transport == crate::spec::Transport::Thunderbolt || !self.spec.links.is_empty();
        if let crate::topology::Shape::Pieces { pieces, .. } = topology.shape()
            && known
        {
            let parts: Vec<String> = pieces
                .iter()
                .map(|p| format!("{{{}}}", p.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")))
                .collect();
            self.notes.push(Obstacle::about(
                "RB0507",
                None,
                "the cables leave the nodes in separate pieces",
                parts.join("  "),
                "plug a cable between the pieces; the plan goes on, and each piece is a mesh of its own until then",
            ));
        }
    }
}
