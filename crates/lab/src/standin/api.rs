//! The table of the API: which paths there are, since which release, and with
//! which parameters.
//!
//! Used by `pvesh`. Checked in a test against the schema of each release.

use super::host::Release;
use super::schema::{Format, Kind, Param};

/// What a call gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Nothing is printed.
    Null,
    /// A text.
    Text,
    /// One object.
    Object,
    /// A list.
    Array,
    /// 0 or 1.
    Boolean,
}

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub verb: &'static str,
    /// The path with `{name}` for variable parts.
    pub path: &'static str,
    /// The handler's name.
    pub name: &'static str,
    /// All parameters, those of the path included.
    pub params: &'static [Param],
    /// The result.
    pub returns: Returns,
    /// The key of an entry that names the child path, for lists of children.
    pub child: Option<&'static str>,
    /// Whether another node's call is passed on over ssh.
    pub proxied: bool,
    /// The first release that has it.
    pub since: Release,
    /// Whether the real one has parameters that are not here.
    pub partial: bool,
}

pub(super) const NODE: Param = Param::text("node").form(Format::Node);
const FABRIC: Param = Param::text("fabric").form(Format::FabricId);
const ID: Param = Param::text("id").form(Format::FabricId);
const FABRIC_ID: Param = Param::text("fabric_id").form(Format::FabricId);
const NODE_ID: Param = Param::text("node_id").form(Format::Node);
const PENDING: Param = Param::text("pending").of(Kind::Boolean).opt();
const RUNNING: Param = Param::text("running").of(Kind::Boolean).opt();
const TOKEN: Param = Param::text("lock-token").opt();
const RELEASE_LOCK: Param = Param::text("release-lock").of(Kind::Boolean).opt();
const DIGEST: Param = Param::text("digest").len(None, Some(64)).opt();
const PROTOCOL: Param = Param::text("protocol").of(Kind::Enum(&["openfabric", "ospf"]));
const UPID: Param = Param::text("upid");
const IFACE: Param = Param::text("iface").form(Format::Iface).len(Some(2), Some(20));
const INTERVAL: Kind = Kind::Number(Some(1), Some(600));

macro_rules! fabric_properties {
    ($($more:expr),*) => {
        &[
            Param::text("area").opt(),
            Param::text("csnp_interval").of(INTERVAL).opt(),
            DIGEST,
            Param::text("hello_interval").of(INTERVAL).opt(),
            ID,
            Param::text("ip6_prefix").form(Format::Cidr).opt(),
            Param::text("ip_prefix").form(Format::Cidr).opt(),
            TOKEN,
            PROTOCOL,
            $($more),*
        ]
    };
}

macro_rules! node_properties {
    ($($more:expr),*) => {
        &[
            DIGEST,
            FABRIC_ID,
            Param::text("interfaces").of(Kind::Ports).opt(),
            Param::text("ip").form(Format::Ip4).opt(),
            Param::text("ip6").form(Format::Ip6).opt(),
            TOKEN,
            NODE_ID,
            PROTOCOL,
            $($more),*
        ]
    };
}

macro_rules! interface_properties {
    ($($more:expr),*) => {
        &[
            NODE,
            IFACE,
            Param::text("address").form(Format::Ip4).opt().needs("netmask"),
            Param::text("address6").form(Format::Ip6).opt().needs("netmask6"),
            Param::text("autostart").of(Kind::Boolean).opt(),
            Param::text("bond-primary").form(Format::Iface).opt(),
            Param::text("bond_mode").of(Kind::Enum(BOND_MODES)).opt(),
            Param::text("bond_xmit_hash_policy").of(Kind::Enum(&["layer2", "layer2+3", "layer3+4"])).opt(),
            Param::text("bridge_ports").form(Format::Unchecked("pve-iface-list")).opt(),
            Param::text("bridge_vids").form(Format::Unchecked("pve-vlan-id-or-range-list")).opt(),
            Param::text("bridge_vlan_aware").of(Kind::Boolean).opt(),
            Param::text("cidr").form(Format::Cidr4).opt(),
            Param::text("cidr6").form(Format::Cidr6).opt(),
            Param::text("comments").opt(),
            Param::text("comments6").opt(),
            Param::text("gateway").form(Format::Ip4).opt(),
            Param::text("gateway6").form(Format::Ip6).opt(),
            Param::text("mtu").of(Kind::Integer(Some(1280), Some(65520))).opt(),
            Param::text("netmask").form(Format::Unchecked("ipv4mask")).opt().needs("address"),
            Param::text("netmask6").of(Kind::Integer(Some(0), Some(128))).opt().needs("address6"),
            Param::text("ovs_bonds").form(Format::Unchecked("pve-iface-list")).opt(),
            Param::text("ovs_bridge").form(Format::Iface).opt(),
            Param::text("ovs_options").len(None, Some(1024)).opt(),
            Param::text("ovs_ports").form(Format::Unchecked("pve-iface-list")).opt(),
            Param::text("ovs_tag").of(Kind::Integer(Some(1), Some(4094))).opt(),
            Param::text("slaves").form(Format::Unchecked("pve-iface-list")).opt(),
            Param::text("type").of(Kind::Enum(IFACE_TYPES)),
            Param::text("vlan-id").of(Kind::Integer(Some(1), Some(4094))).opt(),
            Param::text("vlan-raw-device").form(Format::Iface).opt(),
            $($more),*
        ]
    };
}

