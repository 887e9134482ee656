//! Making a lab: image, layer, namespaces, cables, nodes. Whatever is made outside the lab's folder is in its
//! record first; a run cut short anywhere can be taken down.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cable;
use crate::cgroup;
use crate::disk;
use crate::keeper;
use crate::lab::{Lab, LabError, check_name, parent};
use crate::layer;
use crate::netns;
use crate::node;
use crate::probe::{self, Features};
use crate::program;
use crate::rootfs::{self, SharedKey};
use crate::state::{
    NodeRecord, Object, Phase, PveRelease, Record, SWITCH, Transport, file_error, mgmt_netns, object_name,
};
use crate::{access, image, specfile};

/// How long a node may take to answer on its ssh port.
const PATIENCE: Duration = Duration::from_secs(90);

/// A node to be.
#[derive(Debug, Clone)]
pub struct NodeWish {
    /// Host name.
    pub name: String,
    /// Management address.
    pub address: Ipv4Addr,
    /// Names of its Ethernet ports, by number; empty for `enp1s0`, `enp2s0`, …
    pub ports: Vec<String>,
}

/// A cable to be: node and port number at both ends.
#[derive(Debug, Clone)]
pub struct CableWish {
    /// One end.
    pub a: (String, u32),
    /// The other.
    pub b: (String, u32),
}

/// A lab to be.
#[derive(Debug, Clone)]
pub struct UpRequest {
    /// Its name.
    pub name: String,
    /// Its nodes, at least one.
    pub nodes: Vec<NodeWish>,
    /// Its cables; none with a switch.
    pub cables: Vec<CableWish>,
    /// What joins the nodes.
    pub transport: Transport,
    /// What they pretend to be.
    pub pve: PveRelease,
    /// The executable that serves as proxy, keeper and stand-in.
    pub binary: PathBuf,
    /// The user's own spec, where there is one.
    pub spec_text: Option<String>,
    /// What to leave out: `frr` (nodes without it), `key` (no key deployed, no host known).
    pub without: Vec<String>,
    /// Whether the spec written for it names the free disks as OSDs.
    pub ceph: bool,
    /// How many free disks a node has.
    pub disks: u32,
    /// How large each of them is, in bytes.
    pub disk_size: u64,
}

/// A stage of `up` that is over.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What was done.
    pub what: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it is only announced, since it will take long.
    pub begins: bool,
}

/// Tells stages and their times.
struct Stages<'a> {
    tell: &'a mut dyn FnMut(Progress),
    last: Instant,
}

impl Stages<'_> {
    fn begins(&mut self, what: &str) {
        (self.tell)(Progress { what: what.to_owned(), took: Duration::ZERO, begins: true });
    }

    fn done(&mut self, what: String) {
        (self.tell)(Progress { what, took: self.last.elapsed(), begins: false });
        self.last = Instant::now();
    }
}

/// Makes a lab and waits until every node answers on its ssh port.
///
/// # Errors
/// The wish is not possible, this machine lacks something, or a lab of that name exists. What was made so far
/// stays for [`Lab::down`].
pub fn up(request: &UpRequest, tell: &mut dyn FnMut(Progress)) -> Result<Lab, LabError> {
    check(request)?;
    let lab = Lab { parent: parent(), name: request.name.clone() };
    let lock = lab.lock()?;
    if lab.dir().exists() {
        return Err(LabError::Exists(request.name.clone()));
    }
    let made = make(&lab, request, tell);
    if !lab.dir().exists() {
        lock.remove();
    }
    made.map(|()| lab)
}

fn make(lab: &Lab, request: &UpRequest, tell: &mut dyn FnMut(Progress)) -> Result<(), LabError> {
    let mut stages = Stages { tell, last: Instant::now() };
    let features = probe::probe(&lab.parent)?;
    probe::room(request.nodes.len())?;
    if !image::is_built() {
        stages.begins("building the node image from Debian's packages, once: about a minute");
    }
    let lower = layer::ensure(request.pve, &request.without, &features)?;
    stages.done("node image".to_owned());
    let mut record = plan(lab, request, features, lower);
    refuse_strangers(&record)?;
    fs::create_dir_all(lab.dir()).map_err(file_error(&lab.dir()))?;
    record.save(&lab.dir())?;
    write_folder(lab, &record, request)?;
    stages.done("node files and keys".to_owned());
    wire(lab, &record)?;
    let cables = record.cables.len();
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let nodes = record.nodes.len();
    stages.done(format!("{nodes} namespace{}, {cables} cable{}", s(nodes), s(cables)));
    for node in &record.nodes {
        node::spawn_keeper(lab, &record, &node.name)?;
    }
    wait_all(lab, &record)?;
    record.phase = Phase::Up;
    record.save(&lab.dir())?;
    let all = if nodes == 1 { "" } else { " on all" };
    stages.done(format!("{nodes} node{} booted, ssh answers{all}", s(nodes)));
    Ok(())
}

