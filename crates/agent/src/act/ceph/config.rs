//! Entries of Ceph's configuration database, all in one session.

use ringbolt_core::wire::Failure;
use serde_json::json;

use super::{Outcome, Scene, plain_name};
use crate::read::ceph::session::{Command, must};

/// Puts entries (section, option, value), then removes others (section, option).
pub(super) fn change(
    scene: &Scene<'_>,
    set: &[(String, String, String)],
    remove: &[(String, String)],
) -> Outcome {
    let names = set.iter().map(|(_, name, _)| name).chain(remove.iter().map(|(_, name)| name));
    for name in names {
        plain_name(name.strip_prefix("mgr/").unwrap_or(name).replace('/', "_").as_str(), "an option")?;
    }
    let puts = set.iter().map(|(section, name, value)| {
        json!({"prefix": "config set", "who": section, "name": name, "value": value})
    });
    let removes =
        remove.iter().map(|(section, name)| json!({"prefix": "config rm", "who": section, "name": name}));
    let commands: Vec<Command> = puts.chain(removes).map(Command::monitor).collect();
    if commands.is_empty() {
        return Ok("nothing to change".to_owned());
    }
    must(scene.root, &commands).map_err(|failure| Failure {
        message: format!("the configuration was not changed as wanted: {}", failure.message),
        ..failure
    })?;
    Ok(format!("{} put, {} removed", set.len(), remove.len()))
}
