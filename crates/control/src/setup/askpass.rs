//! How a password gets from the person to ssh when ssh is not to ask on the terminal.
//!
//! ssh starts this program again as its `SSH_ASKPASS`; that copy hands the prompt over a socket to the process that
//! runs the setup, and the answer back to ssh. The password is in no argument, environment, log or file.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;
use tokio::process::Command;

use super::secret::Secret;

/// Names the socket to the copy that ssh starts.
const VARIABLE: &str = "RINGBOLT_ASKPASS";

/// What comes before an answer on the socket.
const GIVEN: u8 = b'+';

/// Where the setup listens for prompts.
pub(super) struct Desk {
    listener: UnixListener,
    path: PathBuf,
}

impl Desk {
    /// A desk in a folder that is this user's alone.
    pub(super) fn open(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("ask");
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Makes an ssh ask here.
    pub(super) fn direct(&self, command: &mut Command) -> std::io::Result<()> {
        command.env("SSH_ASKPASS", std::env::current_exe()?);
        command.env("SSH_ASKPASS_REQUIRE", "force").env(VARIABLE, &self.path);
        Ok(())
    }

    /// Answers the next prompt.
    pub(super) async fn serve(&self, ask: impl FnOnce(&str) -> Option<Secret>) -> std::io::Result<()> {
        let (stream, _) = self.listener.accept().await?;
        let mut stream = BufReader::new(stream);
        let mut prompt = String::new();
        stream.read_line(&mut prompt).await?;
        if let Some(secret) = ask(prompt.trim()) {
            stream.write_all(&[GIVEN]).await?;
            stream.write_all(secret.bytes()).await?;
        }
        stream.shutdown().await
    }
}

/// Called first thing in `main`: when ssh started this program to ask for a password, answers it and gives the exit
/// status to end with.
pub fn answer_ssh() -> Option<ExitCode> {
    let socket = std::env::var_os(VARIABLE)?;
    let prompt = std::env::args().nth(1).unwrap_or_default();
    Some(match hand_over(Path::new(&socket), &prompt, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Hands the prompt over and the answer to `out`; false when there is none.
fn hand_over(socket: &Path, prompt: &str, out: &mut impl Write) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(prompt.replace('\n', " ").as_bytes())?;
    stream.write_all(b"\n")?;
    let answer = Secret::read(&mut stream)?;
    let Some((&GIVEN, password)) = answer.bytes().split_first() else { return Ok(false) };
    out.write_all(password)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    async fn ask(answer: Option<&str>) -> (bool, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::open(folder.path()).unwrap();
        let path = desk.path.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let mut out = Vec::new();
            let given = hand_over(&path, "root@10.11.12.11's\npassword: ", &mut out).unwrap();
            (given, out)
        });
        let heard = |prompt: &str| {
            assert_eq!(prompt, "root@10.11.12.11's password:");
            answer.map(|text| Secret::new(text.to_owned()))
        };
        desk.serve(heard).await.unwrap();
        asking.await.unwrap()
    }

    #[tokio::test]
    async fn the_answer_comes_back_as_it_was_given() {
        assert_eq!(ask(Some("+ pass wörd ")).await, (true, "+ pass wörd \n".into()));
        assert_eq!(ask(Some("")).await, (true, "\n".into()));
        assert_eq!(ask(None).await, (false, Vec::new()));
    }
}
