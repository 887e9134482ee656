//! Rules of the stand-in that no recording shows: apply, reload, tasks, lock,
//! quorum, calls for another node, host interfaces.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod standin;

use std::collections::BTreeSet;
use std::fs;

use ringbolt_lab::standin::Ran;
use ringbolt_lab::standin::handlers::status;
use serde_json::{Value, json};
use standin::{Bench, data, json as read_json, ran};

const LINKS: &str = r#"[
 {"ifname":"lo","link_type":"loopback","flags":["UP"]},
 {"ifname":"eno1","link_type":"ether","flags":["UP"],"linkinfo":{"info_kind":"veth"}},
 {"ifname":"en05","link_type":"ether","flags":[],"linkinfo":{"info_kind":"veth"}},
 {"ifname":"dummy_mesh","link_type":"ether","flags":["UP"],"linkinfo":{"info_kind":"ifb"}}]"#;

fn programs(argv: &[&str]) -> Ran {
    match argv {
        ["ip", ..] => ran(0, LINKS),
        _ => ran(0, ""),
    }
}

fn node_with_fabric(release: &str) -> Bench {
    let bench = Bench::new(release, programs);
    bench.put("etc/frr/daemons", "zebra=yes\nospfd=no\nfabricd=no\nbfdd=yes\n");
    bench.put(
        "etc/network/interfaces",
        "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/*\n",
    );
    for line in [
        "create /cluster/sdn/fabrics/fabric --id mesh --protocol openfabric --ip_prefix 10.0.0.0/24",
        "create /cluster/sdn/fabrics/node/mesh --node_id pve1 --protocol openfabric --ip 10.0.0.1 --interfaces name=en05",
    ] {
        assert_eq!(bench.pvesh(line).status, 0, "{line}");
    }
    // The apply itself reloads by other processes; here only its commit counts.
    bench.pvesh("set /cluster/sdn");
    bench.log.borrow_mut().clear();
    bench
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn a_reload_writes_both_files_and_restarts_frr_once() {
    let bench = node_with_fabric("9.2");
    bench.put("etc/network/interfaces.new", "# edited\nsource /etc/network/interfaces.d/*\n");
    bench.put("etc/frr/frr.conf.local", "router openfabric mesh\n lsp-gen-interval 1\nexit\n");
    bench.put("usr/lib/frr/frr-reload.py", "");
    let done = bench.pvesh("set /nodes/pve1/network --regenerate-frr 1");
    assert_eq!((done.status, done.err.as_str()), (0, ""));
    assert!(bench.text("etc/network/interfaces").starts_with("# edited"));
    assert!(bench.text("etc/network/interfaces.d/sdn").starts_with("#version:1\n\nauto dummy_mesh\n"));
    let conf = bench.text("etc/frr/frr.conf");
    let custom = conf.find("lsp-gen-interval").unwrap();
    assert!(custom < conf.find(" net 49.0001.").unwrap(), "{conf}");
    assert_eq!(bench.text("etc/frr/daemons"), "zebra=yes\nospfd=no\nfabricd=yes\nbfdd=yes\n");
    assert_eq!(*bench.log.borrow(), ["ifreload -a", "systemctl enable --now frr", "systemctl restart frr"]);
    bench.log.borrow_mut().clear();
    bench.put("etc/systemd/system/multi-user.target.wants/frr.service", "");
    bench.pvesh("set /nodes/localhost/network --regenerate-frr 1");
    let log = bench.log.borrow();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log[1].contains("frr-reload.py --stdout --reload"), "{log:?}");
}

#[test]
fn without_frr_or_source_line_a_reload_succeeds_with_a_word() {
    let bench = node_with_fabric("9.2");
    fs::remove_dir_all(bench.top.path().join("etc/frr")).unwrap();
    bench.put(
        "etc/network/interfaces",
        "source /etc/network/interfaces.d/\nsource-directory /etc/network/interfaces.d\n",
    );
    let done = bench.pvesh("set /nodes/pve1/network --regenerate-frr 1");
    assert_eq!(done.status, 0);
    assert!(done.out.contains("frr is not installed, not generating any frr configuration"), "{}", done.out);
    assert!(
        done.out.contains("WARN: missing 'source /etc/network/interfaces.d/sdn' directive"),
        "{}",
        done.out
    );
    let status = bench.json(&format!("get /nodes/pve1/tasks/{}/status", last_line(&done.out)));
    assert_eq!(status["exitstatus"], "WARNINGS: 1");
}

