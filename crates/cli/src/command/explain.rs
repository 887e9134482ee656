//! `ringbolt explain [CODE|KEY|WORD…]`: what a code means, what a key of the spec does, what a word stands for.

use std::io::Write;

use clap::Args;
use ringbolt_core::diagnostic::Severity;
use ringbolt_core::explain::{self, Explanation};
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::spec::key::{self, Key, Section};
use ringbolt_core::spec::near::nearest;

use crate::exit::Exit;
use crate::render::Style;
use crate::render::text::hang;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Codes such as RB0103, keys such as `fabric.mtu`, sections, words such as `router ID`; without one, all
    /// are listed
    #[arg(value_name = "CODE|KEY|WORD")]
    pub(crate) topics: Vec<String>,
}

/// The words of the project, as its documentation has them.
const TERMS: &str = include_str!("../../../../docs/terms.md");

/// Each word, or words that belong together, with its meaning.
fn terms() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows =
        TERMS.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.filter(|(word, _)| *word != "word" && !word.starts_with("---"))
}

/// The row that has this word, alone or among others.
fn term(topic: &str) -> Option<(&'static str, &'static str)> {
    let is = |word: &str| word.eq_ignore_ascii_case(topic);
    terms().find(|(words, _)| is(words) || words.split([',', '/']).any(|word| is(word.trim())))
}

/// Explains each topic, or lists them all; ends with `Usage` if there is no such topic.
pub(crate) fn run(args: &ExplainArgs, out: &mut dyn Write, style: Style) -> std::io::Result<Exit> {
    if args.topics.is_empty() {
        list(out, style)?;
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    for (n, topic) in args.topics.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        if !one(topic.trim(), out, style)? {
            unknown(topic, out)?;
            exit = Exit::Usage;
        }
    }
    Ok(exit)
}

/// Explains one topic; false if there is no such topic.
fn one(topic: &str, out: &mut dyn Write, style: Style) -> std::io::Result<bool> {
    if let Some(code) = explain::lookup(topic) {
        show_code(code, out, style)?;
        return Ok(true);
    }
    let bare = topic.trim_matches(['[', ']']);
    let section = key::SECTIONS.iter().find(|s| s.name == bare);
    // `node.osds` is both; of a section's name alone the section is meant.
    let whole = |k: &&Key| section.is_none() || k.path() == bare;
    let keys: Vec<&Key> = key::find(topic).into_iter().filter(whole).collect();
    let term = term(bare);
    if let Some((words, meaning)) = term {
        write!(out, "{}", hang(&format!("{}: ", style.bold(words)), meaning, style.width.min(88)))?;
    }
    if let Some(section) = section {
        if term.is_some() {
            writeln!(out)?;
        }
        show_section(section, out, style)?;
    }
    for (n, key) in keys.iter().enumerate() {
        if n > 0 || term.is_some() || section.is_some() {
            writeln!(out)?;
        }
        show_key(key, out, style)?;
    }
    Ok(term.is_some() || section.is_some() || !keys.is_empty())
}

fn unknown(topic: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let paths: Vec<String> = key::KEYS.iter().map(Key::path).collect();
    let names = explain::all()
        .map(|e| e.code.0)
        .chain(key::KEYS.iter().map(|k| k.name))
        .chain(paths.iter().map(String::as_str))
        .chain(terms().flat_map(|(words, _)| words.split(", ")))
        .into_set();
    writeln!(out, "error: there is no code, key or word called {topic:?}")?;
    // A guess at another code helps nobody.
    let digits = topic.get(..2).filter(|head| head.eq_ignore_ascii_case("RB")).and_then(|_| topic.get(2..));
    let code = digits.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    match nearest(topic, names).filter(|_| !code) {
        Some(near) => writeln!(out, "hint: did you mean `ringbolt explain {}`?", quoted(near)),
        None => writeln!(out, "hint: `ringbolt explain` lists all codes, keys and words"),
    }
}

/// As a shell takes it.
fn quoted(topic: &str) -> String {
    if topic.contains(' ') { format!("'{topic}'") } else { topic.to_owned() }
}

fn list(out: &mut dyn Write, style: Style) -> std::io::Result<()> {
    for area in explain::AREAS {
        writeln!(out, "{}", style.bold(area.title))?;
        for e in area.entries {
            write!(out, "{}", hang(&format!("  {}  ", e.code), e.title, style.width))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", style.bold("Keys of the spec"))?;
    for section in key::SECTIONS {
        let names: Vec<&str> = key::of(section.name).map(|k| k.name).collect();
        write!(out, "{}", hang(&format!("  {:<12} ", section.header), &names.join(", "), style.width))?;
    }
    writeln!(out, "\n{}", style.bold("Words"))?;
    let words: Vec<&str> = terms().map(|(words, _)| words).collect();
    write!(out, "{}", hang("  ", &words.join("; "), style.width))
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
        let text = format!("{}; default: {}", k.kind, k.default);
        write!(out, "{}", hang(&format!("  {:<17} ", k.name), &text, style.width))?;
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
