//! Parameters of the API: their kinds, formats and the errors of values that
//! do not fit.
//!
//! Used by `api` (the table) and `pvesh` (the checks). The error texts are
//! those of Proxmox's JSON schema checker.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::fail::Fail;
use super::host::Release;

/// Values of one call by parameter name: text, 0 or 1 for booleans, lists.
pub type Params = BTreeMap<String, Value>;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// 0 or 1.
    Boolean,
    /// A whole number within bounds.
    Integer(Option<i64>, Option<i64>),
    /// A number within bounds.
    Number(Option<i64>, Option<i64>),
    /// One of these words.
    Enum(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A list of fabric interface entries.
    Ports,
}

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// None.
    Any,
    /// `pve-sdn-fabric-id`
    FabricId,
    /// `pve-node`
    Node,
    /// `CIDR`
    Cidr,
    /// `CIDRv4`
    Cidr4,
    /// `CIDRv6`
    Cidr6,
    /// `ipv4`
    Ip4,
    /// `ipv6`
    Ip6,
    /// `pve-iface`
    Iface,
    /// `pve-storage-id`
    StorageId,
    /// A format that is named in the schema but not checked here.
    Unchecked(&'static str),
}

impl Format {
    /// The name in Proxmox's schema.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Any => return None,
            Self::FabricId => "pve-sdn-fabric-id",
            Self::Node => "pve-node",
            Self::Cidr => "CIDR",
            Self::Cidr4 => "CIDRv4",
            Self::Cidr6 => "CIDRv6",
            Self::Ip4 => "ipv4",
            Self::Ip6 => "ipv6",
            Self::Iface => "pve-iface",
            Self::StorageId => "pve-storage-id",
            Self::Unchecked(name) => name,
        })
    }
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its form.
    pub format: Format,
    /// Whether it may be left out.
    pub optional: bool,
    /// Another parameter that must come with it.
    pub requires: Option<&'static str>,
    /// Length bounds.
    pub length: (Option<usize>, Option<usize>),
    /// A pattern the whole text must match.
    pub pattern: Option<fn(&str) -> bool>,
}

