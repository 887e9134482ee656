//! What daemons of a node say on their admin sockets.
//!
//! The agent asks, these read the answers; what does not fit reads as nothing.

use serde_json::Value;

use super::{Quorum, RunningOption};
use crate::into_map::IntoMap;

/// `mon_status`.
pub fn quorum(text: &str) -> Option<Quorum> {
    let told: Value = serde_json::from_str(text).ok()?;
    let map = told.get("monmap")?;
    let ranks: Vec<u64> = list(&told, "quorum").iter().filter_map(Value::as_u64).collect();
    let mons = list(map, "mons");
    let within =
        |mon: &&Value| mon.get("rank").and_then(Value::as_u64).is_some_and(|rank| ranks.contains(&rank));
    Some(Quorum {
        state: word(&told, "state"),
        fsid: word(map, "fsid"),
        members: mons.iter().filter(within).map(|mon| word(mon, "name")).collect(),
        monitors: mons.iter().map(|mon| (word(mon, "name"), address(mon, "public_addr"))).into_map(),
    })
}

/// `version`: the number alone.
pub fn version(text: &str) -> Option<String> {
    Some(word(&serde_json::from_str(text).ok()?, "version")).filter(|version| !version.is_empty())
}

/// `status` of an OSD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsdStatus {
    /// `active`, `booting`, …
    pub state: String,
    /// Its own UUID.
    pub fsid: String,
    /// The cluster it belongs to.
    pub cluster: String,
}

/// Reads it.
pub fn osd(text: &str) -> Option<OsdStatus> {
    let told: Value = serde_json::from_str(text).ok()?;
    let state = Some(word(&told, "state")).filter(|state| !state.is_empty())?;
    Some(OsdStatus { state, fsid: word(&told, "osd_fsid"), cluster: word(&told, "cluster_fsid") })
}

/// Where a value may come from, the strongest first.
const SOURCES: [&str; 5] = ["override", "cmdline", "env", "file", "mon"];

/// `config diff`: options whose value is not the default, and those somebody has set although
/// something stronger, or the daemon itself, puts the default back in force.
pub fn options(text: &str) -> Vec<RunningOption> {
    let told: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(Value::Object(all)) = told.get("diff") else { return Vec::new() };
    let option = |(name, levels): (&String, &Value)| {
        let (default, value) = (levels.get("default")?, levels.get("final")?);
        let source = SOURCES.into_iter().find(|source| levels.get(source).is_some());
        let set = ["mon", "file", "cmdline"].iter().any(|source| levels.get(source).is_some());
        let told = RunningOption {
            name: name.clone(),
            default: plain(default),
            value: plain(value),
            source: source.unwrap_or("default").to_owned(),
        };
        (default != value || set).then_some(told)
    };
    all.iter().filter_map(option).collect()
}

/// A list below a key, empty when there is none.
pub(super) fn list<'a>(from: &'a Value, key: &str) -> &'a [Value] {
    from.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text below a key, empty when there is none.
pub(super) fn word(from: &Value, key: &str) -> String {
    from.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `10.9.0.1:6789/0` or `[fd00::1]:6789/0` without port and nonce.
pub(super) fn address(from: &Value, key: &str) -> String {
    let text = from.get(key).and_then(Value::as_str).unwrap_or_default();
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.to_owned(),
        None => text.rsplit_once(':').map_or(text, |(address, _)| address).to_owned(),
    }
}

/// A value as text: texts without their quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_monitor_tells_quorum_and_map() {
        let read = quorum(include_str!("samples/mon_status.json")).unwrap();
        assert_eq!((read.state.as_str(), read.members.as_slice()), ("leader", &["n2".to_owned()][..]));
        assert_eq!(read.fsid, "5f4c2b6e-1111-4222-8333-444455556666");
        assert_eq!(read.monitors.into_iter().collect::<Vec<_>>(), [("n2".into(), "10.9.0.1".into())]);
        assert_eq!(quorum("ERROR: (22) Invalid argument"), None);
    }

    #[test]
    fn an_osd_tells_state_version_and_options() {
        let told = r#"{"cluster_fsid":"c","osd_fsid":"o","whoami":0,"state":"active","num_pgs":57}"#;
        assert_eq!(
            osd(told).unwrap(),
            OsdStatus { state: "active".into(), fsid: "o".into(), cluster: "c".into() }
        );
        assert_eq!(version(r#"{"version":"18.2.7","release":"reef"}"#).as_deref(), Some("18.2.7"));
        let told = options(include_str!("samples/config_diff.json"));
        let option = |name: &str| told.iter().find(|o| o.name == name);
        let ignored = option("osd_recovery_sleep").unwrap();
        assert_eq!(
            (ignored.default.as_str(), ignored.value.as_str(), ignored.source.as_str()),
            ("0", "0", "override")
        );
        assert_eq!(option("public_network").unwrap().source, "file");
        // The daemon's own book-keeping with the default in force is no difference.
        assert!(option("osd_delete_sleep").is_none() && option("osd_max_backfills").is_none());
    }

    #[test]
    fn addresses_lose_port_and_nonce() {
        let told = serde_json::json!({"a": "10.9.0.1:6789/0", "b": "[fd00::1]:6789/12", "c": ""});
        assert_eq!(
            [address(&told, "a"), address(&told, "b"), address(&told, "c")],
            ["10.9.0.1", "fd00::1", ""]
        );
    }
}
