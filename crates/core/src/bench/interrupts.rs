//! Which processors served the interrupts of an interface: two readings of `/proc/interrupts` and their difference.
//!
//! Used by the agent around a throughput run. Numbers of interrupts come from the device's `msi_irqs` folder, so a
//! Thunderbolt interface is found by its controller.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::into_map::IntoMap;

/// Interrupts of one interface during a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupts {
    /// How many each processor served; those without any are left out.
    pub by_cpu: BTreeMap<u32, u64>,
    /// Of these processors, the ones that are efficiency cores.
    pub efficient: BTreeSet<u32>,
}

/// Counts by interrupt number, each with one number per processor.
pub type Reading = BTreeMap<u32, BTreeMap<u32, u64>>;

/// Reads `/proc/interrupts`, keeping the lines of these interrupts.
pub fn read(text: &str, wanted: &BTreeSet<u32>) -> Reading {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default().split_whitespace();
    let cpus: Vec<u32> = heading.filter_map(|word| word.strip_prefix("CPU")?.parse().ok()).collect();
    let mut reading = Reading::new();
    for line in lines {
        let Some((number, rest)) = line.split_once(':') else { continue };
        let Some(number) = number.trim().parse().ok().filter(|n| wanted.contains(n)) else { continue };
        let counts = rest.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        reading.insert(number, cpus.iter().copied().zip(counts).into_map());
    }
    reading
}

/// What came between two readings.
pub fn between(before: &Reading, after: &Reading, efficient: &BTreeSet<u32>) -> Interrupts {
    let mut interrupts = Interrupts::default();
    for (number, counts) in after {
        for (cpu, count) in counts {
            let old = before.get(number).and_then(|c| c.get(cpu)).copied().unwrap_or(0);
            if let more @ 1.. = count.saturating_sub(old) {
                *interrupts.by_cpu.entry(*cpu).or_default() += more;
            }
        }
    }
    interrupts.efficient = efficient.iter().copied().filter(|c| interrupts.by_cpu.contains_key(c)).collect();
    interrupts
}

/// A list of processors as the kernel writes it: `0-3,8,10-11`.
pub fn cpu_list(text: &str) -> BTreeSet<u32> {
    let mut cpus = BTreeSet::new();
    for part in text.trim().split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>()) {
            // No machine has more; a broken line must not fill the memory.
            cpus.extend(from..=to.min(from.saturating_add(4096)));
        }
    }
    cpus
}

impl Interrupts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_cpu.values().sum()
    }

    /// The share served by efficiency cores, 0 to 1.
    pub fn efficient_share(&self) -> f64 {
        let slow: u64 = self.efficient.iter().filter_map(|cpu| self.by_cpu.get(cpu)).sum();
        if slow == 0 { 0.0 } else { slow as f64 / self.total() as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "           CPU0       CPU1       CPU2\n  9:          0          4          0  IO-APIC   9-fasteoi   acpi\n164:     100000          0          7  IR-PCI-MSI-0000:00:0d.2    0-edge      thunderbolt\n165:          0         12          0  IR-PCI-MSI-0000:00:0d.2    1-edge      thunderbolt\nNMI:          1          2          3   Non-maskable interrupts\n";

    #[test]
    fn only_the_interrupts_of_the_device_count() {
        let wanted = BTreeSet::from([164, 165]);
        let before = read(BEFORE, &wanted);
        let after = read(
            &BEFORE
                .replace("100000          0", "100500          0")
                .replace(" 12 ", " 40 ")
                .replace(" 4 ", " 9 "),
            &wanted,
        );
        let seen = between(&before, &after, &cpu_list("1-2"));
        assert_eq!(seen.by_cpu, BTreeMap::from([(0, 500), (1, 28)]));
        assert_eq!(seen.efficient, BTreeSet::from([1]));
        assert!((seen.efficient_share() - 28.0 / 528.0).abs() < 1e-9);
        assert_eq!(seen.total(), 528);
    }

    #[test]
    fn lists_of_processors() {
        assert_eq!(cpu_list("0-3,8,10-11\n"), BTreeSet::from([0, 1, 2, 3, 8, 10, 11]));
        assert!(cpu_list("").is_empty());
        assert!(cpu_list("0-4294967295").len() <= 4097);
    }
}
