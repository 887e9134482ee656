//! What the last run of a cluster left under way, when it was broken off: told before the next one plans anew.
//!
//! Used by `apply`. The journal names the steps; the nodes say what became of them, and theirs is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use ringbolt_control::hold::{fates, unfinished};
use ringbolt_control::run::PastRun;
use ringbolt_control::stop::{Stop, Urgency};
use ringbolt_core::lock::{Fate, Recalled};
use ringbolt_core::name::{NodeName, StepId};

use crate::exit::Exit;
use crate::hold::Wish;
use crate::render::count;
use crate::render::text::hang;
use crate::session::{Session, Trouble};

/// Pause before nodes are asked again.
const LOOK: Duration = Duration::from_secs(1);

/// Tells of a run that was broken off, and waits until nothing of it is at work on the nodes. Its id, where there is
/// one; a rollback is not gone on with.
pub(crate) async fn last_run(
    session: &Session,
    wish: Wish,
    stop: &mut Stop,
) -> Result<Option<String>, Trouble> {
    let loaded = &session.loaded;
    let last = session.runs.broken_off(&loaded.spec.cluster.name, loaded.source.lab.as_deref());
    // What cannot be read is history, and keeps nobody from working.
    let Ok(Some(past)) = last else { return Ok(None) };
    let steps = by_node(&past);
    let mut recalled = session.fleet.recall(&past.record.id, &steps).await;
    tell(&past, &steps, &recalled, wish);
    let mut told: BTreeSet<NodeName> = BTreeSet::new();
    loop {
        let busy: Vec<(&NodeName, String)> = recalled
            .iter()
            .filter_map(|(node, said)| Some((node, unfinished(node, said.holder.as_ref()?))))
            .filter(|(_, words)| !words.is_empty())
            .collect();
        // Whoever steals does not wait, here as later.
        if busy.is_empty() || wish.steal {
            break;
        }
        for (node, words) in busy.into_iter().filter(|_| !wish.quiet) {
            if told.insert(node.clone()) {
                let head = format!("{} ", wish.style.err().yellow("waits:"));
                let _ = write!(std::io::stderr(), "{}", hang(&head, &words, wish.style.width));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.more(Urgency::None) => {
                return Err(Trouble {
                    message: "stopped while waiting for what the last run left under way".into(),
                    hint: Some("nothing was changed".into()),
                    exit: Exit::Failed,
                });
            }
        }
        recalled = session.fleet.recall(&past.record.id, &steps).await;
    }
    Ok(Some(past.record.id).filter(|_| past.record.undoes.is_empty()))
}

/// Steps of which the journal has no end, by their nodes.
fn by_node(past: &PastRun) -> BTreeMap<NodeName, Vec<StepId>> {
    let mut steps: BTreeMap<NodeName, Vec<StepId>> = BTreeMap::new();
    for step in past.plan.steps.iter().filter(|step| past.record.in_flight.contains(&step.id)) {
        if let Some(node) = &step.node {
            steps.entry(node.clone()).or_default().push(step.id.clone());
        }
    }
    steps
}

fn tell(
    past: &PastRun,
    steps: &BTreeMap<NodeName, Vec<StepId>>,
    recalled: &BTreeMap<NodeName, Recalled>,
    wish: Wish,
) {
    let fates: Vec<(&StepId, String)> = fates(steps, recalled)
        .map(|(step, fate)| (step, fate.map_or_else(|| "its node does not answer".into(), Fate::in_words)))
        .collect();
    if wish.json {
        let steps: Vec<_> =
            fates.iter().map(|(step, fate)| serde_json::json!({ "step": step, "fate": fate })).collect();
        let line = serde_json::json!({ "event": "broken-off", "run": past.record.id, "steps": steps });
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    if wish.json || wish.quiet {
        return;
    }
    let list: Vec<String> = fates.iter().map(|(step, fate)| format!("{step}: {fate}")).collect();
    let text = if list.is_empty() {
        format!(
            "run {} was broken off between two steps, {} of {} done",
            past.record.id, past.record.done, past.record.steps
        )
    } else {
        format!(
            "run {} was broken off with {} under way. The nodes say: {}",
            past.record.id,
            count(list.len(), "step"),
            list.join("; ")
        )
    };
    let text = format!("{text}. What is due is planned anew from what is there.");
    let head = format!("{} ", wish.style.err().yellow("note RB0564:"));
    let _ = write!(std::io::stderr(), "{}", hang(&head, &text, wish.style.width));
}
