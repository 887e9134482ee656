//! The audit: the old guide's options on three releases, and the way back from them.

use std::collections::{BTreeMap, BTreeSet};

use super::profile_test::{spec, stored};
use super::*;
use crate::facts::ceph::{CephCluster, CephNode, LocalOsd, OsdFact, RunningOption};
use crate::facts::{Facts, FileFact, Fleet, Inventory, Known as Told, Realm, State};
use crate::name::NodeName;
use crate::plan::Plan;
use crate::plan::settings::{Which, heir, strangers, undo};
use crate::spec::Spec;
use crate::step::Undo;

use Verdict::{Equal, Harmful, Ignored, Risky, Useful, WrongSection};

/// The guide's options: section, name, value, and the verdict on Tentacle.
const GUIDE: [(&str, &str, &str, Verdict); 34] = [
    ("osd", "osd_memory_target", "8589934592", Useful),
    ("osd", "bluestore_cache_size_ssd", "4294967296", Ignored),
    ("osd", "osd_memory_cache_min", "1073741824", Risky),
    ("osd", "osd_memory_cache_resize_interval", "1.000000", Equal),
    ("osd", "bluestore_cache_trim_interval", "200.000000", Harmful),
    ("osd", "osd_op_num_threads_per_shard", "2", Equal),
    ("osd", "osd_op_num_shards", "8", Equal),
    ("osd", "bluestore_sync_submit_transaction", "false", Equal),
    ("osd", "bluestore_throttle_bytes", "268435456", Risky),
    ("osd", "bluestore_throttle_deferred_bytes", "134217728", Equal),
    ("osd", "osd_client_message_cap", "1000", Risky),
    ("osd", "osd_client_message_size_cap", "1073741824", Risky),
    ("global", "ms_tcp_nodelay", "true", Equal),
    ("global", "ms_tcp_rcvbuf", "134217728", Risky),
    ("global", "ms_tcp_prefetch_max_size", "65536", Equal),
    ("global", "ms_cluster_mode", "crc", Equal),
    ("global", "ms_async_op_threads", "8", Risky),
    ("global", "ms_dispatch_throttle_bytes", "1073741824", Risky),
    ("osd", "osd_heartbeat_interval", "6", Equal),
    ("osd", "osd_heartbeat_grace", "20", Equal),
    ("osd", "bluestore_compression_algorithm", "lz4", Useful),
    ("osd", "bluestore_compression_mode", "aggressive", Useful),
    ("osd", "bluestore_compression_required_ratio", "0.700000", Useful),
    ("osd", "bluestore_block_db_size", "5368709120", Ignored),
    ("osd", "bluestore_block_wal_size", "1073741824", Ignored),
    ("osd", "osd_scrub_during_recovery", "false", Equal),
    ("osd", "osd_scrub_begin_hour", "2", Useful),
    ("osd", "osd_scrub_end_hour", "6", Useful),
    ("osd", "osd_deep_scrub_interval", "1209600.000000", WrongSection),
    ("osd", "osd_scrub_max_interval", "1209600.000000", WrongSection),
    ("osd", "osd_scrub_min_interval", "86400.000000", Equal),
    ("osd", "osd_recovery_max_active", "8", Ignored),
    ("osd", "osd_max_backfills", "4", Ignored),
    ("osd", "osd_recovery_op_priority", "1", Ignored),
];

fn entry(section: &str, name: &str, value: &str) -> ConfigEntry {
    let (section, mask) = section.split_once('/').unwrap_or((section, ""));
    ConfigEntry { section: section.into(), name: name.into(), value: value.into(), mask: mask.into() }
}

fn guide() -> Vec<ConfigEntry> {
    GUIDE.iter().map(|(section, name, value, _)| entry(section, name, value)).collect()
}

fn untuned() -> Spec {
    let mut spec = spec("");
    spec.ceph.as_mut().expect("ceph").tuning = false;
    spec
}

