//! Every key of the spec: the one source for "did you mean", for the reference page and for
//! `ringbolt explain KEY`.

/// A section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, as in the header; `node.osds` is the filter inside a node.
    pub name: &'static str,
    /// How it is written in the file.
    pub header: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// A key of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The section it belongs to.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The type of its value, in words.
    pub kind: &'static str,
    /// What applies when it is absent; `required` when it must be there.
    pub default: &'static str,
    /// What values it takes.
    pub range: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Why the default is what it is.
    pub why: &'static str,
    /// A value as it stands in a file.
    pub example: &'static str,
    /// The version that brought it.
    pub since: &'static str,
    /// What people write when they mean this key.
    pub also: &'static [&'static str],
}

impl Key {
    /// Whether a spec without this key is not complete.
    pub fn required(&self) -> bool {
        self.default == REQUIRED
    }

    /// Section and name: `fabric.mtu`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// The default of keys that have none.
pub const REQUIRED: &str = "required";

/// The sections, in the order of the reference page.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "cluster",
        header: "[cluster]",
        about: "What the cluster is called and which networks it must keep clear of.",
    },
    Section { name: "fabric", header: "[fabric]", about: "The routed network over the links." },
    Section { name: "node", header: "[[node]]", about: "One Proxmox VE machine; two or more." },
    Section {
        name: "node.osds",
        header: "osds = { … }",
        about: "Disks by what they are instead of by path; resolved when planning and shown by serial. A disk must fit all keys given.",
    },
    Section {
        name: "link",
        header: "[[link]]",
        about: "One cable, declared. Needed where cabling cannot be discovered; on Thunderbolt it is a promise that `preflight` holds against the cables found.",
    },
    Section {
        name: "ceph",
        header: "[ceph]",
        about: "The storage cluster on the mesh. It is there as soon as a node has `osds`; the section is needed only to differ from the defaults.",
    },
    Section {
        name: "pool",
        header: "[[pool]]",
        about: "One pool, and its storage in Proxmox VE. With `osds` and without this section there is one: vm, three copies.",
    },
    Section {
        name: "filesystem",
        header: "[[filesystem]]",
        about: "One CephFS, for files that several guests or nodes share. Its metadata servers run where the managers do.",
    },
    Section {
        name: "interface",
        header: "[[interface]]",
        about: "Options of an interface outside of the fabric that has a stanza in /etc/network/interfaces already, such as the bridge of the management network. Changed under a checkpoint: a node that is cut off by it undoes it by itself.",
    },
    Section {
        name: "ssh",
        header: "[ssh]",
        about: "How the nodes are reached. Your own ssh configuration applies; leave the section out unless you need it.",
    },
];

/// The keys of a section, in the order of the table.
pub fn of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |k| k.section == section)
}

/// The keys a text such as `mtu`, `fabric.mtu` or `[fabric] mtu` means.
pub fn find(text: &str) -> Vec<&'static Key> {
    let plain: String = text.chars().filter(|c| !matches!(c, '[' | ']')).collect();
    let plain = plain.trim().replace(' ', ".").to_ascii_lowercase();
    KEYS.iter().filter(|k| k.name == plain || k.path() == plain).collect()
}

const fn key(section: &'static str, name: &'static str, kind: &'static str, default: &'static str) -> Key {
    Key { section, name, kind, default, range: "", about: "", why: "", example: "", since: "0.1", also: &[] }
}

