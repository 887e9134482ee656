//! Benchmarks without lies: what to measure, what the tools' output says, what it is worth, and how it compares.
//!
//! Used by `bench`. The nodes' own tools measure, the agent runs them (`agent/bench/`), the controller puts one after
//! another; everything that is decided is decided here, on plain data. It never measures anything itself.

pub mod ask;
pub mod ceph;
pub mod compare;
#[cfg(test)]
mod fixture;
pub mod interrupts;
pub mod iperf;
pub mod latency;
pub mod machine;
pub mod mesh;
pub mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::into_set::IntoSet;
use crate::name::NodeName;

use self::ceph::{CephResult, Setup};
use self::machine::Machine;
use self::mesh::{Extent, LinkResult};
use self::verdict::Verdict;

/// One benchmark as it is kept: `runs/ID/bench.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Id of its folder.
    pub id: String,
    /// Wall clock at its beginning, RFC 3339.
    pub began: String,
    /// Seconds it took.
    pub took: f64,
    /// Version of ringbolt.
    pub ringbolt: String,
    /// Cluster in the spec.
    pub cluster: String,
    /// Digest of the spec's text.
    pub spec: String,
    /// The lab's name; none on real machines.
    pub lab: Option<String>,
    /// The machines before anything was measured.
    pub machines: BTreeMap<NodeName, Machine>,
    /// What was measured.
    pub what: What,
    /// What flatters, spoils or limits all of it.
    pub marks: Vec<Mark>,
    /// What is to be said about it.
    pub verdicts: Vec<Verdict>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The links.
    Mesh {
        /// How much was measured.
        extent: Extent,
        /// Each link.
        links: Vec<LinkResult>,
    },
    /// A pool of the Ceph cluster.
    Ceph {
        /// What was measured, and where.
        setup: Setup,
        /// What came of it.
        result: CephResult,
    },
}

/// A circumstance that a result must not be read without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// What it does to the figures.
    pub effect: Effect,
    /// The circumstance, in words.
    pub text: String,
}

/// What a circumstance does to figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// They prove nothing about hardware.
    Void,
    /// They are better than real use would be.
    Flatters,
    /// They are worse than they would be otherwise.
    Spoils,
    /// They are what they are; this is to be known.
    Note,
}

impl Effect {
    /// In a word, for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Flatters => "flatters",
            Self::Spoils => "spoils",
            Self::Note => "note",
        }
    }
}

impl Mark {
    /// A mark.
    pub fn new(effect: Effect, text: impl Into<String>) -> Self {
        Self { effect, text: text.into() }
    }
}

/// What is to be known about the machines of a run of the mesh.
pub fn mesh_marks(lab: Option<&str>, machines: &BTreeMap<NodeName, Machine>) -> Vec<Mark> {
    let text = lab.map(|lab| format!("lab {lab}: veth, bound by the processor; proves nothing about cables"));
    let mut marks: Vec<Mark> = text.map(|text| Mark::new(Effect::Void, text)).into_iter().collect();
    marks.extend(machine_marks(lab, machines));
    marks
}

/// What is to be known about machines, whatever is measured on them.
pub fn machine_marks(lab: Option<&str>, machines: &BTreeMap<NodeName, Machine>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (node, machine) in machines {
        if lab.is_none() && machine.load > f64::from(machine.cpus) * 0.5 {
            let text = format!("{node} was busy: load {:.1} on {} processors", machine.load, machine.cpus);
            marks.push(Mark::new(Effect::Spoils, text));
        }
        if machine.hottest.is_some_and(|degrees| degrees >= HOT) {
            let degrees = machine.hottest.unwrap_or_default();
            marks.push(Mark::new(Effect::Spoils, format!("{node} was hot: {degrees:.0} °C")));
        }
        if machine
            .governor
            .as_deref()
            .is_some_and(|g| g == "powersave" && !machine.processor.contains("Intel"))
        {
            let text = format!("{node} runs its processor with the governor powersave");
            marks.push(Mark::new(Effect::Spoils, text));
        }
    }
    let kinds: std::collections::BTreeSet<&str> = machines.values().map(|m| m.congestion.as_str()).into_set();
    if kinds.len() > 1 {
        let all: Vec<&str> = kinds.into_iter().collect();
        let text = format!("nodes differ in TCP's congestion control: {}", all.join(", "));
        marks.push(Mark::new(Effect::Note, text));
    }
    marks
}

/// Degrees Celsius from which a processor of these machines slows down.
const HOT: f64 = 95.0;

/// What changed on the machines between the beginning and the end of a run.
pub fn throttling(before: &BTreeMap<NodeName, Machine>, after: &BTreeMap<NodeName, Machine>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (node, now) in after {
        let Some(old) = before.get(node) else { continue };
        if let (Some(before), Some(after)) = (old.throttled, now.throttled)
            && after > before
        {
            let text = format!("{node} slowed down for heat {} times during the run", after - before);
            marks.push(Mark::new(Effect::Spoils, text));
        }
    }
    marks
}

impl Run {
    /// Two runs with the same shape measured the same things: the kind, the cluster, how much, and where.
    pub fn shape(&self) -> String {
        match &self.what {
            What::Mesh { extent, links } => {
                let keys: Vec<String> = links.iter().map(|l| l.link.key()).collect();
                let streams = extent.streams.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
                format!("mesh {} {} s {streams}: {}", self.cluster, extent.seconds, keys.join("; "))
            }
            What::Ceph { setup, .. } => {
                let Setup { pool, client, seconds, bytes, .. } = setup;
                format!("ceph {} {pool} from {client} {seconds} s {bytes} bytes", self.cluster)
            }
        }
    }

    /// The gravest of its verdicts.
    pub fn worst(&self) -> verdict::Level {
        self.verdicts.iter().map(|v| v.level).max().unwrap_or(verdict::Level::Good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_a_lab_and_of_a_hot_node() {
        let hot = Machine { hottest: Some(98.0), throttled: Some(7), cpus: 8, ..Machine::default() };
        let machines =
            BTreeMap::from([(NodeName::new("n1").unwrap_or_else(|_| unreachable!()), hot.clone())]);
        let marks = mesh_marks(Some("lab"), &machines);
        assert_eq!(marks.iter().map(|m| m.effect).collect::<Vec<_>>(), [Effect::Void, Effect::Spoils]);
        let later =
            machines.iter().map(|(n, m)| (n.clone(), Machine { throttled: Some(9), ..m.clone() })).collect();
        assert_eq!(throttling(&machines, &later).len(), 1);
        assert!(throttling(&later, &machines).is_empty());
    }
}
