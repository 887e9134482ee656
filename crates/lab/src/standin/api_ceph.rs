//! The part of the table of the API that has to do with Ceph, disks, storage and the options of the datacenter.
//!
//! Used by `pvesh`, `pveceph` and `pvesm`. Checked in a test against the schema of each release.

use super::api::Returns::{Array, Boolean, Null, Object, Text};
use super::api::{Method, NODE};
use super::schema::{Format, Kind, Param};

/// A daemon's name: letters and digits, dashes inside.
fn service_id(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(word) && text.ends_with(word) && text.chars().all(|c| word(c) || c == '-')
}

/// `osd`, `mon.n1`, `ceph`.
fn unit(text: &str) -> bool {
    let (kind, id) = text.split_once('.').map_or((text, None), |(kind, id)| (kind, Some(id)));
    ["ceph", "mon", "mds", "osd", "mgr"].contains(&kind) && id.is_none_or(service_id)
}

/// What a pool may be called.
fn pool(text: &str) -> bool {
    !text.is_empty() && !text.contains([':', '/']) && !text.contains(char::is_whitespace)
}

/// A path of a block device.
fn device(text: &str) -> bool {
    text.strip_prefix("/dev/")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '/'))
}

/// A number with K, M, G or T.
fn target_size(text: &str) -> bool {
    let number = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    let mut parts = number.split('.');
    let digits =
        |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    digits(parts.next()) && parts.next().is_none_or(|part| digits(Some(part))) && parts.next().is_none()
}

fn config_keys(text: &str) -> bool {
    !text.is_empty() && text.split([',', ';', ' ']).all(|key| key.contains(':'))
}

const FLAGS: &[&str] = &[
    "nobackfill",
    "nodeep-scrub",
    "nodown",
    "noin",
    "noout",
    "norebalance",
    "norecover",
    "noscrub",
    "notieragent",
    "noup",
    "pause",
];
const FLAG: Param = Param::text("flag").of(Kind::Enum(FLAGS));
const MONID: Param = Param::text("monid").like(service_id);
const MGRID: Param = Param::text("id").like(service_id);
const MDSNAME: Param = Param::text("name").like(service_id);
const OSDID: Param = Param::text("osdid").of(Kind::Integer(None, None));
const SERVICE: &[Param] = &[NODE, Param::text("service").like(unit).opt()];
const SIZE: Param = Param::text("size").of(Kind::Integer(Some(1), Some(7))).opt();
const MIN_SIZE: Param = Param::text("min_size").of(Kind::Integer(Some(1), Some(7))).opt();
const STORAGE: Param = Param::text("storage").form(Format::StorageId);
const DISK: Param = Param::text("disk").like(device);

const fn yes_no(name: &'static str) -> Param {
    Param::text(name).of(Kind::Boolean).opt()
}

macro_rules! pool_properties {
    ($($more:expr),*) => {
        &[
            NODE,
            Param::text("name").like(pool),
            Param::text("application").of(Kind::Enum(&["rbd", "cephfs", "rgw"])).opt(),
            Param::text("crush_rule").opt(),
            MIN_SIZE,
            Param::text("pg_autoscale_mode").of(Kind::Enum(&["on", "off", "warn"])).opt(),
            Param::text("pg_num").of(Kind::Integer(Some(1), Some(32768))).opt(),
            Param::text("pg_num_min").of(Kind::Integer(None, Some(32768))).opt(),
            SIZE,
            Param::text("target_size").like(target_size).opt(),
            Param::text("target_size_ratio").of(Kind::Number(None, None)).opt(),
            $($more),*
        ]
    };
}

macro_rules! storage_properties {
    ($($more:expr),*) => {
        &[
            STORAGE,
            Param::text("content").form(Format::Unchecked("pve-storage-content-list")).opt(),
            Param::text("data-pool").opt(),
            yes_no("disable"),
            Param::text("fs-name").form(Format::Unchecked("pve-configid")).opt(),
            yes_no("fuse"),
            Param::text("keyring").opt(),
            yes_no("krbd"),
            Param::text("monhost").form(Format::Unchecked("pve-storage-portal-dns-list")).opt(),
            Param::text("namespace").opt(),
            Param::text("nodes").form(Format::Unchecked("pve-node-list")).opt(),
            Param::text("pool").opt(),
            yes_no("shared"),
            Param::text("subdir").form(Format::Unchecked("pve-storage-path")).opt(),
            Param::text("username").opt(),
            $($more),*
        ]
    };
}

const STORAGE_TYPES: &[&str] = &[
    "btrfs",
    "cephfs",
    "cifs",
    "dir",
    "esxi",
    "iscsi",
    "iscsidirect",
    "lvm",
    "lvmthin",
    "nfs",
    "pbs",
    "rbd",
    "zfs",
    "zfspool",
];

