//! RB03xx: the fabric. Prefixes, router IDs, id, MTU and timers.

super::explanations! {
    PREFIX = Error "RB0301" {
        title: "a text is not a prefix",
        why: "A prefix is an address and a length: 10.100.0.0/24. IPv4 goes into prefix, IPv6 into prefix6.",
        cure: "Write the prefix as the help line shows.",
        wrong: r#"[fabric]
prefix = "10.100.0.0"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    HOST_BITS = Error "RB0302" {
        title: "a prefix has host bits",
        why: "The address of a prefix ends in zeros beyond its length. With other bits set it is not clear whether \
              the length or the address is wrong; Proxmox VE drops the bits when a fabric is made and keeps them \
              when it is changed, so the fabric would differ from the spec for ever.",
        cure: "Use the corrected prefix of the help line, or another length.",
        wrong: r#"[fabric]
prefix = "10.100.0.1/24"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    NO_PREFIX = Error "RB0303" {
        title: "the fabric has no prefix",
        why: "Every node gets its address in the mesh, its router ID, from the prefix. No range is free everywhere, \
              so there is no default.",
        cure: "Add prefix, prefix6 or both.",
        wrong: r#"[fabric]
id = "tb4"
"#,
        right: r#"[fabric]
id = "tb4"
prefix = "10.100.0.0/24"
"#,
    }
    PREFIX_TOO_SMALL = Error "RB0304" {
        title: "a prefix is too small for the nodes",
        why: "Every node takes one address of the prefix. The first and the last address of an IPv4 prefix cannot \
              be used, nor can the first of an IPv6 prefix.",
        cure: "Use a shorter length; /24 and /64 leave room to grow.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/32"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    PREFIX_UNUSABLE = Error "RB0305" {
        title: "a prefix lies in a range no router can use",
        why: "Loopback, link-local, multicast and reserved ranges are not routed.",
        cure: "Use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16; for IPv6 of fd00::/8.",
        wrong: r#"[fabric]
prefix = "169.254.10.0/24"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    PREFIX_PUBLIC = Warning "RB0306" {
        title: "a prefix is not private space",
        why: "The nodes would no longer reach the real owners of these addresses, and traffic meant for the mesh could \
              leave through the default route when the fabric is down.",
        cure: "Use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16; for IPv6 of fd00::/8. \
               Keep the prefix if it is your own.",
        wrong: r#"[fabric]
prefix = "11.0.0.0/24"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
"#,
    }
    PREFIX_HAS_MANAGEMENT = Error "RB0307" {
        title: "a prefix contains the management address of a node",
        why: "Routes to the mesh and to the management network would compete. ssh to the node could go over the mesh \
              while the mesh is being built, and the node would be lost half way.",
        cure: "Use a prefix of its own for the mesh.",
        wrong: r#"[fabric]
prefix = "10.11.0.0/16"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    PREFIX_NEAR_MANAGEMENT = Error "RB0308" {
        title: "a prefix overlaps what is probably the management network",
        why: "The size of the management network stands nowhere in the spec, so the /24 (IPv6: /64) around each \
              management address is taken for it. A mesh in the same network would compete with it for routes.",
        cure: "Use a prefix of its own for the mesh, or, if the management network is smaller, \
               say so with `networks` in [cluster].",
        wrong: r#"[fabric]
prefix = "10.11.12.128/25"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
        right: r#"[cluster]
name = "tb4"
networks = ["10.11.12.0/25"]

[fabric]
prefix = "10.11.12.128/25"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
    }
    PREFIX_OVERLAPS = Error "RB0309" {
        title: "a prefix overlaps a declared network",
        why: "`networks` in [cluster] lists what is in use elsewhere. A mesh on the same addresses would cut the nodes \
              off from it.",
        cure: "Use another prefix, or correct `networks`.",
        wrong: r#"[cluster]
name = "tb4"
networks = ["10.11.12.0/24", "10.100.0.0/16"]

[fabric]
prefix = "10.100.0.0/24"
"#,
        right: r#"[cluster]
name = "tb4"
networks = ["10.11.12.0/24", "10.100.0.0/16"]

[fabric]
prefix = "10.99.0.0/24"
"#,
    }
    ROUTER_ID_OUTSIDE = Error "RB0310" {
        title: "a router ID lies outside the prefix",
        why: "Proxmox VE refuses a node whose address is not in the prefix of its fabric.",
        cure: "Use an address of the prefix, or remove the key to have one chosen.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.101.0.12"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.12"
"#,
    }
    ROUTER_ID_OF_NETWORK = Error "RB0311" {
        title: "a router ID is the network or broadcast address of the prefix",
        why: "The first and the last address of an IPv4 prefix belong to the network as a whole, \
              and so does the first of an IPv6 prefix.",
        cure: "Use another address of the prefix, or remove the key to have one chosen.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.255"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.12"
"#,
    }
    ROUTER_ID_TWICE = Error "RB0312" {
        title: "two nodes have the same router ID",
        why: "Router IDs tell the nodes of a fabric apart; with one of them twice, routes flap between the two.",
        cure: "Change one of the two, or remove it to have one chosen.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.12"

[[node]]
name = "n3"
address = "10.11.12.13"
router_id = "10.100.0.12"
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
router_id = "10.100.0.12"

[[node]]
name = "n3"
address = "10.11.12.13"
router_id = "10.100.0.13"
"#,
    }
    ROUTER_ID_NO_PREFIX = Error "RB0313" {
        title: "a router ID has no prefix of its family",
        why: "An IPv4 router ID needs prefix, an IPv6 one prefix6. Proxmox VE refuses an address of a family the fabric \
              does not have.",
        cure: "Add the prefix to [fabric], or remove the router ID.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id6 = "fd00:100::12"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
prefix6 = "fd00:100::/64"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id6 = "fd00:100::12"
"#,
    }
    FABRIC_ID = Error "RB0314" {
        title: "a fabric id cannot be used",
        why: "Proxmox VE's API takes 2 to 8 letters, digits and dashes, without a dash at either end.",
        cure: "Choose a short id such as tb4 or mesh.",
        wrong: r#"[fabric]
id = "thunderbolt-mesh"
prefix = "10.100.0.0/24"
"#,
        right: r#"[fabric]
id = "tb4"
prefix = "10.100.0.0/24"
"#,
    }
    MTU = Error "RB0315" {
        title: "an MTU is out of range",
        why: "Below 1280 bytes IPv6 does not work; 65520 is the most a Thunderbolt network port takes.",
        cure: "Use 65520 on Thunderbolt, 9000 on Ethernet, or leave the key out.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
mtu = 65535
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
mtu = 65520
"#,
    }
    MTU_ETHERNET = Warning "RB0316" {
        title: "an MTU is larger than most Ethernet hardware passes",
        why: "Few Ethernet cards and switches pass frames above 9216 bytes. The ones that do not drop them in silence: \
              small packets get through, Ceph hangs.",
        cure: "Use 9000. If the hardware does pass more, keep the value: `verify` tests it on every link.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"
mtu = 16000
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"
mtu = 9000
"#,
    }
    TIMER = Error "RB0317" {
        title: "a timer is out of range",
        why: "Proxmox VE and FRR take hello and CSNP intervals of 1 to 600 seconds, multipliers of 2 to 100 and \
              LSP intervals of 1 to 120 seconds, all of them whole numbers.",
        cure: "Use a number in the range, or leave the key out.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
hello_multiplier = 1
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
hello_multiplier = 2
"#,
    }
    NO_EFFECT = Warning "RB0318" {
        title: "a key has no effect with static routing",
        why: "Without a routing protocol nobody sends hellos and nothing reacts to BFD: a static route stays when its \
              link dies in silence.",
        cure: "Remove the key, or use routing = \"openfabric\".",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
routing = "static"
hello_interval = 1
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
routing = "static"
"#,
    }
    NET_TWICE = Error "RB0319" {
        title: "two IPv6 router IDs end in the same 48 bits",
        why: "In a fabric without an IPv4 prefix, Proxmox VE makes the IS-IS address of a node from the last 48 bits of \
              its router ID. Nodes with the same one take each other's announcements for their own.",
        cure: "Let the last three groups of the router IDs differ, or add an IPv4 prefix.",
        wrong: r#"[fabric]
prefix6 = "fd00:100::/48"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id6 = "fd00:100:0:2::1"

[[node]]
name = "n3"
address = "10.11.12.13"
router_id6 = "fd00:100:0:3::1"
"#,
        right: r#"[fabric]
prefix6 = "fd00:100::/48"

[[node]]
name = "n2"
address = "10.11.12.12"
router_id6 = "fd00:100::2"

[[node]]
name = "n3"
address = "10.11.12.13"
router_id6 = "fd00:100::3"
"#,
    }
}
