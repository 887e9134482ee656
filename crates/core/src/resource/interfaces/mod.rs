//! `/etc/network/interfaces`: a stanza with the MTU for each port, and the `source` line.
//!
//! The file belongs to Proxmox VE and the user. It is read with ifupdown2's rules (a stanza begins
//! at a keyword and goes on to the next one; a backslash joins lines) and changed in as few places
//! as possible: PVE's SDN sets no MTU anywhere, and without the `source` line nothing it writes
//! counts.

use std::borrow::Cow;

use serde::Serialize;

use super::{Outcome, write_file};
use crate::check::Check;
use crate::facts::network::INTERFACES;
use crate::facts::{Facts, pve};
use crate::name::{NodeName, PortName};
use crate::obstacle::Obstacle;
use crate::step::{Phase, Step};

pub mod options;

/// The line that makes everything in `interfaces.d` count.
pub const SOURCE: &str = "source /etc/network/interfaces.d/*";

/// Ports and their MTU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interfaces {
    /// Ports that need a stanza.
    pub ports: Vec<PortName>,
    /// PCI addresses of those controllers that are ports: an interface at one is the fabric's, whatever its name.
    pub controllers: Vec<String>,
    /// MTU in bytes.
    pub mtu: u32,
    /// Whether `source …/sdn` alone would do (OpenFabric), or the `*` is needed (static routes).
    pub sdn_only: bool,
    /// Options of other interfaces, by `[[interface]]`.
    pub options: Vec<options::Options>,
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
    /// An interface whose options are to be changed has no stanza, or the option in two.
    Unfit {
        /// What is so, in words.
        what: String,
        /// The stanzas.
        text: String,
    },
}

impl Interfaces {
    /// The file as it should be.
    pub fn edit(&self, text: &str) -> Result<String, Refusal> {
        let whole: Cow<'_, str> =
            if text.is_empty() || text.ends_with('\n') { text.into() } else { format!("{text}\n").into() };
        let mut parts = split(&whole);
        for port in &self.ports {
            self.settle(&mut parts, port)?;
        }
        for wanted in &self.options {
            wanted.settle(&mut parts)?;
        }
        let mut edited = String::new();
        let mut source_at_end = "";
        for part in &parts {
            match part.kind {
                Kind::Source if self.is_ours(&part.text) => source_at_end = SOURCE,
                Kind::Source if self.covers(&part.text) => source_at_end = part.text.trim_end_matches('\n'),
                _ => edited += &part.text,
            }
        }
        if source_at_end.is_empty() {
            source_at_end = SOURCE;
        }
        let body = edited.trim_end().len();
        edited.truncate(body);
        Ok(edited + "\n\n" + source_at_end + "\n")
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

    fn settle<'a>(&self, parts: &mut Vec<Part<'a>>, port: &'a PortName) -> Result<(), Refusal> {
        let kind = Kind::Iface(port.as_str());
        let own: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].kind == kind).collect();
        let text = || own.iter().map(|i| &*parts[*i].text).collect::<String>();
        match own.as_slice() {
            [] => {
                let stanza = format!("iface {port} inet manual\n\tmtu {}\n\n", self.mtu);
                // After everything but the `source` lines, wherever those stand now.
                let solid = |p: &Part<'_>| p.kind != Kind::Source && !p.text.trim().is_empty();
                let at = parts.iter().rposition(solid).map_or(0, |last| last + 1);
                if let Some(last) = at.checked_sub(1).map(|i| &mut parts[i])
                    && !last.text.ends_with("\n\n")
                {
                    last.text.to_mut().push('\n');
                }
                parts.insert(at, Part { kind, text: stanza.into() });
                Ok(())
            }
            [only] => {
                if has_address(&parts[*only].text) {
                    return Err(Refusal::Numbered { port: port.clone(), text: text() });
                }
                let edited = with_option(&parts[*only].text, "mtu", &self.mtu.to_string());
                parts[*only].text = edited.into();
                Ok(())
            }
            _ => Err(Refusal::Twice { port: port.clone(), text: text() }),
        }
    }

    pub(super) fn compare(&self, node: &NodeName, facts: &Facts) -> Outcome {
        let Some(text) = facts.text(INTERFACES) else {
            return Outcome::obstacle(Obstacle {
                code: "RB0527".into(),
                node: Some(node.clone()),
                message: format!("has no readable {INTERFACES}"),
                evidence: String::new(),
                cure: "Proxmox VE's installer writes it: put it back with at least `lo` and the management bridge"
                    .into(),
            });
        };
        if let Some(obstacle) = self.options.iter().find_map(|o| o.unfit(node, facts, self)) {
            return Outcome::obstacle(obstacle);
        }
        let edited = match self.edit(text) {
            Ok(edited) => edited,
            Err(refusal) => return Outcome::obstacle(refusal.obstacle(node)),
        };
        let mut steps = Vec::new();
        let written = !same(text, &edited);
        if written {
            steps.push(Step {
                why: self.reason(text, &edited),
                ..write_file(node, facts, Phase::Ports, INTERFACES, edited.into(), 0o644)
            });
        }
        steps.extend(options::reload(node, facts, text, &self.options));
        Outcome { steps, ..Outcome::default() }
    }

    fn reason(&self, text: &str, edited: &str) -> Cow<'static, str> {
        let sourced = split(text).iter().any(|p| p.kind == Kind::Source && self.covers(&p.text));
        let rest = |t| solid(t).filter(|line: &&str| !line.trim_start().starts_with("source "));
        let stanzas = alike(rest(text), rest(edited));
        let asked = self.options.iter().any(|o| !o.stands_in(text));
        if asked && sourced {
            "the spec asks for it by [[interface]]".into()
        } else if sourced && stanzas {
            "the source line comes last: what follows it could take back what Proxmox VE writes".into()
        } else if sourced {
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
            .map(|p| Check::Line { path: INTERFACES.into(), line: format!("iface {p} inet manual").into() })
            .collect();
        let file =
            if self.sdn_only { pve::path::SDN_INTERFACES } else { "/etc/network/interfaces.d/ringbolt" };
        checks.push(Check::Sourced { path: file.into() });
        checks.extend(self.options.iter().flat_map(options::Options::checks));
        checks
    }
}

