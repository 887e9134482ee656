//! `ringbolt check [FILE…]`: the spec alone, offline, every fault at once.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ringbolt_core::diagnostic::{Diagnostic, Severity};
use ringbolt_core::spec::{self, Outcome};
use serde::Serialize;

use crate::exit::Exit;
use crate::global::Global;
use crate::render::{Style, diagnostic, write_json};
use crate::session::{Trouble, source};
use crate::spec_file::{self, Unreadable};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Specs to check; without one, that of `--config` or `--lab`, else `ringbolt.toml` here
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is known about one file; the elements of `--json`.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
    diagnostics: Vec<Placed<'a>>,
}

/// A diagnostic with the line and column of its primary place, both from 1.
#[derive(Debug, Serialize)]
struct Placed<'a> {
    line: usize,
    column: usize,
    #[serde(flatten)]
    diagnostic: &'a Diagnostic,
}

/// Why a file could not be read at all.
#[derive(Debug, Serialize)]
struct Error<'a> {
    message: &'a str,
    hint: &'static str,
}

/// Checks each file; ends with `Usage` if one of them cannot be used.
pub(crate) fn run(
    args: &CheckArgs,
    global: &Global,
    out: &mut dyn Write,
    style: Style,
) -> Result<Exit, Trouble> {
    let config = match (&global.lab, &global.config) {
        (Some(_), _) => source(global)?.path,
        (None, config) => config.clone().unwrap_or_else(|| "ringbolt.toml".into()),
    };
    if global.lab.is_some() && !args.files.is_empty() {
        return Err(Trouble::usage(
            "--lab and a FILE both say what to check",
            "leave --lab out to check the file, or the file to check the lab's spec",
        ));
    }
    let files: Vec<&Path> =
        if args.files.is_empty() { vec![&config] } else { args.files.iter().map(PathBuf::as_path).collect() };
    let read: Vec<_> = files.iter().map(|f| (f.display().to_string(), load(f))).collect();
    let ok = read.iter().all(|(_, r)| r.as_ref().is_ok_and(|(_, outcome)| outcome.spec.is_some()));
    if args.json {
        let reports: Vec<Report<'_>> = read.iter().map(|(name, r)| report(name, r)).collect();
        write_json(out, &reports)?;
    } else {
        for (name, result) in &read {
            show(name, result, global.quiet, out, style)?;
        }
    }
    Ok(if ok { Exit::Done } else { Exit::Usage })
}

type Loaded = Result<(String, Outcome), Unreadable>;

fn load(path: &Path) -> Loaded {
    let text = spec_file::read(path)?;
    let outcome = spec::read(&text);
    Ok((text, outcome))
}

fn show(name: &str, result: &Loaded, quiet: bool, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    let (text, outcome) = match result {
        Ok(read) => read,
        Err(error) => return writeln!(out, "error: {}\nhint: {}", error.message, error.hint),
    };
    let shown = outcome.shown(text);
    for fault in outcome.diagnostics.iter().filter(|f| !quiet || f.severity == Severity::Error) {
        writeln!(out, "{}\n", diagnostic::diagnostic(fault, name, &shown, style))?;
    }
    let count = diagnostic::count(&outcome.diagnostics);
    match &outcome.spec {
        Some(_) if quiet => Ok(()),
        Some(spec) if count.is_empty() => writeln!(out, "{name}: ok \u{2014} {}", spec.summary()),
        Some(spec) => writeln!(out, "{name}: ok \u{2014} {}; {count}", spec.summary()),
        None => {
            let first = outcome.diagnostics.first().map_or("", |f| f.code.0);
            writeln!(out, "{name}: {count}; `ringbolt explain {first}` tells more")
        }
    }
}

fn report<'a>(name: &str, result: &'a Loaded) -> Report<'a> {
    let file = name.to_owned();
    match result {
        Err(error) => Report {
            file,
            ok: false,
            summary: None,
            error: Some(Error { message: &error.message, hint: error.hint }),
            diagnostics: Vec::new(),
        },
        Ok((text, outcome)) => Report {
            file,
            ok: outcome.spec.is_some(),
            summary: outcome.spec.as_ref().map(spec::Spec::summary),
            error: None,
            diagnostics: outcome.diagnostics.iter().map(|d| placed(text, d)).collect(),
        },
    }
}

fn placed<'a>(text: &str, diagnostic: &'a Diagnostic) -> Placed<'a> {
    let before = text.get(..diagnostic.place()).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Placed {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        diagnostic,
    }
}
