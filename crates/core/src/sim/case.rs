//! Specs, shapes and nodes by chance: what tests of many clusters draw from, and what a rehearsal can
//! begin with (`case SEED`).

use std::collections::BTreeSet;

use super::chance::Dice;
use super::{Cluster, Frr, Options, fresh, spec};
use crate::into_set::IntoSet;
use crate::name::NodeName;
use crate::spec::{
    Ceph, Filesystem, Keeping, Mclock, OsdMemory, Osds, Pool, PublicNetwork, Release, Repository, Routing,
    Spec, Transport,
};
use crate::topology::{Topology, generate};

/// A wish and the nodes it is for.
#[derive(Clone, Debug)]
pub struct Case {
    /// The graph.
    pub topology: Topology,
    /// What is wanted.
    pub spec: Spec,
    /// How the nodes are before it.
    pub options: Options,
}

/// What is drawn of a fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// No routing daemon.
    pub fixed: bool,
    /// 0: IPv4, 1: both, 2: IPv6.
    pub family: u8,
    /// BFD.
    pub bfd: bool,
    /// MTU 1500 rather than the largest.
    pub small: bool,
    /// Seconds between hellos.
    pub hello: u16,
}

impl Case {
    /// The case of a seed: two to twelve nodes, the first seeds small ones.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let most = 2 + usize::try_from(seed).unwrap_or(10).min(10);
        let nodes = 2 + dice.index(most - 1);
        let transport = *dice.pick(&[
            Transport::Switch,
            Transport::Ethernet,
            Transport::Ethernet,
            Transport::Thunderbolt,
            Transport::Thunderbolt,
            Transport::Thunderbolt,
        ]);
        let pairs: Vec<(usize, usize)> =
            (0..=dice.index(16)).map(|_| (dice.index(12), dice.index(12))).collect();
        let topology = match transport {
            Transport::Switch => generate::switch(nodes),
            _ => shape(dice.index(7), nodes, &pairs),
        };
        let wish = Wish {
            fixed: dice.once_in(4),
            family: *dice.pick(&[0, 0, 1, 2]),
            bfd: dice.once_in(2),
            small: dice.once_in(2),
            hello: *dice.pick(&[1, 1, 2, 3]),
        };
        let modules = ["thunderbolt", "thunderbolt_net"].into_iter().take(2 - dice.index(3));
        let options = Options {
            frr: *dice.pick(&[Frr::Absent, Frr::Installed, Frr::Running]),
            modules: modules.map(str::to_owned).collect(),
            seed: u32::try_from(seed & 0xffff_ffff).unwrap_or(0),
            disks: 2,
            ..Options::default()
        };
        let mut wanted = wished(&topology, transport, wish);
        // Ceph on pieces of a mesh has no quorum, and no plan waits for one.
        let drawn = dice.index(256);
        if topology.pieces().len() == 1 {
            store(&mut wanted, u8::try_from(drawn).unwrap_or(0));
        }
        Self { topology, spec: wanted, options }
    }

    /// The nodes, untouched.
    pub fn cluster(&self) -> Cluster {
        fresh(&self.topology, self.spec.fabric.transport, &self.options)
    }

    /// In one line.
    pub fn in_words(&self) -> String {
        let fabric = &self.spec.fabric;
        format!(
            "{} nodes, {}, {:?}, {:?}{}",
            self.spec.nodes.len(),
            self.topology.shape(),
            fabric.transport,
            fabric.routing,
            if self.spec.ceph.is_some() { ", Ceph" } else { "" }
        )
        .to_lowercase()
    }
}

/// A spec for a topology with a wish drawn for it.
pub fn wished(topology: &Topology, transport: Transport, wish: Wish) -> Spec {
    let mut wanted = spec(topology, transport);
    let fabric = &mut wanted.fabric;
    if wish.fixed || transport == Transport::Switch {
        fabric.routing = Routing::Static;
    }
    if wish.family > 0 {
        fabric.prefix6 = "fd00:64::/64".parse().ok();
    }
    if wish.family == 2 {
        fabric.prefix = None;
    }
    fabric.bfd = wish.bfd;
    fabric.hello_interval = wish.hello;
    if wish.small {
        fabric.mtu = 1500;
    }
    wanted
}

/// A shape by number: line, ring, star, mesh, and from 5 on cables by pairs of positions.
pub fn shape(kind: usize, nodes: usize, pairs: &[(usize, usize)]) -> Topology {
    match kind {
        0 => generate::line(nodes),
        1 | 2 => generate::ring(nodes),
        3 => generate::star(nodes),
        4 => generate::mesh(nodes),
        _ => {
            let pairs = pairs.iter().map(|(a, b)| (a % nodes, b % nodes)).filter(|(a, b)| a != b);
            let pairs: BTreeSet<(usize, usize)> = pairs.map(|(a, b)| (a.min(b), a.max(b))).into_set();
            generate::cabled(nodes, pairs)
        }
    }
}

/// Ceph on the nodes of a spec, as the bits say: two disks a node; a file system, an erasure-coded
/// pool, a class. None where there are too few nodes.
pub fn store(spec: &mut Spec, drawn: u8) {
    if drawn.is_multiple_of(3) || spec.nodes.len() < 3 || spec.fabric.transport == Transport::Switch {
        return;
    }
    let count = if spec.nodes.len() < 7 { 3 } else { 5 };
    let monitors: Vec<NodeName> = spec.nodes.iter().take(count).map(|n| n.name.clone()).collect();
    spec.ceph = Some(Ceph {
        repository: Repository::NoSubscription,
        version: Release::Tentacle,
        public: PublicNetwork::Mesh,
        managers: monitors.clone(),
        monitors,
        memory: OsdMemory::Reserve(None),
        tuning: drawn & 8 == 0,
        mclock: Mclock::Balanced,
        scrub: None,
        migration: drawn & 16 != 0,
    });
    for node in &mut spec.nodes {
        node.osds = Osds::Paths(vec!["/dev/nvme1n1".into(), "/dev/nvme2n1".into()]);
    }
    let pool = |name: &str, keeping: Keeping| Pool {
        name: name.into(),
        keeping,
        pg_num: None,
        target_share: None,
        compression: None,
        class: (drawn & 32 != 0).then(|| "ssd".to_owned()),
        storage: true,
        accept_data_loss: false,
    };
    spec.pools.push(pool("vm", Keeping::Copies { size: 3, min_size: 2 }));
    if drawn & 64 != 0 {
        spec.pools.push(pool("cold", Keeping::Erasure { k: 2, m: 1 }));
    }
    if drawn & 128 != 0 {
        spec.filesystems.push(Filesystem { name: "share".into(), pg_num: None, storage: true });
    }
}
