//! The walls of the workspace: which crate may use which, under which licences, how long a file may be, and that no
//! reader of foreign text is without a fuzz target.
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
    let mut folders = vec![root().join("crates"), root().join("xtask"), root().join("fuzz/src")];
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

/// Files of core that read what other programs say or keep: each public function there that takes text is called by a
/// fuzz target, under its module's name.
#[test]
fn every_reader_of_foreign_text_has_a_fuzz_target() {
    let targets = std::fs::read_to_string(root().join("fuzz/src/targets.rs")).unwrap();
    let core = root().join("crates/core/src");
    let mut folders = vec![core.join("facts"), core.join("bench")];
    let mut files = vec![core.join("spec/read.rs"), core.join("drill/node.rs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let mut readers = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for reader in readers_of_text(&text) {
            let module = match file.file_stem().unwrap().to_str().unwrap() {
                "mod" | "read" => file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned(),
                name => name.to_owned(),
            };
            // These read what other readers gave, or make a path.
            if [("ceph", "pool"), ("verdict", "lacking"), ("ha", "lrm_status")]
                .contains(&(&*module, &*reader))
            {
                continue;
            }
            readers += 1;
            let call = format!("{module}::{reader}");
            assert!(targets.contains(&call), "{} has no fuzz target: no `{call}` there", file.display());
        }
    }
    assert!(readers > 30, "only {readers} readers were found");
}

/// The names of public functions that take a text or bytes. Those of a module stand at the beginning of a line;
/// methods do not.
fn readers_of_text(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in source.split("\npub fn ").skip(1) {
        let Some((name, rest)) = part.split_once(['(', '<']) else { continue };
        let arguments = rest.split_once('{').map_or(rest, |(head, _)| head);
        let arguments = arguments.split_once("->").map_or(arguments, |(before, _)| before);
        let takes =
            [": &str", ": &'t str", ": &'a str", ": &[u8]"].iter().any(|kind| arguments.contains(kind));
        if takes {
            found.push(name.to_owned());
        }
    }
    found
}

/// The licences of everything that is built into the program, as `deny.toml` allows them.
#[test]
fn licences_are_those_deny_toml_allows() {
    let rules = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let list = rules.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
    let allowed: Vec<&str> = list.split(',').map(|word| word.trim().trim_matches('"')).collect();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 80, "only {} packages", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let plain = |word: &str| word.trim_matches(['(', ')', ' ']).to_owned();
        let fits = |part: &str| part.split(" AND ").all(|one| allowed.contains(&&*plain(one)));
        assert!(licence.split(" OR ").any(fits), "{}: {licence}", package["name"]);
    }
}
