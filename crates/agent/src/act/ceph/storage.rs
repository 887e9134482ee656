//! `pvesm add`: an entry in Proxmox VE's list of storages, judged by the list.

use ringbolt_core::facts::pve::path::STORAGE;
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, flags, plain_name, run, tool};

/// Longest time it may take, in seconds.
const LIMIT: u64 = 120;

/// Adds the entry.
pub(super) fn add(scene: &Scene<'_>, kind: &str, id: &str, options: &[(String, String)]) -> Outcome {
    if !["rbd", "cephfs"].contains(&kind) {
        return Err(Failure::refused(format!("`{kind}` is no storage of Ceph")));
    }
    plain_name(id, "a storage")?;
    let found = |scene: &Scene<'_>| {
        let text = std::fs::read_to_string(scene.root.at(STORAGE)).unwrap_or_default();
        entry(&text, id).map(str::to_owned)
    };
    match found(scene) {
        Some(have) if have == kind => return Ok("there already".to_owned()),
        Some(other) => {
            let message = format!("{id} is the name of a storage of another kind ({other})");
            return Err(Failure::refused(message).hint("choose another name in the spec"));
        }
        None => {}
    }
    let mut words = ["add", kind, id].map(str::to_owned).to_vec();
    words.extend(flags(options)?);
    let output = run(scene, &tool("pvesm", words, LIMIT))?;
    match found(scene) {
        Some(_) => Ok("added".to_owned()),
        None => Err(failure(&format!("there is no storage {id} afterwards"), &output)),
    }
}

/// The kind of a storage, by its headline `kind: id`.
pub(crate) fn entry<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let headlines = text.lines().filter(|line| !line.starts_with([' ', '\t', '#']));
    headlines
        .filter_map(|line| line.split_once(':'))
        .find(|(_, name)| name.trim() == id)
        .map(|(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_headline() {
        let text = "dir: local\n\tpath /var/lib/vz\n\nrbd: ceph-vm\n\tpool vm\n\tcontent x: y\n";
        assert_eq!(entry(text, "ceph-vm"), Some("rbd"));
        assert_eq!(entry(text, "local"), Some("dir"));
        assert_eq!(entry(text, "y"), None);
    }
}
