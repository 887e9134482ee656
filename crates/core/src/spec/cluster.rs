//! Reads `[cluster]` and `[ssh]`.

use ipnet::IpNet;

use super::tree::{At, Faults, Table};
use super::{Ssh, address};
use crate::diagnostic::Diagnostic;
use crate::explain::address as code;

/// `[cluster]` as read; what is absent here was reported.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) name: Option<String>,
    pub(super) networks: Vec<At<IpNet>>,
}

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    let name = table.required_text("name", faults).and_then(|text| {
        if is_cluster_name(text.value) {
            return Some(text.value.to_owned());
        }
        let better = tidy(text.value);
        faults.push(
            Diagnostic::error(code::CLUSTER_NAME, text.span, "this cluster name cannot be used")
                .label("letters, digits, dots, dashes and underscores only, at most 63")
                .help(format!("write: name = \"{better}\"")),
        );
        None
    });
    let networks = table.texts("networks", faults).map_or_else(Vec::new, |list| {
        list.value.into_iter().filter_map(|text| address::network(&text, faults)).collect()
    });
    Draft { name, networks }
}

fn is_cluster_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn tidy(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let plain: String = plain.trim_matches(['.', '-']).chars().take(63).collect();
    if plain.is_empty() { "mesh".to_owned() } else { plain }
}

pub(super) fn read_ssh(table: &Table<'_>, faults: &mut Faults) -> Ssh {
    table.unknown_keys(faults);
    let text = |name: &str, faults: &mut Faults| table.text(name, faults).map(|t| t.value.to_owned());
    Ssh {
        user: text("user", faults),
        port: table
            .number("port", 1..=65535, crate::explain::file::OUT_OF_RANGE, "", faults)
            .and_then(|n| u16::try_from(n.value).ok()),
        config: text("config", faults),
        identity: text("identity", faults),
    }
}
