//! Why a node could not be reached, and what a person can do about it.
//!
//! Made by the transports. The words of ssh only choose among messages: what they say is always kept and shown, and
//! what is not recognised is shown as it is.

use std::path::PathBuf;

use ringbolt_core::name::NodeName;
use ringbolt_core::wire::Failure;

use super::Ended;

/// A node that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node} ({target}): {trouble}")]
pub struct ConnectError {
    /// Which node.
    pub node: NodeName,
    /// What was tried: `root@10.11.12.12`, or a program's name.
    pub target: String,
    /// What is wrong.
    pub trouble: Trouble,
    /// What ssh or the node said last, unchanged; may be empty.
    pub said: String,
}

/// What keeps a node from being reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The name in the ssh configuration leads nowhere.
    #[error("unknown host name")]
    UnknownHost,
    /// The network knows no way.
    #[error("no route to it")]
    NoRoute,
    /// Nothing answers.
    #[error("no answer in time")]
    Timeout,
    /// The machine answers, sshd does not.
    #[error("connection refused")]
    Refused,
    /// We have never met it.
    #[error("its host key is not known")]
    HostKeyUnknown,
    /// It shows another key than last time.
    #[error("its host key has changed{}", place.as_ref().map(|p| format!(" (known one: {p})")).unwrap_or_default())]
    HostKeyChanged {
        /// File and line of the key that was expected.
        place: Option<String>,
    },
    /// It shows another key than the spec says.
    #[error("its host key is not the one pinned in the spec")]
    NotPinnedKey,
    /// Its key is on the list of revoked ones.
    #[error("its host key is revoked")]
    HostKeyRevoked,
    /// It takes none of our keys.
    #[error("it accepts none of our keys")]
    NoKey,
    /// Our key file is readable by others, so ssh does not use it.
    #[error("the private key file is readable by others, so ssh ignores it")]
    OpenKeyFile,
    /// The ssh agent offered more keys than sshd tries.
    #[error("too many keys were offered before the right one")]
    TooManyKeys,
    /// No algorithm that both ends allow.
    #[error("no key exchange, cipher or host key algorithm both ends allow")]
    NoCommonAlgorithm,
    /// The connection broke before the agent answered.
    #[error("the connection was closed before it was up")]
    Closed,
    /// ssh does not understand its configuration.
    #[error("the ssh configuration cannot be used")]
    Configuration,
    /// Something prints before our first frame.
    #[error("the login shell prints text of its own: {line:?}")]
    Noise {
        /// Its beginning.
        line: String,
    },
    /// The program is not there, or cannot be started.
    #[error("the agent cannot be started")]
    NoAgent,
    /// The program is for another kind of processor.
    #[error("the program is built for another processor")]
    OtherProcessor,
    /// The upload found no room.
    #[error("ssh works, but its disk is full: no space left for the agent in /var/lib/ringbolt")]
    DiskFull,
    /// The upload failed for another reason.
    #[error("the agent could not be copied to it")]
    Upload,
    /// The account does not run commands of our choice.
    #[error("the account does not allow the command")]
    NotPermitted,
    /// The agent at the other end is another build.
    #[error("the agent there is another build ({build})")]
    OtherBuild {
        /// Its digest.
        build: String,
    },
    /// A login other than root.
    #[error("login as {user} is asked for, but Proxmox VE's tools work for root only")]
    NotRoot {
        /// The user of the spec.
        user: String,
    },
    /// A program of ours is missing on this machine.
    #[error("cannot start {}", program.display())]
    CannotStart {
        /// Which.
        program: PathBuf,
    },
    /// The spec has no such node.
    #[error("no such node in the spec")]
    UnknownNode,
    /// It was asked to end.
    #[error("given up before it was up")]
    GivenUp,
    /// Anything else.
    #[error("ssh ended{} before the agent answered", status.map(|s| format!(" with status {s}")).unwrap_or_default())]
    Ended {
        /// Exit status.
        status: Option<i32>,
    },
}

