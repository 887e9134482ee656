//! The lock of a cluster: who wants it, who has it on a node, and who wins when two want it at once.
//!
//! A lock is a file on every node, held by a living agent for as long as its controller is heard of. What the nodes
//! say is gathered by `control::hold`, judged here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::{NodeName, StepId};

/// Seconds between two words of a controller that holds the lock.
pub const BEAT_SECONDS: u64 = 5;

/// Seconds without a word after which the controller counts as gone: the agent begins nothing new and ends.
pub const LEASE_SECONDS: u64 = 30;

/// Who wants to work on a cluster, and what for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Of this call of ringbolt alone; the same on every node and over new connections.
    pub id: String,
    /// `user@host` of the controller.
    pub owner: String,
    /// Its process there.
    pub process: u32,
    /// `apply`, `rollback`, …
    pub purpose: String,
    /// Id of the run under way; empty before the first.
    pub run: String,
    /// Since when, RFC 3339, by the controller's clock.
    pub since: String,
    /// Take it from one that is alive, too.
    #[serde(default)]
    pub steal: bool,
}

/// Who has the lock of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who, and what for.
    pub claim: Claim,
    /// Whether it is alive.
    pub condition: Condition,
}

/// How it is about a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Its controller was heard of within the lease.
    Live,
    /// Its controller is gone or has lost the lock; its agent is in the middle of a step and ends with it.
    Finishing {
        /// The step; empty when it is about to end.
        step: StepId,
    },
    /// Its agent is gone, and what the agent had started still runs.
    Leftover {
        /// The step.
        step: StepId,
        /// The programs, with their process numbers.
        programs: Vec<String>,
    },
    /// Nothing of it is left but the file.
    Over,
}

/// What a node says to a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The lock of this node is the claimant's.
    Granted {
        /// Whose it was before, where it was somebody's.
        before: Option<Holder>,
        /// Something was done on this node since this agent began: what was read then may be old.
        moved: bool,
    },
    /// Somebody has it.
    Held(Holder),
    /// The claimant had it, and it was taken away; by whom, where that can still be seen.
    Ousted {
        /// That one.
        by: Option<Holder>,
    },
}

/// What the answers of all nodes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The cluster is the claimant's.
    Won,
    /// A rival has less of it, or came at the same moment and gives way: ask again soon.
    Contest(Holder),
    /// What an ended run has begun is not over yet: ask again later. The nodes, and whose it is.
    Unfinished(Vec<(NodeName, Holder)>),
    /// Somebody else has it.
    Lost(Holder),
    /// Too few nodes answered: so many granted it, of so many that were asked.
    Few(usize, usize),
}

/// Judges what the nodes answered to the claim `id`; `None` is a node whose line broke meanwhile.
///
/// Won means: granted by more than half of the nodes asked, and held by nobody else on any other. So two controllers
/// that see one node in common never both win. When two come at the same moment, the one with more than half goes on;
/// without such a one it is that with the smallest id, and the other gives way.
pub fn decide(id: &str, answers: &BTreeMap<NodeName, Option<Standing>>) -> Verdict {
    let asked = answers.len();
    let mut granted = 0;
    let mut rivals: BTreeMap<&str, (usize, &Holder)> = BTreeMap::new();
    let mut unfinished = Vec::new();
    for (node, standing) in answers {
        match standing {
            Some(Standing::Granted { .. }) => granted += 1,
            Some(Standing::Held(holder)) if holder.condition == Condition::Live => {
                rivals.entry(&holder.claim.id).or_insert((0, holder)).0 += 1;
            }
            Some(Standing::Held(holder)) => unfinished.push((node.clone(), holder.clone())),
            Some(Standing::Ousted { by: Some(holder) }) => return Verdict::Lost(holder.clone()),
            Some(Standing::Ousted { by: None }) | None => {}
        }
    }
    let most = |count: usize| count * 2 > asked;
    let strongest =
        rivals.values().max_by_key(|(count, holder)| (*count, std::cmp::Reverse(&holder.claim.id)));
    match strongest {
        Some((count, holder)) if most(*count) => Verdict::Lost((*holder).clone()),
        Some((_, holder)) if most(granted) || rivals.keys().all(|rival| id < *rival) => {
            Verdict::Contest((*holder).clone())
        }
        Some((_, holder)) => Verdict::Lost((*holder).clone()),
        None if !unfinished.is_empty() => Verdict::Unfinished(unfinished),
        None if most(granted) => Verdict::Won,
        None => Verdict::Few(granted, asked),
    }
}

/// What a node knows of a step of a run that did not end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Done.
    Done,
    /// It failed, and why.
    Failed {
        /// What the agent said.
        why: String,
    },
    /// Begun, and no end of it is known.
    Begun,
    /// Never begun.
    Never,
}

/// What a node remembers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The fate of each step asked for, in that order.
    pub fates: Vec<Fate>,
    /// Who has the lock of this node now, somebody else's or the run's own.
    pub holder: Option<Holder>,
}

impl Fate {
    /// In words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Done => "done".into(),
            Self::Failed { why } => format!("failed: {why}"),
            Self::Begun => "begun and not finished".into(),
            Self::Never => "never begun".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn holder(id: &str, condition: Condition) -> Holder {
        Holder { claim: Claim { id: id.into(), ..Claim::default() }, condition }
    }

