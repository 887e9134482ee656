//! `ringbolt tune explain|audit|undo`: every tuning option, what it does on the Ceph that runs, a verdict,
//! and the way back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, Subcommand};
use ringbolt_control::stop;
use ringbolt_core::event::Outcome;
use ringbolt_core::facts::{Fleet, Question};
use ringbolt_core::into_map::IntoMap;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::plan::settings::{self, Which};
use ringbolt_core::spec::near::nearest;
use ringbolt_core::tune::{self, Audit};

use crate::command::apply::{How, Tie, carry_out};
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::render::{Style, count, tune as render, write_json};
use crate::session::{Session, Trouble, block_on, source};

/// What adds Ceph to a spec.
pub(crate) const NO_CEPH: &str = "disks in `osds` of [[node]] add it: `ringbolt explain node.osds`";

/// Arguments of `tune`.
#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// What to do
    #[command(subcommand)]
    verb: Verb,
}

/// What to do with tunings.
#[derive(Debug, Subcommand)]
enum Verb {
    /// What an option does, its default, what there is to say of it, and what the cluster has
    Explain {
        /// The option; without one, all of the table are listed
        option: Option<String>,
    },
    /// A verdict on every setting of the running cluster; ends with 8 when one is harmful or risky
    Audit {
        /// Write it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Back to defaults: what the audit calls harmful, risky, ignored, misplaced or equal, or what is named
    Undo(UndoArgs),
}

/// Arguments of `tune undo`.
#[derive(Debug, Args)]
struct UndoArgs {
    /// Only these options, whatever the audit says of them
    #[arg(value_name = "OPTION")]
    options: Vec<String>,
    /// Everything that is in the table and not from the profile, also what is useful
    #[arg(long, conflicts_with = "options")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Write events as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: StealArgs,
}

/// Does it.
pub(crate) fn run(
    args: &TuneArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    match &args.verb {
        Verb::Explain { option: Some(option) } => explain(option, global, out, style),
        Verb::Explain { option: None } => {
            write!(out, "{}", render::list(tune::all(), style))?;
            Ok(Exit::Done)
        }
        Verb::Audit { json } => audit(*json, global, out, style),
        Verb::Undo(args) => undo(args, global, out, style),
    }
}

/// One look at the nodes, judged.
struct Look {
    session: Session,
    fleet: Fleet,
    silent: Vec<(NodeName, String)>,
    audit: Audit,
}

impl Look {
    async fn take(global: &Global, style: Style) -> Result<Self, Trouble> {
        let session = Session::open(global, style)?;
        let (fleet, silent) = ask(&session).await;
        let audit = tune::audit(&session.loaded.spec, &fleet);
        Ok(Self { session, fleet, silent, audit })
    }

