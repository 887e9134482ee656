//! What names and addresses of a spec mean to each other: duplicates, overlaps, room.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::tree::{At, Faults, Span};
use super::{Routing, address, cluster, fabric, node};
use crate::diagnostic::Diagnostic;
use crate::explain::{address as code, fabric as fcode};

/// Everything that involves more than one name or address.
pub(super) fn check(
    cluster: &cluster::Draft,
    fabric: &fabric::Draft,
    nodes: &[node::Draft],
    faults: &mut Faults,
) {
    names(nodes, faults);
    management(cluster, nodes, faults);
    host_keys(nodes, faults);
    let prefixes = [
        fabric.prefix.as_ref().map(|p| At { value: IpNet::V4(p.value), span: p.span.clone() }),
        fabric.prefix6.as_ref().map(|p| At { value: IpNet::V6(p.value), span: p.span.clone() }),
    ];
    for prefix in prefixes.iter().flatten() {
        room(prefix, nodes.len(), faults);
        neighbours(prefix, cluster, nodes, faults);
    }
    if fabric.given == [false, true] && fabric.routing == Some(Routing::Openfabric) {
        net_twice(nodes, faults);
    }
    let ids = |n: &node::Draft| {
        [
            n.router_id.as_ref().map(|a| At { value: IpAddr::V4(a.value), span: a.span.clone() }),
            n.router_id6.as_ref().map(|a| At { value: IpAddr::V6(a.value), span: a.span.clone() }),
        ]
    };
    let ids: Vec<_> = nodes.iter().map(|n| (n.called(), ids(n))).collect();
    for family in 0..2 {
        let name = ["router_id", "router_id6"][family];
        let of_family: Vec<_> =
            ids.iter().filter_map(|(node, ids)| ids[family].as_ref().map(|id| (*node, id))).collect();
        for (_, id) in &of_family {
            match &prefixes[family] {
                Some(prefix) => inside(id, name, prefix, faults),
                None if !fabric.given[family] => without_prefix(id, name, family, faults),
                None => {}
            }
        }
        twice(&of_family, fcode::ROUTER_ID_TWICE, "the router ID", faults);
    }
}

fn names(nodes: &[node::Draft], faults: &mut Faults) {
    for (n, draft) in nodes.iter().enumerate() {
        let Some(name) = &draft.written else { continue };
        let first = nodes[..n]
            .iter()
            .filter_map(|d| d.written.as_ref())
            .find(|w| w.value.eq_ignore_ascii_case(&name.value));
        if let Some(first) = first {
            faults.push(
                Diagnostic::error(
                    code::NODE_TWICE,
                    name.span.clone(),
                    format!("there are two nodes called {}", name.value),
                )
                .also(first.span.clone(), "the first is here")
                .help("give each node its own host name"),
            );
        }
    }
}

/// Reports every value that an earlier node has as well.
fn twice(values: &[(&str, &At<IpAddr>)], code: crate::diagnostic::Code, what: &str, faults: &mut Faults) {
    for (n, (_, at)) in values.iter().enumerate() {
        let same = |other: &&(&str, &At<IpAddr>)| other.1.value.to_canonical() == at.value.to_canonical();
        if let Some((owner, first)) = values[..n].iter().find(same) {
            faults.push(
                Diagnostic::error(code, at.span.clone(), format!("two nodes have {what} {}", at.value))
                    .also(first.span.clone(), format!("{owner} has it already"))
                    .help("change one of the two"),
            );
        }
    }
}

fn management(cluster: &cluster::Draft, nodes: &[node::Draft], faults: &mut Faults) {
    let addresses: Vec<_> =
        nodes.iter().filter_map(|n| n.address.as_ref().map(|a| (n.called(), a))).collect();
    twice(&addresses, code::ADDRESS_TWICE, "the address", faults);
    for (_, address) in &addresses {
        let Some((network, word)) = cluster.networks.iter().find_map(|n| {
            address::of_network(n.value, address.value)
                .filter(|_| n.value.contains(&address.value))
                .map(|word| (n, word))
        }) else {
            continue;
        };
        faults.push(
            Diagnostic::error(
                code::ADDRESS_OF_NETWORK,
                address.span.clone(),
                format!("{} is the {word} address of {}", address.value, network.value),
            )
            .label("no node can have it")
            .also(network.span.clone(), "the network is declared here")
            .help("correct the address, or the network"),
        );
    }
}

