//! Options of our profile, and others that are met often.

use super::super::case::{min_size, pool_size, reporters};
use super::super::verdict::Verdict;
use super::{Applies, Home, Judge, Known};

/// An option that counts at once and is a matter of choice.
const fn plain(
    name: &'static str,
    default: &'static str,
    home: Home,
    what: &'static str,
    finding: &'static str,
) -> Known {
    Known {
        name,
        default: [default; 3],
        applies: Applies::Now,
        home,
        what,
        finding,
        judge: Judge::As(Verdict::Useful),
    }
}

pub(super) const OPTIONS: [Known; 27] = [
    plain(
        "osd_mon_report_interval",
        "5",
        Home::Osd,
        "seconds an OSD collects failures before it tells the monitors",
        "in force; part of the stall after a node's power loss",
    ),
    plain(
        "mon_lease",
        "5",
        Home::Mon,
        "seconds a monitor may answer without hearing from the leader",
        "in force; a lost monitor stops every change of the maps for twice this long",
    ),
    plain(
        "mon_election_timeout",
        "5",
        Home::Mon,
        "seconds an election waits for all monitors",
        "in force; part of the stall after a node's power loss",
    ),
    plain(
        "mon_client_ping_interval",
        "10",
        Home::Global,
        "seconds between signs of life from daemons and clients to their monitor",
        "in force",
    ),
    plain(
        "mon_client_ping_timeout",
        "30",
        Home::Global,
        "seconds of silence after which daemons and clients go to another monitor",
        "in force; part of the stall after a node's power loss",
    ),
    plain(
        "objecter_timeout",
        "10",
        Home::Client,
        "seconds after which a hanging request asks for a new map",
        "in force for guests started or moved since",
    ),
    plain(
        "objecter_tick_interval",
        "5",
        Home::Client,
        "seconds between two looks for hanging requests",
        "in force for guests started or moved since",
    ),
    Known {
        judge: Judge::By(reporters),
        ..plain(
            "mon_osd_min_down_reporters",
            "2",
            Home::Mon,
            "how many hosts must report an OSD before it is marked down",
            "one host whose network is bad can mark all others down; needed only with OSDs on two hosts",
        )
    },
    plain(
        "osd_mclock_profile",
        "balanced",
        Home::Osd,
        "how mClock shares the disks between clients and recovery",
        "in force; `mclock` in [ceph] of the spec says it for good",
    ),
    plain(
        "osd_mclock_override_recovery_settings",
        "false",
        Home::Osd,
        "lets limits on recovery be changed beside mClock",
        "in force: mClock's promises to clients do not hold any more",
    ),
    plain(
        "osd_mclock_max_capacity_iops_ssd",
        "21500",
        Home::Osd,
        "small writes a second mClock takes a flash disk for",
        "measured by the OSD itself at its first start, and by `apply` where Ceph kept no figure; a value far from the truth makes mClock useless, `ceph tell osd.N bench` measures again",
    ),
    plain(
        "osd_mclock_max_capacity_iops_hdd",
        "315",
        Home::Osd,
        "small writes a second mClock takes a rotating disk for",
        "measured by the OSD itself at its first start, and by `apply` where Ceph kept no figure",
    ),
    plain(
        "osd_mclock_max_sequential_bandwidth_ssd",
        "1258291200",
        Home::Osd,
        "bytes a second mClock takes a flash disk for",
        "in force",
    ),
    plain(
        "osd_mclock_skip_benchmark",
        "false",
        Home::Osd,
        "do not measure the disk at the OSD's first start",
        "in force",
    ),
    plain(
        "osd_mclock_force_run_benchmark_on_init",
        "false",
        Home::Osd,
        "measure the disk at each start of the OSD",
        "in force: every start takes longer",
    ),
    Known {
        applies: Applies::Restart,
        ..plain(
            "osd_op_queue",
            "mclock_scheduler",
            Home::Osd,
            "who decides what an OSD does next: mClock or wpq",
            "in force after a restart; under wpq nothing limits recovery and scrubs by what the disk can do",
        )
    },
    Known {
        applies: Applies::Restart,
        judge: Judge::As(Verdict::Risky),
        ..plain(
            "bluestore_cache_autotune",
            "true",
            Home::Osd,
            "BlueStore sizes its caches by osd_memory_target",
            "osd_memory_target is not kept any more",
        )
    },
    plain("osd_max_scrubs", "3", Home::Osd, "scrubs an OSD takes part in at once", "in force"),
    plain(
        "osd_heartbeat_min_size",
        "2000",
        Home::Osd,
        "bytes of a heartbeat, so that a broken MTU is noticed",
        "in force",
    ),
    plain(
        "mon_osd_down_out_interval",
        "600",
        Home::Mon,
        "seconds after which the data of a lost OSD is copied elsewhere",
        "in force",
    ),
    Known {
        judge: Judge::By(pool_size),
        ..plain(
            "osd_pool_default_size",
            "3",
            Home::Mon,
            "copies in new pools",
            "new pools keep two copies or one: a second fault while the first is repaired loses data",
        )
    },
    Known {
        judge: Judge::By(min_size),
        ..plain(
            "osd_pool_default_min_size",
            "0",
            Home::Mon,
            "copies with which new pools still take writes; 0: all but one in three",
            "new pools take writes with one copy left: the next fault loses them",
        )
    },
    plain(
        "mon_allow_pool_delete",
        "false",
        Home::Mon,
        "pools may be deleted",
        "in force; Proxmox VE sets it in its file to delete pools",
    ),
    plain(
        "mon_data_avail_warn",
        "30",
        Home::Mon,
        "free space of a monitor's disk in percent below which Ceph warns",
        "in force; the warning comes later or earlier",
    ),
    plain(
        "mon_max_pg_per_osd",
        "250",
        Home::Mon,
        "placement groups an OSD may have before pools are refused",
        "in force",
    ),
    plain(
        "mon_target_pg_per_osd",
        "100",
        Home::Mon,
        "placement groups an OSD the autoscaler aims at",
        "in force",
    ),
    Known {
        judge: Judge::As(Verdict::Useful),
        ..plain(
            "auth_allow_insecure_global_id_reclaim",
            "true",
            Home::Mon,
            "clients may take an id over without proof",
            "closes CVE-2021-20288",
        )
    },
];
