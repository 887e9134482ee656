//! One login with a password that brings the agent over and has it add our public key.
//!
//! The login stays open as ssh's control master for the two things that need it: sending the program, and talking to
//! it. Then it is closed.

use std::fs::File;
use std::path::Path;
use std::process::{Output, Stdio};

use ringbolt_core::action::Action;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::{Ask, Deed, Say};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::askpass::Desk;
use super::identity::PublicKey;
use super::{Passwords, SetupError, Talk};
use crate::fleet::Fleet;
use crate::nonce::nonce;
use crate::transport::{
    Boxed, Carrier, Channel, ConnectError, Ended, SshTransport, Start, Transport, Trouble, classify,
};

/// Adds `key` on a node.
pub(super) async fn deploy(
    transport: &Arc<SshTransport>,
    node: &NodeName,
    key: &PublicKey,
    passwords: Passwords,
    talk: &mut dyn Talk,
) -> Result<(), SetupError> {
    let folder = tempfile::tempdir().map_err(SetupError::here("make a temporary folder"))?;
    let master = Arc::new(Master {
        transport: Arc::clone(transport),
        socket: format!("ControlPath={}", folder.path().join("m").display()),
        nonce: nonce(6),
    });
    let outcome = match master.log_in(node, folder.path(), passwords, talk).await {
        Ok(()) => add_key(&master, node, key).await,
        Err(error) => Err(error),
    };
    master.log_out(node).await;
    outcome
}

/// Lets ssh ask on the terminal, and tells each time that the answer was wrong: ssh's own line about it goes
/// where its other messages go.
async fn ask_there(mut command: Command, node: &NodeName, talk: &mut dyn Talk) -> std::io::Result<Output> {
    let mut child = command.spawn()?;
    let mut said = Vec::new();
    if let Some(stream) = child.stderr.take() {
        let mut stream = BufReader::new(stream);
        let mut from = 0;
        while stream.read_until(b'\n', &mut said).await? > 0 {
            if String::from_utf8_lossy(&said[from..]).contains("please try again") {
                talk.password_refused(node);
            }
            from = said.len();
        }
    }
    Ok(Output { status: child.wait().await?, stdout: Vec::new(), stderr: said })
}

async fn add_key(master: &Arc<Master>, node: &NodeName, key: &PublicKey) -> Result<(), SetupError> {
    let way: Arc<dyn Transport> = master.clone();
    let fleet = Fleet::over([node.clone()], way);
    let deed = Deed {
        run: "setup".into(),
        step: format!("{node}/key").into(),
        action: Action::AuthorizeKey { line: key.line.clone() },
        expect: None,
    };
    let answer = fleet.ask(node, Ask::Do(deed)).await;
    fleet.close().await;
    match answer {
        Ok(Say::Done { .. }) => Ok(()),
        Ok(_) => Err(SetupError::Refused {
            node: node.clone(),
            failure: ringbolt_core::wire::Failure::broken("the agent answered with something else"),
        }),
        Err(failure) => Err(SetupError::Refused { node: node.clone(), failure }),
    }
}

/// A login that is kept open by ssh and shared by what follows.
struct Master {
    transport: Arc<SshTransport>,
    /// The option that names its socket.
    socket: String,
    nonce: String,
}

impl Master {
    /// Logs in with a password and sends the program over.
    async fn log_in(
        &self,
        node: &NodeName,
        folder: &Path,
        passwords: Passwords,
        talk: &mut dyn Talk,
    ) -> Result<(), SetupError> {
        let path = &self.transport.executable().path;
        let program = File::open(path).map_err(SetupError::here(format!("read {}", path.display())))?;
        let options = [
            "BatchMode=no",
            "ControlMaster=yes",
            &self.socket,
            "ControlPersist=120",
            "PubkeyAuthentication=no",
            "PreferredAuthentications=password,keyboard-interactive",
            "NumberOfPasswordPrompts=3",
        ];
        let flags: Vec<&str> = options.iter().flat_map(|o| ["-o", o]).collect();
        let mut command = self.transport.command(node, &flags)?;
        command.args(self.transport.upload_command(&self.nonce));
        command.stdin(program).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = match passwords {
            Passwords::Terminal => {
                ask_there(command, node, talk).await.map_err(SetupError::here("start ssh"))?
            }
            Passwords::Asked => ask_here(command, node, folder, talk).await?,
        };
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let ended = Ended { status: output.status.code(), said };
        let trouble = match classify(&ended) {
            Trouble::NoKey => {
                let last = ended.said.lines().last().unwrap_or_default().trim().to_owned();
                return Err(SetupError::Password { node: node.clone(), said: last });
            }
            Trouble::NoAgent => Trouble::Upload,
            Trouble::Ended { status: Some(status) } if status != 255 => Trouble::Upload,
            known => known,
        };
        Err(self.transport.error(node, trouble, &ended.said).into())
    }

    async fn log_out(&self, node: &NodeName) {
        let flags = ["-o", "BatchMode=yes", "-o", &self.socket, "-O", "exit"];
        if let Ok(mut command) = self.transport.command(node, &flags) {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let _ = command.status().await;
        }
    }
}

/// Runs an ssh whose prompts come to us.
async fn ask_here(
    mut command: Command,
    node: &NodeName,
    folder: &Path,
    talk: &mut dyn Talk,
) -> Result<Output, SetupError> {
    let desk = Desk::open(folder).map_err(SetupError::here("listen for ssh's question"))?;
    desk.direct(&mut command).map_err(SetupError::here("find this program"))?;
    command.process_group(0);
    let ended = command.output();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            output = &mut ended => return output.map_err(SetupError::here("start ssh")),
            // A question that breaks off is ssh's to complain about.
            _ = desk.serve(|prompt| talk.password(node, prompt)) => {}
        }
    }
}

/// The agent just sent, over the login that is open.
impl Transport for Master {
    fn open(&self, node: &NodeName, _start: &Start) -> Result<Channel, ConnectError> {
        let flags = ["-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", &self.socket];
        let mut command = self.transport.command(node, &flags)?;
        command.args(self.transport.agent_command(&Start::Uploaded { nonce: self.nonce.clone() }));
        Carrier::start(command).map_err(|e| self.transport.error(node, Trouble::Closed, &e.to_string()))
    }

    fn upload<'a>(&'a self, node: &'a NodeName, _nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        Box::pin(async move { Err(self.transport.error(node, Trouble::NoAgent, "")) })
    }

    fn explain(&self, node: &NodeName, ended: &Ended) -> ConnectError {
        self.transport.explain(node, ended)
    }

    fn build(&self) -> Option<&str> {
        self.transport.build()
    }
}
