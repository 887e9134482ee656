//! What the machine is and how it does now: files of the kernel, and one short call for each tool that is there.

use std::path::Path;

use ringbolt_core::bench::machine::{Machine, memory, processor, version};
use ringbolt_core::into_map::IntoMap;

use crate::exec::{call, find};
use crate::root::Root;

/// Tools of the benchmarks.
const TOOLS: [&str; 3] = ["iperf3", "fio", "rados"];

/// Sensors of processors, by the name of their driver or zone.
const SENSORS: [&str; 5] = ["coretemp", "k10temp", "zenpower", "x86_pkg_temp", "cpu_thermal"];

/// Looks at the machine.
pub(super) fn machine(root: &Root, interfaces: &[String]) -> Machine {
    let text = |path: &str| std::fs::read_to_string(root.at(path)).unwrap_or_default();
    let load = text("/proc/loadavg").split(' ').next().and_then(|word| word.parse().ok());
    let speed = |name: &String| {
        let path = format!("/sys/class/net/{name}/speed");
        Some((name.clone(), root.line(&path)?.parse::<u32>().ok()?))
    };
    let tool = |name: &str| {
        find(name)?;
        let output = call(name, ["--version"]).run().ok()?;
        Some((name.to_owned(), version(&output.out).or_else(|| version(&output.err))?))
    };
    Machine {
        kernel: root.line("/proc/sys/kernel/osrelease").unwrap_or_default(),
        processor: processor(&text("/proc/cpuinfo")),
        cpus: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1)),
        efficient: root.line("/sys/devices/cpu_atom/cpus").unwrap_or_default(),
        memory: memory(&text("/proc/meminfo")),
        load: load.unwrap_or(0.0),
        governor: root.line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        hottest: hottest(root),
        throttled: throttled(root),
        congestion: root.line("/proc/sys/net/ipv4/tcp_congestion_control").unwrap_or_default(),
        tools: TOOLS.into_iter().filter_map(tool).into_map(),
        speeds: interfaces.iter().filter_map(speed).into_map(),
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn line(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The highest temperature any sensor of the processor shows, in °C.
fn hottest(root: &Root) -> Option<f64> {
    let known = |name: Option<String>| name.is_some_and(|n| SENSORS.contains(&n.as_str()));
    let zones = entries(&root.at("/sys/class/thermal"))
        .filter(|zone| known(line(&zone.join("type"))))
        .map(|zone| zone.join("temp"));
    let monitors = entries(&root.at("/sys/class/hwmon")).filter(|m| known(line(&m.join("name"))));
    let inputs = monitors.flat_map(|m| entries(&m).collect::<Vec<_>>()).filter(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with("temp") && name.ends_with("_input")
    });
    let degrees = zones.chain(inputs).filter_map(|path| Some(line(&path)?.parse::<f64>().ok()? / 1000.0));
    degrees.max_by(f64::total_cmp)
}

/// How often cores and package slowed down for heat since boot; `None` where nothing counts it.
fn throttled(root: &Root) -> Option<u64> {
    let count = |cpu: &Path, name: &str| -> Option<u64> {
        line(&cpu.join("thermal_throttle").join(name))?.parse().ok()
    };
    let cpus: Vec<_> = entries(&root.at("/sys/devices/system/cpu")).collect();
    let cores: Vec<u64> = cpus.iter().filter_map(|cpu| count(cpu, "core_throttle_count")).collect();
    // Each core shows the count of its package.
    let package = cpus.iter().filter_map(|cpu| count(cpu, "package_throttle_count")).max();
    (!cores.is_empty() || package.is_some()).then(|| cores.iter().sum::<u64>() + package.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn heat_is_read_where_the_kernel_shows_it() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let root = Root::open(folder.path(), None);
        assert_eq!((hottest(&root), throttled(&root)), (None, None));
        put("sys/class/thermal/thermal_zone0/type", "acpitz\n");
        put("sys/class/thermal/thermal_zone0/temp", "99000\n");
        put("sys/class/hwmon/hwmon3/name", "coretemp\n");
        put("sys/class/hwmon/hwmon3/temp1_input", "71000\n");
        put("sys/class/hwmon/hwmon3/temp2_input", "83500\n");
        for cpu in ["cpu0", "cpu1"] {
            put(&format!("sys/devices/system/cpu/{cpu}/thermal_throttle/core_throttle_count"), "2\n");
            put(&format!("sys/devices/system/cpu/{cpu}/thermal_throttle/package_throttle_count"), "5\n");
        }
        put("sys/class/net/enp1s0/speed", "25000\n");
        put("sys/class/net/down0/speed", "-1\n");
        assert_eq!(hottest(&root), Some(83.5));
        assert_eq!(throttled(&root), Some(9));
        let seen = machine(&root, &["enp1s0".into(), "down0".into(), "none".into()]);
        assert_eq!(seen.speeds, [("enp1s0".to_owned(), 25_000)].into());
    }
}
