//! Every obstacle and note of binding, resources and preflight, each provoked by one edit of fresh
//! nodes; and the changes of mind a plan must carry through.

use ringbolt_core::facts::pve::path;
use ringbolt_core::facts::{Facts, Known};
use ringbolt_core::name::{NodeName, PortName};
use ringbolt_core::obstacle::Obstacle;
use ringbolt_core::plan::{Plan, Policy, lint};
use ringbolt_core::resource::owed;
use ringbolt_core::sim::{self, Cluster, Options};
use ringbolt_core::spec::{End, Link, Routing, Spec, Transport};
use ringbolt_core::step::{Risk, Step};
use ringbolt_core::survey::{Silent, Survey};
use ringbolt_core::topology::{Topology, generate};

const INTERFACES: &str = "/etc/network/interfaces";
const LOCAL: &str = "/etc/frr/frr.conf.local";

/// A spec and the nodes it is for.
struct World {
    spec: Spec,
    cluster: Cluster,
}

fn world(topology: &Topology, transport: Transport) -> World {
    World {
        spec: sim::spec(topology, transport),
        cluster: sim::fresh(topology, transport, &Options::default()),
    }
}

/// Three bare nodes in a Thunderbolt ring.
fn ring() -> World {
    world(&generate::ring(3), Transport::Thunderbolt)
}

fn ethernet() -> World {
    world(&generate::ring(3), Transport::Ethernet)
}

fn name(text: &str) -> NodeName {
    NodeName::new(text).expect("a node name")
}

impl World {
    fn plan(&self) -> Plan {
        let survey = Survey::new(self.spec.clone(), self.cluster.fleet(), Vec::new()).expect("addresses");
        let plan = survey.plan(&Policy::default());
        assert_eq!(lint(&plan), Vec::<String>::new());
        plan
    }

    fn facts(&mut self, node: &str) -> &mut Facts {
        &mut self.cluster.nodes.get_mut(node).expect("a node").facts
    }

    fn put(&mut self, node: &str, path: &str, text: &str) {
        self.facts(node).state.files.insert(path.into(), sim::file(text, 0o644));
    }

    fn change(&mut self, node: &str, path: &str, edit: impl Fn(&str) -> String) {
        let text = edit(self.facts(node).text(path).expect("the file"));
        self.put(node, path, &text);
    }

    /// Carries out plan after plan until nothing is left.
    fn converge(&mut self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for _ in 0..5 {
            let plan = self.plan();
            assert_eq!(plan.obstacles, Vec::new());
            if plan.deeds().next().is_none() {
                return plans;
            }
            self.cluster.run(&plan, plan.steps.len()).expect("every step proven");
            plans.push(plan);
        }
        panic!("still to do: {:?}", self.plan().deeds().map(|s| &s.id).collect::<Vec<_>>());
    }

    fn done(mut self) -> Self {
        self.converge();
        self
    }

    /// What is in the way, by code; it must be there once.
    fn obstacle(&self, code: &str) -> Obstacle {
        one(&self.plan().obstacles, code)
    }

    fn note(&self, code: &str) -> Obstacle {
        let plan = self.plan();
        assert_eq!(plan.obstacles, Vec::new(), "a note is not in the way");
        one(&plan.notes, code)
    }
}

fn one(list: &[Obstacle], code: &str) -> Obstacle {
    let found: Vec<&Obstacle> = list.iter().filter(|o| o.code == code).collect();
    let [only] = found.as_slice() else { panic!("{code} {} times in {list:#?}", found.len()) };
    assert!(!only.message.is_empty() && !only.cure.is_empty(), "{only:?}");
    (*only).clone()
}

fn is_about(obstacle: &Obstacle, node: &str, words: &str) {
    assert_eq!(obstacle.node.as_ref().map(NodeName::as_str), Some(node), "{obstacle:?}");
    let text = format!("{}\n{}", obstacle.message, obstacle.evidence);
    assert!(text.contains(words), "{words:?} in {obstacle:?}");
}

