//! What one node does by itself: files, packages, modules, sysctls, units, its own interfaces.

use crate::action::Action;
use crate::bind::{THUNDERBOLT_DRIVER, interface_at};
use crate::facts::{Facts, Interface, UnitFact};
use crate::name::PortName;
use crate::paths::is_writable;
use crate::resource::owed;
use crate::wire::Failure;

use super::{Node, file, stanza};

/// `/etc/frr/daemons` as Debian and Proxmox VE install it, shortened.
pub(super) const DAEMONS: &str = "# This file tells the frr package which daemons to start.\n#\nbgpd=no\nospfd=no\nospf6d=no\nisisd=no\nfabricd=no\nbfdd=no\n\nvtysh_enable=yes\nzebra_options=\"  -A 127.0.0.1 -s 90000000\"\nfabricd_options=\"-A 127.0.0.1\"\nbfdd_options=\"  -A 127.0.0.1\"\n";
/// The same file's path.
pub(super) const DAEMONS_PATH: &str = "/etc/frr/daemons";
/// Largest MTU of the Thunderbolt network driver.
const THUNDERBOLT_MTU: u32 = 65520;

impl Node {
    /// A node with these facts, FRR not started, nothing configured beyond what is up.
    pub fn new(facts: Facts) -> Self {
        let next_index = facts.inventory.interfaces.values().map(|i| i.index).max().unwrap_or(0) + 1;
        Self {
            facts,
            loaded: String::new(),
            configured: std::collections::BTreeMap::new(),
            next_index,
            kept: super::kept::Kept::default(),
            checkpoint: super::checkpoint::Checkpoint::default(),
            home: None,
            boots: 0,
        }
    }

    /// The same node, managed at this address as far as it has it.
    pub(super) fn managed(mut self, address: Option<std::net::IpAddr>) -> Self {
        let mut own = self.facts.inventory.interfaces.values().flat_map(|i| &i.addresses);
        self.home = address.filter(|address| own.any(|a| a.addr() == *address));
        self
    }

    /// The interface it is managed over, if that is up and has the address.
    pub(super) fn door(&self) -> Option<&str> {
        let home = self.home?;
        let open = |i: &Interface| i.up && i.addresses.iter().any(|a| a.addr() == home);
        self.facts.inventory.interfaces.iter().find(|(_, i)| open(i)).map(|(name, _)| name.as_str())
    }

    /// Carries out an action that concerns this node alone.
    pub fn perform(&mut self, action: &Action, expect: Option<&str>) -> Result<(), Failure> {
        match action {
            Action::InstallPackages { names } => self.install(names),
            Action::LoadModule { name } => drop(self.facts.state.modules.insert(name.clone())),
            Action::WriteFile { path, content, mode } => return self.write(path, content, *mode, expect),
            Action::RemoveFile { path } => return self.remove(path, expect),
            Action::LoadSysctl { path } => {
                let text = self.facts.text(path).map(str::to_owned);
                let text = text.ok_or_else(|| Failure::broken(format!("{path} is not there")))?;
                self.load_sysctl(&text);
            }
            Action::EnableUnit { unit, now } => return self.enable(unit, *now),
            Action::DisableUnit { unit } => self.disable(unit),
            Action::RestartUnit { unit } => return self.start(unit),
            Action::AdoptPort { pci, name, mtu } => return self.adopt(pci, name, *mtu),
            Action::DropRoutes { to } => {
                self.facts.state.routes.retain(|r| r.protocol != "boot" || !to.contains(&r.to));
            }
            Action::LoadFrr {} => {
                if let crate::facts::Known::Yes(frr) = &mut self.facts.state.frr {
                    frr.lost.clear();
                }
            }
            Action::BringUp { interface } => stanza::ifup(self, interface),
            Action::ReloadInterfaces => stanza::ifreload(self),
            Action::ReloadSystemd => self.pay(owed::SYSTEMD),
            Action::ReloadUdev => self.pay(owed::UDEV),
            // Noticed by whoever reads them next; the cluster does the rest.
            _ => {}
        }
        Ok(())
    }

