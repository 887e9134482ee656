//! The stand-in for Thunderbolt hardware: a folder laid out as the kernel's `/sys` shows controllers, host
//! routers and the hosts on the other end. Nodes see it read-only; attributes follow the kernel's
//! `sysfs-bus-thunderbolt`. It never touches the real `/sys`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::state::uuid;

/// Where the interface names of a port are kept inside a node, one folder a service: only the node's own udev
/// knows how it named an interface.
pub const NET_NAMES: &str = "/run/ringbolt-lab/net";

/// PCI address of the controller behind a port: two inside the processor, further ones on cards.
#[must_use]
pub fn pci_address(port: u32) -> String {
    match port {
        0 => "0000:00:0d.2".to_owned(),
        1 => "0000:00:0d.3".to_owned(),
        more => format!("0000:{:02x}:00.0", 0x65 + more),
    }
}

/// Folder of the controller below the root of the tree.
fn controller(port: u32) -> String {
    let address = pci_address(port);
    match port {
        0 | 1 => format!("devices/pci0000:00/{address}"),
        more => format!("devices/pci0000:00/0000:00:1c.{}/{address}", more - 2),
    }
}

/// The name of the service that carries the network on this port, as `0-1.0`.
#[must_use]
pub fn service(port: u32) -> String {
    format!("{port}-1.0")
}

/// Identity of a node's controller, as its peers see it.
#[must_use]
pub fn identity(lab: &str, node: &str, port: u32) -> String {
    uuid(&format!("{lab}/{node}/router{port}"))
}

/// The tree of one node.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
    lab: String,
    node: String,
}

/// The other host on a cable.
#[derive(Debug, Clone)]
pub struct Peer<'a> {
    /// Its host name.
    pub name: &'a str,
    /// The port over there.
    pub port: u32,
}

impl Tree {
    /// The tree of `node`, rooted at `root`.
    #[must_use]
    pub fn new(root: &Path, lab: &str, node: &str) -> Self {
        Self { root: root.to_owned(), lab: lab.to_owned(), node: node.to_owned() }
    }

    /// Writes the controllers of a node with that many ports, nothing plugged in.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(&self, ports: u32) -> io::Result<()> {
        for folder in ["bus/thunderbolt/devices", "bus/pci/drivers/thunderbolt", "bus/pci/devices", "module"]
        {
            fs::create_dir_all(self.root.join(folder))?;
        }
        self.write("module/thunderbolt/refcnt", "1")?;
        self.write("module/thunderbolt_net/refcnt", "0")?;
        self.write("module/thunderbolt_net/parameters/e2e", "Y")?;
        (0..ports).try_for_each(|port| self.create_port(port))
    }

    fn create_port(&self, port: u32) -> io::Result<()> {
        let controller = controller(port);
        let address = pci_address(port);
        for (name, value) in [
            ("class", "0x0c0340"),
            ("vendor", "0x8086"),
            ("device", "0x463e"),
            ("uevent", &format!("DRIVER=thunderbolt\nPCI_CLASS=C0340\nPCI_SLOT_NAME={address}")),
        ] {
            self.write(&format!("{controller}/{name}"), value)?;
        }
        for link in ["bus/pci/drivers/thunderbolt", "bus/pci/devices"] {
            self.link(&format!("{link}/{address}"), &controller)?;
        }
        let domain = format!("{controller}/domain{port}");
        for (name, value) in [
            ("security", "user"),
            ("iommu_dma_protection", "1"),
            ("deauthorization", "0"),
            ("uevent", "DEVTYPE=thunderbolt_domain"),
        ] {
            self.write(&format!("{domain}/{name}"), value)?;
        }
        self.link(&format!("bus/thunderbolt/devices/domain{port}"), &domain)?;
        let router = format!("{domain}/{port}-0");
        for (name, value) in [
            ("unique_id", identity(&self.lab, &self.node, port).as_str()),
            ("generation", "4"),
            ("authorized", "1"),
            ("device_name", "ringbolt lab controller"),
            ("vendor_name", "Intel Corp."),
            ("device", "0x463e"),
            ("vendor", "0x8086"),
            ("nvm_version", "27.0"),
            ("uevent", "DEVTYPE=thunderbolt_device"),
            ("usb4_port1/link", "none"),
            ("usb4_port1/uevent", "DEVTYPE=usb4_port"),
        ] {
            self.write(&format!("{router}/{name}"), value)?;
        }
        self.link(&format!("bus/thunderbolt/devices/{port}-0"), &router)
    }

    /// Shows `peer` on the other end of a port, with a network service.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn plug(&self, port: u32, peer: &Peer<'_>) -> io::Result<()> {
        let router = format!("{}/domain{port}/{port}-0", controller(port));
        let host = format!("{router}/{port}-1");
        for (name, value) in [
            ("unique_id", identity(&self.lab, peer.name, peer.port).as_str()),
            ("device_name", peer.name),
            ("vendor_name", "Intel Corp."),
            ("device", "0x1"),
            ("vendor", "0x8086"),
            ("rx_speed", "20.0 Gb/s"),
            ("tx_speed", "20.0 Gb/s"),
            ("rx_lanes", "2"),
            ("tx_lanes", "2"),
            ("maxhopid", "15"),
            ("uevent", "DEVTYPE=thunderbolt_xdomain"),
        ] {
            self.write(&format!("{host}/{name}"), value)?;
        }
        let service = service(port);
        let folder = format!("{host}/{service}");
        for (name, value) in [
            ("key", "network"),
            ("modalias", "tbsvc:knetworkp00000001v00000001r00000001"),
            ("prtcid", "1"),
            ("prtcvers", "1"),
            ("prtcrevs", "1"),
            ("prtcstns", "0x00000007"),
            ("uevent", "DEVTYPE=thunderbolt_service\nDRIVER=thunderbolt-net"),
        ] {
            self.write(&format!("{folder}/{name}"), value)?;
        }
        replace_link(&self.root.join(&folder).join("net"), Path::new(NET_NAMES).join(&service).as_path())?;
        self.link(&format!("bus/thunderbolt/devices/{port}-1"), &host)?;
        self.link(&format!("bus/thunderbolt/devices/{service}"), &folder)?;
        self.write(&format!("{router}/usb4_port1/link"), "usb4")
    }

    /// Takes the other host away from a port; a port with nothing plugged in is fine.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn unplug(&self, port: u32) -> io::Result<()> {
        let router = format!("{}/domain{port}/{port}-0", controller(port));
        for link in [service(port), format!("{port}-1")] {
            gone_is_fine(fs::remove_file(self.root.join("bus/thunderbolt/devices").join(link)))?;
        }
        gone_is_fine(fs::remove_dir_all(self.root.join(&router).join(format!("{port}-1"))))?;
        self.write(&format!("{router}/usb4_port1/link"), "none")
    }

    fn write(&self, path: &str, value: &str) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, format!("{value}\n"))
    }

    /// A relative link from one place of the tree to another, as the kernel makes them.
    fn link(&self, at: &str, to: &str) -> io::Result<()> {
        let up = "../".repeat(at.matches('/').count());
        replace_link(&self.root.join(at), Path::new(&format!("{up}{to}")))
    }
}

