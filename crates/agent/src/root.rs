//! Where the node's files are, and whether it is a real machine or a lab node.
//!
//! Real use has `/` as top; tests have a folder of their own. Programs always act on the real
//! machine.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ringbolt_core::facts::Realm;
use ringbolt_core::json;
use serde::Deserialize;

/// Says that this is a lab node; absent on real machines.
const REALM: &str = "/etc/ringbolt/realm.json";

/// Folder of everything the agent keeps on a node; root's alone.
pub(crate) const HOME: &str = "/var/lib/ringbolt";

/// The node's file tree.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    top: PathBuf,
    /// Where the Thunderbolt part of sysfs is read, and disks where they are stood in for.
    pub(crate) sysfs: PathBuf,
    /// Real machine or lab.
    pub(crate) realm: Realm,
}

/// What `realm.json` holds.
#[derive(Default, Deserialize)]
struct RealmFile {
    lab: Option<String>,
    sysfs: Option<PathBuf>,
    #[serde(default)]
    stand_ins: Vec<String>,
}

impl Root {
    /// Looks at the tree below `top`. `sysfs` replaces `/sys` for the Thunderbolt part; a lab node
    /// names its own.
    pub(crate) fn open(top: &Path, sysfs: Option<&Path>) -> Self {
        let mut root = Self { top: top.to_owned(), sysfs: PathBuf::new(), realm: Realm::default() };
        let file: RealmFile =
            std::fs::read(root.at(REALM)).ok().and_then(|text| json::read(&text).ok()).unwrap_or_default();
        root.sysfs = sysfs.map(Path::to_owned).or(file.sysfs).unwrap_or_else(|| root.at("/sys"));
        root.realm = Realm { lab: file.lab, stand_ins: file.stand_ins };
        root
    }

    /// Where an absolute path of the node is.
    pub(crate) fn at(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let path = absolute.as_ref();
        self.top.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The agent's own folder, made where it is missing: root's alone, and no link.
    pub(crate) fn home(&self) -> std::io::Result<PathBuf> {
        let home = self.at(HOME);
        DirBuilder::new().recursive(true).mode(0o700).create(&home)?;
        let about = std::fs::symlink_metadata(&home)?;
        if !about.is_dir() {
            return Err(std::io::Error::other(format!("{HOME} is not a folder")));
        }
        if about.permissions().mode() & 0o077 != 0 {
            std::fs::set_permissions(&home, Permissions::from_mode(0o700))?;
        }
        Ok(home)
    }

    /// A small file's text without the blanks around it; `None` when it cannot be read.
    pub(crate) fn line(&self, absolute: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.at(absolute)).ok()?.trim().to_owned())
    }
}
