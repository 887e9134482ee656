//! Guests of the lab: a configuration file in `/etc/pve` each, and a sleeping process where one runs.
//!
//! Where they are is told as pmxcfs tells it, in `.vmlist`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Map, Value, json};

use super::Host;

/// Kinds of guests: folder of their configurations, and their name in the list.
const KINDS: [(&str, &str); 2] = [("qemu-server", "qemu"), ("lxc", "lxc")];

/// Guests this service has started.
#[derive(Default)]
pub(super) struct Guests {
    running: BTreeMap<String, Child>,
}

/// The node a guest's configuration is on.
pub(super) fn home(host: &Host, id: &str) -> Option<String> {
    let nodes = host.root.etc_pve.join("nodes");
    let on = |node: &String| {
        KINDS.iter().any(|(folder, _)| nodes.join(node).join(folder).join(format!("{id}.conf")).exists())
    };
    host.members().into_iter().map(|m| m.name).find(on)
}

/// The list of all guests.
pub(super) fn list(host: &Host) -> String {
    let mut ids = Map::new();
    for member in host.members() {
        for (folder, kind) in KINDS {
            let folder = host.root.etc_pve.join("nodes").join(&member.name).join(folder);
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(id) = name.strip_suffix(".conf") {
                    let guest = json!({"node": member.name, "type": kind, "version": 1});
                    ids.insert(id.to_owned(), guest);
                }
            }
        }
    }
    json!({"version": 1, "ids": Value::Object(ids)}).to_string()
}

/// Moves a guest's configuration to another node.
pub(super) fn hand_over(host: &Host, id: &str, target: &str) -> io::Result<()> {
    let nodes = host.root.etc_pve.join("nodes");
    for (folder, _) in KINDS {
        let from = nodes.join(&host.node).join(folder).join(format!("{id}.conf"));
        if from.exists() {
            let to = nodes.join(target).join(folder);
            fs::create_dir_all(&to)?;
            fs::rename(from, to.join(format!("{id}.conf")))?;
        }
    }
    Ok(())
}

impl Guests {
    /// Starts a guest that does not run.
    pub(super) fn start(&mut self, host: &Host, id: &str) -> io::Result<()> {
        if let Some(child) = self.running.get_mut(id)
            && child.try_wait()?.is_none()
        {
            return Ok(());
        }
        let child = Command::new("sleep").arg("infinity").stdin(Stdio::null()).spawn()?;
        host.write(&pid_file(host, id), &child.id().to_string())?;
        self.running.insert(id.to_owned(), child);
        Ok(())
    }

    /// Stops a guest that was started here.
    pub(super) fn stop(&mut self, host: &Host, id: &str) {
        if let Some(mut child) = self.running.remove(id) {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_file(pid_file(host, id));
    }

    /// Guests that were started here.
    pub(super) fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }
}

fn pid_file(host: &Host, id: &str) -> PathBuf {
    host.root.run.join("qemu-server").join(format!("{id}.pid"))
}
