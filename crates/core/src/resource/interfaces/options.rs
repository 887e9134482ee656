//! Options of interfaces outside of the fabric, by `[[interface]]`: the bridge of the management network and
//! the like.
//!
//! Only a line of a stanza that is there is changed, and what is live follows by a reload under a checkpoint:
//! nothing else ringbolt does can cut a node off as surely.

use serde::Serialize;

use super::{INTERFACES, Interfaces, Kind, Part, Refusal, sets, split, with_option};
use crate::action::Action;
use crate::bind::interface_at;
use crate::check::Check;
use crate::facts::Facts;
use crate::name::NodeName;
use crate::obstacle::Obstacle;
use crate::resource::step;
use crate::step::{Phase, Risk, Step};

/// One interface and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Its name.
    pub name: String,
    /// MTU in bytes.
    pub mtu: Option<u32>,
    /// Ports of the bridge.
    pub bridge_ports: Option<Vec<String>>,
}

impl Options {
    /// Lines of the stanza: key and value.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let ports = self.bridge_ports.as_ref().map(|ports| match ports.as_slice() {
            [] => "none".to_owned(),
            some => some.join(" "),
        });
        let mtu = self.mtu.map(|mtu| ("mtu", mtu.to_string()));
        ports.map(|ports| ("bridge-ports", ports)).into_iter().chain(mtu).collect()
    }

    /// Sets them in the stanza that has the option, else in the first of the interface.
    pub(super) fn settle(&self, parts: &mut [Part<'_>]) -> Result<(), Refusal> {
        let own: Vec<usize> =
            (0..parts.len()).filter(|i| parts[*i].kind == Kind::Iface(&self.name)).collect();
        let text = || own.iter().map(|i| &*parts[*i].text).collect::<String>();
        let Some(first) = own.first() else {
            return Err(Refusal::Unfit {
                what: format!("{INTERFACES} has no stanza for {}", self.name),
                text: String::new(),
            });
        };
        let mut edits = Vec::new();
        for (key, value) in self.lines() {
            let with: Vec<usize> =
                own.iter().copied().filter(|i| parts[*i].text.lines().any(|l| sets(l, key))).collect();
            if with.len() > 1 {
                let what = format!("{INTERFACES} sets {key} of {} in more than one stanza", self.name);
                return Err(Refusal::Unfit { what, text: text() });
            }
            edits.push((with.first().copied().unwrap_or(*first), key, value));
        }
        for (at, key, value) in edits {
            let stands = parts[at].text.lines().filter(|l| sets(l, key)).any(|l| value_of(l) == value);
            if !stands {
                parts[at].text = with_option(&parts[at].text, key, &value).into();
            }
        }
        Ok(())
    }

    /// Whether the file has all of it already.
    pub(super) fn stands_in(&self, text: &str) -> bool {
        let parts = split(text);
        let own = || parts.iter().filter(|p| p.kind == Kind::Iface(&self.name)).flat_map(|p| p.text.lines());
        self.lines().iter().all(|(key, value)| own().any(|l| sets(l, key) && value_of(l) == *value))
    }

    /// What cannot be, whatever the file says.
    pub(super) fn unfit(&self, node: &NodeName, facts: &Facts, fabric: &Interfaces) -> Option<Obstacle> {
        let now: Vec<String> = fabric.controllers.iter().filter_map(|pci| interface_at(facts, pci)).collect();
        let of_fabric =
            |name: &str| now.iter().any(|n| n == name) || fabric.ports.iter().any(|p| p.as_str() == name);
        let absent = |name: &&String| !facts.inventory.interfaces.contains_key(*name);
        let members = self.bridge_ports.iter().flatten();
        let message = if of_fabric(&self.name) {
            format!("{} is a port of the fabric: its MTU is that of [fabric]", self.name)
        } else if let Some(port) = members.clone().find(|p| of_fabric(p)) {
            format!("{port} is a port of the fabric and cannot be one of {}", self.name)
        } else {
            format!("has no interface {} to be a port of {}", members.clone().find(absent)?, self.name)
        };
        Some(Obstacle {
            code: "RB0552".into(),
            node: Some(node.clone()),
            message,
            evidence: String::new(),
            cure: "correct [[interface]]: `ip -br link` on the node lists what it has".into(),
        })
    }

    /// What must be live.
    pub(super) fn checks(&self) -> Vec<Check> {
        let member = |port: &String| Check::Member { interface: port.clone(), bridge: self.name.clone() };
        let mtu = self.mtu.map(|mtu| Check::Mtu { interface: self.name.clone(), mtu });
        self.bridge_ports.iter().flatten().map(member).chain(mtu).collect()
    }
}

