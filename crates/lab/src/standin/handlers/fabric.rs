//! `/cluster/sdn/fabrics`: the index, `all`, and fabrics.

use serde_json::{Map, Value, json};

use super::super::fabrics::model::Config;
use super::super::fabrics::{Fabric, FabricError, Protocol, check, json as forms, pending};
use super::super::schema::Params;
use super::{Fail, Host, Method, check_digest, flag, text, token};
use crate::standin::staged;

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    match (method.verb, method.path) {
        ("GET", "/cluster/sdn/fabrics") => Ok(json!([
            { "subdir": "fabric" }, { "subdir": "node" }, { "subdir": "all" },
        ])),
        ("GET", "/cluster/sdn/fabrics/all") => all(host, params),
        ("GET", "/cluster/sdn/fabrics/fabric") => list(host, params, false),
        ("POST", _) => add(host, params),
        ("PUT", _) => update(host, params),
        ("DELETE", _) => delete(host, params),
        _ => get(host, text(params, "id")),
    }
}

fn all(host: &Host, params: &Params) -> Result<Value, Fail> {
    Ok(json!({
        "fabrics": list(host, params, true)?,
        "nodes": super::fabric_node::list(host, params, None)?,
    }))
}

fn list(host: &Host, params: &Params, with_digest: bool) -> Result<Value, Fail> {
    let objects = |config: &Config| {
        config
            .fabrics
            .iter()
            .map(|(id, fabric)| (id.clone(), Value::Object(forms::api_fabric(fabric))))
            .collect()
    };
    view(host, params, with_digest, &objects)
}

/// The edited, the running or the compared objects, as the call asks.
pub(super) fn view(
    host: &Host,
    params: &Params,
    with_digest: bool,
    objects: &dyn Fn(&Config) -> Map<String, Value>,
) -> Result<Value, Fail> {
    if flag(params, "running") && !flag(params, "pending") {
        let running = objects(&staged::running(host)?);
        return Ok(running.into_iter().map(|(_, object)| object).collect());
    }
    let edited = staged::edited(host)?;
    let digest = staged::digest(&edited);
    let (shown, digest) = if flag(params, "pending") {
        let running = objects(&staged::running(host)?);
        (pending::compare(&running, &objects(&edited), &[]), Some(digest))
    } else {
        (objects(&edited), with_digest.then_some(digest))
    };
    Ok(shown
        .into_iter()
        .map(|(_, mut object)| {
            if let Some(digest) = &digest {
                object["digest"] = json!(digest);
            }
            object
        })
        .collect())
}

fn get(host: &Host, id: &str) -> Result<Value, Fail> {
    let config = staged::edited(host)?;
    let mut object = forms::api_fabric(config.fabric(id)?);
    object.insert("digest".into(), json!(staged::digest(&config)));
    Ok(Value::Object(object))
}

fn add(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "adding fabric failed", token(params), || {
        let mut config = staged::edited(host)?;
        check_digest(params, &staged::digest(&config))?;
        let id = text(params, "id");
        if config.fabrics.contains_key(id) {
            return Err(Fail::die(format!("fabric '{id}' already exists in config")));
        }
        let mut fabric = Fabric::new(id, protocol(params)?);
        set(&mut fabric, params)?;
        // Host bits go on this path, and on this path only.
        fabric.ip_prefix = fabric.ip_prefix.map(|prefix| prefix.trunc());
        fabric.ip6_prefix = fabric.ip6_prefix.map(|prefix| prefix.trunc());
        config.fabrics.insert(id.to_owned(), fabric);
        save(host, &config)
    })
}

fn update(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "updating fabric failed", token(params), || {
        let mut config = staged::edited(host)?;
        check_digest(params, &staged::digest(&config))?;
        let fabric = config.fabric_mut(text(params, "id"))?;
        if fabric.protocol != protocol(params)? {
            return Err(Fail::die("protocol of a fabric cannot be changed"));
        }
        set(fabric, params)?;
        for name in deletions(params) {
            match name {
                "hello_interval" => fabric.hello_interval = None,
                _ => fabric.csnp_interval = None,
            }
        }
        save(host, &config)
    })
}

fn delete(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "deleting fabric failed", None, || {
        let id = text(params, "id");
        let mut config = staged::edited(host)?;
        config.fabric(id)?;
        for (kind, wanted, named) in
            [("controllers", "evpn", "EVPN controller"), ("zones", "vxlan", "VXLAN zone")]
        {
            for (key, object) in staged::other_sections(host, kind) {
                if object["type"] == wanted && object["fabric"] == id {
                    return Err(Fail::die(format!("this fabric is still used in the {named} \"{key}\"")));
                }
            }
        }
        config.fabrics.remove(id);
        save(host, &config)
    })
}

/// Checks and writes.
pub(super) fn save(host: &Host, config: &Config) -> Result<Value, Fail> {
    check::all(config)?;
    staged::write_fabrics(host, config)?;
    Ok(Value::Null)
}

/// The names of a `delete` list.
pub(super) fn deletions(params: &Params) -> impl Iterator<Item = &str> {
    params.get("delete").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Only OpenFabric is stood in for.
pub(super) fn protocol(params: &Params) -> Result<Protocol, Fail> {
    match text(params, "protocol") {
        "openfabric" => Ok(Protocol::Openfabric),
        other => Err(Fail::die(format!("protocol {other}: not stood in for"))),
    }
}

fn set(fabric: &mut Fabric, params: &Params) -> Result<(), Fail> {
    if let Some(value) = params.get("ip_prefix").and_then(Value::as_str) {
        fabric.ip_prefix = Some(value.parse().map_err(|_| unfit(value, "an IPv4 prefix"))?);
    }
    if let Some(value) = params.get("ip6_prefix").and_then(Value::as_str) {
        fabric.ip6_prefix = Some(value.parse().map_err(|_| unfit(value, "an IPv6 prefix"))?);
    }
    for (name, place) in
        [("hello_interval", &mut fabric.hello_interval), ("csnp_interval", &mut fabric.csnp_interval)]
    {
        if let Some(value) = params.get(name).and_then(Value::as_str) {
            // The schema says number; what reads it wants a whole one.
            *place = Some(value.parse().map_err(|_| unfit(value, "a u16-ish..."))?);
        }
    }
    Ok(())
}

fn unfit(value: &str, wanted: &str) -> FabricError {
    FabricError::Rule(format!("invalid value: string \"{value}\", expected {wanted}"))
}
