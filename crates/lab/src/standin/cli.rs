//! `pveceph` and `pvesm`: command lines over the API's methods, with the exit statuses of the real ones.

use std::io::Write;

use serde_json::{Value, json};

use super::api::{Method, Returns, methods};
use super::ceph::install;
use super::fail::Fail;
use super::schema::{self, Kind, Param, Params};
use super::{Host, ceph, handlers, options, say, storage, task};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the task's verdict.
    Verdict,
    /// Well, whatever became of the task.
    Well,
    /// By printing the text that comes back.
    Print,
}

/// One command.
struct Command {
    words: &'static [&'static str],
    verb: &'static str,
    path: &'static str,
    positional: &'static [&'static str],
    end: End,
}

const fn command(
    words: &'static [&'static str],
    verb: &'static str,
    path: &'static str,
    positional: &'static [&'static str],
    end: End,
) -> Command {
    Command { words, verb, path, positional, end }
}

const PVECEPH: &[Command] = &[
    command(&["install"], "POST", "install", &[], End::Well),
    command(&["status"], "GET", "status", &[], End::Well),
    command(&["init"], "POST", "/nodes/{node}/ceph/init", &[], End::Well),
    command(&["start"], "POST", "/nodes/{node}/ceph/start", &[], End::Verdict),
    command(&["stop"], "POST", "/nodes/{node}/ceph/stop", &[], End::Verdict),
    command(&["mon", "create"], "POST", "/nodes/{node}/ceph/mon/{monid}", &[], End::Verdict),
    command(&["mon", "destroy"], "DELETE", "/nodes/{node}/ceph/mon/{monid}", &["monid"], End::Verdict),
    command(&["mgr", "create"], "POST", "/nodes/{node}/ceph/mgr/{id}", &[], End::Verdict),
    command(&["mgr", "destroy"], "DELETE", "/nodes/{node}/ceph/mgr/{id}", &["id"], End::Verdict),
    command(&["mds", "create"], "POST", "/nodes/{node}/ceph/mds/{name}", &[], End::Verdict),
    command(&["mds", "destroy"], "DELETE", "/nodes/{node}/ceph/mds/{name}", &["name"], End::Verdict),
    command(&["osd", "create"], "POST", "/nodes/{node}/ceph/osd", &["dev"], End::Verdict),
    command(&["osd", "destroy"], "DELETE", "/nodes/{node}/ceph/osd/{osdid}", &["osdid"], End::Verdict),
    command(&["osd", "details"], "GET", "/nodes/{node}/ceph/osd/{osdid}/metadata", &["osdid"], End::Print),
    command(&["pool", "ls"], "GET", "/nodes/{node}/ceph/pool", &[], End::Print),
    command(&["pool", "get"], "GET", "/nodes/{node}/ceph/pool/{name}/status", &["name"], End::Print),
    command(&["pool", "create"], "POST", "/nodes/{node}/ceph/pool", &["name"], End::Well),
    command(&["pool", "set"], "PUT", "/nodes/{node}/ceph/pool/{name}", &["name"], End::Well),
    command(&["pool", "destroy"], "DELETE", "/nodes/{node}/ceph/pool/{name}", &["name"], End::Well),
    command(&["fs", "create"], "POST", "/nodes/{node}/ceph/fs/{name}", &[], End::Well),
];

/// Old names of commands.
const ALIASES: &[(&str, &[&str])] = &[
    ("createmon", &["mon", "create"]),
    ("destroymon", &["mon", "destroy"]),
    ("createmgr", &["mgr", "create"]),
    ("destroymgr", &["mgr", "destroy"]),
    ("createosd", &["osd", "create"]),
    ("destroyosd", &["osd", "destroy"]),
    ("createpool", &["pool", "create"]),
    ("destroypool", &["pool", "destroy"]),
    ("lspools", &["pool", "ls"]),
];

const PVESM: &[Command] = &[
    command(&["add"], "POST", "/storage", &["type", "storage"], End::Well),
    command(&["set"], "PUT", "/storage/{storage}", &["storage"], End::Well),
    command(&["remove"], "DELETE", "/storage/{storage}", &["storage"], End::Well),
    command(&["status"], "GET", "/nodes/{node}/storage", &[], End::Well),
];

