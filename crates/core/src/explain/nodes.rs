//! RB05xx: what is found on the nodes before anything is planned. Reach, identity, cluster, ports, cables, foreign
//! configuration.
//!
//! The spec cannot show these, so they have no example of one; each says how to see it on the node instead. Errors are
//! in the way: nothing is done before they are settled. Warnings are notes of a plan that goes on.

super::explanations! {
    UNREACHABLE = Error "RB0501" {
        title: "a node cannot be reached",
        why: "ssh ended before the agent on the node answered; the line below the message ends with ssh's own last words. \
              A plan is made for all nodes of the spec or for none, because addresses and cabling depend on each. \
              To see it: `ssh -v root@ADDRESS true`.",
        cure: "Follow the cure shown with the message: it depends on what ssh said (no route, refused, host key, no key). \
               A node that was never met, or that has no key of yours, is set up by `ringbolt ssh setup --node NODE`. \
               A node that is gone for good is taken out of the spec.",
        wrong: "",
        right: "",
    }
    HOST_NAME = Error "RB0502" {
        title: "a node has another host name than the spec says",
        why: "Proxmox VE knows its nodes by host name, so a fabric made for the name of the spec would not belong to this \
              machine. Most often two addresses are swapped in the spec. To see it: `hostname` on the node.",
        cure: "Correct `name` or `address` of the [[node]]. Do not rename a node that is in a cluster.",
        wrong: "",
        right: "",
    }
    CLUSTER = Error "RB0503" {
        title: "the nodes are not one Proxmox VE cluster",
        why: "A fabric is one object for a whole cluster, kept in /etc/pve. All nodes of the spec must be in the same \
              cluster, and all of them must be there. To see it: `pvecm status` on each node.",
        cure: "Create the cluster (`pvecm create NAME` on one node, `pvecm add ADDRESS` on the others), join the missing \
               node, or take it out of the spec. Two clusters need two specs.",
        wrong: "",
        right: "",
    }
    SHARED_CONTROLLER = Error "RB0504" {
        title: "two hosts are cabled to one Thunderbolt controller",
        why: "A controller may have two sockets, and interfaces behind both have the same PCI path. A name by path would \
              fit both, and after the next boot they could be swapped. \
              To see it: `ringbolt discover`, column controller.",
        cure: "Move one of the two cables to a socket of the other controller, as a rule on the other side of the machine.",
        wrong: "",
        right: "",
    }
    NO_PORT = Error "RB0505" {
        title: "a port of the spec is not there",
        why: "The spec names a port the node does not have: an Ethernet interface of that name is absent, or there are \
              fewer Thunderbolt controllers than names. To see it: `ringbolt discover`, or `ip link` on the node.",
        cure: "Correct `ports` of the [[node]] or the port in the [[link]]. With Thunderbolt leave `ports` out: names are \
               given in the order of the controllers.",
        wrong: "",
        right: "",
    }
    NO_THUNDERBOLT = Error "RB0506" {
        title: "a node has no usable Thunderbolt or USB4 controller",
        why: "The kernel's thunderbolt module is loaded and drives no controller: there is none, the firmware has it off, \
              or it is in a mode that is not open to hosts. To see it: `ls /sys/bus/thunderbolt/devices` on the node.",
        cure: "Enable Thunderbolt/USB4 in the firmware setup, security level \"none\" or \"user\". For nodes joined by \
               Ethernet say `transport = \"ethernet\"` in [fabric].",
        wrong: "",
        right: "",
    }
    PIECES = Warning "RB0507" {
        title: "the cables leave the nodes in separate pieces",
        why: "Some nodes cannot reach others over the mesh, because no cable joins their pieces. Each piece is set up as a \
              mesh of its own, and `verify` fails until a cable joins them. To see it: the drawing of `ringbolt discover`.",
        cure: "Plug a cable between two pieces and look again. A cable that is in and not seen may be a charging cable, or \
               sit in a socket without Thunderbolt.",
        wrong: "",
        right: "",
    }
    NO_QUORUM = Error "RB0508" {
        title: "a node has no quorum",
        why: "Without a majority of the cluster's nodes /etc/pve is read-only there, so nothing about the fabric can be \
              changed. To see it: `pvecm status` on the node, line Quorate.",
        cure: "Start the missing nodes, or mend the network corosync uses. Do not force `pvecm expected` while the other \
               nodes may be running.",
        wrong: "",
        right: "",
    }
    PENDING_SDN = Error "RB0509" {
        title: "somebody else's SDN changes wait to be applied",
        why: "Proxmox VE applies all staged SDN changes at once: our apply would activate these as well, and so would the \
              next reboot of any node. The diff shown is what is staged. \
              To see it: Datacenter → SDN in the web interface, column State.",
        cure: "Apply or revert them (Datacenter → SDN), then run again.",
        wrong: "",
        right: "",
    }
    PENDING_INTERFACES = Error "RB0510" {
        title: "network edits on a node were never applied",
        why: "The web interface keeps edits of the network in /etc/network/interfaces.new until they are applied. Any apply \
              of SDN moves that file into place, and half-finished edits of the management network could take the node \
              off the net. To see it: `diff -u /etc/network/interfaces /etc/network/interfaces.new` on the node.",
        cure: "Apply or revert them in the web interface (node → System → Network). If nobody wants them: \
               `rm /etc/network/interfaces.new` on the node.",
        wrong: "",
        right: "",
    }
    SDN_LOCK = Error "RB0511" {
        title: "somebody holds Proxmox VE's SDN lock",
        why: "Another program or person has taken the cluster's lock on SDN and may be in the middle of a change. It is \
              also left behind when such a program is killed; one that an apply of ringbolt left is known and \
              released by the next apply on that node. To see it: `cat /etc/pve/sdn/.lock` on a node.",
        cure: "Let them finish and run again. If you know that nobody is at work: `pvesh delete /cluster/sdn/lock --force 1`.",
        wrong: "",
        right: "",
    }
    FABRIC_EXISTS = Error "RB0512" {
        title: "a fabric of that name is there with other settings",
        why: "Proxmox VE has a fabric with the id of the spec, but with another protocol or another prefix. Protocols cannot \
              be changed, and a new prefix would give every node of a live mesh another address at once. \
              To see it: `pvesh get /cluster/sdn/fabrics/all`.",
        cure: "Use the prefix that is there, say another `id` in [fabric], or remove the old fabric in Proxmox VE when \
               nothing uses its addresses any more.",
        wrong: "",
        right: "",
    }
    PORT_IN_FABRIC = Error "RB0513" {
        title: "a port is in another fabric already",
        why: "Two routing protocols, or two instances of one, on one cable would each announce the other's addresses. \
              Proxmox VE does not refuse this by itself. To see it: `pvesh get /cluster/sdn/fabrics/all`.",
        cure: "Take the port out of the other fabric, or say that fabric's `id` in [fabric] to go on with it.",
        wrong: "",
        right: "",
    }
    PREFIX_IN_USE = Error "RB0514" {
        title: "the prefix overlaps that of another fabric",
        why: "An address could then belong to a node of either fabric, and the more specific route would win in silence. \
              To see it: `pvesh get /cluster/sdn/fabrics/all`.",
        cure: "Choose a prefix in [fabric] that no other fabric has a part of.",
        wrong: "",
        right: "",
    }
    NAME_TAKEN = Error "RB0515" {
        title: "a port cannot get its name, because another interface has it",
        why: "udev does not take a name away from an interface that has it, so the port would keep the name the kernel \
              gave, and nothing would fit it. The line below the message says where the other interface sits. \
              To see it: `ip -d link` and `udevadm info /sys/class/net/NAME` on the node.",
        cure: "Give the ports other names by `ports` in the [[node]], in the order of their PCI addresses; or remove the \
               old .link file or rule that gives the name to the other interface.",
        wrong: "",
        right: "",
    }
    STANZA_TWICE = Error "RB0516" {
        title: "/etc/network/interfaces has a port more than once",
        why: "ifupdown2 merges stanzas of one name, so both count in part. Which of them is meant cannot be told from the \
              file. To see it: `ifquery NAME` on the node.",
        cure: "Leave one `iface NAME inet manual` stanza, or none, and run again.",
        wrong: "",
        right: "",
    }
    FRR_LOCAL = Error "RB0517" {
        title: "/etc/frr/frr.conf.local is in the way",
        why: "Proxmox VE appends this file to the FRR configuration it generates. Either it sets up our fabric by hand, so \
              that FRR would get lines twice with two meanings, or our marked block in it is damaged, or it is no text. \
              Foreign lines that do not touch the fabric are left alone and are no fault. \
              To see it: `cat /etc/frr/frr.conf.local` on the node.",
        cure: "Take the lines shown out by hand, or the whole marked block if that is damaged: it is written anew.",
        wrong: "",
        right: "",
    }
    DISK_FULL = Error "RB0518" {
        title: "too little room on a node",
        why: "Packages that break off for lack of room leave dpkg half way. Nothing is begun below the limit. Where not even \
              the agent finds room in /var/lib/ringbolt, the node is reached and cannot say anything. \
              To see it: `df -h / /var/lib/ringbolt` on the node.",
        cure: "Make room: `apt-get clean`, old kernels (`apt-get autoremove --purge`), /var/log, ISO images on local storage.",
        wrong: "",
        right: "",
    }
    NOT_PROXMOX = Error "RB0519" {
        title: "a node does not run what is needed",
        why: "Fabrics came with Proxmox VE 9.0, which runs on x86_64. To see it: `pveversion` and `uname -m` on the node.",
        cure: "Install Proxmox VE 9, or upgrade the node to it (`pve8to9` checks what is in the way of an upgrade).",
        wrong: "",
        right: "",
    }
    PORT_IN_USE = Error "RB0520" {
        title: "a port is used for something else",
        why: "The port belongs to a bridge or bond, or has an address of its own. In the fabric every port carries the \
              router ID of its node and nothing else; a bridge would swallow its packets. \
              To see it: `ip -d link show NAME` and `ifquery NAME` on the node.",
        cure: "Take the port out of the bridge or bond, or take its address out of /etc/network/interfaces. A port that is \
               to stay as it is, is left out of the fabric by `ports` in the [[node]].",
        wrong: "",
        right: "",
    }
    ANNOUNCED_NAME = Warning "RB0521" {
        title: "a node announces an old host name over Thunderbolt",
        why: "The kernel takes the host name once, at the first contact after the Thunderbolt module was loaded, and tells \
              it to neighbours until the next reboot, also when the node was renamed or had no name yet. It is shown and compared, but never decides: cables are told \
              by the controllers' UUIDs. To see it: `cat /sys/bus/thunderbolt/devices/*/device_name` on the neighbour.",
        cure: "Nothing needs to be done. The right name is announced after the next reboot.",
        wrong: "",
        right: "",
    }
    STRANGER = Warning "RB0522" {
        title: "a port is cabled to a host that is not in the spec",
        why: "The far end of the cable is a laptop, a node left out of the spec, or a peer that was plugged in a moment ago \
              and has not told its UUID yet. Nothing is done to it; the port itself is in the fabric. \
              To see it: `ringbolt discover`.",
        cure: "Add the host as a [[node]], unplug it, or leave it. If it was just plugged in, look again in ten seconds.",
        wrong: "",
        right: "",
    }
    NETWORKD = Warning "RB0523" {
        title: "systemd-networkd is enabled beside ifupdown2",
        why: "Proxmox VE configures the network by ifupdown2. systemd-networkd manages nothing there, but its \
              wait-online service holds up the boot, for up to two minutes. Old guides enable it for .link files, which \
              udev reads without it. To see it: `systemctl is-enabled systemd-networkd` on the node.",
        cure: "`systemctl disable systemd-networkd systemd-networkd-wait-online` on the node.",
        wrong: "",
        right: "",
    }
    TWO_CABLES = Warning "RB0524" {
        title: "two cables join the same pair of nodes",
        why: "Over Thunderbolt two cables between the same two hosts add no speed, and the kernel may show only one of \
              them or none. The same cable to a third node would do more. \
              To see it: the drawing of `ringbolt discover`.",
        cure: "Use the second cable for another pair. If links are missing afterwards, unplug all cables, wait ten seconds, and plug them in one by one.",
        wrong: "",
        right: "",
    }
    OLD_FABRICS = Warning "RB0525" {
        title: "Proxmox VE's fabric code on a node is old",
        why: "Before libpve-rs-perl 0.11 ports of an OpenFabric fabric had no address of their own, and packets a middle node \
              answers itself could leave with the wrong source. To see it: `dpkg -s libpve-rs-perl` on the node.",
        cure: "Upgrade the node: `apt update && apt full-upgrade`.",
        wrong: "",
        right: "",
    }
    CABLE_NOT_SEEN = Warning "RB0526" {
        title: "a cable of the spec is not seen",
        why: "A [[link]] is declared, but no Thunderbolt cable joins the two places. Thunderbolt cabling is discovered, and \
              a [[link]] there only says what should be. To see it: `ringbolt discover` lists the cables seen.",
        cure: "Plug the cable in where the spec says, correct the [[link]], or take it out.",
        wrong: "",
        right: "",
    }
    NO_INTERFACES = Error "RB0527" {
        title: "/etc/network/interfaces cannot be read",
        why: "The file is absent, too long or not text. Proxmox VE's installer writes it, and the management network of the \
              node depends on it, so it is not made up. To see it: `cat /etc/network/interfaces` on the node.",
        cure: "Put it back with at least `lo` and the management bridge, and try `ifreload -a` before the next reboot.",
        wrong: "",
        right: "",
    }
    MTU_LIMIT = Error "RB0528" {
        title: "a port does not allow the MTU of the spec",
        why: "The driver of the interface has a lower limit. One port with a lower MTU makes every path through it lose \
              large packets. To see it: `ip -d link show NAME` on the node, word maxmtu.",
        cure: "Say the lower `mtu` in [fabric]; it holds for all ports.",
        wrong: "",
        right: "",
    }
    FABRICS_FILE = Error "RB0529" {
        title: "Proxmox VE's fabric configuration cannot be read",
        why: "/etc/pve/sdn/fabrics.cfg or the running configuration holds something ringbolt does not understand. It is \
              not guessed what it means. To see it: `cat /etc/pve/sdn/fabrics.cfg`, and \
              `pvesh get /cluster/sdn/fabrics/all` for what Proxmox VE makes of it.",
        cure: "Mend the line named in the message. If Proxmox VE reads the file without complaint, this is worth a report.",
        wrong: "",
        right: "",
    }
    NO_FRR_DAEMONS = Error "RB0530" {
        title: "/etc/frr/daemons cannot be read",
        why: "The package frr is installed, but the file that says which of its daemons run is absent or not text: \
              it was deleted by hand, and dpkg does not bring a deleted configuration file back by itself. \
              To see it: `ls -l /etc/frr/daemons` on the node.",
        cure: "`apt-get install --reinstall -o Dpkg::Options::=--force-confmiss frr` on the node.",
        wrong: "",
        right: "",
    }
    CABLE_MISSING = Warning "RB0531" {
        title: "a cable that was there at the last apply is missing",
        why: "Each node remembers which cables its ports had when ringbolt last applied, in /var/lib/ringbolt/cabling, and \
              one of them is out now, or its far end is off. The mesh goes on without it, with less to spare. \
              To see it: `ringbolt discover` lists the cables seen.",
        cure: "Plug it in. If it was taken out for good: `ringbolt apply --forget-cables`.",
        wrong: "",
        right: "",
    }
    UNDO_BELOW_CEPH = Error "RB0540" {
        title: "the mesh is not taken back from under Ceph",
        why: "Monitors and OSDs speak over the addresses of the mesh: without it they stop, and with them every guest whose disks they hold. \
              To see it: /etc/pve/ceph.conf names networks of the fabric.",
        cure: "Move the data away and remove Ceph first; then roll back.",
        wrong: "",
        right: "",
    }
    UNDO_CHANGED = Warning "RB0541" {
        title: "a file was changed after the run that is rolled back",
        why: "The run wrote it, and it is neither what the run left nor what was there before. Somebody has edited it since, \
              and that work is not overwritten. To see it: compare the file with the diff `ringbolt replay` shows.",
        cure: "Put it right by hand where that is needed; what was there before is kept on the node under /var/lib/ringbolt/undo.",
        wrong: "",
        right: "",
    }
    UNDO_STAYS = Warning "RB0542" {
        title: "a step cannot be taken back",
        why: "Some deeds have no way back: data that was wiped, a cluster that was made, a module in the kernel. The plan said so before.",
        cure: "Nothing needs to be done, unless the note names something.",
        wrong: "",
        right: "",
    }
    UNDONE_BY_ITSELF = Warning "RB0550" {
        title: "a node has undone a step by itself",
        why: "Before a step that may cut it off, a node keeps what decides how it is reached and arms a timer. Nobody confirmed \
              over a new connection in time, or the step failed, or the node was started anew in between: so it put back \
              /etc/network/interfaces, interfaces.d and FRR's files and loaded them. The note stays until the next `ringbolt apply` \
              that ends well. To see it: /var/lib/ringbolt/checkpoint/fired.json and `journalctl -u ringbolt-checkpoint`.",
        cure: "Look at the step it names: a wrong bridge port, MTU or address is the usual cause. Correct the spec, then apply again. \
               After an apply of the fabric Proxmox VE still holds the new one for the whole cluster: the next `ringbolt apply` \
               makes the nodes follow, `ringbolt rollback` takes it away.",
        wrong: "",
        right: "",
    }
    CHECKPOINT_ARMED = Error "RB0551" {
        title: "a node waits for the confirmation of a step",
        why: "A run armed a checkpoint there and has neither confirmed it nor asked for it to be undone: that run is still at \
              work, or it died. The node goes back by itself when the time is over, so what it says now is not what a plan may \
              be built on. To see it: `systemctl list-timers ringbolt-checkpoint.timer` on the node.",
        cure: "`ringbolt apply` takes the lock of the cluster and has the node undo it at once; should that run still be at work, \
               it says whose it is. Or wait until the time in the message, then run again; what the node undid is told then.",
        wrong: "",
        right: "",
    }
    INTERFACE_ON_NODE = Error "RB0552" {
        title: "an [[interface]] does not fit what the node has",
        why: "ringbolt changes options of a stanza that is in /etc/network/interfaces; it makes no interface, and it does not guess \
              which of two stanzas counts. A bridge port must be an interface the node has, and ports of the fabric carry routed \
              links: in a bridge they would carry nothing. To see it: `grep -A9 '^iface' /etc/network/interfaces` and `ip -br link`.",
        cure: "Correct the name in [[interface]], or make the interface first (System → Network in the web interface).",
        wrong: "",
        right: "",
    }
    INTERFACE = Error "RB0553" {
        title: "an [[interface]] of the spec cannot be used",
        why: "It must name a node of the file, one interface of it once, and what is to be changed of it.",
        cure: "Do what the help line shows.",
        wrong: r#"[[interface]]
node = "n2"
name = "vmbr0"
"#,
        right: r#"[[interface]]
node = "n2"
name = "vmbr0"
bridge_ports = ["eno2"]
"#,
    }
    LOCK_HELD = Error "RB0560" {
        title: "another run works on the cluster",
        why: "One run at a time changes a cluster. While it does, it holds a lock on every node, kept alive by its controller; \
              two at once would each plan from what the other is about to change. The message says who it is, where, since when, \
              and which run. To see it: /run/ringbolt/lock on a node.",
        cure: "Wait for its end, or end it where it runs (Ctrl-C). `--steal` takes the lock away: the other one finishes the steps \
               it is at, begins nothing more, and says who took it.",
        wrong: "",
        right: "",
    }
    LOCK_STALE = Warning "RB0561" {
        title: "the lock of a run that is over was taken over",
        why: "The controller or the agents of an earlier run were ended before they could let the lock go, or had not been heard of \
              for half a minute. Nothing of it is at work any more, so the lock is free; the plan is made anew from what the nodes say.",
        cure: "Nothing needs to be done.",
        wrong: "",
        right: "",
    }
    LOCK_TAKEN = Error "RB0562" {
        title: "the lock of this run was taken away",
        why: "Somebody took it by `--steal`, or the node forgot it because it was rebooted by somebody else. The nodes refuse every further \
              step of this run, so that two runs never change one node at a time. What was under way was finished.",
        cure: "Ask whoever took it. When they are done, `ringbolt apply` goes on from what is there then.",
        wrong: "",
        right: "",
    }
    LOCK_FEW = Error "RB0563" {
        title: "too few nodes gave the lock",
        why: "The lock counts when more than half of the nodes that can be reached have given it, and nobody else has it on any of the others. \
              The lines to some nodes broke in the moment it was taken.",
        cure: "Look whether the nodes answer (`ringbolt discover`), then run the command again.",
        wrong: "",
        right: "",
    }
    RUN_BROKEN_OFF = Warning "RB0564" {
        title: "the last run was broken off",
        why: "Its journal has no end, or it was ended while steps were under way: the controller was killed, or lost its power. The nodes are \
              asked what became of those steps, what still runs there is waited for, and the plan is made from what is there then: the \
              journal never overrules the nodes.",
        cure: "Nothing needs to be done. `ringbolt rollback --last` takes back what both runs have changed.",
        wrong: "",
        right: "",
    }
    CHANGED_SINCE_PLAN = Error "RB0565" {
        title: "a file was changed after the plan was made",
        why: "The plan says which content each file had when it was looked at. Right before a file is written the node looks once more; \
              when somebody has edited it meanwhile it stays as they left it. The diff shows what the plan saw against what is there now.",
        cure: "Look at the diff. `ringbolt plan` shows what ringbolt would make of the file as it is now; `ringbolt apply` does that.",
        wrong: "",
        right: "",
    }
    CUTS = Error "RB0570" {
        title: "without the node the others lose each other",
        why: "At this moment every way between some of the other nodes leads through this one, because the cabling has no \
              second way or because another node or cable is away already. While it reboots they do not reach each other, \
              and Ceph on them may stand still. To see it: `ringbolt discover` draws the mesh, `ringbolt verify` names \
              what is dark.",
        cure: "Bring back what is away, or plug a cable past the node. `--accept RB0570` agrees to the cut.",
        wrong: "",
        right: "",
    }
    NOT_WHOLE = Error "RB0571" {
        title: "the mesh is not whole before a node is taken out of service",
        why: "A neighbour, a BFD session or a route that should be there is not. What is broken before cannot be told \
              from what the reboot broke. To see it: `ringbolt verify`.",
        cure: "Mend it first. With `--accept RB0571` only what holds now is waited for afterwards.",
        wrong: "",
        right: "",
    }
    ANOTHER_OUT = Error "RB0572" {
        title: "another node is out of service",
        why: "It is in the maintenance mode of Proxmox VE, or Ceph holds its OSDs in (noout), by hand or left by a run that \
              was cut off. One node is taken out of service at a time. To see it: `ha-manager status`, \
              `ceph osd dump | grep noout`.",
        cure: "`ringbolt maintain exit NODE` for that node first.",
        wrong: "",
        right: "",
    }
    MAJORITY = Error "RB0573" {
        title: "Proxmox VE would lose its quorum without the node",
        why: "More than half of the votes must be there. Without them /etc/pve is read-only and no guest starts or moves; \
              nodes on which high availability runs services reset themselves after a minute. To see it: `pvecm status`.",
        cure: "Bring missing nodes back. Two nodes need a third vote (`pvecm qdevice setup`), or `--accept RB0573`.",
        wrong: "",
        right: "",
    }
    GUESTS = Error "RB0574" {
        title: "guests on the node go down with it",
        why: "They run there, and high availability does not move them: it does not manage them, or the node is in \
              maintenance already and they stayed. Proxmox VE shuts them down with the node, and starts those again that \
              are set to start at boot. To see it: `qm list` and `pct list` on the node.",
        cure: "Move them (`qm migrate`, `pct migrate`), or agree to it by `--accept RB0574`.",
        wrong: "",
        right: "",
    }
    NOT_CLEAN = Error "RB0575" {
        title: "Ceph is not whole before a node is taken out of service",
        why: "Placement groups are not active and clean, OSDs are down or monitors not in quorum: a copy that is missing \
              already and one that goes away now may be all there are. To see it: `ceph -s`, `ceph health detail`.",
        cure: "Wait or mend it. `--accept RB0575` goes on all the same, and does not wait for clean placement groups \
               afterwards either.",
        wrong: "",
        right: "",
    }
    MONITOR_MAJORITY = Error "RB0576" {
        title: "Ceph's monitors would lose their quorum without the node",
        why: "More than half of the monitors must be there; without them every read and write stands still, and with it \
              every guest on Ceph. To see it: `ceph quorum_status`.",
        cure: "Bring missing monitors back; have three. `--accept RB0576` agrees to the standstill.",
        wrong: "",
        right: "",
    }
    TOO_FEW_COPIES = Error "RB0577" {
        title: "pools would have too few copies without the node",
        why: "A pool that needs all of its copies to be written to (`min_size` as large as `size`) stands still as soon as \
              one host is away. To see it: `ceph osd pool ls detail`.",
        cure: "`size = 3` with `min_size = 2`, on three hosts. `--accept RB0577` agrees to the standstill.",
        wrong: "",
        right: "",
    }
    MAINTAINED = Warning "RB0578" {
        title: "a node is in maintenance",
        why: "High availability of Proxmox VE keeps its services away from it, until somebody ends that: a reboot does not. \
              To see it: `ha-manager status`.",
        cure: "`ringbolt maintain exit NODE` when the work is done.",
        wrong: "",
        right: "",
    }
    HELD = Warning "RB0579" {
        title: "noout is set",
        why: "OSDs that go away are not replaced: their data stays with one copy less for as long as they are away. It is \
              set for a reboot and should be gone after it. To see it: `ceph osd dump | grep noout`.",
        cure: "`ringbolt maintain exit NODE` takes that of a host away; `ceph osd unset noout` that of all.",
        wrong: "",
        right: "",
    }
}