/// Every method of these areas the stand-in has.
pub(super) const METHODS: &[Method] = &[
    Method::new("GET", "/cluster/ceph", "cephindex", &[], Array).list("name"),
    Method::new("GET", "/cluster/ceph/flags", "get_all_flags", &[], Array).list("name"),
    Method::new(
        "PUT",
        "/cluster/ceph/flags",
        "set_flags",
        &[
            yes_no("nobackfill"),
            yes_no("nodeep-scrub"),
            yes_no("nodown"),
            yes_no("noin"),
            yes_no("noout"),
            yes_no("norebalance"),
            yes_no("norecover"),
            yes_no("noscrub"),
            yes_no("notieragent"),
            yes_no("noup"),
            yes_no("pause"),
        ],
        Text,
    ),
    Method::new("GET", "/cluster/ceph/flags/{flag}", "get_flag", &[FLAG], Boolean),
    Method::new(
        "PUT",
        "/cluster/ceph/flags/{flag}",
        "update_flag",
        &[FLAG, Param::text("value").of(Kind::Boolean)],
        Null,
    ),
    Method::new("GET", "/cluster/ceph/status", "status", &[], Object),
    Method::new("GET", "/nodes/{node}/ceph", "index", &[NODE], Array).list("name"),
    Method::new("GET", "/nodes/{node}/ceph/status", "status", &[NODE], Object).remote(),
    Method::new("GET", "/nodes/{node}/ceph/cfg", "index", &[NODE], Array).list("name"),
    Method::new("GET", "/nodes/{node}/ceph/cfg/db", "db", &[NODE], Array).remote(),
    Method::new("GET", "/nodes/{node}/ceph/cfg/raw", "raw", &[NODE], Text).remote(),
    Method::new(
        "GET",
        "/nodes/{node}/ceph/cfg/value",
        "value",
        &[NODE, Param::text("config-keys").like(config_keys)],
        Object,
    )
    .remote(),
    Method::new(
        "GET",
        "/nodes/{node}/ceph/cmd-safety",
        "cmd_safety",
        &[
            NODE,
            Param::text("action").of(Kind::Enum(&["stop", "destroy"])),
            Param::text("id"),
            Param::text("service").of(Kind::Enum(&["osd", "mon", "mds"])),
        ],
        Object,
    )
    .remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/init",
        "init",
        &[
            NODE,
            Param::text("cluster-network").form(Format::Cidr).len(None, Some(128)).needs("network").opt(),
            yes_no("disable_cephx"),
            MIN_SIZE,
            Param::text("network").form(Format::Cidr).len(None, Some(128)).opt(),
            Param::text("pg_bits").of(Kind::Integer(Some(6), Some(14))).opt(),
            SIZE,
        ],
        Null,
    )
    .remote(),
    Method::new("GET", "/nodes/{node}/ceph/mon", "listmon", &[NODE], Array).list("name").remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/mon/{monid}",
        "createmon",
        &[
            NODE,
            Param::text("mon-address").form(Format::Unchecked("ip-list")).opt(),
            MONID.len(None, Some(200)).opt(),
        ],
        Text,
    )
    .remote(),
    Method::new("DELETE", "/nodes/{node}/ceph/mon/{monid}", "destroymon", &[NODE, MONID], Text).remote(),
    Method::new("GET", "/nodes/{node}/ceph/mgr", "index", &[NODE], Array).list("name").remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/mgr/{id}",
        "createmgr",
        &[NODE, MGRID.len(None, Some(200)).opt()],
        Text,
    )
    .remote(),
    Method::new("DELETE", "/nodes/{node}/ceph/mgr/{id}", "destroymgr", &[NODE, MGRID], Text).remote(),
    Method::new("GET", "/nodes/{node}/ceph/mds", "index", &[NODE], Array).list("name").remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/mds/{name}",
        "createmds",
        &[NODE, yes_no("hotstandby"), MDSNAME.len(None, Some(200)).opt()],
        Text,
    )
    .remote(),
    Method::new("DELETE", "/nodes/{node}/ceph/mds/{name}", "destroymds", &[NODE, MDSNAME], Text).remote(),
    Method::new("GET", "/nodes/{node}/ceph/osd", "index", &[NODE], Object).remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/osd",
        "createosd",
        &[
            NODE,
            Param::text("crush-device-class").opt(),
            Param::text("db_dev").opt(),
            Param::text("db_dev_size").of(Kind::Number(Some(1), None)).needs("db_dev").opt(),
            Param::text("dev"),
            yes_no("encrypted"),
            Param::text("osds-per-device").of(Kind::Integer(Some(1), None)).opt(),
            Param::text("wal_dev").opt(),
            Param::text("wal_dev_size").of(Kind::Number(None, None)).needs("wal_dev").opt(),
        ],
        Text,
    )
    .remote(),
    Method::new(
        "DELETE",
        "/nodes/{node}/ceph/osd/{osdid}",
        "destroyosd",
        &[NODE, yes_no("cleanup"), OSDID],
        Text,
    )
    .remote(),
    Method::new("POST", "/nodes/{node}/ceph/osd/{osdid}/in", "in", &[NODE, OSDID], Null).remote(),
    Method::new("POST", "/nodes/{node}/ceph/osd/{osdid}/out", "out", &[NODE, OSDID], Null).remote(),
    Method::new("GET", "/nodes/{node}/ceph/osd/{osdid}/metadata", "osddetails", &[NODE, OSDID], Object)
        .remote(),
    Method::new("GET", "/nodes/{node}/ceph/pool", "lspools", &[NODE], Array).list("pool_name").remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/pool",
        "createpool",
        pool_properties!(yes_no("add_storages"), Param::text("erasure-coding").opt()),
        Text,
    )
    .remote(),
    Method::new("PUT", "/nodes/{node}/ceph/pool/{name}", "setpool", pool_properties!(), Text).remote(),
    Method::new(
        "DELETE",
        "/nodes/{node}/ceph/pool/{name}",
        "destroypool",
        &[NODE, yes_no("force"), Param::text("name"), yes_no("remove_ecprofile"), yes_no("remove_storages")],
        Text,
    )
    .remote(),
    Method::new(
        "GET",
        "/nodes/{node}/ceph/pool/{name}/status",
        "getpool",
        &[NODE, Param::text("name"), yes_no("verbose")],
        Object,
    )
    .remote(),
    Method::new("GET", "/nodes/{node}/ceph/fs", "index", &[NODE], Array).list("name").remote(),
    Method::new(
        "POST",
        "/nodes/{node}/ceph/fs/{name}",
        "createfs",
        &[
            NODE,
            yes_no("add-storage"),
            Param::text("name").like(pool).opt(),
            Param::text("pg_num").of(Kind::Integer(Some(8), Some(32768))).opt(),
        ],
        Text,
    )
    .remote(),
    Method::new("GET", "/nodes/{node}/ceph/rules", "rules", &[NODE], Array).list("name").remote(),
    Method::new("POST", "/nodes/{node}/ceph/start", "start", SERVICE, Text).remote(),
    Method::new("POST", "/nodes/{node}/ceph/stop", "stop", SERVICE, Text).remote(),
    Method::new("POST", "/nodes/{node}/ceph/restart", "restart", SERVICE, Text).remote(),
    Method::new("GET", "/nodes/{node}/disks", "index", &[NODE], Array).list("name").remote(),
    Method::new(
        "GET",
        "/nodes/{node}/disks/list",
        "list",
        &[
            NODE,
            yes_no("include-partitions"),
            yes_no("skipsmart"),
            Param::text("type").of(Kind::Enum(&["unused", "journal_disks"])).opt(),
        ],
        Array,
    )
    .remote(),
    Method::new("GET", "/nodes/{node}/disks/smart", "smart", &[NODE, DISK, yes_no("healthonly")], Object)
        .remote(),
    Method::new("PUT", "/nodes/{node}/disks/wipedisk", "wipe_disk", &[NODE, DISK], Text).remote(),
    Method::new("GET", "/cluster/options", "get_options", &[], Object),
    Method::new(
        "PUT",
        "/cluster/options",
        "set_options",
        &[
            Param::text("delete").form(Format::Unchecked("pve-configid-list")).opt(),
            Param::text("migration").opt(),
            Param::text("replication").opt(),
            Param::text("email_from").form(Format::Unchecked("email-opt")).opt(),
        ],
        Null,
    )
    .part(),
    Method::new(
        "GET",
        "/storage",
        "index",
        &[Param::text("type").of(Kind::Enum(STORAGE_TYPES)).opt()],
        Array,
    )
    .list("storage"),
    Method::new(
        "POST",
        "/storage",
        "create",
        storage_properties!(
            Param::text("path").form(Format::Unchecked("pve-storage-path")).opt(),
            Param::text("type").of(Kind::Enum(STORAGE_TYPES))
        ),
        Object,
    )
    .part(),
    Method::new("GET", "/storage/{storage}", "read", &[STORAGE], Object),
    Method::new(
        "PUT",
        "/storage/{storage}",
        "update",
        storage_properties!(
            Param::text("delete").form(Format::Unchecked("pve-configid-list")).len(None, Some(4096)).opt(),
            Param::text("digest").len(None, Some(64)).opt()
        ),
        Object,
    )
    .part(),
    Method::new("DELETE", "/storage/{storage}", "delete", &[STORAGE], Null),
    Method::new(
        "GET",
        "/nodes/{node}/storage",
        "index",
        &[
            NODE,
            Param::text("content").form(Format::Unchecked("pve-storage-content-list")).opt(),
            yes_no("enabled"),
            yes_no("format"),
            STORAGE.opt(),
            Param::text("target").form(Format::Node).opt(),
        ],
        Array,
    )
    .list("storage")
    .remote(),
];
