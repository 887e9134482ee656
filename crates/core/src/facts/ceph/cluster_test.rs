#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;

/// Answers of a real cluster of one node (Ceph 18.2.7), one a line.
fn sample() -> Vec<String> {
    include_str!("samples/cluster.jsonl").lines().map(str::to_owned).collect()
}

#[test]
fn a_real_cluster_is_read() {
    let read = cluster(&sample()).unwrap();
    assert_eq!(read.fsid, "5f4c2b6e-1111-4222-8333-444455556666");
    assert_eq!((read.health.as_str(), read.leader.as_str()), ("HEALTH_WARN", "n2"));
    assert_eq!(read.active_manager.as_deref(), Some("n2"));
    assert!(read.standby_managers.is_empty());
    assert_eq!(read.monitors["n2"], "10.9.0.1");
    let muted = read.complaints.iter().find(|c| c.code == "MON_MSGR2_NOT_ENABLED").unwrap();
    assert!(muted.muted && muted.summary.contains("msgr2"));
    assert!(read.flags.contains(&"noout".to_owned()));
    assert_eq!((read.require_release.as_str(), read.bytes), ("reef", 32_212_254_720));
    assert!(read.used > 0.0 && read.used < 0.1);
    assert_eq!(read.versions.values().sum::<u32>(), 6);
    assert_eq!(read.placement_groups.get("active+clean").copied(), Some(201));
}

#[test]
fn osds_have_host_class_weight_and_addresses() {
    let read = cluster(&sample()).unwrap();
    assert_eq!(read.osds.iter().map(|o| o.id).collect::<Vec<_>>(), [0, 1, 2]);
    let osd = &read.osds[0];
    assert_eq!((osd.host.as_str(), osd.class.as_str()), ("n2", "hdd"));
    assert!(osd.up && osd.within && osd.weight > 0.009 && osd.reweight > 0.99);
    assert_eq!((osd.public_address.as_str(), osd.cluster_address.as_str()), ("10.9.0.1", "10.9.0.1"));
    assert_eq!(osd.uuid.len(), 36);
}

#[test]
fn pools_have_rule_tags_and_options() {
    let read = cluster(&sample()).unwrap();
    let pool = |name: &str| read.pools.iter().find(|p| p.name == name).unwrap();
    let vm = pool("vm");
    assert_eq!((vm.size, vm.min_size, vm.rule.as_str(), vm.kind.as_str()), (3, 2, "by-osd", "replicated"));
    assert_eq!((vm.autoscale.as_str(), vm.applications.as_slice()), ("on", &["rbd".to_owned()][..]));
    assert_eq!(vm.options["compression_mode"], "aggressive");
    assert_eq!((vm.options["target_size_ratio"].as_str(), vm.options["bulk"].as_str()), ("0.5", "true"));
    assert!(vm.stored > 500_000_000);
    assert_eq!((pool("ec").kind.as_str(), pool("ec").size), ("erasure", 3));
    let fs = &read.filesystems[0];
    assert_eq!(
        (fs.metadata_pool.as_str(), fs.data_pools.as_slice()),
        ("cephfs_metadata", &["cephfs_data".to_owned()][..])
    );
}

#[test]
fn the_configuration_has_masks_and_no_secrets() {
    let mut answers = sample();
    let read = cluster(&answers).unwrap();
    let entry = read.config.iter().find(|e| e.name == "osd_memory_target").unwrap();
    assert_eq!((entry.section.as_str(), entry.mask.as_str()), ("osd", "class:ssd"));
    let at = PREFIXES.iter().position(|p| *p == "config dump").unwrap();
    answers[at] =
        r#"[{"section":"mgr","name":"mgr/alerts/smtp_password","value":"hunter2","mask":""}]"#.into();
    assert_eq!(cluster(&answers).unwrap().config[0].value, "(not shown)");
}

#[test]
fn without_the_status_nothing_is_said() {
    assert!(cluster(&[]).unwrap_err().contains("`status`"));
    let answers = &sample()[..3];
    assert_eq!(cluster(answers).unwrap().osds.len(), 3);
}

#[test]
fn what_ceph_says_of_an_option_is_read() {
    let told = r#"{"name":"osd_max_scrubs","type":"int","level":"advanced","desc":"Maximum concurrent scrubs",
        "default":1,"daemon_default":3,"services":[],"can_update_at_runtime":true,"flags":["runtime"]}"#;
    let read = help(0, told).unwrap();
    assert_eq!((read.known, read.default.as_str(), read.runtime), (true, "3", true));
    assert_eq!(read.what, "Maximum concurrent scrubs");
    assert_eq!(help(-2, "").unwrap(), OptionHelp::default());
    assert_eq!((help(-1, told), help(0, "Error")), (None, None));
    let entry = |name: &str| ConfigEntry {
        section: "osd".into(),
        name: name.into(),
        value: String::new(),
        mask: String::new(),
    };
    let asked = options_asked(&[entry("b"), entry("a"), entry("b"), entry("mgr/dashboard/x")]);
    assert_eq!(asked, ["a", "b"]);
    assert_eq!(questions()[options_listed().unwrap()]["prefix"], "config dump");
}
