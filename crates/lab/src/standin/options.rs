//! The option parser of Proxmox's command line: `--name value`, lists by
//! repeating, booleans with or without a value.
//!
//! Used by `pvesh`.

use serde_json::{Value, json};

use super::fail::Fail;
use super::schema::{Kind, Param, Params};

/// Options and the rest of a command line.
pub(crate) struct Parsed {
    /// Values by name.
    pub(crate) values: Params,
    /// What is not an option.
    pub(crate) positional: Vec<String>,
}

/// Splits a command line by the options it may have.
pub(crate) fn parse(args: &[String], known: &[Param]) -> Result<Parsed, Fail> {
    let mut values = Params::new();
    let mut positional = Vec::new();
    let mut complaints = Vec::new();
    let mut rest = args.iter().peekable();
    while let Some(arg) = rest.next() {
        let Some(body) = arg
            .strip_prefix("--")
            .or_else(|| arg.strip_prefix('-').filter(|b| b.starts_with(|c: char| c.is_ascii_alphabetic())))
        else {
            positional.push(arg.clone());
            continue;
        };
        if body.is_empty() {
            positional.extend(rest.by_ref().cloned());
            break;
        }
        let (name, inline) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let Some(param) = known.iter().find(|p| p.name == name) else {
            complaints.push(format!("Unknown option: {name}"));
            continue;
        };
        let value = match inline {
            Some(value) => Some(value),
            None if param.kind == Kind::Boolean => {
                Some(rest.next_if(|next| !next.starts_with('-')).cloned().unwrap_or_else(|| "1".to_owned()))
            }
            None => rest.next().cloned(),
        };
        match value {
            Some(value) => store(&mut values, param, value),
            None => complaints.push(format!("Option {name} requires an argument")),
        }
    }
    if complaints.is_empty() {
        Ok(Parsed { values, positional })
    } else {
        Err(Fail::Usage(complaints, "unable to parse option".to_owned()))
    }
}

fn store(values: &mut Params, param: &Param, value: String) {
    if matches!(param.kind, Kind::Words(_) | Kind::Ports) {
        if let Value::Array(list) = values.entry(param.name.to_owned()).or_insert_with(|| json!([])) {
            list.push(Value::String(value));
        }
    } else {
        values.insert(param.name.to_owned(), Value::String(value));
    }
}
