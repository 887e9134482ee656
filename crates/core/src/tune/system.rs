//! Settings of the operating system: those of the old guide, each with a verdict. Used by the audit.
//!
//! Debian 13 reads `/etc/sysctl.d` at boot and not `/etc/sysctl.conf`: what stands there alone holds until
//! the next boot only. Queues of disks keep what a rule of udev says, and lose what was written by hand.

use super::audit::{Audited, Place};
use super::surroundings::RMEM_MAX;
use super::verdict::Verdict;
use crate::facts::{Facts, Fleet};
use crate::name::NodeName;

/// Our file of kernel settings, which survive a reboot by it.
pub const SYSCTL_FILE: &str = "/etc/sysctl.d/90-ringbolt.conf";
/// The file nobody reads at boot.
pub(crate) const SYSCTL_CONF: &str = "/etc/sysctl.conf";
pub(crate) const MODULES: &str = "/etc/modules";
/// Rules of others than the system's packages.
const UDEV_RULES: &str = "/etc/udev/rules.d/";
/// Requests of a queue the old guide asks for.
const GUIDE_REQUESTS: u32 = 1024;
const QUEUE: &str = "queue/nr_requests";
const QUEUE_DEFAULT: &str = "1023 or less, by the disk";

/// One key of the kernel that the old guide sets.
struct Key {
    name: &'static str,
    /// The kernel's own value, where it is the same everywhere.
    default: &'static str,
    /// What to say of another value.
    verdict: Verdict,
    why: &'static str,
}

const KEYS: [Key; 6] = [
    Key {
        name: "net.ipv4.ip_forward",
        default: "0",
        verdict: Verdict::Useful,
        why: "needed on nodes that pass traffic on",
    },
    Key {
        name: RMEM_MAX,
        default: "212992",
        verdict: Verdict::Ignored,
        why: "looked at only for connections with a fixed buffer (ms_tcp_rcvbuf): the kernel's own sizing has net.ipv4.tcp_rmem",
    },
    Key {
        name: "net.core.wmem_max",
        default: "212992",
        verdict: Verdict::Ignored,
        why: "looked at only for connections with a fixed buffer: the kernel's own sizing has net.ipv4.tcp_wmem",
    },
    Key {
        name: "net.core.netdev_max_backlog",
        default: "1000",
        verdict: Verdict::Ignored,
        why: "Thunderbolt's driver polls (NAPI): its packets never wait in this queue",
    },
    Key {
        name: "vm.swappiness",
        default: "60",
        verdict: Verdict::Useful,
        why: "the kernel swaps later, so that OSDs stay in memory; guests do as well",
    },
    Key {
        name: "vm.min_free_kbytes",
        default: "",
        verdict: Verdict::Useful,
        why: "the kernel keeps this much free",
    },
];

/// Keys the audit asks the nodes for.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|k| k.name)
}

/// Files the audit asks the nodes for.
pub(super) const FILES: [&str; 5] =
    [SYSCTL_CONF, "/etc/sysctl.d/*", MODULES, "/etc/modules-load.d/*", "/etc/udev/rules.d/*"];

/// Verdicts on all nodes.
pub(super) fn judged(fleet: &Fleet) -> Vec<Audited> {
    let mut settings = Vec::new();
    for (node, facts) in &fleet.nodes {
        settings.extend(keys_of(node, facts));
        settings.extend(queues(node, facts));
        settings.extend(modules(node, facts));
    }
    settings
}

/// Lines `key = value` of a file of sysctls.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches('-');
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((key.trim().replace('/', "."), value.trim()))
    })
}

/// Whether a key is one the old guide sets.
pub(crate) fn of_guide(key: &str) -> bool {
    KEYS.iter().any(|k| k.name == key)
}

fn keys_of(node: &NodeName, facts: &Facts) -> Vec<Audited> {
    let mut settings = Vec::new();
    for key in &KEYS {
        let mut kept = false;
        let mut lost = None;
        for (path, file) in &facts.state.files {
            let Some(text) = &file.text else { continue };
            let Some((_, value)) = lines(text).filter(|(k, _)| k == key.name).last() else { continue };
            if path == SYSCTL_CONF {
                lost = Some(value.to_owned());
            } else if path.starts_with("/etc/sysctl.d/") {
                kept = true;
                if !path.starts_with(SYSCTL_FILE) {
                    settings.push(key.said(node, value, Some(path), facts));
                }
            }
        }
        if let Some(value) = lost {
            settings.push(key.lost(node, &value, kept, facts));
        } else if !kept {
            settings.extend(key.live(node, facts));
        }
    }
    settings
}

impl Key {
    /// Whether a kernel has this value by itself. From 6.17 on the limits of socket buffers are 4 MiB.
    fn is_default(&self, value: &str) -> bool {
        let buffers = ["net.core.rmem_max", "net.core.wmem_max"].contains(&self.name);
        let value = value.trim();
        (!self.default.is_empty() && value == self.default) || (buffers && value == "4194304")
    }

    fn said(&self, node: &NodeName, value: &str, path: Option<&String>, facts: &Facts) -> Audited {
        let (verdict, why) = self.word(value, facts);
        let place = match path {
            Some(path) => Place::File { node: node.clone(), path: path.clone() },
            None => Place::Live { node: node.clone() },
        };
        let cure = match path {
            Some(path) if verdict.is_undone() => format!("remove the line from {path}"),
            _ => String::new(),
        };
        Audited {
            verdict,
            name: self.name.to_owned(),
            value: value.to_owned(),
            place,
            why,
            default: self.default.to_owned(),
            cure,
        }
    }

