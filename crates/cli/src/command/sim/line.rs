//! The lines of a rehearsal: text in, what is meant out.
//!
//! Used by `sim`. Never looks at a node.

use ringbolt_core::sim::{Fate, Faults};

/// What may be typed.
pub(super) const HELP: &str = "\
discover                    nodes, ports and cables as they are
plan [OPTIONS]              what would change, as `ringbolt plan` has it
apply [OPTIONS]             carries it out; what destroys something needs --confirm NAME
apply until STEP            the same, and begins nothing further when STEP is done
crash controller [at STEP]  the controller dies; with STEP it applies and dies when that has begun
resume                      goes on after a crash
rollback                    takes the last apply back
verify                      every promise, checked
reboot N, maintain enter N, maintain exit N
                            nodes out of service, one at a time, and back
cut A B, mend A B           the cables between two nodes
power-off N, power-on N     the power of a node
fault SEED                  from now on one deed in eight goes wrong, the same ones for the same seed
fault FATE at STEP          one step goes wrong once: again, broken, hang, hang-after, drop, drop-after,
                            half, lie, slow, cut-off (a reload that cuts its node off)
fault off                   nothing goes wrong any more
wait SECONDS                time passes
facts N                     everything known of a node, as JSON
case SEED                   other nodes and another spec, by chance (what a failing test prints)
help, quit                  # begins a comment";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A command of `ringbolt` with its options.
    Command(Vec<String>),
    /// An apply that ends early.
    Until {
        /// Where.
        step: String,
        /// At once and without a word.
        crash: bool,
    },
    Crash,
    Cut(String, String),
    Mend(String, String),
    /// A node, and whether it gets power.
    Power(String, bool),
    Fault(Faults),
    Wait(u64),
    Facts(String),
    Case(u64),
    Help,
    Quit,
}

impl Line {
    /// What a line means; `None` for an empty one.
    pub(super) fn read(text: &str) -> Result<Option<Self>, String> {
        let text = text.split(" #").next().unwrap_or("").trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let own = |word: &str| word.to_owned();
        let line = match words.as_slice() {
            ["apply", "until", step] => Self::Until { step: own(step), crash: false },
            ["crash", "controller", "at", step] => Self::Until { step: own(step), crash: true },
            ["crash", "controller"] => Self::Crash,
            ["resume"] => Self::Command(vec![own("apply"), own("--yes")]),
            ["apply" | "rollback" | "reboot" | "maintain", ..] => Self::Command(agreed(&words)),
            ["discover" | "plan" | "verify", ..] => Self::Command(words.iter().map(|w| own(w)).collect()),
            ["cut", a, b] => Self::Cut(own(a), own(b)),
            ["mend", a, b] => Self::Mend(own(a), own(b)),
            ["power-off", node] => Self::Power(own(node), false),
            ["power-on", node] => Self::Power(own(node), true),
            ["fault", "off"] => Self::Fault(Faults::None),
            ["fault", seed] => Self::Fault(Faults::seeded(number(seed)?)),
            ["fault", fate, "at", step] => {
                let known = Fate::named(fate).ok_or_else(|| format!("nothing is called {fate}"))?;
                Self::Fault(Faults::At { step: own(step), fate: known })
            }
            ["wait", seconds] => Self::Wait(number(seconds)?),
            ["facts", node] => Self::Facts(own(node)),
            ["case", seed] => Self::Case(number(seed)?),
            ["help"] => Self::Help,
            ["quit"] => Self::Quit,
            _ => return Err(format!("not a line of a rehearsal: {text}")),
        };
        Ok(Some(line))
    }
}

/// Nobody is asked in a rehearsal.
fn agreed(words: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    if words == ["rollback"] {
        all.push("--last".into());
    }
    if !words.contains(&"--yes") && !words.contains(&"-y") {
        all.push("--yes".into());
    }
    all
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Line>, String> {
        Line::read(text)
    }

    #[test]
    fn lines_are_understood_and_others_named() {
        assert_eq!(read("  # nothing"), Ok(None));
        assert_eq!(read("cut n1 n2  # the first"), Ok(Some(Line::Cut("n1".into(), "n2".into()))));
        let until = Line::Until { step: "n1/sdn".into(), crash: false };
        assert_eq!(read("apply until n1/sdn"), Ok(Some(until)));
        let command = ["apply", "--only", "ports", "--yes"].map(str::to_owned).to_vec();
        assert_eq!(read("apply --only ports"), Ok(Some(Line::Command(command))));
        let back = ["rollback", "--last", "--yes"].map(str::to_owned).to_vec();
        assert_eq!(read("rollback"), Ok(Some(Line::Command(back))));
        let fault = Faults::At { step: "n1/x".into(), fate: Fate::Dropped { done: true } };
        assert_eq!(read("fault drop-after at n1/x"), Ok(Some(Line::Fault(fault))));
        assert!(
            read("fault maybe at n1/x").is_err() && read("wait long").is_err() && read("cut n1").is_err()
        );
    }

    #[test]
    fn every_fate_is_told_of_and_understood() {
        for fate in Fate::ALL {
            assert_eq!(Fate::named(fate.name()), Some(fate));
            assert!(HELP.contains(fate.name()), "{}", fate.name());
        }
    }
}
