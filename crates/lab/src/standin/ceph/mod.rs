//! Ceph as Proxmox runs it: `pveceph` and `/nodes/{node}/ceph`. The daemons are real; what is stood in for is
//! the program that creates, starts and describes them.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Method;
use super::fail::Fail;
use super::handlers::text;
use super::schema::Params;
use super::task::Task;
use super::{Host, say};

mod activate;
pub(crate) mod conf;
mod fs;
mod init;
pub(crate) mod install;
mod label;
mod mds;
mod mgr;
mod mon;
mod osd;
mod pool;
mod rados;
mod service;
mod show;

pub(crate) use activate::activate_all;
pub(crate) use rados::Rados;

/// Calls the handler of a method.
pub(crate) fn call(
    host: &Host,
    method: &Method,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Value, Fail> {
    match method.name {
        "init" => init::init(host, params),
        "createmon" => mon::create(host, params, out, err),
        "destroymon" => mon::destroy(host, text(params, "monid"), out, err),
        "createmgr" => mgr::create(host, text(params, "id"), out, err),
        "destroymgr" => mgr::destroy(host, text(params, "id"), out, err),
        "createmds" => mds::create(host, params, out, err),
        "destroymds" => mds::destroy(host, text(params, "name"), out, err),
        "createosd" => osd::create(host, params, out, err),
        "destroyosd" => osd::destroy(host, params, out, err),
        "in" | "out" => osd::mark(host, method.name, text(params, "osdid")),
        "createpool" => pool::create(host, params, out, err),
        "setpool" => pool::set(host, params, out, err),
        "destroypool" => pool::destroy(host, params, out, err),
        "createfs" => fs::create(host, params, out, err),
        "start" | "stop" | "restart" => service::call(host, method.name, text(params, "service"), out, err),
        _ => show::call(host, method, params),
    }
}

/// Refuses where the program of a daemon is not there.
fn check_installed(host: &Host, program: &str) -> Result<(), Fail> {
    let path = host.root.usr.join("bin").join(program);
    if path.exists() {
        return Ok(());
    }
    Err(Fail::die(format!("binary not installed: /usr/bin/{program}")))
}

/// Refuses before `pveceph init`.
fn check_inited(host: &Host) -> Result<(), Fail> {
    check_installed(host, "ceph-mon")?;
    if host.root.etc_pve.join("ceph.conf").is_file() {
        return Ok(());
    }
    Err(Fail::die("pveceph configuration not initialized"))
}

/// Makes `/etc/ceph/ceph.conf` lead to the cluster's file.
fn link_conf(host: &Host) -> Result<(), Fail> {
    let place = host.root.etc.join("ceph/ceph.conf");
    let to = host.root.etc_pve.join("ceph.conf");
    match std::fs::read_link(&place) {
        Ok(there) if there == to => return Ok(()),
        _ if place.symlink_metadata().is_ok() => {
            return Err(Fail::die(format!(
                "file '/etc/ceph/ceph.conf' already exists and is not a symlink to {}",
                to.display()
            )));
        }
        _ => {}
    }
    std::fs::create_dir_all(host.root.etc.join("ceph"))?;
    Ok(std::os::unix::fs::symlink(to, place)?)
}

/// The data folder of a daemon.
fn data(host: &Host, kind: &str, id: &str) -> PathBuf {
    host.root.var.join(format!("lib/ceph/{kind}/ceph-{id}"))
}

/// Runs a program, its output in the task's; a failure names the command as the real one does.
fn run(host: &Host, task: &mut Task<'_>, argv: &[&str]) -> Result<(), Fail> {
    let ran = host.exec.run(argv);
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        task.say(line);
    }
    if ran.status == 0 {
        return Ok(());
    }
    Err(Fail::die(format!("command '{}' failed: exit code {}", argv.join(" "), ran.status)))
}

/// Runs a program silently.
fn quietly(host: &Host, argv: &[&str]) -> Result<String, Fail> {
    let ran = host.exec.run(argv);
    if ran.status == 0 {
        return Ok(ran.stdout);
    }
    let last = ran.stderr.lines().last().unwrap_or_default();
    Err(Fail::die(format!("command '{}' failed: {last}", argv.join(" "))))
}

/// Asks until the answer is yes, at most `seconds`.
fn soon(seconds: u64, mut ask: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if ask() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Where a daemon's keyring is written, with the mode of a secret.
fn write_secret(host: &Host, path: &std::path::Path, content: &str) -> Result<(), Fail> {
    use std::os::unix::fs::PermissionsExt as _;
    host.write(path, content)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

/// A task around `work`; its UPID.
fn worker(
    host: &Host,
    (kind, id): (&str, &str),
    out: &mut dyn Write,
    err: &mut dyn Write,
    work: impl FnOnce(&mut Task<'_>) -> Result<(), Fail>,
) -> Result<Value, Fail> {
    let mut task = Task::start(host, kind, id, out)?;
    let result = work(&mut task);
    task.finish(host, result, err)
}

/// What `pveceph status` prints: the tool's own words.
pub(crate) fn status(host: &Host, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Fail> {
    check_inited(host)?;
    let ran = host.exec.run(&["ceph", "-s"]);
    let _ = err.write_all(ran.stderr.as_bytes());
    say(out, ran.stdout.trim_end());
    if ran.status == 0 {
        Ok(())
    } else {
        Err(Fail::die(format!("command 'ceph -s' failed: exit code {}", ran.status)))
    }
}

/// Answers of mons in the shape a caller reads.
fn answer(rados: &Rados<'_>, prefix: &str) -> Result<Value, Fail> {
    rados.json(&json!({ "prefix": prefix, "format": "json" }))
}
