//! `pveceph pool create|set|destroy`. As there, a failed task does not reach the exit status of the command.

use std::io::Write;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::schema::Params;
use super::super::storage;
use super::super::task::Task;
use super::{Rados, check_inited, conf, worker};

/// Options that are variables of the pool, in the order they are set.
const VARIABLES: &[&str] = &[
    "size",
    "min_size",
    "crush_rule",
    "pg_autoscale_mode",
    "pg_num",
    "pg_num_min",
    "target_size_bytes",
    "target_size_ratio",
];

pub(super) fn create(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let name = text(params, "name").to_owned();
    let add = flag(params, "add_storages");
    if add {
        storage::check_new(host, &name)?;
    }
    if !text(params, "erasure-coding").is_empty() {
        return Err(Fail::die("erasure-coded pools are not stood in for"));
    }
    let application = Some(text(params, "application")).filter(|a| !a.is_empty()).unwrap_or("rbd").to_owned();
    let conf = conf::load(host);
    let mut wanted = given(params)?;
    for (key, option, default) in
        [("size", "osd_pool_default_size", "3"), ("min_size", "osd_pool_default_min_size", "2")]
    {
        if !wanted.iter().any(|(known, _)| known == key) {
            let value = conf.get("global", option).unwrap_or(default).to_owned();
            wanted.push((key.to_owned(), value));
        }
    }
    if !wanted.iter().any(|(key, _)| key == "pg_autoscale_mode") {
        wanted.push(("pg_autoscale_mode".to_owned(), "warn".to_owned()));
    }
    worker(host, ("cephcreatepool", &name), out, err, |task| {
        let pg_num = wanted.iter().find(|(key, _)| key == "pg_num").map_or("128", |(_, value)| value);
        let number: i64 = pg_num.parse().unwrap_or(128);
        let rados = Rados::new(host);
        task.say(&format!("pool {name}: applying application = {application}"));
        rados.send(&[
            json!({ "prefix": "osd pool create", "pool": name, "pg_num": number, "format": "plain" }),
            json!({ "prefix": "osd pool application enable", "pool": name, "app": application,
                    "yes_i_really_mean_it": true, "format": "plain" }),
        ])?;
        wanted.retain(|(key, _)| key != "pg_num");
        apply(&rados, &name, &wanted, task)?;
        if add {
            storage::add_rbd(host, &name, &name)?;
        }
        Ok(())
    })
}

/// The variables a call names, sizes in bytes.
fn given(params: &Params) -> Result<Vec<(String, String)>, Fail> {
    let mut wanted = Vec::new();
    for key in VARIABLES {
        let option = if *key == "target_size_bytes" { "target_size" } else { key };
        let value = text(params, option);
        if value.is_empty() {
            continue;
        }
        let value = if option == "target_size" { bytes(value)? } else { value.to_owned() };
        wanted.push(((*key).to_owned(), value));
    }
    Ok(wanted)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of pools")]
fn bytes(value: &str) -> Result<String, Fail> {
    let unit = value.chars().last().unwrap_or(' ');
    let power = "KMGT".find(unit).map_or(0, |at| u32::try_from(at).unwrap_or(0) + 1);
    let number: f64 = value
        .trim_end_matches(['K', 'M', 'G', 'T'])
        .parse()
        .map_err(|_| Fail::param("target_size", "value does not match the regex pattern"))?;
    Ok(((number * 1024_f64.powi(i32::try_from(power).unwrap_or(0))) as u64).to_string())
}

fn apply(
    rados: &Rados<'_>,
    name: &str,
    wanted: &[(String, String)],
    task: &mut Task<'_>,
) -> Result<(), Fail> {
    let mut commands = Vec::new();
    for key in VARIABLES {
        for (_, value) in wanted.iter().filter(|(known, _)| known == key) {
            task.say(&format!("pool {name}: applying {key} = {value}"));
            let mut command = json!({ "prefix": "osd pool set", "pool": name, "var": key, "val": value, "format": "plain" });
            if *key == "size" && value == "1" {
                command["yes_i_really_mean_it"] = json!(true);
            }
            commands.push(command);
        }
    }
    rados.send(&commands).map(drop)
}

pub(super) fn set(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let name = text(params, "name").to_owned();
    let wanted = given(params)?;
    let application = text(params, "application").to_owned();
    worker(host, ("cephsetpool", &name), out, err, |task| {
        let rados = Rados::new(host);
        if !application.is_empty() {
            task.say(&format!("pool {name}: applying application = {application}"));
            rados.send(&[
                json!({ "prefix": "osd pool application enable", "pool": name, "app": application,
                                 "yes_i_really_mean_it": true, "format": "plain" }),
            ])?;
        }
        apply(&rados, &name, &wanted, task)
    })
}

pub(super) fn destroy(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let name = text(params, "name").to_owned();
    let users = storage::of_pool(host, &name);
    if !flag(params, "force") {
        let busy: Vec<&String> = users.iter().filter(|_| !flag(params, "remove_storages")).collect();
        if let Some(user) = busy.first() {
            return Err(Fail::die(format!("ceph pool '{name}' still in use by storage '{user}'")));
        }
    }
    worker(host, ("cephdestroypool", &name), out, err, |_| {
        Rados::new(host).send(&[json!({
            "prefix": "osd pool delete", "pool": name, "pool2": name,
            "yes_i_really_really_mean_it": true, "format": "plain",
        })])?;
        if flag(params, "remove_storages") {
            for user in &users {
                storage::remove(host, user)?;
            }
        }
        Ok(())
    })
}
