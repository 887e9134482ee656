//! The checkpoint on the node: what is there is kept, a timer of systemd puts it back, and only a word over
//! a new connection disarms it.
//!
//! Obeys the controller's orders (`serve`), is told of files by `disk`, and heals when systemd runs
//! `ringbolt agent heal`. One process at a time does any of it. It restores nothing but the files core names.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ringbolt_core::checkpoint::{ARMED, Armed, Cause, FIRED, FOLDER, Fired, Order};
use ringbolt_core::wire::Failure;

use crate::root::Root;

mod files;
mod machine;
mod store;
mod units;

pub(crate) use files::note;
pub(crate) use machine::{Live, Machine, Real};
use store::{PENDING, SAVED};

/// Set by an order to heal, so that the report can say why.
const ASKED: &str = "/var/lib/ringbolt/checkpoint/asked";

/// Held while anything here is done.
const LOCK: &str = "/var/lib/ringbolt/checkpoint/lock";

/// Carries out an order; says in a word what it did. `program` is what heals.
pub(crate) fn obey(
    root: &Root,
    machine: &dyn Machine,
    program: &Path,
    order: &Order,
) -> Result<String, Failure> {
    let _turn = turn(root)?;
    match order {
        Order::Arm { run, step, seconds } => arm(root, machine, program, &wanted(run, step, *seconds)),
        Order::Confirm { run, step } => confirm(root, machine, run, step),
        Order::Heal { run, step } => {
            own(root, run, step)?;
            store::put(root, ASKED, b"").map_err(system("note who asked"))?;
            machine.heal()?;
            Ok("undoes the step now".to_owned())
        }
        Order::Forget => {
            store::remove(root, FIRED).map_err(system("remove the report"))?;
            Ok(String::new())
        }
    }
}

/// Undoes the armed step; what became of it, `None` where there was nothing to undo.
///
/// Safe to be cut short at any point: what is back already is seen to be, and the report comes before the
/// checkpoint goes.
pub(crate) fn heal(root: &Root, machine: &dyn Machine, boot: bool) -> Result<Option<Fired>, Failure> {
    let _turn = turn(root)?;
    let Some(armed) = store::get::<Armed>(root, ARMED).map_err(system("read the checkpoint"))? else {
        units::remove(root);
        return Ok(None);
    };
    let saved =
        store::get::<files::Saved>(root, SAVED).map_err(system("read what was kept"))?.unwrap_or_default();
    let mut done = files::put_back(root, &armed, &saved);
    if !boot {
        done.left.extend(machine.live(root, &armed, &saved.live, &done.changed));
    }
    if !done.failed.is_empty() {
        // The network is what the files say now; the rest is tried again by systemd.
        return Err(Failure::broken(format!("not all is back: {}", done.failed.join("; "))));
    }
    let asked = root.at(ASKED).exists();
    let cause = match (boot || armed.boot != boot_id(root), asked) {
        (true, _) => Cause::Boot,
        (false, true) => Cause::Asked,
        (false, false) => Cause::Time,
    };
    let fired = Fired {
        run: armed.run,
        step: armed.step,
        seconds: armed.seconds,
        armed: armed.at,
        at: now(),
        cause,
        back: done.back,
        left: done.left,
    };
    store::put_json(root, FIRED, &fired).map_err(system("write the report"))?;
    disarm(root, machine).map_err(system("remove the checkpoint"))?;
    if !boot {
        machine.forget();
    }
    Ok(Some(fired))
}

/// Removes units that nothing armed stands behind; done at the end of a session.
pub(crate) fn tidy(root: &Root) {
    if units::are_there(root)
        && let Ok(_turn) = turn(root)
        && !root.at(ARMED).exists()
    {
        units::remove(root);
    }
}

fn wanted(run: &str, step: &str, seconds: u32) -> Armed {
    Armed {
        run: run.to_owned(),
        step: step.into(),
        seconds,
        at: now(),
        boot: String::new(),
        program: String::new(),
    }
}

