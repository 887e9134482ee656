//! What a simulated node keeps before a deed, and puts back: as `agent/undo.rs` does with copies on
//! disk. Deeds with a run and a step come in here; half of a deed as well.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{DAEMONS_PATH, check};
use super::{Cluster, Node};
use crate::action::{Action, CephDeed};
use crate::bind::interface_at;
use crate::facts::network::is_local;
use crate::facts::{FileFact, Known, UnitFact};
use crate::name::{NodeName, StepId};
use crate::wire::{Deed, Failure};

/// One thing as it was before a step.
#[derive(Clone, Debug, PartialEq)]
enum Was {
    File { path: String, was: Option<FileFact> },
    Packages { before: BTreeSet<String>, named: Vec<String> },
    Unit { unit: String, was: UnitFact },
    Sysctl(BTreeMap<String, String>),
    Port { pci: String, name: String, mtu: u32, up: bool, addresses: Vec<ipnet::IpNet> },
}

/// By run and step, in the order they were kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept(BTreeMap<(String, StepId), Vec<Was>>);

impl Cluster {
    /// Carries out a deed as the agent does: what it changes is kept first.
    pub fn carry_out(&mut self, name: &NodeName, deed: &Deed) -> Result<(), Failure> {
        let node = self.node(name)?;
        if let Action::TakeBack { run, step } = &deed.action {
            node.take_back(run, step, deed.expect.as_deref())?;
            self.settle_near(name);
            return Ok(());
        }
        node.keep(deed);
        self.perform(name, &deed.action, deed.expect.as_deref())
    }

