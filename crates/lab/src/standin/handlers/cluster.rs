//! `/version`, `/cluster/status`, `/cluster/resources` and `/nodes`.

use serde_json::{Value, json};

use super::super::host::read_json;
use super::super::schema::Params;
use super::super::staged;
use super::{Fail, Host, Method, fabric_states, text};
use crate::standin::Release;
use ringbolt_core::into_map::IntoMap;

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    match method.path {
        "/version" => Ok(version(host)),
        "/cluster/status" => Ok(status(host)),
        "/cluster/options" if method.verb == "PUT" => set_options(host, params),
        "/cluster/options" => Ok(options(host)),
        "/cluster/resources" => resources(host, text(params, "type")),
        _ => Ok(nodes(host)),
    }
}

fn version(host: &Host) -> Value {
    let versions = host.release.versions();
    json!({
        "release": versions.release,
        "repoid": versions.repoid,
        "version": versions.manager,
    })
}

fn status(host: &Host) -> Value {
    let members = host.members();
    let mut rows = vec![json!({
        "type": "cluster", "id": "cluster", "name": host.cluster(), "nodes": members.len(),
        "quorate": u8::from(host.quorate()), "version": 1,
    })];
    for member in members {
        rows.push(json!({
            "type": "node", "id": format!("node/{}", member.name), "name": member.name,
            "nodeid": member.id, "ip": member.address, "level": "",
            "local": u8::from(member.name == host.node),
            "online": u8::from(host.online(&member.name)),
        }));
    }
    Value::Array(rows)
}

fn nodes(host: &Host) -> Value {
    host.members()
        .into_iter()
        .map(|member| {
            let up = if host.online(&member.name) { "online" } else { "offline" };
            json!({
                "node": member.name, "id": format!("node/{}", member.name), "type": "node",
                "status": up, "level": "",
            })
        })
        .collect()
}

fn resources(host: &Host, kind: &str) -> Result<Value, Fail> {
    let mut rows = Vec::new();
    if matches!(kind, "" | "node") {
        for mut row in nodes(host).as_array().into_iter().flatten().cloned() {
            row["cgroup-mode"] = json!(2);
            rows.push(row);
        }
    }
    if matches!(kind, "" | "sdn") && host.release >= Release::V9_1 {
        fabrics(host, &mut rows)?;
    }
    Ok(Value::Array(rows))
}

/// One row for each fabric and node, with what the node last told.
fn fabrics(host: &Host, rows: &mut Vec<Value>) -> Result<(), Fail> {
    let told = read_json(&host.root.run.join("ringbolt-lab/fabrics")).unwrap_or_default();
    let config = staged::running(host)?;
    let own = Value::Object(fabric_states(host));
    for fabric in config.fabrics.values() {
        for node in fabric.nodes.keys() {
            let state = if *node == host.node { &own } else { &told[node] };
            let state = state[&fabric.id].as_str().unwrap_or("unknown");
            rows.push(json!({
                "id": format!("network/{node}/fabric/{}", fabric.id), "type": "network",
                "network": fabric.id, "network-type": "fabric", "node": node,
                "protocol": fabric.protocol.name(), "status": state,
            }));
        }
    }
    Ok(())
}

/// Lines of `datacenter.cfg`.
fn datacenter(host: &Host) -> std::collections::BTreeMap<String, String> {
    let text = host.read(&host.root.etc_pve.join("datacenter.cfg"));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .into_map()
}

/// As objects where an option is a list of properties.
fn options(host: &Host) -> Value {
    let mut all = serde_json::Map::new();
    for (key, value) in datacenter(host) {
        let shown = if matches!(key.as_str(), "migration" | "replication") {
            let pair = |part: &str| {
                let (key, value) = part.split_once('=').unwrap_or(("type", part));
                (key.to_owned(), json!(value))
            };
            Value::Object(value.split(',').map(pair).collect())
        } else {
            json!(value)
        };
        all.insert(key, shown);
    }
    Value::Object(all)
}

fn set_options(host: &Host, params: &Params) -> Result<Value, Fail> {
    super::super::quorum::check(host)?;
    let mut all = datacenter(host);
    for key in text(params, "delete").split([',', ' ', ';']) {
        all.remove(key);
    }
    for name in ["migration", "replication", "email_from"] {
        let value = text(params, name);
        if value.is_empty() {
            continue;
        }
        if name != "email_from" {
            check_network(name, value)?;
        }
        all.insert(name.to_owned(), value.to_owned());
    }
    let lines: String = all.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    host.write(&host.root.etc_pve.join("datacenter.cfg"), &lines)?;
    Ok(Value::Null)
}

/// The properties of how guests are moved: a type, and a network.
fn check_network(name: &str, value: &str) -> Result<(), Fail> {
    for part in value.split(',') {
        let (key, given) = part.split_once('=').unwrap_or(("type", part));
        let fits = match key {
            "type" => matches!(given, "secure" | "insecure"),
            "network" => given.parse::<ipnet::IpNet>().is_ok(),
            _ => false,
        };
        if !fits {
            return Err(Fail::param(
                name,
                format!("invalid format - format error\n{name}.{key}: value '{given}' does not fit"),
            ));
        }
    }
    Ok(())
}
