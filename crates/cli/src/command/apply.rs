//! `ringbolt apply`: carries the plan out, looks again, and goes on until nothing is left to do.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use ringbolt_control::apply::{self, Sink};
use ringbolt_control::hold::Hold;
use ringbolt_control::stop::Stop;
use ringbolt_core::checkpoint;
use ringbolt_core::checkpoint::SECONDS;
use ringbolt_core::event::Outcome;
use ringbolt_core::facts::Fleet;
use ringbolt_core::json;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan::{Plan, Policy};
use ringbolt_core::step::{Phase, Risk};
use ringbolt_core::survey::Survey;
use tokio::time::Instant;

use crate::command::plan::{ending, nothing_for, part, phase, seconds, show};
use crate::exit::Exit;
use crate::global::Global;
use crate::hold::{self, StealArgs, Wish};
use crate::progress::Progress;
use crate::render::plan::{closing, counted, paint};
use crate::render::text::hang;
use crate::render::{Style, count, indent, obstacle};
use crate::resume;
use crate::session::{Session, Trouble, block_on};

/// Plans that may follow one another in one call: packages first may make a second one needed.
const ROUNDS: usize = 4;

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Carry out exactly this plan, made by `plan --out`
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Do not ask (what destroys something is still asked for by name: see --confirm)
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Agree to what destroys something, by the name it is shown with; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Vec<String>,
    /// Forget cables of the last apply that are not there any more
    #[arg(long)]
    pub(crate) forget_cables: bool,
    /// Seconds a node waits before it undoes by itself a step that may have cut it off; a step of more than four
    /// nodes gets more
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS, value_parser = seconds)]
    pub(crate) checkpoint: u32,
    /// Only this part of the plan
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub(crate) only: Option<Phase>,
    /// Write events as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lock: StealArgs,
}

/// Plans, asks, applies, looks again.
pub(crate) fn run(
    args: &ApplyArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async { on(Session::open(global, style)?, args, global, out, style).await })
}

/// The same in a session.
pub(crate) async fn on(
    session: Session,
    args: &ApplyArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let (steal, json) = (args.lock.steal, args.json);
    let wish = Wish { purpose: "apply", steal, quiet: global.quiet, json, style };
    let _here = hold::here(&session, wish)?;
    Run { args, global, session, style, wish, began: Instant::now() }.rounds(out).await
}

struct Run<'a> {
    args: &'a ApplyArgs,
    global: &'a Global,
    session: Session,
    style: Style,
    wish: Wish,
    began: Instant,
}

/// How far a call has come.
struct Way {
    stop: Stop,
    /// The lock, once it was taken.
    held: Option<Hold>,
    /// The run before this call that broke off.
    broken: Option<String>,
    /// The run that the next one goes on from.
    before: Option<String>,
    /// Plans carried out, and steps done in them.
    round: usize,
    done: usize,
    /// Digests of the plan carried out last, and of that agreed to before the lock was taken.
    last: String,
    agreed: String,
    /// What a dead run had armed was undone.
    sent_back: bool,
}

impl Way {
    fn new(stop: Stop, broken: Option<String>) -> Self {
        let before = broken.clone();
        let (last, agreed) = (String::new(), String::new());
        Self { stop, held: None, broken, before, round: 0, done: 0, last, agreed, sent_back: false }
    }
}

