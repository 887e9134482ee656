//! Shapes, near-shapes, headlines and sentences of topologies people build.

use ringbolt_core::name::{NodeName, PortName};
use ringbolt_core::topology::{LinkId, NearShape, Place, Shape, Topology, generate};

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn place(text: &str) -> Place {
    let (node, port) = text.split_once(':').map_or((text, None), |(node, port)| (node, Some(port)));
    Place { node: name(node), port: port.and_then(|port| PortName::new(port).ok()) }
}

/// `n2-n3 n3:en05-n4:en06 n5`: cables, and nodes without any.
fn topology(text: &str) -> Topology {
    let alone = text.split(' ').filter(|word| !word.contains('-')).map(name);
    let cables = text.split(' ').filter_map(|word| word.split_once('-'));
    Topology::new(alone, cables.map(|(a, b)| (place(a), place(b))))
}

fn names(list: &[NodeName]) -> String {
    list.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn shapes_of_generated_topologies() {
    assert_eq!(generate::line(1).shape(), Shape::Single);
    assert_eq!(generate::line(2).shape(), Shape::Pair);
    assert_eq!(generate::ring(2).shape(), Shape::Pair);
    assert_eq!(generate::line(3).shape(), Shape::Line);
    assert_eq!(generate::star(3).shape(), Shape::Line);
    assert_eq!(generate::ring(3).shape(), Shape::Ring);
    assert_eq!(generate::mesh(3).shape(), Shape::Ring);
    assert_eq!(generate::ring(4).shape(), Shape::Ring);
    assert_eq!(generate::mesh(4).shape(), Shape::FullMesh);
    assert_eq!(generate::grid(2, 2).shape(), Shape::Ring);
    assert_eq!(generate::star(4).shape(), Shape::Star { centre: name("n1") });
    assert_eq!(generate::switch(3).shape(), Shape::Switch);
    assert_eq!(generate::grid(3, 2).shape(), Shape::Custom);
    assert_eq!(generate::fat_tree(4).shape(), Shape::Custom);
    assert_eq!(generate::fat_tree(4).nodes().len(), 36);
    assert_eq!(generate::fat_tree(4).links().len(), 48);
}

#[test]
fn the_order_of_input_and_of_ends_does_not_matter() {
    let one = topology("n2:en05-n3:en06 n3:en05-n4:en06 n4:en05-n2:en06");
    let other = topology("n2:en06-n4:en05 n4:en06-n3:en05 n3:en06-n2:en05 n2 n3 n4");
    assert_eq!(one, other);
    assert_eq!(one.links()[0].to_string(), "n2–n3");
    assert_eq!(one.links()[0].a.to_string(), "n2:en05");
}

#[test]
fn a_cable_seen_from_both_ends_counts_once_and_one_to_itself_never() {
    let seen = topology("n2:en05-n3:en06 n3:en06-n2:en05 n2:en07-n2:en08");
    assert_eq!(seen.links().len(), 1);
    let doubled = topology("n2:en05-n3:en06 n2:en06-n3:en05");
    assert_eq!(doubled.links().len(), 2);
    assert_eq!(doubled.shape(), Shape::Pair);
    assert_eq!(doubled.links_between(&name("n3"), &name("n2")).len(), 2);
}

#[test]
fn walks_run_along_the_cables() {
    assert_eq!(names(&topology("n1-n4 n4-n3 n3-n2 n2-n1").walk().unwrap_or_default()), "n1 n2 n3 n4");
    assert_eq!(names(&topology("n9-n4 n4-n3 n3-n2").walk().unwrap_or_default()), "n2 n3 n4 n9");
    assert_eq!(names(&topology("n3-n2").walk().unwrap_or_default()), "n2 n3");
    assert_eq!(generate::mesh(4).walk(), None);
}

#[test]
fn a_line_is_a_ring_with_one_cable_missing() {
    let line = topology("n2-n3 n3-n4");
    assert_eq!(line.missing_for_ring(), Some(vec![(name("n2"), name("n4"))]));
    assert_eq!(line.headline(), "line of 3 nodes, 2 cables, a ring with one cable missing (n2–n4)");
    assert_eq!(generate::ring(5).missing_for_ring(), Some(Vec::new()));
    assert_eq!(generate::star(4).missing_for_ring(), None);
    assert_eq!(generate::switch(4).missing_for_ring(), None);
    assert_eq!(topology("a1-a2").missing_for_ring(), None);
}

#[test]
fn cables_that_close_a_ring_of_pieces_do_close_it() {
    for text in ["n1-n2 n3-n4 n5-n6", "n1-n2 n3", "n1 n2 n3 n4", "n5-n1 n1-n3 n2 n4-n6"] {
        let broken = topology(text);
        let missing = broken.missing_for_ring().unwrap_or_default();
        let cables = broken.links().iter().map(|link| (link.a.clone(), link.b.clone()));
        let more = missing.iter().map(|(a, b)| (place(a.as_str()), place(b.as_str())));
        let whole = Topology::new(broken.nodes().to_vec(), cables.chain(more));
        assert_eq!(whole.shape(), Shape::Ring, "{text}");
    }
    // Two rings cannot become one by adding cables.
    assert_eq!(topology("a1-a2 a2-a3 a3-a1 b1-b2 b2-b3 b3-b1").missing_for_ring(), None);
    // A ring and a node alone: as many pairs short as a line, but no ring.
    assert_eq!(topology("a1-a2 a2-a3 a3-a1 b1").missing_for_ring(), None);
}

#[test]
fn a_full_mesh_with_one_cable_missing() {
    let diamond = topology("n1-n2 n1-n3 n1-n4 n2-n3 n2-n4");
    let near = diamond.near().unwrap_or_else(|| panic!("near a full mesh"));
    assert_eq!(near.shape, NearShape::FullMesh);
    assert_eq!(near.to_string(), "full mesh with one cable missing (n3–n4)");
    assert_eq!(generate::mesh(5).near(), None);
    assert_eq!(generate::mesh(5).missing_for_full_mesh(), Some(Vec::new()));
    assert_eq!(generate::star(9).near(), None);
    assert_eq!(generate::ring(4).near(), None);
}

#[test]
fn json_goes_there_and_back() {
    for topology in [generate::ring(4), generate::switch(3), topology("n1 n2-n3")] {
        let text = serde_json::to_string(&topology).unwrap_or_default();
        let back: Topology = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(back, topology);
        assert_eq!(back.bridges(), topology.bridges());
    }
}

#[test]
fn restricting_keeps_what_lies_inside() {
    let part = generate::grid(3, 3).restricted(&["n1", "n2", "n4", "n5"].map(name));
    assert_eq!(part.shape(), Shape::Ring);
    assert_eq!(generate::switch(4).restricted(&["n1", "n2"].map(name)).shape(), Shape::Switch);
}

/// All sentences at once: they are what people read under the drawing.
#[test]
fn sentences() {
    let two_rings = "n1-n2 n2-n3 n3-n1 n3-n4 n4-n5 n5-n3";
    let barbell = "n1-n2 n2-n3 n3-n1 n3-n4 n4-n5 n5-n6 n6-n4";
    let shown: String = [
        topology("n2"),
        topology("n2-n3"),
        topology("n2:en05-n3:en05 n2:en06-n3:en06"),
        generate::line(3),
        generate::ring(3),
        generate::ring(5),
        generate::ring(8),
        generate::mesh(4),
        generate::star(5),
        generate::switch(3),
        topology("n2-n3 n3-n4 n4-n2 n2-n5"),
        topology(two_rings),
        topology(barbell),
        generate::grid(3, 3),
        generate::fat_tree(4),
        topology("n2-n3 n4-n5"),
        topology("n2-n3 n4"),
        generate::ring(3).restricted(&["n1", "n2"].map(name)),
        topology("n1 n2 n3 n4 n5"),
    ]
    .iter()
    .map(|topology| format!("{}\n  {}\n", topology.headline(), topology.survives().sentence))
    .collect();
    insta::assert_snapshot!(shown, @r"
    1 node
      one node alone: there is nothing to keep connected
    pair of nodes, 1 cable
      if n2–n3 fails, the two nodes lose each other
    pair of nodes, 2 cables
      2 cables join n2 and n3: the nodes lose each other only if all fail
    line of 3 nodes, 2 cables, a ring with one cable missing (n1–n3)
      each cable and each inner node is a single point of failure; a cable n1–n3 would close the ring
    ring of 3 nodes, 3 cables
      any one cable or node may fail; the rest stays connected
    ring of 5 nodes, 5 cables
      any one cable or node may fail; the rest stays connected; 1.5 hops on average, 2 at most
    ring of 8 nodes, 8 cables
      any one cable or node may fail; the rest stays connected; 2.3 hops on average, 4 at most
    full mesh of 4 nodes, 6 cables
      any 2 cables or nodes may fail; the rest stays connected
    star of 5 nodes around n1, 4 cables
      each cable is the only one of its outer node, and if n1 fails, no node reaches another
    3 nodes on one switch
      any one node may fail; if a cable fails, its node is alone, and if the switch fails, all are
    4 nodes, 4 cables
      one cable holds n2 and n5 together: if n2–n5 fails, n5 loses {n2, n3, n4}; if node n2 fails, n5 and {n3, n4} lose each other
    5 nodes, 6 cables
      any one cable may fail; if node n3 fails, {n1, n2} and {n4, n5} lose each other
    6 nodes, 7 cables
      one cable holds n3 and n4 together: if n3–n4 fails, {n1, n2, n3} lose {n4, n5, n6}; if node n3 fails, {n1, n2} and {n4, n5, n6} lose each other; if node n4 fails, {n5, n6} and {n1, n2, n3} lose each other
    9 nodes, 12 cables
      any one cable or node may fail; the rest stays connected
    36 nodes, 48 cables
      16 cables (n13–n21, n13–n22, n14–n23, …) and 8 nodes (n13, n14, n15, …) are single points of failure
    4 nodes in 2 pieces, 2 cables
      no cable joins {n2, n3} and {n4, n5}
    3 nodes in 2 pieces, 1 cable
      no cable joins {n2, n3} and n4
    pair of nodes, 1 cable
      if n1–n2 fails, the two nodes lose each other
    5 nodes in 5 pieces, no cables
      no cable joins n1, n2 and n3 (and 2 more pieces)
    ");
}

#[test]
fn survival_as_data() {
    let survival = topology("n2-n3 n3-n4 n4-n2 n2-n5").survives();
    assert!(survival.connected && !survival.any_cable && !survival.any_node);
    assert_eq!(survival.cables.len(), 1);
    assert_eq!(names(&survival.cables[0].parts[0]), "n5");
    assert_eq!(names(&survival.cables[0].parts[1]), "n2 n3 n4");
    assert_eq!(survival.nodes[0].node, name("n2"));
    let ring = generate::ring(3).survives();
    assert!(ring.any_cable && ring.any_node && ring.cables.is_empty());
    let switch = generate::switch(3).survives();
    assert!(!switch.any_cable && switch.any_node && switch.switch_splits);
    assert!(!topology("n2-n3 n4").survives().connected);
}

#[test]
fn a_doubled_cable_is_no_bridge() {
    let doubled = topology("n1:en05-n2:en05 n1:en06-n2:en06 n2:en07-n3:en05");
    let bridges: Vec<usize> = doubled.bridges().into_iter().map(LinkId::index).collect();
    assert_eq!(bridges, [2]);
    assert_eq!(names(&doubled.articulation_points()), "n2");
}