fn replace_link(at: &Path, to: &Path) -> io::Result<()> {
    gone_is_fine(fs::remove_file(at))?;
    std::os::unix::fs::symlink(to, at)
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn both_sides_of_a_cable_agree() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("n1"), dir.path().join("n2"));
        let (n1, n2) = (Tree::new(&one, "l", "n1"), Tree::new(&two, "l", "n2"));
        n1.create(2).unwrap();
        n2.create(2).unwrap();
        n1.plug(0, &Peer { name: "n2", port: 1 }).unwrap();
        n2.plug(1, &Peer { name: "n1", port: 0 }).unwrap();
        let read =
            |root: &Path, path: &str| fs::read_to_string(root.join("bus/thunderbolt/devices").join(path));
        assert_eq!(read(&one, "0-1/unique_id").unwrap(), read(&two, "1-0/unique_id").unwrap());
        assert_eq!(read(&two, "1-1/unique_id").unwrap(), read(&one, "0-0/unique_id").unwrap());
        assert_eq!(read(&one, "0-1/device_name").unwrap(), "n2\n");
        assert_eq!(read(&one, "0-1.0/key").unwrap(), "network\n");
        assert_eq!(read(&one, "0-0/usb4_port1/link").unwrap(), "usb4\n");
        let real = fs::canonicalize(one.join("bus/thunderbolt/devices/0-1.0")).unwrap();
        assert!(real.ends_with("devices/pci0000:00/0000:00:0d.2/domain0/0-0/0-1/0-1.0"), "{real:?}");
    }

    #[test]
    fn unplug_leaves_the_controller_and_can_be_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::new(dir.path(), "l", "n1");
        tree.create(3).unwrap();
        tree.plug(2, &Peer { name: "n2", port: 0 }).unwrap();
        tree.unplug(2).unwrap();
        tree.unplug(2).unwrap();
        let devices = dir.path().join("bus/thunderbolt/devices");
        let mut names: Vec<String> =
            fs::read_dir(&devices).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["0-0", "1-0", "2-0", "domain0", "domain1", "domain2"]);
        assert!(dir.path().join("bus/pci/drivers/thunderbolt/0000:67:00.0/class").exists());
        tree.plug(2, &Peer { name: "n3", port: 0 }).unwrap();
        assert_eq!(fs::read_to_string(devices.join("2-1/device_name")).unwrap(), "n3\n");
    }
}
