//! Reads the interrupts of an interface's device before and after a run.
//!
//! The device is found through sysfs: the interface's own, or the nearest above it that has interrupts of its own (a
//! Thunderbolt interface has those of its controller). Without any, nothing is said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringbolt_core::bench::interrupts::{Interrupts, Reading, between, cpu_list, read};
use ringbolt_core::into_set::IntoSet;

use crate::root::Root;

const TABLE: &str = "/proc/interrupts";

/// A reading that waits for its second half.
pub(super) struct Watch {
    table: PathBuf,
    wanted: BTreeSet<u32>,
    efficient: BTreeSet<u32>,
    before: Reading,
}

impl Watch {
    /// Takes the first reading.
    pub(super) fn begin(root: &Root, interface: Option<&str>) -> Self {
        let table = root.at(TABLE);
        let wanted = interface.map(|name| of(&root.at("/sys"), name)).unwrap_or_default();
        let efficient = cpu_list(&root.line("/sys/devices/cpu_atom/cpus").unwrap_or_default());
        let before = reading(&table, &wanted);
        Self { table, wanted, efficient, before }
    }

    /// Takes the second; `None` for an interface without interrupts of its own.
    pub(super) fn end(&self) -> Option<Interrupts> {
        let after = reading(&self.table, &self.wanted);
        (!after.is_empty()).then(|| between(&self.before, &after, &self.efficient))
    }
}

fn reading(table: &Path, wanted: &BTreeSet<u32>) -> Reading {
    if wanted.is_empty() {
        return Reading::new();
    }
    std::fs::read_to_string(table).map(|text| read(&text, wanted)).unwrap_or_default()
}

/// Numbers of the interrupts behind an interface.
fn of(sys: &Path, interface: &str) -> BTreeSet<u32> {
    let Ok(device) = std::fs::canonicalize(sys.join("class/net").join(interface).join("device")) else {
        return BTreeSet::new();
    };
    let folders = device.ancestors().take_while(|folder| *folder != sys);
    let mut lists = folders.filter_map(|folder| std::fs::read_dir(folder.join("msi_irqs")).ok());
    let entries = lists.next().into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).into_set()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_thunderbolt_interface_has_the_interrupts_of_its_controller() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        let pci = top.join("sys/devices/pci0000:00/0000:00:0d.2");
        let service = pci.join("domain0/0-0/0-1/0-1.0");
        std::fs::create_dir_all(service.join("net/en05")).unwrap();
        std::fs::create_dir_all(pci.join("msi_irqs/164")).unwrap();
        std::fs::create_dir_all(top.join("sys/class/net")).unwrap();
        std::os::unix::fs::symlink(&service, service.join("net/en05/device")).unwrap();
        std::os::unix::fs::symlink(service.join("net/en05"), top.join("sys/class/net/en05")).unwrap();
        std::fs::create_dir_all(top.join("proc")).unwrap();
        let table = |n: u32| format!("      CPU0 CPU1\n164:  5 {n}  MSI thunderbolt\n165: 1 1 other\n");
        std::fs::write(top.join("proc/interrupts"), table(1)).unwrap();
        let root = Root::open(top, None);
        let watch = Watch::begin(&root, Some("en05"));
        std::fs::write(top.join("proc/interrupts"), table(43)).unwrap();
        assert_eq!(watch.end().unwrap().by_cpu, [(1, 42)].into());
        assert!(Watch::begin(&root, Some("veth0")).end().is_none());
        assert!(Watch::begin(&root, None).end().is_none());
    }
}
