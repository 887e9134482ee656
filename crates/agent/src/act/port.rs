//! Gives the Thunderbolt interface of a controller its port name and MTU now; its `.link` file does
//! the same at every later appearance.
//!
//! Done with `ip`, which is sure; udev renames only on `add` and not what it renamed before.

use ipnet::IpNet;
use ringbolt_core::facts::Interface;
use ringbolt_core::facts::network::{Interfaces, is_local};
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, plain_name};
use crate::exec::call;
use crate::read::network::{ask_interfaces, interfaces};
use crate::root::Root;
use crate::undo::Was;

/// Driver of Thunderbolt's interfaces.
const DRIVER: &str = "thunderbolt-net";

/// Finds the interface and names it. Without a cable there is no interface, and nothing to do.
pub(super) fn adopt(scene: &Scene<'_>, pci: &str, name: &str, mtu: u32) -> Outcome {
    plain_name(name, "an interface")?;
    let root = scene.root;
    let before = links(root)?;
    let Some((old, interface)) = find(&before, pci, name)? else {
        return Ok(format!("no cable on {pci}"));
    };
    if old == name && interface.mtu == mtu && interface.up {
        return Ok("already so".to_owned());
    }
    let (was, up, addresses) = (interface.mtu, interface.up, own(interface).copied().collect());
    scene.keep(Was::Port { pci: pci.to_owned(), name: old.to_owned(), mtu: was, up, addresses })?;
    if old != name {
        rename(&before, old, name)?;
    }
    let mtu_text = mtu.to_string();
    call("ip", ["link", "set", "dev", name, "mtu", &mtu_text, "up"]).joined().must()?;
    let after = links(root)?;
    match after.get(name) {
        Some(now) if now.index == interface.index && now.mtu == mtu => {
            Ok(if old == name { format!("MTU {mtu}") } else { format!("{old} is {name}, MTU {mtu}") })
        }
        Some(now) if now.index != interface.index => {
            Err(Failure::broken(format!("{name} went away and came back while it was named"))
                .hint("try again"))
        }
        Some(now) => Err(Failure::broken(format!("{name} has MTU {} after setting {mtu}", now.mtu))),
        None => Err(Failure::broken(format!("{old} did not keep its new name {name}"))
            .hint("another `.link` file or udev rule names it: `ringbolt plan` lists them")),
    }
}

/// What an interface was like.
pub(super) struct Condition<'a> {
    pub(super) name: &'a str,
    pub(super) mtu: u32,
    pub(super) up: bool,
    pub(super) addresses: &'a [IpNet],
}

/// Gives the interface of a controller the name, MTU and state it had, and takes what addresses came since:
/// ifupdown2 leaves them on an interface whose own stanza has none.
pub(super) fn put_back(scene: &Scene<'_>, pci: &str, was: &Condition<'_>) -> Outcome {
    let name = was.name;
    plain_name(name, "an interface")?;
    let now = links(scene.root)?;
    let Some((old, interface)) = find(&now, pci, name)? else {
        return Ok(format!("no cable on {pci}"));
    };
    if old != name {
        rename(&now, old, name)?;
        // udev hears of the new name and gives the interface the MTU of its `.link` file, which is still there.
        let _ = call("udevadm", ["settle", "--timeout=10"]).limit(15).run();
    }
    for address in own(interface).filter(|a| !was.addresses.contains(a)) {
        call("ip", ["address", "del", &address.to_string(), "dev", name]).joined().must()?;
    }
    let (mtu, state) = (was.mtu.to_string(), if was.up { "up" } else { "down" });
    call("ip", ["link", "set", "dev", name, "mtu", &mtu, state]).joined().must()?;
    Ok(format!("{old} is {name}, MTU {mtu}, {state}"))
}

/// Addresses somebody gave it: all but those about one link only.
fn own(interface: &Interface) -> impl Iterator<Item = &IpNet> {
    interface.addresses.iter().filter(|a| !is_local(a))
}

fn links(root: &Root) -> Result<Interfaces, Failure> {
    interfaces(root, ask_interfaces()?).map_err(Failure::from)
}

/// The interface of a controller. With two cables on one controller only the one that has the name
/// already can be told from the other.
fn find<'a>(all: &'a Interfaces, pci: &str, name: &str) -> Result<Option<(&'a str, &'a Interface)>, Failure> {
    let path = format!("pci-{pci}");
    let ours =
        |i: &Interface| i.driver.as_deref() == Some(DRIVER) && i.path.as_deref() == Some(path.as_str());
    let found: Vec<(&str, &Interface)> =
        all.iter().filter(|(_, i)| ours(i)).map(|(n, i)| (n.as_str(), i)).collect();
    let named = found.iter().find(|(n, _)| *n == name);
    match (named, found.as_slice()) {
        (Some(found), _) => Ok(Some(*found)),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(*only)),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|(n, _)| *n).collect();
            let message = format!("{pci} has several interfaces: {}", names.join(", "));
            Err(Failure::refused(message)
                .hint("plug one cable into this controller, or name its ports in the spec"))
        }
    }
}

fn rename(all: &Interfaces, old: &str, name: &str) -> Result<(), Failure> {
    if let Some(other) = all.get(name) {
        let driver = other.driver.as_deref().unwrap_or("unknown");
        return Err(Failure::refused(format!("{name} is the name of another interface (driver {driver})"))
            .hint("choose another name for the port, or rename that interface"));
    }
    call("ip", ["link", "set", "dev", old, "down"]).joined().must()?;
    let renamed = call("ip", ["link", "set", "dev", old, "name", name]).joined().must();
    if renamed.is_err() {
        // Leave it as usable as it was.
        call("ip", ["link", "set", "dev", old, "up"]).run()?;
    }
    renamed?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn interface(index: u32, driver: &str, path: &str) -> Interface {
        Interface {
            index,
            driver: Some(driver.into()),
            path: Some(path.into()),
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

    #[test]
    fn the_interface_of_a_controller_is_found_by_path_and_driver() {
        let mut all = Interfaces::new();
        all.insert("enp1s0".into(), interface(2, "igc", "pci-0000:00:0d.2"));
        all.insert("thunderbolt0".into(), interface(3, DRIVER, "pci-0000:00:0d.2"));
        all.insert("thunderbolt1".into(), interface(4, DRIVER, "pci-0000:00:0d.3"));
        assert_eq!(find(&all, "0000:00:0d.2", "en05").unwrap().unwrap().0, "thunderbolt0");
        assert!(find(&all, "0000:00:0d.4", "en05").unwrap().is_none());
        all.insert("thunderbolt2".into(), interface(5, DRIVER, "pci-0000:00:0d.2"));
        assert!(find(&all, "0000:00:0d.2", "en05").unwrap_err().message.contains("several"));
        all.insert("en05".into(), interface(6, DRIVER, "pci-0000:00:0d.2"));
        assert_eq!(find(&all, "0000:00:0d.2", "en05").unwrap().unwrap().1.index, 6);
    }
}
