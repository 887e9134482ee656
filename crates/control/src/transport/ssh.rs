//! The system's `ssh`: one process a node for the whole run, frames on its pipes.
//!
//! Configuration, jump hosts, key agents and known hosts are ssh's own business. Every argument is made here, with
//! fixed characters only where the far end's shell sees it. Passwords never come this way (see `setup`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ringbolt_core::name::NodeName;
use ringbolt_core::spec::{Node, Spec, Ssh};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Boxed, Carrier, Channel, ConnectError, Ended, Executable, Start, Transport, Trouble, classify};

/// Folder on the nodes that holds the agents.
const FOLDER: &str = "/var/lib/ringbolt/bin";

/// Options of every connection. Whatever the user's configuration says of these would break the line of frames, or
/// let somebody else than the node answer: a host key is met in `ringbolt ssh setup` or pinned, and strict from then on.
const ALWAYS: &[&str] = &[
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlMaster=no",
    "ControlPath=none",
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "LogLevel=INFO",
];

/// ssh asks nobody.
const QUIET: &[&str] = &["-o", "BatchMode=yes"];

/// How ssh is used, beyond what the spec says.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// `--ssh-config`: used instead of the one named in the spec.
    pub config: Option<PathBuf>,
    /// Folder of the spec file; paths in its `[ssh]` are relative to it.
    pub base: PathBuf,
    /// What is run on the nodes.
    pub executable: Executable,
}

/// Reaches the nodes of a spec over ssh.
#[derive(Debug)]
pub struct SshTransport {
    hosts: BTreeMap<NodeName, Host>,
    shared: Vec<OsString>,
    executable: Executable,
    user: Option<String>,
    identity: Option<PathBuf>,
    /// Holds the pinned host keys as long as connections may be made.
    _pins: Option<TempDir>,
}

/// What is particular to one node.
#[derive(Debug)]
pub(crate) struct Host {
    address: String,
    own: Vec<OsString>,
    pinned: bool,
}

impl SshTransport {
    /// The transport for the nodes of a spec.
    ///
    /// # Errors
    /// The pinned keys cannot be put into a file of our own.
    pub fn new(spec: &Spec, options: &SshOptions) -> std::io::Result<Self> {
        let pins = spec.nodes.iter().any(|n| n.host_key.is_some()).then(TempDir::new).transpose()?;
        let mut hosts = BTreeMap::new();
        for node in &spec.nodes {
            let own = match (&node.host_key, &pins) {
                (Some(key), Some(folder)) => pin(node, key, folder.path())?,
                _ => Vec::new(),
            };
            let pinned = node.host_key.is_some();
            hosts.insert(node.name.clone(), Host { address: node.address.to_string(), own, pinned });
        }
        Ok(Self {
            hosts,
            shared: shared_arguments(&spec.ssh, options),
            executable: options.executable.clone(),
            identity: identity(&spec.ssh, options),
            user: spec.ssh.user.clone().filter(|u| u != "root"),
            _pins: pins,
        })
    }

    /// `ssh` with everything that leads to a node, its address included; of two values for an option, the one given
    /// here counts. Whether ssh may ask is up to these as well.
    pub(crate) fn command(&self, node: &NodeName, flags: &[&str]) -> Result<Command, ConnectError> {
        let host = self.host(node)?;
        if let Some(user) = &self.user {
            return Err(self.error(node, Trouble::NotRoot { user: user.clone() }, ""));
        }
        let mut command = Command::new("ssh");
        command.args(flags).arg("-T").args(&self.shared).args(&host.own);
        // ssh's own words are looked at: they must not be translated.
        command.env("LC_ALL", "C").arg("--").arg(&host.address);
        Ok(command)
    }

    /// Whether the spec pins the host key of a node.
    pub(crate) fn is_pinned(&self, node: &NodeName) -> bool {
        self.hosts.get(node).is_some_and(|h| h.pinned)
    }

    /// The key file the spec names.
    pub(crate) fn identity(&self) -> Option<&Path> {
        self.identity.as_deref()
    }

    /// The program that is run on the nodes.
    pub(crate) fn executable(&self) -> &Executable {
        &self.executable
    }

    /// The arguments that start an agent, for the far end's shell: letters, digits, slashes, dashes and dots only.
    pub(crate) fn agent_command(&self, start: &Start) -> Vec<String> {
        match start {
            Start::Installed => vec![format!("{FOLDER}/{}", self.executable.digest), "agent".into()],
            Start::Uploaded { nonce } => vec![self.upload_path(nonce), "agent".into(), "--install".into()],
        }
    }

