//! The sysfs entries of a disk, as the kernel shows an NVMe drive: controller, namespace, queue, partitions,
//! and the links to them. Used when disks are attached, changed, pulled and plugged in.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{DiskRecord, Partition};

/// The entries of one disk below the root of a node's tree.
pub(super) struct Tree<'a> {
    pub(super) root: &'a Path,
    pub(super) disk: &'a DiskRecord,
}

/// Attributes of the queue; those of a PCIe 4 drive.
const QUEUE: &[(&str, &str)] = &[
    ("rotational", "0"),
    ("nr_requests", "1023"),
    ("logical_block_size", "512"),
    ("physical_block_size", "512"),
    ("hw_sector_size", "512"),
    ("scheduler", "[none] mq-deadline"),
    ("write_cache", "write back"),
    ("read_ahead_kb", "128"),
    ("nomerges", "0"),
    ("rq_affinity", "1"),
    ("max_sectors_kb", "1280"),
    ("max_hw_sectors_kb", "2048"),
    ("discard_granularity", "512"),
    ("discard_max_bytes", "2199023255040"),
    ("wbt_lat_usec", "2000"),
    ("io_poll", "0"),
    ("iostats", "1"),
];

/// What a drive in good health tells; whoever wants another one changes the file.
const SMART: &str = r#"{
  "critical_warning": 0, "temperature": 38, "available_spare": 100, "available_spare_threshold": 10,
  "percentage_used": 3, "data_units_read": 812344, "data_units_written": 1633021, "host_reads": 9182733,
  "host_writes": 40118233, "power_cycles": 61, "power_on_hours": 4110, "unsafe_shutdowns": 9,
  "media_errors": 0, "num_err_log_entries": 0, "warning_temp_time": 0, "critical_comp_time": 0
}
"#;

