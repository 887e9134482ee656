//! Reboots: what is only live is gone, what is in files comes back. Shows whether a mesh survives.

use std::collections::BTreeSet;

use super::{Cluster, Node, Socket, stanza};
use crate::facts::Known;
use crate::into_set::IntoSet;
use crate::name::NodeName;

impl Cluster {
    /// Reboots nodes, all at the same time.
    pub fn reboot(&mut self, names: &[NodeName]) {
        let there: BTreeSet<&NodeName> = names.iter().into_set();
        let touched: Vec<Socket> = self
            .cables
            .iter()
            .filter(|(a, b)| there.contains(&a.node) || there.contains(&b.node))
            .flat_map(|(a, b)| [a.clone(), b.clone()])
            .collect();
        if self.thunderbolt {
            for end in &touched {
                if let Some(node) = self.nodes.get_mut(&end.node) {
                    node.unplug(&end.place);
                }
            }
        }
        let clock = self.clock;
        for name in names {
            if let Some(node) = self.nodes.get_mut(name) {
                node.boot(clock);
            }
        }
        self.plug_all();
        self.settle();
    }

    /// Interfaces of all Thunderbolt cables whose both ends have the network driver appear.
    pub(super) fn plug_all(&mut self) {
        if !self.thunderbolt {
            return;
        }
        self.introduce();
        let ready = |nodes: &std::collections::BTreeMap<NodeName, Node>, end: &Socket| {
            nodes.get(&end.node).is_some_and(|n| n.facts.state.modules.contains("thunderbolt_net"))
                && !self.off.contains(&end.node)
        };
        let cables: Vec<_> = self.cables.iter().cloned().collect();
        for (a, b) in cables {
            if ready(&self.nodes, &a) && ready(&self.nodes, &b) {
                for end in [a, b] {
                    if let Some(node) = self.nodes.get_mut(&end.node) {
                        node.appear(&end.place);
                    }
                }
            }
        }
    }
}

impl Node {
    fn boot(&mut self, clock: u64) {
        self.heal(clock, true);
        self.boots += 1;
        let host = self.facts.inventory.boot_id.get(..24).unwrap_or("").to_owned();
        self.facts.inventory.boot_id = format!("{host}{:012x}", 0xb000_0000_0000_u64 + u64::from(self.boots));
        let state = &mut self.facts.state;
        state.files.retain(|path, _| !path.starts_with("/run/"));
        for value in state.sysctl.values_mut() {
            "0".clone_into(value);
        }
        state.modules.remove("thunderbolt_net");
        state.routes.retain(|r| r.to.prefix_len() == 0);
        state.frr = Known::No("FRR is not running".into());
        for unit in state.units.values_mut() {
            unit.active = if unit.enabled == "enabled" { "active" } else { "inactive" }.into();
        }
        let files: Vec<(String, String)> =
            state.files.iter().filter_map(|(p, f)| Some((p.clone(), f.text.clone()?))).collect();
        for (path, text) in &files {
            if path.starts_with("/etc/modules-load.d/") {
                self.facts
                    .state
                    .modules
                    .extend(text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned));
            } else if path.starts_with("/etc/sysctl.d/") {
                self.load_sysctl(text);
            }
        }
        self.configured.clear();
        self.facts.inventory.interfaces.retain(|_, i| i.kind.as_deref() != Some("dummy"));
        for (name, interface) in &mut self.facts.inventory.interfaces {
            if interface.kind.is_none() && name != "lo" && interface.master.is_none() {
                interface.up = false;
                interface.mtu = 1500;
                interface.addresses.clear();
            } else if name == "lo" {
                interface.addresses.retain(|a| a.addr().is_loopback());
            }
        }
        stanza::ifreload(self);
        if self.frr_active() {
            self.start_frr();
        }
    }
}