    fn granted() -> Option<Standing> {
        Some(Standing::Granted { before: None, moved: false })
    }

    fn held(id: &str) -> Option<Standing> {
        Some(Standing::Held(holder(id, Condition::Live)))
    }

    fn judged(id: &str, answers: &[Option<Standing>]) -> Verdict {
        let name = |n: usize| NodeName::new(&format!("n{n}")).unwrap();
        decide(id, &answers.iter().enumerate().map(|(n, a)| (name(n), a.clone())).collect())
    }

    #[test]
    fn more_than_half_wins_where_the_others_do_not_answer() {
        assert_eq!(judged("a", &[granted()]), Verdict::Won);
        assert_eq!(judged("a", &[granted(), granted(), None]), Verdict::Won);
        assert_eq!(judged("a", &[granted(), None]), Verdict::Few(1, 2));
        assert_eq!(judged("a", &[]), Verdict::Few(0, 0));
    }

    #[test]
    fn a_live_holder_of_any_node_is_never_passed_over() {
        assert!(matches!(judged("a", &[granted(), granted(), held("b")]), Verdict::Contest(_)));
        assert!(
            matches!(judged("z", &[granted(), held("b"), held("b")]), Verdict::Lost(h) if h.claim.id == "b")
        );
        assert!(matches!(judged("a", &[granted(), held("b"), held("b")]), Verdict::Lost(_)));
    }

    #[test]
    fn of_two_at_the_same_moment_exactly_one_gives_way() {
        assert!(matches!(judged("a", &[granted(), held("b")]), Verdict::Contest(_)));
        assert!(matches!(judged("b", &[held("a"), granted()]), Verdict::Lost(h) if h.claim.id == "a"));
        // Three at once on three nodes: only the smallest stays.
        assert!(matches!(judged("a", &[granted(), held("b"), held("c")]), Verdict::Contest(_)));
        assert!(matches!(judged("b", &[held("a"), granted(), held("c")]), Verdict::Lost(_)));
        assert!(matches!(judged("c", &[held("a"), held("b"), granted()]), Verdict::Lost(_)));
    }

    #[test]
    fn what_an_ended_run_left_under_way_is_waited_for() {
        let finishing = Some(Standing::Held(holder("b", Condition::Finishing { step: "s".into() })));
        let verdict = judged("a", &[granted(), finishing.clone()]);
        assert!(matches!(verdict, Verdict::Unfinished(nodes) if nodes.len() == 1));
        assert!(matches!(judged("a", &[held("c"), held("c"), finishing]), Verdict::Lost(_)));
    }

    #[test]
    fn one_who_was_ousted_has_lost() {
        let by = Standing::Ousted { by: Some(holder("b", Condition::Live)) };
        assert!(matches!(judged("a", &[granted(), granted(), Some(by)]), Verdict::Lost(_)));
        assert_eq!(judged("a", &[granted(), Some(Standing::Ousted { by: None })]), Verdict::Few(1, 2));
    }

    /// All ways in which the nodes two controllers both see may have been shared out between them.
    #[test]
    fn two_that_see_one_node_in_common_never_both_win() {
        for nodes in 1..=6usize {
            for shared in 0..1u32 << nodes {
                let a: Vec<_> =
                    (0..nodes).map(|n| if shared >> n & 1 == 1 { granted() } else { held("b") }).collect();
                let b: Vec<_> =
                    (0..nodes).map(|n| if shared >> n & 1 == 1 { held("a") } else { granted() }).collect();
                let (a, b) = (judged("a", &a), judged("b", &b));
                assert!(a != Verdict::Won || b != Verdict::Won);
                let stays = |v: &Verdict| matches!(v, Verdict::Won | Verdict::Contest(_));
                assert!(stays(&a) != stays(&b), "{nodes} {shared:b}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn every_word_crosses_the_wire() {
        let conditions = [
            Condition::Live,
            Condition::Finishing { step: "s".into() },
            Condition::Leftover { step: "s".into(), programs: vec!["apt-get (7)".into()] },
            Condition::Over,
        ];
        let holders: Vec<Holder> = conditions.into_iter().map(|c| holder("a", c)).collect();
        let mut all = vec![
            Standing::Granted { before: None, moved: true },
            Standing::Ousted { by: None },
            Standing::Ousted { by: Some(holders[0].clone()) },
            Standing::Granted { before: Some(holders[3].clone()), moved: false },
        ];
        all.extend(holders.into_iter().map(Standing::Held));
        for standing in all {
            let body = crate::wire::Say::Standing(Box::new(standing));
            let text = serde_json::to_string(&body).unwrap();
            assert_eq!(serde_json::from_str::<crate::wire::Say>(&text).unwrap(), body, "{text}");
        }
        let why = "no".to_owned();
        let fates = vec![Fate::Done, Fate::Failed { why }, Fate::Begun, Fate::Never];
        let body = crate::wire::Say::Recalled(Recalled { fates, holder: Some(holder("a", Condition::Live)) });
        let text = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<crate::wire::Say>(&text).unwrap(), body, "{text}");
    }
}
