//! `/storage`, `/nodes/{node}/storage` and `pvesm`: the list of storages in `/etc/pve/storage.cfg`, and the keys
//! copied for those on Ceph.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::api::Method;
use super::ceph::Rados;
use super::cephfs::Files;
use super::fail::Fail;
use super::handlers::text;
use super::schema::Params;
use super::{Host, quorum, say};

use ringbolt_core::arrange::Arrange;

/// One storage.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: String,
    id: String,
    keys: Vec<(String, String)>,
}

impl Entry {
    fn get(&self, key: &str) -> Option<&str> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, key: &str, value: &str) {
        self.keys.retain(|(known, _)| known != key);
        self.keys.push((key.to_owned(), value.to_owned()));
        self.keys.arrange_by_key(|(key, _)| (key != "path", key.clone()));
    }

    fn shown(&self) -> Value {
        let mut row = Map::new();
        row.insert("storage".into(), json!(self.id));
        row.insert("type".into(), json!(self.kind));
        for (key, value) in &self.keys {
            let number = ["krbd", "shared", "disable", "fuse"].contains(&key.as_str());
            let value =
                if number { value.parse().map_or(Value::Null, |n: i64| json!(n)) } else { json!(value) };
            row.insert(key.clone(), value);
        }
        if matches!(self.kind.as_str(), "rbd" | "cephfs") {
            row.insert("shared".into(), json!(1));
        }
        Value::Object(row)
    }
}

fn file(host: &Host) -> PathBuf {
    host.root.etc_pve.join("storage.cfg")
}

fn load(host: &Host) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for line in host.read(&file(host)).lines() {
        if line.starts_with([' ', '\t']) {
            let (key, value) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), "1"));
            if let Some(entry) = all.last_mut().filter(|_| !key.is_empty()) {
                entry.keys.push((key.to_owned(), value.trim().to_owned()));
            }
        } else if let Some((kind, id)) = line.split_once(':') {
            all.push(Entry { kind: kind.trim().to_owned(), id: id.trim().to_owned(), keys: Vec::new() });
        }
    }
    all
}

fn save(host: &Host, all: &[Entry]) -> Result<(), Fail> {
    quorum::check(host)?;
    let text: String = all
        .iter()
        .map(|entry| {
            let lines: String = entry.keys.iter().map(|(key, value)| format!("\t{key} {value}\n")).collect();
            format!("{}: {}\n{lines}\n", entry.kind, entry.id)
        })
        .collect();
    Ok(host.write(&file(host), &text)?)
}

pub(crate) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    let id = text(params, "storage");
    match (method.verb, method.path) {
        ("GET", "/storage") => {
            let kind = text(params, "type");
            let wanted = |entry: &&Entry| kind.is_empty() || entry.kind == kind;
            Ok(load(host).iter().filter(wanted).map(Entry::shown).collect())
        }
        ("GET", "/storage/{storage}") => Ok(one(host, id)?.shown()),
        ("POST", _) => create(host, params),
        ("PUT", _) => update(host, params),
        ("DELETE", _) => remove(host, id).map(|()| Value::Null),
        _ => Ok(Value::Array(usage(host, id))),
    }
}

fn one(host: &Host, id: &str) -> Result<Entry, Fail> {
    let found = load(host).into_iter().find(|entry| entry.id == id);
    found.ok_or_else(|| Fail::die(format!("storage '{id}' does not exist")))
}

/// Refuses an id that is taken, or whose key is left over from an earlier one.
pub(crate) fn check_new(host: &Host, id: &str) -> Result<(), Fail> {
    if load(host).iter().any(|entry| entry.id == id) {
        return Err(Fail::die(format!("storage ID '{id}' already defined")));
    }
    Ok(())
}

fn key_file(host: &Host, kind: &str, id: &str) -> PathBuf {
    let suffix = if kind == "rbd" { "keyring" } else { "secret" };
    host.root.etc_pve.join(format!("priv/ceph/{id}.{suffix}"))
}

