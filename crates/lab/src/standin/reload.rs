//! Reload of a node's network: the files Proxmox writes on the node, then
//! `ifreload -a`, then FRR.
//!
//! Used by `PUT /nodes/{node}/network` and by the commit at boot; the texts
//! by the dry run.

use std::path::PathBuf;

use super::fabrics::{frr, frr_local, interfaces, interfaces::Links};
use super::fail::Fail;
use super::task::Task;
use super::{Host, Release, staged};

fn links(release: Release) -> Links {
    if release == Release::V9_0 { Links::Bare } else { Links::Numbered }
}

/// `/etc/network/interfaces.d/sdn`
pub(crate) fn sdn_path(host: &Host) -> PathBuf {
    host.root.etc.join("network/interfaces.d/sdn")
}

/// `/etc/frr/frr.conf`
pub(crate) fn frr_path(host: &Host) -> PathBuf {
    host.root.etc.join("frr/frr.conf")
}

/// The text of `interfaces.d/sdn` for a configuration.
pub(crate) fn sdn_text(host: &Host, config: &super::fabrics::Config, version: u64) -> String {
    format!("#version:{version}\n{}", interfaces::stanzas(config, &host.node, links(host.release)))
}

/// The text of `frr.conf` for a configuration.
pub(crate) fn frr_text(host: &Host, config: &super::fabrics::Config) -> String {
    let local = host.read(&host.root.etc.join("frr/frr.conf.local"));
    let custom = frr_local::blocks(&local);
    frr::config(config, &host.node, host.release.versions().frr, &custom)
}

/// Does the whole reload.
pub(crate) fn node(host: &Host, with_frr: bool, task: &mut Task<'_>) -> Result<(), Fail> {
    let new = host.root.etc.join("network/interfaces.new");
    if new.exists() {
        // Whoever edited it: it is committed now.
        std::fs::rename(&new, host.root.etc.join("network/interfaces"))?;
    }
    let running = staged::running_value(host);
    let config = staged::running(host)?;
    if let Some(version) = running["version"].as_u64() {
        warn_without_source(host, task);
        host.write(&sdn_path(host), &sdn_text(host, &config, version))?;
    }
    ifreload(host, task)?;
    if with_frr {
        frr_reload(host, &config, task)?;
    }
    Ok(())
}

/// `source-directory` does not do; nor does `interfaces.d/` without the star.
fn warn_without_source(host: &Host, task: &mut Task<'_>) {
    let text = host.read(&host.root.etc.join("network/interfaces"));
    let named = |line: &str| {
        line.strip_prefix("source /etc/network/interfaces.d/")
            .is_some_and(|rest| ["sdn", ":sdn", "*"].iter().any(|k| rest.starts_with(k)))
    };
    if !text.lines().any(named) {
        task.warn("missing 'source /etc/network/interfaces.d/sdn' directive for SDN support!");
    }
}

fn ifreload(host: &Host, task: &mut Task<'_>) -> Result<(), Fail> {
    let ran = host.exec.run(&["ifreload", "-a"]);
    for line in ran.stderr.lines() {
        for kind in ["warning: ", "error: "] {
            if let Some((name, _)) = line.split_once(kind).and_then(|(_, rest)| rest.split_once(':'))
                && !name.contains(' ')
            {
                task.say(&format!("{name} : {line} "));
                break;
            }
        }
    }
    if ran.status == 0 {
        Ok(())
    } else {
        Err(Fail::die(format!("command 'ifreload -a' failed: exit code {}", ran.status)))
    }
}

fn frr_reload(host: &Host, config: &super::fabrics::Config, task: &mut Task<'_>) -> Result<(), Fail> {
    if !host.root.etc.join("frr").is_dir() {
        task.say("frr is not installed, not generating any frr configuration");
        return Ok(());
    }
    let used = config.fabrics.values().any(|fabric| fabric.nodes.contains_key(&host.node));
    let switched = daemons(host, used)?;
    host.write(&frr_path(host), &frr_text(host, config))?;
    let wanted = host.root.etc.join("systemd/system/multi-user.target.wants/frr.service");
    if std::fs::symlink_metadata(wanted).is_err() {
        let ran = host.exec.run(&["systemctl", "enable", "--now", "frr"]);
        if ran.status != 0 {
            return Err(Fail::die(format!(
                "command 'systemctl enable --now frr' failed: exit code {}",
                ran.status
            )));
        }
    }
    if !switched && frr_reload_py(host, task) {
        return Ok(());
    }
    let ran = host.exec.run(&["systemctl", "restart", "frr"]);
    if ran.status != 0 {
        task.say(&format!(
            "restarting frr failed: command 'systemctl restart frr' failed: exit code {}",
            ran.status
        ));
    }
    Ok(())
}

/// Whether the reload without restart worked.
fn frr_reload_py(host: &Host, task: &mut Task<'_>) -> bool {
    let program = host.root.usr.join("lib/frr/frr-reload.py");
    let program = program.display().to_string();
    let why = if std::path::Path::new(&program).exists() {
        let conf = frr_path(host).display().to_string();
        let ran = host.exec.run(&[&program, "--stdout", "--reload", &conf]);
        for line in ran.stderr.lines() {
            task.say(&format!("{line} "));
        }
        if ran.status == 0 {
            return true;
        }
        format!("command '{program} --stdout --reload {conf}' failed: exit code {}", ran.status)
    } else {
        format!("missing {program}. Please install the frr-pythontools package")
    };
    task.warn(&format!("reloading frr configuration failed: {why}"));
    task.say("trying to restart frr instead");
    false
}

/// Switches the daemons SDN manages; tells whether one changed.
fn daemons(host: &Host, fabricd: bool) -> Result<bool, Fail> {
    let path = host.root.etc.join("frr/daemons");
    let Ok(old) = std::fs::read_to_string(&path) else {
        return Err(Fail::die("/etc/frr/daemons file does not exist; is the frr package installed?"));
    };
    let mut new = String::new();
    for line in old.lines() {
        match line.split_once('=').map(|(key, _)| key) {
            Some("fabricd") => new.push_str(if fabricd { "fabricd=yes" } else { "fabricd=no" }),
            Some("ospfd") => new.push_str("ospfd=no"),
            _ => new.push_str(line),
        }
        new.push('\n');
    }
    let changed = new != old;
    if changed {
        host.write(&path, &new)?;
    }
    Ok(changed)
}
