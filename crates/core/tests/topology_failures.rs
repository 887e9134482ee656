//! Cuts, paths and routes of random topologies, compared with the plain slow way to find them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use ringbolt_core::name::NodeName;
use ringbolt_core::topology::{LinkId, StaticRoute, Topology, Via, generate};

/// Pairs over up to nine nodes, some doubled.
fn any_topology() -> impl Strategy<Value = Topology> {
    (2_usize..9).prop_flat_map(|nodes| {
        let pair = (0..nodes, 0..nodes).prop_filter("two nodes", |(a, b)| a != b);
        prop::collection::vec(pair, 0..2 * nodes).prop_map(move |pairs| generate::cabled(nodes, pairs))
    })
}

/// All nodes reached from one, without some nodes and at most one link.
fn reached(
    topology: &Topology,
    from: &NodeName,
    gone: &[NodeName],
    cut: Option<LinkId>,
) -> BTreeSet<NodeName> {
    let mut seen = BTreeSet::from([from.clone()]);
    loop {
        let before = seen.len();
        for (id, link) in topology.link_ids().filter(|&(id, _)| Some(id) != cut) {
            let _ = id;
            let ends = [&link.a.node, &link.b.node];
            if ends.iter().all(|end| !gone.contains(end)) && ends.iter().any(|end| seen.contains(*end)) {
                seen.extend(ends.into_iter().cloned());
            }
        }
        if seen.len() == before {
            return seen;
        }
    }
}

fn cuts(topology: &Topology, gone: &[NodeName], cut: Option<LinkId>) -> bool {
    topology.nodes().iter().filter(|node| !gone.contains(node)).any(|from| {
        let mut before = reached(topology, from, &[], None);
        before.retain(|node| !gone.contains(node));
        before != reached(topology, from, gone, cut)
    })
}

proptest! {
    #[test]
    fn bridges_are_the_links_whose_loss_cuts(topology in any_topology()) {
        let slow: Vec<LinkId> =
            topology.link_ids().map(|(id, _)| id).filter(|&id| cuts(&topology, &[], Some(id))).collect();
        prop_assert_eq!(topology.bridges(), slow);
        for (id, _) in topology.link_ids() {
            let loss = topology.loss_of_link(id);
            prop_assert_eq!(loss.is_nothing(), !cuts(&topology, &[], Some(id)));
            prop_assert!(loss.separated.is_empty() || loss.separated.len() == 2);
            for part in loss.separated {
                prop_assert_eq!(reached(&topology, &part[0], &[], Some(id)), part.into_iter().collect());
            }
        }
    }

    #[test]
    fn articulation_points_are_the_nodes_whose_loss_cuts(topology in any_topology()) {
        let alone = |node: &NodeName| std::slice::from_ref(node).to_vec();
        let slow: Vec<NodeName> =
            topology.nodes().iter().filter(|node| cuts(&topology, &alone(node), None)).cloned().collect();
        prop_assert_eq!(topology.articulation_points(), slow);
        for node in topology.nodes() {
            for part in topology.loss_of_node(node).separated {
                prop_assert_eq!(reached(&topology, &part[0], &alone(node), None), part.into_iter().collect());
            }
        }
    }

    #[test]
    fn joint_losses(topology in any_topology(), mask in 0_usize..512) {
        let nodes = topology.nodes().iter().enumerate();
        let gone: Vec<NodeName> =
            nodes.filter(|(at, _)| mask & (1 << at) != 0).map(|(_, node)| node.clone()).collect();
        prop_assert_eq!(topology.joint_loss_cuts(&gone), cuts(&topology, &gone, None));
    }

    #[test]
    fn first_hops_lie_on_shortest_paths(topology in any_topology()) {
        for from in topology.nodes() {
            let paths = topology.paths(from);
            let hops = topology.hops_from(from);
            prop_assert_eq!(paths.keys().collect::<Vec<_>>(), hops.keys().collect::<Vec<_>>());
            for (to, first) in paths {
                let slow: Vec<(Via, NodeName)> = topology
                    .links_of(from)
                    .into_iter()
                    .filter(|(_, near)| topology.hops(near, &to).is_some_and(|rest| rest + 1 == hops[&to]))
                    .map(|(id, near)| (Via::Link(id), near.clone()))
                    .collect();
                let mut found: Vec<_> = first.into_iter().map(|hop| (hop.via, hop.next)).collect();
                let mut slow = slow;
                found.sort();
                slow.sort();
                prop_assert_eq!(found, slow);
            }
        }
    }

    /// After the loss of any one cable, packets that follow the best way still there either arrive
    /// or had no backup on their way: they never run in a circle.
    #[test]
    fn static_routes_never_loop_after_one_cut(topology in any_topology(), cut in 0_usize..16) {
        let links = topology.links().len();
        let cut = topology.link_ids().map(|(id, _)| id).nth(if links == 0 { 0 } else { cut % links });
        let tables: BTreeMap<_, _> =
            topology.nodes().iter().map(|node| (node.clone(), topology.static_routes(node))).collect();
        for from in topology.nodes() {
            for to in topology.hops_from(from).keys() {
                let mut at = from.clone();
                let mut budget = 2 * topology.nodes().len();
                while at != *to {
                    prop_assert!(budget > 0, "a loop from {from} to {to}");
                    budget -= 1;
                    let usable = |route: &&StaticRoute| route.to == *to && cut.map(Via::Link) != Some(route.via);
                    match tables[&at].iter().find(usable) {
                        Some(route) => at = route.next_node.clone(),
                        None => break,
                    }
                }
            }
        }
    }
}