fn find<'p>(plan: &'p Plan, id: &str) -> &'p Step {
    let ids: Vec<&str> = plan.steps.iter().map(|s| &*s.id).collect();
    plan.steps.iter().find(|s| *s.id == *id).unwrap_or_else(|| panic!("no step {id} in {ids:#?}"))
}

#[test]
fn fresh_nodes_have_nothing_in_the_way_and_three_nodes_need_two_rounds() {
    let mut world = ring();
    let plan = world.plan();
    assert_eq!((plan.obstacles.len(), plan.notes.len()), (0, 0), "{:?} {:?}", plan.obstacles, plan.notes);
    assert!(!plan.waiting.is_empty() && plan.steps.iter().all(|s| s.risk == Risk::Safe));
    let plans = world.converge();
    assert_eq!(plans.len(), 2);
    assert_eq!(plans[0].steps.iter().filter(|s| s.id.ends_with("/packages")).count(), 3);
    assert_eq!(plans[1].steps.iter().filter(|s| s.id.ends_with("/sdn")).count(), 1);
}

#[test]
fn a_node_that_calls_itself_something_else() {
    let mut world = ring();
    world.facts("n2").hostname = "pve".into();
    is_about(&world.obstacle("RB0502"), "n2", "calls itself pve");
    let cure = world.obstacle("RB0502").cure;
    assert!(cure.contains("`name = \"n2\"`") && cure.contains("`name = \"pve\"`"), "{cure}");
    world.facts("n2").hostname = "n3".into();
    assert!(world.obstacle("RB0502").cure.contains("swapped"));
    // Its neighbours heard its old name over the cable: that alone is only worth a note.
    let mut world = ring();
    let Known::Yes(bus) = &mut world.facts("n1").inventory.thunderbolt else { panic!("a bus") };
    bus.peers[0].device_name = "debian".into();
    assert!(world.note("RB0521").message.contains("debian"));
}

#[test]
fn no_proxmox_ve_an_old_one_or_another_machine() {
    let mut world = ring();
    world.facts("n1").inventory.packages.remove("pve-manager");
    is_about(&world.obstacle("RB0519"), "n1", "does not run Proxmox VE");
    world.facts("n1").inventory.packages.insert("pve-manager".into(), "8.4.14".into());
    is_about(&world.obstacle("RB0519"), "n1", "8.4.14");
    let mut world = ring();
    world.facts("n3").inventory.arch = "aarch64".into();
    is_about(&world.obstacle("RB0519"), "n3", "aarch64");
    let mut world = ring();
    world.facts("n3").inventory.packages.insert("libpve-rs-perl".into(), "0.10.9".into());
    is_about(&world.note("RB0525"), "n3", "0.10.9");
}

#[test]
fn no_cluster_two_clusters_or_a_cluster_without_one_of_the_nodes() {
    let mut world = ring();
    world.facts("n1").state.files.remove(path::MEMBERS);
    is_about(&world.obstacle("RB0503"), "n1", "pve-cluster does not run");
    world.put("n1", path::MEMBERS, "{\"nodename\":\"n1\",\"version\":1}");
    is_about(&world.obstacle("RB0503"), "n1", "no cluster");
    world.put("n1", path::MEMBERS, "not json");
    is_about(&world.obstacle("RB0503"), "n1", "line 1");
    let mut world = ring();
    world.change("n2", path::MEMBERS, |t| t.replace("\"home\"", "\"away\""));
    assert_eq!(world.obstacle("RB0503").evidence, "away, home");
    let mut world = ring();
    world.change("n2", path::MEMBERS, |t| t.replace("\"n3\":", "\"n9\":"));
    is_about(&world.obstacle("RB0503"), "n2", "does not have n3");
    assert!(world.obstacle("RB0503").cure.contains("the cluster also has n9"));
}

#[test]
fn no_quorum_on_one_node_or_on_all() {
    let mut world = ring();
    world.change("n2", path::MEMBERS, |t| t.replace("\"quorate\":1", "\"quorate\":0"));
    is_about(&world.obstacle("RB0508"), "n2", "no quorum");
    for node in ["n1", "n2", "n3"] {
        world.facts(node).state.pve_writable = Some(false);
    }
    let plan = world.plan();
    assert_eq!(plan.obstacles.iter().filter(|o| o.code == "RB0508").count(), 3);
    assert!(plan.steps.iter().all(|s| !s.id.ends_with("/sdn")), "nobody can speak for the cluster");
}

