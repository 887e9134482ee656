//! `pveceph mds create|destroy`.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::schema::Params;
use super::{Rados, check_inited, check_installed, conf, data, link_conf, run, service, worker};

pub(super) fn create(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_installed(host, "ceph-mds")?;
    check_inited(host)?;
    link_conf(host)?;
    let id = match text(params, "name") {
        "" => host.node.clone(),
        id => id.to_owned(),
    };
    if id.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Fail::die("ID of the MDS cannot start with a number!"));
    }
    let section = format!("mds.{id}");
    worker(host, ("cephcreatemds", &section), out, err, |task| {
        {
            let _lock = conf::lock(host)?;
            let mut conf = conf::load(host);
            if conf.has(&section) {
                return Err(Fail::die(format!("MDS '{section}' already referenced in ceph config, abort!")));
            }
            conf.set("mds", "keyring", "/var/lib/ceph/mds/ceph-$id/keyring");
            conf.set(&section, "host", &host.node);
            conf.set(&section, "mds_standby_for_name", "pve");
            if flag(params, "hotstandby") {
                conf.set(&section, "mds_standby_replay", "true");
            }
            conf::save(host, &conf)?;
        }
        let folder = data(host, "mds", &id);
        task.say(&format!("creating MDS directory '{}'", folder.display()));
        fs::create_dir_all(&folder)?;
        task.say(&format!("creating keys for '{section}'"));
        let caps = ["mon", "allow profile mds", "osd", "allow rwx", "mds", "allow *"];
        let keyring = service::keyring(host, &section, &caps)?;
        let words = "setting ceph as owner for service directory";
        service::settle(host, task, ("mds", &id), (&folder, &keyring), words)
    })
}

pub(super) fn destroy(
    host: &Host,
    id: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let section = format!("mds.{id}");
    worker(host, ("cephdestroymds", &section), out, err, |task| {
        let unit = format!("ceph-mds@{id}");
        run(host, task, &["systemctl", "disable", &unit])?;
        run(host, task, &["systemctl", "stop", &unit])?;
        {
            let _lock = conf::lock(host)?;
            let mut conf = conf::load(host);
            conf.remove_section(&section);
            conf::save(host, &conf)?;
        }
        Rados::new(host).send(&[json!({ "prefix": "auth del", "entity": section, "format": "plain" })])?;
        let folder = data(host, "mds", id);
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        Ok(())
    })
}
