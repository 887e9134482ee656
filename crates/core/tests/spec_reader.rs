//! The reader under any text: it never panics, its places are in the text, its order is that of
//! the file, and a spec written out reads to the same spec.

use proptest::prelude::*;
use ringbolt_core::diagnostic::Severity;
use ringbolt_core::spec::{self, Osds, Outcome, Routing, Spec, Transport};

const MINIMAL: &str = r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1", "/dev/nvme2n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1", "/dev/nvme2n1"]

[[node]]
name = "n4"
address = "10.11.12.14"
osds = ["/dev/nvme1n1", "/dev/nvme2n1"]
"#;

const FULL: &str = r#"[cluster]
name = "lab"
networks = ["10.11.12.0/24", "fd00:11::/64"]

[fabric]
id = "mesh-1"
prefix = "10.100.0.0/24"
prefix6 = "fd00:100::/64"
transport = "ethernet"
routing = "static"
mtu = 9216

[ssh]
user = "root"
port = 2222
config = "ssh_config"
identity = "~/.ssh/id_ed25519"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.2"
router_id6 = "fd00:100::2"
ports = ["enp1s0", "enp2s0"]
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG"
osds = { model = "SSD 990", serial = ["A", "B\"\\"], min_size = "900G", max_size = "1.5Ti", type = "nvme", count = 2 }
wipe = ["A", "B\"\\"]
db = "/dev/disk/by-id/nvme-x"
wal = "/dev/nvme9n1"
osds_per_device = 1
encrypted = true

[[node]]
name = "n3"
address = "fd00:11::13"
ports = ["enp1s0", "enp2s0"]
osds = ["/dev/sda"]
class = "slow"

[[node]]
name = "n4"
address = "fd00:11::14"
ports = ["enp1s0", "enp2s0"]
osds = ["/dev/sda"]
osds_per_device = 2

[[link]]
ends = ["n2:enp1s0", "n3:enp1s0"]

[[link]]
ends = ["n2:enp2s0", "n4:enp2s0"]

[[link]]
ends = ["n3:enp2s0", "n4:enp1s0"]

[ceph]
repository = "test"
version = "squid"
public = "10.20.0.0/24"
monitors = ["n4", "n2", "n3"]
managers = ["n3"]
guest_memory = "48Gi"
tuning = false
mclock = "high_client_ops"
scrub = "22-6"
migration = true
class = "nvme"

[[pool]]
name = "vm"
size = 2
min_size = 1
pg_num = 64
target_share = 70
i_accept_data_loss = true

[[pool]]
name = "archive"
erasure = "2+1"
compression = "zstd"
compression_mode = "force"
storage = false
i_accept_data_loss = true

[[pool]]
name = "fast"
class = "slow"
size = 1
i_accept_data_loss = true

[[filesystem]]
name = "files"
pg_num = 32
storage = false
"#;

/// Three nodes, and what is put into the first of them and behind them.
fn three(first: &str, rest: &str) -> String {
    let node = |n: u8, more: &str| {
        format!("[[node]]\nname = \"n{n}\"\naddress = \"10.11.12.1{n}\"\nosds = [\"/dev/sdb\"]\n{more}\n")
    };
    let head = "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n";
    format!("{head}{}{}{}{rest}\n", node(2, first), node(3, ""), node(4, ""))
}

fn spec_of(text: &str) -> Spec {
    let outcome = spec::read(text);
    let faults: Vec<_> = outcome.diagnostics.iter().map(|d| &d.message).collect();
    outcome.spec.unwrap_or_else(|| panic!("{faults:?}\n{text}"))
}

/// What holds for every outcome.
fn sound(text: &str, outcome: &Outcome) {
    assert_eq!(
        outcome.spec.is_none(),
        outcome.diagnostics.iter().any(|d| d.severity == Severity::Error),
        "{text}"
    );
    assert!(outcome.diagnostics.is_sorted_by_key(ringbolt_core::diagnostic::Diagnostic::place));
    assert_eq!(outcome.shown(text).len(), text.len());
    for d in &outcome.diagnostics {
        assert!(ringbolt_core::explain::lookup(d.code.0).is_some_and(|e| e.severity == d.severity));
        for label in &d.labels {
            assert!(text.get(label.span.clone()).is_some(), "{:?} in {text:?}", label.span);
        }
    }
    if let Some(spec) = &outcome.spec {
        assert_eq!(&spec_of(&spec::to_toml(spec)), spec);
    }
}

#[test]
fn defaults_are_as_promised() {
    let spec = spec_of(MINIMAL);
    let f = &spec.fabric;
    assert_eq!(f.id.as_str(), "tb4");
    assert_eq!((f.transport, f.routing), (Transport::Thunderbolt, Routing::Openfabric));
    assert_eq!((f.mtu, f.hello_interval, f.hello_multiplier), (65520, 1, 3));
    assert_eq!((f.csnp_interval, f.lsp_gen_interval, f.bfd), (None, 1, true));
    assert_eq!(spec.nodes[0].osds, Osds::Paths(vec!["/dev/nvme1n1".into(), "/dev/nvme2n1".into()]));
    assert_eq!(spec.nodes[0].ports, None);
    assert!(spec.links.is_empty() && spec.cluster.networks.is_empty());
    assert_eq!(spec.summary(), "3 nodes, Thunderbolt, OpenFabric tb4 on 10.100.0.0/24");
}

