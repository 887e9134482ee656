//! Deeds on Ceph, one file per kind, through Proxmox VE's own commands where they do it.
//!
//! Each looks first whether it is done already, and is judged by what is there afterwards: several of
//! Proxmox VE's commands end with 0 when their task failed. A command that changes things is never
//! interrupted; cancelling ends a deed between two of them.

use std::time::{Duration, Instant};

use ringbolt_core::action::CephDeed;
use ringbolt_core::wire::Failure;
use serde_json::json;

use self::trouble::failure;
use super::{Outcome, Scene, plain_name};
use crate::exec::{Call, Output, call};
use crate::read::ceph::session::{Command, must};

mod config;
mod daemon;
pub(crate) mod datacenter;
mod init;
mod install;
pub(crate) mod measure;
mod osd;
mod pool;
mod stop;
pub(crate) mod storage;
mod synced;
pub(crate) mod trouble;
mod wipe;

/// Time between two looks whether something has come up.
const STEP: Duration = Duration::from_millis(250);

/// Carries out one deed.
pub(super) fn carry_out(scene: &Scene<'_>, deed: &CephDeed) -> Outcome {
    match deed {
        CephDeed::Install { repository, version } => install::install(scene, repository, version),
        CephDeed::Init { network, cluster_network, size, min_size } => {
            init::init(scene, *network, *cluster_network, (*size, *min_size))
        }
        CephDeed::Monitor { address } => daemon::monitor(scene, *address),
        CephDeed::Manager => daemon::other(scene, "mgr", "manager"),
        CephDeed::Metadata => daemon::other(scene, "mds", "metadata server"),
        CephDeed::Osd(deed) => osd::create(scene, deed),
        CephDeed::Wipe { node, path, serial } => wipe::wipe(scene, node, path, serial),
        CephDeed::Pool { create, name, options } => pool::pool(scene, *create, name, options),
        CephDeed::Rule { name, class } => pool::rule(scene, name, class),
        CephDeed::PoolOptions { name, options } => pool::options(scene, name, options),
        CephDeed::Filesystem { name, options } => pool::filesystem(scene, name, options),
        CephDeed::Storage { kind, id, options } => storage::add(scene, kind, id, options),
        CephDeed::Config { set, remove } => config::change(scene, set, remove),
        CephDeed::MayStop { osds } => stop::may(scene, osds),
        CephDeed::HoldOut { host, hold } => {
            let word = if *hold { "osd set-group" } else { "osd unset-group" };
            let words = json!({"prefix": word, "flags": "noout", "who": [host.as_str()]});
            must(scene.root, &[Command::monitor(words)])?;
            Ok(if *hold { "OSDs stay in while they are away" } else { "OSDs may go out again" }.to_owned())
        }
        CephDeed::Datacenter { options } => datacenter::set(scene, options),
        CephDeed::MeasureOsds { osds } => measure::measure(scene, osds),
    }
}

/// The node's own name, as Proxmox VE's tools name daemons after it.
fn own_name(scene: &Scene<'_>) -> Result<String, Failure> {
    let name = scene.root.line("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default().to_owned();
    plain_name(&name, "a node")?;
    Ok(name)
}

/// A call of a tool of Proxmox VE, its streams as one text.
fn tool<S: Into<String>>(program: &str, words: impl IntoIterator<Item = S>, seconds: u64) -> Call {
    call(program, words).limit(seconds).joined().public()
}

/// Runs it to its end, whatever its status, and says before what is run.
fn run(scene: &Scene<'_>, call: &Call) -> Result<Output, Failure> {
    if scene.stop.is_set() {
        return Err(Failure::broken("cancelled"));
    }
    (scene.say)(call.line());
    Ok(call.run()?)
}

/// Options as words of a command line: a plain name and its value, which is never empty and never
/// begins like an option.
fn flags(options: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let flag = |(name, value): &(String, String)| {
        plain_name(name, "an option")?;
        if value.is_empty() || value.starts_with("--") || value.contains(|c: char| c.is_control()) {
            return Err(Failure::refused(format!("`{value}` is no value of {name}")));
        }
        Ok([format!("--{name}"), value.clone()])
    };
    Ok(options.iter().map(flag).collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect())
}

/// Looks again and again until something is there; `false` when patience ends.
fn wait(scene: &Scene<'_>, seconds: u64, mut there: impl FnMut() -> bool) -> Result<bool, Failure> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if there() {
            return Ok(true);
        }
        if Instant::now() > end {
            return Ok(false);
        }
        scene.pause(STEP)?;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn options_are_words_and_nothing_else() {
        let pair = |n: &str, v: &str| vec![(n.to_owned(), v.to_owned())];
        assert_eq!(flags(&pair("pg_autoscale_mode", "on")).unwrap(), ["--pg_autoscale_mode", "on"]);
        assert_eq!(flags(&pair("x", "a b; c")).unwrap(), ["--x", "a b; c"]);
        assert!(flags(&pair("-x", "1")).is_err());
        assert!(flags(&pair("x", "a\nb")).is_err() && flags(&pair("x", "--force")).is_err());
    }
}
