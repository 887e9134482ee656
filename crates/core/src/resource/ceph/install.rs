//! Ceph's packages, from one repository in one release on all nodes.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::{CephCheck, Check};
use crate::facts::Facts;
use crate::spec::{Release, Repository};
use crate::step::{Step, Undo};

/// What Proxmox VE's install leaves on a node, as far as ringbolt needs it.
pub(crate) const PACKAGES: [&str; 7] =
    ["ceph-base", "ceph-common", "ceph-mds", "ceph-mgr", "ceph-mon", "ceph-osd", "ceph-volume"];
/// Where Proxmox VE's install writes the repository.
pub(crate) const SOURCES: &str = "/etc/apt/sources.list.d/ceph.sources";
/// Where it did before Proxmox VE 9.
pub(crate) const OLD_SOURCES: &str = "/etc/apt/sources.list.d/ceph.list";

/// The repository as Proxmox VE's tool names it.
pub(crate) fn repository(repository: Repository) -> &'static str {
    match repository {
        Repository::Enterprise => "enterprise",
        Repository::NoSubscription => "no-subscription",
        Repository::Test => "test",
    }
}

/// The release as Proxmox VE's tool names it.
pub(crate) fn release(release: Release) -> &'static str {
    match release {
        Release::Squid => "squid",
        Release::Tentacle => "tentacle",
    }
}

/// Whether a node has all of Ceph.
pub(crate) fn installed(facts: &Facts) -> bool {
    let flag = facts.state.ceph.yes().is_some_and(|c| c.installing);
    PACKAGES.iter().all(|name| facts.has_package(name)) && !flag
}

/// The release and the repository a node takes Ceph's packages from: `squid`, `no-subscription`. The repository is
/// empty where none of Proxmox VE's is named.
pub(crate) fn source(facts: &Facts) -> Option<(&str, &str)> {
    let text = facts.text(SOURCES).or_else(|| facts.text(OLD_SOURCES))?;
    let lines = text.lines().filter(|l| ["URIs:", "Components:", "deb "].iter().any(|s| l.starts_with(s)));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let named = |word: &&str| word.trim_end_matches('/').rsplit_once("/ceph-").is_some();
    let release = words.iter().copied().find(named)?.trim_end_matches('/').rsplit_once("/ceph-")?.1;
    let all = [Repository::Enterprise, Repository::NoSubscription, Repository::Test].map(repository);
    Some((release, words.into_iter().find(|word| all.contains(word)).unwrap_or_default()))
}

/// The release in a version as a daemon tells it: `ceph version 19.2.3 (…) squid (stable)` → `squid`.
pub(crate) fn release_of(version: &str) -> Option<&str> {
    // What comes last is in brackets, and may have blanks in it.
    version.rsplit_once(" (")?.0.rsplit_once(") ").map(|(_, name)| name)
}

pub(crate) fn steps(scene: &Scene<'_>) -> Vec<Step> {
    let from = repository(scene.ceph.repository);
    let version = release(scene.ceph.version);
    scene
        .nodes()
        .filter(|(_, facts)| !installed(facts))
        .map(|(node, _)| {
            let mut proof: Vec<_> =
                PACKAGES.iter().map(|name| (node.clone(), Check::Package { name: (*name).into() })).collect();
            proof.push((
                node.clone(),
                Check::Line { path: SOURCES.into(), line: format!("Components: {from}").into() },
            ));
            proof.push(on(node, CephCheck::Installed {}));
            let deed = CephDeed::Install { repository: from.into(), version: version.into() };
            Step {
                title: format!("install Ceph ({version}) from Proxmox VE's {from} repository").into(),
                why: "every node runs the same release from the same repository".into(),
                undo: Undo::Impossible("packages stay installed; without daemons they do nothing".into()),
                proof,
                patience: 30,
                ..step(node, format_args!("install"), deed)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::file;

    #[test]
    fn release_and_repository_are_read_from_both_forms_of_the_file() {
        let cluster = crate::sim::fresh(
            &crate::topology::generate::ring(3),
            crate::spec::Transport::Thunderbolt,
            &crate::sim::Options::default(),
        );
        let facts = cluster.nodes.into_values().next().expect("a node").facts;
        let with = |path: &str, text: &str| {
            let mut facts = facts.clone();
            facts.state.files.insert(path.into(), file(text, 0o644));
            source(&facts).map(|(release, from)| (release.to_owned(), from.to_owned()))
        };
        let both = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        let new = "Types: deb\nURIs: http://download.proxmox.com/debian/ceph-squid\nSuites: trixie\nComponents: test\n";
        assert_eq!(with(SOURCES, new), both("squid", "test"));
        let old = "deb https://enterprise.proxmox.com/debian/ceph-reef bookworm enterprise\n";
        assert_eq!(with(OLD_SOURCES, old), both("reef", "enterprise"));
        assert_eq!(with(SOURCES, "URIs: http://mirror.example/ceph-tentacle/\n"), both("tentacle", ""));
        assert_eq!(with(SOURCES, "# nothing\n"), None);
        assert_eq!(release_of("ceph version 20.2.0 (abc) tentacle (stable)"), Some("tentacle"));
        assert_eq!(
            release_of("ceph version 19.2.3-pve1 (abc) squid (stable - RelWithDebInfo)"),
            Some("squid")
        );
    }
}
