//! What the agent refuses, whatever the other end sends, and how it keeps what it keeps: lines written by hand to the
//! real process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::Nodes;

/// The agent of one folder, with a folder of its own for temporary files.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    temporary: tempfile::TempDir,
}

impl Agent {
    fn start(root: &Path) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new("/proc/self/exe")
            .args(["agent".as_ref(), root.as_os_str()])
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut agent = Self { child, input, output, temporary };
        assert!(agent.next()["body"]["hello"]["build"].is_string());
        let claim =
            json!({"id": "c", "owner": "o", "process": 1, "purpose": "apply", "run": "", "since": ""});
        let standing = agent.ask(&json!({"id": 1, "body": {"hold": claim}}));
        assert!(standing["standing"]["granted"].is_object(), "{standing}");
        agent
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    /// Sends a frame and gives what is answered in the end.
    fn ask(&mut self, frame: &Value) -> Value {
        self.input.write_all(format!("{frame}\n").as_bytes()).unwrap();
        loop {
            let mut answer = self.next();
            if answer["body"] != "alive" && answer["body"]["progress"].is_null() {
                return answer["body"].take();
            }
        }
    }

    /// Asks for an action.
    fn act(&mut self, action: &Value) -> Value {
        let deed = json!({"run": "r", "step": "n1/x", "action": action, "expect": null});
        self.ask(&json!({"id": 5, "body": {"do": deed}}))
    }

    fn refuses(&mut self, frame: &Value) -> String {
        let said = self.ask(frame);
        assert_eq!(said["failed"]["kind"], "refused", "{frame}: {said}");
        said["failed"]["message"].as_str().unwrap().to_owned()
    }

    /// A line of `/proc/PID/status`.
    fn status(&self, key: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    }

    /// Ends it; it must end well.
    fn end(mut self) {
        let bye = self.ask(&json!({"id": 9, "body": "bye"}));
        assert!(bye["done"].is_object(), "{bye}");
        assert!(self.child.wait().unwrap().success());
        assert_eq!(std::fs::read_dir(self.temporary.path()).unwrap().count(), 0, "a temporary file is left");
    }
}

pub(super) fn frames_it_does_not_know_are_refused() {
    let nodes = Nodes::new(&["n1"]);
    let mut agent = Agent::start(&nodes.path("n1", ""));
    let deed = |action: Value, more: Value| {
        let mut deed = json!({"run": "r", "step": "s", "action": action, "expect": null});
        deed.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        json!({"id": 1, "body": {"do": deed}})
    };
    let write = json!({"write-file": {"path": "/etc/modules", "content": "x", "mode": 420}});
    let mut wide = write.clone();
    wide["write-file"]["owner"] = json!("nobody");
    for (frame, word) in [
        (json!({"id": 1, "body": {"shell": {"text": "id"}}}), "shell"),
        (json!({"id": 1, "body": {"cancel": {"request": 2}}, "as": "admin"}), "as"),
        (json!({"id": 1, "body": {"cancel": {"request": 2, "force": true}}}), "force"),
        (deed(json!({"run": {"words": ["id"]}}), json!({})), "run"),
        (deed(wide, json!({})), "owner"),
        (deed(write.clone(), json!({"unless": "x"})), "unless"),
        (deed(json!({"ceph": {"purge": {}}}), json!({})), "purge"),
        (json!(["not", "an", "object"]), "request"),
        (json!(null), "request"),
    ] {
        let said = agent.refuses(&frame);
        assert!(said.starts_with("not a request this agent knows") && said.contains(word), "{said}");
    }
    assert!(!nodes.path("n1", "etc/modules").exists());
    assert!(agent.act(&write)["done"].is_object());
    agent.end();
}

pub(super) fn a_line_without_end_is_not_kept() {
    let nodes = Nodes::new(&["n1"]);
    let mut agent = Agent::start(&nodes.path("n1", ""));
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        agent.input.write_all(&chunk).unwrap();
    }
    agent.input.write_all(b"\n").unwrap();
    let said = agent.next();
    assert!(said["body"]["failed"]["message"].as_str().unwrap().contains("longer than"), "{said}");
    let peak: u64 = agent.status("VmHWM").trim_end_matches(" kB").trim().parse().unwrap();
    assert!(peak < 64 << 10, "{peak} KiB for a line of 200 MiB");
    agent.end();
}