#[test]
fn somebody_elses_sdn_changes_are_shown_as_a_diff() {
    let mut world = ring().done();
    let foreign = "\nopenfabric_fabric: lab\n\thello_interval 5\n\tip_prefix 10.200.0.0/24\n";
    let staged = world.facts("n1").text(path::FABRICS).expect("the fabric").to_owned() + foreign;
    world.cluster.put_shared(path::FABRICS, &staged);
    let pending = world.obstacle("RB0509");
    assert_eq!(
        pending.evidence,
        "+ openfabric_fabric: lab\n+   hello_interval 5\n+   ip_prefix 10.200.0.0/24"
    );
    world.cluster.commit_sdn();
    assert_eq!(world.plan().obstacles, Vec::new());
    world.cluster.put_shared(path::FABRICS, &staged.replace("hello_interval 5", "hello_interval 9"));
    assert_eq!(
        world.obstacle("RB0509").evidence,
        "  openfabric_fabric: lab\n-   hello_interval 5\n+   hello_interval 9"
    );
    let own: String = staged.replace(foreign, "");
    world.cluster.put_shared(path::FABRICS, &own);
    assert!(world.obstacle("RB0509").evidence.starts_with("- openfabric_fabric: lab"));
}

#[test]
fn the_sdn_lock_and_network_edits_of_others_are_respected() {
    let mut world = ring();
    world.cluster.put_shared(path::LOCK, "7c8a9d7e-0000-4000-8000-000000000001");
    is_about(&world.obstacle("RB0511"), "n1", "7c8a9d7e");
    let mut world = ring();
    world.put("n3", path::INTERFACES_NEW, "auto lo\niface lo inet loopback\n");
    is_about(&world.obstacle("RB0510"), "n3", "iface lo");
}

#[test]
fn a_lock_an_apply_of_ours_left_behind_is_released_by_the_next_one_on_that_node() {
    let token = "7c8a9d7e-0000-4000-8000-000000000001";
    let note = |token: &str| format!("{{\"token\":{token},\"at\":1,\"pid\":7,\"boot\":\"b\"}}");
    let mut world = ring().done();
    world.cluster.put_shared(path::LOCK, token);
    world.put("n2", owed::SDN_LOCK, &note(&format!("\"{token}\"")));
    let plan = world.plan();
    assert_eq!(plan.obstacles, Vec::new());
    let step = plan.steps.iter().find(|s| s.id.ends_with("/sdn")).expect("an apply");
    assert!(step.id.starts_with("n2/") && step.why.contains("cut off"), "{step:?}");
    world.put("n2", owed::SDN_LOCK, &note("null"));
    assert_eq!(world.plan().obstacles, Vec::new(), "the agent has the last word");
    world.put("n2", owed::SDN_LOCK, &note("\"7c8a9d7e-0000-4000-8000-000000000002\""));
    is_about(&world.obstacle("RB0511"), "n1", "7c8a9d7e");
}

#[test]
fn reloads_a_run_that_was_cut_off_owes_are_made_up_for() {
    let mut world = ring().done();
    assert!(world.plan().steps.is_empty());
    world.put("n2", owed::SYSTEMD, "");
    world.put("n3", owed::UDEV, "");
    let ids: Vec<String> = world.plan().steps.iter().map(|s| s.id.to_string()).collect();
    assert_eq!(ids, ["n2/systemd-reload", "n3/udev-reload"]);
}

#[test]
fn what_frr_lost_at_its_start_is_loaded_again_and_nothing_else_is_done() {
    let mut world = ring().done();
    let Known::Yes(frr) = &mut world.facts("n2").state.frr else { panic!("FRR runs") };
    frr.lost = vec!["route-map pve_openfabric permit 100: set src 10.100.0.12".into()];
    let plan = world.plan();
    let deeds: Vec<&str> = plan.deeds().map(|s| &*s.id).collect();
    assert_eq!(deeds, ["n2/frr.conf"]);
    assert!(find(&plan, "n2/frr.conf").why.contains("set src 10.100.0.12"));
    world.done();
}

