//! Reads `[ceph]`. What it has to do with nodes, pools and the fabric is checked in `check_ceph`.

use ipnet::IpNet;

use super::tree::{At, Faults, Span, Table};
use super::{Ceph, Mclock, OsdMemory, PublicNetwork, Release, Repository, address, disk, osd};
use crate::diagnostic::Diagnostic;
use crate::explain::ceph as code;
use crate::name::NodeName;

/// `[ceph]` as read; what is absent here was absent in the file or reported.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// `None` if the file has no such section.
    pub(super) header: Option<Span>,
    pub(super) public: Option<At<PublicNetwork>>,
    pub(super) monitors: Option<At<Vec<At<String>>>>,
    pub(super) managers: Option<At<Vec<At<String>>>>,
    pub(super) osd: osd::Defaults,
    repository: Option<Repository>,
    version: Option<Release>,
    memory: Option<OsdMemory>,
    tuning: Option<bool>,
    mclock: Option<Mclock>,
    scrub: Option<(u8, u8)>,
    migration: Option<bool>,
}

pub(super) const REPOSITORIES: [(&str, Repository); 3] = [
    ("no-subscription", Repository::NoSubscription),
    ("enterprise", Repository::Enterprise),
    ("test", Repository::Test),
];

pub(super) const RELEASES: [(&str, Release); 2] =
    [("tentacle", Release::Tentacle), ("squid", Release::Squid)];

pub(super) const PROFILES: [(&str, Mclock); 3] = [
    ("balanced", Mclock::Balanced),
    ("high_client_ops", Mclock::HighClientOps),
    ("high_recovery_ops", Mclock::HighRecoveryOps),
];

/// Below this Ceph refuses the value (`osd_memory_target`).
const LEAST_MEMORY: u64 = 896 << 20;
/// Below this an OSD has next to no cache.
const FAIR_MEMORY: u64 = 2 << 30;
/// Hours of a window in which scrubs rarely get done.
const SHORT_WINDOW: u8 = 4;

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Draft {
    table.unknown_keys(faults);
    Draft {
        header: Some(table.header.clone()),
        repository: table.choice("repository", &REPOSITORIES, faults).map(|c| c.value),
        version: table.choice("version", &RELEASES, faults).map(|c| c.value),
        public: table.text("public", faults).and_then(|text| public(&text, faults)),
        monitors: names(table, "monitors", faults),
        managers: names(table, "managers", faults),
        osd: osd::read_defaults(table, faults),
        memory: memory(table, faults),
        tuning: table.switch("tuning", faults).map(|t| t.value),
        mclock: table.choice("mclock", &PROFILES, faults).map(|c| c.value),
        scrub: table.text("scrub", faults).and_then(|text| scrub(&text, faults)),
        migration: table.switch("migration", faults).map(|m| m.value),
    }
}

fn names(table: &Table<'_>, key: &str, faults: &mut Faults) -> Option<At<Vec<At<String>>>> {
    let list = table.texts(key, faults)?;
    let value = list.value.into_iter().map(|t| At { value: t.value.to_owned(), span: t.span });
    Some(At { value: value.collect(), span: list.span })
}

fn public(text: &At<&str>, faults: &mut Faults) -> Option<At<PublicNetwork>> {
    let value = match text.value {
        "mesh" => PublicNetwork::Mesh,
        "lan" => {
            faults.push(
                Diagnostic::warning(
                    code::PUBLIC_SLOW,
                    text.span.clone(),
                    "all reads and writes of guests go over the management network",
                )
                .label("at 1 Gbit/s that is 110 MB/s for a whole node")
                .help("leave `public` out, unless machines outside of the mesh use this Ceph; it cannot be changed later without new monitors"),
            );
            PublicNetwork::Lan
        }
        other if !other.contains(['.', ':', '/']) => {
            let message = format!("`public` cannot be {other:?}");
            faults.push(
                Diagnostic::error(code::PUBLIC_NETWORK, text.span.clone(), message)
                    .help("the choices are \"mesh\", \"lan\", or a prefix such as \"10.11.12.0/24\""),
            );
            return None;
        }
        _ => PublicNetwork::Prefix(address::network(text, faults)?.value),
    };
    Some(At { value, span: text.span.clone() })
}

