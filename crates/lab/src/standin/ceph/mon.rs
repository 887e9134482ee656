//! `pveceph mon create|destroy`.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;
use super::super::handlers::text;
use super::super::schema::Params;
use super::super::task::Task;
use super::conf::{self, Conf};
use super::{Rados, check_inited, data, init, link_conf, mgr, quietly, run, worker, write_secret};

pub(super) fn create(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    link_conf(host)?;
    let conf = conf::load(host);
    let first = conf.mon_hosts().is_empty() && conf.daemons("mon").is_empty();
    let id = match text(params, "monid") {
        "" => host.node.clone(),
        id => id.to_owned(),
    };
    if !first {
        Rados::new(host)
            .send(&[json!({ "prefix": "quorum_status", "format": "json" })])
            .map_err(|_| Fail::die("Could not connect to ceph cluster despite configured monitors"))?;
    }
    let addresses = addresses(host, &conf, text(params, "mon-address"))?;
    refuse(&conf, &id, &addresses)?;
    worker(host, ("cephcreatemon", &format!("mon.{id}")), out, err, |task| {
        make(host, &id, &addresses, first, task)?;
        if first {
            task.say("creating manager directory and keys");
            mgr::make(host, &host.node.clone(), task)?;
        }
        Ok(())
    })
}

fn refuse(conf: &Conf, id: &str, addresses: &[String]) -> Result<(), Fail> {
    if conf.has(&format!("mon.{id}")) {
        return Err(Fail::die(format!("monitor '{id}' already exists")));
    }
    let used = conf.mon_hosts();
    let named: Vec<String> = conf
        .daemons("mon")
        .iter()
        .filter_map(|id| conf.get(&format!("mon.{id}"), "public_addr").map(str::to_owned))
        .collect();
    match addresses.iter().find(|ip| used.contains(ip) || named.contains(ip)) {
        Some(ip) => Err(Fail::die(format!("monitor address '{ip}' already in use"))),
        None => Ok(()),
    }
}

/// The addresses of a new mon: those given, else the one this node has in the public network.
fn addresses(host: &Host, conf: &Conf, given: &str) -> Result<Vec<String>, Fail> {
    let public = conf.get("global", "public_network").unwrap_or_default();
    let networks: Vec<&str> = public.split([',', ' ']).filter(|net| !net.is_empty()).collect();
    let mut local = Vec::new();
    for network in &networks {
        for ip in local_addresses(host, network)? {
            if !local.contains(&ip) {
                local.push(ip);
            }
        }
    }
    if !given.is_empty() {
        let wanted: Vec<String> =
            given.split([',', ' ', ';']).filter(|ip| !ip.is_empty()).map(str::to_owned).collect();
        for ip in &wanted {
            if !networks.is_empty() && !local.contains(ip) {
                return Err(Fail::die(format!(
                    "Monitor IP '{ip}' not in ceph public network '{public}' or not configured on this node"
                )));
            }
        }
        return Ok(wanted);
    }
    if networks.is_empty() {
        let own = host.members().into_iter().find(|member| member.name == host.node);
        return Ok(own.map(|member| member.address).into_iter().collect());
    }
    match local.len() {
        1 => Ok(local),
        0 => Err(Fail::die(format!(
            "No active IP found for the requested ceph public network '{public}' on node '{}'",
            host.node
        ))),
        _ => Err(Fail::die(format!(
            "Multiple IPs for ceph public network '{public}' detected on {}:\n{}\nuse 'mon-address' to specify one of them.",
            host.node,
            local.join("\n")
        ))),
    }
}

/// Addresses of this node inside a network, each once.
pub(super) fn local_addresses(host: &Host, network: &str) -> Result<Vec<String>, Fail> {
    let text = quietly(host, &["ip", "-j", "address", "show", "to", network, "up"])?;
    let links: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
    let mut found = Vec::new();
    for address in links.iter().flat_map(|link| link["addr_info"].as_array().into_iter().flatten()) {
        if let Some(ip) = address["local"].as_str()
            && !found.iter().any(|known| known == ip)
        {
            found.push(ip.to_owned());
        }
    }
    Ok(found)
}

