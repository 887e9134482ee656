//! What differs between the applied and the edited configuration.
//!
//! Used by every `pending=1` listing and by the lock. Works on any section
//! kind: two maps of objects in, one map out.

use serde_json::{Map, Value, json};

/// The objects of both sides with `state` and `pending` where they differ.
///
/// A removed key has the value `"deleted"`; of a new object all values sit
/// under `pending` except those named in `identity`.
#[must_use]
pub fn compare(
    running: &Map<String, Value>,
    edited: &Map<String, Value>,
    identity: &[&str],
) -> Map<String, Value> {
    let mut all = Map::new();
    for (id, old) in running {
        all.insert(id.clone(), changed(old, edited.get(id)));
    }
    for (id, new) in edited {
        if !running.contains_key(id) {
            all.insert(id.clone(), added(new, identity));
        }
    }
    all
}

fn changed(old: &Value, new: Option<&Value>) -> Value {
    let mut shown = old.as_object().cloned().unwrap_or_default();
    let Some(new) = new.and_then(Value::as_object) else {
        shown.insert("state".into(), json!("deleted"));
        shown.insert("pending".into(), json!({}));
        return Value::Object(shown);
    };
    let mut differing = Map::new();
    for (key, value) in &shown {
        match new.get(key) {
            None => {
                differing.insert(key.clone(), json!("deleted"));
            }
            Some(other) if other != value => {
                differing.insert(key.clone(), other.clone());
            }
            Some(_) => {}
        }
    }
    for (key, value) in new {
        if !shown.contains_key(key) {
            differing.insert(key.clone(), value.clone());
        }
    }
    if !differing.is_empty() {
        shown.insert("state".into(), json!("changed"));
        shown.insert("pending".into(), Value::Object(differing));
    }
    Value::Object(shown)
}

fn added(new: &Value, identity: &[&str]) -> Value {
    let mut shown = Map::new();
    let mut differing = Map::new();
    for (key, value) in new.as_object().into_iter().flatten() {
        if identity.contains(&key.as_str()) {
            shown.insert(key.clone(), value.clone());
        } else {
            differing.insert(key.clone(), value.clone());
        }
    }
    shown.insert("state".into(), json!("new"));
    shown.insert("pending".into(), Value::Object(differing));
    Value::Object(shown)
}
