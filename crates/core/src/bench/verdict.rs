//! What the figures of a mesh are worth: judged against what such links do, each verdict with its evidence and the
//! causes to look at in order.
//!
//! Thresholds for Thunderbolt are what users measured: 20 to 26 Gbit/s on a sound cable, 9 to 13 on one lane or with
//! interrupts on an efficiency core, below 8 something is broken.

use serde::{Deserialize, Serialize};

use super::Run;
use super::latency::Latency;
use super::mesh::{BenchLink, LinkResult, WayResult};
use super::{What, machine::Machine};
use crate::bench::ask::SizeRow;
use crate::diagnostic::Code;
use crate::explain::bench as code;
use crate::spec::Transport;

/// How grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing; nothing need be done.
    Note,
    /// Slower than it should be.
    Finding,
    /// Broken: packets are lost, or nothing could be measured.
    Fault,
}

/// One judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How grave.
    pub level: Level,
    /// What it is about: `n1 → n2`.
    pub about: String,
    /// The judgement with its figures.
    pub text: String,
    /// Its code, for `ringbolt explain`; none for what is good.
    pub code: Option<String>,
    /// What to look at, in order.
    pub cure: String,
}

impl Verdict {
    pub(super) fn good(about: String, text: String) -> Self {
        Self { level: Level::Good, about, text, code: None, cure: String::new() }
    }

    pub(super) fn new(
        level: Level,
        code: Code,
        about: String,
        text: String,
        cure: impl Into<String>,
    ) -> Self {
        Self { level, about, text, code: Some(code.0.into()), cure: cure.into() }
    }
}

/// Gbit/s of a Thunderbolt link below which something is broken.
pub const THUNDERBOLT_BROKEN: f64 = 8.0;
/// Gbit/s up to which one lane or an efficiency core is suspected.
pub const THUNDERBOLT_LANE: f64 = 13.0;
/// Gbit/s from which a Thunderbolt link is as good as they get.
pub const THUNDERBOLT_GOOD: f64 = 20.0;
/// Share of its nominal speed an Ethernet link should carry.
pub const ETHERNET_GOOD: f64 = 0.85;
/// Share below which something is broken.
pub const ETHERNET_BROKEN: f64 = 0.5;
/// One direction at less than this share of the other is one-sided.
const LOPSIDED: f64 = 0.7;
/// Milliseconds the guide calls acceptable for a round trip.
const SLOW_MS: f64 = 1.0;
/// Retransmits for each gigabyte sent from which they are worth a word.
const RETRANSMITS: f64 = 100.0;

/// Judges every link of a run.
pub fn mesh(run: &Run) -> Vec<Verdict> {
    let What::Mesh { links, .. } = &run.what else { return Vec::new() };
    let lab = run.lab.is_some();
    let mut verdicts = Vec::new();
    for link in links {
        for way in 0..2 {
            one_way(link, way, run, lab, &mut verdicts);
        }
        lopsided(link, lab, &mut verdicts);
    }
    verdicts
}

fn one_way(link: &LinkResult, way: usize, run: &Run, lab: bool, verdicts: &mut Vec<Verdict>) {
    let result = &link.ways[way];
    let about = || link.link.way(way);
    for trouble in &result.troubles {
        let cure = "`ringbolt verify` shows whether the link is up; the message is the tool's own";
        let text = format!("not measured: {trouble}");
        verdicts.push(Verdict::new(Level::Fault, code::NOT_MEASURED, about(), text, cure));
    }
    if let Some(gbits) = result.best() {
        let from = &link.link.ends[way];
        let nominal =
            from.port.as_ref().and_then(|p| run.machines.get(&from.node)?.speeds.get(p.as_str()).copied());
        verdicts.push(throughput(&link.link, way, gbits, nominal, lab));
    }
    sizes(result, &about, verdicts);
    latencies(result, &about, verdicts);
    flows(result, &about, lab, verdicts);
}

