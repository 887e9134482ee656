//! Diagnostics as text for people: the lines of the spec with labels below them, the help last.
//!
//! Used by `check` and by every command that reads a spec. It decides nothing.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use ringbolt_core::diagnostic::{Diagnostic, Severity};

use super::Style;

/// One diagnostic about `text`, which was read from `path`; no newline at the end.
///
/// `text` must be what the diagnostic was made from, or a covered copy of the same length.
pub(crate) fn diagnostic(fault: &Diagnostic, path: &str, text: &str, style: Style) -> String {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(harmless(&fault.message)).id(fault.code.0);
    let mut group: Group<'_> = if fault.labels.is_empty() {
        title.element(Origin::path(path))
    } else {
        let labels = fault.labels.iter().enumerate().map(|(n, label)| {
            let kind = if n == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let span = kind.span(label.span.clone());
            if label.text.is_empty() { span } else { span.label(harmless(&label.text)) }
        });
        title.element(Snippet::source(text).path(path).annotations(labels))
    };
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// The text without characters that would steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// `2 errors and 1 warning`; empty when there are none.
pub(crate) fn count(faults: &[Diagnostic]) -> String {
    let number = |severity: Severity| faults.iter().filter(|f| f.severity == severity).count();
    let words = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{n} {word}s")),
    };
    let parts = [words(number(Severity::Error), "error"), words(number(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
