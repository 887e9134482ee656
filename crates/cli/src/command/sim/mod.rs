//! `ringbolt sim`: rehearses a change on simulated nodes, line by line or from a script.
//!
//! The nodes are values, made from captured facts or from a shape; the commands are the real ones, over
//! another transport, with time that passes at once. No node is reached, no file of the user written.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, ValueEnum};
use ringbolt_control::fleet::Fleet;
use ringbolt_control::run::Runs;
use ringbolt_control::stop::{self, Stop};
use ringbolt_control::transport::sim::{SimTransport, StopAt};
use ringbolt_core::facts;
use ringbolt_core::json;
use ringbolt_core::name::NodeName;
use ringbolt_core::plan;
use ringbolt_core::sim::{self, Case, Cluster, Faults, Frr, Options, Socket};
use ringbolt_core::spec::{Spec, Transport};
use ringbolt_core::topology::generate;

use crate::args::{Cli, Command};
use crate::command::{apply, discover, plan as planned, roll, rollback, verify};
use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, count};
use crate::session::{self, Loaded, Session, Source, Trouble};

mod fault;
mod line;

use fault::Waiting;
use line::{HELP, Line};

/// Arguments of `sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// Lines to carry out; without it they are read from standard input
    #[arg(value_name = "SCRIPT")]
    script: Option<PathBuf>,
    /// Facts of real nodes, as `ringbolt discover --json` writes them, with the spec of this call
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Bare nodes cabled in this shape instead, with a spec as short as can be
    #[arg(long, value_name = "SHAPE", value_enum, conflicts_with = "facts")]
    shape: Option<Shape>,
    /// How many of them
    #[arg(long, value_name = "N", default_value_t = 3, requires = "shape", value_parser = clap::value_parser!(u16).range(2..=64))]
    nodes: u16,
    /// With Ceph on them: two disks a node
    #[arg(long, requires = "shape")]
    ceph: bool,
}

/// How bare nodes are cabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Each to the next, the last to the first.
    Ring,
    /// Each to the next.
    Line,
    /// All to the first.
    Star,
    /// Each to every other.
    Mesh,
}

/// Reads lines and carries them out.
pub(crate) fn run(
    args: &SimArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let lines = lines(args)?;
    let echo = !matches!(&lines, Lines::Typed);
    let folder = tempfile::tempdir()?;
    let mut stage = scene(args, global, style)?.map(|(spec, cluster)| Stage::new(spec, cluster));
    // Time of simulated nodes passes when nobody has anything to do.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let mut exit = Exit::Done;
    writeln!(
        out,
        "{}",
        style.dim("Simulated nodes: nothing below touches a machine, or was measured on one.")
    )?;
    for text in lines.each(out) {
        let text = text?;
        if echo && !text.trim().is_empty() {
            writeln!(out, "{}", style.bold(&format!("> {}", text.trim_end())))?;
        }
        let line = match Line::read(&text) {
            Ok(None) => continue,
            Ok(Some(Line::Quit)) => break,
            Ok(Some(Line::Help)) => {
                writeln!(out, "{HELP}")?;
                continue;
            }
            Ok(Some(Line::Case(seed))) => {
                let case = Case::new(seed);
                stage = Some(Stage::new(case.spec.clone(), case.cluster()));
                continue;
            }
            Ok(Some(line)) => line,
            Err(why) if echo => return Err(Trouble::usage(why, "`help` lists the lines there are")),
            Err(why) => {
                writeln!(out, "{why}")?;
                continue;
            }
        };
        let Some(stage) = stage.as_mut() else { return Err(no_nodes()) };
        let runs = Runs::in_folder(folder.path());
        let done = runtime.block_on(stage.play(line, runs, out, style));
        match done {
            Ok(Some(end)) => exit = end,
            Ok(None) => {}
            Err(trouble) => {
                tell(&trouble, out, style)?;
                exit = trouble.exit;
            }
        }
        out.flush()?;
    }
    Ok(exit)
}

fn tell(trouble: &Trouble, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    writeln!(out, "{} {}", style.red("error:"), trouble.message)?;
    trouble.hint.iter().try_for_each(|hint| writeln!(out, " {} {hint}", style.bold("hint:")))
}

