//! What is a node's own: the files written into its overlay before its first boot, as Proxmox's installer and
//! the lab's hardware would have left them. Used by `up` only.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::access::key_pair;
use crate::cable;
use crate::hardware::{pci_address, service};
use crate::lab::{Lab, LabError};
use crate::layer::{HOME, STAND_INS};
use crate::state::{End, NodeRecord, Record, Transport, file_error, uuid};

/// The key pair Proxmox's nodes share to reach one another.
#[derive(Debug)]
pub(crate) struct SharedKey {
    /// Private half.
    pub(crate) path: PathBuf,
    /// Public half.
    pub(crate) public: String,
}

/// Writes a node's overlay and its sysfs tree; returns its public host key.
pub(crate) fn write(
    lab: &Lab,
    record: &Record,
    node: &NodeRecord,
    shared: &SharedKey,
) -> Result<String, LabError> {
    let dir = lab.node_dir(&node.name);
    let upper = dir.join("upper");
    for folder in ["etc/ssh", "root/.ssh", "var"].map(|folder| upper.join(folder)) {
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    }
    for folder in ["work", "root", "sys/block"].map(|folder| dir.join(folder)) {
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    }
    let host_key = key_pair(&upper.join("etc/ssh/ssh_host_ed25519_key"), &format!("root@{}", node.name))?;
    write_texts(lab, record, node, &upper).map_err(file_error(&upper))?;
    write_root(&upper, shared).map_err(file_error(&upper))?;
    if record.transport == Transport::Thunderbolt {
        cable::tree(lab, &node.name)
            .create(record.ports(&node.name).max(2))
            .map_err(file_error(&dir.join("sys")))?;
    }
    let meminfo = dir.join("sys/meminfo");
    fs::write(&meminfo, include_str!("../assets/meminfo")).map_err(file_error(&meminfo))?;
    stamp(&upper).map_err(file_error(&upper))?;
    Ok(host_key)
}

