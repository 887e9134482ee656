//! How soon the loss of a node is noticed, and by whom. Used by the profile.
//!
//! After a node's power loss writes stand still until (1) an OSD of each other host misses a heartbeat,
//! (2) it tells the monitors, (3) the monitors have a quorum without the lost one, (4) clients hear of the
//! new map. Ceph's defaults take 20 s, up to 5 s, up to 15 s (in parallel) and up to 15 s for these. Measured
//! on three nodes with Reef under load: 26.9 s with the defaults; 8.9 to 10.0 s with these values, whether
//! the leading monitor was on the lost node or not (10.2 to 12.1 s with a grace of 7 s and an interval of 2 s).

use super::Setting;

const HEARTBEATS: &str =
    "Ceph: monitor and OSD interaction; measured in the lab: a node without power under load";
const MONITORS: &str =
    "Ceph: monitor settings (lease, election); measured in the lab: a node without power under load";

struct Value {
    section: &'static str,
    name: &'static str,
    value: &'static str,
    default: &'static str,
    reason: &'static str,
    source: &'static str,
}

const VALUES: [Value; 9] = [
    Value {
        section: "global",
        name: "osd_heartbeat_grace",
        value: "6",
        default: "20",
        reason: "an OSD is reported after 6 s without an answer: five missed heartbeats. Monitors read it too, so it is global",
        source: HEARTBEATS,
    },
    Value {
        section: "osd",
        name: "osd_heartbeat_interval",
        value: "1",
        default: "6",
        reason: "a heartbeat every 0.5 to 1.4 s, so that several fit into the grace",
        source: HEARTBEATS,
    },
    Value {
        section: "osd",
        name: "osd_mon_report_interval",
        value: "1",
        default: "5",
        reason: "failures wait this long before the monitors are told",
        source: HEARTBEATS,
    },
    Value {
        section: "mon",
        name: "mon_lease",
        value: "2",
        default: "5",
        reason: "a lost monitor stops every change of the maps for twice this long",
        source: MONITORS,
    },
    Value {
        section: "mon",
        name: "mon_election_timeout",
        value: "2",
        default: "5",
        reason: "how long the others wait for the lost monitor's voice",
        source: MONITORS,
    },
    Value {
        section: "global",
        name: "mon_client_ping_interval",
        value: "2",
        default: "10",
        reason: "daemons and clients notice soon that their monitor is gone",
        source: MONITORS,
    },
    Value {
        section: "global",
        name: "mon_client_ping_timeout",
        value: "5",
        default: "30",
        reason: "they go to another monitor after 5 s of silence; at 30 s a failure cannot even be reported by those whose monitor was on the lost node",
        source: MONITORS,
    },
    Value {
        section: "client",
        name: "objecter_timeout",
        value: "4",
        default: "10",
        reason: "a guest whose write hangs asks for a new map after 4 s",
        source: HEARTBEATS,
    },
    Value {
        section: "client",
        name: "objecter_tick_interval",
        value: "1",
        default: "5",
        reason: "it looks for hanging writes every second",
        source: HEARTBEATS,
    },
];

/// The settings for a cluster with OSDs on so many hosts.
pub(super) fn settings(hosts: usize) -> Vec<Setting> {
    let mut settings: Vec<Setting> = VALUES.iter().map(Value::setting).collect();
    if hosts == 2 {
        settings.push(Setting {
            section: "mon".to_owned(),
            name: "mon_osd_min_down_reporters",
            value: "1".to_owned(),
            reason: "with OSDs on two hosts only one is left to report the other; at 2 a lost host is noticed after 15 minutes".to_owned(),
            source: HEARTBEATS,
            undo: "ceph config rm mon mon_osd_min_down_reporters: back to 2".to_owned(),
        });
    }
    settings
}

impl Value {
    fn setting(&self) -> Setting {
        Setting {
            section: self.section.to_owned(),
            name: self.name,
            value: self.value.to_owned(),
            reason: self.reason.to_owned(),
            source: self.source,
            undo: format!("ceph config rm {} {}: back to {}", self.section, self.name, self.default),
        }
    }
}
