//! Cables between simulated nodes, to be found by node at once: a big fleet looks at them often.

use std::collections::BTreeMap;

use super::Socket;
use crate::name::NodeName;

/// A set of cables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cables {
    all: std::collections::BTreeSet<(Socket, Socket)>,
    near: BTreeMap<NodeName, Vec<(Socket, Socket)>>,
}

impl Cables {
    /// One more; false when it is there already.
    pub(super) fn insert(&mut self, cable: &(Socket, Socket)) -> bool {
        if !self.all.insert(cable.clone()) {
            return false;
        }
        for end in [&cable.0, &cable.1] {
            self.near.entry(end.node.clone()).or_default().push(cable.clone());
        }
        true
    }

    /// One less; false when it was not there.
    pub(super) fn remove(&mut self, cable: &(Socket, Socket)) -> bool {
        for end in [&cable.0, &cable.1] {
            if let Some(list) = self.near.get_mut(&end.node) {
                list.retain(|c| c != cable);
            }
        }
        self.all.remove(cable)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Socket, Socket)> {
        self.all.iter()
    }

    /// Those that end on a node.
    pub fn of(&self, node: &NodeName) -> impl Iterator<Item = &(Socket, Socket)> {
        self.near.get(node).into_iter().flatten()
    }

    /// Those between two nodes.
    pub fn between(&self, a: &NodeName, b: &NodeName) -> Vec<(Socket, Socket)> {
        let joins = |c: &&(Socket, Socket)| [&c.0.node, &c.1.node].contains(&b) && a != b;
        self.of(a).filter(joins).cloned().collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl FromIterator<(Socket, Socket)> for Cables {
    fn from_iter<T: IntoIterator<Item = (Socket, Socket)>>(cables: T) -> Self {
        let mut set = Self::default();
        for cable in cables {
            set.insert(&cable);
        }
        set
    }
}
