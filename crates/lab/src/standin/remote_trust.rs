//! How the nodes of a cluster trust each other over ssh.
//!
//! Used by the membership service when a node has a majority: as on a real
//! cluster, root's key of every node stands in `/etc/pve/priv/authorized_keys`
//! (to which root's own file is a link), and every node's host key in
//! `/etc/pve/nodes/<name>/ssh_known_hosts`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Host;
use super::host::Member;

/// Adds this node's keys.
pub(crate) fn join(host: &Host, me: &Member) -> io::Result<()> {
    let home = host.root.etc.parent().unwrap_or(Path::new("/")).join("root/.ssh");
    fs::create_dir_all(&home)?;
    let own = own_key(host, &home)?;
    let shared = host.root.etc_pve.join("priv/authorized_keys");
    let link = home.join("authorized_keys");
    let mut lines = host.read(&shared);
    let is_link = fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_symlink());
    if !is_link {
        merge(&mut lines, &host.read(&link));
    }
    merge(&mut lines, &own);
    if lines != host.read(&shared) {
        host.write(&shared, &lines)?;
    }
    if !is_link {
        let staged = home.join(".authorized_keys.new");
        let _ = fs::remove_file(&staged);
        std::os::unix::fs::symlink(&shared, &staged)?;
        fs::rename(&staged, &link)?;
    }
    let host_key = host.read(&host.root.etc.join("ssh/ssh_host_ed25519_key.pub"));
    if !host_key.is_empty() {
        let known = host.root.etc_pve.join("nodes").join(&me.name).join("ssh_known_hosts");
        host.write(&known, &format!("{} {}\n", me.name, host_key.trim()))?;
    }
    Ok(())
}

fn own_key(host: &Host, home: &Path) -> io::Result<String> {
    let private: PathBuf = home.join("id_rsa");
    let public = home.join("id_rsa.pub");
    if !public.exists() {
        let path = private.display().to_string();
        let comment = format!("root@{}", host.node);
        let ran = host.exec.run(&[
            "ssh-keygen",
            "-q",
            "-t",
            "rsa",
            "-b",
            "2048",
            "-N",
            "",
            "-C",
            &comment,
            "-f",
            &path,
        ]);
        if ran.status != 0 {
            return Err(io::Error::other(ran.stderr.trim().to_owned()));
        }
    }
    fs::read_to_string(public)
}

/// Adds the lines that are not there yet.
fn merge(lines: &mut String, more: &str) {
    for line in more.lines().filter(|line| !line.trim().is_empty()) {
        if !lines.lines().any(|have| have == line) {
            if !lines.is_empty() && !lines.ends_with('\n') {
                lines.push('\n');
            }
            lines.push_str(line);
            lines.push('\n');
        }
    }
}
