//! What the nodes of a lab are, thing by thing: every file below `/etc`, what the kernel, systemd, dpkg and FRR say,
//! and what must not be there. Two shots of labs that went the same way in the end are equal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use similar::TextDiff;

use crate::process;
use crate::rig::Rig;

/// Files that differ from lab to lab, or hold a count of what was done.
const LEFT_OUT: [(&str, &str); 6] = [
    ("/etc/ssh/ssh_host_", "keys are made with each lab"),
    ("/etc/pve/priv/authorized_keys", "keys are made with each lab"),
    ("/etc/pve/priv/known_hosts", "keys are made with each lab"),
    ("/etc/pve/priv/lock/", "Proxmox VE's own short locks, empty files"),
    ("/etc/pve/ringbolt-lab.json", "the lab's own"),
    (
        "/etc/iproute2/rt_tables.d/ifupdown2_vrf_map.conf",
        "ifupdown2's own: a reload makes it, a boot takes it away",
    ),
];

/// Files in which Proxmox VE's managers of high availability say again and again that they live, with the time.
const ALIVE: [&str; 2] = ["/lrm_status", "/manager_status"];

/// What the node says of itself, by name: programs whose words are compared.
const WORDS: [(&str, &str); 9] = [
    (
        "packages",
        "dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'; dpkg --audit; ls /var/lib/dpkg/updates",
    ),
    ("enabled units", "systemctl list-unit-files --state=enabled --no-legend --plain"),
    // Proxmox VE's own unit fails at a boot that finds the lock of an apply the power cut ended; the next boot's does not.
    ("failed units", "systemctl list-units --failed --no-legend --plain | grep -v pve-sdn-commit; true"),
    // The lab's own are always there; those of ports come and go with their interface.
    (
        "units of ours",
        "systemctl list-units --all --no-legend --plain 'ringbolt-*' | grep -v -e ringbolt-lab -e ringbolt-port; true",
    ),
    (
        "kernel settings",
        "cat /etc/sysctl.d/*ringbolt* | sed -n 's/^ *\\([a-z][^ =]*\\) *=.*/\\1/p' | sort -u | xargs -r sysctl",
    ),
    (
        "interfaces",
        "cd /sys/class/net && for i in *; do echo $i $(cat $i/mtu) $(cat $i/operstate); done; ip -o addr show scope global | awk '{print $2, $3, $4}' | sort",
    ),
    ("FRR", "systemctl is-active frr; vtysh -c 'show running-config'"),
    ("cables of the last apply", "cat /var/lib/ringbolt/cabling"),
    // An upload that is being written is younger than two minutes.
    (
        "leftover files",
        "find / -xdev \\( -name '*.ringbolt-*' -o -name '*.dpkg-new' -o -name '*.dpkg-tmp' \\) ! -path '/proc/*'; find /var/lib/ringbolt -name '*.tmp' -o -name '*.upload-*' -mmin +2; ls -d /etc/pve/sdn/.lock /etc/network/interfaces.new 2>/dev/null; true",
    ),
];

/// Programs that an agent starts, and the agent itself: none may outlive an apply.
const ORPHANS: [&str; 9] =
    ["agent", "apt-get", "dpkg", "ifreload", "ifup", "pvesh", "pveceph", "frr-reload.py", "ssh"];

/// Most bytes `/var/lib/ringbolt` may hold beside the agent, after one lab's applies.
const GROWN: u64 = 4_000_000;

/// Everything, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shot(BTreeMap<String, String>);