fn write_texts(lab: &Lab, record: &Record, node: &NodeRecord, upper: &Path) -> std::io::Result<()> {
    let name = &node.name;
    let machine_id = uuid(&format!("{}/{name}/machine", lab.name)).replace('-', "");
    let texts = [
        ("etc/hostname", format!("{name}\n")),
        (
            "etc/hosts",
            format!(
                "127.0.0.1 localhost.localdomain localhost\n{} {name}.lab.internal {name}\n",
                node.address
            ),
        ),
        ("etc/machine-id", format!("{machine_id}\n")),
        ("etc/network/interfaces", interfaces(record, node)),
        ("etc/ringbolt/realm.json", realm(lab, record)),
        ("etc/udev/rules.d/79-ringbolt-lab.rules", early_rules(record, name)),
        ("etc/udev/rules.d/99-ringbolt-lab.rules", late_rules(record, name)),
        ("etc/systemd/system/systemd-udevd.service.d/ringbolt-lab.conf", shim(record, name)),
    ];
    for (path, text) in texts {
        let path = upper.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// As Proxmox's installer writes it: a bridge over the management port, further ports manual, the `source` line.
fn interfaces(record: &Record, node: &NodeRecord) -> String {
    let mut text = String::from("auto lo\niface lo inet loopback\n\niface eno1 inet manual\n\n");
    if record.transport != Transport::Thunderbolt {
        for port in 0..record.ports(&node.name) {
            text.push_str(&format!("iface {} inet manual\n\n", record.ethernet_name(&node.name, port)));
        }
    }
    text.push_str(&format!(
        "auto vmbr0\niface vmbr0 inet static\n\taddress {}/{}\n\tgateway {}\n\tbridge-ports eno1\n\t\
         bridge-stp off\n\tbridge-fd 0\n\n\nsource /etc/network/interfaces.d/*\n",
        node.address, record.prefix_len, record.gateway
    ));
    text
}

/// Tells whoever reads the node that it is in a lab, and what is not real about it.
fn realm(lab: &Lab, record: &Record) -> String {
    let mut stand_ins = STAND_INS.to_vec();
    stand_ins.extend([
        "pmxcfs",
        "update-initramfs",
        "disks",
        "smartctl",
        "memory",
        "ceph packages",
        "ceph lab fixes",
    ]);
    let thunderbolt = record.transport == Transport::Thunderbolt;
    if thunderbolt {
        stand_ins.push("thunderbolt");
    }
    let value = serde_json::json!({
        "realm": "lab",
        "lab": lab.name,
        "pve": record.pve,
        "sysfs": format!("{HOME}/sys"),
        "stand_ins": stand_ins,
    });
    format!("{value:#}\n")
}

fn ends<'a>(record: &'a Record, node: &'a str) -> impl Iterator<Item = &'a End> {
    record.cables.iter().flat_map(|cable| [&cable.a, &cable.b]).filter(move |end| end.node == node)
}

/// Before names are given: the place each port has in the machine.
fn early_rules(record: &Record, node: &str) -> String {
    let mut text = String::from("# The lab's hardware: where each port sits.\n");
    for end in ends(record, node) {
        let path = match record.transport {
            Transport::Thunderbolt => pci_address(end.port),
            Transport::Ethernet | Transport::Switch => format!("0000:{:02x}:00.0", end.port + 1),
        };
        let tag = path.replace([':', '.'], "_");
        text.push_str(&format!(
            "SUBSYSTEM==\"net\", ACTION!=\"remove\", ATTR{{address}}==\"{}\", ENV{{ID_PATH}}=\"pci-{path}\", \
             ENV{{ID_PATH_TAG}}=\"pci-{tag}\"\n",
            end.mac
        ));
    }
    text
}

/// After names are given: which interface a Thunderbolt service has.
fn late_rules(record: &Record, node: &str) -> String {
    let mut text = String::from("# The lab's hardware: which interface a Thunderbolt service has.\n");
    if record.transport == Transport::Thunderbolt {
        for end in ends(record, node) {
            text.push_str(&format!(
                "SUBSYSTEM==\"net\", ACTION==\"add|move\", ATTR{{address}}==\"{}\", \
                 RUN+=\"{HOME}/net-name {} $name\"\n",
                end.mac,
                service(end.port)
            ));
        }
    }
    text
}

/// Lets udev see a Thunderbolt driver on the lab's cables.
fn shim(record: &Record, node: &str) -> String {
    if record.transport != Transport::Thunderbolt {
        return "# Ethernet ports need nothing here.\n".to_owned();
    }
    let addresses: Vec<&str> = ends(record, node).map(|end| end.mac.as_str()).collect();
    format!(
        "[Service]\nEnvironment=LD_PRELOAD={HOME}/ethtool.so\nEnvironment=RINGBOLT_LAB_THUNDERBOLT={}\n",
        addresses.join(",")
    )
}

/// Root's own folder: the key all nodes share, and as on Proxmox the lists all nodes share.
fn write_root(upper: &Path, shared: &SharedKey) -> std::io::Result<()> {
    let ssh = upper.join("root/.ssh");
    for folder in [upper.join("root"), ssh.clone()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    fs::copy(&shared.path, ssh.join("id_ed25519"))?;
    fs::write(ssh.join("id_ed25519.pub"), format!("{}\n", shared.public))?;
    symlink("/etc/pve/priv/authorized_keys", ssh.join("authorized_keys"))?;
    symlink("/etc/pve/priv/known_hosts", upper.join("etc/ssh/ssh_known_hosts"))
}

/// Says that nothing has to be brought up to date at boot: everything below is older than this.
fn stamp(upper: &Path) -> std::io::Result<()> {
    fs::write(upper.join("etc/.updated"), "")?;
    fs::write(upper.join("var/.updated"), "")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::sample::lab;

    #[test]
    fn interfaces_look_like_the_installers() {
        let (_, record) = lab(Transport::Thunderbolt);
        let text = interfaces(&record, &record.nodes[0]);
        assert!(text.contains(
            "auto vmbr0\niface vmbr0 inet static\n\taddress 10.11.12.11/24\n\tgateway 10.11.12.1\n"
        ));
        assert!(text.ends_with("\nsource /etc/network/interfaces.d/*\n"));
        assert!(!text.contains("enp1s0"));
        let (_, record) = lab(Transport::Ethernet);
        assert!(interfaces(&record, &record.nodes[0]).contains("iface enp1s0 inet manual\n"));
    }

    #[test]
    fn rules_tie_place_to_address() {
        let (_, record) = lab(Transport::Thunderbolt);
        let rules = early_rules(&record, "n2");
        assert!(rules.contains("pci-0000:00:0d.3") && rules.contains(&record.cables[0].b.mac), "{rules}");
        assert!(late_rules(&record, "n2").contains("net-name 1-1.0 $name"));
        assert!(shim(&record, "n1").contains(&record.cables[0].a.mac));
    }

    #[test]
    fn the_realm_names_its_stand_ins() {
        let (lab, record) = lab(Transport::Thunderbolt);
        let value: serde_json::Value = serde_json::from_str(&realm(&lab, &record)).unwrap();
        assert_eq!(value["realm"], "lab");
        assert_eq!(value["pve"], "9.1");
        assert!(value["stand_ins"].as_array().unwrap().contains(&"thunderbolt".into()));
    }
}
