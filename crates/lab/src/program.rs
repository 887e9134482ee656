//! Runs programs of the host (`ip`, `tc`, `nsenter`, `mmdebstrap` …) with an argument vector, never through text
//! of a shell. Used by the whole crate; nothing else here starts a short-lived program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Why a program of the host did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The program is not installed.
    #[error("{program} is not installed here (Debian package {package})")]
    Missing {
        /// What was to be started.
        program: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// It could not be started or talked to.
    #[error("cannot run {program}: {source}")]
    Start {
        /// What was to be started.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It ran and reported failure.
    #[error("{command} failed with {status}: {stderr}")]
    Failed {
        /// The command line, for people.
        command: String,
        /// Exit status or signal.
        status: std::process::ExitStatus,
        /// The last lines it wrote.
        stderr: String,
    },
}

/// Programs the lab needs, with the Debian package that has them.
const NEEDED: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setsid", "util-linux"),
    ("mount", "mount"),
    ("ssh-keygen", "openssh-client"),
    ("dpkg-deb", "dpkg"),
    ("losetup", "mount"),
    ("partx", "util-linux"),
    ("blkdiscard", "util-linux"),
];

/// Debian packages that must be installed before a lab can be built; empty when all is there.
#[must_use]
pub fn missing_packages() -> Vec<&'static str> {
    let mut missing = Vec::new();
    for (program, package) in NEEDED {
        if find(program).is_none() && !missing.contains(package) {
            missing.push(*package);
        }
    }
    missing
}

/// The file `program` would be started from.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let admin = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(admin).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// A command whose program is looked up in the administrator's folders too.
pub(crate) fn command(program: &str) -> Command {
    Command::new(find(program).unwrap_or_else(|| PathBuf::from(program)))
}

/// Runs `program` to its end and returns what it wrote to its standard output.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String, ProgramError> {
    run_with_input(program, args, "")
}

/// As [`run`], with text on its standard input.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(
    program: &str,
    args: &[S],
    input: &str,
) -> Result<String, ProgramError> {
    let mut child = command(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| start_error(program, source))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early closes the pipe; its exit status tells more than this error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|source| start_error(program, source))?;
    finish(program, args, &output)
}

/// Turns a failure to start into an error that names the package to install.
pub(crate) fn start_error(program: &str, source: std::io::Error) -> ProgramError {
    let package = NEEDED.iter().find(|(name, _)| *name == program).map(|(_, package)| *package);
    match package {
        Some(package) if source.kind() == std::io::ErrorKind::NotFound => {
            ProgramError::Missing { program: program.to_owned(), package }
        }
        _ => ProgramError::Start { program: program.to_owned(), source },
    }
}

pub(crate) fn finish<S: AsRef<OsStr>>(
    program: &str,
    args: &[S],
    output: &Output,
) -> Result<String, ProgramError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut command = program.to_owned();
    for arg in args {
        command.push(' ');
        command.push_str(&arg.as_ref().to_string_lossy());
    }
    let stderr = tail(&String::from_utf8_lossy(&output.stderr), 5);
    Err(ProgramError::Failed { command, status: output.status, stderr })
}

/// The last `count` lines of a text that are not empty, in one line.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_keeps_the_end() {
        assert_eq!(tail("a\n\n b \nc\n", 2), "b; c");
        assert_eq!(tail("", 2), "");
    }

    #[test]
    fn failure_names_command_and_reason() {
        let error = run("sh", &["-c", "echo bad >&2; exit 3"]).expect_err("it exits 3").to_string();
        assert!(
            error.contains("sh -c") && error.contains("exit status: 3") && error.contains("bad"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run::<&str>("ringbolt-no-such-program", &[]).expect_err("there is none").to_string();
        assert!(error.contains("ringbolt-no-such-program"), "{error}");
    }
}
