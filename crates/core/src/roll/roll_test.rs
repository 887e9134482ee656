//! Turns, refusals and proofs on simulated nodes.
#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::facts::{Known, ha, pve};
use crate::obstacle::Obstacle;
use crate::plan::{Policy, lint};
use crate::sim::{self, Cluster, Frr, Options};
use crate::spec::{
    Ceph, Keeping, Mclock, OsdMemory, Osds, Pool, PublicNetwork, Release, Repository, Spec, Transport,
};
use crate::topology::{Topology, generate};

/// A cluster that is applied and whole, with Ceph or without.
fn whole(topology: &Topology, ceph: bool) -> (Spec, Cluster) {
    let mut spec = sim::spec(topology, Transport::Thunderbolt);
    if ceph {
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
            node.osds = Osds::Paths(vec!["/dev/nvme1n1".into()]);
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
    }
    let options = Options { frr: Frr::Installed, disks: if ceph { 1 } else { 0 }, ..Options::default() };
    let mut cluster = sim::fresh(topology, Transport::Thunderbolt, &options);
    for _ in 0..6 {
        let survey = Survey::new(spec.clone(), cluster.fleet(), Vec::new()).expect("addresses");
        let plan = survey.plan(&Policy::default());
        if plan.deeds().next().is_none() {
            break;
        }
        cluster.run(&plan, plan.steps.len()).expect("applied");
    }
    for node in cluster.nodes.values_mut() {
        node.facts.state.guests = Known::Yes(Vec::new());
    }
    (spec, cluster)
}

fn survey(spec: &Spec, cluster: &Cluster) -> Survey {
    Survey::new(spec.clone(), cluster.fleet(), Vec::new()).expect("addresses")
}

/// The survey with a node that does not answer and is missing in Proxmox VE's list.
fn without(spec: &Spec, cluster: &Cluster, gone: &NodeName) -> Survey {
    let mut cluster = cluster.clone();
    let cables: Vec<_> =
        cluster.cables.iter().filter(|(a, b)| a.node == *gone || b.node == *gone).cloned().collect();
    cables.iter().for_each(|c| cluster.unplug(c));
    let mut fleet = cluster.fleet();
    fleet.nodes.remove(gone);
    for facts in fleet.nodes.values_mut() {
        let file = facts.state.files.get_mut(pve::path::MEMBERS).expect("members");
        let text = file.text.as_deref().expect("text");
        let mut root: serde_json::Value = serde_json::from_str(text).expect("JSON");
        root["nodelist"][gone.as_str()]["online"] = 0.into();
        file.text = Some(root.to_string());
    }
    let silent = vec![crate::survey::Silent {
        node: gone.clone(),
        why: "no route".into(),
        cure: "switch it on".into(),
        full: false,
    }];
    Survey::new(spec.clone(), fleet, silent).expect("addresses")
}

fn request(kind: Kind, nodes: &[&NodeName]) -> Request {
    Request { kind, nodes: nodes.iter().map(|n| (*n).clone()).collect(), accept: BTreeSet::new() }
}

fn codes(plan: &Plan) -> Vec<&str> {
    let mut codes: Vec<&str> = plan.obstacles.iter().map(|o| o.code.as_str()).collect();
    codes.dedup();
    codes
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|s| &*s.id).collect()
}

fn names(spec: &Spec) -> Vec<NodeName> {
    spec.nodes.iter().map(|n| n.name.clone()).collect()
}

#[test]
fn three_nodes_with_ceph_go_one_after_the_other() {
    let (spec, mut cluster) = whole(&generate::ring(3), true);
    let all = names(&spec);
    let [a, b, c] = all.as_slice() else { panic!("three") };
    cluster.ceph.active_manager = Some(a.to_string());
    cluster.ceph.leader = b.to_string();
    tell(&mut cluster);
    let asked = request(Kind::Reboot, &[a, b, c]);
    let made = plan(&survey(&spec, &cluster), &asked);
    assert_eq!(codes(&made), Vec::<&str>::new(), "{:#?}", made.obstacles);
    assert_eq!(lint(&made), Vec::<String>::new());
    let each = |n: &NodeName| {
        ["may-stop", "noout-on", "reboot", "ceph-whole", "noout-off"].map(|w| format!("{n}/{w}"))
    };
    let mut want = Vec::new();
    for node in [c, b, a] {
        want.extend(each(node));
        want.push(format!("gate:{node}"));
    }
    assert_eq!(ids(&made), want);
    for pair in made.steps.windows(2) {
        assert_eq!(pair[1].after, [pair[0].id.clone()]);
    }
    // Only the host that goes is held, never all.
    let holds = made.steps.iter().filter_map(|s| match &s.action {
        Some(Action::Ceph(CephDeed::HoldOut { host, hold })) => Some((host.clone(), *hold)),
        _ => None,
    });
    assert_eq!(
        holds.filter(|(_, hold)| *hold).map(|(h, _)| h).collect::<Vec<_>>(),
        [c, b, a].map(Clone::clone)
    );
    cluster.run(&made, made.steps.len()).expect("rebooted");
    assert_eq!(cluster.ceph.held().count(), 0);
    // The order in which nodes are named does not matter.
    let other = plan(&survey(&spec, &cluster), &request(Kind::Reboot, &[c, a, b, a]));
    assert_eq!(ids(&other), ids(&plan(&survey(&spec, &cluster), &asked)));
}

