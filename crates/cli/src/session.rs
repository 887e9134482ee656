//! What every command that works on nodes begins with: the spec found and read, lines to the nodes,
//! one look at all of them.
//!
//! Used by every command that works on the nodes of a spec. It prints diagnostics of the spec and nothing else.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use ringbolt_control::fleet::Fleet;
use ringbolt_control::run::Runs;
use ringbolt_control::stop::{self, Stop};
use ringbolt_control::transport::{Executable, SshOptions};
use ringbolt_control::{Survey as Seen, clocks, conditions, look, look_by};
use ringbolt_core::bind::disks::unasked;
use ringbolt_core::desired::question;
use ringbolt_core::diagnostic::{Diagnostic, Severity};
use ringbolt_core::facts::{Disks, Question};
use ringbolt_core::name::NodeName;
use ringbolt_core::spec::{self, Spec};
use ringbolt_core::survey::{Silent, Survey};

use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, diagnostic};
use crate::spec_file;

/// Where the spec of this call is, and how it was found.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) path: PathBuf,
    /// The lab it belongs to, when it is a lab's.
    pub(crate) lab: Option<String>,
}

/// An error that ends a command, with what to do about it.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What went wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// How the program ends.
    pub(crate) exit: Exit,
}

impl Trouble {
    /// A usage error.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()), exit: Exit::Usage }
    }

    /// A question was answered by no.
    pub(crate) fn declined() -> Self {
        Self { message: "nothing was changed: the answer was no".into(), hint: None, exit: Exit::Declined }
    }

    /// Shows it on standard error. A no to a question is no error.
    pub(crate) fn show(&self, style: Style) -> Exit {
        let style = style.err();
        let mut err = std::io::stderr().lock();
        if self.exit == Exit::Declined {
            let _ = writeln!(err, "{}", self.message);
        } else if !self.message.is_empty() {
            let _ = writeln!(err, "{} {}", style.red("error:"), self.message);
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(err, "{} {}", style.bold(" hint:"), style.paste(hint));
        }
        self.exit
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self { message: error.to_string(), hint: None, exit: Exit::Bug }
    }
}

/// Refuses `--config` beside `--lab`: each names a spec. A lab named on the command line wins over the
/// file named by the environment.
pub(crate) fn one_place(global: &Global) -> Result<(), Trouble> {
    let (Some(path), Some(name)) = (&global.config, &global.lab) else { return Ok(()) };
    if std::env::var_os("RINGBOLT_CONFIG").is_some_and(|set| set == **path) {
        return Ok(());
    }
    let path = path.display();
    Err(Trouble::usage(
        format!("-c {path} and --lab {name} each name a spec: a lab has its own"),
        format!("leave -c out to work on the nodes of lab {name}, or --lab to work by {path}"),
    ))
}

/// The spec this call is about: `--lab`, else `--config`, else `ringbolt.toml` here, else the one
/// lab that is up.
pub(crate) fn source(global: &Global) -> Result<Source, Trouble> {
    if let Some(name) = &global.lab {
        return lab_source(name);
    }
    if let Some(path) = &global.config {
        return Ok(Source { path: path.clone(), lab: lab_of(path) });
    }
    let here = PathBuf::from("ringbolt.toml");
    if here.exists() {
        return Ok(Source { path: here, lab: None });
    }
    match ringbolt_lab::list().as_slice() {
        [] => Err(Trouble::usage(
            "there is no ringbolt.toml here",
            "write one (examples/ has eight), name it by -c FILE, or try in a lab: `ringbolt lab up --nodes 3`",
        )),
        [only] => lab_source(only),
        several => Err(Trouble::usage(
            format!("there is no ringbolt.toml here, and several labs are up: {}", several.join(", ")),
            "say which by --lab NAME",
        )),
    }
}

fn lab_source(name: &str) -> Result<Source, Trouble> {
    let lab = ringbolt_lab::open(name)
        .map_err(|e| Trouble::usage(e.to_string(), "`ringbolt lab status` lists the labs that are up"))?;
    Ok(Source { path: lab.spec(), lab: Some(name.to_owned()) })
}

/// The lab a spec file belongs to, if it lies in a lab's folder.
fn lab_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    ringbolt_lab::list().into_iter().find(|name| {
        ringbolt_lab::open(name).is_ok_and(|lab| lab.spec().canonicalize().is_ok_and(|spec| spec == path))
    })
}

/// A spec that was read, its text and where it came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The spec.
    pub(crate) spec: Spec,
    /// Its text.
    pub(crate) text: String,
    /// Its place.
    pub(crate) source: Source,
}

/// Reads the spec; its diagnostics go to standard error.
pub(crate) fn load(global: &Global, style: Style) -> Result<Loaded, Trouble> {
    let source = source(global)?;
    let shown = source.path.display().to_string();
    let text = spec_file::read(&source.path)?;
    let outcome = spec::read(&text);
    let heard = |f: &&Diagnostic| !global.quiet || f.severity == Severity::Error;
    for fault in outcome.diagnostics.iter().filter(heard) {
        let text = outcome.shown(&text);
        let _ =
            writeln!(std::io::stderr(), "{}\n", diagnostic::diagnostic(fault, &shown, &text, style.err()));
    }
    let Some(spec) = outcome.spec else {
        return Err(Trouble {
            message: format!("{shown} cannot be used: {}", diagnostic::count(&outcome.diagnostics)),
            hint: Some("`ringbolt explain CODE` tells more about each".into()),
            exit: Exit::Usage,
        });
    };
    known(&spec, global)?;
    Ok(Loaded { spec, text, source })
}

