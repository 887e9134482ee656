//! Ceph's part of a plan: what is in the way, the steps of every kind, and their order.
//!
//! Packages on all nodes at once, then the first node's `init`, then monitor after monitor, options,
//! managers, OSDs (nodes side by side, one disk after the other on each), pools, file systems, storage
//! entries; at the end a wait for a healthy cluster.

use std::collections::BTreeSet;

use super::Plan;
use super::order::wall_after;
use crate::arrange::Arrange;
use crate::check::{CephCheck, Check};
use crate::desired::Desired;
use crate::facts::ceph::CephCluster;
use crate::facts::{Fleet, ceph_conf};
use crate::into_set::IntoSet;
use crate::name::{NodeName, StepId};
use crate::resource::ceph::{
    Scene, config, daemon, datacenter, filesystem, init, install, measure, on, osd, pool, storage, wait,
};
use crate::spec::Spec;
use crate::step::{Phase, Risk, Step};
use crate::wish::{CephWish, home};

mod preflight;

pub(super) use preflight::unfit;

/// Seconds a cluster gets to become healthy once all of it is there.
const HEALTH_PATIENCE: u32 = 120;
/// Seconds the mesh gets before Ceph is begun on it.
const MESH_PATIENCE: u32 = 60;
/// Seconds placement groups get to be clean again after a step that interrupts the mesh.
pub(super) const CLEAN_PATIENCE: u32 = 300;

/// The steps of Ceph in order, and what is in the way, which goes into `plan`.
pub(super) fn settle(spec: &Spec, desired: &Desired, fleet: &Fleet, plan: &mut Plan) -> Vec<Step> {
    let (Some(ceph), Some(wish)) = (&spec.ceph, &desired.ceph) else { return Vec::new() };
    let Some(speaker) = wish.speaker() else {
        plan.obstacles.extend(wish.obstacles.iter().cloned());
        return Vec::new();
    };
    let conf = ceph_conf::read(fleet.shared(ceph_conf::PATH).unwrap_or(""));
    let scene = Scene { spec, ceph, wish, fleet, speaker, cluster: fleet.cluster(), conf };
    let looked = preflight::look(&scene);
    let blind = !looked.obstacles.is_empty();
    plan.obstacles.extend(looked.obstacles);
    plan.notes.extend(looked.notes);
    for choice in wish.disks.values() {
        plan.obstacles.extend(choice.refused.iter().cloned());
        plan.notes.extend(choice.notes.iter().cloned());
    }
    if blind {
        return Vec::new();
    }
    let (steps, satisfied) = course(&scene);
    plan.satisfied += satisfied;
    steps
}

/// All steps with what each waits for, and how many things are as they should be.
fn course(scene: &Scene<'_>) -> (Vec<Step>, u32) {
    let mut course = Course::default();
    let wish = scene.wish;
    let alone = |steps: Vec<Step>| steps.into_iter().map(|step| vec![step]).collect::<Vec<_>>();
    let mut right = 0;
    let mut count = |all: usize, due: usize| right += u32::try_from(all.saturating_sub(due)).unwrap_or(0);

    let packages = install::steps(scene);
    count(scene.nodes().count(), packages.len());
    course.side_by_side("install", alone(packages));
    let first = init::step_for(scene);
    count(1, usize::from(first.is_some()));
    course.one_by_one(first);
    let monitors = daemon::monitors(scene);
    count(wish.monitors.len(), monitors.len());
    course.one_by_one(monitors);
    let options = config::step_for(scene);
    count(usize::from(scene.ceph.tuning), usize::from(options.is_some()));
    course.one_by_one(options);
    let managers = daemon::managers(scene);
    count(wish.managers.len(), managers.len());
    course.side_by_side("managers", alone(managers));
    let chains = osd::steps(scene);
    let disks = wish.disks.values().map(|c| c.chosen.len()).sum();
    count(disks, chains.iter().flatten().filter(|s| s.risk == Risk::Safe).count());
    course.side_by_side("osds", chains);
    let pools = pool::steps(scene);
    count(wish.pools.len(), pools.len());
    course.one_by_one(pools);
    let servers = daemon::metadata(scene);
    count(wish.metadata.len(), servers.len());
    course.side_by_side("metadata", alone(servers));
    course.one_by_one(filesystem::steps(scene));
    let entries = storage::steps(scene);
    count(wish.storage.len(), entries.len());
    course.one_by_one(entries);
    course.one_by_one(datacenter::step_for(scene));
    // One OSD at a time in the whole cluster: two that are measured together share what lies between.
    course.one_by_one(measure::steps(scene));

    if course.steps.is_empty() {
        return (Vec::new(), right);
    }
    let mut begun = Course::default();
    begun.side_by_side("mesh", alone(mesh(scene)));
    let gate = begun.last.clone();
    let mut steps = begun.steps;
    for step in course.steps.iter_mut().filter(|s| s.after.is_empty()) {
        step.after.clone_from(&gate);
    }
    steps.append(&mut course.steps);
    let end = healthy(scene);
    steps.push(Step { after: course.last, ..end });
    (steps, right)
}

