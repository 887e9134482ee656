//! Ceph's packages, from one repository in one release on all nodes.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::{CephCheck, Check};
use crate::facts::Facts;
use crate::plan::{Step, Undo};
use crate::spec::{Release, Repository};

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

/// The release a node takes Ceph's packages from: `squid`.
pub(crate) fn source(facts: &Facts) -> Option<&str> {
    let text = facts.text(SOURCES).or_else(|| facts.text(OLD_SOURCES))?;
    let lines = text.lines().filter(|l| l.starts_with("URIs:") || l.starts_with("deb "));
    let words = lines.flat_map(str::split_whitespace);
    words.filter_map(|word| word.trim_end_matches('/').rsplit_once("/ceph-").map(|(_, name)| name)).next()
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
