//! The lab's own record: every object it makes outside its folder is written down here *before* it is made, so
//! that taking the lab down removes exactly these, also when making it was cut short. One JSON file a lab,
//! replaced atomically, changed under a lock only.

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::disk::DiskRecord;
use crate::probe::Features;

use ringbolt_core::json;

/// What is wrong with the record.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what this version writes.
    #[error("{}: not a lab record: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where it breaks.
        source: serde_json::Error,
    },
    /// Another command works on the lab.
    #[error("lab {0} is in use by another command (waited 60 s)")]
    Busy(String),
}

/// A file error with its path.
pub(crate) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> StateError + use<> {
    let path = path.to_owned();
    move |source| StateError::File { path, source }
}

/// What joins the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Thunderbolt cables: an interface exists only while both ends are powered.
    Thunderbolt,
    /// Ethernet cables from node to node.
    Ethernet,
    /// One Ethernet cable from each node to a switch.
    Switch,
}

/// The release of Proxmox VE the nodes pretend to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PveRelease {
    /// 9.0, without status endpoints.
    #[serde(rename = "9.0")]
    V9_0,
    /// 9.1.
    #[serde(rename = "9.1")]
    V9_1,
    /// 9.2.
    #[serde(rename = "9.2")]
    V9_2,
}

impl PveRelease {
    /// As people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V9_0 => "9.0",
            Self::V9_1 => "9.1",
            Self::V9_2 => "9.2",
        }
    }
}

impl std::str::FromStr for PveRelease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::V9_0, Self::V9_1, Self::V9_2]
            .into_iter()
            .find(|release| release.as_str() == text)
            .ok_or_else(|| format!("no release `{text}`: 9.0, 9.1 or 9.2"))
    }
}

/// Something made outside the lab's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub enum Object {
    /// A named network namespace; interfaces inside die with it.
    Netns(String),
    /// A cgroup directory of that name below the root; its processes are ended.
    Cgroup(String),
    /// A mount.
    Mount(PathBuf),
    /// Loop devices of files in that folder.
    Loops(PathBuf),
    /// A file or folder a container manager leaves behind.
    Leftover(PathBuf),
}

/// Whether the lab is being made, is up, or is being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// `up` is at work, or was cut short.
    Building,
    /// Complete.
    Up,
    /// `down` is at work, or was cut short; nothing may be started any more.
    Down,
}

/// A node as the lab wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Host name.
    pub name: String,
    /// Number in the cluster, from 1.
    pub id: u32,
    /// Management address.
    pub address: Ipv4Addr,
    /// Whether it should be powered.
    pub powered: bool,
    /// Counts power-ons and reboots: a keeper of an earlier boot leaves the node alone.
    pub boot: u32,
    /// Names of its Ethernet ports, by number; those past the end are `enp1s0`, `enp2s0`, … by number.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Its disks, the system's first.
    #[serde(default)]
    pub disks: Vec<DiskRecord>,
}

/// One end of a cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The node, or [`SWITCH`].
    pub node: String,
    /// Its port, from 0.
    pub port: u32,
    /// The fixed hardware address: how the interface is found again whatever it is named.
    pub mac: String,
}

/// What is wrong with a cable at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing.
    None,
    /// The end at this node is down, so the other has no carrier.
    Carrier(String),
    /// Both ends look alive, nothing passes.
    Silent,
    /// What this node sends is lost.
    OneWay(String),
    /// Pulled out.
    Unplugged,
}

/// A cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CableRecord {
    /// First end.
    pub a: End,
    /// Second end.
    pub b: End,
    /// What a command did to it.
    pub fault: Fault,
}

impl CableRecord {
    /// Whether it joins these two, in either order.
    #[must_use]
    pub fn joins(&self, one: &str, other: &str) -> bool {
        (self.a.node == one && self.b.node == other) || (self.a.node == other && self.b.node == one)
    }
}

/// The name cables use for the far end at the switch; no node may have it.
pub const SWITCH: &str = "switch";

/// Everything the lab knows about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    pub format: u32,
    /// The lab.
    pub name: String,
    /// Where it is in its life.
    pub phase: Phase,
    /// What joins the nodes.
    pub transport: Transport,
    /// What the nodes pretend to be.
    pub pve: PveRelease,
    /// The node root file systems below the overlays, topmost first.
    pub lower: Vec<PathBuf>,
    /// Address of the lab's end of the management network.
    pub gateway: Ipv4Addr,
    /// Length of the management prefix.
    pub prefix_len: u8,
    /// What was left out on purpose: `frr`, `key`.
    pub without: Vec<String>,
    /// What this machine's kernel offers.
    pub features: Features,
    /// Nodes, by id.
    pub nodes: Vec<NodeRecord>,
    /// Cables.
    pub cables: Vec<CableRecord>,
    /// What exists, or may exist, outside the lab's folder.
    pub objects: Vec<Object>,
}

impl Record {
    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The node of that name, to be changed.
    pub fn node_mut(&mut self, name: &str) -> Option<&mut NodeRecord> {
        self.nodes.iter_mut().find(|node| node.name == name)
    }

    /// The name an Ethernet port has when its node boots.
    #[must_use]
    pub fn ethernet_name(&self, node: &str, port: u32) -> String {
        let named = self.node(node).and_then(|node| node.ports.get(port as usize)).cloned();
        named.unwrap_or_else(|| format!("enp{}s0", port + 1))
    }

