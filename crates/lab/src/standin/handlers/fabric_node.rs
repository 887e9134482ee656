//! `/cluster/sdn/fabrics/node`: the nodes of fabrics.

use serde_json::{Map, Value, json};

use super::super::fabrics::model::Config;
use super::super::fabrics::port::Port;
use super::super::fabrics::{Node, json as forms};
use super::super::schema::Params;
use super::fabric::{deletions, protocol, save, view};
use super::{Fail, Host, Method, check_digest, text, token};
use crate::standin::staged;

pub(super) fn call(host: &Host, method: &Method, params: &Params) -> Result<Value, Fail> {
    match (method.verb, method.name) {
        ("GET", "list_nodes") => list(host, params, None),
        ("GET", "list_nodes_fabric") => {
            let fabric = text(params, "fabric_id");
            staged::edited(host)?.fabric(fabric)?;
            list(host, params, Some(fabric))
        }
        ("POST", _) => add(host, params),
        ("PUT", _) => update(host, params),
        ("DELETE", _) => delete(host, params),
        _ => get(host, params),
    }
}

/// The nodes of one fabric or of all.
pub(super) fn list(host: &Host, params: &Params, only: Option<&str>) -> Result<Value, Fail> {
    let objects = |config: &Config| {
        let mut all = Map::new();
        for (id, fabric) in &config.fabrics {
            if only.is_none_or(|wanted| wanted == id) {
                for (name, node) in &fabric.nodes {
                    let object = Value::Object(forms::api_node(fabric, name, node));
                    all.insert(format!("{id}_{name}"), object);
                }
            }
        }
        all
    };
    view(host, params, true, &objects)
}

fn get(host: &Host, params: &Params) -> Result<Value, Fail> {
    let config = staged::edited(host)?;
    let (fabric_id, name) = (text(params, "fabric_id"), text(params, "node_id"));
    let fabric = config.fabric(fabric_id)?;
    let node = fabric.nodes.get(name).ok_or_else(|| missing(fabric_id, name))?;
    let mut object = forms::api_node(fabric, name, node);
    object.insert("digest".into(), json!(staged::digest(&config)));
    Ok(Value::Object(object))
}

fn missing(fabric: &str, name: &str) -> Fail {
    Fail::die(format!("node '{name}' does not exist in fabric '{fabric}'"))
}

fn add(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "adding node failed", token(params), || {
        let mut config = staged::edited(host)?;
        check_digest(params, &staged::digest(&config))?;
        let (fabric_id, name) = (text(params, "fabric_id"), text(params, "node_id"));
        let fabric = config.fabric_mut(fabric_id)?;
        same_protocol(fabric.protocol == protocol(params)?)?;
        if fabric.nodes.contains_key(name) {
            return Err(Fail::die(format!("node '{name}' already exists in config for fabric {fabric_id}")));
        }
        let mut node = Node::default();
        set(&mut node, params)?;
        fabric.nodes.insert(name.to_owned(), node);
        save(host, &config)
    })
}

fn update(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "updating node failed", token(params), || {
        let mut config = staged::edited(host)?;
        check_digest(params, &staged::digest(&config))?;
        let (fabric_id, name) = (text(params, "fabric_id"), text(params, "node_id"));
        let fabric = config.fabric_mut(fabric_id)?;
        same_protocol(fabric.protocol == protocol(params)?)?;
        let node = fabric.nodes.get_mut(name).ok_or_else(|| missing(fabric_id, name))?;
        set(node, params)?;
        for gone in deletions(params) {
            match gone {
                "interfaces" => node.interfaces.clear(),
                "ip" => node.ip = None,
                _ => node.ip6 = None,
            }
        }
        save(host, &config)
    })
}

fn delete(host: &Host, params: &Params) -> Result<Value, Fail> {
    staged::locked(host, "deleting node failed", None, || {
        let mut config = staged::edited(host)?;
        let (fabric_id, name) = (text(params, "fabric_id"), text(params, "node_id"));
        config.fabric_mut(fabric_id)?.nodes.remove(name).ok_or_else(|| missing(fabric_id, name))?;
        save(host, &config)
    })
}

fn same_protocol(same: bool) -> Result<(), Fail> {
    if same { Ok(()) } else { Err(Fail::die("node has a different protocol than the referenced fabric")) }
}

/// `interfaces` replaces the whole list.
fn set(node: &mut Node, params: &Params) -> Result<(), Fail> {
    if let Some(ip) = params.get("ip").and_then(Value::as_str) {
        node.ip = ip.parse().ok();
    }
    if let Some(ip6) = params.get("ip6").and_then(Value::as_str) {
        node.ip6 = ip6.parse().ok();
    }
    if let Some(entries) = params.get("interfaces").and_then(Value::as_array) {
        node.interfaces = entries
            .iter()
            .filter_map(Value::as_str)
            .map(Port::parse)
            .collect::<Result<_, _>>()
            .map_err(Fail::Die)?;
    }
    Ok(())
}
