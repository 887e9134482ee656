//! Changes Proxmox VE's fabrics as one transaction: look, lock, stage, dry run, apply, wait for
//! every node, release; what was staged is rolled back on any failure before the commit.
//!
//! `pvesh` ends with status 0 whatever happens, so each step is judged by the files and tasks it
//! leaves. Deletions go before the lock: Proxmox VE cannot delete under one.

use std::collections::BTreeSet;

use ringbolt_core::action::{PveCall, SdnChange};
use ringbolt_core::into_set::IntoSet;
use ringbolt_core::name::NodeName;
use ringbolt_core::wire::Failure;

use self::state::Sdn;
use super::{Outcome, Scene};

mod owner;
mod pvesh;
pub(crate) mod staged;
pub(crate) mod state;
pub(crate) mod tasks;

/// What Proxmox VE prints when a node's part went wrong though the task is called OK.
const BAD_SIGNS: [&str; 5] = [
    "missing 'source /etc/network/interfaces.d",
    "frr is not installed",
    "could not commit SDN config",
    "TASK ERROR",
    "error reloading network",
];

/// Carries out the change.
pub(super) fn apply(scene: &Scene<'_>, change: &SdnChange) -> Outcome {
    let found = ready(scene, change)?;
    let mut work = Work { scene, change, found, token: None, touched: false, committed: false };
    let done = work.run();
    match done {
        Ok(note) => Ok(note),
        Err(failure) if work.committed => Err(work.after_commit(failure)),
        Err(failure) => Err(work.back(failure)),
    }
}

/// Makes one node write and load its part anew, and judges by its task.
pub(super) fn reload_node(scene: &Scene<'_>, node: &NodeName) -> Outcome {
    state::no_foreign_edits(scene.root)?;
    let nodes = std::slice::from_ref(node);
    let known = tasks::quiet(scene, nodes)?;
    let said = pvesh::say(&["set", &format!("/nodes/{node}/network"), "--regenerate-frr", "1"], 300)?;
    tasks::wait(scene, nodes, &known).map_err(|failure| with_output(failure, &said))?;
    signs(&said)?;
    Ok(String::new())
}

/// Everything that must hold before anything is touched.
fn ready(scene: &Scene<'_>, change: &SdnChange) -> Result<Sdn, Failure> {
    for call in change.deletes.iter().chain(&change.calls) {
        staged::about(call).map_err(Failure::refused)?;
    }
    state::quorate(scene.root)?;
    state::no_foreign_edits(scene.root)?;
    if let Some(held) = Sdn::read(scene.root)?.lock
        && owner::is_left(scene, &held)?
    {
        (scene.say)("releasing the SDN lock of an apply that was cut off".to_owned());
        pvesh::say(&["delete", "/cluster/sdn/lock", "--lock-token", &held], 60)?;
        owner::forget(scene.root);
    }
    let found = Sdn::read(scene.root)?;
    if let Some(holder) = &found.lock {
        return Err(Failure::refused(format!("somebody holds Proxmox VE's SDN lock ({holder})")).hint(
            "wait until they are done; if nobody is at work: `pvesh delete /cluster/sdn/lock --force 1`",
        ));
    }
    if found.digest() != change.expect {
        return Err(Failure::refused("fabrics.cfg was changed since the plan was made")
            .hint("look again: `ringbolt plan`"));
    }
    foreign(scene, &found, change)?;
    Ok(found)
}

/// Refuses when others have staged what our apply would activate.
fn foreign(scene: &Scene<'_>, found: &Sdn, change: &SdnChange) -> Result<(), Failure> {
    let pending = found.foreign(change.fabric.as_str()).into_iter();
    let pending: Vec<String> = pending.chain(found.others_pending(scene.root)?).collect();
    if pending.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "SDN changes that are not ringbolt's are staged and would be applied as well: {}",
        pending.join(", ")
    ))
    .hint("apply them (Datacenter → SDN → Apply) or roll them back: `pvesh create /cluster/sdn/rollback`"))
}

/// A change under way.
struct Work<'a> {
    scene: &'a Scene<'a>,
    change: &'a SdnChange,
    /// As it was found.
    found: Sdn,
    /// Set while we hold the lock.
    token: Option<String>,
    /// Whether something of ours is staged.
    touched: bool,
    /// Whether the staged configuration has become the running one.
    committed: bool,
}

