//! `ringbolt check [FILE…]`: the spec alone, offline, every fault at once.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ringbolt_core::diagnostic::Diagnostic;
use ringbolt_core::spec::{self, Outcome};
use serde::Serialize;

use crate::exit::Exit;
use crate::render::{Style, diagnostic};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Specs to check; without one, that of `--config`
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
    error: Option<&'a Unreadable>,
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
struct Unreadable {
    message: String,
    hint: &'static str,
}

/// Checks each file; ends with `Usage` if one of them cannot be used.
pub(crate) fn run(
    args: &CheckArgs,
    config: &Path,
    out: &mut dyn Write,
    style: Style,
) -> std::io::Result<Exit> {
    let files: Vec<&Path> =
        if args.files.is_empty() { vec![config] } else { args.files.iter().map(PathBuf::as_path).collect() };
    let read: Vec<_> = files.iter().map(|f| (f.display().to_string(), load(f))).collect();
    let ok = read.iter().all(|(_, r)| r.as_ref().is_ok_and(|(_, outcome)| outcome.spec.is_some()));
    if args.json {
        let reports: Vec<Report<'_>> = read.iter().map(|(name, r)| report(name, r)).collect();
        serde_json::to_writer_pretty(&mut *out, &reports)?;
        writeln!(out)?;
    } else {
        for (name, result) in &read {
            show(name, result, out, style)?;
        }
    }
    Ok(if ok { Exit::Done } else { Exit::Usage })
}

type Loaded = Result<(String, Outcome), Unreadable>;

fn load(path: &Path) -> Loaded {
    let bytes = std::fs::read(path).map_err(|error| Unreadable {
        message: format!("cannot read {}: {}", path.display(), plain(&error)),
        hint: match error.kind() {
            std::io::ErrorKind::NotFound => "give the path of a spec; examples/ has seven to begin with",
            std::io::ErrorKind::PermissionDenied => "make the file readable for you",
            std::io::ErrorKind::IsADirectory => "give the file, not its directory",
            _ => "see whether the file can be read with other programs",
        },
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        Unreadable {
            message: format!("{} is not UTF-8 text: line {line} has a byte that cannot be", path.display()),
            hint: "save the file as UTF-8",
        }
    })?;
    let outcome = spec::read(&text);
    Ok((text, outcome))
}

/// The error without the number the system adds.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn show(name: &str, result: &Loaded, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    let (text, outcome) = match result {
        Ok(read) => read,
        Err(error) => return writeln!(out, "error: {}\nhint: {}", error.message, error.hint),
    };
    let shown = outcome.shown(text);
    for fault in &outcome.diagnostics {
        writeln!(out, "{}\n", diagnostic::diagnostic(fault, name, &shown, style))?;
    }
    let count = diagnostic::count(&outcome.diagnostics);
    match &outcome.spec {
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
        Err(error) => Report { file, ok: false, summary: None, error: Some(error), diagnostics: Vec::new() },
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
