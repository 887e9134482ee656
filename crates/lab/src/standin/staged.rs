//! The edited and the applied SDN configuration below `/etc/pve/sdn`, and the
//! lock over both.
//!
//! Used by the handlers, the reload and the commit at boot. Only fabrics are
//! understood; zones, vnets, subnets and controllers are carried along as
//! sections, so that somebody else's edits are seen, committed and rolled back.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::fabrics::{Config, json as forms, pending, section};
use super::fail::Fail;
use super::host::read_json;
use super::{Host, quorum};

/// The kinds of SDN sections that are not fabrics, with their file.
pub(crate) const OTHERS: &[&str] = &["zones", "vnets", "subnets", "controllers"];

fn file(host: &Host, name: &str) -> PathBuf {
    host.root.etc_pve.join("sdn").join(name)
}

/// The edited fabrics.
pub(crate) fn edited(host: &Host) -> Result<Config, Fail> {
    Ok(section::parse(&host.read(&file(host, "fabrics.cfg")))?)
}

/// The applied configuration, whole.
pub(crate) fn running_value(host: &Host) -> Value {
    read_json(&file(host, ".running-config")).unwrap_or_else(|| json!({}))
}

/// The applied fabrics.
pub(crate) fn running(host: &Host) -> Result<Config, Fail> {
    let value = running_value(host);
    let ids = value["fabrics"]["ids"].as_object().cloned().unwrap_or_default();
    Ok(forms::from_running(&ids)?)
}

/// Writes the edited fabrics.
pub(crate) fn write_fabrics(host: &Host, config: &Config) -> Result<(), Fail> {
    Ok(host.write(&file(host, "fabrics.cfg"), &section::write(config))?)
}

/// SHA-256 over the configuration, in hex.
pub(crate) fn digest(config: &Config) -> String {
    Sha256::digest(section::write(config).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs `change` with the configuration locked, if `token` fits the lock.
pub(crate) fn locked<T>(
    host: &Host,
    what: &str,
    token: Option<&str>,
    change: impl FnOnce() -> Result<T, Fail>,
) -> Result<T, Fail> {
    quorum::check(host).map_err(|fail| fail.context(what))?;
    let _guard = guard(host).map_err(|e| Fail::from(e).context(what))?;
    check_token(host, token).and_then(|()| change()).map_err(|fail| fail.context(what))
}

fn guard(host: &Host) -> std::io::Result<File> {
    let folder = host.root.etc_pve.join("priv/lock");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("file-sdn_.running-config"))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(lock)
}

fn check_token(host: &Host, token: Option<&str>) -> Result<(), Fail> {
    match held_token(host) {
        Some(held) if token != Some(held.as_str()) => Err(Fail::die("invalid lock token provided!")),
        _ => Ok(()),
    }
}

fn held_token(host: &Host) -> Option<String> {
    let text = fs::read_to_string(file(host, ".lock")).ok()?;
    Some(text.trim().to_owned())
}

/// Takes the global lock; gives its token.
pub(crate) fn take_lock(host: &Host) -> Result<String, Fail> {
    let token = uuid()?;
    host.write(&file(host, ".lock"), &format!("{token}\n"))?;
    Ok(token)
}

/// Frees the global lock.
pub(crate) fn free_lock(host: &Host) -> Result<(), Fail> {
    match fs::remove_file(file(host, ".lock")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

fn uuid() -> Result<String, Fail> {
    let mut text = String::new();
    File::open("/proc/sys/kernel/random/uuid")?.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// The edited sections of a kind that is not fabrics.
pub(crate) fn other_sections(host: &Host, kind: &str) -> Map<String, Value> {
    let mut ids = Map::new();
    let mut current: Option<(String, Map<String, Value>)> = None;
    let text = host.read(&file(host, &format!("{kind}.cfg")));
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, object)) = &mut current {
                let (key, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
                object.insert(key.to_owned(), json!(value.trim()));
            }
        } else if let Some((name, id)) = line.split_once(':') {
            ids.extend(current.take().map(|(id, object)| (id, Value::Object(object))));
            let object = Map::from_iter([("type".to_owned(), json!(name))]);
            current = Some((id.trim().to_owned(), object));
        }
    }
    ids.extend(current.map(|(id, object)| (id, Value::Object(object))));
    ids
}

fn running_ids(running: &Value, kind: &str) -> Map<String, Value> {
    running[kind]["ids"].as_object().cloned().unwrap_or_default()
}

/// Whether sections other than fabrics have edits that are not applied: all
/// that the lock looks at.
pub(crate) fn others_pending(host: &Host) -> bool {
    let running = running_value(host);
    OTHERS.iter().any(|kind| {
        pending::compare(&running_ids(&running, kind), &other_sections(host, kind), &["type"])
            .values()
            .any(|object| object.get("state").is_some())
    })
}

/// Whether anything at all has edits that are not applied.
pub(crate) fn anything_pending(host: &Host) -> Result<bool, Fail> {
    let running = running_value(host);
    let edited = forms::running_ids(&edited(host)?);
    Ok(others_pending(host) || running_ids(&running, "fabrics") != edited)
}

/// Makes the edited configuration the applied one.
pub(crate) fn commit(host: &Host) -> Result<(), Fail> {
    let old = running_value(host);
    let version = old["version"].as_u64().unwrap_or(0) + 1;
    let mut new = Map::new();
    new.insert("version".into(), json!(version));
    for kind in OTHERS {
        new.insert((*kind).to_owned(), json!({ "ids": other_sections(host, kind) }));
    }
    new.insert("fabrics".into(), json!({ "ids": forms::running_ids(&edited(host)?) }));
    host.write(&file(host, ".running-config"), &Value::Object(new).to_string())?;
    Ok(())
}

/// Makes the applied configuration the edited one again.
pub(crate) fn rollback(host: &Host) -> Result<(), Fail> {
    let value = running_value(host);
    write_fabrics(host, &running(host)?)?;
    for kind in OTHERS {
        let mut text = String::new();
        for (id, object) in running_ids(&value, kind) {
            let name = object["type"].as_str().unwrap_or_default();
            text.push_str(&format!("{name}: {id}\n"));
            for (key, value) in object.as_object().into_iter().flatten() {
                if key != "type" {
                    text.push_str(&format!("\t{key} {}\n", value.as_str().unwrap_or_default()));
                }
            }
            text.push('\n');
        }
        let path = file(host, &format!("{kind}.cfg"));
        if !text.is_empty() || path.exists() {
            host.write(&path, text.trim_end_matches('\n'))?;
        }
    }
    Ok(())
}

/// Whether the running configuration makes FRR's configuration ours to write.
pub(crate) fn needs_frr(host: &Host, old: &Value, new: &Value) -> bool {
    let filled =
        |value: &Value| ["fabrics", "controllers"].iter().any(|kind| !running_ids(value, kind).is_empty());
    filled(old) || filled(new) || host.root.etc.join("frr/frr.conf.local").exists()
}
