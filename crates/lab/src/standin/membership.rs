//! The membership service: votes over UDP, and what pmxcfs would show of it.
//!
//! Runs as `ringbolt-standin-pmxcfs` on every lab node, in place of corosync
//! and pmxcfs. It writes `/run/ringbolt-lab/{members,version,local,fabrics,vmlist}`
//! and makes `/etc/pve` read-only while the node is without a majority.
//!
//! Another mode: `--sdn-commit`, the boot-time commit.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::ha::keeper::Keeper;
use super::host::Member;
use super::{Host, handlers, say, sdn_commit};
use ringbolt_core::arrange::Arrange;
use ringbolt_core::into_map::IntoMap;

/// The port of the heartbeats, corosync's own.
const PORT: u16 = 5405;
/// Time between heartbeats.
const BEAT: Duration = Duration::from_millis(300);
/// A node not heard for so long is gone.
const DEAD: Duration = Duration::from_millis(1200);
/// Time between looks at FRR for the state of the fabrics.
const LOOK: Duration = Duration::from_secs(10);

/// Why the service cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The node is not in `ringbolt-lab.json`.
    #[error("{0} is not in ringbolt-lab.json")]
    Stranger(String),
    /// The node's address cannot be bound.
    #[error("cannot bind {address}:{PORT}: {source}")]
    Bind {
        /// The node's management address.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// A file of the service cannot be written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> ServiceError + '_ {
    move |source| ServiceError::File { path: path.to_owned(), source }
}

/// Runs the service or one of its other modes.
pub(crate) fn run(host: &Host, args: &[String], err: &mut dyn Write) -> i32 {
    let result = match args.first().map(String::as_str) {
        None => serve(host, err, &|| false).map_err(|e| e.to_string()),
        Some("--activate-osds") => super::ceph::activate_all(host, err).map_err(|e| e.to_string()),
        Some("--sdn-commit") => sdn_commit::run(host, err).map_err(|e| e.to_string()),
        Some(other) => Err(format!("unknown option {other}")),
    };
    match result {
        Ok(()) => 0,
        Err(text) => {
            say(err, &format!("{}: {text}", super::SERVICE));
            1
        }
    }
}

struct Peer {
    member: Member,
    heard: Option<Instant>,
    fabrics: Value,
}

struct Service<'a> {
    host: &'a Host,
    cluster: String,
    socket: UdpSocket,
    peers: BTreeMap<String, Peer>,
    me: Member,
    fabrics: Value,
    looked: Option<Instant>,
    shown: Option<(Vec<String>, bool)>,
    version: u64,
    readonly: Option<bool>,
    counters: Counters,
    keeper: Keeper,
}

/// Counts votes until `stop` says so (asked once a heartbeat or more).
///
/// # Errors
/// The node is unknown, its address cannot be bound, or its state cannot be
/// written.
pub fn serve(host: &Host, err: &mut dyn Write, stop: &dyn Fn() -> bool) -> Result<(), ServiceError> {
    let members = host.members();
    let me = members
        .iter()
        .find(|member| member.name == host.node)
        .cloned()
        .ok_or_else(|| ServiceError::Stranger(host.node.clone()))?;
    let bound = |source| ServiceError::Bind { address: me.address.clone(), source };
    let socket = bind(&me.address).map_err(bound)?;
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(bound)?;
    let folder = state_folder(host);
    fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    let peers = members
        .into_iter()
        .filter(|member| member.name != me.name)
        .map(|member| {
            let peer = Peer { member, heard: None, fabrics: json!({}) };
            (peer.member.name.clone(), peer)
        })
        .into_map();
    let mut service = Service {
        host,
        cluster: host.cluster(),
        socket,
        peers,
        me,
        fabrics: json!({}),
        looked: None,
        shown: None,
        version: 0,
        readonly: None,
        counters: Counters::default(),
        keeper: Keeper::default(),
    };
    service.run(err, stop)
}

