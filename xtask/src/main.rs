//! Tasks of the project itself: `cargo xtask TASK`.

mod reference;

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  reference            write the pages of docs/reference that come from the code
  reference --check    fail if one of them is stale
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["reference"] => reference::write(),
        ["reference", "--check"] => reference::check(),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(said) => {
            let _ = writeln!(std::io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
