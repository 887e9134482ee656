//! Chaos: apply from fresh nodes, ended by SIGKILL again and again at every boundary of every step and at random
//! times, then run to its end. The nodes must be what they are without all that, and nothing may need a hand.
//!
//! `RINGBOLT_CHAOS_KILLS` says how often (10 unless told), `RINGBOLT_CHAOS_SEED` where; `make chaos` does it in full.
//! Needs root and the programs the lab names; says so and passes where they are missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "../rig/mod.rs"]
#[expect(dead_code, reason = "it serves another target as well")]
mod rig;

mod blow;
mod dice;
mod process;
mod report;
mod shot;
mod target;
mod watch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use blow::{Blow, strike};
use report::Report;
use rig::Rig;
use shot::Shot;
use target::Schedule;

const MINUTE: Duration = Duration::from_secs(60);

/// Blows between fresh nodes and the end.
const A_ROUND: usize = 12;

/// Runs of apply the end may take: what was struck last may still be at work on a node.
const TRIES: usize = 3;

fn number(name: &str, otherwise: u64) -> u64 {
    let told = std::env::var(name).ok().filter(|v| !v.is_empty());
    told.map_or(otherwise, |v| v.parse().unwrap_or_else(|_| panic!("{name}={v} is no number")))
}

#[test]
fn whatever_is_killed_apply_gets_there_and_nothing_is_left_of_it() {
    let kills = usize::try_from(number("RINGBOLT_CHAOS_KILLS", 10)).unwrap();
    let seed = number("RINGBOLT_CHAOS_SEED", 20_261_121);
    let Some(rig) = Rig::new("chaos") else { return };
    let mut chaos = Chaos::undisturbed(&rig, seed);
    while chaos.report.kills() < kills && chaos.report.rounds < kills {
        chaos.round(A_ROUND.min(kills - chaos.report.kills()));
    }
    let Chaos { report, schedule, .. } = chaos;
    eprintln!("\n{}", report.table(schedule.covered(), schedule.boundaries));
    assert!(
        report.good(),
        "replay with: RINGBOLT_CHAOS_SEED={seed} RINGBOLT_CHAOS_KILLS={kills} scripts/chaos"
    );
    assert!(kills < 240 || schedule.covered() == schedule.boundaries, "boundaries are left");
}

struct Chaos<'a> {
    rig: &'a Rig,
    schedule: Schedule,
    /// The nodes after an apply nobody disturbed.
    model: Shot,
    report: Report,
    folder: PathBuf,
}

impl<'a> Chaos<'a> {
    fn undisturbed(rig: &'a Rig, seed: u64) -> Self {
        let folder = rig::evidence().join(rig.name());
        let report = Report::new(seed, &folder);
        up(rig);
        rig.ok(&["apply", "--yes"]);
        rig.verified_within(MINUTE);
        assert!(
            rig.plan()["steps"].as_array().is_some_and(|steps| steps.iter().all(|s| s["action"].is_null()))
        );
        let model = shot::take(rig);
        let steps = target::steps(&watch::history(rig.state()));
        rig.ok(&["lab", "down"]);
        Self { rig, schedule: Schedule::new(steps, seed), model, report, folder }
    }

    /// From fresh nodes through some blows to the end, and a look at what came of it.
    fn round(&mut self, blows: usize) {
        self.report.rounds += 1;
        let _ = std::fs::remove_dir_all(self.rig.state().join("runs"));
        up(self.rig);
        for target in self.schedule.round(blows) {
            let at = self.report.label(&target, self.schedule.key(&target));
            match strike(self.rig, target, &mut self.schedule) {
                Blow::Struck { target, note } => {
                    self.schedule.hit(&target);
                    let at = self.report.label(&target, self.schedule.key(&target));
                    self.report.struck(target.kind, &at, &note);
                }
                Blow::Missed { status: 0, .. } => {
                    self.report.note(&at, "came too late: apply was through");
                    break;
                }
                Blow::Missed { status, said } => self.report.stumbled(&at, status, &said),
                Blow::Stranded(why) => {
                    self.report.stranded(&at, &why);
                    return self.end_round(true);
                }
            }
        }
        let bad = self.end();
        self.end_round(bad);
    }

    /// To the end, and compared; true when something is not as it should be.
    fn end(&mut self) -> bool {
        let at = format!("round {}", self.report.rounds);
        if let Err(why) = self.through(&at) {
            self.report.stranded(&at, &why);
            return true;
        }
        let differing = shot::take(self.rig).differing(&self.model);
        self.report.differing(&at, &differing);
        !differing.is_empty()
    }

    /// Apply until it succeeds, verify, and an apply that finds nothing.
    fn through(&mut self, at: &str) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let (status, said) = self.rig.run(&["apply", "--yes"]);
            if status == 0 {
                return self.settled();
            }
            self.report.stumbled(at, status, &said);
            last = said;
        }
        Err(format!("apply did not get there in {TRIES} tries:\n{last}"))
    }

    fn settled(&self) -> Result<(), String> {
        let end = Instant::now() + MINUTE;
        loop {
            let (status, said) = self.rig.run(&["verify"]);
            if status == 0 {
                break;
            }
            if Instant::now() > end {
                return Err(format!("not verified within a minute:\n{said}"));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        let (status, said) = self.rig.run(&["apply", "--yes"]);
        if status != 0 || !said.contains("nothing to do") {
            return Err(format!("the next apply ended with {status}:\n{said}"));
        }
        Ok(())
    }

    fn end_round(&mut self, bad: bool) {
        if bad {
            let folder = self.folder.join(format!("round-{}", self.report.rounds));
            self.rig.leave_evidence(&folder);
            let _ = std::process::Command::new("cp")
                .arg("-a")
                .arg(self.rig.state().join("runs"))
                .arg(&folder)
                .status();
            eprintln!("evidence: {}", folder.display());
        }
        self.rig.ok(&["lab", "down"]);
    }
}

/// Fresh nodes, which lack FRR so that packages are part of it.
fn up(rig: &Rig) {
    rig.ok(&["lab", "up", "--nodes", "3", "--without", "frr"]);
}
