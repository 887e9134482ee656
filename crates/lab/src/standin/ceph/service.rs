//! `pveceph start|stop` and the API's restart, and what the creation of managers and metadata servers has in common:
//! units of this node.

use std::io::Write;

use std::path::Path;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::task::Task;
use super::{Rados, check_inited, run, worker, write_secret};

/// A daemon's key with these capabilities, as its keyring.
pub(super) fn keyring(host: &Host, entity: &str, caps: &[&str]) -> Result<String, Fail> {
    let command =
        json!({ "prefix": "auth get-or-create", "entity": entity, "caps": caps, "format": "plain" });
    let keys = Rados::new(host).send(&[command])?;
    Ok(keys.into_iter().next().unwrap_or_default())
}

/// Fills the daemon's folder and starts it, now and at every boot.
pub(super) fn settle(
    host: &Host,
    task: &mut Task<'_>,
    (kind, id): (&str, &str),
    (folder, keyring): (&Path, &str),
    words: &str,
) -> Result<(), Fail> {
    write_secret(host, &folder.join("keyring"), keyring)?;
    task.say(words);
    run(host, task, &["chown", "ceph:ceph", "-R", &folder.to_string_lossy()])?;
    let unit = format!("ceph-{kind}@{id}");
    for (doing, verb) in [("enabling", "enable"), ("starting", "start")] {
        task.say(&format!("{doing} service '{unit}.service'"));
        run(host, task, &["systemctl", verb, &unit])?;
    }
    Ok(())
}

pub(super) fn call(
    host: &Host,
    command: &str,
    service: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let service = if service.is_empty() { "ceph" } else { service };
    let unit = match service.split_once('.') {
        Some((kind, id)) => format!("ceph-{kind}@{id}.service"),
        None if service == "ceph" => "ceph.target".to_owned(),
        None => format!("ceph-{service}.target"),
    };
    let (kind, id) = service.split_once('.').unwrap_or((service, ""));
    let (task, word) =
        (format!("srv{command}"), if id.is_empty() { kind.to_owned() } else { service.to_owned() });
    worker(host, (&task, &word), out, err, |task| {
        if service == "osd" && command == "start" {
            super::activate_all(host, &mut std::io::sink())?;
        }
        run(host, task, &["systemctl", command, &unit])
    })
}
