//! The node a stand-in command runs on: its paths, its name, its cluster, and
//! the way to run other programs.
//!
//! Used by every command of the stand-in. All paths come from [`Root`], so
//! tests run below a temporary directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde_json::Value;

use ringbolt_core::arrange::Arrange;

/// Where the folders of a node are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// `/etc/pve`: shared by all nodes of the lab.
    pub etc_pve: PathBuf,
    /// `/etc`.
    pub etc: PathBuf,
    /// `/var`.
    pub var: PathBuf,
    /// `/run`.
    pub run: PathBuf,
    /// `/usr`.
    pub usr: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
    /// The lab's own folder in a node.
    pub home: PathBuf,
    /// `/proc`.
    pub proc: PathBuf,
}

impl Root {
    /// The real folders.
    #[must_use]
    pub fn system() -> Self {
        Self { proc: "/proc".into(), ..Self::below(Path::new("/")) }
    }

    /// The same folders below `top` (`/proc` excepted).
    #[must_use]
    pub fn below(top: &Path) -> Self {
        Self {
            etc_pve: top.join("etc/pve"),
            etc: top.join("etc"),
            var: top.join("var"),
            run: top.join("run"),
            usr: top.join("usr"),
            dev: top.join("dev"),
            home: top.join("opt/ringbolt-lab"),
            proc: "/proc".into(),
        }
    }
}

/// The release of Proxmox VE to behave as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 9.0: fabrics, lock and rollback; links without addresses.
    V9_0,
    /// 9.1: also the status endpoints; links with addresses.
    V9_1,
    /// 9.2: also the dry run.
    V9_2,
}

/// Version texts of a release.
#[derive(Debug, Clone, Copy)]
pub struct Versions {
    /// `9.2`
    pub release: &'static str,
    /// pve-manager
    pub manager: &'static str,
    /// Commit of pve-manager.
    pub repoid: &'static str,
    /// libpve-network-perl
    pub network: &'static str,
    /// libpve-rs-perl
    pub rs: &'static str,
    /// The version line of the generated `frr.conf`.
    pub frr: &'static str,
}

impl Release {
    /// All releases the stand-in knows, oldest first.
    pub const ALL: [Self; 3] = [Self::V9_0, Self::V9_1, Self::V9_2];

    /// Reads `9.0`, `9.1` or `9.2` (a patch level may follow).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        match (parts.next(), parts.next()) {
            (Some("9"), Some("0")) => Some(Self::V9_0),
            (Some("9"), Some("1")) => Some(Self::V9_1),
            (Some("9"), Some("2")) => Some(Self::V9_2),
            _ => None,
        }
    }

    /// The version texts of this release.
    #[must_use]
    pub fn versions(self) -> Versions {
        match self {
            Self::V9_0 => Versions {
                release: "9.0",
                manager: "9.0.3",
                repoid: "025864202ebb6109",
                network: "1.1.6",
                rs: "0.10.10",
                frr: "10.3.1",
            },
            Self::V9_1 => Versions {
                release: "9.1",
                manager: "9.1.2",
                repoid: "42db4a6cf33dac83",
                network: "1.2.3",
                rs: "0.11.3",
                frr: "10.3.1",
            },
            Self::V9_2 => Versions {
                release: "9.2",
                manager: "9.2.4",
                repoid: "5e5ae681198514d4",
                network: "1.5.0",
                rs: "0.14.0",
                frr: "10.4.1",
            },
        }
    }
}

/// A configured node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Node name.
    pub name: String,
    /// Node number.
    pub id: u32,
    /// Management address.
    pub address: String,
}

/// The result of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Exit status; 255 for a program that could not be started or was killed.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// How programs are run: really, or in tests as the test decides.
pub trait Exec {
    /// Runs `argv` to its end with no standard input.
    fn run(&self, argv: &[&str]) -> Ran;

    /// The node's answers on standard input, a line at a time.
    fn answer(&self) -> Option<String> {
        None
    }
}

/// Runs programs for real.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Exec for System {
    fn run(&self, argv: &[&str]) -> Ran {
        let Some((program, args)) = argv.split_first() else {
            return failed_start("no program named");
        };
        match Command::new(program).args(args).stdin(Stdio::null()).output() {
            Ok(out) => Ran {
                status: out.status.code().unwrap_or(255),
                stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
            },
            Err(error) => failed_start(&format!("unable to start {program}: {error}")),
        }
    }

    fn answer(&self) -> Option<String> {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim().to_owned())
    }
}

