//! A lab of one test, driven by the real binary as a person would drive it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Labs that may be up at once. Tests mostly wait for timers of nodes: two labs take little more than half the time
/// on two cores, more only make each other slow.
const LABS: usize = 2;

/// How many are up, and the bell for those who wait.
static UP: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// One of the labs that may be up; free again when dropped.
struct Turn;

impl Turn {
    /// Waits until one is free.
    fn take() -> Self {
        let up = UP.0.lock().unwrap_or_else(PoisonError::into_inner);
        *UP.1.wait_while(up, |up| *up >= LABS).unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *UP.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        UP.1.notify_one();
    }
}

/// A lab, its state folder, and what to leave behind when the test fails.
pub(crate) struct Rig {
    dir: tempfile::TempDir,
    state: tempfile::TempDir,
    name: String,
    _turn: Turn,
}

impl Rig {
    /// None, with a message, where no lab can be made.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let root =
            std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
        let missing = ringbolt_lab::missing_packages();
        if !root || !missing.is_empty() {
            eprintln!("skipped: a lab needs root and {missing:?}");
            return None;
        }
        let turn = Turn::take();
        std::fs::create_dir_all("/var/lib/ringbolt-lab").unwrap();
        let dir = tempfile::Builder::new().prefix(".e2e-").tempdir_in("/var/lib/ringbolt-lab").unwrap();
        let name = format!("{name}{}", std::process::id() % 10_000);
        Some(Self { dir, state: tempfile::tempdir().unwrap(), name, _turn: turn })
    }

    /// `ringbolt WORDS --lab …`, not begun yet.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringbolt"));
        command
            .args(words)
            .args(["--lab", self.name()])
            .env("RINGBOLT_LAB_DIR", self.dir.path())
            .env("RINGBOLT_STATE", self.state())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("RINGBOLT_CONFIG")
            .current_dir(self.state())
            .stdin(Stdio::null());
        command
    }

    /// The controller's state folder.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// Name of the lab.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The spec that was written for the lab.
    pub(crate) fn spec(&self) -> PathBuf {
        self.dir.path().join(&self.name).join("ringbolt.toml")
    }

    /// Runs `ringbolt WORDS --lab …` and gives what it said, whatever the outcome.
    pub(crate) fn run(&self, words: &[&str]) -> (i32, String) {
        said(&self.command(words).output().unwrap())
    }

    /// The same, which must succeed.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let (status, text) = self.run(words);
        assert_eq!(status, 0, "ringbolt {}:\n{text}", words.join(" "));
        text
    }

    /// `ringbolt WORDS --lab …` on a terminal of its own, its keys and screen on pipes.
    pub(crate) fn on_terminal(&self, words: &[&str]) -> Command {
        let inner = self.command(words);
        let line: Vec<_> = std::iter::once(inner.get_program()).chain(inner.get_args()).collect();
        let mut terminal = Command::new("script");
        terminal.args(["-qefc".as_ref(), line.join(" ".as_ref()).as_os_str(), "/dev/null".as_ref()]);
        terminal.envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
        terminal.current_dir(self.state.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        terminal
    }

    /// The same, begun and left running.
    pub(crate) fn start(&self, words: &[&str]) -> std::process::Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A program in a node, without ssh.
    pub(crate) fn exec(&self, node: &str, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_ringbolt"))
            .args(["lab", "exec", "--lab", &self.name, node, "--"])
            .args(words)
            .env("RINGBOLT_LAB_DIR", self.dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (status, text) = said(&output);
        assert_eq!(status, 0, "{node}: {}:\n{text}", words.join(" "));
        text
    }

    /// What a program in a node says, by ssh: a process put into the node from outside would keep it from going
    /// down. None where the node does not answer, or the program fails.
    pub(crate) fn ssh(&self, node: &str, words: &[&str]) -> Option<String> {
        let output = Command::new("ssh")
            .arg("-F")
            .arg(self.dir.path().join(&self.name).join("ssh_config"))
            .args(["-l", "root", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2"])
            .args(["-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=2", node])
            .args(words)
            .stdin(Stdio::null())
            .output();
        output.ok().filter(|o| o.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
    }

    /// Waits until a program on the first node says this.
    pub(crate) fn eventually(&self, limit: Duration, wanted: &str, words: &[&str]) {
        let began = Instant::now();
        loop {
            let said = self.exec("n1", words);
            if said.contains(wanted) {
                return;
            }
            assert!(began.elapsed() < limit, "{wanted:?} not within {limit:?}:\n{said}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Small writes to pool `vm`, from a node that is up, one after the other: how many, and how many seconds
    /// the slowest took. A write that its node took down with it is begun again elsewhere.
    pub(crate) fn writes_until(&self, done: &std::sync::atomic::AtomicBool) -> (u32, f64) {
        let nodes = self.nodes();
        let (mut writes, mut worst, mut at) = (0, 0.0_f64, 0);
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let began = Instant::now();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let node = &nodes[at % nodes.len()];
                let put = ["timeout", "20", "rados", "-p", "vm", "put", "ringbolt-roll", "/etc/hostname"];
                if self.ssh(node, &put).is_some() {
                    writes += 1;
                    worst = worst.max(began.elapsed().as_secs_f64());
                    break;
                }
                at += 1;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        (writes, worst)
    }

    /// The plan as JSON.
    pub(crate) fn plan(&self) -> Value {
        let output = self.command(&["plan", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("plan: {e}: {}", said(&output).1))
    }

    /// `verify --json` until it is all true, at most this long; the seconds it took.
    pub(crate) fn verified_within(&self, limit: Duration) -> f64 {
        let began = Instant::now();
        loop {
            let output = self.command(&["verify", "--json"]).output().unwrap();
            let report: Option<Value> = serde_json::from_slice(&output.stdout).ok();
            if report.as_ref().is_some_and(|r| r["ok"] == true) {
                assert_eq!(output.status.code(), Some(0));
                return began.elapsed().as_secs_f64();
            }
            if began.elapsed() > limit {
                panic!("not verified within {limit:?}:\n{}", self.run(&["verify"]).1);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Nodes of the lab.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.spec()).unwrap_or_default();
        let spec = ringbolt_core::spec::read(&text).spec;
        spec.map(|s| s.nodes.iter().map(|n| n.name.to_string()).collect()).unwrap_or_default()
    }

    /// What a person would want to see of a lab in which a test failed.
    pub(crate) fn leave_evidence(&self, folder: &Path) {
        let _ = std::fs::create_dir_all(folder);
        let keep = |file: &str, text: String| drop(std::fs::write(folder.join(file), text));
        for (file, words) in [("discover.json", vec!["discover", "--json"]), ("plan.txt", vec!["plan"])] {
            keep(file, self.run(&words).1);
        }
        for node in self.nodes() {
            let look = |words: &[&str]| {
                let mut all = vec!["lab", "exec", "--lab", &self.name, &node, "--"];
                all.extend(words);
                let output = Command::new(env!("CARGO_BIN_EXE_ringbolt"))
                    .args(all)
                    .env("RINGBOLT_LAB_DIR", self.dir.path())
                    .stdin(Stdio::null())
                    .output();
                output.map_or_else(|e| e.to_string(), |o| said(&o).1)
            };
            keep(&format!("{node}-journal.txt"), look(&["journalctl", "--no-pager", "-n", "400"]));
            keep(&format!("{node}-addr.txt"), look(&["ip", "-d", "addr"]));
            keep(&format!("{node}-route.txt"), look(&["ip", "route"]));
            keep(
                &format!("{node}-frr.txt"),
                look(&["vtysh", "-c", "show openfabric neighbor", "-c", "show running-config"]),
            );
        }
        eprintln!("evidence: {}", folder.display());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_evidence(&evidence().join(&self.name));
        }
        let (status, text) = self.run(&["lab", "down"]);
        if status != 0 && !std::thread::panicking() {
            panic!("lab down: {text}");
        }
    }
}

/// Where evidence of failed tests is left.
pub(crate) fn evidence() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-evidence")
}

/// Status and words of a program that has ended.
pub(crate) fn said(output: &Output) -> (i32, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}
