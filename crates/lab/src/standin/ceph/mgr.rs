//! `pveceph mgr create|destroy`.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::task::Task;
use super::{Rados, check_inited, check_installed, data, link_conf, run, service, worker};

pub(super) fn create(host: &Host, id: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<Value, Fail> {
    check_installed(host, "ceph-mgr")?;
    check_inited(host)?;
    link_conf(host)?;
    let id = if id.is_empty() { host.node.clone() } else { id.to_owned() };
    worker(host, ("cephcreatemgr", &format!("mgr.{id}")), out, err, |task| make(host, &id, task))
}

/// Makes a manager of that name on this node.
pub(super) fn make(host: &Host, id: &str, task: &mut Task<'_>) -> Result<(), Fail> {
    let folder = data(host, "mgr", id);
    if folder.is_dir() {
        return Err(Fail::die(format!("ceph manager directory '{}' already exists", folder.display())));
    }
    task.say("creating keys for ceph manager");
    let caps = ["mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"];
    let keyring = service::keyring(host, &format!("mgr.{id}"), &caps)?;
    fs::create_dir_all(&folder)?;
    service::settle(host, task, ("mgr", id), (&folder, &keyring), "setting owner for directory")
}

pub(super) fn destroy(
    host: &Host,
    id: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let folder = data(host, "mgr", id);
    if !folder.is_dir() {
        return Err(Fail::die(format!("ceph manager directory '{}' not found", folder.display())));
    }
    worker(host, ("cephdestroymgr", &format!("mgr.{id}")), out, err, |task| {
        let unit = format!("ceph-mgr@{id}");
        task.say(&format!("disabling service '{unit}.service'"));
        run(host, task, &["systemctl", "disable", &unit])?;
        task.say(&format!("stopping service '{unit}.service'"));
        run(host, task, &["systemctl", "stop", &unit])?;
        task.say("removing manager directory");
        fs::remove_dir_all(&folder)?;
        let entity = format!("mgr.{id}");
        Rados::new(host).send(&[json!({ "prefix": "auth del", "entity": entity, "format": "plain" })])?;
        Ok(())
    })
}