fn make(host: &Host, id: &str, addresses: &[String], first: bool, task: &mut Task<'_>) -> Result<(), Fail> {
    let _lock = conf::lock(host)?;
    let mut conf = conf::load(host);
    refuse(&conf, id, addresses)?;
    init::admin_keyring(host)?;
    let keyring = mon_keyring(host)?;
    let monmap = host.root.var.join(format!("tmp/ringbolt-monmap-{id}"));
    fs::create_dir_all(host.root.var.join("tmp"))?;
    let (map, keys) = (monmap.to_string_lossy().into_owned(), keyring.to_string_lossy().into_owned());
    let list: Vec<String> =
        addresses.iter().map(|ip| format!("v2:{0}:3300,v1:{0}:6789", bracketed(ip))).collect();
    if first {
        let fsid = conf.get("global", "fsid").unwrap_or_default();
        let vector = format!("[{}]", list.join(","));
        run(
            host,
            task,
            &["monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", id, &vector, "--print", &map],
        )?;
    } else {
        Rados::new(host).save(&json!({ "prefix": "mon getmap" }), &map)?;
    }
    let folder = data(host, "mon", id);
    let left_over = folder.exists();
    fs::create_dir_all(&folder)?;
    let place = folder.to_string_lossy().into_owned();
    let made = run(host, task, &["chown", "ceph:ceph", &place]).and_then(|()| {
        run(host, task, &["ceph-mon", "--mkfs", "-i", id, "--monmap", &map, "--keyring", &keys])?;
        run(host, task, &["chown", "ceph:ceph", "-R", &place])
    });
    let _ = fs::remove_file(&monmap);
    if let Err(fail) = made {
        if !left_over {
            let _ = fs::remove_dir_all(&folder);
        }
        return Err(fail);
    }
    let hosts: Vec<String> = conf.mon_hosts().into_iter().chain(addresses.iter().cloned()).collect();
    conf.set("global", "mon_host", &hosts.join(" "));
    conf.set(&format!("mon.{id}"), "public_addr", addresses.first().map_or("", String::as_str));
    let six = addresses.iter().any(|ip| ip.contains(':'));
    let four = addresses.iter().any(|ip| !ip.contains(':'));
    if first {
        conf.set("global", "ms_bind_ipv4", if four { "true" } else { "false" });
        conf.set("global", "ms_bind_ipv6", if six { "true" } else { "false" });
        conf.set("client.crash", "keyring", "/etc/pve/ceph/$cluster.$name.keyring");
    } else if six {
        conf.set("global", "ms_bind_ipv6", "true");
    } else {
        conf.set("global", "ms_bind_ipv4", "true");
    }
    conf::save(host, &conf)?;
    let unit = format!("ceph-mon@{id}");
    run(host, task, &["systemctl", "enable", &unit])?;
    run(host, task, &["systemctl", "start", &unit])?;
    if first {
        crash_key(host)?;
    }
    Ok(())
}

fn bracketed(ip: &str) -> String {
    if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() }
}

/// The key all mons share, with the admin's in the same file.
fn mon_keyring(host: &Host) -> Result<std::path::PathBuf, Fail> {
    let path = host.root.etc_pve.join("priv/ceph.mon.keyring");
    if !path.exists() {
        let place = path.to_string_lossy().into_owned();
        let admin = host.root.etc_pve.join("priv/ceph.client.admin.keyring").to_string_lossy().into_owned();
        quietly(
            host,
            &[
                "ceph-authtool",
                "--create-keyring",
                &place,
                "--gen-key",
                "-n",
                "mon.",
                "--cap",
                "mon",
                "allow *",
                "--import-keyring",
                &admin,
            ],
        )?;
    }
    Ok(path)
}

fn crash_key(host: &Host) -> Result<(), Fail> {
    let path = host.root.etc_pve.join("ceph/ceph.client.crash.keyring");
    if path.exists() {
        return Ok(());
    }
    let command = json!({
        "prefix": "auth get-or-create", "entity": "client.crash",
        "caps": ["mon", "profile crash", "mgr", "profile crash"], "format": "plain",
    });
    let keys = Rados::new(host).send(&[command])?;
    write_secret(host, &path, keys.first().map_or("", String::as_str))
}

pub(super) fn destroy(
    host: &Host,
    id: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    check_inited(host)?;
    let conf = conf::load(host);
    let section = format!("mon.{id}");
    let folder = data(host, "mon", id);
    let map = super::answer(&Rados::new(host), "mon dump")?;
    let mons = map["mons"].as_array().cloned().unwrap_or_default();
    let known = mons.iter().any(|mon| mon["name"] == id);
    if !known && !conf.has(&section) {
        return Err(Fail::die(format!("no such monitor id '{id}'")));
    }
    if !folder.is_dir() {
        return Err(Fail::die(format!(
            "monitor filesystem '{}' does not exist on this node",
            folder.display()
        )));
    }
    if mons.len() <= 1 {
        return Err(Fail::die("can't remove last monitor"));
    }
    worker(host, ("cephdestroymon", &section), out, err, |task| {
        let _lock = conf::lock(host)?;
        let mut conf = conf::load(host);
        let address = conf.get(&section, "public_addr").unwrap_or_default().to_owned();
        Rados::new(host).send(&[json!({ "prefix": "mon remove", "name": id, "format": "plain" })])?;
        let unit = format!("ceph-mon@{id}");
        run(host, task, &["systemctl", "stop", &unit])?;
        run(host, task, &["systemctl", "disable", &unit])?;
        conf.remove_section(&section);
        let hosts: Vec<String> = conf.mon_hosts().into_iter().filter(|ip| *ip != address).collect();
        if hosts.is_empty() {
            conf.remove("global", "mon_host");
        } else {
            conf.set("global", "mon_host", &hosts.join(" "));
        }
        conf::save(host, &conf)?;
        Ok(fs::remove_dir_all(&folder)?)
    })
}