pub(super) fn files_on_no_list_are_out_of_reach() {
    let nodes = Nodes::new(&["n1"]);
    let mut agent = Agent::start(&nodes.path("n1", ""));
    std::fs::create_dir_all(nodes.path("n1", "root/.ssh")).unwrap();
    for path in [
        "/etc/shadow",
        "/etc/cron.d/x",
        "/root/.ssh/authorized_keys",
        "/etc/sysctl.d/90-ringbolt/../../shadow",
        "/etc/frr/frr.conf",
        "/var/lib/ringbolt/bin/x",
        "etc/modules",
    ] {
        std::fs::create_dir_all(nodes.path("n1", path.trim_start_matches('/')).parent().unwrap()).unwrap();
        for action in [
            json!({"write-file": {"path": path, "content": "x", "mode": 420}}),
            json!({"remove-file": {"path": path}}),
            json!({"load-sysctl": {"path": path}}),
        ] {
            let said = agent.act(&action);
            assert_eq!(said["failed"]["kind"], "refused", "{action}: {said}");
        }
        let question = json!({"packages": [], "files": [path], "units": [], "sysctl": [], "modules": []});
        let facts = json!({"id": 1, "body": {"facts": {"question": question}}});
        if path != "/etc/frr/frr.conf" {
            assert!(agent.refuses(&facts).contains("not on the list"), "{path}");
        }
        assert!(!nodes.path("n1", path.trim_start_matches('/')).exists(), "{path}");
    }
    agent.end();
}

pub(super) fn links_above_a_file_lead_nowhere() {
    let nodes = Nodes::new(&["n1"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("90-ringbolt.conf");
    std::fs::write(&secret, "theirs").unwrap();
    std::fs::remove_dir(nodes.path("n1", "etc/sysctl.d")).unwrap();
    symlink(elsewhere.path(), nodes.path("n1", "etc/sysctl.d")).unwrap();
    std::fs::create_dir_all(nodes.path("n1", "etc/pve")).unwrap();
    symlink("pve", nodes.path("n1", "etc/modules-load.d")).unwrap();
    symlink(&secret, nodes.path("n1", "etc/modules")).unwrap();
    let mut agent = Agent::start(&nodes.path("n1", ""));
    for path in ["/etc/sysctl.d/90-ringbolt.conf", "/etc/modules-load.d/ringbolt.conf", "/etc/modules"] {
        for action in [
            json!({"write-file": {"path": path, "content": "x", "mode": 420}}),
            json!({"remove-file": {"path": path}}),
        ] {
            let said = agent.act(&action);
            assert_eq!(said["failed"]["kind"], "refused", "{action}: {said}");
        }
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "theirs");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(nodes.path("n1", "etc/pve")).unwrap().count(), 0);
    agent.end();
}

pub(super) fn what_it_keeps_is_for_root_alone() {
    let nodes = Nodes::new(&["n1"]);
    std::fs::write(nodes.path("n1", "etc/modules"), "old").unwrap();
    // Left open by somebody: the agent closes it.
    std::fs::create_dir_all(nodes.path("n1", "var/lib/ringbolt")).unwrap();
    let mut agent = Agent::start(&nodes.path("n1", ""));
    assert_eq!(agent.status("Umask"), "0077");
    let action = json!({"write-file": {"path": "/etc/modules", "content": "canary-7f3a", "mode": 420}});
    assert!(agent.act(&action)["done"].is_object());
    let mut folders = vec![nodes.path("n1", "var/lib/ringbolt")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let about = std::fs::metadata(&path).unwrap();
            assert_eq!(about.mode() & 0o7777, 0o600, "{}", path.display());
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("canary-7f3a"), "{} holds a content", path.display());
            files += 1;
        }
    }
    assert!(files >= 3, "log, what was kept and its content: {files}");
    let names: Vec<_> = std::fs::read_dir(nodes.path("n1", "etc")).unwrap().flatten().collect();
    assert!(names.iter().all(|e| !e.file_name().to_string_lossy().contains(".tmp")), "{names:?}");
    agent.end();
}
