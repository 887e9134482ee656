//! All kept benchmarks of a cluster as one page of HTML: tables, plots, verdicts, and what changed from run to run.
//!
//! Used by `bench report`. The page needs nothing from outside, runs no script, and follows the reader's choice of
//! light or dark. It is a pure function of the runs.

mod sections;
mod svg;

use std::fmt::Write as _;

use ringbolt_core::bench::compare::{Sense, compare, figures, previous, targets};
use ringbolt_core::bench::verdict::{Level, Verdict};
use ringbolt_core::bench::{Run, What};

use self::svg::escaped;
use super::{at, is_void, number, summary, verdict_word};

/// Runs of one shape that a line over runs goes back at most.
const BACK: usize = 30;

const STYLE: &str = include_str!("page.css");

/// The page.
pub(crate) fn page(cluster: &str, runs: &[Run]) -> String {
    let title = escaped(&format!("Benchmarks of {cluster}"));
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    let latest = latest(runs);
    let _ = writeln!(
        text,
        "<p class=\"dim\">{} kept; below, the latest of each kind and what it is compared with.</p>",
        crate::render::count(runs.len(), "run")
    );
    for run in latest {
        text += &section(run, runs);
    }
    text += &list(runs);
    text + "</main>\n</body>\n</html>\n"
}

/// The latest run of each shape, the newest first.
fn latest(runs: &[Run]) -> Vec<&Run> {
    let mut shapes: Vec<String> = Vec::new();
    let mut found: Vec<&Run> = Vec::new();
    for run in runs.iter().rev() {
        let shape = run.shape();
        if !shapes.contains(&shape) {
            shapes.push(shape);
            found.push(run);
        }
    }
    found
}

fn kind(run: &Run) -> String {
    match &run.what {
        What::Mesh { links, .. } => format!("Mesh: {}", crate::render::count(links.len(), "link")),
        What::Ceph { setup, .. } => format!("Ceph: pool {}", setup.pool),
    }
}

fn section(run: &Run, runs: &[Run]) -> String {
    let mut text = format!("<section>\n<h2>{}</h2>\n", escaped(&kind(run)));
    let lab = run.lab.as_ref().map(|lab| format!(", lab {lab}")).unwrap_or_default();
    let about =
        format!("{}, {:.0} s, run {}{lab}, ringbolt {}", at(&run.began), run.took, run.id, run.ringbolt);
    let _ = writeln!(text, "<p class=\"dim\">{}</p>", escaped(&about));
    text += &outcome(run);
    text += &verdicts(&run.verdicts);
    text += &marks(run);
    text += &match &run.what {
        What::Mesh { links, .. } => sections::mesh(links),
        What::Ceph { setup, result } => sections::ceph(setup, result),
    };
    text += &promises(run);
    text += &beside(run, runs);
    text += &trends(run, runs);
    text += &sections::machines(&run.machines);
    text + "</section>\n"
}

/// The whole in a line, as the screen ends with it.
fn outcome(run: &Run) -> String {
    let bad = run.verdicts.iter().filter(|v| v.level != Level::Good).count();
    let class = match run.worst() {
        Level::Fault | Level::Finding => "bad",
        _ if is_void(run) => "dim",
        _ => "good",
    };
    let said = escaped(&summary(run, bad));
    format!("<p class=\"outcome\"><b class=\"{class}\">{}</b> {said}</p>\n", verdict_word(run))
}

fn marks(run: &Run) -> String {
    let mut text = String::new();
    for mark in &run.marks {
        let word = mark.effect.word();
        let _ = writeln!(text, "<p class=\"mark {word}\"><b>{word}</b> {}</p>", escaped(&mark.text));
    }
    text
}

/// A table; columns of figures stand at the right.
fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let is_figure = |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || "+-–./% ".contains(c));
    let figures = |column: usize| rows.iter().filter_map(|row| row.get(column)).all(is_figure);
    let classes: Vec<&str> =
        (0..heading.len()).map(|n| if figures(n) { " class=\"n\"" } else { "" }).collect();
    let mut text = "<div class=\"wide\"><table>\n<tr>".to_owned();
    for (cell, class) in heading.iter().zip(&classes) {
        let _ = write!(text, "<th{class}>{}</th>", escaped(cell));
    }
    text += "</tr>\n";
    for row in rows {
        let cells: String =
            row.iter().zip(&classes).map(|(cell, class)| format!("<td{class}>{cell}</td>")).collect();
        let _ = writeln!(text, "<tr>{cells}</tr>");
    }
    text + "</table></div>\n"
}