fn host_keys(nodes: &[node::Draft], faults: &mut Faults) {
    let keys: Vec<_> = nodes.iter().filter_map(|n| n.host_key.as_ref().map(|k| (n.called(), k))).collect();
    for (n, (node, key)) in keys.iter().enumerate() {
        if let Some((other, first)) = keys[..n].iter().find(|(_, k)| k.value == key.value) {
            faults.push(
                Diagnostic::warning(
                    code::HOST_KEY_SHARED,
                    key.span.clone(),
                    format!("{node} and {other} have the same host key"),
                )
                .also(first.span.clone(), format!("the key of {other}"))
                .help("was one of them cloned? Make new host keys on it"),
            );
        }
    }
}

fn room(prefix: &At<IpNet>, nodes: usize, faults: &mut Faults) {
    let room = address::room(prefix.value);
    if room >= nodes as u128 {
        return;
    }
    let fits =
        |len: &u8| IpNet::new(prefix.value.network(), *len).is_ok_and(|p| address::room(p) >= nodes as u128);
    let least = (0..prefix.value.prefix_len()).rev().find(fits).unwrap_or_default();
    let usual = if matches!(prefix.value, IpNet::V4(_)) { 24 } else { 64 };
    let better = IpNet::new(prefix.value.network(), least.min(usual)).map_or(prefix.value, |p| p.trunc());
    let word = if room == 1 { "node" } else { "nodes" };
    faults.push(
        Diagnostic::error(
            fcode::PREFIX_TOO_SMALL,
            prefix.span.clone(),
            format!("{} is too small for {nodes} nodes", prefix.value),
        )
        .label(format!("room for {room} {word}"))
        .help(format!("for instance {better}")),
    );
}

/// The network assumed around a management address of which nothing else is known.
fn assumed(address: IpAddr) -> Option<IpNet> {
    match address {
        IpAddr::V4(a) => Ipv4Net::new(a, 24).ok().map(|n| IpNet::V4(n.trunc())),
        IpAddr::V6(a) => Ipv6Net::new(a, 64).ok().map(|n| IpNet::V6(n.trunc())),
    }
}

/// The prefix against the networks around it; one fault for each kind of neighbour.
fn neighbours(prefix: &At<IpNet>, cluster: &cluster::Draft, nodes: &[node::Draft], faults: &mut Faults) {
    let help = |text: &str| match free(prefix.value, cluster, nodes) {
        Some(free) => format!("{text}, for instance {free}"),
        None => text.to_owned(),
    };
    let addresses =
        || nodes.iter().filter_map(|n| n.address.as_ref().map(|a| (n.called(), a.value, a.span.clone())));
    let inside: Vec<(&str, IpAddr, Span)> =
        addresses().filter(|(_, address, _)| prefix.value.contains(address)).collect();
    if !inside.is_empty() {
        let mut fault = Diagnostic::error(
            fcode::PREFIX_HAS_MANAGEMENT,
            prefix.span.clone(),
            format!("{} contains the management address of {}", prefix.value, listed(&inside)),
        );
        for (_, address, span) in inside.iter().take(3) {
            fault = fault.also(span.clone(), format!("{address} is inside"));
        }
        faults.push(fault.help(help("use a prefix of its own for the mesh")));
        return;
    }
    for network in cluster.networks.iter().filter(|n| address::overlap(n.value, prefix.value)) {
        faults.push(
            Diagnostic::error(
                fcode::PREFIX_OVERLAPS,
                prefix.span.clone(),
                format!("{} overlaps {}", prefix.value, network.value),
            )
            .also(network.span.clone(), "declared here as in use")
            .help(help("use another prefix")),
        );
    }
    let near = addresses().find_map(|(node, address, span)| {
        let known = cluster.networks.iter().any(|n| n.value.contains(&address));
        assumed(address)
            .filter(|net| !known && address::overlap(*net, prefix.value))
            .map(|net| (node, net, span))
    });
    if let Some((node, network, span)) = near {
        faults.push(
            Diagnostic::error(
                fcode::PREFIX_NEAR_MANAGEMENT,
                prefix.span.clone(),
                format!("{} overlaps {network}, probably the management network", prefix.value),
            )
            .also(span, format!("{node} is in it"))
            .help(format!(
                "{}; or declare the true management network: `networks` in [cluster]",
                help("use another prefix")
            )),
        );
    }
}

