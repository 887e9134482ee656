//! Losing a node on purpose while another one writes: how long the writes stood still, and how long
//! until every placement group was whole again.
//!
//! The stall is read from the times at which single writes were acknowledged, on the node that wrote.

use serde::{Deserialize, Serialize};

use crate::arrange::Arrange;
use crate::name::NodeName;

/// Seconds writes may stand still after a node's power loss.
pub const STALL_TARGET: f64 = 12.0;

/// Seconds of undisturbed writing before the node is lost.
pub const LEAD_IN: f64 = 5.0;

/// Longest time to wait for writes to go on, in seconds.
pub const PATIENCE: f64 = 60.0;

/// What a node wrote, as it saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Writes acknowledged.
    pub count: u64,
    /// Times without an acknowledged write longer than a fifth of a second: from, to; seconds since the
    /// epoch.
    pub gaps: Vec<(f64, f64)>,
    /// When the first and the last write were acknowledged.
    pub span: (f64, f64),
    /// What the tool said when it could not write at all.
    pub error: Option<String>,
}

/// When things were done, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The node lost its power.
    pub off: f64,
    /// It was switched on again.
    pub on: f64,
    /// It answered again.
    pub back: f64,
    /// All OSDs were up and all placement groups active and clean.
    pub clean: Option<f64>,
}

/// What the loss of a node cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// The node that was lost.
    pub node: NodeName,
    /// The node that wrote.
    pub writer: NodeName,
    /// Seconds the writes stood still; `None` when they did not go on before the node was back.
    pub stall: Option<f64>,
    /// Target for it.
    pub target: f64,
    /// Writes acknowledged in all.
    pub writes: u64,
    /// OSDs of other nodes that were marked down meanwhile.
    pub wrongly_down: Vec<u32>,
    /// Seconds from switching it on until it answered.
    pub boot: f64,
    /// Seconds from switching it on until everything was active and clean.
    pub clean: Option<f64>,
    /// Longest time without a write after it was switched on, in seconds.
    pub return_stall: f64,
    /// Writes went on without the node, and everything is clean again.
    pub survived: bool,
    /// It did, within the target, with no OSD wrongly marked down.
    pub ok: bool,
}

/// Judges what was written across the loss of a node.
pub fn judge(
    node: &NodeName,
    writer: &NodeName,
    times: Times,
    written: &Written,
    wrongly_down: &[u32],
) -> Loss {
    let inside = |from: f64, to: f64| {
        let clipped = written.gaps.iter().map(|(a, b)| b.min(to) - a.max(from));
        clipped.fold(0.0, f64::max)
    };
    // A gap that lasts until the node is switched on has not ended by itself.
    let ended =
        written.span.1 > times.off && !written.gaps.iter().any(|(a, b)| *a < times.on && *b >= times.on);
    let stall = (ended && written.error.is_none()).then(|| inside(times.off - 0.5, times.on));
    let clean = times.clean.map(|at| at - times.on);
    let survived = stall.is_some() && clean.is_some();
    Loss {
        node: node.clone(),
        writer: writer.clone(),
        stall,
        target: STALL_TARGET,
        writes: written.count,
        wrongly_down: wrongly_down.to_vec(),
        boot: times.back - times.on,
        clean,
        return_stall: inside(times.on, written.span.1),
        survived,
        ok: survived && stall.is_some_and(|s| s <= STALL_TARGET) && wrongly_down.is_empty(),
    }
}

/// Gaps longer than a fifth of a second between acknowledged writes; `at` is in order.
pub fn gaps(at: &[f64]) -> Vec<(f64, f64)> {
    at.windows(2).filter(|w| w[1] - w[0] > 0.2).map(|w| (w[0], w[1])).collect()
}

/// When writes were acknowledged, from fio's latency log: lines `milliseconds, latency, …`. In order;
/// lines that are none are passed over. Times are those of the log.
pub fn acknowledged(log: &str) -> Vec<f64> {
    let time = |line: &str| line.split(',').next()?.trim().parse::<f64>().ok();
    let mut at: Vec<f64> = log.lines().filter_map(time).map(|ms| ms / 1000.0).collect();
    at.arrange_by(f64::total_cmp);
    at
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn written(gaps: &[(f64, f64)]) -> Written {
        Written { count: 1000, gaps: gaps.to_vec(), span: (95.0, 180.0), error: None }
    }

    const TIMES: Times = Times { off: 100.0, on: 130.0, back: 133.0, clean: Some(150.0) };

    #[test]
    fn the_stall_is_the_longest_gap_while_the_node_was_off() {
        let lost = judge(&node("n3"), &node("n1"), TIMES, &written(&[(100.1, 109.6), (131.0, 131.5)]), &[]);
        assert!((lost.stall.unwrap() - 9.5).abs() < 1e-6);
        assert!((lost.return_stall - 0.5).abs() < 1e-6);
        assert!(lost.ok);
        assert!(!judge(&node("n3"), &node("n1"), TIMES, &written(&[(100.1, 115.0)]), &[]).ok);
        assert!(!judge(&node("n3"), &node("n1"), TIMES, &written(&[(100.1, 109.6)]), &[2]).ok);
    }

    #[test]
    fn writes_that_only_went_on_with_the_node_did_not_survive() {
        let lost = judge(&node("n3"), &node("n1"), TIMES, &written(&[(100.1, 140.0)]), &[]);
        assert_eq!((lost.stall, lost.survived), (None, false));
        let none = Written { span: (95.0, 100.0), ..written(&[]) };
        assert!(!judge(&node("n3"), &node("n1"), TIMES, &none, &[]).survived);
    }

    #[test]
    fn gaps_come_from_the_log_of_the_tool() {
        let log = "1000, 81234, 1, 4096, 0\n1040, 1, 1, 4096, 8\n\n9040, 2, 1, 4096, 0\n";
        let at = acknowledged(log);
        assert_eq!(gaps(&at), [(1.04, 9.04)]);
    }
}
