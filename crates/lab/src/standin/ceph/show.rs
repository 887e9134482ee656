//! What the API tells about Ceph; nothing here changes anything but flags.

use serde_json::{Map, Value, json};

use super::super::Host;
use super::super::api::Method;
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::quorum;
use super::super::schema::Params;
use super::{Rados, answer, check_inited, conf, data};

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    let rados = Rados::new(host);
    let children = |names: &[&str]| Ok(names.iter().map(|name| json!({ "name": name })).collect());
    if method.path == "/nodes/{node}/ceph/cfg/raw" {
        return Ok(json!(host.read(&host.root.etc_pve.join("ceph.conf"))));
    }
    check_inited(host)?;
    match (method.verb, method.path) {
        (_, "/cluster/ceph") => children(&["flags", "metadata", "status"]),
        (_, "/nodes/{node}/ceph") => children(&[
            "cfg",
            "cmd-safety",
            "fs",
            "init",
            "mds",
            "mgr",
            "mon",
            "osd",
            "pool",
            "restart",
            "rules",
            "start",
            "status",
            "stop",
        ]),
        (_, "/nodes/{node}/ceph/cfg") => children(&["db", "raw", "value"]),
        (_, "/cluster/ceph/status" | "/nodes/{node}/ceph/status") => {
            let mut status = answer(&rados, "status")?;
            if let Ok(detail) =
                rados.json(&json!({ "prefix": "health", "detail": "detail", "format": "json" }))
            {
                status["health"] = detail;
            }
            Ok(status)
        }
        ("GET", "/cluster/ceph/flags") => {
            let set = flags(&rados)?;
            let all = super::super::api::find("PUT", "/cluster/ceph/flags", host.release);
            let names = all.map(|(method, _)| method.params).unwrap_or_default();
            Ok(names
                .iter()
                .map(|param| json!({ "name": param.name, "value": u8::from(is_set(&set, param.name)), "description": "" }))
                .collect())
        }
        ("GET", "/cluster/ceph/flags/{flag}") => {
            Ok(json!(u8::from(is_set(&flags(&rados)?, text(params, "flag")))))
        }
        ("PUT", "/cluster/ceph/flags/{flag}") => {
            quorum::check(host)?;
            set_flag(&rados, text(params, "flag"), flag(params, "value"))?;
            Ok(Value::Null)
        }
        ("PUT", "/cluster/ceph/flags") => {
            for name in params.keys() {
                set_flag(&rados, name, flag(params, name))?;
            }
            Ok(Value::Null)
        }
        (_, "/nodes/{node}/ceph/cfg/db") => answer(&rados, "config dump"),
        (_, "/nodes/{node}/ceph/cfg/value") => Ok(config_values(host, text(params, "config-keys"))),
        (_, "/nodes/{node}/ceph/cmd-safety") => safety(&rados, params),
        (_, "/nodes/{node}/ceph/mon") => mons(host, &rados),
        (_, "/nodes/{node}/ceph/mgr") => mgrs(host, &rados),
        (_, "/nodes/{node}/ceph/mds") => mdses(&rados),
        (_, "/nodes/{node}/ceph/fs") => filesystems(&rados),
        (_, "/nodes/{node}/ceph/osd") => tree(&rados),
        (_, "/nodes/{node}/ceph/osd/{osdid}/metadata") => osd(&rados, text(params, "osdid")),
        (_, "/nodes/{node}/ceph/pool") => pools(&rados),
        (_, "/nodes/{node}/ceph/pool/{name}/status") => pool(&rados, text(params, "name")),
        (_, "/nodes/{node}/ceph/rules") => {
            let rules = answer(&rados, "osd crush rule ls")?;
            Ok(rules.as_array().into_iter().flatten().map(|name| json!({ "name": name })).collect())
        }
        _ => Err(Fail::die(format!("{} {} is not stood in for", method.verb, method.path))),
    }
}

fn flags(rados: &Rados<'_>) -> Result<String, Fail> {
    let map = answer(rados, "osd dump")?;
    Ok(map["flags"].as_str().unwrap_or_default().to_owned())
}

fn is_set(flags: &str, name: &str) -> bool {
    // Pausing sets two.
    let name = if name == "pause" { "pauserd" } else { name };
    flags.split(',').any(|flag| flag == name)
}

fn set_flag(rados: &Rados<'_>, name: &str, on: bool) -> Result<(), Fail> {
    let prefix = if on { "osd set" } else { "osd unset" };
    rados.send(&[json!({ "prefix": prefix, "key": name, "format": "plain" })]).map(drop)
}

