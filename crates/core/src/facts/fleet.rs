//! All nodes and what each of them said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::facts::ceph::CephCluster;
use crate::name::NodeName;

/// The nodes and what they said; a node without facts could not be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Facts by the node's name in the spec.
    pub nodes: BTreeMap<NodeName, Facts>,
}

impl Fleet {
    /// A file of `/etc/pve`, which is one folder for all nodes: as the first node by name that shows it.
    pub fn shared(&self, path: &str) -> Option<&str> {
        self.nodes.values().find_map(|facts| facts.text(path))
    }

    /// The Ceph cluster as the one node tells it that could.
    pub fn cluster(&self) -> Option<&CephCluster> {
        self.nodes.values().find_map(|facts| facts.state.ceph_cluster.yes())
    }
}
