//! What a node is and how it does at the moment of a measurement: what flatters, spoils or explains its figures.
//!
//! Filled by the agent, kept with every result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// `uname -r`.
    pub kernel: String,
    /// Model of its processor.
    pub processor: String,
    /// Processors online.
    pub cpus: u32,
    /// Those that are efficiency cores, as the kernel lists them; empty where all are alike.
    pub efficient: String,
    /// Bytes of memory.
    pub memory: u64,
    /// Processes ready to run, mean of the last minute.
    pub load: f64,
    /// Governor of processor 0; none where the frequency is not ours to govern.
    pub governor: Option<String>,
    /// Highest temperature of any sensor of the processor, in °C.
    pub hottest: Option<f64>,
    /// How often the processor slowed down for heat since boot; none where it does not count.
    pub throttled: Option<u64>,
    /// Congestion control of TCP.
    pub congestion: String,
    /// Versions of the tools that are installed: `iperf3`, `fio`, `rados`.
    pub tools: BTreeMap<String, String>,
    /// Speed of those interfaces asked for that tell one, in Mbit/s.
    pub speeds: BTreeMap<String, u32>,
}

/// `model name` in `/proc/cpuinfo`.
pub fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    line.map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
}

/// `MemTotal` of `/proc/meminfo` in bytes; 0 without it.
pub fn memory(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The version in what a tool says of itself: `iperf 3.18 (cJSON 1.7.15)` → `3.18`, `fio-3.39` → `3.39`,
/// `ceph version 19.2.3 (…) squid (stable)` → `19.2.3`.
pub fn version(said: &str) -> Option<String> {
    let words = said.lines().next()?.split([' ', '-']);
    words
        .map(str::trim)
        .find(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.contains('.'))
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_tools() {
        let read = |said: &str| version(said).unwrap_or_default();
        assert_eq!(read("iperf 3.18 (cJSON 1.7.15)\nLinux n1 6.17.2-1-pve\n"), "3.18");
        assert_eq!(read("fio-3.39\n"), "3.39");
        assert_eq!(
            read("ceph version 18.2.7 (6b0e988052ec84cf2d4a54ff9bbbc5e720b621ad) reef (stable)"),
            "18.2.7"
        );
        assert_eq!(version("nothing"), None);
    }

    #[test]
    fn processor_and_memory() {
        let text = "processor\t: 0\nmodel name\t: 13th Gen Intel(R) Core(TM) i9-13900H\nflags\t: x\n";
        assert_eq!(processor(text), "13th Gen Intel(R) Core(TM) i9-13900H");
        assert_eq!(memory("MemFree: 1 kB\nMemTotal:       32768 kB\n"), 33_554_432);
    }
}
