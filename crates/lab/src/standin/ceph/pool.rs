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
    "allow_ec_overwrites",
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
    let coding = Coding::of(host, text(params, "erasure-coding"))?;
    // A pool that nothing but a storage can use gets one unless told otherwise.
    let add =
        if params.contains_key("add_storages") { flag(params, "add_storages") } else { coding.is_some() };
    if add {
        storage::check_new(host, &name)?;
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
        let Some(coding) = coding else {
            make(&rados, &json!({ "pool": name, "pg_num": number }), &application, &wanted, task)?;
            return if add { storage::add_rbd(host, &name, &name, None) } else { Ok(()) };
        };
        let profile = coding.profile(&rados, &name, task)?;
        let (data, small) = (format!("{name}-data"), format!("{name}-metadata"));
        // Copies and rule are those of the small pool; the coded one has its profile's.
        let copies = |key: &str| ["size", "min_size", "crush_rule"].contains(&key);
        let mut coded = wanted.clone();
        coded.retain(|(key, _)| !copies(key));
        coded.push(("allow_ec_overwrites".to_owned(), "true".to_owned()));
        let pool = json!({ "pool": data, "pg_num": number, "pool_type": "erasure", "erasure_code_profile": profile });
        make(&rados, &pool, &application, &coded, task)?;
        wanted.iter_mut().filter(|(key, _)| key == "pg_num").for_each(|(_, value)| *value = "32".to_owned());
        make(&rados, &json!({ "pool": small, "pg_num": 32 }), &application, &wanted, task)?;
        if add { storage::add_rbd(host, &name, &small, Some(&data)) } else { Ok(()) }
    })
}

/// Creates one pool and sets its variables.
fn make(
    rados: &Rados<'_>,
    pool: &Value,
    application: &str,
    wanted: &[(String, String)],
    task: &mut Task<'_>,
) -> Result<(), Fail> {
    let name = pool["pool"].as_str().unwrap_or_default();
    let mut command = json!({ "prefix": "osd pool create", "format": "plain" });
    for (key, value) in pool.as_object().into_iter().flatten() {
        command[key] = value.clone();
    }
    task.say(&format!("pool {name}: applying application = {application}"));
    rados.send(&[
        command,
        json!({ "prefix": "osd pool application enable", "pool": name, "app": application,
                "yes_i_really_mean_it": true, "format": "plain" }),
    ])?;
    let rest: Vec<(String, String)> = wanted.iter().filter(|(key, _)| key != "pg_num").cloned().collect();
    apply(rados, name, &rest, task)
}

/// `--erasure-coding k=2,m=1[,device-class=C][,failure-domain=D][,profile=P]`.
struct Coding {
    k: u32,
    m: u32,
    class: Option<String>,
    domain: String,
    profile: Option<String>,
}

impl Coding {
    fn of(host: &Host, text: &str) -> Result<Option<Self>, Fail> {
        if text.is_empty() {
            return Ok(None);
        }
        let invalid = |why: &str| Fail::param("erasure-coding", format!("invalid format - {why}"));
        let mut coding = Self { k: 0, m: 0, class: None, domain: "host".to_owned(), profile: None };
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| invalid("format error"))?;
            let number = || value.parse::<u32>().map_err(|_| invalid(&format!("{key}: type check failed")));
            match key {
                "k" => coding.k = number()?,
                "m" => coding.m = number()?,
                "device-class" => coding.class = Some(value.to_owned()),
                "failure-domain" => value.clone_into(&mut coding.domain),
                "profile" => coding.profile = Some(value.to_owned()),
                _ => return Err(invalid(&format!("format error\n{key}: property is not defined in schema"))),
            }
        }
        if coding.k < 2 || coding.m < 1 {
            return Err(invalid("format error\nk: value must have a minimum value of 2, m of 1"));
        }
        if let Some(profile) = &coding.profile {
            let known = super::answer(&Rados::new(host), "osd erasure-code-profile ls")?;
            if !known.as_array().into_iter().flatten().any(|name| name == profile.as_str()) {
                return Err(Fail::die(format!("Erasure code profile '{profile}' does not exist.")));
            }
        }
        Ok(Some(coding))
    }

    /// The profile the pool is made with; its own where none was named.
    fn profile(self, rados: &Rados<'_>, pool: &str, task: &mut Task<'_>) -> Result<String, Fail> {
        if let Some(named) = self.profile {
            return Ok(named);
        }
        let name = format!("pve_ec_{pool}");
        let mut keys = vec![
            format!("crush-failure-domain={}", self.domain),
            format!("k={}", self.k),
            format!("m={}", self.m),
        ];
        keys.extend(self.class.map(|class| format!("crush-device-class={class}")));
        rados
            .send(&[json!({ "prefix": "osd erasure-code-profile set", "name": name, "profile": keys })])
            .map_err(|fail| Fail::die(format!("could not create erasure code profile '{name}': {fail}")))?;
        task.say(&format!("created new erasure code profile '{name}'"));
        Ok(name)
    }
}

/// The variables a call names, sizes in bytes.
fn given(params: &Params) -> Result<Vec<(String, String)>, Fail> {
    let mut wanted = Vec::new();
    for key in VARIABLES.iter().filter(|key| **key != "allow_ec_overwrites") {
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
    let keep_profile = params.contains_key("remove_ecprofile") && !flag(params, "remove_ecprofile");
    worker(host, ("cephdestroypool", &name), out, err, |task| {
        let rados = Rados::new(host);
        let asked = json!({ "prefix": "osd pool get", "pool": name, "var": "all", "format": "json" });
        let pool = rados.json(&asked)?;
        rados.send(&[json!({
            "prefix": "osd pool delete", "pool": name, "pool2": name,
            "yes_i_really_really_mean_it": true, "format": "plain",
        })])?;
        if let Some(profile) = pool["erasure_code_profile"].as_str() {
            task.say(&format!("found erasure coded profile '{profile}', destroying its CRUSH rule"));
            rados.send(&[
                json!({ "prefix": "osd crush rule rm", "name": pool["crush_rule"], "format": "plain" }),
            ])?;
            if !keep_profile {
                task.say(&format!("destroying erasure coded profile '{profile}'"));
                rados.send(&[
                    json!({ "prefix": "osd erasure-code-profile rm", "name": profile, "format": "plain" }),
                ])?;
            }
        }
        if flag(params, "remove_storages") {
            for user in &users {
                storage::remove(host, user)?;
            }
        }
        Ok(())
    })
}
