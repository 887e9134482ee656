//! `/etc/pve/ceph.conf`: written by Proxmox VE's tools, read here. Nothing of it is ever written by us.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::arrange::Arrange;

/// The file, one for the whole cluster of Proxmox VE.
pub const PATH: &str = "/etc/pve/ceph.conf";

/// The file by sections and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conf {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

/// Reads the file. Comments and what is neither section nor `key = value` are passed over; blanks and
/// dashes in a key are underscores, as Ceph reads them.
pub fn read(text: &str) -> Conf {
    let mut conf = Conf::default();
    let mut section = "global".to_owned();
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            name.trim().clone_into(&mut section);
            conf.sections.entry(section.clone()).or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().replace([' ', '-'], "_");
            conf.sections.entry(section.clone()).or_default().insert(key, value.trim().to_owned());
        }
    }
    conf
}

/// The cluster's id in the text of the file.
pub fn fsid_of(text: &str) -> Option<&str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.find(|(key, _)| key.trim() == "fsid").map(|(_, value)| value.trim()).filter(|id| !id.is_empty())
}

impl Conf {
    /// A value, by section without brackets and key with underscores.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str)
    }

    /// Everything it says: section, key, value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.sections.iter().flat_map(|(section, keys)| {
            keys.iter().map(move |(k, v)| (section.as_str(), k.as_str(), v.as_str()))
        })
    }

    /// The cluster's id, see also [`fsid_of`].
    pub fn fsid(&self) -> Option<&str> {
        self.get("global", "fsid").filter(|f| !f.is_empty())
    }

    /// Addresses of the monitors as `mon_host` and the monitors' own sections tell, sorted.
    pub fn monitors(&self) -> Vec<IpAddr> {
        let hosts = self.get("global", "mon_host").unwrap_or_default();
        let own = self.sections.iter().filter(|(name, _)| name.starts_with("mon."));
        let own = own.filter_map(|(_, keys)| keys.get("public_addr").map(String::as_str));
        let mut list: Vec<IpAddr> = hosts
            .split([' ', ',', ';'])
            .chain(own)
            .filter_map(|word| address(word.trim().trim_matches(['[', ']'])))
            .collect();
        list.arrange();
        list.dedup();
        list
    }

    /// Ids of the monitors that have a section of their own.
    pub fn monitor_ids(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().filter_map(|name| name.strip_prefix("mon."))
    }

    /// A network of `[global]`: `public_network` or `cluster_network`. `None` when it is not said or not
    /// one network.
    pub fn network(&self, key: &str) -> Option<IpNet> {
        let net: IpNet = self.get("global", key)?.trim().parse().ok()?;
        Some(net.trunc())
    }
}

/// An address, or one as monitors are written: `v2:10.0.0.1:3300/0`, `10.0.0.1:6789`.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.strip_prefix("v2:").or_else(|| word.strip_prefix("v1:")).unwrap_or(word);
    let word = word.split('/').next().unwrap_or(word);
    let plain = word.trim_matches(['[', ']']);
    plain.parse().ok().or_else(|| word.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[global]\n\tauth_client_required = cephx\n\tcluster_network = 10.100.0.0/24\n\tfsid = 11111111-2222-3333-4444-555555555555\n\tmon_host =  10.100.0.12 10.100.0.13\n\tpublic network = 10.100.0.12/24\n\n[client]\n\tkeyring = /etc/pve/priv/$cluster.$name.keyring\n\n[mon.n4]\n\tpublic_addr = 10.100.0.14\n";

    #[test]
    fn the_file_as_pveceph_writes_it() {
        let conf = read(TEXT);
        assert_eq!(conf.fsid(), Some("11111111-2222-3333-4444-555555555555"));
        let monitors: Vec<String> = conf.monitors().iter().map(ToString::to_string).collect();
        assert_eq!(monitors, ["10.100.0.12", "10.100.0.13", "10.100.0.14"]);
        assert_eq!(conf.network("public_network"), "10.100.0.0/24".parse().ok());
        assert_eq!(conf.network("cluster_network"), "10.100.0.0/24".parse().ok());
        assert_eq!(conf.get("client", "keyring"), Some("/etc/pve/priv/$cluster.$name.keyring"));
    }

    #[test]
    fn monitors_in_any_form() {
        let conf = read("mon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0] 10.0.0.2:6789,fd00::3");
        let monitors: Vec<String> = conf.monitors().iter().map(ToString::to_string).collect();
        assert_eq!(monitors, ["10.0.0.1", "10.0.0.2", "fd00::3"]);
        assert!(read("").monitors().is_empty());
    }
}
