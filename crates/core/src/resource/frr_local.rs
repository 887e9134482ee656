//! Our block in `/etc/frr/frr.conf.local`, which Proxmox VE merges into the `frr.conf` it writes.
//!
//! Three things it cannot express are there: `lsp-gen-interval`, the back-off of route computation,
//! and BFD on each port. The merge skips
//! every line with a `!`, so the markers are comments of that kind; it ends a `router` block at
//! `exit` and an `interface` block only at the next header, so the router block comes last. FRR
//! ignores `openfabric bfd` on an interface that is not in a fabric yet, and Proxmox VE prints our
//! block before its own, so each interface repeats `ip router openfabric`.

use serde::Serialize;

use super::frr_daemons::{self, FrrDaemons};
use super::{Outcome, remove_file, write_file};
use crate::check::Check;
use crate::facts::Facts;
use crate::name::{FabricId, NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::step::{Phase, Step};

/// The file.
pub const PATH: &str = "/etc/frr/frr.conf.local";

/// Back-off of route computation after RFC 8405, instead of fabricd's fixed second: the first change is
/// answered after 20 ms, a storm of them ten times a second. A returning link makes three or four changes
/// within a second, so it is the long delay that its way back waits for.
pub const SPF_DELAY: &str =
    "spf-delay-ietf init-delay 20 short-delay 50 long-delay 100 holddown 500 time-to-learn 200";

const BEGIN: &str = "! ringbolt begin: made from the spec, edits here are lost";
const BEGIN_MARK: &str = "! ringbolt begin";
const END: &str = "! ringbolt end";

/// What the block holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrrLocal {
    /// The fabric.
    pub fabric: FabricId,
    /// Ports in the fabric.
    pub ports: Vec<PortName>,
    /// Whether the fabric has an IPv4 prefix.
    pub ipv4: bool,
    /// Whether it has an IPv6 prefix.
    pub ipv6: bool,
    /// BFD on every port.
    pub bfd: bool,
    /// Seconds.
    pub lsp_gen_interval: u16,
}

impl FrrLocal {
    /// The block, markers included.
    pub fn block(&self) -> String {
        let mut text = format!("{BEGIN}\n");
        let id = &self.fabric;
        let lines = |lines: Vec<String>| lines.iter().flat_map(|l| [" ", l, "\n"]).collect::<String>();
        let of_port = lines(self.interface_lines());
        for port in self.ports.iter().filter(|_| self.bfd) {
            text += &format!("interface {port}\n{of_port}exit\n");
        }
        let of_router = lines(self.router_lines());
        text += &format!("router openfabric {id}\n{of_router}exit\n");
        text + END + "\n"
    }

    /// Lines the fabric's router block has because of us.
    pub fn router_lines(&self) -> Vec<String> {
        vec![format!("lsp-gen-interval {}", self.lsp_gen_interval), SPF_DELAY.into()]
    }

    /// Lines each port has in FRR's configuration because of us.
    pub fn interface_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.bfd {
            return lines;
        }
        if self.ipv4 {
            lines.push(format!("ip router openfabric {}", self.fabric));
        }
        if self.ipv6 {
            lines.push(format!("ipv6 router openfabric {}", self.fabric));
        }
        lines.push("openfabric bfd".into());
        lines
    }

    /// The file with our block in it, foreign lines as they were; `Err` when the markers are torn.
    pub fn edit(&self, text: &str) -> Result<String, &'static str> {
        let (before, after) = split(text)?;
        let mut edited = before;
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push('\n');
        }
        Ok(edited + &self.block() + &after)
    }

    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        if facts.state.files.get(PATH).is_some_and(|f| f.text.is_none()) {
            return Outcome::obstacle(Obstacle {
                code: "RB0517".into(),
                node: Some(node.clone()),
                message: format!("{PATH} is not text, or too long to be read"),
                evidence: String::new(),
                cure: "look at it and move it away".into(),
            });
        }
        let text = facts.text(PATH).unwrap_or("");
        let edited = match self.edit(text) {
            Ok(edited) => edited,
            Err(why) => {
                return Outcome::obstacle(damaged(node, why, text));
            }
        };
        if let Some(line) = self.conflict(text) {
            return Outcome::obstacle(Obstacle {
                code: "RB0517".into(),
                node: Some(node.clone()),
                message: format!("{PATH} sets up the fabric by hand, beside Proxmox VE's own configuration"),
                evidence: line,
                cure: "take those lines out: FRR would get each of them twice, with two meanings".into(),
            });
        }
        if edited == text {
            return Outcome::default();
        }
        Outcome::step(Step {
            why: "Proxmox VE sets neither BFD nor the timers of link-state packets and route computation: a second fault within 30 s, or a dead cable with light on it, would cut traffic for up to half a minute".into(),
            ..write_file(node, facts, Phase::Prepare, PATH, edited.into(), 0o640)
        })
    }

    /// A line outside our block that fights with the fabric.
    fn conflict(&self, text: &str) -> Option<String> {
        let (before, after) = split(text).ok()?;
        let own = format!("router openfabric {}", self.fabric);
        let foreign = |line: &&str| {
            let line = line.trim();
            line == own
                || line.starts_with("net 49.")
                || (line.contains(" router openfabric ") && !line.ends_with(self.fabric.as_str()))
        };
        before.lines().chain(after.lines()).find(foreign).map(str::to_owned)
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        self.router_lines()
            .into_iter()
            .map(|line| Check::Line { path: PATH.into(), line: line.into() })
            .collect()
    }
}

