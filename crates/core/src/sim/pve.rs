//! Proxmox VE's SDN on the simulated cluster: staged and running fabrics, apply, and what each node
//! then writes. `/etc/pve` is one folder all nodes see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::frr_conf::{self, Member};
use super::{Cluster, Node, file, stanza};
use crate::action::{PveCall, SdnChange, Verb};
use crate::facts::pve::{self, Section, path};
use crate::name::NodeName;
use crate::resource::fabric::render;
use crate::resource::frr_local;
use crate::wire::Failure;

const FABRIC_PATH: &str = "/cluster/sdn/fabrics/fabric";
const NODE_PATH: &str = "/cluster/sdn/fabrics/node/";
/// Bytes of the longest file whose text is a fact.
const LONGEST: usize = 256 * 1024;

impl Cluster {
    /// Puts a file into `/etc/pve` on every node.
    pub fn put_shared(&mut self, path: &str, text: &str) {
        let mut fact = file(text, 0o640);
        if text.len() > LONGEST {
            fact.text = None;
            self.long.insert(path.to_owned(), text.to_owned());
        } else {
            self.long.remove(path);
        }
        for node in self.nodes.values_mut() {
            node.facts.state.files.insert(path.to_owned(), fact.clone());
        }
    }

    /// The text of a file below `/etc/pve`, short or long.
    fn shared(&self, node: &NodeName, path: &str) -> Option<&str> {
        let text = self.nodes.get(node).and_then(|n| n.facts.text(path));
        text.or_else(|| self.long.get(path).map(String::as_str))
    }

    /// Makes the staged fabrics the running ones without any node noticing.
    pub fn commit_sdn(&mut self) {
        let Some(node) = self.nodes.keys().next() else { return };
        let staged = pve::sections(self.shared(node, path::FABRICS).unwrap_or("")).unwrap_or_default();
        let before: Value = self
            .shared(node, path::RUNNING)
            .and_then(|t| serde_json::from_str(t).ok())
            .unwrap_or(Value::Null);
        let version = before.get("version").and_then(Value::as_u64).unwrap_or(0) + 1;
        let ids: Map<String, Value> = staged.iter().map(|s| (s.id.clone(), running_entry(s))).collect();
        let empty = json!({ "ids": {} });
        let config = json!({
            "version": version, "zones": empty, "vnets": empty, "subnets": empty, "controllers": empty,
            "fabrics": { "ids": ids },
        });
        self.put_shared(path::RUNNING, &config.to_string());
    }

    /// The running fabrics as one node sees them.
    pub(super) fn running(&self, node: &NodeName) -> Vec<Section> {
        let text = self.shared(node, path::RUNNING).unwrap_or("{}");
        pve::running_fabrics(text).unwrap_or_default()
    }

    /// Stages, applies, and lets `count` nodes reload.
    pub(super) fn apply_sdn(
        &mut self,
        name: &NodeName,
        change: &SdnChange,
        count: usize,
    ) -> Result<(), Failure> {
        let node = self.node(name)?;
        if node.facts.state.pve_writable != Some(true) {
            return Err(Failure::refused("/etc/pve is read-only: no quorum"));
        }
        let present = node.facts.state.files.get(path::FABRICS).cloned();
        if present.as_ref().map_or("", |f| f.digest.as_str()) != change.expect {
            return Err(Failure::refused("fabrics.cfg was changed since the plan was made"));
        }
        if node.facts.state.files.contains_key(path::LOCK) {
            return Err(Failure::refused("somebody holds the SDN lock"));
        }
        let mut staged = pve::sections(self.shared(name, path::FABRICS).unwrap_or(""))
            .map_err(|e| Failure::broken(e.to_string()))?;
        for call in change.deletes.iter().chain(&change.calls) {
            stage(&mut staged, call)?;
        }
        valid(&staged)?;
        if !(staged.is_empty() && present.is_none()) {
            self.put_shared(path::FABRICS, &render(&staged));
        }
        self.commit_sdn();
        let running = self.running(name);
        let version = self.version(name);
        let fabrics: Vec<&Section> = running.iter().filter(|s| s.kind == "openfabric_fabric").collect();
        let by_id: BTreeMap<&str, &Section> = running.iter().map(|s| (s.id.as_str(), s)).collect();
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        for node in names.iter().take(count).filter(|n| !self.off.contains(*n)).collect::<Vec<_>>() {
            let members = members(node, &fabrics, &by_id);
            self.node(node)?.regenerate(node, &members, version)?;
        }
        Ok(())
    }

