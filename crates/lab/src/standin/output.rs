//! How `pvesh` prints a result: `json`, `json-pretty`, or text with borders.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::say;

use ringbolt_core::into_set::IntoSet;

/// Prints `value`; nothing for a null.
pub(crate) fn print(value: &Value, format: &str, out: &mut dyn Write) {
    if value.is_null() {
        return;
    }
    match format {
        "json" => say(out, &value.to_string()),
        "json-pretty" => say(out, &serde_json::to_string_pretty(value).unwrap_or_default()),
        _ => text(value, out),
    }
}

fn text(value: &Value, out: &mut dyn Write) {
    match value {
        Value::Object(object) => {
            let rows: Vec<Vec<String>> =
                object.iter().map(|(key, value)| vec![key.clone(), plain(value)]).collect();
            table(&["key".to_owned(), "value".to_owned()], &rows, out);
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let columns: BTreeSet<String> = items
                .iter()
                .filter_map(Value::as_object)
                .flat_map(|object| object.keys().cloned())
                .into_set();
            let columns: Vec<String> = columns.into_iter().collect();
            let rows: Vec<Vec<String>> =
                items.iter().map(|item| columns.iter().map(|c| plain(&item[c])).collect()).collect();
            table(&columns, &rows, out);
        }
        other => say(out, &plain(other)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(head: &[String], rows: &[Vec<String>], out: &mut dyn Write) {
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([head[column].chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let rule = |left: char, middle: &str, right: char, fill: &str| {
        let cells: Vec<String> = widths.iter().map(|w| fill.repeat(w + 2)).collect();
        format!("{left}{}{right}", cells.join(middle))
    };
    let line = |cells: &[String]| {
        let cells: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
        format!("│{}│", cells.join("│"))
    };
    say(out, &rule('┌', "┬", '┐', "─"));
    say(out, &line(head));
    for (index, row) in rows.iter().enumerate() {
        if index == 0 {
            say(out, &rule('╞', "╪", '╡', "═"));
        } else {
            say(out, &rule('├', "┼", '┤', "─"));
        }
        say(out, &line(row));
    }
    say(out, &rule('└', "┴", '┘', "─"));
}
