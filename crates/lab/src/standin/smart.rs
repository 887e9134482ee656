//! `smartctl` for the lab's disks, which have no drive behind them: answers from a file a disk, which a test
//! may change (`sys/smart/NAME.json` in the lab's tree).

use std::io::Write;

use serde_json::{Value, json};

use super::host::read_json;
use super::{Host, say};

/// The drive's own values, in the names of NVMe's health log.
pub(crate) fn values(host: &Host, name: &str) -> Value {
    read_json(&host.root.home.join("sys/smart").join(format!("{name}.json"))).unwrap_or_else(|| json!({}))
}

/// Values in the words of `smartctl`.
pub(crate) fn text(host: &Host, name: &str) -> String {
    let values = values(host, name);
    let mut lines = String::from("\nSMART/Health Information (NVMe Log 0x02)\n");
    for (key, word) in [
        ("critical_warning", "Critical Warning"),
        ("temperature", "Temperature"),
        ("available_spare", "Available Spare"),
        ("percentage_used", "Percentage Used"),
        ("power_on_hours", "Power On Hours"),
        ("media_errors", "Media and Data Integrity Errors"),
    ] {
        lines.push_str(&format!("{:<36}{}\n", format!("{word}:"), values[key]));
    }
    lines
}

/// Runs the command: any options, one disk. Exit status 2 for one it does not know, 8 for a failing one.
pub(crate) fn run(host: &Host, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let path = args.iter().rev().find(|arg| arg.starts_with("/dev/")).map_or("", String::as_str);
    let name = path.trim_start_matches("/dev/");
    let block = host.root.home.join("sys/class/block").join(name);
    if name.is_empty() || !block.is_dir() {
        say(err, &format!("{path}: Unable to detect device type"));
        return 2;
    }
    let attribute = |file: &str| host.read(&block.join("device").join(file)).trim().to_owned();
    let log = values(host, name);
    let passed = log["critical_warning"] == 0;
    let sectors: u64 = host.read(&block.join("size")).trim().parse().unwrap_or(0);
    if args.iter().any(|arg| arg == "-j" || arg.starts_with("--json")) {
        let answer = json!({
            "json_format_version": [1, 0],
            "smartctl": { "version": [7, 4], "exit_status": if passed { 0 } else { 8 } },
            "device": { "name": path, "info_name": path, "type": "nvme", "protocol": "NVMe" },
            "model_name": attribute("model"),
            "serial_number": attribute("serial"),
            "firmware_version": attribute("firmware_rev"),
            "user_capacity": { "blocks": sectors, "bytes": sectors * 512 },
            "logical_block_size": 512,
            "smart_support": { "available": true, "enabled": true },
            "smart_status": { "passed": passed, "nvme": { "value": log["critical_warning"] } },
            "nvme_smart_health_information_log": log,
            "temperature": { "current": log["temperature"] },
            "power_on_time": { "hours": log["power_on_hours"] },
            "power_cycle_count": log["power_cycles"],
        });
        say(out, &serde_json::to_string_pretty(&answer).unwrap_or_default());
    } else {
        let word = if passed { "PASSED" } else { "FAILED!" };
        say(out, &format!("SMART overall-health self-assessment test result: {word}\n{}", text(host, name)));
    }
    if passed { 0 } else { 8 }
}
