//! Which steps get a checkpoint: those that may cut a node off, and for how long it waits.
//!
//! Used by the planner and by whoever makes a plan of steps by hand. What a checkpoint is: `crate::checkpoint`.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::checkpoint::Checkpoint;
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::step::{Risk, Step};

/// Nodes up to this many reload within the time of one; each further one adds [`RELOAD`] seconds.
const TOGETHER: usize = 4;
/// Seconds Proxmox VE takes to reload one node of many, one after the other.
const RELOAD: u32 = 15;

/// Units whose restart may stop traffic.
const UNITS: [&str; 2] = ["frr.service", "networking.service"];

/// Gives every step that may cut a node off its checkpoint.
pub fn guard<'a>(steps: impl IntoIterator<Item = &'a mut Step>, seconds: u32) {
    for step in steps {
        let nodes = cuts(step);
        let further = u32::try_from(nodes.len().saturating_sub(TOGETHER)).unwrap_or(u32::MAX);
        // Hundreds of nodes take longer than a person may ask for: a time that ends before Proxmox VE is through
        // would undo good work.
        let seconds = seconds.saturating_add(further.saturating_mul(RELOAD));
        step.checkpoint = (!nodes.is_empty()).then(|| Box::new(Checkpoint { nodes, seconds }));
    }
}

/// The nodes a step may cut off. A reload touches every interface, that of the management as well,
/// whether or not the mesh is in use; what is about one port or one daemon counts when it is.
pub(super) fn cuts(step: &Step) -> Vec<NodeName> {
    let own = || step.node.iter().cloned().collect();
    match &step.action {
        Some(Action::ApplySdn(change)) => {
            let all: BTreeSet<NodeName> = change.nodes.iter().chain(&step.node).cloned().into_set();
            all.into_iter().collect()
        }
        Some(Action::ReloadInterfaces | Action::ReloadNode { .. }) => own(),
        Some(
            Action::AdoptPort { .. }
            | Action::BringUp { .. }
            | Action::DropRoutes { .. }
            | Action::TakeBack { .. },
        ) if step.risk >= Risk::Disruptive => own(),
        Some(Action::RestartUnit { unit } | Action::DisableUnit { unit })
            if step.risk >= Risk::Disruptive && UNITS.contains(&unit.as_str()) =>
        {
            own()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::checkpoint::SECONDS;
    use crate::resource::step;
    use crate::step::Phase;

    fn node() -> NodeName {
        NodeName::new("n2").unwrap()
    }

    #[test]
    fn a_reload_always_has_a_checkpoint_a_restart_when_it_interrupts() {
        let mut reload = step(&node(), format_args!("x"), Phase::Ports, Action::ReloadInterfaces);
        guard([&mut reload], 60);
        assert_eq!(reload.checkpoint, Some(Box::new(Checkpoint { nodes: vec![node()], seconds: 60 })));
        let restart = |unit: &str, risk| {
            let action = Action::RestartUnit { unit: unit.into() };
            cuts(&Step { risk, ..step(&node(), format_args!("x"), Phase::Ports, action) })
        };
        assert_eq!(restart("frr.service", Risk::Disruptive), [node()]);
        assert!(restart("frr.service", Risk::Safe).is_empty());
        assert!(restart("chrony.service", Risk::Disruptive).is_empty());
    }

    #[test]
    fn an_apply_of_many_nodes_takes_longer() {
        for (count, seconds) in [(1, 120), (4, 120), (6, 150), (300, 4560), (10_000, 150_060)] {
            let mut names: Vec<_> =
                (2..=count + 1).map(|n| NodeName::new(&format!("n{n}")).unwrap()).collect();
            names.sort();
            let change = crate::action::SdnChange {
                fabric: crate::name::FabricId::new("tb4").unwrap(),
                deletes: Vec::new(),
                calls: Vec::new(),
                nodes: names.clone(),
                expect: String::new(),
                dry_run: false,
            };
            let action = Action::ApplySdn(Box::new(change));
            let takes = crate::sim::duration::milliseconds(&action) / 1000;
            let mut apply = step(&node(), format_args!("sdn"), Phase::Fabric, action);
            guard([&mut apply], SECONDS);
            assert_eq!(apply.checkpoint, Some(Box::new(Checkpoint { nodes: names, seconds })));
            assert!(takes < u64::from(seconds), "{count} nodes take {takes} s");
        }
    }
}