    /// One node writes `interfaces.d/sdn` and `frr.conf` and loads both.
    pub(super) fn reload_node(&mut self, name: &NodeName, running: &[Section]) -> Result<(), Failure> {
        let fabrics: Vec<&Section> = running.iter().filter(|s| s.kind == "openfabric_fabric").collect();
        let by_id: BTreeMap<&str, &Section> = running.iter().map(|s| (s.id.as_str(), s)).collect();
        let (members, version) = (members(name, &fabrics, &by_id), self.version(name));
        self.node(name)?.regenerate(name, &members, version)
    }

    /// The version of the running configuration.
    fn version(&self, node: &NodeName) -> u64 {
        let value = self.shared(node, path::RUNNING).and_then(|t| serde_json::from_str::<Value>(t).ok());
        value.and_then(|v| v.get("version")?.as_u64()).unwrap_or(0)
    }
}

impl Node {
    fn regenerate(&mut self, name: &NodeName, members: &[Member], version: u64) -> Result<(), Failure> {
        if let Some(new) = self.facts.state.files.remove(path::INTERFACES_NEW) {
            self.facts.state.files.insert(crate::facts::network::INTERFACES.into(), new);
        }
        self.put(path::SDN_INTERFACES, &format!("#version:{version}\n{}", stanzas(members)), 0o644);
        stanza::ifreload(self);
        let local = self.facts.text(frr_local::PATH).unwrap_or("").to_owned();
        let conf = frr_conf::render(name.as_str(), members, &local);
        self.regenerate_frr(&conf, !members.is_empty())
    }
}

fn running_entry(section: &Section) -> Value {
    let mut entry = Map::new();
    entry.insert("type".into(), section.kind.clone().into());
    entry.insert("id".into(), section.id.clone().into());
    for (key, values) in &section.keys {
        let one = values.first().cloned().unwrap_or_default();
        let value = match key.as_str() {
            "interfaces" => values.clone().into(),
            "hello_interval" | "csnp_interval" => one.parse::<u64>().map_or(Value::from(one), Value::from),
            _ => one.into(),
        };
        entry.insert(key.clone(), value);
    }
    Value::Object(entry)
}

/// One call of the API on what is staged.
fn stage(staged: &mut Vec<Section>, call: &PveCall) -> Result<(), Failure> {
    let refused = |what: &str| Failure::broken(format!("{} {}: {what}", call.verb.word(), call.path));
    let option = |name: &str| call.options.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let (id, end) = if let Some(rest) = call.path.strip_prefix(NODE_PATH) {
        let (fabric, node) = rest.split_once('/').unwrap_or((rest, ""));
        let node = if node.is_empty() { option("node_id").unwrap_or_default() } else { node.to_owned() };
        (format!("{fabric}_{node}"), "node")
    } else {
        let rest = call.path.strip_prefix(FABRIC_PATH).ok_or_else(|| refused("no such path"))?;
        let id = rest.strip_prefix('/').map_or_else(|| option("id").unwrap_or_default(), str::to_owned);
        (id, "fabric")
    };
    let at = staged.iter().position(|s| s.id == id);
    match (call.verb, at) {
        (Verb::Create, Some(_)) => return Err(refused("it exists already")),
        (Verb::Set | Verb::Delete, None) => return Err(refused("there is no such object")),
        (Verb::Delete, Some(_)) => {
            staged.retain(|s| s.id != id && !(end == "fabric" && s.id.starts_with(&format!("{id}_"))));
            return Ok(());
        }
        (Verb::Create, None) => {
            let protocol = option("protocol").ok_or_else(|| refused("protocol is missing"))?;
            staged.push(Section { kind: format!("{protocol}_{end}"), id: id.clone(), keys: BTreeMap::new() });
        }
        (Verb::Set, Some(_)) => {
            option("protocol").ok_or_else(|| refused("protocol is missing"))?;
        }
    }
    let Some(section) = staged.iter_mut().find(|s| s.id == id) else { return Ok(()) };
    for (name, _) in &call.options {
        section.keys.remove(name);
    }
    for (name, value) in &call.options {
        match name.as_str() {
            "id" | "node_id" | "protocol" => {}
            "delete" if end == "fabric" && value.contains("prefix") => {
                return Err(refused("a prefix cannot be deleted"));
            }
            "delete" => drop(section.keys.remove(value)),
            _ => section.keys.entry(name.clone()).or_default().push(value.clone()),
        }
    }
    Ok(())
}

