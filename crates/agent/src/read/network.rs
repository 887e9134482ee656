//! Interfaces and routes: three runs of `ip`, udev's data files, and sysfs for what udev leaves out.

use ringbolt_core::facts::Interface;
use ringbolt_core::facts::network::{self as parse, Family, Interfaces, KernelRoute};

use super::ReadError;
use crate::exec::{ExecError, Started, call};
use crate::root::Root;

/// Starts the question for interfaces.
pub(crate) fn ask_interfaces() -> Result<Started, ExecError> {
    call("ip", ["-j", "-d", "addr"]).start()
}

/// Starts the questions for routes of both families.
pub(super) fn ask_routes() -> Result<(Started, Started), ExecError> {
    Ok((call("ip", ["-j", "route"]).start()?, call("ip", ["-j", "-6", "route"]).start()?))
}

/// Collects the interfaces and adds what udev and sysfs know of each.
pub(crate) fn interfaces(root: &Root, asked: Started) -> Result<Interfaces, ReadError> {
    let mut interfaces = parse::interfaces(&asked.finish(None)?.out)?;
    for (name, interface) in &mut interfaces {
        describe(root, name, interface);
    }
    Ok(interfaces)
}

/// Collects the routes.
pub(super) fn routes((v4, v6): (Started, Started)) -> Result<Vec<KernelRoute>, ReadError> {
    let mut routes = parse::routes(&v4.finish(None)?.out, Family::V4)?;
    // A kernel without IPv6 makes `ip -6` fail; that is no fault of the node.
    routes.extend(parse::routes(&v6.finish(None)?.out, Family::V6).unwrap_or_default());
    Ok(routes)
}

/// Driver and path: from udev, else from the device's place in sysfs.
fn describe(root: &Root, name: &str, interface: &mut Interface) {
    let data = std::fs::read_to_string(root.at(format!("/run/udev/data/n{}", interface.index)));
    let udev = parse::udev(&data.unwrap_or_default());
    interface.driver = udev.driver.or_else(|| {
        let driver = std::fs::read_link(root.at(format!("/sys/class/net/{name}/device/driver"))).ok()?;
        Some(driver.file_name()?.to_str()?.to_owned())
    });
    interface.path = udev.path.or_else(|| {
        let device = std::fs::canonicalize(root.at(format!("/sys/class/net/{name}/device"))).ok()?;
        let pci = ringbolt_core::facts::thunderbolt::controller(device.to_str()?)?;
        Some(format!("pci-{pci}"))
    });
}