/// Binds the node's address, which at boot may take a moment to be there.
fn bind(address: &str) -> io::Result<UdpSocket> {
    let mut tries = 0;
    loop {
        match UdpSocket::bind((address, PORT)) {
            Err(_) if tries < 300 => std::thread::sleep(Duration::from_millis(100)),
            done => return done,
        }
        tries += 1;
    }
}

fn state_folder(host: &Host) -> PathBuf {
    host.root.run.join("ringbolt-lab")
}

impl Service<'_> {
    fn run(&mut self, err: &mut dyn Write, stop: &dyn Fn() -> bool) -> Result<(), ServiceError> {
        let mut told_ready = false;
        let mut beat: Option<Instant> = None;
        while !stop() {
            if beat.is_none_or(|at| at.elapsed() >= BEAT) {
                beat = Some(Instant::now());
                self.send();
                self.look();
                self.show(err)?;
                self.counters.refresh(self.host)?;
                self.keep(err);
                if !told_ready {
                    told_ready = true;
                    ready();
                }
            }
            self.receive();
        }
        Ok(())
    }

    fn send(&self) {
        let beat = json!({
            "ringbolt-lab": self.cluster, "node": self.me.name, "fabrics": self.fabrics,
        })
        .to_string();
        for peer in self.peers.values() {
            // A peer that is away is no error.
            let _ = self.socket.send_to(beat.as_bytes(), (peer.member.address.as_str(), PORT));
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0_u8; 4096];
        let Ok((length, from)) = self.socket.recv_from(&mut buffer) else {
            return;
        };
        let Ok(beat) = serde_json::from_slice::<Value>(&buffer[..length]) else {
            return;
        };
        let name = beat["node"].as_str().unwrap_or_default();
        if beat["ringbolt-lab"] != self.cluster.as_str() {
            return;
        }
        if let Some(peer) = self.peers.get_mut(name)
            && same_address(from, &peer.member.address)
        {
            peer.heard = Some(Instant::now());
            peer.fabrics = beat["fabrics"].clone();
        }
    }

    fn look(&mut self) {
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.fabrics = Value::Object(handlers::fabric_states(self.host));
            let mut all = Map::new();
            for (name, peer) in &self.peers {
                all.insert(name.clone(), peer.fabrics.clone());
            }
            let path = state_folder(self.host).join("fabrics");
            let _ = self.host.write(&path, &Value::Object(all).to_string());
        }
    }

    /// Writes the state if it changed, and makes `/etc/pve` follow.
    fn show(&mut self, err: &mut dyn Write) -> Result<(), ServiceError> {
        let mut online: Vec<String> = self
            .peers
            .values()
            .filter(|peer| peer.heard.is_some_and(|at| at.elapsed() < DEAD))
            .map(|peer| peer.member.name.clone())
            .collect();
        online.push(self.me.name.clone());
        let quorate = online.len() * 2 > self.peers.len() + 1;
        // First the folder, then the word: who reads that there is a majority may write.
        if self.readonly != Some(!quorate) {
            remount(&self.host.root.etc_pve, !quorate, err);
            self.readonly = Some(!quorate);
            if quorate {
                self.settle_in(err);
            }
        }
        let state = (online, quorate);
        if self.shown.as_ref() != Some(&state) {
            self.version += 1;
            let text = self.members_text(&state.0, quorate);
            let path = state_folder(self.host).join("members");
            self.host.write(&path, &text).map_err(file_error(&path))?;
            say(err, &format!("{} of {} nodes, quorate: {quorate}", state.0.len(), self.peers.len() + 1));
            self.shown = Some(state);
        }
        Ok(())
    }

    /// High availability's round; a fault of it does not end the service.
    fn keep(&mut self, err: &mut dyn Write) {
        let Some((online, quorate)) = &self.shown else { return };
        if let Err(e) = self.keeper.turn(self.host, online, *quorate) {
            say(err, &format!("high availability: {e}"));
        }
    }

    /// What a node puts into `/etc/pve` once it may.
    fn settle_in(&self, err: &mut dyn Write) {
        let own = self.host.root.etc_pve.join("nodes").join(&self.me.name);
        for folder in [&own, &self.host.root.etc_pve.join("priv"), &self.host.root.etc_pve.join("sdn")] {
            if let Err(e) = fs::create_dir_all(folder) {
                say(err, &format!("{}: {e}", folder.display()));
            }
        }
        let link = state_folder(self.host).join("local");
        let _ = fs::remove_file(&link);
        let _ = std::os::unix::fs::symlink(&own, &link);
    }

    fn members_text(&self, online: &[String], quorate: bool) -> String {
        let mut all: Vec<&Member> = self.peers.values().map(|peer| &peer.member).collect();
        all.push(&self.me);
        all.arrange_by(|a, b| a.name.cmp(&b.name));
        let list: Vec<String> = all
            .iter()
            .map(|member| {
                let up = u8::from(online.contains(&member.name));
                format!(
                    "  {}: {{ \"id\": {}, \"online\": {up}, \"ip\": {}}}",
                    json!(member.name),
                    member.id,
                    json!(member.address)
                )
            })
            .collect();
        format!(
            "{{\n\"nodename\": {},\n\"version\": {},\n\"cluster\": {{ \"name\": {}, \"version\": 1, \"nodes\": {}, \"quorate\": {} }},\n\"nodelist\": {{\n{}\n  }}\n}}\n",
            json!(self.me.name),
            self.version,
            json!(self.cluster),
            all.len(),
            u8::from(quorate),
            list.join(",\n")
        )
    }
}

