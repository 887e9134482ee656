//! Reads `[[interface]]`: options of an interface of a node that are to be as the spec says, whoever made it.

use super::node;
use super::tree::{At, Faults, Span, Table};
use crate::diagnostic::Diagnostic;
use crate::explain::nodes as code;
use crate::name::NodeName;

/// One `[[interface]]` as read; what is absent here was absent in the file or reported.
#[derive(Debug)]
pub(super) struct Draft {
    header: Span,
    node: Option<At<String>>,
    name: Option<At<String>>,
    mtu: Option<u32>,
    bridge_ports: Option<Vec<String>>,
    /// Whether something in it was reported.
    faulty: bool,
}

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    let before = faults.0.len();
    table.unknown_keys(faults);
    let node = table.required_text("node", faults).map(|t| At { value: t.value.to_owned(), span: t.span });
    let name = table.required_text("name", faults).and_then(|t| interface(&t, faults));
    let mtu = table.number("mtu", 68..=65535, code::INTERFACE, " bytes", faults).map(|m| m.value);
    let bridge_ports = table
        .texts("bridge_ports", faults)
        .map(|list| list.value.iter().filter_map(|t| interface(t, faults)).map(|port| port.value).collect());
    let nothing = mtu.is_none() && table.value("mtu").is_none() && table.value("bridge_ports").is_none();
    if nothing && faults.0.len() == before {
        faults.push(
            Diagnostic::error(
                code::INTERFACE,
                table.header.clone(),
                "this interface is to be nothing in particular",
            )
            .help("give `mtu` or `bridge_ports`, or remove the section"),
        );
    }
    Draft { header: table.header.clone(), node, name, mtu, bridge_ports, faulty: faults.0.len() > before }
}

/// The name of an interface as the kernel takes it and as it can stand in /etc/network/interfaces.
fn interface(text: &At<&str>, faults: &mut Faults) -> Option<At<String>> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let name = text.value;
    if name.len() <= 15
        && name.bytes().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name != "lo"
    {
        return Some(At { value: name.to_owned(), span: text.span.clone() });
    }
    faults.push(
        Diagnostic::error(
            code::INTERFACE,
            text.span.clone(),
            format!("{name:?} cannot be used as an interface"),
        )
        .label("up to 15 letters, digits, dots, dashes and underscores, a letter first; not lo")
        .help("`ip -br link` on the node lists its interfaces"),
    );
    None
}

/// Each names a node of the file, and each interface is there once.
pub(super) fn check(list: &[Draft], nodes: &[node::Draft], faults: &mut Faults) {
    for (at, draft) in list.iter().enumerate() {
        let (Some(node), Some(name)) = (&draft.node, &draft.name) else { continue };
        let known = |n: &&node::Draft| n.written.as_ref().is_some_and(|w| w.value == node.value);
        if !nodes.iter().any(|n| known(&n)) {
            let names: Vec<&str> = nodes.iter().map(node::Draft::called).collect();
            faults.push(
                Diagnostic::error(
                    code::INTERFACE,
                    node.span.clone(),
                    format!("there is no node {:?}", node.value),
                )
                .help(format!("the nodes are {}", names.join(", "))),
            );
        }
        let same = |d: &&Draft| {
            let is = |a: &Option<At<String>>, b: &str| a.as_ref().is_some_and(|a| a.value == b);
            is(&d.node, &node.value) && is(&d.name, &name.value)
        };
        if let Some(first) = list[..at].iter().find(same) {
            faults.push(
                Diagnostic::error(
                    code::INTERFACE,
                    name.span.clone(),
                    format!("{} of {} is there twice", name.value, node.value),
                )
                .also(first.header.clone(), "first here")
                .help("join the two"),
            );
        }
    }
}

impl Draft {
    pub(super) fn finish(self) -> Option<super::Interface> {
        if self.faulty {
            return None;
        }
        Some(super::Interface {
            node: NodeName::new(&self.node?.value).ok()?,
            name: self.name?.value,
            mtu: self.mtu,
            bridge_ports: self.bridge_ports,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use crate::explain::nodes as code;

    fn found(section: &str) -> (Vec<String>, Option<crate::spec::Spec>) {
        let text = format!(
            "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n[[node]]\nname = \"n2\"\naddress = \"10.11.12.12\"\n\
             [[node]]\nname = \"n3\"\naddress = \"10.11.12.13\"\n{section}"
        );
        let outcome = crate::spec::read(&text);
        (outcome.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect(), outcome.spec)
    }

    #[test]
    fn an_interface_is_read_and_written_again() {
        let (faults, spec) =
            found("[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nbridge_ports = [\"eno2\"]\nmtu = 9000\n");
        assert!(faults.is_empty(), "{faults:?}");
        let spec = spec.unwrap();
        let read = &spec.interfaces[0];
        assert_eq!((read.name.as_str(), read.mtu), ("vmbr0", Some(9000)));
        assert_eq!(read.bridge_ports.as_deref(), Some(&["eno2".to_owned()][..]));
        let again = crate::spec::read(&crate::spec::to_toml(&spec)).spec.unwrap();
        assert_eq!(again, spec);
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        for (section, word) in [
            ("[[interface]]\nnode = \"n9\"\nname = \"vmbr0\"\nmtu = 9000\n", "no node \"n9\""),
            ("[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\n", "nothing in particular"),
            ("[[interface]]\nnode = \"n2\"\nname = \"lo\"\nmtu = 9000\n", "\"lo\" cannot be used"),
            (
                "[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nbridge_ports = [\"a b\"]\n",
                "\"a b\" cannot be used",
            ),
            ("[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nmtu = 5\n", "mtu"),
            (
                "[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nmtu = 9000\n[[interface]]\nnode = \"n2\"\nname = \"vmbr0\"\nmtu = 1500\n",
                "twice",
            ),
        ] {
            let (faults, spec) = found(section);
            assert!(spec.is_none());
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].contains(word) && faults[0].starts_with(code::INTERFACE.0), "{faults:?}");
        }
    }

    #[test]
    fn the_example_of_the_code_is_right() {
        let entry = crate::explain::lookup(code::INTERFACE.0).unwrap();
        assert!(found(entry.right).0.is_empty(), "{:?}", found(entry.right).0);
        assert!(found(entry.wrong).0[0].starts_with(code::INTERFACE.0));
    }
}