impl ConnectError {
    pub(crate) fn new(node: &NodeName, target: String, trouble: Trouble, said: &str) -> Self {
        Self { node: node.clone(), target, trouble, said: said.trim().to_owned() }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        self.trouble.hint(&self.node, &self.target)
    }

    /// The same as a failure that stops what needs this node.
    pub fn failure(&self) -> Failure {
        let mut message = self.to_string();
        if let Some(last) = self.said.lines().rev().find(|l| !l.trim().is_empty()) {
            message = format!("{message}: {}", last.trim());
        }
        Failure { hint: self.hint(), ..Failure::lost(message) }
    }
}

impl Trouble {
    /// Whether trying again in a moment may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Closed)
    }

    fn hint(&self, node: &NodeName, target: &str) -> Option<String> {
        let text = match self {
            Self::UnknownHost => "check HostName in the ssh configuration, or write an address in the spec".into(),
            Self::NoRoute => {
                "check the address in the spec and that this machine is in the management network".into()
            }
            Self::Timeout => "check that the node is on, its address in the spec, and firewalls between".into(),
            Self::Refused => {
                "is sshd running there (`systemctl status ssh` on its console), and is the port right?".into()
            }
            Self::HostKeyUnknown | Self::NoKey => format!("run `ringbolt ssh setup --node {node}`"),
            Self::HostKeyChanged { place } => changed_key_hint(node, place.as_deref()),
            Self::NotPinnedKey => {
                "if the node was reinstalled, put its new key into `host_key` of the spec; otherwise somebody else answers there"
                    .into()
            }
            Self::HostKeyRevoked => "somebody declared this key stolen or lost: do not go on before you know why".into(),
            Self::OpenKeyFile => "`chmod 600` the key file".into(),
            Self::TooManyKeys => {
                "name the key to use: `identity` in [ssh] of the spec, or IdentityFile with IdentitiesOnly yes".into()
            }
            Self::NoCommonAlgorithm => "bring ssh up to date at both ends, or allow an algorithm in ssh_config".into(),
            Self::Closed => format!(
                "sshd or something between hung up: `ssh -v {target}` tells more; MaxStartups of a jump host is a common cause"
            ),
            Self::Configuration => format!("is the file named by `config` in [ssh] (or --ssh-config) there? `ssh -G -F FILE {target}` shows what ssh makes of it"),
            Self::Noise { .. } => {
                "let root's .bashrc or .profile print only in interactive shells: `case $- in *i*) …;; esac`".into()
            }
            Self::NoAgent => "/var/lib may be mounted noexec: `findmnt -T /var/lib/ringbolt`".into(),
            Self::OtherProcessor => "run ringbolt from a machine with the same processor family as the nodes".into(),
            Self::DiskFull => "make room there (`df -h /var/lib/ringbolt`): `apt-get clean`, old kernels, /var/log".into(),
            Self::Upload => "is /var/lib writable there?".into(),
            Self::NotPermitted => {
                "allow root a login shell: look for command= in authorized_keys, ForceCommand and PermitRootLogin".into()
            }
            Self::OtherBuild { .. } => "remove /var/lib/ringbolt/bin there and try again".into(),
            Self::NotRoot { .. } => "remove `user` from [ssh] of the spec".into(),
            Self::CannotStart { .. } => "install the OpenSSH client".into(),
            Self::UnknownNode | Self::GivenUp | Self::Ended { .. } => return None,
        };
        Some(text)
    }
}

fn changed_key_hint(node: &NodeName, place: Option<&str>) -> String {
    let remove = match place.and_then(|p| p.rsplit_once(':')) {
        Some((file, line)) => format!("remove line {line} of {file}"),
        None => "remove the old key from known_hosts".into(),
    };
    format!(
        "if {node} was reinstalled, {remove} and run `ringbolt ssh setup --node {node}`; otherwise somebody else answers there"
    )
}

