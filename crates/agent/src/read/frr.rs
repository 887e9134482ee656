//! What FRR says. Its daemons are asked on the sockets vtysh itself talks to: a few milliseconds,
//! where a vtysh takes a hundred on a busy node. Should a daemon answer otherwise than expected,
//! vtysh is asked instead.

use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use ringbolt_core::arrange::Arrange;
use ringbolt_core::facts::frr::{answers, lost};
use ringbolt_core::facts::{Frr, Known};
use ringbolt_core::resource::reload;

use crate::exec::{call, find};
use crate::root::Root;

/// Where daemons listen, as `NAME.vty`.
const SOCKETS: &str = "/var/run/frr";

/// What is asked of whom.
const QUESTIONS: [(&str, &[&str]); 3] = [
    ("fabricd", &["show openfabric neighbor detail json"]),
    ("zebra", &["show ip route openfabric json", "show ipv6 route openfabric json"]),
    ("bfdd", &["show bfd peers json"]),
];

/// Who prints route maps, access lists and protocol filters: which of them prints what changed with FRR's versions,
/// and what one of them says is in force. The first is there since FRR 9.1; without it nothing is lost.
const KEEPERS: [&str; 2] = ["mgmtd", "zebra"];

/// How long FRR reads its file at a start, and more.
const READING: Duration = Duration::from_millis(700);

/// How long a daemon may think.
const PATIENCE: Duration = Duration::from_secs(3);

/// Longest answer taken.
const LONGEST: usize = 8 * 1024 * 1024;

/// Starts asking, or says why there is nobody to ask.
pub(super) fn ask(root: &Root) -> Known<JoinHandle<Known<Frr>>> {
    if find("vtysh").is_none() {
        return Known::No("FRR is not installed".into());
    }
    let folder = root.at(SOCKETS);
    if UnixStream::connect(folder.join("zebra.vty")).is_err() {
        return Known::No("FRR is not running".into());
    }
    let file = root.at(reload::FRR_CONF);
    Known::Yes(std::thread::spawn(move || frr(&folder, &file)))
}

/// Collects the answers.
pub(super) fn collect(asked: Known<JoinHandle<Known<Frr>>>) -> Known<Frr> {
    match asked {
        Known::No(why) => Known::No(why),
        Known::Yes(thread) => {
            thread.join().unwrap_or_else(|_| Known::No("the agent has a bug: asking FRR panicked".into()))
        }
    }
}

fn frr(folder: &Path, file: &Path) -> Known<Frr> {
    let daemons = running(folder);
    let told = by_sockets(folder, &daemons).or_else(|_| by_vtysh());
    match told {
        Ok(text) => {
            let lost = missed(folder, file, &daemons).unwrap_or_default();
            Known::Yes(Frr { daemons, lost, ..answers(&text) })
        }
        Err(why) => Known::No(why),
    }
}

/// What is in the configuration file and not in force. A daemon that is still reading it is given a moment.
fn missed(folder: &Path, file: &Path, daemons: &[String]) -> Option<Vec<String>> {
    if !KEEPERS.iter().all(|keeper| daemons.iter().any(|daemon| daemon == keeper)) {
        return None;
    }
    let text = std::fs::read_to_string(file).ok()?;
    let said = |keeper| converse(&folder.join(format!("{keeper}.vty")), &["show running-config"]).ok();
    let running = || KEEPERS.into_iter().map(said).collect::<Option<String>>();
    let missing = lost(&text, &running()?);
    if missing.is_empty() {
        return Some(missing);
    }
    std::thread::sleep(READING);
    Some(lost(&text, &running()?))
}

/// Daemons that take a connection; a socket outlives a daemon that was killed.
fn running(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let alive = |path: &PathBuf| UnixStream::connect(path).is_ok();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "vty"));
    let mut names: Vec<String> =
        paths.filter(alive).filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.arrange();
    names
}

/// All answers one after the other; the daemons that do not run are passed over.
fn by_sockets(folder: &Path, daemons: &[String]) -> std::io::Result<String> {
    let mut text = String::new();
    for (daemon, questions) in QUESTIONS {
        if daemons.iter().any(|running| running == daemon) {
            text.push_str(&converse(&folder.join(format!("{daemon}.vty")), questions)?);
        }
    }
    Ok(text)
}

