//! Nodes: a network namespace, an overlay and a systemd inside. Starting, stopping, entering and waiting for
//! them. Used by `up`, the keepers and the power commands. It never enters a node to change it: that is ssh's
//! business.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cable;
use crate::disk;
use crate::keeper;
use crate::lab::{Lab, LabError};
use crate::layer::HOME;
use crate::netns;
use crate::program;
use crate::state::{Object, Record, file_error, mac, mgmt_netns, object_name};

const BOOT: &str = include_str!("../assets/boot");

/// The bridge of the management network.
pub(crate) const BRIDGE: &str = "br0";

/// What a node leaves outside its folder while it runs.
pub(crate) fn objects(lab: &str, node: &str) -> Vec<Object> {
    let name = object_name(lab, node);
    let leftover =
        |folder: &str| Object::Leftover(PathBuf::from("/run/systemd/nspawn").join(folder).join(&name));
    vec![
        Object::Cgroup(name.clone()),
        Object::Netns(name.clone()),
        leftover("propagate"),
        leftover("unix-export"),
    ]
}

/// Makes the namespace of a node, with its management interface plugged into the lab's bridge.
pub(crate) fn create(lab: &Lab, record: &Record, node: &str) -> Result<(), LabError> {
    let name = object_name(&lab.name, node);
    netns::remove(&name)?;
    netns::add(&name)?;
    let id = record.node(node).map_or(0, |node| node.id);
    let address = mac(&lab.name, node, 0, "eno1");
    let lines = format!(
        "link add node{id} type veth peer name eno1 address {address} netns {name}\n\
         link set node{id} master {BRIDGE} up\n"
    );
    netns::batch(&mgmt_netns(&lab.name), &lines)?;
    Ok(())
}

/// Removes what [`create`] made, and what power does to the cables.
pub(crate) fn dismantle(lab: &Lab, record: &Record, node: &str) -> Result<(), LabError> {
    let name = object_name(&lab.name, node);
    if netns::exists(&name) {
        cable::detach(lab, record, node)?;
        if let Some(id) = record.node(node).map(|node| node.id) {
            // Gone already where the node took it along.
            let _ = netns::batch(&mgmt_netns(&lab.name), &format!("link del node{id}\n"));
        }
    }
    netns::remove(&name)?;
    Ok(())
}

/// Gives a node power: namespace, cables, and a keeper that boots it.
pub(crate) fn start(lab: &Lab, record: &mut Record, node: &str) -> Result<(), LabError> {
    if let Some(entry) = record.node_mut(node) {
        entry.powered = true;
        entry.boot += 1;
    }
    record.save(&lab.dir())?;
    create(lab, record, node)?;
    if let Some(entry) = record.node(node) {
        disk::attach(lab, entry)?;
    }
    cable::attach(lab, record, node)?;
    spawn_keeper(lab, record, node)
}

/// Starts the process that boots the node and boots it again when it reboots.
pub(crate) fn spawn_keeper(lab: &Lab, record: &Record, node: &str) -> Result<(), LabError> {
    let failed = |source| LabError::Processes { name: keeper::CGROUP.to_owned(), source };
    lab.cgroup(keeper::CGROUP).create().map_err(failed)?;
    let path = lab.node_dir(node).join("keeper.log");
    let log = fs::File::options().create(true).append(true).open(&path).map_err(file_error(&path))?;
    let errors = log.try_clone().map_err(file_error(&path))?;
    let boot = record.node(node).map_or(0, |node| node.boot).to_string();
    let mut child = program::command("setsid")
        .arg(lab.dir().join("bin/ringbolt"))
        .args(["lab", "keep"])
        .arg(lab.dir())
        .args([node, &boot])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|source| program::start_error("setsid", source))?;
    // It outlives this process; while this one lives, it must not stay as a zombie.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// Takes power from a node.
