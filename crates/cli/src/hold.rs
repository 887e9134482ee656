//! One run of a cluster at a time: the lock of this machine first, then that of the nodes.
//!
//! Used by every command that changes something. The rules are in `core::lock`; here is what a person reads.

use std::io::Write;

use clap::Args;
use ringbolt_control::hold::{self, Hold, HoldError, described};
use ringbolt_control::run::{LockError, RunLock};
use ringbolt_control::stop::Stop;
use ringbolt_core::lock::{Condition, Holder};
use ringbolt_core::name::NodeName;

use crate::exit::Exit;
use crate::render::Style;
use crate::render::text::hang;
use crate::session::{Session, Trouble};

/// Arguments of commands that change something.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct StealArgs {
    /// Take the lock of the cluster away from a run that is alive; it stops before its next step
    #[arg(long)]
    pub(crate) steal: bool,
}

/// Which command wants the lock, and how it speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// `apply`, `rollback`, …
    pub(crate) purpose: &'static str,
    /// From a live one, too.
    pub(crate) steal: bool,
    /// Only what goes wrong.
    pub(crate) quiet: bool,
    /// A refusal also as a line of JSON.
    pub(crate) json: bool,
    /// Colours and width.
    pub(crate) style: Style,
}

/// The lock of this machine: tells at once, and without a node, that another run is under way here.
pub(crate) fn here(session: &Session, wish: Wish) -> Result<Option<RunLock>, Trouble> {
    let (cluster, lab) = (&session.loaded.spec.cluster.name, session.loaded.source.lab.as_deref());
    match session.runs.lock(cluster, lab, wish.purpose) {
        Ok(lock) => Ok(Some(lock)),
        // The nodes know of that run as well, and tell whose it was.
        Err(LockError::Held { .. }) if wish.steal => Ok(None),
        Err(error @ LockError::Held { .. }) => Err(Trouble {
            message: format!("RB0560: {error}"),
            hint: Some("wait for it, or end that process".into()),
            exit: Exit::Held,
        }),
        Err(error) => Err(Trouble {
            message: error.to_string(),
            hint: Some(
                "runs are locked and recorded there: make the folder writable, or name another by RINGBOLT_STATE".into(),
            ),
            exit: Exit::Failed,
        }),
    }
}

/// The lock of the nodes.
pub(crate) async fn hold(session: &Session, wish: Wish, stop: Option<&mut Stop>) -> Result<Hold, Trouble> {
    let note = |head: &str, text: &str| {
        if !wish.quiet {
            let head = format!("{} ", wish.style.err().yellow(head));
            let _ = write!(std::io::stderr(), "{}", hang(&head, text, wish.style.width));
        }
    };
    let claim = hold::claim(wish.purpose, wish.steal);
    let held = hold::hold(&session.fleet, claim, stop, |words| note("waits:", words)).await;
    match held {
        Ok(held) => {
            for (holder, nodes) in &held.how.before {
                note("note RB0561:", &taken_over(holder, nodes));
            }
            Ok(held)
        }
        Err(error) => Err(refused(&error, wish)),
    }
}

fn taken_over(holder: &Holder, nodes: &[NodeName]) -> String {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    let how = match holder.condition {
        Condition::Over => "was left behind on",
        _ => "was taken away from it on",
    };
    format!("the lock of {} {how} {}; it is ours now", described(&holder.claim), names.join(", "))
}

fn refused(error: &HoldError, wish: Wish) -> Trouble {
    let (code, hint, exit) = match error {
        HoldError::Held(holder, nodes) => {
            if wish.json {
                let line = serde_json::json!({ "event": "held", "code": "RB0560", "holder": holder, "nodes": nodes });
                let _ = writeln!(std::io::stdout(), "{line}");
            }
            let hint = "wait for its end, or end it there; `--steal` takes the lock away: it stops before its next step";
            ("RB0560: ", hint, Exit::Held)
        }
        HoldError::Few { .. } => {
            ("RB0563: ", "`ringbolt discover` shows which nodes answer", Exit::Unreachable)
        }
        HoldError::Endless(_) => {
            ("RB0560: ", "look at those programs on the node; `--steal` does not wait", Exit::Held)
        }
        HoldError::Stopped => ("", "nothing was changed", Exit::Failed),
    };
    Trouble { message: format!("{code}{error}"), hint: Some(hint.into()), exit }
}

/// The lock was taken away in the middle: who has it, and what to do.
pub(crate) fn ousted(by: Option<&Holder>) -> Trouble {
    let whose = by.map_or_else(
        || "somebody took the lock of the cluster away".to_owned(),
        |holder| format!("the lock of the cluster was taken by the {}", described(&holder.claim)),
    );
    Trouble {
        message: format!("RB0562: {whose}; what was under way is finished, nothing more was begun"),
        hint: Some("when they are done, `ringbolt apply` goes on from what is there then".into()),
        exit: Exit::Held,
    }
}