/// Judges the throughput of one direction; `nominal` is the speed of its interface in Mbit/s.
pub fn throughput(link: &BenchLink, way: usize, gbits: f64, nominal: Option<u32>, lab: bool) -> Verdict {
    let about = link.way(way);
    if lab {
        return Verdict::good(about, format!("{gbits:.1} Gbit/s between two namespaces"));
    }
    let trained = link.trained.as_ref().map(|t| format!(", trained at {t}")).unwrap_or_default();
    if link.transport == Transport::Thunderbolt {
        let text = format!("{gbits:.1} Gbit/s{trained}");
        let lanes = if link.lanes == Some(1) { "the link is trained at one lane: " } else { "" };
        return if gbits < THUNDERBOLT_BROKEN {
            Verdict::new(Level::Finding, code::SLOW_LINK, about, text, format!("{lanes}{SLOW_CAUSES}"))
        } else if gbits <= THUNDERBOLT_LANE {
            let cure = format!("{lanes}{SUSPECTS}");
            Verdict::new(Level::Finding, code::SLOW_LINK, about, text, cure)
        } else if gbits < THUNDERBOLT_GOOD {
            let cure = "20 to 26 are usual; Ceph on such nodes rarely needs more than a few";
            Verdict::new(Level::Note, code::SLOW_LINK, about, text, cure)
        } else {
            Verdict::good(about, text)
        };
    }
    let Some(nominal) = nominal.filter(|mbits| *mbits > 0) else {
        return Verdict::good(about, format!("{gbits:.1} Gbit/s; the interface does not tell its speed"));
    };
    let nominal = f64::from(nominal) / 1000.0;
    let share = gbits / nominal;
    let text = format!("{gbits:.1} of {nominal:.1} Gbit/s ({:.0} %)", share * 100.0);
    if share >= ETHERNET_GOOD {
        return Verdict::good(about, text);
    }
    let level = if share < ETHERNET_BROKEN { Level::Finding } else { Level::Note };
    let cure = "in this order: MTU at both ends, flow control and ring sizes (`ethtool -S`, `ethtool -g`), the \
                processor (one stream above 40 Gbit/s needs a whole core), the PCIe slot's width";
    Verdict::new(level, code::SLOW_LINK, about, text, cure)
}

const SLOW_CAUSES: &str = "in this order: lanes and speed (`ringbolt discover`; another cable, certified, at most \
                           1 m), MTU at both ends, interrupts on an efficiency core, strict IOMMU (`iommu=pt`), heat";

const SUSPECTS: &str = "9 to 13 Gbit/s are what one lane carries (`ringbolt discover`, column speed; `dmesg | grep \
                        bonding`), or interrupts served by an efficiency core (pin the thunderbolt interrupts to \
                        performance cores), or a strict IOMMU (`iommu=pt`)";

fn sizes(result: &WayResult, about: &dyn Fn() -> String, verdicts: &mut Vec<Verdict>) {
    let lost: Vec<&SizeRow> = result.sizes.iter().filter(|row| faulty(row)).collect();
    let Some(largest) = result.sizes.iter().map(|r| r.payload).max().filter(|_| !lost.is_empty()) else {
        return;
    };
    if lost.len() == result.sizes.len() {
        // Nothing gets through: the latency says so.
        return;
    }
    let list: Vec<String> = lost.iter().map(|r| format!("{} ({}/{})", r.payload, r.came, r.sent)).collect();
    let text = format!("packets of some sizes are lost: payload {}", list.join(", "));
    let small = |row: &&SizeRow| (190..=212).contains(&row.payload);
    let cure = if lost.iter().all(small) {
        "frames near 256 bytes are lost by some USB4 controllers with end-to-end flow control: `options \
         thunderbolt_net e2e=0` in /etc/modprobe.d on one end, then a reboot"
    } else if lost.iter().all(|row| row.payload + 2 > largest || row.payload > 1400) {
        "large packets only: compare the MTU at both ends (`ringbolt verify`), then try another cable"
    } else {
        "try another cable, then another port; `ip -s -s link` shows what the receiver counts as errors"
    };
    verdicts.push(Verdict::new(Level::Fault, code::SIZES_LOST, about(), text, cure));
}

/// More than one packet in twenty is missing: one is an accident.
fn faulty(row: &SizeRow) -> bool {
    row.sent == 0 || row.came + 1 < row.sent
}

