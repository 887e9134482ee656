//! The stand-in's `pvesh` against a recorded session and recorded checks of
//! command lines.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod standin;

use ringbolt_lab::standin::{cli, pvesh};
use serde_json::Value;
use standin::{Bench, data, json, ran};

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect()
}

/// Masks what differs from run to run, and sorts lists of objects: the real
/// order is a hash's.
fn masked(text: &str) -> String {
    if let Some(rest) = text.strip_suffix(":reloadnetworkall::root@pam:")
        && let Some(at) = rest.rfind("UPID:pve1:")
    {
        return format!("{}UPID:pve1:<pid>:<pstart>:<start>:reloadnetworkall::root@pam:", &rest[..at]);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    mask(&mut value);
    value.to_string()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if key == "digest" {
                    *value = "<digest>".into();
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(mask);
            if items.iter().all(Value::is_object) {
                items.sort_by_key(Value::to_string);
            }
        }
        _ => {}
    }
}

#[test]
fn the_recorded_session_replays_step_by_step() {
    let Some(data) = data() else { return };
    let session = json(&data.join("pvesh-session.json"));
    let bench = Bench::new("9.2", |argv| match argv {
        ["pvesh", "set", _, "--regenerate-frr", "1"] => {
            ran(0, "UPID:x:0:0:0:srvreload:networking:root@pam:\n")
        }
        other => panic!("unexpected program {other:?}"),
    });
    let mut token = String::new();
    let steps = session["steps"].as_array().unwrap();
    for (index, step) in steps.iter().enumerate() {
        let mut line = words(&step["pvesh"]);
        for word in &mut line {
            if word == "<uuid>" {
                word.clone_from(&token);
            }
        }
        let line: Vec<&str> = ["pvesh"].into_iter().chain(line.iter().map(String::as_str)).collect();
        let done = bench.run(&line);
        let told = if done.status == 0 { &done.out } else { &done.err };
        let mut told = told.trim_end().to_owned();
        let wanted = step["output"].as_str().unwrap();
        if wanted == "<uuid>" {
            token = std::mem::replace(&mut told, "<uuid>".into());
            assert_eq!(token.len(), 36);
        }
        assert_eq!(masked(&told), masked(wanted), "step {index}: {line:?}");
        let after = step["fabrics_cfg_after"].as_str().unwrap();
        assert_eq!(bench.text("etc/pve/sdn/fabrics.cfg"), after, "step {index}: {line:?}");
    }
    println!("{} steps of the recorded session compared", steps.len());
}

#[test]
fn recorded_command_lines_lead_to_the_same_calls_and_errors() {
    let Some(data) = data() else { return };
    let checks = json(&data.join("cli-checks.json"));
    let bench = Bench::new("9.2", |_| ran(0, ""));
    let mut compared = 0;
    for check in checks["results"].as_array().unwrap() {
        let line = words(&check["argv"]);
        compared += 1;
        if check["ok"] == true {
            let (method, params) = match line[0].as_str() {
                "pvesh" => {
                    let call = pvesh::understand(&bench.host, &line[1..]).unwrap();
                    (call.method, call.params())
                }
                name => {
                    let call = cli::understand(&bench.host, name, &line[1..]).unwrap();
                    (call.method, call.params)
                }
            };
            assert_eq!(method.verb, check["call"]["method"], "{line:?}");
            assert_eq!(method.name, check["call"]["name"], "{line:?}");
            let params = Value::Object(params.into_iter().collect());
            assert_eq!(params, check["call"]["params"], "{line:?}");
        } else {
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            let done = bench.run(&line);
            let wanted = words(&check["output"]).join("\n");
            assert_ne!(done.status, 0, "{line:?}");
            assert!(done.err.starts_with(&wanted), "{line:?}: {}\nwanted: {wanted}", done.err);
        }
    }
    assert!(compared >= 55, "{compared}");
    println!("{compared} command lines compared");
}