#[test]
fn a_fabric_of_that_id_with_other_settings() {
    let mut world = ring();
    world.cluster.put_shared(path::FABRICS, "openfabric_fabric: tb4\n\tip_prefix 10.55.0.0/24\n");
    world.cluster.commit_sdn();
    assert!(world.obstacle("RB0512").evidence.contains("10.55.0.0/24"));
    world.cluster.put_shared(path::FABRICS, "ospf_fabric: tb4\n\tarea 0\n\tip_prefix 10.100.0.0/24\n");
    world.cluster.commit_sdn();
    assert!(world.obstacle("RB0512").message.contains("ospf_fabric"));
    world.cluster.put_shared(path::FABRICS, "no section\n");
    assert!(world.obstacle("RB0529").evidence.contains("fabrics.cfg line 1"));
}

#[test]
fn other_timers_are_a_plain_update() {
    let mut world = ring().done();
    world.spec.fabric.hello_interval = 2;
    world.spec.fabric.csnp_interval = Some(5);
    let plan = world.plan();
    let step = find(&plan, "n1/sdn");
    assert_eq!(step.risk, Risk::Disruptive, "adjacencies are up");
    let change = step.change.as_ref().expect("a diff");
    assert!(change.after.as_ref().is_some_and(|t| t.contains("csnp_interval 5")));
    assert_eq!(world.converge().len(), 1);
    world.spec.fabric.csnp_interval = None;
    assert_eq!(world.converge().len(), 1);
}

#[test]
fn a_port_or_a_prefix_in_another_fabric() {
    let mut world = ring();
    let other = "openfabric_fabric: old\n\tip_prefix 10.200.0.0/24\n\nopenfabric_node: old_n2\n\tinterfaces name=en05\n\tip 10.200.0.2\n";
    world.cluster.put_shared(path::FABRICS, other);
    world.cluster.commit_sdn();
    is_about(&world.obstacle("RB0513"), "n2", "en05 is in fabric old");
    world.cluster.put_shared(path::FABRICS, "ospf_fabric: old\n\tarea 0\n\tip_prefix 10.100.0.0/16\n");
    world.cluster.commit_sdn();
    assert!(world.obstacle("RB0514").message.contains("10.100.0.0/16"));
}

#[test]
fn the_source_line_is_mended_wherever_it_went() {
    for broken in ["", "source /etc/network/interfaces.d/\n"] {
        let mut world = ring();
        world.change("n2", INTERFACES, |t| t.replace("source /etc/network/interfaces.d/*\n", broken));
        world.converge();
        let text = world.facts("n2").text(INTERFACES).expect("it");
        assert!(text.ends_with("\nsource /etc/network/interfaces.d/*\n"), "{text}");
        assert_eq!(text.matches("source ").count(), 1);
    }
    // `sdn` alone is enough for OpenFabric, and stays.
    let mut world = ring();
    world.change("n2", INTERFACES, |t| t.replace("interfaces.d/*", "interfaces.d/sdn"));
    world.converge();
    assert!(world.facts("n2").text(INTERFACES).expect("it").ends_with("interfaces.d/sdn\n"));
}

#[test]
fn stanzas_nobody_should_guess_about() {
    let mut world = ring();
    world.change("n1", INTERFACES, |t| {
        format!("iface en05 inet manual\niface en05 inet manual\n\tmtu 9000\n{t}")
    });
    is_about(&world.obstacle("RB0516"), "n1", "more than one stanza for en05");
    let mut world = ring();
    world.change("n1", INTERFACES, |t| format!("iface en05 inet static\n\taddress 10.0.0.5/30\n{t}"));
    is_about(&world.obstacle("RB0520"), "n1", "address of its own");
    let mut world = ring();
    world.facts("n1").state.files.remove(INTERFACES);
    is_about(&world.obstacle("RB0527"), "n1", "no readable");
}