#[test]
fn a_failed_task_does_not_reach_the_exit_status() {
    let bench = Bench::new("9.2", |argv| if argv[0] == "ifreload" { ran(1, "") } else { ran(0, "") });
    let done = bench.pvesh("set /nodes/pve1/network");
    assert_eq!(done.status, 0);
    assert_eq!(done.err.trim(), "TASK ERROR: command 'ifreload -a' failed: exit code 1");
    let upid = last_line(&done.out).to_owned();
    let status = bench.json(&format!("get /nodes/pve1/tasks/{upid}/status"));
    assert_eq!(status["status"], "stopped");
    assert_eq!(status["exitstatus"], "command 'ifreload -a' failed: exit code 1");
    assert_eq!(status["type"], "srvreload");
    let log = bench.json(&format!("get /nodes/pve1/tasks/{upid}/log"));
    assert!(log[0]["t"].as_str().unwrap().starts_with("TASK ERROR: "), "{log}");
    let tasks = bench.json("get /nodes/pve1/tasks --typefilter srvreload");
    assert_eq!(tasks[0]["upid"], upid.as_str());
}

#[test]
fn an_apply_goes_from_node_to_node_and_ends_well_though_one_fails() {
    let bench = Bench::new("9.2", |argv| match argv {
        [_, _, "/nodes/pve2/network", ..] => {
            Ran { status: 255, stdout: String::new(), stderr: "ssh: no route\n".into() }
        }
        _ => ran(0, "UPID:x\n"),
    });
    let done = bench.pvesh("set /cluster/sdn");
    assert_eq!(done.status, 0);
    assert_eq!(
        *bench.log.borrow(),
        [1, 2, 3].map(|i| format!("pvesh set /nodes/pve{i}/network --regenerate-frr 0"))
    );
    assert!(done.out.contains("ssh: no route\n"), "{}", done.out);
    let status = bench.json(&format!("get /nodes/pve1/tasks/{}/status", last_line(&done.out)));
    assert_eq!(status["exitstatus"], "OK");
}

#[test]
fn another_nodes_call_goes_over_ssh() {
    let bench = Bench::new("9.1", |_| ran(0, "[{\"a\":1}]"));
    assert_eq!(bench.json("get /nodes/pve2/network --type eth"), json!([{ "a": 1 }]));
    assert_eq!(
        *bench.log.borrow(),
        [
            "ssh -o BatchMode=yes -o ConnectTimeout=5 root@10.11.12.2 pvesh --noproxy get /nodes/pve2/network --output-format json --type eth"
        ]
    );
    let loops = bench.run(&["pvesh", "--noproxy", "get", "/nodes/pve2/network"]);
    assert_eq!((loops.status, loops.err.trim()), (255, "proxy loop detected - aborting"));
    let noisy = Bench::new("9.1", |_| ran(0, "en05 : warning\n\"UPID:x\"\n"));
    let done = noisy.pvesh("set /nodes/pve2/network");
    assert_eq!(done.status, 255);
    assert!(done.err.starts_with("malformed JSON string"), "{}", done.err);
}