fn facts(node: &str, version: &str, gib: u64) -> Facts {
    let osd = |id| LocalOsd { id, state: "active".into(), version: version.into(), ..LocalOsd::default() };
    let ceph = CephNode { memory: gib << 30, osds: vec![osd(0), osd(1)], ..CephNode::default() };
    Facts {
        hostname: node.into(),
        realm: Realm::default(),
        inventory: Inventory {
            kernel: String::new(),
            arch: "x86_64".into(),
            boot_id: String::new(),
            packages: BTreeMap::new(),
            thunderbolt: Told::No("none".into()),
            interfaces: BTreeMap::new(),
            disks: Told::No("not asked for".into()),
        },
        state: State {
            files: BTreeMap::new(),
            units: BTreeMap::new(),
            sysctl: BTreeMap::new(),
            modules: BTreeSet::new(),
            routes: Vec::new(),
            frr: Told::No("none".into()),
            root_free: 0,
            pve_writable: Some(true),
            ceph: Told::Yes(ceph),
            ceph_cluster: Told::No("not asked for".into()),
            guests: Told::No("not asked for".into()),
            clock: None,
        },
    }
}

/// Three nodes of 64 GiB; the first speaks for the cluster.
fn fleet(version: &str, config: Vec<ConfigEntry>) -> Fleet {
    let mut nodes: BTreeMap<NodeName, Facts> = BTreeMap::new();
    for name in ["n2", "n3", "n4"] {
        nodes.insert(NodeName::new(name).expect("a name"), facts(name, version, 64));
    }
    let osds = (0..6).map(|id| OsdFact { id, up: true, class: "ssd".into(), ..OsdFact::default() }).collect();
    let cluster = CephCluster { config, osds, ..CephCluster::default() };
    nodes.get_mut("n2").expect("n2").state.ceph_cluster = Told::Yes(cluster);
    Fleet { nodes }
}

fn node<'f>(fleet: &'f mut Fleet, name: &str) -> &'f mut Facts {
    fleet.nodes.get_mut(name).expect("the node")
}

fn put(fleet: &mut Fleet, name: &str, path: &str, text: &str) {
    let file =
        FileFact { digest: crate::digest::of(text), mode: 0o644, uid: 0, gid: 0, text: Some(text.into()) };
    node(fleet, name).state.files.insert(path.into(), file);
}

/// The database after a plan's step.
fn after(plan: &Plan, mut config: Vec<ConfigEntry>) -> Vec<ConfigEntry> {
    for step in plan.deeds() {
        let Some(crate::action::Action::Ceph(crate::action::CephDeed::Config { set, remove })) = &step.action
        else {
            continue;
        };
        config = changed(config, set, remove);
    }
    config
}

fn changed(
    mut config: Vec<ConfigEntry>,
    set: &[(String, String, String)],
    remove: &[(String, String)],
) -> Vec<ConfigEntry> {
    config.retain(|e| !remove.iter().any(|(w, n)| *w == e.who() && *n == e.name));
    for (section, name, value) in set {
        config.retain(|e| e.who() != *section || e.name != *name);
        config.push(entry(section, name, value));
    }
    config
}

fn verdict_of<'a>(audit: &'a Audit, name: &str) -> &'a Audited {
    audit.settings.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("{name} is judged"))
}

#[test]
fn each_option_of_the_guide_gets_its_verdict_on_each_release() {
    for (version, release) in [("18.2.7", 18), ("19.2.3", 19), ("20.2.0", 20)] {
        let audit = audit(&untuned(), &fleet(version, guide()));
        assert_eq!(audit.release, release);
        for (_, name, _, on_tentacle) in GUIDE {
            let earlier = release < 20 && name == "ms_tcp_prefetch_max_size";
            let wanted = if earlier { Risky } else { on_tentacle };
            let got = verdict_of(&audit, name);
            assert_eq!(got.verdict, wanted, "{name} on {version}: {}", got.why);
            assert!(!got.why.is_empty(), "{name}");
        }
        assert!(audit.alarms() && !audit.is_clean());
    }
}

#[test]
fn the_guide_counts_up_to_its_34_options() {
    let audit = audit(&untuned(), &fleet("20.2.0", guide()));
    let counts = [Harmful, Risky, Ignored, WrongSection, Equal, Useful].map(|v| audit.count(v));
    assert_eq!(counts, [1, 7, 6, 2, 12, 6]);
    assert_eq!(counts.iter().sum::<usize>(), 34);
    assert_eq!(audit.settings[0].name, "bluestore_cache_trim_interval", "the worst comes first");
}

