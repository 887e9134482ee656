//! The deeds on Ceph: everything a spec can ask of it, on three nodes with real daemons and on their doubles.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ringbolt_core::action::{Action, CephDeed};
use ringbolt_core::name::NodeName;
use ringbolt_core::roll::{self, Kind, Request};

use crate::deeds::Lab;
use crate::pair::Pair;
use crate::rig::Rig;
use crate::{converge, judge, step};

/// Longest wait for placement groups.
const REST: Duration = Duration::from_secs(60);

/// Monitors and clients on the management network, so that no address can be taken for another; a disk for
/// databases, one with something on it, and a pool of every kind.
fn spec(wipe: &str) -> String {
    let node = |n: u32, keys: &str| {
        format!("[[node]]\nname = \"n{n}\"\naddress = \"10.11.12.1{n}\"\nosds = [\"/dev/nvme1n1\"]\n{keys}\n")
    };
    format!(
        "[cluster]\nname = \"lab\"\n\n[fabric]\nprefix = \"10.100.0.0/24\"\n\n[ssh]\nconfig = \"ssh_config\"\n\n\
         {}{}{}\
         [ceph]\npublic = \"lan\"\nmigration = true\n\n\
         [[pool]]\nname = \"vm\"\nclass = \"ssd\"\ncompression = \"lz4\"\ntarget_share = 60\n\n\
         [[pool]]\nname = \"archive\"\nerasure = \"2+1\"\ni_accept_data_loss = true\ntarget_share = 20\n\n\
         [[filesystem]]\nname = \"files\"\n",
        node(1, "db = \"/dev/nvme2n1\"\n"),
        node(2, wipe),
        node(3, "")
    )
}

#[test]
fn deeds_on_ceph_leave_simulated_and_real_nodes_the_same() {
    let Some(rig) = Rig::new("stores") else { return };
    rig.ok(&["lab", "up", "--nodes", "3", "--disks", "2"]);
    rig.ok(&["apply", "--yes"]);
    rig.ok(&["lab", "disk", "n2", "nvme1n1", "--make", "ext4"]);
    std::fs::write(rig.spec(), spec("")).unwrap();
    let serial = Pair::new(&rig).disk("n2", "nvme1n1").serial;
    std::fs::write(rig.spec(), spec(&format!("wipe = [\"{serial}\"]\n"))).unwrap();
    let mut pair = Pair::new(&rig);
    converge(&mut pair);
    by_hand(&mut pair);
    out_of_service(&mut pair, "n3");
    judge(&pair, Lab::Ceph);
}

/// Deeds and forms no plan for a new cluster has in it.
fn by_hand(pair: &mut Pair) {
    let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let fewer = CephDeed::Pool { create: false, name: "vm".into(), options: pairs(&[("size", "2")]) };
    pair.step(&step("n1", "fewer", Action::Ceph(fewer)));
    let option = ("global".to_owned(), "mon_max_pg_per_osd".to_owned());
    let set = vec![(option.0.clone(), option.1.clone(), "300".to_owned())];
    pair.step(&step("n2", "set", Action::Ceph(CephDeed::Config { set, remove: Vec::new() })));
    let remove = vec![option];
    pair.step(&step("n2", "unset", Action::Ceph(CephDeed::Config { set: Vec::new(), remove })));
    let osds = pair.osds("n2");
    pair.step(&step("n2", "measure", Action::Ceph(CephDeed::MeasureOsds { osds })));
    converge(pair);
}

/// A node taken out of service, rebooted and taken back, as `reboot` does it.
fn out_of_service(pair: &mut Pair, node: &str) {
    let request =
        Request { kind: Kind::Reboot, nodes: vec![NodeName::new(node).unwrap()], accept: BTreeSet::new() };
    // Placement groups of the pool that was just changed have a moment to come to rest.
    let began = Instant::now();
    let plan = loop {
        let plan = roll::plan(&pair.survey(), &request);
        if plan.obstacles.is_empty() || began.elapsed() > REST {
            break plan;
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    assert!(plan.obstacles.is_empty(), "{:?}", plan.obstacles);
    for step in plan.deeds() {
        pair.step(step);
    }
}
