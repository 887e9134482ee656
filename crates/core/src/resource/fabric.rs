//! The fabric in Proxmox VE's SDN: one object for the fabric, one for each node. A resource of the
//! cluster: staged and applied on one node, for all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::action::{PveCall, Verb};
use crate::arrange::Arrange;
use crate::facts::pve::Section;
use crate::into_map::IntoMap;
use crate::into_set::IntoSet;
use crate::name::{FabricId, NodeName, PortName};

/// The fabric as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fabric {
    /// Its id.
    pub id: FabricId,
    /// Keys of the fabric section, as Proxmox VE names them.
    pub keys: BTreeMap<String, String>,
    /// Nodes.
    pub nodes: BTreeMap<NodeName, Member>,
    /// Nodes of the spec that nothing is known of just now: what is there of them stays.
    pub keep: BTreeSet<NodeName>,
}

/// One node of the fabric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// IPv4 router ID.
    pub ip: Option<Ipv4Addr>,
    /// IPv6 router ID.
    pub ip6: Option<Ipv6Addr>,
    /// Ports, in order.
    pub ports: Vec<PortName>,
    /// Hellos missed before a neighbour is down.
    pub hello_multiplier: u16,
    /// Give each port the router ID by name. Proxmox VE does so by itself since libpve-rs-perl 0.11;
    /// before, a port without an address of its own forms no adjacency.
    pub numbered: bool,
}

const FABRIC_KIND: &str = "openfabric_fabric";
const NODE_KIND: &str = "openfabric_node";
/// Keys Proxmox VE lets one delete from a fabric.
const DELETABLE: [&str; 2] = ["csnp_interval", "hello_interval"];

/// Calls that turn what is staged into what should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Creations and updates.
    pub calls: Vec<PveCall>,
    /// Nodes of the fabric that the spec does not name.
    pub deletes: Vec<PveCall>,
    /// Their names.
    pub leaving: Vec<String>,
}

impl Fabric {
    /// The sections of `fabrics.cfg` that are this fabric's.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = vec![Section {
            kind: FABRIC_KIND.into(),
            id: self.id.to_string(),
            keys: self.keys.iter().map(|(k, v)| (k.clone(), vec![v.clone()])).into_map(),
        }];
        for (name, member) in &self.nodes {
            sections.push(Section {
                kind: NODE_KIND.into(),
                id: format!("{}_{name}", self.id),
                keys: member.keys(),
            });
        }
        sections
    }

    /// Whether a section belongs to this fabric.
    pub fn owns(&self, section: &Section) -> bool {
        of(&self.id, section)
    }

    /// Whether a section is that of a node which stays as it is.
    pub fn keeps(&self, section: &Section) -> bool {
        section.kind == NODE_KIND && self.keep.contains(node_of(&self.id, &section.id))
    }

    /// The call that takes the whole fabric away, nodes included.
    pub fn withdrawal(id: &FabricId) -> PveCall {
        PveCall { verb: Verb::Delete, path: format!("/cluster/sdn/fabrics/fabric/{id}"), options: Vec::new() }
    }

    /// What is to be called so that the staged sections become this fabric's.
    pub fn calls(&self, staged: &[Section]) -> Calls {
        towards(&self.id, &self.sections(), staged, |section| self.keeps(section))
    }
}

/// Whether a section belongs to the fabric of this id.
pub fn of(id: &FabricId, section: &Section) -> bool {
    let own = section.id == id.as_str() && section.kind.ends_with("_fabric");
    let node = section.kind.ends_with("_node") && section.id.starts_with(&format!("{id}_"));
    own || node
}

/// What is to be called so that a fabric becomes what it was, the whole of it gone where it was not
/// there. Its deletions are no one's loss: nothing is named as leaving.
pub fn revert(id: &FabricId, was: &[Section], is: &[Section]) -> Calls {
    let wish: Vec<Section> = was.iter().filter(|s| of(id, s)).cloned().collect();
    if wish.is_empty() {
        let there = is.iter().any(|s| of(id, s));
        return Calls {
            deletes: there.then(|| Fabric::withdrawal(id)).into_iter().collect(),
            ..Calls::default()
        };
    }
    Calls { leaving: Vec::new(), ..towards(id, &wish, is, |_| false) }
}

