//! The hours in which data is read through for errors, and whether they suffice. Used by the profile.

use super::Setting;
use crate::facts::CephCluster;
use crate::spec::Ceph;

const SOURCE: &str = "Ceph: scrub settings; their text asks for the intervals in global (or mgr and osd)";
/// Seconds of two weeks.
const TWO_WEEKS: &str = "1209600";
/// Up to this many hours a day, reading everything once a week is too much.
const SHORT: u32 = 8;
/// Bytes an OSD scrubs in an hour, assumed: 100 MB/s beside clients.
const HOURLY: f64 = 100e6 * 3600.0;

/// Hours of a day between two of them; the same hour twice is the whole day.
fn hours((from, to): (u8, u8)) -> u32 {
    let hours = (24 + u32::from(to) - u32::from(from)) % 24;
    if hours == 0 { 24 } else { hours }
}

/// The settings: none when scrubs may run at any time.
pub(super) fn settings(ceph: &Ceph) -> Vec<Setting> {
    let Some(window) = ceph.scrub else { return Vec::new() };
    let hours = hours(window);
    if hours == 24 {
        return Vec::new();
    }
    let setting = |section: &str, name: &'static str, value: String, default: &str, reason: String| Setting {
        undo: format!("ceph config rm {section} {name}: back to {default}"),
        section: section.to_owned(),
        name,
        value,
        reason,
        source: SOURCE,
    };
    let reason = || format!("scrubs begin between {}:00 and {}:00, as the spec says", window.0, window.1);
    let mut settings = vec![
        setting("osd", "osd_scrub_begin_hour", window.0.to_string(), "0", reason()),
        setting("osd", "osd_scrub_end_hour", window.1.to_string(), "0", reason()),
    ];
    if hours <= SHORT {
        let why = |what: &str| format!("{hours} hours a day are short: {what}");
        let deep = why(
            "everything is read once in two weeks, not in one. The health check reads it too, so it is global",
        );
        let max = why("a scrub that is overdue ignores the window, so this must not run out first");
        settings.push(setting("global", "osd_deep_scrub_interval", TWO_WEEKS.into(), "7 days", deep));
        settings.push(setting("global", "osd_scrub_max_interval", TWO_WEEKS.into(), "7 days", max));
    }
    settings
}

/// What a person should know of the window: that it is too short for the data.
pub fn remarks(ceph: &Ceph, cluster: &CephCluster) -> Vec<String> {
    let Some(window) = ceph.scrub else { return Vec::new() };
    let count = cluster.osds.iter().filter(|o| o.up).count().max(1);
    let hours = f64::from(hours(window));
    let days = if hours <= f64::from(SHORT) { 14.0 } else { 7.0 };
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let each = cluster.used * cluster.bytes as f64 / count as f64;
    let needed = each / HOURLY / days;
    // Half of the window: scrubs wait for each other and for clients.
    if needed <= hours / 2.0 {
        return Vec::new();
    }
    vec![format!(
        "reading everything once in {days} days takes each OSD about {needed:.1} h a day at 100 MB/s; the scrub window has {hours} h: expect \"not deep-scrubbed in time\", or widen `scrub`"
    )]
}
