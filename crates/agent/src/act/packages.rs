//! Installs packages with apt, never asking, without recommended ones, configuration files kept.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ringbolt_core::into_set::IntoSet;
use ringbolt_core::wire::{Failure, FailureKind};

use super::{Outcome, Scene, plain_name};
use crate::exec::{Call, ExecError, Output, call};
use crate::read::{free, packages};
use crate::root::Root;
use crate::undo::Was;

/// Free space required before apt is started, in bytes.
const SPACE: u64 = 300 * 1_000_000;

/// What apt says when its lists are missing or too old.
const OLD_LISTS: [&str; 5] = [
    "Unable to locate package",
    "has no installation candidate",
    "404  Not Found",
    "Unable to fetch some archives",
    "is not available",
];

/// What apt says when an earlier run of it or of dpkg was cut off.
const HALF_DONE: [&str; 4] =
    ["dpkg was interrupted", "unmet dependencies", "--fix-broken install", "needs to be reinstalled"];

/// Configuration files stay as they are.
const KEEP: &str = "Dpkg::Options::=--force-confold";

/// Well-known troubles: what apt says, what the run may do about it, what a person can do.
const TROUBLES: [(&str, FailureKind, &str); 11] = [
    (
        "Could not get lock",
        FailureKind::Transient,
        "another apt or dpkg is at work on this node; wait for its end",
    ),
    (
        "Unable to acquire the dpkg frontend lock",
        FailureKind::Transient,
        "another apt or dpkg is at work on this node; wait for its end",
    ),
    (
        "locked by another process",
        FailureKind::Transient,
        "another apt or dpkg is at work on this node; wait for its end",
    ),
    ("dpkg was interrupted", FailureKind::Broken, "run `dpkg --configure -a` on the node"),
    (
        "No space left on device",
        FailureKind::Broken,
        "the disk is full: free some space, then `dpkg --configure -a`",
    ),
    ("You don't have enough free space", FailureKind::Broken, "the disk is full: free some space"),
    (
        "401  Unauthorized",
        FailureKind::Broken,
        "the enterprise repository needs a subscription: enable the no-subscription repository, or add a key",
    ),
    (
        "Temporary failure resolving",
        FailureKind::Transient,
        "the node cannot resolve names: look at /etc/resolv.conf and its gateway",
    ),
    (
        "Could not connect to",
        FailureKind::Transient,
        "the node cannot reach its package sources: look at its gateway and proxy",
    ),
    (
        "unmet dependencies",
        FailureKind::Broken,
        "run `apt-get -f install` on the node, and look for held packages and mixed repositories",
    ),
    (
        "Unable to locate package",
        FailureKind::Broken,
        "no package source of this node has it: look at /etc/apt/sources.list.d",
    ),
];

/// Installs what is missing of these.
pub(super) fn install(scene: &Scene<'_>, names: &[String]) -> Outcome {
    let wanted: BTreeSet<String> = names.iter().cloned().into_set();
    for name in &wanted {
        plain_name(name, "a package")?;
    }
    let missing = missing(scene.root, &wanted)?;
    if missing.is_empty() {
        return Ok("installed already".to_owned());
    }
    room(scene.root)?;
    if is_interrupted(scene.root) {
        mend(scene)?;
    }
    let missing = self::missing(scene.root, &wanted)?;
    if missing.is_empty() {
        return Ok("installed by now".to_owned());
    }
    let installed = packages::names(scene.root)?.into_iter().collect();
    scene.keep(Was::Packages { named: missing.clone(), installed })?;
    (scene.say)(format!("installing {}", missing.join(", ")));
    let mut output = run(&install_call(&missing))?;
    if !output.status.success() && OLD_LISTS.iter().any(|text| output.out.contains(text)) {
        (scene.say)("reading package lists anew".to_owned());
        // A source that refuses (no subscription) must not keep the others from serving.
        let lists = run(&apt(&["update"]))?;
        output = run(&install_call(&missing))?;
        output.out.insert_str(0, &lists.out);
    }
    if !output.status.success() && HALF_DONE.iter().any(|text| output.out.contains(text)) {
        mend(scene)?;
        // What an interrupted apt left half unpacked; nothing is removed for it.
        run(&apt(&["--no-remove", "-f", "-o", KEEP, "install"]))?;
        output = run(&install_call(&missing))?;
    }
    let left = self::missing(scene.root, &wanted)?;
    if output.status.success() && left.is_empty() {
        return Ok(format!("installed {}", missing.join(", ")));
    }
    Err(trouble(&output, &left))
}

/// Purges what came with a step: the packages it named and what apt brought in for them. Packages
/// somebody has asked for since stay, and so does what they need.
pub(super) fn put_back(scene: &Scene<'_>, named: &[String], before: &[String]) -> Outcome {
    let before: BTreeSet<&String> = before.iter().into_set();
    let automatic: BTreeSet<String> =
        call("apt-mark", ["showauto"]).run()?.out.lines().map(|l| l.trim().to_owned()).into_set();
    let came = |name: &String| !before.contains(name) && (named.contains(name) || automatic.contains(name));
    let gone: Vec<String> = packages::names(scene.root)?.into_iter().filter(came).collect();
    if gone.is_empty() {
        return Ok("none of them is installed".to_owned());
    }
    for name in &gone {
        plain_name(name, "a package")?;
    }
    (scene.say)(format!("removing {}", gone.join(", ")));
    let mut words = vec!["purge", "--"];
    words.extend(gone.iter().map(String::as_str));
    let output = run(&apt(&words))?;
    let left: Vec<String> = packages::names(scene.root)?.into_iter().filter(came).collect();
    if output.status.success() && left.is_empty() {
        return Ok(format!("removed {}", gone.join(", ")));
    }
    Err(Failure::broken(format!("apt could not remove {}: {}", left.join(", "), output.last(4)))
        .hint("look at what needs them: `apt-get -s purge` says"))
}