/// Calls from what is staged to these sections of a fabric; sections that `keeps` names stay.
fn towards(id: &FabricId, wish: &[Section], staged: &[Section], keeps: impl Fn(&Section) -> bool) -> Calls {
    let have: BTreeMap<&str, &Section> =
        staged.iter().filter(|s| of(id, s)).map(|s| (s.id.as_str(), s)).into_map();
    let mut calls = Calls::default();
    for wish in wish {
        let now = have.get(wish.id.as_str()).copied();
        if now.is_some_and(|n| same(n, wish)) {
            continue;
        }
        let call = if wish.kind == FABRIC_KIND { fabric_call } else { node_call };
        calls.calls.push(call(id, wish, now));
    }
    let wanted: BTreeSet<&str> = wish.iter().map(|s| s.id.as_str()).into_set();
    for (name, section) in &have {
        if section.kind == NODE_KIND && !wanted.contains(*name) && !keeps(section) {
            let node = node_of(id, name).to_owned();
            calls.deletes.push(PveCall {
                verb: Verb::Delete,
                path: format!("/cluster/sdn/fabrics/node/{id}/{node}"),
                options: Vec::new(),
            });
            calls.leaving.push(node);
        }
    }
    calls
}

/// The node of a node section's id.
fn node_of<'s>(fabric: &FabricId, id: &'s str) -> &'s str {
    id.strip_prefix(fabric.as_str()).and_then(|rest| rest.strip_prefix('_')).unwrap_or(id)
}

fn fabric_call(id: &FabricId, wish: &Section, now: Option<&Section>) -> PveCall {
    let mut options = Vec::new();
    if now.is_none() {
        options.push(("id".to_owned(), id.to_string()));
    }
    options.push(("protocol".into(), "openfabric".into()));
    options.extend(flat(wish));
    for key in now.into_iter().flat_map(|n| n.keys.keys()) {
        if !wish.keys.contains_key(key) && DELETABLE.contains(&key.as_str()) {
            options.push(("delete".into(), key.clone()));
        }
    }
    let base = "/cluster/sdn/fabrics/fabric";
    match now {
        None => PveCall { verb: Verb::Create, path: base.into(), options },
        Some(_) => PveCall { verb: Verb::Set, path: format!("{base}/{id}"), options },
    }
}

fn node_call(id: &FabricId, wish: &Section, now: Option<&Section>) -> PveCall {
    let node = node_of(id, &wish.id);
    let mut options = Vec::new();
    if now.is_none() {
        options.push(("node_id".to_owned(), node.to_owned()));
    }
    options.push(("protocol".into(), "openfabric".into()));
    options.extend(flat(wish));
    for key in now.into_iter().flat_map(|n| n.keys.keys()) {
        if !wish.keys.contains_key(key) {
            options.push(("delete".into(), key.clone()));
        }
    }
    let base = format!("/cluster/sdn/fabrics/node/{id}");
    match now {
        None => PveCall { verb: Verb::Create, path: base, options },
        Some(_) => PveCall { verb: Verb::Set, path: format!("{base}/{node}"), options },
    }
}

impl Member {
    /// The router IDs, IPv4 first.
    pub fn ids(&self) -> impl Iterator<Item = IpAddr> {
        self.ip.map(IpAddr::V4).into_iter().chain(self.ip6.map(IpAddr::V6))
    }

    fn keys(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys = BTreeMap::new();
        if let Some(ip) = self.ip {
            keys.insert("ip".to_owned(), vec![ip.to_string()]);
        }
        if let Some(ip6) = self.ip6 {
            keys.insert("ip6".to_owned(), vec![ip6.to_string()]);
        }
        let interfaces: Vec<String> = self
            .ports
            .iter()
            .map(|p| format!("name={p},hello_multiplier={}{}", self.hello_multiplier, self.own()))
            .collect();
        if !interfaces.is_empty() {
            keys.insert("interfaces".to_owned(), interfaces);
        }
        keys
    }

    /// The address of a port, where it must be said. A dual-stack fabric has the IPv4 one on its ports.
    fn own(&self) -> String {
        match (self.numbered, self.ip, self.ip6) {
            (true, Some(ip), _) => format!(",ip={ip}/32"),
            (true, None, Some(ip6)) => format!(",ip6={ip6}/128"),
            _ => String::new(),
        }
    }
}