#[test]
fn every_option_of_the_guide_and_of_the_profile_is_in_the_table_once() {
    let names: Vec<&str> = all().map(|k| k.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for (_, name, _, _) in GUIDE {
        assert!(table::guide().iter().any(|k| k.name == name), "{name}");
    }
    let mut spec = spec("");
    let ceph = spec.ceph.as_mut().expect("ceph");
    ceph.scrub = Some((1, 5));
    ceph.mclock = crate::spec::Mclock::HighClientOps;
    spec.nodes[2].osds = crate::spec::Osds::default();
    let memory = super::profile_test::memory([64, 32, 16]);
    for setting in profile_for(&spec, Some(&memory)) {
        let known = known(setting.name).unwrap_or_else(|| panic!("{}", setting.name));
        let section = setting.section.split('/').next().expect("a section");
        assert!(known.home.takes(section), "{} belongs in {}", setting.name, known.home.words());
        assert_ne!(known.default_in(20), setting.value, "{} is the default", setting.name);
    }
}

#[test]
fn undo_takes_the_bad_ones_away_and_leaves_what_was_chosen() {
    let spec = untuned();
    let mut config = guide();
    config.push(entry("osd", "osd_some_option", "1"));
    let before = fleet("18.2.7", config.clone());
    let plan = undo(&spec, &before, &audit(&spec, &before), &Which::Bad);
    let left = after(&plan, config.clone());
    let again = audit(&spec, &fleet("18.2.7", left.clone()));
    assert!(again.is_clean(), "{:?}", again.settings);
    assert_eq!((again.count(Useful), again.count(Verdict::Unknown)), (6, 1));
    // And back again.
    let Some(Undo::Action(back)) = plan.steps.first().map(|s| s.undo.clone()) else { panic!("an undo") };
    let crate::action::Action::Ceph(crate::action::CephDeed::Config { set, remove }) = *back else {
        panic!("of the database")
    };
    let mut restored = changed(left, &set, &remove);
    restored.sort();
    config.sort();
    assert_eq!(restored, config);
}

#[test]
fn everything_goes_when_asked_for_and_strangers_only_by_name() {
    let spec = untuned();
    let mut config = guide();
    config.push(entry("osd", "osd_some_option", "1"));
    let before = fleet("20.2.0", config.clone());
    let audit = audit(&spec, &before);
    let left = after(&undo(&spec, &before, &audit, &Which::All), config.clone());
    assert_eq!(left, [entry("osd", "osd_some_option", "1")]);
    let names = BTreeSet::from(["osd_some_option".to_owned()]);
    let plan = undo(&spec, &before, &audit, &Which::Named(names));
    assert_eq!(after(&plan, config), guide());
    let odd = BTreeSet::from(["osd_sum_option".to_owned(), "mon_lease".to_owned()]);
    assert_eq!(strangers(&odd, &audit), ["osd_sum_option"]);
}

#[test]
fn the_guide_on_top_of_the_profile_goes_back_to_the_profile() {
    let spec = spec("");
    let empty = fleet("20.2.0", Vec::new());
    let profile = profile(&spec, &empty);
    assert_eq!(audit(&spec, &empty).missing.len(), profile.len());
    let mut config = stored(&profile);
    for (section, name, value, _) in GUIDE {
        config = changed(config, &[(section.into(), name.into(), value.into())], &[]);
    }
    let before = fleet("20.2.0", config.clone());
    let found = audit(&spec, &before);
    assert_eq!(verdict_of(&found, "osd_heartbeat_interval").verdict, Verdict::OffProfile);
    let left = after(&undo(&spec, &before, &found, &Which::Bad), config);
    let again = audit(&spec, &fleet("20.2.0", left.clone()));
    assert!(again.is_clean() && again.missing.is_empty(), "{again:?}");
    assert!(difference(&profile, &left).is_empty());
}

#[test]
fn a_profile_is_clean_against_itself_whatever_the_cluster_is_like() {
    let memories = [[64, 64, 64], [64, 32, 16], [8, 8, 8], [4, 128, 512]];
    let windows = [None, Some((2, 4)), Some((22, 6)), Some((0, 0)), Some((6, 22))];
    let mclocks = [
        crate::spec::Mclock::Balanced,
        crate::spec::Mclock::HighClientOps,
        crate::spec::Mclock::HighRecoveryOps,
    ];
    for memory in memories {
        for scrub in windows {
            for mclock in mclocks {
                for hosts in [2, 3] {
                    let mut spec = spec("");
                    let ceph = spec.ceph.as_mut().expect("ceph");
                    (ceph.scrub, ceph.mclock) = (scrub, mclock);
                    if hosts == 2 {
                        spec.nodes[2].osds = crate::spec::Osds::default();
                    }
                    let mut fleet = fleet("19.2.3", Vec::new());
                    for (facts, gib) in fleet.nodes.values_mut().zip(memory) {
                        if let Told::Yes(ceph) = &mut facts.state.ceph {
                            ceph.memory = gib << 30;
                        }
                    }
                    let profile = profile(&spec, &fleet);
                    let Told::Yes(cluster) = &mut node(&mut fleet, "n2").state.ceph_cluster else {
                        panic!("a cluster")
                    };
                    cluster.config = stored(&profile);
                    let audit = audit(&spec, &fleet);
                    assert!(audit.is_clean() && audit.missing.is_empty(), "{audit:?}");
                    assert_eq!(audit.count(Verdict::Ours), profile.len());
                }
            }
        }
    }
}

#[test]
fn a_running_osd_tells_what_is_in_force() {
    let option = |name: &str, default: &str, value: &str, source: &str| RunningOption {
        name: name.into(),
        default: default.into(),
        value: value.into(),
        source: source.into(),
    };
    let config = vec![
        entry("osd", "osd_max_scrubs", "5"),
        entry("osd.1", "osd_max_scrubs", "4"),
        entry("osd", "osd_op_queue", "wpq"),
        entry("osd", "osd_max_backfills", "4"),
        entry("osd", "osd_scrub_begin_hour", "2"),
        entry("osd", "osd_some_option", "7"),
    ];
    let mut fleet = fleet("20.2.0", config);
    let Told::Yes(ceph) = &mut node(&mut fleet, "n2").state.ceph else { panic!("ceph") };
    ceph.osds[0].options = vec![
        option("osd_max_scrubs", "3", "5", "mon"),
        option("osd_max_backfills", "1", "4", "mon"),
        option("osd_scrub_begin_hour", "0", "9", "file"),
        option("osd_some_option", "1", "7", "mon"),
    ];
    ceph.osds[1].options = vec![option("osd_max_scrubs", "3", "4", "mon")];
    let audit = audit(&untuned(), &fleet);
    let scrubs: Vec<Verdict> =
        audit.settings.iter().filter(|s| s.name == "osd_max_scrubs").map(|s| s.verdict).collect();
    assert_eq!(scrubs, [Useful, Useful], "each for its own");
    let queue = verdict_of(&audit, "osd_op_queue");
    assert_eq!((queue.verdict, queue.cure.as_str()), (Verdict::NeedsRestart, "restart osd.0, osd.1"));
    assert_eq!(verdict_of(&audit, "osd_max_backfills").verdict, Ignored, "mClock is what runs");
    assert_eq!(verdict_of(&audit, "osd_scrub_begin_hour").verdict, Verdict::Overruled);
    let stranger = verdict_of(&audit, "osd_some_option");
    assert_eq!((stranger.verdict, stranger.default.as_str()), (Verdict::Unknown, "1"));
}

#[test]
fn a_fixed_receive_buffer_is_harmful_where_the_kernel_cuts_it() {
    let mut fleet = fleet("20.2.0", guide());
    node(&mut fleet, "n3").state.sysctl.insert("net.core.rmem_max".into(), "212992".into());
    assert_eq!(verdict_of(&audit(&untuned(), &fleet), "ms_tcp_rcvbuf").verdict, Harmful);
}

#[test]
fn a_memory_target_is_judged_by_the_node_it_must_fit() {
    for (gib, wanted) in [(64, Useful), (24, Risky), (16, Harmful)] {
        let mut fleet = fleet("20.2.0", guide());
        for facts in fleet.nodes.values_mut() {
            if let Told::Yes(ceph) = &mut facts.state.ceph {
                ceph.memory = gib << 30;
            }
        }
        assert_eq!(verdict_of(&audit(&untuned(), &fleet), "osd_memory_target").verdict, wanted, "{gib} GiB");
    }
}

#[test]
fn lines_of_the_file_are_judged_but_not_what_proxmox_writes() {
    let mut fleet = fleet("20.2.0", Vec::new());
    let text = "[global]\n\tfsid = x\n\tpublic_network = 10.0.0.0/24\n\tosd_pool_default_size = 3\n[osd]\n\tbluestore cache trim interval = 200\n[mon.n2]\n\tpublic_addr = 10.0.0.1\n";
    put(&mut fleet, "n2", crate::facts::ceph_conf::PATH, text);
    let audit = audit(&untuned(), &fleet);
    assert_eq!(audit.settings.len(), 1, "{:?}", audit.settings);
    assert_eq!(audit.settings[0].verdict, Harmful);
    assert_eq!(audit.settings[0].place.to_string(), "ceph.conf [osd]");
}

#[test]
fn sysctls_of_the_guide_are_lost_at_boot_and_can_be_taken_away() {
    let mut fleet = fleet("20.2.0", Vec::new());
    let text = "# mine\nkernel.panic = 10\nnet.ipv4.ip_forward = 1\nvm.min_free_kbytes=4194304\nvm.swappiness=1\nnet.core.rmem_max = 268435456\n";
    put(&mut fleet, "n3", "/etc/sysctl.conf", text);
    put(
        &mut fleet,
        "n4",
        "/etc/sysctl.d/99-mine.conf",
        "vm.swappiness=1\nnet.core.netdev_max_backlog=30000\n",
    );
    node(&mut fleet, "n4").state.sysctl.insert("net.core.wmem_max".into(), "268435456".into());
    let Told::Yes(ceph) = &mut node(&mut fleet, "n3").state.ceph else { panic!("ceph") };
    ceph.memory = 32 << 30;
    let spec = untuned();
    let found = audit(&spec, &fleet);
    let of = |node: &str| -> Vec<(String, Verdict)> {
        let on = |s: &&Audited| s.place.to_string().starts_with(node);
        found.settings.iter().filter(on).map(|s| (s.name.clone(), s.verdict)).collect()
    };
    assert_eq!(
        of("n3"),
        [
            ("vm.min_free_kbytes".to_owned(), Risky),
            ("net.core.rmem_max".to_owned(), Ignored),
            ("net.ipv4.ip_forward".to_owned(), Ignored),
            ("vm.swappiness".to_owned(), Ignored),
        ]
    );
    assert_eq!(
        of("n4"),
        [
            ("net.core.netdev_max_backlog".to_owned(), Ignored),
            ("net.core.wmem_max".to_owned(), Verdict::LostAtBoot),
            ("vm.swappiness".to_owned(), Useful),
        ]
    );
    let plan = undo(&spec, &fleet, &found, &Which::Bad);
    let change = plan.steps[0].change.as_ref().expect("a file");
    assert_eq!(change.after.as_deref(), Some("# mine\nkernel.panic = 10\n"));
    assert_eq!(plan.steps.len(), 1, "files of others in sysctl.d are not ours to change");
}

#[test]
fn queues_of_disks_are_lost_at_boot_refused_or_kept_by_a_rule() {
    let mut fleet = fleet("20.2.0", Vec::new());
    let disk = |name: &str, requests| crate::facts::disk::Disk {
        name: name.into(),
        path: format!("/dev/{name}"),
        links: Vec::new(),
        model: String::new(),
        serial: String::new(),
        size: 1,
        medium: crate::facts::disk::Medium::Nvme,
        removable: false,
        read_only: false,
        uses: Vec::new(),
        health: Told::No(String::new()),
        nr_requests: Some(requests),
        volumes: 0,
    };
    let rule = |n: u32| {
        format!(
            "# ATTR{{queue/nr_requests}}=\"7\"\nACTION==\"add\", KERNEL==\"nvme*\", ATTR{{queue/nr_requests}}=\"{n}\"\n"
        )
    };
    for (name, requests) in [("n2", 1024), ("n3", 1023), ("n4", 1024)] {
        node(&mut fleet, name).inventory.disks = Told::Yes(vec![disk("nvme1n1", requests)]);
    }
    for name in ["n3", "n4"] {
        put(&mut fleet, name, "/etc/udev/rules.d/60-queue.rules", &rule(1024));
    }
    let found = audit(&untuned(), &fleet);
    let told: Vec<(String, &str, Verdict)> =
        found.settings.iter().map(|s| (s.place.to_string(), s.name.as_str(), s.verdict)).collect();
    let file = "/etc/udev/rules.d/60-queue.rules";
    assert_eq!(
        told,
        [
            (format!("n3 {file}"), "queue/nr_requests", Ignored),
            ("n2 live".to_owned(), "nvme1n1/queue/nr_requests", Verdict::LostAtBoot),
            (format!("n4 {file}"), "queue/nr_requests", Useful),
        ]
    );
    assert!(found.settings[2].why.contains("in force on nvme1n1"), "{:?}", found.settings[2]);
}

#[test]
fn an_option_that_is_not_in_the_table_is_told_as_ceph_tells_it() {
    use crate::facts::ceph::OptionHelp;
    let config = vec![
        entry("mon", "mon_some_option", "7"),
        entry("mgr", "mgr_same_option", "5.000"),
        entry("global", "no_such_option", "1"),
        entry("client", "rbd_cache", "true"),
    ];
    let mut fleet = fleet("20.2.0", config);
    let help = |default: &str, runtime: bool| OptionHelp {
        known: true,
        default: default.into(),
        runtime,
        what: "something".into(),
    };
    for facts in fleet.nodes.values_mut() {
        if let Told::Yes(told) = &mut facts.state.ceph_cluster {
            told.help.insert("mon_some_option".into(), help("3", false));
            told.help.insert("mgr_same_option".into(), help("5", true));
            told.help.insert("no_such_option".into(), OptionHelp::default());
        }
    }
    let audit = audit(&untuned(), &fleet);
    let mon = verdict_of(&audit, "mon_some_option");
    assert_eq!((mon.verdict, mon.default.as_str()), (Verdict::Unknown, "3"));
    assert_eq!(mon.why, "left alone; default 3; counts after a restart of the daemon; Ceph says: something");
    assert_eq!(verdict_of(&audit, "mgr_same_option").verdict, Equal);
    assert_eq!(verdict_of(&audit, "no_such_option").verdict, Ignored);
}

#[test]
fn what_is_taken_away_leaves_the_next_wider_value() {
    let entry = |section: &str, value: &str| Audited {
        verdict: Verdict::OffProfile,
        name: "osd_heartbeat_grace".into(),
        value: value.into(),
        place: Place::Database(section.into()),
        why: String::new(),
        default: "20".into(),
        cure: String::new(),
    };
    let settings = vec![entry("global", "6"), entry("osd", "30"), entry("osd.1", "40")];
    let audit = Audit { settings, ..Audit::default() };
    let pair = |section: &str| (section.to_owned(), "osd_heartbeat_grace".to_owned());
    let heir = |section, set: &[(String, String, String)], gone: &[&str]| {
        let gone: Vec<_> = gone.iter().map(|s| pair(s)).collect();
        heir(&audit, (section, "osd_heartbeat_grace"), set, &gone)
            .map(|(value, place)| (value.to_owned(), place.to_owned()))
    };
    let some = |value: &str, place: &str| Some((value.to_owned(), place.to_owned()));
    assert_eq!(heir("osd.1", &[], &["osd.1"]), some("30", "osd"));
    assert_eq!(heir("osd/class:ssd", &[], &["osd/class:ssd"]), some("30", "osd"));
    assert_eq!(heir("osd", &[], &["osd"]), some("6", "global"));
    assert_eq!(heir("osd.1", &[], &["osd.1", "osd", "global"]), None);
    assert_eq!(heir("global", &[], &["global"]), None);
    let set = [("global".to_owned(), "osd_heartbeat_grace".to_owned(), "8".to_owned())];
    assert_eq!(heir("osd", &set, &["osd"]), some("8", "global"));
    assert!(super::is_automatic("osd_op_num_shards", "0") && !super::is_automatic("osd_op_num_shards", "8"));
    assert!(!super::is_automatic("osd_heartbeat_grace", "0"));
}
