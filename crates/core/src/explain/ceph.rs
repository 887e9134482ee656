//! RB0601 to RB0640: Ceph in the spec. Nodes with OSDs, monitors, networks, memory, pools.

super::explanations! {
    NO_OSD = Error "RB0601" {
        title: "Ceph without any disk",
        why: "The file has [ceph], [[pool]] or [[filesystem]], and no node has `osds`: there is nothing to keep data on.",
        cure: "Add `osds` to three nodes or more, or remove the sections for a mesh without Ceph.",
        wrong: r#"[ceph]
version = "squid"

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
        right: r#"[ceph]
version = "squid"

[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n4"
address = "10.11.12.14"
osds = ["/dev/nvme1n1"]
"#,
    }
    OSD_KEY = Error "RB0602" {
        title: "a key about OSDs on a node without `osds`",
        why: "`wipe`, `db`, `wal`, `osds_per_device`, `encrypted` and `class` say how the disks of `osds` are used. Without \
              `osds` they do nothing, and nobody would notice.",
        cure: "Add `osds` to the node, or remove the key.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
wipe = ["S7KGNJ0X100001"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
wipe = ["S7KGNJ0X100001"]
"#,
    }
    OSD_SHARED_LOG = Error "RB0603" {
        title: "a separate database or log with several OSDs on a device",
        why: "Proxmox VE refuses `db` and `wal` together with `osds_per_device` above 1.",
        cure: "Remove one of the two.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
db = "/dev/nvme2n1"
osds_per_device = 2
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
db = "/dev/nvme2n1"
"#,
    }
    WIPE = Error "RB0604" {
        title: "`wipe` holds something else than a serial number",
        why: "A path may lead to another disk after the next boot. A disk that is to be erased is named by its serial number, \
              which stays with it.",
        cure: "Write the serial number as `ringbolt discover` shows it.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
wipe = ["/dev/nvme1n1"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]
wipe = ["S7KGNJ0X100001"]
"#,
    }
    DEVICE_CLASS = Error "RB0605" {
        title: "a device class that no disk has",
        why: "A pool on a class finds no place for its data if no OSD has that class. Ceph's own classes are hdd, ssd and nvme; \
              others are given to OSDs by `class` of a [[node]] or of [ceph].",
        cure: "Correct the class, or give it to the nodes whose disks are meant.",
        wrong: r#"[[pool]]
name = "vm"
class = "fast"
"#,
        right: r#"[[pool]]
name = "vm"
class = "nvme"
"#,
    }
    MONITOR_COUNT = Error "RB0606" {
        title: "an even number of monitors, or more than seven",
        why: "Monitors decide by majority: of two both must be there, of four three. An even number survives no more failures \
              than one monitor less does, and has one more machine that can fail. With more than seven every change takes \
              longer.",
        cure: "Name one, three, five or seven nodes; or leave `monitors` out.",
        wrong: r#"[ceph]
monitors = ["n2", "n3"]

[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1"]
"#,
        right: r#"[ceph]
monitors = ["n2", "n3", "n4"]

[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n4"
address = "10.11.12.14"
osds = ["/dev/nvme1n1"]
"#,
    }
    MONITOR_NODE = Error "RB0607" {
        title: "a monitor or manager on a node that is not there, or twice",
        why: "`monitors` and `managers` name nodes of this file; a node has one of each at most.",
        cure: "Correct the name.",
        wrong: r#"[ceph]
managers = ["n9"]
"#,
        right: r#"[[node]]
name = "n9"
address = "10.11.12.19"
osds = ["/dev/nvme1n1"]

[ceph]
managers = ["n9"]
"#,
    }
    MONITOR_ALONE = Warning "RB0608" {
        title: "one monitor",
        why: "While the node of the only monitor is off, all of Ceph stands still. With two nodes there is no way around it: two \
              monitors need each other, so that either one's failure would stop them.",
        cure: "Add a third node, even a small one without disks for OSDs; or live with it.",
        wrong: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n4"
address = "10.11.12.14"
osds = ["/dev/nvme1n1"]

[ceph]
monitors = ["n2"]
"#,
        right: r#"[[node]]
name = "n2"
address = "10.11.12.12"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n3"
address = "10.11.12.13"
osds = ["/dev/nvme1n1"]

[[node]]
name = "n4"
address = "10.11.12.14"
osds = ["/dev/nvme1n1"]
"#,
    }
    PUBLIC_NETWORK = Error "RB0609" {
        title: "Ceph's public network cannot be meant so",
        why: "It is the mesh, the management network, or a prefix of its own. A prefix that overlaps the mesh gives a node two \
              addresses in it, and Proxmox VE cannot tell which one a monitor gets. Ceph runs on one address family: IPv4 \
              where the mesh has it, else IPv6.",
        cure: "Leave `public` out, or name a prefix outside of the mesh and of its family.",
        wrong: r#"[ceph]
public = "10.100.0.0/16"
"#,
        right: r#"[ceph]
public = "10.20.0.0/24"
"#,
    }
    PUBLIC_SLOW = Warning "RB0610" {
        title: "guests reach their disks over the management network",
        why: "Ceph's clients talk to OSDs over the public network; only the copies between OSDs use the mesh. On 1 Gbit/s a node \
              reads and writes 110 MB/s at most, where the mesh carries over a gigabyte, and management traffic and corosync \
              share the line. It cannot be changed later without making all monitors anew.",
        cure: "Leave `public` out, unless machines outside of the mesh use this Ceph; then name the fastest network they share.",
        wrong: r#"[ceph]
public = "lan"
"#,
        right: r#"[ceph]
public = "mesh"
"#,
    }
    OSD_MEMORY = Error "RB0611" {
        title: "the memory of OSDs cannot be meant so",
        why: "Ceph refuses an `osd_memory_target` below 896 MiB. `osd_memory` fixes what each OSD takes; with `guest_memory` it \
              is computed from what that leaves. Both together contradict each other.",
        cure: "Give one of the two, as a size such as 6Gi; or none.",
        wrong: r#"[ceph]
osd_memory = "512Mi"
"#,
        right: r#"[ceph]
osd_memory = "4Gi"
"#,
    }
    OSD_MEMORY_LOW = Warning "RB0612" {
        title: "little memory for OSDs",
        why: "Below 2 GiB an OSD has next to no cache: most reads of its own metadata go to the disk, and it may exceed the \
              target all the same.",
        cure: "Give 4 GiB or more, or leave `osd_memory` out.",
        wrong: r#"[ceph]
osd_memory = "1Gi"
"#,
        right: r#"[ceph]
osd_memory = "4Gi"
"#,
    }
    SCRUB = Error "RB0613" {
        title: "a text is no window for scrubs",
        why: "A window is two hours of the day, such as 22-6. Two equal hours would mean any time.",
        cure: "Write it as the help line shows, or leave `scrub` out.",
        wrong: r#"[ceph]
scrub = "22:00-06:00"
"#,
        right: r#"[ceph]
scrub = "22-6"
"#,
    }
    SCRUB_SHORT = Warning "RB0614" {
        title: "a short window for scrubs",
        why: "Every placement group is read in full once in a while, which on a busy consumer drive takes long. In a short window \
              scrubs fall behind, and Ceph reports groups that were not scrubbed in time.",
        cure: "Make the window eight hours, or leave `scrub` out: scrubs give way to clients.",
        wrong: r#"[ceph]
scrub = "2-4"
"#,
        right: r#"[ceph]
scrub = "22-6"
"#,
    }
    POOL_NAME = Error "RB0615" {
        title: "a name cannot be that of a pool or file system",
        why: "The name is also the id of a storage in Proxmox VE, which begins with a letter, ends with a letter or digit and has \
              two characters at least. Ceph keeps names with a dot first for itself.",
        cure: "Use letters, digits, dots, dashes and underscores.",
        wrong: r#"[[pool]]
name = ".vm"
"#,
        right: r#"[[pool]]
name = "vm"
"#,
    }
    POOL_TWICE = Error "RB0616" {
        title: "two pools, file systems or storages of one name",
        why: "Pools and file systems share the ids of storages in Proxmox VE; a file system NAME has the pools NAME_data and \
              NAME_metadata. local, local-lvm and local-zfs are the installer's.",
        cure: "Give one of them another name.",
        wrong: r#"[[pool]]
name = "vm"

[[filesystem]]
name = "vm"
"#,
        right: r#"[[pool]]
name = "vm"

[[filesystem]]
name = "files"
"#,
    }
    POOL_SIZE = Error "RB0617" {
        title: "a number of copies that cannot be",
        why: "A pool has 1 to 7 copies (Proxmox VE's bounds), and `min_size` of them are needed for writes: never more than there \
              are.",
        cure: "Use size 3 and min_size 2.",
        wrong: r#"[[pool]]
name = "vm"
size = 3
min_size = 4
"#,
        right: r#"[[pool]]
name = "vm"
size = 3
min_size = 2
"#,
    }
    DATA_LOSS = Error "RB0618" {
        title: "a pool that loses data when two things go wrong",
        why: "With two copies, one disk that dies leaves one; a single read error during recovery is then final. With min_size 1 \
              writes go on with one copy, and what it took alone is lost with it. The same goes for erasure coding with one \
              piece of redundancy. This is no theory: it is how most data on Ceph is lost.",
        cure: "Use size 3 and min_size 2. Where the data can be lost, say so: i_accept_data_loss = true.",
        wrong: r#"[[pool]]
name = "vm"
size = 2
min_size = 1
"#,
        right: r#"[[pool]]
name = "vm"
size = 3
min_size = 2
"#,
    }
    DATA_LOSS_ACCEPTED = Warning "RB0619" {
        title: "a pool may lose data, and the file accepts it",
        why: "`i_accept_data_loss` allows fewer than three copies or min_size 1. It is shown here and in every status report so \
              that nobody forgets. On a pool that risks nothing it is a leftover.",
        cure: "Take it out as soon as the pool has three copies and min_size 2.",
        wrong: r#"[[pool]]
name = "vm"
size = 2
i_accept_data_loss = true
"#,
        right: r#"[[pool]]
name = "vm"
"#,
    }
    TOO_FEW_HOSTS = Error "RB0620" {
        title: "more copies or pieces than nodes with OSDs",
        why: "Each copy or piece goes to another node, so that a node may fail. With fewer nodes than that, placement groups stay \
              undersized for ever and the cluster is never healthy.",
        cure: "Give more nodes `osds`, or use fewer copies or pieces. With two nodes: size = 2 and i_accept_data_loss = true.",
        wrong: r#"[[pool]]
name = "vm"
size = 5
"#,
        right: r#"[[pool]]
name = "vm"
size = 3
"#,
    }
    ERASURE = Error "RB0621" {
        title: "erasure coding that cannot be meant so",
        why: "It is written k+m: pieces of data and pieces of redundancy. Copies (`size`, `min_size`) do not go with it.",
        cure: "Write for instance erasure = \"4+2\", which needs six nodes with OSDs, and nothing about copies.",
        wrong: r#"[[pool]]
name = "vm"
erasure = "2+1+1"
"#,
        right: r#"[[pool]]
name = "vm"
erasure = "2+2"
"#,
    }
    PG_NUM = Error "RB0622" {
        title: "a number of placement groups that cannot be",
        why: "With another number than a power of two some groups are twice as large as others, and so are the disks' shares.",
        cure: "Use one of the numbers of the help line, or leave `pg_num` out.",
        wrong: r#"[[pool]]
name = "vm"
pg_num = 100
"#,
        right: r#"[[pool]]
name = "vm"
pg_num = 128
"#,
    }
    PG_TOO_MANY = Error "RB0623" {
        title: "more placement groups than the OSDs may have",
        why: "Ceph refuses pools that would give an OSD more than 250 groups, copies counted (`mon_max_pg_per_osd`): each takes \
              memory, and all of them come back at once after a failure.",
        cure: "Leave `pg_num` out: about a hundred groups on each OSD are computed.",
        wrong: r#"[[pool]]
name = "vm"
pg_num = 1024
"#,
        right: r#"[[pool]]
name = "vm"
pg_num = 128
"#,
    }
    TARGET_SHARE = Error "RB0624" {
        title: "shares of pools that do not add up",
        why: "`target_share` is the part of the cluster a pool will take, in percent; all of them together cannot exceed 100.",
        cure: "Make the shares smaller, or leave them out.",
        wrong: r#"[[pool]]
name = "vm"
target_share = 80

[[pool]]
name = "backup"
target_share = 40
"#,
        right: r#"[[pool]]
name = "vm"
target_share = 80

[[pool]]
name = "backup"
target_share = 20
"#,
    }
    COMPRESSION = Error "RB0625" {
        title: "a mode of compression without compression",
        why: "`compression_mode` says when to compress, `compression` how; without the latter nothing is compressed.",
        cure: "Add compression = \"lz4\", or remove `compression_mode`.",
        wrong: r#"[[pool]]
name = "vm"
compression_mode = "force"
"#,
        right: r#"[[pool]]
name = "vm"
compression = "lz4"
compression_mode = "force"
"#,
    }
}