#[test]
fn ceph_is_there_with_osds_and_has_the_defaults_promised() {
    let spec = spec_of(MINIMAL);
    let names = |list: &[ringbolt_core::name::NodeName]| {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let ceph = spec.ceph.as_ref().expect("osds bring Ceph");
    assert_eq!((ceph.repository, ceph.version), (spec::Repository::NoSubscription, spec::Release::Tentacle));
    assert_eq!(ceph.public, spec::PublicNetwork::Mesh);
    assert_eq!((names(&ceph.monitors), names(&ceph.managers)), ("n2 n3 n4".into(), "n2 n3 n4".into()));
    assert_eq!((ceph.memory, ceph.scrub), (spec::OsdMemory::Reserve(None), None));
    assert!(ceph.tuning && !ceph.migration);
    assert_eq!(spec.pools, [spec::Pool::standard()]);
    assert_eq!(spec.pools[0].keeping, spec::Keeping::Copies { size: 3, min_size: 2 });
    assert_eq!(spec.ceph_prefix().map(|p| p.to_string()).as_deref(), Some("10.100.0.0/24"));

    let bare = spec_of(&MINIMAL.replace("osds = ", "# "));
    assert_eq!((bare.ceph, bare.pools.len()), (None, 0));
}

#[test]
fn ceph_takes_ipv6_where_there_is_no_ipv4() {
    let text = three("", "").replace("prefix = \"10.100.0.0/24\"", "prefix6 = \"fd00:100::/64\"");
    assert_eq!(spec_of(&text).ceph_prefix().map(|p| p.to_string()).as_deref(), Some("fd00:100::/64"));
    let both = text.replace("prefix6", "prefix = \"10.100.0.0/24\"\nprefix6");
    assert_eq!(spec_of(&both).ceph_prefix().map(|p| p.to_string()).as_deref(), Some("10.100.0.0/24"));
    // Management is IPv4, so a LAN would be another family than an IPv6 mesh.
    let lan = format!("{text}[ceph]\npublic = \"lan\"\n");
    assert!(spec::read(&lan).spec.is_none());
}

#[test]
fn seven_nodes_have_five_monitors_and_two_have_one() {
    let nodes = |count: u8| {
        let node =
            |n| format!("[[node]]\nname = \"m{n}\"\naddress = \"10.11.12.1{n}\"\nosds = [\"/dev/sdb\"]\n");
        let head = "[cluster]\nname = \"tb4\"\n[fabric]\nprefix = \"10.100.0.0/24\"\n";
        let pool = "[[pool]]\nname = \"vm\"\nsize = 2\ni_accept_data_loss = true\n";
        spec_of(&format!("{head}{}{pool}", (0..count).map(node).collect::<String>()))
    };
    let monitors = |count| nodes(count).ceph.expect("Ceph").monitors.len();
    assert_eq!([2, 3, 4, 6, 7, 9].map(monitors), [1, 3, 3, 3, 5, 5]);
}

#[test]
fn defaults_of_ceph_reach_the_nodes_and_nodes_differ_from_them() {
    let spec = spec_of(&three(
        "encrypted = false\nosds_per_device = 1",
        "[ceph]\nencrypted = true\nosds_per_device = 2\nclass = \"nvme\"",
    ));
    let osd = |n: usize| &spec.nodes[n].osd;
    assert_eq!((osd(0).encrypted, osd(0).per_device, osd(0).class.as_deref()), (false, 1, Some("nvme")));
    assert_eq!((osd(1).encrypted, osd(1).per_device, osd(1).class.as_deref()), (true, 2, Some("nvme")));
}

#[test]
fn the_prefix_of_the_mesh_is_the_mesh() {
    let spec = spec_of(&three("", "[ceph]\npublic = \"10.100.0.0/24\""));
    assert_eq!(spec.ceph.expect("Ceph").public, spec::PublicNetwork::Mesh);
}

#[test]
fn a_switch_is_static_and_the_id_falls_back() {
    let spec = spec_of(
        r#"
        cluster.name = "my.long-cluster-name"
        fabric = { prefix6 = "fd00:100::/64", transport = "switch" }
        node = [
            { name = "a", address = "fd00::1", ports = ["enp1s0"] },
            { name = "b", address = "fd00::2", ports = ["enp1s0"] },
        ]
        "#,
    );
    assert_eq!(spec.fabric.id.as_str(), "mesh");
    assert_eq!((spec.fabric.routing, spec.fabric.mtu), (Routing::Static, 9000));
    assert_eq!(spec.summary(), "2 nodes, Ethernet switch, static routes on fd00:100::/64");
}

#[test]
fn a_spec_written_out_reads_to_the_same_spec() {
    for text in [MINIMAL, FULL] {
        let spec = spec_of(text);
        let written = spec::to_toml(&spec);
        assert_eq!(spec_of(&written), spec, "{written}");
    }
    assert_eq!(spec::to_toml(&spec_of(MINIMAL)), MINIMAL);
}

#[test]
fn secrets_are_never_shown() {
    for text in [
        "[ssh]\npassword = \"hunter2\"\n",
        "[ssh]\npassword = hunter2\n",
        "[ssh]\n\"root-password\" = '''\nhunter2\n'''\n",
        "[[node]]\nname = \"a\"\nx = { token = \"hunter2\", b = 1 }\n",
        "[[node]]\nx = { a = 1, token = hunter2 }\n",
        "password = [\"hunter2\"]\n",
    ] {
        let outcome = spec::read(text);
        assert!(outcome.spec.is_none());
        assert!(!outcome.shown(text).contains("hunter2"), "{text}");
        assert!(!format!("{:?}", outcome.diagnostics).contains("hunter2"), "{text}");
    }
}

/// Pieces of specs, right and wrong, out of which texts are made.
fn pieces() -> impl Strategy<Value = String> {
    let lines = prop::sample::select(vec![
        "[cluster]",
        "[fabric]",
        "[[node]]",
        "[[link]]",
        "[ssh]",
        "[node]",
        "[[fabric]]",
        "[x.y]",
        "name = \"n2\"",
        "name = \"n3\"",
        "name = \"-\"",
        "name = 5",
        "address = \"10.1.1.1\"",
        "address = \"10.1.1.2\"",
        "address = \"::1\"",
        "address = \"fd00::1/64\"",
        "prefix = \"10.100.0.0/24\"",
        "prefix = \"10.1.1.1/0\"",
        "prefix6 = \"fd00::/127\"",
        "prefix6 = \"::/0\"",
        "transport = \"ethernet\"",
        "transport = \"switch\"",
        "routing = \"static\"",
        "mtu = 9000",
        "mtu = -1",
        "bfd = \"no\"",
        "mtu = 99999999999999999999999999",
        "ends = [\"n2:en05\", \"n3:en05\"]",
        "ends = [\"n2\", \"n2\"]",
        "ends = [\":\", \"\u{fc}:\u{fc}\"]",
        "ends = 3",
        "ends = ['''n2:\n''', \"n\\u0032:en05\"]",
        "ports = [\"en05\", \"en05\"]",
        "ports = []",
        "ports = [1, \"\"]",
        "osds = {}",
        "osds = { count = 2 }",
        "osds = [\"/dev/sda\"]",
        "osds = { serial = 3, size = 1 }",
        "host_key = \"ssh-rsa A\"",
        "[ceph]",
        "[[pool]]",
        "[[filesystem]]",
        "[ceph.pool]",
        "wipe = [\"A\", \"A\"]",
        "db = \"/dev/sda\"",
        "osds_per_device = 3",
        "class = \"x\"",
        "monitors = [\"n2\", \"n9\"]",
        "monitors = []",
        "managers = [\"n2\"]",
        "public = \"lan\"",
        "public = \"10.0.0.0/8\"",
        "osd_memory = \"1Gi\"",
        "guest_memory = \"x\"",
        "scrub = \"23-1\"",
        "scrub = \"-\"",
        "size = 2",
        "min_size = 7",
        "erasure = \"2+1\"",
        "pg_num = 65536",
        "target_share = 60",
        "compression_mode = \"force\"",
        "i_accept_data_loss = true",
        "password = \"x\"",
        "router_id = \"10.100.0.0\"",
        "router_id6 = \"fd00::1\"",
        "hello_interval = 0x7fff",
        "=",
        "\"",
        "a.b.c = 1",
        "networks = [\"10.1.1.0/24\", \"0.0.0.0/0\"]",
        "node = 1",
        "link = [1]",
        "fabric = []",
    ]);
    prop::collection::vec(lines, 0..14).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        sound(&text, &spec::read(&text));
    }

    #[test]
    fn any_mixture_of_lines_is_read_without_panic(text in pieces()) {
        sound(&text, &spec::read(&text));
    }

    #[test]
    fn a_valid_spec_with_a_piece_changed_is_read_without_panic(
        full in any::<bool>(),
        at in any::<prop::sample::Index>(),
        cut in 0usize..24,
        put in prop_oneof![Just(String::new()), any::<String>(), "[a-z0-9.:/\"\\[\\]= -]{0,6}"],
    ) {
        let text = if full { FULL } else { MINIMAL };
        let start = at.index(text.len());
        let end = (start + cut).min(text.len());
        let changed = format!("{}{put}{}", &text[..start], &text[end..]);
        sound(&changed, &spec::read(&changed));
    }
}
