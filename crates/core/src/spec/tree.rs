//! Typed access to the spanned TOML tree, collecting faults as it goes.
//!
//! Used by the section readers (`cluster`, `fabric`, `node`, `link`, `ssh`). It knows types, keys
//! and places; what a value means is the sections' business.

use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::{key, near::nearest, secret};
use crate::diagnostic::{Code, Diagnostic};
use crate::explain::file;

/// A range of bytes in the text.
pub(super) type Span = Range<usize>;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Diagnostic>);

impl Faults {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }
}

/// One table of the file: a section, or an inline table.
#[derive(Clone, Debug)]
pub(super) struct Table<'t> {
    /// Its name in `key::SECTIONS`.
    pub(super) section: &'static str,
    /// The header, or the whole of an inline table.
    pub(super) header: Span,
    text: &'t str,
    map: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn new(section: &'static str, header: Span, text: &'t str, map: &'t DeTable<'t>) -> Self {
        Self { section, header, text, map }
    }

    /// A table inside this one.
    pub(super) fn inner(&self, section: &'static str, map: &'t DeTable<'t>, span: Span) -> Self {
        Self::new(section, span, self.text, map)
    }

    /// The value of a key, whatever its type.
    pub(super) fn value(&self, name: &str) -> Option<At<&'t DeValue<'t>>> {
        debug_assert!(
            key::of(self.section).any(|k| k.name == name),
            "{}.{name} is not in KEYS",
            self.section
        );
        self.map.get(name).map(|v| At { value: v.get_ref(), span: v.span() })
    }

    /// The place of a key's name.
    pub(super) fn key_span(&self, name: &str) -> Option<Span> {
        self.map.keys().find(|k| k.get_ref() == name).map(toml::Spanned::span)
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<At<&'t str>> {
        let found = self.value(name)?;
        let text = self.as_text(&found, name, faults)?;
        if text.value.trim().is_empty() {
            faults.push(
                Diagnostic::error(file::EMPTY, text.span, format!("`{name}` is empty"))
                    .help("give a value, or remove the key"),
            );
            return None;
        }
        Some(text)
    }

    /// A text that must be there.
    pub(super) fn required_text(&self, name: &str, faults: &mut Faults) -> Option<At<&'t str>> {
        self.require(name, faults);
        self.text(name, faults)
    }

    /// Reports the key as missing if it is.
    pub(super) fn require(&self, name: &str, faults: &mut Faults) {
        // A misspelt key is one fault, not two.
        let misspelt = |key: &str| !self.knows(key) && self.meant_here(key).is_some_and(|k| k.name == name);
        if self.map.contains_key(name) || self.map.keys().any(|key| misspelt(key.get_ref())) {
            return;
        }
        let example = key::of(self.section).find(|k| k.name == name).map_or("…", |k| k.example);
        faults.push(
            Diagnostic::error(file::MISSING_KEY, self.header.clone(), format!("`{name}` is missing"))
                .label(format!("this section needs `{name}`"))
                .help(format!("add: {name} = {example}")),
        );
    }

    /// A whole number in a range; another one is a fault with the given code.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
        code: Code,
        unit: &str,
        faults: &mut Faults,
    ) -> Option<At<u32>> {
        let found = self.value(name)?;
        let DeValue::Integer(written) = found.value else {
            self.wrong_type(&found, name, "a whole number", faults);
            return None;
        };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        if let Some(value) = number.filter(|n| range.contains(n)).and_then(|n| u32::try_from(n).ok()) {
            return Some(At { value, span: found.span });
        }
        let (low, high) = range.into_inner();
        let nearer = if number.is_some_and(|n| n < low) { low } else { high };
        let shown = number.map_or_else(|| "this number".to_owned(), |n| n.to_string());
        faults.push(
            Diagnostic::error(code, found.span, format!("`{name}` cannot be {shown}"))
                .label(format!("{low} to {high}{unit}"))
                .help(format!("the nearest value allowed: {name} = {nearer}")),
        );
        None
    }

    /// True or false.
    pub(super) fn switch(&self, name: &str, faults: &mut Faults) -> Option<At<bool>> {
        let found = self.value(name)?;
        if let DeValue::Boolean(value) = found.value {
            return Some(At { value: *value, span: found.span });
        }
        self.wrong_type(&found, name, "true or false", faults);
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&'static str, T)],
        faults: &mut Faults,
    ) -> Option<At<T>> {
        let text = self.text(name, faults)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(At { value: *value, span: text.span });
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let all = words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        let meant = nearest(text.value, words.iter().copied());
        let help = match meant {
            Some(word) => format!("did you mean \"{word}\"? The choices are {all}"),
            None => format!("the choices are {all}"),
        };
        let message = format!("`{name}` cannot be {:?}", text.value);
        faults.push(Diagnostic::error(file::UNKNOWN_CHOICE, text.span, message).help(help));
        None
    }

    /// A list of texts, none of them empty.
    pub(super) fn texts(&self, name: &str, faults: &mut Faults) -> Option<At<Vec<At<&'t str>>>> {
        let found = self.value(name)?;
        let DeValue::Array(items) = found.value else {
            self.wrong_type(&found, name, "a list", faults);
            return None;
        };
        let mut texts = Vec::new();
        let mut whole = true;
        for item in items.iter() {
            let item = At { value: item.get_ref(), span: item.span() };
            let DeValue::String(text) = item.value else {
                whole = false;
                faults.push(self.wrong_entry(&item, name));
                continue;
            };
            let text = At { value: text.as_ref(), span: item.span };
            if text.value.trim().is_empty() {
                whole = false;
                faults.push(
                    Diagnostic::error(file::EMPTY, text.span, format!("an entry of `{name}` is empty"))
                        .help("give a value, or remove the entry"),
                );
            } else {
                texts.push(text);
            }
        }
        whole.then_some(At { value: texts, span: found.span })
    }

    fn as_text(&self, found: &At<&'t DeValue<'t>>, name: &str, faults: &mut Faults) -> Option<At<&'t str>> {
        if let DeValue::String(text) = found.value {
            return Some(At { value: text.as_ref(), span: found.span.clone() });
        }
        self.wrong_type(found, name, "text in quotes", faults);
        None
    }

    fn wrong_entry(&self, item: &At<&DeValue<'_>>, name: &str) -> Diagnostic {
        let is = kind(item.value);
        let fault = Diagnostic::error(
            file::WRONG_TYPE,
            item.span.clone(),
            format!("the entries of `{name}` must be text in quotes"),
        )
        .label(format!("this is {is}"));
        match (item.value, self.text.get(item.span.clone())) {
            (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_), Some(written)) => {
                fault.help(format!("write: \"{written}\""))
            }
            _ => fault.help("write each entry in double quotes"),
        }
    }

    /// Reports a value of the wrong type, with the line as it should be where that is plain.
    pub(super) fn wrong_type(&self, found: &At<&DeValue<'_>>, name: &str, wanted: &str, faults: &mut Faults) {
        let is = kind(found.value);
        let written = self.text.get(found.span.clone()).unwrap_or_default();
        let example = key::of(self.section).find(|k| k.name == name).map_or("…", |k| k.example);
        let better = match (found.value, wanted) {
            (DeValue::String(t), "a whole number") if t.trim().parse::<i64>().is_ok() => t.trim().to_owned(),
            (DeValue::String(t), "true or false") => match t.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" | "1" | "enabled" => "true".to_owned(),
                _ => "false".to_owned(),
            },
            (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_), "text in quotes")
                if !written.contains('\n') =>
            {
                format!("\"{written}\"")
            }
            (DeValue::String(_), "a list") if !written.contains('\n') => format!("[{written}]"),
            _ => example.to_owned(),
        };
        faults.push(
            Diagnostic::error(
                file::WRONG_TYPE,
                found.span.clone(),
                format!("`{name}` must be {wanted}, not {is}"),
            )
            .label(format!("this is {is}"))
            .help(format!("write: {name} = {better}")),
        );
    }

    /// Reports every key that this section does not know.
    pub(super) fn unknown_keys(&self, faults: &mut Faults) {
        for (written, value) in self.map {
            let name = written.get_ref().as_ref();
            if self.knows(name) {
                continue;
            }
            if secret::is_secret_name(name) {
                faults.push(secret::fault(name, written.span()));
                continue;
            }
            let header = key::SECTIONS.iter().find(|s| s.name == self.section).map_or("", |s| s.header);
            let inside = if self.section.contains('.') {
                format!("in the filter `{header}`")
            } else {
                format!("in {header}")
            };
            let is_table = matches!(value.get_ref(), DeValue::Table(_));
            let mut fault = Diagnostic::error(
                file::UNKNOWN_KEY,
                written.span(),
                format!("`{name}` is not a key {inside}"),
            );
            if let Some(help) = self.meant(name, is_table) {
                fault = fault.help(help);
            }
            faults.push(fault);
        }
    }

    fn knows(&self, name: &str) -> bool {
        key::of(self.section).any(|k| k.name == name)
    }

    /// The key of this section, not yet in it, that an unknown one was meant to be.
    fn meant_here(&self, name: &str) -> Option<&'static key::Key> {
        let open = || key::of(self.section).filter(|k| !self.map.contains_key(k.name));
        let plain = name.to_ascii_lowercase().replace('-', "_");
        match nearest(name, open().map(|k| k.name)) {
            Some(near) => open().find(|k| k.name == near),
            None => open().find(|k| k.also.contains(&plain.as_str())),
        }
    }

    /// What to say about an unknown key.
    fn meant(&self, name: &str, is_table: bool) -> Option<String> {
        if let Some(k) = self.meant_here(name) {
            return Some(format!("did you mean `{}`?", k.name));
        }
        let plain = name.to_ascii_lowercase().replace('-', "_");
        let elsewhere = nearest(name, key::KEYS.iter().map(|k| k.name)).unwrap_or(&plain);
        if let Some(k) = key::KEYS.iter().find(|k| k.name == elsewhere && k.section != self.section) {
            let header = key::SECTIONS.iter().find(|s| s.name == k.section).map_or("", |s| s.header);
            return Some(if k.name == name {
                format!("`{name}` belongs in {header}")
            } else {
                format!("did you mean `{}`? It belongs in {header}", k.name)
            });
        }
        if is_table {
            return None;
        }
        let all = key::of(self.section).map(|k| format!("`{}`", k.name)).collect::<Vec<_>>().join(", ");
        Some(format!("the keys here are {all}"))
    }
}

/// The type of a value, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
