//! `ringbolt rollback RUN`: takes back what a call of `apply` has changed, by a plan that is shown first.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use clap::Args;
use ringbolt_control::apply;
use ringbolt_control::run::{PastRun, RunError};
use ringbolt_core::checkpoint;
use ringbolt_core::desired::question;
use ringbolt_core::event::{Outcome, What};
use ringbolt_core::facts::Fleet;
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::StepId;
use ringbolt_core::plan::{self, Past, Plan, undo};

use crate::command::apply::{How, Tie, answer, carry_out};
use crate::command::plan::{ending, seconds};
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::render::text::hang;
use crate::render::{Style, count, plan as render};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// Which run: its id, the beginning of it, or its last four characters; the others of the same
    /// `apply` go with it
    #[arg(value_name = "RUN", conflicts_with = "last")]
    pub(crate) run: Option<String>,
    /// The last run of this cluster
    #[arg(long)]
    pub(crate) last: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Seconds a node waits before it undoes by itself a step that may have cut it off; a step of more than four
    /// nodes gets more
    #[arg(long, value_name = "SECONDS", default_value_t = checkpoint::SECONDS, value_parser = seconds)]
    pub(crate) checkpoint: u32,
    /// Only show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write events as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lock: StealArgs,
}

fn trouble(error: &RunError) -> Trouble {
    Trouble::usage(error.to_string(), "`ringbolt history` lists the runs")
}

/// Plans the way back, asks, goes it.
pub(crate) fn run(
    args: &RollbackArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    if args.run.is_none() && !args.last {
        return Err(Trouble::usage(
            "which run is to be taken back?",
            "`--last` takes the last one; `ringbolt history` lists them, and `ringbolt rollback RUN` takes one by its id",
        ));
    }
    block_on(async { on(Session::open(global, style)?, args, global, out, style).await })
}

/// The same in a session.
pub(crate) async fn on(
    session: Session,
    args: &RollbackArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let (steal, json) = (args.lock.steal, args.json);
    let wish = Wish { purpose: "rollback", steal, quiet: global.quiet, json, style };
    let _here = hold::here(&session, wish)?;
    Back { args, global, session, style, wish }.go(out).await
}

struct Back<'a> {
    args: &'a RollbackArgs,
    global: &'a Global,
    session: Session,
    style: Style,
    wish: Wish,
}

