//! Router IDs and NETs: known cases, and properties over random nodes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use ringbolt_core::address::{AddressError, Addresses, assign};
use ringbolt_core::name::{FabricId, NodeName};
use ringbolt_core::spec::{Cluster, Fabric, Node, Routing, Spec, Ssh, Transport};
use ringbolt_core::topology::generate;

fn node(name: &str, address: &str) -> Node {
    Node {
        name: NodeName::new(name).unwrap_or_else(|error| panic!("{name}: {error}")),
        address: address.parse().unwrap_or_else(|error| panic!("{address}: {error}")),
        router_id: None,
        router_id6: None,
        ports: None,
        host_key: None,
        osds: ringbolt_core::spec::Osds::default(),
        osd: ringbolt_core::spec::OsdOptions::default(),
    }
}

fn spec(prefixes: &[&str], nodes: Vec<Node>) -> Spec {
    Spec {
        cluster: Cluster { name: "tb4".to_owned(), networks: Vec::new() },
        ssh: Ssh::default(),
        fabric: Fabric {
            id: FabricId::new("tb4").unwrap_or_else(|error| panic!("{error}")),
            prefix: prefixes.iter().find_map(|text| text.parse().ok()),
            prefix6: prefixes.iter().find_map(|text| text.parse().ok()),
            transport: Transport::Thunderbolt,
            routing: Routing::Openfabric,
            mtu: 65520,
            hello_interval: 1,
            hello_multiplier: 3,
            csnp_interval: None,
            lsp_gen_interval: 1,
            bfd: true,
        },
        nodes,
        links: Vec::new(),
        interfaces: Vec::new(),
        ceph: None,
        pools: Vec::new(),
        filesystems: Vec::new(),
    }
}

