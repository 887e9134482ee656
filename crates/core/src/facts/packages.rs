//! Installed packages, read from dpkg's own list (`/var/lib/dpkg/status`).
//!
//! Used by the agent with the whole file in memory: about a megabyte, passed over once.

use std::collections::{BTreeMap, BTreeSet};

use crate::into_set::IntoSet;

/// Versions of those wanted packages that are installed. Packages that are only configured, half
/// installed or removed do not count. `status` is the whole of `/var/lib/dpkg/status`.
pub fn installed(status: &str, wanted: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = status;
    while !rest.is_empty() {
        let end = rest.find("\n\n").map_or(rest.len(), |at| at + 2);
        let (entry, after) = rest.split_at(end);
        rest = after;
        let name = entry.trim_start().strip_prefix("Package: ").and_then(|e| e.split_once('\n'));
        let Some((name, fields)) = name else { continue };
        if let Some(version) = wanted.get(name).and_then(|_| version(fields)) {
            found.entry(name.to_owned()).or_insert_with(|| version.to_owned());
        }
    }
    found
}

/// Names of all packages that are installed.
pub fn names(status: &str) -> BTreeSet<String> {
    let entries = status.split("\n\n");
    let named = entries.filter_map(|e| e.trim_start().strip_prefix("Package: ")?.split_once('\n'));
    named.filter(|(_, fields)| version(fields).is_some()).map(|(name, _)| name.to_owned()).into_set()
}

/// The version of an entry whose status is `… … installed`.
fn version(fields: &str) -> Option<&str> {
    let field = |key: &str| fields.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    (field("Status")?.split(' ').nth(2)? == "installed").then(|| field("Version")).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn only_what_is_installed_and_asked_for() {
        let status = "Package: frr\nStatus: install ok installed\nPriority: optional\nVersion: 10.3-3+deb13u1\nDescription: FRRouting suite\n Package: not-a-package\n\nPackage: old\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: half\nStatus: install reinstreq half-installed\nVersion: 2\n\nPackage: held\nStatus: hold ok installed\nVersion: 3\n\nPackage: other\nStatus: install ok installed\nVersion: 4\n";
        let read = installed(status, &wanted(&["frr", "old", "half", "held", "absent", "not-a-package"]));
        let seen: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(seen, [("frr", "10.3-3+deb13u1"), ("held", "3")]);
    }

    #[test]
    fn a_second_architecture_does_not_hide_the_first() {
        let status = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41\n\nPackage: libc6\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 2.36\n";
        assert_eq!(installed(status, &wanted(&["libc6"]))["libc6"], "2.41");
        assert!(installed("", &wanted(&["libc6"])).is_empty());
    }
}