/// Words of ssh, and what they mean. The first that fits wins; looked at in lower case, anywhere in the text.
const WORDS: &[(&str, Trouble)] = &[
    ("could not resolve hostname", Trouble::UnknownHost),
    ("revoked host key detected", Trouble::HostKeyRevoked),
    ("remote host identification has changed", Trouble::HostKeyChanged { place: None }),
    ("host key verification failed", Trouble::HostKeyUnknown),
    ("host key is known for", Trouble::HostKeyUnknown),
    ("too many authentication failures", Trouble::TooManyKeys),
    ("unprotected private key file", Trouble::OpenKeyFile),
    ("permission denied (", Trouble::NoKey),
    ("no more authentication methods", Trouble::NoKey),
    ("unable to negotiate with", Trouble::NoCommonAlgorithm),
    ("bad configuration option", Trouble::Configuration),
    ("can't open user config file", Trouble::Configuration),
    ("unsupported option", Trouble::Configuration),
    ("connection refused", Trouble::Refused),
    ("no route to host", Trouble::NoRoute),
    ("network is unreachable", Trouble::NoRoute),
    ("host is down", Trouble::NoRoute),
    ("timed out", Trouble::Timeout),
    ("not responding", Trouble::Timeout),
    ("connection closed", Trouble::Closed),
    ("connection reset", Trouble::Closed),
    ("broken pipe", Trouble::Closed),
    ("did not pass back a connection", Trouble::Closed),
];

/// Words of shells and restricted accounts that run no command of ours.
const REFUSALS: &[&str] = &[
    "account is currently not available",
    "account is not available",
    "not permitted",
    "not allowed",
    "restricted",
    "unrecognized command",
    "please login as the user",
];

/// What a line of text in place of the agent's greeting means.
pub(crate) fn classify_noise(line: String) -> Trouble {
    let said = line.to_lowercase();
    if REFUSALS.iter().any(|words| said.contains(words)) {
        Trouble::NotPermitted
    } else {
        Trouble::Noise { line }
    }
}

/// What it means that the agent there could not put itself in its place, or start.
pub(crate) fn classify_refusal(said: &str) -> Trouble {
    if is_full(&said.to_lowercase()) { Trouble::DiskFull } else { Trouble::Upload }
}

fn is_full(said: &str) -> bool {
    ["no space left", "disk quota exceeded"].iter().any(|words| said.contains(words))
}

/// What the end of an ssh process means.
pub(crate) fn classify(ended: &Ended) -> Trouble {
    let said = ended.said.to_lowercase();
    let has = |words: &str| said.contains(words);
    match ended.status {
        Some(255) | None => match WORDS.iter().find(|(words, _)| has(words)) {
            Some((_, Trouble::HostKeyChanged { .. })) => {
                Trouble::HostKeyChanged { place: offender(&ended.said) }
            }
            Some((_, trouble)) => trouble.clone(),
            None => Trouble::Ended { status: ended.status },
        },
        _ if has("exec format error") => Trouble::OtherProcessor,
        _ if is_full(&said) => Trouble::DiskFull,
        _ if REFUSALS.iter().any(|words| has(words)) => Trouble::NotPermitted,
        Some(126 | 127) => Trouble::NoAgent,
        Some(1) if has("command not found") || has("no such file") => Trouble::NoAgent,
        status => Trouble::Ended { status },
    }
}