impl Back<'_> {
    async fn go(&self, out: &mut dyn Write) -> Result<Exit, Trouble> {
        let mut stop = self.session.stopping()?;
        let (past, earlier) = self.past()?;
        let (mut facts, mut plan) = self.planned(&past).await?;
        if !self.args.json && !self.global.quiet {
            self.show(&past, earlier.as_deref(), &plan, facts.nodes.len(), out)?;
        }
        if !plan.obstacles.is_empty() || plan.deeds().next().is_none() || self.args.dry_run {
            return Ok(ending(&plan, false));
        }
        self.ask(out).await?;
        let lock = hold::hold(&self.session, self.wish, Some(&mut stop)).await?;
        if lock.how.moved || !lock.how.before.is_empty() {
            let agreed = plan.digest();
            (facts, plan) = self.planned(&past).await?;
            if plan.digest() != agreed {
                return Err(Trouble {
                    message: "others were at work on the nodes: this is not the way back any more".into(),
                    hint: Some(
                        "nothing was changed; the same command shows the way back as it is now".into(),
                    ),
                    exit: Exit::Pending,
                });
            }
        }
        let how = How { json: self.args.json, quiet: self.global.quiet, style: self.style };
        let ids: Vec<String> = past.iter().map(|run| run.record.id.clone()).collect();
        let tie = Tie::Undoes(&ids);
        let (_, report) = carry_out(&self.session, &lock, &facts, plan, stop, tie, how).await?;
        let exit = self.finish(&report, out)?;
        match lock.asked_anew().await.filter(|_| report.outcome != Outcome::Done) {
            Some(by) => Err(hold::ousted(by.as_ref())),
            None => Ok(exit),
        }
    }

    /// What the nodes say now, and the way back from there.
    async fn planned(&self, past: &[PastRun]) -> Result<(Fleet, Plan), Trouble> {
        let seen = self.session.fleet.facts(&question::mesh()).await;
        if let Some((node, why)) = seen.missing.first_key_value() {
            return Err(Trouble {
                message: format!("{node} does not answer: {why}"),
                hint: why
                    .hint()
                    .or_else(|| Some("nothing was changed; roll back when all nodes are there".into())),
                exit: Exit::Unreachable,
            });
        }
        let begun: Vec<BTreeSet<StepId>> = past.iter().map(begun).collect();
        let runs: Vec<Past<'_>> = past
            .iter()
            .zip(&begun)
            .map(|(run, begun)| Past { run: &run.record.id, plan: &run.plan, before: &run.facts, begun })
            .collect();
        let mut plan = undo(&runs, &seen.fleet);
        plan::guard(&mut plan.steps, self.args.checkpoint);
        Ok((seen.fleet, plan))
    }

    /// The runs of the call, the newest first, and the run before them that stands still. A call that was followed
    /// by another one of the cluster is refused: its copies are older than what is there.
    fn past(&self) -> Result<(Vec<PastRun>, Option<String>), Trouble> {
        let runs = &self.session.runs;
        let cluster = &self.session.loaded.spec.cluster.name;
        let lab = &self.session.loaded.source.lab;
        let mut all = runs.list().map_err(|e| trouble(&e))?;
        all.retain(|r| !r.started.is_empty() && r.cluster == *cluster && r.lab == *lab);
        let wanted = self.args.run.as_deref();
        let undone: BTreeSet<String> = all
            .iter()
            .filter(|r| r.outcome == Some(Outcome::Done))
            .flat_map(|r| r.undoes.iter().cloned())
            .into_set();
        if let Some(again) = all.iter().find(|r| wanted == Some(r.id.as_str()) && !r.undoes.is_empty()) {
            return Err(Trouble::usage(
                format!("run {} is itself a rollback", again.id),
                "`ringbolt apply` builds again what it took away",
            ));
        }
        if let Some(other) = all.iter().find(|r| wanted == Some(r.id.as_str()) && r.purpose.is_some()) {
            return Err(Trouble::usage(
                format!("run {} took nodes out of service: there is nothing in it to take back", other.id),
                "`ringbolt maintain exit NODE` ends what is left of it",
            ));
        }
        all.retain(|r| r.undoes.is_empty() && r.purpose.is_none() && !undone.contains(&r.id));
        let Some(newest) = all.pop() else {
            return Err(Trouble::usage(
                format!("there is nothing to take back: no apply to cluster {cluster} from here is left"),
                "`ringbolt history` lists the runs of this machine",
            ));
        };
        let call = runs.call_of(wanted.unwrap_or(&newest.id)).map_err(|e| trouble(&e))?;
        if !call.contains(&newest.id) {
            return Err(Trouble::usage(
                format!("run {} came later, and would be lost", newest.id),
                format!("roll that one back first: `ringbolt rollback {}`", newest.id),
            ));
        }
        let earlier = all.into_iter().rev().map(|r| r.id).find(|id| !call.contains(id));
        let past =
            call.iter().rev().map(|id| runs.load(id).map_err(|e| trouble(&e))).collect::<Result<_, _>>()?;
        Ok((past, earlier))
    }

    fn show(
        &self,
        past: &[PastRun],
        earlier: Option<&str>,
        plan: &Plan,
        nodes: usize,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let ids: Vec<&str> = past.iter().map(|r| r.record.id.as_str()).collect();
        let order = if ids.len() > 1 { ", the newest first" } else { "" };
        let text = format!("run {}{order}", ids.join(", then "));
        write!(out, "{}", hang("taking back: ", &text, self.style.width))?;
        if let Some(earlier) = earlier {
            let text = format!("run {earlier}, which came before; it is next when this one is back");
            write!(out, "{}", hang("stays: ", &text, self.style.width))?;
        }
        write!(out, "{}", render::steps(plan, !self.args.yes, self.style))?;
        if plan.obstacles.is_empty() && plan.deeds().next().is_none() {
            write!(out, "{}", crate::render::obstacle::notes(&plan.notes, self.style))?;
            return writeln!(out, "{} of it is there any more.", self.style.green("nothing to do: nothing"));
        }
        write!(out, "{}", render::closing(plan, nodes, self.style))
    }

    async fn ask(&self, out: &mut dyn Write) -> Result<(), Trouble> {
        if self.args.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Trouble::usage(
                "there is nobody to ask here",
                "add --yes if the plan is what you want",
            ));
        }
        write!(out, "\nRoll back? [y/N] ")?;
        out.flush()?;
        if matches!(answer().await?.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Trouble::declined())
    }

    fn finish(&self, report: &apply::Report, out: &mut dyn Write) -> Result<Exit, Trouble> {
        let whole = report.outcome == Outcome::Done;
        if !self.args.json {
            let word =
                if whole { self.style.green("rolled back:") } else { self.style.red("not all rolled back:") };
            let mut text = format!(
                "{} done, {} failed, {} not begun, in {:.1} s.",
                count(report.done as usize, "step"),
                report.failed,
                report.skipped,
                report.took.as_secs_f64()
            );
            if !whole {
                text += " The same command goes on from here.";
            }
            write!(out, "\n{}", hang(&format!("{word} "), &text, self.style.width))?;
        }
        Ok(match (whole, report.healed) {
            (true, _) => Exit::Done,
            (false, true) => Exit::RolledBack,
            (false, false) => Exit::Failed,
        })
    }
}

/// The steps of a run that had begun.
fn begun(run: &PastRun) -> BTreeSet<StepId> {
    let started = run.events.iter().filter_map(|e| match &e.what {
        What::StepStarted { step, .. } => Some(step.clone()),
        _ => None,
    });
    started.into_set()
}
