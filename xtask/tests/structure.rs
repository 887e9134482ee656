//! The walls of the workspace: which crate may use which, and how long a file may be.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Arrows point down only, and the three in the middle never see each other.
#[test]
fn crates_use_only_what_lies_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("ringbolt-core", &[][..]),
        ("ringbolt-agent", &["ringbolt-core"]),
        ("ringbolt-control", &["ringbolt-core"]),
        ("ringbolt-lab", &["ringbolt-core"]),
        ("ringbolt", &["ringbolt-core", "ringbolt-agent", "ringbolt-control", "ringbolt-lab"]),
        ("xtask", &["ringbolt-core"]),
    ]);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), allowed.len(), "a new crate needs a line here and in ARCHITECTURE.md");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // Tests may drive the real agent; the program may not.
            let shipped = dependency["kind"] != "dev";
            if shipped && other.starts_with("ringbolt") {
                assert!(allowed[name].contains(&other), "{name} must not use {other}");
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_800_lines() {
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                seen += 1;
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines <= 800, "{} has {lines} lines", path.display());
                let name = path.file_stem().unwrap().to_string_lossy();
                assert!(!["util", "utils", "common", "helpers"].contains(&&*name), "{}", path.display());
            }
        }
    }
    assert!(seen > 200, "only {seen} files were looked at");
}
