//! How much memory each OSD may take: what is left of the node's when guests, system and the other
//! daemons have theirs. Used by the profile.

use std::collections::BTreeMap;

use super::Setting;
use crate::facts::Fleet;
use crate::into_map::IntoMap;
use crate::name::NodeName;
use crate::spec::{Ceph, OsdMemory, Osds, Spec};

/// The option.
pub(super) const OPTION: &str = "osd_memory_target";

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// The least Ceph takes for an OSD, in bytes.
pub const LEAST: u64 = 896 * MIB;
/// Proxmox VE recommends this much for good performance; more only helps reads that miss the guests' own
/// caches, so that nobody gets more without asking for it.
const PLENTY: u64 = 8 * GIB;
/// Kept for the system and Proxmox VE's own services.
const SYSTEM: u64 = 2 * GIB;
/// Kept for a monitor, and as much for a manager.
const DAEMON: u64 = GIB;

/// What a node has to share out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its memory in bytes.
    pub memory: u64,
    /// How many OSDs it has, or will have.
    pub osds: u32,
}

/// What each node with OSDs has to share out, as far as known; `None` when the memory of one of them is
/// not known.
pub fn shares(spec: &Spec, fleet: &Fleet) -> Option<BTreeMap<NodeName, Share>> {
    let mut shares = BTreeMap::new();
    for node in spec.nodes.iter().filter(|n| !n.osds.is_empty()) {
        let facts = fleet.nodes.get(&node.name)?;
        let ceph = facts.state.ceph.yes()?;
        let there = u32::try_from(ceph.osds.len()).unwrap_or(u32::MAX);
        let disks = match &node.osds {
            Osds::Paths(paths) => paths.len(),
            Osds::Filter(filter) => facts.inventory.disks.yes().map_or(0, |disks| {
                let fits = disks.iter().filter(|d| filter.fits(d)).count();
                filter.count.map_or(fits, |count| fits.min(count as usize))
            }),
        };
        let wanted = u32::try_from(disks).unwrap_or(u32::MAX).saturating_mul(node.osd.per_device.max(1));
        shares.insert(node.name.clone(), Share { memory: ceph.memory, osds: there.max(wanted) });
    }
    Some(shares)
}

/// Memory target of each OSD of one node in bytes: what guests, system, monitor and manager leave,
/// divided by the OSDs, less a sixth, because an OSD goes up to a fifth over its target.
pub fn target(wish: OsdMemory, share: Share, daemons: u32) -> u64 {
    let (reserve, most) = match wish {
        OsdMemory::Fixed(bytes) => return bytes.max(LEAST),
        OsdMemory::Reserve(Some(bytes)) => (bytes, u64::MAX),
        OsdMemory::Reserve(None) => (share.memory / 2, PLENTY),
    };
    let taken = reserve.saturating_add(SYSTEM).saturating_add(u64::from(daemons) * DAEMON);
    let each = share.memory.saturating_sub(taken) / u64::from(share.osds.max(1)) / 6 * 5;
    (each / (256 * MIB) * (256 * MIB)).clamp(LEAST, most.max(LEAST))
}

/// The settings: one for all OSDs when every node comes to the same, else one for each node.
pub(super) fn settings(ceph: &Ceph, shares: &BTreeMap<NodeName, Share>) -> Vec<Setting> {
    let daemons =
        |node: &NodeName| u32::from(ceph.monitors.contains(node)) + u32::from(ceph.managers.contains(node));
    let targets: BTreeMap<&NodeName, u64> =
        shares.iter().map(|(node, share)| (node, target(ceph.memory, *share, daemons(node)))).into_map();
    let Some(first) = targets.values().next().copied() else { return Vec::new() };
    if targets.values().all(|t| *t == first) {
        return vec![setting("osd".to_owned(), first, ceph.memory, None)];
    }
    let each = |(node, bytes): (&&NodeName, &u64)| {
        setting(format!("osd/host:{node}"), *bytes, ceph.memory, shares.get(*node).copied())
    };
    targets.iter().map(each).collect()
}

fn setting(section: String, bytes: u64, wish: OsdMemory, share: Option<Share>) -> Setting {
    let kept = match wish {
        OsdMemory::Fixed(_) => "as the spec says".to_owned(),
        OsdMemory::Reserve(Some(bytes)) => {
            format!("what {} for guests, the system and the other daemons leave", size(bytes))
        }
        OsdMemory::Reserve(None) => "half of the memory stays for guests, the rest is shared out".to_owned(),
    };
    let of = share.map(|s| format!(" ({} in all, {} OSDs)", size(s.memory), s.osds)).unwrap_or_default();
    let least = if bytes == LEAST { "; this is the least Ceph takes: expect slow reads" } else { "" };
    Setting {
        undo: format!("ceph config rm {section} {OPTION}: back to 4 GiB"),
        section,
        name: OPTION,
        value: bytes.to_string(),
        reason: format!("{} an OSD: {kept}{of}{least}", size(bytes)),
        source: "Ceph: BlueStore sizes its caches by this target and may go a fifth over it; Proxmox VE: 8 GiB an OSD for good performance",
    }
}

/// Bytes for people: `5.5 GiB`.
pub(super) fn size(bytes: u64) -> String {
    if bytes < GIB { format!("{} MiB", bytes / MIB) } else { gib(bytes) }
}

fn gib(bytes: u64) -> String {
    let tenths = bytes * 10 / GIB;
    if tenths.is_multiple_of(10) {
        format!("{} GiB", tenths / 10)
    } else {
        format!("{}.{} GiB", tenths / 10, tenths % 10)
    }
}