fn memory(table: &Table<'_>, faults: &mut Faults) -> Option<OsdMemory> {
    let fixed = table.text("osd_memory", faults).and_then(|text| disk::size(&text, code::OSD_MEMORY, faults));
    let reserve =
        table.text("guest_memory", faults).and_then(|text| disk::size(&text, code::OSD_MEMORY, faults));
    let Some(fixed) = fixed else { return reserve.map(|r| OsdMemory::Reserve(Some(r.value))) };
    if let Some(reserve) = &reserve {
        faults.push(
            Diagnostic::error(
                code::OSD_MEMORY,
                reserve.span.clone(),
                "`guest_memory` and `osd_memory` are both given",
            )
            .also(fixed.span.clone(), "this fixes what each OSD takes")
            .help("keep one: the other follows from it"),
        );
    } else if fixed.value < LEAST_MEMORY {
        faults.push(
            Diagnostic::error(code::OSD_MEMORY, fixed.span, "an OSD does not run with so little memory")
                .label("Ceph's least is 896Mi")
                .help("write: osd_memory = \"4Gi\", or leave it out to have it computed"),
        );
    } else if fixed.value < FAIR_MEMORY {
        faults.push(
            Diagnostic::warning(code::OSD_MEMORY_LOW, fixed.span, "this leaves an OSD next to no cache")
                .label("Ceph's default is 4Gi, and Proxmox VE recommends 8Gi")
                .help("write: osd_memory = \"4Gi\", or leave it out to have it computed"),
        );
    }
    Some(OsdMemory::Fixed(fixed.value))
}

fn scrub(text: &At<&str>, faults: &mut Faults) -> Option<(u8, u8)> {
    let hour = |t: &str| t.trim().parse::<u8>().ok().filter(|h| *h < 24);
    let hours = text.value.split_once('-').and_then(|(from, to)| Some((hour(from)?, hour(to)?)));
    let Some((from, to)) = hours.filter(|(from, to)| from != to) else {
        faults.push(
            Diagnostic::error(
                code::SCRUB,
                text.span.clone(),
                format!("{:?} is no window for scrubs", text.value),
            )
            .label("two different hours of the day, 0 to 23")
            .help("write: scrub = \"22-6\", or leave it out for any time"),
        );
        return None;
    };
    let length = (to + 24 - from) % 24;
    if length < SHORT_WINDOW {
        let unit = if length == 1 { "hour" } else { "hours" };
        faults.push(
            Diagnostic::warning(
                code::SCRUB_SHORT,
                text.span.clone(),
                format!("{length} {unit} a day are hardly enough to scrub everything"),
            )
            .help("give scrubs 8 hours, such as \"22-6\"; those overdue run outside of the window as well"),
        );
    }
    Some((from, to))
}

impl Draft {
    /// The defaults for the disks of all nodes.
    pub(super) fn osd(&self) -> osd::Defaults {
        self.osd.clone()
    }

    /// The section with its defaults, for a file in which everything checked out; `mesh` is the prefix Ceph uses there.
    pub(super) fn finish(self, nodes: &[NodeName], mesh: Option<IpNet>) -> Ceph {
        let chosen = |list: Option<At<Vec<At<String>>>>| {
            list.map(|l| l.value.iter().filter_map(|n| NodeName::new(&n.value).ok()).collect::<Vec<_>>())
        };
        let default = Ceph::defaults(nodes);
        let monitors = chosen(self.monitors).unwrap_or(default.monitors);
        let public = match self.public.map(|p| p.value) {
            Some(PublicNetwork::Prefix(prefix)) if Some(prefix) == mesh => PublicNetwork::Mesh,
            Some(public) => public,
            None => default.public,
        };
        Ceph {
            repository: self.repository.unwrap_or(default.repository),
            version: self.version.unwrap_or(default.version),
            public,
            managers: chosen(self.managers).unwrap_or_else(|| monitors.clone()),
            monitors,
            memory: self.memory.unwrap_or(default.memory),
            tuning: self.tuning.unwrap_or(default.tuning),
            mclock: self.mclock.unwrap_or(default.mclock),
            scrub: self.scrub,
            migration: self.migration.unwrap_or(default.migration),
        }
    }
}
