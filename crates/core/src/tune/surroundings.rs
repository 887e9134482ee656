//! What verdicts depend on beside the value, gathered from facts. Used by the audit.

use super::case::Surroundings;
use super::running::{self, RunningOsd};
use super::{shares, table};
use crate::facts::ceph::value::number;
use crate::facts::{CephCluster, Facts, Fleet};
use crate::spec::Spec;

/// The kernel's key for the largest receive buffer.
pub(super) const RMEM_MAX: &str = "net.core.rmem_max";

/// Gathers it.
pub(super) fn of(spec: &Spec, fleet: &Fleet, cluster: &CephCluster, osds: &[RunningOsd<'_>]) -> Surroundings {
    let stored = |name: &str| cluster.config.iter().find(|e| e.name == name).map(|e| e.value.as_str());
    // What is stored may not be in force yet: running OSDs go before it.
    let said = |name: &str| if osds.is_empty() { stored(name) } else { running::value(name, osds) };
    let sysctl = |f: &Facts| f.state.sysctl.get(RMEM_MAX).and_then(|v| v.trim().parse().ok());
    let compressed = |mode: Option<&str>| mode.is_some_and(|m| m != "none");
    Surroundings {
        release: release(fleet, cluster),
        mclock: said("osd_op_queue").is_none_or(|queue| queue == "mclock_scheduler"),
        freed: said("osd_mclock_override_recovery_settings").is_some_and(|v| v == "true"),
        autotune: said("bluestore_cache_autotune").is_none_or(|v| v != "false"),
        rotating: !cluster.osds.is_empty() && cluster.osds.iter().all(|o| o.class == "hdd"),
        compressing: compressed(said("bluestore_compression_mode"))
            || cluster
                .pools
                .iter()
                .any(|p| compressed(p.options.get("compression_mode").map(String::as_str))),
        rmem_max: fleet.nodes.values().filter_map(sysctl).min(),
        memory_per_osd: memory_per_osd(spec, fleet),
    }
}

fn memory_per_osd(spec: &Spec, fleet: &Fleet) -> Option<u64> {
    let shares = shares(spec, fleet)?;
    shares.values().filter(|s| s.osds > 0).map(|s| s.memory / u64::from(s.osds)).min()
}

/// Major version: that of the running OSDs, else what the cluster counts, else the table's last.
fn release(fleet: &Fleet, cluster: &CephCluster) -> u32 {
    let running = fleet.nodes.values().filter_map(|f| f.state.ceph.yes()).flat_map(|c| &c.osds);
    let running = running.filter_map(|o| major(&o.version)).min();
    let counted = || {
        let version = |text: &String| text.strip_prefix("ceph version ").and_then(major);
        cluster.versions.keys().filter_map(version).min()
    };
    running.or_else(counted).unwrap_or(table::RELEASES[table::RELEASES.len() - 1])
}

fn major(version: &str) -> Option<u32> {
    number(version.split('.').next()?).map(|n| n as u32)
}
