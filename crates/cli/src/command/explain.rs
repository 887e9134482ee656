//! `ringbolt explain [CODE|KEY]`: what a code means, what a key of the spec does.

use std::io::Write;

use clap::Args;
use ringbolt_core::diagnostic::Severity;
use ringbolt_core::explain::{self, Explanation};
use ringbolt_core::spec::key::{self, Key, Section};
use ringbolt_core::spec::near::nearest;

use crate::exit::Exit;
use crate::render::Style;
use crate::render::text::hang;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code such as RB0103, a key such as `fabric.mtu`, or a section; without one, all are listed
    #[arg(value_name = "CODE|KEY")]
    pub(crate) topic: Option<String>,
}

/// Explains one topic or lists them all; ends with `Usage` if there is no such topic.
pub(crate) fn run(args: &ExplainArgs, out: &mut dyn Write, style: Style) -> std::io::Result<Exit> {
    let Some(topic) = args.topic.as_deref().map(str::trim) else {
        list(out, style)?;
        return Ok(Exit::Done);
    };
    if let Some(code) = explain::lookup(topic) {
        show_code(code, out, style)?;
        return Ok(Exit::Done);
    }
    let bare = topic.trim_matches(['[', ']']);
    if let Some(section) = key::SECTIONS.iter().find(|s| s.name == bare) {
        show_section(section, out, style)?;
        return Ok(Exit::Done);
    }
    let keys = key::find(topic);
    if keys.is_empty() {
        return unknown(topic, out);
    }
    for (n, key) in keys.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        show_key(key, out, style)?;
    }
    Ok(Exit::Done)
}

fn unknown(topic: &str, out: &mut dyn Write) -> std::io::Result<Exit> {
    let paths: Vec<String> = key::KEYS.iter().map(Key::path).collect();
    let names = explain::all()
        .map(|e| e.code.0)
        .chain(key::KEYS.iter().map(|k| k.name))
        .chain(paths.iter().map(String::as_str))
        .collect::<std::collections::BTreeSet<_>>();
    writeln!(out, "error: there is no code and no key called {topic:?}")?;
    match nearest(topic, names) {
        Some(near) => writeln!(out, "hint: did you mean `ringbolt explain {near}`?")?,
        None => writeln!(out, "hint: `ringbolt explain` lists all codes and keys")?,
    }
    Ok(Exit::Usage)
}

fn list(out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    for area in explain::AREAS {
        writeln!(out, "{}", style.bold(area.title))?;
        for e in area.entries {
            writeln!(out, "  {}  {}", e.code, e.title)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", style.bold("Keys of the spec"))?;
    for section in key::SECTIONS {
        let names: Vec<&str> = key::of(section.name).map(|k| k.name).collect();
        write!(out, "{}", hang(&format!("  {:<12} ", section.header), &names.join(", "), style.width))?;
    }
    Ok(())
}

fn show_code(e: &Explanation, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    let severity = match e.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    writeln!(out, "{} ({severity})\n", style.bold(&format!("{}: {}", e.code, e.title)))?;
    write!(
        out,
        "{}\n{}",
        paragraph(&e.why.replace(" To see it: ", "\n\nTo see it: "), style),
        paragraph(e.cure, style)
    )?;
    if !e.wrong.is_empty() {
        writeln!(out, "\n{}\n\n{}", style.bold("Wrong"), indent(e.wrong))?;
        writeln!(out, "{}\n\n{}", style.bold("Right"), indent(e.right).trim_end())?;
    }
    Ok(())
}

fn show_section(section: &Section, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    writeln!(out, "{}\n\n{}", style.bold(section.header), paragraph(section.about, style))?;
    for k in key::of(section.name) {
        writeln!(out, "  {:<17} {}; default: {}", k.name, k.kind, k.default)?;
    }
    writeln!(out, "\n`ringbolt explain {}.KEY` tells more", section.name)
}

fn show_key(k: &Key, out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    let header = key::SECTIONS.iter().find(|s| s.name == k.section).map_or("", |s| s.header);
    writeln!(out, "{}, in {header} (since {})\n", style.bold(k.name), k.since)?;
    writeln!(out, "{}", paragraph(k.about, style))?;
    writeln!(out, "  type      {}", k.kind)?;
    writeln!(out, "  values    {}", k.range)?;
    writeln!(out, "  default   {}", k.default)?;
    writeln!(out, "  example   {} = {}\n", k.name, k.example)?;
    write!(out, "{}", paragraph(k.why, style))
}

fn indent(text: &str) -> String {
    text.lines().map(|l| if l.is_empty() { "\n".to_owned() } else { format!("    {l}\n") }).collect()
}

/// Text in lines that are easy to read.
fn paragraph(text: &str, style: Style) -> String {
    hang("", text, style.width.min(88))
}