#[test]
fn lines_of_the_users_own_frr_conf_local() {
    let mut world = ring();
    world.put("n1", LOCAL, "router bgp 65000\n neighbor 10.0.0.9 remote-as 65001\nexit\n");
    world.converge();
    let text = world.facts("n1").text(LOCAL).expect("it").to_owned();
    assert!(text.starts_with("router bgp 65000\n neighbor 10.0.0.9 remote-as 65001\nexit\n! ringbolt begin"));
    let mut world = ring();
    world.put("n1", LOCAL, "router openfabric tb4\n net 49.0000.0000.0001.00\nexit\n");
    is_about(&world.obstacle("RB0517"), "n1", "router openfabric tb4");
    let mut world = ring();
    world.put("n1", LOCAL, "! ringbolt begin\ninterface en05\n");
    is_about(&world.obstacle("RB0517"), "n1", "it has no end");
    let mut world = ring();
    world.put("n1", LOCAL, "");
    world.facts("n1").state.files.get_mut(LOCAL).expect("it").text = None;
    is_about(&world.obstacle("RB0517"), "n1", "not text");
}

#[test]
fn packages_need_room_and_their_files() {
    let mut world = ring();
    world.facts("n2").state.root_free = 120 << 20;
    is_about(&world.obstacle("RB0518"), "n2", "120 MiB free");
    let mut world = ring().done();
    world.facts("n2").state.files.remove("/etc/frr/daemons");
    is_about(&world.obstacle("RB0530"), "n2", "/etc/frr/daemons");
    world.facts("n2").state.root_free = 0;
    assert_eq!(world.plan().obstacles.len(), 1, "nothing is to be installed");
}

#[test]
fn ports_that_are_not_there() {
    let mut world = ethernet();
    world.facts("n2").inventory.interfaces.remove("en06");
    is_about(&world.obstacle("RB0505"), "n2", "it has: en05, nic0");
    let mut world = ring();
    let ports = ["en05", "en06", "en07"].map(|p| PortName::new(p).expect("a port"));
    world.spec.nodes[0].ports = Some(ports.to_vec());
    is_about(&world.obstacle("RB0505"), "n1", "3 ports, but there are 2");
    let mut world = ring();
    world.facts("n1").inventory.thunderbolt = Known::No("/sys/bus/thunderbolt is not there".into());
    is_about(&world.obstacle("RB0506"), "n1", "/sys/bus/thunderbolt");
}

#[test]
fn without_the_driver_the_first_round_only_wakes_it() {
    let options = Options { modules: std::collections::BTreeSet::new(), ..Options::default() };
    let mut world = ring();
    world.cluster = sim::fresh(&generate::ring(3), Transport::Thunderbolt, &options);
    for node in ["n1", "n2", "n3"] {
        world.facts(node).inventory.thunderbolt = Known::No("/sys/bus/thunderbolt is not there".into());
    }
    let plan = world.plan();
    assert_eq!(plan.obstacles, Vec::new());
    assert!(plan.waiting.iter().any(|w| w == "n1: the ports are seen once module thunderbolt is loaded"));
    find(&plan, "n1/module:thunderbolt");
    assert!(plan.steps.iter().all(|s| s.phase == ringbolt_core::step::Phase::Prepare));
}

#[test]
fn cables_in_places_nobody_expects() {
    let mut world = ring();
    let Known::Yes(bus) = &mut world.facts("n1").inventory.thunderbolt else { panic!("a bus") };
    let pci = bus.controllers[0].pci.clone();
    bus.peers.iter_mut().for_each(|p| p.pci.clone_from(&pci));
    is_about(&world.obstacle("RB0504"), "n1", "n2, n3");
    let mut world = ring();
    let Known::Yes(bus) = &mut world.facts("n1").inventory.thunderbolt else { panic!("a bus") };
    bus.peers[0].uuid = "ffffffff-0000-0000-0000-00000000000f".into();
    bus.peers[0].device_name = "macbook".into();
    is_about(&world.note("RB0522"), "n1", "macbook");
    let Known::Yes(bus) = &mut world.facts("n1").inventory.thunderbolt else { panic!("a bus") };
    bus.peers[0].uuid = String::new();
    is_about(&world.note("RB0522"), "n1", "just been plugged in");
    let two = generate::cabled(2, [(0, 1), (0, 1)]);
    assert!(world_of(&two).note("RB0524").message.contains("2 cables join n1 and n2"));
}

