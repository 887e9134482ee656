//! The live part of undoing a step by a checkpoint: everything that runs becomes what the files say again.
//!
//! Every part is tried, whatever became of those before it. Decides nothing about files.

use std::time::Duration;

use ringbolt_core::checkpoint::Armed;
use ringbolt_core::wire::Failure;

use super::{Scene, interfaces, take_back, unit};
use crate::checkpoint::Live;
use crate::exec::call;
use crate::read::network;
use crate::root::Root;
use crate::stop::Stop;

/// FRR's unit.
const FRR: &str = "frr.service";

/// Between two tries of a reload.
const PAUSE: Duration = Duration::from_secs(2);

/// Makes what runs what it was; what did not work, in words.
pub(crate) fn heal(root: &Root, armed: &Armed, live: &Live, changed: &[String]) -> Vec<String> {
    let stop = Stop::default();
    let scene = Scene { root, run: &armed.run, step: &armed.step, stop: &stop, say: &|_| () };
    let mut left = Vec::new();
    let mut told = |done: Result<String, Failure>| left.extend(done.err().map(|failure| failure.message));
    told(take_back::all_but_files(&scene, &armed.run, &armed.step));
    let reloaded = interfaces::reload(&scene).or_else(|_| {
        // A tool that was cut short may leave its lock for a moment, or an interface half made.
        std::thread::sleep(PAUSE);
        interfaces::reload(&scene)
    });
    told(reloaded);
    told(frr(live, changed.iter().any(|path| path.starts_with("/etc/frr/"))));
    if !missing(live).is_empty() {
        // A reload leaves alone what it believes to be right already.
        let _ = call("ifup", ["-a"]).limit(120).joined().run();
    }
    left.extend(missing(live));
    left
}

/// FRR runs as it did, with the files as they are.
fn frr(live: &Live, changed: bool) -> Result<String, Failure> {
    let (enabled, active) = (live.frr.enabled == "enabled", live.frr.active == "active");
    if live.frr.load != "loaded" {
        return Ok(String::new());
    }
    unit::put_back(FRR, enabled, active)?;
    if changed && active { unit::restart(FRR) } else { Ok(String::new()) }
}

/// Addresses that were there and are not back, of interfaces that are.
fn missing(live: &Live) -> Vec<String> {
    let top = Root::open(std::path::Path::new("/"), None);
    let now = network::ask_interfaces().map_err(Failure::from);
    let Ok(now) = now.and_then(|asked| network::interfaces(&top, asked).map_err(Failure::from)) else {
        return vec!["the interfaces cannot be read".to_owned()];
    };
    let gone = live.addresses.iter().filter(|(name, address)| {
        now.get(name).is_some_and(|i| !i.addresses.iter().any(|a| a.addr() == address.addr()))
    });
    gone.map(|(name, address)| format!("{name} has no {address}")).collect()
}
