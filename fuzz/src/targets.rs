//! The targets: every reader of text that ringbolt has not written itself. None may panic, whatever it reads;
//! where more is promised of a reader, it is asserted here.
//!
//! A test in `xtask` names readers of core that are missing. Where a reader takes several texts they are parted by
//! a zero byte in the input.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ringbolt_core::bench::ceph::{fio, rados};
use ringbolt_core::bench::{interrupts, iperf, machine};
use ringbolt_core::drill::node;
use ringbolt_core::facts::ceph::{cluster, daemon, value};
use ringbolt_core::facts::disk::{mounts, signatures, smart, volumes};
use ringbolt_core::facts::{Fleet, ceph_conf, frr, ha, network, packages, pve, thunderbolt, units};
use ringbolt_core::json;
use ringbolt_core::name::{FabricId, NodeName, PortName};
use ringbolt_core::plan::{Plan, lint};
use ringbolt_core::resource::frr_daemons::FrrDaemons;
use ringbolt_core::resource::frr_local::FrrLocal;
use ringbolt_core::resource::interfaces::Interfaces;
use ringbolt_core::wire::Request;
use ringbolt_core::{spec, topology, tune};

use ringbolt_agent::fuzz as agent;
use ringbolt_control::transport::frame::{FrameReader, encode};

use crate::planner;

/// Every target by name.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("spec", |b| spec_file(&text(b))),
    ("frames_agent", agent::frames),
    ("frames_control", frames_control),
    ("journal", journal),
    ("ssh", |b| ssh(&text(b))),
    ("ip", |b| ip(&text(b))),
    ("frr", |b| frr_answers(&text(b))),
    ("dpkg", |b| dpkg(&text(b))),
    ("systemd", |b| systemd(&text(b))),
    ("pve", |b| pve_files(&text(b))),
    ("ha", |b| ha_files(&text(b))),
    ("ceph_cluster", |b| ceph_cluster(&text(b))),
    ("ceph_daemon", |b| ceph_daemon(&text(b))),
    ("ceph_conf", |b| ceph_conf_file(&text(b))),
    ("ceph_value", |b| ceph_values(&text(b))),
    ("disks", disks),
    ("sysfs", |b| sysfs(&text(b))),
    ("iperf", |b| drop(iperf::parse(&text(b)))),
    ("fio", |b| fio_report(&text(b))),
    ("rados", |b| rados_report(&text(b))),
    ("machine", |b| machine_files(&text(b))),
    ("network_files", |b| network_files(&text(b))),
    ("ping", |b| agent::ping(&text(b))),
    ("ceph_said", |b| agent::ceph(&text(b))),
    ("node_files", |b| agent::files(&text(b))),
    ("pvesh", |b| agent::pvesh(&text(b))),
    ("apt", |b| agent::apt(&text(b))),
    ("plan_file", plan_file),
    ("planner", planner::mutated),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The texts of an input, as many as a reader takes.
fn texts<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = text.splitn(N, '\0');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The spec. What is accepted is written again as a spec of the same meaning; what is shown hides nothing but
/// values of secrets, and every place of a fault lies within the text.
fn spec_file(text: &str) {
    let read = spec::read(text);
    assert_eq!(read.shown(text).len(), text.len());
    let _ = spec::near::nearest(text, ["fabric", "node"]);
    if let Some(spec) = read.spec {
        let written = spec::to_toml(&spec);
        let again = spec::read(&written);
        assert_eq!(again.spec.as_ref(), Some(&spec), "{written}\n{:?}", again.diagnostics);
        let _ = topology::Topology::declared(&spec);
    }
}

/// Answers of an agent. A request that could be one is written and read again.
fn frames_control(bytes: &[u8]) {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));
    RUNTIME.block_on(async {
        let mut reader = FrameReader::new(bytes);
        while let Ok(Some(_)) = reader.next().await {}
    });
    if let Ok(request) = json::read::<Request>(bytes) {
        let frame = encode(&request);
        let line = frame.strip_suffix(b"\n").expect("a line");
        assert!(!line.contains(&b'\n'));
        assert!(json::read::<Request>(line).is_ok());
    }
}

fn journal(bytes: &[u8]) {
    if let Ok(events) = ringbolt_control::run::parse(bytes) {
        let _ = ringbolt_control::run::RunRecord::of("x", &events);
    }
}

/// What ssh says when it ends.
fn ssh(text: &str) {
    ringbolt_control::fuzz::ssh(text);
}

fn ip(text: &str) {
    let _ = network::interfaces(text);
    let _ = network::routes(text, network::Family::V4);
    let _ = network::routes(text, network::Family::V6);
    let _ = network::udev(text);
}

fn frr_answers(text: &str) {
    let _ = frr::answers(text);
    let (file, running) = text.split_once('\0').unwrap_or((text, ""));
    let _ = frr::lost(file, running);
}

fn dpkg(text: &str) {
    let wanted: BTreeSet<String> = ["frr", "ceph-common"].map(str::to_owned).into();
    let all = packages::names(text);
    assert!(packages::installed(text, &wanted).keys().all(|name| all.contains(name)));
}

fn systemd(text: &str) {
    let _ = units::shown(text, &["frr.service", "ringbolt-port@en05.service"]);
}

fn pve_files(text: &str) {
    let _ = pve::members(text);
    let _ = pve::sections(text);
    let _ = pve::running_fabrics(text);
    let _ = pve::datacenter(text, "migration");
    let _ = pve::datacenter_network(text, "migration");
}