    fn word(&self, value: &str, facts: &Facts) -> (Verdict, String) {
        if self.is_default(value) {
            return (Verdict::Equal, "what the kernel does anyway".to_owned());
        }
        let memory = facts.state.ceph.yes().map(|c| c.memory);
        if self.name == "vm.min_free_kbytes"
            && let (Ok(kib), Some(memory)) = (value.trim().parse::<u64>(), memory)
            && kib.saturating_mul(1024) > memory / 15
        {
            let why = format!(
                "{} of {} may not be used by anybody: guests and OSDs are killed that much earlier",
                super::memory::size(kib.saturating_mul(1024)),
                super::memory::size(memory)
            );
            return (Verdict::Risky, why);
        }
        (self.verdict, self.why.to_owned())
    }

    /// A line of the file nobody reads at boot.
    fn lost(&self, node: &NodeName, value: &str, kept: bool, facts: &Facts) -> Audited {
        let path = SYSCTL_CONF.to_owned();
        let mut setting = self.said(node, value, Some(&path), facts);
        if !setting.verdict.is_alarming() {
            setting.verdict = Verdict::Ignored;
            setting.why = if kept {
                "said again in /etc/sysctl.d, which counts".to_owned()
            } else {
                format!("lost at the next boot: Debian 13 does not read this file ({})", setting.why)
            };
        }
        setting.cure = format!("remove the line from {path}");
        setting
    }

    /// A value nothing on the disk asks for.
    fn live(&self, node: &NodeName, facts: &Facts) -> Option<Audited> {
        let value = facts.state.sysctl.get(self.name)?;
        // Without a known default there is nothing to compare with; forwarding is the fabric's own doing.
        if self.default.is_empty() || self.is_default(value) || self.verdict == Verdict::Useful {
            return None;
        }
        let mut setting = self.said(node, value, None, facts);
        setting.verdict = Verdict::LostAtBoot;
        setting.why = "no file asks for it: it is gone after the next boot".to_owned();
        Some(setting)
    }
}

/// Queues of disks: what udev's rules ask for, and what was set by hand.
fn queues(node: &NodeName, facts: &Facts) -> Vec<Audited> {
    let mut settings = Vec::new();
    let mut ruled: Vec<u32> = Vec::new();
    for (path, file) in facts.state.files.iter().filter(|(path, _)| path.starts_with(UDEV_RULES)) {
        for requests in file.text.iter().flat_map(|text| text.lines().filter_map(requests)) {
            ruled.push(requests);
            settings.push(by_rule(node, path, requests, facts));
        }
    }
    let disks = facts.inventory.disks.yes().into_iter().flatten();
    let by_hand = |n: &u32| *n >= GUIDE_REQUESTS && !ruled.contains(n);
    let set = disks.filter_map(|disk| Some((disk, disk.nr_requests.filter(by_hand)?)));
    settings.extend(set.map(|(disk, requests)| Audited {
        verdict: Verdict::LostAtBoot,
        name: format!("{}/{QUEUE}", disk.name),
        value: requests.to_string(),
        place: Place::Live { node: node.clone() },
        why: "set by hand: gone after the next boot, and many disks refuse it (EINVAL); no gain was ever measured"
            .to_owned(),
        default: QUEUE_DEFAULT.to_owned(),
        cure: String::new(),
    }));
    settings
}

/// What a line of udev's rules sets the requests of a queue to.
fn requests(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once("ATTR{queue/nr_requests}=")?;
    let value = rest.trim_start().strip_prefix('"')?.split('"').next()?;
    value.parse().ok().filter(|_| !line.trim_start().starts_with('#'))
}

fn by_rule(node: &NodeName, path: &str, requests: u32, facts: &Facts) -> Audited {
    let disks = facts.inventory.disks.yes().into_iter().flatten();
    let on: Vec<&str> = disks.filter(|d| d.nr_requests == Some(requests)).map(|d| d.name.as_str()).collect();
    let (verdict, why) = if on.is_empty() {
        (
            Verdict::Ignored,
            "no disk has taken it: a queue longer than the drive's is refused (EINVAL)".to_owned(),
        )
    } else {
        (
            Verdict::Useful,
            format!("in force on {}, also after a boot; no gain was ever measured", on.join(", ")),
        )
    };
    Audited {
        verdict,
        name: QUEUE.to_owned(),
        value: requests.to_string(),
        place: Place::File { node: node.clone(), path: path.to_owned() },
        why,
        default: QUEUE_DEFAULT.to_owned(),
        cure: if verdict.is_undone() { format!("remove the line from {path}") } else { String::new() },
    }
}

fn modules(node: &NodeName, facts: &Facts) -> Vec<Audited> {
    let lines = facts.text(MODULES).unwrap_or("").lines().map(str::trim);
    let ours = facts.text("/etc/modules-load.d/ringbolt.conf").is_some();
    lines
        .filter(|l| matches!(*l, "thunderbolt" | "thunderbolt-net" | "thunderbolt_net"))
        .map(|line| Audited {
            verdict: if ours { Verdict::Equal } else { Verdict::Useful },
            name: line.to_owned(),
            value: "loaded at boot".to_owned(),
            place: Place::File { node: node.clone(), path: MODULES.to_owned() },
            why: if ours {
                "/etc/modules-load.d/ringbolt.conf loads it already".to_owned()
            } else {
                "in force; /etc/modules-load.d is the place for it".to_owned()
            },
            default: String::new(),
            cure: if ours { format!("remove the line from {MODULES}") } else { String::new() },
        })
        .collect()
}