fn same_address(from: SocketAddr, wanted: &str) -> bool {
    wanted.parse() == Ok(from.ip())
}

/// Makes the bind mount read-only or writable, on this node only.
fn remount(path: &Path, readonly: bool, err: &mut dyn Write) {
    use rustix::mount::{MountFlags, mount_remount};
    let mut flags = MountFlags::BIND;
    if readonly {
        flags |= MountFlags::RDONLY;
    }
    if let Err(e) = mount_remount(path, flags, "") {
        say(err, &format!("cannot remount {}: {e}", path.display()));
    }
}

/// Tells systemd that the service is up.
fn ready() {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else {
        return;
    };
    if let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
        let _ = socket.send_to(b"READY=1", path);
    }
}

/// The change counters of `/etc/pve/.version`.
#[derive(Default)]
struct Counters {
    seen: BTreeMap<&'static str, (Option<SystemTime>, u64)>,
    started: u64,
}

const COUNTED: &[&str] = &[
    "corosync.conf",
    "corosync.conf.new",
    "storage.cfg",
    "user.cfg",
    "datacenter.cfg",
    "ceph.conf",
    "sdn/vnets.cfg",
    "sdn/zones.cfg",
    "sdn/controllers.cfg",
    "sdn/subnets.cfg",
    "sdn/fabrics.cfg",
    "sdn/.running-config",
];

impl Counters {
    fn refresh(&mut self, host: &Host) -> Result<(), ServiceError> {
        let mut changed = self.started == 0;
        if changed {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            self.started = now.map_or(1, |elapsed| elapsed.as_secs());
        }
        for name in COUNTED {
            let time = fs::metadata(host.root.etc_pve.join(name)).and_then(|meta| meta.modified()).ok();
            let entry = self.seen.entry(name).or_insert((None, 0));
            if entry.0 != time {
                *entry = (time, entry.1 + 1);
                changed = true;
            }
        }
        if !changed {
            return Ok(());
        }
        let mut object = Map::new();
        object.insert("starttime".into(), json!(self.started));
        object.insert("clinfo".into(), json!(1));
        object.insert("vmlist".into(), json!(1));
        for (name, (_, count)) in &self.seen {
            object.insert((*name).to_owned(), json!(count));
        }
        let path = state_folder(host).join("version");
        host.write(&path, &Value::Object(object).to_string()).map_err(file_error(&path))
    }
}
