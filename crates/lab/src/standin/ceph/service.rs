//! `pveceph start|stop` and the API's restart: units of this node.

use std::io::Write;

use serde_json::Value;

use super::super::Host;
use super::super::fail::Fail;
use super::{check_inited, run, worker};

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