fn verdicts(list: &[Verdict]) -> String {
    let mut text = String::new();
    for verdict in list.iter().filter(|v| v.level != Level::Good) {
        let word = match verdict.level {
            Level::Good => "good",
            Level::Note => "note",
            Level::Finding => "finding",
            Level::Fault => "fault",
        };
        let code = verdict.code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default();
        let said = escaped(&format!("{}: {}{code}", verdict.about, verdict.text));
        let _ = writeln!(
            text,
            "<p class=\"verdict {word}\"><b>{word}</b> {said}<br>{}</p>",
            escaped(&verdict.cure)
        );
    }
    text
}

fn promises(run: &Run) -> String {
    let row = |target: ringbolt_core::bench::compare::Target| {
        let word = match target.kept {
            Some(true) => "<span class=\"good\">kept</span>",
            Some(false) => "<span class=\"bad\">missed</span>",
            None => "<span class=\"dim\">not comparable</span>",
        };
        let mut cells: Vec<String> =
            [target.name, target.measured, target.promise].iter().map(|c| escaped(c)).collect();
        cells.push(word.to_owned());
        cells.push(format!("<span class=\"dim\">{}</span>", escaped(&target.terms)));
        cells
    };
    let rows: Vec<Vec<String>> = targets(run).into_iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>What is promised for such clusters</h3>\n{}",
        table(&["", "measured", "promised", "", "terms"], &rows)
    )
}

fn beside(run: &Run, runs: &[Run]) -> String {
    let Some(before) = previous(run, runs) else { return String::new() };
    let seen = compare(run, before);
    let head = escaped(&format!("Beside the run of {}", at(&seen.began)));
    let mut text = format!("<h3>{head}</h3>\n");
    if !seen.differences.is_empty() {
        let why = escaped(&seen.differences.join("; "));
        let _ = writeln!(text, "<p class=\"dim\">Not on equal terms, so nothing is judged: {why}</p>");
    }
    let row = |change: &ringbolt_core::bench::compare::Change| {
        let sense = match change.sense {
            Sense::Same => "",
            Sense::Better => "<span class=\"good\">better</span>",
            Sense::Worse => "<span class=\"bad\">worse</span>",
        };
        let percent = format!("{:+.0} %", (change.ratio - 1.0) * 100.0);
        let (name, unit) = (escaped(&change.name), escaped(&change.unit));
        vec![name, number(change.before), number(change.now), unit, percent, sense.to_owned()]
    };
    let rows: Vec<Vec<String>> = seen.changes.iter().map(row).collect();
    text + &table(&["", "then", "now", "", "", ""], &rows)
}

/// Each figure over the runs of the same shape.
fn trends(run: &Run, runs: &[Run]) -> String {
    let shape = run.shape();
    let alike: Vec<&Run> = runs.iter().filter(|r| r.shape() == shape && r.began <= run.began).collect();
    let alike = &alike[alike.len().saturating_sub(BACK)..];
    if alike.len() < 2 {
        return String::new();
    }
    let of: Vec<_> = alike.iter().map(|r| (at(&r.began), figures(r))).collect();
    let ends = [alike.first(), alike.last()].map(|run| run.map(|r| at(&r.began)).unwrap_or_default());
    let mut text = format!(
        "<h3>From run to run</h3>\n<p class=\"dim\">{} from {} to {}, each as a dot</p>\n<div class=\"grid\">\n",
        crate::render::count(alike.len(), "run"),
        ends[0],
        ends[1]
    );
    for figure in figures(run) {
        let one = |(when, all): &(String, Vec<ringbolt_core::bench::compare::Figure>)| {
            let found = all.iter().find(|f| f.name == figure.name)?;
            Some((format!("{when}: {} {}", number(found.value), found.unit), found.value))
        };
        let points: Vec<(String, f64)> = of.iter().filter_map(one).collect();
        let now = format!("{} {}", number(figure.value), figure.unit);
        let plot = svg::trend(&points, &format!("{} over {} runs", figure.name, points.len()));
        let name = escaped(&figure.name);
        let _ = writeln!(text, "<figure><figcaption>{name} <b>{now}</b></figcaption>{plot}</figure>");
    }
    text + "</div>\n"
}

fn list(runs: &[Run]) -> String {
    let row = |run: &Run| {
        let worst = match run.worst() {
            Level::Fault => "<span class=\"bad\">fault</span>",
            Level::Finding => "<span class=\"bad\">finding</span>",
            Level::Note | Level::Good => "<span class=\"good\">good</span>",
        };
        let lab = run.lab.clone().unwrap_or_else(|| "hardware".into());
        vec![at(&run.began), escaped(&kind(run)), escaped(&lab), worst.to_owned(), escaped(&run.id)]
    };
    let rows: Vec<Vec<String>> = runs.iter().rev().map(row).collect();
    format!(
        "<section>\n<h2>All runs</h2>\n{}</section>\n",
        table(&["when", "what", "where", "", "run"], &rows)
    )
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;
