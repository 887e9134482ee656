//! `fio` over librbd on an image of its own, as a guest without a cache would use it.
//!
//! The image is written once before anything is measured: what was never written reads as nothing, and fast. It is
//! removed whatever happens; one that a crash of an earlier run left is known by its name and removed first.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringbolt_core::bench::ask::{Fio, Measured};
use ringbolt_core::bench::ceph::PREFIX;
use ringbolt_core::bench::ceph::fio::{Access, Job, JobResult, parse};
use ringbolt_core::wire::Failure;

use super::pool::{checked, stopped};
use crate::exec::{Call, call};
use crate::root::{HOME, Root};
use crate::stop::Stop;

/// Longest job in seconds.
const LONGEST: u32 = 600;

/// Seconds a cluster that stalls is waited for.
const PATIENCE: u64 = 60;

/// How long Ceph may take a killed client for a living one.
const WATCHED: Duration = Duration::from_secs(45);

/// Bytes a second of the slowest cluster that is waited for when the image is filled.
const SLOWEST: u64 = 4_000_000;

/// Fills the image and runs the jobs one after another.
pub(super) fn fio(root: &Root, asked: &Fio, stop: &Stop, say: &dyn Fn(String)) -> Result<Measured, Failure> {
    checked(&asked.pool)?;
    clear(&asked.pool)?;
    let folder = Folder::make(root)?;
    let image = Image::make(&asked.pool, asked.bytes)?;
    let mut jobs: Vec<JobResult> = Vec::new();
    let mut troubles = Vec::new();
    say("fio fills the image".into());
    match run(&fill(&image, asked.bytes), stop) {
        Err(failure) => troubles.push(format!("filling the image: {}", failure.message)),
        Ok(_) => {
            for job in asked.jobs.iter().take_while(|_| !stop.is_set()) {
                say(format!("fio {}", job.name));
                match one(&image, job, &folder.0, stop) {
                    Ok(result) => jobs.push(result),
                    Err(failure) => troubles.push(format!("fio {}: {}", job.name, failure.message)),
                }
            }
        }
    }
    let left = image.removed().err().map(|failure| format!("an image was left behind: {}", failure.message));
    if stop.is_set() {
        return Err(stopped(left));
    }
    troubles.extend(left);
    Ok(Measured::Fio { jobs, troubles })
}

fn run(call: &Call, stop: &Stop) -> Result<String, Failure> {
    Ok(call.start()?.finish(Some(stop))?.checked(call)?.out)
}

fn one(image: &Image, job: &Job, folder: &Path, stop: &Stop) -> Result<JobResult, Failure> {
    let log = folder.join("bench");
    let said = run(&measured(image, job, &log), stop)?;
    let text = std::fs::read_to_string(folder.join("bench_bw.1.log")).unwrap_or_default();
    parse(job, &said, &text).map_err(|e| Failure::broken(e.to_string()))
}

/// What all jobs have in common: no page cache, content that cannot be compressed and is never the same twice.
fn common(image: &Image) -> Vec<String> {
    let mut words: Vec<String> = [
        "--name=bench",
        "--ioengine=rbd",
        "--clientname=admin",
        "--direct=1",
        "--refill_buffers=1",
        "--buffer_compress_percentage=0",
        "--norandommap=1",
        "--output-format=json",
    ]
    .map(String::from)
    .into();
    words.extend([format!("--pool={}", image.pool), format!("--rbdname={}", image.name)]);
    words
}

fn fill(image: &Image, bytes: u64) -> Call {
    let mut words = common(image);
    words.extend(["--rw=write", "--bs=4M", "--iodepth=8"].map(String::from));
    call("fio", words).limit(bytes / SLOWEST + PATIENCE)
}

