//! Echo requests by the system's `ping`, with the time of each reply.

use std::time::Duration;

use ringbolt_core::ping::{Ping, Pinged, Reply};
use ringbolt_core::wire::Failure;

use crate::exec::call;
use crate::stop::Stop;

/// Longest run without a count, in seconds.
const LONGEST: u64 = 600;

/// Sends and collects until all are sent, `stop` is set or time is over.
pub(crate) fn ping(ping: &Ping, stop: &Stop) -> Result<Pinged, Failure> {
    let seconds = limit(ping);
    let started = call("ping", arguments(ping, seconds)).limit(seconds + 5).joined().start()?;
    Ok(pinged(&started.finish(Some(stop))?.out))
}

/// Seconds the whole may take.
fn limit(ping: &Ping) -> u64 {
    let sending = Duration::from_millis(u64::from(ping.interval_ms)) * ping.count;
    if ping.count == 0 { LONGEST } else { (sending.as_secs() + 3).min(LONGEST) }
}

fn arguments(ping: &Ping, seconds: u64) -> Vec<String> {
    // Not below 2 ms: that is a flood, and the tool wants another option for it.
    let interval = f64::from(ping.interval_ms.max(2)) / 1000.0;
    let mut words: Vec<String> = ["-D", "-n", "-O", "-W", "1", "-i"].map(String::from).into();
    words.extend([format!("{interval:.3}"), "-s".into(), ping.size.to_string()]);
    // With both, the count would be one of replies, not of requests.
    if ping.count > 0 {
        words.extend(["-c".into(), ping.count.to_string()]);
    } else {
        words.extend(["-w".into(), seconds.to_string()]);
    }
    if ping.whole {
        words.extend(["-M".into(), "do".into()]);
    }
    // Room for more than one packet of full MTU in the socket's buffers.
    words.extend(["-S".into(), "212992".into()]);
    if let Some(interface) = &ping.interface {
        words.extend(["-I".into(), interface.clone()]);
    }
    words.extend(["--".into(), ping.to.to_string()]);
    words
}

/// Reads what `ping -D -O` prints.
pub(crate) fn pinged(text: &str) -> Pinged {
    let mut pinged = Pinged::default();
    let mut highest = 0;
    for line in text.lines() {
        if let Some(reply) = reply(line) {
            highest = highest.max(reply.seq);
            pinged.replies.push(reply);
        } else if let Some(count) = line.split(" packets transmitted").next().filter(|c| *c != line) {
            pinged.sent = count.trim().parse().unwrap_or(0);
        } else if let Some(seq) = line.split("icmp_seq=").nth(1) {
            highest = highest.max(number(seq).unwrap_or(0));
        }
        if pinged.error.is_none() {
            pinged.error = trouble(line);
        }
    }
    // A killed ping prints no summary.
    pinged.sent = pinged.sent.max(highest);
    if !pinged.replies.is_empty() {
        pinged.error = None;
    }
    pinged
}

/// `[1732145.123456] 64 bytes from 10.100.0.13: icmp_seq=1 ttl=64 time=0.345 ms`; duplicates do
/// not count.
fn reply(line: &str) -> Option<Reply> {
    let (at, rest) = line.strip_prefix('[')?.split_once("] ")?;
    if rest.ends_with("(DUP!)") {
        return None;
    }
    let field = |key: &str| rest.split_once(key).map(|(_, after)| after);
    Some(Reply {
        seq: number(field("icmp_seq=")?)?,
        at: at.parse().ok()?,
        ms: field("time=")?.split(' ').next()?.parse().ok()?,
        ttl: number(field("ttl=")?)?,
    })
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// What the tool says when it cannot send, or a router sends back.
fn trouble(line: &str) -> Option<String> {
    let said = line.strip_prefix("ping: ").map(str::to_owned);
    said.or_else(|| {
        let (_, rest) = line.split_once("From ")?;
        let (_, what) = rest.split_once("icmp_seq=")?;
        Some(what.trim_start_matches(|c: char| c.is_ascii_digit()).trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn replies_gaps_and_the_summary() {
        let text = "PING 10.100.0.13 (10.100.0.13) 56(84) bytes of data.\n\
            [1763680000.123456] 64 bytes from 10.100.0.13: icmp_seq=1 ttl=64 time=0.345 ms\n\
            [1763680000.223456] no answer yet for icmp_seq=2\n\
            [1763680000.323456] 64 bytes from 10.100.0.13: icmp_seq=3 ttl=63 time=1.20 ms\n\
            [1763680000.323457] 64 bytes from 10.100.0.13: icmp_seq=3 ttl=63 time=1.21 ms (DUP!)\n\
            \n--- 10.100.0.13 ping statistics ---\n\
            4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 300ms\nrtt min/avg/max/mdev = 0.3/0.7/1.2/0.4 ms\n";
        let read = pinged(text);
        assert_eq!(read.sent, 4);
        assert_eq!(read.replies.iter().map(|r| (r.seq, r.ttl)).collect::<Vec<_>>(), [(1, 64), (3, 63)]);
        assert!((read.replies[0].at - 1_763_680_000.123_456).abs() < 1e-5);
        assert_eq!(read.error, None);
    }

    #[test]
    fn what_cannot_be_sent_is_told() {
        let long = pinged(
            "PING 10.0.0.1 (10.0.0.1) 65492(65520) bytes of data.\nping: sendmsg: Message too long\nping: local error: message too long, mtu=1500\n\n--- 10.0.0.1 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms\n",
        );
        assert_eq!(long.error.as_deref(), Some("sendmsg: Message too long"));
        assert_eq!(long.sent, 1);
        let none = pinged("ping: connect: Network is unreachable\n");
        assert_eq!((none.sent, none.error.as_deref()), (0, Some("connect: Network is unreachable")));
        let back = pinged("[1763680000.1] From 10.0.0.9 icmp_seq=1 Destination Host Unreachable\n");
        assert_eq!((back.sent, back.error.as_deref()), (1, Some("Destination Host Unreachable")));
    }

    #[test]
    fn a_real_ping_of_this_machine() {
        let asked = Ping {
            to: "127.0.0.1".parse().unwrap(),
            interface: None,
            count: 3,
            interval_ms: 10,
            size: 56,
            whole: false,
        };
        match ping(&asked, &Stop::default()) {
            Ok(read) => assert_eq!((read.sent, read.replies.len(), read.error), (3, 3, None)),
            Err(failure) => assert!(failure.message.contains("ping"), "skipped: {failure}"),
        }
    }
}