fn latencies(result: &WayResult, about: &dyn Fn() -> String, verdicts: &mut Vec<Verdict>) {
    if let Some(idle) = &result.idle {
        if idle.lost == idle.sent {
            let cure = "`ringbolt verify` says what is wrong with the link";
            let text = "no reply at all".to_owned();
            verdicts.push(Verdict::new(Level::Fault, code::LOSS, about(), text, cure));
        } else if idle.lost > 0 {
            let level = if idle.loss() > 0.001 { Level::Fault } else { Level::Finding };
            let text = format!("{} of {} packets lost without load", idle.lost, idle.sent);
            verdicts.push(Verdict::new(level, code::LOSS, about(), text, LOSS_CURE));
        }
        if idle.lost < idle.sent && idle.p50 > SLOW_MS {
            let text = format!("half of the round trips take more than {:.2} ms without load", idle.p50);
            let cure = "a direct cable takes 0.1 to 0.5 ms: look at power saving (C-states) and at the load of the nodes";
            verdicts.push(Verdict::new(Level::Finding, code::LATENCY, about(), text, cure));
        }
    }
    if let Some(loaded) = result.loaded.as_ref().filter(|l| dropped(l)) {
        let text = format!("{} of {} packets lost under load", loaded.lost, loaded.sent);
        verdicts.push(Verdict::new(Level::Finding, code::LOSS, about(), text, LOSS_CURE));
    }
}

const LOSS_CURE: &str = "try another cable, then another port; `ip -s -s link` at both ends shows who drops";

/// A reply or two may be under way when the pings end.
fn dropped(loaded: &Latency) -> bool {
    loaded.lost > 2 && loaded.loss() > 0.01
}

fn flows(result: &WayResult, about: &dyn Fn() -> String, lab: bool, verdicts: &mut Vec<Verdict>) {
    for run in result.flows.iter().filter(|f| !f.both) {
        let gigabytes = run.flow.bytes as f64 / 1e9;
        if !lab && gigabytes > 0.5 && run.flow.retransmits as f64 / gigabytes > RETRANSMITS {
            let text = format!(
                "{} retransmits in {gigabytes:.1} GB with {} streams",
                run.flow.retransmits, run.streams
            );
            verdicts.push(Verdict::new(Level::Note, code::LOSS, about(), text, LOSS_CURE));
        }
        for (end, interrupts) in [("sender", &run.interrupts_sender), ("receiver", &run.interrupts_receiver)]
        {
            let Some(seen) = interrupts.as_ref().filter(|i| i.efficient_share() > 0.2) else { continue };
            let text = format!(
                "{:.0} % of the {end}'s interrupts were served by efficiency cores ({} streams)",
                seen.efficient_share() * 100.0,
                run.streams
            );
            let cure = "pin the thunderbolt interrupts to performance cores whenever the interface comes up: their \
                        numbers change with each plug";
            verdicts.push(Verdict::new(Level::Note, code::EFFICIENCY_CORE, about(), text, cure));
        }
    }
}

fn lopsided(link: &LinkResult, lab: bool, verdicts: &mut Vec<Verdict>) {
    let (Some(forth), Some(back)) = (link.ways[0].best(), link.ways[1].best()) else { return };
    let (slow, fast, way) = if forth < back { (forth, back, 0) } else { (back, forth, 1) };
    if lab || slow >= fast * LOPSIDED {
        return;
    }
    let text = format!("{slow:.1} Gbit/s, but {fast:.1} in the other direction");
    let cure = "measure again; if it stays: the receiver's processor (interrupts on an efficiency core, heat), then the cable";
    verdicts.push(Verdict::new(Level::Finding, code::LOPSIDED, link.link.way(way), text, cure));
}

/// Machines that lack a tool.
pub fn lacking<'a>(
    machines: &'a std::collections::BTreeMap<crate::name::NodeName, Machine>,
    tool: &str,
) -> Vec<&'a crate::name::NodeName> {
    machines.iter().filter(|(_, m)| !m.tools.contains_key(tool)).map(|(node, _)| node).collect()
}

#[cfg(test)]
#[path = "verdict_test.rs"]
mod tests;
