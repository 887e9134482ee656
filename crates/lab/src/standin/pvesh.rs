//! `pvesh get|set|create|delete|ls|usage PATH …`: the command line of the API.
//!
//! A call for another node goes there over ssh, as the real command does it.

use std::io::Write;

use serde_json::{Value, json};

use super::api::{self, Method, Returns};
use super::fail::Fail;
use super::schema::{self, Kind, Param, Params};
use super::{Host, handlers, options, output, say};

use ringbolt_core::arrange::Arrange;

const COMMANDS: &[(&str, &str)] = &[("get", "GET"), ("set", "PUT"), ("create", "POST"), ("delete", "DELETE")];

const STANDARD: &[Param] = &[
    Param::text("output-format").of(Kind::Enum(&["text", "json", "json-pretty", "yaml"])).opt(),
    Param::text("noborder").of(Kind::Boolean).opt(),
    Param::text("noheader").of(Kind::Boolean).opt(),
    Param::text("human-readable").of(Kind::Boolean).opt(),
    Param::text("quiet").of(Kind::Boolean).opt(),
    Param::text("noproxy").of(Kind::Boolean).opt(),
];

/// A command line that was understood.
#[derive(Debug)]
pub struct Call {
    /// The command: `get`, `set`, `create` or `delete`.
    pub command: String,
    /// The path as given.
    pub path: String,
    /// The method it leads to.
    pub method: &'static Method,
    /// The options that belong to the method.
    pub given: Params,
    /// The variable parts of the path.
    pub from_path: Vec<(&'static str, String)>,
    format: String,
    quiet: bool,
    noproxy: bool,
}

impl Call {
    /// All parameters: those given and those of the path.
    #[must_use]
    pub fn params(&self) -> Params {
        let mut all = self.given.clone();
        for (name, value) in &self.from_path {
            all.insert((*name).to_owned(), json!(value));
        }
        all
    }
}

/// Runs a `pvesh` command line; gives the exit status.
pub fn run(host: &Host, args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let command = args.iter().find(|arg| !arg.starts_with("--")).map(String::as_str);
    let result = match command {
        Some("ls") => list(host, args, out),
        Some("usage") => usage(host, args, out),
        Some("get" | "set" | "create" | "delete") => {
            understand(host, args).and_then(|call| perform(host, &call, out, err))
        }
        Some(other) => Err(Fail::die(format!("ERROR: unknown command 'pvesh {other}'\n{SYNOPSIS}"))),
        None => Err(Fail::die(format!("ERROR: no command specified\n{SYNOPSIS}"))),
    };
    match result {
        Ok(()) => 0,
        Err(fail) => {
            say(err, &fail.to_string());
            if matches!(fail, Fail::Params(_) | Fail::Usage(..)) {
                say(err, &short_usage(host, args));
            }
            fail.status()
        }
    }
}

const SYNOPSIS: &str = "USAGE: pvesh <COMMAND> [ARGS] [OPTIONS]
       pvesh create <api_path> [OPTIONS] [FORMAT_OPTIONS]
       pvesh delete <api_path> [OPTIONS] [FORMAT_OPTIONS]
       pvesh get <api_path> [OPTIONS] [FORMAT_OPTIONS]
       pvesh ls <api_path> [OPTIONS] [FORMAT_OPTIONS]
       pvesh set <api_path> [OPTIONS] [FORMAT_OPTIONS]
       pvesh usage <api_path> [OPTIONS]";

/// Reads a command line and checks its values, without doing anything.
///
/// # Errors
/// What the real command says of it.
pub fn understand(host: &Host, args: &[String]) -> Result<Call, Fail> {
    let flags = args.iter().take_while(|arg| arg.starts_with("--")).count();
    let (leading, rest) = args.split_at(flags);
    let command = rest.first().map_or("", String::as_str);
    let verb = COMMANDS.iter().find(|(name, _)| *name == command).map_or("", |(_, verb)| verb);
    let Some(path) = rest.get(1) else {
        return Err(Fail::Usage(Vec::new(), "not enough arguments".into()));
    };
    let Some((method, from_path)) = api::find(verb, path, host.release) else {
        return Err(Fail::NoHandler(format!("No '{command}' handler defined for '{path}'")));
    };
    let own: Vec<Param> = method
        .params
        .iter()
        .filter(|param| from_path.iter().all(|(name, _)| *name != param.name))
        .copied()
        .collect();
    let all: Vec<Param> = own.iter().chain(STANDARD).copied().collect();
    let mut parsed = options::parse(&rest[2..], &all)?;
    if !parsed.positional.is_empty() {
        return Err(Fail::Usage(Vec::new(), "too many arguments".into()));
    }
    schema::verify(&all, &mut parsed.values, host.release)?;
    let mut take = |name: &str| parsed.values.remove(name);
    let format = take("output-format");
    let quiet = take("quiet").is_some_and(|v| v == json!(1));
    let noproxy = take("noproxy").is_some_and(|v| v == json!(1));
    for name in ["noborder", "noheader", "human-readable"] {
        take(name);
    }
    Ok(Call {
        command: command.to_owned(),
        path: path.clone(),
        method,
        given: parsed.values,
        from_path,
        format: format.as_ref().and_then(Value::as_str).unwrap_or("text").to_owned(),
        quiet: quiet || leading.iter().any(|arg| arg == "--nooutput"),
        noproxy: noproxy || leading.iter().any(|arg| arg == "--noproxy"),
    })
}

/// Carries a call out and prints its result.
fn perform(host: &Host, call: &Call, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Fail> {
    let value = match elsewhere(host, call)? {
        Some(address) => over_ssh(host, call, &address, err)?,
        None => local(host, call, out, err)?,
    };
    if call.method.returns != Returns::Null && !call.quiet {
        output::print(&value, &call.format, out);
    }
    Ok(())
}

fn local(host: &Host, call: &Call, out: &mut dyn Write, err: &mut dyn Write) -> Result<Value, Fail> {
    let mut params = call.params();
    let of_path: Vec<Param> = call
        .method
        .params
        .iter()
        .filter(|param| call.from_path.iter().any(|(name, _)| *name == param.name))
        .copied()
        .collect();
    schema::verify(&of_path, &mut params, host.release)?;
    handlers::call(host, call.method, &params, out, err)
}

/// The address of the node the call is for, if that is another one.
fn elsewhere(host: &Host, call: &Call) -> Result<Option<String>, Fail> {
    if !call.method.proxied {
        return Ok(None);
    }
    let params = call.params();
    if !host.dry_run && call.method.name == "dry-run" {
        return Err(Fail::param("node", "proxyto parameter does not exist"));
    }
    let node = params.get("node").and_then(Value::as_str).unwrap_or_default();
    if node == "localhost" || node == host.node {
        return Ok(None);
    }
    if call.noproxy {
        return Err(Fail::die("proxy loop detected - aborting"));
    }
    host.members()
        .into_iter()
        .find(|member| member.name == node)
        .map(|member| Some(member.address))
        .ok_or_else(|| {
            Fail::die(format!(
                "hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
            ))
        })
}

fn over_ssh(host: &Host, call: &Call, address: &str, err: &mut dyn Write) -> Result<Value, Fail> {
    let target = format!("root@{address}");
    let mut argv: Vec<String> = [
        "ssh",
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=5",
        &target,
        "pvesh",
        "--noproxy",
        &call.command,
        &call.path,
        "--output-format",
        "json",
    ]
    .iter()
    .map(|part| (*part).to_owned())
    .collect();
    for (name, value) in &call.given {
        argv.push(format!("--{name}"));
        argv.push(shell_word(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let ran = host.exec.run(&argv);
    if !ran.stderr.is_empty() {
        let _ = err.write_all(ran.stderr.as_bytes());
    }
    if ran.status != 0 {
        return Err(Fail::die(format!("proxy handler failed: exit code {}", ran.status)));
    }
    // Whatever a task printed over there stands in front of the result, and
    // then this is no JSON: the real command fails the same way.
    let joined: String = ran.stdout.lines().collect();
    if joined.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&joined).map_err(|_| {
        Fail::die(format!(
            "malformed JSON string, neither tag, array, object, number, string or atom, at character offset 0 (before \"{}...\")",
            joined.chars().take(20).collect::<String>()
        ))
    })
}

/// One word for the shell at the far end of ssh.
fn shell_word(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn list(host: &Host, args: &[String], out: &mut dyn Write) -> Result<(), Fail> {
    let path = path_argument(args)?;
    let Some((method, from_path)) = api::find("GET", path, host.release) else {
        return Err(Fail::die(format!("no such resource '{path}'")));
    };
    let Some(key) = method.child else {
        return Err(Fail::die(format!("resource '{path}' does not define child links")));
    };
    let call = Call {
        command: "ls".into(),
        path: path.into(),
        method,
        given: Params::new(),
        from_path,
        format: "json".into(),
        quiet: false,
        noproxy: args.iter().any(|arg| arg == "--noproxy"),
    };
    let value = match elsewhere(host, &call)? {
        Some(address) => {
            over_ssh(host, &Call { command: "get".into(), ..call }, &address, &mut std::io::sink())?
        }
        None => local(host, &call, out, &mut std::io::sink())?,
    };
    let mut names: Vec<&str> =
        value.as_array().into_iter().flatten().filter_map(|item| item[key].as_str()).collect();
    names.arrange();
    for name in names {
        say(out, &format!("{}        {name}", abilities(host, &format!("{path}/{name}"))));
    }
    Ok(())
}

fn abilities(host: &Host, path: &str) -> String {
    let has = |verb| api::find(verb, path, host.release);
    let read = match has("GET") {
        Some((method, _)) if method.child.is_some() => "Dr",
        Some(_) => "-r",
        None => "--",
    };
    let flag = |verb, letter| if has(verb).is_some() { letter } else { "-" };
    [read, flag("PUT", "w"), flag("POST", "c"), flag("DELETE", "d")].concat()
}

fn usage(host: &Host, args: &[String], out: &mut dyn Write) -> Result<(), Fail> {
    let path = path_argument(args)?;
    let mut found = false;
    for (command, verb) in COMMANDS {
        if let Some((method, from_path)) = api::find(verb, path, host.release) {
            found = true;
            let line = synopsis(&format!("pvesh {command} {path}"), method, &from_path);
            say(out, &format!("USAGE: {line}"));
        }
    }
    if found { Ok(()) } else { Err(Fail::die(format!("no such resource '{path}'"))) }
}

fn path_argument(args: &[String]) -> Result<&str, Fail> {
    args.iter()
        .filter(|arg| !arg.starts_with('-'))
        .nth(1)
        .map(String::as_str)
        .ok_or_else(|| Fail::Usage(Vec::new(), "not enough arguments".into()))
}

/// The line printed after a refused command line.
fn short_usage(host: &Host, args: &[String]) -> String {
    let rest: Vec<&String> = args.iter().skip_while(|arg| arg.starts_with("--")).collect();
    let command = rest.first().map_or("", |c| c.as_str());
    let verb = COMMANDS.iter().find(|(name, _)| *name == command).map_or("", |(_, verb)| verb);
    let head = format!("pvesh {command} <api_path>");
    let line = match rest.get(1).and_then(|path| api::find(verb, path, host.release)) {
        Some((method, from_path)) => synopsis(&head, method, &from_path),
        None => format!("{head} [OPTIONS]"),
    };
    format!("{line} [FORMAT_OPTIONS]")
}

fn synopsis(head: &str, method: &Method, from_path: &[(&'static str, String)]) -> String {
    let mut line = head.to_owned();
    for param in method.params {
        let in_path = from_path.iter().any(|(name, _)| *name == param.name);
        if !param.optional && !in_path {
            let kind = match param.kind {
                Kind::Boolean => "<boolean>",
                Kind::Integer(..) => "<integer>",
                Kind::Number(..) => "<number>",
                Kind::Words(_) | Kind::Ports => "<array>",
                _ => "<string>",
            };
            line.push_str(&format!(" --{} {kind}", param.name));
        }
    }
    line.push_str(" [OPTIONS]");
    line
}
