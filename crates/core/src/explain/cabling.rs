//! RB04xx: nodes, links and ports taken together.

super::explanations! {
    NO_NODE = Error "RB0401" {
        title: "the spec has no node",
        why: "A mesh joins nodes; each needs a [[node]] section.",
        cure: "Add a [[node]] section for every machine.",
        wrong: r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"
"#,
        right: r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    ONE_NODE = Error "RB0402" {
        title: "the spec has one node only",
        why: "A mesh joins at least two nodes.",
        cure: "Add a [[node]] section for the other machines.",
        wrong: r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"
"#,
        right: r#"[cluster]
name = "tb4"

[fabric]
prefix = "10.100.0.0/24"

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    LINK_FORM = Error "RB0403" {
        title: "a link is malformed",
        why: "A link has two ends, each written node:port. On Thunderbolt the port may be left out, \
              as the cable is found wherever it is plugged in.",
        cure: "Write ends = [\"n2:en05\", \"n3:en06\"].",
        wrong: r#"[[link]]
ends = ["n2:en05"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    LINK_NODE = Error "RB0404" {
        title: "a link names a node that is not in the spec",
        why: "Both ends of a link are nodes of the mesh.",
        cure: "Correct the name, or add the [[node]] section.",
        wrong: r#"[[link]]
ends = ["n2:en05", "pve3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    LINK_PORT = Error "RB0405" {
        title: "a link names a port its node does not have",
        why: "The node lists its ports, and this one is not among them. Without a list, Thunderbolt ports get the names \
              en05, en06 and so on.",
        cure: "Correct the port, or add it to `ports` of the node.",
        wrong: r#"[[link]]
ends = ["n2:en07", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en06"]

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en06"]

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    PORT_TAKEN = Error "RB0406" {
        title: "two links use the same port",
        why: "A port takes one cable.",
        cure: "Correct one of the two ends.",
        wrong: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[link]]
ends = ["n2:en05", "n4:en05"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[link]]
ends = ["n2:en06", "n4:en05"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
    }
    LINK_TO_SELF = Error "RB0407" {
        title: "both ends of a link are the same node",
        why: "A cable from a node to itself joins nothing.",
        cure: "Correct one of the two ends.",
        wrong: r#"[[link]]
ends = ["n2:en05", "n2:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    LINK_TWICE = Error "RB0408" {
        title: "two Thunderbolt links join the same two nodes",
        why: "Two Thunderbolt cables between one pair of hosts do not add up: mostly one interface comes of them, \
              sometimes a confused one. The port is of more use for a cable to another node.",
        cure: "Remove one of the two links.",
        wrong: r#"[[link]]
ends = ["n2:en05", "n3:en05"]

[[link]]
ends = ["n2:en06", "n3:en06"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[[link]]
ends = ["n2:en05", "n3:en05"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    TOO_MANY_LINKS = Error "RB0409" {
        title: "a node has more links than ports",
        why: "Every link takes one port of each of its nodes.",
        cure: "Remove a link, or add the port to `ports` of the node.",
        wrong: r#"[[link]]
ends = ["n2", "n3"]

[[link]]
ends = ["n2", "n4"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05"]

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
        right: r#"[[link]]
ends = ["n2", "n3"]

[[link]]
ends = ["n2", "n4"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["en05", "en06"]

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
    }
    END_WITHOUT_PORT = Error "RB0410" {
        title: "an end of an Ethernet link has no port",
        why: "A node has many Ethernet interfaces, and nothing on the cable tells which of them joins the mesh.",
        cure: "Write the end as node:port, with the interface's name as `ip link` shows it.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"

[[link]]
ends = ["n2", "n3"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"

[[link]]
ends = ["n2:enp1s0", "n3:enp1s0"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"
"#,
    }
    CABLING_UNKNOWN = Error "RB0411" {
        title: "nothing says which Ethernet ports join the mesh",
        why: "Thunderbolt tells who is at the other end of a cable; Ethernet does not. An interface must not be taken \
              over by guess: it may be the one you are connected through.",
        cure: "List `ports` on every node, or declare every cable in a [[link]].",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0", "enp2s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0", "enp2s0"]
"#,
    }
    STATIC_WITHOUT_LINKS = Error "RB0412" {
        title: "static routes over Ethernet need declared links",
        why: "A static route names the port towards each node. Without a routing protocol, and without Thunderbolt's \
              knowledge of the other end, only the spec can say which port leads where.",
        cure: "Declare every cable in a [[link]], or use routing = \"openfabric\".",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"
routing = "static"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "ethernet"
routing = "static"

[[link]]
ends = ["n2:enp1s0", "n3:enp1s0"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
    }
    SWITCH_WITH_LINKS = Error "RB0413" {
        title: "links are declared on a switch",
        why: "On a switch every node reaches every other through its one port; there are no cables from node to node.",
        cure: "Remove the [[link]] sections, or use transport = \"ethernet\".",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"

[[link]]
ends = ["n2:enp1s0", "n3:enp1s0"]

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
    }
    SWITCH_PORTS = Error "RB0414" {
        title: "a node on a switch needs exactly one port",
        why: "The fabric runs over one switch, and the spec has to say which interface of the node is plugged into it. \
              A bond counts as one port.",
        cure: "List that one interface in `ports`.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0", "enp2s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]
"#,
    }
    SWITCH_OPENFABRIC = Error "RB0415" {
        title: "OpenFabric does not run over a switch with more than two nodes",
        why: "Proxmox VE sets up OpenFabric with point-to-point circuits: a port has one neighbour. On a switch it would \
              have several, and adjacencies never settle.",
        cure: "Use routing = \"static\", the default on a switch: every node is one hop away, \
               so a protocol would find nothing better.",
        wrong: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"
routing = "openfabric"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]

[[node]]
name = "n4"
address = "10.11.12.14"
ports = ["enp1s0"]
"#,
        right: r#"[fabric]
prefix = "10.100.0.0/24"
transport = "switch"
routing = "static"

[[node]]
name = "n2"
address = "10.11.12.12"
ports = ["enp1s0"]

[[node]]
name = "n3"
address = "10.11.12.13"
ports = ["enp1s0"]

[[node]]
name = "n4"
address = "10.11.12.14"
ports = ["enp1s0"]
"#,
    }
    PIECES = Error "RB0416" {
        title: "the links leave the nodes in separate pieces",
        why: "There is no way over the declared links from one piece to the other, so the mesh could never be whole. \
              When links are declared, all of them have to be.",
        cure: "Add the missing link. On Thunderbolt all [[link]] sections may be left out: cabling is discovered.",
        wrong: r#"[[link]]
ends = ["n2", "n3"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
        right: r#"[[link]]
ends = ["n2", "n3"]

[[link]]
ends = ["n3", "n4"]

[[node]]
name = "n2"
address = "10.11.12.12"

[[node]]
name = "n3"
address = "10.11.12.13"

[[node]]
name = "n4"
address = "10.11.12.14"
"#,
    }
}
