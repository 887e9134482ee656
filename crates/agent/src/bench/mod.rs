//! Runs the field's own tools for `bench`, one file per tool, and gives back their figures.
//!
//! Used by the loop. Everything is bounded in time, ends when cancelled or when the line is lost (by process id), and
//! what it made is removed by the same call. It judges nothing.

use ringbolt_core::bench::ask::{Measure, Measured};
use ringbolt_core::wire::Failure;

use crate::root::Root;
use crate::stop::Stop;

mod fio;
mod interrupts;
mod iperf;
mod machine;
mod pool;
mod rados;
mod sizes;
mod writes;

/// Carries out one measurement. `say` tells what is worth knowing meanwhile.
pub(crate) fn measure(
    root: &Root,
    asked: &Measure,
    stop: &Stop,
    say: &dyn Fn(String),
) -> Result<Measured, Failure> {
    match asked {
        Measure::Machine { interfaces } => Ok(Measured::Machine(machine::machine(root, interfaces))),
        Measure::Sizes(sizes) => Ok(Measured::Sizes { rows: sizes::sizes(sizes, stop)? }),
        Measure::Serve(serve) => iperf::serve(root, serve, stop, say),
        Measure::Writes(asked) => writes::writes(root, asked, stop),
        Measure::Rados(asked) => rados::rados(asked, stop, say),
        Measure::Fio(asked) => fio::fio(root, asked, stop, say),
        Measure::Send(send) => iperf::send(root, send, stop),
    }
}