/// The place ssh names: `Offending ED25519 key in /root/.ssh/known_hosts:3`.
fn offender(said: &str) -> Option<String> {
    let line = said.lines().find(|l| l.starts_with("Offending "))?;
    Some(line.split_once(" key in ")?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(status: i32, said: &str) -> Trouble {
        classify(&Ended { status: Some(status), said: said.into() })
    }

    #[test]
    fn every_known_text_of_ssh_has_its_own_trouble() {
        let table: &[(&str, Trouble)] = &[
            ("ssh: Could not resolve hostname pve9: Name or service not known", Trouble::UnknownHost),
            ("ssh: connect to host 10.0.0.9 port 22: No route to host", Trouble::NoRoute),
            ("ssh: connect to host 10.0.0.9 port 22: Network is unreachable", Trouble::NoRoute),
            ("ssh: connect to host 10.0.0.9 port 22: Connection timed out", Trouble::Timeout),
            ("Connection timed out during banner exchange", Trouble::Timeout),
            ("Timeout, server 10.0.0.9 not responding.", Trouble::Timeout),
            ("ssh: connect to host 10.0.0.9 port 22: Connection refused", Trouble::Refused),
            ("Host key verification failed.", Trouble::HostKeyUnknown),
            (
                "No ED25519 host key is known for 10.0.0.9 and you have requested strict checking.\nHost key verification failed.",
                Trouble::HostKeyUnknown,
            ),
            ("root@10.0.0.9: Permission denied (publickey,password).", Trouble::NoKey),
            (
                "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\nroot@10.0.0.9: Permission denied (publickey).",
                Trouble::OpenKeyFile,
            ),
            (
                "Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.9 port 22",
                Trouble::TooManyKeys,
            ),
            ("kex_exchange_identification: Connection closed by remote host", Trouble::Closed),
            ("kex_exchange_identification: read: Connection reset by peer", Trouble::Closed),
            ("client_loop: send disconnect: Broken pipe", Trouble::Closed),
            (
                "Unable to negotiate with 10.0.0.9 port 22: no matching host key type found. Their offer: ssh-rsa",
                Trouble::NoCommonAlgorithm,
            ),
            ("/root/.ssh/config: line 3: Bad configuration option: hostt", Trouble::Configuration),
        ];
        for (said, trouble) in table {
            assert_eq!(of(255, said), *trouble, "{said}");
        }
    }

    #[test]
    fn a_changed_key_names_file_and_line() {
        let said = "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nAdd correct host key in /root/.ssh/known_hosts to get rid of this message.\nOffending ED25519 key in /root/.ssh/known_hosts:3\nHost key verification failed.";
        let trouble = of(255, said);
        assert_eq!(trouble, Trouble::HostKeyChanged { place: Some("/root/.ssh/known_hosts:3".into()) });
        let error = ConnectError::new(&NodeName::new("n2").unwrap(), "root@10.0.0.9".into(), trouble, said);
        assert!(error.hint().unwrap().contains("remove line 3 of /root/.ssh/known_hosts"));
    }

    #[test]
    fn the_far_end_is_judged_by_status_first() {
        assert_eq!(of(127, "bash: line 1: /var/lib/…: No such file or directory"), Trouble::NoAgent);
        assert_eq!(of(127, "sh: 1: /var/lib/…: not found"), Trouble::NoAgent);
        assert_eq!(of(1, "/var/lib/…: Command not found."), Trouble::NoAgent);
        assert_eq!(of(126, "cannot execute binary file: Exec format error"), Trouble::OtherProcessor);
        assert_eq!(of(1, "install: error writing '/var/…': No space left on device"), Trouble::DiskFull);
        assert_eq!(of(1, "This account is currently not available."), Trouble::NotPermitted);
        assert_eq!(of(1, "connection refused, says some script"), Trouble::Ended { status: Some(1) });
    }

    #[test]
    fn a_full_disk_is_named_whoever_tells_of_it() {
        assert_eq!(
            classify_refusal("cannot write x: No space left on device (os error 28)"),
            Trouble::DiskFull
        );
        assert_eq!(classify_refusal("cannot write x: Permission denied"), Trouble::Upload);
    }

    #[test]
    fn a_refusal_on_standard_output_is_no_noise() {
        assert_eq!(classify_noise("This account is currently not available.".into()), Trouble::NotPermitted);
        assert_eq!(classify_noise("Welcome".into()), Trouble::Noise { line: "Welcome".into() });
    }

    #[test]
    fn unknown_words_are_kept_as_they_are() {
        let ended = Ended { status: Some(255), said: "the moon is in the way".into() };
        let error = ConnectError::new(
            &NodeName::new("n2").unwrap(),
            "root@10.0.0.9".into(),
            classify(&ended),
            &ended.said,
        );
        assert_eq!(error.trouble, Trouble::Ended { status: Some(255) });
        assert!(error.failure().message.ends_with("the moon is in the way"));
    }
}