fn config_values(host: &Host, keys: &str) -> Value {
    let conf = conf::load(host);
    let mut all = Map::new();
    for item in keys.split([',', ';', ' ']) {
        if let Some((section, key)) = item.split_once(':')
            && let Some(value) = conf.get(section, &key.replace('-', "_"))
        {
            let entry = all.entry(section.to_owned()).or_insert_with(|| json!({}));
            entry[key] = json!(value);
        }
    }
    Value::Object(all)
}

fn safety(rados: &Rados<'_>, params: &Params) -> Result<Value, Fail> {
    let (service, id) = (text(params, "service"), text(params, "id"));
    let prefix = match (service, text(params, "action")) {
        ("osd", "stop") => "osd ok-to-stop",
        ("osd", _) => "osd safe-to-destroy",
        ("mon", "stop") => "mon ok-to-stop",
        ("mon", _) => "mon ok-to-rm",
        _ => "mds ok-to-stop",
    };
    let command = if prefix == "mon ok-to-rm" {
        json!({ "prefix": prefix, "id": id, "format": "plain" })
    } else {
        json!({ "prefix": prefix, "ids": [id], "target": "mgr", "format": "plain" })
    };
    match rados.send(&[command]) {
        Ok(_) => Ok(json!({ "safe": 1, "status": "" })),
        Err(fail) => Ok(json!({ "safe": 0, "status": fail.to_string() })),
    }
}

