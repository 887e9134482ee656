//! Loads a kernel module.

use std::collections::BTreeSet;

use ringbolt_core::wire::Failure;

use super::{Outcome, plain_name};
use crate::exec::call;
use crate::read::kernel::modules;
use crate::root::Root;

/// Loads it; what is loaded or built in is left so.
pub(super) fn load(root: &Root, name: &str) -> Outcome {
    plain_name(name, "a module")?;
    let release = root.line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let wanted = BTreeSet::from([name.to_owned()]);
    if !modules(root, &release, &wanted).is_empty() {
        return Ok("loaded already".to_owned());
    }
    let output = call("modprobe", ["--", name]).limit(30).joined().run()?;
    if !modules(root, &release, &wanted).is_empty() {
        return Ok("loaded".to_owned());
    }
    let missing = output.out.contains("not found in directory");
    let failure = Failure::broken(format!("module {name} did not load: {}", output.last(2)));
    Err(if missing {
        failure.hint(format!("kernel {release} has no such module: boot a Proxmox VE kernel"))
    } else {
        failure
    })
}
