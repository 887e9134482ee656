//! Where to strike and with what: every boundary of every step once with each kind that matters there, then at
//! random. Pure, from a seed.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::dice::Dice;
use crate::watch::step;

/// What is ended at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The controller; its ssh clients find their pipes closed.
    Controller,
    /// The controller with everything it has started.
    ControllerTree,
    /// The agent of the step's node.
    Agent,
    /// The agent with everything it has started.
    AgentTree,
    /// One program the agent has started.
    Child,
    /// The step's node, as by pulling its plug.
    Node,
    /// The controller and all nodes.
    Everything,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Controller => "controller",
            Self::ControllerTree => "controller and its ssh",
            Self::Agent => "agent",
            Self::AgentTree => "agent and its programs",
            Self::Child => "a program of the agent",
            Self::Node => "node",
            Self::Everything => "controller and all nodes",
        })
    }
}

/// All kinds, in the order of the report.
pub(crate) const KINDS: [Kind; 7] = [
    Kind::Controller,
    Kind::ControllerTree,
    Kind::Agent,
    Kind::AgentTree,
    Kind::Child,
    Kind::Node,
    Kind::Everything,
];

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The journal says that the step has begun.
    Begun,
    /// The journal says that its deed is done, and not yet that it is proven.
    Acted,
    /// So many milliseconds after the step has begun.
    Within(u64),
    /// So many milliseconds after apply was started, whatever it does then.
    Since(u64),
}

/// One blow.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Number of the step in the order of an undisturbed run.
    pub(crate) place: usize,
    pub(crate) moment: Moment,
    pub(crate) kind: Kind,
}

/// A step whatever its node, and how long it took undisturbed.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) key: String,
    took: u64,
}

/// Steps of an undisturbed run in the order they began, one for all nodes.
pub(crate) fn steps(events: &[Value]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for event in events {
        let Some((_, key)) = step(event) else { continue };
        match event["event"].as_str() {
            Some("step-started") if steps.iter().all(|s| s.key != key) => {
                steps.push(Step { key: key.to_owned(), took: 0 });
            }
            Some("step-done") => {
                let took = event["took_ms"].as_u64().unwrap_or(0);
                steps.iter_mut().filter(|s| s.key == key).for_each(|s| s.took = s.took.max(took));
            }
            _ => {}
        }
    }
    steps
}

/// What is still to be struck.
pub(crate) struct Schedule {
    steps: Vec<Step>,
    /// Boundaries not struck yet: step, whether its deed is done, whether it is the agent's turn.
    open: BTreeSet<(usize, bool, bool)>,
    pub(crate) boundaries: usize,
    dice: Dice,
}

impl Schedule {
    pub(crate) fn new(steps: Vec<Step>, seed: u64) -> Self {
        let places = 0..steps.len();
        let open: BTreeSet<_> = places
            .flat_map(|p| [false, true].map(|acted| (p, acted)))
            .flat_map(|(p, acted)| [false, true].map(|agent| (p, acted, agent)))
            .collect();
        Self { steps, boundaries: open.len(), open, dice: Dice::new(seed) }
    }

    /// The step of a target.
    pub(crate) fn key(&self, target: &Target) -> &str {
        &self.steps[target.place].key
    }

    pub(crate) fn covered(&self) -> usize {
        self.boundaries - self.open.len()
    }

    /// Moves a target whose step is behind the nodes already to the next one they have before them, if possible to
    /// a boundary that is still open. `planned` is what a run is about to do.
    pub(crate) fn aim(&mut self, target: &mut Target, planned: &[String]) {
        let is_planned = |place: &usize| {
            planned.iter().any(|id| id.split_once('/').is_some_and(|(_, key)| key == self.steps[*place].key))
        };
        if matches!(target.moment, Moment::Since(_)) || is_planned(&target.place) {
            return;
        }
        let later: Vec<usize> = (target.place..self.steps.len()).filter(is_planned).collect();
        let agent = matches!(target.kind, Kind::Agent | Kind::AgentTree);
        let acted = target.moment == Moment::Acted;
        let open = later.iter().find(|place| self.open.contains(&(**place, acted, agent)));
        if let Some(place) = open.or(later.first()) {
            target.place = *place;
        }
    }

    /// A boundary was struck.
    pub(crate) fn hit(&mut self, target: &Target) {
        let agent = match target.kind {
            Kind::Controller | Kind::ControllerTree => false,
            Kind::Agent | Kind::AgentTree => true,
            _ => return,
        };
        match target.moment {
            Moment::Begun => drop(self.open.remove(&(target.place, false, agent))),
            Moment::Acted => drop(self.open.remove(&(target.place, true, agent))),
            Moment::Within(_) | Moment::Since(_) => {}
        }
    }

    /// The blows of one round in the order of steps: boundaries that are left, and others in between.
    pub(crate) fn round(&mut self, count: usize) -> Vec<Target> {
        let mut open: Vec<_> = self.open.iter().copied().collect();
        self.dice.shuffle(&mut open);
        let mut taken = BTreeSet::new();
        // One blow at a step: the nodes that got through it have it behind them.
        open.retain(|(place, _, _)| taken.insert(*place));
        open.truncate(count * 2 / 3);
        let mut targets: Vec<Target> = open.into_iter().map(|o| self.boundary(o)).collect();
        while targets.len() < count {
            let target = self.anywhere();
            targets.push(target);
        }
        let time = |t: &Target| match t.moment {
            Moment::Since(_) | Moment::Begun => 0,
            Moment::Within(ms) => 1 + ms,
            Moment::Acted => u64::MAX,
        };
        targets.sort_by_key(|t| (t.place, time(t)));
        targets
    }

    fn boundary(&mut self, (place, acted, agent): (usize, bool, bool)) -> Target {
        let moment = if acted { Moment::Acted } else { Moment::Begun };
        let kinds =
            if agent { [Kind::Agent, Kind::AgentTree] } else { [Kind::Controller, Kind::ControllerTree] };
        Target { place, moment, kind: *self.dice.one(&kinds) }
    }

    fn anywhere(&mut self) -> Target {
        use Kind::{Agent, AgentTree, Child, Controller, ControllerTree, Everything, Node};
        const OFTEN: [Kind; 14] = [
            Controller,
            Controller,
            ControllerTree,
            ControllerTree,
            Agent,
            Agent,
            AgentTree,
            Child,
            Child,
            Child,
            Child,
            Child,
            Node,
            Everything,
        ];
        let kind = *self.dice.one(&OFTEN);
        let place = usize::try_from(self.dice.below(self.steps.len() as u64)).unwrap_or(0);
        let within = self.dice.below(self.steps[place].took.max(30) + 20);
        let early = kind != Child && self.dice.below(6) == 0;
        let moment = if early { Moment::Since(self.dice.below(1500)) } else { Moment::Within(within) };
        Target { place, moment, kind }
    }

    /// The same dice for choices on the way.
    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}
