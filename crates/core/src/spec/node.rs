//! Reads `[[node]]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tree::{At, Faults, Span, Table};
use super::{Node, Osds, Transport, address, disk, host_key, osd};
use crate::diagnostic::Diagnostic;
use crate::explain::address as code;
use crate::name::{NodeName, PortName};

/// One `[[node]]` as read; what is absent here was absent in the file or reported.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) header: Span,
    /// The name as written, also where it is no valid one.
    pub(super) written: Option<At<String>>,
    pub(super) name: Option<NodeName>,
    pub(super) address: Option<At<IpAddr>>,
    pub(super) router_id: Option<At<Ipv4Addr>>,
    pub(super) router_id6: Option<At<Ipv6Addr>>,
    pub(super) ports: Ports,
    pub(super) host_key: Option<At<String>>,
    /// `None` if they were reported.
    pub(super) osds: Option<Osds>,
    /// Where `osds` stands.
    pub(super) osds_span: Option<Span>,
    pub(super) osd: osd::Draft,
}

/// The ports of a node.
#[derive(Debug)]
pub(super) enum Ports {
    /// The file does not say.
    Absent,
    /// The file says something that was reported.
    Faulty,
    /// These, all of them valid.
    Given(At<Vec<At<PortName>>>),
}

impl Draft {
    /// What to call the node in messages.
    pub(super) fn called(&self) -> &str {
        self.written.as_ref().map_or("this node", |w| w.value.as_str())
    }

    /// Where the node is best pointed at: its name, else its header.
    pub(super) fn place(&self) -> Span {
        self.written.as_ref().map_or_else(|| self.header.clone(), |w| w.span.clone())
    }

    pub(super) fn finish(self, defaults: &osd::Defaults) -> Option<Node> {
        let osds = self.osds?;
        Some(Node {
            name: self.name?,
            address: self.address?.value,
            router_id: self.router_id.map(|a| a.value),
            router_id6: self.router_id6.map(|a| a.value),
            ports: match self.ports {
                Ports::Absent => None,
                Ports::Faulty => return None,
                Ports::Given(ports) => Some(ports.value.into_iter().map(|p| p.value).collect()),
            },
            host_key: self.host_key.map(|k| k.value),
            osd: if osds.is_empty() { super::OsdOptions::default() } else { self.osd.finish(defaults) },
            osds,
        })
    }
}

pub(super) fn read(table: &Table<'_>, transport: Option<Transport>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    let written = table.required_text("name", faults);
    let name = written.as_ref().and_then(|text| name(text, faults));
    Draft {
        header: table.header.clone(),
        name,
        written: written.map(|w| At { value: w.value.to_owned(), span: w.span }),
        address: table.required_text("address", faults).and_then(|t| address::management(&t, faults)),
        router_id: table.text("router_id", faults).and_then(|t| address::router_id(&t, "router_id", faults)),
        router_id6: table
            .text("router_id6", faults)
            .and_then(|t| address::router_id(&t, "router_id6", faults)),
        ports: ports(table, transport, faults),
        host_key: table
            .text("host_key", faults)
            .and_then(|t| host_key::read(&t, faults).map(|value| At { value, span: t.span })),
        osds: disk::read(table, faults),
        osds_span: table.key_span("osds"),
        osd: osd::read(table, faults),
    }
}

fn name(text: &At<&str>, faults: &mut Faults) -> Option<NodeName> {
    NodeName::new(text.value)
        .map_err(|error| {
            let fault = Diagnostic::error(
                code::NODE_NAME,
                text.span.clone(),
                format!("{:?} cannot be the name of a node", text.value),
            )
            .label(error.0);
            let short = text.value.split('.').next().unwrap_or_default().replace('_', "-");
            faults.push(if NodeName::new(&short).is_ok() && short != text.value {
                fault
                    .help(format!("write: name = \"{short}\", if that is what `hostname` prints on the node"))
            } else {
                fault.help("use what `hostname --short` prints on the node")
            });
        })
        .ok()
}

fn ports(table: &Table<'_>, transport: Option<Transport>, faults: &mut Faults) -> Ports {
    if table.value("ports").is_none() {
        return Ports::Absent;
    }
    let before = faults.0.len();
    let Some(list) = table.texts("ports", faults) else { return Ports::Faulty };
    if list.value.is_empty() {
        faults.push(
            Diagnostic::error(crate::explain::file::EMPTY, list.span, "`ports` is empty")
                .label("this node would not be part of the mesh")
                .help("list the ports, or remove the key"),
        );
        return Ports::Faulty;
    }
    let mut valid: Vec<At<PortName>> = Vec::new();
    for text in &list.value {
        let Some(port) = port(text, transport, faults) else { continue };
        if let Some(first) = valid.iter().find(|p| p.value == port.value) {
            faults.push(
                Diagnostic::error(
                    code::PORT_LISTED_TWICE,
                    port.span,
                    format!("{} is listed twice", port.value),
                )
                .also(first.span.clone(), "first here")
                .help("correct one of the two, or remove it"),
            );
        } else {
            valid.push(port);
        }
    }
    if faults.0.len() == before { Ports::Given(At { value: valid, span: list.span }) } else { Ports::Faulty }
}

/// The name of a port, in a list or at the end of a link.
pub(super) fn port(
    text: &At<&str>,
    transport: Option<Transport>,
    faults: &mut Faults,
) -> Option<At<PortName>> {
    let kernels = transport == Some(Transport::Thunderbolt)
        && text
            .value
            .strip_prefix("thunderbolt")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let why = match PortName::new(text.value) {
        Ok(_) if kernels => "the kernel hands such names out in the order cables come up",
        Ok(value) => return Some(At { value, span: text.span.clone() }),
        Err(error) => error.0,
    };
    let tidy: String = text.value.chars().map(|c| if c == '-' { '_' } else { c }).collect();
    let fault = Diagnostic::error(
        code::PORT_NAME,
        text.span.clone(),
        format!("{:?} cannot be used as a port", text.value),
    )
    .label(why);
    faults.push(match transport {
        Some(Transport::Thunderbolt) if kernels || PortName::new(&tidy).is_err() => {
            fault.help("choose names such as en05 and en06: the ports are renamed to them")
        }
        Some(Transport::Thunderbolt) => fault.help(format!("write: \"{tidy}\"")),
        _ => fault.help("give the interface another name with a .link file, such as enp1s0, and use that"),
    });
    None
}
