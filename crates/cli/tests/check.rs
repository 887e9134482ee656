//! `ringbolt check` and `ringbolt explain` as a person runs them.
//!
//! Each folder of `scenarios/spec` holds a spec and what `check` says about it. After a change of
//! wording, run with `BLESS=1` and read the difference.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ringbolt(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringbolt"))
        .args(args)
        .current_dir(folder)
        .env_remove("RINGBOLT_CONFIG")
        // A lab that happens to be up is nobody's here.
        .env("RINGBOLT_LAB_DIR", "/nonexistent")
        .output()
        .expect("the program runs")
}

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("the output is text")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the entry can be read").path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_scenario_says_what_it_is_expected_to_say() {
    let folders = entries(&root().join("scenarios/spec"));
    assert!(folders.len() >= 20, "only {} scenarios", folders.len());
    let mut stale = Vec::new();
    for folder in folders {
        let output = ringbolt(&folder, &["check", "spec.toml"]);
        let said = format!("{}exit {}\n", text(&output), output.status.code().unwrap_or(-1));
        let expected = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &said).expect("the expectation can be written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            stale.push(format!("{}\n{said}", folder.display()));
        }
    }
    assert!(stale.is_empty(), "differs from expected.txt (BLESS=1 to update):\n{}", stale.join("\n"));
}

#[test]
fn every_example_is_ok_without_a_warning() {
    let examples = entries(&root().join("examples"));
    assert!(examples.len() >= 7);
    let mut args = vec!["check"];
    args.extend(examples.iter().map(|p| p.to_str().expect("the path is text")));
    let output = ringbolt(&root(), &args);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().count(), examples.len(), "{said}");
    assert!(said.lines().all(|l| l.contains(": ok \u{2014} ") && !l.contains("warning")), "{said}");
    for path in examples {
        let example = std::fs::read_to_string(path).expect("the example can be read");
        let comments = example.lines().take_while(|l| l.starts_with('#')).count();
        assert_eq!(comments, 2, "an example opens with two lines that say what it is");
    }
}

#[test]
fn ten_faults_give_ten_diagnostics_in_file_order() {
    let folder = root().join("scenarios/spec/ten-faults");
    let output = ringbolt(&folder, &["check", "--json", "spec.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let reports: serde_json::Value = serde_json::from_str(&text(&output)).expect("the output is JSON");
    assert_eq!(reports[0]["ok"], false);
    let faults = reports[0]["diagnostics"].as_array().expect("there are diagnostics");
    let place = |f: &serde_json::Value| (f["line"].as_u64(), f["column"].as_u64());
    assert!(faults.is_sorted_by_key(place));
    assert_eq!(faults.len(), 10, "{faults:#?}");
    assert!(faults.iter().all(|f| f["code"].as_str().is_some_and(|c| c.starts_with("RB0"))));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("latin1.toml"), b"[cluster]\nname = \"b\xf6rse\"\n")
        .expect("the file can be written");
    for (args, message) in [
        (
            vec!["check"],
            "error: cannot read ringbolt.toml: no such file or directory\nhint: give the path of a spec",
        ),
        (
            vec!["check", "."],
            "error: cannot read .: is a directory\nhint: give the file, not its directory\n",
        ),
        (vec!["check", "latin1.toml"], "error: latin1.toml is not UTF-8 text: line 2"),
    ] {
        let output = ringbolt(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output).starts_with(message), "{}", text(&output));
    }
    let output = ringbolt(folder.path(), &["check", "--json", "none.toml"]);
    let reports: serde_json::Value = serde_json::from_str(&text(&output)).expect("the output is JSON");
    assert_eq!(reports[0]["error"]["message"], "cannot read none.toml: no such file or directory");
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let good = root().join("examples/two-nodes.toml");
    let good = good.to_str().expect("the path is text");
    let output = ringbolt(&root(), &["check", "none.toml", good]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("two-nodes.toml: ok \u{2014} 2 nodes, Thunderbolt"));
}

#[test]
fn colour_is_there_when_asked_for() {
    let folder = root().join("scenarios/spec/ten-faults");
    let said = |args: &[&str]| text(&ringbolt(&folder, args));
    assert!(said(&["check", "spec.toml", "--color", "always"]).contains("\u{1b}["));
    assert!(!said(&["check", "spec.toml"]).contains('\u{1b}'));
}

#[test]
fn explain_knows_codes_and_keys_and_guesses() {
    let said = |args: &[&str]| {
        let output = ringbolt(&root(), args);
        (output.status.code(), text(&output))
    };
    let (status, code) = said(&["explain", "RB0302"]);
    assert_eq!(status, Some(0));
    assert!(code.starts_with("RB0302: a prefix has host bits (error)\n") && code.contains("Right"));
    assert_eq!(said(&["explain", "rb0302"]), (Some(0), code));
    let (status, key) = said(&["explain", "fabric.mtu"]);
    assert_eq!(status, Some(0));
    assert!(key.starts_with("mtu, in [fabric]") && key.contains("65520"));
    let (status, section) = said(&["explain", "[fabric]"]);
    assert_eq!(status, Some(0));
    assert!(section.contains("hello_interval") && section.contains("default: 1"), "{section}");
    let (status, list) = said(&["explain"]);
    assert_eq!(status, Some(0));
    assert!(list.contains("RB0101") && list.contains("RB0416") && list.contains("hello_interval"));
    let (status, guess) = said(&["explain", "helo_interval"]);
    assert_eq!(status, Some(2));
    assert!(guess.contains("did you mean `ringbolt explain hello_interval`?"), "{guess}");
}

#[test]
fn a_piece_of_an_options_name_lists_all_that_have_it() {
    let nowhere = tempfile::tempdir().expect("a folder can be made");
    let said = text(&ringbolt(nowhere.path(), &["tune", "explain", "mclock"]));
    let named = |said: &str| said.lines().filter(|l| l.starts_with("osd_")).count();
    assert!(said.contains("osd_mclock_profile") && named(&said) >= 6, "{said}");
    assert!(said.lines().filter(|l| !l.starts_with(' ')).all(|l| l.contains("mclock")), "{said}");
    assert_eq!(
        text(&ringbolt(nowhere.path(), &["tune", "explain", "MClock-max"])).matches("osd_mclock_max").count(),
        3
    );
    // A name in full is explained, and a slip of the pen is not taken for a piece.
    let one = text(&ringbolt(nowhere.path(), &["tune", "explain", "osd_mclock_profile"]));
    assert!(one.contains("default") && one.contains("belongs"), "{one}");
    let slip = ringbolt(nowhere.path(), &["tune", "explain", "osd_mclock_profil_"]);
    assert_eq!(slip.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&slip.stderr).contains("did you mean osd_mclock_profile?"));
}

#[test]
fn the_disks_of_a_node_are_explained_as_a_key_and_as_a_section() {
    let said = text(&ringbolt(&root(), &["explain", "node.osds"]));
    assert!(said.starts_with("osds = { … }") && said.contains("min_size"), "{said}");
    assert!(said.contains("osds, in [[node]]"), "{said}");
    let section = text(&ringbolt(&root(), &["explain", "fabric"]));
    assert!(section.starts_with("[fabric]") || section.contains("\n[fabric]"), "{section}");
}
