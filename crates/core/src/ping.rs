//! Echo requests to one address: what is asked of a node, and what came back.
//!
//! Used by `verify`, `drill` and `bench`. The node's own `ping` sends them; nothing is sent from here.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Echo requests to one address through one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// Where to.
    pub to: IpAddr,
    /// Out of which interface; `None`: as routed.
    pub interface: Option<String>,
    /// How many; 0 goes on until cancelled (at most ten minutes).
    pub count: u32,
    /// Milliseconds between two.
    pub interval_ms: u32,
    /// Payload bytes; the IPv4 packet is 28 bytes longer, the IPv6 one 48.
    pub size: u32,
    /// Forbid fragmentation.
    pub whole: bool,
}

/// What a ping run gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pinged {
    /// Requests sent.
    pub sent: u32,
    /// Replies in order of arrival.
    pub replies: Vec<Reply>,
    /// What the tool said when it could not send at all.
    pub error: Option<String>,
}

/// One echo reply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Sequence number, from 1.
    pub seq: u32,
    /// Seconds since the epoch on the asking node.
    pub at: f64,
    /// Round trip in milliseconds.
    pub ms: f64,
    /// Time to live of the reply: 64 less the hops between.
    pub ttl: u8,
}
