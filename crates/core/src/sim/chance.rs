//! What goes wrong on simulated nodes, and when: decided by a seed alone.
//!
//! Used by whoever lets simulated nodes answer. The same seed, node, step and attempt always meet the
//! same fate, in whatever order things happen, so that a failing seed can be played again. Nothing
//! here has a memory.

use crate::action::Action;
use crate::name::NodeName;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out.
    Fine,
    /// A tool says "try again", and nothing was done.
    Passing,
    /// A tool says no, and nothing was done.
    Broken,
    /// No word any more: the line is dead when the controller has waited long enough.
    Silent {
        /// Whether it was carried out all the same.
        done: bool,
    },
    /// The line breaks.
    Dropped {
        /// Whether it was carried out all the same.
        done: bool,
    },
    /// The first part of it is done, then a tool says no.
    Half,
    /// "Done", it says; nothing was done.
    Lie,
    /// It is carried out, and takes ten times as long.
    Slow,
    /// It is carried out, and its node cannot be reached any more; of deeds that touch all interfaces.
    CutOff,
}

/// When things go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Faults {
    /// Never.
    #[default]
    None,
    /// By chance.
    Seeded {
        /// What chance is made of.
        seed: u64,
        /// Deeds of a thousand that go wrong; looks at a node go wrong a tenth as often.
        per_mille: u16,
    },
    /// The first attempt of one step.
    At {
        /// Which.
        step: String,
        /// How.
        fate: Fate,
    },
}

impl Fate {
    /// All that may befall a deed.
    pub const ALL: [Self; 10] = [
        Self::Passing,
        Self::Broken,
        Self::Silent { done: false },
        Self::Silent { done: true },
        Self::Dropped { done: false },
        Self::Dropped { done: true },
        Self::Half,
        Self::Lie,
        Self::Slow,
        Self::CutOff,
    ];

    /// Whether it can befall this deed.
    pub fn befalls(self, action: &Action) -> bool {
        let all =
            matches!(action, Action::ApplySdn(_) | Action::ReloadInterfaces | Action::ReloadNode { .. });
        all || self != Self::CutOff
    }

    /// Its name in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Passing => "again",
            Self::Broken => "broken",
            Self::Silent { done: false } => "hang",
            Self::Silent { done: true } => "hang-after",
            Self::Dropped { done: false } => "drop",
            Self::Dropped { done: true } => "drop-after",
            Self::Half => "half",
            Self::Lie => "lie",
            Self::Slow => "slow",
            Self::CutOff => "cut-off",
        }
    }

    /// The fate of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.name() == name)
    }

    /// In a few words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Passing => "try again",
            Self::Broken => "refused by a tool",
            Self::Silent { done: false } => "hangs before doing it",
            Self::Silent { done: true } => "hangs after doing it",
            Self::Dropped { done: false } => "line dropped before doing it",
            Self::Dropped { done: true } => "line dropped after doing it",
            Self::Half => "half done",
            Self::Lie => "said to be done, but not done",
            Self::Slow => "ten times slower",
            Self::CutOff => "cuts its node off",
        }
    }
}

impl Faults {
    /// By chance, as often as suits a rehearsal: one deed in eight.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded { seed, per_mille: 125 }
    }

    /// What becomes of the `attempt`-th try (from 1) of a step.
    pub fn of_deed(&self, node: &NodeName, step: &str, attempt: u32) -> Fate {
        match self {
            Self::Seeded { seed, per_mille } => {
                let mut dice = Dice::of(*seed, &[node.as_str(), step], attempt);
                if dice.below(1000) < u64::from(*per_mille) { *dice.pick(&Fate::ALL) } else { Fate::Fine }
            }
            Self::At { step: at, fate } if at == step && attempt == 1 => *fate,
            _ => Fate::Fine,
        }
    }

    /// What becomes of the `count`-th look at a node (from 1): only the line may fail.
    pub fn of_look(&self, node: &NodeName, count: u32) -> Fate {
        let Self::Seeded { seed, per_mille } = self else { return Fate::Fine };
        let mut dice = Dice::of(*seed, &[node.as_str()], count);
        if dice.below(10_000) < u64::from(*per_mille) {
            *dice.pick(&[Fate::Silent { done: false }, Fate::Dropped { done: false }])
        } else {
            Fate::Fine
        }
    }
}

/// Numbers by chance from a seed (SplitMix64): the same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From a seed, words and a number.
    fn of(seed: u64, words: &[&str], number: u32) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
        let bytes = words.iter().flat_map(|word| word.bytes().chain([0])).chain(number.to_le_bytes());
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(hash)
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll().checked_rem(bound).unwrap_or(0)
    }

    /// The same for a position in a list.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_fate_hangs_on_seed_node_step_and_attempt_alone() {
        let node = NodeName::new("n1").unwrap();
        let faults = Faults::seeded(7);
        let draw = |faults: &Faults, attempt| {
            (0..2000).map(|i| faults.of_deed(&node, &format!("s{i}"), attempt)).collect::<Vec<_>>()
        };
        assert_eq!(draw(&faults, 1), draw(&faults, 1));
        assert_ne!(draw(&faults, 1), draw(&faults, 2));
        assert_ne!(draw(&faults, 1), draw(&Faults::seeded(8), 1));
        let bad = draw(&faults, 1).iter().filter(|f| **f != Fate::Fine).count();
        assert!((200..300).contains(&bad), "one in eight, not {bad} of 2000");
        for fate in Fate::ALL {
            assert!(draw(&faults, 1).contains(&fate), "{fate:?} never happens");
        }
    }

    #[test]
    fn one_step_is_met_once() {
        let node = NodeName::new("n1").unwrap();
        let faults = Faults::At { step: "n1/x".into(), fate: Fate::Half };
        let draw = |step, attempt| faults.of_deed(&node, step, attempt);
        assert_eq!([draw("n1/x", 1), draw("n1/x", 2), draw("n1/y", 1)], [Fate::Half, Fate::Fine, Fate::Fine]);
    }
}