#[test]
fn a_proof_covers_both_ends_of_every_cable() {
    let (spec, cluster) = whole(&generate::ring(4), false);
    let all = names(&spec);
    let made = plan(&survey(&spec, &cluster), &request(Kind::Reboot, &[&all[0]]));
    assert_eq!(ids(&made), [format!("{}/reboot", all[0])]);
    let proof = &made.steps[0].proof;
    let neighbor = |at: &NodeName| {
        proof.iter().filter(|(node, c)| node == at && matches!(c, Check::Neighbor { .. })).count()
    };
    assert_eq!([0, 1, 2, 3].map(|i| neighbor(&all[i])), [2, 1, 0, 1]);
    let routes =
        |at: &NodeName| proof.iter().filter(|(n, c)| n == at && matches!(c, Check::Route { .. })).count();
    assert_eq!([0, 1, 2, 3].map(|i| routes(&all[i])), [3, 1, 1, 1]);
    assert!(proof.contains(&(all[0].clone(), Check::Quorate {})));
    assert_eq!(made.steps[0].risk, Risk::Disruptive);
}

#[test]
fn a_ring_of_four_with_one_node_off_is_not_cut_any_further() {
    let (spec, cluster) = whole(&generate::ring(4), false);
    let all = names(&spec);
    // Opposite the one that is off: the other two would lose each other.
    let seen = without(&spec, &cluster, &all[3]);
    let made = plan(&seen, &request(Kind::Reboot, &[&all[1]]));
    assert!(codes(&made).contains(&"RB0570"), "{:#?}", made.obstacles);
    let cut = made.obstacles.iter().find(|o| o.code == "RB0570").expect("the cut");
    assert!(cut.message.contains(all[3].as_str()), "{cut:?}");
    assert!(cut.cure.contains("bring") && cut.cure.contains("--accept RB0570"), "{cut:?}");
    // Two of four votes are no majority.
    assert!(codes(&made).contains(&"RB0573"), "{:#?}", made.obstacles);
    // Beside it nobody is cut off, but the votes are still too few.
    let beside = plan(&seen, &request(Kind::Reboot, &[&all[0]]));
    assert!(!codes(&beside).contains(&"RB0570") && codes(&beside).contains(&"RB0573"));
    // The one that is off cannot be rebooted.
    assert!(codes(&plan(&seen, &request(Kind::Reboot, &[&all[3]]))).contains(&"RB0501"));
}

#[test]
fn the_middle_of_a_line_is_refused_until_agreed_to() {
    let (spec, cluster) = whole(&generate::line(3), false);
    let all = names(&spec);
    let seen = survey(&spec, &cluster);
    let mut asked = request(Kind::Reboot, &[&all[1]]);
    let made = plan(&seen, &asked);
    assert_eq!(codes(&made), ["RB0570"]);
    assert!(made.obstacles[0].message.starts_with("holds the others together"), "{made:#?}");
    asked.accept.insert("RB0570".into());
    let agreed = plan(&seen, &asked);
    assert!(agreed.obstacles.is_empty() && agreed.notes.iter().any(|n| n.code == "RB0570"));
    assert!(plan(&seen, &request(Kind::Reboot, &[&all[0]])).obstacles.is_empty());
}

