//! Ceph from bare nodes to a healthy cluster on simulated nodes: what is planned, in which order, and that
//! nothing is left to do.

use std::collections::BTreeSet;

use ringbolt_core::action::{Action, CephDeed};
use ringbolt_core::name::StepId;
use ringbolt_core::plan::{Past, Plan, Policy, lint, undo};
use ringbolt_core::sim::{self, Cluster, Frr, Options};
use ringbolt_core::spec::{
    Ceph, Keeping, Mclock, OsdMemory, Osds, Pool, PublicNetwork, Release, Repository, Spec, Transport,
};
use ringbolt_core::step::Risk;
use ringbolt_core::survey::Survey;
use ringbolt_core::topology::generate;

fn wish(nodes: usize) -> (Spec, Cluster) {
    let topology = generate::ring(nodes);
    let mut spec = sim::spec(&topology, Transport::Thunderbolt);
    let monitors: Vec<_> = spec.nodes.iter().take(3).map(|n| n.name.clone()).collect();
    spec.ceph = Some(Ceph {
        repository: Repository::NoSubscription,
        version: Release::Tentacle,
        public: PublicNetwork::Mesh,
        managers: monitors.clone(),
        monitors,
        memory: OsdMemory::Reserve(None),
        tuning: true,
        mclock: Mclock::Balanced,
        scrub: None,
        migration: false,
    });
    for node in &mut spec.nodes {
        node.osds = Osds::Paths(vec!["/dev/nvme1n1".into(), "/dev/nvme2n1".into()]);
    }
    spec.pools.push(Pool {
        name: "vm".into(),
        keeping: Keeping::Copies { size: 3, min_size: 2 },
        pg_num: None,
        target_share: None,
        compression: None,
        class: None,
        storage: true,
        accept_data_loss: false,
    });
    let options = Options { frr: Frr::Installed, disks: 2, ..Options::default() };
    let cluster = sim::fresh(&topology, Transport::Thunderbolt, &options);
    (spec, cluster)
}

fn plan(spec: &Spec, cluster: &Cluster) -> Plan {
    let survey = Survey::new(spec.clone(), cluster.fleet(), Vec::new()).expect("addresses");
    let plan = survey.plan(&Policy::default());
    assert_eq!(lint(&plan), Vec::<String>::new());
    plan
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.deeds().map(|s| &*s.id).filter(|id| id.contains("ceph:")).collect()
}

#[test]
fn a_bare_cluster_is_planned_all_the_way_and_then_nothing_is_left() {
    let (spec, mut cluster) = wish(3);
    let first = plan(&spec, &cluster);
    assert!(first.obstacles.is_empty(), "{:#?}", first.obstacles);
    let names: Vec<&str> = spec.nodes.iter().map(|n| n.name.as_str()).collect();
    let [a, b, c] = names.as_slice() else { panic!("three nodes") };
    let all = |what: &str| [a, b, c].map(|n| format!("{n}/ceph:{what}"));
    let mut want: Vec<String> = all("install").into();
    want.push(format!("{a}/ceph:init"));
    want.extend(all("mon"));
    want.push(format!("{a}/ceph:config"));
    want.extend([format!("{b}/ceph:mgr"), format!("{c}/ceph:mgr")]);
    for node in [a, b, c] {
        want.extend(["osd:nvme1n1", "osd:nvme2n1"].map(|disk| format!("{node}/ceph:{disk}")));
    }
    want.extend(["pool:vm", "storage:vm"].map(|what| format!("{a}/ceph:{what}")));
    assert_eq!(ids(&first), want);
    // Monitors come one after the other; OSDs of different nodes do not wait for each other.
    let step = |id: &str| first.steps.iter().find(|s| &*s.id == id).expect("the step");
    assert_eq!(step(&format!("{b}/ceph:mon")).after, [format!("{a}/ceph:mon").into()]);
    assert_eq!(step(&format!("{b}/ceph:osd:nvme1n1")).after, step(&format!("{c}/ceph:osd:nvme1n1")).after);
    assert_eq!(step(&format!("{c}/ceph:osd:nvme2n1")).after, [format!("{c}/ceph:osd:nvme1n1").into()]);
    assert!(first.steps.iter().all(|s| s.risk < Risk::Destructive));

    cluster.run(&first, first.steps.len()).expect("carried out");
    assert_eq!(cluster.ceph.health, "HEALTH_OK");
    assert_eq!(cluster.ceph.pools.iter().find(|p| p.name == "vm").expect("the pool").pg_num, 256);
    let second = plan(&spec, &cluster);
    // Ceph numbers its OSDs: what they can do is measured when they are there.
    assert_eq!(ids(&second), all("measure"));
    cluster.run(&second, second.steps.len()).expect("measured");
    let last = plan(&spec, &cluster);
    assert_eq!(last.deeds().count(), 0, "{:?}", ids(&last));
    assert!(last.notes.iter().all(|n| !n.code.starts_with("RB06")), "{:?}", last.notes);
}

#[test]
fn deeds_of_ceph_cross_the_wire() {
    let (spec, cluster) = wish(3);
    for step in plan(&spec, &cluster).steps {
        let text = serde_json::to_string(&step).expect("written");
        assert_eq!(serde_json::from_str::<ringbolt_core::step::Step>(&text).expect("read"), step, "{text}");
    }
    for deed in [CephDeed::Manager, CephDeed::Metadata] {
        let action = Action::Ceph(deed);
        let text = serde_json::to_string(&action).expect("written");
        assert_eq!(serde_json::from_str::<Action>(&text).expect("read"), action, "{text}");
    }
}

