//! `/cluster/sdn`: apply, lock, rollback and dry run.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::schema::Params;
use super::super::task::Task;
use super::super::{quorum, reload, staged};
use super::{Fail, Host, Method, flag, token};

pub(super) fn call(
    host: &Host,
    method: &Method,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    match (method.verb, method.name) {
        ("PUT", _) => apply(host, params, out, err),
        ("POST", "lock") => lock(host, flag(params, "allow-pending")),
        ("POST", _) => rollback(host, params),
        ("DELETE", _) => release(host, params),
        ("GET", "dry-run") => dry_run(host),
        _ => Ok(index()),
    }
}

fn index() -> Value {
    let names = ["vnets", "zones", "controllers", "ipams", "dns", "fabrics", "prefix-lists", "route-maps"];
    names.iter().map(|name| json!({ "id": name })).collect()
}

fn lock(host: &Host, allow_pending: bool) -> Result<Value, Fail> {
    staged::locked(host, "could not lock SDN config", None, || {
        // Pending fabrics are not looked at, as in the real handler.
        if !allow_pending && staged::others_pending(host) {
            return Err(Fail::die("configuration has pending changes"));
        }
        staged::take_lock(host).map(Value::String)
    })
}

fn release(host: &Host, params: &Params) -> Result<Value, Fail> {
    if flag(params, "force") {
        quorum::check(host)?;
        staged::free_lock(host)?;
        return Ok(Value::Null);
    }
    staged::locked(host, "could not release lock", token(params), || {
        staged::free_lock(host).map(|()| Value::Null)
    })
}

fn rollback(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "could not rollback SDN config", token(params), || {
        staged::rollback(host)?;
        free_if_asked(host, params)
    })?;
    Ok(Value::Null)
}

/// The documented default of `release-lock` is 1; it is not honoured.
fn free_if_asked(host: &Host, params: &Params) -> Result<(), Fail> {
    if token(params).is_some() && flag(params, "release-lock") {
        staged::free_lock(host)?;
    }
    Ok(())
}

fn apply(host: &Host, params: &Params, out: &mut dyn Write, err: &mut dyn Write) -> Result<Value, Fail> {
    let before = staged::running_value(host);
    staged::locked(host, "could not commit SDN config", token(params), || {
        staged::commit(host)?;
        free_if_asked(host, params)
    })?;
    let after = staged::running_value(host);
    let frr = staged::needs_frr(host, &before, &after);
    let mut task = Task::start(host, "reloadnetworkall", "", out)?;
    let result = quorum::check(host).map(|()| reload_all(host, frr, &mut task));
    task.finish(host, result, err)
}

/// One node after the other; one that fails is only warned about.
fn reload_all(host: &Host, frr: bool, task: &mut Task<'_>) {
    let flag = if frr { "1" } else { "0" };
    for member in host.members() {
        let name = &member.name;
        task.say(&format!("{name}: reloading network config"));
        let path = format!("/nodes/{name}/network");
        let ran = host.exec.run(&["pvesh", "set", &path, "--regenerate-frr", flag]);
        for line in ran.stderr.lines() {
            task.say(line);
        }
        if ran.status != 0 {
            task.say(&format!(
                "command 'pvesh set {path} --regenerate-frr {flag}' failed: exit code {}",
                ran.status
            ));
        } else if !ran.stdout.contains("UPID:") {
            task.say("unable to parse worker upid ''");
        }
    }
}

fn dry_run(host: &Host) -> Result<Value, Fail> {
    let config = staged::edited(host)?;
    let version = staged::running_value(host)["version"].as_u64().unwrap_or(0) + 1;
    let mut result = Map::new();
    for (key, live, text) in [
        ("frr-diff", reload::frr_path(host), reload::frr_text(host, &config)),
        ("interfaces-diff", reload::sdn_path(host), reload::sdn_text(host, &config, version)),
    ] {
        if let Some(diff) = difference(host, &live, &text)? {
            result.insert(key.to_owned(), json!(diff));
        }
    }
    Ok(Value::Object(result))
}

fn difference(host: &Host, live: &Path, text: &str) -> Result<Option<String>, Fail> {
    let mut pending = tempfile::NamedTempFile::new()?;
    pending.write_all(text.as_bytes())?;
    let live = live.display().to_string();
    let other = pending.path().display().to_string();
    let ran = host.exec.run(&["diff", "-bNu", &live, &other]);
    match ran.status {
        0 => Ok(None),
        1 => Ok(Some(ran.stdout)),
        _ => Err(Fail::die(ran.stderr.trim().to_owned())),
    }
}
