//! `ringbolt reboot` and `ringbolt maintain`: nodes out of service one at a time, and back.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use clap::{Args, Subcommand};
use ringbolt_control::apply::Report;
use ringbolt_core::desired::question;
use ringbolt_core::event::{Outcome, What};
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::Plan;
use ringbolt_core::roll::{self, ACCEPTABLE, Kind, Request};
use ringbolt_core::step::Step;
use ringbolt_core::survey::Survey;

use crate::command::apply::{How, Tie, answer, carry_out};
use crate::command::plan::{charset, ending};
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::render::text::hang;
use crate::render::{Style, count, obstacle, roll as render, survey as drawing};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `reboot`.
#[derive(Debug, Args)]
pub(crate) struct RebootArgs {
    /// Which nodes, one after the other
    #[arg(value_name = "NODE", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) nodes: Vec<String>,
    /// All nodes of the spec
    #[arg(long)]
    pub(crate) all: bool,
    /// How it is done
    #[command(flatten)]
    pub(crate) way: Way,
}

/// Arguments of `maintain`.
#[derive(Debug, Args)]
pub(crate) struct MaintainArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) what: Maintain,
}

/// What is done with a node.
#[derive(Debug, Subcommand)]
pub(crate) enum Maintain {
    /// Take a node out of service: HA guests move away, Ceph keeps its OSDs in
    Enter {
        /// Which node
        #[arg(value_name = "NODE")]
        name: String,
        /// How it is done
        #[command(flatten)]
        way: Way,
    },
    /// Put it back, once mesh and Ceph are whole
    Exit {
        /// Which node
        #[arg(value_name = "NODE")]
        name: String,
        /// Without waiting for mesh and Ceph: also for a node that does not come back
        #[arg(long)]
        now: bool,
        /// How it is done
        #[command(flatten)]
        way: Way,
    },
}

/// How it is done.
#[derive(Debug, Args)]
pub(crate) struct Way {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Agree to what stands in the way, by its code; may be given several times
    #[arg(long, value_name = "CODE")]
    pub(crate) accept: Vec<String>,
    /// Only show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write events as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    /// What to do about the lock of another run
    #[command(flatten)]
    pub(crate) lock: StealArgs,
}

/// What is wanted of which nodes.
pub(crate) struct Asked<'a> {
    kind: Kind,
    nodes: &'a [String],
    way: &'a Way,
}

impl RebootArgs {
    /// Reboots.
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked { kind: Kind::Reboot, nodes: &self.nodes, way: &self.way }
    }
}

impl MaintainArgs {
    /// Out of service, or back.
    pub(crate) fn asked(&self) -> Asked<'_> {
        let one = std::slice::from_ref;
        match &self.what {
            Maintain::Enter { name, way } => Asked { kind: Kind::Enter, nodes: one(name), way },
            Maintain::Exit { name, now, way } => {
                Asked { kind: Kind::Exit { now: *now }, nodes: one(name), way }
            }
        }
    }
}

/// Takes nodes out of service one at a time, and puts them back.
pub(crate) fn run(
    asked: &Asked<'_>,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async { on(Session::open(global, style)?, asked, global, out, style).await })
}

/// The same in a session. Who names no node means all of them.
pub(crate) async fn on(
    session: Session,
    asked: &Asked<'_>,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    if !global.node.is_empty() {
        return Err(Trouble::usage(
            "--node says nothing here",
            "name the nodes themselves: `ringbolt reboot n1 n2`",
        ));
    }
    let Asked { kind, nodes, way } = *asked;
    let request = Request { kind, nodes: named(&session, nodes)?, accept: accepted(&way.accept)? };
    let purpose = if kind == Kind::Reboot { "reboot" } else { "maintain" };
    let wish = Wish { purpose, steal: way.lock.steal, quiet: global.quiet, json: way.json, style };
    let _here = hold::here(&session, wish)?;
    Roll { request, wish, way, global, session, style }.go(out).await
}

/// The nodes by their names in the spec.
fn named(session: &Session, nodes: &[String]) -> Result<Vec<NodeName>, Trouble> {
    let all: Vec<&NodeName> = session.loaded.spec.nodes.iter().map(|n| &n.name).collect();
    let find = |name: &String| {
        all.iter().find(|n| n.as_str() == name).map(|n| (*n).clone()).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|n| n.as_str()).collect();
            Trouble::usage(format!("the spec has no node {name}"), format!("it has {}", names.join(", ")))
        })
    };
    if nodes.is_empty() {
        return Ok(all.into_iter().cloned().collect());
    }
    nodes.iter().map(find).collect()
}