fn world_of(topology: &Topology) -> World {
    world(topology, Transport::Thunderbolt)
}

#[test]
fn cabling_that_is_declared_or_missing() {
    let mut world = world_of(&generate::line(3));
    let end = |node: &str| End { node: name(node), port: None };
    world.spec.links = vec![Link { ends: [end("n1"), end("n2")] }, Link { ends: [end("n3"), end("n1")] }];
    let note = world.note("RB0526");
    assert!(note.message.contains("n3 – n1"), "{note:?}");
    let pieces = generate::cabled(4, [(0, 1), (2, 3)]);
    assert_eq!(world_of(&pieces).note("RB0507").evidence, "{n1, n2}  {n3, n4}");
}

#[test]
fn a_cable_that_was_there_at_the_last_apply() {
    let mut world = ring().done();
    let cable = world.cluster.cables.iter().next().cloned().expect("a cable");
    world.cluster.unplug(&cable);
    for (end, far) in [(&cable.0, &cable.1), (&cable.1, &cable.0)] {
        let gone = far.node.to_string();
        let Known::Yes(bus) = &mut world.facts(end.node.as_str()).inventory.thunderbolt else {
            panic!("a bus")
        };
        bus.peers.retain(|p| p.device_name != gone);
    }
    assert!(world.note("RB0531").message.contains("n1:en05 – n2:en05"));
    assert_eq!(world.plan().deeds().count(), 0, "a pulled cable is nothing to apply");
    assert_eq!(world.plan().notes.len(), 1);
}

#[test]
fn ports_that_belong_to_something_else() {
    let mut world = ethernet();
    world.facts("n2").inventory.interfaces.get_mut("en05").expect("it").master = Some("vmbr1".into());
    is_about(&world.obstacle("RB0520"), "n2", "belongs to vmbr1");
    let mut world = ethernet();
    world.facts("n2").inventory.interfaces.get_mut("en06").expect("it").max_mtu = Some(4000);
    is_about(&world.obstacle("RB0528"), "n2", "4000 at most");
    let mut world = ring();
    let card = world.facts("n2").inventory.interfaces["nic0"].clone();
    world.facts("n2").inventory.interfaces.insert("en06".into(), card);
    is_about(&world.obstacle("RB0515"), "n2", "driver igc");
}

#[test]
fn networkd_beside_ifupdown2() {
    let mut world = ring();
    let unit = world.facts("n2").state.units.get_mut("systemd-networkd.service").expect("it");
    unit.enabled = "enabled".into();
    is_about(&world.note("RB0523"), "n2", "systemd-networkd");
}

#[test]
fn a_silent_node_is_in_the_way_and_keeps_its_place() {
    let mut world = ring().done();
    let lost = world.cluster.nodes.remove("n3").expect("it");
    let why =
        Silent { node: name("n3"), why: "no route to host".into(), cure: "switch it on".into(), full: false };
    let full = Silent { full: true, ..why.clone() };
    let survey =
        |silent| Survey::new(world.spec.clone(), world.cluster.fleet(), vec![silent]).expect("addresses");
    let plan = survey(full).plan(&Policy::default());
    is_about(&one(&plan.obstacles, "RB0518"), "n3", "no room for the agent");
    assert_eq!(plan.deeds().count(), 0, "{:#?}", plan.steps);
    let survey = survey(why);
    let plan = survey.plan(&Policy::default());
    is_about(&one(&plan.obstacles, "RB0501"), "n3", "no route to host");
    assert_eq!(plan.deeds().count(), 0, "{:#?}", plan.steps);
    assert_eq!(plan.notes, Vec::new(), "its cables are neither strange nor missing");
    world.spec.fabric.hello_interval = 2;
    let plan = world.plan();
    let step = find(&plan, "n1/sdn");
    assert_eq!(step.risk, Risk::Disruptive, "n3 is not thrown out for being silent");
    assert!(step.change.as_ref().and_then(|c| c.after.as_ref()).is_some_and(|t| t.contains("tb4_n3")));
    drop(lost);
}

