//! The walls of the workspace: which crate may use which, that modules use each other in one direction, under which
//! licences, how long a file may be, and that no reader of foreign text is without a fuzz target.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
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

/// The flow has one direction: a module that another one uses, at however many removes, never uses that one.
#[test]
fn modules_of_a_crate_form_no_circle() {
    for (name, least) in [("core", 25), ("control", 12)] {
        let mut uses = modules(&root().join("crates").join(name).join("src"));
        assert!(uses.len() > least, "only {} modules were found in {name}", uses.len());
        // What uses nothing that is left goes; what can never go stands in a circle or above one.
        while let Some(lowest) = uses.iter().find(|(_, below)| below.is_empty()).map(|(m, _)| m.clone()) {
            uses.remove(&lowest);
            uses.values_mut().for_each(|below| {
                below.remove(&lowest);
            });
        }
        assert!(uses.is_empty(), "in {name}, in a circle or above one: {uses:#?}");
    }
}

/// Every module of a crate, with the others it names.
fn modules(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with("test") && !["tests", "fixture", "lib"].contains(&&*name) {
                let first = path.strip_prefix(source).unwrap().components().next().unwrap();
                let module = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
                let found = modules_used(&std::fs::read_to_string(&path).unwrap());
                uses.entry(module.clone()).or_default().extend(found.into_iter().filter(|m| *m != module));
            }
        }
    }
    // What `lib.rs` hands on by another name is no module.
    let names: BTreeSet<String> = uses.keys().cloned().collect();
    uses.values_mut().for_each(|below| below.retain(|name| names.contains(name)));
    uses
}

/// The modules of its own crate that a source names, outside of comments and of the tests at its end.
fn modules_used(source: &str) -> BTreeSet<String> {
    let program = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    assert!(!program.contains("use crate::{"), "one `use` a module, so that this test sees it:\n{program}");
    let lines = program.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>());
    paths
        .map(|path| path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap().to_owned())
        .filter(|module| !module.is_empty())
        .collect()
}

#[test]
fn files_are_short_and_lie_where_they_are_looked_for() {
    let mut folders = vec![root().join("crates"), root().join("xtask"), root().join("fuzz/src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let beside = path.with_extension("rs");
                let one_place = !beside.exists();
                assert!(one_place, "{} stands beside its folder", beside.display());
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
