//! A daemon's admin socket: one command a connection.
//!
//! The command is JSON and ends with a zero byte; the answer is its length in four bytes, the highest
//! first, and the text.

use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a daemon may think.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest answer taken.
const LONGEST: u32 = 16 * 1024 * 1024;

/// The answer to a command without options.
pub(super) fn ask(socket: &Path, command: &str) -> std::io::Result<String> {
    let mut line = UnixStream::connect(socket)?;
    line.set_read_timeout(Some(PATIENCE))?;
    line.set_write_timeout(Some(PATIENCE))?;
    let asked = serde_json::json!({"prefix": command, "format": "json"}).to_string();
    line.write_all(asked.as_bytes())?;
    line.write_all(&[0])?;
    let mut length = [0; 4];
    line.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(Error::new(ErrorKind::InvalidData, "an answer without end"));
    }
    let mut text = Vec::new();
    line.take(u64::from(length)).read_to_end(&mut text)?;
    if text.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
