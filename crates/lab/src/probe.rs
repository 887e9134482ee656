//! What this machine's kernel offers, found by trying in a throw-away network namespace: the presence of a
//! driver proves nothing, and its absence from a list neither. Used by `up` and shown by `status`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::netns;
use crate::program::{self, ProgramError};

/// What works here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Interfaces of kind dummy.
    pub dummy: bool,
    /// Interfaces of kind ifb, which can take the place of dummies.
    pub ifb: bool,
    /// Delay and partial loss on cables.
    pub netem: bool,
    /// Loss of everything on a cable.
    pub blackhole: bool,
    /// Kernel modules can be loaded on this machine.
    pub modules: bool,
    /// Volumes of the device mapper.
    pub device_mapper: bool,
}

impl Features {
    /// The kind of interface made where a node asks for a dummy.
    #[must_use]
    pub fn dummy_kind(&self) -> &'static str {
        if self.dummy || !self.ifb { "dummy" } else { "ifb" }
    }

    /// What a lab on this machine cannot show, in words.
    #[must_use]
    pub fn reduced(&self) -> Vec<String> {
        let mut reduced = vec![
            "nodes share this machine's kernel: kernel.*, vm.*, fs.* and /sys/devices/system are read-only in them"
                .to_owned(),
            "cables are virtual: no real Thunderbolt timing or throughput".to_owned(),
            "kernel modules count as built in; nodes have no initramfs".to_owned(),
            "clocks are this machine's: no time synchronisation in the nodes".to_owned(),
        ];
        if !self.dummy {
            reduced.push("no dummy interfaces in this kernel: ifb interfaces take their place".to_owned());
        }
        if !self.netem {
            reduced.push("no netem in this kernel: no delay, no partial loss".to_owned());
        }
        if !self.device_mapper {
            reduced.push("no device mapper in this kernel: no LVM volumes for disks".to_owned());
        }
        reduced
    }
}

/// Why no lab can run here at all.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Not root.
    #[error("a lab needs root: it makes namespaces, mounts and cgroups (run it with sudo)")]
    NotRoot,
    /// Programs are missing.
    #[error("missing here: {}; install with `apt-get install {}`", .0.join(", "), .0.join(" "))]
    Packages(Vec<&'static str>),
    /// Something the lab cannot do without does not work.
    #[error("{what} does not work here: {source}")]
    Kernel {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: ProgramError,
    },
}

/// Tries everything once.
///
/// # Errors
/// No root, missing programs, or no namespaces, virtual cables or overlays.
pub fn probe(dir: &Path) -> Result<Features, ProbeError> {
    if !rustix::process::geteuid().is_root() {
        return Err(ProbeError::NotRoot);
    }
    let missing = program::missing_packages();
    if !missing.is_empty() {
        return Err(ProbeError::Packages(missing));
    }
    overlay(dir).map_err(|source| ProbeError::Kernel { what: "an overlay over the lab's folder", source })?;
    let name = format!("rb-probe-{}", std::process::id());
    netns::add(&name).map_err(|source| ProbeError::Kernel { what: "a network namespace", source })?;
    let features = in_namespace(&name);
    netns::remove(&name)
        .map_err(|source| ProbeError::Kernel { what: "removing a network namespace", source })?;
    features
}

fn in_namespace(name: &str) -> Result<Features, ProbeError> {
    let works = |lines: &str| netns::batch(name, lines).is_ok();
    netns::batch(name, "link add v0 type veth peer name v1\n")
        .map_err(|source| ProbeError::Kernel { what: "a virtual cable (veth)", source })?;
    netns::batch(name, "link add b0 type bridge\n")
        .map_err(|source| ProbeError::Kernel { what: "a bridge", source })?;
    let dummy = works("link add d0 type dummy\n");
    Ok(Features {
        dummy,
        ifb: works("link add i0 type ifb\n"),
        netem: netns::tc(name, &["qdisc", "add", "dev", "v0", "root", "netem", "loss", "10%"]).is_ok(),
        blackhole: netns::tc(name, &["qdisc", "replace", "dev", "v0", "root", "blackhole"]).is_ok(),
        modules: Path::new("/proc/modules").exists(),
        device_mapper: Path::new("/sys/class/misc/device-mapper").exists(),
    })
}

/// An overlay needs a file system below that can carry one; another overlay often cannot.
fn overlay(dir: &Path) -> Result<(), ProgramError> {
    const TRY: &str = r#"mkdir -p "$1/l" "$1/u" "$1/w" "$1/m"
mount -t overlay rb-probe -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" "$1/m" && umount "$1/m""#;
    let folder = tempfile::Builder::new()
        .prefix("probe-")
        .tempdir_in(dir)
        .map_err(|source| ProgramError::Start { program: format!("a probe in {}", dir.display()), source })?;
    let args = [
        "-m".as_ref(),
        "sh".as_ref(),
        "-ec".as_ref(),
        TRY.as_ref(),
        "probe".as_ref(),
        folder.path().as_os_str(),
    ];
    program::run("unshare", &args).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let none = Features::default();
        assert!(none.reduced().iter().any(|line| line.contains("ifb")));
        assert!(none.reduced().iter().any(|line| line.contains("netem")));
        let full = Features {
            dummy: true,
            ifb: true,
            netem: true,
            blackhole: true,
            modules: true,
            device_mapper: true,
        };
        assert!(full.reduced().len() < none.reduced().len());
        assert_eq!(full.dummy_kind(), "dummy");
        assert_eq!(Features { ifb: true, ..none }.dummy_kind(), "ifb");
    }
}
