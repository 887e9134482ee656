//! What the checkpoint needs of the running machine; tests put another in its place.

use std::path::Path;

use ipnet::IpNet;
use ringbolt_core::checkpoint::Armed;
use ringbolt_core::facts::UnitFact;
use ringbolt_core::facts::network::is_local;
use ringbolt_core::wire::Failure;
use serde::{Deserialize, Serialize};

use super::units::{BOOT, SERVICE, TIMER};
use crate::exec::{Call, call};
use crate::read::{network, units};
use crate::root::Root;

/// What runs, as far as it is put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Live {
    /// FRR's unit.
    pub(crate) frr: UnitFact,
    /// Addresses by interface, those of one link alone left out.
    pub(crate) addresses: Vec<(String, IpNet)>,
}

/// The running part of a node.
pub(crate) trait Machine {
    /// What runs now.
    fn look(&self) -> Result<Live, Failure>;
    /// Starts the timer; `stale` says that systemd may know other units of these names.
    fn start(&self, stale: bool) -> Result<(), Failure>;
    /// Stops the timer.
    fn stop(&self);
    /// Lets systemd forget the units, whose files are gone.
    fn forget(&self);
    /// Starts the service that heals and does not wait for it.
    fn heal(&self) -> Result<(), Failure>;
    /// Makes what runs what the files say; what did not work, in words.
    fn live(&self, root: &Root, armed: &Armed, live: &Live, changed: &[String]) -> Vec<String>;
}

/// This very machine.
pub(crate) struct Real;

fn systemctl(words: &[&str]) -> Call {
    call("systemctl", words.iter().copied()).limit(60).joined()
}

impl Machine for Real {
    fn look(&self) -> Result<Live, Failure> {
        let links = network::ask_interfaces()?;
        let frr = units::unit("frr.service")?;
        let links = network::interfaces(&Root::open(Path::new("/"), None), links).map_err(Failure::from)?;
        let mut addresses = Vec::new();
        for (name, interface) in &links {
            let wide = interface.addresses.iter().filter(|a| !is_local(a));
            addresses.extend(wide.map(|address| (name.clone(), *address)));
        }
        Ok(Live { frr, addresses })
    }

    fn start(&self, stale: bool) -> Result<(), Failure> {
        if stale {
            systemctl(&["daemon-reload"]).must()?;
        }
        systemctl(&["restart", TIMER]).must()?;
        let about =
            systemctl(&["show", "-p", "ActiveState", "-p", "NeedDaemonReload", TIMER, SERVICE]).must()?;
        if about.out.contains("NeedDaemonReload=yes") {
            systemctl(&["daemon-reload"]).must()?;
            systemctl(&["restart", TIMER]).must()?;
        } else if !about.out.lines().any(|line| line == "ActiveState=active") {
            return Err(Failure::broken(format!("{TIMER} does not run: {}", about.out.replace('\n', " ")))
                .hint("without it the node could not undo the step by itself, so the step was not begun"));
        }
        Ok(())
    }

    fn stop(&self) {
        // Without an armed checkpoint the service would do nothing.
        let _ = systemctl(&["stop", "--no-block", TIMER]).run();
    }

    fn forget(&self) {
        // Who reloaded systemd while the units were there made them known to the targets that want them.
        let known = systemctl(&["show", "-p", "LoadState", BOOT]).run();
        if known.is_ok_and(|known| known.out.contains("LoadState=loaded")) {
            let _ = systemctl(&["daemon-reload"]).run();
        }
    }

    fn heal(&self) -> Result<(), Failure> {
        systemctl(&["start", "--no-block", SERVICE]).must()?;
        Ok(())
    }

    fn live(&self, root: &Root, armed: &Armed, live: &Live, changed: &[String]) -> Vec<String> {
        crate::act::heal(root, armed, live, changed)
    }
}
