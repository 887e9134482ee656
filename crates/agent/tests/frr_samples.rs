//! The reader of FRR's answers against samples of real FRR with the rows Proxmox VE's own code makes of them.
//! Skipped where the folder of reference data is not beside the repository.

#![expect(clippy::unwrap_used, reason = "tests")]

use ringbolt_core::facts::frr::answers;
use serde_json::{Value, json};

const SAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/pve-data/vtysh-openfabric-samples.json");

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn rows_are_those_proxmox_makes_of_the_same_answers() {
    let Ok(text) = std::fs::read_to_string(SAMPLES) else {
        eprintln!("skipped: no {SAMPLES}");
        return;
    };
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for sample in file["samples"].as_array().unwrap() {
        let frr = answers(&sample["vtysh_json"].to_string());
        let name = sample["test"].as_str().unwrap();
        let rows: Vec<Value> = match name {
            _ if name.contains("neighbors") => frr
                .neighbors
                .iter()
                .map(|n| json!({"neighbor": n.host, "status": n.state, "uptime": n.since}))
                .collect(),
            _ if name.contains("routes_openfabric") => {
                let installed = frr.routes.iter().filter(|r| r.installed && !r.interfaces.is_empty());
                assert!(frr.routes.iter().all(|r| r.metric == 20));
                installed.map(|r| json!(r.to.to_string())).collect()
            }
            _ => continue,
        };
        let expected = sample["expected_api_rows"].as_array().unwrap().clone();
        let expected: Vec<Value> = if name.contains("routes") {
            expected.into_iter().map(|row| row["route"].clone()).collect()
        } else {
            expected
        };
        assert_eq!(rows, expected, "{name}");
        compared += 1;
    }
    assert!(compared >= 4, "only {compared} samples were compared");
}