/// The steps that take our block out of a node's file, and switch bfdd off where nobody else's line
/// asks for BFD; none where there is no block.
pub(crate) fn retire(node: &NodeName, facts: &Facts) -> Outcome {
    let text = facts.text(PATH).unwrap_or("");
    let rest = match split(text) {
        Ok((before, after)) => before + &after,
        Err(why) => return Outcome::obstacle(damaged(node, why, text)),
    };
    if rest == text {
        return Outcome::default();
    }
    let why = "the block is ours, and the spec asks for it no more";
    let mut steps = Vec::new();
    let bfdd = FrrDaemons { daemon: "bfdd".into() };
    let daemons = facts.text(frr_daemons::PATH).and_then(|text| bfdd.retire(text));
    if let Some(edited) = daemons.filter(|_| !rest.contains("bfd")) {
        steps.push(Step {
            why: "nothing asks for bfdd any more".into(),
            ..write_file(node, facts, Phase::Prepare, frr_daemons::PATH, edited.into(), 0o640)
        });
    }
    // Last: as long as the block is there, the rest of this is due.
    steps.push(if rest.trim().is_empty() {
        remove_file(node, facts, Phase::Prepare, PATH, why)
    } else {
        Step { why: why.into(), ..write_file(node, facts, Phase::Prepare, PATH, rest.into(), 0o640) }
    });
    Outcome { steps, ..Outcome::default() }
}

fn damaged(node: &NodeName, why: &str, text: &str) -> Obstacle {
    Obstacle {
        code: "RB0517".into(),
        node: Some(node.clone()),
        message: format!("our block in {PATH} is damaged: {why}"),
        evidence: text.to_owned(),
        cure: format!("take the lines from \"{BEGIN_MARK}\" to \"{END}\" out by hand and run again"),
    }
}

/// Text before and after our block; all of it before, when there is none.
fn split(text: &str) -> Result<(String, String), &'static str> {
    let mut before = String::new();
    let mut after = String::new();
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        match place {
            0 if bare.starts_with(BEGIN_MARK) => place = 1,
            0 if bare == END => return Err("it ends without having begun"),
            0 => before += line,
            1 if bare == END => place = 2,
            1 => {}
            _ if bare.starts_with(BEGIN_MARK) => return Err("it is there twice"),
            _ => after += line,
        }
    }
    if place == 1 { Err("it has no end") } else { Ok((before, after)) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn wish() -> FrrLocal {
        FrrLocal {
            fabric: FabricId::new("tb4").unwrap(),
            ports: vec![PortName::new("en05").unwrap(), PortName::new("en06").unwrap()],
            ipv4: true,
            ipv6: false,
            bfd: true,
            lsp_gen_interval: 1,
        }
    }

    #[test]
    fn foreign_lines_stay_before_and_after() {
        let first = wish().edit("log file /var/log/frr.log\n").unwrap();
        assert!(first.starts_with("log file /var/log/frr.log\n! ringbolt begin"));
        let with_tail = first.clone() + "ip prefix-list a seq 5 permit any\n";
        let other = FrrLocal { lsp_gen_interval: 5, ..wish() };
        let second = other.edit(&with_tail).unwrap();
        assert!(second.ends_with("! ringbolt end\nip prefix-list a seq 5 permit any\n"));
        assert_eq!(second.matches("ringbolt begin").count(), 1);
        assert!(second.contains("lsp-gen-interval 5"));
        assert_eq!(other.edit(&second).unwrap(), second, "editing twice changes nothing");
    }

    #[test]
    fn torn_markers_are_refused() {
        assert!(wish().edit("! ringbolt begin\nfoo\n").is_err());
        assert!(wish().edit("! ringbolt end\n").is_err());
    }

    #[test]
    fn a_hand_made_fabric_is_seen() {
        assert!(wish().conflict("router openfabric tb4\n net 49.0000.0000.0001.00\n").is_some());
        assert!(wish().conflict("interface lo\n ip router openfabric 1\n").is_some());
        assert!(wish().conflict(&wish().block()).is_none());
        assert!(wish().conflict("router bgp 65000\n neighbor 1.2.3.4 remote-as 1\nexit\n").is_none());
    }
}
