//! From text to `Spec`, or to every diagnostic at once, in file order.
//!
//! `text → spanned tree → drafts of the sections → checks across them → Spec`. Syntax errors end
//! the way at the tree: only the first is shown, as the others mostly follow from it.

use ipnet::IpNet;
use toml::de::{DeTable, DeValue};

use super::tree::{Faults, Span, Table};
use super::{
    Cluster, Pool, Spec, Transport, check_addresses, check_cabling, check_ceph, cluster, fabric, interface,
    key, link,
};
use super::{near::nearest, node, pool, secret, storage, syntax};
use crate::arrange::Arrange;
use crate::diagnostic::{Diagnostic, Severity};
use crate::explain::file;

/// What came of reading a spec.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The spec; `None` if a diagnostic is an error.
    pub spec: Option<Spec>,
    /// Everything found, in file order.
    pub diagnostics: Vec<Diagnostic>,
    /// Where values stand that must not be shown.
    secrets: Vec<Span>,
}

impl Outcome {
    /// The text as it may be shown: as long as before, with secrets written over.
    pub fn shown(&self, text: &str) -> String {
        secret::cover(text, &self.secrets)
    }
}

/// Reads a spec and reports every fault of it, in file order.
///
/// With an error among the diagnostics there is no spec; warnings leave it usable.
pub fn read(text: &str) -> Outcome {
    let (tree, errors) = DeTable::parse_recoverable(text);
    if let Some(fault) = syntax::first(&errors, text) {
        return Outcome { spec: None, diagnostics: vec![fault], secrets: secret::places_by_line(text) };
    }
    let mut faults = Faults::default();
    let spec = lower(text, tree.get_ref(), &mut faults);
    let mut diagnostics = faults.0;
    diagnostics.arrange_by_key(Diagnostic::place);
    let usable = diagnostics.iter().all(|d| d.severity != Severity::Error);
    debug_assert!(!usable || spec.is_some(), "no spec and no error");
    Outcome { spec: spec.filter(|_| usable), diagnostics, secrets: secret::places(tree.get_ref()) }
}

fn lower(text: &str, root: &DeTable<'_>, faults: &mut Faults) -> Option<Spec> {
    unknown_sections(root, faults);
    let sections = Sections { text, root };
    let cluster = sections.required("cluster", faults).map(|t| cluster::read(&t, faults));
    let ssh = sections.one("ssh", faults).map(|t| cluster::read_ssh(&t, faults)).unwrap_or_default();
    let fabric = sections.required("fabric", faults).map(|t| fabric::read(&t, faults));
    let transport = fabric.as_ref().map_or(Some(Transport::Thunderbolt), |f| f.transport);
    let nodes = sections.many("node", faults);
    let nodes_whole = nodes.is_some();
    let nodes: Vec<_> = nodes.unwrap_or_default().iter().map(|t| node::read(t, transport, faults)).collect();
    let links = sections.many("link", faults).unwrap_or_default();
    let links: Vec<_> = links.iter().map(|t| link::read(t, transport, faults)).collect();

    let ceph = sections.one("ceph", faults).map(|t| storage::read(&t, faults)).unwrap_or_default();
    let pools = sections.many("pool", faults).unwrap_or_default();
    let pools: Vec<_> = pools.iter().map(|t| pool::read(t, faults)).collect();
    let filesystems = sections.many("filesystem", faults).unwrap_or_default();
    let filesystems: Vec<_> = filesystems.iter().map(|t| pool::read_filesystem(t, faults)).collect();

    let interfaces = sections.many("interface", faults).unwrap_or_default();
    let interfaces: Vec<_> = interfaces.iter().map(|t| interface::read(t, faults)).collect();

    let cluster = cluster.unwrap_or_default();
    let fabric_whole = fabric.is_some();
    let fabric = fabric.unwrap_or_else(fabric::Draft::missing);
    check_addresses::check(&cluster, &fabric, &nodes, faults);
    if nodes_whole {
        check_cabling::check(&fabric, &nodes, &links, faults);
        interface::check(&interfaces, &nodes, faults);
        check_ceph::check(&ceph, &pools, &filesystems, &fabric, &nodes, faults);
    }
    if !fabric_whole {
        return None;
    }
    let name = cluster.name?;
    let defaults = ceph.osd();
    let nodes: Vec<_> = nodes.into_iter().map(|n| n.finish(&defaults)).collect::<Option<_>>()?;
    let with_ceph = nodes.iter().any(|n| !n.osds.is_empty());
    let names: Vec<_> = nodes.iter().map(|n| n.name.clone()).collect();
    let mut pools: Vec<_> = pools.into_iter().map(pool::Draft::finish).collect::<Option<_>>()?;
    if with_ceph && pools.is_empty() {
        pools.push(Pool::standard());
    }
    let public = fabric.prefix.as_ref().map(|p| IpNet::V4(p.value));
    let public = public.or(fabric.prefix6.as_ref().map(|p| IpNet::V6(p.value)));
    Some(Spec {
        ssh,
        fabric: fabric.finish(&name)?,
        cluster: Cluster { name, networks: cluster.networks.into_iter().map(|n| n.value).collect() },
        nodes,
        links: links.into_iter().map(link::Draft::finish).collect::<Option<_>>()?,
        interfaces: interfaces.into_iter().map(interface::Draft::finish).collect::<Option<_>>()?,
        ceph: with_ceph.then(|| ceph.finish(&names, public)),
        pools,
        filesystems: filesystems.into_iter().map(pool::FilesystemDraft::finish).collect::<Option<_>>()?,
    })
}

