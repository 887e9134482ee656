//! Measures how many synced writes a second a disk takes, right before it becomes an OSD. Used by `osd` on a disk it has
//! just found blank; it opens the disk for itself alone, which fails where anything else has it, and leaves what it
//! wrote as zeros. It is never in the way of the OSD: what cannot be measured is not.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use ringbolt_core::bind::disks::verdict;
use ringbolt_core::facts::disk::{Disk, Medium};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, pwrite};

use super::Scene;

/// Where it writes: within the first 200 MiB, which `pveceph osd create` erases by itself.
const FROM: u64 = 64 << 20;
/// Most bytes it writes.
const SPAN: u64 = 32 << 20;
/// Bytes of each write, and what memory and place are aligned to.
const BLOCK: usize = 4096;
/// Bytes written at once when it is erased again.
const ERASE: usize = 1 << 20;
/// How long it writes.
const TIME: Duration = Duration::from_millis(800);

/// Says the figure with its verdict, or why there is none.
pub(super) fn tell(scene: &Scene<'_>, disk: &Disk) {
    let lab = scene.root.realm.lab.is_some();
    (scene.say)(match rate(scene, disk) {
        Ok(rate) if lab => format!("{} (lab: a file of this machine)", verdict(rate, false)),
        Ok(rate) => verdict(rate, disk.medium == Medium::Hdd),
        Err(why) => format!("not measured with synced writes: {why}"),
    });
}

/// Writes a second.
fn rate(scene: &Scene<'_>, disk: &Disk) -> Result<f64, String> {
    if disk.size < FROM + SPAN {
        return Err("it is too small".into());
    }
    let flags = OFlags::RDWR | OFlags::DIRECT | OFlags::DSYNC | OFlags::EXCL | OFlags::CLOEXEC;
    let file = open(scene.root.at(&disk.path), flags, Mode::empty()).map_err(|e| e.to_string())?;
    let (written, took) = write(&file, || scene.stop.is_set());
    let erased = erase(&file, written.unwrap_or(SPAN / BLOCK as u64));
    let written = written.map_err(|e| e.to_string())?;
    erased.map_err(|e| format!("what was written could not be erased: {e}"))?;
    let seconds = took.as_secs_f64();
    if written == 0 || seconds <= 0.0 {
        return Err("no write was finished".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "at most some thousands")]
    Ok(written as f64 / seconds)
}

/// Writes block after block until the time or the span ends; how many, and how long it took.
fn write(file: &OwnedFd, stop: impl Fn() -> bool) -> (Result<u64, Errno>, Duration) {
    let mut memory = vec![0_u8; 2 * BLOCK];
    // What compresses or is all zeros some drives do not write at all.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for byte in &mut memory {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        *byte = seed.to_le_bytes()[3];
    }
    let block = aligned(&memory, BLOCK);
    let began = Instant::now();
    let mut count = 0;
    while count < SPAN / BLOCK as u64 && began.elapsed() < TIME && !stop() {
        if let Err(error) = whole(file, block, FROM + count * BLOCK as u64) {
            return (Err(error), began.elapsed());
        }
        count += 1;
    }
    (Ok(count), began.elapsed())
}

fn erase(file: &OwnedFd, blocks: u64) -> Result<(), Errno> {
    let memory = vec![0_u8; ERASE + BLOCK];
    let zeros = aligned(&memory, ERASE);
    let end = FROM + blocks * BLOCK as u64;
    let mut at = FROM;
    while at < end {
        whole(file, zeros, at)?;
        at += ERASE as u64;
    }
    Ok(())
}

/// The part of some memory that begins at a multiple of a block.
fn aligned(memory: &[u8], length: usize) -> &[u8] {
    let at = memory.as_ptr().align_offset(BLOCK).min(BLOCK);
    &memory[at..at + length]
}

/// Writes all of it in one go; a disk that takes a part only is not one to be measured.
fn whole(file: impl AsFd, bytes: &[u8], at: u64) -> Result<(), Errno> {
    match pwrite(file, bytes, at) {
        Ok(n) if n == bytes.len() => Ok(()),
        Ok(_) => Err(Errno::IO),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_was_written_is_zeros_afterwards_and_nothing_else_is_touched() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(FROM + 2 * SPAN).unwrap();
        pwrite(file.as_file(), b"before", FROM - 6).unwrap();
        pwrite(file.as_file(), b"behind", FROM + SPAN).unwrap();
        let flags = OFlags::RDWR | OFlags::DSYNC | OFlags::CLOEXEC;
        let disk = open(file.path(), flags, Mode::empty()).unwrap();
        let (count, took) = write(&disk, || false);
        assert!(count.unwrap() > 0 && took > Duration::ZERO);
        let block = |at: u64| {
            let mut bytes = [1_u8; BLOCK];
            rustix::io::pread(&disk, &mut bytes, at).unwrap();
            bytes
        };
        assert!(block(FROM).iter().any(|b| *b != 0));
        erase(&disk, count.unwrap()).unwrap();
        assert!((0..8).all(|n| block(FROM + n * BLOCK as u64).iter().all(|b| *b == 0)));
        assert_eq!(&block(FROM - BLOCK as u64)[BLOCK - 6..], b"before");
        assert_eq!(&block(FROM + SPAN)[..6], b"behind");
    }

    #[test]
    fn it_ends_when_told_to() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(write(&file.into(), || true).0, Ok(0));
    }
}
