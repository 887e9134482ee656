//! Gets a node's host key, has it looked at, and adds it to the user's known hosts.
//!
//! ssh itself records the key, in a file of ours first, so that host aliases, jump hosts, ports and hashed names come
//! out as ssh will look for them.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ringbolt_core::name::NodeName;
use tokio::process::Command;

use super::{SetupError, Talk};
use crate::transport::{Ended, SshTransport, Transport, expand_home};

/// Meets a node; the file its key was added to.
pub(super) async fn meet(
    transport: &SshTransport,
    node: &NodeName,
    talk: &mut dyn Talk,
) -> Result<PathBuf, SetupError> {
    let folder = tempfile::tempdir().map_err(SetupError::here("make a temporary folder"))?;
    let fresh = folder.path().join("known_hosts");
    let said = record(transport, node, &fresh).await?;
    let lines = std::fs::read_to_string(&fresh).unwrap_or_default();
    if lines.trim().is_empty() {
        return Err(transport.explain(node, &Ended { status: Some(255), said }).into());
    }
    let fingerprint = fingerprint(&fresh).await?;
    let target = transport.error(node, crate::transport::Trouble::HostKeyUnknown, "").target;
    if !talk.accept_host_key(node, &target, &fingerprint) {
        return Err(SetupError::HostKeyDeclined(node.clone()));
    }
    let known = known_hosts(transport, node).await?;
    append(&known, &lines).map_err(SetupError::here(format!("add the key to {}", known.display())))?;
    Ok(known)
}

/// Lets ssh write the key it is shown to a file, without logging in; what it said.
async fn record(transport: &SshTransport, node: &NodeName, file: &Path) -> Result<String, SetupError> {
    let known = format!("UserKnownHostsFile={}", file.display());
    let options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=accept-new",
        &known,
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "PreferredAuthentications=none",
    ];
    let flags: Vec<&str> = options.iter().flat_map(|o| ["-o", o]).collect();
    let mut command = transport.command(node, &flags)?;
    command.arg("true").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(SetupError::here("start ssh"))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `SHA256:… (ED25519)`, of the key in a known hosts file.
async fn fingerprint(file: &Path) -> Result<String, SetupError> {
    let mut command = Command::new("ssh-keygen");
    command.arg("-l").arg("-f").arg(file).stdin(Stdio::null());
    let output = command.output().await.map_err(SetupError::here("start ssh-keygen"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let shown = text.lines().next().and_then(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(format!("{} {}", words.get(1)?, words.last()?))
    });
    shown.ok_or_else(|| SetupError::Tool {
        program: "ssh-keygen -l",
        said: String::from_utf8_lossy(&output.stderr).trim().into(),
    })
}

/// The values ssh would use for a node, for one option of `ssh -G`.
pub(super) async fn configured(
    transport: &SshTransport,
    node: &NodeName,
    option: &str,
) -> Result<Vec<String>, SetupError> {
    let mut command = transport.command(node, &["-G"])?;
    command.stdin(Stdio::null());
    let output = command.output().await.map_err(SetupError::here("start ssh"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().into();
        return Err(SetupError::Tool { program: "ssh -G", said });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let of_option = |line: &str| line.strip_prefix(option)?.strip_prefix(' ').map(str::to_owned);
    Ok(text.lines().filter_map(of_option).collect())
}

/// The file ssh adds host keys to.
async fn known_hosts(transport: &SshTransport, node: &NodeName) -> Result<PathBuf, SetupError> {
    let configured = configured(transport, node, "userknownhostsfile").await?;
    let first = configured.first().and_then(|files| files.split_whitespace().next()).unwrap_or("none");
    if matches!(first, "none" | "/dev/null") {
        let said =
            "UserKnownHostsFile is off, so no host key can be remembered; pin it with host_key in the spec";
        return Err(SetupError::Tool { program: "ssh -G", said: said.into() });
    }
    Ok(expand_home(first))
}

/// Adds lines at the end of a file in one write, as ssh does, beginning on a line of their own.
fn append(file: &Path, lines: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let mut text = String::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(lines.trim_end());
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_gets_a_line_of_its_own_whatever_the_file_ends_with() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/known_hosts");
        append(&file, "a ssh-ed25519 AAAA\n").unwrap();
        std::fs::write(&file, "old without end").unwrap();
        append(&file, "b ssh-ed25519 BBBB\n\n").unwrap();
        append(&file, "c ssh-ed25519 CCCC").unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "old without end\nb ssh-ed25519 BBBB\nc ssh-ed25519 CCCC\n");
    }
}