/// The sections at the top of the file.
struct Sections<'t> {
    text: &'t str,
    root: &'t DeTable<'t>,
}

impl<'t> Sections<'t> {
    fn find(&self, name: &str) -> Option<(Span, Span, &'t DeValue<'t>)> {
        self.root
            .iter()
            .find(|(key, _)| key.get_ref() == name)
            .map(|(key, value)| (key.span(), value.span(), value.get_ref()))
    }

    /// A section that occurs at most once.
    fn one(&self, name: &'static str, faults: &mut Faults) -> Option<Table<'t>> {
        let (key, span, value) = self.find(name)?;
        match value {
            DeValue::Table(map) => Some(Table::new(name, span, self.text, map)),
            DeValue::Array(items) if items.iter().any(|i| i.get_ref().is_table()) => {
                let second = items.get(1).map(toml::Spanned::span);
                let first = items.first().map_or(span, toml::Spanned::span);
                let mut fault = Diagnostic::error(
                    file::SECTION_FORM,
                    first,
                    format!("`{name}` occurs once, so it has single brackets"),
                )
                .help(format!("write: [{name}]"));
                if let Some(second) = second {
                    fault = fault.also(second, "and once more here: join the two");
                }
                faults.push(fault);
                None
            }
            _ => {
                faults.push(
                    Diagnostic::error(file::SECTION_FORM, key, format!("`{name}` is a section, not a key"))
                        .help(format!("write a line [{name}], and its keys below it")),
                );
                None
            }
        }
    }

    fn required(&self, name: &'static str, faults: &mut Faults) -> Option<Table<'t>> {
        if self.root.contains_key(name) {
            return self.one(name, faults);
        }
        let misspelt = |key: &str| !is_section(key) && nearest(key, section_names()) == Some(name);
        if self.root.keys().any(|key| misspelt(key.get_ref())) {
            return None;
        }
        let lines: Vec<String> = key::of(name)
            .filter(|k| k.required() || k.name == "prefix")
            .map(|k| format!("{} = {}", k.name, k.example))
            .collect();
        faults.push(Diagnostic {
            labels: Vec::new(),
            ..Diagnostic::error(file::MISSING_SECTION, 0..0, format!("the section [{name}] is missing"))
                .help(format!("add:\n[{name}]\n{}", lines.join("\n")))
        });
        None
    }

    /// A section that may occur several times; `None` if it was reported.
    fn many(&self, name: &'static str, faults: &mut Faults) -> Option<Vec<Table<'t>>> {
        let Some((key, span, value)) = self.find(name) else { return Some(Vec::new()) };
        let items = match value {
            DeValue::Array(items) => items,
            DeValue::Table(_) => {
                faults.push(
                    Diagnostic::error(
                        file::SECTION_FORM,
                        span,
                        format!("`{name}` may occur several times, so it has double brackets"),
                    )
                    .help(format!("write: [[{name}]]")),
                );
                return None;
            }
            _ => {
                faults.push(
                    Diagnostic::error(file::SECTION_FORM, key, format!("`{name}` is a section, not a key"))
                        .help(format!("write a line [[{name}]], and its keys below it")),
                );
                return None;
            }
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            let DeValue::Table(map) = item.get_ref() else {
                faults.push(
                    Diagnostic::error(file::SECTION_FORM, item.span(), format!("this is not a {name}"))
                        .help(format!("write a line [[{name}]] for each, and its keys below it")),
                );
                return None;
            };
            tables.push(Table::new(name, item.span(), self.text, map));
        }
        Some(tables)
    }
}

fn sections() -> impl Iterator<Item = &'static key::Section> {
    key::SECTIONS.iter().filter(|s| !s.name.contains('.'))
}

fn section_names() -> impl Iterator<Item = &'static str> {
    sections().map(|s| s.name)
}

fn is_section(name: &str) -> bool {
    section_names().any(|s| s == name)
}

fn unknown_sections(root: &DeTable<'_>, faults: &mut Faults) {
    for (written, value) in root {
        let name = written.get_ref().as_ref();
        if is_section(name) {
            continue;
        }
        let table = match value.get_ref() {
            DeValue::Table(_) => true,
            DeValue::Array(items) => items.iter().any(|i| i.get_ref().is_table()),
            _ => false,
        };
        if !table && secret::is_secret_name(name) {
            faults.push(secret::fault(name, written.span()));
            continue;
        }
        let header = |name: &str| sections().find(|s| s.name == name).map_or("", |s| s.header);
        let (code, message) = if table {
            (file::UNKNOWN_SECTION, format!("there is no section called `{name}`"))
        } else {
            (file::UNKNOWN_KEY, format!("`{name}` stands outside of any section"))
        };
        let near = nearest(name, section_names());
        let key = key::KEYS.iter().find(|k| k.name == name && !k.section.contains('.'));
        let help = match (key, near) {
            (Some(k), _) if !table => format!("`{name}` belongs in {}", header(k.section)),
            (_, Some(near)) if table => format!("did you mean {}?", header(near)),
            _ => format!("the sections are {}", sections().map(|s| s.header).collect::<Vec<_>>().join(", ")),
        };
        faults.push(Diagnostic::error(code, written.span(), message).help(help));
    }
}