#[test]
fn a_node_taken_out_of_the_spec_is_deleted_by_consent_only() {
    let mut world = ring().done();
    world.spec.nodes.retain(|n| n.name.as_str() != "n3");
    // Not asked any more, as in a real run: only the cluster's part is left.
    let left = world.cluster.clone();
    world.cluster.nodes.remove("n3");
    let plan = world.plan();
    let step = find(&plan, "n1/sdn");
    assert_eq!(step.risk, Risk::Destructive);
    assert!(step.why.contains("no longer in the spec: n3"), "{}", step.why);
    // Where it is asked, nothing of ours stays on it.
    world.cluster = left;
    let plans = world.converge();
    assert!(plans[0].steps.iter().any(|s| *s.id == *"n3/remove:/etc/systemd/network/00-ringbolt-en05.link"));
    let files: Vec<&String> =
        world.cluster.nodes["n3"].facts.state.files.keys().filter(|p| p.contains("ringbolt")).collect();
    assert_eq!(files, Vec::<&String>::new());
    assert!(world.facts("n3").text(LOCAL).is_none());
    assert!(!world.facts("n3").inventory.interfaces.contains_key("dummy_tb4"));
}

#[test]
fn renamed_ports_leave_no_files_behind() {
    let mut world = ring().done();
    let ports = ["tb0", "tb1"].map(|p| PortName::new(p).expect("a port"));
    for node in &mut world.spec.nodes {
        node.ports = Some(ports.to_vec());
    }
    world.converge();
    for node in ["n1", "n2", "n3"] {
        let facts = world.facts(node);
        assert!(!facts.state.files.contains_key("/etc/systemd/network/00-ringbolt-en05.link"));
        assert!(facts.inventory.interfaces.contains_key("tb1"), "{node}");
    }
}

#[test]
fn from_openfabric_to_static_routes_and_back() {
    let mut world = ring().done();
    world.put(
        "n2",
        LOCAL,
        &format!("log file /var/log/frr.log\n{}", world.cluster.nodes["n2"].facts.text(LOCAL).unwrap_or("")),
    );
    world.spec.fabric.routing = Routing::Static;
    let plan = world.plan();
    let step = find(&plan, "n1/sdn");
    assert_eq!((step.risk, step.interrupts.is_empty()), (Risk::Destructive, false));
    world.converge();
    for node in ["n1", "n2", "n3"] {
        let facts = world.facts(node);
        assert!(!facts.inventory.interfaces.contains_key("dummy_tb4"), "{node}");
        assert!(
            facts.text("/etc/frr/daemons").is_some_and(|t| t.contains("bfdd=no") && t.contains("fabricd=no"))
        );
        assert!(!facts.text("/etc/frr/frr.conf").is_some_and(|t| t.contains("openfabric")), "{node}");
        assert_eq!(facts.text(path::FABRICS), Some(""));
    }
    assert_eq!(world.facts("n1").text(LOCAL), None);
    assert_eq!(world.facts("n2").text(LOCAL), Some("log file /var/log/frr.log\n"));
    world.spec.fabric.routing = Routing::Openfabric;
    world.converge();
    for node in ["n1", "n2", "n3"] {
        let facts = world.facts(node);
        assert!(!facts.state.files.contains_key("/etc/network/interfaces.d/ringbolt"), "{node}");
        let lo = &facts.inventory.interfaces["lo"];
        assert!(lo.addresses.iter().all(|a| a.addr().is_loopback()), "{node}: {:?}", lo.addresses);
        assert!(facts.state.routes.iter().all(|r| r.protocol != "boot"), "{node}: {:?}", facts.state.routes);
    }
}

#[test]
fn a_foreign_fabric_is_no_business_of_static_routing() {
    let mut world = ring();
    world.spec.fabric.routing = Routing::Static;
    world.cluster.put_shared(path::FABRICS, "openfabric_fabric: tb4\n\tip_prefix 10.55.0.0/24\n");
    world.cluster.commit_sdn();
    let plan = world.plan();
    assert!(plan.steps.iter().all(|s| s.risk < Risk::Destructive));
}
