//! Interfaces and routes, read from `ip -j -d addr` and `ip -j route`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

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
