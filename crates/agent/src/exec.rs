//! The only place that starts a process: absolute programs from a fixed list of folders, an
//! environment of our own, bounded output, bounded time.
//!
//! Used by `read` and `act`. No value ever becomes shell text, and the caller's environment is not passed on.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringbolt_core::wire::Failure;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::orphans;
use crate::stop::Stop;

/// Where programs are looked for, in this order.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Most bytes of output kept, of each stream; of more than that the end is kept.
const KEPT: usize = 8 * 1024 * 1024;

/// Sets the usual umask and becomes the program it is given, with its arguments.
const PUBLIC: &str = "umask 022; exec \"$0\" \"$@\"";

/// How long output may stay open after the program itself has ended (a daemon it left behind).
const LINGER: Duration = Duration::from_millis(200);

/// How long an interrupted program may take to come to an end.
const GRACE: Duration = Duration::from_secs(3);

/// Why a program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    /// It is not installed.
    #[error("`{0}` is not on this node")]
    Missing(String),
    /// It could not be started.
    #[error("cannot start `{call}`: {source}")]
    Start {
        /// The command line, for people.
        call: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It took too long and was killed.
    #[error("`{call}` gave no end within {seconds} s and was killed")]
    Slow {
        /// The command line, for people.
        call: String,
        /// The limit.
        seconds: u64,
    },
    /// It ended with another status than 0.
    #[error("`{call}` ended with {status}: {said}")]
    Said {
        /// The command line, for people.
        call: String,
        /// Its status.
        status: ExitStatus,
        /// The last lines of its output.
        said: String,
    },
}

impl From<ExecError> for Failure {
    fn from(error: ExecError) -> Self {
        let failure = Self::broken(error.to_string());
        match error {
            ExecError::Missing(name) => failure.hint(format!("install the package that holds `{name}`")),
            _ => failure,
        }
    }
}

/// Which streams go where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// Standard output is data, standard error is prose.
    Apart,
    /// Both into one, in order, as a person would see them.
    Joined,
}

/// One program with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
    limit: Duration,
    streams: Streams,
    input: Option<String>,
    public: bool,
}

/// A call of `program` with these arguments. It may take ten seconds, and its streams are apart.
pub(crate) fn call<I, S>(program: &str, arguments: I) -> Call
where
    I: IntoIterator<Item = S>,
    S: Into<String>,
{
    Call {
        program: program.to_owned(),
        arguments: arguments.into_iter().map(Into::into).collect(),
        environment: Vec::new(),
        limit: Duration::from_secs(10),
        streams: Streams::Apart,
        input: None,
        public: false,
    }
}

/// The absolute path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

impl Call {
    /// How long it may take.
    pub(crate) fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Standard output and error as one text.
    pub(crate) fn joined(mut self) -> Self {
        self.streams = Streams::Joined;
        self
    }

    /// A text on its standard input, which then ends; without, there is none.
    pub(crate) fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// The files it makes are readable by others, as after a login: Proxmox VE, apt and ifupdown2 make files that
    /// are not root's alone, and the agent's own are.
    pub(crate) fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// One more variable in its environment.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The command line as a person would type it.
    pub(crate) fn line(&self) -> String {
        let quoted = |word: &String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%*".contains(c);
            if !word.is_empty() && word.chars().all(plain) { word.clone() } else { format!("'{word}'") }
        };
        std::iter::once(self.program.clone())
            .chain(self.arguments.iter().map(quoted))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Starts it and waits for its end, whatever its status.
    pub(crate) fn run(&self) -> Result<Output, ExecError> {
        self.start()?.finish(None)
    }

    /// Starts it, waits for its end and takes any status but 0 for an error.
    pub(crate) fn must(&self) -> Result<Output, ExecError> {
        self.run()?.checked(self)
    }

