//! `/nodes/{node}/sdn`: the state of a fabric on a node, from FRR.
//!
//! Since 9.1. The rows are derived as Proxmox derives them from vtysh's JSON,
//! and lose what it loses: the interface of a neighbour.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::fabrics::{Config, Protocol};
use super::super::schema::Params;
use super::super::staged;
use super::{Fail, Host, Method, text};

use ringbolt_core::into_set::IntoSet;

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    let fabric = text(params, "fabric");
    match method.name {
        "sdnindex" => Ok(json!([{ "name": "fabrics" }, { "name": "vnets" }, { "name": "zones" }])),
        "diridx" => Ok(json!([{ "subdir": "neighbors" }, { "subdir": "routes" }])),
        "neighbors" => {
            staged::running(host)?.fabric(fabric)?;
            Ok(neighbors(&vtysh(host, "show openfabric neighbor detail json")?, fabric))
        }
        "interfaces" => {
            staged::running(host)?.fabric(fabric)?;
            Ok(interfaces(&vtysh(host, "show openfabric interface json")?, fabric))
        }
        _ => {
            let config = staged::running(host)?;
            config.fabric(fabric)?;
            let names = ports(&config, fabric, &host.node);
            let mut rows = routes(&vtysh(host, "show ip route openfabric json")?, &names);
            rows.extend(routes(&vtysh(host, "show ipv6 route openfabric json")?, &names));
            Ok(Value::Array(rows))
        }
    }
}

fn vtysh(host: &Host, command: &str) -> Result<Value, Fail> {
    let ran = host.exec.run(&["vtysh", "-c", command]);
    if ran.status != 0 {
        return Err(Fail::die(format!("command 'vtysh -c {command}' failed: exit code {}", ran.status)));
    }
    if ran.stdout.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_str(&ran.stdout).map_err(|e| Fail::die(format!("error parsing vtysh output: {e}")))
}

fn circuits<'a>(answer: &'a Value, fabric: &'a str) -> impl Iterator<Item = &'a Value> {
    answer["areas"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(move |area| area["area"] == fabric)
        .filter_map(|area| area["circuits"].as_array())
        .flatten()
}

/// Rows of neighbours; a circuit without adjacency gives none.
#[must_use]
pub fn neighbors(answer: &Value, fabric: &str) -> Value {
    circuits(answer, fabric)
        .filter(|circuit| circuit["adj"].is_string())
        .map(|circuit| {
            let state = circuit["interface"]["state"].as_str().unwrap_or("Unknown");
            let state = match state {
                "Up" | "Initializing" | "Down" => state,
                _ => "Unknown",
            };
            json!({
                "neighbor": circuit["adj"],
                "status": state,
                "uptime": circuit["interface"]["last-ago"],
            })
        })
        .collect()
}

/// Rows of interfaces.
#[must_use]
pub fn interfaces(answer: &Value, fabric: &str) -> Value {
    circuits(answer, fabric)
        .filter_map(|circuit| circuit.get("interface"))
        .map(|interface| {
            let kind = match interface["type"].as_str() {
                Some("p2p") => "Point-To-Point",
                Some("lan") => "Broadcast",
                Some("loopback") => "Loopback",
                _ => "Unknown",
            };
            let known = |state: &&str| matches!(*state, "Up" | "Init" | "Config");
            let state = interface["state"].as_str().filter(known).unwrap_or("Unknown");
            json!({ "name": interface["name"], "type": kind, "state": state })
        })
        .collect()
}

/// Rows of installed routes that leave by an interface of the fabric.
#[must_use]
pub fn routes(answer: &Value, names: &BTreeSet<String>) -> Vec<Value> {
    let mut rows = Vec::new();
    for (prefix, entries) in answer.as_object().into_iter().flatten() {
        for entry in entries.as_array().into_iter().flatten() {
            if entry["installed"] != true {
                continue;
            }
            let via: Vec<Value> = entry["nexthops"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|hop| hop["interfaceName"].as_str().is_some_and(|n| names.contains(n)))
                .map(|hop| hop.get("ip").unwrap_or(&hop["interfaceName"]).clone())
                .collect();
            if !via.is_empty() {
                rows.push(json!({ "route": prefix, "via": via }));
            }
        }
    }
    rows
}

fn ports(config: &Config, fabric: &str, node: &str) -> BTreeSet<String> {
    let node = config.fabrics.get(fabric).and_then(|f| f.nodes.get(node));
    node.into_iter().flat_map(|node| &node.interfaces).map(|port| port.name.clone()).into_set()
}

/// `ok` or `not ok` for each fabric of this node. `ok` means that some route
/// uses an interface of the fabric, not that every node is reachable.
pub(crate) fn fabric_states(host: &Host) -> Map<String, Value> {
    let mut states = Map::new();
    let Ok(config) = staged::running(host) else {
        return states;
    };
    let mine = config
        .fabrics
        .values()
        .filter(|f| f.protocol == Protocol::Openfabric && f.nodes.contains_key(&host.node));
    let mut answer = None;
    for fabric in mine {
        let answer = answer.get_or_insert_with(|| {
            ["show ip route openfabric json", "show ipv6 route openfabric json"]
                .map(|command| vtysh(host, command).unwrap_or_default())
        });
        let names = ports(&config, &fabric.id, &host.node);
        let ok = answer.iter().any(|routes_json| !routes(routes_json, &names).is_empty());
        states.insert(fabric.id.clone(), json!(if ok { "ok" } else { "not ok" }));
    }
    states
}
