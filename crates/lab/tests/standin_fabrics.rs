//! The stand-in's fabric texts against recorded output of the real generator:
//! `fabrics.cfg`, `.running-config`, `frr.conf`, `interfaces.d/sdn`, errors.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod standin;

use std::fs;
use std::path::Path;

use ringbolt_lab::standin::fabrics::interfaces::{Links, stanzas};
use ringbolt_lab::standin::fabrics::{frr, frr_local, json, section};
use serde_json::Value;
use standin::data;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A node's name in the configuration for a file prefix: `long` stands for
/// the node with the longest possible name.
fn node_name(prefix: &str) -> String {
    if prefix == "long" { "a".repeat(63) } else { prefix.to_owned() }
}

#[test]
fn every_recorded_case_is_generated_byte_for_byte() {
    let Some(data) = data() else { return };
    let (mut cases, mut files) = (0, 0);
    for case in fs::read_dir(data.join("fabrics")).unwrap() {
        let case = case.unwrap().path();
        if !case.join("fabrics.cfg").exists() {
            continue;
        }
        cases += 1;
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let config = section::parse(&read(&case.join("fabrics.cfg"))).unwrap();
        let canonical = section::write(&config);
        assert_eq!(canonical, read(&case.join("canonical.cfg")), "{name}");
        assert_eq!(section::parse(&canonical).unwrap(), config, "{name}");
        let ids: Value = serde_json::from_str(&read(&case.join("running-config.fabrics.ids.json"))).unwrap();
        assert_eq!(Value::Object(json::running_ids(&config)), ids, "{name}");
        assert_eq!(json::from_running(ids.as_object().unwrap()).unwrap(), config, "{name}");
        files += 2;
        for file in fs::read_dir(&case).unwrap() {
            let path = file.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = if let Some(node) = file.strip_suffix(".frr.conf") {
                frr::config(&config, &node_name(node), "10.4.1", &[])
            } else if let Some(node) = file.strip_suffix(".interfaces") {
                stanzas(&config, &node_name(node), Links::Numbered)
            } else {
                continue;
            };
            assert_eq!(text, read(&path), "{name}/{file}");
            files += 1;
        }
    }
    assert!(cases >= 12, "{cases}");
    println!("{cases} fabric cases, {files} files compared byte for byte");
}

/// The recorded end-to-end case has an EVPN controller and zones, which are
/// not stood in for: its fabric part is compared.
#[test]
fn the_end_to_end_case_agrees_in_its_fabric_part() {
    let Some(data) = data() else { return };
    let text = "openfabric_fabric: test\n\thello_interval 1\n\tip_prefix 172.20.3.0/24\n\n\
        openfabric_node: test_localhost\n\tinterfaces name=ens20\n\tinterfaces name=ens21\n\tip 172.20.3.1\n\n\
        openfabric_node: test_pathfinder\n\tinterfaces name=ens20\n\tinterfaces name=ens21\n\tip 172.20.3.2\n";
    let config = section::parse(text).unwrap();
    let case = data.join("fabrics/upstream_full_with_evpn");
    let sdn = read(&case.join("expected_sdn_interfaces"));
    let ours = stanzas(&config, "localhost", Links::Numbered);
    assert!(sdn.trim_end().ends_with(ours.trim_end()), "{ours}");
    let wanted = read(&case.join("expected_controller_config"));
    let mut wanted = wanted.lines();
    for line in frr::config(&config, "localhost", "10.4.1", &[]).lines() {
        assert!(wanted.any(|w| w == line), "in order: {line}");
    }
    println!("1 end-to-end case compared in its fabric part");
}

#[test]
fn invalid_files_are_refused_in_the_real_words() {
    let Some(data) = data() else { return };
    let cases: Value = serde_json::from_str(&read(&data.join("fabrics-invalid.json"))).unwrap();
    let cases = cases.as_object().unwrap();
    for (name, case) in cases {
        let told = section::parse(case["fabrics_cfg"].as_str().unwrap()).err().map(|e| e.to_string());
        assert_eq!(told.as_deref(), case["error"].as_str(), "{name}");
    }
    println!("{} invalid configurations compared", cases.len());
}

#[test]
fn links_are_bare_before_the_change() {
    let config = section::parse(
        "openfabric_fabric: mesh\n\tip_prefix 10.0.0.0/24\n\nopenfabric_node: mesh_n1\n\tinterfaces name=en05\n\tip 10.0.0.1\n",
    )
    .unwrap();
    let text = stanzas(&config, "n1", Links::Bare);
    assert!(text.ends_with("\nauto en05\niface en05\n\tip-forward 1\n"), "{text}");
}

#[test]
fn only_closed_router_and_interface_blocks_of_frr_conf_local_survive() {
    let lines = frr_local::blocks(
        "! ours\nbfd\n profile fast\n  transmit-interval 300\n exit\nexit\ninterface en05\n ip router openfabric mesh\n openfabric bfd\nexit\n!\nrouter openfabric mesh\n lsp-gen-interval 1\nexit\n",
    );
    assert_eq!(
        lines,
        [
            "interface en05",
            " ip router openfabric mesh",
            " openfabric bfd",
            "exit",
            "!",
            "router openfabric mesh",
            " lsp-gen-interval 1",
            "exit",
            "!",
        ]
    );
}