fn listed(nodes: &[(&str, IpAddr, Span)]) -> String {
    let names: Vec<&str> = nodes.iter().map(|(name, _, _)| *name).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        [first, second] => format!("{first} and {second}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
        [] => String::new(),
    }
}

/// A prefix that is free as far as the spec tells.
fn free(like: IpNet, cluster: &cluster::Draft, nodes: &[node::Draft]) -> Option<IpNet> {
    let candidates: [&str; 4] = match like {
        IpNet::V4(_) => ["10.100.0.0/24", "10.99.0.0/24", "172.31.100.0/24", "192.168.100.0/24"],
        IpNet::V6(_) => ["fd00:100::/64", "fd00:99::/64", "fd00:98::/64", "fd00:97::/64"],
    };
    let taken = |net: IpNet| {
        cluster.networks.iter().any(|n| address::overlap(n.value, net))
            || nodes
                .iter()
                .filter_map(|n| n.address.as_ref().and_then(|a| assumed(a.value)))
                .any(|n| address::overlap(n, net))
    };
    candidates.iter().filter_map(|c| c.parse().ok()).find(|net| !taken(*net))
}

fn inside(id: &At<IpAddr>, name: &str, prefix: &At<IpNet>, faults: &mut Faults) {
    if !prefix.value.contains(&id.value) {
        faults.push(
            Diagnostic::error(
                fcode::ROUTER_ID_OUTSIDE,
                id.span.clone(),
                format!("{} is not in {}", id.value, prefix.value),
            )
            .also(prefix.span.clone(), "the prefix of the fabric")
            .help(format!("use an address of the prefix, or remove `{name}` to have one chosen")),
        );
    } else if let Some(word) = address::of_network(prefix.value, id.value) {
        faults.push(
            Diagnostic::error(
                fcode::ROUTER_ID_OF_NETWORK,
                id.span.clone(),
                format!("{} is the {word} address of {}", id.value, prefix.value),
            )
            .label("no node can have it")
            .help(format!("use another address of the prefix, or remove `{name}` to have one chosen")),
        );
    }
}

/// Without IPv4, the last 48 bits of the router ID become the node's IS-IS address.
fn net_twice(nodes: &[node::Draft], faults: &mut Faults) {
    let ids: Vec<_> = nodes.iter().filter_map(|n| n.router_id6.as_ref().map(|id| (n.called(), id))).collect();
    for (n, (_, id)) in ids.iter().enumerate() {
        let same = |other: &&(&str, &At<Ipv6Addr>)| {
            other.1.value != id.value && other.1.value.segments()[5..] == id.value.segments()[5..]
        };
        if let Some((owner, first)) = ids[..n].iter().find(same) {
            faults.push(
                Diagnostic::error(
                    fcode::NET_TWICE,
                    id.span.clone(),
                    format!("{} ends in the same 48 bits as the router ID of {owner}", id.value),
                )
                .also(first.span.clone(), format!("the router ID of {owner}"))
                .help("let the last three groups differ: OpenFabric tells nodes apart by them"),
            );
        }
    }
}

fn without_prefix(id: &At<IpAddr>, name: &str, family: usize, faults: &mut Faults) {
    let (key, example) = [("prefix", "10.100.0.0/24"), ("prefix6", "fd00:100::/64")][family];
    faults.push(
        Diagnostic::error(
            fcode::ROUTER_ID_NO_PREFIX,
            id.span.clone(),
            format!("`{name}` is given, but the fabric has no `{key}`"),
        )
        .help(format!("add {key} = \"{example}\" or the like to [fabric], or remove `{name}`")),
    );
}
