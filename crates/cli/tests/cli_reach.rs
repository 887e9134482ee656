//! What a person sees before any node answers: ssh's failures with their cures, past runs that are none.
//!
//! Real ssh, to a port of this machine where nothing listens.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

/// Runs in a folder of its own, with its own home and state; nobody sits at it.
fn ringbolt(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringbolt"))
        .args(args)
        .current_dir(folder)
        .env_remove("RINGBOLT_CONFIG")
        .env_remove("SSH_AUTH_SOCK")
        .env("RINGBOLT_STATE", folder.join("state"))
        .env("HOME", folder)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A spec of two nodes that are a closed port of this machine.
fn closed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port is free").port();
    let spec = "[cluster]\nname = \"t\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n\n[ssh]\nconfig = \"ssh_config\"\n\n\
                [[node]]\nname = \"n1\"\naddress = \"10.11.12.11\"\n\n[[node]]\nname = \"n2\"\naddress = \"10.11.12.12\"\n";
    let config = format!("Host 10.11.12.*\n    HostName 127.0.0.1\n    Port {port}\n");
    std::fs::write(folder.path().join("ringbolt.toml"), spec).expect("the spec can be written");
    std::fs::write(folder.path().join("ssh_config"), config).expect("the ssh configuration can be written");
    folder
}

#[test]
fn ssh_setup_says_for_each_node_what_is_wrong_and_what_to_do() {
    let folder = closed();
    let output = ringbolt(folder.path(), &["ssh", "setup"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}{}", text(&output.stderr));
    assert_eq!(said.matches("connection refused").count(), 2, "{said}");
    assert_eq!(said.matches("is sshd running there").count(), 2, "{said}");
    assert!(said.contains("n1    –         no: not reached\n"), "{said}");
    assert!(said.contains("not done: 2 of 2 nodes cannot be used yet."), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    let one = text(&ringbolt(folder.path(), &["ssh", "setup", "--node", "n2"]).stdout);
    assert!(one.contains("n2  10.11.12.12") && !one.contains("10.11.12.11"), "{one}");
    std::fs::rename(folder.path().join("ringbolt.toml"), folder.path().join("my mesh.toml"))
        .expect("renamed");
    let other = text(&ringbolt(folder.path(), &["ssh", "setup", "-c", "my mesh.toml"]).stdout);
    let other = other.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(other.contains("run `ringbolt ssh setup -c 'my mesh.toml'` again"), "{other}");
}

#[test]
fn a_plan_without_nodes_ends_with_4_and_touches_nothing() {
    let folder = closed();
    let output = ringbolt(folder.path(), &["plan"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("error[RB0501]: n1 cannot be reached\n") && said.contains("2 things are in the way")
    );
    let output = ringbolt(folder.path(), &["apply", "--yes", "--json"]);
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the output is JSON");
    assert_eq!((&event["event"], &event["obstacles"][1]["node"]), (&"refused".into(), &"n2".into()));
    assert_eq!(output.status.code(), Some(4));
    let history = ringbolt(folder.path(), &["history"]);
    assert_eq!(text(&history.stdout), "no runs yet\n");
    let replay = ringbolt(folder.path(), &["replay", "2026"]);
    assert_eq!(replay.status.code(), Some(2));
    assert!(text(&replay.stderr).contains("`ringbolt history` lists"));
}

#[test]
fn codes_about_nodes_are_explained() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let said = text(&ringbolt(folder.path(), &["explain", "RB0510"]).stdout);
    assert!(said.starts_with("RB0510: network edits on a node were never applied (error)\n"), "{said}");
    assert!(said.contains("\n\nTo see it: "), "{said}");
}