fn flat(section: &Section) -> Vec<(String, String)> {
    section
        .keys
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |v| (key.clone(), v.clone())))
        .collect()
}

/// Equal in meaning: property strings in any order of their parts.
pub fn same(one: &Section, other: &Section) -> bool {
    let normal = |s: &Section| -> BTreeMap<String, Vec<BTreeSet<String>>> {
        s.keys
            .iter()
            .map(|(key, values)| {
                (key.clone(), values.iter().map(|v| v.split(',').map(str::to_owned).collect()).collect())
            })
            .into_map()
    };
    one.kind == other.kind && one.id == other.id && normal(one) == normal(other)
}

/// Sections as `fabrics.cfg` shows them, each fabric followed by its nodes, keys in order: for the
/// plan's diff.
pub fn render(sections: &[Section]) -> String {
    let mut sorted: Vec<&Section> = sections.iter().collect();
    sorted.arrange_by_key(|s| {
        let fabric = s.id.split('_').next().unwrap_or(&s.id).to_owned();
        (fabric, s.kind.ends_with("_node"), s.id.clone())
    });
    let blocks: Vec<String> = sorted
        .iter()
        .map(|s| {
            let mut block = format!("{}: {}\n", s.kind, s.id);
            for (key, value) in flat(s) {
                block += &format!("\t{key} {value}\n");
            }
            block
        })
        .collect();
    blocks.join("\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::facts::pve;

    fn wish() -> Fabric {
        let member = |last| Member {
            ip: Some(Ipv4Addr::new(10, 100, 0, last)),
            ip6: None,
            ports: vec![PortName::new("en05").unwrap(), PortName::new("en06").unwrap()],
            hello_multiplier: 3,
            numbered: false,
        };
        Fabric {
            id: FabricId::new("tb4").unwrap(),
            keys: [("hello_interval", "1"), ("ip_prefix", "10.100.0.0/24")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            nodes: [("n2", member(12)), ("n3", member(13))]
                .map(|(n, m)| (NodeName::new(n).unwrap(), m))
                .into(),
            keep: BTreeSet::new(),
        }
    }

    #[test]
    fn nothing_staged_means_create_all() {
        let calls = wish().calls(&[]);
        assert_eq!(calls.calls.len(), 3);
        assert_eq!(calls.calls[0].path, "/cluster/sdn/fabrics/fabric");

        assert!(
            calls.calls[1].options.contains(&("interfaces".into(), "name=en05,hello_multiplier=3".into()))
        );
    }

    #[test]
    fn what_is_rendered_reads_back_as_satisfied() {
        let staged = pve::sections(&render(&wish().sections())).unwrap();
        assert_eq!(wish().calls(&staged), Calls::default());
    }

    #[test]
    fn old_proxmox_is_told_the_address_of_each_port() {
        let mut fabric = wish();
        for member in fabric.nodes.values_mut() {
            member.numbered = true;
        }
        let calls = fabric.calls(&[]).calls;
        let own = ("interfaces".to_owned(), "name=en05,hello_multiplier=3,ip=10.100.0.12/32".to_owned());
        assert!(calls[1].options.contains(&own), "{:?}", calls[1].options);
    }

    #[test]
    fn a_changed_timer_is_one_update_and_a_leaving_node_one_delete() {
        let mut other = wish();
        other.keys.insert("hello_interval".into(), "3".into());
        other.keys.insert("csnp_interval".into(), "5".into());
        other.nodes.insert(NodeName::new("n9").unwrap(), wish().nodes.values().next().unwrap().clone());
        let calls = wish().calls(&pve::sections(&render(&other.sections())).unwrap());
        assert_eq!(calls.calls.len(), 1);
        assert_eq!(calls.calls[0].verb, Verb::Set);
        assert!(calls.calls[0].options.contains(&("delete".into(), "csnp_interval".into())));
        assert_eq!(calls.leaving, ["n9"]);
        assert_eq!(calls.deletes[0].path, "/cluster/sdn/fabrics/node/tb4/n9");
        let silent = Fabric { keep: [NodeName::new("n9").unwrap()].into(), ..wish() };
        assert!(silent.calls(&pve::sections(&render(&other.sections())).unwrap()).deletes.is_empty());
    }
}
