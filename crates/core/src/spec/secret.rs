//! Secrets do not belong into a spec: which keys look like one, and where their values stand, so
//! that no screen and no log ever shows them.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::Diagnostic;
use crate::explain::file;

const WORDS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "token", "private_key", "credential", "api_key"];

/// Whether a key of this name would hold a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain = name.to_ascii_lowercase().replace('-', "_");
    plain == "pass" || plain == "pw" || WORDS.iter().any(|w| plain.contains(w))
}

/// The fault of a secret in the file; the place is the key, never the value.
pub(super) fn fault(name: &str, span: Range<usize>) -> Diagnostic {
    Diagnostic::error(file::SECRET, span, format!("`{name}` is a secret and must not stand in a spec"))
        .label("specs are shared, versioned and copied into reports")
        .help("remove it; `ringbolt ssh setup` puts your ssh key on the nodes, ssh itself asks for the password")
}

/// Where the values of secret keys stand, anywhere in the tree.
pub(super) fn places(table: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (key, value) in table {
        if is_secret_name(key.get_ref()) {
            found.push(value.span());
        }
        within(value.get_ref(), &mut found);
    }
    found
}

fn within(value: &DeValue<'_>, found: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => found.extend(places(table)),
        DeValue::Array(items) => items.iter().for_each(|item| within(item.get_ref(), found)),
        _ => {}
    }
}

/// The same for a text with syntax errors, whose tree may lack the value: everything after the
/// equals sign on a line that names a secret.
pub(super) fn places_by_line(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let named = |at: &usize| is_secret_name(line.get(..*at).unwrap_or_default().trim());
        if let Some(equals) = line.match_indices('=').map(|(at, _)| at).find(named) {
            found.push(start + equals + 1..start + line.trim_end().len().max(equals + 1));
        }
        start += line.len();
    }
    found
}

/// The text with each of these places written over; as long as before, so that other places hold.
pub(super) fn cover(text: &str, places: &[Range<usize>]) -> String {
    let mut covered = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c != '\n' && c != '\r' && places.iter().any(|p| p.contains(&at)) {
            covered.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            covered.push(c);
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name() {
        for name in ["password", "root_password", "api-token", "Passphrase", "pass"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["identity", "host_key", "prefix", "passive"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn covering_keeps_lengths_and_lines() {
        let text = "a = 1\npassword = h\u{fc}nter2\nb = 2\n";
        let covered = cover(text, &places_by_line(text));
        assert_eq!(covered.len(), text.len());
        assert!(!covered.contains("nter2"));
        assert!(covered.contains("password =***"));
        assert!(covered.ends_with("\nb = 2\n"));
    }
}
