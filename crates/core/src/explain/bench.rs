//! RB09xx: what benchmarks find, and what keeps them from being run. Said by `bench`.

super::explanations! {
    NO_TOOL = Error "RB0901" {
        title: "a tool of the benchmark is not installed",
        why: "ringbolt measures with the programs everybody knows, `iperf3`, `fio` and `rados bench`, so that its figures can be \
              compared with those of others. One of them is missing on a node. To see it: `iperf3 --version` on the node.",
        cure: "`ringbolt bench mesh --install` installs what is missing from the node's own package sources, without asking; \
               or do it yourself: `apt install iperf3 fio`.",
        wrong: "",
        right: "",
    }
    NOT_MEASURED = Error "RB0902" {
        title: "something could not be measured",
        why: "The tool on one of the nodes ended with an error, which is shown. Often the link went down meanwhile, or a \
              firewall of the node keeps port 15201 closed on the mesh.",
        cure: "`ringbolt verify` shows whether the link holds. If it does, try the tool by hand: `iperf3 -s -1 -p 15201` on one \
               node, `iperf3 -c ROUTER-ID -p 15201` on the other.",
        wrong: "",
        right: "",
    }
    SLOW_LINK = Warning "RB0903" {
        title: "a link is slower than such links are",
        why: "A Thunderbolt 4 or USB4 cable between two nodes carries 20 to 26 Gbit/s. Nine to 13 are what is left with one lane \
              instead of two, or with the interrupts on an efficiency core; below 8 something is broken. An Ethernet link \
              should carry 85 % of its nominal speed. Ceph on small nodes rarely needs more than a few Gbit/s, so a slow \
              link that loses nothing is no emergency.",
        cure: "In this order: lanes and speed of the cable (`ringbolt discover`), the MTU at both ends, which processors serve \
               the interrupts (shown with the result), a strict IOMMU (`iommu=pt` on the kernel's command line), heat.",
        wrong: "",
        right: "",
    }
    SIZES_LOST = Error "RB0904" {
        title: "packets of some sizes are lost",
        why: "Packets of every size should pass. Some USB4 controllers lose frames near 256 bytes while end-to-end flow control is \
              on; that stalls name lookups and Ceph's small messages for seconds, and no throughput test shows it. Large ones \
              are lost where the two ends have different MTUs.",
        cure: "Small sizes (payload 190 to 212): `options thunderbolt_net e2e=0` in /etc/modprobe.d on one end, then a reboot. Large \
               sizes: make the MTU the same at both ends; `ringbolt apply` does. Otherwise another cable.",
        wrong: "",
        right: "",
    }
    LOSS = Warning "RB0905" {
        title: "packets are lost on a link",
        why: "A direct cable loses nothing, not even under load. Lost packets make TCP slow down and Ceph's operations wait.",
        cure: "Another cable, then another port. `ip -s -s link` at both ends shows which of them drops, and what it counts as \
               errors.",
        wrong: "",
        right: "",
    }
    LATENCY = Warning "RB0906" {
        title: "round trips are slow without load",
        why: "A direct cable takes 0.1 to 0.5 ms. Every write of Ceph waits for several round trips one after another.",
        cure: "Look at what the nodes are busy with, and at power saving: deep C-states and slow governors show here first.",
        wrong: "",
        right: "",
    }
    LOPSIDED = Warning "RB0907" {
        title: "one direction of a link is much slower than the other",
        why: "Both directions of a cable are alike. When one carries less than 70 % of the other, the receiving processor is the \
              usual cause: one queue, one core, and that an efficiency core or a hot one.",
        cure: "Measure again first. Then look at the interrupts and the processor time shown with the result, pin the \
               interrupts to performance cores, and try the cable turned round.",
        wrong: "",
        right: "",
    }
    EFFICIENCY_CORE = Warning "RB0908" {
        title: "interrupts of a link are served by efficiency cores",
        why: "The kernel puts an interrupt on any core. An efficiency core moves about half as many packets, so throughput \
              changes from boot to boot. To see it: `/proc/irq/N/effective_affinity_list` and `/sys/devices/cpu_core/cpus`.",
        cure: "Pin the interrupts of the controller to performance cores whenever the interface comes up; their numbers change \
               with each plug.",
        wrong: "",
        right: "",
    }
    REFUSED = Error "RB0909" {
        title: "the cluster is in a state in which a benchmark lies",
        why: "Compression, recovery, missing copies, other clients, a nearly full cluster: each makes the figures better or \
              worse than the hardware is, and nobody sees it in the result later.",
        cure: "Mend what is named, or wait until it is over. `ringbolt bench ceph --force` measures all the same, and the \
               result says under which circumstances.",
        wrong: "",
        right: "",
    }
    STALLS = Warning "RB0910" {
        title: "requests to Ceph stand still now and then",
        why: "One request in a thousand took a second or longer, or nothing at all was done for whole seconds. Databases and \
              guests feel that more than a low mean. Usual causes are one slow disk among several, disks without power-loss \
              protection, lost packets, a scrub.",
        cure: "`ceph osd perf` while the benchmark runs shows a slow disk. Then `ringbolt bench mesh` for lost packets.",
        wrong: "",
        right: "",
    }
    LEFT_BEHIND = Error "RB0911" {
        title: "a benchmark could not remove what it made",
        why: "Objects are in the namespace `ringbolt-bench` of the pool, images have names that begin with `ringbolt-bench-`. \
              They take space and do nothing else.",
        cure: "The next `ringbolt bench ceph` removes them before it begins. By hand: `rbd rm POOL/IMAGE`, and \
               `rados -p POOL -N ringbolt-bench cleanup --prefix benchmark_data`.",
        wrong: "",
        right: "",
    }
}