static INSTALL: Method = Method::new("POST", "install", "install", install::PARAMS, Returns::Null);
static STATUS: Method = Method::new("GET", "status", "status", &[], Returns::Null);

/// A command line that was understood.
pub struct Understood {
    /// The method it calls.
    pub method: &'static Method,
    /// Its values, those of the path and the node included.
    pub params: Params,
    format: String,
    end: End,
}

/// Reads a command line and checks its values, without doing anything.
///
/// # Errors
/// What the real command says of it.
pub fn understand(host: &Host, name: &str, args: &[String]) -> Result<Understood, Fail> {
    let table = if name == "pveceph" { PVECEPH } else { PVESM };
    let words = full_words(args);
    let fits = |command: &&Command| {
        words.len() >= command.words.len() && command.words.iter().zip(&words).all(|(a, b)| a == b)
    };
    let Some(command) = table.iter().find(fits) else {
        let what = if words.is_empty() {
            "no command specified".to_owned()
        } else {
            format!("unknown command '{name} {}'", words.join(" "))
        };
        return Err(Fail::die(format!("ERROR: {what}")));
    };
    let method = match command.path {
        "install" => &INSTALL,
        "status" => &STATUS,
        path => methods()
            .find(|method| method.verb == command.verb && method.path == path)
            .ok_or_else(|| Fail::die("no handler"))?,
    };
    let format = Param::text("output-format").of(Kind::Enum(&["text", "json", "json-pretty", "yaml"])).opt();
    let known: Vec<Param> =
        method.params.iter().copied().filter(|param| param.name != "node").chain([format]).collect();
    let rest = &args[args.len() - (words.len() - command.words.len())..];
    let mut parsed = options::parse(rest, &known)?;
    if parsed.positional.len() < command.positional.len() {
        return Err(Fail::Usage(Vec::new(), "not enough arguments".into()));
    }
    if parsed.positional.len() > command.positional.len() {
        return Err(Fail::Usage(Vec::new(), "too many arguments".into()));
    }
    for (name, value) in command.positional.iter().zip(parsed.positional) {
        parsed.values.insert((*name).to_owned(), Value::String(value));
    }
    schema::verify(&known, &mut parsed.values, host.release)?;
    let format = parsed.values.remove("output-format");
    if method.params.iter().any(|param| param.name == "node") {
        parsed.values.insert("node".to_owned(), json!(host.node));
    }
    let format = format.as_ref().and_then(Value::as_str).unwrap_or("text").to_owned();
    Ok(Understood { method, params: parsed.values, format, end: command.end })
}

fn full_words(args: &[String]) -> Vec<&str> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((first, rest)) => match ALIASES.iter().find(|(old, _)| old == first) {
            Some((_, new)) => new.iter().copied().chain(rest.iter().copied()).collect(),
            None => words,
        },
        None => words,
    }
}

/// Runs a command line; gives the exit status.
pub(crate) fn run(host: &Host, name: &str, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match understand(host, name, args).and_then(|call| perform(host, &call, out, err)) {
        Ok(status) => status,
        Err(fail) => {
            say(err, &fail.to_string());
            if matches!(fail, Fail::Params(_) | Fail::Usage(..)) {
                let words: Vec<&str> =
                    args.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
                say(err, &format!("{name} {} [OPTIONS]", words.join(" ")));
            }
            fail.status()
        }
    }
}

fn perform(host: &Host, call: &Understood, out: &mut dyn Write, err: &mut dyn Write) -> Result<i32, Fail> {
    match call.method.path {
        "install" => return install::run(host, &call.params, out, err).map(|()| 0),
        "status" => return ceph::status(host, out, err).map(|()| 0),
        "/nodes/{node}/storage" => {
            storage::status(host, handlers::text(&call.params, "storage"), out);
            return Ok(0);
        }
        _ => {}
    }
    let value = handlers::call(host, call.method, &call.params, out, err)?;
    match call.end {
        End::Well => Ok(0),
        End::Print => {
            super::output::print(&value, &call.format, out);
            Ok(0)
        }
        End::Verdict => {
            let status = task::status(host, value.as_str().unwrap_or_default())?;
            let exit = status["exitstatus"].as_str().unwrap_or_default();
            Ok(if exit == "OK" || exit.starts_with("WARNINGS") { 0 } else { 255 })
        }
    }
}