#[test]
fn two_nodes_have_no_majority_without_a_third_vote() {
    let (spec, cluster) = whole(&generate::line(2), false);
    let all = names(&spec);
    assert_eq!(codes(&plan(&survey(&spec, &cluster), &request(Kind::Reboot, &[&all[0]]))), ["RB0573"]);
    let mut third = cluster.clone();
    third.put_shared(ha::COROSYNC, "quorum {\n  device {\n    votes: 1\n  }\n}\n");
    assert!(plan(&survey(&spec, &third), &request(Kind::Reboot, &[&all[0]])).obstacles.is_empty());
}

#[test]
fn a_pool_that_needs_all_its_copies_is_told_with_the_reason() {
    let (spec, mut cluster) = whole(&generate::ring(3), true);
    let all = names(&spec);
    let pool = cluster.ceph.pools.iter_mut().find(|p| p.name == "vm").expect("the pool");
    (pool.size, pool.min_size) = (2, 2);
    cluster.tell_ceph();
    let made = plan(&survey(&spec, &cluster), &request(Kind::Reboot, &[&all[0]]));
    assert_eq!(codes(&made), ["RB0577"]);
    assert_eq!(made.obstacles[0].evidence, "vm: size 2, min_size 2");
}

#[test]
fn ceph_must_be_whole_and_keep_its_monitors() {
    let (spec, mut cluster) = whole(&generate::ring(3), true);
    let all = names(&spec);
    let first = request(Kind::Reboot, &[&all[0]]);
    let mut degraded = cluster.clone();
    degraded.ceph.placement_groups = BTreeMap::from([("active+undersized+degraded".to_owned(), 3)]);
    tell(&mut degraded);
    assert_eq!(codes(&plan(&survey(&spec, &degraded), &first)), ["RB0575"]);
    cluster.ceph.quorum.retain(|m| m != all[2].as_str());
    tell(&mut cluster);
    assert_eq!(codes(&plan(&survey(&spec, &cluster), &first)), ["RB0575", "RB0576"]);
    // A cluster that is silent is not known to be whole.
    for node in cluster.nodes.values_mut() {
        node.facts.state.ceph_cluster = Known::No("no monitor answers".into());
    }
    assert_eq!(codes(&plan(&survey(&spec, &cluster), &first)), ["RB0575"]);
}

/// The cluster's word, as it stands, on the node that tells it.
fn tell(cluster: &mut Cluster) {
    let word = cluster.ceph.clone();
    for node in cluster.nodes.values_mut() {
        if node.facts.state.ceph_cluster.yes().is_some() {
            node.facts.state.ceph_cluster = Known::Yes(word.clone());
        }
    }
}

