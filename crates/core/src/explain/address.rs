//! RB02xx: names and addresses of nodes, ports, host keys and disks.

super::explanations! {
    NODE_NAME = Error "RB0201" {
        title: "a node name is not a host name",
        why: "A Proxmox VE node is known by its host name: 1 to 63 letters, digits and dashes, no dash at either \
              end, not digits alone, and without a domain.",
        cure: "Use what `hostname --short` prints on the node.",
        wrong: r#"[[node]]
name = "n2.home.lan"
address = "10.11.12.12"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    NODE_TWICE = Error "RB0202" {
        title: "two nodes have the same name",
        why: "Host names do not tell upper and lower case apart, and a cluster cannot hold one name twice.",
        cure: "Correct one of the two names, or remove the section that stands there twice.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "N2"
address = "10.11.12.13"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    ADDRESS = Error "RB0203" {
        title: "a text is not an IP address",
        why: "The key takes one IPv4 or IPv6 address.",
        cure: "Write four numbers of 0 to 255 with dots and without leading zeros, or an IPv6 address.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.312"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    ADDRESS_IS_NAME = Error "RB0204" {
        title: "an address is given as a name",
        why: "Looking up a name needs a resolver, and that may be gone while the network is being changed. \
              Two names may also lead to one node without anyone noticing.",
        cure: "Give the address itself; `getent ahosts NAME` shows it.",
        wrong: r#"[[node]]
name = "n2"
address = "n2.home.lan"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    ADDRESS_WITH_MASK = Error "RB0205" {
        title: "an address is given with a mask",
        why: "The key takes the address of one node. The size of its network is read from the node.",
        cure: "Leave out the slash and what follows it.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12/24"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    ADDRESS_UNUSABLE = Error "RB0206" {
        title: "no node can be reached at this address",
        why: "Loopback, link-local, multicast and unspecified addresses mean something else on every machine.",
        cure: "Give the address the node has in the management network.",
        wrong: r#"[[node]]
name = "n2"
address = "127.0.1.1"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    ADDRESS_TWICE = Error "RB0207" {
        title: "two nodes have the same address",
        why: "One of them would never be reached, and the other would be set up twice. \
              Addresses are compared by value, so fd00::1 and fd00:0::1 are the same.",
        cure: "Correct one of the two addresses.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.12"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    ADDRESS_OF_NETWORK = Error "RB0208" {
        title: "an address is the network or broadcast address of its network",
        why: "The first and the last address of an IPv4 network belong to the network as a whole; \
              no node can have them.",
        cure: "Correct the address, or the entry in `networks`.",
        wrong: r#"[cluster]
name = "tb4"
networks = ["10.11.12.0/24"]

[[node]]
name = "n2"
address = "10.11.12.255"
"#,
        right: r#"[cluster]
name = "tb4"
networks = ["10.11.12.0/24"]

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    PORT_NAME = Error "RB0209" {
        title: "a port name cannot be used",
        why: "The kernel takes at most 15 characters. Proxmox VE's fabric API wants a letter first, then letters, \
              digits and underscores: it refuses dashes. VLANs and aliases are not ports. Names such as \
              thunderbolt0 are handed out by the kernel in the order cables come up, so a port that is to be \
              the same one tomorrow needs another name.",
        cure: "Choose a name such as en05.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["tb-left", "tb-right"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en06"]
"#,
    }
    PORT_LISTED_TWICE = Error "RB0210" {
        title: "a node lists the same port twice",
        why: "A port is one place for one cable.",
        cure: "Correct or remove one of the two.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en05"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en06"]
"#,
    }
    HOST_KEY = Error "RB0211" {
        title: "a pinned host key is malformed",
        why: "The key is compared with the one the node shows, so it must be whole: the type, a space and the key \
              in base64. A fingerprint (SHA256:…) is not enough for ssh.",
        cure: "Take the line from /etc/ssh/ssh_host_ed25519_key.pub on the node's own screen.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
host_key = "SHA256:uNiVztksCsDhcc0u9e8BrqJrqmWQ5Jb0QzR2i8c3x1k"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG"
"#,
    }
    HOST_KEY_SHARED = Warning "RB0212" {
        title: "two nodes have the same host key",
        why: "Each node makes its own host key when it is installed. Nodes that share one were cloned, or a line was \
              copied twice; then ssh cannot tell them apart, and neither can you.",
        cure: "On a cloned node run `rm /etc/ssh/ssh_host_*` and `dpkg-reconfigure openssh-server`, \
               and pin the new key.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG"

[[node]]
name = "n3"
address = "10.11.12.13"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGG"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    DISK_PATH = Error "RB0213" {
        title: "a disk is not given as a path below /dev",
        why: "A disk that becomes an OSD is erased, so there must be no doubt which one is meant.",
        cure: "Use /dev/disk/by-id/… (stays the same), /dev/nvme1n1 or a filter such as { model = \"…\" }.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["nvme1n1"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
"#,
    }
    DISK_TWICE = Error "RB0214" {
        title: "a node lists the same disk twice",
        why: "A disk becomes one OSD.",
        cure: "Correct or remove one of the two.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1", "/dev/nvme1n1"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1", "/dev/nvme2n1"]
"#,
    }
    DISK_FILTER = Error "RB0215" {
        title: "a disk filter cannot be meant so",
        why: "A filter without any key would take every free disk, and one whose bounds contradict each other none. \
              Disks that become OSDs are erased, so the filter has to say which are meant.",
        cure: "Give a model, a serial number or sizes; sizes are numbers with a unit, such as 900G or 3.8T.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = { min_size = "4T", max_size = "900G" }
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = { min_size = "900G", max_size = "4T" }
"#,
    }
    CLUSTER_NAME = Error "RB0216" {
        title: "a cluster name cannot be used",
        why: "The name appears in reports and in the names of run folders.",
        cure: "Use 1 to 63 letters, digits, dots, dashes and underscores; no dot or dash first.",
        wrong: r#"[cluster]
name = "my cluster/1"
"#,
        right: r#"[cluster]
name = "my-cluster-1"
"#,
    }
}
