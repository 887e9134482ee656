//! `pvesm`: the place for it. No storage is stood in for yet.

use std::io::Write;

use super::say;

/// Tells that the command is missing, and exits as a failed one.
pub(crate) fn run(args: &[String], err: &mut dyn Write) -> i32 {
    say(err, &format!("pvesm {}: not stood in for yet", args.join(" ")));
    255
}
