//! `/etc/network/interfaces`: a stanza with the MTU for each port, and the `source` line.
//!
//! The file belongs to Proxmox VE and the user. It is read with ifupdown2's rules (a stanza begins
//! at a keyword and goes on to the next one; a backslash joins lines) and changed in as few places
//! as possible: PVE's SDN sets no MTU anywhere, and without the `source` line nothing it writes
//! counts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Outcome, write_file};
use crate::check::Check;
use crate::facts::{Facts, pve};
use crate::name::{NodeName, PortName};
use crate::plan::{Obstacle, Phase, Step};

/// The file.
pub const PATH: &str = "/etc/network/interfaces";

/// The line that makes everything in `interfaces.d` count.
pub const SOURCE: &str = "source /etc/network/interfaces.d/*";

/// Ports and their MTU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interfaces {
    /// Ports that need a stanza.
    pub ports: Vec<PortName>,
    /// MTU in bytes.
    pub mtu: u32,
    /// Whether `source …/sdn` alone would do (OpenFabric), or the `*` is needed (static routes).
    pub sdn_only: bool,
}

/// Why the file is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A port has more than one stanza.
    Twice {
        /// Which port.
        port: PortName,
        /// The stanzas.
        text: String,
    },
    /// A port has an address of its own there.
    Numbered {
        /// Which port.
        port: PortName,
        /// The stanza.
        text: String,
    },
}

impl Interfaces {
    /// The file as it should be.
    pub fn edit(&self, text: &str) -> Result<String, Refusal> {
        let mut parts = split(text);
        for port in &self.ports {
            self.settle(&mut parts, port)?;
        }
        let mut rest: Vec<Part> = Vec::new();
        let mut source_at_end = String::new();
        for part in parts {
            match &part {
                Part::Source(line) if self.is_ours(line) => source_at_end = format!("{SOURCE}\n"),
                Part::Source(line) if self.covers(line) => source_at_end = line.clone(),
                _ => rest.push(part),
            }
        }
        if source_at_end.is_empty() {
            source_at_end = format!("{SOURCE}\n");
        }
        let mut edited: String = rest.iter().map(Part::text).collect();
        let body = edited.trim_end().len();
        edited.truncate(body);
        Ok(edited + "\n\n" + &source_at_end)
    }

    /// A `source` line that is meant to cover the folder but does not, or covers too little.
    fn is_ours(&self, line: &str) -> bool {
        let bare = line.trim();
        matches!(bare, "source /etc/network/interfaces.d/" | "source /etc/network/interfaces.d")
            || (!self.sdn_only && bare == "source /etc/network/interfaces.d/sdn")
    }

    /// A `source` line that does the job.
    fn covers(&self, line: &str) -> bool {
        let bare = line.trim();
        bare == SOURCE || (self.sdn_only && bare == "source /etc/network/interfaces.d/sdn")
    }

