//! `/etc/pve/ceph.conf`: read, changed and written as Proxmox does it: tabs, keys sorted, sections in its order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::Host;
use super::super::fail::Fail;
use super::super::quorum;

use ringbolt_core::arrange::Arrange;

/// Sections with their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conf {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

/// The order kinds of sections are written in.
const ORDER: &[&str] = &["global", "client", "mds", "mon", "osd", "mgr"];

impl Conf {
    /// Reads a text; what is no section and no `key = value` is dropped, as there.
    pub(crate) fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        let mut section = None;
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = Some(name.to_owned());
                conf.sections.entry(name.to_owned()).or_default();
            } else if let (Some(section), Some((key, value))) = (&section, line.split_once('=')) {
                let key = key.trim().replace([' ', '-'], "_");
                conf.set(section, &key, value.trim());
            }
        }
        conf
    }

    /// The text that is written.
    pub(crate) fn text(&self) -> String {
        let rank = |name: &str| {
            let kind = name.split('.').next().unwrap_or_default();
            let at = ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len());
            (at, name.contains('.'), name.to_owned())
        };
        let mut names: Vec<&String> = self.sections.keys().collect();
        names.arrange_by_key(|name| rank(name));
        names
            .into_iter()
            .map(|name| {
                let lines: String =
                    self.sections[name].iter().map(|(key, value)| format!("\t{key} = {value}\n")).collect();
                format!("[{name}]\n{lines}\n")
            })
            .collect()
    }

    pub(crate) fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str)
    }

    pub(crate) fn set(&mut self, section: &str, key: &str, value: &str) {
        self.sections.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    pub(crate) fn remove_section(&mut self, section: &str) {
        self.sections.remove(section);
    }

    pub(crate) fn remove(&mut self, section: &str, key: &str) {
        if let Some(keys) = self.sections.get_mut(section) {
            keys.remove(key);
        }
    }

    /// Names of the sections that begin with `kind.`, without it.
    pub(crate) fn daemons(&self, kind: &str) -> Vec<String> {
        let prefix = format!("{kind}.");
        self.sections.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// The addresses in `mon_host`.
    pub(crate) fn mon_hosts(&self) -> Vec<String> {
        let hosts = self.get("global", "mon_host").unwrap_or_default();
        hosts.split([' ', ',', ';']).filter(|host| !host.is_empty()).map(str::to_owned).collect()
    }
}

fn path(host: &Host) -> PathBuf {
    host.root.etc_pve.join("ceph.conf")
}

/// What the file holds now.
pub(crate) fn load(host: &Host) -> Conf {
    Conf::parse(&host.read(&path(host)))
}

/// Replaces the file.
pub(crate) fn save(host: &Host, conf: &Conf) -> Result<(), Fail> {
    quorum::check(host)?;
    Ok(host.write(&path(host), &conf.text())?)
}

/// Holds the cluster's lock on the file until dropped.
pub(crate) fn lock(host: &Host) -> Result<std::fs::File, Fail> {
    use rustix::fs::{FlockOperation, flock};
    quorum::check(host)?;
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(host.root.etc_pve.join("priv/ringbolt-lab-ceph.lock"))?;
    for _ in 0..1200 {
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(file);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Err(Fail::die("cfs-lock 'file-ceph_conf' error: got lock request timeout"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_keys_have_their_order() {
        let text = "[mon.b]\npublic addr = 10.0.0.2\n[osd]\nx = 1\n[client.crash]\nkeyring = c\n[client]\n\
                    keyring = a # why\n[global]\nmon_host = 10.0.0.1\nfsid = f\n[mon.a]\n";
        let conf = Conf::parse(text);
        assert_eq!(
            conf.text(),
            "[global]\n\tfsid = f\n\tmon_host = 10.0.0.1\n\n[client]\n\tkeyring = a\n\n[client.crash]\n\
             \tkeyring = c\n\n[mon.a]\n\n[mon.b]\n\tpublic_addr = 10.0.0.2\n\n[osd]\n\tx = 1\n\n"
        );
        assert_eq!(Conf::parse(&conf.text()), conf);
    }
}
