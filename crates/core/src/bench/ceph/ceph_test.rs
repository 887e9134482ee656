//! Reports as the tools gave them, and tables of judgement.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::circumstance::{cache, compression, memory, of_cluster, of_disks, since};
use super::fio::{FioError, Side};
use super::rados::{Kind, RadosError, parse};
use super::verdict::{figures, sides, targets, verdicts};
use super::*;
use crate::bench::compare::{compare, previous};
use crate::bench::fixture;
use crate::bench::verdict::Level;
use crate::bench::{Effect, Run, What};
use crate::facts::CephNode;
use crate::facts::ceph::{ClientLoad, Complaint, ConfigEntry, Ground, LocalOsd, OsdFact};

fn mixed() -> Job {
    Job {
        name: "4k 70/30".into(),
        access: Access::Mixed { reads: 70 },
        block: 4096,
        depth: 32,
        seconds: 3,
        most: 1,
    }
}

const LOG: &str = "501, 4071, 0, 0, 0\n501, 1812, 1, 0, 0\n1004, 5681, 0, 0, 0\n1004, 2358, 1, 0, 0\n";

#[test]
fn reports_of_rados_bench() {
    let write =
        parse(Kind::Write, include_str!("../../../tests/data/bench/rados-write.txt"), OBJECT).unwrap();
    assert_eq!((write.operations, write.samples.len()), (64, 1));
    assert!((write.mb - 241.54).abs() < 0.1 && (write.samples[0] - 197.13).abs() < 0.1, "{write:?}");
    assert!((write.mean_ms - 273.154).abs() < 0.01 && (write.max_ms - 523.947).abs() < 0.01);
    let seq = parse(Kind::Seq, include_str!("../../../tests/data/bench/rados-seq.txt"), OBJECT).unwrap();
    assert_eq!((seq.operations, seq.samples.len()), (64, 0));
    let rand = parse(Kind::Rand, include_str!("../../../tests/data/bench/rados-rand.txt"), OBJECT).unwrap();
    assert!((rand.iops - 282.4).abs() < 0.1 && rand.samples.len() == 3, "{rand:?}");
    assert_eq!(parse(Kind::Seq, "error: no such pool", OBJECT), Err(RadosError::Missing));
    let nothing =
        r#"hints = 1 {"datas":[],"total_time_run":"3.0","total_reads_made":"0","average_latency":-nan}"#;
    assert_eq!(parse(Kind::Seq, nothing, OBJECT), Err(RadosError::Nothing));
}

