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
