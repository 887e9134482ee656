//! One session with the cluster for any number of commands, through the binding Ceph's own `ceph`
//! uses. A start of `ceph` for each would cost half a second a command.
//!
//! The script is fixed; what is asked goes in as JSON on standard input. It reads the key where
//! `ceph.conf` says and never prints it.

use ringbolt_core::facts::ceph::cluster;
use ringbolt_core::wire::{Failure, FailureKind};
use serde_json::{Value, json};

use crate::exec::call;
use crate::root::Root;

/// Where the library looks for the cluster.
const CONF: &str = "/etc/ceph/ceph.conf";

/// Seconds until monitors that do not answer are given up.
const PATIENCE: u32 = 5;

/// Seconds a session of questions may take.
const LIMIT: u64 = 20;

/// Puts the commands of standard input one after the other; one line of JSON for each: code, output,
/// message. What breaks the session is a line without a code. Where `help` names the command that lists what is set,
/// each option in its answer is asked about as well, by name in order, those of managers' modules left out.
const SCRIPT: &str = r#"
import json, os, sys
def tell(*words):
    print(json.dumps(words), flush=True)
try:
    import rados
    asked = json.load(sys.stdin)
    cluster = rados.Rados(conffile=asked["conf"], name="client.admin")
    for option in ("client_mount_timeout", "rados_mon_op_timeout"):
        cluster.conf_set(option, str(asked["patience"]))
    cluster.connect()
    commands = asked["commands"]
    for at, (osd, command) in enumerate(commands):
        if osd is None:
            code, out, said = cluster.mon_command(json.dumps(command), b"")
        else:
            code, out, said = cluster.osd_command(osd, json.dumps(command), b"")
        tell(code, out.decode(errors="replace"), said)
        if at == asked["help"] and code == 0:
            names = {entry["name"] for entry in json.loads(out) if "/" not in entry["name"]}
            about = {"prefix": "config help", "format": "json"}
            commands.extend([None, dict(about, key=name)] for name in sorted(names)[:asked["most"]])
except Exception as error:
    tell(None, type(error).__name__, str(error))
os._exit(0)
"#;

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    /// The OSD it is for; `None`: the monitors.
    osd: Option<u32>,
    words: Value,
}

impl Command {
    /// A command of the monitors.
    pub(crate) fn monitor(words: Value) -> Self {
        Self { osd: None, words }
    }

    /// A command of one OSD.
    pub(crate) fn osd(osd: u32, words: Value) -> Self {
        Self { osd: Some(osd), words }
    }

    fn name(&self) -> &str {
        self.words.get("prefix").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What came of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 0, or a negative errno.
    pub(crate) code: i64,
    /// Its output.
    pub(crate) out: String,
    /// What it said beside.
    pub(crate) said: String,
}

/// Puts the commands and gives their answers in order, whatever their codes.
pub(crate) fn ask(root: &Root, commands: &[Command]) -> Result<Vec<Answer>, Failure> {
    put(root, commands, None, LIMIT)
}

/// The same, and after them what Ceph says of each option that the answer at this place lists.
pub(crate) fn ask_about(
    root: &Root,
    commands: &[Command],
    listed: Option<usize>,
) -> Result<Vec<Answer>, Failure> {
    put(root, commands, listed, LIMIT)
}

/// The same with a limit in seconds.
pub(crate) fn ask_for(root: &Root, commands: &[Command], limit: u64) -> Result<Vec<Answer>, Failure> {
    put(root, commands, None, limit)
}

fn put(root: &Root, commands: &[Command], help: Option<usize>, limit: u64) -> Result<Vec<Answer>, Failure> {
    let conf = root.at(CONF);
    if !conf.exists() {
        return Err(Failure::broken(format!("Ceph is not set up on this node: there is no {CONF}")));
    }
    let pairs: Vec<Value> = commands.iter().map(|c| json!([c.osd, c.words])).collect();
    let asked = json!({
        "conf": conf, "patience": PATIENCE, "commands": pairs, "help": help, "most": cluster::MOST,
    });
    let asked = asked.to_string();
    let output = call("python3", ["-I", "-c", SCRIPT]).limit(limit).input(asked).run();
    let output = output.map_err(|error| Failure::broken(error.to_string().replace(SCRIPT, "…")))?;
    let answers = answers(&output.out)?;
    if answers.len() < commands.len() {
        let name = commands.get(answers.len()).map(Command::name).unwrap_or_default();
        return Err(Failure::broken(format!("Ceph gave no answer to `{name}`: {}", output.last(2))));
    }
    Ok(answers)
}

/// Puts the commands; the first that is refused is the failure.
pub(crate) fn must(root: &Root, commands: &[Command]) -> Result<Vec<Answer>, Failure> {
    let answers = ask(root, commands)?;
    let refused = commands.iter().zip(&answers).find(|(_, answer)| answer.code != 0);
    match refused {
        None => Ok(answers),
        Some((command, answer)) => {
            let said = if answer.said.is_empty() { &answer.out } else { &answer.said };
            Err(Failure::broken(format!("Ceph refuses `{}`: {}", command.name(), said.trim())))
        }
    }
}

/// Reads what the session prints: a line an answer, other lines passed over.
pub(crate) fn answers(text: &str) -> Result<Vec<Answer>, Failure> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Ok((code, out, said)) = serde_json::from_str::<(Option<i64>, String, String)>(line) else {
            continue;
        };
        match code {
            Some(code) => found.push(Answer { code, out, said }),
            None => return Err(broken(&out, &said)),
        }
    }
    Ok(found)
}

/// A session that broke, by the kind of the library's error.
fn broken(kind: &str, said: &str) -> Failure {
    match kind {
        "TimedOut" => Failure {
            kind: FailureKind::Transient,
            ..Failure::broken(format!("no monitor of Ceph answered within {PATIENCE} s"))
        }
        .hint("are the monitors running and reachable over their network, and do more than half of them?"),
        "ModuleNotFoundError" => Failure::broken("python3-rados is not on this node")
            .hint("it comes with ceph-common: install Ceph on this node"),
        _ => Failure::broken(format!("Ceph cannot be asked: {said}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn answers_keep_their_order_and_a_broken_session_is_a_failure() {
        let text = "[0, \"{}\", \"\"]\nnoise\n[-2, \"\", \"unrecognized pool\"]\n";
        let read = answers(text).unwrap();
        assert_eq!((read.len(), read[0].code, read[1].code), (2, 0, -2));
        assert_eq!(read[1].said, "unrecognized pool");
        let late =
            answers("[0, \"\", \"\"]\n[null, \"TimedOut\", \"[errno 110] RADOS timed out\"]\n").unwrap_err();
        assert_eq!(late.kind, FailureKind::Transient);
        assert!(
            answers("[null, \"ObjectNotFound\", \"no keyring\"]").unwrap_err().message.contains("no keyring")
        );
    }

    #[test]
    fn without_a_configuration_nothing_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let failure = ask(&Root::open(folder.path(), None), &[]).unwrap_err();
        assert!(failure.message.contains("/etc/ceph/ceph.conf"));
    }
}