impl Run<'_> {
    /// Looks and acts in turn until nothing is left to do, or nothing more can be done.
    async fn rounds(&self, out: &mut dyn Write) -> Result<Exit, Trouble> {
        let mut stop = self.session.stopping()?;
        let broken = resume::last_run(&self.session, self.wish, &mut stop).await?;
        let mut way = Way::new(stop, broken);
        while way.round < ROUNDS {
            if let Some(exit) = self.turn(&mut way, out).await? {
                return Ok(exit);
            }
        }
        Err(Trouble {
            message: format!("{ROUNDS} plans were carried out and there is still something to do"),
            hint: Some("`ringbolt plan` shows what; this is worth a report".into()),
            exit: Exit::Failed,
        })
    }

    /// One look and what it calls for; `None` when the nodes are to be looked at again.
    async fn turn(&self, way: &mut Way, out: &mut dyn Write) -> Result<Option<Exit>, Trouble> {
        let survey = self.session.survey_with(self.args.forget_cables && way.round == 0).await?;
        let plan = self.narrowed(&survey, out)?;
        if way.round == 0 && way.held.is_none() {
            self.heeds(&plan);
        }
        if self.sends_back(way, &survey).await? {
            return Ok(None);
        }
        if !plan.obstacles.is_empty() {
            self.refuse(&survey, &plan, way.done, out)?;
            return Ok(Some(ending(&plan, false)));
        }
        if plan.deeds().next().is_none() {
            return self.finish(way, &survey, &plan, out).await.map(Some);
        }
        let digest = plan.digest();
        if digest == way.last {
            return Err(stuck(&plan));
        }
        if digest != way.agreed {
            self.agree(&survey, &plan, way.round, out).await?;
        }
        if way.held.is_none() && !self.lock(way, &digest, out).await? {
            return Ok(None);
        }
        way.last = digest;
        self.act(way, &survey, plan, out).await
    }

    /// Takes the lock. False when others were at work: what was read meanwhile is read once more, now that nobody
    /// else is.
    async fn lock(&self, way: &mut Way, digest: &str, out: &mut dyn Write) -> Result<bool, Trouble> {
        let lock = hold::hold(&self.session, self.wish, Some(&mut way.stop)).await?;
        let fresh = !lock.how.moved && lock.how.before.is_empty();
        way.held = Some(lock);
        digest.clone_into(&mut way.agreed);
        if !fresh && self.tells() {
            writeln!(out, "\nlooking again: others were at work on the nodes")?;
        }
        Ok(fresh)
    }

    /// Carries a plan out under the lock; `None` when it went well and there may be more to do.
    async fn act(
        &self,
        way: &mut Way,
        survey: &Survey,
        plan: Plan,
        out: &mut dyn Write,
    ) -> Result<Option<Exit>, Trouble> {
        let Some(lock) = &way.held else { return Ok(None) };
        out.flush()?;
        let how = How { json: self.args.json, quiet: self.global.quiet, style: self.style };
        let tie = way.before.as_deref().map_or(Tie::None, Tie::Continues);
        let (run, report) =
            carry_out(&self.session, lock, &survey.fleet, plan, way.stop.clone(), tie, how).await?;
        way.before = Some(run);
        way.done += report.done as usize;
        if report.outcome != Outcome::Done {
            let exit = self.broken(&report, out)?;
            return match lock.asked_anew().await {
                Some(by) => Err(hold::ousted(by.as_ref())),
                None => Ok(Some(exit)),
            };
        }
        way.round += 1;
        if !self.is_part() {
            return Ok(None);
        }
        if self.tells() {
            let seconds = self.began.elapsed().as_secs_f64();
            writeln!(out, "{} done in {seconds:.1} s.", count(way.done, "step"))?;
        }
        Ok(Some(Exit::Done))
    }

    /// Tells which names of `--confirm` mean no step of this plan: one that comes up after it may yet be meant.
    fn heeds(&self, plan: &Plan) {
        let names = |c: &&String| !plan.steps.iter().any(|s| *s.id == ***c);
        let strange: Vec<&str> = self.args.confirm.iter().filter(names).map(String::as_str).collect();
        if !strange.is_empty() && self.tells() {
            let head = format!("{} ", self.style.err().yellow("note:"));
            let text = format!("--confirm {}: no step of this plan is called so", strange.join(", "));
            let _ = write!(std::io::stderr(), "{}", hang(&head, &text, self.style.width));
        }
    }

    /// Has nodes undo at once what a dead run armed and nobody will confirm; once a call. Whoever has the lock knows
    /// that nobody is left to confirm.
    async fn sends_back(&self, way: &mut Way, survey: &Survey) -> Result<bool, Trouble> {
        let armed =
            survey.fleet.nodes.iter().filter_map(|(node, facts)| Some((node, checkpoint::armed(facts)?)));
        let words: Vec<String> =
            armed.map(|(node, armed)| format!("{node} undoes {} of run {}", armed.step, armed.run)).collect();
        if way.sent_back || words.is_empty() {
            return Ok(false);
        }
        if way.held.is_none() {
            way.held = Some(hold::hold(&self.session, self.wish, Some(&mut way.stop)).await?);
        }
        if self.tells() {
            let head = format!("{} ", self.style.err().yellow("waits:"));
            let text = format!("{}: that run is over, and nobody will confirm it", words.join(", "));
            let _ = write!(std::io::stderr(), "{}", hang(&head, &text, self.style.width));
        }
        apply::send_back(&self.session.fleet, &survey.fleet).await;
        way.sent_back = true;
        Ok(true)
    }

    /// Whether only a part of the plan is wanted.
    fn is_part(&self) -> bool {
        self.args.only.is_some() || self.args.plan.is_some() || !self.global.node.is_empty()
    }

    /// Shows a plan nobody has agreed to yet, and asks where that is needed.
    async fn agree(
        &self,
        survey: &Survey,
        plan: &Plan,
        round: usize,
        out: &mut dyn Write,
    ) -> Result<(), Trouble> {
        if round == 0 || plan.steps.iter().any(|s| s.risk == Risk::Destructive) {
            self.ask(survey, plan, out).await?;
        } else if self.tells() {
            writeln!(out, "\nlooking again: {} more", count(counted(plan), "step"))?;
        }
        Ok(())
    }

    /// Whether what goes well is told.
    fn tells(&self) -> bool {
        !self.args.json && !self.global.quiet
    }

    /// The plan cut down to `--only`, or replaced by `--plan` if that is still the plan.
    fn narrowed(&self, survey: &Survey, out: &mut dyn Write) -> Result<Plan, Trouble> {
        let policy = Policy { checkpoint: self.args.checkpoint, ..Policy::default() };
        let mut plan = survey.plan(&policy);
        plan.narrow(self.args.only, &self.global.node);
        if let Some(path) = &self.args.plan {
            let saved = read(path)?;
            if saved.digest() != plan.digest() && plan.obstacles.is_empty() {
                self.edited(&saved, survey, out)?;
                return Err(Trouble {
                    message: format!(
                        "{} is not the plan any more: the nodes or the spec changed since",
                        path.display()
                    ),
                    hint: Some("look at `ringbolt plan`, and save it anew by --out; one saved with --only, --node or --checkpoint needs the same here".into()),
                    exit: Exit::Pending,
                });
            }
        }
        Ok(plan)
    }

    /// Shows what has become of the files a saved plan was going to change.
    fn edited(&self, saved: &Plan, survey: &Survey, out: &mut dyn Write) -> std::io::Result<()> {
        for step in &saved.steps {
            let Some(facts) = step.node.as_ref().and_then(|node| survey.fleet.nodes.get(node)) else {
                continue;
            };
            let Some(diff) = apply::difference(step, facts) else { continue };
            if self.args.json {
                let line = serde_json::json!({ "event": "changed-since-plan", "code": "RB0565", "step": step.id, "diff": diff });
                writeln!(out, "{line}")?;
            } else {
                let head = format!("{} ", self.style.red("RB0565:"));
                write!(
                    out,
                    "{}",
                    hang(&head, &format!("{} is not what the plan saw", step.id), self.style.width)
                )?;
                write!(out, "{}", indent(&paint(&diff, self.style), "      "))?;
            }
        }
        Ok(())
    }

    /// Something is in the way: says what, and does nothing.
    fn refuse(&self, survey: &Survey, plan: &Plan, done: usize, out: &mut dyn Write) -> std::io::Result<()> {
        if self.args.json {
            let line = serde_json::json!({ "event": "refused", "obstacles": plan.obstacles });
            return writeln!(out, "{line}");
        }
        if self.global.quiet {
            return write!(out, "{}", obstacle::obstacles(&plan.obstacles, self.style));
        }
        write!(out, "{}", closing(plan, survey.fleet.nodes.len(), self.style))?;
        if done > 0 {
            writeln!(out, "{} done before.", count(done, "step"))?;
        }
        Ok(())
    }

    async fn ask(&self, survey: &Survey, plan: &Plan, out: &mut dyn Write) -> Result<(), Trouble> {
        // Whoever is to decide sees what about, quiet or not.
        if self.tells() || (!self.args.json && !self.args.yes) {
            show(survey, plan, !self.args.yes, out, self.style)?;
            out.flush()?;
        }
        let missing: Vec<&str> = plan
            .steps
            .iter()
            .filter(|s| s.risk == Risk::Destructive)
            .map(|s| &*s.id)
            .filter(|id| !self.args.confirm.iter().any(|c| c == id))
            .collect();
        if !missing.is_empty() {
            let named = |c: &&String| !plan.steps.iter().any(|s| *s.id == ***c);
            let strange: Vec<&str> = self.args.confirm.iter().filter(named).map(String::as_str).collect();
            let strange = match strange.as_slice() {
                [] => String::new(),
                some => format!("; no step here is called {}", some.join(", ")),
            };
            return Err(Trouble::usage(
                format!(
                    "this destroys something, and that is done only when asked for by name: {}{strange}",
                    missing.join(", ")
                ),
                format!(
                    "look at the plan; if it is what you want, add --confirm {}",
                    missing.join(" --confirm ")
                ),
            ));
        }
        if self.args.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Trouble::usage(
                "there is nobody to ask here",
                "add --yes if the plan is what you want",
            ));
        }
        write!(out, "\nApply? [y/N] ")?;
        out.flush()?;
        if matches!(answer().await?.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Trouble::declined()) }
    }

    /// Nothing is left to do.
    async fn finish(
        &self,
        way: &Way,
        survey: &Survey,
        plan: &Plan,
        out: &mut dyn Write,
    ) -> Result<Exit, Trouble> {
        if let Some(run) = way.broken.as_ref().filter(|_| way.done == 0 && !self.is_part()) {
            // Should that fail, it is only told again.
            let _ = self.session.runs.settle(run);
        }
        apply::acknowledge(&self.session.fleet, &survey.fleet).await;
        self.tell_end(way.done, survey, plan, out)
    }

    fn tell_end(
        &self,
        done: usize,
        survey: &Survey,
        plan: &Plan,
        out: &mut dyn Write,
    ) -> Result<Exit, Trouble> {
        if !self.tells() {
            return Ok(Exit::Done);
        }
        if let (0, Some(part)) = (done, part(self.args.only, self.global)) {
            write!(out, "{}", nothing_for(&part, survey, self.style))?;
            return Ok(Exit::Done);
        }
        if done == 0 {
            show(survey, plan, false, out, self.style)?;
            return Ok(Exit::Done);
        }
        let text = format!(
            "{} done in {:.1} s; a second look finds nothing left to do.",
            count(done, "step"),
            self.began.elapsed().as_secs_f64()
        );
        write!(out, "\n{}", hang(&format!("{} ", self.style.green("applied:")), &text, self.style.width))?;
        let next = match survey.spec.ceph {
            None => {
                "`ringbolt verify` proves every link both ways, `ringbolt drill cable` measures what a pulled cable costs."
            }
            Some(_) => {
                "`ringbolt verify` proves every link, monitor and OSD, `ringbolt drill` measures what a lost cable or node costs, `ringbolt tune audit` judges every option."
            }
        };
        write!(out, "{}", hang("Next: ", &self.style.paste(next), self.style.width))?;
        Ok(Exit::Done)
    }

    fn broken(&self, report: &apply::Report, out: &mut dyn Write) -> Result<Exit, Trouble> {
        let exit = if report.healed { Exit::RolledBack } else { Exit::Failed };
        if self.args.json {
            return Ok(exit);
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
        if !report.in_flight.is_empty() {
            let text = format!("{}: the next plan looks at what they left.", report.in_flight.join(", "));
            write!(out, "{}", hang("In flight when the run was ended: ", &text, self.style.width))?;
        }
        for checkpoint in &report.guarded {
            let names: Vec<&str> = checkpoint.nodes.iter().map(NodeName::as_str).collect();
            let text = format!(
                "{} undo by themselves, within {} s, what nobody has confirmed.",
                names.join(", "),
                checkpoint.seconds
            );
            write!(out, "{}", hang("Checkpoint: ", &text, self.style.width))?;
        }
        if self.global.quiet {
            return Ok(exit);
        }
        let next = if report.healed {
            "the network of these nodes is what it was before; correct what the failed step says, then `ringbolt apply` again."
        } else {
            "`ringbolt apply` goes on from here, `ringbolt plan` shows what is left. No file is half written."
        };
        write!(out, "{}", hang("Next: ", &self.style.paste(next), self.style.width))?;
        Ok(exit)
    }
}

