//! Commands to the mons, several over one connection, through the lab's small program in the node.

use serde_json::{Value, json};

use super::super::Host;
use super::super::fail::Fail;

/// A way to the mons.
pub(crate) struct Rados<'a> {
    host: &'a Host,
}

impl<'a> Rados<'a> {
    /// Of that node; nothing is sent yet.
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// Sends commands one after the other and stops at the first that fails, which is an error.
    pub(crate) fn send(&self, commands: &[Value]) -> Result<Vec<String>, Fail> {
        let inputs: Vec<(Value, &str)> = commands.iter().map(|command| (command.clone(), "")).collect();
        self.send_with(&inputs)
    }

    /// One command whose answer goes into a file.
    pub(crate) fn save(&self, command: &Value, path: &str) -> Result<(), Fail> {
        self.run(&[json!({ "cmd": command, "save": path })]).map(drop)
    }

    /// The same, each with data.
    pub(crate) fn send_with(&self, commands: &[(Value, &str)]) -> Result<Vec<String>, Fail> {
        let list: Vec<Value> =
            commands.iter().map(|(command, input)| json!({ "cmd": command, "in": input })).collect();
        self.run(&list)
    }

    fn run(&self, list: &[Value]) -> Result<Vec<String>, Fail> {
        let program = self.host.root.home.join("mon-commands");
        let ran = self.host.exec.run(&[&program.to_string_lossy(), &json!(list).to_string()]);
        if ran.status != 0 {
            return Err(Fail::die("rados_connect failed - got timeout"));
        }
        let answers: Vec<Value> = serde_json::from_str(&ran.stdout)
            .map_err(|error| Fail::die(format!("mon command failed - {error}")))?;
        let mut texts = Vec::new();
        for answer in answers {
            if answer["ret"] != 0 {
                return Err(Fail::die(format!(
                    "mon_cmd failed - {}",
                    answer["err"].as_str().unwrap_or_default()
                )));
            }
            texts.push(answer["out"].as_str().unwrap_or_default().to_owned());
        }
        Ok(texts)
    }

    /// One command whose answer is JSON.
    pub(crate) fn json(&self, command: &Value) -> Result<Value, Fail> {
        let texts = self.send(std::slice::from_ref(command))?;
        let text = texts.first().map(String::as_str).unwrap_or_default();
        serde_json::from_str(text).map_err(|error| Fail::die(format!("mon_cmd failed - {error}")))
    }
}