    /// The program, without its arguments, with the umask it is to have.
    fn command(&self, path: &Path) -> Command {
        if self.public {
            let mut command = Command::new("/bin/sh");
            // Found again in the same folders; so its messages begin with the name alone.
            command.args(["-c", PUBLIC, &self.program]);
            return command;
        }
        let mut command = Command::new(path);
        // Tools begin their messages with this.
        command.arg0(&self.program);
        command
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Result<Started, ExecError> {
        let path = find(&self.program).ok_or_else(|| ExecError::Missing(self.program.clone()))?;
        let fault = |source| ExecError::Start { call: self.line(), source };
        let mut command = self.command(&path);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", FOLDERS.join(":"))
            .env("LC_ALL", "C")
            .env("HOME", "/root")
            .env(orphans::VARIABLE, orphans::mark())
            .envs(self.environment.iter().copied())
            .current_dir("/")
            .process_group(0)
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let (closed, events) = channel();
        let out = Capture::default();
        let err = Capture::default();
        let mut child = match self.streams {
            Streams::Apart => {
                let mut child =
                    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fault)?;
                child.stdout.take().into_iter().for_each(|pipe| out.follow(pipe, closed.clone()));
                child.stderr.take().into_iter().for_each(|pipe| err.follow(pipe, closed.clone()));
                child
            }
            Streams::Joined => {
                let (reader, writer) = std::io::pipe().map_err(fault)?;
                let second = writer.try_clone().map_err(fault)?;
                let child = command.stdout(writer).stderr(second).spawn().map_err(fault)?;
                out.follow(reader, closed.clone());
                child
            }
        };
        if let (Some(text), Some(pipe)) = (&self.input, child.stdin.take()) {
            feed(pipe, text.clone());
        }
        Ok(Started { call: self.clone(), child, begun: Instant::now(), out, err, closed: events })
    }
}

/// Writes to a program's standard input in a thread of its own; one that does not read it all is
/// left alone.
fn feed(mut pipe: impl Write + Send + 'static, text: String) {
    std::thread::spawn(move || {
        let _ = pipe.write_all(text.as_bytes());
    });
}

/// What one stream has given so far.
#[derive(Clone, Debug, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// Reads the pipe to its end in a thread of its own; dropping `closed` tells of the end.
    fn follow(&self, mut pipe: impl Read + Send + 'static, closed: Sender<()>) {
        let kept = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..count]);
                let excess = kept.len().saturating_sub(KEPT);
                kept.drain(..excess);
            }
            drop(closed);
        });
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// A program under way.
#[derive(Debug)]
pub(crate) struct Started {
    call: Call,
    child: Child,
    begun: Instant,
    out: Capture,
    err: Capture,
    closed: Receiver<()>,
}

impl Started {
    /// Waits for its end. When `stop` is set it is interrupted, as by Ctrl-C; when it takes longer
    /// than its limit it is killed with all it started.
    pub(crate) fn finish(mut self, stop: Option<&Stop>) -> Result<Output, ExecError> {
        let mut deadline = self.begun + self.call.limit;
        let mut interrupted = false;
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut open = true;
        loop {
            if open {
                open = !matches!(self.closed.recv_timeout(self.step()), Err(RecvTimeoutError::Disconnected));
            } else if ended.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if ended.is_none() {
                ended = self.status()?.map(|status| (status, Instant::now()));
            }
            if let Some((status, at)) = ended.filter(|(_, at)| !open || at.elapsed() > LINGER) {
                debug_assert!(at >= self.begun);
                return Ok(Output { status, out: self.out.text(), err: self.err.text() });
            }
            if !interrupted && stop.is_some_and(Stop::is_set) {
                interrupted = true;
                deadline = Instant::now() + GRACE;
                let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
            }
            if Instant::now() > deadline && ended.is_none() {
                let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
                let status = self.child.wait();
                if let (true, Ok(status)) = (interrupted, status) {
                    // It was asked to end and did not: what started us may have made it deaf to SIGINT.
                    return Ok(Output { status, out: self.out.text(), err: self.err.text() });
                }
                return Err(ExecError::Slow { call: self.call.line(), seconds: self.call.limit.as_secs() });
            }
        }
    }

