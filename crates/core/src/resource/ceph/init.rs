//! `/etc/pve/ceph.conf` with its two networks, decided before the first monitor.

use super::{Scene, on, step};
use crate::action::CephDeed;
use crate::check::CephCheck;
use crate::spec::Keeping;
use crate::step::{Step, Undo};

/// Default size and min_size of pools nobody says more about.
fn defaults(scene: &Scene<'_>) -> (u32, u32) {
    let copies = scene.spec.pools.iter().find_map(|p| match p.keeping {
        Keeping::Copies { size, min_size } => Some((size, min_size)),
        Keeping::Erasure { .. } => None,
    });
    // Pools that others make later are never set below what keeps data safe.
    copies.filter(|(size, min_size)| *size >= 3 && *min_size >= 2).unwrap_or((3, 2))
}

pub(crate) fn step_for(scene: &Scene<'_>) -> Option<Step> {
    if scene.conf.fsid().is_some() {
        return None;
    }
    let (public, cluster) = (scene.wish.public, scene.wish.cluster);
    let (size, min_size) = defaults(scene);
    let node = scene.speaker;
    let line = |key: &str, value: String| {
        on(node, CephCheck::Conf { section: "global".into(), key: key.into(), value })
    };
    let why = if public == cluster {
        "clients, monitors and replication use the mesh; changing that later means making every monitor anew"
            .to_owned()
    } else {
        format!(
            "replication uses the mesh, clients and monitors {public}: all reads and writes of guests go over that network, at its speed; changing it later means making every monitor anew"
        )
    };
    let title = if public == cluster {
        format!("begin a Ceph cluster on {cluster}")
    } else {
        format!("begin a Ceph cluster: public network {public}, cluster network {cluster}")
    };
    Some(Step {
        title: title.into(),
        why: why.into(),
        undo: Undo::Impossible(
            "a cluster that has begun has an id and keys; `pveceph purge` on every node takes it away, with all data".into(),
        ),
        proof: vec![line("public_network", public.to_string()), line("cluster_network", cluster.to_string())],
        ..step(
            node,
            format_args!("init"),
            CephDeed::Init { network: public, cluster_network: cluster, size, min_size },
        )
    })
}
