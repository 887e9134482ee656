//! The root file system all nodes share: Debian 13 with what a Proxmox node has, built once by `mmdebstrap` and
//! kept by the digest of what went into it. Never changed after it is built; nodes see it through overlays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use crate::program::{self, ProgramError};
use crate::state::{StateError, file_error};

use ringbolt_core::arrange::Arrange;

/// Raise it when the way the image is built changes.
const VERSION: u32 = 1;

/// What is installed in a node.
const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "libpam-systemd",
    "openssh-server",
    "iproute2",
    "iputils-ping",
    "ifupdown2",
    "bridge-utils",
    "frr",
    "frr-pythontools",
    "ceph-mon",
    "ceph-mgr",
    "ceph-osd",
    "ceph-mds",
    "ceph-fuse",
    "ceph-volume",
    "ceph-common",
    "ceph-base",
    "iperf3",
    "fping",
    "fio",
    "lvm2",
    "nvme-cli",
    "pciutils",
    "kmod",
    "jq",
    "chrony",
    "ethtool",
    "tcpdump",
    "procps",
    "less",
    "nftables",
    "python3",
    "gdisk",
    "xfsprogs",
    "sudo",
    "ca-certificates",
];

/// Folders of packages nobody reads in a lab node.
const LEFT_OUT: &[&str] =
    &["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

/// Runs at the end of the build, `$1` being the new root: keeps the packages a bare node has to install for
/// itself, and removes what must differ from node to node.
const FINISH: &str = r#"set -e
chroot "$1" sh -ec '
mkdir -p /opt/ringbolt-lab/apt
cd /opt/ringbolt-lab/apt
apt-get -s purge --auto-remove frr frr-pythontools | sed -n "s/^Purg \([^ ]*\).*/\1/p" | xargs apt-get -q download
chmod 644 *.deb
'
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/resolv.conf "$1"/etc/hostname
: > "$1"/etc/machine-id
"#;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A program is missing or failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The cache cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The build failed.
    #[error("building the node image failed: {reason} (all of it: {})", log.display())]
    Build {
        /// The last lines of the log.
        reason: String,
        /// The whole log.
        log: PathBuf,
    },
}

/// Where images and layers are kept: `$RINGBOLT_LAB_CACHE`, else `/var/cache/ringbolt/lab`.
#[must_use]
pub fn cache() -> PathBuf {
    std::env::var_os("RINGBOLT_LAB_CACHE")
        .map_or_else(|| PathBuf::from("/var/cache/ringbolt/lab"), PathBuf::from)
}

/// Short digest of what the image is made of.
#[must_use]
pub fn digest() -> String {
    let parts = [PACKAGES.join(" "), LEFT_OUT.join(" "), FINISH.to_owned(), mirror(), VERSION.to_string()];
    short_digest(parts.iter().map(String::as_bytes))
}

/// Sixteen hex digits over the parts, each closed off from the next.
pub(crate) fn short_digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mirror() -> String {
    std::env::var("RINGBOLT_LAB_MIRROR").unwrap_or_else(|_| "http://deb.debian.org/debian".to_owned())
}

/// Whether [`ensure`] would return at once.
#[must_use]
pub fn is_built() -> bool {
    folder().exists()
}

/// Where the image of this program is, built or not.
pub(crate) fn folder() -> PathBuf {
    cache().join(format!("base-{}", digest()))
}

/// Holds the cache until dropped, so that two labs do not build the same thing twice.
pub(crate) fn lock_cache() -> Result<fs::File, StateError> {
    let cache = cache();
    fs::create_dir_all(&cache).map_err(file_error(&cache))?;
    let path = cache.join("lock");
    let file = fs::File::create(&path).map_err(file_error(&path))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|errno| file_error(&path)(errno.into()))?;
    Ok(file)
}

/// The image, built now if the cache does not have it (about a minute, and 600 MB).
///
/// # Errors
/// `mmdebstrap` is missing or fails (no network, no space), or the cache cannot be written.
pub fn ensure() -> Result<PathBuf, ImageError> {
    let folder = folder();
    // It stands there whole or not at all: nobody who builds another one is waited for.
    if folder.exists() {
        return Ok(folder);
    }
    let _lock = lock_cache()?;
    if folder.exists() {
        return Ok(folder);
    }
    let partial = folder.with_extension("partial");
    remove(&partial)?;
    build(&partial, &folder.with_extension("log"))?;
    index_packages(&partial.join("opt/ringbolt-lab/apt"))?;
    fs::rename(&partial, &folder).map_err(file_error(&folder))?;
    Ok(folder)
}

/// Removes a folder of the cache with everything in it.
pub(crate) fn remove(folder: &Path) -> Result<(), StateError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(folder)(error)),
        _ => Ok(()),
    }
}

fn build(target: &Path, log: &Path) -> Result<(), ImageError> {
    let finish = log.with_extension("finish");
    fs::write(&finish, format!("#!/bin/sh\n{FINISH}")).map_err(file_error(&finish))?;
    fs::set_permissions(&finish, fs::Permissions::from_mode(0o755)).map_err(file_error(&finish))?;
    let output = fs::File::create(log).map_err(file_error(log))?;
    let errors = output.try_clone().map_err(file_error(log))?;
    let mut command = program::command("mmdebstrap");
    command
        .args(["--mode=root", "--variant=minbase", "--format=directory"])
        .arg(format!("--include={}", PACKAGES.join(",")))
        .arg("--aptopt=Acquire::Languages \"none\"")
        .args(LEFT_OUT.iter().map(|path| format!("--dpkgopt=path-exclude={path}")))
        .arg("--dpkgopt=force-unsafe-io")
        .arg(format!("--customize-hook={}", finish.display()))
        .arg("trixie")
        .arg(target)
        .arg(mirror());
    let status = command
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .map_err(|source| program::start_error("mmdebstrap", source))?;
    // The hook file is part of the build, not of the image.
    let _ = fs::remove_file(&finish);
    if status.success() {
        return Ok(());
    }
    remove(target)?;
    let reason = program::tail(&fs::read_to_string(log).unwrap_or_default(), 4);
    Err(ImageError::Build { reason, log: log.to_owned() })
}

/// Writes the index that makes a folder of packages a repository.
fn index_packages(folder: &Path) -> Result<(), ImageError> {
    let mut index = String::new();
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(file_error(folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    names.arrange();
    for path in names {
        let fields = program::run("dpkg-deb", &["-f".as_ref(), path.as_os_str()])?;
        let content = fs::read(&path).map_err(file_error(&path))?;
        let sum: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        index.push_str(fields.trim_end());
        index.push_str(&format!("\nFilename: ./{name}\nSize: {}\nSHA256: {sum}\n\n", content.len()));
    }
    let path = folder.join("Packages");
    fs::write(&path, index).map_err(file_error(&path))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_closes_off_its_parts() {
        let one = short_digest([b"ab".as_slice(), b"c"].into_iter());
        let two = short_digest([b"a".as_slice(), b"bc"].into_iter());
        assert_ne!(one, two);
        assert_eq!(one.len(), 16);
    }
}