fn ha_files(text: &str) {
    let _ = ha::status(text);
    let _ = ha::mode(text);
    let _ = ha::managed(text);
    let _ = ha::guests(text, "n1");
    let votes = ha::votes(text);
    let _ = votes.survive([("n1", true), ("n2", false)].into_iter(), "n1");
}

fn ceph_cluster(text: &str) {
    let _ = cluster::help(0, text);
    let answers: Vec<String> = text.split('\0').map(str::to_owned).collect();
    if let Ok(told) = cluster::cluster(&answers) {
        let written = serde_json::to_string(&told).expect("written");
        let read: ringbolt_core::facts::CephCluster = serde_json::from_str(&written).expect("read");
        let _ = tune::difference(&[], &read.config);
    }
}

fn ceph_daemon(text: &str) {
    let _ = daemon::quorum(text);
    let _ = daemon::version(text);
    let _ = daemon::osd(text);
    let _ = daemon::options(text);
}

/// Which of two values comes first does not matter.
fn ceph_values(text: &str) {
    let [a, b] = texts(text);
    assert_eq!(value::same(a, b), value::same(b, a));
    assert!(value::same(a, a));
}

fn ceph_conf_file(text: &str) {
    let conf = ceph_conf::read(text);
    let _ = (conf.fsid(), conf.monitors(), conf.monitor_ids().count(), conf.entries().count());
    let _ = (conf.network("public_network"), conf.network("cluster_network"));
    let _ = ceph_conf::fsid_of(text);
}

fn disks(bytes: &[u8]) {
    let _ = signatures::label(bytes);
    let text = text(bytes);
    let _ = signatures::signatures(&text);
    let _ = smart::health(&text);
    let _ = volumes::labels(&text);
    let [mounted, swapped, mdstat] = texts(&text);
    let mounts = mounts::mounts(mounted);
    let _ = mounts.iter().filter_map(mounts::Mount::zfs_pool).count();
    let _ = mounts::swaps(swapped);
    let _ = mounts::arrays(mdstat);
    planner::reading(&text);
}

fn sysfs(text: &str) {
    let _ = thunderbolt::place(text);
    let _ = thunderbolt::controller(text);
    let _ = thunderbolt::gbps(text);
    let attribute = |name: &str| Some(format!("{text}{name}"));
    let _ = thunderbolt::controller_of("0000:00:0d.2", 0, attribute, |_| Some(text.to_owned()));
    let _ = thunderbolt::peer_of("0000:00:0d.2", (0, 1), true, attribute);
    let _ = thunderbolt::peer_of("0000:00:0d.2", (0, 1), true, |_| Some(text.to_owned()));
}

fn fio_report(text: &str) {
    let [said, log] = texts(text);
    let job = fio::Job {
        name: "job".into(),
        access: fio::Access::Mixed { reads: 70 },
        block: 4096,
        depth: 32,
        seconds: 10,
        most: 1 << 30,
    };
    let _ = fio::parse(&job, said, log);
    let _ = node::gaps(&node::acknowledged(log));
}

fn rados_report(text: &str) {
    for kind in [rados::Kind::Write, rados::Kind::Seq, rados::Kind::Rand] {
        let _ = rados::parse(kind, text, 4 << 20);
    }
}

fn machine_files(text: &str) {
    let _ = machine::processor(text);
    let _ = machine::memory(text);
    let _ = machine::version(text);
    let efficient = interrupts::cpu_list(text);
    let [before, after] = texts(text);
    let wanted = (0..256).collect();
    let (before, after) = (interrupts::read(before, &wanted), interrupts::read(after, &wanted));
    let _ = interrupts::between(&before, &after, &efficient);
}

/// Files of others in which ringbolt keeps lines of its own: a second edit changes nothing.
fn network_files(text: &str) {
    let ports: Vec<PortName> = ["en05", "en06"].map(|p| PortName::new(p).expect("a port")).into();
    for sdn_only in [true, false] {
        let wish = Interfaces {
            ports: ports.clone(),
            controllers: Vec::new(),
            mtu: 65520,
            sdn_only,
            options: Vec::new(),
        };
        if let Ok(once) = wish.edit(text) {
            assert_eq!(wish.edit(&once).as_ref(), Ok(&once), "interfaces");
        }
    }
    let daemons = FrrDaemons { daemon: "bfdd".into() };
    let once = daemons.edit(text);
    assert_eq!(daemons.edit(&once), once, "daemons");
    if let Some(retired) = daemons.retire(&once) {
        assert_eq!(daemons.retire(&retired), None, "daemons");
    }
    let local = FrrLocal {
        fabric: FabricId::new("tb4").expect("a fabric"),
        ports,
        bfd: true,
        ipv4: true,
        ipv6: false,
        lsp_gen_interval: 1,
    };
    if let Ok(once) = local.edit(text) {
        assert_eq!(local.edit(&once), Ok(once), "frr.conf.local");
    }
}

/// A saved plan, and facts of an earlier run.
fn plan_file(bytes: &[u8]) {
    if let Ok(plan) = json::read::<Plan>(bytes) {
        let _ = (lint(&plan), plan.digest());
    }
    if let Ok(fleet) = json::read::<Fleet>(bytes) {
        let _ = tune::audit(&planner::spec(), &fleet);
    }
    let _ = NodeName::new(&text(bytes));
}