fn no_nodes() -> Trouble {
    Trouble::usage(
        "there are no nodes to rehearse on",
        "give captured ones by --facts FILE (`ringbolt discover --json >FILE` writes it), or bare ones by --shape ring",
    )
}

/// The nodes a rehearsal begins with; none when its script brings them.
fn scene(args: &SimArgs, global: &Global, style: Style) -> Result<Option<(Spec, Cluster)>, Trouble> {
    if let Some(path) = &args.facts {
        let spec = session::load(global, style)?.spec;
        let fleet = captured(path)?;
        let cluster = sim::captured(&spec, &fleet);
        return Ok(Some((spec, cluster)));
    }
    let Some(shape) = args.shape else { return Ok(None) };
    let nodes = usize::from(args.nodes);
    let topology = match shape {
        Shape::Ring => generate::ring(nodes),
        Shape::Line => generate::line(nodes),
        Shape::Star => generate::star(nodes),
        Shape::Mesh => generate::mesh(nodes),
    };
    let mut spec = sim::spec(&topology, Transport::Thunderbolt);
    if args.ceph {
        sim::case::store(&mut spec, 1);
    }
    let options = Options { frr: Frr::Installed, disks: 2, ..Options::default() };
    let cluster = sim::fresh(&topology, Transport::Thunderbolt, &options);
    Ok(Some((spec, cluster)))
}

/// The facts in a file: a document with `fleet` in it.
fn captured(path: &std::path::Path) -> Result<facts::Fleet, Trouble> {
    #[derive(serde::Deserialize)]
    struct Document {
        fleet: facts::Fleet,
    }
    let cure = "make it by `ringbolt discover --json >FILE`, with this version of ringbolt";
    let shown = path.display();
    let text = std::fs::read(path).map_err(|e| Trouble::usage(format!("cannot read {shown}: {e}"), cure))?;
    let document: Document =
        json::read(&text).map_err(|e| Trouble::usage(format!("{shown} has no facts: {e}"), cure))?;
    Ok(document.fleet)
}

/// Where lines come from.
enum Lines {
    Script(Vec<String>),
    /// Standard input, line by line, nobody at it.
    Piped,
    /// A person types.
    Typed,
}

fn lines(args: &SimArgs) -> Result<Lines, Trouble> {
    match &args.script {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| {
                Trouble::usage(
                    format!("cannot read {}: {e}", path.display()),
                    "a script has a line a command: `help` lists them",
                )
            })?;
            understood(path, &text)?;
            Ok(Lines::Script(text.lines().map(str::to_owned).collect()))
        }
        None if std::io::stdin().is_terminal() => Ok(Lines::Typed),
        None => Ok(Lines::Piped),
    }
}

/// A script is played when all of its lines are known; else every other is told, with its place.
fn understood(path: &std::path::Path, text: &str) -> Result<(), Trouble> {
    let faults: Vec<String> = (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| {
            Some(format!("{}:{number}: {}", path.display(), Line::read(line).err()?))
        })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Trouble::usage(
        faults.join("\n"),
        "nothing was begun; `echo help | ringbolt sim` lists the lines there are",
    ))
}

impl Lines {
    fn each(self, out: &mut dyn Write) -> Box<dyn Iterator<Item = std::io::Result<String>>> {
        match self {
            Self::Script(lines) => Box::new(lines.into_iter().map(Ok)),
            Self::Piped => Box::new(std::io::stdin().lock().lines()),
            Self::Typed => {
                let _ = writeln!(out, "{HELP}");
                Box::new(std::iter::from_fn(|| {
                    let mut err = std::io::stderr();
                    let _ = write!(err, "sim> ").and_then(|()| err.flush());
                    std::io::stdin().lock().lines().next()
                }))
            }
        }
    }
}

/// As much of a spec as the runs of a rehearsal need to know their cluster by.
fn brief(spec: &Spec) -> String {
    let mut text =
        format!("[cluster]\nname = \"{}\"\n[fabric]\nprefix = \"100.64.0.0/16\"\n", spec.cluster.name);
    for node in &spec.nodes {
        text += &format!("[[node]]\nname = \"{}\"\naddress = \"{}\"\n", node.name, node.address);
    }
    text
}

