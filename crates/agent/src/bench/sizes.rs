//! Packets of many sizes over one link, unfragmented: each size is one short run of `ping`.

use ringbolt_core::bench::ask::{SizeRow, Sizes};
use ringbolt_core::ping::Ping;
use ringbolt_core::wire::Failure;

use crate::ping::ping;
use crate::stop::Stop;

/// Milliseconds between packets.
const INTERVAL_MS: u32 = 3;

/// Sizes after which a link that has brought back nothing at all is given up.
const PATIENCE: usize = 3;

/// Sends each size in turn.
pub(super) fn sizes(asked: &Sizes, stop: &Stop) -> Result<Vec<SizeRow>, Failure> {
    let mut rows: Vec<SizeRow> = Vec::with_capacity(asked.payloads.len());
    for &payload in &asked.payloads {
        let dead = rows.len() >= PATIENCE && rows.iter().all(|row| row.came == 0);
        if dead || stop.is_set() {
            break;
        }
        rows.push(once(asked, payload, stop)?);
    }
    Ok(rows)
}

fn once(asked: &Sizes, payload: u32, stop: &Stop) -> Result<SizeRow, Failure> {
    let request = Ping {
        to: asked.to,
        interface: asked.interface.clone(),
        count: asked.count,
        interval_ms: INTERVAL_MS,
        size: payload,
        whole: true,
    };
    let pinged = ping(&request, stop)?;
    let came = u32::try_from(pinged.replies.len()).unwrap_or(u32::MAX);
    Ok(SizeRow { payload, sent: asked.count, came, error: pinged.error })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(payloads: Vec<u32>) -> Sizes {
        Sizes { to: "127.0.0.1".parse().unwrap(), interface: None, payloads, count: 5 }
    }

    #[test]
    fn sizes_that_pass_and_one_that_does_not_fit() {
        match sizes(&of(vec![64, 200, 65_500]), &Stop::default()) {
            Ok(rows) => {
                assert_eq!(rows.iter().map(|r| r.came).collect::<Vec<_>>(), [5, 5, 5]);
            }
            Err(failure) => assert!(failure.message.contains("ping"), "skipped: {failure}"),
        }
    }

    #[test]
    fn a_stop_ends_the_sweep() {
        let stop = Stop::default();
        stop.set();
        assert!(sizes(&of(vec![64, 200]), &stop).unwrap().is_empty());
    }
}
