//! The examples of the registry hold: what is called wrong gives the code, what is called right
//! reads without a word. And the examples of the table of keys are valid values.

use ringbolt_core::diagnostic::Diagnostic;
use ringbolt_core::explain::{self, address, cabling, ceph, fabric, file};
use ringbolt_core::spec::{self, key};

/// A piece of a spec with the sections it lacks, so that only what it shows can be wrong.
fn complete(piece: &str) -> String {
    let mut text = piece.to_owned();
    if !piece.contains("[cluster]") {
        text.push_str("\n[cluster]\nname = \"tb4\"\n");
    }
    if !piece.contains("[fabric]") {
        text.push_str("\n[fabric]\nprefix = \"10.100.0.0/24\"\n");
    }
    let ethernet = piece.contains("\"ethernet\"");
    let ports = if ethernet && piece.contains("mtu") { "ports = [\"enp1s0\"]\n" } else { "" };
    // Copies and pieces need nodes to be on.
    let ceph = ["osds", "[ceph]", "[[pool]]"].iter().any(|word| piece.contains(word));
    let osds = if ceph { "osds = [\"/dev/nvme1n1\"]\n" } else { "" };
    let nodes = if piece.contains("erasure") { 4 } else { 2 + usize::from(ceph) };
    for n in piece.matches("[[node]]").count()..nodes {
        text.push_str(&format!(
            "\n[[node]]\nname = \"other{n}\"\naddress = \"10.11.12.9{n}\"\n{ports}{osds}"
        ));
    }
    text
}

fn spell(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{} {}\n", d.code, d.message)).collect()
}

fn of_the_spec() -> impl Iterator<Item = &'static explain::Explanation> {
    [file::ENTRIES, address::ENTRIES, fabric::ENTRIES, cabling::ENTRIES, ceph::ENTRIES].into_iter().flatten()
}

#[test]
fn what_is_called_wrong_gives_the_code() {
    for e in of_the_spec() {
        // Missing nodes and sections are what these are about.
        let whole = [cabling::NO_NODE, cabling::ONE_NODE, file::MISSING_SECTION, file::SECTION_FORM]
            .contains(&e.code);
        let text = if whole { e.wrong.to_owned() } else { complete(e.wrong) };
        let outcome = spec::read(&text);
        let found: Vec<_> = outcome.diagnostics.iter().filter(|d| d.code == e.code).collect();
        assert!(
            !found.is_empty(),
            "{} is not found in its example:\n{text}\n{}",
            e.code,
            spell(&outcome.diagnostics)
        );
        assert!(found.iter().all(|d| d.severity == e.severity), "{}", e.code);
        if !whole {
            let others: Vec<_> = outcome.diagnostics.iter().filter(|d| d.code != e.code).cloned().collect();
            assert!(others.is_empty(), "{}:\n{}", e.code, spell(&outcome.diagnostics));
        }
    }
}

#[test]
fn what_is_called_right_reads_without_a_word() {
    for e in of_the_spec() {
        let text = complete(e.right);
        let outcome = spec::read(&text);
        assert!(outcome.diagnostics.is_empty(), "{}:\n{text}\n{}", e.code, spell(&outcome.diagnostics));
        assert!(outcome.spec.is_some(), "{}", e.code);
    }
}

#[test]
fn the_examples_of_all_keys_are_valid_together() {
    let mut sections = std::collections::BTreeMap::<&str, String>::new();
    for k in key::KEYS.iter().filter(|k| k.section != "node.osds") {
        let line = match k.path().as_str() {
            // This one would need other nodes, ports and no links.
            "fabric.transport" => "transport = \"thunderbolt\"\n".to_owned(),
            "fabric.routing" => "routing = \"openfabric\"\n".to_owned(),
            // These exclude others, or are a risk to be warned of.
            "ceph.guest_memory" | "pool.erasure" | "pool.i_accept_data_loss" => continue,
            _ => format!("{} = {}\n", k.name, k.example),
        };
        sections.entry(k.section).or_default().push_str(&line);
    }
    let filter: Vec<String> = key::of("node.osds").map(|k| format!("{} = {}", k.name, k.example)).collect();
    let section = |name: &str| sections.get(name).map_or("", String::as_str);
    let text = format!(
        "[cluster]\n{}[fabric]\n{}[ssh]\n{}[[node]]\n{}[[node]]\nname = \"n3\"\naddress = \"10.11.12.13\"\n\
         osds = {{ {} }}\n[[node]]\nname = \"n4\"\naddress = \"10.11.12.14\"\nosds = [\"/dev/sdb\"]\n\
         [[link]]\n{}[[link]]\nends = [\"n3\", \"n4\"]\n[ceph]\n{}[[pool]]\n{}[[filesystem]]\n{}",
        section("cluster"),
        section("fabric"),
        section("ssh"),
        section("node"),
        filter.join(", "),
        section("link"),
        section("ceph"),
        section("pool"),
        section("filesystem"),
    );
    let outcome = spec::read(&text);
    assert!(outcome.diagnostics.is_empty(), "{text}\n{}", spell(&outcome.diagnostics));
}