/// One daemon's answers. A command ends with a zero byte; an answer with three, and a status.
fn converse(socket: &Path, questions: &[&str]) -> std::io::Result<String> {
    let mut line = UnixStream::connect(socket)?;
    line.set_read_timeout(Some(PATIENCE))?;
    line.set_write_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    for question in std::iter::once(&"enable").chain(questions) {
        line.write_all(question.as_bytes())?;
        line.write_all(&[0])?;
        text.push_str(&answer(&mut line)?);
        text.push('\n');
    }
    Ok(text)
}

fn answer(line: &mut UnixStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match line.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
        if let [text @ .., 0, 0, 0, _] = bytes.as_slice() {
            return Ok(String::from_utf8_lossy(text).into_owned());
        }
        if bytes.len() > LONGEST {
            return Err(Error::other("an answer without end"));
        }
    }
}

/// The same by one vtysh.
fn by_vtysh() -> Result<String, String> {
    let questions = QUESTIONS.iter().flat_map(|(_, questions)| questions.iter());
    let output =
        call("vtysh", questions.flat_map(|question| ["-c", question])).run().map_err(|e| e.to_string())?;
    if output.out.contains("failed to connect to any daemons") {
        return Err("FRR is not running".into());
    }
    Ok(output.out)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::net::UnixListener;

    use super::*;

    /// A daemon that gives each question the next answer, in two pieces.
    fn daemon(folder: &Path, name: &str, answers: Vec<&'static str>) {
        let listener = UnixListener::bind(folder.join(format!("{name}.vty"))).unwrap();
        std::thread::spawn(move || {
            for line in listener.incoming() {
                let mut line = line.unwrap();
                let mut word = [0; 1];
                let mut left = answers.iter();
                while line.read(&mut word).is_ok_and(|count| count == 1) {
                    if word[0] != 0 {
                        continue;
                    }
                    let Some(answer) = left.next() else { return };
                    line.write_all(answer.as_bytes()).unwrap();
                    line.write_all(&[0, 0, 0]).unwrap();
                    line.write_all(&[0]).unwrap();
                }
            }
        });
    }

    #[test]
    fn daemons_are_asked_on_their_sockets_and_dead_ones_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let routes = r#"{"10.0.0.3/32":[{"prefix":"10.0.0.3/32","protocol":"openfabric","metric":20,"installed":true,"nexthops":[{"interfaceName":"en05","active":true}]}]}"#;
        daemon(folder.path(), "zebra", vec!["", routes, "{}\n"]);
        daemon(folder.path(), "bfdd", vec!["", r#"[{"peer":"10.0.0.3","interface":"en05","status":"up"}]"#]);
        drop(UnixListener::bind(folder.path().join("fabricd.vty")).unwrap());
        let daemons = running(folder.path());
        assert_eq!(daemons, ["bfdd", "zebra"]);
        let read = answers(&by_sockets(folder.path(), &daemons).unwrap());
        assert_eq!((read.routes.len(), read.bfd.len(), read.neighbors.len()), (1, 1, 0));
    }

    #[test]
    fn what_is_in_force_may_be_told_by_either_keeper() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frr.conf");
        let map = "route-map m permit 1\n set src 10.0.0.1\nexit\n";
        std::fs::write(&file, format!("{map}ip protocol openfabric route-map m\n")).unwrap();
        let both = ["mgmtd".to_owned(), "zebra".to_owned()];
        daemon(folder.path(), "mgmtd", vec!["", map]);
        daemon(folder.path(), "zebra", vec!["", "ip protocol openfabric route-map m\n"]);
        assert_eq!(missed(folder.path(), &file, &both), Some(Vec::new()));
        assert_eq!(missed(folder.path(), &file, &both[1..]), None);
        let raced = tempfile::tempdir().unwrap();
        daemon(raced.path(), "mgmtd", vec!["", "route-map m permit 1\nexit\n"]);
        daemon(raced.path(), "zebra", vec!["", "ip protocol openfabric route-map m\n"]);
        let lost = missed(raced.path(), &file, &both).unwrap();
        assert_eq!(lost, ["route-map m permit 1: set src 10.0.0.1"]);
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        daemon(folder.path(), "zebra", vec!["", "{}"]);
        assert!(by_sockets(folder.path(), &["zebra".to_owned()]).is_err());
    }
}
