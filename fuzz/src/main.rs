//! One program for all targets, so that there is one to build: `RINGBOLT_FUZZ` names the target, the rest of the
//! command line is libFuzzer's. `RINGBOLT_FUZZ=list` prints the names.
//!
//! Started by `scripts/fuzz`. What a target reads is in `targets.rs`; inputs to begin with are in `corpus/`.
#![no_main]

mod planner;
mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

/// The target that is asked for; without one the program ends here.
fn chosen() -> fn(&[u8]) {
    let name = std::env::var("RINGBOLT_FUZZ").unwrap_or_default();
    if name == "list" {
        for (name, _) in targets::ALL {
            println!("{name}");
        }
        std::process::exit(0);
    }
    let found = targets::ALL.iter().find(|(n, _)| *n == name);
    let Some((_, target)) = found else {
        eprintln!("error: RINGBOLT_FUZZ={name:?} names no target; RINGBOLT_FUZZ=list prints them");
        std::process::exit(2);
    };
    *target
}

fuzz_target!(init: { TARGET.get_or_init(chosen); }, |data: &[u8]| {
    TARGET.get_or_init(chosen)(data);
});
