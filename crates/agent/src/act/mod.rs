//! Carries out actions, one file per kind. What is not in core's closed list cannot be asked for.
//!
//! Each gives a word for the log, or a failure whose kind says what the run may do about it.

use std::time::Duration;

use ringbolt_core::action::Action;
use ringbolt_core::paths::is_writable;
use ringbolt_core::wire::Failure;

use crate::disk::Disk;
use crate::root::Root;
use crate::stop::Stop;
use crate::undo::{self, Kept, Was};

mod authorize;
pub(crate) mod ceph;
mod frr;
mod heal;
mod hold;
mod initramfs;
mod interfaces;
mod maintenance;
mod module;
pub(crate) mod packages;
mod port;
mod reboot;
mod routes;
pub(crate) mod sdn;
pub(crate) mod sysctl;
mod take_back;
mod udev;
mod unit;

pub(crate) use heal::heal;

/// Where and for whom an action is done.
pub(crate) struct Scene<'a> {
    /// The node's file tree.
    pub(crate) root: &'a Root,
    /// Run it belongs to.
    pub(crate) run: &'a str,
    /// Step it belongs to.
    pub(crate) step: &'a str,
    /// Set when the other end cancels or goes away.
    pub(crate) stop: &'a Stop,
    /// Tells what is worth showing meanwhile.
    pub(crate) say: &'a (dyn Fn(String) + Sync),
}

/// A word for the log, or why not.
pub(crate) type Outcome = Result<String, Failure>;

/// Carries out one action. `expect` protects files, see `wire::Deed`.
pub(crate) fn carry_out(scene: &Scene<'_>, action: &Action, expect: Option<&str>) -> Outcome {
    match action {
        Action::InstallPackages { names } => packages::install(scene, names),
        Action::LoadModule { name } => module::load(scene.root, name),
        Action::WriteFile { path, content, mode } => {
            Ok(scene.disk().write(listed(path)?, content.as_bytes(), *mode, expect)?.to_owned())
        }
        Action::RemoveFile { path } => Ok(scene.disk().remove(listed(path)?, expect)?.to_owned()),
        Action::ReloadSystemd => unit::reload_all(scene),
        Action::ReloadUdev => udev::reload(scene),
        Action::LoadSysctl { path } => sysctl::load(scene, path),
        Action::EnableUnit { unit, now } => unit::enable(scene, unit, *now),
        Action::DisableUnit { unit } => unit::disable(scene, unit),
        Action::RestartUnit { unit } => unit::restart(unit),
        Action::AdoptPort { pci, name, mtu } => port::adopt(scene, pci, name.as_str(), *mtu),
        Action::BringUp { interface } => interfaces::bring_up(scene, interface),
        Action::ReloadInterfaces => interfaces::reload(scene),
        Action::DropRoutes { to } => routes::drop(to),
        Action::LoadFrr {} => frr::load(),
        Action::UpdateInitramfs => initramfs::update(),
        Action::ApplySdn(change) => sdn::apply(scene, change),
        Action::ReloadNode { node } => sdn::reload_node(scene, node),
        Action::AuthorizeKey { line } => authorize::authorize(scene, line),
        Action::HoldDown { port, milliseconds } => hold::down(scene, port.as_str(), *milliseconds),
        Action::TakeBack { run, step } => take_back::take_back(scene, run, step, expect),
        Action::Ceph(deed) => ceph::carry_out(scene, deed),
        Action::Maintenance { node, on } => maintenance::maintenance(scene, node, *on),
        Action::Reboot => reboot::reboot(),
    }
}

impl Scene<'_> {
    fn disk(&self) -> Disk<'_> {
        Disk { root: self.root, run: self.run, step: self.step, healing: false }
    }

    /// Keeps what something was before this step changes it.
    fn keep(&self, was: Was) -> Result<(), Failure> {
        let kept = Kept { step: self.step.to_owned(), was };
        undo::keep(self.root, self.run, &kept, None)
            .map_err(|e| Failure::broken(format!("cannot keep what was there for undo: {e}")))
    }

    /// Sleeps, and fails when the stop comes meanwhile.
    fn pause(&self, time: Duration) -> Result<(), Failure> {
        if self.stop.sleep(time) { Err(Failure::broken("cancelled")) } else { Ok(()) }
    }
}

/// Refuses a file that is on no list: whatever a frame says, others' files are out of reach.
fn listed(path: &str) -> Result<&str, Failure> {
    if is_writable(path) {
        return Ok(path);
    }
    Err(Failure::refused(format!("{path} is not on the list of files ringbolt writes")))
}

/// Refuses a name that could be taken for an option or a path by the tool it is given to.
fn plain_name<'a>(name: &'a str, what: &str) -> Result<&'a str, Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@+:\\".contains(c);
    if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(fits) {
        return Err(Failure::refused(format!("`{name}` is no name of {what}")));
    }
    Ok(name)
}
