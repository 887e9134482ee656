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
        assert_eq!(find("mtu").len(), 1);
        assert_eq!(find("fabric.mtu"), find("[fabric] mtu"));
        assert_eq!(find("name").len(), 2);
        assert!(find("colour").is_empty());
    }
}
