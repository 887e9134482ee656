//! Files that Proxmox VE's tools for Ceph write on the simulated cluster: `ceph.conf`, the packages' source, the list
//! of storages, options of the datacenter. Written here as those tools write them; what is in them is `ceph`'s business.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Cluster;
use super::ceph::{FSID, refused};
use crate::arrange::Arrange;
use crate::facts::{ceph_conf, pve};
use crate::into_map::IntoMap;
use crate::name::NodeName;
use crate::wire::Failure;

/// Kinds of sections of `ceph.conf` in the order they are written.
const KINDS: [&str; 6] = ["global", "client", "mds", "mon", "osd", "mgr"];

/// `ceph.conf` by sections and keys.
pub(super) struct Conf(BTreeMap<String, BTreeMap<String, String>>);

impl Conf {
    fn read(text: &str) -> Self {
        let mut conf = Self(BTreeMap::new());
        for (section, key, value) in ceph_conf::read(text).entries() {
            conf.set(section, key, value);
        }
        conf
    }

    /// Puts one key.
    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        self.0.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.0.get(section)?.get(key).map(String::as_str)
    }

    /// Sections by kind, those of single daemons after their kind's, keys by name.
    fn text(&self) -> String {
        let rank = |name: &str| {
            let (kind, own) = name.split_once('.').unwrap_or((name, ""));
            (KINDS.iter().position(|k| *k == kind).unwrap_or(KINDS.len()), own.to_owned())
        };
        let mut names: Vec<&String> = self.0.keys().collect();
        names.arrange_by_key(|name| rank(name));
        let mut text = String::new();
        for name in names {
            let _ = writeln!(text, "[{name}]");
            for (key, value) in &self.0[name] {
                let _ = writeln!(text, "\t{key} = {value}");
            }
            text.push('\n');
        }
        text
    }
}

/// Where packages of a release come from.
pub(super) fn source(repository: &str, version: &str) -> String {
    let server = if repository == "enterprise" {
        "https://enterprise.proxmox.com"
    } else {
        "http://download.proxmox.com"
    };
    format!(
        "Types: deb\nURIs: {server}/debian/ceph-{version}\nSuites: trixie\nComponents: {repository}\nSigned-By: /usr/share/keyrings/proxmox-archive-keyring.gpg\n"
    )
}

impl Cluster {
    /// The text of a file all nodes see.
    fn of_all(&self, path: &str) -> &str {
        self.nodes.values().find_map(|n| n.facts.text(path)).unwrap_or("")
    }

    /// Changes `ceph.conf`.
    pub(super) fn change_conf(&mut self, change: impl FnOnce(&mut Conf)) {
        let mut conf = Conf::read(self.of_all(ceph_conf::PATH));
        change(&mut conf);
        self.put_shared(ceph_conf::PATH, &conf.text());
    }

    /// `pveceph init`: what is there already stays, the networks do not.
    pub(super) fn init_conf(&mut self, networks: [&ipnet::IpNet; 2], copies: [u32; 2]) {
        self.change_conf(|conf| {
            if !conf.0.contains_key("global") {
                for part in ["client", "cluster", "service"] {
                    conf.set("global", &format!("auth_{part}_required"), "cephx");
                }
                conf.set("global", "fsid", FSID);
                conf.set("global", "mon_allow_pool_delete", "true");
                conf.set("global", "osd_pool_default_size", &copies[0].to_string());
                conf.set("global", "osd_pool_default_min_size", &copies[1].to_string());
            }
            conf.set("client", "keyring", "/etc/pve/priv/$cluster.$name.keyring");
            conf.set("global", "public_network", &networks[0].to_string());
            conf.set("global", "cluster_network", &networks[1].to_string());
        });
    }

    /// What a new monitor adds.
    pub(super) fn monitor_conf(&mut self, name: &NodeName, address: &str, first: bool) {
        let six = address.contains(':');
        self.change_conf(|conf| {
            let hosts = conf.get("global", "mon_host").map(|hosts| format!("{hosts} ")).unwrap_or_default();
            conf.set("global", "mon_host", &format!("{hosts}{address}"));
            conf.set(&format!("mon.{name}"), "public_addr", address);
            for (key, own) in [("ms_bind_ipv4", !six), ("ms_bind_ipv6", six)] {
                if first || own {
                    conf.set("global", key, if own { "true" } else { "false" });
                }
            }
            if first {
                conf.set("client.crash", "keyring", "/etc/pve/ceph/$cluster.$name.keyring");
            }
        });
    }

    /// What a new metadata server adds.
    pub(super) fn metadata_conf(&mut self, name: &NodeName) {
        self.change_conf(|conf| {
            conf.set("mds", "keyring", "/var/lib/ceph/mds/ceph-$id/keyring");
            conf.set(&format!("mds.{name}"), "host", name.as_str());
            conf.set(&format!("mds.{name}"), "mds_standby_for_name", "pve");
        });
    }

    /// `pvesm add`.
    pub(super) fn storage(
        &mut self,
        kind: &str,
        id: &str,
        options: &[(String, String)],
    ) -> Result<(), Failure> {
        let text = self.of_all(pve::path::STORAGE).to_owned();
        match pve::sections(&text).unwrap_or_default().iter().find(|s| s.id == id) {
            Some(same) if same.kind == kind => return Ok(()),
            Some(other) => return Err(refused(format!("{id} is a storage of another kind: {}", other.kind))),
            None => {}
        }
        let mut keys: BTreeMap<String, String> = options.iter().cloned().into_map();
        let path =
            (kind == "cephfs").then(|| keys.remove("path").unwrap_or_else(|| format!("/mnt/pve/{id}")));
        // What is required comes first.
        let path = path.map(|path| ("path".to_owned(), path));
        let keys: String = path.into_iter().chain(keys).map(|(k, v)| format!("\t{k} {v}\n")).collect();
        self.put_shared(pve::path::STORAGE, &format!("{text}{kind}: {id}\n{keys}\n"));
        Ok(())
    }

    /// Options of the datacenter, by name.
    pub(super) fn datacenter(&mut self, options: &[(String, String)]) {
        let text = self.of_all(pve::path::DATACENTER).to_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        let mut all: BTreeMap<String, String> =
            pairs.map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned())).into_map();
        all.extend(options.iter().cloned());
        let text: String = all.iter().map(|(k, v)| format!("{k}: {v}\n")).collect();
        self.put_shared(pve::path::DATACENTER, &text);
    }
}
