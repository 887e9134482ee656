//! Round trips in numbers and as a histogram of fixed steps, so that runs can be laid side by side.
//!
//! Used on replies to pings and on nothing that has been averaged before.

use serde::{Deserialize, Serialize};

use crate::measure;
use crate::ping::Pinged;

/// Upper ends of the histogram's steps in milliseconds; what is above the last is in one step more.
pub const STEPS: [f64; 20] = [
    0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0,
    1000.0,
];

/// Fewest replies for which one in a thousand means something.
const THOUSAND: usize = 1000;

/// Round trips of one direction, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Requests sent.
    pub sent: u32,
    /// Requests without a reply.
    pub lost: u32,
    /// Half are not slower.
    pub p50: f64,
    /// One in ten is slower.
    pub p90: f64,
    /// One in a hundred is slower.
    pub p99: f64,
    /// One in a thousand is slower; none for fewer than 1000 replies.
    pub p999: Option<f64>,
    /// The slowest.
    pub max: f64,
    /// Mean difference between one reply and the next.
    pub jitter: f64,
    /// Replies in each of [`STEPS`], and above the last.
    pub histogram: Vec<u32>,
}

/// Sums up what a ping brought; `None` when nothing was sent.
pub fn latency(pinged: &Pinged) -> Option<Latency> {
    if pinged.sent == 0 {
        return None;
    }
    let times: Vec<f64> = pinged.replies.iter().map(|r| r.ms).collect();
    let came = u32::try_from(times.len()).unwrap_or(u32::MAX);
    let lost = pinged.sent.saturating_sub(came);
    let mut latency = Latency { sent: pinged.sent, lost, ..Latency::default() };
    latency.histogram = histogram(&times);
    if let Some(summary) = measure::summary(&times) {
        (latency.p50, latency.p90, latency.p99) = (summary.p50, summary.p90, summary.p99);
        latency.max = summary.max;
        latency.p999 = measure::percentile(&times, 99.9).filter(|_| times.len() >= THOUSAND);
        latency.jitter = measure::jitter(&times).unwrap_or(0.0);
    }
    Some(latency)
}

/// How many of the values are in each step.
pub fn histogram(times: &[f64]) -> Vec<u32> {
    let mut counts = vec![0; STEPS.len() + 1];
    for time in times {
        counts[STEPS.partition_point(|end| end < time)] += 1;
    }
    counts
}

impl Latency {
    /// The share lost, 0 to 1.
    pub fn loss(&self) -> f64 {
        measure::loss(u64::from(self.sent), u64::from(self.sent - self.lost.min(self.sent)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ping::Reply;

    fn pinged(times: &[f64], sent: u32) -> Pinged {
        let reply = |ms: &f64| Reply { seq: 1, at: 0.0, ms: *ms, ttl: 64 };
        Pinged { sent, replies: times.iter().map(reply).collect(), error: None }
    }

    #[test]
    fn steps_are_upper_ends() {
        let counts = histogram(&[0.01, 0.011, 0.5, 5000.0]);
        assert_eq!((counts[0], counts[1], counts[8], counts[20]), (1, 1, 1, 1));
        assert!(STEPS.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn nothing_sent_and_nothing_back_are_told_apart() {
        assert_eq!(latency(&pinged(&[], 0)), None);
        let lost = latency(&pinged(&[], 50)).unwrap();
        assert_eq!((lost.lost, lost.p999), (50, None));
        assert!((lost.loss() - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn percentiles_rise_and_the_histogram_holds_everything(times in prop::collection::vec(0.001_f64..3000.0, 1..1500)) {
            let sent = u32::try_from(times.len()).unwrap() + 3;
            let found = latency(&pinged(&times, sent)).unwrap();
            prop_assert!(found.p50 <= found.p90 && found.p90 <= found.p99 && found.p99 <= found.max);
            prop_assert_eq!(found.p999.is_some(), times.len() >= 1000);
            if let Some(p999) = found.p999 {
                prop_assert!(found.p99 <= p999 && p999 <= found.max);
            }
            for value in [found.p50, found.p90, found.p99, found.max] {
                prop_assert!(times.contains(&value), "a percentile is a value of the sample");
            }
            let below = times.iter().filter(|t| **t <= found.p90).count();
            prop_assert!(below * 10 >= times.len() * 9);
            prop_assert_eq!(found.histogram.iter().sum::<u32>() as usize, times.len());
            prop_assert_eq!(found.lost, 3);
        }

        #[test]
        fn order_does_not_matter_but_for_jitter(mut times in prop::collection::vec(0.001_f64..30.0, 1..300)) {
            let one = latency(&pinged(&times, 300)).unwrap();
            times.reverse();
            let mut other = latency(&pinged(&times, 300)).unwrap();
            prop_assert!((one.jitter - other.jitter).abs() < 1e-9);
            other.jitter = one.jitter;
            prop_assert_eq!(one, other);
        }
    }
}
