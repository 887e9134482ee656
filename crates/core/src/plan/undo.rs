//! A plan of undoing: what runs have changed, put back in reverse order from what the agents kept.
//!
//! Made from the plans and journals of past runs and from what the nodes say now. What somebody has
//! changed since is left as it is and told; what cannot be taken back is named.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, cluster};
use crate::action::{Action, SdnChange};
use crate::arrange::Arrange;
use crate::check::Check;
use crate::digest;
use crate::facts::{Facts, Fleet, ceph_conf, pve};
use crate::name::{NodeName, StepId};
use crate::obstacle::Obstacle;
use crate::resource::owed::speaker;
use crate::resource::{fabric, frr_daemons, frr_local, step};
use crate::step::{FileChange, Phase, Risk, Step, Undo};

/// A run that is to be undone.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// Its id: names what the agents kept.
    pub run: &'a str,
    /// What was to be done.
    pub plan: &'a Plan,
    /// What the nodes were before it.
    pub before: &'a Fleet,
    /// The steps that had begun, whatever became of them.
    pub begun: &'a BTreeSet<StepId>,
}

/// The plan that takes these runs back, the newest first, from what the nodes are now.
pub fn undo(past: &[Past<'_>], now: &Fleet) -> Plan {
    let mut back = Back { now, plan: Plan::default(), files: BTreeMap::new(), lists: BTreeMap::new() };
    back.refuse_below_ceph();
    if !back.plan.obstacles.is_empty() {
        return back.plan;
    }
    for run in past {
        back.take(run);
    }
    if let Some(first) = past.last() {
        back.frr_service(first.before);
    }
    back.finish()
}

/// What each node does in a phase: things put back, then what must be told of it.
#[derive(Default)]
struct Share {
    steps: Vec<Step>,
    told: Vec<Step>,
}

struct Back<'a> {
    now: &'a Fleet,
    plan: Plan,
    /// Digests of files as they will be at this point of the plan, where that is not what is there now.
    files: BTreeMap<(NodeName, String), Option<String>>,
    lists: BTreeMap<(std::cmp::Reverse<Phase>, NodeName), Share>,
}