    /// The arguments that take our program from standard input.
    pub(crate) fn upload_command(&self, nonce: &str) -> Vec<String> {
        ["install", "-D", "-m", "0700", "/dev/stdin", &self.upload_path(nonce)].map(Into::into).into()
    }

    fn upload_path(&self, nonce: &str) -> String {
        format!("{FOLDER}/{}.upload-{nonce}", self.executable.digest)
    }

    fn host(&self, node: &NodeName) -> Result<&Host, ConnectError> {
        self.hosts
            .get(node)
            .ok_or_else(|| ConnectError::new(node, node.to_string(), Trouble::UnknownNode, ""))
    }

    pub(crate) fn error(&self, node: &NodeName, trouble: Trouble, said: &str) -> ConnectError {
        let address = self.hosts.get(node).map_or("?", |h| h.address.as_str());
        ConnectError::new(node, format!("root@{address}"), trouble, said)
    }

    fn no_ssh(&self, node: &NodeName, error: &std::io::Error) -> ConnectError {
        self.error(node, Trouble::CannotStart { program: "ssh".into() }, &error.to_string())
    }

    async fn send_program(&self, node: &NodeName, nonce: &str) -> Result<(), ConnectError> {
        let program = File::open(&self.executable.path).map_err(|e| {
            self.error(node, Trouble::CannotStart { program: self.executable.path.clone() }, &e.to_string())
        })?;
        let mut command = self.command(node, QUIET)?;
        command.args(self.upload_command(nonce));
        command.stdin(program).stdout(Stdio::null()).stderr(Stdio::piped());
        command.kill_on_drop(true).process_group(0);
        let output = command.output().await.map_err(|e| self.no_ssh(node, &e))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let ended = Ended { status: output.status.code(), said };
        let trouble = match classify(&ended) {
            Trouble::NoAgent | Trouble::Ended { .. } => Trouble::Upload,
            known => known,
        };
        self.tidy_up(node, nonce).await;
        Err(self.error(node, trouble, &ended.said))
    }

    /// Removes what a failed upload left; a node that cannot be reached keeps it until the next agent clears up.
    async fn tidy_up(&self, node: &NodeName, nonce: &str) {
        if let Ok(mut command) = self.command(node, QUIET) {
            command.args(["rm", "-f", &self.upload_path(nonce)]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(15), command.status()).await;
        }
    }
}

impl Transport for SshTransport {
    fn open(&self, node: &NodeName, start: &Start) -> Result<Channel, ConnectError> {
        let mut command = self.command(node, QUIET)?;
        command.args(self.agent_command(start));
        Carrier::start(command).map_err(|e| self.no_ssh(node, &e))
    }

    fn upload<'a>(&'a self, node: &'a NodeName, nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        Box::pin(self.send_program(node, nonce))
    }

    fn explain(&self, node: &NodeName, ended: &Ended) -> ConnectError {
        let trouble = match classify(ended) {
            Trouble::HostKeyUnknown | Trouble::HostKeyChanged { .. } if self.is_pinned(node) => {
                Trouble::NotPinnedKey
            }
            other => other,
        };
        self.error(node, trouble, &ended.said)
    }

    fn build(&self) -> Option<&str> {
        Some(&self.executable.digest)
    }
}

fn shared_arguments(ssh: &Ssh, options: &SshOptions) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut pair = |flag: &str, value: OsString| arguments.extend([flag.into(), value]);
    let named = ssh.config.as_ref().map(|c| options.base.join(expand_home(c)));
    if let Some(config) = options.config.clone().or(named) {
        pair("-F", config.into());
    }
    if let Some(identity) = identity(ssh, options) {
        pair("-i", identity.into());
    }
    if let Some(port) = ssh.port {
        pair("-p", port.to_string().into());
    }
    pair("-l", "root".into());
    for option in ALWAYS {
        pair("-o", option.into());
    }
    arguments
}

/// The key file of the spec.
fn identity(ssh: &Ssh, options: &SshOptions) -> Option<PathBuf> {
    ssh.identity.as_ref().map(|file| options.base.join(expand_home(file)))
}

/// `~/x` as a path below the home folder.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    }
}

