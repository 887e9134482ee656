//! The `ringbolt` command: reads the arguments, runs one command, ends with its exit status.

mod args;
mod command;
mod exit;
mod render;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, When};
use crate::exit::Exit;
use crate::render::Style;

fn main() -> ExitCode {
    // MARK: the lab's stand-ins for Proxmox's commands are this program under another name:
    // `ringbolt_lab::standin::dispatch(argv0, args)` goes here, before anything else.
    let cli = Cli::parse();
    let style = Style { colour: colour(cli.global.color) };
    let mut out = std::io::stdout().lock();
    let done = run(&cli, &mut out, style).and_then(|exit| out.flush().map(|()| exit));
    match done {
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
    match &cli.command {
        Command::Check(args) => command::check::run(args, &cli.global.config, out, style),
        Command::Explain(args) => command::explain::run(args, out, style),
    }
}

fn colour(when: When) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::io::stdout().is_terminal()
        }
    }
}
