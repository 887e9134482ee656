//! Interfaces and routes, read from `ip -j -d addr`, `ip -j route` and udev's data files.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::into_map::IntoMap;
use crate::json;

/// The main file of the network, which `ifupdown2` reads and Proxmox VE writes.
pub const INTERFACES: &str = "/etc/network/interfaces";

/// Whether an address is about one link only, or the node itself: it comes and goes with its interface.
pub fn is_local(address: &IpNet) -> bool {
    match address {
        IpNet::V4(net) => net.addr().is_link_local() || net.addr().is_loopback(),
        IpNet::V6(net) => net.addr().is_unicast_link_local() || net.addr().is_loopback(),
    }
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Kernel index; another one after each unplug and replug.
    pub index: u32,
    /// Driver as udev knows it (`ID_NET_DRIVER`), e.g. `thunderbolt-net`.
    pub driver: Option<String>,
    /// udev's `ID_PATH`, e.g. `pci-0000:00:0d.2`.
    pub path: Option<String>,
    /// `link_type`, e.g. `ether`, `loopback`.
    pub link_type: String,
    /// `linkinfo.info_kind`, e.g. `bridge`, `veth`, `dummy`; none for hardware.
    pub kind: Option<String>,
    /// Hardware address.
    pub mac: Option<String>,
    /// MTU in bytes.
    pub mtu: u32,
    /// Largest MTU the driver allows, where it tells.
    pub max_mtu: Option<u32>,
    /// Administratively up.
    pub up: bool,
    /// Carrier (`LOWER_UP`).
    pub carrier: bool,
    /// Bridge, bond or VRF it belongs to.
    pub master: Option<String>,
    /// Addresses with their masks, link-local ones included.
    pub addresses: Vec<IpNet>,
}

/// One route of the kernel's main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelRoute {
    /// Destination; the default route is `0.0.0.0/0` or `::/0`.
    pub to: IpNet,
    /// Next hops: gateway, if any, and interface.
    pub via: Vec<Nexthop>,
    /// Who made it: `openfabric`, `static`, `kernel`, `boot`, …
    pub protocol: String,
    /// Metric, 0 where none is shown.
    pub metric: u32,
    /// Preferred source address.
    pub source: Option<IpAddr>,
}

/// Where a route leads next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nexthop {
    /// Gateway address.
    pub gateway: Option<IpAddr>,
    /// Outgoing interface.
    pub interface: String,
    /// The kernel marks it `linkdown` or `dead`.
    pub dead: bool,
}

/// Interfaces by name.
pub type Interfaces = BTreeMap<String, Interface>;

/// Why a tool's answer could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Not the JSON it should be.
    #[error("`{command}` gave something else than expected: {source}")]
    Json {
        /// The command, for people.
        command: &'static str,
        /// What the JSON reader says.
        source: serde_json::Error,
    },
}

/// One element of `ip -j -d addr`.
#[derive(Deserialize)]
struct IpLink {
    ifindex: u32,
    ifname: String,
    #[serde(default)]
    flags: Vec<String>,
    mtu: u32,
    max_mtu: Option<u32>,
    #[serde(default)]
    link_type: String,
    address: Option<String>,
    master: Option<String>,
    linkinfo: Option<IpLinkInfo>,
    #[serde(default)]
    addr_info: Vec<IpAddress>,
}

#[derive(Deserialize)]
struct IpLinkInfo {
    info_kind: Option<String>,
}

#[derive(Deserialize)]
struct IpAddress {
    local: Option<IpAddr>,
    prefixlen: Option<u8>,
}

/// Reads `ip -j -d addr`. Driver and path are not in it: see [`udev`].
pub fn interfaces(json: &str) -> Result<Interfaces, NetworkError> {
    let links: Vec<IpLink> = list(json, "ip -j -d addr")?;
    Ok(links.into_iter().map(|link| (link.ifname.clone(), link.into())).into_map())
}

impl From<IpLink> for Interface {
    fn from(link: IpLink) -> Self {
        let has = |flag: &str| link.flags.iter().any(|f| f == flag);
        Self {
            index: link.ifindex,
            driver: None,
            path: None,
            up: has("UP"),
            carrier: has("LOWER_UP"),
            link_type: link.link_type,
            kind: link.linkinfo.and_then(|info| info.info_kind),
            mac: link.address,
            mtu: link.mtu,
            // The kernel prints 0 for "no limit known".
            max_mtu: link.max_mtu.filter(|max| *max > 0),
            master: link.master,
            addresses: link.addr_info.iter().filter_map(address).collect(),
        }
    }
}