impl Back<'_> {
    /// The mesh is not taken away from under monitors and OSDs.
    fn refuse_below_ceph(&mut self) {
        let conf = ceph_conf::PATH;
        if let Some((node, _)) = self.now.nodes.iter().find(|(_, f)| f.state.files.contains_key(conf)) {
            self.plan.obstacles.push(Obstacle {
                code: "RB0540".into(),
                node: Some(node.clone()),
                message: "Ceph stands on this mesh: taking the mesh back would stop it".into(),
                evidence: format!("{conf} is there"),
                cure: "move the data away and remove Ceph first (pveceph destroys pools, OSDs, monitors, one by one)"
                    .into(),
            });
        }
    }

    fn take(&mut self, past: &Past<'_>) {
        let begun = |s: &&Step| past.begun.contains(&s.id);
        for done in past.plan.steps.iter().filter(begun).rev() {
            let (Some(node), Some(action)) = (&done.node, &done.action) else { continue };
            if !self.now.nodes.contains_key(node) {
                continue;
            }
            match action {
                Action::WriteFile { path, content, .. } => {
                    self.file(past.run, done, node, path, Some(digest::of(&**content)));
                }
                Action::RemoveFile { path } => self.file(past.run, done, node, path, None),
                Action::InstallPackages { names } => {
                    self.kept(
                        past.run,
                        done,
                        node,
                        format!("remove {}, and what came with it", names.join(", ")),
                    );
                }
                Action::EnableUnit { unit, .. } | Action::DisableUnit { unit } => {
                    self.kept(past.run, done, node, format!("make {unit} what it was"));
                }
                Action::LoadSysctl { .. } => {
                    self.kept(past.run, done, node, "set the kernel settings to what they were".into());
                }
                Action::AdoptPort { name, .. } => {
                    self.kept(past.run, done, node, format!("give {name} the name and MTU it had"));
                    self.told(
                        done.phase,
                        node,
                        "ifreload",
                        "reload the interfaces",
                        Action::ReloadInterfaces,
                    );
                }
                Action::BringUp { .. } | Action::ReloadInterfaces => {
                    self.told(
                        done.phase,
                        node,
                        "ifreload",
                        "reload the interfaces",
                        Action::ReloadInterfaces,
                    );
                }
                Action::ReloadSystemd => {
                    self.told(
                        done.phase,
                        node,
                        "systemd",
                        "let systemd read the units again",
                        action.clone(),
                    );
                }
                Action::ReloadUdev => {
                    self.told(done.phase, node, "udev", "let udev read its rules again", action.clone());
                }
                Action::UpdateInitramfs => {
                    self.told(done.phase, node, "initramfs", "make the initramfs anew", action.clone());
                }
                Action::RestartUnit { unit } if self.stays(past, node, unit) => {
                    self.told(done.phase, node, unit, &format!("restart {unit}"), action.clone());
                }
                Action::ApplySdn(change) => self.fabric(past, node, change),
                _ => self.lasting(done, node),
            }
        }
    }

    fn share(&mut self, phase: Phase, node: &NodeName) -> &mut Share {
        self.lists.entry((std::cmp::Reverse(phase), node.clone())).or_default()
    }

    /// The digest of a file at this point of the plan; `None` when it is absent.
    fn digest_of(&self, node: &NodeName, path: &str) -> Option<String> {
        if let Some(planned) = self.files.get(&(node.clone(), path.to_owned())) {
            return planned.clone();
        }
        self.now.nodes.get(node)?.state.files.get(path).map(|f| f.digest.clone())
    }

    /// A file goes back to what it was, unless it is that already or somebody has changed it.
    fn file(&mut self, run: &str, done: &Step, node: &NodeName, path: &str, left: Option<String>) {
        let was = done.expect.clone().filter(|d| !d.is_empty());
        let have = self.digest_of(node, path);
        if have == was {
            return;
        }
        if have != left && !self.differs_by_proxmox(done, node, path) {
            self.plan.notes.push(Obstacle {
                code: "RB0541".into(),
                node: Some(node.clone()),
                message: format!("{path} was changed after the run: it is left as it is"),
                evidence: String::new(),
                cure: "put it right by hand where that is needed".into(),
            });
            return;
        }
        self.files.insert((node.clone(), path.to_owned()), was.clone());
        let proof = match &was {
            Some(digest) => Check::File { path: path.into(), digest: digest.as_str().into() },
            None => Check::NoFile { path: path.into() },
        };
        let change = done.change.as_ref().map(|c| {
            Box::new(FileChange {
                path: c.path.clone(),
                before: c.after.as_ref().map(ToString::to_string),
                after: c.before.as_deref().map(Into::into),
            })
        });
        let title = if was.is_some() { format!("put back {path}") } else { format!("remove {path}") };
        let step = Step {
            title: title.into(),
            expect: Some(left.unwrap_or_default()),
            proof: vec![(node.clone(), proof)],
            change,
            ..self.back(run, done, node)
        };
        // Proxmox VE merges this one into what it generates: it goes before the fabric does.
        let phase = if path == frr_local::PATH { Phase::Converge } else { done.phase };
        self.share(phase, node).steps.push(Step { phase, ..step });
    }

    /// Whether a file differs from what the run left only in the lines of daemons Proxmox VE manages:
    /// taking the fabric back makes them what they were.
    fn differs_by_proxmox(&self, done: &Step, node: &NodeName, path: &str) -> bool {
        let others = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|l| !l.starts_with("fabricd=") && !l.starts_with("ospfd="))
                .map(str::to_owned)
                .collect()
        };
        let now = self.now.nodes.get(node).and_then(|f| f.text(path));
        let left = done.change.as_ref().and_then(|c| c.after.as_deref());
        path == frr_daemons::PATH && now.zip(left).is_some_and(|(now, left)| others(now) == others(left))
    }

    /// Proxmox VE switches FRR on for the first fabric, and leaves it on.
    fn frr_service(&mut self, before: &Fleet) {
        const UNIT: &str = "frr.service";
        let on = |facts: &Facts| facts.state.units.get(UNIT).is_some_and(|u| u.enabled == "enabled");
        for (node, facts) in &self.now.nodes {
            let was = before.nodes.get(node).filter(|f| f.has_package("frr"));
            if was.is_none_or(on) || !on(facts) {
                continue;
            }
            let step = Step {
                title: format!("switch {UNIT} off").into(),
                why: "it was off before, and no fabric needs it any more".into(),
                undo: Undo::Restore,
                proof: vec![(node.clone(), Check::Disabled { unit: UNIT.into() })],
                ..step(
                    node,
                    format_args!("undo:frr"),
                    Phase::Prepare,
                    Action::DisableUnit { unit: UNIT.into() },
                )
            };
            self.lists
                .entry((std::cmp::Reverse(Phase::Prepare), node.clone()))
                .or_default()
                .steps
                .insert(0, step);
        }
    }

    /// Something else the agent kept.
    fn kept(&mut self, run: &str, done: &Step, node: &NodeName, title: String) {
        let step = Step { title: title.into(), ..self.back(run, done, node) };
        self.share(done.phase, node).steps.push(step);
    }

    /// The bare step that takes another one back.
    fn back(&self, run: &str, done: &Step, node: &NodeName) -> Step {
        let what = done.id.strip_prefix(&format!("{node}/")).unwrap_or(&done.id);
        Step {
            why: format!("run {run} has changed it").into(),
            undo: Undo::Restore,
            ..step(
                node,
                format_args!("undo:{run}:{what}"),
                done.phase,
                Action::TakeBack { run: run.to_owned(), step: done.id.clone() },
            )
        }
    }

    /// Somebody who must be told after the things of this phase are put back; once a phase.
    fn told(&mut self, phase: Phase, node: &NodeName, id: &str, title: &str, action: Action) {
        let step = Step {
            title: title.to_owned().into(),
            why: "what it reads was put back".into(),
            ..step(node, format_args!("undo:{}:{id}", phase.word()), phase, action)
        };
        let told = &mut self.share(phase, node).told;
        if told.iter().all(|t| t.id != step.id) {
            told.push(step);
        }
    }

    /// Whether a unit's package was there before the run.
    fn stays(&self, past: &Past<'_>, node: &NodeName, unit: &str) -> bool {
        let package = unit.trim_end_matches(".service");
        past.before.nodes.get(node).is_some_and(|f| f.has_package(package))
    }

    /// The fabric's objects in Proxmox VE go back to what they were.
    fn fabric(&mut self, past: &Past<'_>, node: &NodeName, change: &SdnChange) {
        let (Some(before), Some((speaker, facts))) = (past.before.nodes.get(node), speaker(self.now)) else {
            return;
        };
        let (Ok((was, _)), Ok((is, _))) = (cluster::fabrics(before), cluster::fabrics(facts)) else { return };
        let calls = fabric::revert(&change.fabric, &was, &is);
        if calls == fabric::Calls::default() {
            return;
        }
        let after: Vec<pve::Section> = is
            .iter()
            .filter(|s| !fabric::of(&change.fabric, s))
            .chain(was.iter().filter(|s| fabric::of(&change.fabric, s)))
            .cloned()
            .collect();
        let staged = facts.state.files.get(pve::path::FABRICS);
        let nodes: Vec<NodeName> =
            change.nodes.iter().filter(|n| self.now.nodes.contains_key(*n)).cloned().collect();
        let proof = nodes
            .iter()
            .map(|n| (n.clone(), Check::Sourced { path: pve::path::SDN_INTERFACES.into() }))
            .collect();
        let step = Step {
            title: format!("take fabric {} back", change.fabric).into(),
            why: format!("run {} has made or changed it", past.run).into(),
            proof,
            patience: 30,
            risk: Risk::Disruptive,
            interrupts: "the mesh between the nodes, until it is built again".into(),
            undo: Undo::Impossible("`ringbolt apply` builds it again".into()),
            change: Some(Box::new(FileChange {
                path: pve::path::FABRICS.into(),
                before: staged.and_then(|f| f.text.clone()),
                after: Some(fabric::render(&after).into()),
            })),
            ..step(
                speaker,
                format_args!("undo:{}:sdn", past.run),
                Phase::Fabric,
                Action::ApplySdn(Box::new(SdnChange {
                    fabric: change.fabric.clone(),
                    deletes: calls.deletes,
                    calls: calls.calls,
                    nodes,
                    expect: staged.map_or_else(String::new, |f| f.digest.clone()),
                    dry_run: facts.at_least("libpve-network-perl", &[1, 3]),
                })),
            )
        };
        self.share(Phase::Fabric, speaker).steps.push(step);
        self.plan.notes.push(Obstacle {
            code: "RB0542".into(),
            node: None,
            message: "files that Proxmox VE and ifupdown2 generate stay, without the fabric: \
                      /etc/network/interfaces.d/sdn, /etc/frr/frr.conf, /etc/pve/sdn, /etc/pve/priv/lock, \
                      /etc/iproute2/rt_tables.d/ifupdown2_vrf_map.conf"
                .into(),
            evidence: String::new(),
            cure: "nothing needs to be done: they are written anew at the next apply".into(),
        });
    }

    /// What stays: said, once.
    fn lasting(&mut self, done: &Step, node: &NodeName) {
        let why = match (&done.undo, &done.action) {
            (Undo::Impossible(why), _) => why.clone(),
            (_, Some(Action::LoadModule { .. })) => "a module stays loaded until the next reboot".into(),
            _ => return,
        };
        self.plan.notes.push(Obstacle {
            code: "RB0542".into(),
            node: Some(node.clone()),
            message: format!("\"{}\" is not taken back: {why}", done.title),
            evidence: String::new(),
            cure: String::new(),
        });
    }

    /// Phases from the last to the first, a gate after each; a node's steps one after the other.
    fn finish(self) -> Plan {
        let mut plan = self.plan;
        let mut gate: Option<StepId> = None;
        let mut lists = self.lists.into_iter().peekable();
        while let Some(((phase, _), share)) = lists.next() {
            let mut ends: Vec<StepId> = Vec::new();
            let mut one = |share: Share| {
                let mut before = gate.clone();
                for mut step in share.steps.into_iter().chain(share.told) {
                    step.after = before.into_iter().collect();
                    before = Some(step.id.clone());
                    plan.steps.push(step);
                }
                ends.extend(before.filter(|b| Some(b) != gate.as_ref()));
            };
            one(share);
            while let Some((_, share)) = lists.next_if(|((p, _), _)| *p == phase) {
                one(share);
            }
            if lists.peek().is_some() && !ends.is_empty() {
                ends.arrange();
                let (id, name) = (format!("gate:undo-{}", phase.0.word()), phase.0.word());
                let wall = super::order::wall_after(id, name, phase.0, ends);
                gate = Some(wall.id.clone());
                plan.steps.push(wall);
            }
        }
        super::build::tidy(&mut plan.notes);
        super::guard(&mut plan.steps, crate::checkpoint::SECONDS);
        plan
    }
}