#[test]
fn a_report_of_fio() {
    let read = fio::parse(&mixed(), include_str!("../../../tests/data/bench/fio-mixed.json"), LOG).unwrap();
    let (reads, writes) = (read.read.unwrap(), read.write.unwrap());
    assert!((reads.iops - 1291.58).abs() < 0.01 && (reads.mb - 5.29).abs() < 0.01, "{reads:?}");
    assert!((reads.p50 - 7.110_656).abs() < 1e-6 && (writes.p99 - 109.576_192).abs() < 1e-6);
    assert!((writes.p999.unwrap() - 152.043_52).abs() < 1e-6 && (writes.max - 165.365_987).abs() < 1e-6);
    assert_eq!((reads.samples.len(), writes.samples.len()), (2, 2));
    assert!((writes.samples[0] - 1.855).abs() < 0.001);
    assert_eq!(fio::parse(&mixed(), "fio: engine rbd not loadable", ""), Err(FioError::Missing));
    assert_eq!(fio::parse(&mixed(), r#"{"jobs":[{"error":108}]}"#, ""), Err(FioError::Said(108)));
    assert_eq!(fio::parse(&mixed(), r#"{"jobs":[{"error":0}]}"#, ""), Err(FioError::Nothing));
}

/// A sound cluster of three nodes with two disks each.
fn sound() -> CephCluster {
    let osd = |id: u32| OsdFact {
        id,
        host: format!("n{}", id / 2 + 1),
        class: "ssd".into(),
        up: true,
        within: true,
        ..OsdFact::default()
    };
    let pool = PoolFact {
        name: "vm".into(),
        kind: "replicated".into(),
        size: 3,
        min_size: 2,
        pg_num: 128,
        applications: vec!["rbd".into()],
        ..PoolFact::default()
    };
    let manager = PoolFact { name: ".mgr".into(), applications: vec!["mgr".into()], ..pool.clone() };
    let erasure = PoolFact { name: "ec".into(), kind: "erasure".into(), ..pool.clone() };
    CephCluster {
        health: "HEALTH_OK".into(),
        osds: (0..6).map(osd).collect(),
        pools: vec![manager, pool, erasure],
        placement_groups: [("active+clean".to_owned(), 129)].into(),
        bytes: 6_000_000_000_000,
        used: 0.1,
        ..CephCluster::default()
    }
}

fn vm(cluster: &CephCluster) -> PoolFact {
    pool(cluster, None).unwrap().clone()
}

#[test]
fn the_pool_and_how_much_is_written_to_it() {
    let mut cluster = sound();
    let n1 = NodeName::new("n1").unwrap();
    assert_eq!(vm(&cluster).name, "vm");
    assert!(pool(&cluster, Some("nope")).unwrap_err().to_string().contains("it has .mgr, vm, ec"));
    assert_eq!(pool(&cluster, Some("ec")), Err(SetupError::Erasure("ec".into())));
    let made = setup(&cluster, &vm(&cluster), &n1, 10).unwrap();
    assert_eq!((made.bytes, made.osds, made.osd_memory >> 30), (MOST, 6, 24));
    assert_eq!((made.rados().objects, made.fio().jobs.len()), (256, 4));
    cluster.bytes = 12_000_000_000;
    let small = setup(&cluster, &vm(&cluster), &n1, 10).unwrap();
    assert_eq!(small.bytes >> 20, 128, "at most 5 % of 3.6 GB");
    assert_eq!(small.written_at_most(), 14 * small.bytes, "what the guide and --help say");
    cluster.used = 0.95;
    assert!(matches!(setup(&cluster, &vm(&cluster), &n1, 10), Err(SetupError::Full { .. })));
}

#[test]
fn each_circumstance_refuses_or_marks() {
    type Change = fn(&mut CephCluster);
    let table: [(Change, &str, Effect, bool); 12] = [
        (|c| c.pools[1].size = 2, "keeps 2 copies", Effect::Flatters, false),
        (|c| c.pools[1].size = 4, "keeps 4 copies", Effect::Spoils, false),
        (
            |c| drop(c.pools[1].options.insert("compression_mode".into(), "aggressive".into())),
            "one repeated letter",
            Effect::Flatters,
            true,
        ),
        (|c| c.health = "HEALTH_ERR".into(), "HEALTH_ERR", Effect::Spoils, true),
        (
            |c| {
                c.placement_groups.insert("active+recovering+degraded".into(), 4);
            },
            "4 placement groups are being recovered",
            Effect::Spoils,
            true,
        ),
        (
            |c| {
                c.placement_groups.insert("active+undersized".into(), 4);
            },
            "lack copies",
            Effect::Flatters,
            true,
        ),
        (
            |c| {
                c.placement_groups.insert("active+clean+scrubbing+deep".into(), 1);
            },
            "a scrub runs",
            Effect::Spoils,
            false,
        ),
        (|c| c.flags.push("noout".into()), "the flag noout", Effect::Note, false),
        (|c| c.flags.push("pausewr".into()), "writes stand still", Effect::Void, true),
        (
            |c| c.client = ClientLoad { writes: 60, ..ClientLoad::default() },
            "other clients",
            Effect::Spoils,
            true,
        ),
        (|c| c.used = 0.84, "near full", Effect::Spoils, true),
        (|c| c.osds[0].up = false, "1 of 6 OSDs", Effect::Spoils, true),
    ];
    assert_eq!(of_cluster(&sound(), &vm(&sound())), []);
    for (change, words, effect, refuses) in table {
        let mut cluster = sound();
        change(&mut cluster);
        let found = of_cluster(&cluster, &vm(&cluster));
        let one = found
            .iter()
            .find(|c| c.mark.text.contains(words))
            .unwrap_or_else(|| panic!("{words}: {found:?}"));
        assert_eq!((one.mark.effect, one.refuses), (effect, refuses), "{words}");
    }
}

#[test]
fn a_warning_is_told_and_what_is_new_afterwards_too() {
    let mut cluster = sound();
    cluster.health = "HEALTH_WARN".into();
    let complaint = |muted| Complaint {
        code: "X".into(),
        severity: "HEALTH_WARN".into(),
        summary: "clock skew".into(),
        muted,
    };
    cluster.complaints = vec![complaint(false)];
    let before = of_cluster(&cluster, &vm(&cluster));
    assert!(before[0].mark.text.ends_with("HEALTH_WARN: clock skew") && !before[0].refuses);
    cluster.placement_groups.insert("active+clean+scrubbing".into(), 2);
    let new = since(&before, of_cluster(&cluster, &vm(&cluster)));
    assert_eq!(new.len(), 1);
    assert!(new[0].text.starts_with("during the run: a scrub runs on 2"), "{new:?}");
    assert_eq!(since(&of_cluster(&cluster, &vm(&cluster)), of_cluster(&cluster, &vm(&cluster))), []);
}

#[test]
fn compression_and_memory_come_from_the_closest_setting() {
    let mut cluster = sound();
    let entry = |section: &str, name: &str, value: &str, mask: &str| ConfigEntry {
        section: section.into(),
        name: name.into(),
        value: value.into(),
        mask: mask.into(),
    };
    assert_eq!(compression(&cluster, &vm(&cluster)), "none");
    cluster.config.push(entry("osd", "bluestore_compression_mode", "force", ""));
    assert_eq!(compression(&cluster, &vm(&cluster)), "force");
    drop(cluster.pools[1].options.insert("compression_mode".into(), "none".into()));
    assert_eq!(compression(&cluster, &vm(&cluster)), "none");
    let gib = |n: u64| (n << 30).to_string();
    cluster.config.push(entry("osd", "osd_memory_target", &gib(2), ""));
    cluster.config.push(entry("osd", "osd_memory_target", &gib(8), "host:n2"));
    cluster.config.push(entry("osd", "osd_memory_target", &gib(3), "class:hdd"));
    cluster.config.push(entry("osd.0", "osd_memory_target", &gib(1), ""));
    assert_eq!(memory(&cluster) >> 30, 1 + 2 + 8 + 8 + 2 + 2);
    assert!(cache(1 << 30, 24 << 30).unwrap().text.contains("from memory"));
    assert_eq!(cache(25 << 30, 24 << 30), None);
}

#[test]
fn an_osd_on_a_file_or_in_memory_is_told() {
    let of = |device: &str, file: &str, memory| {
        let ground = vec![Ground { device: device.into(), file: file.into(), memory }];
        let node =
            CephNode { osds: vec![LocalOsd { id: 3, ground, ..LocalOsd::default() }], ..CephNode::default() };
        let found = of_disks(&[(NodeName::new("n2").unwrap(), node)].into());
        assert_eq!((found.len(), found[0].refuses, found[0].mark.effect), (1, false, Effect::Void));
        found[0].mark.text.clone()
    };
    assert_eq!(
        of("loop7", "/dev/shm/x", Some(true)),
        "osd.3 of n2 stands on loop7, the file /dev/shm/x, in memory: what it writes reaches no disk"
    );
    assert_eq!(
        of("zram0", "", Some(true)),
        "osd.3 of n2 stands on zram0, in memory: what it writes reaches no disk"
    );
    assert!(of("loop7", "/srv/x", Some(false)).ends_with("the file /srv/x, and no disk of its own"));
    assert!(of("", "/srv/x", None).contains("stands on the file /srv/x"));
    let sound = CephNode {
        osds: vec![LocalOsd { disks: vec!["nvme1n1".into()], ..LocalOsd::default() }],
        ..CephNode::default()
    };
    assert!(of_disks(&[(NodeName::new("n2").unwrap(), sound)].into()).is_empty());
}

fn run() -> Run {
    let side = |iops: f64| Side {
        iops,
        requests: 100_000,
        p999: Some(20.0),
        p99: 9.0,
        mb: 100.0,
        ..Side::default()
    };
    let phase = |kind, mb: f64| rados::Phase {
        kind,
        seconds: 10.0,
        operations: 1000,
        mb,
        iops: 200.0,
        mean_ms: 60.0,
        max_ms: 200.0,
        samples: vec![mb; 9],
    };
    let made = setup(&sound(), &vm(&sound()), &NodeName::new("n1").unwrap(), 10).unwrap();
    let mix = |name: &str| fio::JobResult {
        job: Job { name: name.into(), ..mixed() },
        read: Some(side(20_000.0)),
        write: Some(side(5000.0)),
    };
    let result = CephResult {
        rados: vec![phase(Kind::Write, 900.0), phase(Kind::Seq, 1500.0), phase(Kind::Rand, 1600.0)],
        fio: vec![mix("4k 70/30"), mix("8k 80/20")],
        troubles: Vec::new(),
    };
    Run { what: What::Ceph { setup: made, result }, ..fixture::run() }
}

fn change(run: &mut Run, by: impl FnOnce(&mut Setup, &mut CephResult)) {
    let What::Ceph { setup, result } = &mut run.what else { panic!() };
    by(setup, result);
}

#[test]
fn a_sound_run_is_good_and_pauses_are_findings() {
    assert!(verdicts(&run()).iter().all(|v| v.level == Level::Good));
    let codes = |run: &Run| -> Vec<(String, Level)> {
        verdicts(run).into_iter().filter_map(|v| Some((v.code?, v.level))).collect()
    };
    let mut late = run();
    change(&mut late, |_, r| r.fio[0].write.as_mut().unwrap().p999 = Some(1400.0));
    assert_eq!(codes(&late), [("RB0910".into(), Level::Finding)]);
    late.lab = Some("x".into());
    assert_eq!(codes(&late), [("RB0910".into(), Level::Note)]);
    let mut still = run();
    change(&mut still, |_, r| r.rados[0].samples = vec![900.0, 0.0, 0.0, 900.0]);
    assert_eq!(codes(&still), [("RB0910".into(), Level::Finding)]);
    let mut broken = run();
    change(&mut broken, |_, r| r.troubles = vec!["fio: x".into(), "an image was left behind: y".into()]);
    assert_eq!(codes(&broken), [("RB0902".into(), Level::Fault), ("RB0911".into(), Level::Fault)]);
}

#[test]
fn promises_count_on_equal_terms_only() {
    let kept = |run: &Run| -> Vec<Option<bool>> {
        let What::Ceph { setup, result } = &run.what else { panic!() };
        targets(setup, result, run).iter().map(|t| t.kept).collect()
    };
    assert_eq!(kept(&run()), [Some(true), Some(true), Some(true), None]);
    let mut slow = run();
    change(&mut slow, |_, r| r.rados[0].mb = 700.0);
    assert_eq!(kept(&slow)[0], Some(false));
    let mut two = run();
    change(&mut two, |s, _| s.size = 2);
    assert_eq!(kept(&two), [None; 4]);
    assert_eq!(kept(&Run { lab: Some("x".into()), ..run() }), [None; 4]);
}

#[test]
fn runs_are_compared_where_the_pool_is_the_same() {
    let mut now = run();
    now.id = "later".into();
    now.began = "2026-11-22T03:00:00Z".into();
    change(&mut now, |_, r| {
        r.rados[0].mb = 600.0;
        r.rados[0].samples = vec![600.0; 9];
    });
    let all = [fixture::run(), run()];
    let before = previous(&now, &all).unwrap();
    let seen = compare(&now, before);
    let worse: Vec<&str> = seen
        .changes
        .iter()
        .filter(|c| c.sense == crate::bench::compare::Sense::Worse)
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(worse, ["rados write"]);
    change(&mut now, |s, _| s.compression = "aggressive".into());
    assert_eq!(compare(&now, before).differences, ["compression none, now aggressive"]);
    let What::Ceph { result, .. } = &now.what else { panic!() };
    assert_eq!((figures(result).len(), sides(result).count()), (3 + 8, 4));
}
