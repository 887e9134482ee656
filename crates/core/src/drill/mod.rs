//! Breaking a cable on purpose: the kinds of cut, what each may cost, and how an outcome is judged.
//!
//! Outage is read from the timestamps of replies on the asking node, never from counts (a busy sender
//! asked for 10 ms sends every 16). The way back to the direct cable is read from the replies' TTL.

pub mod node;

use serde::{Deserialize, Serialize};

use crate::arrange::Arrange;
use crate::bind::Cable;
use crate::measure;
use crate::name::NodeName;
use crate::ping::Pinged;

/// Milliseconds between echo requests of a drill.
pub const INTERVAL_MS: u32 = 10;

/// TTL of a reply that crossed no router.
const DIRECT_TTL: u8 = 64;

/// A way for a cable to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Our end is set down.
    Admin,
    /// The far end loses light.
    Carrier,
    /// The cable is pulled: the interface vanishes on both sides.
    Unplug,
    /// The cable looks fine and carries nothing.
    Silent,
    /// The same in one direction only.
    OneWay,
    /// Light is lost a second time, three seconds after a repair.
    Flap,
}

impl Kind {
    /// The word in the UI.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "set down",
            Self::Carrier => "no carrier",
            Self::Unplug => "unplugged",
            Self::Silent => "silent",
            Self::OneWay => "dead one way",
            Self::Flap => "again after 3 s",
        }
    }

    /// Seconds traffic may be lost.
    pub fn target(self) -> f64 {
        match self {
            Self::Admin | Self::Carrier | Self::Unplug | Self::Flap => 0.3,
            Self::Silent => 1.0,
            Self::OneWay => 2.0,
        }
    }

    /// Seconds the cut lasts: long enough to see the detour carry traffic.
    pub fn window(self) -> f64 {
        match self {
            Self::Admin | Self::Carrier | Self::Unplug | Self::Flap => 2.0,
            Self::Silent => 3.0,
            Self::OneWay => 4.0,
        }
    }
}

/// Seconds until the direct cable carries traffic again after a repair.
pub const BACK_TARGET: f64 = 1.5;

/// When things were done, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The cut that is measured.
    pub cut: f64,
    /// The repair.
    pub mend: f64,
}

/// One direction of the traffic across a cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// Who asked.
    pub from: NodeName,
    /// Who replied.
    pub to: NodeName,
    /// Longest time without a reply between cut and repair, in seconds.
    pub outage: f64,
    /// Spacing of replies, in seconds: no outage is known better than this.
    pub resolution: f64,
    /// Replies that never came, over the whole drill.
    pub lost: u32,
    /// Requests sent.
    pub sent: u32,
    /// Whether replies came by a detour during the cut.
    pub detour: bool,
    /// Seconds from the repair until replies came over the direct cable again.
    pub back: Option<f64>,
}

/// What one cut cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which cable.
    pub cable: Cable,
    /// How it was cut.
    pub kind: Kind,
    /// Both directions.
    pub directions: Vec<Direction>,
    /// Longest outage of the two, in seconds.
    pub outage: f64,
    /// Target for it, in seconds.
    pub target: f64,
    /// Slower of the two ways back, in seconds.
    pub back: Option<f64>,
    /// Traffic went on by a detour and came back to the cable, both ways.
    pub survived: bool,
    /// It did, and within the targets.
    pub ok: bool,
}

/// Judges the pings of both directions.
pub fn judge(cable: &Cable, kind: Kind, times: Times, pings: &[(NodeName, NodeName, Pinged)]) -> Outcome {
    let directions: Vec<Direction> =
        pings.iter().map(|(from, to, pinged)| direction(from, to, times, pinged)).collect();
    let outage = directions.iter().map(|d| d.outage).fold(0.0, f64::max);
    let back = directions
        .iter()
        .map(|d| d.back)
        .collect::<Option<Vec<f64>>>()
        .map(|all| all.into_iter().fold(0.0, f64::max));
    let survived = !directions.is_empty() && directions.iter().all(|d| d.detour && d.back.is_some());
    let ok = survived && outage <= kind.target() && back.is_some_and(|b| b <= BACK_TARGET);
    Outcome { cable: cable.clone(), kind, directions, outage, target: kind.target(), back, survived, ok }
}

fn direction(from: &NodeName, to: &NodeName, times: Times, pinged: &Pinged) -> Direction {
    let at: Vec<f64> =
        pinged.replies.iter().map(|r| r.at).filter(|at| *at > times.cut - 1.0 && *at < times.mend).collect();
    let interval = f64::from(INTERVAL_MS) / 1000.0;
    let outages = measure::outages_between(interval, &at, Some((times.cut - 0.2, times.mend)));
    let detour = pinged.replies.iter().any(|r| r.at > times.cut && r.at < times.mend && r.ttl < DIRECT_TTL);
    let mut after: Vec<_> = pinged.replies.iter().filter(|r| r.at >= times.mend).collect();
    after.arrange_by(|a, b| a.at.total_cmp(&b.at));
    // The way is back from the first direct reply that no detour follows.
    let last_detour = after.iter().rposition(|r| r.ttl < DIRECT_TTL).map_or(0, |i| i + 1);
    let back = after.get(last_detour).map(|r| r.at - times.mend);
    let came = u32::try_from(pinged.replies.len()).unwrap_or(u32::MAX);
    Direction {
        from: from.clone(),
        to: to.clone(),
        outage: outages.longest,
        resolution: outages.spacing,
        lost: pinged.sent.saturating_sub(came),
        sent: pinged.sent,
        detour,
        back,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::name::PortName;
    use crate::ping::Reply;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn pings(gap: (f64, f64), detour_until: f64) -> Pinged {
        let replies: Vec<Reply> = (0..600_u32)
            .map(|i| (i, 100.0 + f64::from(i) * 0.01))
            .filter(|(_, at)| *at < gap.0 || *at >= gap.1)
            .map(|(seq, at)| Reply {
                seq,
                at,
                ms: 0.1,
                ttl: if at >= gap.1 && at < detour_until { 63 } else { 64 },
            })
            .collect();
        Pinged { sent: 600, replies, error: None }
    }

    fn cable() -> Cable {
        let port = |n| (node(n), PortName::new("en05").unwrap());
        Cable::new(port("n1"), port("n2"))
    }

    #[test]
    fn outage_and_way_back_come_from_the_replies() {
        let times = Times { cut: 101.0, mend: 103.0 };
        let one = pings((101.0, 101.14), 103.6);
        let judged = judge(
            &cable(),
            Kind::Carrier,
            times,
            &[(node("n1"), node("n2"), one.clone()), (node("n2"), node("n1"), one)],
        );
        assert!((judged.outage - 0.14).abs() < 0.02, "{}", judged.outage);
        assert!((judged.back.unwrap() - 0.6).abs() < 0.02);
        assert!(judged.ok);
    }

    #[test]
    fn traffic_that_never_came_back_is_not_ok() {
        let times = Times { cut: 101.0, mend: 103.0 };
        let judged =
            judge(&cable(), Kind::Silent, times, &[(node("n1"), node("n2"), pings((101.0, 104.0), 104.0))]);
        assert!(judged.outage > 1.9);
        assert!(!judged.ok);
    }
}
