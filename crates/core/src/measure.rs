//! Statistics of measurements: percentiles, loss, jitter, outages, comparison of two samples.
//!
//! Used by `verify`, `drill` and `bench` on numbers the nodes' own tools took. It measures nothing
//! itself, keeps the unit of what it is given, and claims no statistical confidence.

use serde::{Deserialize, Serialize};

use crate::arrange::Arrange;

/// The value at a percentage (0 to 100) by the nearest-rank method: the smallest value that at
/// least so many percent of the sample do not exceed. `None` for an empty sample. Not-a-number
/// and infinite values are left out.
pub fn percentile(sample: &[f64], percent: f64) -> Option<f64> {
    nearest_rank(&sorted(sample), percent)
}

/// A sample in seven numbers, in the unit of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// Half are not above.
    pub p50: f64,
    /// 90 % are not above.
    pub p90: f64,
    /// 99 % are not above.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
    /// The arithmetic mean.
    pub mean: f64,
}

/// Sums a sample up; `None` if it is empty.
pub fn summary(sample: &[f64]) -> Option<Summary> {
    let values = sorted(sample);
    let rank = |percent| nearest_rank(&values, percent);
    Some(Summary {
        count: values.len(),
        min: *values.first()?,
        p50: rank(50.0)?,
        p90: rank(90.0)?,
        p99: rank(99.0)?,
        max: *values.last()?,
        mean: values.iter().sum::<f64>() / values.len() as f64,
    })
}

/// The share of packets lost, 0 to 1. More replies than packets (duplicates) count as none lost;
/// nothing sent, nothing lost.
pub fn loss(sent: u64, received: u64) -> f64 {
    if sent == 0 { 0.0 } else { sent.saturating_sub(received) as f64 / sent as f64 }
}

/// The mean difference between one value and the next, in the order they were taken; `None` for
/// fewer than two.
pub fn jitter(sample: &[f64]) -> Option<f64> {
    let steps = sample.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    (sample.len() > 1).then(|| steps.sum::<f64>() / (sample.len() - 1) as f64)
}

/// How long replies stayed away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outages {
    /// The longest outage in seconds.
    pub longest: f64,
    /// All outages together, in seconds.
    pub total: f64,
    /// How many.
    pub count: usize,
    /// The spacing replies really had, in seconds: no outage is known better than this.
    pub spacing: f64,
}

/// How many spacings a gap must exceed to be an outage: one late or lost packet is none.
const OUTAGE_SPACINGS: f64 = 2.5;

/// The outages in a row of reply times (seconds, any order), for packets sent every
/// `sent_interval` seconds.
///
/// Time is read from the timestamps, never from counts: a busy sender asked for 10 ms sends every
/// 16 ms. The spacing is the median gap between replies, or the sent interval if that is longer. A
/// gap of more than 2.5 spacings is an outage, as long as the gap less one spacing.
pub fn outages(sent_interval: f64, replies: &[f64]) -> Outages {
    outages_between(sent_interval, replies, None)
}

/// The same for a known span of sending: replies missing at its beginning or end count as well, so
/// that "never came back" is seen. No reply at all is one outage of the whole span.
pub fn outages_between(sent_interval: f64, replies: &[f64], span: Option<(f64, f64)>) -> Outages {
    let mut times = sorted(replies);
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let spacing = percentile(&gaps, 50.0).unwrap_or(sent_interval).max(sent_interval);
    if let Some((from, to)) = span {
        // One spacing outside the span: the reply before the first, the one after the last.
        times.retain(|time| (from..=to).contains(time));
        times.insert(0, from - spacing);
        times.push(to);
    }
    let mut outages = Outages { spacing, ..Outages::default() };
    for gap in times.windows(2).map(|pair| pair[1] - pair[0]) {
        if gap > OUTAGE_SPACINGS * spacing {
            let lost = gap - spacing;
            outages.longest = outages.longest.max(lost);
            outages.total += lost;
            outages.count += 1;
        }
    }
    outages
}

/// Two samples of one thing side by side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Median of the first sample.
    pub before: f64,
    /// Median of the second sample.
    pub after: f64,
    /// `after / before`.
    pub ratio: f64,
    /// Whether the middle halves (25th to 75th percentile) of the samples do not overlap. If they
    /// do, the ratio is within what the measurement scatters.
    pub apart: bool,
}