#[test]
fn guests_that_nobody_moves_are_named() {
    let (spec, mut cluster) = whole(&generate::ring(3), false);
    let all = names(&spec);
    let guest = |id, runs| crate::facts::Guest { id, kind: "vm".into(), runs };
    let node = cluster.nodes.get_mut(&all[0]).expect("the node");
    node.facts.state.guests = Known::Yes(vec![guest(100, true), guest(101, true), guest(102, false)]);
    cluster.put_shared(ha::RESOURCES, "vm: 100\n\tstate started\n");
    let status = format!(r#"{{"service_status":{{"vm:100":{{"node":"{}","state":"started"}}}}}}"#, all[0]);
    cluster.put_shared(ha::STATUS, &status);
    let made = plan(&survey(&spec, &cluster), &request(Kind::Reboot, &[&all[0]]));
    assert_eq!(codes(&made), ["RB0574"]);
    assert!(made.obstacles[0].message.ends_with("vm:101"), "{made:#?}");
    // What high availability has is moved away before, and comes back after.
    let want = ["maintenance-on", "reboot", "maintenance-off"].map(|w| format!("{}/{w}", all[0]));
    assert_eq!(ids(&made), want);
    cluster.run(&made, 1).expect("moved");
    let entered = survey(&spec, &cluster);
    assert_eq!(left_over(&entered.fleet).len(), 1);
    // Once it is in maintenance, what is left there was not moved.
    assert_eq!(codes(&plan(&entered, &request(Kind::Reboot, &[&all[0]]))), ["RB0574"]);
}

#[test]
fn maintenance_is_entered_reboots_and_is_left() {
    let (spec, mut cluster) = whole(&generate::ring(3), true);
    let all = names(&spec);
    let node = &all[1];
    let enter = plan(&survey(&spec, &cluster), &request(Kind::Enter, &[node]));
    assert_eq!(ids(&enter), ["maintenance-on", "may-stop", "noout-on"].map(|w| format!("{node}/{w}")));
    cluster.run(&enter, enter.steps.len()).expect("entered");
    let seen = survey(&spec, &cluster);
    let told: Vec<Obstacle> = left_over(&seen.fleet);
    assert_eq!(told.iter().map(|o| o.code.as_str()).collect::<Vec<_>>(), ["RB0578", "RB0579"]);
    assert!(seen.plan(&Policy::default()).notes.iter().any(|n| n.code == "RB0578"));
    // Again: nothing. Another node: not now. A reboot of this one leaves it where it is.
    assert!(plan(&seen, &request(Kind::Enter, &[node])).steps.is_empty());
    assert_eq!(codes(&plan(&seen, &request(Kind::Reboot, &[&all[0]]))), ["RB0572"]);
    let again = plan(&seen, &request(Kind::Reboot, &[node]));
    assert_eq!(ids(&again), [format!("{node}/reboot"), format!("{node}/ceph-whole")]);
    cluster.run(&again, again.steps.len()).expect("rebooted");
    let exit = plan(&survey(&spec, &cluster), &request(Kind::Exit { now: false }, &[node]));
    let want = ["mesh", "ceph-whole", "noout-off", "maintenance-off"].map(|w| format!("{node}/{w}"));
    assert_eq!(ids(&exit), want);
    cluster.run(&exit, exit.steps.len()).expect("left");
    assert!(left_over(&survey(&spec, &cluster).fleet).is_empty());
    assert!(plan(&survey(&spec, &cluster), &request(Kind::Exit { now: false }, &[node])).steps.is_empty());
}

#[test]
fn a_node_that_does_not_come_back_is_let_go_from_another_one() {
    let (spec, mut cluster) = whole(&generate::ring(3), true);
    let all = names(&spec);
    let enter = plan(&survey(&spec, &cluster), &request(Kind::Enter, &[&all[2]]));
    cluster.run(&enter, enter.steps.len()).expect("entered");
    let gone = without(&spec, &cluster, &all[2]);
    let refused = plan(&gone, &request(Kind::Exit { now: false }, &[&all[2]]));
    assert_eq!(codes(&refused), ["RB0501"]);
    assert!(refused.obstacles[0].cure.contains("--now"), "{refused:#?}");
    let now = plan(&gone, &request(Kind::Exit { now: true }, &[&all[2]]));
    assert!(now.obstacles.is_empty(), "{:#?}", now.obstacles);
    assert_eq!(ids(&now), [format!("{}/noout-off", all[0]), format!("{}/maintenance-off", all[0])]);
    cluster.run(&now, now.steps.len()).expect("let go");
    assert!(left_over(&cluster.fleet()).is_empty());
}

#[test]
fn an_apply_below_ceph_does_not_cut_what_is_left_of_a_ring() {
    let (spec, mut cluster) = whole(&generate::ring(4), true);
    let all = names(&spec);
    let mut wanted = spec.clone();
    wanted.fabric.hello_interval = 3;
    let made = survey(&wanted, &cluster).plan(&Policy::default());
    let cuts = |plan: &Plan| plan.obstacles.iter().filter(|o| o.code == "RB0570").count();
    assert!(made.steps.iter().any(|s| s.risk == Risk::Disruptive), "{:?}", ids(&made));
    assert_eq!(cuts(&made), 0, "{:#?}", made.obstacles);
    // One cable out: a line now, and its inner nodes hold the ends together.
    let between = |c: &&(sim::Socket, sim::Socket)| c.0.node == all[2] || c.1.node == all[2];
    let cable = cluster.cables.iter().find(between).cloned().expect("a cable");
    cluster.unplug(&cable);
    let made = survey(&wanted, &cluster).plan(&Policy::default());
    let inner: Vec<_> = made.obstacles.iter().filter(|o| o.code == "RB0570").collect();
    let touched: BTreeSet<_> =
        made.steps.iter().filter(|s| s.risk >= Risk::Disruptive).filter_map(|s| s.node.clone()).collect();
    assert!(inner.iter().all(|o| touched.contains(o.node.as_ref().expect("a node"))), "{inner:#?}");
    assert!(!inner.is_empty(), "{touched:?}: {:?}", made.obstacles);
    let mut narrow = made.clone();
    let end = all.iter().find(|n| !inner.iter().any(|o| o.node.as_ref() == Some(n))).expect("an end");
    narrow.narrow(None, &[end.to_string()]);
    assert_eq!(cuts(&narrow), 0);
}