    fn settle(&self, parts: &mut Vec<Part>, port: &PortName) -> Result<(), Refusal> {
        let own: Vec<usize> = (0..parts.len())
            .filter(|i| matches!(&parts[*i], Part::Iface { name, .. } if name == port.as_str()))
            .collect();
        let text = || own.iter().map(|i| parts[*i].text()).collect::<String>();
        match own.as_slice() {
            [] => {
                let stanza = format!("iface {port} inet manual\n\tmtu {}\n\n", self.mtu);
                // After everything but the `source` lines, wherever those stand now.
                let solid = |p: &Part| !matches!(p, Part::Source(_)) && !p.text().trim().is_empty();
                let at = parts.iter().rposition(solid).map_or(0, |last| last + 1);
                if let Some(Part::Other(last)) = at.checked_sub(1).map(|i| &mut parts[i])
                    && !last.ends_with("\n\n")
                {
                    last.push('\n');
                } else if let Some(Part::Iface { text, .. }) = at.checked_sub(1).map(|i| &mut parts[i])
                    && !text.ends_with("\n\n")
                {
                    text.push('\n');
                }
                parts.insert(at, Part::Iface { name: port.to_string(), text: stanza });
                Ok(())
            }
            [only] => {
                if has_address(parts[*only].text()) {
                    return Err(Refusal::Numbered { port: port.clone(), text: text() });
                }
                let edited = with_mtu(parts[*only].text(), self.mtu);
                parts[*only] = Part::Iface { name: port.to_string(), text: edited };
                Ok(())
            }
            _ => Err(Refusal::Twice { port: port.clone(), text: text() }),
        }
    }

    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(text) = facts.text(PATH) else {
            return Outcome::obstacle(Obstacle {
                code: "RB0527".into(),
                node: Some(node.clone()),
                message: format!("has no readable {PATH}"),
                evidence: String::new(),
                cure: "Proxmox VE's installer writes it: put it back with at least `lo` and the management bridge"
                    .into(),
            });
        };
        match self.edit(text) {
            Ok(edited) if same(text, &edited) => Outcome::default(),
            Ok(edited) => Outcome::step(Step {
                why: self.reason(text),
                ..write_file(node, facts, Phase::Ports, PATH, edited.into(), 0o644)
            }),
            Err(refusal) => Outcome::obstacle(refusal.obstacle(node)),
        }
    }

    fn reason(&self, text: &str) -> Cow<'static, str> {
        let sourced = split(text).iter().any(|p| matches!(p, Part::Source(l) if self.covers(l)));
        if sourced {
            "each port needs its MTU here: Proxmox VE's SDN sets none".into()
        } else {
            "without the source line nothing Proxmox VE writes for the fabric counts; each port needs its MTU"
                .into()
        }
    }

    pub(super) fn promises(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self
            .ports
            .iter()
            .map(|p| Check::Line { path: PATH.into(), line: format!("iface {p} inet manual").into() })
            .collect();
        let file =
            if self.sdn_only { pve::path::SDN_INTERFACES } else { "/etc/network/interfaces.d/ringbolt" };
        checks.push(Check::Sourced { path: file.into() });
        checks
    }
}

impl Refusal {
    fn obstacle(self, node: &NodeName) -> Obstacle {
        let (code, message, evidence, cure) = match self {
            Self::Twice { port, text } => (
                "RB0516",
                format!("{PATH} has more than one stanza for {port}"),
                text,
                "leave one `iface … inet manual` stanza, or none: which of the two should count is not ours to guess",
            ),
            Self::Numbered { port, text } => (
                "RB0520",
                format!("{PATH} gives {port} an address of its own"),
                text,
                "take the stanza out: the fabric gives every port the node's router ID, whatever the cabling",
            ),
        };
        Obstacle { code: code.into(), node: Some(node.clone()), message, evidence, cure: cure.into() }
    }
}

/// A piece of the file; all pieces together are the file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// An `iface` stanza with everything that belongs to it.
    Iface { name: String, text: String },
    /// A `source` line.
    Source(String),
    /// Anything else: comments, `auto` lines, other stanzas.
    Other(String),
}

impl Part {
    fn text(&self) -> &str {
        match self {
            Self::Iface { text, .. } | Self::Source(text) | Self::Other(text) => text,
        }
    }

    fn push(&mut self, line: &str) {
        match self {
            Self::Iface { text, .. } | Self::Source(text) | Self::Other(text) => text.push_str(line),
        }
    }
}

/// Splits the file at ifupdown2's keywords. Comments and blank lines before a keyword stay with the
/// part before them, as ifupdown2 and Proxmox VE read them.
fn split(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut joined = false;
    for raw in text.split_inclusive('\n') {
        let line: Cow<'_, str> = if raw.ends_with('\n') { raw.into() } else { format!("{raw}\n").into() };
        let mut words = line.split_whitespace();
        let keyword = if joined { "" } else { words.next().unwrap_or("") };
        joined = line.trim_end().ends_with('\\') && !line.trim_start().starts_with('#');
        let part = match keyword {
            "iface" => Part::Iface { name: words.next().unwrap_or("").to_owned(), text: line.into_owned() },
            "source" => Part::Source(line.into_owned()),
            "auto" | "mapping" | "vlan" | "source-directory" | "template" => Part::Other(line.into_owned()),
            k if k.starts_with("allow-") || k.starts_with("no-auto") => Part::Other(line.into_owned()),
            _ => {
                match parts.last_mut() {
                    // A source line is one line: what follows it is a part of its own.
                    Some(last) if !matches!(last, Part::Source(_)) => last.push(&line),
                    _ => parts.push(Part::Other(line.into_owned())),
                }
                continue;
            }
        };
        parts.push(part);
    }
    parts
}

fn has_address(stanza: &str) -> bool {
    stanza.lines().any(|l| matches!(l.split_whitespace().next(), Some("address" | "addresses")))
        || stanza.lines().next().is_some_and(|l| l.split_whitespace().nth(3) == Some("dhcp"))
}

