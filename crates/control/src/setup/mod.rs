//! First contact: nodes whose host key we do not know, or that know no key of ours.
//!
//! Used by `ringbolt ssh setup`. A host key is shown before it is believed. A password goes from the person to ssh and
//! nowhere else: one login with it brings the agent over, and the agent adds our public key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Spec;
use ringbolt_core::wire::Failure;

mod askpass;
mod deploy;
mod identity;
mod meet;
mod secret;

pub use askpass::answer_ssh;
pub use secret::Secret;

use crate::fleet::{Fleet, LineError};
use crate::transport::{ConnectError, SshOptions, SshTransport, Transport, Trouble};

/// What a person is told and asked.
pub trait Talk: Send {
    /// Whether the node with this host key is the right one. The fingerprint is as `ssh-keygen -l` prints it:
    /// `SHA256:… (ED25519)`.
    fn accept_host_key(&mut self, node: &NodeName, target: &str, fingerprint: &str) -> bool;
    /// Whether a new key without a passphrase may be made at this place, as there is none.
    fn make_key(&mut self, path: &std::path::Path) -> bool;
    /// The password ssh asks for; `None` gives up. Only called when passwords are [`Passwords::Asked`].
    fn password(&mut self, node: &NodeName, prompt: &str) -> Option<Secret>;
    /// The node did not take the password, and ssh asks for it again.
    fn password_refused(&mut self, _node: &NodeName) {}
}

/// Where ssh gets the password from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passwords {
    /// ssh itself asks on the terminal.
    Terminal,
    /// ssh starts this program, which asks [`Talk::password`] in the process that runs the setup.
    Asked,
}

/// What was done for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its host key was added to this file.
    pub met: Option<PathBuf>,
    /// This key of ours was added there (type and comment).
    pub deployed: Option<String>,
}

/// Why there is still no contact with a node.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The line broke while it was used.
    #[error(transparent)]
    Line(#[from] Arc<LineError>),
    /// It does not take the password.
    #[error("{node}: the password was not accepted: {said}")]
    Password {
        /// Which node.
        node: NodeName,
        /// What ssh said.
        said: String,
    },
    /// The person did not know the host key.
    #[error("{0}: its host key was not accepted")]
    HostKeyDeclined(NodeName),
    /// The host key of a second look is another one.
    #[error("{0}: its host key could not be had")]
    NoHostKey(NodeName),
    /// No key of ours, and none was to be made.
    #[error("there is no ssh key to give to the nodes")]
    NoKey,
    /// The node takes the password, but not for this.
    #[error("{node}: {failure}")]
    Refused {
        /// Which node.
        node: NodeName,
        /// What the agent there said.
        failure: Failure,
    },
    /// The key was added, and the node still refuses it.
    #[error("{node}: the key was added, but the node does not accept it or ssh cannot use it: {said}")]
    StillRefused {
        /// Which node.
        node: NodeName,
        /// What ssh said.
        said: String,
    },
    /// A program or file on this machine.
    #[error("cannot {what}: {source}")]
    Here {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// `ssh-keygen` or `ssh -G` said no.
    #[error("{program} failed: {said}")]
    Tool {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
}

/// Reads a public key as `ssh-add -L` or a `.pub` file has it, for the fuzz targets.
#[cfg(feature = "fuzz")]
pub(crate) fn read_key(text: &str) {
    let _ = identity::PublicKey::of(text).map(|key| key.shown());
}

impl SetupError {
    fn here(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Here { what, source }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Password { .. } => Some(
                "it was wrong, or root may not log in with one: add the key on the node's console, or allow it for a \
                 moment with PermitRootLogin yes"
                    .into(),
            ),
            Self::Connect(error) => error.hint(),
            Self::Line(error) => error.failure().hint,
            Self::HostKeyDeclined(_) => {
                Some("`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the node's console shows the right one".into())
            }
            Self::NoKey => Some("`ssh-keygen -t ed25519` makes one".into()),
            Self::Refused { failure, .. } => failure.hint.clone(),
            Self::StillRefused { .. } => Some(
                "a key with a passphrase must be in the ssh agent (`ssh-add`); PubkeyAuthentication may be off there".into(),
            ),
            Self::NoHostKey(_) | Self::Here { .. } | Self::Tool { .. } => None,
        }
    }
}

/// Makes contact with each of these nodes, one after the other. What fails for one does not keep the others back.
///
/// # Errors
/// Pinned host keys cannot be put into a file.
pub async fn run(
    spec: &Spec,
    options: &SshOptions,
    nodes: &[NodeName],
    passwords: Passwords,
    talk: &mut dyn Talk,
) -> std::io::Result<BTreeMap<NodeName, Result<Contact, SetupError>>> {
    let transport = Arc::new(SshTransport::new(spec, options)?);
    let mut outcome = BTreeMap::new();
    for node in nodes {
        let contact = one(&transport, node, passwords, talk).await;
        outcome.insert(node.clone(), contact);
    }
    Ok(outcome)
}

async fn one(
    transport: &Arc<SshTransport>,
    node: &NodeName,
    passwords: Passwords,
    talk: &mut dyn Talk,
) -> Result<Contact, SetupError> {
    let mut contact = Contact { met: None, deployed: None };
    for _ in 0..3 {
        let Err(error) = try_key(transport, node).await else { return Ok(contact) };
        match error.trouble {
            Trouble::HostKeyUnknown if contact.met.is_none() => {
                contact.met = Some(meet::meet(transport, node, talk).await?);
            }
            Trouble::NoKey | Trouble::TooManyKeys | Trouble::OpenKeyFile if contact.deployed.is_some() => {
                return Err(SetupError::StillRefused { node: node.clone(), said: error.said });
            }
            Trouble::NoKey | Trouble::TooManyKeys => {
                let key = identity::public_key(transport, node, talk).await?;
                deploy::deploy(transport, node, &key, passwords, talk).await?;
                contact.deployed = Some(key.shown());
            }
            _ => return Err(error.into()),
        }
    }
    Err(SetupError::NoHostKey(node.clone()))
}

/// Tries the ordinary way in; brings the agent over on the way.
async fn try_key(transport: &Arc<SshTransport>, node: &NodeName) -> Result<(), ConnectError> {
    let way: Arc<dyn Transport> = transport.clone();
    let fleet = Fleet::over([node.clone()], way);
    let outcome = match fleet.greetings().await.remove(node) {
        Some(Err(error)) => match &*error {
            LineError::Connect(error) => Err(error.clone()),
            other => Err(transport.error(node, Trouble::Closed, &other.to_string())),
        },
        _ => Ok(()),
    };
    fleet.close().await;
    outcome
}
