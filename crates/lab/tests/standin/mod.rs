//! What the stand-in's tests share: recorded data, a node below a temporary
//! folder, and programs that answer as the test says.

#![allow(dead_code, clippy::print_stdout, clippy::unwrap_used, reason = "tests; each uses its part")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ringbolt_lab::standin::{Exec, Host, Ran, Root, command};
use serde_json::Value;
use tempfile::TempDir;

/// Recorded output of the real thing, or none, which is told.
pub(crate) fn data() -> Option<PathBuf> {
    let given = std::env::var_os("RINGBOLT_PVE_DATA").map(PathBuf::from);
    let path =
        given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pve-data"));
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no recorded output at {}", path.display());
    None
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

type Answer = Box<dyn Fn(&[&str]) -> Ran>;

/// Programs run so far, and a function that answers for them.
pub(crate) struct Scripted {
    pub(crate) log: Rc<RefCell<Vec<String>>>,
    pub(crate) answer: Answer,
}

impl Exec for Scripted {
    fn run(&self, argv: &[&str]) -> Ran {
        self.log.borrow_mut().push(argv.join(" "));
        (self.answer)(argv)
    }
}

pub(crate) fn ran(status: i32, stdout: &str) -> Ran {
    Ran { status, stdout: stdout.to_owned(), stderr: String::new() }
}

/// A node below a temporary folder.
pub(crate) struct Bench {
    pub(crate) top: TempDir,
    pub(crate) host: Host,
    pub(crate) log: Rc<RefCell<Vec<String>>>,
}

pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new(release: &str, answer: impl Fn(&[&str]) -> Ran + 'static) -> Self {
        let top = TempDir::new().unwrap();
        let root = Root::below(top.path());
        for folder in ["etc/pve/sdn", "etc/ringbolt", "etc/network", "run", "var", "usr/share/ifupdown2"] {
            fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        fs::write(root.etc.join("ringbolt/realm.json"), format!(r#"{{"pve":"{release}"}}"#)).unwrap();
        let nodes: Vec<String> =
            (1..=3).map(|i| format!(r#"{{"name":"pve{i}","id":{i},"address":"10.11.12.{i}"}}"#)).collect();
        let text = format!(r#"{{"cluster":"c","nodes":[{}]}}"#, nodes.join(","));
        fs::write(root.etc_pve.join("ringbolt-lab.json"), text).unwrap();
        let log = Rc::new(RefCell::new(Vec::new()));
        let exec = Scripted { log: log.clone(), answer: Box::new(answer) };
        Self { host: Host::new(root, "pve1", Box::new(exec)), top, log }
    }

    pub(crate) fn run(&self, line: &[&str]) -> Done {
        let args: Vec<String> = line[1..].iter().map(|s| (*s).to_owned()).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = command(&self.host, line[0], &args, &mut out, &mut err);
        Done { status, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
    }

    /// Runs `pvesh` with words split at blanks.
    pub(crate) fn pvesh(&self, line: &str) -> Done {
        let words: Vec<&str> = ["pvesh"].into_iter().chain(line.split_whitespace()).collect();
        self.run(&words)
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        let done = self.pvesh(&format!("{line} --output-format json"));
        assert_eq!(done.status, 0, "{line}: {}", done.err);
        serde_json::from_str(&done.out).unwrap()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.top.path().join(path)).unwrap_or_default()
    }

    pub(crate) fn put(&self, path: &str, text: &str) {
        let path = self.top.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