fn address(info: &IpAddress) -> Option<IpNet> {
    IpNet::new(info.local?, info.prefixlen?).ok()
}

/// One element of `ip -j route`.
#[derive(Deserialize)]
struct IpRoute {
    #[serde(rename = "type")]
    kind: Option<String>,
    dst: String,
    gateway: Option<IpAddr>,
    via: Option<IpVia>,
    dev: Option<String>,
    protocol: Option<String>,
    metric: Option<u32>,
    prefsrc: Option<IpAddr>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    nexthops: Vec<IpNexthop>,
}

#[derive(Deserialize)]
struct IpNexthop {
    gateway: Option<IpAddr>,
    via: Option<IpVia>,
    dev: Option<String>,
    #[serde(default)]
    flags: Vec<String>,
}

/// A gateway of the other family (`via inet6 fe80::1`).
#[derive(Deserialize)]
struct IpVia {
    host: IpAddr,
}

/// Which family a list of routes is of: `default` does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `ip -j route`.
    V4,
    /// `ip -j -6 route`.
    V6,
}

/// Reads `ip -j route` or `ip -j -6 route`. Only routes that lead out of an interface are kept: not
/// `unreachable`, `blackhole` and their like.
pub fn routes(json: &str, family: Family) -> Result<Vec<KernelRoute>, NetworkError> {
    let routes: Vec<IpRoute> = list(json, "ip -j route")?;
    Ok(routes.into_iter().filter_map(|route| kernel_route(route, family)).collect())
}

fn kernel_route(route: IpRoute, family: Family) -> Option<KernelRoute> {
    if route.kind.as_deref().is_some_and(|kind| kind != "unicast") {
        return None;
    }
    let to = destination(&route.dst, family)?;
    let mut via: Vec<Nexthop> = route.nexthops.into_iter().filter_map(nexthop).collect();
    let only = IpNexthop { gateway: route.gateway, via: route.via, dev: route.dev, flags: route.flags };
    if via.is_empty() {
        via.extend(nexthop(only));
    }
    Some(KernelRoute {
        to,
        via,
        // The one `ip` leaves out: what `ip route add` makes.
        protocol: route.protocol.unwrap_or_else(|| "boot".to_owned()),
        metric: route.metric.unwrap_or(0),
        source: route.prefsrc,
    })
}

fn nexthop(hop: IpNexthop) -> Option<Nexthop> {
    Some(Nexthop {
        gateway: hop.gateway.or(hop.via.map(|via| via.host)),
        interface: hop.dev?,
        dead: hop.flags.iter().any(|flag| flag == "dead" || flag == "linkdown"),
    })
}

fn destination(text: &str, family: Family) -> Option<IpNet> {
    match (text, family) {
        ("default", Family::V4) => "0.0.0.0/0".parse().ok(),
        ("default", Family::V6) => "::/0".parse().ok(),
        _ => text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)),
    }
}

/// Reads a JSON list; `ip` prints nothing at all for an empty one in some versions.
fn list<T: for<'de> Deserialize<'de>>(text: &str, command: &'static str) -> Result<Vec<T>, NetworkError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    json::read(text.as_bytes()).map_err(|source| NetworkError::Json { command, source })
}

/// What udev's data file of an interface (`/run/udev/data/n<ifindex>`) says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Udev {
    /// `ID_PATH`.
    pub path: Option<String>,
    /// `ID_NET_DRIVER`.
    pub driver: Option<String>,
}

