//! The `ringbolt` command: reads the arguments, runs one command, ends with its exit status.

mod args;
mod command;
mod exit;
mod global;
mod hold;
mod progress;
mod render;
mod resume;
mod session;
mod spec_file;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::global::When;
use crate::render::Style;
use crate::render::paste::Again;
use crate::render::text::terminal_width;

fn main() -> ExitCode {
    // Inside a lab node this program stands in for Proxmox's commands, under their names.
    let mut words = std::env::args();
    let name = words.next().unwrap_or_default();
    if let Some(status) = ringbolt_lab::standin::dispatch(&name, &words.collect::<Vec<_>>()) {
        return u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    // ssh asks this program for a password of `ssh setup`.
    if let Some(status) = ringbolt_control::setup::answer_ssh() {
        return status;
    }
    let cli = Cli::parse();
    if let Command::Agent(args) = &cli.command {
        return command::agent::run(args);
    }
    let when = cli.global.color;
    let style = Style {
        colour: colour(when, std::io::stdout().is_terminal()),
        colour_err: colour(when, std::io::stderr().is_terminal()),
        width: terminal_width(),
        again: Again::of(&cli.global, std::env::var_os("RINGBOLT_CONFIG").as_deref()),
    };
    let mut out = std::io::stdout().lock();
    let done = run(&cli, &mut out, style);
    let flushed = out.flush();
    drop(out);
    match done.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit.into(),
        // The reader went away (`ringbolt … | head`): nobody is left to tell.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: cannot write the output: {error}");
            Exit::Bug.into()
        }
    }
}

fn run(cli: &Cli, out: &mut dyn Write, style: Style) -> std::io::Result<Exit> {
    let global = &cli.global;
    if let Err(trouble) = session::one_place(global) {
        return Ok(trouble.show(style));
    }
    let done = match &cli.command {
        Command::Check(args) => command::check::run(args, global, out, style),
        Command::Explain(args) => return command::explain::run(args, out, style),
        Command::Discover(args) => command::discover::run(args, global, out, style),
        Command::Plan(args) => command::plan::run(args, global, out, style),
        Command::Apply(args) => command::apply::run(args, global, out, style),
        Command::Verify(args) => command::verify::run(args, global, out, style),
        Command::Ssh(args) => command::ssh::run(args, global, out, style),
        Command::Tune(args) => command::tune::run(args, global, out, style),
        Command::Lab(args) => command::lab::run(args, global, out, style),
        Command::Drill(args) => command::drill::run(args, global, out, style),
        Command::Bench(args) => command::bench::run(args, global, out, style),
        Command::History(args) => command::history::list(args, out, style),
        Command::Agent(_) => return Ok(Exit::Done), // served by `main`, before standard output is locked
        Command::Rollback(args) => command::rollback::run(args, global, out, style),
        Command::Reboot(args) => command::roll::run(&args.asked(), global, out, style),
        Command::Maintain(args) => command::roll::run(&args.asked(), global, out, style),
        Command::Sim(args) => command::sim::run(args, global, out, style),
        Command::Replay(args) => command::history::replay(args, global, out, style),
    };
    match done {
        Ok(exit) => Ok(exit),
        Err(trouble) => {
            out.flush()?;
            Ok(trouble.show(style))
        }
    }
}

/// Whether a stream gets colour.
fn colour(when: When, terminal: bool) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}