    fn install(&mut self, names: &[String]) {
        for name in names {
            self.facts.inventory.packages.insert(name.clone(), "10.4.1-1+pve1".into());
        }
        if names.iter().any(|n| n == "frr") {
            self.facts.state.files.entry(DAEMONS_PATH.into()).or_insert_with(|| file(DAEMONS, 0o640));
            // Proxmox VE's package leaves the service off; the first SDN apply switches it on.
            let unit =
                UnitFact { load: "loaded".into(), active: "inactive".into(), enabled: "disabled".into() };
            self.facts.state.units.insert("frr.service".into(), unit);
        }
    }

    pub(super) fn write(
        &mut self,
        path: &str,
        content: &str,
        mode: u32,
        expect: Option<&str>,
    ) -> Result<(), Failure> {
        listed(path)?;
        let new = file(content, mode);
        match self.facts.state.files.get(path) {
            Some(now) if now.digest == new.digest && now.mode == mode => return Ok(()),
            now => check(path, now.map_or("", |f| f.digest.as_str()), expect)?,
        }
        self.owe(path, &new.digest);
        self.facts.state.files.insert(path.to_owned(), new);
        Ok(())
    }

    /// Notes what a change of a file, to this digest, calls for.
    pub(super) fn owe(&mut self, path: &str, after: &str) {
        self.note(path, after);
        if let Some(note) = owed::note_of(path) {
            self.put(note, "", 0o600);
        }
    }

    fn pay(&mut self, note: &str) {
        self.facts.state.files.remove(note);
    }

    fn remove(&mut self, path: &str, expect: Option<&str>) -> Result<(), Failure> {
        listed(path)?;
        if let Some(now) = self.facts.state.files.get(path) {
            check(path, &now.digest, expect)?;
            self.owe(path, "");
            self.facts.state.files.remove(path);
        }
        Ok(())
    }

    pub(super) fn load_sysctl(&mut self, text: &str) {
        for (key, value) in text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('=')) {
            self.facts.state.sysctl.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }

    pub(super) fn enable(&mut self, unit: &str, now: bool) -> Result<(), Failure> {
        let fact = self.facts.state.units.get_mut(unit).filter(|u| u.load == "loaded");
        let fact = fact.ok_or_else(|| Failure::broken(format!("unit {unit} is not there")))?;
        fact.enabled = "enabled".into();
        if now && fact.active != "active" { self.start(unit) } else { Ok(()) }
    }

    fn disable(&mut self, unit: &str) {
        if let Some(fact) = self.facts.state.units.get_mut(unit) {
            fact.enabled = "disabled".into();
            fact.active = "inactive".into();
        }
    }

    /// Starts a unit, or starts it again.
    pub(super) fn start(&mut self, unit: &str) -> Result<(), Failure> {
        let fact = self.facts.state.units.get_mut(unit).filter(|u| u.load == "loaded");
        let fact = fact.ok_or_else(|| Failure::broken(format!("unit {unit} is not there")))?;
        fact.active = "active".into();
        if unit == "frr.service" {
            self.start_frr();
        }
        Ok(())
    }

    fn adopt(&mut self, pci: &str, name: &PortName, mtu: u32) -> Result<(), Failure> {
        let Some(now) = interface_at(&self.facts, pci) else { return Ok(()) };
        if now != name.as_str() {
            self.rename(&now, name.as_str())?;
        }
        let interface = self.facts.inventory.interfaces.get_mut(name.as_str());
        if let Some(interface) = interface {
            if interface.max_mtu.is_some_and(|max| mtu > max) {
                return Err(Failure::broken(format!("{name} does not take MTU {mtu}")));
            }
            interface.mtu = mtu;
            interface.up = true;
        }
        Ok(())
    }

