//! `rados bench`: objects of its own in a namespace of their own, written, read twice, removed.
//!
//! What a crash of an earlier run left in that namespace is removed first. The tool names its objects by host and
//! process; the namespace tells them from everybody else's.

use ringbolt_core::bench::ask::{Measured, Rados};
use ringbolt_core::bench::ceph::rados::{Kind, Phase, parse};
use ringbolt_core::bench::ceph::{NAMESPACE, PREFIX};
use ringbolt_core::wire::Failure;

use super::pool::{checked, stopped};
use crate::exec::{Call, call};
use crate::stop::Stop;

/// Longest measurement in seconds.
const LONGEST: u32 = 600;

/// Seconds a cluster that stalls is waited for.
const PATIENCE: u64 = 60;

/// Beginning of the names the tool gives to objects.
const OBJECTS: &str = "benchmark_data";

/// Writes, reads in order, reads at random, and removes.
pub(super) fn rados(asked: &Rados, stop: &Stop, say: &dyn Fn(String)) -> Result<Measured, Failure> {
    checked(&asked.pool)?;
    say("what an earlier run left behind".into());
    remove(&asked.pool)?;
    let objects = Objects { pool: &asked.pool, there: true };
    let name = format!("{PREFIX}{}", std::process::id());
    let mut phases: Vec<Phase> = Vec::new();
    let mut troubles = Vec::new();
    for kind in [Kind::Write, Kind::Seq, Kind::Rand] {
        if stop.is_set() {
            break;
        }
        say(format!("rados bench {}", kind.word()));
        match phase(asked, kind, &name, stop) {
            Ok(phase) => phases.push(phase),
            Err(failure) => {
                troubles.push(format!("rados {}: {}", kind.word(), failure.message));
                break;
            }
        }
    }
    let left =
        objects.removed().err().map(|failure| format!("objects were left behind: {}", failure.message));
    if stop.is_set() {
        return Err(stopped(left));
    }
    troubles.extend(left);
    Ok(Measured::Rados { phases, troubles })
}

fn phase(asked: &Rados, kind: Kind, name: &str, stop: &Stop) -> Result<Phase, Failure> {
    let call = arguments(asked, kind, name);
    let output = call.start()?.finish(Some(stop))?.checked(&call)?;
    parse(kind, &output.out, asked.block).map_err(|e| Failure::broken(format!("{e}: {}", output.last(2))))
}

fn arguments(asked: &Rados, kind: Kind, name: &str) -> Call {
    let seconds = asked.seconds.clamp(1, LONGEST);
    let mut words: Vec<String> = ["-p", &asked.pool, "-N", NAMESPACE, "bench"].map(String::from).into();
    words.extend([seconds.to_string(), kind.word().into(), "-t".into(), asked.threads.to_string()]);
    words.extend(["--run-name", name, "--format", "json"].map(String::from));
    if kind == Kind::Write {
        words.extend(["-b".into(), asked.block.to_string()]);
        words.extend(["--max-objects".into(), asked.objects.to_string(), "--no-cleanup".into()]);
    }
    call("rados", words).limit(u64::from(seconds) + PATIENCE)
}

/// Objects that are removed when they are no longer needed.
struct Objects<'a> {
    pool: &'a str,
    there: bool,
}

impl Objects<'_> {
    fn removed(mut self) -> Result<(), Failure> {
        self.there = false;
        remove(self.pool)
    }
}

impl Drop for Objects<'_> {
    fn drop(&mut self) {
        if self.there {
            let _ = remove(self.pool);
        }
    }
}

/// Removes everything in the namespace: data by its prefix, then the few objects the tool keeps its notes in.
fn remove(pool: &str) -> Result<(), Failure> {
    if listed(pool)?.is_empty() {
        return Ok(());
    }
    let clean = ["-p", pool, "-N", NAMESPACE, "cleanup", "--prefix", OBJECTS];
    call("rados", clean).limit(4 * PATIENCE).joined().must()?;
    let rest = listed(pool)?;
    if !rest.is_empty() {
        let words = ["-p", pool, "-N", NAMESPACE, "rm"].map(String::from).into_iter().chain(rest);
        call("rados", words).limit(PATIENCE).joined().must()?;
    }
    Ok(())
}

fn listed(pool: &str) -> Result<Vec<String>, Failure> {
    let output = call("rados", ["-p", pool, "-N", NAMESPACE, "ls"]).limit(PATIENCE).must()?;
    Ok(output.out.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_lines() {
        let asked = Rados { pool: "vm".into(), seconds: 10, block: 4 << 20, threads: 16, objects: 256 };
        assert_eq!(
            arguments(&asked, Kind::Write, "ringbolt-bench-7").line(),
            "rados -p vm -N ringbolt-bench bench 10 write -t 16 --run-name ringbolt-bench-7 --format json -b 4194304 \
             --max-objects 256 --no-cleanup"
        );
        assert_eq!(
            arguments(&asked, Kind::Rand, "ringbolt-bench-7").line(),
            "rados -p vm -N ringbolt-bench bench 10 rand -t 16 --run-name ringbolt-bench-7 --format json"
        );
    }
}