const BOND_MODES: &[&str] = &[
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
    "balance-slb",
    "lacp-balance-slb",
    "lacp-balance-tcp",
];
const IFACE_TYPES: &[&str] = &[
    "bridge",
    "bond",
    "eth",
    "alias",
    "vlan",
    "fabric",
    "OVSBridge",
    "OVSBond",
    "OVSPort",
    "OVSIntPort",
    "vnet",
    "unknown",
];
const LIST_TYPES: &[&str] = &[
    "bridge",
    "bond",
    "eth",
    "alias",
    "vlan",
    "fabric",
    "OVSBridge",
    "OVSBond",
    "OVSPort",
    "OVSIntPort",
    "vnet",
    "any_bridge",
    "any_local_bridge",
    "include_sdn",
];
const TASK_PARAMS: &[Param] = &[
    NODE,
    Param::text("errors").of(Kind::Boolean).opt(),
    Param::text("limit").of(Kind::Integer(Some(0), None)).opt(),
    Param::text("since").of(Kind::Integer(None, None)).opt(),
    Param::text("source").of(Kind::Enum(&["archive", "active", "all"])).opt(),
    Param::text("start").of(Kind::Integer(Some(0), None)).opt(),
    Param::text("statusfilter").form(Format::Unchecked("pve-task-status-type-list")).opt(),
    Param::text("typefilter").opt(),
    Param::text("until").of(Kind::Integer(None, None)).opt(),
    Param::text("userfilter").opt(),
    Param::text("vmid")
        .of(Kind::Integer(Some(100), Some(999_999_999)))
        .form(Format::Unchecked("pve-vmid"))
        .opt(),
];
const LOG_PARAMS: &[Param] = &[
    NODE,
    UPID,
    Param::text("download").of(Kind::Boolean).opt(),
    Param::text("limit").of(Kind::Integer(Some(0), None)).opt(),
    Param::text("start").of(Kind::Integer(Some(0), None)).opt(),
];
const RESOURCE_PARAMS: &[Param] =
    &[Param::text("type").of(Kind::Enum(&["vm", "storage", "node", "sdn"])).opt()];

impl Method {
    pub(super) const fn new(
        verb: &'static str,
        path: &'static str,
        name: &'static str,
        params: &'static [Param],
        returns: Returns,
    ) -> Self {
        Self {
            verb,
            path,
            name,
            params,
            returns,
            child: None,
            proxied: false,
            since: Release::V9_0,
            partial: false,
        }
    }

    pub(super) const fn list(mut self, child: &'static str) -> Self {
        self.child = Some(child);
        self
    }

    pub(super) const fn remote(mut self) -> Self {
        self.proxied = true;
        self
    }

    pub(super) const fn part(mut self) -> Self {
        self.partial = true;
        self
    }

    pub(super) const fn from(mut self, since: Release) -> Self {
        self.since = since;
        self
    }
}

use Returns::{Array, Null, Object, Text};

/// Every method the stand-in has.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().chain(super::api_ceph::METHODS)
}

