//! `ringbolt ssh setup`: first contact with nodes. Host keys are shown before they are believed, a password goes
//! from the person to ssh and nowhere else.
//!
//! What is done is `ringbolt_control::setup`'s business; here it is told and asked.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use clap::{Args, Subcommand};
use ringbolt_control::run::Runs;
use ringbolt_control::setup::{self, Contact, Passwords, Secret, SetupError, Talk};
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::Node;

use crate::exit::Exit;
use crate::global::Global;
use crate::render::table::Table;
use crate::render::text::hang;
use crate::render::{Style, count};
use crate::session::{Trouble, block_on, load, ssh_options};

/// Arguments of `ssh`.
#[derive(Debug, Args)]
pub(crate) struct SshArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Look at host keys, put our ssh key on the nodes
    Setup(SetupArgs),
}

#[derive(Debug, Args)]
struct SetupArgs {
    /// Accept host keys that are not known yet without asking (they are shown), and make an ssh key if there is none
    #[arg(short, long)]
    yes: bool,
}

/// Makes contact with each node and shows how it stands.
pub(crate) fn run(
    args: &SshArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let What::Setup(args) = &args.what;
    let loaded = load(global, style)?;
    let options = ssh_options(&loaded, global, &Runs::own())?;
    let chosen =
        |n: &&Node| global.node.is_empty() || global.node.iter().any(|wanted| wanted == n.name.as_str());
    let nodes: Vec<&Node> = loaded.spec.nodes.iter().filter(chosen).collect();
    let mut rows = Vec::new();
    for node in &nodes {
        writeln!(out, "{}  {}", style.bold(node.name.as_str()), node.address)?;
        if node.host_key.is_some() {
            writeln!(out, "  host key   pinned in the spec: no other is taken")?;
        }
        out.flush()?;
        let mut person = Person { yes: args.yes, style };
        let names = [node.name.clone()];
        let mut outcome = block_on(async {
            Ok(setup::run(&loaded.spec, &options, &names, Passwords::Terminal, &mut person).await?)
        })?;
        let Some(contact) = outcome.remove(&node.name) else { continue };
        write!(out, "{}", told(&contact, style))?;
        rows.push((*node, contact));
    }
    write!(out, "\n{}", table(&rows, style))?;
    let failed = rows.iter().filter(|(_, contact)| contact.is_err()).count();
    write!(out, "\n{}", closing(rows.len(), failed, style))?;
    let refused = rows.iter().filter(|(_, contact)| contact.as_ref().is_err_and(declined)).count();
    Ok(match failed {
        0 => Exit::Done,
        _ if failed == refused => Exit::Declined,
        _ => Exit::Unreachable,
    })
}

/// What became of a node, right after it was tried.
fn told(contact: &Result<Contact, SetupError>, style: Style) -> String {
    match contact {
        Ok(Contact { deployed: None, .. }) => "  key login  works already\n".to_owned(),
        Ok(Contact { deployed: Some(key), .. }) => {
            hang("  key login  ", &format!("{}: {key} was added there", style.green("works")), style.width)
        }
        Err(error) => {
            let head = if declined(error) { style.yellow("declined:") } else { style.red("error:") };
            let mut text = hang(&format!("  {head} "), &message(error), style.width);
            if let Some(cure) = cure(error) {
                text += &hang(&format!("  {}  ", style.bold("cure:")), &cure, style.width);
            }
            text
        }
    }
}

/// Whether a person was asked and said no.
fn declined(error: &SetupError) -> bool {
    matches!(error, SetupError::HostKeyDeclined(_) | SetupError::NoKey) && has_terminal()
}

/// The error with ssh's own last words.
fn message(error: &SetupError) -> String {
    match error {
        SetupError::Connect(error) => error.failure().message,
        other => other.to_string(),
    }
}

fn cure(error: &SetupError) -> Option<String> {
    match error {
        SetupError::Password { .. } if !has_terminal() => {
            Some("ssh asks for the password on a terminal, and there is none here: run this on one".into())
        }
        SetupError::HostKeyDeclined(_) if !has_terminal() => Some(
            "there is nobody to ask here: run this on a terminal, pin the key by `host_key` in the spec, or accept it unseen by --yes"
                .into(),
        ),
        other => other.hint(),
    }
}

fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::fs::File::open("/dev/tty").is_ok()
}

fn table(rows: &[(&Node, Result<Contact, SetupError>)], style: Style) -> String {
    let mut table = Table::new(&["node", "host key", "key login"]);
    for (node, contact) in rows {
        let pinned = node.host_key.is_some();
        let (host_key, login) = match contact {
            Ok(contact) => {
                let host_key = match (&contact.met, pinned) {
                    (_, true) => "as pinned in the spec".to_owned(),
                    (Some(file), false) => format!("new in {}", file.display()),
                    (None, false) => "known".to_owned(),
                };
                let login = if contact.deployed.is_some() { "works now" } else { "worked already" };
                (host_key, style.green(login))
            }
            Err(error) => (style.dim("–"), style.red(short(error))),
        };
        table.row(vec![node.name.to_string(), host_key, login]);
    }
    table.within(style.width, &[])
}

/// An error in a few words; the whole of it stands above.
fn short(error: &SetupError) -> &'static str {
    match error {
        SetupError::Password { .. } => "no: password not accepted",
        SetupError::HostKeyDeclined(_) => "no: host key not accepted",
        SetupError::NoKey => "no: there is no key of ours",
        SetupError::StillRefused { .. } => "no: key added, but refused",
        SetupError::Connect(_) | SetupError::Line(_) => "no: not reached",
        _ => "no",
    }
}

fn closing(nodes: usize, failed: usize, style: Style) -> String {
    if failed > 0 {
        let text = format!(
            "{failed} of {} cannot be used yet. Settle what is said above and run `ringbolt ssh setup` again: it leaves the others as they are.",
            count(nodes, "node")
        );
        return hang(&format!("{} ", style.red("not done:")), &style.paste(&text), style.width);
    }
    hang("Next: ", &style.paste("`ringbolt plan` shows what would change; it touches nothing."), style.width)
}

/// Whoever sits at the terminal.
struct Person {
    yes: bool,
    style: Style,
}

impl Person {
    fn say(text: &str) {
        let mut out = std::io::stdout();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// A question with `no` as the default.
    fn agrees(&self, question: &str) -> bool {
        if self.yes {
            return true;
        }
        if !std::io::stdin().is_terminal() {
            return false;
        }
        Self::say(&format!("  {question} [y/N] "));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }
}

impl Talk for Person {
    fn accept_host_key(&mut self, node: &NodeName, _target: &str, fingerprint: &str) -> bool {
        Self::say(&format!("  host key   {}, not known yet\n", self.style.bold(fingerprint)));
        if !self.yes {
            Self::say(&hang(
                "             ",
                "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its console must show the same",
                self.style.width,
            ));
        }
        self.agrees(&format!("Is that {node}?"))
    }

    fn make_key(&mut self, path: &Path) -> bool {
        let place = path.display();
        let agreed =
            self.agrees(&format!("There is no ssh key here. Make one without a passphrase, {place}?"));
        if agreed {
            Self::say(&format!("  new key    {place}\n"));
        }
        agreed
    }

    fn password(&mut self, _node: &NodeName, _prompt: &str) -> Option<Secret> {
        // Passwords are ssh's own to ask for (`Passwords::Terminal`).
        None
    }

    fn password_refused(&mut self, node: &NodeName) {
        Self::say(&format!("  {} {node} did not take that password\n", self.style.yellow("wrong:")));
    }
}
