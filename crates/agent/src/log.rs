//! The node's own record of what was done on it: one JSON object a line, appended, never rewritten.
//!
//! A line is written before an action begins and before it is answered, so that a person can see
//! after a lost connection what happened. It never holds file contents.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::{SystemTime, UNIX_EPOCH};

use ringbolt_core::action::Action;
use ringbolt_core::digest;
use ringbolt_core::wire::Deed;
use serde_json::{Value, json};

use crate::root::{HOME, Root};

/// Where it is.
const PATH: &str = "/var/lib/ringbolt/log";

/// Appends a line about a deed: `begun`, `done` or `failed`, with a word on it.
pub(crate) fn append(root: &Root, deed: &Deed, outcome: &str, note: &str) -> std::io::Result<()> {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let mut line = json!({
        "at": (at * 1000.0).round() / 1000.0,
        "run": deed.run,
        "step": deed.step,
        "outcome": outcome,
        "note": note,
        "action": summary(&deed.action),
    })
    .to_string();
    line.push('\n');
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root.at(HOME))?;
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(root.at(PATH))?;
    file.write_all(line.as_bytes())
}

/// The action with the digest of a content in its place.
fn summary(action: &Action) -> Value {
    let mut value = serde_json::to_value(action).unwrap_or(Value::Null);
    if let Some(content) = value.get_mut("content") {
        *content = Value::String(format!("sha256:{}", digest::of(content.as_str().unwrap_or_default())));
    }
    value
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn lines_hold_what_was_done_without_contents() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), None);
        let action = Action::WriteFile { path: "/etc/x".into(), content: "secret".into(), mode: 0o600 };
        let deed = Deed { run: "r1".into(), step: "n2/file:/etc/x".into(), action, expect: None };
        append(&root, &deed, "begun", "").unwrap();
        append(&root, &deed, "done", "written").unwrap();
        let text = std::fs::read_to_string(root.at(PATH)).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["outcome"], "done");
        assert_eq!(lines[1]["action"]["path"], "/etc/x");
        assert!(!text.contains("secret"));
    }
}