impl Tree<'_> {
    fn controller(&self) -> String {
        format!("nvme{}", self.disk.number())
    }

    fn address(&self) -> String {
        format!("0000:{:02x}:00.0", self.disk.number() + 2)
    }

    /// The PCI function, below the root.
    fn function(&self) -> String {
        format!("devices/pci0000:00/0000:00:06.{}/{}", self.disk.number() % 8, self.address())
    }

    /// The block device, below the root.
    fn block(&self) -> String {
        format!("{}/nvme/{}/{}", self.function(), self.controller(), self.disk.name)
    }

    /// Writes everything; `number` is the block device's `major:minor`.
    pub(super) fn create(&self, number: &str, partitions: &[Partition]) -> io::Result<()> {
        let (function, controller) = (self.function(), self.controller());
        let address = self.address();
        for (name, value) in [
            ("class", "0x010802"),
            ("vendor", "0x144d"),
            ("device", "0xa80a"),
            ("current_link_speed", "16.0 GT/s PCIe"),
            ("max_link_speed", "16.0 GT/s PCIe"),
            ("current_link_width", "4"),
            ("max_link_width", "4"),
            ("numa_node", "-1"),
        ] {
            self.write(&format!("{function}/{name}"), value)?;
        }
        let place = format!("{function}/nvme/{controller}");
        for (name, value) in [
            ("model", format!("{:<40}", self.disk.model)),
            ("serial", format!("{:<20}", self.disk.serial)),
            ("firmware_rev", "1.0     ".to_owned()),
            ("state", "live".to_owned()),
            ("transport", "pcie".to_owned()),
            ("address", address.clone()),
            ("cntlid", "1".to_owned()),
            ("queue_count", "9".to_owned()),
            ("hwmon1/name", "nvme".to_owned()),
            ("hwmon1/temp1_input", "37850".to_owned()),
            ("hwmon1/temp1_label", "Composite".to_owned()),
        ] {
            self.write(&format!("{place}/{name}"), &value)?;
        }
        let smart = self.root.join("smart").join(format!("{}.json", self.disk.name));
        if !smart.exists() {
            fs::create_dir_all(self.root.join("smart"))?;
            fs::write(smart, SMART)?;
        }
        symlink(format!("../../../{address}"), self.root.join(&place).join("device"))?;
        self.link(&format!("class/nvme/{controller}"), &place)?;
        self.link(&format!("bus/pci/devices/{address}"), &function)?;
        self.create_block(number, partitions)
    }

    fn create_block(&self, number: &str, partitions: &[Partition]) -> io::Result<()> {
        let (block, name) = (self.block(), &self.disk.name);
        let minor = self.disk.number();
        for (attribute, value) in [
            ("size", (self.disk.size / 512).to_string()),
            ("dev", number.to_owned()),
            ("removable", "0".to_owned()),
            ("ro", "0".to_owned()),
            ("hidden", "0".to_owned()),
            ("nsid", "1".to_owned()),
            ("wwid", format!("eui.{}", self.eui())),
            ("stat", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0".to_owned()),
            ("uevent", format!("MAJOR=259\nMINOR={minor}\nDEVNAME={name}\nDEVTYPE=disk")),
        ] {
            self.write(&format!("{block}/{attribute}"), &value)?;
        }
        for (attribute, value) in QUEUE {
            self.write(&format!("{block}/queue/{attribute}"), value)?;
        }
        for folder in ["holders", "slaves"] {
            fs::create_dir_all(self.root.join(&block).join(folder))?;
        }
        symlink(format!("../../{}", self.controller()), self.root.join(&block).join("device"))?;
        for part in partitions {
            let name = format!("{name}p{}", part.number);
            let place = format!("{block}/{name}");
            for (attribute, value) in [
                ("partition", part.number.to_string()),
                ("dev", part.device.clone()),
                ("start", part.start.to_string()),
                ("size", part.sectors.to_string()),
                ("ro", "0".to_owned()),
                ("uevent", format!("DEVNAME={name}\nDEVTYPE=partition\nPARTN={}", part.number)),
            ] {
                self.write(&format!("{place}/{attribute}"), &value)?;
            }
            fs::create_dir_all(self.root.join(&place).join("holders"))?;
            self.link(&format!("class/block/{name}"), &place)?;
            self.link(&format!("dev/block/{}", part.device), &place)?;
        }
        self.link(&format!("class/block/{name}"), &block)?;
        self.link(&format!("dev/block/{number}"), &block)?;
        // Last: who sees it here finds all the rest.
        self.link(&format!("block/{name}"), &block)
    }

    /// An identifier of sixteen hex digits made of the serial.
    fn eui(&self) -> String {
        let hex: String = self.disk.serial.bytes().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{hex:0<16}")
    }

    /// Takes everything away; nothing there is fine.
    pub(super) fn remove(&self) -> io::Result<()> {
        let name = &self.disk.name;
        gone_is_fine(fs::remove_file(self.root.join("block").join(name)))?;
        let block = self.root.join(self.block());
        for folder in ["class/block", "dev/block", "class/nvme", "bus/pci/devices"] {
            for entry in fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten() {
                let to = fs::read_link(entry.path()).unwrap_or_default();
                let to = to.to_string_lossy().into_owned();
                let function = self.function();
                if to.ends_with(&function) || to.contains(&format!("{function}/")) {
                    gone_is_fine(fs::remove_file(entry.path()))?;
                }
            }
        }
        drop(block);
        gone_is_fine(fs::remove_dir_all(self.root.join(self.function())))
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
        let place = self.root.join(at);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        gone_is_fine(fs::remove_file(&place))?;
        symlink(format!("{}{to}", "../".repeat(at.matches('/').count())), place)
    }
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
    fn a_disk_looks_as_the_kernel_shows_it_and_goes_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        let disks = super::super::records("l", "n1", 1, 10 << 30);
        let other = Tree { root: dir.path(), disk: &disks[0] };
        let tree = Tree { root: dir.path(), disk: &disks[1] };
        let part = Partition { number: 1, device: "259:7".into(), start: 2048, sectors: 4096 };
        other.create("7:0", &[]).unwrap();
        tree.create("7:1", &[part]).unwrap();
        let read = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
        assert_eq!(read("block/nvme1n1/size"), "20971520\n");
        assert_eq!(read("block/nvme1n1/device/model").trim(), "RINGBOLT LAB DATA");
        assert_eq!(read("block/nvme1n1/device/state"), "live\n");
        assert_eq!(read("block/nvme1n1/nvme1n1p1/start"), "2048\n");
        assert_eq!(read("dev/block/259:7/partition"), "1\n");
        assert_eq!(read("dev/block/7:1/dev"), "7:1\n");
        assert_eq!(read("block/nvme1n1/device/device/class"), "0x010802\n");
        tree.remove().unwrap();
        tree.remove().unwrap();
        assert!(!dir.path().join("block/nvme1n1").exists());
        assert!(fs::read_dir(dir.path().join("dev/block")).unwrap().count() == 1);
        assert_eq!(read("block/nvme0n1/dev"), "7:0\n");
    }
}
