//! What a disk says of its own condition: `smartctl --json -a`.
//!
//! The agent runs it; its exit status is a set of remarks about the disk, not of failures.

use serde_json::Value;

use super::Health;
use crate::facts::Known;

/// Attributes of ATA disks whose normalized value is the percentage of life left.
const LIFE_LEFT: [u64; 5] = [231, 202, 169, 233, 177];

/// Reads the answer; `No` with smartctl's own words when the disk could not be asked.
pub fn health(text: &str) -> Known<Health> {
    let Ok(told) = serde_json::from_str::<Value>(text) else {
        return Known::No("smartctl gave no JSON".into());
    };
    let number = |pointer: &str| told.pointer(pointer).and_then(Value::as_i64);
    let hours = number("/power_on_time/hours")
        .or_else(|| number("/nvme_smart_health_information_log/power_on_hours"));
    let health = Health {
        passed: told.pointer("/smart_status/passed").and_then(Value::as_bool),
        temperature: number("/temperature/current").and_then(|degrees| i32::try_from(degrees).ok()),
        wear: wear(&told),
        hours: hours.and_then(|hours| u64::try_from(hours).ok()),
    };
    if health == Health::default() {
        let said = told.pointer("/smartctl/messages/0/string").and_then(Value::as_str);
        return Known::No(said.unwrap_or("the disk tells nothing of its condition").to_owned());
    }
    Known::Yes(health)
}

/// Percent of the rated life used, wherever this kind of disk tells it.
fn wear(told: &Value) -> Option<u32> {
    let used = [
        "/nvme_smart_health_information_log/percentage_used",
        "/endurance_used/current_percent",
        "/scsi_percentage_used_endurance_indicator",
    ];
    let used = used.iter().find_map(|pointer| told.pointer(pointer).and_then(Value::as_u64));
    let used = used.or_else(|| Some(100 - life_left(told)?));
    used.and_then(|percent| u32::try_from(percent).ok())
}

fn life_left(told: &Value) -> Option<u64> {
    // A turning disk has attributes of these numbers with other meanings.
    if told.pointer("/rotation_rate").and_then(Value::as_u64) != Some(0) {
        return None;
    }
    let table = told.pointer("/ata_smart_attributes/table")?.as_array()?;
    let value = |id: u64| {
        let attribute = table.iter().find(|a| a.get("id").and_then(Value::as_u64) == Some(id))?;
        attribute.get("value").and_then(Value::as_u64).filter(|value| *value <= 100)
    };
    LIFE_LEFT.into_iter().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nvme_and_ata_and_what_tells_nothing() {
        let nvme = r#"{"smartctl":{"exit_status":0},"smart_status":{"passed":true,"nvme":{"value":0}},
            "nvme_smart_health_information_log":{"critical_warning":0,"temperature":41,"percentage_used":3,"power_on_hours":1234},
            "temperature":{"current":41},"power_on_time":{"hours":1234}}"#;
        let seen = Health { passed: Some(true), temperature: Some(41), wear: Some(3), hours: Some(1234) };
        assert_eq!(health(nvme), Known::Yes(seen));
        let ata = r#"{"rotation_rate":0,"smart_status":{"passed":false},"temperature":{"current":33},
            "power_on_time":{"hours":20000},
            "ata_smart_attributes":{"table":[{"id":9,"value":95},{"id":177,"name":"Wear_Leveling_Count","value":88}]}}"#;
        let seen = Health { passed: Some(false), temperature: Some(33), wear: Some(12), hours: Some(20000) };
        assert_eq!(health(ata), Known::Yes(seen));
        let none = r#"{"smartctl":{"messages":[{"string":"/dev/loop0: Unable to detect device type","severity":"error"}],"exit_status":1}}"#;
        assert_eq!(health(none), Known::No("/dev/loop0: Unable to detect device type".into()));
        assert!(health("").yes().is_none());
    }

    #[test]
    fn a_turning_disk_has_no_wear() {
        let hdd = r#"{"rotation_rate":7200,"temperature":{"current":30},
            "ata_smart_attributes":{"table":[{"id":202,"value":100},{"id":177,"value":1}]}}"#;
        assert_eq!(health(hdd).yes().and_then(|h| h.wear), None);
    }
}
