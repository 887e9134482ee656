//! RB0660 to RB0699: what is found of Ceph on the nodes before anything is planned, said by `plan` and `desired`.
//!
//! The spec cannot show these, so they have no example of one. Errors are in the way: nothing is done before they are
//! settled. Warnings are notes of a plan that goes on.

super::explanations! {
    FOREIGN_CLUSTER = Error "RB0660" {
        title: "another Ceph cluster is there already",
        why: "/etc/pve/ceph.conf belongs to a Ceph cluster whose monitors are not on the nodes of this spec, or not at the \
              addresses it gives them. Proxmox VE has one Ceph cluster at most, and its data may be in use, so nothing of \
              it is touched. To see it: `ceph -s` and `cat /etc/pve/ceph.conf` on any node.",
        cure: "To go on with that cluster, write the spec to match it: `public` in [ceph] and the nodes in `monitors` as the \
               cluster has them; what is as the spec says stays as it is. To be rid of it, move its data away and run \
               `pveceph purge` on every node.",
        wrong: "",
        right: "",
    }
    NETWORKS = Error "RB0661" {
        title: "the Ceph cluster that is there uses other networks than the spec says",
        why: "A monitor keeps its address for life. Another public network means making every monitor anew, one after the \
              other; another cluster network means starting every OSD anew. Proxmox VE's own command would only rewrite \
              the file, and daemons would no longer find each other at their next start. \
              To see it: `grep network /etc/pve/ceph.conf`.",
        cure: "Say the networks that are there: `public` in [ceph], `prefix` in [fabric]. To move the cluster to the mesh, \
               destroy and create its monitors one by one by hand.",
        wrong: "",
        right: "",
    }
    LEFTOVER_MONITOR = Error "RB0662" {
        title: "a node has the folder of a monitor that belongs to no cluster",
        why: "/var/lib/ceph/mon has a folder for this node, and /etc/pve/ceph.conf knows no such monitor: it was left by an \
              earlier cluster or by a creation that was cut short. `pveceph mon create` refuses to go over it. \
              To see it: `ls /var/lib/ceph/mon` on the node.",
        cure: "Make sure that no cluster needs it, stop `ceph-mon@NODE.service` and disable it, and move the folder away.",
        wrong: "",
        right: "",
    }
    LEFTOVER_MANAGER = Error "RB0663" {
        title: "a node has the folder of a manager and no cluster",
        why: "/var/lib/ceph/mgr or /var/lib/ceph/mds has a folder of an earlier cluster; `pveceph` refuses to go over it. \
              To see it: `ls /var/lib/ceph/mgr /var/lib/ceph/mds` on the node.",
        cure: "Stop and disable the daemon the message names, and move its folder away.",
        wrong: "",
        right: "",
    }
    NO_ANSWER = Error "RB0664" {
        title: "the Ceph cluster does not answer",
        why: "/etc/pve/ceph.conf names monitors, and none of them could be asked what is there: without a quorum nothing \
              about the cluster is known, so nothing of it is planned. Right after a cold start this passes by itself in \
              less than a minute. To see it: `ceph -s` on any node.",
        cure: "Look at the monitors named in the message: `systemctl status ceph-mon@NODE` and \
               `journalctl -u ceph-mon@NODE` on their nodes; most often they do not reach each other. Then run again.",
        wrong: "",
        right: "",
    }
    NOT_READ = Error "RB0665" {
        title: "Ceph on a node could not be looked at",
        why: "Whether a monitor, a manager or OSDs are on this node is not known, so none are made.",
        cure: "Mend what the message says, then run again.",
        wrong: "",
        right: "",
    }
    PUBLIC_NETWORK = Error "RB0666" {
        title: "the public network is not one network",
        why: "`public = \"lan\"` stands for the network of the management addresses, and the nodes do not show one that all \
              of them share. To see it: `ip address` on the nodes.",
        cure: "Write the network itself: `public = \"192.0.2.0/24\"`, or leave `public` out: then it is the mesh.",
        wrong: "",
        right: "",
    }
    MONITOR_ADDRESS = Error "RB0667" {
        title: "a monitor has no address of its own",
        why: "A monitor is reached at one address in the public network for as long as it lives. This node has none there, \
              or more than one. To see it: `ip address` on the node.",
        cure: "Give the node one address in that network, or choose another network by `public` in [ceph].",
        wrong: "",
        right: "",
    }
    RELEASES = Error "RB0668" {
        title: "nodes take Ceph from another release than the spec says",
        why: "Some nodes have Ceph of one release, and the others would get another. Daemons of two releases work together \
              only for the time of an upgrade, and an upgrade has an order of its own. \
              To see it: `cat /etc/apt/sources.list.d/ceph.sources`, `ceph versions`.",
        cure: "Say the release that is there by `version` in [ceph]; upgrade by Proxmox VE's guide, all nodes at a time.",
        wrong: "",
        right: "",
    }
    OTHER_RELEASE = Warning "RB0669" {
        title: "the Ceph that is there is of another release or repository than the spec says",
        why: "All nodes have Ceph already, from another release or repository. Changing that is an upgrade, which ringbolt \
              does not do by the way.",
        cure: "Say in [ceph] what is there, or upgrade by Proxmox VE's guide.",
        wrong: "",
        right: "",
    }
    TOO_FEW_HOSTS = Error "RB0670" {
        title: "there are fewer hosts with such OSDs than a pool wants copies",
        why: "Each copy of an object is on another host. With fewer hosts than copies the pool's placement groups stay \
              undersized for ever, and with fewer than `min_size` nothing can be written. \
              For a pool with `class` only hosts with OSDs of that class count. To see it: `ceph osd tree`.",
        cure: "Give more nodes such `osds`, or make the pool smaller by `size` (two copies need `i_accept_data_loss`).",
        wrong: "",
        right: "",
    }
    MEMORY = Error "RB0671" {
        title: "a node has too little memory for its OSDs",
        why: "The memory the spec gives each OSD, times their number, leaves the node less than 2 GiB. OSDs take more than \
              their target for minutes at a time when they recover; the kernel would then kill the biggest process, \
              which is a guest or an OSD. To see it: `free -g` on the node.",
        cure: "Say less by `osd_memory` in [ceph], use fewer disks, or leave `osd_memory` out: then it is computed.",
        wrong: "",
        right: "",
    }
    FEWER_GROUPS = Error "RB0672" {
        title: "a pool would get fewer placement groups",
        why: "Merging placement groups moves their data and cannot be hurried or stopped midway, and it is seldom meant: \
              mostly the spec was written without a look at the pool. To see it: `ceph osd pool get POOL pg_num`.",
        cure: "Say the number that is there by `pg_num`, or leave `pg_num` out. If it is meant, do it by hand: \
               `pveceph pool set POOL --pg_num N`.",
        wrong: "",
        right: "",
    }
    FULL = Error "RB0673" {
        title: "the cluster is too full for what the plan would move",
        why: "Placement groups that move need room beside the data that is there. From 85 % on Ceph warns, from 90 % it \
              stops moving, from 95 % it stops writing. To see it: `ceph df`.",
        cure: "Delete or move data, or add OSDs first.",
        wrong: "",
        right: "",
    }
    UNHEALTHY = Error "RB0674" {
        title: "Ceph is not healthy enough for what would interrupt the mesh",
        why: "The cluster reports an error, or placement groups that serve nobody. A step that interrupts the mesh takes a \
              node away from Ceph for some seconds, and could cost the last copy that works. \
              To see it: `ceph health detail`.",
        cure: "Mend what `ceph health detail` says, then run again.",
        wrong: "",
        right: "",
    }
    POOL_KIND = Error "RB0675" {
        title: "a pool of that name is there and is of another kind",
        why: "The spec wants whole copies and the pool is erasure coded, or the other way round. A pool cannot be made into \
              the other kind; its data would have to be copied to a new pool. To see it: `ceph osd pool ls detail`.",
        cure: "Give the pool in the spec another name, or write down what is there.",
        wrong: "",
        right: "",
    }
    STORAGE_TAKEN = Error "RB0676" {
        title: "a storage entry of that name is there and is something else",
        why: "Proxmox VE has a storage of the pool's name with another type or another pool behind it. Guests may use it, so \
              it is left as it is. To see it: `pvesm status`, `/etc/pve/storage.cfg`.",
        cure: "Give the pool another name, set `storage = false` for it, or rename the entry in Proxmox VE.",
        wrong: "",
        right: "",
    }
    LOST_MONITOR = Error "RB0677" {
        title: "a monitor of the cluster has lost its node",
        why: "The cluster knows a monitor on this node, and the node has no folder of one: it was installed anew, or its disk \
              was replaced. `pveceph mon create` refuses a name or an address that is taken, and the monitor that is \
              gone still counts for the majority. To see it: `ceph mon dump`, `ls /var/lib/ceph/mon` on the node.",
        cure: "While the others have the quorum: `ceph mon remove NODE` on one of them, and take its section and its address \
               in `mon_host` out of /etc/pve/ceph.conf. Then run again: the monitor is made anew.",
        wrong: "",
        right: "",
    }
    CLOCKS_APART = Error "RB0678" {
        title: "the clocks of nodes that get monitors are apart",
        why: "Monitors whose clocks differ by more than 50 ms complain, and grant each other leases that are over before they \
              begin: elections without end. The clocks were measured over the lines to the nodes; half of the round trip \
              is allowed for. No monitor is made before they agree. To see it: `timedatectl` on the nodes.",
        cure: "Install chrony on every node (`apt install chrony`), then `chronyc makestep`; `chronyc tracking` shows how far \
               off a clock is. Then run again.",
        wrong: "",
        right: "",
    }
    OSD_DOWN = Warning "RB0680" {
        title: "an OSD does not run",
        why: "The OSD has its folder on the node and does not answer, or the cluster has it down or out. It is not started \
              by the way: an OSD that stops has a reason. To see it: `ceph osd tree down`, `journalctl -u ceph-osd@N`.",
        cure: "Look at the journal of the OSD, then `systemctl restart ceph-osd@N`.",
        wrong: "",
        right: "",
    }
    COMPLAINT = Warning "RB0681" {
        title: "Ceph complains",
        why: "`ceph health` says so. It is not in the way of the plan.",
        cure: "`ceph health detail` says more; Ceph's documentation has a page on every code.",
        wrong: "",
        right: "",
    }
    CLOCK = Warning "RB0682" {
        title: "the clocks of the nodes may drift apart",
        why: "Monitors give up their quorum when their clocks differ by more than 50 ms, and no service that keeps the clock \
              runs on this node, or the monitors say so already. To see it: `timedatectl`, `ceph time-sync-status`.",
        cure: "Install and start chrony on every node: `apt install chrony`.",
        wrong: "",
        right: "",
    }
    NOT_OURS = Warning "RB0683" {
        title: "there is more of Ceph than the spec has",
        why: "Monitors, OSDs or pools are there that the spec does not name, or no longer: what is taken out of the spec is \
              never destroyed, and a pool that is renamed there is made anew beside the old one.",
        cure: "Nothing needs to be done. To have them kept as well, write them into the spec; to be rid of them, take them \
               away by `pveceph` once their data is elsewhere.",
        wrong: "",
        right: "",
    }
    DATA_LOSS = Warning "RB0684" {
        title: "a pool accepts writes with a single copy",
        why: "With `min_size` 1 a write is confirmed when one disk has it. When that disk dies before the others have \
              caught up, the write is gone, and the file systems of guests with it.",
        cure: "Three copies with `min_size = 2` on three hosts.",
        wrong: "",
        right: "",
    }
    SCRUB_WINDOW = Warning "RB0685" {
        title: "the scrub window is short for the data",
        why: "All data is to be read once in the deep scrub interval, and with this window and this amount of data that \
              does not fit: `not deep-scrubbed in time` follows.",
        cure: "Widen `scrub` in [ceph], or leave it out: then scrubs begin at any time.",
        wrong: "",
        right: "",
    }
    MONITOR_APART = Warning "RB0686" {
        title: "a monitor runs and is not in quorum",
        why: "The daemon is there and the others do not count it: it does not reach them, its clock is far off, or it is still \
              fetching what it missed. One more that is lost may stop all of Ceph. \
              To see it: `ceph daemon mon.NODE mon_status` on the node.",
        cure: "`ringbolt verify` shows whether the node reaches the others on the mesh; `journalctl -u ceph-mon@NODE` what the \
               monitor waits for.",
        wrong: "",
        right: "",
    }
}
