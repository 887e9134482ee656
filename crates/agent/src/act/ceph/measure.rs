//! Measures what each OSD can do with small writes, and keeps it for mClock.
//!
//! Ceph measures once by itself, at an OSD's first start, while the disks of all others are busy with
//! theirs; a figure above its own threshold it throws away. The same bounds hold here.

use ringbolt_core::wire::Failure;
use serde_json::{Value, json};

use super::{Outcome, Scene};
use crate::read::ceph::session::{Answer, Command, ask_for, must};

/// Bytes written: as many as Ceph's own measurement.
const BYTES: u64 = 12_288_000;

/// Bytes of each write.
const BLOCK: u64 = 4096;

/// Size and number of the objects that are overwritten.
const OBJECTS: (u64, u64) = (4 << 20, 100);

/// Fewest writes a second that are believed.
const LEAST: f64 = 10.0;

/// Longest time one OSD may take, in seconds.
const LIMIT: u64 = 180;

/// Measures one after the other: at once they would take each other's share of the node.
pub(super) fn measure(scene: &Scene<'_>, osds: &[u32]) -> Outcome {
    let mut notes = Vec::new();
    for osd in osds {
        if scene.stop.is_set() {
            return Err(Failure::broken("cancelled"));
        }
        (scene.say)(format!("measuring osd.{osd}"));
        notes.push(one(scene, *osd)?);
    }
    Ok(notes.join(", "))
}

fn one(scene: &Scene<'_>, osd: u32) -> Result<String, Failure> {
    let metadata = json!({"prefix": "osd metadata", "id": osd, "format": "json"});
    let told = must(scene.root, &[Command::monitor(metadata)])?;
    let told: Value = told.first().and_then(|a| serde_json::from_str(&a.out).ok()).unwrap_or_default();
    let medium = if told.get("rotational").and_then(Value::as_str) == Some("1") { "hdd" } else { "ssd" };
    let threshold = threshold(scene, osd, medium)?;
    let bench = json!({
        "prefix": "bench", "count": BYTES, "size": BLOCK,
        "object_size": OBJECTS.0, "object_num": OBJECTS.1, "format": "json",
    });
    // Without it the writes go to what is in memory already.
    let drop = json!({"prefix": "cache drop"});
    let answers = ask_for(scene.root, &[Command::osd(osd, drop), Command::osd(osd, bench)], LIMIT)?;
    let iops =
        iops(answers.last()).map_err(|why| Failure::broken(format!("osd.{osd} was not measured: {why}")))?;
    if iops < LEAST || iops > threshold {
        return Ok(format!(
            "osd.{osd}: {iops:.0} IOPS is not believed (bounds {LEAST:.0} and {threshold:.0}), left as it was"
        ));
    }
    let set = json!({
        "prefix": "config set", "who": format!("osd.{osd}"),
        "name": format!("osd_mclock_max_capacity_iops_{medium}"), "value": format!("{iops:.0}"),
    });
    must(scene.root, &[Command::monitor(set)])?;
    Ok(format!("osd.{osd}: {iops:.0} IOPS ({medium})"))
}

/// Above this Ceph itself does not believe a figure.
fn threshold(scene: &Scene<'_>, osd: u32, medium: &str) -> Result<f64, Failure> {
    let key = format!("osd_mclock_iops_capacity_threshold_{medium}");
    let asked = json!({"prefix": "config get", "who": format!("osd.{osd}"), "key": key});
    let answers = must(scene.root, &[Command::monitor(asked)])?;
    let value = answers.first().and_then(|answer| answer.out.trim().parse().ok());
    value.ok_or_else(|| Failure::broken(format!("Ceph does not tell {key}")))
}

/// Writes a second, from the answer of the measurement.
pub(crate) fn iops(answer: Option<&Answer>) -> Result<f64, String> {
    let answer = answer.ok_or("no answer")?;
    if answer.code != 0 {
        return Err(format!("{} {}", answer.said.trim(), answer.out.trim()).trim().to_owned());
    }
    let text = if answer.out.trim().is_empty() { &answer.said } else { &answer.out };
    let told: Value = serde_json::from_str(text).map_err(|_| "no answer that can be read")?;
    told.get("iops")
        .and_then(Value::as_f64)
        .filter(|iops| iops.is_finite())
        .ok_or_else(|| "no figure".to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_figure_is_read_wherever_the_osd_puts_it() {
        let text = r#"{"bytes_written":12288000,"blocksize":4096,"elapsed_sec":0.1,"bytes_per_sec":1,"iops":29876.5}"#;
        let out = Answer { out: text.into(), ..Answer::default() };
        assert!((iops(Some(&out)).unwrap() - 29876.5).abs() < 0.1);
        let said = Answer { said: text.into(), ..Answer::default() };
        assert!(iops(Some(&said)).is_ok());
        let refused = Answer { code: -22, said: "'count' values too large".into(), ..Answer::default() };
        assert!(iops(Some(&refused)).unwrap_err().contains("too large"));
        assert!(iops(None).is_err());
    }
}