fn measured(image: &Image, job: &Job, log: &Path) -> Call {
    let seconds = job.seconds.clamp(1, LONGEST);
    let mut words = common(image);
    match job.access {
        // With an amount to write, time only ends it early.
        Access::Write => words.extend(["--rw=write".into(), format!("--io_size={}", job.most)]),
        Access::Read => words.extend(["--rw=read", "--time_based=1"].map(String::from)),
        Access::Mixed { reads } => words.extend([
            "--rw=randrw".into(),
            format!("--rwmixread={}", reads.min(100)),
            format!("--io_size={}", job.most),
        ]),
    }
    words.extend([
        format!("--bs={}", job.block),
        format!("--iodepth={}", job.depth),
        format!("--runtime={seconds}"),
        "--percentile_list=50:95:99:99.9".into(),
        format!("--write_bw_log={}", log.display()),
        "--log_avg_msec=500".into(),
    ]);
    call("fio", words).limit(u64::from(seconds) + PATIENCE)
}

/// Removes images that an earlier run could not remove.
fn clear(pool: &str) -> Result<(), Failure> {
    let output = call("rbd", ["ls", "--pool", pool]).limit(PATIENCE).must()?;
    for name in output.out.lines().filter(|name| name.starts_with(PREFIX)) {
        remove(pool, name).map_err(|failure| {
            let why = format!("{name} of an earlier benchmark cannot be removed: {}", failure.message);
            Failure::refused(why).hint("is another benchmark under way?")
        })?;
    }
    Ok(())
}

/// Removes an image. One whose client was killed is kept by Ceph as in use for half a minute.
fn remove(pool: &str, name: &str) -> Result<(), Failure> {
    let words = ["rm", "--no-progress", "--pool", pool, "--image", name];
    let remove = call("rbd", words).limit(2 * PATIENCE).joined();
    let begun = Instant::now();
    loop {
        match remove.must() {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() < WATCHED && error.to_string().contains("watchers") => {
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// An image that is removed when it is no longer needed.
struct Image {
    pool: String,
    name: String,
    there: bool,
}

impl Image {
    /// Makes it, without the client's own cache: Proxmox VE's guests have none by default.
    fn make(pool: &str, bytes: u64) -> Result<Self, Failure> {
        let name = format!("{PREFIX}{}", std::process::id());
        let size = format!("{}M", bytes >> 20);
        let create = ["create", "--size", &size, "--pool", pool, "--image", &name];
        call("rbd", create).limit(PATIENCE).joined().must()?;
        let made = Self { pool: pool.to_owned(), name, there: true };
        let set = ["config", "image", "set", &format!("{pool}/{}", made.name), "rbd_cache", "false"];
        call("rbd", set).limit(PATIENCE).joined().must()?;
        Ok(made)
    }

    fn removed(mut self) -> Result<(), Failure> {
        self.there = false;
        remove(&self.pool, &self.name)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.there {
            let _ = remove(&self.pool, &self.name);
        }
    }
}

/// A private folder for the tool's log.
struct Folder(PathBuf);

impl Folder {
    fn make(root: &Root) -> Result<Self, Failure> {
        let path = root.at(HOME).join(format!("bench-{}", std::process::id()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_lines() {
        let image = Image { pool: "vm".into(), name: "ringbolt-bench-7".into(), there: false };
        let job = Job {
            name: "4k 70/30".into(),
            access: Access::Mixed { reads: 70 },
            block: 4096,
            depth: 32,
            seconds: 10,
            most: 1 << 30,
        };
        assert_eq!(
            measured(&image, &job, Path::new("/x/bench")).line(),
            "fio --name=bench --ioengine=rbd --clientname=admin --direct=1 --refill_buffers=1 \
             --buffer_compress_percentage=0 --norandommap=1 --output-format=json --pool=vm --rbdname=ringbolt-bench-7 \
             --rw=randrw --rwmixread=70 --io_size=1073741824 --bs=4096 --iodepth=32 --runtime=10 \
             --percentile_list=50:95:99:99.9 --write_bw_log=/x/bench --log_avg_msec=500"
        );
        assert!(fill(&image, 1 << 30).line().ends_with("--rw=write --bs=4M --iodepth=8"));
    }
}