/// Codes that may be agreed to.
fn accepted(codes: &[String]) -> Result<BTreeSet<String>, Trouble> {
    let known: Vec<&str> = ACCEPTABLE.iter().map(|c| c.0).collect();
    let read = |code: &String| {
        let code = code.to_uppercase();
        if known.contains(&code.as_str()) {
            return Ok(code);
        }
        Err(Trouble::usage(
            format!("{code} is not to be agreed to"),
            format!("--accept takes {}; `ringbolt explain CODE` tells what each means", known.join(", ")),
        ))
    };
    codes.iter().map(read).collect()
}

struct Roll<'a> {
    request: Request,
    wish: Wish,
    way: &'a Way,
    global: &'a Global,
    session: Session,
    style: Style,
}

impl Roll<'_> {
    async fn go(&self, out: &mut dyn Write) -> Result<Exit, Trouble> {
        let mut stop = self.session.stopping()?;
        let mut survey = self.survey().await?;
        self.not_this_machine(&survey)?;
        let mut plan = roll::plan(&survey, &self.request);
        if !plan.obstacles.is_empty() {
            self.refuse(&survey, &plan, out)?;
            return Ok(ending(&plan, false));
        }
        let idle = plan.steps.is_empty();
        if self.tells() || (!self.way.json && !self.way.yes) {
            self.show(&survey, &plan, out)?;
        }
        if idle || self.way.dry_run {
            return Ok(Exit::Done);
        }
        self.ask(out).await?;
        let lock = hold::hold(&self.session, self.wish, Some(&mut stop)).await?;
        if lock.how.moved || !lock.how.before.is_empty() {
            let agreed = plan.digest();
            survey = self.survey().await?;
            plan = roll::plan(&survey, &self.request);
            if plan.digest() != agreed {
                return Err(Trouble {
                    message: "others were at work on the nodes: this is not the plan any more".into(),
                    hint: Some("no node was touched; the same command shows the plan as it is now".into()),
                    exit: Exit::Pending,
                });
            }
        }
        let how = How { json: self.way.json, quiet: self.global.quiet, style: self.style };
        let tie = Tie::Maintains(self.wish.purpose);
        let (run, report) =
            carry_out(&self.session, &lock, &survey.fleet, plan.clone(), stop, tie, how).await?;
        if report.outcome == Outcome::Done {
            self.finish(&report, out)?;
            return Ok(Exit::Done);
        }
        self.broken(&run, &plan, &report, out)?;
        match lock.asked_anew().await {
            Some(by) => Err(hold::ousted(by.as_ref())),
            None => Ok(Exit::Failed),
        }
    }

    async fn survey(&self) -> Result<Survey, Trouble> {
        self.session.survey_by(question::roll(&self.session.loaded.spec)).await
    }

    /// Whether what goes well is told.
    fn tells(&self) -> bool {
        !self.way.json && !self.global.quiet
    }

    /// A reboot of the machine ringbolt runs on would end the run in its midst.
    fn not_this_machine(&self, survey: &Survey) -> Result<(), Trouble> {
        let own = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let here = |node: &&NodeName| {
            survey.fleet.nodes.get(*node).is_some_and(|facts| {
                facts.realm.lab.is_none() && facts.inventory.boot_id.trim() == own.trim()
            })
        };
        match self.request.nodes.iter().find(here) {
            Some(node) if self.request.kind == Kind::Reboot => Err(Trouble::usage(
                format!("{node} is the machine ringbolt runs on: its reboot would end this run"),
                format!("run it elsewhere, or leave {node} out and do it last from another node"),
            )),
            _ => Ok(()),
        }
    }

    fn refuse(&self, survey: &Survey, plan: &Plan, out: &mut dyn Write) -> std::io::Result<()> {
        if self.way.json {
            let line = serde_json::json!({ "event": "refused", "obstacles": plan.obstacles });
            return writeln!(out, "{line}");
        }
        if self.global.quiet {
            return write!(out, "{}", obstacle::obstacles(&plan.obstacles, self.style));
        }
        writeln!(out, "{}", drawing::mesh(survey, self.style, charset()))?;
        write!(out, "{}", render::refused(plan, self.style))
    }

    fn show(&self, survey: &Survey, plan: &Plan, out: &mut dyn Write) -> std::io::Result<()> {
        if plan.steps.is_empty() {
            write!(out, "{}", obstacle::notes(&plan.notes, self.style))?;
            let text = match self.request.kind {
                Kind::Enter => "it is in maintenance already.",
                _ => "it is not in maintenance, and Ceph does not hold its OSDs.",
            };
            return writeln!(out, "{} {text}", self.style.green("nothing to do:"));
        }
        writeln!(out, "{}", drawing::mesh(survey, self.style, charset()))?;
        let turns = roll::turns(survey, &self.request.nodes);
        write!(out, "{}", render::plan(plan, &turns, self.style))?;
        out.flush()
    }

    async fn ask(&self, out: &mut dyn Write) -> Result<(), Trouble> {
        if self.way.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Trouble::usage(
                "there is nobody to ask here",
                "add --yes if the plan is what you want",
            ));
        }
        let word = match self.request.kind {
            Kind::Reboot => "Reboot",
            Kind::Enter => "Take it out of service",
            Kind::Exit { .. } => "Put it back into service",
        };
        write!(out, "\n{word}? [y/N] ")?;
        out.flush()?;
        if matches!(answer().await?.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Trouble::declined())
    }

    fn finish(&self, report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
        if !self.tells() {
            return Ok(());
        }
        let first = self.request.nodes.first().map_or("", |n| n.as_str());
        let seconds = report.took.as_secs_f64();
        let (word, text, next) = match self.request.kind {
            Kind::Reboot => (
                "rebooted:",
                format!(
                    "{} in {seconds:.0} s, one at a time; each saw its mesh as before.",
                    count(self.request.nodes.len(), "node")
                ),
                "`ringbolt verify` proves every link.".to_owned(),
            ),
            Kind::Enter => (
                "in maintenance:",
                format!("{first}, in {seconds:.0} s. A reboot does not end it."),
                format!("do the work; then `ringbolt maintain exit {first}`."),
            ),
            Kind::Exit { .. } => (
                "in service:",
                format!("{first}, in {seconds:.0} s."),
                "`ringbolt verify` proves every link.".to_owned(),
            ),
        };
        let head = format!("{} ", self.style.green(word));
        write!(out, "\n{}", hang(&head, &text, self.style.width))?;
        write!(out, "{}", hang("Next: ", &self.style.paste(&next), self.style.width))
    }

    /// What was done, what is left behind, and how it is ended.
    fn broken(&self, run: &str, plan: &Plan, report: &Report, out: &mut dyn Write) -> Result<(), Trouble> {
        let left = match self.session.runs.load(run) {
            Ok(past) => left_behind(plan, &past.events.iter().map(|e| &e.what).collect::<Vec<_>>()),
            Err(_) => Vec::new(),
        };
        if self.way.json {
            writeln!(out, "{}", serde_json::json!({ "event": "left", "nodes": left }))?;
            return Ok(());
        }
        let word = match report.outcome {
            Outcome::Stopped => self.style.yellow("stopped:"),
            _ => self.style.red("failed:"),
        };
        let sum = format!(
            "{} done, {} failed, {} not begun.",
            count(report.done as usize, "step"),
            report.failed,
            report.skipped
        );
        write!(out, "\n{}", hang(&format!("{word} "), &sum, self.style.width))?;
        for node in &left {
            let text = format!(
                "{node} is still out of service (maintenance mode, noout). When it is up again: `ringbolt maintain exit {node}` waits for its mesh and Ceph, then ends that; when it is lost, `ringbolt maintain exit {node} --now` does."
            );
            write!(out, "{}", hang("Left: ", &self.style.paste(&text), self.style.width))?;
        }
        if !self.global.quiet {
            let next = "the nodes after it were not touched. `ringbolt verify` shows what is missing.";
            write!(out, "{}", hang("Next: ", &self.style.paste(next), self.style.width))?;
        }
        Ok(())
    }
}

/// Nodes for which something was switched on and not off again.
fn left_behind(plan: &Plan, events: &[&What]) -> Vec<String> {
    let begun = |step: &Step| {
        events.iter().any(|e| matches!(e, What::StepStarted { step: id, .. } if *id == step.id))
    };
    let done =
        |step: &Step| events.iter().any(|e| matches!(e, What::StepDone { step: id, .. } if *id == step.id));
    let of = |step: &Step, word: &str| step.id.ends_with(word);
    let mut left = BTreeSet::new();
    for (on, off) in [("/maintenance-on", "/maintenance-off"), ("/noout-on", "/noout-off")] {
        for step in plan.steps.iter().filter(|s| of(s, on) && begun(s)) {
            let ended = plan.steps.iter().any(|s| s.node == step.node && of(s, off) && done(s));
            if !ended {
                left.extend(step.node.as_ref().map(ToString::to_string));
            }
        }
    }
    left.into_iter().collect()
}