/// The stanza with its MTU set: the line changed where there is one, else added after the header.
fn with_mtu(stanza: &str, mtu: u32) -> String {
    let mut out = String::new();
    let has = stanza.lines().any(|l| l.split_whitespace().next() == Some("mtu"));
    for (index, line) in stanza.split_inclusive('\n').enumerate() {
        if line.split_whitespace().next() == Some("mtu") {
            out += &format!("\tmtu {mtu}\n");
        } else {
            out += line;
        }
        if index == 0 && !has {
            out += &format!("\tmtu {mtu}\n");
        }
    }
    out
}

/// Equal but for blank space at line ends and blank lines: nothing worth a write.
fn same(one: &str, other: &str) -> bool {
    let lines = |t| str::lines(t).map(str::split_whitespace).filter(|words| words.clone().next().is_some());
    let (mut ones, mut others) = (lines(one), lines(other));
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) => {
                if !a.eq(b) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const FRESH: &str = "auto lo\niface lo inet loopback\n\niface eno1 inet manual\n\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.11.12.12/24\n\tgateway 10.11.12.1\n\tbridge-ports eno1\n\tbridge-stp off\n\tbridge-fd 0\n\nsource /etc/network/interfaces.d/*\n";

    fn wish() -> Interfaces {
        Interfaces {
            ports: vec![PortName::new("en05").unwrap(), PortName::new("en06").unwrap()],
            mtu: 65520,
            sdn_only: true,
        }
    }

    #[test]
    fn a_fresh_file_gets_stanzas_before_the_source_line() {
        let edited = wish().edit(FRESH).unwrap();
        assert!(
            edited.contains("iface en05 inet manual\n\tmtu 65520\n\niface en06 inet manual\n\tmtu 65520\n")
        );
        assert!(edited.ends_with("\n\nsource /etc/network/interfaces.d/*\n"));
        assert!(edited.starts_with(&FRESH[..FRESH.len() - SOURCE.len() - 1]));
        assert_eq!(wish().edit(&edited).unwrap(), edited, "editing twice changes nothing");
    }

    #[test]
    fn a_source_line_without_star_is_mended_and_a_missing_one_added() {
        let bad = FRESH.replace("interfaces.d/*", "interfaces.d/");
        assert!(wish().edit(&bad).unwrap().ends_with("\nsource /etc/network/interfaces.d/*\n"));
        let none = FRESH.replace("source /etc/network/interfaces.d/*\n", "");
        assert!(wish().edit(&none).unwrap().ends_with("\nsource /etc/network/interfaces.d/*\n"));
        assert_eq!(wish().edit(&bad).unwrap().matches("source ").count(), 1);
    }

    #[test]
    fn the_source_line_moves_to_the_end() {
        let text = format!("{SOURCE}\n\nauto lo\niface lo inet loopback\n");
        let edited = wish().edit(&text).unwrap();
        assert!(edited.starts_with("\nauto lo") || edited.starts_with("auto lo"), "{edited}");
        assert!(edited.ends_with(&format!("{SOURCE}\n")));
    }

    #[test]
    fn a_wrong_mtu_is_changed_in_place_and_comments_stay() {
        let text = format!("iface en05 inet manual\n#cable to n3\n\tmtu 1500\n\n{FRESH}");
        let edited = wish().edit(&text).unwrap();
        assert!(edited.contains("iface en05 inet manual\n#cable to n3\n\tmtu 65520\n"), "{edited}");
        assert_eq!(edited.matches("iface en05").count(), 1);
    }

    #[test]
    fn two_stanzas_or_an_address_are_refused() {
        let twice = format!("iface en05 inet manual\niface en05 inet static\n\taddress 10.0.0.1/30\n{FRESH}");
        assert!(matches!(wish().edit(&twice), Err(Refusal::Twice { .. })));
        let numbered = format!("iface en05 inet static\n\taddress 10.0.0.1/30\n{FRESH}");
        assert!(matches!(wish().edit(&numbered), Err(Refusal::Numbered { .. })));
    }

    #[test]
    fn a_joined_line_is_no_stanza() {
        let text = "auto lo\niface lo inet loopback\n\tup echo a \\\n iface en05 inet static\n";
        assert!(wish().edit(text).is_ok());
    }
}
