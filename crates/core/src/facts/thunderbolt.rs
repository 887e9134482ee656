//! Thunderbolt and USB4: host controllers, and the hosts at the far ends of cables.
//!
//! Attributes as the kernel's `Documentation/ABI/testing/sysfs-bus-thunderbolt` describes them.

use serde::{Deserialize, Serialize};

/// All of `/sys/bus/thunderbolt` that matters for host-to-host links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thunderbolt {
    /// Host controllers, by PCI address.
    pub controllers: Vec<Controller>,
    /// Other hosts, one per connected port.
    pub peers: Vec<Peer>,
}

/// One host interface (NHI) with its domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// PCI address, e.g. `0000:00:0d.2`; udev's ID_PATH is `pci-` and this.
    pub pci: String,
    /// Domain number: probe order, not stable.
    pub domain: u32,
    /// Own UUID on this controller (`N-0/unique_id`): what the peer shows as its peer's.
    pub uuid: String,
    /// 1–4; 4 is USB4.
    pub generation: Option<u32>,
    /// `domainN/security`.
    pub security: Option<String>,
    /// `domainN/iommu_dma_protection`.
    pub iommu: Option<bool>,
}

/// Another host at the end of a cable (an XDomain).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// PCI address of our controller the cable is at.
    pub pci: String,
    /// Domain number of our controller.
    pub domain: u32,
    /// Route string: the lane adapter on a direct cable.
    pub route: u64,
    /// The peer's UUID; empty for a moment after hot-plug.
    pub uuid: String,
    /// The peer's host name as it was when its module first met a host.
    pub device_name: String,
    /// `Intel Corp.` for any Linux, `Apple Inc.`, …
    pub vendor_name: String,
    /// Receive speed per lane in Gbit/s.
    pub rx_gbps: Option<u32>,
    /// Transmit speed per lane in Gbit/s.
    pub tx_gbps: Option<u32>,
    /// Receive lanes.
    pub rx_lanes: Option<u32>,
    /// Transmit lanes.
    pub tx_lanes: Option<u32>,
    /// Whether the peer offers the network service (its `thunderbolt_net` is loaded).
    pub network: bool,
}

/// Domain and route out of a device's name: `0-1` is domain 0, route 1. Services (`0-1.0`),
/// retimers (`0-0:1.1`) and domains (`domain0`) are no devices.
pub fn place(name: &str) -> Option<(u32, u64)> {
    let (domain, route) = name.split_once('-')?;
    Some((domain.parse().ok()?, u64::from_str_radix(route, 16).ok()?))
}

/// The PCI address of the controller a device hangs at, out of the device's real path: the last
/// part before `domainN` that looks like one.
pub fn controller(path: &str) -> Option<&str> {
    path.split('/').take_while(|part| !part.starts_with("domain")).filter(|part| is_pci(part)).last()
}

/// `dddd:bb:ss.f`, hexadecimal.
fn is_pci(text: &str) -> bool {
    let pattern = "xxxx:xx:xx.x";
    text.len() == pattern.len()
        && text
            .chars()
            .zip(pattern.chars())
            .all(|(c, p)| if p == 'x' { c.is_ascii_hexdigit() } else { c == p })
}

/// `20.0 Gb/s` → 20.
pub fn gbps(text: &str) -> Option<u32> {
    text.split(['.', ' ']).next()?.trim().parse().ok()
}

/// A host controller from the attributes of its domain and its own router.
pub fn controller_of(
    pci: &str,
    domain: u32,
    of_domain: impl Fn(&str) -> Option<String>,
    of_router: impl Fn(&str) -> Option<String>,
) -> Controller {
    Controller {
        pci: pci.to_owned(),
        domain,
        uuid: of_router("unique_id").unwrap_or_default(),
        generation: of_router("generation").and_then(|text| text.parse().ok()),
        security: of_domain("security"),
        iommu: of_domain("iommu_dma_protection").map(|text| text == "1"),
    }
}

/// A host at the far end from its attributes; `network` says whether it offers the network service.
pub fn peer_of(
    pci: &str,
    (domain, route): (u32, u64),
    network: bool,
    attribute: impl Fn(&str) -> Option<String>,
) -> Peer {
    let number = |name: &str| attribute(name).and_then(|text| text.parse().ok());
    let speed = |name: &str| attribute(name).and_then(|text| gbps(&text));
    Peer {
        pci: pci.to_owned(),
        domain,
        route,
        uuid: attribute("unique_id").unwrap_or_default(),
        device_name: attribute("device_name").unwrap_or_default(),
        vendor_name: attribute("vendor_name").unwrap_or_default(),
        rx_gbps: speed("rx_speed"),
        tx_gbps: speed("tx_speed"),
        rx_lanes: number("rx_lanes"),
        tx_lanes: number("tx_lanes"),
        network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_give_domain_and_route() {
        assert_eq!(place("0-1"), Some((0, 1)));
        assert_eq!(place("1-3"), Some((1, 3)));
        assert_eq!(place("0-301"), Some((0, 0x301)));
        assert_eq!(place("0-0"), Some((0, 0)));
        for other in ["0-1.0", "0-0:1.1", "domain0", "usb4_port1", "0-"] {
            assert_eq!(place(other), None, "{other}");
        }
    }

    #[test]
    fn the_controller_is_the_last_pci_function_above_the_domain() {
        let amd = "/sys/devices/pci0000:00/0000:00:08.3/0000:ca:00.5/domain0/0-0/0-2/0-2.0";
        assert_eq!(controller(amd), Some("0000:ca:00.5"));
        assert_eq!(controller("/sys/devices/pci0000:00/0000:00:0d.2/domain0"), Some("0000:00:0d.2"));
        assert_eq!(controller("/sys/devices/virtual/net/en05"), None);
    }

    #[test]
    fn speeds_are_whole_gigabits() {
        assert_eq!(gbps("20.0 Gb/s"), Some(20));
        assert_eq!(gbps("40.0 Gb/s"), Some(40));
        assert_eq!(gbps("unknown"), None);
    }
}
