//! Options of the whole datacenter: which network migration and replication use.

use ringbolt_core::facts::pve::{datacenter, path::DATACENTER};
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, flags, run, tool};

/// Options that may be set.
const ALLOWED: [&str; 2] = ["migration", "replication"];

/// Longest time it may take, in seconds.
const LIMIT: u64 = 60;

/// Sets the options.
pub(super) fn set(scene: &Scene<'_>, options: &[(String, String)]) -> Outcome {
    if let Some((name, _)) = options.iter().find(|(name, _)| !ALLOWED.contains(&name.as_str())) {
        return Err(Failure::refused(format!("`{name}` is no option of the datacenter ringbolt sets")));
    }
    let so = |scene: &Scene<'_>| {
        let text = std::fs::read_to_string(scene.root.at(DATACENTER)).unwrap_or_default();
        options.iter().all(|(name, value)| has(&text, name, value))
    };
    if so(scene) {
        return Ok("already so".to_owned());
    }
    let mut words = ["set", "/cluster/options"].map(str::to_owned).to_vec();
    words.extend(flags(options)?);
    let output = run(scene, &tool("pvesh", words, LIMIT))?;
    if so(scene) {
        return Ok(String::new());
    }
    Err(failure("the datacenter's options are not as wanted", &output))
}

/// Whether an option has every part of a value.
pub(crate) fn has(text: &str, name: &str, value: &str) -> bool {
    let have = datacenter(text, name);
    let parts = value.split(',').map(|part| part.split_once('=').unwrap_or(("type", part)));
    parts.into_iter().all(|(key, value)| have.get(key) == Some(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_parts_does_not_matter() {
        let text = "keyboard: de\nmigration: network=10.0.0.0/24,type=secure\n";
        assert!(has(text, "migration", "type=secure,network=10.0.0.0/24"));
        assert!(!has(text, "migration", "type=insecure,network=10.0.0.0/24"));
        assert!(!has(text, "replication", "type=secure"));
    }
}
