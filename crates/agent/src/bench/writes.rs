//! Steady small writes to an image of its own, with the time of each: `fio` over librbd, as a guest writes.
//!
//! The image is made for the measurement and removed by the same call; its name begins with
//! [`PREFIX`], so that one left by a crash is known.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ringbolt_core::bench::ask::{Measured, Writes};
use ringbolt_core::drill::node::{Written, acknowledged, gaps};
use ringbolt_core::wire::Failure;

use crate::exec::call;
use crate::root::{HOME, Root};
use crate::stop::Stop;

/// Beginning of the image's name.
const PREFIX: &str = "ringbolt-drill-";

/// Longest run in seconds.
const LONGEST: u32 = 600;

/// Writes until the time is over or it is stopped, and says when writes were acknowledged.
pub(super) fn writes(root: &Root, asked: &Writes, stop: &Stop) -> Result<Measured, Failure> {
    super::pool::checked(&asked.pool)?;
    let folder = Folder::make(root)?;
    let image = Image::make(&asked.pool, &format!("{PREFIX}{}", std::process::id()))?;
    let seconds = asked.seconds.min(LONGEST);
    let log = folder.0.join("writes");
    let fio = call("fio", arguments(&image, seconds, &log)).limit(u64::from(seconds) + 120);
    let output = fio.start()?.finish(Some(stop))?;
    // One log for each job: `writes_lat.1.log`, or `writes_clat.1.log` alone with older versions.
    let text = std::fs::read_to_string(folder.0.join("writes_lat.1.log"))
        .or_else(|_| std::fs::read_to_string(folder.0.join("writes_clat.1.log")))
        .unwrap_or_default();
    let at = acknowledged(&text);
    let error = at.is_empty().then(|| format!("fio wrote nothing: {}{}", output.last(3), last(&output.err)));
    let span = (at.first().copied().unwrap_or_default(), at.last().copied().unwrap_or_default());
    Ok(Measured::Written(Written { count: at.len() as u64, gaps: gaps(&at), span, error }))
}

fn last(text: &str) -> String {
    text.lines().rev().take(2).collect::<Vec<_>>().join(" | ")
}

fn arguments(image: &Image, seconds: u32, log: &Path) -> Vec<String> {
    let mut words: Vec<String> = [
        "--name=writes",
        "--ioengine=rbd",
        "--clientname=admin",
        "--rw=randwrite",
        "--bs=4k",
        "--iodepth=8",
        "--direct=1",
        "--time_based=1",
        "--disable_slat=1",
        "--log_unix_epoch=1",
        "--output-format=terse",
    ]
    .map(String::from)
    .into();
    words.extend([
        format!("--pool={}", image.pool),
        format!("--rbdname={}", image.name),
        format!("--runtime={seconds}"),
        format!("--write_lat_log={}", log.display()),
    ]);
    words
}

/// An image that is removed when it is no longer needed.
struct Image {
    pool: String,
    name: String,
}

impl Image {
    fn make(pool: &str, name: &str) -> Result<Self, Failure> {
        let made = Self { pool: pool.to_owned(), name: name.to_owned() };
        call("rbd", ["create", "--size", "64M", "--pool", pool, "--image", name])
            .limit(30)
            .joined()
            .must()?;
        Ok(made)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = call("rbd", ["rm", "--no-progress", "--pool", &self.pool, "--image", &self.name])
            .limit(60)
            .joined()
            .run();
    }
}

/// A private folder for the tool's log.
struct Folder(PathBuf);

impl Folder {
    fn make(root: &Root) -> Result<Self, Failure> {
        let path = root.at(HOME).join(format!("drill-{}", std::process::id()));
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|e| Failure::broken(format!("cannot make {}: {e}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
