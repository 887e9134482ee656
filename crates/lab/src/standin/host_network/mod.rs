//! `/etc/network/interfaces` as Proxmox reads and rewrites it.
//!
//! Used by the network handlers. The rewriting keeps `source` lines and
//! comments inside stanzas, and loses comments between stanzas, as the real
//! one does. Edits go to `interfaces.new`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::Host;
use super::fail::Fail;
use super::schema::Params;

use ringbolt_core::into_set::IntoSet;

mod write;

/// `/etc/network/interfaces.new`
pub(crate) fn new_path(host: &Host) -> PathBuf {
    host.root.etc.join("network/interfaces.new")
}

/// What belongs to one address family of an interface.
#[derive(Debug, Clone, Default)]
struct Family {
    method: Option<String>,
    address: Option<String>,
    netmask: Option<String>,
    gateway: Option<String>,
    comments: String,
    options: Vec<String>,
}

/// One interface.
#[derive(Debug, Clone, Default)]
struct Iface {
    kind: String,
    autostart: bool,
    exists: bool,
    active: bool,
    priority: Option<u32>,
    families: Vec<String>,
    v4: Family,
    v6: Family,
    settings: BTreeMap<String, String>,
}

/// All interfaces of a node, with the lines that are none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interfaces {
    ifaces: BTreeMap<String, Iface>,
    lines: Vec<(u32, String)>,
}

/// Spellings that mean the same.
fn canonical(key: &str) -> &str {
    match key {
        "ovs_mtu" => "mtu",
        "bond-slaves" | "bond_slaves" => "slaves",
        "bond-xmit-hash-policy" => "bond_xmit_hash_policy",
        "bond-mode" => "bond_mode",
        "bond-miimon" => "bond_miimon",
        "bridge-vlan-aware" => "bridge_vlan_aware",
        "bridge-fd" => "bridge_fd",
        "bridge-stp" => "bridge_stp",
        "bridge-ports" => "bridge_ports",
        "bridge-vids" => "bridge_vids",
        other => other,
    }
}

const SETTINGS: &[&str] = &[
    "mtu",
    "ovs_type",
    "ovs_options",
    "ovs_bridge",
    "ovs_bonds",
    "ovs_ports",
    "bridge_fd",
    "bridge_vids",
    "bridge-access",
    "bridge-learning",
    "bridge-arp-nd-suppress",
    "bridge-unicast-flood",
    "bridge-multicast-flood",
    "bond_miimon",
    "bond_xmit_hash_policy",
    "bond-primary",
    "uplink-id",
    "vlan-protocol",
    "vlan-raw-device",
    "vlan-id",
    "slaves",
    "bridge_ports",
    "bridge_stp",
    "bridge_vlan_aware",
    "bond_mode",
];

impl Interfaces {
    /// Reads the edited file if there is one, else the live one, and the
    /// interfaces the kernel has.
    pub(crate) fn read(host: &Host) -> Self {
        let new = new_path(host);
        let path = if new.exists() { new } else { host.root.etc.join("network/interfaces") };
        let mut all = Self::default();
        for (name, up) in physical(host) {
            let iface = all.ifaces.entry(name).or_default();
            iface.exists = true;
            iface.active = up;
        }
        all.parse(&host.read(&path));
        all.ifaces.entry("lo".into()).or_insert_with(|| Iface {
            autostart: true,
            priority: Some(1),
            v4: Family { method: Some("loopback".into()), ..Family::default() },
            ..Iface::default()
        });
        for (name, iface) in &mut all.ifaces {
            iface.kind = kind(name, iface);
            iface.complete();
        }
        all
    }

    fn parse(&mut self, text: &str) {
        let mut priority = 2;
        let mut current: Option<(String, bool)> = None;
        for line in text.lines().map(str::trim_end) {
            let trimmed = line.trim_start();
            let mut words = trimmed.split_whitespace();
            let first = words.next().unwrap_or_default();
            if first.is_empty() {
                current = None;
            } else if let Some(comment) = trimmed.strip_prefix('#') {
                if let Some((name, v6)) = &current
                    && let Some(iface) = self.ifaces.get_mut(name)
                {
                    iface.family(*v6).comments.push_str(&format!("{comment}\n"));
                }
            } else if first == "allow-hotplug" {
                current = None;
            } else if matches!(first, "auto" | "allow-ovs") {
                current = None;
                for name in words {
                    self.ifaces.entry(name.to_owned()).or_default().autostart = true;
                }
            } else if first == "iface" {
                current = self.header(trimmed, &mut priority);
            } else if let Some((name, v6)) = current.clone().filter(|_| !top_level(first)) {
                if let Some(iface) = self.ifaces.get_mut(&name) {
                    iface.option(v6, trimmed);
                }
            } else {
                current = None;
                self.lines.push((priority, line.to_owned()));
                priority += 1;
            }
        }
    }

