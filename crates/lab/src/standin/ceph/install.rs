//! `pveceph install`: writes the repository, asks as apt does, and reveals the packages the image has.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::fail::Fail;
use super::super::handlers::text;
use super::super::schema::{Kind, Param, Params};
use super::super::{Host, Release, say};

/// The options.
pub(crate) const PARAMS: &[Param] = &[
    Param::text("allow-experimental").of(Kind::Boolean).opt(),
    Param::text("repository").of(Kind::Enum(&["enterprise", "no-subscription", "test", "manual"])).opt(),
    Param::text("version").of(Kind::Enum(&["squid", "tentacle"])).opt(),
];

const PACKAGES: &str = "ceph ceph-common ceph-fuse ceph-mds ceph-volume gdisk nvme-cli";

/// Installs.
pub(crate) fn run(
    host: &Host,
    params: &Params,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Fail> {
    let flag = host.root.run.join("pve-ceph-install-flag");
    let default = if host.release >= Release::V9_2 { "tentacle" } else { "squid" };
    let version = Some(text(params, "version")).filter(|v| !v.is_empty()).unwrap_or(default);
    let repository = Some(text(params, "repository")).filter(|r| !r.is_empty()).unwrap_or("enterprise");
    fs::create_dir_all(&host.root.run)?;
    fs::write(&flag, "")?;
    let done = install(host, version, repository, out, err);
    // The real one leaves it behind when apt fails, too, and removes it only here.
    let _ = fs::remove_file(&flag);
    done
}

fn install(
    host: &Host,
    version: &str,
    repository: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Fail> {
    if repository == "enterprise" {
        say(err, "WARN: Enterprise repository selected, but no active subscription!");
    }
    if repository == "manual" {
        say(out, "install: using manually configured repositories");
    } else {
        let place = host.root.etc.join("apt/sources.list.d/ceph.sources");
        host.write(&place, &sources(version, repository))?;
        say(out, "update available package list");
    }
    say(out, "start installation");
    say(out, &format!("The following NEW packages will be installed:\n  {PACKAGES}"));
    let held = host.root.home.join("held");
    if !host.root.usr.join("bin/ceph-mon").exists() || !host.root.usr.join("bin/ceph-osd").exists() {
        let _ = write!(out, "Do you want to continue? [Y/n] ");
        let answer = host.exec.answer();
        say(out, answer.as_deref().unwrap_or(""));
        if !answer.is_some_and(|line| line.is_empty() || line.starts_with(['y', 'Y'])) {
            say(out, "Abort.");
            return Err(Fail::die(format!(
                "command 'apt-get --no-install-recommends -o Dpkg::Options::=--force-confnew install -- {PACKAGES}' \
                 failed: exit code 1\napt failed during ceph installation (25600)"
            )));
        }
        reveal(host, &held, out)?;
    }
    say(out, "\ninstalled ceph successfully!");
    Ok(())
}

/// The repository in deb822 form.
fn sources(version: &str, repository: &str) -> String {
    let server = if repository == "enterprise" {
        "https://enterprise.proxmox.com"
    } else {
        "http://download.proxmox.com"
    };
    format!(
        "Types: deb\nURIs: {server}/debian/ceph-{version}\nSuites: trixie\nComponents: {repository}\n\
         Signed-By: /usr/share/keyrings/proxmox-archive-keyring.gpg\n"
    )
}

/// Puts programs, units and the package list's entries back.
fn reveal(host: &Host, held: &Path, out: &mut dyn Write) -> Result<(), Fail> {
    let top = host.root.usr.parent().unwrap_or(Path::new("/"));
    let image = host.root.home.join("image");
    for file in fs::read_to_string(held.join("files"))?.lines() {
        let from = image.join(file.trim_start_matches('/'));
        let to = top.join(file.trim_start_matches('/'));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        if to.symlink_metadata().is_ok() {
            continue;
        }
        match fs::read_link(&from) {
            Ok(link) => symlink(link, &to)?,
            // systemd follows no link out of its folders.
            Err(_) if file.contains("/systemd/") => {
                fs::copy(&from, &to)?;
            }
            Err(_) => symlink(&from, &to)?,
        }
    }
    let place = host.root.var.join("lib/dpkg/status");
    let status = fs::read_to_string(&place)?;
    let entries = fs::read_to_string(held.join("status"))?;
    if !status.contains("\nPackage: ceph-mon\n") {
        host.write(&place, &format!("{}\n\n{entries}", status.trim_end()))?;
    }
    for stanza in entries.split("\n\n") {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        if !field("Package: ").is_empty() {
            say(out, &format!("Setting up {} ({}) ...", field("Package: "), field("Version: ")));
        }
    }
    host.exec.run(&["systemctl", "daemon-reload"]);
    host.exec.run(&[
        "systemctl",
        "start",
        "ceph.target",
        "ceph-mon.target",
        "ceph-mgr.target",
        "ceph-osd.target",
    ]);
    Ok(())
}
