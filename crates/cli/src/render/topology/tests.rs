//! The drawings as people see them.

use std::collections::BTreeMap;

use ringbolt_core::name::{NodeName, PortName};
use ringbolt_core::topology::{Place, Topology, generate};

use super::{Annotations, Charset, WIDTH, draw};

const NOTES: [&str; 3] = ["2 × 20 Gb/s", "2 × 10 Gb/s", "1 × 20 Gb/s"];

/// A router ID at every node, a note at every cable.
fn noted(topology: &Topology) -> Annotations {
    let ids = topology.nodes().iter().enumerate();
    let notes = topology.links().iter().zip(NOTES.iter().cycle());
    Annotations {
        nodes: ids.map(|(at, node)| (node.clone(), vec![format!("10.100.0.{}", at + 11)])).collect(),
        links: notes.map(|(link, note)| (link.clone(), (*note).to_owned())).collect(),
    }
}

/// Router IDs only.
fn plain(topology: &Topology) -> Annotations {
    Annotations { links: BTreeMap::new(), ..noted(topology) }
}

fn show(topology: &Topology, annotations: &Annotations) -> String {
    let text = draw(topology, annotations, Charset::Unicode);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "too wide:\n{text}");
    // The same in ASCII has the same form.
    let ascii = draw(topology, annotations, Charset::Ascii);
    assert!(ascii.is_ascii(), "{ascii}");
    assert_eq!(ascii.lines().count(), text.lines().count());
    text
}

fn show_noted(topology: &Topology) -> String {
    show(topology, &noted(topology))
}

fn show_plain(topology: &Topology) -> String {
    show(topology, &plain(topology))
}

/// `n2=n3 n3:en05=n4:en06 n5`: cables, and nodes without any.
fn topology(text: &str) -> Topology {
    let place = |text: &str| {
        let (node, port) = text.split_once(':').map_or((text, None), |(node, port)| (node, Some(port)));
        let node = NodeName::new(node).unwrap_or_else(|error| panic!("{node}: {error}"));
        Place { node, port: port.and_then(|port| PortName::new(port).ok()) }
    };
    let alone = text.split(' ').filter(|word| !word.contains('=')).map(|word| place(word).node);
    let cables = text.split(' ').filter_map(|word| word.split_once('='));
    Topology::new(alone, cables.map(|(a, b)| (place(a), place(b))))
}

#[test]
fn a_ring_of_three() {
    let drawn = show_noted(&generate::ring(3));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05     en05 ┌─────────────┐
    │     n1      ├───────────────┤     n2      │
    │ 10.100.0.11 │  2 × 20 Gb/s  │ 10.100.0.12 │
    └──────┬──────┘               └──────┬──────┘
           │ en06                   en06 │
           │ 2 × 10 Gb/s     1 × 20 Gb/s │
           │  en06 ┌─────────────┐ en05  │
           └───────┤     n3      ├───────┘
                   │ 10.100.0.13 │
                   └─────────────┘
    ");
}

#[test]
fn a_ring_of_three_without_notes() {
    let drawn = show_plain(&generate::ring(3));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05     en05 ┌─────────────┐
    │     n1      ├───────────────┤     n2      │
    │ 10.100.0.11 │               │ 10.100.0.12 │
    └──────┬──────┘               └──────┬──────┘
           │ en06                   en06 │
           │                             │
           │  en06 ┌─────────────┐ en05  │
           └───────┤     n3      ├───────┘
                   │ 10.100.0.13 │
                   └─────────────┘
    ");
}

