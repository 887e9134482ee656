//! Installs Ceph by `pveceph install`, which asks: it is started without apt's `-y`.

use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, run, tool};
use crate::read::ceph::{INSTALLING, is_installed};

/// Repositories Proxmox VE knows.
const REPOSITORIES: [&str; 3] = ["enterprise", "no-subscription", "test"];

/// Where it writes its choice.
const SOURCES: &str = "/etc/apt/sources.list.d/ceph.sources";

/// Answers to its questions: apt's, and that about an experimental version.
const ANSWERS: usize = 8;

/// Longest time it may take, in seconds.
const LIMIT: u64 = 3600;

/// Installs this version from this repository.
pub(super) fn install(scene: &Scene<'_>, repository: &str, version: &str) -> Outcome {
    if !REPOSITORIES.contains(&repository) {
        return Err(Failure::refused(format!("`{repository}` is no repository of Ceph")));
    }
    super::plain_name(version, "a version of Ceph")?;
    let flag = scene.root.at(INSTALLING);
    if flag.exists() {
        return Err(Failure::refused(format!("an install of Ceph is under way: {INSTALLING} is there"))
            .hint("wait for its end; if there is none, remove that file"));
    }
    if is_installed(scene.root) && is_from(scene, version) {
        return Ok("installed already".to_owned());
    }
    let words = ["install", "--repository", repository, "--version", version];
    let call =
        tool("pveceph", words, LIMIT).input("y\n".repeat(ANSWERS)).with("DEBIAN_FRONTEND", "noninteractive");
    let output = run(scene, &call)?;
    if is_installed(scene.root) && !flag.exists() && output.status.success() {
        return Ok(format!("Ceph {version} from {repository}"));
    }
    Err(failure("Ceph was not installed", &output))
}

/// Whether the packages came from the repository of this version.
fn is_from(scene: &Scene<'_>, version: &str) -> bool {
    let text = std::fs::read_to_string(scene.root.at(SOURCES)).unwrap_or_default();
    let part = format!("ceph-{version}");
    text.lines().any(|line| line.split(['/', ' ']).any(|word| word == part))
}
