//! The node's own record of what was done on it: one JSON object a line, appended, never rewritten.
//!
//! A line is written before an action begins, and on disk by then, and before it is answered, so that after a lost
//! connection a person and the next run can see what happened. It never holds file contents.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use ringbolt_core::action::Action;
use ringbolt_core::digest;
use ringbolt_core::lock::Fate;
use ringbolt_core::name::StepId;
use ringbolt_core::wire::Deed;
use rustix::fs::OFlags;
use serde_json::{Value, json};

use crate::root::{HOME, Root};

/// Its name in the agent's folder.
const NAME: &str = "log";

/// Bytes of its end that are looked at: thousands of steps.
const READ: u64 = 4 * 1024 * 1024;

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
    let path = root.home()?.join(NAME);
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file =
        OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_link).open(path)?;
    file.write_all(line.as_bytes())?;
    // What is not known to have begun is taken for not begun.
    if outcome == "begun" { file.sync_data() } else { Ok(()) }
}

/// Its length in bytes; it only grows.
pub(crate) fn length(root: &Root) -> u64 {
    std::fs::metadata(root.at(HOME).join(NAME)).map_or(0, |about| about.len())
}

/// What became of steps of a run, from the newest lines that still matter.
pub(crate) fn fates(root: &Root, run: &str, steps: &[StepId]) -> std::io::Result<Vec<Fate>> {
    let mut found: BTreeMap<String, Fate> = BTreeMap::new();
    match File::open(root.at(HOME).join(NAME)) {
        Ok(mut file) => {
            let start = file.metadata()?.len().saturating_sub(READ);
            file.seek(SeekFrom::Start(start))?;
            let mut text = Vec::new();
            file.take(READ).read_to_end(&mut text)?;
            // A first line that is cut, and a last one that is torn, are none.
            let lines =
                text.split(|byte| *byte == b'\n').filter_map(|l| serde_json::from_slice::<Value>(l).ok());
            for line in lines.filter(|line| line["run"] == run) {
                let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                let fate = match &*word("outcome") {
                    "done" => Fate::Done,
                    "failed" => Fate::Failed { why: word("note") },
                    _ => Fate::Begun,
                };
                found.insert(word("step"), fate);
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(steps.iter().map(|step| found.get(&**step).cloned().unwrap_or(Fate::Never)).collect())
}

/// The action with the digest of a content in its place.
fn summary(action: &Action) -> Value {
    let told = match action {
        Action::WriteFile { path, content, mode } => {
            let content = format!("sha256:{}", digest::of(content.as_bytes())).into();
            &Action::WriteFile { path: path.clone(), content, mode: *mode }
        }
        other => other,
    };
    serde_json::to_vec(told).and_then(|text| serde_json::from_slice(&text)).unwrap_or(Value::Null)
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
        let text = std::fs::read_to_string(root.home().unwrap().join(NAME)).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["outcome"], "done");
        assert_eq!(lines[1]["action"]["write-file"]["path"], "/etc/x");
        assert!(!text.contains("secret"));
    }

    #[test]
    fn the_fate_of_a_step_is_its_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), None);
        let steps: Vec<StepId> = ["a", "b", "c", "d"].map(StepId::from).into();
        assert_eq!(fates(&root, "r1", &steps).unwrap(), vec![Fate::Never; 4]);
        let log = |run: &str, step: &StepId, outcome: &str| {
            let action = Action::ReloadUdev;
            let deed = Deed { run: run.into(), step: step.clone(), action, expect: None };
            append(&root, &deed, outcome, "no").unwrap();
        };
        log("r1", &steps[0], "begun");
        log("r1", &steps[0], "done");
        log("r1", &steps[1], "begun");
        log("r1", &steps[2], "begun");
        log("r1", &steps[2], "failed");
        log("r2", &steps[3], "done");
        OpenOptions::new()
            .append(true)
            .open(root.at(HOME).join(NAME))
            .unwrap()
            .write_all(b"{\"run\":\"r1\",\"st")
            .unwrap();
        let why = "no".to_owned();
        assert_eq!(
            fates(&root, "r1", &steps).unwrap(),
            [Fate::Done, Fate::Begun, Fate::Failed { why }, Fate::Never]
        );
        assert!(length(&root) > 0);
    }
}