/// Copies the admin's key for a storage on this cluster's own Ceph.
fn copy_key(host: &Host, kind: &str, id: &str) -> Result<(), Fail> {
    let admin = host.root.etc_pve.join("priv/ceph.client.admin.keyring");
    if !admin.exists() {
        return Err(Fail::die(
            "ceph authx keyring file not found: '/etc/pve/priv/ceph.client.admin.keyring'!",
        ));
    }
    let place = key_file(host, kind, id);
    if place.exists() {
        let word = if kind == "rbd" { "keyring" } else { "secret" };
        return Err(Fail::die(format!("ceph authx {word} file for storage '{id}' already exists!")));
    }
    let text = host.read(&admin);
    let key = text.lines().find_map(|line| line.trim().strip_prefix("key = ")).unwrap_or_default();
    let content = if kind == "rbd" { text.clone() } else { format!("{key}\n") };
    host.write(&place, &content)?;
    Ok(fs::set_permissions(&place, fs::Permissions::from_mode(0o600))?)
}

fn create(host: &Host, params: &Params) -> Result<Value, Fail> {
    let (id, kind) = (text(params, "storage").to_owned(), text(params, "type").to_owned());
    check_new(host, &id)?;
    let mut entry = Entry { kind: kind.clone(), id: id.clone(), keys: Vec::new() };
    for (key, value) in params.iter().filter(|(key, _)| !["storage", "type"].contains(&key.as_str())) {
        entry.set(key, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    if kind == "dir" && entry.get("path").is_none() {
        return Err(Fail::param("path", "property is missing and it is not optional"));
    }
    defaults(&mut entry);
    if matches!(kind.as_str(), "rbd" | "cephfs") && entry.get("monhost").is_none() {
        copy_key(host, &kind, &id).map_err(|fail| fail.context("create storage failed"))?;
    }
    let mut all = load(host);
    all.push(entry);
    save(host, &all)?;
    Ok(json!({ "storage": id, "type": kind }))
}

/// What the real one fills in.
fn defaults(entry: &mut Entry) {
    let content = match entry.kind.as_str() {
        "rbd" => "images",
        "cephfs" => "backup,iso,vztmpl",
        _ => "images",
    };
    if entry.get("content").is_none() {
        entry.set("content", content);
    }
    if entry.kind == "cephfs" && entry.get("path").is_none() {
        let path = format!("/mnt/pve/{}", entry.id);
        entry.set("path", &path);
    }
    if entry.kind == "rbd" && entry.get("pool").is_none() {
        entry.set("pool", "rbd");
    }
}

fn update(host: &Host, params: &Params) -> Result<Value, Fail> {
    let id = text(params, "storage");
    let mut all = load(host);
    let Some(entry) = all.iter_mut().find(|entry| entry.id == id) else {
        return Err(Fail::die(format!("storage '{id}' does not exist")));
    };
    for (key, value) in
        params.iter().filter(|(key, _)| !["storage", "delete", "digest"].contains(&key.as_str()))
    {
        entry.set(key, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    for key in text(params, "delete").split([',', ' ', ';']).filter(|key| !key.is_empty()) {
        entry.keys.retain(|(known, _)| known != key);
    }
    let kind = entry.kind.clone();
    save(host, &all)?;
    Ok(json!({ "storage": id, "type": kind }))
}

/// Takes a storage off the list, and its key with it.
pub(crate) fn remove(host: &Host, id: &str) -> Result<(), Fail> {
    quorum::check(host)?;
    let entry = one(host, id)?;
    let _ = fs::remove_file(key_file(host, &entry.kind, id));
    let rest: Vec<Entry> = load(host).into_iter().filter(|entry| entry.id != id).collect();
    save(host, &rest)
}

/// The storage `pveceph pool create --add_storages` adds.
pub(crate) fn add_rbd(host: &Host, id: &str, pool: &str, data: Option<&str>) -> Result<(), Fail> {
    let mut params = Params::from([
        ("storage".to_owned(), json!(id)),
        ("type".to_owned(), json!("rbd")),
        ("pool".to_owned(), json!(pool)),
        ("krbd".to_owned(), json!("0")),
        ("content".to_owned(), json!("images,rootdir")),
    ]);
    params.extend(data.map(|data| ("data-pool".to_owned(), json!(data))));
    create(host, &params).map(drop)
}

/// The storage `pveceph fs create --add-storage` adds.
pub(crate) fn add_cephfs(host: &Host, name: &str) -> Result<(), Fail> {
    let params = Params::from([
        ("storage".to_owned(), json!(name)),
        ("type".to_owned(), json!("cephfs")),
        ("fs-name".to_owned(), json!(name)),
        ("content".to_owned(), json!("backup,iso,vztmpl")),
    ]);
    create(host, &params).map(drop)
}

/// Storages on a pool.
pub(crate) fn of_pool(host: &Host, pool: &str) -> Vec<String> {
    let on = |entry: &Entry| {
        let data = entry.get("data-pool") == Some(pool);
        entry.kind == "rbd" && (data || entry.get("pool").unwrap_or("rbd") == pool)
    };
    load(host).into_iter().filter(on).map(|entry| entry.id).collect()
}

/// Room of each storage in bytes, as far as this node can tell.
fn usage(host: &Host, only: &str) -> Vec<Value> {
    let all = load(host);
    let ceph = all.iter().any(|entry| entry.kind == "rbd");
    let pools =
        if ceph { Rados::new(host).json(&json!({ "prefix": "df", "format": "json" })).ok() } else { None };
    let mut rows = Vec::new();
    for entry in all.iter().filter(|entry| only.is_empty() || entry.id == only) {
        let enabled = entry.get("disable").is_none_or(|value| value == "0");
        let room = match entry.kind.as_str() {
            "rbd" => pools.as_ref().and_then(|df| pool_room(df, entry.get("pool").unwrap_or("rbd"))),
            "cephfs" if enabled => files_room(host, entry),
            "cephfs" => None,
            _ => entry.get("path").and_then(folder_room),
        };
        let (total, used) = room.unwrap_or((0, 0));
        let mut row = entry.shown();
        row["enabled"] = json!(u8::from(enabled));
        row["active"] = json!(u8::from(enabled && room.is_some()));
        row["total"] = json!(total);
        row["used"] = json!(used);
        row["avail"] = json!(total.saturating_sub(used));
        rows.push(row);
    }
    rows
}

fn pool_room(df: &Value, pool: &str) -> Option<(u64, u64)> {
    let found = df["pools"].as_array()?.iter().find(|entry| entry["name"] == pool)?;
    let used = found["stats"]["stored"].as_u64().unwrap_or(0);
    Some((used + found["stats"]["max_avail"].as_u64().unwrap_or(0), used))
}

/// A storage on CephFS is one that is mounted.
fn files_room(host: &Host, entry: &Entry) -> Option<(u64, u64)> {
    let path = entry.get("path")?;
    let content = entry.get("content").unwrap_or_default();
    let files = Files { id: &entry.id, path, name: entry.get("fs-name"), content };
    files.activate(host).ok()?;
    folder_room(path)
}

fn folder_room(path: &str) -> Option<(u64, u64)> {
    let room = rustix::fs::statvfs(path).ok()?;
    Some((room.f_blocks * room.f_frsize, (room.f_blocks - room.f_bfree) * room.f_frsize))
}

/// `pvesm status`
pub(crate) fn status(host: &Host, only: &str, out: &mut dyn Write) {
    let rows = usage(host, only);
    let widest =
        rows.iter().filter_map(|row| row["storage"].as_str()).map(str::len).max().unwrap_or(0).max(16);
    say(
        out,
        &format!(
            "{:<widest$} {:>10} {:>10} {:>15} {:>15} {:>15} {:>8}",
            "Name", "Type", "Status", "Total (KiB)", "Used (KiB)", "Available (KiB)", "%"
        ),
    );
    for row in rows {
        let number = |key: &str| row[key].as_u64().unwrap_or(0);
        let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let state = match (flag_of(&row, "enabled"), flag_of(&row, "active")) {
            (false, _) => "disabled",
            (_, true) => "active",
            _ => "inactive",
        };
        let share = (number("used") * 10_000).checked_div(number("total")).unwrap_or(0);
        say(
            out,
            &format!(
                "{:<widest$} {:>10} {state:>10} {:>15} {:>15} {:>15} {:>8}",
                word("storage"),
                word("type"),
                number("total") / 1024,
                number("used") / 1024,
                number("avail") / 1024,
                format!("{}.{:02}%", share / 100, share % 100),
            ),
        );
    }
}

fn flag_of(row: &Value, key: &str) -> bool {
    row[key] == 1
}
