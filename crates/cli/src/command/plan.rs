//! `ringbolt plan`: what would change, why, with diffs. Touches nothing.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ringbolt_core::checkpoint::{RANGE, SECONDS};
use ringbolt_core::plan::{Plan, Policy};
use ringbolt_core::step::Phase;
use ringbolt_core::survey::Survey;

use crate::command::tune::NO_CEPH;
use crate::exit::Exit;
use crate::global::Global;
use crate::render::text::hang;
use crate::render::topology::Charset;
use crate::render::{Style, count, disk, obstacle, plan as render, survey as drawing, write_json};
use crate::session::{Session, Trouble, block_on};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Write the plan to this file, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// End with status 3 when anything differs
    #[arg(long)]
    pub(crate) detect: bool,
    /// Seconds a node waits before it undoes by itself a step that may have cut it off; a step of more than four
    /// nodes gets more
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS, value_parser = seconds)]
    pub(crate) checkpoint: u32,
    /// Only this part of the plan
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub(crate) only: Option<Phase>,
    /// Leave the diffs of files out
    #[arg(long)]
    pub(crate) no_diff: bool,
    /// Write the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A phase by its word.
pub(crate) fn phase(text: &str) -> Result<Phase, String> {
    let words: Vec<&str> = Phase::ALL.iter().map(|p| p.word()).collect();
    Phase::ALL
        .into_iter()
        .find(|p| p.word() == text)
        .ok_or_else(|| format!("there is no such part; there are {}", words.join(", ")))
}

/// Seconds of a checkpoint.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let (least, most) = (RANGE.start(), RANGE.end());
    let number = text.parse().ok().filter(|n| RANGE.contains(n));
    number.ok_or_else(|| format!("a node waits {least} to {most} seconds"))
}

/// Plans and shows it.
pub(crate) fn run(
    args: &PlanArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    block_on(async { on(&Session::open(global, style)?, args, global, out, style).await })
}

/// The same in a session.
pub(crate) async fn on(
    session: &Session,
    args: &PlanArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let survey = session.survey().await?;
    let mut plan = survey.plan(&Policy { checkpoint: args.checkpoint, ..Policy::default() });
    plan.narrow(args.only, &global.node);
    if let Some(path) = &args.out {
        save(&plan, path)?;
    }
    if args.json {
        write_json(out, &plan)?;
    } else if global.quiet {
        write!(out, "{}", obstacle::obstacles(&plan.obstacles, style))?;
    } else if let (true, Some(part)) = (idle(&plan), part(args.only, global)) {
        write!(out, "{}", nothing_for(&part, &survey, style))?;
        if args.only == Some(Phase::Ceph) && survey.spec.ceph.is_none() {
            write!(out, "{}", hang("The spec has no Ceph: ", NO_CEPH, style.width))?;
        }
    } else {
        // Steps that are not taken only hide what is in the way.
        let steps = (plan.obstacles.is_empty() || global.verbose > 0).then_some(!args.no_diff);
        show_with(&survey, &plan, steps, out, style)?;
    }
    Ok(ending(&plan, args.detect))
}

/// Whether there is nothing to do and nothing in the way.
fn idle(plan: &Plan) -> bool {
    plan.obstacles.is_empty() && plan.deeds().next().is_none() && plan.waiting.is_empty()
}

/// The part of the plan that was asked for, in a word; none when it is all of it.
pub(crate) fn part(only: Option<Phase>, global: &Global) -> Option<String> {
    let words: Vec<&str> =
        only.iter().map(|p| p.word()).chain(global.node.iter().map(String::as_str)).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The line that says that a part has nothing to do, and how much is due elsewhere.
pub(crate) fn nothing_for(part: &str, survey: &Survey, style: Style) -> String {
    let rest = match survey.plan(&Policy::default()).deeds().count() {
        0 => String::new(),
        rest => format!("; {} due elsewhere", count(rest, "step")),
    };
    format!("{} for {part}{rest}.\n", style.green("nothing to do"))
}

/// Drawing, steps and closing words.
pub(crate) fn show(
    survey: &Survey,
    plan: &Plan,
    diffs: bool,
    out: &mut dyn Write,
    style: Style,
) -> std::io::Result<()> {
    show_with(survey, plan, Some(diffs), out, style)
}

/// The same; `steps` says whether steps are shown, and with diffs or not.
fn show_with(
    survey: &Survey,
    plan: &Plan,
    steps: Option<bool>,
    out: &mut dyn Write,
    style: Style,
) -> std::io::Result<()> {
    write!(out, "{}", drawing::mesh(survey, style, charset()))?;
    let disks = disk::due(plan, disk::rows(survey));
    if !disks.is_empty() {
        write!(out, "\n{}", disk::table(&disks, style))?;
    }
    if let Some(diffs) = steps {
        write!(out, "{}", render::steps(plan, diffs, style))?;
    }
    let unmet = survey.unmet();
    if let (true, Some((node, finding))) = (idle(plan) && !survey.untouched(), unmet.first()) {
        let words = ringbolt_control::apply::in_words(&finding.check);
        let text = format!(
            "{node}: {words}: {}{}. `ringbolt verify` shows all of it.",
            finding.evidence,
            if unmet.len() > 1 { format!(", and {} more", unmet.len() - 1) } else { String::new() }
        );
        write!(
            out,
            "\n{}",
            hang(&format!("{} ", style.yellow("in place, not converged:")), &style.paste(&text), style.width)
        )?;
    }
    write!(out, "{}", render::closing(plan, survey.fleet.nodes.len(), style))?;
    if steps.is_none() && plan.deeds().next().is_some() {
        writeln!(out, "{}", style.paste("`ringbolt plan -v` shows the steps that would follow."))?;
    }
    Ok(())
}

/// The characters drawings are made of here.
pub(crate) fn charset() -> Charset {
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .is_none_or(|value| {
            let value = value.to_lowercase();
            value.contains("utf-8") || value.contains("utf8") || value == "c" || value == "posix"
        });
    if utf8 { Charset::Unicode } else { Charset::Ascii }
}

/// How the program ends after a plan with these obstacles.
pub(crate) fn ending(plan: &Plan, detect: bool) -> Exit {
    if plan.obstacles.iter().any(|o| o.code == "RB0501") {
        Exit::Unreachable
    } else if !plan.obstacles.is_empty() {
        Exit::Usage
    } else if detect && (plan.deeds().next().is_some() || !plan.waiting.is_empty()) {
        Exit::Pending
    } else {
        Exit::Done
    }
}

fn save(plan: &Plan, path: &std::path::Path) -> Result<(), Trouble> {
    let mut text = Vec::new();
    write_json(&mut text, plan)?;
    std::fs::write(path, text).map_err(|e| {
        Trouble::usage(format!("cannot write {}: {e}", path.display()), "name another file by --out")
    })
}
