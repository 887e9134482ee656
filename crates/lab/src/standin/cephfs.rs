//! A storage on CephFS is mounted by every node that looks at its storages, as `pvestatd` does every few seconds: by a
//! mount unit in `/run`, which systemd takes off before the network goes.
//!
//! Used by `pvesm status` and `/nodes/{node}/storage`. Always by `ceph-fuse`: a lab's kernel need not know Ceph.

use std::fs;
use std::path::Path;

use super::Host;
use super::fail::Fail;

/// Folders that each kind of content has in a storage of files.
const FOLDERS: [(&str, &str); 4] =
    [("backup", "dump"), ("iso", "template/iso"), ("vztmpl", "template/cache"), ("snippets", "snippets")];

/// One storage on CephFS.
pub(super) struct Files<'a> {
    /// Its name.
    pub(super) id: &'a str,
    /// Where it is mounted.
    pub(super) path: &'a str,
    /// The file system, where there are several.
    pub(super) name: Option<&'a str>,
    /// Kinds of content, parted by commas.
    pub(super) content: &'a str,
}

impl Files<'_> {
    /// Mounts it where it is not, and makes its folders.
    pub(super) fn activate(&self, host: &Host) -> Result<(), Fail> {
        if !self.is_mounted(host) {
            self.mount(host)?;
        }
        let asked = |kind: &str| self.content.split(',').any(|word| word == kind);
        for (_, folder) in FOLDERS.iter().filter(|(kind, _)| asked(kind)) {
            fs::create_dir_all(Path::new(self.path).join(folder))?;
        }
        Ok(())
    }

    fn is_mounted(&self, host: &Host) -> bool {
        let mounts = host.read(&host.root.proc.join("self/mounts"));
        mounts.lines().any(|line| {
            let mut words = line.split(' ').skip(1);
            words.next() == Some(self.path) && words.next().is_some_and(|kind| kind.starts_with("fuse"))
        })
    }

    fn mount(&self, host: &Host) -> Result<(), Fail> {
        let escaped = host.exec.run(&["systemd-escape", "--path", "--suffix=mount", self.path]);
        let unit = escaped.stdout.trim();
        if escaped.status != 0 || unit.is_empty() {
            return Err(Fail::die(format!("unable to name a unit for '{}'", self.path)));
        }
        host.write(&host.root.run.join("systemd/system").join(unit), &self.unit())?;
        fs::create_dir_all(self.path)?;
        for words in [&["systemctl", "daemon-reload"][..], &["systemctl", "start", unit]] {
            let ran = host.exec.run(words);
            if ran.status != 0 {
                return Err(Fail::die(format!("mount error: {}", ran.stderr.trim())));
            }
        }
        Ok(())
    }

    fn unit(&self) -> String {
        let mut options = format!(
            "ceph.id=admin,ceph.keyfile=/etc/pve/priv/ceph/{}.secret,ceph.conf=/etc/pve/ceph.conf",
            self.id
        );
        if let Some(name) = self.name {
            options += &format!(",ceph.client_fs={name}");
        }
        format!(
            "[Unit]
Description={path}
DefaultDependencies=no
Wants=network-online.target
After=network-online.target
Before=remote-fs.target umount.target
Conflicts=umount.target

[Mount]
Where={path}
What=none
Type=fuse.ceph
Options={options}
TimeoutSec=30
",
            path = self.path
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_names_user_key_and_file_system() {
        let files = Files { id: "files", path: "/mnt/pve/files", name: Some("files"), content: "iso" };
        let unit = files.unit();
        assert!(unit.contains(
            "\nOptions=ceph.id=admin,ceph.keyfile=/etc/pve/priv/ceph/files.secret,ceph.conf=/etc/pve/ceph.conf,\
             ceph.client_fs=files\n"
        ));
        assert!(unit.contains("\nWhere=/mnt/pve/files\n") && unit.contains("\nType=fuse.ceph\n"));
        assert!(!Files { name: None, ..files }.unit().contains("client_fs"));
    }
}
