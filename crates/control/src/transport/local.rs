//! The agent as a child process on this machine: for running on a node itself, and for tests.
//!
//! Never uploads anything: the program is here already.

use std::path::PathBuf;

use ringbolt_core::name::NodeName;
use tokio::process::Command;

use super::{Boxed, Carrier, Channel, ConnectError, Ended, Start, Transport, Trouble};

/// Starts `PROGRAM ARGUMENTS…` for every node.
#[derive(Clone, Debug)]
pub struct LocalTransport {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, `agent` first.
    pub arguments: Vec<String>,
}

impl LocalTransport {
    /// The agent of this very program.
    pub fn own() -> Self {
        Self { program: "/proc/self/exe".into(), arguments: vec!["agent".into()] }
    }

    fn error(&self, node: &NodeName, trouble: Trouble, said: &str) -> ConnectError {
        ConnectError::new(node, self.program.display().to_string(), trouble, said)
    }
}

impl Transport for LocalTransport {
    fn open(&self, node: &NodeName, _start: &Start) -> Result<Channel, ConnectError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        Carrier::start(command).map_err(|e| {
            self.error(node, Trouble::CannotStart { program: self.program.clone() }, &e.to_string())
        })
    }

    fn upload<'a>(&'a self, node: &'a NodeName, _nonce: &'a str) -> Boxed<'a, Result<(), ConnectError>> {
        Box::pin(async move {
            Err(self.error(node, Trouble::Ended { status: None }, "nothing to upload locally"))
        })
    }

    fn explain(&self, node: &NodeName, ended: &Ended) -> ConnectError {
        self.error(node, Trouble::Ended { status: ended.status }, &ended.said)
    }

    fn build(&self) -> Option<&str> {
        None
    }
}