#[test]
fn a_disk_about_to_be_taken_is_asked_for_its_condition_and_a_failed_one_refused() {
    use ringbolt_core::bind::disks::unasked;
    use ringbolt_core::facts::Known;
    use ringbolt_core::facts::disk::Health;
    let (spec, mut cluster) = wish(3);
    let survey = |spec: &Spec, cluster: &Cluster| {
        Survey::new(spec.clone(), cluster.fleet(), Vec::new()).expect("addresses")
    };
    let due = |s: &Survey| unasked(&s.desired.ceph.as_ref().expect("Ceph").disks).len();
    assert_eq!(due(&survey(&spec, &cluster)), 3);
    let first = spec.nodes[0].name.clone();
    let condition = |cluster: &mut Cluster, passed: bool| {
        for node in cluster.nodes.values_mut() {
            if let Known::Yes(disks) = &mut node.facts.inventory.disks {
                for disk in disks.iter_mut() {
                    disk.health =
                        Known::Yes(Health { passed: Some(passed), wear: Some(85), ..Health::default() });
                }
            }
        }
    };
    condition(&mut cluster, false);
    let refused = plan(&spec, &cluster);
    assert!(refused.obstacles.iter().any(|o| o.code == "RB0647" && o.node.as_ref() == Some(&first)));
    condition(&mut cluster, true);
    let good = plan(&spec, &cluster);
    assert!(good.obstacles.is_empty() && good.notes.iter().any(|o| o.code == "RB0653"), "{:?}", good.notes);
    assert_eq!(due(&survey(&spec, &cluster)), 0);
}

#[test]
fn what_is_taken_out_of_the_spec_is_told_and_left() {
    let (mut spec, mut cluster) = wish(3);
    for _ in 0..2 {
        let plan = plan(&spec, &cluster);
        cluster.run(&plan, plan.steps.len()).expect("carried out");
    }
    spec.nodes[2].osds = Osds::Paths(vec!["/dev/nvme1n1".into()]);
    spec.pools[0].name = "guests".into();
    let plan = plan(&spec, &cluster);
    let told: Vec<&str> = plan.notes.iter().filter(|o| o.code == "RB0683").map(|o| &*o.message).collect();
    assert!(told.iter().any(|m| m.contains("is on a disk that `osds` does not name")), "{told:?}");
    assert!(told.iter().any(|m| m.contains("pools the spec does not name: vm")), "{told:?}");
    assert!(plan.steps.iter().all(|s| s.risk < Risk::Destructive));
}

#[test]
fn what_a_mesh_below_ceph_stands_on_is_not_taken_back() {
    let (spec, mut cluster) = wish(3);
    let mesh = Spec { ceph: None, ..spec.clone() };
    let before = cluster.fleet();
    let first = plan(&mesh, &cluster);
    cluster.run(&first, first.steps.len()).expect("the mesh");
    let begun: BTreeSet<StepId> = first.steps.iter().map(|s| s.id.clone()).collect();
    let past = [Past { run: "r1", plan: &first, before: &before, begun: &begun }];
    let back = undo(&past, &cluster.fleet());
    assert!(back.obstacles.is_empty() && back.deeds().count() > 0, "{:?}", back.obstacles);

    let second = plan(&spec, &cluster);
    cluster.run(&second, second.steps.len()).expect("Ceph on it");
    let begun: BTreeSet<StepId> = second.steps.iter().map(|s| s.id.clone()).collect();
    let on_top = Past { run: "r2", plan: &second, before: &before, begun: &begun };
    for past in [&past[..], &[on_top], &[on_top, past[0]]] {
        let back = undo(past, &cluster.fleet());
        let codes: Vec<&str> = back.obstacles.iter().map(|o| &*o.code).collect();
        assert_eq!((codes, back.steps.len()), (vec!["RB0540"], 0));
    }
}

/// Whatever step fails, on whichever node: what does not hang on it is done, and the next run does the rest.
#[test]
fn after_any_step_that_fails_the_next_run_goes_on() {
    let (spec, fresh) = wish(3);
    let whole = plan(&spec, &fresh);
    let victims = whole.deeds().filter(|s| s.id.contains("ceph:"));
    for victim in victims {
        let mut cluster = fresh.clone();
        let mut left: BTreeSet<&StepId> = [&victim.id].into();
        for step in &whole.steps {
            if left.contains(&step.id) || step.after.iter().any(|id| left.contains(id)) {
                left.insert(&step.id);
            } else {
                cluster.step(step).unwrap_or_else(|e| panic!("without {}: {e}", victim.id));
            }
        }
        assert!(left.len() < whole.steps.len());
        let rest = plan(&spec, &cluster);
        assert!(rest.obstacles.is_empty(), "after {}: {:?}", victim.id, rest.obstacles);
        let missing: Vec<&str> =
            whole.deeds().map(|s| &s.id).filter(|id| left.contains(id)).map(|id| &**id).collect();
        let due: Vec<&str> = ids(&rest).into_iter().filter(|id| !id.ends_with(":measure")).collect();
        assert_eq!(due, missing, "after {}", victim.id);
        cluster.run(&rest, rest.steps.len()).unwrap_or_else(|e| panic!("after {}: {e}", victim.id));
        assert_eq!(cluster.ceph.health, "HEALTH_OK", "after {}", victim.id);
    }
}