fn wish(reason: String) -> LabError {
    LabError::Wish(reason)
}

fn check(request: &UpRequest) -> Result<(), LabError> {
    check_name(&request.name)?;
    if request.nodes.is_empty() || request.nodes.len() > 64 {
        return Err(wish(format!("a lab has 1 to 64 nodes, not {}", request.nodes.len())));
    }
    for (index, node) in request.nodes.iter().enumerate() {
        let earlier = &request.nodes[..index];
        let fits = (1..=32).contains(&node.name.len())
            && node.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !node.name.starts_with('-');
        if !fits || [SWITCH, "mgmt", keeper::CGROUP, "all"].contains(&node.name.as_str()) {
            return Err(wish(format!("`{}` cannot be the name of a lab node", node.name)));
        }
        if earlier.iter().any(|other| other.name == node.name || other.address == node.address) {
            return Err(wish(format!("node `{}` has the name or address of another", node.name)));
        }
    }
    let mut used: Vec<&(String, u32)> = Vec::new();
    for end in request.cables.iter().flat_map(|cable| [&cable.a, &cable.b]) {
        if !request.nodes.iter().any(|node| node.name == end.0) {
            return Err(wish(format!("a cable ends at `{}`, which is no node", end.0)));
        }
        if end.1 > 15 || used.contains(&end) {
            return Err(wish(format!("port {} of `{}` is used twice or past the 16th", end.1, end.0)));
        }
        used.push(end);
    }
    let plain = |name: &str| {
        (1..=15).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    for node in &request.nodes {
        let twice = (1..node.ports.len()).any(|at| node.ports[..at].contains(&node.ports[at]));
        if twice
            || node.ports.iter().any(|name| !plain(name) || ["lo", "eno1", "vmbr0"].contains(&name.as_str()))
        {
            return Err(wish(format!(
                "port names of `{}` cannot be had: {}",
                node.name,
                node.ports.join(", ")
            )));
        }
    }
    if let Some(cable) = request.cables.iter().find(|cable| cable.a.0 == cable.b.0) {
        return Err(wish(format!("a cable joins `{}` to itself", cable.a.0)));
    }
    if request.disks > 16 || request.disk_size < 1 << 30 || !request.disk_size.is_multiple_of(1 << 20) {
        return Err(wish("a node has at most 16 free disks, each of 1 GiB or more, in whole MiB".to_owned()));
    }
    if let Some(part) = request.without.iter().find(|part| !["frr", "key"].contains(&part.as_str())) {
        return Err(wish(format!("`{part}` cannot be left out: frr or key")));
    }
    let dir = parent();
    if !dir.is_absolute() || dir.to_string_lossy().contains([':', ',', '"', '\'', '\\', '\n']) {
        return Err(wish(format!(
            "labs cannot be kept in {}: an absolute path without :,\"'\\",
            dir.display()
        )));
    }
    Ok(())
}

/// The record of the lab to be, with every object it will make.
fn plan(lab: &Lab, request: &UpRequest, features: Features, lower: Vec<PathBuf>) -> Record {
    let nodes: Vec<NodeRecord> = (1..)
        .zip(&request.nodes)
        .map(|(id, node)| NodeRecord {
            name: node.name.clone(),
            id,
            address: node.address,
            powered: true,
            boot: 1,
            ports: node.ports.clone(),
            disks: disk::records(&lab.name, &node.name, request.disks, request.disk_size),
        })
        .collect();
    let cables = if request.transport == Transport::Switch {
        (0..)
            .zip(&nodes)
            .map(|(port, node)| cable::record(&lab.name, (&node.name, 0), (SWITCH, port)))
            .collect()
    } else {
        let ends = request.cables.iter().map(|cable| ((&*cable.a.0, cable.a.1), (&*cable.b.0, cable.b.1)));
        ends.map(|(a, b)| cable::record(&lab.name, a, b)).collect()
    };
    // Keepers come first: once they are gone nothing is started any more.
    let mut objects = vec![Object::Cgroup(object_name(&lab.name, keeper::CGROUP))];
    objects.extend(nodes.iter().flat_map(|node| node::objects(&lab.name, &node.name)));
    objects.push(Object::Loops(disk::folder(lab)));
    objects.push(Object::Netns(mgmt_netns(&lab.name)));
    if request.transport == Transport::Switch {
        objects.push(Object::Netns(object_name(&lab.name, SWITCH)));
    }
    if cgroup::mounted().is_none() {
        objects.push(Object::Mount(lab.dir().join("cgroup")));
    }
    let addresses: Vec<Ipv4Addr> = nodes.iter().map(|node| node.address).collect();
    let prefix_len = common_prefix(&addresses);
    Record {
        format: 1,
        name: lab.name.clone(),
        phase: Phase::Building,
        transport: request.transport,
        pve: request.pve,
        lower,
        gateway: gateway(&addresses, prefix_len),
        prefix_len,
        without: request.without.clone(),
        features,
        nodes,
        cables,
        objects,
    }
}

/// The longest prefix, at most 24 bits, that holds all addresses.
fn common_prefix(addresses: &[Ipv4Addr]) -> u8 {
    let first = addresses.first().map_or(0, |address| u32::from(*address));
    let different = addresses.iter().fold(0, |bits, address| bits | (u32::from(*address) ^ first));
    u8::try_from(different.leading_zeros()).unwrap_or(0).min(24)
}

/// The first address of the network no node has.
fn gateway(addresses: &[Ipv4Addr], prefix_len: u8) -> Ipv4Addr {
    let first = addresses.first().map_or(0, |address| u32::from(*address));
    let network = first & u32::MAX.checked_shl(32 - u32::from(prefix_len)).unwrap_or(0);
    let free = (network + 1..).map(Ipv4Addr::from).find(|address| !addresses.contains(address));
    free.unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Namespaces of these names that exist already belong to somebody else: without a record, nothing says otherwise.
fn refuse_strangers(record: &Record) -> Result<(), LabError> {
    for object in &record.objects {
        if let Object::Netns(name) = object
            && netns::exists(name)
        {
            return Err(wish(format!(
                "a network namespace `{name}` exists already, and not of this lab (another $RINGBOLT_LAB_DIR?)"
            )));
        }
    }
    Ok(())
}

fn write_folder(lab: &Lab, record: &Record, request: &UpRequest) -> Result<(), LabError> {
    let dir = lab.dir();
    for folder in ["bin", "nodes", "pve/priv", "cgroup"].map(|folder| dir.join(folder)) {
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    }
    let binary = dir.join("bin/ringbolt");
    fs::copy(&request.binary, &binary).map_err(file_error(&request.binary))?;
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).map_err(file_error(&binary))?;
    let client = access::key_pair(&dir.join("id_ed25519"), &format!("ringbolt lab {}", lab.name))?;
    let shared_path = dir.join("nodes/id_ed25519");
    let public = access::key_pair(&shared_path, "root@lab")?;
    let shared = SharedKey { path: shared_path, public };
    let mut host_keys = Vec::new();
    for node in &record.nodes {
        host_keys.push(rootfs::write(lab, record, node, &shared)?);
    }
    let known = access::known_hosts(record, &host_keys);
    let mut authorized = format!("{}\n", shared.public);
    if !record.without.iter().any(|part| part == "key") {
        authorized.push_str(&format!("{client}\n"));
    }
    write_pve(record, &dir.join("pve"), &authorized, &known).map_err(file_error(&dir.join("pve")))?;
    access::write(lab, record, &known)?;
    let spec = specfile::text(record, request.spec_text.as_deref(), request.ceph);
    fs::write(lab.spec(), spec).map_err(file_error(&lab.spec()))?;
    Ok(())
}

/// The folder all nodes see as `/etc/pve`; what differs from node to node leads to the node's own `/run`.
fn write_pve(record: &Record, pve: &Path, authorized: &str, known: &str) -> std::io::Result<()> {
    fs::set_permissions(pve.join("priv"), fs::Permissions::from_mode(0o700))?;
    fs::write(pve.join("priv/authorized_keys"), authorized)?;
    fs::set_permissions(pve.join("priv/authorized_keys"), fs::Permissions::from_mode(0o600))?;
    fs::write(pve.join("priv/known_hosts"), known)?;
    for (name, to) in
        [(".members", "members"), ("local", "local"), (".version", "version"), (".vmlist", "vmlist")]
    {
        symlink(format!("/run/ringbolt-lab/{to}"), pve.join(name))?;
    }
    for node in &record.nodes {
        fs::create_dir_all(pve.join("nodes").join(&node.name))?;
    }
    let nodes: Vec<serde_json::Value> = record
        .nodes
        .iter()
        .map(|node| serde_json::json!({"name": node.name, "id": node.id, "address": node.address}))
        .collect();
    let cluster = serde_json::json!({"cluster": record.name, "nodes": nodes});
    fs::write(pve.join("ringbolt-lab.json"), format!("{cluster:#}\n"))?;
    // As Proxmox's installer leaves it.
    fs::write(pve.join("storage.cfg"), "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n")?;
    fs::write(pve.join("datacenter.cfg"), "keyboard: en-us\n")
}

/// Makes the namespaces and cables; all of them are in the record.
fn wire(lab: &Lab, record: &Record) -> Result<(), LabError> {
    for object in &record.objects {
        if let Object::Mount(path) = object {
            let args = ["-t".as_ref(), "cgroup2".as_ref(), "none".as_ref(), path.as_os_str()];
            program::run("mount", &args)?;
        }
    }
    let mgmt = mgmt_netns(&lab.name);
    let bridge = node::BRIDGE;
    netns::add(&mgmt)?;
    netns::batch(
        &mgmt,
        &format!(
            "link add {bridge} type bridge\naddress add {}/{} dev {bridge}\nlink set {bridge} up\n",
            record.gateway, record.prefix_len
        ),
    )?;
    if record.transport == Transport::Switch {
        let (name, bridge) = (object_name(&lab.name, SWITCH), cable::BRIDGE);
        netns::add(&name)?;
        netns::batch(&name, &format!("link add {bridge} mtu 65535 type bridge\nlink set {bridge} up\n"))?;
    }
    for node in &record.nodes {
        node::create(lab, record, &node.name)?;
        disk::attach(lab, node)?;
    }
    record.cables.iter().try_for_each(|cable| cable::plug(lab, record, cable))
}

fn wait_all(lab: &Lab, record: &Record) -> Result<(), LabError> {
    std::thread::scope(|scope| {
        let waits: Vec<_> =
            record.nodes.iter().map(|node| scope.spawn(|| lab.wait_ready(&node.name, PATIENCE))).collect();
        waits.into_iter().try_for_each(|wait| match wait.join() {
            Ok(result) => result.map(drop),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> UpRequest {
        let node = |id: u8| NodeWish {
            name: format!("n{id}"),
            address: Ipv4Addr::new(10, 11, 12, 10 + id),
            ports: Vec::new(),
        };
        UpRequest {
            name: "t".into(),
            nodes: vec![node(1), node(2)],
            cables: vec![CableWish { a: ("n1".into(), 0), b: ("n2".into(), 0) }],
            transport: Transport::Thunderbolt,
            pve: PveRelease::V9_2,
            binary: "/bin/true".into(),
            spec_text: None,
            without: Vec::new(),
            ceph: false,
            disks: 2,
            disk_size: 10 << 30,
        }
    }

    fn refused(change: impl FnOnce(&mut UpRequest), word: &str) {
        let mut wish = request();
        change(&mut wish);
        let error = check(&wish).expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn wishes_that_make_no_lab() {
        assert!(check(&request()).is_ok());
        refused(|wish| wish.nodes.clear(), "1 to 64");
        refused(|wish| wish.nodes[1].name = "n1".into(), "another");
        refused(|wish| wish.nodes[1].name = "switch".into(), "switch");
        refused(|wish| wish.cables[0].b.0 = "n9".into(), "n9");
        refused(|wish| wish.cables[0].b = ("n1".into(), 1), "itself");
        refused(|wish| wish.cables.push(wish.cables[0].clone()), "twice");
        refused(|wish| wish.without.push("ssh".into()), "ssh");
        refused(|wish| wish.disk_size = 1 << 20, "1 GiB");
        refused(|wish| wish.disks = 17, "16");
        refused(|wish| wish.name = "A".into(), "A");
    }

    #[test]
    fn management_networks() {
        let near = [Ipv4Addr::new(10, 11, 12, 1), Ipv4Addr::new(10, 11, 12, 2)];
        assert_eq!(common_prefix(&near), 24);
        assert_eq!(gateway(&near, 24), Ipv4Addr::new(10, 11, 12, 3));
        let far = [Ipv4Addr::new(10, 11, 12, 11), Ipv4Addr::new(10, 11, 13, 11)];
        assert_eq!(common_prefix(&far), 23);
        assert_eq!(gateway(&far, 23), Ipv4Addr::new(10, 11, 12, 1));
    }

    #[test]
    fn everything_made_is_in_the_plan() {
        let lab = Lab { parent: "/x".into(), name: "t".into() };
        let record = plan(&lab, &request(), Features::default(), Vec::new());
        for name in ["rb-t-n1", "rb-t-n2", "rb-t-mgmt"] {
            assert!(record.objects.contains(&Object::Netns(name.into())), "{name}");
        }
        assert_eq!(record.objects[0], Object::Cgroup("rb-t-keepers".into()));
        let switch = UpRequest { transport: Transport::Switch, cables: Vec::new(), ..request() };
        let record = plan(&lab, &switch, Features::default(), Vec::new());
        assert!(record.objects.contains(&Object::Netns("rb-t-switch".into())));
        assert_eq!(record.cables.len(), 2);
        assert!(record.cables[1].joins("n2", SWITCH));
    }
}
