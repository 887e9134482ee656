//! Adds a public key to root's `authorized_keys`, once.
//!
//! On Proxmox VE that file is a link to `/etc/pve/priv/authorized_keys`, shared by the cluster; the link stays. Lines
//! of others are never touched.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

use ringbolt_core::wire::Failure;

use super::{Outcome, Scene};

/// Where sshd looks.
const KEYS: &str = "/root/.ssh/authorized_keys";

/// Adds the line, unless its key is there already.
pub(super) fn authorize(scene: &Scene<'_>, line: &str) -> Outcome {
    let (line, key) = checked(line)?;
    let place = place(scene)?;
    let here = scene.root.at(&place);
    let fault = |e: std::io::Error| Failure::broken(format!("cannot read {}: {e}", place.display()));
    let (mut text, mode) = match std::fs::read(&here) {
        Ok(text) => (text, std::fs::metadata(&here).map_err(fault)?.mode() & 0o7777),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Vec::new(), 0o600),
        Err(error) => return Err(fault(error)),
    };
    let known = |have: &[u8]| have.split(u8::is_ascii_whitespace).any(|word| word == key.as_bytes());
    let comment = |have: &[u8]| have.trim_ascii_start().starts_with(b"#");
    if text.split(|b| *b == b'\n').any(|have| known(have) && !comment(have)) {
        return Ok("already there".into());
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend_from_slice(line.as_bytes());
    text.push(b'\n');
    let done = scene.disk().write(&place.to_string_lossy(), &text, mode, None)?;
    Ok(format!("{} {done}", place.display()))
}

/// The line as it may be added, and the key in it. Options before the key are refused.
fn checked(line: &str) -> Result<(&str, &str), Failure> {
    let line = line.trim();
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    let kinds = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"];
    let sound = kinds.iter().any(|k| kind.starts_with(k)) && key.len() > 40 && key.bytes().all(base64);
    if !sound || line.contains(|c: char| c.is_control()) {
        return Err(Failure::refused("that is no public key line"));
    }
    Ok((line, key))
}

/// The file to write, links followed; its folder is made where missing.
fn place(scene: &Scene<'_>) -> Result<PathBuf, Failure> {
    let mut place = PathBuf::from(KEYS);
    for _ in 0..4 {
        match std::fs::read_link(scene.root.at(&place)) {
            Ok(target) => place = place.parent().map(|folder| folder.join(&target)).unwrap_or(target),
            Err(_) => {
                let ssh = scene.root.at("/root/.ssh");
                if !ssh.exists() {
                    let made = DirBuilder::new().mode(0o700).create(&ssh);
                    made.map_err(|e| Failure::broken(format!("cannot make /root/.ssh: {e}")))?;
                }
                return Ok(place);
            }
        }
    }
    Err(Failure::refused(format!("{KEYS} is a link to a link to a link")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use super::*;
    use crate::root::Root;
    use crate::stop::Stop;

    const LINE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb me@desk";

    fn add(top: &Path, line: &str) -> Outcome {
        let root = Root::open(top, None);
        let scene = Scene { root: &root, run: "r", step: "s", stop: &Stop::default(), say: &|_| () };
        authorize(&scene, line)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn the_first_key_makes_a_private_file_and_the_second_time_changes_nothing() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("root")).unwrap();
        add(top.path(), LINE).unwrap();
        let file = top.path().join("root/.ssh/authorized_keys");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{LINE}\n"));
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(add(top.path(), &LINE.replace("me@desk", "other")).unwrap(), "already there");
    }

    #[test]
    fn a_link_into_pve_is_followed_and_stays_and_a_missing_line_end_is_made_good() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("root/.ssh")).unwrap();
        std::fs::create_dir_all(top.path().join("etc/pve/priv")).unwrap();
        let real = top.path().join("etc/pve/priv/authorized_keys");
        std::fs::write(&real, format!("#{LINE}\nssh-rsa AAAA root@n2")).unwrap();
        let link = top.path().join("root/.ssh/authorized_keys");
        std::os::unix::fs::symlink("/etc/pve/priv/authorized_keys", &link).unwrap();
        add(top.path(), LINE).unwrap();
        let text = std::fs::read_to_string(&real).unwrap();
        assert_eq!(text, format!("#{LINE}\nssh-rsa AAAA root@n2\n{LINE}\n"));
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn what_is_no_plain_key_is_refused() {
        let top = tempfile::tempdir().unwrap();
        for bad in ["", "command=\"x\" ssh-ed25519 AAAA", "ssh-ed25519 AAAA", &format!("{LINE}\nssh-rsa x")] {
            assert!(add(top.path(), bad).is_err(), "{bad:?}");
        }
        assert!(!top.path().join("root").exists());
    }
}
