//! `pveversion [--verbose]`, in the form of the real command.

use std::io::Write;

use super::{Host, say};

/// Prints the versions of the release the node behaves as.
pub(crate) fn run(host: &Host, args: &[String], out: &mut dyn Write) -> i32 {
    let v = host.release.versions();
    let kernel = host.read(&host.root.proc.join("sys/kernel/osrelease"));
    let kernel = kernel.trim();
    if !args.iter().any(|arg| matches!(arg.as_str(), "-v" | "--verbose")) {
        say(out, &format!("pve-manager/{}/{} (running kernel: {kernel})", v.manager, v.repoid));
        return 0;
    }
    say(out, &format!("proxmox-ve: {}.0 (running kernel: {kernel})", v.release));
    say(out, &format!("pve-manager: {} (running version: {}/{})", v.manager, v.manager, v.repoid));
    for (package, version) in packages(host.release) {
        say(out, &format!("{package}: {version}"));
    }
    0
}

/// Packages by which the release is known.
pub(crate) fn packages(release: super::Release) -> [(&'static str, &'static str); 3] {
    let v = release.versions();
    [("ifupdown2", "3.3.0-1+pmx10"), ("libpve-network-perl", v.network), ("libpve-rs-perl", v.rs)]
}