impl Work<'_> {
    fn run(&mut self) -> Outcome {
        let nodes = &self.change.nodes;
        let asked = std::thread::scope(|scope| {
            // Which tasks there are already is asked of every node while we stage, and those under way are
            // outwaited: it shows before the commit whether all of them can be reached.
            let scene = self.scene;
            let known = scope.spawn(move || tasks::quiet(scene, nodes));
            let staged = self.stage();
            let known = known.join().unwrap_or_else(|_| Err(Failure::broken("asking for tasks panicked")));
            staged.and(known)
        })?;
        self.go_on()?;
        if self.change.dry_run {
            self.dry_run()?;
        }
        self.go_on()?;
        let said = self.commit()?;
        tasks::wait(self.scene, nodes, &asked).map_err(|failure| with_output(failure, &said))?;
        signs(&said)?;
        Ok(format!("fabric {} applied on {} nodes", self.change.fabric, nodes.len()))
    }

    /// Fails when the other end wants no more of it.
    fn go_on(&self) -> Result<(), Failure> {
        if self.scene.stop.is_set() {
            Err(Failure::broken("cancelled before it was applied"))
        } else {
            Ok(())
        }
    }

    fn stage(&mut self) -> Result<(), Failure> {
        let change = self.change;
        for call in &change.deletes {
            self.go_on()?;
            self.call(call)?;
        }
        let before = Sdn::read(self.scene.root)?.digest();
        self.lock()?;
        let locked = Sdn::read(self.scene.root)?;
        if locked.digest() != before {
            // Not ours to roll back: only the lock goes.
            self.touched = false;
            return Err(Failure::refused("somebody changed fabrics.cfg in the moment before the lock")
                .hint("look again: `ringbolt plan`"));
        }
        if let Err(failure) = foreign(self.scene, &locked, change) {
            self.touched = false;
            return Err(failure);
        }
        for call in &change.calls {
            self.go_on()?;
            self.call(call)?;
        }
        Ok(())
    }

    /// One staged call, judged by what `fabrics.cfg` then holds.
    fn call(&mut self, call: &PveCall) -> Result<(), Failure> {
        self.touched = true;
        (self.scene.say)(format!("{} {}", call.verb.word(), call.path));
        let said = pvesh::stage(call, self.token.as_deref())?;
        let now = Sdn::read(self.scene.root)?;
        let landed = staged::landed(call, &now.fabrics);
        if said.is_empty() && landed.is_ok() {
            return Ok(());
        }
        let why = if said.is_empty() { landed.err().unwrap_or_default() } else { said };
        Err(Failure::broken(format!("Proxmox VE refused `{}`: {why}", pvesh::line(call))))
    }

    fn lock(&mut self) -> Result<(), Failure> {
        self.go_on()?;
        owner::note(self.scene.root, None)?;
        let said = pvesh::say(&["create", "/cluster/sdn/lock", "--allow-pending", "1"], 60)?;
        let token = said.lines().last().unwrap_or_default().trim().trim_matches('"').to_owned();
        let fits = token.len() == 36 && token.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !fits {
            // A call that was cut off says nothing, and may have taken the lock.
            if !said.is_empty() {
                owner::forget(self.scene.root);
            }
            return Err(Failure::refused(format!("Proxmox VE gave no SDN lock: {said}"))
                .hint("if nobody is at work: `pvesh delete /cluster/sdn/lock --force 1`"));
        }
        owner::note(self.scene.root, Some(&token))?;
        self.token = Some(token);
        Ok(())
    }

    /// Shows how many lines each node's files would change by.
    fn dry_run(&self) -> Result<(), Failure> {
        let lines = tasks::each(&self.change.nodes, |node| {
            let options = [("node", node.as_str())];
            let diff = pvesh::get("/cluster/sdn/dry-run", &options)?;
            let count = |key: &str| diff.get(key).and_then(|d| d.as_str()).map_or(0, changed_lines);
            Ok(format!(
                "{node}: {} lines of frr.conf and {} of interfaces.d/sdn would change",
                count("frr-diff"),
                count("interfaces-diff")
            ))
        });
        for line in lines {
            match line {
                Ok(line) => (self.scene.say)(line),
                Err(failure) if failure.message.contains("No 'get' handler defined") => {
                    (self.scene.say)("this version has no dry run".to_owned());
                }
                Err(failure) => {
                    return Err(Failure::broken(format!("the dry run failed: {}", failure.message)));
                }
            }
        }
        Ok(())
    }

    /// Applies; gives what was printed once the commit is sure.
    fn commit(&mut self) -> Result<String, Failure> {
        let token = self.token.clone().unwrap_or_default();
        (self.scene.say)("applying".to_owned());
        let words = ["set", "/cluster/sdn", "--lock-token", &token, "--release-lock", "1"];
        // One node after the other, over ssh; a node that is off costs a timeout.
        let seconds = 120 + 60 * u64::try_from(self.change.nodes.len()).unwrap_or(0);
        let said = pvesh::say(&words, seconds);
        let now = Sdn::read(self.scene.root)?;
        self.committed = now.pending().is_empty();
        let said = said?;
        if !self.committed {
            return Err(Failure::broken(format!("Proxmox VE did not apply: {said}")));
        }
        self.release();
        Ok(said)
    }

    /// Makes sure that our lock is gone.
    fn release(&mut self) {
        let Some(token) = self.token.take() else { return };
        let held = Sdn::read(self.scene.root).ok().and_then(|now| now.lock);
        if held.as_deref() == Some(&token) {
            let _ = pvesh::say(&["delete", "/cluster/sdn/lock", "--lock-token", &token], 60);
        }
        if Sdn::read(self.scene.root).is_ok_and(|now| now.lock.as_deref() != Some(&token)) {
            owner::forget(self.scene.root);
        }
    }

    /// The configuration is in force; only some node did not follow.
    fn after_commit(&mut self, failure: Failure) -> Failure {
        self.release();
        let hint = failure.hint.clone();
        let failure =
            Failure { message: format!("{} (the configuration is committed)", failure.message), ..failure };
        failure.hint(
            hint.unwrap_or_else(|| "once its cause is mended, `ringbolt apply` makes the node follow".into()),
        )
    }

    /// Takes back what is staged and says so.
    fn back(&mut self, failure: Failure) -> Failure {
        if !self.touched {
            self.release();
            return failure;
        }
        let undone = self.roll_back();
        self.release();
        let message = match undone {
            Ok(()) => format!("{}; what was staged is rolled back", failure.message),
            Err(why) => format!("{}; rolling back failed as well: {why}", failure.message),
        };
        Failure { message, ..failure }
    }

    fn roll_back(&self) -> Result<(), String> {
        let mut words = vec!["create", "/cluster/sdn/rollback"];
        if let Some(token) = &self.token {
            words.extend(["--lock-token", token.as_str(), "--release-lock", "1"]);
        }
        let said = pvesh::say(&words, 60).map_err(|failure| failure.message)?;
        let now = Sdn::read(self.scene.root).map_err(|failure| failure.message)?;
        let left: BTreeSet<String> = now.pending().into_iter().into_set();
        let before: BTreeSet<String> = self.found.pending().into_iter().into_set();
        if left.is_subset(&before) {
            Ok(())
        } else {
            Err(format!("{} still staged. {said}", left.into_iter().collect::<Vec<_>>().join(", ")))
        }
    }
}

