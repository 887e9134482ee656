//! `pveceph fs create`.

use std::io::Write;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::schema::Params;
use super::super::storage;
use super::{Rados, answer, check_inited, soon, worker};

pub(super) fn create(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let name = Some(text(params, "name")).filter(|name| !name.is_empty()).unwrap_or("cephfs").to_owned();
    let pg_num: i64 = text(params, "pg_num").parse().unwrap_or(128);
    let rados = Rados::new(host);
    let existing = answer(&rados, "fs ls")?;
    if existing.as_array().into_iter().flatten().any(|fs| fs["name"] == name.as_str()) {
        return Err(Fail::die(format!("ceph fs '{name}' already exists")));
    }
    let standby = |rados: &Rados<'_>| {
        let stat = answer(rados, "mds stat").ok()?;
        stat["fsmap"]["standbys"].as_array().map(|list| !list.is_empty())
    };
    if standby(&rados) != Some(true) {
        return Err(Fail::die("no standby metadata server (MDS) found!"));
    }
    if flag(params, "add-storage") {
        storage::check_new(host, &name)?;
    }
    worker(host, ("cephfscreate", &name), out, err, |task| {
        let (data, metadata) = (format!("{name}_data"), format!("{name}_metadata"));
        task.say(&format!("creating data pool '{data}'..."));
        task.say(&format!("creating metadata pool '{metadata}'..."));
        task.say(&format!("configuring new CephFS '{name}'"));
        rados.send(&[
            json!({ "prefix": "osd pool create", "pool": data, "pg_num": pg_num, "format": "plain" }),
            json!({ "prefix": "osd pool create", "pool": metadata, "pg_num": (pg_num / 4).max(8), "format": "plain" }),
            json!({ "prefix": "fs new", "fs_name": name, "metadata": metadata, "data": data, "format": "plain" }),
        ])?;
        task.say("Successfully create CephFS '#'".replace('#', &name).as_str());
        if flag(params, "add-storage") {
            task.say(&format!("Adding '{name}' to storage configuration..."));
            soon(30, || {
                let status = rados.json(&json!({ "prefix": "fs dump", "format": "json" }));
                status.is_ok_and(|dump| dump.to_string().contains("up:active"))
            });
            storage::add_cephfs(host, &name)?;
        }
        Ok(())
    })
}