impl Refusal {
    fn obstacle(self, node: &NodeName) -> Obstacle {
        let (code, message, evidence, cure) = match self {
            Self::Twice { port, text } => (
                "RB0516",
                format!("{INTERFACES} has more than one stanza for {port}"),
                text,
                "leave one `iface … inet manual` stanza, or none: which of the two should count is not ours to guess",
            ),
            Self::Numbered { port, text } => (
                "RB0520",
                format!("{INTERFACES} gives {port} an address of its own"),
                text,
                "take the stanza out: the fabric gives every port the node's router ID, whatever the cabling",
            ),
            Self::Unfit { what, text } => (
                "RB0552",
                what,
                text,
                "correct the name in [[interface]], or make the interface first (System → Network)",
            ),
        };
        Obstacle { code: code.into(), node: Some(node.clone()), message, evidence, cure: cure.into() }
    }
}

/// A piece of the file; all pieces together are the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part<'a> {
    kind: Kind<'a>,
    text: Cow<'a, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    /// An `iface` stanza with everything that belongs to it, by the interface's name.
    Iface(&'a str),
    /// A `source` line.
    Source,
    /// Anything else: comments, `auto` lines, other stanzas.
    Other,
}

/// Splits the file at ifupdown2's keywords. Comments and blank lines before a keyword stay with the
/// part before them, as ifupdown2 and Proxmox VE read them.
fn split<'a>(text: &'a str) -> Vec<Part<'a>> {
    let mut heads: Vec<(usize, Kind<'a>)> = Vec::new();
    let (mut at, mut joined) = (0, false);
    for line in text.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        let keyword = if joined { "" } else { words.next().unwrap_or("") };
        joined = line.trim_end().ends_with('\\') && !line.trim_start().starts_with('#');
        let kind = match keyword {
            "iface" => Some(Kind::Iface(words.next().unwrap_or(""))),
            "source" => Some(Kind::Source),
            "auto" | "mapping" | "vlan" | "source-directory" | "template" => Some(Kind::Other),
            k if k.starts_with("allow-") || k.starts_with("no-auto") => Some(Kind::Other),
            // A source line is one line: what follows it is a part of its own.
            _ => heads.last().is_none_or(|(_, last)| *last == Kind::Source).then_some(Kind::Other),
        };
        heads.extend(kind.map(|kind| (at, kind)));
        at += line.len();
    }
    let ends = heads.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    let part =
        |(head, end): (&(usize, Kind<'a>), usize)| Part { kind: head.1, text: text[head.0..end].into() };
    heads.iter().zip(ends).map(part).collect()
}

fn has_address(stanza: &str) -> bool {
    stanza.lines().any(|l| matches!(l.split_whitespace().next(), Some("address" | "addresses")))
        || stanza.lines().next().is_some_and(|l| l.split_whitespace().nth(3) == Some("dhcp"))
}

/// Whether a line sets an option; ifupdown2 takes an underscore for a dash.
fn sets(line: &str, key: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| word.replace('_', "-") == key)
}

/// The stanza with an option set: the line changed where there is one, else added after the header.
fn with_option(stanza: &str, key: &str, value: &str) -> String {
    let mut out = String::new();
    let has = stanza.lines().any(|l| sets(l, key));
    for (index, line) in stanza.split_inclusive('\n').enumerate() {
        if sets(line, key) {
            out += &format!("\t{key} {value}\n");
        } else {
            out += line;
        }
        if index == 0 && !has {
            out += &format!("\t{key} {value}\n");
        }
    }
    out
}

/// Equal but for blank space at line ends and blank lines: nothing worth a write.
fn same(one: &str, other: &str) -> bool {
    alike(solid(one), solid(other))
}

/// Lines that are not blank.
fn solid(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().is_empty())
}

/// Equal but for blank space within and around lines.
fn alike<'a>(mut ones: impl Iterator<Item = &'a str>, mut others: impl Iterator<Item = &'a str>) -> bool {
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) => {
                if a != b && !a.split_whitespace().eq(b.split_whitespace()) {
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
            controllers: Vec::new(),
            ports: vec![PortName::new("en05").unwrap(), PortName::new("en06").unwrap()],
            mtu: 65520,
            sdn_only: true,
            options: Vec::new(),
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