/// Looks at all nodes.
pub(crate) fn take(rig: &Rig) -> Shot {
    let mut shot = Shot::default();
    let nodes = rig.nodes();
    for (at, node) in nodes.iter().enumerate() {
        let init = process::init(rig.name(), node).unwrap_or_else(|| panic!("{node} does not run"));
        let root = Path::new("/proc").join(init.to_string()).join("root");
        shot.walk(node, &root, "/etc");
        if at == 0 {
            shot.walk("all nodes", &root, "/etc/pve");
        }
        for (name, program) in WORDS {
            shot.0.insert(format!("{node}: {name}"), rig.exec(node, &["sh", "-c", program]));
        }
        shot.0.insert(format!("{node}: left running"), orphans(rig.name(), node).join("\n"));
        let grown = size(&root.join("var/lib/ringbolt"));
        let bounded = if grown > GROWN { format!("{grown} bytes") } else { "bounded".into() };
        shot.0.insert(format!("{node}: size of /var/lib/ringbolt"), bounded);
    }
    shot
}

/// Programs of ours that still run in a node.
pub(crate) fn orphans(lab: &str, node: &str) -> Vec<String> {
    let ours = |p: &process::Process| {
        let names = p.words.iter().take(2).map(|w| w.rsplit('/').next().unwrap_or_default());
        p.in_node(lab, node) && (p.is_agent() || names.into_iter().any(|n| ORPHANS[1..].contains(&n)))
    };
    process::all().into_iter().filter(ours).map(|p| p.words.join(" ")).collect()
}

impl Shot {
    fn walk(&mut self, owner: &str, root: &Path, folder: &str) {
        let below = root.join(&folder[1..]);
        for entry in fs::read_dir(&below).into_iter().flatten().flatten() {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            // What all nodes see is walked once.
            // Lock files of `groupadd` and `useradd`, named after the process; the next one passes over the dead's.
            let of_shadow = ["/etc/passwd.", "/etc/shadow.", "/etc/group.", "/etc/gshadow."];
            let debris = |head: &&str| {
                name.strip_prefix(*head).is_some_and(|pid| pid.bytes().all(|b| b.is_ascii_digit()))
            };
            if of_shadow.iter().any(debris) {
                continue;
            }
            if name == "/etc/pve" || LEFT_OUT.iter().any(|(out, _)| name.starts_with(out)) {
                continue;
            }
            if ALIVE.iter().any(|end| name.ends_with(end)) {
                continue;
            }
            let Ok(about) = entry.metadata() else { continue };
            let head = format!("{:o} {}:{}", about.mode(), about.uid(), about.gid());
            let body = if about.is_dir() {
                self.walk(owner, root, &name);
                String::new()
            } else if about.is_symlink() {
                fs::read_link(entry.path()).unwrap_or_default().display().to_string()
            } else {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                plain(&name, &String::from_utf8_lossy(&bytes))
            };
            self.0.insert(format!("{owner}: {name}"), format!("{head}\n{body}"));
        }
    }

    /// What is not as in `model`, each with a diff.
    pub(crate) fn differing(&self, model: &Self) -> Vec<(String, String)> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(model.0.keys()).collect();
        let pairs = names.into_iter().map(|name| (name, model.0.get(name), self.0.get(name)));
        pairs
            .filter(|(_, want, have)| want != have)
            .map(|(name, want, have)| (name.clone(), diff(want, have)))
            .collect()
    }
}

/// A file without what counts up with every change.
fn plain(name: &str, text: &str) -> String {
    if name != "/etc/pve/sdn/.running-config" {
        return text.to_owned();
    }
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    // Counts the applies.
    value["version"] = 0.into();
    value.to_string()
}

fn diff(want: Option<&String>, have: Option<&String>) -> String {
    let text = |side: Option<&String>| side.map_or_else(|| "(not there)\n".to_owned(), |t| format!("{t}\n"));
    let (want, have) = (text(want), text(have));
    TextDiff::from_lines(&want, &have).unified_diff().context_radius(1).to_string()
}

/// Bytes of the files below, the agent's own left out.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() && entry.file_name() != "bin" => size(&entry.path()),
        Ok(about) if about.is_file() => about.len(),
        _ => 0,
    };
    entries.map(of).sum()
}
