//! Host controllers and the hosts at the far ends of cables, from sysfs.

use std::path::Path;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::thunderbolt::{Controller, Peer, controller, controller_of, peer_of, place};
use ringbolt_core::facts::{Known, Thunderbolt};

/// Reads `bus/thunderbolt/devices` below `sysfs`.
pub(super) fn thunderbolt(sysfs: &Path) -> Known<Thunderbolt> {
    let devices = sysfs.join("bus/thunderbolt/devices");
    let Ok(entries) = std::fs::read_dir(&devices) else {
        return Known::No("no Thunderbolt or USB4 controller is known to the kernel".into());
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.arrange();
    let mut found = Thunderbolt::default();
    for name in &names {
        let Some((domain, route)) = place(name) else { continue };
        let device = devices.join(name);
        let Some(pci) = pci(&device) else { continue };
        if route == 0 {
            found.controllers.push(own(&devices, &device, &pci, domain));
        } else if is_host(&device) {
            found.peers.push(far(&device, &pci, (domain, route)));
        }
    }
    Known::Yes(found)
}

/// The PCI address of the controller a device hangs at.
fn pci(device: &Path) -> Option<String> {
    let real = std::fs::canonicalize(device).ok()?;
    controller(real.to_str()?).map(str::to_owned)
}

fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn own(devices: &Path, router: &Path, pci: &str, domain: u32) -> Controller {
    let of_domain = devices.join(format!("domain{domain}"));
    controller_of(pci, domain, |name| attribute(&of_domain, name), |name| attribute(router, name))
}

/// Another host, not a dock or a disk: the kernel says so, and on kernels that do not, a host has
/// no `authorized`.
fn is_host(device: &Path) -> bool {
    match attribute(device, "uevent")
        .as_deref()
        .and_then(|text| text.lines().find(|l| l.starts_with("DEVTYPE=")))
    {
        Some(kind) => kind == "DEVTYPE=thunderbolt_xdomain",
        None => !device.join("authorized").exists(),
    }
}

fn far(device: &Path, pci: &str, at: (u32, u64)) -> Peer {
    let services = std::fs::read_dir(device).into_iter().flatten().flatten();
    let network = services.map(|e| e.path()).any(|p| attribute(&p, "key").as_deref() == Some("network"));
    peer_of(pci, at, network, |name| attribute(device, name))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// A tree as the kernel lays it out: one controller, one host with the network service, one dock.
    fn tree(top: &Path) {
        let router = "devices/pci0000:00/0000:00:0d.2/domain0/0-0";
        let write = |path: String, text: &str| {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        };
        write("devices/pci0000:00/0000:00:0d.2/domain0/security".into(), "user");
        write("devices/pci0000:00/0000:00:0d.2/domain0/iommu_dma_protection".into(), "1");
        write(format!("{router}/unique_id"), "aaaa");
        write(format!("{router}/generation"), "4");
        for (name, value) in [
            ("unique_id", "bbbb"),
            ("device_name", "n3"),
            ("vendor_name", "Intel Corp."),
            ("rx_speed", "20.0 Gb/s"),
            ("tx_speed", "20.0 Gb/s"),
            ("rx_lanes", "2"),
            ("tx_lanes", "1"),
            ("uevent", "DEVTYPE=thunderbolt_xdomain"),
            ("0-1.0/key", "network"),
        ] {
            write(format!("{router}/0-1/{name}"), value);
        }
        write(format!("{router}/0-3/uevent"), "DEVTYPE=thunderbolt_device");
        let devices = top.join("bus/thunderbolt/devices");
        std::fs::create_dir_all(&devices).unwrap();
        for (name, to) in [
            ("domain0", "devices/pci0000:00/0000:00:0d.2/domain0".to_owned()),
            ("0-0", router.to_owned()),
            ("0-1", format!("{router}/0-1")),
            ("0-1.0", format!("{router}/0-1/0-1.0")),
            ("0-3", format!("{router}/0-3")),
        ] {
            std::os::unix::fs::symlink(format!("../../../{to}"), devices.join(name)).unwrap();
        }
    }

    #[test]
    fn controllers_and_hosts_but_no_docks() {
        let folder = tempfile::tempdir().unwrap();
        tree(folder.path());
        let read = thunderbolt(folder.path());
        let read = read.yes().unwrap();
        assert_eq!(read.controllers.len(), 1);
        let own = &read.controllers[0];
        assert_eq!((own.pci.as_str(), own.uuid.as_str(), own.generation), ("0000:00:0d.2", "aaaa", Some(4)));
        assert_eq!((own.security.as_deref(), own.iommu), (Some("user"), Some(true)));
        assert_eq!(read.peers.len(), 1);
        let peer = &read.peers[0];
        assert_eq!((peer.route, peer.uuid.as_str(), peer.device_name.as_str()), (1, "bbbb", "n3"));
        assert_eq!((peer.rx_gbps, peer.rx_lanes, peer.tx_lanes), (Some(20), Some(2), Some(1)));
        assert!(peer.network);
    }

    #[test]
    fn without_the_module_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(thunderbolt(folder.path()), Known::No(_)));
    }
}