#[test]
fn a_ring_of_four() {
    let drawn = show_noted(&generate::ring(4));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │
    └──────┬──────┘             └──────┬──────┘
           │ en06                 en06 │
           │ 2 × 10 Gb/s   1 × 20 Gb/s │
           │ en06                 en05 │
    ┌──────┴──────┐ en05   en06 ┌──────┴──────┐
    │     n4      ├─────────────┤     n3      │
    │ 10.100.0.14 │ 2 × 20 Gb/s │ 10.100.0.13 │
    └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_ring_of_five() {
    let drawn = show_noted(&generate::ring(5));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐ en06   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      ├─────────────┤     n3      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │ 1 × 20 Gb/s │ 10.100.0.13 │
    └──────┬──────┘             └─────────────┘             └──────┬──────┘
           │ en06                                             en06 │
           │ 2 × 10 Gb/s                               2 × 20 Gb/s │
           │ en06                                             en05 │
    ┌──────┴──────┐ en05                               en06 ┌──────┴──────┐
    │     n5      ├─────────────────────────────────────────┤     n4      │
    │ 10.100.0.15 │               2 × 10 Gb/s               │ 10.100.0.14 │
    └─────────────┘                                         └─────────────┘
    ");
}

#[test]
fn a_ring_of_six() {
    let drawn = show_plain(&generate::ring(6));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05  en05 ┌─────────────┐ en06  en05 ┌─────────────┐
    │     n1      ├────────────┤     n2      ├────────────┤     n3      │
    │ 10.100.0.11 │            │ 10.100.0.12 │            │ 10.100.0.13 │
    └──────┬──────┘            └─────────────┘            └──────┬──────┘
           │ en06                                           en06 │
           │ en06                                           en05 │
    ┌──────┴──────┐ en05  en06 ┌─────────────┐ en05  en06 ┌──────┴──────┐
    │     n6      ├────────────┤     n5      ├────────────┤     n4      │
    │ 10.100.0.16 │            │ 10.100.0.15 │            │ 10.100.0.14 │
    └─────────────┘            └─────────────┘            └─────────────┘
    ");
}

#[test]
fn a_ring_of_seven() {
    let drawn = show_noted(&generate::ring(7));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐ en06   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      ├─────────────┤     n3      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │ 1 × 20 Gb/s │ 10.100.0.13 │
    └──────┬──────┘             └─────────────┘             └──────┬──────┘
           │ en06                                             en06 │
           │                                           2 × 20 Gb/s │
           │                                                  en05 │
           │                                                ┌──────┴──────┐
           │ 2 × 10 Gb/s                                    │     n4      │
           │                                                │ 10.100.0.14 │
           │                                                └──────┬──────┘
           │                                                  en06 │
           │                                           2 × 10 Gb/s │
           │ en06                                             en05 │
    ┌──────┴──────┐ en05   en06 ┌─────────────┐ en05   en06 ┌──────┴──────┐
    │     n7      ├─────────────┤     n6      ├─────────────┤     n5      │
    │ 10.100.0.17 │ 2 × 20 Gb/s │ 10.100.0.16 │ 1 × 20 Gb/s │ 10.100.0.15 │
    └─────────────┘             └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_ring_of_eight() {
    let drawn = show_noted(&generate::ring(8));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐ en06   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      ├─────────────┤     n3      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │ 1 × 20 Gb/s │ 10.100.0.13 │
    └──────┬──────┘             └─────────────┘             └──────┬──────┘
           │ en06                                             en06 │
           │ 2 × 10 Gb/s                               2 × 20 Gb/s │
           │ en06                                             en05 │
    ┌──────┴──────┐                                         ┌──────┴──────┐
    │     n8      │                                         │     n4      │
    │ 10.100.0.18 │                                         │ 10.100.0.14 │
    └──────┬──────┘                                         └──────┬──────┘
           │ en05                                             en06 │
           │ 2 × 10 Gb/s                               2 × 10 Gb/s │
           │ en06                                             en05 │
    ┌──────┴──────┐ en05   en06 ┌─────────────┐ en05   en06 ┌──────┴──────┐
    │     n7      ├─────────────┤     n6      ├─────────────┤     n5      │
    │ 10.100.0.17 │ 2 × 20 Gb/s │ 10.100.0.16 │ 1 × 20 Gb/s │ 10.100.0.15 │
    └─────────────┘             └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_pair() {
    let drawn = show_noted(&generate::line(2));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │
    └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_pair_with_two_cables() {
    let drawn = show_noted(&topology("n2:en05=n3:en05 n2:en06=n3:en06"));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐
    │     n2      ├─ en06 ── 2 × 10 Gb/s ────┐
    │ 10.100.0.11 ├─ en05 ── 2 × 20 Gb/s ─┐  │
    └─────────────┘                       │  │
    ┌─────────────┐                       │  │
    │     n3      ├─ en05 ────────────────┘  │
    │ 10.100.0.12 ├─ en06 ───────────────────┘
    └─────────────┘
    ");
}

#[test]
fn a_line_of_three() {
    let drawn = show_noted(&generate::line(3));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐ en06   en05 ┌─────────────┐
    │     n1      ├─────────────┤     n2      ├─────────────┤     n3      │
    │ 10.100.0.11 │ 2 × 20 Gb/s │ 10.100.0.12 │ 2 × 10 Gb/s │ 10.100.0.13 │
    └─────────────┘             └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_line_of_five() {
    let drawn = show_plain(&generate::line(5));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05  en05 ┌─────────────┐ en06  en05 ┌─────────────┐
    │     n1      ├────────────┤     n2      ├────────────┤     n3      │
    │ 10.100.0.11 │            │ 10.100.0.12 │            │ 10.100.0.13 │
    └─────────────┘            └─────────────┘            └──────┬──────┘
                                                            en06 │
                                                            en05 │
                               ┌─────────────┐ en05  en06 ┌──────┴──────┐
                               │     n5      ├────────────┤     n4      │
                               │ 10.100.0.15 │            │ 10.100.0.14 │
                               └─────────────┘            └─────────────┘
    ");
}

#[test]
fn a_star_of_four() {
    let drawn = show_plain(&generate::star(4));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05  en05 ┌─────────────┐
    │             ├────────────┤     n2      │
    │             │            │ 10.100.0.12 │
    │             │            └─────────────┘
    │             │ en06  en05 ┌─────────────┐
    │     n1      ├────────────┤     n3      │
    │ 10.100.0.11 │            │ 10.100.0.13 │
    │             │            └─────────────┘
    │             │ en07  en05 ┌─────────────┐
    │             ├────────────┤     n4      │
    │             │            │ 10.100.0.14 │
    └─────────────┘            └─────────────┘
    ");
}

#[test]
fn a_star_of_eight() {
    let drawn = show_noted(&generate::star(8));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   en05 ┌─────────────┐ en08   en05 ┌─────────────┐
    │     n2      ├─────────────┤             ├─────────────┤     n5      │
    │ 10.100.0.12 │ 2 × 20 Gb/s │             │ 2 × 20 Gb/s │ 10.100.0.15 │
    └─────────────┘             │             │             └─────────────┘
    ┌─────────────┐ en05   en06 │             │ en09   en05 ┌─────────────┐
    │     n3      ├─────────────┤             ├─────────────┤     n6      │
    │ 10.100.0.13 │ 2 × 10 Gb/s │             │ 2 × 10 Gb/s │ 10.100.0.16 │
    └─────────────┘             │     n1      │             └─────────────┘
    ┌─────────────┐ en05   en07 │ 10.100.0.11 │ en10   en05 ┌─────────────┐
    │     n4      ├─────────────┤             ├─────────────┤     n7      │
    │ 10.100.0.14 │ 1 × 20 Gb/s │             │ 1 × 20 Gb/s │ 10.100.0.17 │
    └─────────────┘             │             │             └─────────────┘
                                │             │ en11   en05 ┌─────────────┐
                                │             ├─────────────┤     n8      │
                                │             │ 2 × 20 Gb/s │ 10.100.0.18 │
                                └─────────────┘             └─────────────┘
    ");
}

#[test]
fn a_switch_with_three_nodes() {
    let drawn = show_plain(&generate::switch(3));
    insta::assert_snapshot!(drawn, @r"
    ┌──────────┐   en05 ┌─────────────┐
    │          ├────────┤     n1      │
    │          │        │ 10.100.0.11 │
    │          │        └─────────────┘
    │          │   en05 ┌─────────────┐
    │  switch  ├────────┤     n2      │
    │          │        │ 10.100.0.12 │
    │          │        └─────────────┘
    │          │   en05 ┌─────────────┐
    │          ├────────┤     n3      │
    │          │        │ 10.100.0.13 │
    └──────────┘        └─────────────┘
    ");
}

#[test]
fn a_switch_with_five_nodes() {
    let drawn = show_plain(&generate::switch(5));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05   ┌──────────┐   en05 ┌─────────────┐
    │     n1      ├────────┤          ├────────┤     n3      │
    │ 10.100.0.11 │        │          │        │ 10.100.0.13 │
    └─────────────┘        │          │        └─────────────┘
    ┌─────────────┐ en05   │          │   en05 ┌─────────────┐
    │     n2      ├────────┤  switch  ├────────┤     n4      │
    │ 10.100.0.12 │        │          │        │ 10.100.0.14 │
    └─────────────┘        │          │        └─────────────┘
                           │          │   en05 ┌─────────────┐
                           │          ├────────┤     n5      │
                           │          │        │ 10.100.0.15 │
                           └──────────┘        └─────────────┘
    ");
}

#[test]
fn a_full_mesh_of_four() {
    let drawn = show_noted(&generate::mesh(4));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐
    │     n1      ├─ en07 ── 1 × 20 Gb/s ──────────┐
    │ 10.100.0.11 ├─ en06 ── 2 × 10 Gb/s ────┐     │
    │             ├─ en05 ── 2 × 20 Gb/s ─┐  │     │
    └─────────────┘                       │  │     │
    ┌─────────────┐                       │  │     │
    │     n2      ├─ en05 ────────────────┘  │     │
    │ 10.100.0.12 ├─ en07 ── 2 × 10 Gb/s ────┼──┐  │
    │             ├─ en06 ── 2 × 20 Gb/s ─┐  │  │  │
    └─────────────┘                       │  │  │  │
    ┌─────────────┐                       │  │  │  │
    │     n3      ├─ en06 ────────────────┘  │  │  │
    │ 10.100.0.13 ├─ en05 ───────────────────┘  │  │
    │             ├─ en07 ── 1 × 20 Gb/s ─┐     │  │
    └─────────────┘                       │     │  │
    ┌─────────────┐                       │     │  │
    │     n4      ├─ en07 ────────────────┘     │  │
    │ 10.100.0.14 ├─ en06 ──────────────────────┘  │
    │             ├─ en05 ─────────────────────────┘
    └─────────────┘
    ");
}

#[test]
fn a_full_mesh_of_five() {
    let drawn = show_plain(&generate::mesh(5));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐
    │             ├─ en08 ─────────────────┐
    │     n1      ├─ en07 ───────────┐     │
    │ 10.100.0.11 ├─ en06 ─────┐     │     │
    │             ├─ en05 ──┐  │     │     │
    └─────────────┘         │  │     │     │
    ┌─────────────┐         │  │     │     │
    │             ├─ en05 ──┘  │     │     │
    │     n2      ├─ en08 ─────┼─────┼──┐  │
    │ 10.100.0.12 ├─ en07 ─────┼──┐  │  │  │
    │             ├─ en06 ──┐  │  │  │  │  │
    └─────────────┘         │  │  │  │  │  │
    ┌─────────────┐         │  │  │  │  │  │
    │             ├─ en06 ──┘  │  │  │  │  │
    │     n3      ├─ en05 ─────┘  │  │  │  │
    │ 10.100.0.13 ├─ en08 ─────┐  │  │  │  │
    │             ├─ en07 ──┐  │  │  │  │  │
    └─────────────┘         │  │  │  │  │  │
    ┌─────────────┐         │  │  │  │  │  │
    │             ├─ en07 ──┘  │  │  │  │  │
    │     n4      ├─ en06 ─────┼──┘  │  │  │
    │ 10.100.0.14 ├─ en05 ─────┼─────┘  │  │
    │             ├─ en08 ──┐  │        │  │
    └─────────────┘         │  │        │  │
    ┌─────────────┐         │  │        │  │
    │             ├─ en08 ──┘  │        │  │
    │     n5      ├─ en07 ─────┘        │  │
    │ 10.100.0.15 ├─ en06 ──────────────┘  │
    │             ├─ en05 ─────────────────┘
    └─────────────┘
    ");
}

#[test]
fn a_full_mesh_of_six_is_a_table() {
    let drawn = show_plain(&generate::mesh(6));
    insta::assert_snapshot!(drawn, @r"
                       n1    n2    n3    n4    n5    n6
    n1  10.100.0.11     ·  en05  en06  en07  en08  en09
    n2  10.100.0.12  en05     ·  en06  en07  en08  en09
    n3  10.100.0.13  en05  en06     ·  en07  en08  en09
    n4  10.100.0.14  en05  en06  en07     ·  en08  en09
    n5  10.100.0.15  en05  en06  en07  en08     ·  en09
    n6  10.100.0.16  en05  en06  en07  en08  en09     ·
    ");
}

#[test]
fn a_full_mesh_of_six_with_notes_is_a_list() {
    let drawn = show_noted(&generate::mesh(6));
    insta::assert_snapshot!(drawn, @r"
    n1  10.100.0.11  en05 ── n2:en05  2 × 20 Gb/s
                     en06 ── n3:en05  2 × 10 Gb/s
                     en07 ── n4:en05  1 × 20 Gb/s
                     en08 ── n5:en05  2 × 20 Gb/s
                     en09 ── n6:en05  2 × 10 Gb/s
    n2  10.100.0.12  en05 ── n1:en05  2 × 20 Gb/s
                     en06 ── n3:en06  1 × 20 Gb/s
                     en07 ── n4:en06  2 × 20 Gb/s
                     en08 ── n5:en06  2 × 10 Gb/s
                     en09 ── n6:en06  1 × 20 Gb/s
    n3  10.100.0.13  en05 ── n1:en06  2 × 10 Gb/s
                     en06 ── n2:en06  1 × 20 Gb/s
                     en07 ── n4:en07  2 × 20 Gb/s
                     en08 ── n5:en07  2 × 10 Gb/s
                     en09 ── n6:en07  1 × 20 Gb/s
    n4  10.100.0.14  en05 ── n1:en07  1 × 20 Gb/s
                     en06 ── n2:en07  2 × 20 Gb/s
                     en07 ── n3:en07  2 × 20 Gb/s
                     en08 ── n5:en08  2 × 20 Gb/s
                     en09 ── n6:en08  2 × 10 Gb/s
    n5  10.100.0.15  en05 ── n1:en08  2 × 20 Gb/s
                     en06 ── n2:en08  2 × 10 Gb/s
                     en07 ── n3:en08  2 × 10 Gb/s
                     en08 ── n4:en08  2 × 20 Gb/s
                     en09 ── n6:en09  1 × 20 Gb/s
    n6  10.100.0.16  en05 ── n1:en09  2 × 10 Gb/s
                     en06 ── n2:en09  1 × 20 Gb/s
                     en07 ── n3:en09  1 × 20 Gb/s
                     en08 ── n4:en09  2 × 10 Gb/s
                     en09 ── n5:en09  1 × 20 Gb/s
    ");
}

#[test]
fn two_rings_that_share_a_node() {
    let drawn = show_plain(&topology("n1=n2 n2=n3 n3=n1 n3=n4 n4=n5 n5=n3"));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐
    │     n1      ├─────┐
    │ 10.100.0.11 ├──┐  │
    └─────────────┘  │  │
    ┌─────────────┐  │  │
    │     n2      ├──┘  │
    │ 10.100.0.12 ├──┐  │
    └─────────────┘  │  │
    ┌─────────────┐  │  │
    │             ├──┘  │
    │     n3      ├─────┘
    │ 10.100.0.13 ├─────┐
    │             ├──┐  │
    └─────────────┘  │  │
    ┌─────────────┐  │  │
    │     n4      ├──┘  │
    │ 10.100.0.14 ├──┐  │
    └─────────────┘  │  │
    ┌─────────────┐  │  │
    │     n5      ├──┘  │
    │ 10.100.0.15 ├─────┘
    └─────────────┘
    ");
}

#[test]
fn a_grid_of_nine_is_a_list() {
    let drawn = show_noted(&generate::grid(3, 3));
    insta::assert_snapshot!(drawn, @r"
    n1  10.100.0.11  en05 ── n2:en05  2 × 20 Gb/s
                     en06 ── n4:en06  2 × 10 Gb/s
    n2  10.100.0.12  en05 ── n1:en05  2 × 20 Gb/s
                     en06 ── n3:en05  1 × 20 Gb/s
                     en07 ── n5:en07  2 × 20 Gb/s
    n3  10.100.0.13  en05 ── n2:en06  1 × 20 Gb/s
                     en06 ── n6:en06  2 × 10 Gb/s
    n4  10.100.0.14  en06 ── n1:en06  2 × 10 Gb/s
                     en05 ── n5:en05  1 × 20 Gb/s
                     en07 ── n7:en06  2 × 20 Gb/s
    n5  10.100.0.15  en07 ── n2:en07  2 × 20 Gb/s
                     en05 ── n4:en05  1 × 20 Gb/s
                     en06 ── n6:en05  2 × 10 Gb/s
                     en08 ── n8:en07  1 × 20 Gb/s
    n6  10.100.0.16  en06 ── n3:en06  2 × 10 Gb/s
                     en05 ── n5:en06  2 × 10 Gb/s
                     en07 ── n9:en06  2 × 20 Gb/s
    n7  10.100.0.17  en06 ── n4:en07  2 × 20 Gb/s
                     en05 ── n8:en05  2 × 10 Gb/s
    n8  10.100.0.18  en07 ── n5:en08  1 × 20 Gb/s
                     en05 ── n7:en05  2 × 10 Gb/s
                     en06 ── n9:en05  1 × 20 Gb/s
    n9  10.100.0.19  en06 ── n6:en07  2 × 20 Gb/s
                     en05 ── n8:en06  1 × 20 Gb/s
    ");
}

#[test]
fn a_switch_with_nine_nodes_is_a_list() {
    let drawn = show_plain(&generate::switch(9));
    insta::assert_snapshot!(drawn, @r"
    n1  10.100.0.11  en05 ── switch
    n2  10.100.0.12  en05 ── switch
    n3  10.100.0.13  en05 ── switch
    n4  10.100.0.14  en05 ── switch
    n5  10.100.0.15  en05 ── switch
    n6  10.100.0.16  en05 ── switch
    n7  10.100.0.17  en05 ── switch
    n8  10.100.0.18  en05 ── switch
    n9  10.100.0.19  en05 ── switch
    ");
}

#[test]
fn pieces() {
    let drawn = show_plain(&topology("n2:en05=n3:en06 n4"));
    insta::assert_snapshot!(drawn, @r"
    ┌─────────────┐ en05  en06 ┌─────────────┐
    │     n2      ├────────────┤     n3      │
    │ 10.100.0.11 │            │ 10.100.0.12 │
    └─────────────┘            └─────────────┘

    ┌─────────────┐
    │     n4      │
    │ 10.100.0.13 │
    └─────────────┘
    ");
}

#[test]
fn many_pieces_are_a_list() {
    let drawn = show_plain(&topology("a1=a2 a2=a3 a3=a1 b1=b2 b2=b3 b3=b1 c1 c2 c3"));
    insta::assert_snapshot!(drawn, @r"
    a1  10.100.0.11  ── a2
                     ── a3
    a2  10.100.0.12  ── a1
                     ── a3
    a3  10.100.0.13  ── a1
                     ── a2
    b1  10.100.0.14  ── b2
                     ── b3
    b2  10.100.0.15  ── b1
                     ── b3
    b3  10.100.0.16  ── b1
                     ── b2
    c1  10.100.0.17  no cable
    c2  10.100.0.18  no cable
    c3  10.100.0.19  no cable
    ");
}

/// Long names leave room for two columns only.
#[test]
fn a_ring_of_six_with_long_names() {
    let ring = topology(
        "pve-rack1-node01:en05=pve-rack1-node02:en06 pve-rack1-node02:en05=pve-rack1-node03:en06 \
         pve-rack1-node03:en05=pve-rack1-node04:en06 pve-rack1-node04:en05=pve-rack1-node05:en06 \
         pve-rack1-node05:en05=pve-rack1-node06:en06 pve-rack1-node06:en05=pve-rack1-node01:en06",
    );
    let drawn = show_noted(&ring);
    insta::assert_snapshot!(drawn, @r"
    ┌───────────────────┐ en05   en06 ┌───────────────────┐
    │ pve-rack1-node01  ├─────────────┤ pve-rack1-node02  │
    │    10.100.0.11    │ 2 × 20 Gb/s │    10.100.0.12    │
    └─────────┬─────────┘             └─────────┬─────────┘
              │ en06                       en05 │
              │ 2 × 10 Gb/s         1 × 20 Gb/s │
              │ en05                       en06 │
    ┌─────────┴─────────┐             ┌─────────┴─────────┐
    │ pve-rack1-node06  │             │ pve-rack1-node03  │
    │    10.100.0.16    │             │    10.100.0.13    │
    └─────────┬─────────┘             └─────────┬─────────┘
              │ en06                       en05 │
              │ 1 × 20 Gb/s         2 × 20 Gb/s │
              │ en05                       en06 │
    ┌─────────┴─────────┐ en06   en05 ┌─────────┴─────────┐
    │ pve-rack1-node05  ├─────────────┤ pve-rack1-node04  │
    │    10.100.0.15    │ 2 × 10 Gb/s │    10.100.0.14    │
    └───────────────────┘             └───────────────────┘
    ");
}

#[test]
fn two_router_ids_a_node() {
    let ring = generate::ring(3);
    let mut annotations = noted(&ring);
    for (at, lines) in annotations.nodes.values_mut().enumerate() {
        lines.push(format!("fd00:100::{}", at + 11));
    }
    let drawn = show(&ring, &annotations);
    insta::assert_snapshot!(drawn, @r"
    ┌───────────────┐ en05     en05 ┌───────────────┐
    │      n1       ├───────────────┤      n2       │
    │  10.100.0.11  │  2 × 20 Gb/s  │  10.100.0.12  │
    │ fd00:100::11  │               │ fd00:100::12  │
    └───────┬───────┘               └───────┬───────┘
            │ en06                     en06 │
            │ 2 × 10 Gb/s       1 × 20 Gb/s │
            │  en06 ┌───────────────┐ en05  │
            └───────┤      n3       ├───────┘
                    │  10.100.0.13  │
                    │ fd00:100::13  │
                    └───────────────┘
    ");
}

#[test]
fn plain_ascii() {
    let ring = generate::ring(3);
    let drawn = draw(&ring, &noted(&ring), Charset::Ascii);
    insta::assert_snapshot!(drawn, @r"
    +-------------+ en05     en05 +-------------+
    |     n1      +---------------+     n2      |
    | 10.100.0.11 |  2 x 20 Gb/s  | 10.100.0.12 |
    +------+------+               +------+------+
           | en06                   en06 |
           | 2 x 10 Gb/s     1 x 20 Gb/s |
           |  en06 +-------------+ en05  |
           +-------+     n3      +-------+
                   | 10.100.0.13 |
                   +-------------+
    ");
}

#[test]
fn arcs_in_plain_ascii() {
    let mesh = generate::mesh(4);
    let drawn = draw(&mesh, &plain(&mesh), Charset::Ascii);
    insta::assert_snapshot!(drawn, @r"
    +-------------+
    |     n1      +- en07 -----------+
    | 10.100.0.11 +- en06 -----+     |
    |             +- en05 --+  |     |
    +-------------+         |  |     |
    +-------------+         |  |     |
    |     n2      +- en05 --+  |     |
    | 10.100.0.12 +- en07 -----+--+  |
    |             +- en06 --+  |  |  |
    +-------------+         |  |  |  |
    +-------------+         |  |  |  |
    |     n3      +- en06 --+  |  |  |
    | 10.100.0.13 +- en05 -----+  |  |
    |             +- en07 --+     |  |
    +-------------+         |     |  |
    +-------------+         |     |  |
    |     n4      +- en07 --+     |  |
    | 10.100.0.14 +- en06 --------+  |
    |             +- en05 -----------+
    +-------------+
    ");
}

/// Names that fit no drawing are listed, whatever the width.
#[test]
fn what_does_not_fit_is_a_list() {
    let long = |at: usize| format!("{}{at}", "x".repeat(60));
    let drawn =
        draw(&topology(&format!("{}={}", long(1), long(2))), &Annotations::default(), Charset::Unicode);
    assert_eq!(drawn.lines().count(), 2);
    assert!(drawn.starts_with(&format!("{}  ── {}", long(1), long(2))), "{drawn}");
}

/// Every shape of up to eight nodes fits the width, notes and router IDs included.
#[test]
fn up_to_eight_nodes_fit_a_terminal() {
    for nodes in 1..=8 {
        let makers = [generate::line, generate::ring, generate::mesh, generate::star, generate::switch];
        for make in makers {
            let topology = make(nodes);
            for annotations in [Annotations::default(), plain(&topology), noted(&topology)] {
                let text = show(&topology, &annotations);
                let named = |node: &NodeName| text.contains(node.as_str());
                assert!(topology.nodes().iter().all(named), "{text}");
            }
        }
    }
}

#[test]
fn ten_thousand_nodes_are_a_list() {
    let grid = generate::grid(100, 100);
    assert_eq!(
        draw(&grid, &Annotations::default(), Charset::Unicode).lines().count(),
        2 * grid.links().len()
    );
}