    /// The audit needs somebody who hears the monitors.
    fn heard(&self) -> Result<(), Trouble> {
        if self.audit.release > 0 {
            return Ok(());
        }
        if self.session.loaded.spec.ceph.is_none() {
            return Err(Trouble {
                message: "no node tells what Ceph is set to, and the spec has no Ceph".into(),
                hint: Some(NO_CEPH.into()),
                exit: Exit::Usage,
            });
        }
        let why = self.fleet.nodes.iter().find_map(|(node, facts)| match &facts.state.ceph_cluster {
            ringbolt_core::facts::Known::No(why) if why != "not asked for" => Some(format!("{node}: {why}")),
            _ => None,
        });
        let unreachable = || self.silent.first().map(|(node, why)| format!("{node}: {why}"));
        Err(Trouble {
            message: format!(
                "no node tells what Ceph is set to ({})",
                why.or_else(unreachable).unwrap_or_else(|| "no monitor answers".into())
            ),
            hint: Some("`ringbolt apply` builds the Ceph cluster of the spec; `ceph -s` on a node shows whether it has a quorum".into()),
            exit: if self.silent.is_empty() { Exit::NotVerified } else { Exit::Unreachable },
        })
    }
}

/// Asks all nodes at once, and one of them for the cluster; when that one cannot tell, the others in turn.
async fn ask(session: &Session) -> (Fleet, Vec<(NodeName, String)>) {
    let spec = &session.loaded.spec;
    let monitors = spec.ceph.as_ref().map(|c| c.monitors.clone()).unwrap_or_default();
    let first = monitors.first().or_else(|| spec.nodes.first().map(|n| &n.name)).cloned();
    let questions: BTreeMap<NodeName, Question> = session
        .fleet
        .nodes()
        .map(|node| {
            (node.clone(), Question { ceph_cluster: Some(node) == first.as_ref(), ..tune::question() })
        })
        .into_map();
    let mut seen = session.fleet.facts_of(questions).await;
    for node in monitors.iter().skip(1) {
        if seen.fleet.nodes.values().any(|f| f.state.ceph_cluster.yes().is_some()) {
            break;
        }
        if !seen.fleet.nodes.contains_key(node) {
            continue;
        }
        let question = Question { ceph_cluster: true, ..tune::question() };
        let again = session.fleet.facts_of(BTreeMap::from([(node.clone(), question)])).await;
        seen.fleet.nodes.extend(again.fleet.nodes);
    }
    let silent = seen.missing.iter().map(|(node, why)| (node.clone(), why.to_string())).collect();
    (seen.fleet, silent)
}

fn explain(option: &str, global: &Global, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
    // Without a spec the table alone is told; a cluster that does not answer is no reason for silence.
    let look = match source(global) {
        Ok(_) => Some(block_on(Look::take(global, style))?),
        Err(_) => None,
    };
    let audit = look.as_ref().map(|l| &l.audit);
    let set = audit.is_some_and(|a| a.settings.iter().any(|s| s.name == option));
    if tune::known(option).is_none() && !set {
        // A piece of a name, such as `mclock`, lists all that have it.
        let piece = option.to_lowercase().replace(['-', ' '], "_");
        let mut alike = tune::all().filter(|k| piece.len() >= 3 && k.name.contains(&piece)).peekable();
        if alike.peek().is_some() {
            write!(out, "{}", render::list(alike, style))?;
            return Ok(Exit::Done);
        }
        let near = nearest(option, tune::all().map(|k| k.name));
        return Err(Trouble::usage(
            format!("{option} is neither in the table nor set anywhere"),
            match near {
                Some(near) => format!("did you mean {near}?"),
                None => "`ringbolt tune explain` lists the table".into(),
            },
        ));
    }
    let profile = look.as_ref().map(|l| tune::profile(&l.session.loaded.spec, &l.fleet)).unwrap_or_default();
    write!(out, "{}", render::explain(option, audit, &profile, style))?;
    Ok(Exit::Done)
}

fn audit(json: bool, global: &Global, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
    let look = block_on(Look::take(global, style))?;
    look.heard()?;
    if json {
        let silent: Vec<_> =
            look.silent.iter().map(|(n, why)| serde_json::json!({ "node": n, "why": why })).collect();
        let clean = look.audit.is_clean();
        let value = serde_json::json!({
            "release": look.audit.release,
            "clean": clean,
            "settings": look.audit.settings,
            "missing": look.audit.missing,
            "remarks": look.audit.remarks,
            "silent": silent,
        });
        write_json(out, &value)?;
    } else {
        write!(out, "{}", render::audit(&look.audit, &look.silent, global.quiet, style))?;
    }
    Ok(match (look.audit.alarms(), look.silent.is_empty()) {
        (true, _) => Exit::Findings,
        (false, false) => Exit::Unreachable,
        (false, true) => Exit::Done,
    })
}

fn undo(args: &UndoArgs, global: &Global, out: &mut dyn Write, style: Style) -> Result<Exit, Trouble> {
    block_on(async {
        let mut stop = stop::on_signals()?;
        let mut look = Look::take(global, style).await?;
        look.heard()?;
        let which = which(args, &look.audit)?;
        let plan = settings::undo(&look.session.loaded.spec, &look.fleet, &look.audit, &which);
        if plan.deeds().next().is_none() {
            if !args.json && !global.quiet {
                writeln!(out, "{}: nothing to take away.", style.green("clean"))?;
            }
            return Ok(Exit::Done);
        }
        let tells = !args.json && !global.quiet;
        if tells || (!args.json && !args.yes) {
            write!(out, "{}", render::undo(&plan, &look.audit, &which, style))?;
        }
        agree(args, &plan, out)?;
        let (steal, json) = (args.lock.steal, args.json);
        let wish = Wish { purpose: "tune undo", steal, quiet: global.quiet, json, style };
        let _here = hold::here(&look.session, wish)?;
        let lock = hold::hold(&look.session, wish, Some(&mut stop)).await?;
        if lock.how.moved || !lock.how.before.is_empty() {
            (look.fleet, _) = ask(&look.session).await;
            let audit = tune::audit(&look.session.loaded.spec, &look.fleet);
            if settings::undo(&look.session.loaded.spec, &look.fleet, &audit, &which).digest()
                != plan.digest()
            {
                return Err(Trouble {
                    message: "others were at work on the cluster: what is set is not what was shown".into(),
                    hint: Some("nothing was changed; the same command shows what is set now".into()),
                    exit: Exit::Pending,
                });
            }
        }
        let how = How { quiet: global.quiet, json: args.json, style };
        let (_, report) = carry_out(&look.session, &lock, &look.fleet, plan, stop, Tie::None, how).await?;
        if report.outcome != Outcome::Done {
            if let Some(by) = lock.asked_anew().await {
                return Err(hold::ousted(by.as_ref()));
            }
            return Err(Trouble {
                message: format!("{} done, {} failed", count(report.done as usize, "step"), report.failed),
                hint: Some("`ringbolt history` names the run, `ringbolt replay` shows it".into()),
                exit: Exit::Failed,
            });
        }
        let (fleet, _) = ask(&look.session).await;
        let again = tune::audit(&look.session.loaded.spec, &fleet);
        if tells {
            write!(out, "{}", render::after(&again, style))?;
        }
        Ok(if which == Which::Bad && !again.is_clean() { Exit::Findings } else { Exit::Done })
    })
}

fn which(args: &UndoArgs, audit: &Audit) -> Result<Which, Trouble> {
    if args.all {
        return Ok(Which::All);
    }
    if args.options.is_empty() {
        return Ok(Which::Bad);
    }
    let names: BTreeSet<String> = args.options.iter().cloned().into_set();
    let strange = settings::strangers(&names, audit);
    if strange.is_empty() {
        return Ok(Which::Named(names));
    }
    Err(Trouble::usage(
        format!("not set anywhere and not in the table: {}", strange.join(", ")),
        "`ringbolt tune audit` lists what is set",
    ))
}

fn agree(args: &UndoArgs, plan: &Plan, out: &mut dyn Write) -> Result<(), Trouble> {
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Trouble::usage("there is nobody to ask here", "add --yes if this is what you want"));
    }
    write!(out, "\n{}: go on? [y/N] ", count(plan.deeds().count(), "step"))?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Trouble::declined())
}