/// Puts a pinned key into a file of its own and gives the options that allow nothing else.
fn pin(node: &Node, key: &str, folder: &Path) -> std::io::Result<Vec<OsString>> {
    let file = folder.join(node.name.as_str());
    let alias = format!("ringbolt-{}", node.name);
    writeln!(File::create(&file)?, "{alias} {}", key.trim())?;
    let fixed = [
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "KnownHostsCommand=none",
        "VerifyHostKeyDNS=no",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
    ];
    let mut options: Vec<OsString> = fixed.iter().flat_map(|o| ["-o".into(), OsString::from(o)]).collect();
    let mut known = OsString::from("UserKnownHostsFile=");
    known.push(&file);
    options.extend(["-o".into(), known, "-o".into(), format!("HostKeyAlias={alias}").into()]);
    Ok(options)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::fixture;

    fn transport(change: impl FnOnce(&mut Spec)) -> SshTransport {
        let mut spec = fixture::spec(&["n2", "n3"]);
        change(&mut spec);
        let options = SshOptions {
            config: None,
            base: "/home/u/mesh".into(),
            executable: Executable { path: "/proc/self/exe".into(), digest: "ab".repeat(32) },
        };
        SshTransport::new(&spec, &options).unwrap()
    }

    fn arguments(command: &Command) -> Vec<String> {
        command.as_std().get_args().map(|a| a.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn paths_of_the_spec_start_at_its_folder_and_the_address_comes_after_the_options() {
        let transport = transport(|s| {
            s.ssh.config = Some("ssh_config".into());
            s.ssh.identity = Some("/k".into());
            s.ssh.port = Some(2222);
        });
        let n2 = NodeName::new("n2").unwrap();
        let arguments = arguments(&transport.command(&n2, QUIET).unwrap());
        let text = arguments.join(" ");
        assert!(
            text.starts_with("-o BatchMode=yes -T -F /home/u/mesh/ssh_config -i /k -p 2222 -l root"),
            "{text}"
        );
        assert_eq!(arguments[arguments.len() - 2..], ["--", "10.11.12.1"]);
        assert!(!text.contains("KexAlgorithms"));
    }

    #[test]
    fn a_pinned_key_is_the_only_one_allowed() {
        let transport = transport(|s| s.nodes[0].host_key = Some("ssh-ed25519 AAAA".into()));
        let n2 = NodeName::new("n2").unwrap();
        let arguments = arguments(&transport.command(&n2, &[]).unwrap());
        let known = arguments.iter().find_map(|a| a.strip_prefix("UserKnownHostsFile=")).unwrap();
        assert_eq!(std::fs::read_to_string(known).unwrap(), "ringbolt-n2 ssh-ed25519 AAAA\n");
        assert!(arguments.contains(&"HostKeyAlias=ringbolt-n2".to_owned()));
        let ended = Ended { status: Some(255), said: "Host key verification failed.".into() };
        assert_eq!(transport.explain(&n2, &ended).trouble, Trouble::NotPinnedKey);
    }

    #[test]
    fn host_keys_are_strict_whatever_the_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        let lax = folder.path().join("config");
        std::fs::write(&lax, "Host *\n    StrictHostKeyChecking no\n").unwrap();
        let transport = transport(|s| s.ssh.config = Some(lax.display().to_string()));
        let n2 = NodeName::new("n2").unwrap();
        // What ssh itself makes of it; `-G` prints that and connects to nobody.
        let command = transport.command(&n2, &["-G"]).unwrap();
        let output = std::process::Command::new("ssh").args(command.as_std().get_args()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.lines().any(|l| l == "stricthostkeychecking true"), "{text}");
    }

    #[test]
    fn another_user_than_root_is_refused_before_anything_is_started() {
        let transport = transport(|s| s.ssh.user = Some("admin".into()));
        let n2 = NodeName::new("n2").unwrap();
        let error = transport.command(&n2, &[]).unwrap_err();
        assert_eq!(error.trouble, Trouble::NotRoot { user: "admin".into() });
    }

    #[test]
    fn what_the_far_shell_sees_needs_no_quotes() {
        let transport = transport(|_| ());
        let uploaded = Start::Uploaded { nonce: "k3f9".into() };
        let words = [
            transport.agent_command(&Start::Installed),
            transport.agent_command(&uploaded),
            transport.upload_command("k3f9"),
        ];
        for word in words.concat() {
            assert!(word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-".contains(&b)), "{word}");
        }
    }
}
