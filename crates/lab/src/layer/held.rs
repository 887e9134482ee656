//! Packages that are in the image but that a bare Proxmox node does not have: their programs and units are
//! hidden and their entries taken off the package list. `pveceph install` in a node puts them back, in an
//! instant instead of minutes. `ceph-common` stays: Proxmox ships it.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use ringbolt_core::arrange::Arrange;

/// What is held back.
pub(super) const PACKAGES: &[&str] =
    &["ceph-base", "ceph-mds", "ceph-mgr", "ceph-mgr-modules-core", "ceph-mon", "ceph-osd", "ceph-volume"];

/// Folders whose files are hidden; libraries and data stay, nothing finds them without a program.
const HIDDEN: &[&str] = &["/usr/bin/", "/usr/sbin/", "/usr/lib/systemd/system/"];

/// Hides the packages in a layer above `base`; what is needed to put them back goes to `opt/ringbolt-lab/held`.
pub(super) fn hold(base: &Path, upper: &Path) -> io::Result<()> {
    const STATUS: &str = "var/lib/dpkg/status";
    let home = upper.join("opt/ringbolt-lab/held");
    fs::create_dir_all(&home)?;
    let status = fs::read_to_string(upper.join(STATUS))?;
    let ours = |stanza: &&str| {
        let name = stanza.lines().find_map(|line| line.strip_prefix("Package: "));
        name.is_some_and(|name| PACKAGES.contains(&name))
    };
    let stanzas = || status.trim_end().split("\n\n");
    let kept: Vec<&str> = stanzas().filter(|stanza| !ours(stanza)).collect();
    let held: Vec<&str> = stanzas().filter(ours).collect();
    fs::write(upper.join(STATUS), kept.join("\n\n") + "\n\n")?;
    fs::write(home.join("status"), held.join("\n\n") + "\n\n")?;
    let mut files = Vec::new();
    for package in PACKAGES {
        let list = fs::read_to_string(base.join(format!("var/lib/dpkg/info/{package}.list")))?;
        files.extend(
            list.lines().filter(|path| HIDDEN.iter().any(|top| path.starts_with(top))).map(str::to_owned),
        );
    }
    files.extend(enabled(base)?);
    files.retain(|path| {
        let place = base.join(&path[1..]);
        place.is_symlink() || place.is_file()
    });
    for path in &files {
        white_out(&upper.join(&path[1..]))?;
    }
    fs::write(home.join("files"), files.join("\n") + "\n")
}

/// Links that enable the packages' units.
fn enabled(base: &Path) -> io::Result<Vec<String>> {
    let mut links = Vec::new();
    for folder in fs::read_dir(base.join("etc/systemd/system"))? {
        let folder = folder?;
        for link in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let name = link.file_name().to_string_lossy().into_owned();
            if name.starts_with("ceph") && name != "ceph-crash.service" {
                links.push(format!("/etc/systemd/system/{}/{name}", folder.file_name().to_string_lossy()));
            }
        }
    }
    links.arrange();
    Ok(links)
}

/// Makes an overlay show nothing at that place.
fn white_out(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Ok(mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), makedev(0, 0))?)
}
