//! Ceph's resources: what belongs to the cluster or to a daemon of it. One file a kind.
//!
//! Each says from the wish and what the nodes told which steps lead to it; the order between kinds is
//! the planner's (`plan/ceph`). Nothing is planned for what could not be looked at.

use std::fmt::Arguments;

use crate::action::{Action, CephDeed};
use crate::check::{CephCheck, Check};
use crate::facts::ceph::{CephCluster, CephNode};
use crate::facts::{Facts, Fleet, ceph_conf};
use crate::name::NodeName;
use crate::spec::{Ceph, Spec};
use crate::step::{Phase, Step};
use crate::wish::CephWish;

pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod datacenter;
pub(crate) mod filesystem;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod measure;
pub(crate) mod osd;
pub(crate) mod pool;
pub(crate) mod storage;

/// What every kind looks at.
pub(crate) struct Scene<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) ceph: &'a Ceph,
    pub(crate) wish: &'a CephWish,
    pub(crate) fleet: &'a Fleet,
    /// The node that is told what concerns the whole cluster: the first monitor's.
    pub(crate) speaker: &'a NodeName,
    /// What the cluster told of itself; none when there is none yet.
    pub(crate) cluster: Option<&'a CephCluster>,
    /// `/etc/pve/ceph.conf`.
    pub(crate) conf: ceph_conf::Conf,
}

impl<'a> Scene<'a> {
    /// Ceph on a node.
    pub(crate) fn node(&self, name: &NodeName) -> Option<&'a CephNode> {
        self.fleet.nodes.get(name)?.state.ceph.yes()
    }

    /// All nodes of the spec that answered, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&'a NodeName, &'a Facts)> {
        let named = |name: &NodeName| self.spec.nodes.iter().any(|n| n.name == *name);
        self.fleet.nodes.iter().filter(move |(name, _)| named(name))
    }
}

/// A step of Ceph on a node, with the defaults most have.
pub(crate) fn step(node: &NodeName, what: Arguments<'_>, deed: CephDeed) -> Step {
    super::step(node, format_args!("ceph:{what}"), Phase::Ceph, Action::Ceph(deed))
}

/// A step that only waits.
pub(crate) fn wait(node: &NodeName, what: Arguments<'_>, proof: Vec<(NodeName, Check)>) -> Step {
    Step { action: None, proof, ..step(node, what, CephDeed::Manager) }
}

pub(crate) fn on(node: &NodeName, check: CephCheck) -> (NodeName, Check) {
    (node.clone(), Check::Ceph(check))
}
