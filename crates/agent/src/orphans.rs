//! Programs an agent has started and left behind when it was killed.
//!
//! Everything an agent starts carries its mark in the environment. Daemons inherit the mark but leave the agent's
//! session; a program that is still at work is in it. Used by `exec`, which sets the mark, and by `lock`.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The variable of the mark.
pub(crate) const VARIABLE: &str = "RINGBOLT_AGENT";

/// The mark of this agent: no other one has ever had it.
pub(crate) fn mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        format!("{}-{now:x}", std::process::id())
    })
}

/// What still runs of the agent with this mark and session, as `name (process number)`.
pub(crate) fn of(mark: &str, session: i32) -> Vec<String> {
    let wanted = format!("{VARIABLE}={mark}");
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).ok()?;
        let marked = environment.split(|byte| *byte == 0).any(|word| word == wanted.as_bytes());
        let stat = marked.then(|| std::fs::read_to_string(format!("/proc/{id}/stat")).ok())??;
        let (name, own) = state(&stat)?;
        (own == session).then(|| format!("{name} ({id})"))
    })
    .collect()
}

/// Our own session, 0 when its leader is outside of our PID namespace (proc(5)); `getsid` of the libraries holds
/// that to be impossible.
pub(crate) fn session() -> i32 {
    std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| Some(state(&stat)?.1)).unwrap_or(0)
}

/// Name and session of a living process, from its line in `/proc/PID/stat`.
fn state(stat: &str) -> Option<(&str, i32)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let dead = matches!(*fields.first()?, "Z" | "X");
    if dead { None } else { Some((name, fields.get(3)?.parse().ok()?)) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::exec::call;

    #[test]
    fn what_we_started_is_found_by_the_mark_as_long_as_it_runs() {
        let session = session();
        let sleeper = || of(mark(), session).into_iter().filter(|name| name.starts_with("sleep ")).count();
        let before = sleeper();
        let stop = crate::stop::Stop::default();
        let started = call("sleep", ["61"]).limit(60).start().unwrap();
        assert_eq!(sleeper(), before + 1);
        assert_eq!(of("1-nobody", session), [] as [String; 0]);
        stop.set();
        started.finish(Some(&stop)).unwrap();
        assert_eq!(sleeper(), before);
    }

    #[test]
    fn our_session_is_the_one_the_kernel_tells() {
        let output = call("ps", ["-o", "sid=", "-p", &std::process::id().to_string()]).must().unwrap();
        assert_eq!(output.out.trim().parse(), Ok(session()));
    }

    #[test]
    fn names_with_brackets_and_the_dead() {
        assert_eq!(state("7 (a) b) S 1 7 5 0 -1"), Some(("a) b", 5)));
        assert_eq!(state("7 (x) Z 1 7 5 0 -1"), None);
        assert_eq!(state("nonsense"), None);
    }
}