fn table(topology: &Topology, from: usize) -> String {
    let nodes = topology.nodes().len();
    let from = generate::node(from - 1, nodes);
    topology
        .static_routes(&from)
        .iter()
        .map(|route| {
            let kind = if route.backup { "backup" } else { "best" };
            let port = topology.port(&from, route.via).map_or("?", |port| port.as_str());
            format!("{} {kind} {} hops by {} through {port}\n", route.to, route.hops, route.next_node)
        })
        .collect()
}

#[test]
fn routes_of_a_ring_of_three_have_backups() {
    insta::assert_snapshot!(table(&generate::ring(3), 1), @r"
    n2 best 1 hops by n2 through en05
    n2 backup 2 hops by n3 through en06
    n3 best 1 hops by n3 through en06
    n3 backup 2 hops by n2 through en05
    ");
}

/// RFC 5286: in a ring of four the other neighbour may send the packet back, so there is no backup
/// to a neighbour; to the node across there are two equal ways.
#[test]
fn routes_of_a_ring_of_four_lack_some_backups() {
    insta::assert_snapshot!(table(&generate::ring(4), 1), @r"
    n2 best 1 hops by n2 through en05
    n3 best 2 hops by n2 through en05
    n3 backup 2 hops by n4 through en06
    n4 best 1 hops by n4 through en06
    ");
}

#[test]
fn routes_on_a_switch_are_direct() {
    insta::assert_snapshot!(table(&generate::switch(4), 2), @r"
    n1 best 1 hops by n1 through en05
    n3 best 1 hops by n3 through en05
    n4 best 1 hops by n4 through en05
    ");
}

#[test]
fn figures_of_known_shapes() {
    let figures = |topology: &Topology| topology.distances().map(|d| (d.diameter, d.mean));
    assert_eq!(figures(&generate::ring(5)), Some((2, 1.5)));
    assert_eq!(figures(&generate::mesh(6)), Some((1, 1.0)));
    assert_eq!(figures(&generate::switch(6)), Some((1, 1.0)));
    assert_eq!(figures(&generate::line(3)), Some((2, 4.0 / 3.0)));
    assert_eq!(figures(&generate::star(4)), Some((2, 1.5)));
    assert_eq!(figures(&generate::line(1)), None);
    assert_eq!(figures(&generate::cabled(4, [(0, 1), (2, 3)])), None);
    assert_eq!(figures(&generate::ring(600)), None);
}

/// A switch and a cable besides: every way that is as short is found.
#[test]
fn paths_through_a_switch_and_a_cable() {
    let switch = generate::switch(3);
    let json = r#"{"nodes":[],"links":[{"a":{"node":"n3","port":"en06"},"b":{"node":"n4","port":"en05"}}],
        "switch":[{"node":"n1","port":"en05"},{"node":"n2","port":"en05"},{"node":"n3","port":"en05"}]}"#;
    let mixed: Topology = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}"));
    let n = |at: usize| generate::node(at - 1, 4);
    assert_eq!(mixed.hops(&n(1), &n(4)), Some(2));
    assert_eq!(mixed.paths(&n(1))[&n(4)].len(), 1);
    assert_eq!(mixed.paths(&n(1))[&n(4)][0].next, n(3));
    assert_eq!(mixed.paths(&n(4))[&n(1)][0].next, n(3));
    assert_eq!(mixed.articulation_points(), [n(3)]);
    assert_eq!(mixed.bridges().len(), 1);
    assert_eq!(mixed.hanging_on_switch(), [n(1), n(2), n(3)]);
    assert_eq!(mixed.loss_of_switch().separated.len(), 3);
    assert_eq!(switch.loss_of_node(&n(1)).separated, Vec::<Vec<NodeName>>::new());
}