/// Before Ceph is begun or changed, its nodes reach each other on the mesh.
fn mesh(scene: &Scene<'_>) -> Vec<Step> {
    let Ok(addresses) = crate::address::assign(scene.spec) else { return Vec::new() };
    let network = scene.wish.cluster;
    let homes: Vec<(&NodeName, std::net::IpAddr)> = addresses
        .iter()
        .filter(|(node, _)| scene.fleet.nodes.contains_key(*node))
        .filter_map(|(node, address)| Some((node, home(address, network)?)))
        .take(MANY)
        .collect();
    homes
        .iter()
        .map(|(node, _)| {
            let others = homes.iter().filter(|(other, _)| other != node);
            let proof =
                others.map(|(_, to)| ((*node).clone(), Check::Route { to: *to, hops: None })).collect();
            Step {
                title: "wait until the node reaches the others on the mesh".into(),
                why: "monitors and OSDs talk over it from their first moment".into(),
                patience: MESH_PATIENCE,
                ..wait(node, format_args!("mesh"), proof)
            }
        })
        .filter(|step| !step.proof.is_empty())
        .collect()
}

/// Above this many nodes not every pair is waited for.
const MANY: usize = 64;

/// The cluster is whole again, with no complaint that was not there before.
fn healthy(scene: &Scene<'_>) -> Step {
    let mut known: BTreeSet<String> = scene
        .cluster
        .into_iter()
        .flat_map(|c| &c.complaints)
        .filter(|c| !passing(&c.code))
        .map(|c| c.code.clone())
        .into_set();
    // Ceph complains of this in every new cluster until an option of the profile is set.
    known.extend((!scene.ceph.tuning).then(|| INSECURE.to_owned()));
    let why = if known.is_empty() {
        "the end of the way: HEALTH_OK, all placement groups active and clean".into()
    } else {
        let list: Vec<&str> = known.iter().map(String::as_str).collect();
        format!("what is not ringbolt's to mend may stay: {}", list.join(", "))
    };
    let speaker = scene.speaker;
    Step {
        title: "wait until Ceph is healthy".into(),
        why: why.into(),
        patience: HEALTH_PATIENCE,
        ..wait(
            speaker,
            format_args!("healthy"),
            vec![on(speaker, CephCheck::Clean {}), on(speaker, CephCheck::Health { known })],
        )
    }
}

/// Clients may take up again the identity of another one.
const INSECURE: &str = "AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED";

/// Complaints that a half-built cluster has and a whole one must not have.
fn passing(code: &str) -> bool {
    ["OSD_", "PG_", "MGR_", "MON_DOWN", "TOO_FEW_OSDS", "POOL_", "AUTH_", "OBJECT_", "MDS_"]
        .iter()
        .any(|start| code.starts_with(start))
}

/// Steps in order, and what the next one waits for.
#[derive(Default)]
struct Course {
    steps: Vec<Step>,
    last: Vec<StepId>,
}

impl Course {
    /// One after the other, whatever their node.
    fn one_by_one(&mut self, steps: impl IntoIterator<Item = Step>) {
        for mut step in steps {
            step.after = std::mem::replace(&mut self.last, vec![step.id.clone()]);
            self.steps.push(step);
        }
    }

    /// Each chain in its own order, all chains at once; a gate gathers them.
    fn side_by_side(&mut self, name: &str, chains: Vec<Vec<Step>>) {
        let mut ends = Vec::new();
        for chain in chains {
            let mut after = self.last.clone();
            for mut step in chain {
                step.after = std::mem::replace(&mut after, vec![step.id.clone()]);
                self.steps.push(step);
            }
            if after != self.last {
                ends.append(&mut after);
            }
        }
        match ends.len() {
            0 => {}
            1 => self.last = ends,
            _ => {
                ends.arrange();
                let gate = wall_after(format!("gate:ceph-{name}"), name, Phase::Ceph, ends);
                self.last = vec![gate.id.clone()];
                self.steps.push(gate);
            }
        }
    }
}

/// The check that Ceph is whole again, for steps that interrupt the mesh; none where it is not whole now.
pub(super) fn whole_again(wish: Option<&CephWish>, fleet: &Fleet) -> Option<(NodeName, Check)> {
    let speaker = wish?.speaker()?;
    let cluster = fleet.cluster()?;
    is_whole(cluster).then(|| on(speaker, CephCheck::Clean {}))
}

/// Whether there are placement groups, and all of them are clean.
fn is_whole(cluster: &CephCluster) -> bool {
    cluster.placement_groups.values().sum::<u64>() > 0 && crate::check::clean(cluster)
}
