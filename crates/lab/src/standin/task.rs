//! Worker tasks: their names (UPID), logs and results below
//! `/var/log/pve/tasks`.
//!
//! Used by the apply and the reload to write, by the task handlers to read.
//! From a command line a task runs in the foreground and its output is
//! printed as well; its failure does not reach the exit status.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::fail::Fail;
use super::{Host, say};

use ringbolt_core::arrange::Arrange;

/// The parts of a UPID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upid {
    pub(crate) text: String,
    pub(crate) node: String,
    pub(crate) pid: u32,
    pub(crate) pstart: u64,
    pub(crate) starttime: u64,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) user: String,
}

impl Upid {
    /// Reads `UPID:node:pid:pstart:starttime:type:id:user:`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [_, node, pid, pstart, starttime, kind, id, user, ""] = parts.as_slice() else {
            return None;
        };
        (parts[0] == "UPID").then_some(())?;
        Some(Self {
            text: text.to_owned(),
            node: (*node).to_owned(),
            pid: u32::from_str_radix(pid, 16).ok()?,
            pstart: u64::from_str_radix(pstart, 16).ok()?,
            starttime: u64::from_str_radix(starttime, 16).ok()?,
            kind: (*kind).to_owned(),
            id: (*id).to_owned(),
            user: (*user).to_owned(),
        })
    }

    /// The log file: in a folder named by the last digit of the start time.
    fn log(&self, host: &Host) -> PathBuf {
        let folder = format!("{:X}", self.starttime & 0xf);
        folder_of(host).join(folder).join(&self.text)
    }

    fn running(&self, host: &Host) -> bool {
        start_of(&host.root.proc, self.pid) == Some(self.pstart)
    }

    fn shown(&self) -> Value {
        json!({
            "upid": self.text, "node": self.node, "pid": self.pid, "pstart": self.pstart,
            "starttime": self.starttime, "type": self.kind, "id": self.id, "user": self.user,
        })
    }
}

fn folder_of(host: &Host) -> PathBuf {
    host.root.var.join("log/pve/tasks")
}

/// Start time of a process in clock ticks since boot.
fn start_of(proc: &Path, pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(proc.join(pid.to_string()).join("stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// A running task.
pub(crate) struct Task<'a> {
    upid: Upid,
    log: File,
    out: &'a mut dyn Write,
    warnings: u32,
}

impl<'a> Task<'a> {
    /// Starts one; this process is its worker.
    pub(crate) fn start(host: &Host, kind: &str, id: &str, out: &'a mut dyn Write) -> Result<Self, Fail> {
        let pid = std::process::id();
        let pstart = start_of(&host.root.proc, pid).unwrap_or(0);
        let mut starttime = now();
        // One process may start two tasks within a second; names must differ.
        let upid = loop {
            let text =
                format!("UPID:{}:{pid:08X}:{pstart:08X}:{starttime:08X}:{kind}:{id}:root@pam:", host.node);
            let upid = Upid::parse(&text).ok_or_else(|| Fail::die("bad UPID"))?;
            if !upid.log(host).exists() {
                break upid;
            }
            starttime += 1;
        };
        let path = upid.log(host);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(Self { log: File::create(path)?, upid, out, warnings: 0 })
    }

    /// A line of output.
    pub(crate) fn say(&mut self, line: &str) {
        say(&mut self.log, line);
        say(self.out, line);
    }

    /// A warning: printed, logged and counted.
    pub(crate) fn warn(&mut self, line: &str) {
        self.warnings += 1;
        self.say(&format!("WARN: {line}"));
    }

    /// Ends it; gives the UPID. A failure is logged and printed, no more.
    pub(crate) fn finish(
        mut self,
        host: &Host,
        result: Result<(), Fail>,
        err: &mut dyn Write,
    ) -> Result<Value, Fail> {
        let status = match result {
            Err(fail) => {
                let text = fail.to_string().replace('\n', " ");
                say(&mut self.log, &format!("TASK ERROR: {text}"));
                say(err, &format!("TASK ERROR: {text}"));
                text
            }
            Ok(()) if self.warnings > 0 => {
                let text = format!("WARNINGS: {}", self.warnings);
                say(&mut self.log, &format!("TASK {text}"));
                say(err, &format!("TASK {text}"));
                text
            }
            Ok(()) => {
                say(&mut self.log, "TASK OK");
                "OK".to_owned()
            }
        };
        let mut index = OpenOptions::new().create(true).append(true).open(folder_of(host).join("index"))?;
        say(&mut index, &format!("{} {:08X} {status}", self.upid.text, now()));
        Ok(json!(self.upid.text))
    }
}

fn wanted(upid: &str) -> Result<Upid, Fail> {
    Upid::parse(upid).ok_or_else(|| Fail::param("upid", format!("unable to parse worker upid '{upid}'")))
}

/// `…/tasks/{upid}/status`
pub(crate) fn status(host: &Host, upid: &str) -> Result<Value, Fail> {
    let upid = wanted(upid)?;
    let mut shown = upid.shown();
    let text = fs::read_to_string(upid.log(host)).map_err(|_| Fail::die("no such task"))?;
    match verdict(&text) {
        None if upid.running(host) => shown["status"] = json!("running"),
        found => {
            shown["status"] = json!("stopped");
            shown["exitstatus"] = json!(found.unwrap_or("unexpected status".into()));
        }
    }
    Ok(shown)
}

fn verdict(log: &str) -> Option<String> {
    let last = log.lines().last()?.strip_prefix("TASK ")?;
    Some(last.strip_prefix("ERROR: ").unwrap_or(last).to_owned())
}

/// `…/tasks/{upid}/log`
pub(crate) fn log(host: &Host, upid: &str, start: usize, limit: usize) -> Result<Value, Fail> {
    let upid = wanted(upid)?;
    let text = fs::read_to_string(upid.log(host)).map_err(|_| Fail::die("no such task"))?;
    let limit = if limit == 0 { usize::MAX } else { limit };
    let mut lines: Vec<Value> = text
        .lines()
        .enumerate()
        .skip(start)
        .take(limit)
        .map(|(index, line)| json!({ "n": index + 1, "t": line }))
        .collect();
    if lines.is_empty() {
        lines.push(json!({ "n": 1, "t": "no content" }));
    }
    Ok(Value::Array(lines))
}

/// All tasks of this node with a log, newest first.
pub(crate) fn list(host: &Host, active_only: bool, with_active: bool) -> Vec<Value> {
    let mut tasks: Vec<Value> = Vec::new();
    for folder in fs::read_dir(folder_of(host)).into_iter().flatten().flatten() {
        for entry in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(upid) = name.to_str().and_then(Upid::parse) else {
                continue;
            };
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let done = verdict(&text);
            let running = done.is_none() && upid.running(host);
            if (running && !with_active) || (!running && active_only) {
                continue;
            }
            let mut shown = upid.shown();
            if !running {
                shown["status"] = json!(done.unwrap_or("unexpected status".into()));
                let ended = entry.metadata().and_then(|m| m.modified()).ok();
                let ended = ended.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                shown["endtime"] = json!(ended.map_or(upid.starttime, |t| t.as_secs()));
            }
            tasks.push(shown);
        }
    }
    tasks.arrange_by_key(|task| std::cmp::Reverse(task["starttime"].as_u64()));
    tasks
}