#[test]
fn without_quorum_nothing_is_written() {
    let bench = Bench::new("9.2", programs);
    bench.put("run/ringbolt-lab/members", r#"{"cluster":{"quorate":0},"nodelist":{"pve1":{"online":1}}}"#);
    for (line, what) in [
        (
            "create /cluster/sdn/fabrics/fabric --id mesh --protocol openfabric --ip_prefix 10.0.0.0/24",
            "adding fabric failed: ",
        ),
        ("set /cluster/sdn", "could not commit SDN config: "),
        ("create /cluster/sdn/lock", ""),
    ] {
        let done = bench.pvesh(line);
        assert_eq!(done.status, 255, "{line}");
        assert!(
            done.err.starts_with(what) && done.err.contains("cluster not ready - no quorum?"),
            "{}",
            done.err
        );
    }
    assert_eq!(bench.json("get /cluster/status")[0]["quorate"], 0);
    assert!(bench.run(&["pvecm", "status"]).out.contains("Quorate:          No"));
}

#[test]
fn the_lock_looks_at_other_peoples_edits_but_not_at_fabrics() {
    let bench = node_with_fabric("9.2");
    bench.pvesh("set /cluster/sdn/fabrics/fabric/mesh --protocol openfabric --hello_interval 1");
    assert_eq!(bench.pvesh("create /cluster/sdn/lock").status, 0);
    assert_eq!(bench.pvesh("delete /cluster/sdn/lock --force 1").status, 0);
    bench.put("etc/pve/sdn/zones.cfg", "simple: lab\n\tipam pve\n");
    let done = bench.pvesh("create /cluster/sdn/lock");
    assert!(done.err.contains("configuration has pending changes"), "{}", done.err);
    assert_eq!(bench.pvesh("create /cluster/sdn/lock --allow-pending 1").status, 0);
    let again = bench.pvesh("create /cluster/sdn/lock --allow-pending 1");
    assert!(again.err.contains("invalid lock token provided!"), "{}", again.err);
    let wrong = bench.pvesh("delete /cluster/sdn/lock --lock-token nope");
    assert!(wrong.err.contains("invalid lock token provided!"), "{}", wrong.err);
}

#[test]
fn edits_of_others_are_committed_and_rolled_back_with_ours() {
    let bench = node_with_fabric("9.2");
    bench.put("etc/pve/sdn/zones.cfg", "simple: lab\n\tipam pve\n");
    bench.pvesh("set /cluster/sdn");
    bench.put("etc/pve/sdn/zones.cfg", "");
    bench.pvesh("create /cluster/sdn/rollback");
    assert_eq!(bench.text("etc/pve/sdn/zones.cfg"), "simple: lab\n\tipam pve");
    let running: Value = serde_json::from_str(&bench.text("etc/pve/sdn/.running-config")).unwrap();
    assert_eq!(running["version"], 2);
    assert_eq!(running["zones"]["ids"]["lab"]["type"], "simple");
}

#[test]
fn host_bits_go_on_create_and_stay_on_update_and_a_stale_digest_is_refused() {
    let bench = node_with_fabric("9.2");
    let stale = bench.json("get /cluster/sdn/fabrics/fabric/mesh")["digest"].as_str().unwrap().to_owned();
    bench.pvesh("set /cluster/sdn/fabrics/fabric/mesh --protocol openfabric --ip_prefix 10.0.0.9/24");
    assert!(bench.text("etc/pve/sdn/fabrics.cfg").contains("ip_prefix 10.0.0.9/24"));
    let done = bench.pvesh(&format!(
        "set /cluster/sdn/fabrics/fabric/mesh --protocol openfabric --hello_interval 1 --digest {stale}"
    ));
    assert!(done.err.contains("detected modified configuration"), "{}", done.err);
}

#[test]
fn releases_differ() {
    let old = node_with_fabric("9.0");
    let done = old.pvesh("get /nodes/pve1/sdn/fabrics/mesh/routes");
    assert_eq!(done.status, 1);
    assert!(done.err.starts_with("No 'get' handler defined for"), "{}", done.err);
    old.pvesh("set /nodes/pve1/network");
    assert!(old.text("etc/network/interfaces.d/sdn").ends_with("auto en05\niface en05\n\tip-forward 1\n"));
    assert_eq!(node_with_fabric("9.1").pvesh("get /cluster/sdn/dry-run --node pve1").status, 1);
    let new = node_with_fabric("9.2");
    assert_eq!(new.json("get /cluster/sdn/dry-run --node pve1"), json!({}));
    assert!(new.log.borrow()[0].starts_with("diff -bNu "));
    assert_eq!(new.json("get /version")["release"], "9.2");
    let mut refusing = new;
    refusing.host.dry_run = false;
    let done = refusing.pvesh("get /cluster/sdn/dry-run --node pve1");
    assert!(done.err.contains("node: proxyto parameter does not exist"), "{}", done.err);
}

#[test]
fn host_interfaces_are_edited_beside_the_live_file() {
    let bench = Bench::new("9.2", programs);
    let live = "# lost\nauto lo\niface lo inet loopback\n\nauto eno1\niface eno1 inet static\n\taddress 10.11.12.1/24\n# kept\n\nsource /etc/network/interfaces.d/*\n";
    bench.put("etc/network/interfaces", live);
    let list = bench.json("get /nodes/pve1/network");
    let names: BTreeSet<&str> = list.as_array().unwrap().iter().filter_map(|i| i["iface"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["en05", "eno1"]));
    let made = bench.pvesh("create /nodes/pve1/network --iface en05 --type eth --mtu 9000");
    assert!(made.err.contains("iface: interface already exists"), "{}", made.err);
    let big = bench.pvesh("set /nodes/pve1/network/en05 --type eth --mtu 65521");
    assert!(big.err.contains("mtu: value must have a maximum value of 65520"), "{}", big.err);
    assert_eq!(bench.pvesh("set /nodes/pve1/network/en05 --type eth --mtu 65520").status, 0);
    assert_eq!(bench.text("etc/network/interfaces"), live);
    let new = bench.text("etc/network/interfaces.new");
    assert!(new.contains("iface en05 inet manual\n\tmtu 65520\n"), "{new}");
    assert!(new.contains("\taddress 10.11.12.1/24\n# kept\n"), "{new}");
    assert!(
        new.ends_with("source /etc/network/interfaces.d/*\n\n")
            || new.contains("\nsource /etc/network/interfaces.d/*\n"),
        "{new}"
    );
    assert!(!new.contains("lost"), "{new}");
    assert_eq!(bench.json("get /nodes/pve1/network/en05")["mtu"], "65520");
    assert_eq!(bench.pvesh("delete /nodes/pve1/network").status, 0);
    assert!(bench.text("etc/network/interfaces.new").is_empty());
    let ghost = bench.pvesh("set /nodes/pve1/network/en09 --type eth --mtu 9000");
    assert!(ghost.err.contains("iface: interface does not exist"), "{}", ghost.err);
}

#[test]
fn rows_of_status_are_those_recorded() {
    let Some(data) = data() else { return };
    let file = read_json(&data.join("vtysh-openfabric-samples.json"));
    let mut compared = 0;
    for sample in file["samples"].as_array().unwrap() {
        let (answer, wanted) = (&sample["vtysh_json"], &sample["expected_api_rows"]);
        let areas: Vec<&str> =
            answer["areas"].as_array().into_iter().flatten().filter_map(|a| a["area"].as_str()).collect();
        let collect = |rows: fn(&Value, &str) -> Value| -> Value {
            areas.iter().flat_map(|area| rows(answer, area).as_array().cloned().unwrap_or_default()).collect()
        };
        let name = sample["test"].as_str().unwrap();
        let ours = if name.contains("neighbors") {
            collect(status::neighbors)
        } else if name.contains("interfaces") {
            // Recorded one layer below the API, where the word has no dashes.
            let text = collect(status::interfaces).to_string().replace("Point-To-Point", "PointToPoint");
            serde_json::from_str(&text).unwrap()
        } else if name.contains("routes") {
            let names = ["ens19", "ens20", "ens21", "ens22"].map(str::to_owned);
            Value::Array(status::routes(answer, &names.into()))
        } else {
            continue;
        };
        assert_eq!(&ours, wanted, "{name}");
        compared += 1;
    }
    assert!(compared >= 6, "{compared}");
    println!("{compared} vtysh answers compared");
}