    /// Another name; addresses stay, routes over it go, as the kernel does when it goes down for it.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        if self.facts.inventory.interfaces.contains_key(to) {
            return Err(Failure::refused(format!("{to} is the name of another interface")));
        }
        if let Some(interface) = self.facts.inventory.interfaces.remove(from) {
            self.facts.inventory.interfaces.insert(to.to_owned(), interface);
        }
        self.configured.remove(from);
        self.drop_routes(from);
        Ok(())
    }

    /// A Thunderbolt interface appears: named by its `.link` file, and configured by the hot-plug
    /// unit where udev's rule and the unit are there.
    pub(super) fn appear(&mut self, pci: &str) {
        if interface_at(&self.facts, pci).is_some() {
            return;
        }
        let (name, mtu) = self.link_file(pci).unwrap_or_else(|| (self.kernel_name(), 1500));
        let interface = Interface {
            driver: Some(THUNDERBOLT_DRIVER.into()),
            path: Some(format!("pci-{pci}")),
            max_mtu: Some(THUNDERBOLT_MTU),
            mtu,
            ..ethernet(self.next_index)
        };
        self.next_index += 1;
        self.facts.inventory.interfaces.insert(name.clone(), interface);
        let ruled = self.facts.state.files.iter().any(|(path, file)| {
            path.starts_with("/etc/udev/rules.d/")
                && file.text.as_deref().is_some_and(|text| {
                    text.contains("ringbolt-port@")
                        && text.split('"').any(|k| k.split('|').any(|n| n == name))
                })
        });
        if ruled && self.facts.state.files.contains_key("/etc/systemd/system/ringbolt-port@.service") {
            stanza::ifup(self, &name);
        }
    }

    /// Name and MTU a `.link` file gives to the interface at a controller.
    fn link_file(&self, pci: &str) -> Option<(String, u32)> {
        let value = |text: &str, key: &str| {
            text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('=').map(|v| v.trim().to_owned()))
        };
        self.facts.state.files.iter().filter(|(path, _)| path.ends_with(".link")).find_map(|(_, file)| {
            let text = file.text.as_deref()?;
            let fits = value(text, "Path")? == format!("pci-{pci}")
                && value(text, "Driver").is_none_or(|d| d == THUNDERBOLT_DRIVER);
            fits.then(|| {
                let mtu = value(text, "MTUBytes").and_then(|m| m.parse().ok()).unwrap_or(1500);
                Some((value(text, "Name")?, mtu))
            })?
        })
    }

    fn kernel_name(&self) -> String {
        let free = |n: &usize| !self.facts.inventory.interfaces.contains_key(&format!("thunderbolt{n}"));
        format!("thunderbolt{}", (0..).find(free).unwrap_or(0))
    }

    /// The cable at this place is gone.
    pub(super) fn unplug(&mut self, place: &str) {
        if let Some(name) = interface_at(&self.facts, place) {
            self.forget(&name);
        }
        if let crate::facts::Known::Yes(bus) = &mut self.facts.inventory.thunderbolt {
            bus.peers.retain(|peer| peer.pci != place);
        }
    }

    /// An interface that is gone takes its routes along.
    pub(super) fn forget(&mut self, name: &str) {
        self.facts.inventory.interfaces.remove(name);
        self.configured.remove(name);
        self.drop_routes(name);
    }

    pub(super) fn drop_routes(&mut self, interface: &str) {
        for route in &mut self.facts.state.routes {
            route.via.retain(|v| v.interface != interface);
        }
        self.facts.state.routes.retain(|r| !r.via.is_empty());
    }

    /// The interface at a cable's end.
    pub(super) fn at(&self, place: &str, thunderbolt: bool) -> Option<String> {
        if thunderbolt {
            interface_at(&self.facts, place)
        } else {
            self.facts.inventory.interfaces.contains_key(place).then(|| place.to_owned())
        }
    }
}

pub(super) fn check(path: &str, now: &str, expect: Option<&str>) -> Result<(), Failure> {
    match expect {
        Some(digest) if digest != now => {
            Err(Failure::refused(format!("{path} was changed since the plan was made")))
        }
        _ => Ok(()),
    }
}

/// A plain Ethernet interface, down.
pub(super) fn ethernet(index: u32) -> Interface {
    Interface {
        index,
        driver: None,
        path: None,
        link_type: "ether".into(),
        kind: None,
        mac: None,
        mtu: 1500,
        max_mtu: None,
        up: false,
        carrier: false,
        master: None,
        addresses: Vec::new(),
    }
}

/// As the agent does: what is not on the list is refused.
fn listed(path: &str) -> Result<(), Failure> {
    if is_writable(path) { Ok(()) } else { Err(Failure::refused(format!("{path} is on no list"))) }
}
