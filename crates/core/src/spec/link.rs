//! Reads `[[link]]`.

use super::tree::{At, Faults, Span, Table};
use super::{End, Link, Transport, node};
use crate::diagnostic::Diagnostic;
use crate::explain::cabling as code;
use crate::name::{NodeName, PortName};

/// One `[[link]]` as read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) header: Span,
    /// `None` if the ends were reported.
    pub(super) ends: Option<[EndDraft; 2]>,
}

/// One end as read.
#[derive(Debug)]
pub(super) struct EndDraft {
    /// The whole of it, `node:port`.
    pub(super) span: Span,
    /// The node as written; whether there is one of that name is checked later.
    pub(super) node: String,
    pub(super) port: PortDraft,
}

/// The port of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PortDraft {
    /// Left open.
    Open,
    /// Given, but reported.
    Faulty,
    /// Given.
    Given(PortName),
}

impl Draft {
    pub(super) fn finish(self) -> Option<Link> {
        let [a, b] = self.ends?;
        Some(Link { ends: [a.finish()?, b.finish()?] })
    }
}

impl EndDraft {
    fn finish(self) -> Option<End> {
        let port = match self.port {
            PortDraft::Open => None,
            PortDraft::Faulty => return None,
            PortDraft::Given(port) => Some(port),
        };
        Some(End { node: NodeName::new(&self.node).ok()?, port })
    }
}

pub(super) fn read(table: &Table<'_>, transport: Option<Transport>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    table.require("ends", faults);
    let header = table.header.clone();
    let Some(list) = table.texts("ends", faults) else { return Draft { header, ends: None } };
    let [a, b] = list.value.as_slice() else {
        let is = match list.value.len() {
            0 => "none".to_owned(),
            1 => "one".to_owned(),
            n => n.to_string(),
        };
        faults.push(
            Diagnostic::error(code::LINK_FORM, list.span, format!("a link has two ends, not {is}"))
                .help("write: ends = [\"n2:en05\", \"n3:en06\"]"),
        );
        return Draft { header, ends: None };
    };
    let ends = match (end(a, transport, faults), end(b, transport, faults)) {
        (Some(a), Some(b)) => Some([a, b]),
        _ => None,
    };
    Draft { header, ends }
}

fn end(text: &At<&str>, transport: Option<Transport>, faults: &mut Faults) -> Option<EndDraft> {
    let span = text.span.clone();
    let (node, port) = match text.value.split_once(':') {
        Some((node, port)) => (node, Some(port)),
        None => (text.value, None),
    };
    let strange = |t: &str| t.is_empty() || t.contains([':', ' ', '/', ',']);
    if strange(node) || port.is_some_and(strange) {
        let better = text.value.replace([' ', '/', ','], ":");
        let fault =
            Diagnostic::error(code::LINK_FORM, span, format!("{:?} is not an end of a link", text.value));
        faults.push(match better.split(':').collect::<Vec<_>>().as_slice() {
            [n, p] if better != text.value && !n.is_empty() && !p.is_empty() => {
                fault.help(format!("write: \"{better}\""))
            }
            _ => fault.help("an end is written node:port"),
        });
        return None;
    }
    let port = match port {
        None => PortDraft::Open,
        Some(port) => {
            // Inside the quotes, the port is the last part.
            let start = span.end.saturating_sub(port.len() + 1).max(span.start);
            let at = At { value: port, span: start..span.end.saturating_sub(1).max(start) };
            node::port(&at, transport, faults).map_or(PortDraft::Faulty, |p| PortDraft::Given(p.value))
        }
    };
    Some(EndDraft { span, node: node.to_owned(), port })
}