pub(crate) fn stop(lab: &Lab, record: &mut Record, node: &str, orderly: bool) -> Result<(), LabError> {
    let group = lab.cgroup(node);
    let failed = |source| LabError::Processes { name: node.to_owned(), source };
    if let Some(entry) = record.node_mut(node) {
        entry.powered = false;
    }
    record.save(&lab.dir())?;
    if orderly && let Some(init) = group.init() {
        group.freeze(false).map_err(failed)?;
        program::run("kill", &["-s", "RTMIN+4", &init.to_string()])?;
        if !group.wait_empty(Duration::from_secs(120)) {
            return Err(LabError::Late {
                node: node.to_owned(),
                what: "shut down",
                seconds: 120,
                console: lab.node_dir(node).join("console.log"),
            });
        }
    }
    // Links first: a dying process must not say goodbye on the network.
    dismantle(lab, record, node)?;
    group.end().map_err(failed)?;
    Ok(())
}

/// The command that boots a node and ends when the node does.
pub(crate) fn boot_command(lab: &Lab, record: &Record, node: &str) -> Result<Command, LabError> {
    let name = object_name(&lab.name, node);
    let dir = lab.node_dir(node);
    let lower: Vec<String> = record.lower.iter().map(|path| path.display().to_string()).collect();
    let path = dir.join("console.log");
    let console = fs::File::options().create(true).append(true).open(&path).map_err(file_error(&path))?;
    let errors = console.try_clone().map_err(file_error(&path))?;
    let bind = |option: &str, from: PathBuf, to: &str| format!("--{option}={}:{to}", from.display());
    let mut command = program::command("nsenter");
    command
        .arg(format!("--net={}", netns::path(&name).display()))
        // Changes of mounts on the host reach it (so that a removed namespace really goes), its own stay here.
        .args(["unshare", "-m", "--propagation", "slave", "sh", "-ec", BOOT, "boot"])
        .arg(lower.join(":"))
        .args(["upper", "work", "root"].map(|part| dir.join(part)))
        .arg(&name)
        .args(["systemd-nspawn", "-q", "-D"])
        .arg(dir.join("root"))
        .args(["-M", &name, &format!("--hostname={node}"), "--keep-unit", "--register=no"])
        .args(["--capability=all", "--drop-capability=CAP_SYS_TIME", "--resolv-conf=off", "--timezone=off"])
        .args(["--link-journal=no", "--console=pipe"])
        .arg(bind("bind", lab.dir().join("pve"), "/etc/pve"))
        .arg(bind("bind-ro", lab.dir().join("bin/ringbolt"), &format!("{HOME}/ringbolt")))
        .arg(bind("bind", dir.join("sys"), &format!("{HOME}/sys")))
        .args(record.lower.last().map(|base| bind("bind-ro", base.clone(), &format!("{HOME}/image"))))
        .arg("-b")
        // udev in the node needs a writable /sys, and the one of its own network namespace.
        .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "1")
        // Its lock files would stay behind after a loss of power; the folder is the lab's alone.
        .env("SYSTEMD_NSPAWN_LOCK", "0")
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(console)
        .stderr(errors);
    Ok(command)
}

/// A command that runs what is appended to it inside a node, as root with a clean environment.
pub(crate) fn enter(init: u32) -> Command {
    let mut command = program::command("nsenter");
    command.args(["-t", &init.to_string(), "-m", "-u", "-i", "-n", "-p", "-C", "--", "env", "-i"]);
    command.args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]);
    command.args(["USER=root", "LANG=C.UTF-8"]);
    command.arg(format!("TERM={}", std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned())));
    command
}

/// Waits until something on the node's ssh port greets as ssh does.
pub(crate) fn answers(lab: &str, address: Ipv4Addr, patience: Duration) -> bool {
    let target = SocketAddr::from((address, 22));
    let wait = || {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if greets(target) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        false
    };
    netns::inside(&mgmt_netns(lab), wait).unwrap_or(false)
}

fn greets(target: SocketAddr) -> bool {
    let short = Duration::from_millis(300);
    let Ok(mut stream) = TcpStream::connect_timeout(&target, short) else { return false };
    let mut greeting = [0; 4];
    stream.set_read_timeout(Some(2 * short)).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && &greeting == b"SSH-"
}