/// Simulated nodes and the spec they are worked on by.
struct Stage {
    spec: Spec,
    sim: SimTransport,
    cut: Vec<(Socket, Socket)>,
    stop: Option<Stop>,
    /// A fault that has not struck yet.
    waiting: Option<Waiting>,
}

impl Stage {
    fn new(spec: Spec, cluster: Cluster) -> Self {
        Self { spec, sim: SimTransport::new(cluster), cut: Vec::new(), stop: None, waiting: None }
    }

    /// New lines to all nodes, as every command makes them.
    fn session(&self, runs: Runs) -> Session {
        let nodes = self.spec.nodes.iter().map(|n| n.name.clone());
        let fleet = Fleet::over(nodes, Arc::new(self.sim.clone()));
        let source = Source { path: "simulated".into(), lab: None };
        let loaded = Loaded { spec: self.spec.clone(), text: brief(&self.spec), source };
        Session { loaded, fleet: Arc::new(fleet), runs, stop: self.stop.clone() }
    }

    /// Carries one line out; what a command ended with.
    async fn play(
        &mut self,
        line: Line,
        runs: Runs,
        out: &mut dyn Write,
        style: Style,
    ) -> Result<Option<Exit>, Trouble> {
        match line {
            Line::Command(words) => return self.command(&words, runs, out, style).await.map(Some),
            Line::Until { step, crash } => {
                self.knows(&step, &runs).await?;
                let (stopper, stop) = stop::stop();
                let at = if crash { StopAt::Begun(step) } else { StopAt::Done(step) };
                self.sim.stop_at(Some((at, stopper)));
                self.stop = Some(stop);
                let done = self.command(&["apply".to_owned(), "--yes".to_owned()], runs, out, style).await;
                self.sim.stop_at(None);
                self.stop = None;
                return done.map(Some);
            }
            Line::Crash => writeln!(out, "the controller is gone; the agents finish what they have begun.")?,
            Line::Cut(a, b) => self.cut(&a, &b, out)?,
            Line::Mend(a, b) => self.mend(&a, &b, out)?,
            Line::Power(node, on) => {
                let node = self.node(&node)?;
                self.sim.with(|c| if on { c.power_on(&node) } else { c.power_off(&node) });
                writeln!(out, "{node} is {}.", if on { "on, and has booted" } else { "off" })?;
            }
            Line::Fault(faults) => self.fault(faults, runs, out, style).await?,
            Line::Wait(seconds) => {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                writeln!(out, "{seconds} s later.")?;
            }
            Line::Facts(node) => {
                let node = self.node(&node)?;
                let facts = self.sim.with(|c| c.nodes.get(&node).map(|n| n.facts.clone()));
                let text = json::pretty(&facts).map_err(std::io::Error::from)?;
                writeln!(out, "{text}")?;
            }
            Line::Case(_) | Line::Help | Line::Quit => {}
        }
        Ok(None)
    }

    /// From now on this goes wrong. A step that an apply would not come to is told at once.
    async fn fault(
        &mut self,
        faults: Faults,
        runs: Runs,
        out: &mut dyn Write,
        style: Style,
    ) -> Result<(), Trouble> {
        let text = match &faults {
            Faults::None => "nothing goes wrong any more.".to_owned(),
            Faults::Seeded { seed, .. } => format!("one deed in eight goes wrong, as seed {seed} has it."),
            Faults::At { step, fate } => format!("{step}, at its first try: {}.", fate.word()),
        };
        writeln!(out, "{text}")?;
        self.waiting = match &faults {
            Faults::At { step, fate } => Some(Waiting { step: step.clone(), fate: *fate }),
            _ => None,
        };
        if let Some(waiting) = &self.waiting {
            // What went wrong until now does not disturb the look.
            self.sim.let_fail(Faults::None);
            let survey = self.session(runs).survey().await.ok();
            let plan = survey.map(|survey| survey.plan(&plan::Policy::default()));
            if let Some(why) = plan.and_then(|plan| waiting.beside(&plan)) {
                writeln!(out, "{} {why}", style.dim("fault:"))?;
            }
        }
        self.sim.let_fail(faults);
        Ok(())
    }

