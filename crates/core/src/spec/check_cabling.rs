//! Whether nodes, ports and links of a spec fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::fabric;
use super::link::{self, EndDraft, PortDraft};
use super::near::nearest;
use super::node::{self, Ports};
use super::tree::Faults;
use super::{Routing, Transport};
use crate::arrange::Arrange;
use crate::diagnostic::Diagnostic;
use crate::explain::cabling as code;
use crate::into_set::IntoSet;
use crate::name::PortName;

/// The drafts of a spec that cabling is about.
struct Cabling<'d> {
    transport: Option<Transport>,
    routing: Option<Routing>,
    fabric: &'d fabric::Draft,
    nodes: &'d [node::Draft],
    links: &'d [link::Draft],
}

/// Everything about nodes, ports and links taken together.
pub(super) fn check(
    fabric: &fabric::Draft,
    nodes: &[node::Draft],
    links: &[link::Draft],
    faults: &mut Faults,
) {
    let cabling = Cabling { transport: fabric.transport, routing: fabric.routing, fabric, nodes, links };
    cabling.enough_nodes(faults);
    match cabling.transport {
        Some(Transport::Ethernet) => cabling.ethernet(faults),
        Some(Transport::Switch) => cabling.switch(faults),
        Some(Transport::Thunderbolt) | None => {}
    }
    if cabling.transport == Some(Transport::Switch) {
        return;
    }
    let before = faults.0.len();
    for link in links {
        cabling.link(link, faults);
    }
    cabling.ports_once(faults);
    cabling.pairs_once(faults);
    if faults.0.len() == before && links.iter().all(|l| l.ends.is_some()) {
        cabling.enough_ports(faults);
        cabling.in_one_piece(faults);
    }
}

impl<'d> Cabling<'d> {
    fn enough_nodes(&self, faults: &mut Faults) {
        match self.nodes {
            [] => faults.push(Diagnostic {
                labels: Vec::new(),
                ..Diagnostic::error(code::NO_NODE, 0..0, "the spec has no node")
                    .help("add a [[node]] section for every machine, with `name` and `address`")
            }),
            [one] => faults.push(
                Diagnostic::error(code::ONE_NODE, one.header.clone(), "a mesh needs at least two nodes")
                    .label("this is the only one")
                    .help("add a [[node]] section for every other machine"),
            ),
            _ => {}
        }
    }