pub(crate) fn changed_lines(diff: &str) -> usize {
    let head = |line: &&str| line.starts_with("+++") || line.starts_with("---");
    diff.lines().filter(|line| line.starts_with(['+', '-'])).filter(|line| !head(line)).count()
}

/// Looks for what Proxmox VE only mentions.
pub(crate) fn signs(said: &str) -> Result<(), Failure> {
    let bad: Vec<&str> =
        said.lines().filter(|line| BAD_SIGNS.iter().any(|sign| line.contains(sign))).collect();
    if bad.is_empty() {
        Ok(())
    } else {
        Err(Failure::broken(format!("Proxmox VE warns: {}", bad.join(" | "))))
    }
}

/// Adds the telling lines of what was printed to a failure.
fn with_output(failure: Failure, said: &str) -> Failure {
    match signs(said) {
        Ok(()) => failure,
        Err(more) => Failure { message: format!("{}; {}", failure.message, more.message), ..failure },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_diff_are_counted_without_its_head() {
        assert_eq!(changed_lines("--- a\n+++ b\n@@ -1 +1,2 @@\n same\n-old\n+new\n+more\n"), 3);
    }

    #[test]
    fn what_is_only_mentioned_is_a_failure() {
        assert!(signs("n1: reloading network config\nUPID:n1:0:0:0:reloadnetworkall::root@pam:\n").is_ok());
        assert!(
            signs("warning: en05: interface not recognized - please check interface configuration\n").is_ok()
        );
        let bad = signs(
            "n1: reloading network config\nmissing 'source /etc/network/interfaces.d/sdn' directive for SDN support!\n",
        );
        assert!(bad.is_err_and(|failure| failure.message.contains("missing 'source")));
    }
}
