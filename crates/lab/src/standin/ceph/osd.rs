//! `pveceph osd create|destroy`, and OSDs in and out.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::super::Host;
use super::super::disks::{self, Disk};
use super::super::fail::Fail;
use super::super::handlers::{flag, text};
use super::super::schema::Params;
use super::super::task::Task;
use super::{
    Rados, activate, check_inited, check_installed, conf, data, init, label, link_conf, mon, quietly, run,
    worker, write_secret,
};

pub(super) fn create(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    link_conf(host)?;
    check_installed(host, "ceph-osd")?;
    if !host.root.usr.join("sbin/ceph-volume").exists() {
        return Err(Fail::die("binary not installed: /usr/sbin/ceph-volume"));
    }
    in_cluster_network(host)?;
    let given = |name: &str| Some(text(params, name)).filter(|value| !value.is_empty());
    if given("osds-per-device").is_some() {
        for option in ["db_dev", "wal_dev"] {
            if given(option).is_some() {
                let words = format!("\"osds-per-device\" and \"{option}\" cannot be used together");
                return Err(Fail::param("osds-per-device", words));
            }
        }
    }
    let mut plan = Vec::new();
    for (option, part) in [("dev", "block"), ("db_dev", "block.db"), ("wal_dev", "block.wal")] {
        if let Some(path) = given(option) {
            let name = block_device(host, path)?;
            if plan.iter().any(|(other, _): &(String, &str)| *other == name) {
                return Err(Fail::param(option, format!("device '{path}' is used twice")));
            }
            plan.push((name, part));
        }
    }
    unused(host, &plan)?;
    let name = plan.first().map(|(name, _)| name.clone()).unwrap_or_default();
    worker(host, ("cephcreateosd", &name), out, err, |task| {
        unused(host, &plan)?;
        let many = given("osds-per-device").is_some_and(|count| count != "1");
        if flag(params, "encrypted") || many || plan.iter().any(|(name, _)| shared(host, name)) {
            return Err(without_mapper(task, &name, flag(params, "encrypted")));
        }
        task.say(&format!("create OSD on /dev/{name} (bluestore)"));
        for (device, _) in &plan {
            disks::wipe(host, device, task)?;
        }
        make(host, &plan, text(params, "crush-device-class"), task)
    })
}

/// What needs LVM or encryption fails on a kernel without device-mapper as `ceph-volume` does.
fn without_mapper(task: &mut Task<'_>, name: &str, encrypted: bool) -> Fail {
    task.say(&format!("create OSD on /dev/{name} (bluestore)"));
    task.say("  striped: Required device-mapper target(s) not detected in your kernel.");
    task.say("  Run `lvcreate --help' for more information.");
    task.say("-->  RuntimeError: command returned non-zero exit status: 5");
    let option = if encrypted { " --dmcrypt" } else { "" };
    Fail::die(format!("command 'ceph-volume lvm create --data /dev/{name}{option}' failed: exit code 1"))
}

/// A local address in the network OSDs talk to one another in.
fn in_cluster_network(host: &Host) -> Result<(), Fail> {
    let conf = conf::load(host);
    let network = conf.get("global", "cluster_network").or_else(|| conf.get("global", "public_network"));
    let Some(network) = network else { return Ok(()) };
    for net in network.split([',', ' ']).filter(|net| !net.is_empty()) {
        if !mon::local_addresses(host, net)?.is_empty() {
            return Ok(());
        }
    }
    Err(Fail::param(
        network,
        format!(
            "No address from ceph subnet ({network}) found on node '{}'. Check your network config.",
            host.node
        ),
    ))
}

/// The kernel's name of a device that may be given by any link to it.
fn block_device(host: &Host, path: &str) -> Result<String, Fail> {
    let bad = || Fail::die(format!("unable to get device info for '{path}'"));
    let below = path.strip_prefix("/dev/").ok_or_else(bad)?;
    let real = fs::canonicalize(host.root.dev.join(below)).map_err(|_| bad())?;
    let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if host.root.home.join("sys/class/block").join(&name).exists() { Ok(name) } else { Err(bad()) }
}

fn unused(host: &Host, plan: &[(String, &str)]) -> Result<(), Fail> {
    let all = disks::list(host, true);
    for (name, part) in plan {
        let disk: Option<&Disk> = all.iter().find(|disk| disk.name == *name);
        let Some(disk) = disk else {
            return Err(Fail::die(format!("unable to get device info for '/dev/{name}'")));
        };
        if disk.used.is_some() && !(*part != "block" && shared(host, name)) {
            return Err(Fail::die(format!("device '/dev/{name}' is already in use")));
        }
    }
    Ok(())
}

/// Whether a disk holds databases or logs of OSDs already: with LVM it has room for more of them.
fn shared(host: &Host, name: &str) -> bool {
    label::read(&host.root.dev.join(name)).is_some_and(|label| label.part != "main")
}