    fn header(&mut self, line: &str, priority: &mut u32) -> Option<(String, bool)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, name, family @ ("inet" | "inet6"), method] = words.as_slice() else {
            self.lines.push((*priority, line.to_owned()));
            *priority += 1;
            return None;
        };
        let iface = self.ifaces.entry((*name).to_owned()).or_default();
        if iface.priority.is_none() {
            iface.priority = Some(*priority);
            *priority += 1;
        }
        iface.families.push((*family).to_owned());
        let v6 = *family == "inet6";
        iface.family(v6).method = Some((*method).to_owned());
        Some(((*name).to_owned(), v6))
    }

    /// The list of all but the loopback, of one type if asked.
    pub(crate) fn list(&self, kind: &str) -> Value {
        self.ifaces
            .iter()
            .filter(|(name, _)| *name != "lo")
            .filter(|(_, iface)| match kind {
                "" | "include_sdn" => true,
                "any_bridge" | "any_local_bridge" => {
                    matches!(iface.kind.as_str(), "bridge" | "OVSBridge")
                }
                wanted => iface.kind == wanted,
            })
            .map(|(name, iface)| {
                let mut object = iface.json();
                object.insert("iface".into(), json!(name));
                Value::Object(object)
            })
            .collect()
    }

    /// One interface.
    pub(crate) fn shown(&self, name: &str) -> Result<Value, Fail> {
        self.ifaces.get(name).map(|iface| Value::Object(iface.json())).ok_or_else(absent)
    }

    /// A new stanza; the interface must not be there yet.
    pub(crate) fn create(&mut self, name: &str, params: &Params) -> Result<(), Fail> {
        if self.ifaces.contains_key(name) {
            return Err(Fail::param("iface", "interface already exists"));
        }
        self.gateway_once(name, params)?;
        let mut iface = Iface::default();
        iface.set(params);
        self.ifaces.insert(name.to_owned(), iface);
        Ok(())
    }

    /// Other settings for an interface that is there.
    pub(crate) fn update(&mut self, name: &str, params: &Params) -> Result<(), Fail> {
        self.gateway_once(name, params)?;
        let iface = self.ifaces.get_mut(name).ok_or_else(absent)?;
        let gone = params.get("delete").and_then(Value::as_str).unwrap_or_default();
        for key in gone.split([',', ';', ' ']).filter(|key| !key.is_empty()) {
            iface.unset(key);
        }
        iface.set(params);
        Ok(())
    }

    /// Takes a stanza away.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), Fail> {
        self.ifaces.remove(name).map(|_| ()).ok_or_else(absent)
    }

    fn gateway_once(&self, name: &str, params: &Params) -> Result<(), Fail> {
        if params.contains_key("gateway") {
            for (other, iface) in &self.ifaces {
                if other != name && iface.v4.gateway.is_some() {
                    return Err(Fail::param(
                        "gateway",
                        format!("Default gateway already exists on interface '{other}'."),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn absent() -> Fail {
    Fail::param("iface", "interface does not exist")
}

fn top_level(word: &str) -> bool {
    matches!(word, "mapping" | "source" | "source-directory") || word.starts_with("allow-")
}

impl Iface {
    fn family(&mut self, v6: bool) -> &mut Family {
        if v6 { &mut self.v6 } else { &mut self.v4 }
    }

    fn option(&mut self, v6: bool, line: &str) {
        let Some((key, value)) = line.split_once(char::is_whitespace) else {
            return;
        };
        let value = value.trim().to_owned();
        let key = canonical(key);
        match key {
            "address" => self.family(v6).address = Some(value),
            "netmask" => self.family(v6).netmask = Some(value),
            "gateway" => self.family(v6).gateway = Some(value),
            key if SETTINGS.contains(&key) => {
                self.settings.insert(key.to_owned(), value);
            }
            _ => self.family(v6).options.push(line.to_owned()),
        }
    }

    /// Defaults that reading fills in.
    fn complete(&mut self) {
        for family in [&mut self.v4, &mut self.v6] {
            family.method.get_or_insert_with(|| "manual".into());
            if let Some((address, mask)) = family
                .address
                .as_ref()
                .and_then(|a| a.split_once('/'))
                .map(|(a, m)| (a.to_owned(), m.to_owned()))
            {
                family.address = Some(address);
                family.netmask = Some(mask);
            }
        }
        if self.families.is_empty() {
            self.families.push("inet".into());
        }
    }

    fn set(&mut self, params: &Params) {
        let get = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned);
        for (key, value) in params {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match key.as_str() {
                "node" | "iface" | "delete" | "cidr" | "cidr6" | "address" | "address6" | "netmask"
                | "netmask6" | "gateway" | "gateway6" => {}
                "type" => self.kind = value,
                "autostart" => self.autostart = value == "1",
                "comments" => self.v4.comments = format!("{value}\n"),
                "comments6" => self.v6.comments = format!("{value}\n"),
                _ => {
                    self.settings.insert(key.clone(), value);
                }
            }
        }
        for (v6, name, cidr, mask, gateway) in [
            (false, "address", "cidr", "netmask", "gateway"),
            (true, "address6", "cidr6", "netmask6", "gateway6"),
        ] {
            let (address, netmask) = match get(cidr) {
                Some(text) => match text.split_once('/') {
                    Some((a, m)) => (Some(a.to_owned()), Some(m.to_owned())),
                    None => (Some(text), None),
                },
                None => (get(name), get(mask)),
            };
            let family = self.family(v6);
            // Without an address in the call the method becomes manual.
            let kind = if address.is_some() { "static" } else { "manual" };
            family.method = Some(kind.to_owned());
            family.address = address.or(family.address.take());
            family.netmask = netmask.or(family.netmask.take());
            family.gateway = get(gateway).or(family.gateway.take());
        }
        self.families = [("inet", &self.v4), ("inet6", &self.v6)]
            .into_iter()
            .filter(|(_, family)| family.method.as_deref() == Some("static"))
            .map(|(name, _)| name.to_owned())
            .collect();
        if self.families.is_empty() {
            self.families.push("inet".into());
        }
    }

    fn unset(&mut self, key: &str) {
        match key {
            "cidr" | "address" => (self.v4.address, self.v4.netmask) = (None, None),
            "cidr6" | "address6" => (self.v6.address, self.v6.netmask) = (None, None),
            "gateway" => self.v4.gateway = None,
            "gateway6" => self.v6.gateway = None,
            "comments" => self.v4.comments.clear(),
            "comments6" => self.v6.comments.clear(),
            "autostart" => self.autostart = false,
            _ => {
                self.settings.remove(key);
            }
        }
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("type".into(), json!(self.kind));
        object.insert("families".into(), json!(self.families));
        for (name, on) in [("autostart", self.autostart), ("exists", self.exists), ("active", self.active)] {
            if on {
                object.insert(name.into(), json!(1));
            }
        }
        if let Some(priority) = self.priority {
            object.insert("priority".into(), json!(priority));
        }
        for (suffix, family, all) in [("", &self.v4, "32"), ("6", &self.v6, "128")] {
            let mut put = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    object.insert(format!("{name}{suffix}"), json!(value));
                }
            };
            put("method", family.method.clone());
            put("address", family.address.clone());
            put("netmask", family.netmask.clone());
            put("gateway", family.gateway.clone());
            let mask = family.netmask.as_deref().unwrap_or(all);
            put("cidr", family.address.as_ref().map(|a| format!("{a}/{mask}")));
            put("comments", (!family.comments.is_empty()).then(|| family.comments.clone()));
            if !family.options.is_empty() {
                object.insert(format!("options{suffix}"), json!(family.options));
            }
        }
        for (key, value) in &self.settings {
            object.insert(key.clone(), json!(value));
        }
        object
    }
}

/// The type Proxmox sees in a name and its settings.
fn kind(name: &str, iface: &Iface) -> String {
    let digits = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    };
    let found = if name == "lo" {
        "loopback"
    } else if digits("bond") {
        "bond"
    } else if digits("vmbr") || iface.settings.contains_key("bridge_ports") {
        "bridge"
    } else if name.contains(':') {
        "alias"
    } else if name.contains('.') || iface.settings.contains_key("vlan-raw-device") {
        "vlan"
    } else if iface.exists || nic_name(name) {
        "eth"
    } else {
        "unknown"
    };
    found.to_owned()
}

/// Names that count as a NIC although the device is absent.
fn nic_name(name: &str) -> bool {
    let digits = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    ["eth", "nic", "if"].iter().any(|prefix| name.strip_prefix(prefix).is_some_and(digits))
        || ["en", "ib"].iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains([':', '.']))
        })
}

/// Ethernet links with no kind of their own, and whether they are up. In the
/// lab a port is a veth, and a veth counts as hardware.
fn physical(host: &Host) -> BTreeSet<(String, bool)> {
    let ran = host.exec.run(&["ip", "-details", "-json", "link"]);
    let links: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    links
        .as_array()
        .into_iter()
        .flatten()
        .filter(|link| link["link_type"] == "ether")
        .filter(|link| matches!(link["linkinfo"]["info_kind"].as_str(), None | Some("veth")))
        .filter_map(|link| {
            let flags = link["flags"].as_array()?;
            let up = flags.iter().any(|flag| flag == "UP");
            Some((link["ifname"].as_str()?.to_owned(), up))
        })
        .into_set()
}
