//! `pveceph init`: the cluster's `ceph.conf`, and this node's link to it.
//!
//! Both networks are always said: without its own, Proxmox VE sets the cluster network to the public
//! one, also over another that is there.

use ipnet::IpNet;
use ringbolt_core::facts::ceph_conf::{self, Conf};
use ringbolt_core::wire::Failure;

use super::{Outcome, Scene, failure, run, tool};

/// The node's link to the cluster's file.
const LINK: &str = "/etc/ceph/ceph.conf";

/// Longest time it may take, in seconds.
const LIMIT: u64 = 120;

/// Makes `ceph.conf` with these networks and default sizes (replicas, fewest replicas).
pub(super) fn init(scene: &Scene<'_>, public: IpNet, cluster: IpNet, sizes: (u32, u32)) -> Outcome {
    let linked = || scene.root.at(LINK).exists();
    let before = conf(scene);
    if is_so(&before, public, cluster) && linked() {
        return Ok("already so".to_owned());
    }
    if before.fsid().is_some() && !before.monitors().is_empty() && !is_so(&before, public, cluster) {
        return Err(Failure::refused("ceph.conf has other networks, and monitors that use them").hint(
            "name the networks of the running cluster in the spec: changing them takes every daemon down",
        ));
    }
    let words = [
        ("--network", public.to_string()),
        ("--cluster-network", cluster.to_string()),
        ("--size", sizes.0.to_string()),
        ("--min_size", sizes.1.to_string()),
    ];
    let words = words.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    let output = run(scene, &tool("pveceph", std::iter::once("init".to_owned()).chain(words), LIMIT))?;
    let after = conf(scene);
    if is_so(&after, public, cluster) && linked() {
        return Ok(format!("public {public}, cluster {cluster}"));
    }
    Err(failure("ceph.conf is not as wanted", &output))
}

fn conf(scene: &Scene<'_>) -> Conf {
    ceph_conf::read(&std::fs::read_to_string(scene.root.at(ceph_conf::PATH)).unwrap_or_default())
}

fn is_so(conf: &Conf, public: IpNet, cluster: IpNet) -> bool {
    let is = |key: &str, wanted: IpNet| {
        let network = conf.get("global", key).and_then(|text| text.parse::<IpNet>().ok());
        network.is_some_and(|network| network.trunc() == wanted.trunc())
    };
    conf.fsid().is_some() && is("public_network", public) && is("cluster_network", cluster)
}