fn missing(root: &Root, wanted: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let installed = packages::installed(root, wanted)?;
    Ok(wanted.iter().filter(|name| !installed.contains_key(*name)).cloned().collect())
}

/// Space on the disk.
fn room(root: &Root) -> Result<(), Failure> {
    let space = free(&root.at("/var/cache")).min(free(&root.at("/usr")));
    if space < SPACE {
        let message = format!("{} MB free, installing needs {} MB", space / 1_000_000, SPACE / 1_000_000);
        return Err(
            Failure::broken(message).hint("free some space on the node: `apt-get clean`, old kernels, logs")
        );
    }
    Ok(())
}

/// Whether dpkg was cut off in the middle of its work, or is in it now: the two look alike.
fn is_interrupted(root: &Root) -> bool {
    let updates = std::fs::read_dir(root.at("/var/lib/dpkg/updates")).into_iter().flatten().flatten();
    let digits = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    updates.filter_map(|e| e.file_name().into_string().ok()).any(|name| digits(&name))
}

/// Lets dpkg finish what was cut off (a power cut, a killed apt), as it asks for itself; one that is at work is
/// outwaited.
fn mend(scene: &Scene<'_>) -> Result<(), Failure> {
    (scene.say)("finishing what dpkg was interrupted in".to_owned());
    let finish = call("dpkg", ["--force-confold", "--configure", "-a"])
        .with("DEBIAN_FRONTEND", "noninteractive")
        .limit(1800)
        .joined()
        .public();
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let output = run(&finish)?;
        if !output.out.contains("locked by another process") {
            // Packages that do not depend on what is wanted may stay unconfigured: apt is the judge.
            break;
        }
        if Instant::now() > end {
            return Err(trouble(&output, &["anything".to_owned()]));
        }
        scene.pause(Duration::from_secs(1))?;
    }
    if !is_interrupted(scene.root) {
        return Ok(());
    }
    Err(Failure::broken("dpkg was interrupted on this node, and cannot finish by itself")
        .hint("look at what `dpkg --configure -a` says on the node"))
}

fn apt(words: &[&str]) -> Call {
    let fixed = ["-y", "-q", "-o", "DPkg::Lock::Timeout=60", "-o", "Acquire::Retries=2"];
    call("apt-get", fixed.into_iter().chain(words.iter().copied()))
        .with("DEBIAN_FRONTEND", "noninteractive")
        .with("APT_LISTCHANGES_FRONTEND", "none")
        .with("NEEDRESTART_SUSPEND", "1")
        .limit(1800)
        .joined()
        .public()
}

fn install_call(names: &[String]) -> Call {
    let mut words = vec!["--no-install-recommends", "-o", KEEP, "install", "--"];
    words.extend(names.iter().map(String::as_str));
    apt(&words)
}

fn run(call: &Call) -> Result<Output, ExecError> {
    call.run()
}

/// Says what went wrong in apt's own words, with the cure where the trouble is known.
pub(crate) fn trouble(output: &Output, left: &[String]) -> Failure {
    let errors: Vec<&str> = output.out.lines().filter(|line| line.starts_with("E: ")).collect();
    let said = if errors.is_empty() { output.last(4) } else { errors.join(" | ") };
    let message = format!("apt could not install {}: {said}", left.join(", "));
    let known = TROUBLES.iter().find(|(text, _, _)| output.out.contains(text));
    match known {
        Some((_, kind, hint)) => Failure { kind: *kind, ..Failure::broken(message) }.hint(*hint),
        None => Failure::broken(message),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn said(text: &str) -> Failure {
        let status = std::process::ExitStatus::from_raw(100 << 8);
        trouble(&Output { status, out: text.into(), err: String::new() }, &["frr".into()])
    }

    #[test]
    fn known_troubles_say_what_to_do() {
        let lock = said("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)\n");
        assert_eq!(lock.kind, FailureKind::Transient);
        assert!(lock.message.contains("held by process 1"));
        let paid = said(
            "Err:3 https://enterprise.proxmox.com/debian/pve trixie InRelease\n  401  Unauthorized [IP: 1.2.3.4 443]\nE: Unable to locate package frr\n",
        );
        assert!(paid.hint.unwrap().contains("no-subscription"));
        let odd = said("something else\n");
        assert_eq!((odd.kind, odd.hint), (FailureKind::Broken, None));
        assert!(odd.message.contains("something else"));
    }

    #[test]
    fn an_interrupted_dpkg_is_told_by_the_journal_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), None);
        assert!(!is_interrupted(&root));
        let updates = root.at("/var/lib/dpkg/updates");
        std::fs::create_dir_all(&updates).unwrap();
        std::fs::write(updates.join("tmp.i"), "").unwrap();
        assert!(!is_interrupted(&root));
        std::fs::write(updates.join("0001"), "").unwrap();
        assert!(is_interrupted(&root));
    }

    #[test]
    fn names_that_are_options_are_refused() {
        assert!(plain_name("-o", "a package").is_err());
        assert!(plain_name("libc6:amd64", "a package").is_ok());
        assert!(plain_name("a b", "a package").is_err());
    }
}