/// `--node` names must exist; what they limit is the command's business.
fn known(spec: &Spec, global: &Global) -> Result<(), Trouble> {
    for wanted in &global.node {
        if !spec.nodes.iter().any(|n| n.name.as_str() == wanted) {
            let names: Vec<&str> = spec.nodes.iter().map(|n| n.name.as_str()).collect();
            return Err(Trouble::usage(
                format!("the spec has no node {wanted}"),
                format!("it has {}", names.join(", ")),
            ));
        }
    }
    Ok(())
}

/// How ssh is used for the nodes of a spec.
pub(crate) fn ssh_options(loaded: &Loaded, global: &Global, runs: &Runs) -> Result<SshOptions, Trouble> {
    let executable = Executable::own(runs.state()).map_err(|e| Trouble {
        message: e.to_string(),
        hint: Some("ringbolt copies itself to the nodes and must be able to read its own file".into()),
        exit: Exit::Bug,
    })?;
    let base = loaded.source.path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(SshOptions { config: global.ssh_config.clone(), base, executable })
}

/// Lines to the nodes of a spec.
pub(crate) struct Session {
    /// What was read.
    pub(crate) loaded: Loaded,
    /// The nodes.
    pub(crate) fleet: Arc<Fleet>,
    /// Past runs, and where new ones go.
    pub(crate) runs: Runs,
    /// What ends a run early, where it is not the user's Ctrl-C.
    pub(crate) stop: Option<Stop>,
}

impl Session {
    /// Reads the spec and begins to connect. Needs a runtime.
    pub(crate) fn open(global: &Global, style: Style) -> Result<Self, Trouble> {
        let loaded = load(global, style)?;
        let runs = Runs::own();
        let options = ssh_options(&loaded, global, &runs)?;
        let fleet = Fleet::connect(&loaded.spec, &options)?;
        Ok(Self { loaded, fleet: Arc::new(fleet), runs, stop: None })
    }

    /// What a run is ended early by.
    pub(crate) fn stopping(&self) -> std::io::Result<Stop> {
        self.stop.clone().map_or_else(stop::on_signals, Ok)
    }

    /// One look at all nodes, put together with the spec.
    pub(crate) async fn survey(&self) -> Result<Survey, Trouble> {
        self.survey_with(false).await
    }

    /// The same, with the cables of the last apply forgotten or not.
    pub(crate) async fn survey_with(&self, forget_cables: bool) -> Result<Survey, Trouble> {
        let mut seen = look(&self.fleet, &self.loaded.spec, Disks::Uses).await;
        if forget_cables {
            for facts in seen.fleet.nodes.values_mut() {
                if let Some(file) = facts.state.files.get_mut(ringbolt_core::bind::memory::PATH) {
                    file.text = Some(String::new());
                }
            }
        }
        let missing = seen.missing.clone();
        let mut survey = self.put_together(seen)?;
        let Some(wish) = &survey.desired.ceph else { return Ok(survey) };
        // A disk is asked for its condition only when it is about to be taken, a clock only when monitors are about to
        // be made: a look with nothing to do costs no more.
        let (due, apart) = (unasked(&wish.disks), wish.clocks_due(&survey.fleet));
        if due.is_empty() && apart.is_empty() {
            return Ok(survey);
        }
        conditions(&self.fleet, &mut survey.fleet, due).await;
        clocks(&self.fleet, &mut survey.fleet, apart).await;
        self.put_together(Seen { fleet: survey.fleet, missing })
    }

    /// One look with the disks of every node and their health, whether the spec asks for any or not.
    pub(crate) async fn survey_of_disks(&self) -> Result<Survey, Trouble> {
        let mut questions = question::of(&self.loaded.spec, Disks::Health);
        for question in questions.values_mut() {
            question.disks = Disks::Health;
        }
        self.put_together(look_by(&self.fleet, &self.loaded.spec, questions).await)
    }

    /// One look with questions of the caller.
    pub(crate) async fn survey_by(&self, questions: BTreeMap<NodeName, Question>) -> Result<Survey, Trouble> {
        self.put_together(look_by(&self.fleet, &self.loaded.spec, questions).await)
    }

    fn put_together(&self, seen: Seen) -> Result<Survey, Trouble> {
        let silent: Vec<Silent> = seen
            .missing
            .iter()
            .map(|(node, why)| {
                let cure = why.hint().unwrap_or_else(|| format!("try `ssh {node}` by hand"));
                Silent { node: node.clone(), why: why.in_full(), cure, full: why.is_full() }
            })
            .collect();
        Survey::new(self.loaded.spec.clone(), seen.fleet, silent).map_err(|e| {
            Trouble::usage(
                e.to_string(),
                "widen `prefix` in [fabric], or mend the router IDs given in the spec",
            )
        })
    }
}

/// A runtime for one command: everything waits on the nodes, so one thread is enough. Boxed, so that tokio's part is
/// compiled for what comes out, not for every command anew.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let future: Pin<Box<dyn Future<Output = Result<T, Trouble>> + '_>> = Box::pin(future);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
