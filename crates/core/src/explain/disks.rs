//! RB0641 to RB0659: what is said of disks that are to become OSDs.
//!
//! Said by `bind::disks`. The spec cannot show these, so they have no example of one; each says how to see it on the
//! node. Errors keep a plan from being carried out; warnings are notes.

super::explanations! {
    DISKS_UNKNOWN = Error "RB0641" {
        title: "the disks of a node could not be read",
        why: "Which disks are free is known only by looking at all of them, and on this node that failed. Nothing is guessed: \
              no disk of the node is touched. To see it: `lsblk` and `wipefs --no-act /dev/DISK` on the node.",
        cure: "Mend what the message names, then run again.",
        wrong: "",
        right: "",
    }
    NO_DISK = Error "RB0642" {
        title: "a disk of the spec is not there",
        why: "No disk of the node answers to this path or serial number. Kernel names such as /dev/nvme1n1 may change with \
              the order disks are found in; a disk may be dead or pulled. To see it: `ringbolt discover` lists the disks.",
        cure: "Correct `osds`, `db` or `wal` of the [[node]]. A link below /dev/disk/by-id stays the same across boots.",
        wrong: "",
        right: "",
    }
    SYSTEM_DISK = Error "RB0643" {
        title: "the disk carries the operating system",
        why: "It holds /, /boot, the EFI partition, or a pool or volume group those rest on. No option makes ringbolt touch it. \
              To see it: `lsblk` on the node, column MOUNTPOINTS.",
        cure: "Take the disk out of `osds`, `db` or `wal`. A filter never picks it by itself.",
        wrong: "",
        right: "",
    }
    DISK_USED = Error "RB0644" {
        title: "a disk is not free",
        why: "Something stands on it, or it could not be found out whether something does; the lines below the message \
              say what. A disk that becomes an OSD is erased from end to end. \
              To see it: `lsblk /dev/DISK` and `wipefs --no-act /dev/DISK` on the node.",
        cure: "Name another disk. If what stands on it may be lost for good, add its serial number to `wipe` of the [[node]]: \
               the plan then shows what dies and asks for it.",
        wrong: "",
        right: "",
    }
    DISK_ACTIVE = Error "RB0645" {
        title: "a disk to be wiped is in use",
        why: "Its serial number stands in `wipe`, but somebody works with it at this moment: it is mounted, swapped to, held \
              by a device built on top, opened by a program, or its state is not known. Wiping it now would take data away \
              from under a running program. To see it: `lsblk /dev/DISK` and `fuser -v /dev/DISK` on the node.",
        cure: "Release it by hand (`umount`, `swapoff`, `vgchange -an`, `mdadm --stop`, `zpool export`), then run again.",
        wrong: "",
        right: "",
    }
    DISK_UNFIT = Error "RB0646" {
        title: "a disk cannot carry an OSD",
        why: "It can be taken out (a USB stick, a card), refuses writes, or has no size (an empty card reader, a dead disk). \
              To see it: `lsblk -o NAME,RM,RO,SIZE` on the node.",
        cure: "Name another disk.",
        wrong: "",
        right: "",
    }
    DISK_FAILED = Error "RB0647" {
        title: "a disk calls itself failed",
        why: "Its own monitoring (SMART, NVMe health log) says that it is failing. An OSD on it would be lost soon, and with \
              three nodes the cluster would live without its third copies until it is replaced. \
              To see it: `smartctl -H /dev/DISK` on the node.",
        cure: "Replace the disk, or take it out of the spec.",
        wrong: "",
        right: "",
    }
    SAME_SERIAL = Error "RB0648" {
        title: "two disks of a node cannot be told apart",
        why: "Both tell the same serial number, or both answer to one path: as a rule one disk seen over two paths \
              (multipath), or an enclosure that hides the serial numbers. Two OSDs on one disk would overwrite each other. \
              To see it: `lsblk -o NAME,MODEL,SERIAL,WWN` on the node.",
        cure: "Connect the disk over one path, or take both out of the spec.",
        wrong: "",
        right: "",
    }
    ASKED_TWICE = Error "RB0649" {
        title: "one disk is asked for twice",
        why: "Two entries of `osds`, or `osds` and `db` or `wal`, lead to the same disk: a device node and a link below \
              /dev/disk name one thing. To see it: `readlink -f` on the node.",
        cure: "Remove one of the two.",
        wrong: "",
        right: "",
    }
    DISK_COUNT = Error "RB0650" {
        title: "another number of disks fits than the spec wants",
        why: "The filter in `osds` says how many disks must fit (`count`), or none fits at all. Which of them is meant is not \
              guessed. To see it: `ringbolt discover` lists the disks with what stands on them.",
        cure: "Make the filter narrower or wider, correct `count`, or name the disks by serial number.",
        wrong: "",
        right: "",
    }
    FOREIGN_OSD = Error "RB0651" {
        title: "a disk holds an OSD of another Ceph cluster",
        why: "It belongs to a cluster with another id, or to one that cannot be told at this moment. It may be the only copy of \
              data. To see it: `ceph-volume lvm list` and `ceph-volume raw list` on the node.",
        cure: "If it is of an earlier Ceph and may be lost, deactivate it (`ceph-volume lvm deactivate`) and add its serial \
               number to `wipe` of the [[node]]. If the cluster is yours and silent, bring its monitors back first.",
        wrong: "",
        right: "",
    }
    NO_POWER_LOSS_PROTECTION = Warning "RB0652" {
        title: "a disk has no power-loss protection",
        why: "Ceph acknowledges a write once it is safe on the disk. A consumer drive has no capacitors that save its cache, so \
              it must flush each time: some hundred to a thousand such writes a second, where a data-centre drive does over \
              ten thousand, and its flash wears faster. It works, it is slow under databases and many small writes. \
              The verdict is by the name of the model; right before a disk becomes an OSD, `apply` measures what it does.",
        cure: "Nothing needs to be done. For busy guests choose drives with power-loss protection, as a rule those sold for \
               data centres.",
        wrong: "",
        right: "",
    }
    DISK_WORN = Warning "RB0653" {
        title: "a disk has used most of its rated life",
        why: "It counts 80 % or more of the writes it is rated for. Disks of the same age in several nodes tend to fail close \
              together. To see it: `smartctl -A /dev/DISK` on the node.",
        cure: "Plan its replacement; have one at hand.",
        wrong: "",
        right: "",
    }
    DISK_HOT = Warning "RB0654" {
        title: "a disk is hot",
        why: "It is at 70 °C or more, where NVMe drives begin to slow themselves down; all OSDs wait for the slowest. \
              To see it: `smartctl -A /dev/DISK` on the node.",
        cure: "Give it air or a heat sink.",
        wrong: "",
        right: "",
    }
    WIPE_IDLE = Warning "RB0655" {
        title: "`wipe` names a disk that is not to be wiped",
        why: "The serial number stands in `wipe`, but the node has no such disk, it is not among those that become OSDs, or it \
              is an OSD of this cluster already. Nothing happens to it.",
        cure: "Take the serial number out of `wipe`, so that it cannot be meant by accident later.",
        wrong: "",
        right: "",
    }
    DISK_PASSED_OVER = Warning "RB0656" {
        title: "a disk fits the filter and is left alone",
        why: "Something stands on it or it cannot carry an OSD; a filter takes free disks only. \
              To see it: `ringbolt discover` lists the disks with what stands on them.",
        cure: "Nothing needs to be done. To have it as well, add its serial number to `wipe` of the [[node]].",
        wrong: "",
        right: "",
    }
    ASIDE_FULL = Error "RB0657" {
        title: "no room is left beside other databases",
        why: "The disk named by `db` or `wal` was divided among the OSDs of its day, and less than 1 GiB would be left for each \
              further one. A database that does not fit spills over to the slow disk. \
              To see it: `lsblk /dev/DISK` on the node.",
        cure: "Take the new disks out of `osds`, or `db` and `wal` out of the [[node]] and have the new OSDs keep their \
               databases themselves; or make the OSDs of the node anew, one by one, so that all get an equal share.",
        wrong: "",
        right: "",
    }
}