/// What Proxmox VE checks on every write, as far as it matters here.
fn valid(staged: &[Section]) -> Result<(), Failure> {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for node in staged.iter().filter(|s| s.kind.ends_with("_node")) {
        let (fabric, name) = node.id.split_once('_').unwrap_or((&node.id, ""));
        let Some(fabric) = staged.iter().find(|s| s.id == fabric) else {
            return Err(Failure::broken(format!("fabric {fabric} of node {name} does not exist")));
        };
        for (prefix, address) in [("ip_prefix", "ip"), ("ip6_prefix", "ip6")] {
            let value = |s: &Section, key: &str| s.keys.get(key).and_then(|v| v.first().cloned());
            match (value(fabric, prefix), value(node, address)) {
                (None, None) => {}
                (Some(prefix), Some(address)) => {
                    let prefix: Option<ipnet::IpNet> = prefix.parse().ok();
                    let inside = prefix
                        .zip(address.parse().ok())
                        .is_some_and(|(p, a): (_, std::net::IpAddr)| p.contains(&a));
                    if !inside {
                        return Err(Failure::broken(format!("{address} of {name} is not in the prefix")));
                    }
                }
                _ => return Err(Failure::broken(format!("{name}: {address} does not go with {prefix}"))),
            }
        }
        for (port, _) in ports(node) {
            if !used.insert((name.to_owned(), port.clone())) {
                return Err(Failure::broken(format!("{name}: {port} is in two fabrics")));
            }
        }
    }
    Ok(())
}

fn ports(section: &Section) -> Vec<(String, Option<String>)> {
    let value = |text: &str, key: &str| {
        text.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
    };
    let list = section.keys.get("interfaces").into_iter().flatten();
    list.filter_map(|text| Some((value(text, "name")?, value(text, "hello_multiplier")))).collect()
}

/// The OpenFabric fabrics a node is in.
fn members(node: &NodeName, fabrics: &[&Section], by_id: &BTreeMap<&str, &Section>) -> Vec<Member> {
    let member = |fabric: &&Section| {
        let own = by_id.get(format!("{}_{node}", fabric.id).as_str())?;
        let one = |key: &str| own.keys.get(key).and_then(|v| v.first());
        Some(Member {
            fabric: fabric.id.clone(),
            keys: fabric.keys.clone(),
            ip: one("ip").and_then(|a| a.parse().ok()),
            ip6: one("ip6").and_then(|a| a.parse().ok()),
            ports: ports(own),
        })
    };
    fabrics.iter().filter_map(member).collect()
}

fn stanzas(members: &[Member]) -> String {
    let mut text = String::new();
    for member in members {
        let v4 = member.ip.map(|ip| format!(" inet static\n\taddress {ip}/32"));
        let v6 = member.ip6.map(|ip| format!(" inet6 static\n\taddress {ip}/128"));
        for family in [&v4, &v6].into_iter().flatten() {
            let dummy = format!("dummy_{}", member.fabric);
            let _ =
                write!(text, "\nauto {dummy}\niface {dummy}{family}\n\tlink-type dummy\n\tip-forward 1\n");
        }
        // Of two families a port gets the first alone.
        let family = v4.or(v6).unwrap_or_default();
        for (port, _) in &member.ports {
            let _ = write!(text, "\nauto {port}\niface {port}{family}\n\tip-forward 1\n");
        }
    }
    text
}
