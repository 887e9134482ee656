//! Reads `[fabric]`.

use ipnet::{Ipv4Net, Ipv6Net};

use super::tree::{At, Faults, Span, Table};
use super::{Fabric, Routing, Transport, address};
use crate::diagnostic::Diagnostic;
use crate::explain::fabric as code;
use crate::name::FabricId;

/// `[fabric]` as read; what is absent here was absent in the file or reported.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: Option<FabricId>,
    pub(super) prefix: Option<At<Ipv4Net>>,
    pub(super) prefix6: Option<At<Ipv6Net>>,
    /// Whether each prefix stands in the file, valid or not.
    pub(super) given: [bool; 2],
    /// `None` only if the file has a value that is not valid.
    pub(super) transport: Option<Transport>,
    /// `None` only if the file has a value that is not valid.
    pub(super) routing: Option<Routing>,
    /// Where `transport` and `routing` stand.
    pub(super) transport_span: Option<Span>,
    pub(super) routing_span: Option<Span>,
    mtu: Option<u32>,
    hello_interval: Option<u16>,
    hello_multiplier: Option<u16>,
    csnp_interval: Option<u16>,
    lsp_gen_interval: Option<u16>,
    bfd: Option<bool>,
}

const TRANSPORTS: [(&str, Transport); 3] = [
    ("thunderbolt", Transport::Thunderbolt),
    ("ethernet", Transport::Ethernet),
    ("switch", Transport::Switch),
];

const ROUTINGS: [(&str, Routing); 2] = [("openfabric", Routing::Openfabric), ("static", Routing::Static)];

/// The largest MTU that most Ethernet hardware passes.
const ETHERNET_MTU: u32 = 9216;

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    let given = ["prefix", "prefix6"].map(|name| table.value(name).is_some());
    if given == [false, false] {
        faults.push(
            Diagnostic::error(code::NO_PREFIX, table.header.clone(), "the fabric has no prefix")
                .label("nodes get their addresses in the mesh from it")
                .help("add: prefix = \"10.100.0.0/24\", or another range that is free at your site"),
        );
    }
    let mut draft = Draft { given, id: id(table, faults), ..Draft::default() };
    draft.prefix = table.text("prefix", faults).and_then(|t| address::prefix4(&t, faults));
    draft.prefix6 = table.text("prefix6", faults).and_then(|t| address::prefix6(&t, faults));
    draft.transport_span = table.value("transport").map(|v| v.span);
    draft.transport = match draft.transport_span {
        None => Some(Transport::Thunderbolt),
        Some(_) => table.choice("transport", &TRANSPORTS, faults).map(|t| t.value),
    };
    draft.routing_span = table.value("routing").map(|v| v.span);
    draft.routing = match draft.routing_span {
        None => draft.transport.map(default_routing),
        Some(_) => table.choice("routing", &ROUTINGS, faults).map(|r| r.value),
    };
    draft.mtu = mtu(table, draft.transport, faults);
    timers(table, &mut draft, faults);
    if draft.routing == Some(Routing::Static) {
        without_effect(table, faults);
    }
    draft
}

fn default_routing(transport: Transport) -> Routing {
    match transport {
        Transport::Thunderbolt | Transport::Ethernet => Routing::Openfabric,
        Transport::Switch => Routing::Static,
    }
}

pub(super) fn default_mtu(transport: Transport) -> u32 {
    match transport {
        Transport::Thunderbolt => 65520,
        Transport::Ethernet | Transport::Switch => 9000,
    }
}

fn id(table: &Table<'_>, faults: &mut Faults) -> Option<FabricId> {
    let text = table.text("id", faults)?;
    FabricId::new(text.value)
        .map_err(|error| {
            let better: String = text.value.chars().filter(char::is_ascii_alphanumeric).collect();
            let better = FabricId::new(&better).map_or_else(|_| "mesh".to_owned(), String::from);
            faults.push(
                Diagnostic::error(
                    code::FABRIC_ID,
                    text.span,
                    format!("{:?} cannot be the id of a fabric", text.value),
                )
                .label(error.0)
                .help(format!("for instance: id = \"{better}\"")),
            );
        })
        .ok()
}

fn mtu(table: &Table<'_>, transport: Option<Transport>, faults: &mut Faults) -> Option<u32> {
    let mtu = table.number("mtu", 1280..=65520, code::MTU, " bytes", faults)?;
    if mtu.value > ETHERNET_MTU && matches!(transport, Some(Transport::Ethernet | Transport::Switch)) {
        faults.push(
            Diagnostic::warning(
                code::MTU_ETHERNET,
                mtu.span,
                format!("few Ethernet cards and switches pass {} bytes", mtu.value),
            )
            .label(format!("most end at {ETHERNET_MTU}"))
            .help("write: mtu = 9000, unless you know that every port passes more"),
        );
    }
    Some(mtu.value)
}

fn timers(table: &Table<'_>, draft: &mut Draft, faults: &mut Faults) {
    let mut timer = |name: &str, range, unit: &str| {
        table.number(name, range, code::TIMER, unit, faults).and_then(|n| u16::try_from(n.value).ok())
    };
    draft.hello_interval = timer("hello_interval", 1..=600, " seconds");
    draft.hello_multiplier = timer("hello_multiplier", 2..=100, "");
    draft.csnp_interval = timer("csnp_interval", 1..=600, " seconds");
    draft.lsp_gen_interval = timer("lsp_gen_interval", 1..=120, " seconds");
    draft.bfd = table.switch("bfd", faults).map(|b| b.value);
}

/// With static routing nobody sends hellos.
fn without_effect(table: &Table<'_>, faults: &mut Faults) {
    for name in ["hello_interval", "hello_multiplier", "csnp_interval", "lsp_gen_interval", "bfd"] {
        let Some(place) = table.key_span(name) else { continue };
        let why = match table.key_span("routing") {
            Some(_) => "routing is static",
            None => "routing is static on a switch",
        };
        faults.push(
            Diagnostic::warning(code::NO_EFFECT, place, format!("`{name}` has no effect"))
                .label(why)
                .help("remove it"),
        );
    }
}

impl Draft {
    /// Stands for a section that was reported as missing, so that nothing more is said about it.
    pub(super) fn missing() -> Self {
        Self { given: [true, true], transport: Some(Transport::Thunderbolt), ..Self::default() }
    }

    /// The section with its defaults, if nothing is missing.
    pub(super) fn finish(self, cluster: &str) -> Option<Fabric> {
        let transport = self.transport?;
        Some(Fabric {
            id: self.id.or_else(|| default_id(cluster))?,
            prefix: self.prefix.map(|p| p.value),
            prefix6: self.prefix6.map(|p| p.value),
            transport,
            routing: self.routing?,
            mtu: self.mtu.unwrap_or_else(|| default_mtu(transport)),
            hello_interval: self.hello_interval.unwrap_or(1),
            hello_multiplier: self.hello_multiplier.unwrap_or(3),
            csnp_interval: self.csnp_interval,
            lsp_gen_interval: self.lsp_gen_interval.unwrap_or(1),
            bfd: self.bfd.unwrap_or(true),
        })
    }
}

/// The id of a fabric that was not given one.
pub(super) fn default_id(cluster: &str) -> Option<FabricId> {
    FabricId::new(cluster).or_else(|_| FabricId::new("mesh")).ok()
}