fn mons(host: &Host, rados: &Rados<'_>) -> Result<Value, Fail> {
    let conf = conf::load(host);
    let status = answer(rados, "quorum_status").unwrap_or_default();
    let quorum: Vec<&str> =
        status["quorum_names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let map = status["monmap"]["mons"].as_array().cloned().unwrap_or_default();
    let rows = conf.daemons("mon").into_iter().map(|id| {
        let found = map.iter().find(|mon| mon["name"] == id.as_str());
        let mut row = json!({
            "name": id, "host": id, "service": 1,
            "state": if quorum.contains(&id.as_str()) { "running" } else { "unknown" },
            "quorum": u8::from(quorum.contains(&id.as_str())),
            "direxists": u8::from(data(host, "mon", &id).is_dir()),
        });
        if let Some(mon) = found {
            row["rank"] = mon["rank"].clone();
            row["addr"] = mon["public_addr"].clone();
        }
        row
    });
    Ok(rows.collect())
}

fn mgrs(host: &Host, rados: &Rados<'_>) -> Result<Value, Fail> {
    let map = answer(rados, "mgr dump")?;
    let mut rows = Vec::new();
    if let Some(name) = map["active_name"].as_str().filter(|name| !name.is_empty()) {
        let addr = map["active_addr"].as_str().unwrap_or_default();
        rows.push(json!({ "name": name, "addr": addr, "state": "active", "host": name }));
    }
    for standby in map["standbys"].as_array().into_iter().flatten() {
        rows.push(json!({ "name": standby["name"], "state": "standby", "host": standby["name"] }));
    }
    let own = data(host, "mgr", &host.node).is_dir();
    if own && !rows.iter().any(|row| row["name"] == host.node.as_str()) {
        rows.push(json!({ "name": host.node, "state": "unknown", "host": host.node }));
    }
    Ok(Value::Array(rows))
}

fn mdses(rados: &Rados<'_>) -> Result<Value, Fail> {
    let dump = answer(rados, "fs dump")?;
    let mut rows = Vec::new();
    for standby in dump["standbys"].as_array().into_iter().flatten() {
        rows.push(json!({ "name": standby["name"], "host": standby["name"], "state": "up:standby" }));
    }
    for fs in dump["filesystems"].as_array().into_iter().flatten() {
        for mds in fs["mdsmap"]["info"].as_object().into_iter().flat_map(Map::values) {
            rows.push(json!({
                "name": mds["name"], "host": mds["name"], "state": mds["state"], "rank": mds["rank"],
                "fs_name": fs["mdsmap"]["fs_name"],
            }));
        }
    }
    Ok(Value::Array(rows))
}

fn filesystems(rados: &Rados<'_>) -> Result<Value, Fail> {
    let list = answer(rados, "fs ls")?;
    let row = |fs: &Value| {
        json!({
            "name": fs["name"], "metadata_pool": fs["metadata_pool"], "metadata_pool_id": fs["metadata_pool_id"],
            "data_pool": fs["data_pools"][0], "data_pools": fs["data_pools"], "data_pool_ids": fs["data_pool_ids"],
        })
    };
    Ok(list.as_array().into_iter().flatten().map(row).collect())
}

/// The tree of buckets and OSDs, as nested children.
fn tree(rados: &Rados<'_>) -> Result<Value, Fail> {
    let flat = answer(rados, "osd tree")?;
    let nodes = flat["nodes"].as_array().cloned().unwrap_or_default();
    let flags = flags(rados)?;
    let roots = nodes.iter().filter(|node| node["type"] == "root");
    let children: Vec<Value> = roots.map(|root| branch(root, &nodes, "")).collect();
    Ok(json!({ "flags": flags, "root": { "leaf": 0, "children": children } }))
}

fn branch(node: &Value, all: &[Value], host: &str) -> Value {
    let mut shown = node.clone();
    shown["id"] = json!(node["id"].to_string());
    let is_osd = node["type"] == "osd";
    shown["leaf"] = json!(u8::from(is_osd));
    if is_osd {
        shown["in"] = json!(u8::from(node["reweight"].as_f64().unwrap_or(0.0) > 0.0));
        shown["host"] = json!(host);
        return shown;
    }
    let own = node["name"].as_str().unwrap_or_default();
    let below = node["children"].as_array().into_iter().flatten();
    let below = below.filter_map(|id| all.iter().find(|other| other["id"] == *id));
    shown["children"] = below.map(|child| branch(child, all, own)).collect();
    shown
}

fn osd(rados: &Rados<'_>, id: &str) -> Result<Value, Fail> {
    let number: i64 = id.parse().unwrap_or(-1);
    let meta = rados.json(&json!({ "prefix": "osd metadata", "id": number, "format": "json" }))?;
    if meta["id"].is_null() {
        return Err(Fail::die(format!("OSD '{id}' does not exists on host")));
    }
    Ok(json!({
        "osd": {
            "id": number, "hostname": meta["hostname"], "osd_objectstore": meta["osd_objectstore"],
            "osd_data": meta["osd_data"], "version": meta["ceph_version_short"],
            "front_addr": meta["front_addr"], "back_addr": meta["back_addr"],
            "hb_front_addr": meta["hb_front_addr"], "hb_back_addr": meta["hb_back_addr"], "encrypted": 0,
        },
        "devices": [{
            "device": "block", "dev_node": meta["bluestore_bdev_dev_node"], "type": meta["bluestore_bdev_type"],
            "devices": meta["bluestore_bdev_devices"], "size": meta["bluestore_bdev_size"],
            "support_discard": meta["bluestore_bdev_support_discard"],
        }],
    }))
}

fn pools(rados: &Rados<'_>) -> Result<Value, Fail> {
    let map = answer(rados, "osd dump")?;
    let usage = answer(rados, "df")?;
    let rules = answer(rados, "osd crush rule dump").unwrap_or_default();
    let row = |pool: &Value| {
        let stats = usage["pools"].as_array().into_iter().flatten().find(|used| used["id"] == pool["pool"]);
        let rule = rules.as_array().into_iter().flatten().find(|rule| rule["rule_id"] == pool["crush_rule"]);
        let mut shown = json!({
            "type": "replicated", "pool": pool["pool"], "pool_name": pool["pool_name"], "size": pool["size"],
            "min_size": pool["min_size"], "pg_num": pool["pg_num"], "crush_rule": pool["crush_rule"],
            "crush_rule_name": rule.map_or(Value::Null, |rule| rule["rule_name"].clone()),
            "pg_autoscale_mode": pool["pg_autoscale_mode"], "application_metadata": pool["application_metadata"],
        });
        if let Some(stats) = stats {
            shown["bytes_used"] = stats["stats"]["bytes_used"].clone();
            shown["percent_used"] = stats["stats"]["percent_used"].clone();
        }
        if let Some(count) = pool["options"].get("pg_num_min") {
            shown["pg_num_min"] = count.clone();
        }
        shown
    };
    Ok(map["pools"].as_array().into_iter().flatten().map(row).collect())
}

fn pool(rados: &Rados<'_>, name: &str) -> Result<Value, Fail> {
    let all = pools(rados)?;
    let found = all.as_array().into_iter().flatten().find(|pool| pool["pool_name"] == name);
    let mut shown = found.cloned().ok_or_else(|| Fail::die(format!("ceph pool '{name}' not found")))?;
    shown["id"] = shown["pool"].clone();
    shown["name"] = json!(name);
    let applications = shown["application_metadata"].as_object().cloned().unwrap_or_default();
    shown["application_list"] = applications.keys().cloned().collect();
    shown["application"] = json!(applications.keys().next());
    shown["crush_rule"] = shown["crush_rule_name"].clone();
    Ok(shown)
}