/// What follows the key of a line, blanks made one.
fn value_of(line: &str) -> String {
    line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}

/// The reload that makes live what the file says, where it is not so yet.
pub(super) fn reload(node: &NodeName, facts: &Facts, text: &str, all: &[Options]) -> Option<Step> {
    let due = |o: &&Options| !o.stands_in(text) || o.checks().iter().any(|check| !check.look(facts).holds);
    let due: Vec<&Options> = all.iter().filter(due).collect();
    if due.is_empty() {
        return None;
    }
    let words: Vec<String> = due
        .iter()
        .flat_map(|o| o.lines().into_iter().map(|(key, value)| format!("{} {key} {value}", o.name)))
        .collect();
    let names: Vec<&str> = due.iter().map(|o| o.name.as_str()).collect();
    Some(Step {
        title: format!("reload the interfaces: {}", words.join(", ")).into(),
        why: "what runs is not what the file says".into(),
        proof: due.iter().flat_map(|o| o.checks()).map(|check| (node.clone(), check)).collect(),
        patience: 20,
        risk: Risk::Disruptive,
        interrupts: format!(
            "what goes over {} on {node}, for a moment; ssh to it as well where that is the way",
            names.join(", ")
        )
        .into(),
        ..step(node, format_args!("ifreload:interfaces"), Phase::Ports, Action::ReloadInterfaces)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const FILE: &str = "auto lo\niface lo inet loopback\n\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.11.12.12/24\n\tbridge_ports eno1\n\tbridge-stp off\n\niface vmbr0 inet6 static\n\taddress fd00::1/64\n\nsource /etc/network/interfaces.d/*\n";

    fn wish(ports: &[&str], mtu: Option<u32>) -> Interfaces {
        let bridge_ports = Some(ports.iter().map(|p| (*p).to_owned()).collect());
        let options = vec![Options { name: "vmbr0".into(), mtu, bridge_ports }];
        Interfaces { ports: Vec::new(), controllers: Vec::new(), mtu: 9000, sdn_only: true, options }
    }

    #[test]
    fn the_line_that_is_there_is_changed_and_a_missing_one_is_added() {
        let edited = wish(&["eno2", "eno3"], Some(9000)).edit(FILE).unwrap();
        assert!(
            edited.contains("inet static\n\tmtu 9000\n\taddress 10.11.12.12/24\n\tbridge-ports eno2 eno3\n"),
            "{edited}"
        );
        assert_eq!(edited.matches("mtu").count(), 1);
        assert_eq!(wish(&["eno2", "eno3"], Some(9000)).edit(&edited).unwrap(), edited);
        assert!(wish(&[], None).edit(FILE).unwrap().contains("\tbridge-ports none\n"));
    }

    #[test]
    fn what_stands_already_is_left_as_it_is_written() {
        let edited = wish(&["eno1"], None).edit(FILE).unwrap();
        assert_eq!(edited, FILE);
    }

    #[test]
    fn a_port_of_the_fabric_is_none_of_a_bridge_by_its_present_name_either() {
        use crate::sim::{self, Options as Bare};
        let ring = crate::topology::generate::ring(3);
        let cluster = sim::fresh(&ring, crate::spec::Transport::Thunderbolt, &Bare::default());
        let (name, node) = cluster.nodes.first_key_value().unwrap();
        let (port, interface) = node
            .facts
            .inventory
            .interfaces
            .iter()
            .find(|(_, i)| i.driver.as_deref() == Some("thunderbolt-net"))
            .unwrap();
        let pci = interface.path.as_deref().unwrap().trim_start_matches("pci-").to_owned();
        let mut wish = wish(&[port], None);
        assert_eq!(wish.options[0].unfit(name, &node.facts, &wish), None);
        wish.controllers = vec![pci];
        let told = wish.options[0].unfit(name, &node.facts, &wish).unwrap();
        assert_eq!(told.message, format!("{port} is a port of the fabric and cannot be one of vmbr0"));
    }

    #[test]
    fn an_interface_without_a_stanza_is_refused() {
        let mut wish = wish(&["eno2"], None);
        wish.options[0].name = "vmbr7".into();
        assert!(
            matches!(wish.edit(FILE), Err(Refusal::Unfit { what, .. }) if what.contains("no stanza for vmbr7"))
        );
    }
}