    /// Whether its standard output so far has this text.
    pub(crate) fn said(&self, text: &str) -> bool {
        self.out.text().contains(text)
    }

    /// Whether nobody holds its streams any more: it has ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.closed.try_recv(), Err(TryRecvError::Disconnected))
    }

    fn status(&mut self) -> Result<Option<ExitStatus>, ExecError> {
        self.child.try_wait().map_err(|source| ExecError::Start { call: self.call.line(), source })
    }

    /// How long to wait for the end of the output before looking at anything else.
    fn step(&self) -> Duration {
        Duration::from_millis(20)
    }
}

/// How a program ended and what it printed.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its status.
    pub(crate) status: ExitStatus,
    /// Standard output; with joined streams all of it.
    pub(crate) out: String,
    /// Standard error; empty with joined streams.
    pub(crate) err: String,
}

impl Output {
    /// Takes any status but 0 for an error.
    pub(crate) fn checked(self, call: &Call) -> Result<Self, ExecError> {
        if self.status.success() {
            return Ok(self);
        }
        let said = self.last(6);
        let said = if said.is_empty() { "it printed nothing".to_owned() } else { said };
        Err(ExecError::Said { call: call.line(), status: self.status, said })
    }

    /// The last lines of what it printed, error stream first where there is one, joined by ` | `.
    pub(crate) fn last(&self, count: usize) -> String {
        let text = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].join(" | ")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn output_status_and_environment() {
        let output = call("env", [] as [&str; 0]).with("EXTRA", "1").must().unwrap();
        let mut names: Vec<_> = output.out.lines().filter_map(|l| l.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["EXTRA", "HOME", "LC_ALL", "PATH", "RINGBOLT_AGENT"]);
    }

    #[test]
    fn files_of_a_public_program_are_for_others_as_well_and_its_words_stay_apart() {
        let words = ["-c", "umask; echo \"$0 $1\"", "a b", "$(id); 'x'"];
        let output = call("sh", words).public().must().unwrap();
        assert_eq!(output.out, "0022\na b $(id); 'x'\n");
        let error = call("ls", ["/no such folder"]).public().must().unwrap_err().to_string();
        assert!(error.contains("ls: cannot access '/no such folder'"), "{error}");
    }

    #[test]
    fn a_text_is_given_and_ends_and_need_not_be_read() {
        let long = "y\n".repeat(100_000);
        let output = call("wc", ["-l"]).input(&*long).must().unwrap();
        assert_eq!(output.out.trim(), "100000");
        assert!(call("true", [] as [&str; 0]).input(long).must().is_ok());
    }

    #[test]
    fn a_bad_end_tells_command_status_and_last_lines() {
        let error = call("ls", ["/no such folder"]).must().unwrap_err().to_string();
        assert!(error.contains("ls '/no such folder'") && error.contains("No such file"), "{error}");
        let missing = call("no-such-program", [] as [&str; 0]).run().unwrap_err();
        assert!(matches!(missing, ExecError::Missing(_)));
    }

    #[test]
    fn what_takes_too_long_is_killed() {
        let begun = Instant::now();
        let error = call("sleep", ["60"]).limit(0).run().unwrap_err();
        assert!(matches!(error, ExecError::Slow { .. }));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_the_answer() {
        let begun = Instant::now();
        // `setsid --fork` ends at once and leaves a sleeper that holds the streams open.
        let output = call("setsid", ["--fork", "sleep", "4"]).must().unwrap();
        assert!(output.out.is_empty());
        assert!(begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_stop_interrupts() {
        let stop = Stop::default();
        let started = call("sleep", ["60"]).limit(60).start().unwrap();
        stop.set();
        let begun = Instant::now();
        let output = started.finish(Some(&stop)).unwrap();
        assert!(!output.status.success());
        assert!(begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn only_the_end_of_endless_output_is_kept() {
        let output = call("head", ["-c", "20000000", "/dev/zero"]).joined().must().unwrap();
        assert_eq!(output.out.len(), KEPT);
    }
}
