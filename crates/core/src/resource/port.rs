//! A port that is there: its name, its MTU, up. Later appearances are the `.link` file's and the
//! hot-plug unit's business; this is about now.

use serde::Serialize;

use super::{Outcome, carries_traffic, step};
use crate::action::Action;
use crate::bind::interface_at;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::step::{Phase, Risk, Step};

/// One port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Name it shall have.
    pub name: PortName,
    /// PCI address of its controller; `None` for Ethernet, where the name is given.
    pub pci: Option<String>,
    /// MTU in bytes.
    pub mtu: u32,
}

impl Port {
    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let now = match &self.pci {
            Some(pci) => interface_at(facts, pci),
            None => Some(self.name.to_string()),
        };
        let Some((now, interface)) = now.and_then(|n| Some((n.clone(), facts.inventory.interfaces.get(&n)?)))
        else {
            return Outcome::default();
        };
        if let Some(master) = &interface.master {
            return Outcome::obstacle(Obstacle {
                code: "RB0520".into(),
                node: Some(node.clone()),
                message: format!("port {} belongs to {master}", self.name),
                evidence: String::new(),
                cure: format!(
                    "take {now} out of {master}, or leave it out of the fabric by `ports` in the spec"
                ),
            });
        }
        if let Some(max) = interface.max_mtu.filter(|max| *max < self.mtu) {
            return Outcome::obstacle(Obstacle {
                code: "RB0528".into(),
                node: Some(node.clone()),
                message: format!("port {} allows an MTU of {max} at most, not {}", self.name, self.mtu),
                evidence: String::new(),
                cure: format!("say `mtu = {max}` in [fabric], or use another kernel or card"),
            });
        }
        let renamed = now == self.name.as_str();
        if let Some(other) = facts.inventory.interfaces.get(self.name.as_str()).filter(|_| !renamed) {
            return Outcome::obstacle(Obstacle {
                code: "RB0515".into(),
                node: Some(node.clone()),
                message: format!("{now} cannot be named {}: another interface has that name", self.name),
                evidence: format!(
                    "{} is at {}, driver {}",
                    self.name,
                    other.path.as_deref().unwrap_or("no known place"),
                    other.driver.as_deref().unwrap_or("unknown")
                ),
                cure:
                    "give the ports other names by `ports` in the spec, in the order of their PCI addresses"
                        .into(),
            });
        }
        if renamed && interface.mtu == self.mtu && interface.up {
            return Outcome::default();
        }
        Outcome::step(self.adopt(node, facts, &now, interface.mtu))
    }

    fn adopt(&self, node: &NodeName, facts: &Facts, now: &str, mtu: u32) -> Step {
        let live = facts.state.frr.yes().map_or_else(
            || carries_traffic(facts),
            |f| f.neighbors.iter().any(|n| n.interface == now && n.state == "Up"),
        );
        let title = if now == self.name.as_str() {
            format!("set {} up with MTU {}", self.name, self.mtu)
        } else {
            format!("name {now} {}, MTU {}", self.name, self.mtu)
        };
        let action = match &self.pci {
            Some(pci) => Action::AdoptPort { pci: pci.clone(), name: self.name.clone(), mtu: self.mtu },
            None => Action::BringUp { interface: self.name.to_string() },
        };
        Step {
            title: title.into(),
            why: if mtu == self.mtu {
                "the port must be up under its lasting name".into()
            } else {
                format!("its MTU is {mtu}, and both ends of a cable must have the same: {}", self.mtu).into()
            },
            proof: vec![
                (node.clone(), Check::Port { port: self.name.clone() }),
                (node.clone(), Check::Mtu { interface: self.name.to_string(), mtu: self.mtu }),
            ],
            risk: if live { Risk::Disruptive } else { Risk::Safe },
            interrupts: if live {
                format!("the cable at {node}:{} is down for about a second", self.name).into()
            } else {
                "".into()
            },
            ..step(node, format_args!("port:{}", self.name), Phase::Ports, action)
        }
    }
}