    /// How many ports a node has.
    #[must_use]
    pub fn ports(&self, node: &str) -> u32 {
        let ends = self.cables.iter().flat_map(|cable| [&cable.a, &cable.b]);
        ends.filter(|end| end.node == node).map(|end| end.port + 1).max().unwrap_or(0)
    }

    /// Reads the record of the lab in `dir`.
    ///
    /// # Errors
    /// No such file, or not one of ours.
    pub fn load(dir: &Path) -> Result<Self, StateError> {
        let path = dir.join("state.json");
        let text = fs::read(&path).map_err(file_error(&path))?;
        json::read(&text).map_err(|source| StateError::Format { path, source })
    }

    /// Replaces the record of the lab in `dir`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), StateError> {
        let path = dir.join("state.json");
        let mut text =
            json::pretty(self).map_err(|source| StateError::Format { path: path.clone(), source })?;
        text.push('\n');
        write_atomic(&path, text.as_bytes(), 0o644)
    }
}

/// Writes a file so that a reader sees the old or the new one, never half of it.
pub(crate) fn write_atomic(path: &Path, content: &[u8], mode: u32) -> Result<(), StateError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(content)?;
        fs::rename(&temporary, path)
    };
    write().map_err(file_error(path))
}

/// The lab's lock, held until dropped. Its file lies beside the lab's folder.
#[derive(Debug)]
pub struct Lock {
    file: fs::File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lab's lock, at most a minute.
    ///
    /// # Errors
    /// Another command keeps it, or the folder cannot be written.
    pub fn take(parent: &Path, name: &str) -> Result<Self, StateError> {
        fs::create_dir_all(parent).map_err(file_error(parent))?;
        let path = parent.join(format!("{name}.lock"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let file = fs::OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(file_error(&path))?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let lock = Self { file, path: path.clone() };
                if lock.is_current() {
                    return Ok(lock);
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(StateError::Busy(name.to_owned()))
    }

    /// Removes the file together with the lock.
    pub fn remove(self) {
        // A file that stays is harmless: it is empty and the next command uses it again.
        let _ = fs::remove_file(&self.path);
    }

    /// Whether the file locked is still the one in the folder (its last owner may have removed it).
    fn is_current(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(mine), Ok(there)) = (self.file.metadata(), fs::metadata(&self.path)) else { return false };
        mine.ino() == there.ino()
    }
}

/// Name of a node's network namespace, cgroup and machine.
#[must_use]
pub fn object_name(lab: &str, part: &str) -> String {
    format!("rb-{lab}-{part}")
}

/// Name of the namespace the management network of a lab lives in.
#[must_use]
pub fn mgmt_netns(lab: &str) -> String {
    object_name(lab, "mgmt")
}

/// A hardware address that looks random and is the same each time for one port of one node: locally
/// administered, with the port in the first byte as the Thunderbolt driver does it.
#[must_use]
pub fn mac(lab: &str, node: &str, port: u32, use_: &str) -> String {
    let digest = Sha256::digest(format!("{lab}/{node}/{port}/{use_}"));
    let first = ((port as u8 & 0x0f) << 4) | 0x02;
    let rest: String = digest[..5].iter().map(|byte| format!(":{byte:02x}")).collect();
    format!("{first:02x}{rest}")
}

/// An identity in UUID form that is the same each time for the same words.
#[must_use]
pub fn uuid(words: &str) -> String {
    let digest = Sha256::digest(words);
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn record() -> Record {
        Record {
            format: 1,
            name: "t".into(),
            phase: Phase::Building,
            transport: Transport::Thunderbolt,
            pve: PveRelease::V9_2,
            lower: vec!["/base".into()],
            gateway: Ipv4Addr::new(10, 11, 12, 1),
            prefix_len: 24,
            without: Vec::new(),
            features: Features::default(),
            nodes: Vec::new(),
            cables: Vec::new(),
            objects: vec![Object::Netns("rb-t-n1".into()), Object::Cgroup("rb-t-n1".into())],
        }
    }

    #[test]
    fn a_record_survives_its_file() {
        let dir = tempfile::tempdir().unwrap();
        record().save(dir.path()).unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), record());
        assert!(!dir.path().join("state.json.new").exists());
    }

    #[test]
    fn a_broken_record_names_its_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("state.json"), "{").unwrap();
        assert!(Record::load(dir.path()).unwrap_err().to_string().contains("state.json"));
    }

    #[test]
    fn the_lock_is_exclusive_and_can_be_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path(), "t").unwrap();
        let file = fs::File::open(dir.path().join("t.lock")).unwrap();
        assert!(flock(&file, FlockOperation::NonBlockingLockExclusive).is_err());
        lock.remove();
        drop(file);
        assert!(!dir.path().join("t.lock").exists());
        Lock::take(dir.path(), "t").unwrap().remove();
    }

    #[test]
    fn identities_are_stable_and_differ() {
        assert_eq!(mac("l", "n1", 1, "tb"), mac("l", "n1", 1, "tb"));
        assert_ne!(mac("l", "n1", 0, "tb"), mac("l", "n2", 0, "tb"));
        assert!(mac("l", "n1", 1, "tb").starts_with("12:"));
        assert_eq!(mac("l", "n1", 0, "tb").len(), 17);
        assert_eq!(uuid("x").len(), 36);
        assert_ne!(uuid("x"), uuid("y"));
    }
}