/// `name=id,id net` of all nodes, or the error.
fn show(prefixes: &[&str], nodes: Vec<Node>) -> String {
    match assign(&spec(prefixes, nodes)) {
        Err(error) => error.to_string(),
        Ok(addresses) => addresses
            .iter()
            .map(|(node, address)| {
                let ids: Vec<String> = address.ids().map(|id| id.to_string()).collect();
                format!("{node}={} {}", ids.join(","), address.net)
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn three() -> Vec<Node> {
    vec![node("n4", "10.11.12.14"), node("n2", "10.11.12.12"), node("n3", "10.11.12.13")]
}

#[test]
fn the_host_part_of_the_management_address_is_kept() {
    assert_eq!(
        show(&["10.100.0.0/24"], three()),
        "n2=10.100.0.12 49.0001.0101.0000.0012.00\n\
         n3=10.100.0.13 49.0001.0101.0000.0013.00\n\
         n4=10.100.0.14 49.0001.0101.0000.0014.00"
    );
    assert_eq!(
        show(&["10.100.0.0/24", "fd00:100::/64"], three()).lines().next(),
        Some("n2=10.100.0.12,fd00:100::12 49.0001.0101.0000.0012.00")
    );
    assert_eq!(
        show(&["fd00:100::/64"], three()).lines().next(),
        Some("n2=fd00:100::12 49.0001.0000.0000.0012.00")
    );
    let v6 = vec![node("n2", "2001:db8::a:12"), node("n3", "2001:db8::a:1f")];
    assert_eq!(
        show(&["10.100.0.0/24", "fd00:100::/64"], v6),
        "n2=10.100.0.12,fd00:100::12 49.0001.0101.0000.0012.00\n\
         n3=10.100.0.1,fd00:100::1f 49.0001.0101.0000.0001.00"
    );
}

#[test]
fn wider_and_narrower_prefixes() {
    assert!(show(&["10.100.0.0/16"], three()).starts_with("n2=10.100.12.12 "));
    // Twelve host bits hold 12.12, not 50.12.
    let far = vec![node("n2", "192.168.50.12"), node("n3", "192.168.12.13")];
    assert_eq!(
        show(&["10.100.0.0/20"], far),
        "n2=10.100.0.12 49.0001.0101.0000.0012.00\nn3=10.100.12.13 49.0001.0101.0001.2013.00"
    );
    // Four host bits: 12 to 14 fit, 77 does not, and 15 is the broadcast address.
    let odd = vec![node("a", "10.0.0.77"), node("b", "10.0.0.15"), node("c", "10.0.0.14")];
    assert!(show(&["10.9.9.0/28"], odd).starts_with("a=10.9.9.1 49.0001.0100.0900.9001.00\nb=10.9.9.2 "));
    assert_eq!(
        show(&["10.9.9.0/31"], vec![node("a", "10.0.0.5"), node("b", "10.0.0.1")]),
        "a=10.9.9.0 49.0001.0100.0900.9000.00\nb=10.9.9.1 49.0001.0100.0900.9001.00"
    );
}

#[test]
fn fixed_router_ids_come_first() {
    let mut nodes = three();
    nodes[0].router_id = "10.100.0.12".parse().ok();
    assert_eq!(
        show(&["10.100.0.0/24"], nodes),
        "n2=10.100.0.1 49.0001.0101.0000.0001.00\n\
         n3=10.100.0.13 49.0001.0101.0000.0013.00\n\
         n4=10.100.0.12 49.0001.0101.0000.0012.00"
    );
}

#[test]
fn the_same_host_part_twice_goes_to_the_first_name() {
    let nodes = vec![node("b", "10.0.1.5"), node("a", "10.0.2.5")];
    assert!(
        show(&["10.100.0.0/24"], nodes).starts_with("a=10.100.0.5 49.0001.0101.0000.0005.00\nb=10.100.0.1 ")
    );
}

#[test]
fn ipv6_reads_as_decimal_as_long_as_it_fits() {
    let many = |count: usize| (0..count).map(|at| node(&format!("n{at:05}"), "2001:db8::")).collect();
    let ten = show(&["fd00::/64"], many(10));
    assert!(ten.contains("n00008=fd00::9 ") && ten.contains("n00009=fd00::10 "), "{ten}");
    // 2^4 - 1 addresses: ::1 to ::9 read as numbers, then ::a to ::f.
    let tight = show(&["fd00::/124"], many(15));
    assert!(tight.contains("n00009=fd00::a ") && tight.contains("n00014=fd00::f "), "{tight}");
    assert_eq!(
        show(&["fd00::/124"], many(16)),
        "fd00::/124 has no router ID left for node n00015: it holds 15 of 16 nodes"
    );
}

#[test]
fn what_cannot_be_addressed_is_said() {
    assert_eq!(show(&[], three()), "the fabric has no prefix to take router IDs from");
    assert_eq!(
        show(&["10.9.9.0/31"], three()),
        "10.9.9.0/31 has no router ID left for node n4: it holds 2 of 3 nodes"
    );
    let fixed = |at: usize, id: &str| {
        let mut nodes = three();
        nodes[at].router_id = id.parse().ok();
        nodes[at].router_id6 = id.parse().ok();
        nodes
    };
    assert_eq!(
        show(&["10.100.0.0/24"], fixed(0, "10.100.0.255")),
        "router ID 10.100.0.255 of node n4 is not a usable address of 10.100.0.0/24"
    );
    assert_eq!(
        show(&["10.100.0.0/24"], fixed(0, "10.101.0.1")),
        "router ID 10.101.0.1 of node n4 is not a usable address of 10.100.0.0/24"
    );
    assert_eq!(
        show(&["10.100.0.0/24"], fixed(1, "fd00::1")),
        "node n2 has the router ID fd00::1, but the fabric has no prefix of that family"
    );
    let mut twice = fixed(0, "10.100.0.9");
    twice[2].router_id = twice[0].router_id;
    assert_eq!(show(&["10.100.0.0/24"], twice), "nodes n3 and n4 both have the router ID 10.100.0.9");
}

#[test]
fn ipv6_router_ids_alike_in_48_bits_collide() {
    let mut nodes = three();
    nodes[0].router_id6 = "fd00:100::1:0:0:12".parse().ok();
    nodes[1].router_id6 = "fd00:100::2:0:0:12".parse().ok();
    let error = assign(&spec(&["fd00:100::/64"], nodes.clone()));
    assert!(
        matches!(&error, Err(AddressError::NetTwice { net, .. })
        if net.as_str() == "49.0001.0000.0000.0012.00"),
        "{error:?}"
    );
    // With IPv4 the NET comes from the IPv4 router ID.
    assert!(assign(&spec(&["10.0.0.0/24", "fd00:100::/64"], nodes)).is_ok());
}

#[test]
fn ten_thousand_nodes() {
    let nodes: Vec<Node> = (0..10_000)
        .map(|at| Node {
            name: generate::node(at, 10_000),
            ..node("x", &format!("10.1.{}.{}", at / 100, at % 100))
        })
        .collect();
    let spec = spec(&["10.100.0.0/16", "fd00::/64"], nodes);
    let addresses = assign(&spec).unwrap_or_else(|error| panic!("{error}"));
    let ids: BTreeSet<IpAddr> = addresses.iter().flat_map(|(_, address)| address.ids()).collect();
    assert_eq!(ids.len(), 20_000);
    assert_eq!(
        addresses.owner("10.100.3.7".parse().unwrap_or_else(|e| panic!("{e}"))),
        Some(&generate::node(307, 10_000))
    );
}

/// Up to 40 nodes with management addresses in one /24 or scattered; some have fixed router IDs.
fn any_nodes() -> impl Strategy<Value = Vec<Node>> {
    let one = (0..3_u8, 1..255_u8, prop::option::weighted(0.1, 1..255_u8));
    prop::collection::btree_map("[a-z][a-z0-9]{0,6}", one, 2..40).prop_map(|nodes| {
        let mut used = BTreeSet::new();
        nodes
            .into_iter()
            .map(|(name, (net, host, fixed))| {
                let mut node = node(&name, &format!("10.11.{net}.{host}"));
                let fixed = fixed.filter(|id| used.insert(*id));
                node.router_id = fixed.map(|id| [10, 100, 0, id].into());
                node
            })
            .collect()
    })
}

fn assigned(nodes: Vec<Node>) -> Addresses {
    assign(&spec(&["10.100.0.0/24", "fd00:100::/64"], nodes)).unwrap_or_else(|error| panic!("{error}"))
}

proptest! {
    #[test]
    fn unique_and_inside(nodes in any_nodes()) {
        let addresses = assigned(nodes.clone());
        let (mut ids, mut nets) = (BTreeSet::new(), BTreeSet::new());
        for (_, address) in addresses.iter() {
            let v4 = address.v4.map(|id| id.octets());
            let v6 = address.v6.map(|id| id.segments());
            prop_assert!(matches!(v4, Some([10, 100, 0, 1..=254])));
            prop_assert!(matches!(v6, Some([0xfd00, 0x100, 0, 0, ..])));
            prop_assert!(address.ids().all(|id| ids.insert(id)) && nets.insert(address.net.clone()));
        }
        prop_assert_eq!(nets.len(), nodes.len());
    }

    #[test]
    fn the_order_of_the_file_does_not_matter(
        (nodes, shuffled) in any_nodes().prop_flat_map(|nodes| (Just(nodes.clone()), Just(nodes).prop_shuffle()))
    ) {
        prop_assert_eq!(assigned(nodes), assigned(shuffled));
    }

    /// A node more or less changes no router ID that came from a management address nobody else
    /// has the host part of.
    #[test]
    fn stable_when_a_node_is_added(nodes in any_nodes(), at in 0_usize..40) {
        let mut fewer = nodes.clone();
        let new = fewer.remove(at % nodes.len());
        let (before, after) = (assigned(fewer.clone()), assigned(nodes));
        let host = |node: &Node| match node.address {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(_) => 0,
        };
        for node in fewer.iter().filter(|node| host(node) != host(&new)) {
            let old = before.get(&node.name).and_then(|address| address.v4);
            if node.router_id.is_some() || old.is_some_and(|id| id.octets()[3] == host(node)) {
                let taken = new.router_id.is_some() && new.router_id == old;
                prop_assert!(taken || after.get(&node.name).and_then(|address| address.v4) == old);
            }
        }
    }
}
