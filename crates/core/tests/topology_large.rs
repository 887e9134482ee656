//! Everything the plan asks of a topology, on about 10,000 nodes of several shapes. What is not
//! near-linear makes this test visibly slow; what recurses overflows its stack.

use ringbolt_core::topology::{Shape, Topology, generate};

/// Asks everything and counts: bridges, articulation points, details told.
fn ask(topology: &Topology) -> (usize, usize, usize) {
    let survival = topology.survives();
    assert!(survival.connected);
    assert!(!topology.headline().is_empty() && !survival.sentence.is_empty());
    let first = topology.nodes()[0].clone();
    assert_eq!(topology.hops_from(&first).len() + 1, topology.nodes().len());
    assert_eq!(topology.paths(&first).len() + 1, topology.nodes().len());
    let _ = topology.joint_loss_cuts(&topology.nodes()[..2]);
    let told = survival.cables.len() + survival.nodes.len();
    (topology.bridges().len(), topology.articulation_points().len(), told)
}

#[test]
fn ring() {
    let ring = generate::ring(10_000);
    assert_eq!(ring.shape(), Shape::Ring);
    assert_eq!(ring.walk().map(|walk| walk.len()), Some(10_000));
    assert_eq!(ring.static_routes(&ring.nodes()[0]).iter().filter(|route| !route.backup).count(), 9_999);
    assert_eq!(ask(&ring), (0, 0, 0));
}

#[test]
fn line() {
    let line = generate::line(10_000);
    assert_eq!(line.shape(), Shape::Line);
    assert_eq!(line.missing_for_ring().map(|missing| missing.len()), Some(1));
    assert_eq!(ask(&line), (9_999, 9_998, 32));
}

#[test]
fn star() {
    assert_eq!(ask(&generate::star(10_000)), (9_999, 1, 17));
}

#[test]
fn switch() {
    assert_eq!(ask(&generate::switch(10_000)), (0, 0, 0));
}

#[test]
fn grid() {
    let grid = generate::grid(100, 100);
    assert_eq!(grid.links().len(), 19_800);
    assert_eq!(ask(&grid), (0, 0, 0));
}

/// Each host hangs on one switch by one cable.
#[test]
fn fat_tree() {
    let tree = generate::fat_tree(32);
    assert_eq!(tree.nodes().len(), 9_472);
    assert_eq!(ask(&tree), (8_192, 512, 32));
}
