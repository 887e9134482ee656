//! What FRR says about fabricd, BFD and its routes (`vtysh -c 'show … json'`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::into_set::IntoSet;

/// FRR's live condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frr {
    /// OpenFabric adjacencies.
    pub neighbors: Vec<Neighbor>,
    /// Daemons that run, by the sockets `/run/frr/NAME.vty`.
    #[serde(default)]
    pub daemons: Vec<String>,
    /// BFD sessions.
    pub bfd: Vec<BfdPeer>,
    /// Routes made by OpenFabric, both families.
    pub routes: Vec<FabricRoute>,
    /// What of `/etc/frr/frr.conf` FRR does not run by, see [`lost`]; empty where it cannot be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

/// One adjacency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbor {
    /// Fabric id (fabricd's area tag).
    pub fabric: String,
    /// Interface it was seen on.
    pub interface: String,
    /// Host name of the neighbour (or its system id, before the name is known).
    pub host: String,
    /// `Up`, `Initializing`, `Down`.
    pub state: String,
    /// Time in this state, as FRR prints it.
    pub since: String,
}

/// One BFD session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BfdPeer {
    /// Address of the far end.
    pub peer: IpAddr,
    /// Interface of the session.
    pub interface: String,
    /// `up`, `down`, `init`.
    pub status: String,
}

/// One OpenFabric route as zebra holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricRoute {
    /// Destination.
    pub to: IpNet,
    /// IS-IS metric: 10 a hop.
    pub metric: u32,
    /// In the kernel's table.
    pub installed: bool,
    /// Outgoing interfaces of its active next hops.
    pub interfaces: Vec<String>,
}

/// Reads what one `vtysh` printed for several `show … json` commands: documents one after the
/// other, possibly with lines of text between, in any order, any of them missing. Each is known by
/// its content; what is not understood is passed over, since a daemon that does not run answers
/// in prose.
pub fn answers(text: &str) -> Frr {
    let mut frr = Frr::default();
    for document in documents(text) {
        match &document {
            Value::Array(sessions) => frr.bfd.extend(sessions.iter().filter_map(session)),
            Value::Object(map) => match map.get("areas").and_then(Value::as_array) {
                Some(areas) => frr.neighbors.extend(areas.iter().flat_map(adjacencies)),
                None => frr.routes.extend(map.values().flat_map(entries).filter_map(route)),
            },
            _ => {}
        }
    }
    frr
}

/// The statements of route maps, access lists and protocol filters in `frr.conf` that are not in what FRR's
/// management daemon runs by (`show running-config`), such as `route-map pve_openfabric permit 100: set src
/// 10.0.0.1`.
///
/// At its start FRR feeds the file to all daemons at once, and the sessions may delete what another one is
/// about to set (FRR's issue 18541). Without `set src` no route of the fabric reaches the kernel. Other
/// statements are not compared: FRR prints many of them in other words.
pub fn lost(file: &str, running: &str) -> Vec<String> {
    let running: BTreeSet<String> = statements(running).into_set();
    statements(file).filter(|statement| !running.contains(statement)).collect()
}

/// These statements, each in one line; the number of an access list's entry does not count, FRR gives it one.
fn statements(text: &str) -> impl Iterator<Item = String> {
    let mut map: Option<String> = None;
    text.lines().filter_map(move |line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            let told =
                matches!(words.as_slice(), ["match", "ip" | "ipv6", "address", ..] | ["set", "src", ..]);
            return map.as_ref().filter(|_| told).map(|map| format!("{map}: {}", words.join(" ")));
        }
        map = None;
        match words.as_slice() {
            ["route-map", ..] => {
                map = Some(words.join(" "));
                map.clone()
            }
            ["access-list", name, rest @ ..] => Some(format!("access-list {name} {}", entry(rest))),
            ["ipv6", "access-list", name, rest @ ..] => {
                Some(format!("ipv6 access-list {name} {}", entry(rest)))
            }
            ["ip" | "ipv6", "protocol", ..] => Some(words.join(" ")),
            _ => None,
        }
    })
}

fn entry(words: &[&str]) -> String {
    match words {
        ["seq", _, rest @ ..] => rest.join(" "),
        _ => words.join(" "),
    }
}

/// The JSON documents in a text: each begins a line with a brace or a bracket.
fn documents(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let trimmed = rest.trim_start();
        if trimmed.starts_with(['{', '[']) {
            let mut stream = serde_json::Deserializer::from_str(trimmed).into_iter::<Value>();
            if let Some(Ok(document)) = stream.next() {
                found.push(document);
                rest = &trimmed[stream.byte_offset()..];
                continue;
            }
        }
        rest = trimmed.split_once('\n').map_or("", |(_, after)| after);
    }
    found
}