    /// Carries out the first part of a deed, as far as it has parts, and stops there.
    pub fn carry_out_half(&mut self, name: &NodeName, deed: &Deed) -> Result<(), Failure> {
        let half = |count: usize| count.div_ceil(2);
        let part = match &deed.action {
            Action::InstallPackages { names } => {
                Action::InstallPackages { names: names[..names.len() / 2].to_vec() }
            }
            Action::EnableUnit { unit, now: true } => Action::EnableUnit { unit: unit.clone(), now: false },
            Action::DropRoutes { to } => Action::DropRoutes { to: to[..half(to.len())].to_vec() },
            Action::Ceph(CephDeed::Config { set, remove }) if set.len() + remove.len() > 1 => {
                let set = set[..half(set.len())].to_vec();
                Action::Ceph(CephDeed::Config { set, remove: Vec::new() })
            }
            Action::Ceph(CephDeed::PoolOptions { name, options }) => {
                let options = options[..half(options.len())].to_vec();
                Action::Ceph(CephDeed::PoolOptions { name: name.clone(), options })
            }
            Action::ApplySdn(change) => {
                let node = self.node(name)?;
                node.keep(deed);
                let count = half(self.nodes.len());
                self.apply_sdn(name, change, count)?;
                self.settle();
                return Ok(());
            }
            Action::RestartUnit { unit } => {
                self.node(name)?.stop(unit);
                self.settle_near(name);
                return Ok(());
            }
            Action::BringUp { interface } => {
                if let Some(interface) = self.node(name)?.facts.inventory.interfaces.get_mut(interface) {
                    interface.up = true;
                }
                self.settle_near(name);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.carry_out(name, &Deed { action: part, ..deed.clone() })
    }
}

impl Node {
    fn keep(&mut self, deed: &Deed) {
        let was = match &deed.action {
            Action::WriteFile { path, .. } | Action::RemoveFile { path } => {
                Was::File { path: path.to_string(), was: self.facts.state.files.get(&**path).cloned() }
            }
            Action::InstallPackages { names } => Was::Packages {
                before: self.facts.inventory.packages.keys().cloned().collect(),
                named: names.clone(),
            },
            Action::EnableUnit { unit, .. } | Action::DisableUnit { unit } => {
                let Some(was) = self.facts.state.units.get(unit).cloned() else { return };
                Was::Unit { unit: unit.clone(), was }
            }
            Action::LoadSysctl { .. } => Was::Sysctl(self.facts.state.sysctl.clone()),
            Action::AdoptPort { pci, .. } => {
                let Some(name) = interface_at(&self.facts, pci) else { return };
                let Some(interface) = self.facts.inventory.interfaces.get(&name) else { return };
                let (mtu, up, addresses) = (interface.mtu, interface.up, interface.addresses.clone());
                Was::Port { pci: pci.clone(), mtu, up, addresses, name }
            }
            _ => return,
        };
        self.kept.0.entry((deed.run.clone(), deed.step.clone())).or_default().push(was);
    }

    /// Puts back everything a step has kept, the newest first.
    fn take_back(&mut self, run: &str, step: &StepId, expect: Option<&str>) -> Result<(), Failure> {
        let kept = self.kept.0.get(&(run.to_owned(), step.clone())).cloned().unwrap_or_default();
        kept.into_iter().rev().try_for_each(|was| self.put_back(was, expect))
    }

    /// The same but for files: the checkpoint has copies of its own.
    pub(super) fn take_back_all_but_files(&mut self, run: &str, step: &StepId) -> Result<(), Failure> {
        let kept = self.kept.0.get(&(run.to_owned(), step.clone())).cloned().unwrap_or_default();
        let mut others = kept.into_iter().rev().filter(|was| !matches!(was, Was::File { .. }));
        others.try_for_each(|was| self.put_back(was, None))
    }

    fn put_back(&mut self, was: Was, expect: Option<&str>) -> Result<(), Failure> {
        match was {
            Was::File { path, was } => {
                let digest = |file: Option<&FileFact>| file.map_or(String::new(), |f| f.digest.clone());
                let (now, then) = (digest(self.facts.state.files.get(&path)), digest(was.as_ref()));
                if now != then {
                    check(&path, &now, expect)?;
                    self.owe(&path, &then);
                }
                match was {
                    Some(file) => drop(self.facts.state.files.insert(path, file)),
                    None => drop(self.facts.state.files.remove(&path)),
                }
            }
            Was::Packages { before, named } => {
                self.facts
                    .inventory
                    .packages
                    .retain(|name, _| before.contains(name) || !named.contains(name));
                if !self.facts.has_package("frr") && self.facts.state.units.contains_key("frr.service") {
                    self.purge_frr();
                }
            }
            Was::Unit { unit, was } => self.make_unit(&unit, &was)?,
            Was::Sysctl(values) => self.facts.state.sysctl.extend(values),
            Was::Port { pci, name, mtu, up, addresses } => {
                let Some(now) = interface_at(&self.facts, &pci) else { return Ok(()) };
                if now != name {
                    self.rename(&now, &name)?;
                }
                if let Some(interface) = self.facts.inventory.interfaces.get_mut(&name) {
                    (interface.mtu, interface.up) = (mtu, up);
                    interface.addresses.retain(|a| is_local(a) || addresses.contains(a));
                }
            }
        }
        Ok(())
    }

    pub(super) fn make_unit(&mut self, unit: &str, was: &UnitFact) -> Result<(), Failure> {
        let Some(fact) = self.facts.state.units.get_mut(unit).filter(|u| u.load == "loaded") else {
            return Ok(());
        };
        fact.enabled.clone_from(&was.enabled);
        match was.active.as_str() {
            "active" if fact.active != "active" => self.start(unit),
            "active" => Ok(()),
            _ => {
                self.stop(unit);
                Ok(())
            }
        }
    }

    /// A unit runs no more.
    pub(super) fn stop(&mut self, unit: &str) {
        if let Some(fact) = self.facts.state.units.get_mut(unit) {
            "inactive".clone_into(&mut fact.active);
            if unit == "frr.service" {
                self.facts.state.frr = Known::No("FRR is not running".into());
            }
        }
    }

    fn purge_frr(&mut self) {
        self.stop("frr.service");
        let gone = UnitFact { load: "not-found".into(), active: "inactive".into(), enabled: String::new() };
        self.facts.state.units.insert("frr.service".into(), gone);
        self.facts.state.files.remove(DAEMONS_PATH);
        self.facts.state.files.remove(crate::resource::reload::FRR_CONF);
        self.facts.state.frr = Known::No("FRR is not installed".into());
    }
}