    fn node(&self, name: &str) -> Option<&'d node::Draft> {
        self.nodes.iter().find(|n| n.written.as_ref().is_some_and(|w| w.value == name))
    }

    fn ends(&self) -> impl Iterator<Item = &'d EndDraft> {
        self.links.iter().filter_map(|l| l.ends.as_ref()).flatten()
    }

    /// Ethernet does not tell who is at the other end.
    fn ethernet(&self, faults: &mut Faults) {
        if !self.links.is_empty() {
            return;
        }
        let without = self.nodes.iter().filter(|n| matches!(n.ports, Ports::Absent)).collect::<Vec<_>>();
        let transport = self.fabric.transport_span.clone().unwrap_or_default();
        if let Some(first) = without.first() {
            let which = match without.len() {
                n if n == self.nodes.len() => "which ports join the mesh".to_owned(),
                1 => format!("which ports of {} join the mesh", first.called()),
                2 => format!("which ports of {} and 1 more node join the mesh", first.called()),
                n => format!("which ports of {} and {} more nodes join the mesh", first.called(), n - 1),
            };
            let mut fault =
                Diagnostic::error(code::CABLING_UNKNOWN, transport, format!("nothing says {which}"))
                    .label("Ethernet cabling cannot be discovered without a hint");
            for node in without.iter().take(3) {
                fault = fault.also(node.place(), "no `ports` here");
            }
            faults.push(fault.help("add `ports` to every node, or a [[link]] for every cable"));
        } else if self.routing == Some(Routing::Static) && !self.nodes.is_empty() {
            let place = self.fabric.routing_span.clone().unwrap_or(transport);
            faults.push(
                Diagnostic::error(
                    code::STATIC_WITHOUT_LINKS,
                    place,
                    "static routes over Ethernet need declared links",
                )
                .label("nobody finds out which port leads where")
                .help("add a [[link]] for every cable, or use routing = \"openfabric\""),
            );
        }
    }

    fn switch(&self, faults: &mut Faults) {
        if let Some(first) = self.links.first() {
            faults.push(
                Diagnostic::error(
                    code::SWITCH_WITH_LINKS,
                    first.header.clone(),
                    "there are no links on a switch",
                )
                .also(self.fabric.transport_span.clone().unwrap_or_default(), "the transport is a switch")
                .help("remove the [[link]] sections, or use transport = \"ethernet\""),
            );
        }
        for node in self.nodes {
            let (place, is) = match &node.ports {
                Ports::Faulty => continue,
                Ports::Given(ports) if ports.value.len() == 1 => continue,
                Ports::Given(ports) => (ports.span.clone(), format!("these are {}", ports.value.len())),
                Ports::Absent => (node.place(), "no `ports` here".to_owned()),
            };
            faults.push(
                Diagnostic::error(
                    code::SWITCH_PORTS,
                    place,
                    format!("{} needs exactly one port on the switch", node.called()),
                )
                .label(is)
                .help("list the one interface that is plugged into the switch: ports = [\"enp1s0\"]"),
            );
        }
        if self.routing == Some(Routing::Openfabric) && self.nodes.len() > 2 {
            faults.push(
                Diagnostic::error(
                    code::SWITCH_OPENFABRIC,
                    self.fabric.routing_span.clone().unwrap_or_default(),
                    "OpenFabric does not run over a switch with more than two nodes",
                )
                .label("Proxmox VE sets it up for one neighbour a port")
                .help("write: routing = \"static\", or remove the key: it is the default on a switch"),
            );
        }
    }

    /// One link by itself.
    fn link(&self, link: &link::Draft, faults: &mut Faults) {
        let Some([a, b]) = &link.ends else { return };
        for end in [a, b] {
            match self.node(&end.node) {
                Some(node) => self.port(end, node, faults),
                None => self.unknown_node(end, faults),
            }
        }
        if a.node == b.node && self.node(&a.node).is_some() {
            faults.push(
                Diagnostic::error(
                    code::LINK_TO_SELF,
                    b.span.clone(),
                    format!("both ends of the link are {}", a.node),
                )
                .also(a.span.clone(), "the other end")
                .help("name the node at the other end of the cable"),
            );
        }
    }

    fn unknown_node(&self, end: &EndDraft, faults: &mut Faults) {
        // A name without its dot or with other letters may be that of a node reported as invalid.
        let names: Vec<&str> =
            self.nodes.iter().filter_map(|n| n.written.as_ref()).map(|w| w.value.as_str()).collect();
        if names.is_empty() {
            return;
        }
        let fault = Diagnostic::error(
            code::LINK_NODE,
            end.span.clone(),
            format!("there is no node called {:?}", end.node),
        );
        faults.push(match nearest(&end.node, names.iter().copied()) {
            Some(near) => fault.help(format!("did you mean {near}?")),
            None if names.len() <= 12 => fault.help(format!("the nodes are {}", names.join(", "))),
            None => fault.help("add a [[node]] section for it, or correct the name"),
        });
    }

    fn port(&self, end: &EndDraft, node: &node::Draft, faults: &mut Faults) {
        let port = match &end.port {
            PortDraft::Faulty => return,
            PortDraft::Open if self.transport == Some(Transport::Ethernet) => {
                faults.push(
                    Diagnostic::error(
                        code::END_WITHOUT_PORT,
                        end.span.clone(),
                        format!("this end does not say which port of {}", end.node),
                    )
                    .help(format!("write: \"{}:PORT\", with the name `ip link` shows on the node", end.node)),
                );
                return;
            }
            PortDraft::Open => return,
            PortDraft::Given(port) => port,
        };
        match &node.ports {
            Ports::Given(ports) if ports.value.iter().all(|p| p.value != *port) => {
                let fault = Diagnostic::error(
                    code::LINK_PORT,
                    end.span.clone(),
                    format!("{} has no port {port}", end.node),
                )
                .also(ports.span.clone(), format!("the ports of {}", end.node));
                let names = ports.value.iter().map(|p| p.value.as_str());
                faults.push(match nearest(port.as_str(), names) {
                    Some(near) => fault.help(format!("did you mean {}:{near}?", end.node)),
                    None => fault.help("correct the port, or add it to `ports`"),
                });
            }
            Ports::Absent if self.transport == Some(Transport::Thunderbolt) && !is_default_port(port) => {
                faults.push(
                    Diagnostic::error(
                        code::LINK_PORT,
                        end.span.clone(),
                        format!("{} has no port {port}", end.node),
                    )
                    .label("its ports get the names en05, en06 and so on")
                    .help(format!("use one of these, or list the names you want in `ports` of {}", end.node)),
                );
            }
            _ => {}
        }
    }

    fn ports_once(&self, faults: &mut Faults) {
        let mut seen: BTreeMap<(&str, &PortName), &EndDraft> = BTreeMap::new();
        for link in self.links {
            let Some(ends) = &link.ends else { continue };
            if ends[0].node == ends[1].node {
                continue;
            }
            for end in ends {
                let PortDraft::Given(port) = &end.port else { continue };
                if let Some(first) = seen.get(&(end.node.as_str(), port)) {
                    faults.push(
                        Diagnostic::error(
                            code::PORT_TAKEN,
                            end.span.clone(),
                            format!("{}:{port} is in two links", end.node),
                        )
                        .also(first.span.clone(), "the first is here")
                        .help("a port takes one cable"),
                    );
                } else {
                    seen.insert((end.node.as_str(), port), end);
                }
            }
        }
    }

    /// Thunderbolt joins two hosts once.
    fn pairs_once(&self, faults: &mut Faults) {
        if self.transport != Some(Transport::Thunderbolt) {
            return;
        }
        let mut seen: BTreeMap<[&str; 2], &link::Draft> = BTreeMap::new();
        for link in self.links {
            let Some([a, b]) = &link.ends else { continue };
            let mut pair = [a.node.as_str(), b.node.as_str()];
            pair.arrange();
            if pair[0] == pair[1] {
                continue;
            }
            if let Some(first) = seen.get(&pair) {
                faults.push(
                    Diagnostic::error(
                        code::LINK_TWICE,
                        link.header.clone(),
                        format!("two links join {} and {}", pair[0], pair[1]),
                    )
                    .also(first.header.clone(), "the first is here")
                    .help("remove one: two Thunderbolt cables between the same nodes do not add up"),
                );
            } else {
                seen.insert(pair, link);
            }
        }
    }

    fn enough_ports(&self, faults: &mut Faults) {
        for node in self.nodes {
            let Ports::Given(ports) = &node.ports else { continue };
            let links = self.ends().filter(|e| e.node == node.called()).count();
            if links > ports.value.len() {
                let word = if ports.value.len() == 1 { "port" } else { "ports" };
                faults.push(
                    Diagnostic::error(
                        code::TOO_MANY_LINKS,
                        ports.span.clone(),
                        format!("{} has {links} links but {} {word}", node.called(), ports.value.len()),
                    )
                    .help("remove a link, or add a port"),
                );
            }
        }
    }

    fn in_one_piece(&self, faults: &mut Faults) {
        let named = self.nodes.iter().all(|n| n.written.is_some());
        if self.links.is_empty() || self.nodes.is_empty() || !named {
            return;
        }
        let mut pieces = Pieces((0..self.nodes.len()).collect());
        let place = |name: &str| self.nodes.iter().position(|n| n.called() == name);
        for [a, b] in self.links.iter().filter_map(|l| l.ends.as_ref()) {
            if let (Some(a), Some(b)) = (place(&a.node), place(&b.node)) {
                pieces.join(a, b);
            }
        }
        let roots: BTreeSet<usize> = (0..self.nodes.len()).map(|n| pieces.root(n)).into_set();
        let home = pieces.root(0);
        let Some(away) = (0..self.nodes.len()).find(|n| pieces.root(*n) != home) else { return };
        let apart = &self.nodes[away];
        let cure = match self.transport {
            Some(Transport::Thunderbolt) => {
                "add the missing [[link]], or remove all of them to have the cabling discovered"
            }
            _ => "add the missing [[link]]",
        };
        faults.push(
            Diagnostic::error(
                code::PIECES,
                apart.place(),
                format!("the links leave the nodes in {} separate pieces", roots.len()),
            )
            .label(format!("no way from {} to here", self.nodes[0].called()))
            .help(cure),
        );
    }
}

/// Whether a Thunderbolt port gets this name without being told: en05, en06, …
fn is_default_port(port: &PortName) -> bool {
    port.as_str()
        .strip_prefix("en")
        .is_some_and(|n| n.len() == 2 && n.parse::<u8>().is_ok_and(|n| (5..=99).contains(&n)))
}

/// Which nodes hang together: each entry leads towards the root of its piece.
struct Pieces(Vec<usize>);

impl Pieces {
    fn root(&self, mut at: usize) -> usize {
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