fn make(host: &Host, plan: &[(String, &str)], class: &str, task: &mut Task<'_>) -> Result<(), Fail> {
    let rados = Rados::new(host);
    let identity = init::uuid()?;
    let key = quietly(host, &["ceph-authtool", "--gen-print-key"])?;
    let mut secrets = json!({ "cephx_secret": key.trim() });
    if !class.is_empty() {
        secrets["crush_device_class"] = json!(class);
    }
    let bootstrap = json!({
        "prefix": "auth get-or-create", "entity": "client.bootstrap-osd",
        "caps": ["mon", "allow profile bootstrap-osd"], "format": "plain",
    });
    let answers = rados.send_with(&[
        (bootstrap, ""),
        (json!({ "prefix": "osd new", "uuid": identity, "format": "json" }), &secrets.to_string()),
    ])?;
    let keyring = host.root.var.join("lib/ceph/bootstrap-osd/ceph.keyring");
    write_secret(host, &keyring, answers.first().map_or("", String::as_str))?;
    let id = answers.get(1).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let id = id
        .and_then(|value| value["osdid"].as_i64().or_else(|| value.as_i64()))
        .ok_or_else(|| Fail::die("mon_cmd failed - no number for the OSD"))?
        .to_string();
    let folder = activate::folder(host, &id)?;
    for (device, part) in plan {
        activate::link(host, &folder, part, device)?;
    }
    let secret = Path::new(&folder).join(".key");
    write_secret(host, &secret, key.trim())?;
    let made = (|| {
        quietly(host, &["chown", "-R", "-h", "ceph:ceph", &folder])?;
        run(
            host,
            task,
            &[
                "ceph-osd",
                "--mkfs",
                "-i",
                &id,
                "--osd-objectstore",
                "bluestore",
                "--osd-data",
                &folder,
                "--osd-uuid",
                &identity,
                "--keyfile",
                &secret.to_string_lossy(),
                "--setuser",
                "ceph",
                "--setgroup",
                "ceph",
            ],
        )
    })();
    let _ = fs::remove_file(&secret);
    if let Err(fail) = made {
        // As ceph-volume rolls back.
        let _ = rados.send(&[json!({ "prefix": "osd purge-new", "id": id.parse::<i64>().unwrap_or(-1), "yes_i_really_mean_it": true })]);
        let _ = quietly(host, &["umount", &folder]);
        let _ = fs::remove_dir(&folder);
        return Err(fail);
    }
    let labels = activate::labels(host);
    let main = labels.iter().find(|(_, label)| label.osd == identity && label.part == "main");
    let (name, label) = main.ok_or_else(|| Fail::die(format!("osd.{id} has no label")))?;
    activate::activate(host, &id, name, label, &labels)?;
    task.say(&format!("--> ceph-volume lvm activate successful for osd ID: {id}"));
    task.say(&format!(
        "--> ceph-volume lvm create successful for: {}",
        plan.first().map_or("", |(name, _)| name)
    ));
    Ok(())
}

pub(super) fn mark(host: &Host, how: &str, id: &str) -> Result<Value, Fail> {
    check_inited(host)?;
    Rados::new(host).send(&[json!({ "prefix": format!("osd {how}"), "ids": [id], "format": "plain" })])?;
    Ok(Value::Null)
}

pub(super) fn destroy(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let id = text(params, "osdid").to_owned();
    let rados = Rados::new(host);
    let map = super::answer(&rados, "osd dump")?;
    let entry =
        map["osds"].as_array().into_iter().flatten().find(|osd| osd["osd"].as_i64() == id.parse().ok());
    let Some(entry) = entry else { return Err(Fail::die(format!("unable to find osd.{id}"))) };
    let folder = data(host, "osd", &id);
    if entry["in"] == 1 {
        return Err(Fail::die("osd is in use (in == 1)"));
    }
    if entry["up"] == 1 {
        return Err(Fail::die("osd is still running (up == 1)"));
    }
    if !folder.is_dir() {
        return Err(Fail::die(format!("OSD osd.{id} does not belong to node {}!", host.node)));
    }
    let cleanup = flag(params, "cleanup");
    worker(host, ("cephdestroyosd", &format!("osd.{id}")), out, err, |task| {
        task.say(&format!("destroy OSD osd.{id}"));
        let unit = format!("ceph-osd@{id}");
        quietly(host, &["systemctl", "stop", &unit])?;
        let _ = quietly(host, &["systemctl", "disable", "--runtime", "--quiet", &unit]);
        for line in
            ["Remove osd.# from the CRUSH map", "Remove the osd.# authentication key.", "Remove OSD osd.#"]
        {
            task.say(&line.replace('#', &id));
        }
        let name = format!("osd.{id}");
        rados.send(&[
            json!({ "prefix": "osd crush remove", "name": name, "format": "plain" }),
            json!({ "prefix": "auth del", "entity": name, "format": "plain" }),
            json!({ "prefix": "osd rm", "ids": [id], "format": "plain" }),
        ])?;
        let devices: Vec<String> = ["block", "block.db", "block.wal"]
            .iter()
            .filter_map(|link| fs::read_link(folder.join(link)).ok())
            .filter_map(|to| Some(to.file_name()?.to_str()?.to_owned()))
            .collect();
        task.say(&format!("Unmount OSD osd.{id} from  {}", folder.display()));
        quietly(host, &["umount", &folder.to_string_lossy()])?;
        let _ = fs::remove_dir(&folder);
        for device in devices {
            quietly(host, &["chown", "root:disk", &host.root.dev.join(&device).to_string_lossy()])?;
            if cleanup {
                disks::wipe(host, &device, task)?;
            }
        }
        Ok(())
    })
}
