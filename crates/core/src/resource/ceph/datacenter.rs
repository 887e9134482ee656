//! Migration and replication of guests over the mesh, where the spec asks for it.

use super::{Scene, on, step};
use crate::action::{Action, CephDeed};
use crate::check::{CephCheck, Check};
use crate::facts::pve;
use crate::step::{Step, Undo};

/// Options of the datacenter that name a network.
pub(crate) const OPTIONS: [&str; 2] = ["migration", "replication"];

pub(crate) fn step_for(scene: &Scene<'_>) -> Option<Step> {
    if !scene.ceph.migration {
        return None;
    }
    let network = scene.wish.cluster;
    let check = |option: &str| CephCheck::Datacenter { option: option.into(), network };
    let missing = |option: &&str| {
        let wanted = Check::Ceph(check(option));
        !scene.fleet.nodes.values().any(|facts| wanted.look(facts).holds)
    };
    let due: Vec<&str> = OPTIONS.into_iter().filter(missing).collect();
    if due.is_empty() {
        return None;
    }
    let text = scene.fleet.shared(pve::path::DATACENTER).unwrap_or("");
    let value = |option: &str, network: &str| {
        let kind = pve::datacenter(text, option).get("type").copied().unwrap_or("secure").to_owned();
        (option.to_owned(), format!("type={kind},network={network}"))
    };
    let options = due.iter().map(|option| value(option, &network.to_string())).collect();
    let before: Vec<(String, String)> =
        due.iter().filter_map(|option| Some(value(option, pve::datacenter_network(text, option)?))).collect();
    let undo = if before.is_empty() {
        Undo::Impossible("remove the network in Datacenter → Options".into())
    } else {
        Undo::Action(Box::new(Action::Ceph(CephDeed::Datacenter { options: before })))
    };
    Some(Step {
        title: format!("{} of guests over {network}", due.join(" and ")).into(),
        why: "the spec says `migration = true`".into(),
        undo,
        proof: due.iter().map(|option| on(scene.speaker, check(option))).collect(),
        ..step(scene.speaker, format_args!("datacenter"), CephDeed::Datacenter { options })
    })
}
