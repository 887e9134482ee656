//! Fabrics as JSON: the form of `.running-config` and the form of the API.
//!
//! Used by the handlers. The two forms differ: the file has one object per
//! section (`type`, `id`), the API one per fabric and one per node
//! (`protocol`, `fabric_id`, `node_id`).

use serde_json::{Map, Value, json};

use super::model::{Config, Fabric, Node, Protocol};
use super::port::Port;
use super::{FabricError, check};

/// The value of `.fabrics.ids` in `.running-config`.
#[must_use]
pub fn running_ids(config: &Config) -> Map<String, Value> {
    let mut ids = Map::new();
    for (id, fabric) in &config.fabrics {
        let mut object = fabric_values(fabric);
        object.insert("type".into(), json!(format!("{}_fabric", fabric.protocol.name())));
        object.insert("id".into(), json!(id));
        ids.insert(id.clone(), Value::Object(object));
        for (name, node) in &fabric.nodes {
            let section = format!("{id}_{name}");
            let mut object = node_values(node);
            object.insert("type".into(), json!(format!("{}_node", fabric.protocol.name())));
            object.insert("id".into(), json!(section));
            ids.insert(section, Value::Object(object));
        }
    }
    ids
}

/// Reads `.fabrics.ids` back. Sections of kinds not known here are left out.
///
/// # Errors
/// As for `fabrics.cfg`.
pub fn from_running(ids: &Map<String, Value>) -> Result<Config, FabricError> {
    let mut config = Config::default();
    for node_pass in [false, true] {
        for (section, value) in ids {
            let kind = text(value, "type").unwrap_or_default();
            let protocol = match kind.split_once('_') {
                Some(("openfabric", _)) => Protocol::Openfabric,
                Some(("ospf", _)) => Protocol::Ospf,
                _ => continue,
            };
            if kind.ends_with("_node") != node_pass {
                continue;
            }
            if node_pass {
                let (fabric, name) = section.split_once('_').unwrap_or((section, ""));
                let node = read_node(value)?;
                config.fabric_mut(fabric)?.nodes.insert(name.to_owned(), node);
            } else {
                config.fabrics.insert(section.clone(), read_fabric(section, protocol, value));
            }
        }
    }
    check::all(&config)?;
    Ok(config)
}

fn read_fabric(id: &str, protocol: Protocol, value: &Value) -> Fabric {
    let number = |key: &str| {
        value
            .get(key)
            .and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()))
            .and_then(|n| u16::try_from(n).ok())
    };
    Fabric {
        ip_prefix: text(value, "ip_prefix").and_then(|t| t.parse().ok()),
        ip6_prefix: text(value, "ip6_prefix").and_then(|t| t.parse().ok()),
        hello_interval: number("hello_interval"),
        csnp_interval: number("csnp_interval"),
        area: text(value, "area").map(str::to_owned),
        ..Fabric::new(id, protocol)
    }
}

fn read_node(value: &Value) -> Result<Node, FabricError> {
    let mut node = Node {
        ip: text(value, "ip").and_then(|t| t.parse().ok()),
        ip6: text(value, "ip6").and_then(|t| t.parse().ok()),
        interfaces: Vec::new(),
    };
    for entry in value.get("interfaces").and_then(Value::as_array).into_iter().flatten() {
        let entry = entry.as_str().unwrap_or_default();
        node.interfaces.push(Port::parse(entry).map_err(FabricError::Rule)?);
    }
    Ok(node)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A fabric as the API gives it, without digest.
#[must_use]
pub fn api_fabric(fabric: &Fabric) -> Map<String, Value> {
    let mut object = fabric_values(fabric);
    object.insert("id".into(), json!(fabric.id));
    object.insert("protocol".into(), json!(fabric.protocol.name()));
    object
}

/// A node as the API gives it, without digest.
#[must_use]
pub fn api_node(fabric: &Fabric, name: &str, node: &Node) -> Map<String, Value> {
    let mut object = node_values(node);
    object.insert("fabric_id".into(), json!(fabric.id));
    object.insert("node_id".into(), json!(name));
    object.insert("protocol".into(), json!(fabric.protocol.name()));
    object
}

fn fabric_values(fabric: &Fabric) -> Map<String, Value> {
    let mut object = Map::new();
    put(&mut object, "ip_prefix", fabric.ip_prefix.map(|v| v.to_string()));
    put(&mut object, "ip6_prefix", fabric.ip6_prefix.map(|v| v.to_string()));
    put(&mut object, "hello_interval", fabric.hello_interval);
    put(&mut object, "csnp_interval", fabric.csnp_interval);
    put(&mut object, "area", fabric.area.clone());
    object
}

fn node_values(node: &Node) -> Map<String, Value> {
    let mut object = Map::new();
    put(&mut object, "ip", node.ip.map(|v| v.to_string()));
    put(&mut object, "ip6", node.ip6.map(|v| v.to_string()));
    let ports: Vec<String> = node.interfaces.iter().map(ToString::to_string).collect();
    object.insert("interfaces".into(), json!(ports));
    object
}

fn put<T: Into<Value>>(object: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}