/// Compares two samples by the ratio of their medians; `None` if one is empty or the first one's
/// median is zero.
pub fn compare(before: &[f64], after: &[f64]) -> Option<Comparison> {
    let (one, other) = (sorted(before), sorted(after));
    let (old, new) = (nearest_rank(&one, 50.0)?, nearest_rank(&other, 50.0)?);
    let [one_low, one_high] = [nearest_rank(&one, 25.0)?, nearest_rank(&one, 75.0)?];
    let [other_low, other_high] = [nearest_rank(&other, 25.0)?, nearest_rank(&other, 75.0)?];
    let apart = one_high < other_low || other_high < one_low;
    (old != 0.0).then(|| Comparison { before: old, after: new, ratio: new / old, apart })
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = sample.iter().copied().filter(|value| value.is_finite()).collect();
    values.arrange_by(f64::total_cmp);
    values
}

fn nearest_rank(sorted: &[f64], percent: f64) -> Option<f64> {
    let rank = (percent.clamp(0.0, 100.0) / 100.0 * sorted.len() as f64).ceil();
    sorted.get((rank as usize).max(1) - 1).copied()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let sample = [50.0, 15.0, 40.0, 20.0, 35.0];
        let at = |percent| percentile(&sample, percent).unwrap();
        assert_eq!(
            [at(0.0), at(5.0), at(30.0), at(40.0), at(50.0), at(100.0)],
            [15.0, 15.0, 20.0, 20.0, 35.0, 50.0]
        );
        assert_eq!(percentile(&[], 50.0), None);
        assert_eq!(percentile(&[f64::NAN, 2.0, f64::INFINITY], 99.0), Some(2.0));
    }

    #[test]
    fn percentile_99_of_200_is_the_198th() {
        let sample: Vec<f64> = (1..=200).map(f64::from).collect();
        let summary = summary(&sample).unwrap();
        assert_eq!((summary.p50, summary.p90, summary.p99, summary.max), (100.0, 180.0, 198.0, 200.0));
        assert!(near(summary.mean, 100.5));
        assert_eq!(summary.count, 200);
    }

    #[test]
    fn loss_and_jitter() {
        assert!(near(loss(200, 199), 0.005));
        assert!(near(loss(200, 201), 0.0));
        assert!(near(loss(0, 0), 0.0));
        assert!(near(jitter(&[1.0, 3.0, 2.0, 2.0]).unwrap(), 1.0));
        assert_eq!(jitter(&[1.0]), None);
    }

    /// 10 ms were asked for, every 16 ms one was sent; eight were lost.
    #[test]
    fn an_outage_is_read_from_timestamps() {
        let replies: Vec<f64> =
            (0..500).filter(|at| !(100..108).contains(at)).map(|at| f64::from(at) * 0.016).collect();
        let found = outages(0.01, &replies);
        assert_eq!(found.count, 1);
        assert!(near(found.longest, 0.128), "{found:?}");
        assert!(near(found.spacing, 0.016));
    }

    #[test]
    fn one_lost_packet_is_no_outage() {
        let replies: Vec<f64> = (0..100).filter(|at| *at != 50).map(|at| f64::from(at) * 0.01).collect();
        assert_eq!(outages(0.01, &replies).count, 0);
    }

    #[test]
    fn order_of_replies_does_not_matter() {
        let mut replies: Vec<f64> =
            (0..300).filter(|at| at % 100 > 20).map(|at| f64::from(at) * 0.01).collect();
        let in_order = outages(0.01, &replies);
        replies.reverse();
        assert_eq!(outages(0.01, &replies), in_order);
        assert_eq!(in_order.count, 2);
        assert!(near(in_order.total, 0.42), "{in_order:?}");
    }

    #[test]
    fn what_never_came_back_counts_to_the_end() {
        let replies: Vec<f64> = (0..100).map(|at| f64::from(at) * 0.01).collect();
        assert_eq!(outages(0.01, &replies).count, 0);
        let found = outages_between(0.01, &replies, Some((0.0, 11.0)));
        assert_eq!(found.count, 1);
        assert!(near(found.longest, 10.0), "{found:?}");
        let nothing = outages_between(0.01, &[], Some((5.0, 15.0)));
        assert!(near(nothing.longest, 10.0), "{nothing:?}");
        assert_eq!(outages(0.01, &[]), Outages { spacing: 0.01, ..Outages::default() });
    }

    #[test]
    fn comparison_says_when_samples_overlap() {
        let noisy = compare(&[10.0, 11.0, 12.0, 13.0], &[11.0, 12.0, 13.0, 14.0]).unwrap();
        assert!(!noisy.apart);
        let clear = compare(&[10.0, 10.0, 11.0], &[20.0, 20.0, 22.0]).unwrap();
        assert!(clear.apart && near(clear.ratio, 2.0));
        assert_eq!(compare(&[], &[1.0]), None);
        assert_eq!(compare(&[0.0], &[1.0]), None);
    }
}