fn entries(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The adjacencies of one area; circuits without one (a passive interface) are left out.
fn adjacencies(area: &Value) -> Vec<Neighbor> {
    let circuits = area.get("circuits").map_or(&[][..], entries);
    let adjacency = |circuit: &Value| {
        let interface = circuit.get("interface")?;
        Some(Neighbor {
            fabric: word(area, "area"),
            interface: word(interface, "name"),
            host: circuit.get("adj")?.as_str()?.to_owned(),
            state: word(interface, "state"),
            since: word(interface, "last-ago"),
        })
    };
    circuits.iter().filter_map(adjacency).collect()
}

fn session(value: &Value) -> Option<BfdPeer> {
    Some(BfdPeer {
        peer: value.get("peer")?.as_str()?.parse().ok()?,
        interface: word(value, "interface"),
        status: word(value, "status"),
    })
}

fn route(value: &Value) -> Option<FabricRoute> {
    if value.get("protocol")?.as_str()? != "openfabric" {
        return None;
    }
    let flag = |of: &Value, key: &str| of.get(key).and_then(Value::as_bool).unwrap_or(false);
    let hops = value.get("nexthops").map_or(&[][..], entries);
    Some(FabricRoute {
        to: value.get("prefix")?.as_str()?.parse().ok()?,
        metric: value.get("metric").and_then(Value::as_u64).and_then(|m| u32::try_from(m).ok()).unwrap_or(0),
        installed: flag(value, "installed"),
        interfaces: hops
            .iter()
            .filter(|hop| flag(hop, "active"))
            .map(|hop| word(hop, "interfaceName"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEIGHBORS: &str = r#"{
  "areas":[
    {
      "area":"tb4",
      "circuits":[
        {"circuit":0},
        {"circuit":0,"adj":"n3","interface":{"name":"en05","state":"Up","adj-flaps":1,"last-ago":"11m5s","circuit-type":"L2"},"level":2,"expires-in":"29s"},
        {"circuit":0,"adj":"0101.0000.0014","interface":{"name":"en06","state":"Initializing","last-ago":"1s"}}
      ]
    }
  ]
}
"#;
    const ROUTES: &str = r#"{
  "10.100.0.13/32":[{"prefix":"10.100.0.13/32","protocol":"openfabric","selected":true,"metric":20,"installed":true,"nexthops":[{"flags":11,"fib":true,"ip":"10.100.0.13","interfaceName":"en05","active":true},{"ip":"10.100.0.14","interfaceName":"en06"}]}]
}
"#;
    const BFD: &str = r#"[{"multihop":false,"peer":"10.100.0.13","local":"10.100.0.12","vrf":"default","interface":"en05","id":1,"remote-id":2,"status":"up","uptime":63,"diagnostic":"ok","receive-interval":300},{"multihop":false,"peer":"fe80::1","interface":"en06","status":"down"}]"#;

    #[test]
    fn documents_are_known_by_content_in_any_order_with_prose_between() {
        let text = format!(
            "{ROUTES}\n{{\n}}\n% BFD is [not] ready\n{BFD}\nIS-IS paths to level-2 routers\n{NEIGHBORS}"
        );
        let read = answers(&text);
        let seen: Vec<_> = read
            .neighbors
            .iter()
            .map(|n| (n.interface.as_str(), n.host.as_str(), n.state.as_str()))
            .collect();
        assert_eq!(seen, [("en05", "n3", "Up"), ("en06", "0101.0000.0014", "Initializing")]);
        assert_eq!(read.neighbors[0].fabric, "tb4");
        assert_eq!(read.routes.len(), 1);
        assert_eq!((read.routes[0].metric, read.routes[0].installed), (20, true));
        assert_eq!(read.routes[0].interfaces, ["en05"]);
        assert_eq!(read.bfd.iter().map(|b| b.status.as_str()).collect::<Vec<_>>(), ["up", "down"]);
    }

    #[test]
    fn a_daemon_that_does_not_run_leaves_its_part_empty() {
        let text = format!("fabricd is not running\n{ROUTES}bfdd is not running\n");
        let read = answers(&text);
        assert!(read.neighbors.is_empty() && read.bfd.is_empty());
        assert_eq!(read.routes.len(), 1);
        assert_eq!(answers("Exiting: failed to connect to any daemons.\n"), Frr::default());
        assert_eq!(answers("{ \"areas\": [ {"), Frr::default());
    }

    /// What Proxmox VE generates, and what FRR 10.3's mgmtd printed of it on a node of the lab.
    const CONF: &str = "frr version 10.4.1\nrouter openfabric lab\n net 49.0001.0101.0000.0011.00\nexit\n!\naccess-list pve_openfabric_lab_ips permit 10.100.0.0/24\n!\nroute-map pve_openfabric permit 100\n match ip address pve_openfabric_lab_ips\n set src 10.100.0.11\nexit\n!\nip protocol openfabric route-map pve_openfabric\n!\nline vty\n!\n";
    const RUNS: &str = "! loaded from 10.4.1\nfrr version 10.3\n!\nroute-map pve_openfabric permit 100\n match ip address pve_openfabric_lab_ips\n set src 10.100.0.11\nexit\n!\naccess-list pve_openfabric_lab_ips seq 5 permit 10.100.0.0/24\n!\ninterface en05\nexit\nip protocol openfabric route-map pve_openfabric\n!\n";

    #[test]
    fn what_frr_missed_of_its_configuration_is_found() {
        assert_eq!(lost(CONF, RUNS), [] as [String; 0]);
        let raced = RUNS.replace(" set src 10.100.0.11\n", "");
        assert_eq!(lost(CONF, &raced), ["route-map pve_openfabric permit 100: set src 10.100.0.11"]);
        assert_eq!(lost(CONF, "").len(), 5);
        assert_eq!(lost("", RUNS), [] as [String; 0]);
    }

    #[test]
    fn a_line_of_another_block_is_no_line_of_a_route_map() {
        let other = "route-map a permit 1\nexit\nrouter bgp 1\n set src 10.0.0.1\n";
        assert_eq!(lost(other, ""), ["route-map a permit 1"]);
        assert_eq!(
            lost("ipv6 access-list a seq 5 permit fd00::/64\n", "ipv6 access-list a permit fd00::/64\n"),
            [] as [String; 0]
        );
    }
}
