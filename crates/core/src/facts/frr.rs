//! What FRR says about fabricd, BFD and its routes (`vtysh -c 'show … json'`).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// FRR's live condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frr {
    /// OpenFabric adjacencies.
    pub neighbors: Vec<Neighbor>,
    /// BFD sessions.
    pub bfd: Vec<BfdPeer>,
    /// Routes made by OpenFabric, both families.
    pub routes: Vec<FabricRoute>,
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
