//! Network namespaces and the links in them, through `ip` and `tc`. Used by cables and nodes.
//! It never names the host's own namespace: every call takes the namespace it works in.

use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::Deserialize;

use crate::program::{self, ProgramError};

use ringbolt_core::json;

/// One link as `ip -d -j link` shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Link {
    pub(crate) ifname: String,
    #[serde(default)]
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) mtu: u32,
    #[serde(default)]
    pub(crate) flags: Vec<String>,
    #[serde(default)]
    linkinfo: LinkInfo,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct LinkInfo {
    #[serde(default)]
    info_kind: String,
}

impl Link {
    /// Whether it is one end of a virtual cable.
    pub(crate) fn is_veth(&self) -> bool {
        self.linkinfo.info_kind == "veth"
    }

    /// Whether both ends are up.
    pub(crate) fn has_carrier(&self) -> bool {
        self.flags.iter().any(|flag| flag == "LOWER_UP")
    }
}

/// Where the named namespace can be opened.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from("/run/netns").join(name)
}

/// Whether a namespace of that name exists.
pub(crate) fn exists(name: &str) -> bool {
    path(name).exists()
}

/// Makes the namespace and brings its loopback up.
pub(crate) fn add(name: &str) -> Result<(), ProgramError> {
    program::run("ip", &["netns", "add", name])?;
    batch(name, "link set lo up\n")
}

/// Removes the namespace; one that is not there is fine.
pub(crate) fn remove(name: &str) -> Result<(), ProgramError> {
    if !exists(name) {
        return Ok(());
    }
    program::run("ip", &["netns", "del", name]).map(drop)
}

/// Runs lines of `ip` commands inside a namespace, stopping at the first that fails.
pub(crate) fn batch(name: &str, lines: &str) -> Result<(), ProgramError> {
    program::run_with_input("ip", &["-n", name, "-batch", "-"], lines).map(drop)
}

/// One `tc` command inside a namespace.
pub(crate) fn tc(name: &str, args: &[&str]) -> Result<(), ProgramError> {
    let mut all = vec!["-n", name];
    all.extend(args);
    program::run("tc", &all).map(drop)
}

/// All links of a namespace.
pub(crate) fn links(name: &str) -> Result<Vec<Link>, ProgramError> {
    let text = program::run("ip", &["-n", name, "-d", "-j", "link"])?;
    json::read(text.as_bytes()).map_err(|error| ProgramError::Start {
        program: "ip -j link".to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
    })
}

/// The cable end with this hardware address, whatever udev in the node has named it.
pub(crate) fn find_by_address(name: &str, address: &str) -> Result<Option<Link>, ProgramError> {
    if !exists(name) {
        return Ok(None);
    }
    Ok(links(name)?.into_iter().find(|link| link.is_veth() && link.address == address))
}

/// Moves the calling thread into the namespace.
pub(crate) fn enter(name: &str) -> std::io::Result<()> {
    let file = std::fs::File::open(path(name))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(())
}

/// Whether an interface keeps its IPv6 addresses when it is set down. One without IPv6 is left alone.
pub(crate) fn keep_addresses(name: &str, link: &str, keep: bool) {
    let path = format!("/proc/sys/net/ipv6/conf/{link}/keep_addr_on_down");
    inside(name, || {
        // Without IPv6 there is nothing to keep.
        let _ = std::fs::write(path, if keep { "1" } else { "0" });
    });
}

/// Does something on a thread of its own inside the namespace; nothing if it cannot be entered.
pub(crate) fn inside<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Option<T> {
    let entered = || enter(name).ok().map(|()| work());
    std::thread::scope(|scope| scope.spawn(entered).join().ok().flatten())
}