impl Param {
    /// A required text.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Text,
            format: Format::Any,
            optional: false,
            requires: None,
            length: (None, None),
            pattern: None,
        }
    }

    /// Of another kind.
    #[must_use]
    pub const fn of(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// With a form.
    #[must_use]
    pub const fn form(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// May be left out.
    #[must_use]
    pub const fn opt(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Needs another parameter.
    #[must_use]
    pub const fn needs(mut self, other: &'static str) -> Self {
        self.requires = Some(other);
        self
    }

    /// With a pattern.
    #[must_use]
    pub const fn like(mut self, pattern: fn(&str) -> bool) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// With length bounds.
    #[must_use]
    pub const fn len(mut self, min: Option<usize>, max: Option<usize>) -> Self {
        self.length = (min, max);
        self
    }
}

/// Checks the values of a call, and turns booleans into 0 and 1.
///
/// # Errors
/// All faults at once.
pub fn verify(spec: &[Param], values: &mut Params, release: Release) -> Result<(), Fail> {
    let mut errors = BTreeMap::new();
    for param in spec {
        let Some(value) = values.get_mut(param.name) else {
            if !param.optional {
                errors.insert(param.name.to_owned(), MISSING.to_owned());
            }
            continue;
        };
        check(param, value, release, &mut errors);
    }
    for param in spec.iter().filter(|p| values.contains_key(p.name)) {
        if let Some(other) = param.requires
            && !values.contains_key(other)
        {
            errors.insert(other.to_owned(), format!("missing property required by '{}'", param.name));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Fail::Params(errors)) }
}

const MISSING: &str = "property is missing and it is not optional";

fn check(param: &Param, value: &mut Value, release: Release, errors: &mut BTreeMap<String, String>) {
    match param.kind {
        Kind::Words(words) => each(param.name, value, errors, |_, text, _| word(words, text)),
        Kind::Ports => each(param.name, value, errors, port),
        Kind::Boolean => match boolean(value) {
            Some(on) => *value = json!(i32::from(on)),
            None => {
                errors.insert(param.name.to_owned(), mistyped("boolean", value));
            }
        },
        _ => {
            if let Err(text) = scalar(param, value.as_str().unwrap_or_default(), release) {
                errors.insert(param.name.to_owned(), text);
            }
        }
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value.as_str()?.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

fn mistyped(kind: &str, value: &Value) -> String {
    format!("type check ('{kind}') failed - got '{}'", value.as_str().unwrap_or_default())
}

type Errors = BTreeMap<String, String>;

fn each(
    name: &str,
    value: &Value,
    errors: &mut Errors,
    test: impl Fn(&str, &str, &mut Errors) -> Result<(), String>,
) {
    let items: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    for (index, item) in items.into_iter().enumerate() {
        let place = format!("{name}[{index}]");
        if let Err(text) = test(&place, item, errors) {
            errors.insert(place, text);
        }
    }
}

fn word(words: &[&str], text: &str) -> Result<(), String> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(format!("value '{text}' does not have a value in the enumeration '{}'", words.join(", ")))
}

fn scalar(param: &Param, text: &str, release: Release) -> Result<(), String> {
    match param.kind {
        Kind::Integer(min, max) => {
            let number: i64 = text.parse().map_err(|_| mistyped("integer", &json!(text)))?;
            bounds(number.cmp(&min.unwrap_or(number)), number.cmp(&max.unwrap_or(number)), min, max)
        }
        Kind::Number(min, max) => {
            let number: f64 = text.parse().map_err(|_| mistyped("number", &json!(text)))?;
            let order = |bound: Option<i64>| {
                bound
                    .and_then(|b| i32::try_from(b).ok())
                    .and_then(|b| number.partial_cmp(&f64::from(b)))
                    .unwrap_or(std::cmp::Ordering::Equal)
            };
            bounds(order(min), order(max), min, max)
        }
        Kind::Enum(words) => word(words, text),
        _ => {
            form(param.format, text).map_err(|e| format!("invalid format - {e}"))?;
            if param.format == Format::FabricId && release >= Release::V9_2 && !strict_fabric_id(text) {
                return Err("value does not match the regex pattern".to_owned());
            }
            if param.pattern.is_some_and(|fits| !fits(text)) {
                return Err("value does not match the regex pattern".to_owned());
            }
            length(param.length, text)
        }
    }
}

fn bounds(
    low: std::cmp::Ordering,
    high: std::cmp::Ordering,
    min: Option<i64>,
    max: Option<i64>,
) -> Result<(), String> {
    if let (std::cmp::Ordering::Less, Some(min)) = (low, min) {
        return Err(format!("value must have a minimum value of {min}"));
    }
    if let (std::cmp::Ordering::Greater, Some(max)) = (high, max) {
        return Err(format!("value must have a maximum value of {max}"));
    }
    Ok(())
}

fn length((min, max): (Option<usize>, Option<usize>), text: &str) -> Result<(), String> {
    if let Some(max) = max
        && text.len() > max
    {
        return Err(format!("value may only be {max} characters long"));
    }
    if let Some(min) = min
        && text.len() < min
    {
        return Err(format!("value must be at least {min} characters long"));
    }
    Ok(())
}

/// The API's rule since 9.2: two to eight characters, no dash at the end.
fn strict_fabric_id(text: &str) -> bool {
    text.len() >= 2 && !text.ends_with('-')
}

fn form(format: Format, text: &str) -> Result<(), String> {
    let fits = match format {
        Format::Any | Format::Unchecked(_) => true,
        Format::FabricId => super::fabrics::section::is_fabric_id(text),
        Format::Node => super::fabrics::section::is_node_name(text),
        Format::Cidr => cidr::<Ipv4Addr>(text, 32) || cidr::<Ipv6Addr>(text, 128),
        Format::Cidr4 => cidr::<Ipv4Addr>(text, 32),
        Format::Cidr6 => cidr::<Ipv6Addr>(text, 128),
        Format::Ip4 => text.parse::<Ipv4Addr>().is_ok(),
        Format::Ip6 => text.parse::<Ipv6Addr>().is_ok(),
        Format::Iface => is_iface(text),
        Format::StorageId => is_storage(text),
    };
    if fits {
        return Ok(());
    }
    Err(match format {
        Format::FabricId => format!("Fabric ID '{text}' contains illegal characters"),
        Format::Node => "value does not look like a valid node name".to_owned(),
        Format::Cidr => "value does not look like a valid CIDR network".to_owned(),
        Format::Cidr4 => "value does not look like a valid IPv4 network".to_owned(),
        Format::Cidr6 => "value does not look like a valid IPv6 network".to_owned(),
        Format::Ip4 => "value does not look like a valid IPv4 address".to_owned(),
        Format::Ip6 => "value does not look like a valid IPv6 address".to_owned(),
        Format::StorageId => format!("storage ID '{text}' contains illegal characters"),
        _ => format!("invalid network interface name '{text}'"),
    })
}

/// An address with a prefix length of more than seven.
fn cidr<A: std::str::FromStr>(text: &str, longest: u8) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<A>().is_ok() && length.parse::<u8>().is_ok_and(|bits| bits > 7 && bits <= longest)
    })
}

/// A letter, then letters, digits, `-`, `_` and `.`, the last one a letter or digit.
fn is_storage(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// A letter, 1 to 20 letters, digits or underscores, then perhaps `.N` or `:N`.
fn is_iface(text: &str) -> bool {
    let (stem, suffix) = match text.find([':', '.']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    (2..=21).contains(&stem.len())
        && stem.starts_with(|c: char| c.is_ascii_alphabetic())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && suffix.is_none_or(|s| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit()))
}

/// One interface entry; faults of its keys are told at `place.key`.
fn port(place: &str, text: &str, errors: &mut Errors) -> Result<(), String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            return Err("invalid format - value without key, but schema does not define a default key".into());
        };
        if seen.insert(key, value).is_some() {
            return Err(format!("invalid format - duplicate key in comma-separated list property: {key}"));
        }
    }
    let mut broken = false;
    let mut tell = |key: &str, what: String| {
        errors.insert(format!("{place}.{key}"), what);
        broken = true;
    };
    if !seen.contains_key("name") {
        tell("name", MISSING.to_owned());
    }
    for (key, value) in seen {
        let param = match key {
            "name" => Param::text("name").form(Format::Iface),
            "hello_multiplier" => Param::text("").of(Kind::Integer(Some(2), Some(100))),
            "ip" => Param::text("ip").form(Format::Cidr4),
            "ip6" => Param::text("ip6").form(Format::Cidr6),
            _ => {
                tell(
                    key,
                    "property is not defined in schema and the schema does not allow additional properties"
                        .into(),
                );
                continue;
            }
        };
        if let Err(text) = scalar(&param, value, Release::V9_2) {
            tell(key, text);
        }
    }
    if broken { Err("invalid format - format error".to_owned()) } else { Ok(()) }
}