/// A line of standard input, read aside: the nodes hear of us meanwhile.
pub(crate) async fn answer() -> std::io::Result<String> {
    let read = || {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    };
    tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)?
}

/// How a run is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// Only what goes wrong.
    pub(crate) quiet: bool,
    /// Events as JSON.
    pub(crate) json: bool,
    /// Colours and width.
    pub(crate) style: Style,
}

/// What a run has to do with others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tie<'a> {
    /// Nothing.
    None,
    /// It goes on with what this one of the same call began.
    Continues(&'a str),
    /// It takes these back.
    Undoes(&'a [String]),
    /// It takes nodes out of service; there is nothing in it to take back.
    Maintains(&'a str),
}

/// Carries a plan out under the lock as a run of its own, shown and recorded. Gives its id and how it ended.
pub(crate) async fn carry_out(
    session: &Session,
    lock: &Hold,
    facts: &Fleet,
    plan: Plan,
    stop: Stop,
    tie: Tie<'_>,
    how: How,
) -> Result<(String, apply::Report), Trouble> {
    let unrecorded = |e: ringbolt_control::run::RunError| Trouble {
        message: e.to_string(),
        hint: Some(
            "the journal of a run is written before anything is done; make its folder writable".into(),
        ),
        exit: Exit::Failed,
    };
    let loaded = &session.loaded;
    let lab = loaded.source.lab.as_deref();
    let run = session.runs.create(&loaded.text, lab, facts, &plan).map_err(unrecorded)?;
    match tie {
        Tie::None => {}
        Tie::Continues(before) => session.runs.continues(&run, before).map_err(unrecorded)?,
        Tie::Maintains(purpose) => session.runs.maintains(&run, purpose).map_err(unrecorded)?,
        Tie::Undoes(others) => session.runs.undoes(&run, others).map_err(unrecorded)?,
    }
    lock.names_run(&run.id);
    let moving = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    let shown = Progress::new(&plan, moving, how.quiet, how.json, how.style);
    let mut sink = (run.journal, shown);
    let fleet = Arc::clone(&session.fleet);
    let done = apply::run(&run.id, Arc::new(plan), fleet, &mut sink as &mut dyn Sink, stop).await;
    sink.1.end();
    let report = done.map_err(|e| Trouble {
        message: e.to_string(),
        hint: Some(format!("what was done is in {}", run.folder.display())),
        exit: Exit::Failed,
    })?;
    Ok((run.id, report))
}

fn stuck(plan: &Plan) -> Trouble {
    let titles: Vec<&str> = plan.deeds().map(|s| &*s.id).collect();
    Trouble {
        message: format!("the same steps are due again right after they were done: {}", titles.join(", ")),
        hint: Some("something on the nodes undoes them; `ringbolt plan` shows the difference".into()),
        exit: Exit::Failed,
    }
}

fn read(path: &Path) -> Result<Plan, Trouble> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|e| {
        Trouble::usage(format!("cannot read {shown}: {e}"), "make one by `ringbolt plan --out FILE`")
    })?;
    json::read(&text).map_err(|e| {
        Trouble::usage(format!("{shown} is not a plan: {e}"), "make one by `ringbolt plan --out FILE`")
    })
}