fn arm(root: &Root, machine: &dyn Machine, program: &Path, wanted: &Armed) -> Result<String, Failure> {
    let there = store::get::<Armed>(root, ARMED).map_err(system("read the checkpoint"))?;
    let again = there.is_some();
    if let Some(there) = there.filter(|t| (&t.run, &t.step) != (&wanted.run, &wanted.step)) {
        return Err(waits(&there));
    }
    let program = program.to_str().filter(|path| units::is_plain(path)).ok_or_else(|| {
        Failure::refused(format!("{} cannot be named in a unit of systemd", program.display()))
    })?;
    let armed = Armed { boot: boot_id(root), program: program.to_owned(), ..wanted.clone() };
    store::remove(root, ASKED).map_err(system("forget an earlier order"))?;
    // A step that is tried again goes back to what was there before its first try.
    let saved = match store::get(root, SAVED).map_err(system("read what was kept"))? {
        Some(saved) if again => saved,
        _ => {
            let saved = files::look(root, machine.look()?).map_err(system("keep what is there"))?;
            store::put_json(root, SAVED, &saved).map_err(system("keep what is there"))?;
            saved
        }
    };
    let stale = units::write(root, program, armed.seconds).map_err(system("write the units"))?;
    store::put_json(root, ARMED, &armed).map_err(system("arm the checkpoint"))?;
    if let Err(failure) = machine.start(stale) {
        // Nothing has been done yet that would need undoing.
        let _ = disarm(root, machine);
        return Err(failure);
    }
    Ok(format!("{} files kept, undone in {} s", saved.files.len(), armed.seconds))
}

fn confirm(root: &Root, machine: &dyn Machine, run: &str, step: &str) -> Result<String, Failure> {
    own(root, run, step)?;
    let gone = || -> std::io::Result<()> {
        disarm(root, machine)?;
        store::remove(root, FIRED)
    };
    gone().map_err(system("disarm the checkpoint"))?;
    machine.forget();
    Ok(String::new())
}

/// Refuses unless this very step is armed.
fn own(root: &Root, run: &str, step: &str) -> Result<(), Failure> {
    match store::get::<Armed>(root, ARMED).map_err(system("read the checkpoint"))? {
        Some(there) if there.run == run && *there.step == *step => Ok(()),
        Some(other) => Err(waits(&other)),
        None => Err(match store::get::<Fired>(root, FIRED) {
            Ok(Some(fired)) if fired.run == run && *fired.step == *step => Failure::refused(fired.in_words()),
            _ => Failure::refused(format!("no checkpoint of {step} is armed")),
        }),
    }
}

/// The checkpoint goes first: from here on nothing is undone.
fn disarm(root: &Root, machine: &dyn Machine) -> std::io::Result<()> {
    store::remove(root, ARMED)?;
    machine.stop();
    units::remove(root);
    for path in [SAVED, PENDING, ASKED] {
        store::remove(root, path)?;
    }
    Ok(())
}

fn waits(there: &Armed) -> Failure {
    let until = ringbolt_core::checkpoint::utc(there.until());
    Failure::refused(format!(
        "it waits for the confirmation of {} of run {} until {until}",
        there.step, there.run
    ))
    .hint("wait until it has undone that by itself, then run again")
}

/// Waits for its turn.
fn turn(root: &Root) -> Result<File, Failure> {
    let held = || -> std::io::Result<File> {
        root.home()?;
        DirBuilder::new().recursive(true).mode(0o700).create(root.at(FOLDER))?;
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(root.at(LOCK))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        Ok(file)
    };
    held().map_err(system("take the checkpoint's lock"))
}

fn system(what: &str) -> impl FnOnce(std::io::Error) -> Failure + use<'_> {
    move |error| Failure::broken(format!("cannot {what}: {error}"))
}

fn boot_id(root: &Root) -> String {
    root.line("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

#[cfg(test)]
mod tests;