    /// What has befallen, and what did not although a run is over.
    fn befallen(&mut self, ran: bool, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
        for befallen in self.sim.befallen() {
            let step = befallen.step.as_deref();
            self.waiting.take_if(|waiting| step == Some(&waiting.step));
            let what = step.unwrap_or("a look at it");
            writeln!(out, "{} {}: {what}: {}", style.dim("fault:"), befallen.node, befallen.fate.word())?;
        }
        if let Some(waiting) = self.waiting.as_ref().filter(|_| ran) {
            writeln!(out, "{} {}", style.dim("fault:"), waiting.after(&self.sim.begun()))?;
        }
        Ok(())
    }

    /// One of the real commands, with its own options.
    async fn command(
        &mut self,
        words: &[String],
        runs: Runs,
        out: &mut dyn Write,
        style: Style,
    ) -> Result<Exit, Trouble> {
        let words = std::iter::once("ringbolt").chain(words.iter().map(String::as_str));
        let cli = Cli::try_parse_from(words).map_err(|e| {
            Trouble::usage(e.to_string().trim().to_owned(), "`help` lists the lines there are")
        })?;
        let (session, global) = (self.session(runs), &cli.global);
        let exit = match &cli.command {
            Command::Discover(args) => discover::on(&session, args, out, style).await,
            Command::Plan(args) => planned::on(&session, args, global, out, style).await,
            Command::Apply(args) => apply::on(session, args, global, out, style).await,
            Command::Verify(args) => verify::on(&session, args, global, out, style).await,
            Command::Rollback(args) => rollback::on(session, args, global, out, style).await,
            Command::Reboot(args) => roll::on(session, &args.asked(), global, out, style).await,
            Command::Maintain(args) => roll::on(session, &args.asked(), global, out, style).await,
            _ => {
                return Err(Trouble::usage(
                    "there is no rehearsal of this command",
                    "`help` lists the lines there are",
                ));
            }
        };
        let looked = matches!(cli.command, Command::Discover(_) | Command::Plan(_) | Command::Verify(_));
        self.befallen(!looked, out, style)?;
        exit
    }

    /// A step to stop at must be one of the plan, or the run would go past it.
    async fn knows(&self, step: &str, runs: &Runs) -> Result<(), Trouble> {
        let session = self.session(runs.clone());
        let plan = session.survey().await?.plan(&plan::Policy::default());
        if plan.deeds().any(|s| &*s.id == step) {
            return Ok(());
        }
        Err(Trouble::usage(format!("the plan has no step {step}"), fault::of_plan(step, &plan)))
    }

    fn node(&self, name: &str) -> Result<NodeName, Trouble> {
        let names = self.sim.with(|c| c.nodes.keys().cloned().collect::<Vec<_>>());
        names.iter().find(|n| n.as_str() == name).cloned().ok_or_else(|| {
            let list: Vec<&str> = names.iter().map(NodeName::as_str).collect();
            Trouble::usage(format!("there is no node {name}"), format!("there are {}", list.join(", ")))
        })
    }

    fn cut(&mut self, a: &str, b: &str, out: &mut dyn Write) -> Result<(), Trouble> {
        let (a, b) = (self.node(a)?, self.node(b)?);
        let cables = self.sim.with(|c| {
            let cables = c.cables.between(&a, &b);
            cables.iter().for_each(|cable| c.unplug(cable));
            cables
        });
        if cables.is_empty() {
            return Err(Trouble::usage(format!("no cable joins {a} and {b}"), "`discover` draws the cables"));
        }
        writeln!(out, "cut: {} between {a} and {b}.", count(cables.len(), "cable"))?;
        self.cut.extend(cables);
        Ok(())
    }

    fn mend(&mut self, a: &str, b: &str, out: &mut dyn Write) -> Result<(), Trouble> {
        let (a, b) = (self.node(a)?, self.node(b)?);
        let joins = |c: &mut (Socket, Socket)| {
            let ends = [&c.0.node, &c.1.node];
            ends.contains(&&a) && ends.contains(&&b)
        };
        let back: Vec<_> = self.cut.extract_if(.., joins).collect();
        if back.is_empty() {
            return Err(Trouble::usage(
                format!("no cable between {a} and {b} was cut"),
                "`cut A B` cuts one",
            ));
        }
        writeln!(out, "mended: {} between {a} and {b}.", count(back.len(), "cable"))?;
        self.sim.with(|c| back.iter().for_each(|cable| c.plug(cable)));
        Ok(())
    }
}
