//! High availability on the simulated cluster: maintenance takes services to the next node at once.

use serde_json::{Map, Value, json};

use super::Cluster;
use crate::facts::ha;
use crate::name::NodeName;

impl Cluster {
    /// Puts a node into maintenance, or takes it out.
    pub(super) fn maintenance(&mut self, node: &NodeName, on: bool) {
        let text = self.nodes.values().find_map(|n| n.facts.text(ha::STATUS)).unwrap_or("{}");
        let mut status: Value = serde_json::from_str(text).unwrap_or_default();
        let other = self.nodes.keys().find(|n| *n != node).map(ToString::to_string);
        let request = if on { json!({"maintenance": 1}) } else { Value::Null };
        for (key, value) in
            [("node_request", request), ("node_status", if on { "maintenance" } else { "online" }.into())]
        {
            if !status[key].is_object() {
                status[key] = Value::Object(Map::new());
            }
            if value.is_null() {
                status[key].as_object_mut().map(|all| all.remove(node.as_str()));
            } else {
                status[key][node.as_str()] = value;
            }
        }
        for other in self.nodes.keys() {
            let known = &mut status["node_status"][other.as_str()];
            if known.is_null() {
                *known = "online".into();
            }
        }
        for (_, service) in status["service_status"].as_object_mut().into_iter().flatten() {
            if on && service["node"] == node.as_str() {
                service["node"] = other.clone().into();
            }
        }
        self.put_shared(ha::STATUS, &status.to_string());
        let mode = json!({"mode": if on { "maintenance" } else { "active" }, "state": "active"});
        self.put_shared(&ha::lrm_status(node.as_str()), &mode.to_string());
    }
}
