//! Power of simulated nodes: one that is off says nothing, its cables are dark, its daemons are gone,
//! and `/etc/pve` is read-only where the rest is no majority.

use super::{Cluster, Node, Socket};
use crate::facts::Known;
use crate::name::NodeName;

impl Cluster {
    /// Takes the power away.
    pub fn power_off(&mut self, name: &NodeName) {
        if !self.nodes.contains_key(name) || !self.off.insert(name.clone()) {
            return;
        }
        for end in self.far_ends(name) {
            if let (Some(node), true) = (self.nodes.get_mut(&end.node), self.thunderbolt) {
                node.unplug(&end.place);
            }
        }
        self.powered();
    }

    /// Gives it back: the node boots.
    pub fn power_on(&mut self, name: &NodeName) {
        if self.off.remove(name) {
            self.reboot(std::slice::from_ref(name));
            self.powered();
        }
    }

    /// Whether a node can be reached: it has power, and the address it is managed at.
    pub fn reached(&self, name: &NodeName) -> bool {
        let there = |node: &Node| node.home.is_none() || node.door().is_some();
        !self.off.contains(name) && self.nodes.get(name).is_some_and(there)
    }

    /// The interface a node is managed over goes down.
    pub fn cut_off(&mut self, name: &NodeName) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let Some(door) = node.door().map(str::to_owned) else { return };
        if let Some(interface) = node.facts.inventory.interfaces.get_mut(&door) {
            interface.up = false;
        }
        self.settle_near(name);
    }

    fn far_ends(&self, name: &NodeName) -> Vec<Socket> {
        let ends = self.cables.of(name);
        ends.map(|(a, b)| if a.node == *name { b.clone() } else { a.clone() }).collect()
    }

    /// What follows for quorum and Ceph.
    fn powered(&mut self) {
        let writable = 2 * (self.nodes.len() - self.off.len()) > self.nodes.len();
        for (name, node) in &mut self.nodes {
            node.facts.state.pve_writable = Some(writable);
            let on = !self.off.contains(name);
            self.ceph.osds.iter_mut().filter(|o| o.host == name.as_str()).for_each(|o| o.up = on);
            node.daemons(on);
        }
        self.settle();
        self.tell_ceph();
    }
}

impl Node {
    fn daemons(&mut self, run: bool) {
        if let Known::Yes(ceph) = &mut self.facts.state.ceph {
            let lists = [&mut ceph.monitors, &mut ceph.managers, &mut ceph.metadata];
            lists.into_iter().flatten().for_each(|daemon| daemon.runs = run);
        }
    }
}
