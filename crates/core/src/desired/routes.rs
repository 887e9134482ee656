//! `/etc/network/interfaces.d/ringbolt`: addresses and routes without a routing daemon.
//!
//! Each node has its router ID on `lo` and, unnumbered, on each port. A direct neighbour is reached
//! over its cable; a farther node through the neighbour on the shortest path. A second way is given
//! with a higher metric where it cannot loop (RFC 5286's inequality), and the kernel takes it when
//! the first port loses carrier (`ignore_routes_with_linkdown`).

use std::net::IpAddr;

use super::node::Wish;
use crate::resource::file::{File, Reader};
use crate::spec::Transport;
use crate::step::Phase;
use crate::topology::{StaticRoute, Via};

/// The file.
pub(super) const PATH: &str = "/etc/network/interfaces.d/ringbolt";

pub(super) fn file(wish: &Wish<'_>) -> File {
    let content = if wish.spec.fabric.transport == Transport::Switch { switched(wish) } else { cabled(wish) };
    File {
        path: PATH.into(),
        content: format!("# Kept by ringbolt from its spec: edits here are lost.\n{content}").into(),
        why: "addresses and routes of the mesh, without a routing daemon".into(),
        reader: Reader::Nobody,
        phase: Phase::Ports,
    }
}

/// On a switch the port holds the address with the prefix's length: every node is one hop away.
fn switched(wish: &Wish<'_>) -> String {
    let fabric = &wish.spec.fabric;
    let mut text = String::new();
    for port in wish.ports {
        text += &format!("\nauto {}\n", port.name);
        if let (Some(id), Some(prefix)) = (wish.address.v4, fabric.prefix) {
            text += &format!(
                "iface {} inet static\n\taddress {id}/{}\n\tmtu {}\n",
                port.name,
                prefix.prefix_len(),
                fabric.mtu
            );
        }
        if let (Some(id), Some(prefix)) = (wish.address.v6, fabric.prefix6) {
            text += &format!("iface {} inet6 static\n\taddress {id}/{}\n", port.name, prefix.prefix_len());
        }
    }
    text
}

fn cabled(wish: &Wish<'_>) -> String {
    let mut text = String::new();
    let mut loopback = String::new();
    if let Some(id) = wish.address.v4 {
        loopback += &format!("iface lo inet static\n\taddress {id}/32\n");
    }
    if let Some(id) = wish.address.v6 {
        loopback += &format!("iface lo inet6 static\n\taddress {id}/128\n");
    }
    text += &format!("\n{loopback}");
    let routes = wish.topology.static_routes(wish.name);
    for port in wish.ports {
        text += &format!("\nauto {}\n", port.name);
        let over: Vec<&StaticRoute> =
            routes.iter().filter(|r| wish.topology.port(wish.name, r.via) == Some(&port.name)).collect();
        if let Some(id) = wish.address.v4 {
            text += &format!(
                "iface {} inet static\n\taddress {id}/32\n\tmtu {}\n\tip-forward 1\n",
                port.name, wish.spec.fabric.mtu
            );
            for route in &over {
                text += &line(wish, route, port.name.as_str(), false);
            }
        }
        if let Some(id) = wish.address.v6 {
            text += &format!("iface {} inet6 static\n\taddress {id}/128\n", port.name);
            for route in &over {
                text += &line(wish, route, port.name.as_str(), true);
            }
        }
    }
    text
}

/// One `post-up` line; `replace`, so that a second run of ifup is no error.
fn line(wish: &Wish<'_>, route: &StaticRoute, port: &str, six: bool) -> String {
    let id = |node: &crate::name::NodeName| -> Option<IpAddr> {
        let address = wish.addresses.get(node)?;
        if six { address.v6.map(IpAddr::V6) } else { address.v4.map(IpAddr::V4) }
    };
    let own = if six { wish.address.v6.map(IpAddr::V6) } else { wish.address.v4.map(IpAddr::V4) };
    let (Some(to), Some(next), Some(own)) = (id(&route.to), id(&route.next_node), own) else {
        return String::new();
    };
    let (tool, length) = if six { ("ip -6", 128) } else { ("ip", 32) };
    let via = if route.next_node == route.to { String::new() } else { format!(" via {next}") };
    let onlink = if via.is_empty() { "" } else { " onlink" };
    let metric = 10 * route.hops + u32::from(route.backup) * 5;
    debug_assert!(matches!(route.via, Via::Link(_)));
    format!(
        "\tpost-up {tool} route replace {to}/{length}{via} dev {port}{onlink} src {own} metric {metric}\n"
    )
}