/// Reads a data file of udev's: lines `E:KEY=value` among others.
pub fn udev(text: &str) -> Udev {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
    };
    Udev { path: value("ID_PATH"), driver: value("ID_NET_DRIVER") }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const ADDR: &str = r#"[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","promiscuity":0,"allmulti":0,"min_mtu":0,"max_mtu":0,"inet6_addr_gen_mode":"eui64","num_tx_queues":1,"num_rx_queues":1,"gso_max_size":65536,"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"::1","prefixlen":128,"scope":"host","valid_life_time":4294967295,"preferred_life_time":4294967295}]},{},{"ifindex":7,"link_index":9,"ifname":"en05","flags":["NO-CARRIER","BROADCAST","MULTICAST","UP"],"mtu":65520,"qdisc":"noqueue","master":"vmbr0","operstate":"LOWERLAYERDOWN","link_type":"ether","address":"02:aa:bb:cc:dd:ee","min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"veth"},"addr_info":[{"family":"inet","local":"10.100.0.12","prefixlen":32,"scope":"global","label":"en05"}]}]"#;

    #[test]
    fn addresses_flags_and_kind_of_each_interface() {
        // An `ip` that filters prints empty objects for what it leaves out; this one does not filter.
        let read = interfaces(&ADDR.replace("{},", "")).unwrap();
        assert_eq!(read.len(), 2);
        let en05 = &read["en05"];
        assert_eq!((en05.index, en05.mtu, en05.max_mtu), (7, 65520, Some(65535)));
        assert!(en05.up && !en05.carrier);
        assert_eq!(en05.kind.as_deref(), Some("veth"));
        assert_eq!(en05.master.as_deref(), Some("vmbr0"));
        assert_eq!(en05.addresses, ["10.100.0.12/32".parse().unwrap()]);
        assert_eq!(read["lo"].max_mtu, None);
        assert!(read["lo"].carrier);
        assert_eq!(read["lo"].addresses.len(), 2);
    }

    #[test]
    fn what_is_not_json_says_which_command_gave_it() {
        let text = interfaces("Object \"addr\" is unknown").unwrap_err().to_string();
        assert!(text.contains("ip -j -d addr"), "{text}");
        assert!(interfaces("").unwrap().is_empty());
    }

    #[test]
    fn routes_of_both_families_with_single_and_several_next_hops() {
        let v4 = r#"[{"dst":"default","gateway":"10.11.12.1","dev":"eno1","flags":[]},
            {"dst":"10.100.0.13","nhid":41,"gateway":"10.100.0.13","dev":"en05","protocol":"openfabric","prefsrc":"10.100.0.12","metric":20,"flags":["onlink"]},
            {"dst":"10.100.0.14","protocol":"openfabric","prefsrc":"10.100.0.12","metric":20,"flags":[],"nexthops":[{"gateway":"10.100.0.13","dev":"en05","weight":1,"flags":["onlink"]},{"gateway":"10.100.0.14","dev":"en06","weight":1,"flags":["onlink","dead","linkdown"]}]},
            {"type":"blackhole","dst":"10.66.0.0/16","flags":[]},
            {"dst":"10.11.12.0/24","dev":"eno1","protocol":"kernel","scope":"link","prefsrc":"10.11.12.12","flags":["linkdown"]}]"#;
        let read = routes(v4, Family::V4).unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!(read[0].to, "0.0.0.0/0".parse().unwrap());
        assert_eq!(read[0].protocol, "boot");
        assert_eq!(read[1].to, "10.100.0.13/32".parse().unwrap());
        assert_eq!((read[1].metric, read[1].source), (20, Some("10.100.0.12".parse().unwrap())));
        assert_eq!(
            read[2].via.iter().map(|v| (v.interface.as_str(), v.dead)).collect::<Vec<_>>(),
            [("en05", false), ("en06", true)]
        );
        assert!(read[3].via[0].dead);
        let v6 = r#"[{"dst":"default","gateway":"fe80::1","dev":"eno1","protocol":"ra","metric":1024,"flags":[],"pref":"medium"},{"dst":"fd00::13","gateway":"fe80::2","dev":"en05","protocol":"openfabric","metric":20,"flags":[],"pref":"medium"}]"#;
        let read = routes(v6, Family::V6).unwrap();
        assert_eq!(read[0].to, "::/0".parse().unwrap());
        assert_eq!(read[1].to, "fd00::13/128".parse().unwrap());
    }

    #[test]
    fn udev_data_gives_path_and_driver() {
        let text = "I:58031233\nE:ID_NET_NAMING_SCHEME=v257\nE:ID_PATH=pci-0000:00:0d.2\nE:ID_PATH_TAG=pci-0000_00_0d_2\nE:ID_NET_DRIVER=thunderbolt-net\nG:systemd\n";
        let read = udev(text);
        assert_eq!(read.path.as_deref(), Some("pci-0000:00:0d.2"));
        assert_eq!(read.driver.as_deref(), Some("thunderbolt-net"));
        assert_eq!(udev("I:1\n"), Udev::default());
    }
}