/// Those that have to do with nodes, network and tasks.
const METHODS: &[Method] = &[
    Method::new("GET", "/version", "version", &[], Object),
    Method::new("GET", "/cluster/status", "get_status", &[], Array),
    Method::new("GET", "/cluster/resources", "resources", RESOURCE_PARAMS, Array),
    Method::new("GET", "/nodes", "index", &[], Array).list("node"),
    Method::new("GET", "/cluster/sdn", "index", &[], Array).list("id"),
    Method::new("PUT", "/cluster/sdn", "reload", &[TOKEN, RELEASE_LOCK], Text),
    Method::new(
        "POST",
        "/cluster/sdn/lock",
        "lock",
        &[Param::text("allow-pending").of(Kind::Boolean).opt()],
        Text,
    ),
    Method::new(
        "DELETE",
        "/cluster/sdn/lock",
        "release_lock",
        &[Param::text("force").of(Kind::Boolean).opt(), TOKEN],
        Null,
    ),
    Method::new("POST", "/cluster/sdn/rollback", "rollback", &[TOKEN, RELEASE_LOCK], Null),
    Method::new("GET", "/cluster/sdn/dry-run", "dry-run", &[NODE], Object).remote().from(Release::V9_2),
    Method::new("GET", "/cluster/sdn/fabrics", "index", &[], Array).list("subdir"),
    Method::new("GET", "/cluster/sdn/fabrics/all", "list_all", &[PENDING, RUNNING], Object),
    Method::new("GET", "/cluster/sdn/fabrics/fabric", "index", &[PENDING, RUNNING], Array).list("id"),
    Method::new("POST", "/cluster/sdn/fabrics/fabric", "add_fabric", fabric_properties!(), Null),
    Method::new("GET", "/cluster/sdn/fabrics/fabric/{id}", "get_fabric", &[ID], Object),
    Method::new(
        "PUT",
        "/cluster/sdn/fabrics/fabric/{id}",
        "update_fabric",
        fabric_properties!(Param::text("delete").of(Kind::Words(&["hello_interval", "csnp_interval"])).opt()),
        Null,
    ),
    Method::new("DELETE", "/cluster/sdn/fabrics/fabric/{id}", "delete_fabric", &[ID], Null),
    Method::new("GET", "/cluster/sdn/fabrics/node", "list_nodes", &[PENDING, RUNNING], Array)
        .list("fabric_id"),
    Method::new(
        "GET",
        "/cluster/sdn/fabrics/node/{fabric_id}",
        "list_nodes_fabric",
        &[FABRIC_ID, PENDING, RUNNING],
        Array,
    )
    .list("node_id"),
    Method::new("POST", "/cluster/sdn/fabrics/node/{fabric_id}", "add_node", node_properties!(), Null),
    Method::new(
        "GET",
        "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}",
        "get_node",
        &[FABRIC_ID, NODE_ID],
        Object,
    ),
    Method::new(
        "PUT",
        "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}",
        "update_node",
        node_properties!(Param::text("delete").of(Kind::Words(&["interfaces", "ip", "ip6"])).opt()),
        Null,
    ),
    Method::new(
        "DELETE",
        "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}",
        "delete_node",
        &[FABRIC_ID, NODE_ID],
        Null,
    ),
    Method::new(
        "GET",
        "/nodes/{node}/network",
        "index",
        &[NODE, Param::text("type").of(Kind::Enum(LIST_TYPES)).opt()],
        Array,
    )
    .list("iface")
    .remote(),
    Method::new("POST", "/nodes/{node}/network", "create_network", interface_properties!(), Null).remote(),
    Method::new(
        "PUT",
        "/nodes/{node}/network",
        "reload_network_config",
        &[NODE, Param::text("regenerate-frr").of(Kind::Boolean).opt()],
        Text,
    )
    .remote(),
    Method::new("DELETE", "/nodes/{node}/network", "revert_network_changes", &[NODE], Null).remote(),
    Method::new("GET", "/nodes/{node}/network/{iface}", "network_config", &[NODE, IFACE], Object).remote(),
    Method::new(
        "PUT",
        "/nodes/{node}/network/{iface}",
        "update_network",
        interface_properties!(Param::text("delete").form(Format::Unchecked("pve-configid-list")).opt()),
        Null,
    )
    .remote(),
    Method::new("DELETE", "/nodes/{node}/network/{iface}", "delete_network", &[NODE, IFACE], Null).remote(),
    Method::new("GET", "/nodes/{node}/sdn", "sdnindex", &[NODE], Array).list("name").remote(),
    Method::new("GET", "/nodes/{node}/sdn/fabrics/{fabric}", "diridx", &[FABRIC, NODE], Array)
        .list("subdir")
        .from(Release::V9_1),
    Method::new("GET", "/nodes/{node}/sdn/fabrics/{fabric}/interfaces", "interfaces", &[FABRIC, NODE], Array)
        .remote()
        .from(Release::V9_1),
    Method::new("GET", "/nodes/{node}/sdn/fabrics/{fabric}/neighbors", "neighbors", &[FABRIC, NODE], Array)
        .remote()
        .from(Release::V9_1),
    Method::new("GET", "/nodes/{node}/sdn/fabrics/{fabric}/routes", "routes", &[FABRIC, NODE], Array)
        .remote()
        .from(Release::V9_1),
    Method::new("GET", "/nodes/{node}/tasks", "node_tasks", TASK_PARAMS, Array).list("upid").remote(),
    Method::new("GET", "/nodes/{node}/tasks/{upid}", "upid_index", &[NODE, UPID], Array).list("name"),
    Method::new("GET", "/nodes/{node}/tasks/{upid}/log", "read_task_log", LOG_PARAMS, Array).remote(),
    Method::new("GET", "/nodes/{node}/tasks/{upid}/status", "read_task_status", &[NODE, UPID], Object)
        .remote(),
];

/// A method found for a path, with the values of its variable parts.
pub type Found = (&'static Method, Vec<(&'static str, String)>);

/// The method of `verb` at `path` in that release.
#[must_use]
pub fn find(verb: &str, path: &str, release: Release) -> Option<Found> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    methods()
        .filter(|method| method.verb == verb && method.since <= release)
        .filter_map(|method| Some((method, matches(method.path, &parts)?)))
        // A literal part wins over a variable one.
        .min_by_key(|(_, variables)| variables.len())
}

fn matches(pattern: &'static str, parts: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let wanted: Vec<&'static str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if wanted.len() != parts.len() {
        return None;
    }
    let mut variables = Vec::new();
    for (want, part) in wanted.into_iter().zip(parts) {
        match want.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) => variables.push((name, (*part).to_owned())),
            None if want == *part => {}
            None => return None,
        }
    }
    Some(variables)
}
