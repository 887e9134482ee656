//! What FRR says, by one `vtysh`; not started at all when there is nobody to answer.

use std::os::unix::net::UnixStream;

use ringbolt_core::facts::frr::answers;
use ringbolt_core::facts::{Frr, Known};

use crate::exec::{Started, call, find};
use crate::root::Root;

/// zebra's end of vtysh; it refuses connections once zebra is gone.
const ZEBRA: &str = "/var/run/frr/zebra.vty";

/// Everything asked, in one process.
const QUESTIONS: [&str; 4] = [
    "show openfabric neighbor detail json",
    "show ip route openfabric json",
    "show ipv6 route openfabric json",
    "show bfd peers json",
];

/// Starts the questions, or says why there is nobody to ask.
pub(super) fn ask(root: &Root) -> Known<Started> {
    if find("vtysh").is_none() {
        return Known::No("FRR is not installed".into());
    }
    if UnixStream::connect(root.at(ZEBRA)).is_err() {
        return Known::No("FRR is not running".into());
    }
    match call("vtysh", QUESTIONS.iter().flat_map(|question| ["-c", question])).start() {
        Ok(started) => Known::Yes(started),
        Err(error) => Known::No(error.to_string()),
    }
}

/// Collects the answers.
pub(super) fn collect(asked: Known<Started>) -> Known<Frr> {
    match asked {
        Known::No(why) => Known::No(why),
        Known::Yes(started) => match started.finish(None) {
            Ok(output) if output.out.contains("failed to connect to any daemons") => {
                Known::No("FRR is not running".into())
            }
            Ok(output) => Known::Yes(answers(&output.out)),
            Err(error) => Known::No(error.to_string()),
        },
    }
}
