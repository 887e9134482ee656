//! Which public key of the user's the nodes get: the spec's, else the ssh agent's, else a file of ssh's own list, else a
//! new one.
//!
//! Private keys are neither read nor sent.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use ringbolt_core::name::NodeName;
use tokio::process::Command;

use super::meet::configured;
use super::{SetupError, Talk};
use crate::transport::{SshTransport, expand_home};

/// A public key as one line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) line: String,
}

impl PublicKey {
    pub(super) fn of(text: &str) -> Option<Self> {
        let line = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'))?;
        let kind = line.split_once(' ')?.0;
        let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|k| kind.starts_with(k));
        known.then(|| Self { line: line.to_owned() })
    }

    /// Type and comment, for people.
    pub(super) fn shown(&self) -> String {
        let words: Vec<&str> = self.line.splitn(3, ' ').collect();
        [words.first(), words.get(2)].into_iter().flatten().copied().collect::<Vec<_>>().join(" ")
    }
}

/// The key to give to a node.
pub(super) async fn public_key(
    transport: &SshTransport,
    node: &NodeName,
    talk: &mut dyn Talk,
) -> Result<PublicKey, SetupError> {
    if let Some(identity) = transport.identity() {
        return from_file_or_new(identity, talk).await;
    }
    if let Some(key) = from_agent().await {
        return Ok(key);
    }
    let files: Vec<PathBuf> =
        configured(transport, node, "identityfile").await?.iter().map(|f| expand_home(f)).collect();
    for file in &files {
        if let Some(key) = from_file(file).await {
            return Ok(key);
        }
    }
    let usual = expand_home("~/.ssh/id_ed25519");
    let new = if files.contains(&usual) { usual } else { files.into_iter().next().unwrap_or(usual) };
    from_file_or_new(&new, talk).await
}

async fn from_agent() -> Option<PublicKey> {
    std::env::var_os("SSH_AUTH_SOCK")?;
    let output = Command::new("ssh-add").arg("-L").stdin(Stdio::null()).output().await.ok()?;
    output.status.success().then(|| PublicKey::of(&String::from_utf8_lossy(&output.stdout)))?
}

/// The public half of a key file: from beside it, else as ssh-keygen tells it.
async fn from_file(private: &Path) -> Option<PublicKey> {
    let mut beside = private.as_os_str().to_owned();
    beside.push(".pub");
    if let Ok(text) = std::fs::read_to_string(&beside) {
        return PublicKey::of(&text);
    }
    if !private.exists() {
        return None;
    }
    let mut command = Command::new("ssh-keygen");
    command.args(["-y", "-P", "", "-f"]).arg(private).stdin(Stdio::null());
    let output = command.output().await.ok()?;
    output.status.success().then(|| PublicKey::of(&String::from_utf8_lossy(&output.stdout)))?
}

async fn from_file_or_new(private: &Path, talk: &mut dyn Talk) -> Result<PublicKey, SetupError> {
    if let Some(key) = from_file(private).await {
        return Ok(key);
    }
    if private.exists() || !talk.make_key(private) {
        return Err(SetupError::NoKey);
    }
    if let Some(folder) = private.parent() {
        use std::os::unix::fs::DirBuilderExt;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(SetupError::here(format!("make {}", folder.display())))?;
    }
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(private).stdin(Stdio::null());
    let output = command.output().await.map_err(SetupError::here("start ssh-keygen"))?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    from_file(private).await.ok_or_else(|| SetupError::Tool { program: "ssh-keygen", said: said() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_is_shown_without_its_long_part() {
        let key = PublicKey::of("# mine\nssh-ed25519 AAAA me at my desk\n").unwrap();
        assert_eq!(key.shown(), "ssh-ed25519 me at my desk");
        assert_eq!(PublicKey::of("ssh-ed25519 AAAA").unwrap().shown(), "ssh-ed25519");
        assert_eq!(PublicKey::of("The agent has no identities."), None);
    }
}