fn failed_start(why: &str) -> Ran {
    Ran { status: 255, stdout: String::new(), stderr: format!("{why}\n") }
}

/// One node, as a stand-in command sees it.
pub struct Host {
    /// Its folders.
    pub root: Root,
    /// Its name.
    pub node: String,
    /// The release it behaves as.
    pub release: Release,
    /// Milliseconds every command takes longer, to feel like the real one.
    pub delay_ms: u64,
    /// Whether a dry run can be asked for by `pvesh`. Read from its source
    /// the real command refuses it (the node is no part of the path, so it
    /// finds nowhere to send the call); that was not seen on a real node.
    /// The realm's `"dry_run": "refused"` makes the stand-in refuse it.
    pub dry_run: bool,
    /// How programs are run.
    pub exec: Box<dyn Exec>,
}

impl Host {
    /// The machine this runs on.
    #[must_use]
    pub fn system() -> Self {
        let root = Root::system();
        let name = fs::read_to_string(root.proc.join("sys/kernel/hostname")).unwrap_or_default();
        let node = name.trim().split('.').next().unwrap_or_default().to_owned();
        Self::new(root, &node, Box::new(System))
    }

    /// A node with given folders; reads `etc/ringbolt/realm.json`: `pve` is
    /// the release, `standin_delay_ms` (or `RINGBOLT_STANDIN_DELAY_MS`) makes
    /// commands slow, `dry_run` as above.
    #[must_use]
    pub fn new(root: Root, node: &str, exec: Box<dyn Exec>) -> Self {
        let realm = read_json(&root.etc.join("ringbolt/realm.json")).unwrap_or(Value::Null);
        let release =
            realm.get("pve").and_then(Value::as_str).and_then(Release::parse).unwrap_or(Release::V9_2);
        let delay_ms = std::env::var("RINGBOLT_STANDIN_DELAY_MS")
            .ok()
            .and_then(|text| text.parse().ok())
            .or_else(|| realm.get("standin_delay_ms").and_then(Value::as_u64))
            .unwrap_or(0);
        let dry_run = realm.get("dry_run").and_then(Value::as_str) != Some("refused");
        Self { root, node: node.to_owned(), release, delay_ms, dry_run, exec }
    }

    /// The cluster's name.
    #[must_use]
    pub fn cluster(&self) -> String {
        self.membership().get("cluster").and_then(Value::as_str).unwrap_or("lab").to_owned()
    }

    /// The configured nodes by name; at least this one.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let file = self.membership();
        let mut members: Vec<Member> = file
            .get("nodes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|node| {
                Some(Member {
                    name: node.get("name")?.as_str()?.to_owned(),
                    id: u32::try_from(node.get("id")?.as_u64()?).ok()?,
                    address: node.get("address")?.as_str()?.to_owned(),
                })
            })
            .collect();
        if members.is_empty() {
            members.push(Member { name: self.node.clone(), id: 1, address: "127.0.0.1".to_owned() });
        }
        members.arrange_by(|a, b| a.name.cmp(&b.name));
        members
    }

    fn membership(&self) -> Value {
        read_json(&self.root.etc_pve.join("ringbolt-lab.json")).unwrap_or(Value::Null)
    }

    /// What the membership service last wrote, if it runs.
    #[must_use]
    pub fn member_state(&self) -> Option<Value> {
        read_json(&self.root.run.join("ringbolt-lab/members"))
    }

    /// Whether that node is up as far as this one knows.
    #[must_use]
    pub fn online(&self, name: &str) -> bool {
        self.member_state()
            .is_none_or(|state| state["nodelist"][name]["online"].as_u64() == Some(1) || name == self.node)
    }

    /// Whether a majority of the cluster is there. A node without a
    /// membership service counts itself as quorate.
    #[must_use]
    pub fn quorate(&self) -> bool {
        self.member_state().is_none_or(|state| state["cluster"]["quorate"].as_u64() == Some(1))
    }

    /// Writes a file atomically, with mode 0640 below `/etc/pve` and 0644
    /// elsewhere.
    ///
    /// # Errors
    /// The system's error.
    pub fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        let mode = if path.starts_with(&self.root.etc_pve) { 0o640 } else { 0o644 };
        let mut file = tempfile::Builder::new()
            .prefix(".standin-")
            .permissions(fs::Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.persist(path)?;
        Ok(())
    }

    /// A file's text; empty where there is none.
    #[must_use]
    pub fn read(&self, path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }
}

/// Reads a JSON file; none where absent or broken.
pub(crate) fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}