/// Every key, by section.
pub const KEYS: &[Key] = &[
    Key {
        range: "1 to 63 letters, digits, dots, dashes and underscores; no dot or dash first",
        about: "Name shown in reports. The default of the fabric's id.",
        why: "Reports of several clusters must not be mistaken for each other.",
        example: "\"tb4\"",
        also: &["cluster", "id", "title"],
        ..key("cluster", "name", "text", REQUIRED)
    },
    Key {
        range: "prefixes such as \"10.11.12.0/24\" or \"fd00:11::/64\", without host bits",
        about: "Networks in use elsewhere: management, VPN, storage, home. The fabric's prefixes must not overlap them.",
        why: "Without it, the /24 (IPv6: /64) around each management address is taken to be the management network, which is what most sites have.",
        example: "[\"10.11.12.0/24\"]",
        also: &["management", "avoid", "reserved", "network", "subnets"],
        ..key("cluster", "networks", "list of prefixes", "the /24 or /64 around each management address")
    },
    Key {
        range: "2 to 8 letters, digits and dashes; no dash at either end",
        about: "Id of the fabric in Proxmox VE's SDN; the interface with the router ID is called dummy_ID.",
        why: "One name less to think of. Proxmox VE's API refuses other ids.",
        example: "\"tb4\"",
        also: &["name", "fabric_id", "fabric"],
        ..key("fabric", "id", "text", "the cluster's name where it is a valid id, else mesh")
    },
    Key {
        range: "an IPv4 prefix with room for all nodes, without host bits",
        about: "Where the IPv4 router IDs come from, one address a node. Links themselves have no addresses of their own.",
        why: "There is no address space that is free everywhere. One of prefix and prefix6 must be there.",
        example: "\"10.100.0.0/24\"",
        also: &["prefix4", "subnet", "cidr", "network", "ip_prefix", "ipv4_prefix", "range"],
        ..key("fabric", "prefix", "text", "required, unless prefix6 is there")
    },
    Key {
        range: "an IPv6 prefix with room for all nodes, without host bits",
        about: "Where the IPv6 router IDs come from. With both prefixes the mesh is dual stack.",
        why: "One of prefix and prefix6 must be there.",
        example: "\"fd00:100::/64\"",
        also: &["ip6_prefix", "ipv6_prefix", "subnet6"],
        ..key("fabric", "prefix6", "text", "required, unless prefix is there")
    },
    Key {
        range: "thunderbolt, ethernet or switch",
        about: "What the links are made of: Thunderbolt or USB4 cables from node to node, Ethernet cables from node to node, or one Ethernet port a node in one switch.",
        why: "Thunderbolt cabling can be discovered in full, so it needs no further key.",
        example: "\"ethernet\"",
        also: &["media", "medium", "link_type", "type"],
        ..key("fabric", "transport", "text", "thunderbolt")
    },
    Key {
        range: "openfabric or static",
        about: "Who computes the routes: FRR's OpenFabric through Proxmox VE's SDN, or fixed routes without FRR.",
        why: "OpenFabric finds its way around a dead link. On a switch every node is one hop away and static is enough; Proxmox VE's fabricd speaks point to point only.",
        example: "\"static\"",
        also: &["protocol", "router"],
        ..key("fabric", "routing", "text", "openfabric; static on a switch")
    },
    Key {
        range: "1280 to 65520 bytes",
        about: "MTU of every port of the fabric.",
        why: "65520 is the most thunderbolt-net takes and gives Ceph the fewest packets; 9000 is what nearly all Ethernet cards and switches pass.",
        example: "9000",
        also: &["jumbo", "port_mtu"],
        ..key("fabric", "mtu", "whole number", "65520 on Thunderbolt, 9000 on Ethernet")
    },
    Key {
        range: "1 to 600 seconds",
        about: "Time between two hellos on a link.",
        why: "With the multiplier it bounds how long a silent neighbour is believed: 3 s instead of the 30 s Proxmox VE sets up by itself. BFD is faster still; this is the net below it.",
        example: "1",
        also: &["hello", "hello_time"],
        ..key("fabric", "hello_interval", "whole number", "1")
    },
    Key {
        range: "2 to 100",
        about: "Hellos that may be missed before a neighbour counts as down.",
        why: "Three in a row are lost by a dead link, hardly ever by a busy one.",
        example: "3",
        also: &["multiplier", "hold", "dead_count"],
        ..key("fabric", "hello_multiplier", "whole number", "3")
    },
    Key {
        range: "1 to 600 seconds",
        about: "Time between two complete lists of what a node knows (CSNP), by which neighbours find gaps.",
        why: "Nothing in recovery waits for it, so FRR's own 10 s stay.",
        example: "10",
        also: &["csnp"],
        ..key("fabric", "csnp_interval", "whole number", "absent: FRR's 10 seconds")
    },
    Key {
        range: "1 to 120 seconds",
        about: "Least time between two announcements of one node about its links.",
        why: "With FRR's 30 s a second cut soon after a repair goes unannounced for half a minute, and so does the way back.",
        example: "1",
        also: &["lsp_interval", "lsp_gen"],
        ..key("fabric", "lsp_gen_interval", "whole number", "1")
    },
    Key {
        range: "true or false",
        about: "Bidirectional forwarding detection on every port.",
        why: "It is what notices a link that is up but carries nothing, also in one direction only, in well under a second.",
        example: "true",
        also: &["bidirectional_forwarding_detection"],
        ..key("fabric", "bfd", "true or false", "true")
    },
    Key {
        range: "a host name without domain: 1 to 63 letters, digits and dashes, not digits only",
        about: "The node's host name, as Proxmox VE shows it.",
        why: "Proxmox VE and the Thunderbolt driver know a node by this name.",
        example: "\"n2\"",
        also: &["hostname", "host", "node"],
        ..key("node", "name", "text", REQUIRED)
    },
    Key {
        range: "an IPv4 or IPv6 address outside the fabric's prefixes",
        about: "Management address, which ssh goes to.",
        why: "A name would need a resolver that works while the network is being changed.",
        example: "\"10.11.12.12\"",
        also: &["ip", "addr", "mgmt", "management", "management_address", "host"],
        ..key("node", "address", "text", REQUIRED)
    },
    Key {
        range: "an IPv4 address inside prefix, other than its network and broadcast address",
        about: "Fixes the node's IPv4 router ID.",
        why: "Following the management address makes an address easy to guess and stable when nodes are added.",
        example: "\"10.100.0.12\"",
        also: &["loopback", "fabric_ip", "mesh_address", "router"],
        ..key(
            "node",
            "router_id",
            "text",
            "prefix with the host part of the management address where that fits and is free, else the next free address",
        )
    },
    Key {
        range: "an IPv6 address inside prefix6",
        about: "Fixes the node's IPv6 router ID.",
        why: "As router_id.",
        example: "\"fd00:100::12\"",
        also: &["loopback6", "fabric_ip6"],
        ..key("node", "router_id6", "text", "as router_id, from prefix6")
    },
    Key {
        range: "names of 2 to 15 letters, digits and underscores, a letter first",
        about: "Ports that join the fabric. Thunderbolt: the names the ports get, in PCI order. Ethernet: interfaces that exist.",
        why: "Thunderbolt ports are told apart by their place on the PCI bus; the names only need to be short and pass Proxmox VE's API.",
        example: "[\"en05\", \"en06\"]",
        also: &["interfaces", "interface", "nics", "port", "ifaces"],
        ..key(
            "node",
            "ports",
            "list of text",
            "Thunderbolt: en05, en06, … for every port; Ethernet: those the links name",
        )
    },
    Key {
        range: "type and key as in known_hosts: ssh-ed25519 AAAA…",
        about: "Pins the node's ssh host key; another key is refused.",
        why: "Without it your known_hosts decides, as for any ssh.",
        example: "\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG\"",
        also: &["hostkey", "fingerprint", "ssh_host_key", "known_host"],
        ..key("node", "host_key", "text", "absent: known_hosts")
    },
    Key {
        range: "paths below /dev, or a filter { model, serial, min_size, max_size, type, count }",
        about: "Disks that become Ceph OSDs. They are erased, after a question that names each by serial.",
        why: "A mesh needs no Ceph.",
        example: "[\"/dev/nvme1n1\", \"/dev/nvme2n1\"]",
        also: &["disks", "disk", "devices", "drives", "osd_devices"],
        ..key("node", "osds", "list of paths, or a filter", "none: a mesh without Ceph on this node")
    },
    Key {
        range: "serial numbers of disks of this node",
        about: "Used disks that may be erased. The plan shows what stands on them; `apply` erases one only by `--confirm` with the name the plan gives. A disk that is mounted, held or swapped to is refused all the same, and so is the disk of the operating system.",
        why: "A disk with anything on it is never taken unless this very disk is named.",
        example: "[\"S7KGNJ0X100001\"]",
        also: &["erase", "zap", "force", "overwrite"],
        ..key("node", "wipe", "list of text", "none")
    },
    Key {
        range: "a path below /dev; a disk that is not among osds",
        about: "Disk for the databases of all OSDs of the node.",
        why: "Worth it with rotating disks and one fast drive. When that drive dies, so do all OSDs of the node.",
        example: "\"/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0T100001\"",
        also: &["db_dev", "db_device", "block_db"],
        ..key("node", "db", "path", "none: on the disk of the OSD")
    },
    Key {
        range: "a path below /dev; a disk that is not among osds",
        about: "Disk for the write-ahead logs of all OSDs of the node.",
        why: "The log goes where the database is; a disk of its own is worth it only if that is faster still.",
        example: "\"/dev/disk/by-id/nvme-INTEL_SSDPE21K375GA_PHKE100001\"",
        also: &["wal_dev", "wal_device", "block_wal"],
        ..key("node", "wal", "path", "none: with the database")
    },
    Key {
        range: "1 to 16; not with db or wal",
        about: "OSDs on each disk of the node.",
        why: "One OSD keeps up with most drives; more of them take memory and CPU each.",
        example: "1",
        also: &["per_device", "osds_per_disk"],
        ..key("node", "osds_per_device", "whole number", "that of [ceph], else 1")
    },
    Key {
        range: "true or false",
        about: "Encrypts the OSDs of the node (LUKS; the keys are kept by the monitors).",
        why: "It protects disks that leave the building, and costs CPU. It cannot be changed without making the OSDs anew.",
        example: "true",
        also: &["encrypt", "luks", "dmcrypt"],
        ..key("node", "encrypted", "true or false", "that of [ceph], else false")
    },
    Key {
        range: "letters, digits, dots, dashes and underscores, at most 63",
        about: "CRUSH device class of the OSDs of the node, by which pools choose disks.",
        why: "Ceph tells hdd, ssd and nvme by itself.",
        example: "\"nvme\"",
        also: &["device_class", "crush_device_class", "crush_class"],
        ..key("node", "class", "text", "that of [ceph], else what Ceph makes of the disk")
    },
    Key {
        range: "any part of the model's name; upper and lower case are equal",
        about: "Only disks of this model.",
        why: "Absent, any model fits.",
        example: "\"Samsung SSD 990\"",
        also: &["name", "vendor"],
        ..key("node.osds", "model", "text", "any")
    },
    Key {
        range: "one serial number, or a list of them",
        about: "Only the disks with these serial numbers.",
        why: "Absent, any serial number fits.",
        example: "[\"S7KGNJ0X100001\", \"S7KGNJ0X100002\"]",
        also: &["serials", "sn", "id"],
        ..key("node.osds", "serial", "text or list of text", "any")
    },
    Key {
        range: "a size such as 900G (10⁹ bytes) or 800Gi (2³⁰ bytes)",
        about: "Only disks of at least this size.",
        why: "Absent, the smallest disk fits; the disk with the system on it never does.",
        example: "\"900G\"",
        also: &["size", "minimum"],
        ..key("node.osds", "min_size", "text", "none")
    },
    Key {
        range: "a size such as 4T, not below min_size",
        about: "Only disks of at most this size.",
        why: "Absent, the largest disk fits.",
        example: "\"4T\"",
        also: &["maximum"],
        ..key("node.osds", "max_size", "text", "none")
    },
    Key {
        range: "nvme, ssd or hdd",
        about: "Only disks of this kind: flash on PCIe, flash behind SATA or SAS, rotating.",
        why: "Absent, any kind fits.",
        example: "\"nvme\"",
        also: &["medium", "kind", "rotational", "media"],
        ..key("node.osds", "type", "text", "any")
    },
    Key {
        range: "1 to 64",
        about: "How many disks must fit; any other number is a fault found before anything is erased.",
        why: "Absent, every free disk that fits is taken.",
        example: "2",
        also: &["number", "amount"],
        ..key("node.osds", "count", "whole number", "as many as fit")
    },
    Key {
        range: "two ends, each node:port; just node where transport is thunderbolt",
        about: "The two ends of the cable.",
        why: "A cable has two ends.",
        example: "[\"n2:en05\", \"n3:en06\"]",
        also: &["nodes", "between", "end", "from", "to", "a", "b"],
        ..key("link", "ends", "list of two texts", REQUIRED)
    },
    Key {
        range: "no-subscription, enterprise or test",
        about: "Which of Proxmox's Ceph repositories the packages come from, on every node the same.",
        why: "It works for everyone. Proxmox VE itself takes enterprise, which fails without a subscription.",
        example: "\"no-subscription\"",
        also: &["repo", "channel"],
        ..key("ceph", "repository", "text", "no-subscription")
    },
    Key {
        range: "tentacle (20.2) or squid (19.2)",
        about: "Which release of Ceph, on every node the same.",
        why: "The newest stable one. What Proxmox VE takes by itself depends on its own version, so nodes could differ.",
        example: "\"tentacle\"",
        also: &["release", "ceph_version"],
        ..key("ceph", "version", "text", "tentacle")
    },
    Key {
        range: "mesh, lan, or a prefix in which every node has an address",
        about: "Network of clients and monitors. Replication is on the mesh in any case. On a dual-stack mesh Ceph uses IPv4.",
        why: "Clients are guests on the same nodes: on the mesh they have its speed, on a LAN of 1 Gbit/s 110 MB/s a node. It cannot be changed later without new monitors.",
        example: "\"mesh\"",
        also: &["public_network", "network", "client_network"],
        ..key("ceph", "public", "text", "mesh")
    },
    Key {
        range: "names of nodes, an odd number up to seven",
        about: "Nodes with a monitor.",
        why: "Three survive one failure, five two. An even number survives no more than one less.",
        example: "[\"n2\", \"n3\", \"n4\"]",
        also: &["mons", "mon"],
        ..key(
            "ceph",
            "monitors",
            "list of text",
            "the first three nodes; five from seven nodes on; one of two",
        )
    },
    Key {
        range: "names of nodes",
        about: "Nodes with a manager; one works, the others stand by.",
        why: "Where the monitors are, something is running anyway.",
        example: "[\"n2\", \"n3\"]",
        also: &["mgrs", "mgr"],
        ..key("ceph", "managers", "list of text", "the nodes with a monitor")
    },
    Key {
        range: "a size from 896Mi; not with guest_memory",
        about: "Memory every OSD aims at (osd_memory_target).",
        why: "What is left when guests, system and monitors have theirs, up to 8 GiB.",
        example: "\"6Gi\"",
        also: &["memory", "osd_memory_target", "memory_target"],
        ..key("ceph", "osd_memory", "text", "computed from the memory of each node")
    },
    Key {
        range: "a size; not with osd_memory",
        about: "Memory of each node that is kept for guests when the memory of OSDs is computed.",
        why: "Guests are what the cluster is for.",
        example: "\"32Gi\"",
        also: &["reserve", "vm_memory", "guest_reserve"],
        ..key("ceph", "guest_memory", "text", "half of the memory")
    },
    Key {
        range: "true or false",
        about: "Whether the small profile of options is kept, each with its reason; `ringbolt tune explain` shows it.",
        why: "A handful of options depends on the hardware; the rest is best left alone.",
        example: "true",
        also: &["tune", "profile"],
        ..key("ceph", "tuning", "true or false", "true")
    },
    Key {
        range: "balanced, high_client_ops or high_recovery_ops",
        about: "Who goes first on a busy disk: guests, recovery, or both alike.",
        why: "Ceph's own default.",
        example: "\"balanced\"",
        also: &["mclock_profile", "osd_mclock_profile", "qos"],
        ..key("ceph", "mclock", "text", "balanced")
    },
    Key {
        range: "two hours of the day, from-to",
        about: "Hours in which scrubs begin.",
        why: "Scrubs give way to clients; a window is needed only where nights are quiet. Below four hours they fall behind.",
        example: "\"22-6\"",
        also: &["scrub_hours", "scrub_window", "scrub_begin_hour", "scrub_end_hour"],
        ..key("ceph", "scrub", "text", "any time")
    },
    Key {
        range: "true or false",
        about: "Whether migration and replication of guests use the mesh as well.",
        why: "It is a setting of the whole datacenter, so it is changed only when asked for.",
        example: "true",
        also: &["migration_network", "live_migration"],
        ..key("ceph", "migration", "true or false", "false")
    },
    Key {
        range: "1 to 16; not with db or wal of a node",
        about: "As the key of a node, for all nodes.",
        why: "As there.",
        example: "1",
        also: &["per_device", "osds_per_disk"],
        ..key("ceph", "osds_per_device", "whole number", "1")
    },
    Key {
        range: "true or false",
        about: "As the key of a node, for all nodes.",
        why: "As there.",
        example: "true",
        also: &["encrypt", "luks", "dmcrypt"],
        ..key("ceph", "encrypted", "true or false", "false")
    },
    Key {
        range: "letters, digits, dots, dashes and underscores, at most 63",
        about: "As the key of a node, for all nodes.",
        why: "As there.",
        example: "\"nvme\"",
        also: &["device_class", "crush_device_class"],
        ..key("ceph", "class", "text", "what Ceph makes of each disk")
    },
    Key {
        range: "2 to 63 letters, digits, dots, dashes and underscores; a letter first, a letter or digit last",
        about: "Name of the pool, and of its storage in Proxmox VE.",
        why: "Both must accept it.",
        example: "\"vm\"",
        also: &["pool", "id", "storage_id"],
        ..key("pool", "name", "text", REQUIRED)
    },
    Key {
        range: "1 to 7, at most the nodes with OSDs; below 3 only with i_accept_data_loss",
        about: "Copies of everything, each on another node.",
        why: "With two, a second failure during recovery takes data with it.",
        example: "3",
        also: &["copies", "replicas", "replica"],
        ..key("pool", "size", "whole number", "3")
    },
    Key {
        range: "1 to size; below 2 only with i_accept_data_loss",
        about: "Fewest copies with which writes go on.",
        why: "What was written to one copy alone is lost with its disk.",
        example: "2",
        also: &["min_copies", "min_replicas"],
        ..key("pool", "min_size", "whole number", "half of size, rounded up, at least 2")
    },
    Key {
        range: "k+m: 2 to 16 pieces of data, 1 to 8 of redundancy; together at most the nodes with OSDs",
        about: "Erasure coding instead of copies: each object in k+m pieces on as many nodes, of which any m may be lost.",
        why: "It saves space and costs speed, with few nodes a lot of it. 4+2 needs six nodes.",
        example: "\"2+2\"",
        also: &["erasure_coding", "ec", "k", "m"],
        ..key("pool", "erasure", "text", "none: whole copies")
    },
    Key {
        range: "a power of two",
        about: "Placement groups. Given here, they stay; the autoscaler does not change them.",
        why: "About a hundred on each OSD, with room to grow.",
        example: "128",
        also: &["pgs", "pg", "placement_groups"],
        ..key("pool", "pg_num", "whole number", "computed from the OSDs")
    },
    Key {
        range: "1 to 100 percent, all pools together at most 100",
        about: "Share of the cluster it is expected to take, by which placement groups are dealt out.",
        why: "One pool takes all.",
        example: "60",
        also: &["target_size_ratio", "target_ratio", "ratio", "target_size"],
        ..key("pool", "target_share", "whole number", "an equal share of what the others leave")
    },
    Key {
        range: "lz4, snappy, zstd or zlib",
        about: "Compresses what is written. Disks of guests often shrink by half; it costs CPU on every write, and makes benchmarks with patterns lie.",
        why: "Not everybody wants to pay for it.",
        example: "\"lz4\"",
        also: &["compress", "compression_algorithm"],
        ..key("pool", "compression", "text", "none")
    },
    Key {
        range: "aggressive, passive or force; with compression only",
        about: "When to compress: unless the client says that it is no use, only if the client asks, or always.",
        why: "Guests give no hints.",
        example: "\"aggressive\"",
        also: &["compress_mode"],
        ..key("pool", "compression_mode", "text", "aggressive")
    },
    Key {
        range: "a device class",
        about: "Keeps the data on disks of this class.",
        why: "One kind of disk needs no classes.",
        example: "\"nvme\"",
        also: &["device_class", "crush_device_class"],
        ..key("pool", "class", "text", "any")
    },
    Key {
        range: "true or false",
        about: "Whether Proxmox VE gets a storage for it, for disks of guests and containers.",
        why: "That is what most pools are for.",
        example: "true",
        also: &["add_storages", "add_storage"],
        ..key("pool", "storage", "true or false", "true")
    },
    Key {
        range: "true or false",
        about: "Allows fewer than three copies or min_size 1. Status reports say so every time.",
        why: "Two copies are fine until the day they are not.",
        example: "true",
        also: &["accept_data_loss", "allow_data_loss", "yes_i_really_mean_it"],
        ..key("pool", "i_accept_data_loss", "true or false", "false")
    },
    Key {
        range: "2 to 63 letters, digits, dots, dashes and underscores; a letter first, a letter or digit last",
        about: "Name of the file system, and of its storage in Proxmox VE.",
        why: "Both must accept it. Its pools are called NAME_data and NAME_metadata.",
        example: "\"shared\"",
        also: &["fs", "id"],
        ..key("filesystem", "name", "text", REQUIRED)
    },
    Key {
        range: "a power of two",
        about: "Placement groups of its data pool.",
        why: "As for pools.",
        example: "32",
        also: &["pgs", "pg"],
        ..key("filesystem", "pg_num", "whole number", "computed")
    },
    Key {
        range: "true or false",
        about: "Whether Proxmox VE gets a storage for it, for backups, images and templates.",
        why: "That is what most want it for.",
        example: "true",
        also: &["add_storage"],
        ..key("filesystem", "storage", "true or false", "true")
    },
    Key {
        range: "the name of a [[node]]",
        about: "The node it is on.",
        why: "Interfaces differ from node to node.",
        example: "\"n2\"",
        also: &["host", "on"],
        ..key("interface", "node", "text", REQUIRED)
    },
    Key {
        range: "up to 15 letters, digits, dots, dashes and underscores; not lo, no port of the fabric",
        about: "The interface; it must have one stanza in /etc/network/interfaces.",
        why: "ringbolt changes options of what is there and makes no interfaces of its own.",
        example: "\"vmbr0\"",
        also: &["interface", "bridge", "device"],
        ..key("interface", "name", "text", REQUIRED)
    },
    Key {
        range: "names of interfaces the node has; an empty list for a bridge without any",
        about: "The ports of a bridge. Its line in the stanza becomes exactly this.",
        why: "Without it the line stays as it is.",
        example: "[\"eno1\"]",
        also: &["ports", "bridge-ports", "slaves"],
        ..key("interface", "bridge_ports", "list of texts", "as it is")
    },
    Key {
        range: "68 to 65535 bytes; the ports of a bridge and everything else in its network must take as much",
        about: "MTU of the interface.",
        why: "Without it the stanza stays as it is.",
        example: "1500",
        also: &["MTU"],
        ..key("interface", "mtu", "whole number", "as it is")
    },
    Key {
        range: "a user name",
        about: "Login user.",
        why: "Proxmox VE's commands work for root only.",
        example: "\"root\"",
        also: &["login", "username"],
        ..key("ssh", "user", "text", "root")
    },
    Key {
        range: "1 to 65535",
        about: "Port of the ssh server.",
        why: "Your ssh configuration knows.",
        example: "22",
        also: &["ssh_port"],
        ..key("ssh", "port", "whole number", "that of your ssh configuration")
    },
    Key {
        range: "a path, relative to the spec; ~/ is your home",
        about: "An ssh configuration file to use instead of your own.",
        why: "Your own has your jump hosts and agents.",
        example: "\"ssh_config\"",
        also: &["ssh_config", "config_file"],
        ..key("ssh", "config", "text", "your own")
    },
    Key {
        range: "a path, relative to the spec; ~/ is your home",
        about: "The private key file to log in with. The path only; the key itself never stands in the spec.",
        why: "ssh tries your agent and your usual keys.",
        example: "\"~/.ssh/id_ed25519\"",
        also: &["key", "key_file", "identity_file", "ssh_key"],
        ..key("ssh", "identity", "text", "those of your ssh configuration")
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_and_has_a_section() {
        for k in KEYS {
            assert!(SECTIONS.iter().any(|s| s.name == k.section), "{}", k.path());
            for text in [k.kind, k.default, k.range, k.about, k.why, k.example, k.since] {
                assert!(!text.is_empty(), "{}", k.path());
            }
        }
    }

    #[test]
    fn a_key_is_found_by_name_and_by_path() {
        assert_eq!(find("mtu").len(), 2);
        assert_eq!(find("fabric.mtu"), find("[fabric] mtu"));
        assert_eq!(find("name").len(), 5);
        assert!(find("colour").is_empty());
    }
}
