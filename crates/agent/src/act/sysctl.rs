//! Applies a file of kernel parameters now, as it will be applied at boot.

use ringbolt_core::wire::Failure;

use super::Outcome;
use crate::exec::call;

/// Folders such files lie in.
const FOLDERS: [&str; 2] = ["/etc/sysctl.d/", "/usr/local/lib/sysctl.d/"];

/// Applies the file.
pub(super) fn load(path: &str) -> Outcome {
    if !FOLDERS.iter().any(|folder| path.starts_with(folder)) || path.contains("/../") {
        return Err(Failure::refused(format!("{path} is no file of kernel parameters")));
    }
    call("sysctl", ["-q", &format!("--load={path}")]).joined().must()?;
    Ok(String::new())
}
